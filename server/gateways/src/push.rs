//! Web push: notifications to the push services of browsers (RFC 8030), encrypted for the browser (RFC 8291) and signed by the
//! market (RFC 8292).

use std::time::Duration;

use async_trait::async_trait;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use futures::stream::{self, StreamExt};
use haat_engine::{
    Clock,
    notifications::{
        SendError,
        push::{Push, Pusher},
    },
    payments::GatewayError,
};
use http::Method;
use p256::ecdsa::{Signature, SigningKey, signature::Signer};
use serde_json::json;
use tokio::time::{Instant, timeout_at};
use url::Url;
use web_push_native::Auth;

use crate::api;

/// How long a push service keeps what it cannot deliver. Whoever looks later finds it on the site.
const TTL: Duration = Duration::from_secs(24 * 3_600);
/// How long a signature is valid. Services accept at most a day.
const SIGNED_S: i64 = 12 * 3_600;
/// The time limit of a batch.
const PATIENCE: Duration = Duration::from_secs(25);
/// How many requests run at once.
const CONNECTIONS: usize = 8;
/// The hosts of the push services of Chromium, Firefox, Safari and Edge, and the ends of their names.
const SERVICES: &[&str] =
    &["fcm.googleapis.com", "push.services.mozilla.com", "push.apple.com", "notify.windows.com"];

/// Whether a list of origins is one that [`WebPush::new`] accepts.
pub fn check(others: &str) -> Result<(), &'static str> {
    let is_origin = |text: &str| {
        Url::parse(text).is_ok_and(|url| url.has_host() && url.origin().ascii_serialization() == text)
    };
    match others.split_whitespace().all(is_origin) {
        true => Ok(()),
        false => Err("it is not a list of origins such as https://push.example, separated by spaces"),
    }
}

/// The push services.
pub struct WebPush {
    client: api::Client,
    key: SigningKey,
    public_key: String,
    contact: String,
    others: Vec<String>,
    clock: Clock,
}

impl WebPush {
    /// Signs with a secret key, and names `contact`, a `mailto:` URL, to the services. `others` are the origins of services
    /// besides those of the well-known browsers.
    pub fn new(secret: &[u8; 32], contact: &str, others: Vec<String>, clock: Clock) -> Result<Self, String> {
        let key = SigningKey::from_slice(secret).map_err(|error| error.to_string())?;
        let public_key = BASE64_URL_SAFE_NO_PAD.encode(key.verifying_key().to_encoded_point(false));
        Ok(Self { client: api::Client::new(), key, public_key, contact: contact.to_owned(), others, clock })
    }

    /// The value of the header `authorization` for a service, by its origin.
    fn authorization(&self, origin: &str) -> String {
        let until_s = self.clock.now_ms() / 1_000 + SIGNED_S;
        let claims = json!({"aud": origin, "exp": until_s, "sub": self.contact});
        let encode = |json: serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
        let signed = format!("{}.{}", encode(json!({"typ": "JWT", "alg": "ES256"})), encode(claims));
        let signature: Signature = self.key.sign(signed.as_bytes());
        let signature = BASE64_URL_SAFE_NO_PAD.encode(signature.to_bytes());
        format!("vapid t={signed}.{signature}, k={}", self.public_key)
    }

    async fn send_until(&self, until: Instant, push: &Push) -> Result<(), SendError> {
        let late = |_| Err(SendError::Unreachable("the push service did not respond in time".into()));
        timeout_at(until, self.send_one(push)).await.unwrap_or_else(late)
    }

    async fn send_one(&self, push: &Push) -> Result<(), SendError> {
        let refused = |error: String| SendError::Refused(error);
        let url = Url::parse(&push.endpoint).map_err(|error| refused(error.to_string()))?;
        if !self.knows(&push.endpoint) {
            return Err(refused("not a push service".into()));
        }
        let key =
            p256::PublicKey::from_sec1_bytes(&push.public_key).map_err(|error| refused(error.to_string()))?;
        if push.auth.len() != Auth::default().len() {
            return Err(refused("not the secret of a browser".into()));
        }
        let body = web_push_native::encrypt(
            push.content.clone().into_bytes(),
            &key,
            &Auth::clone_from_slice(&push.auth),
        )
        .map_err(|error| refused(error.to_string()))?;
        let origin = url.origin().ascii_serialization();
        let request = api::request(Method::POST, url.as_str())
            .header("ttl", TTL.as_secs())
            .header("content-encoding", "aes128gcm")
            .header("content-type", "application/octet-stream")
            // A later attempt replaces an earlier one that has not been delivered yet.
            .header("topic", push.id.uuid().simple().to_string())
            .header("authorization", self.authorization(&origin));
        let answered = async {
            let answer = self.client.send(&api::with_body(request, body)?).await?;
            if answer.is_success() { Ok(()) } else { Err(answer.failure(|_| String::new())) }
        };
        answered.await.map_err(|error| match error {
            GatewayError::Gone(why) => SendError::Gone(why),
            GatewayError::Refused(why) => SendError::Refused(why),
            GatewayError::Unreachable(why) => SendError::Unreachable(why),
        })
    }
}

#[async_trait]
impl Pusher for WebPush {
    fn public_key(&self) -> &str {
        &self.public_key
    }

    fn knows(&self, endpoint: &str) -> bool {
        let Ok(url) = Url::parse(endpoint) else { return false };
        if self.others.contains(&url.origin().ascii_serialization()) {
            return true;
        }
        let host = url.host_str().unwrap_or_default();
        let is_of = |service: &str| {
            host.strip_suffix(service).is_some_and(|before| before.is_empty() || before.ends_with('.'))
        };
        let plain = url.port().is_none() && url.username().is_empty() && url.password().is_none();
        url.scheme() == "https" && plain && SERVICES.iter().any(|service| is_of(service))
    }

    async fn send(&self, pushes: &[Push]) -> Vec<Result<(), SendError>> {
        let until = Instant::now() + PATIENCE;
        let sent: Vec<_> = pushes.iter().map(|push| self.send_until(until, push)).collect();
        stream::iter(sent).buffered(CONNECTIONS).collect().await
    }
}

#[cfg(test)]
mod tests {
    use p256::ecdsa::{VerifyingKey, signature::Verifier};

    use super::*;

    fn web_push() -> WebPush {
        WebPush::new(
            &[7; 32],
            "mailto:market@haat.example",
            vec!["http://127.0.0.1:9".into()],
            Clock::default(),
        )
        .unwrap()
    }

    fn decode(text: &str) -> Vec<u8> {
        BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    #[test]
    fn only_push_services_get_requests() {
        let web_push = web_push();
        for endpoint in [
            "https://fcm.googleapis.com/fcm/send/abc",
            "https://updates.push.services.mozilla.com/wpush/v2/abc",
            "https://web.push.apple.com/abc",
            "https://wns2-par02p.notify.windows.com/w/?token=abc",
            "http://127.0.0.1:9/abc",
        ] {
            assert!(web_push.knows(endpoint), "{endpoint}");
        }
        for endpoint in [
            "",
            "not an address",
            "http://fcm.googleapis.com/fcm/send/abc",
            "https://evilfcm.googleapis.com/abc",
            "https://fcm.googleapis.com.evil.example/abc",
            "https://fcm.googleapis.com:8443/",
            "https://me@fcm.googleapis.com/",
            "https://169.254.169.254/latest/meta-data/",
            "http://127.0.0.1:10/abc",
            "file:///etc/passwd",
        ] {
            assert!(!web_push.knows(endpoint), "{endpoint}");
        }
    }

    /// RFC 8292, section 2: the token is signed with ES256 by the key that goes with it.
    #[test]
    fn the_market_signs_for_one_service_and_half_a_day() {
        let web_push = web_push();
        let header = web_push.authorization("https://push.example.net");
        let (token, key) = header.strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
        assert_eq!(key, web_push.public_key());
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let verifying = VerifyingKey::from_sec1_bytes(&decode(key)).unwrap();
        verifying.verify(signed.as_bytes(), &Signature::from_slice(&decode(signature)).unwrap()).unwrap();
        let claims = decode(signed.split_once('.').unwrap().1);
        let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
        let until_s = claims["exp"].as_i64().unwrap();
        let now_s = web_push.clock.now_ms() / 1_000;
        assert!((now_s + SIGNED_S - 60..=now_s + SIGNED_S).contains(&until_s), "{until_s}");
        let expected =
            json!({"aud": "https://push.example.net", "exp": until_s, "sub": "mailto:market@haat.example"});
        assert_eq!(claims, expected);
    }

    /// RFC 8291, section 5, and back.
    #[test]
    fn only_the_browser_can_read_it() {
        let secret =
            p256::SecretKey::from_slice(&decode("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94")).unwrap();
        let auth = Auth::clone_from_slice(&decode("BTBZMqHH6r4Tts7J_aSIgg"));
        let message = decode(
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN",
        );
        let read = |message| web_push_native::decrypt(message, &secret, &auth);
        assert_eq!(read(message).unwrap(), b"When I grow up, I want to be a watermelon");
        let sent = web_push_native::encrypt(b"Shipped".to_vec(), &secret.public_key(), &auth).unwrap();
        assert_eq!(read(sent.clone()).unwrap(), b"Shipped");
        let another = Auth::clone_from_slice(&[0; 16]);
        assert!(web_push_native::decrypt(sent, &secret, &another).is_err());
    }
}
