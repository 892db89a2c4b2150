//! A provider of OpenID Connect. Whoever comes to its page is signed in, or not, as a test says.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Json, Router,
    extract::{RawQuery, State},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use http::StatusCode;
use rsa::{
    RsaPrivateKey,
    pkcs1v15::SigningKey,
    sha2::Sha256,
    signature::{SignatureEncoding, Signer},
    traits::PublicKeyParts,
};
use serde_json::{Value, json};
use sha2::Digest;
use tokio::net::TcpListener;

use crate::common::{Fields, fields, now_s};

/// Who is signed in at the provider, and what is wrong with it.
#[derive(Debug, Clone)]
pub struct Person {
    /// The subject.
    pub subject: String,
    /// The email address; left out if it is empty.
    pub email: String,
    /// Whether it is verified: `true`, or `"true"`.
    pub verified: Value,
    /// The name.
    pub name: String,
}

impl Person {
    /// Someone with a verified email address.
    pub fn new(subject: &str, email: &str) -> Self {
        Self { subject: subject.into(), email: email.into(), verified: true.into(), name: "Asha Rao".into() }
    }
}

/// How a provider breaks the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// The user says no.
    Denied,
    /// The ID token has another nonce.
    Nonce,
    /// It has none.
    NoNonce,
    /// It has expired.
    Expired,
    /// It is for another app.
    Audience,
    /// It is by another issuer.
    Issuer,
    /// It was changed after it was signed.
    Signature,
    /// It isn't signed.
    Unsigned,
    /// It is signed with the secret of the app.
    Secret,
    /// There is none.
    NoToken,
    /// The provider is down.
    Down,
}

struct Books {
    person: Person,
    wrong: Option<Wrong>,
    key: RsaPrivateKey,
    key_id: usize,
    /// The queries with which browsers came, by the codes that they got.
    codes: HashMap<String, Fields>,
    requests: Vec<String>,
    last: usize,
}

/// A provider, which serves until its runtime ends.
#[derive(Clone)]
pub struct OpenId {
    books: Arc<Mutex<Books>>,
    client_id: Arc<str>,
    client_secret: Arc<str>,
    /// Whether it rejects PKCE verifiers, as LinkedIn does.
    without_pkce: bool,
    /// Its issuer.
    pub url: String,
}

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn key() -> RsaPrivateKey {
    RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap()
}

impl OpenId {
    /// A provider with one app.
    pub async fn start(client_id: &str, client_secret: &str, without_pkce: bool) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let books = Books {
            person: Person::new("1", "asha@example.com"),
            wrong: None,
            key: key(),
            key_id: 1,
            codes: HashMap::new(),
            requests: Vec::new(),
            last: 0,
        };
        let this = Self {
            books: Arc::new(Mutex::new(books)),
            client_id: client_id.into(),
            client_secret: client_secret.into(),
            without_pkce,
            url,
        };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(Self::metadata))
            .route("/keys", get(Self::keys))
            .route("/authorize", get(Self::authorize))
            .route("/token", post(Self::token))
            .with_state(this.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        this
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap()
    }

    /// Who is signed in there from now on.
    pub fn is(&self, person: Person) {
        self.books().person = person;
    }

    /// What is wrong from now on.
    pub fn goes_wrong(&self, wrong: impl Into<Option<Wrong>>) {
        self.books().wrong = wrong.into();
    }

    /// From now on, it signs with another key.
    pub fn changes_its_key(&self) {
        let mut books = self.books();
        books.key = key();
        books.key_id += 1;
    }

    /// How many requests for this path there were.
    pub fn requests(&self, path: &str) -> usize {
        self.books().requests.iter().filter(|asked| *asked == path).count()
    }

    /// Whether it is up. Counts the request.
    fn up(&self, path: &str) -> Result<(), StatusCode> {
        let mut books = self.books();
        books.requests.push(path.to_owned());
        if books.wrong == Some(Wrong::Down) { Err(StatusCode::SERVICE_UNAVAILABLE) } else { Ok(()) }
    }

    async fn metadata(State(this): State<Self>) -> Result<Json<Value>, StatusCode> {
        this.up("/.well-known/openid-configuration")?;
        let at = |path: &str| format!("{}{path}", this.url);
        Ok(Json(json!({
            "issuer": this.url,
            "authorization_endpoint": at("/authorize"),
            "token_endpoint": at("/token"),
            "jwks_uri": at("/keys"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
        })))
    }

    async fn keys(State(this): State<Self>) -> Result<Json<Value>, StatusCode> {
        this.up("/keys")?;
        let books = this.books();
        let (n, e) = (encoded(books.key.n().to_bytes_be()), encoded(books.key.e().to_bytes_be()));
        let id = books.key_id.to_string();
        Ok(Json(json!({"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": id, "n": n, "e": e}]})))
    }

    /// The page: whoever comes is sent back at once.
    async fn authorize(State(this): State<Self>, RawQuery(query): RawQuery) -> Response {
        let query = fields(&query.unwrap_or_default());
        let of = |name: &str| query.get(name).cloned().unwrap_or_default();
        let mut books = this.books();
        let scopes = of("scope");
        let known = of("client_id") == *this.client_id && of("response_type") == "code";
        if !known || !["openid", "email", "profile"].iter().all(|it| scopes.split(' ').any(|has| has == *it))
        {
            return StatusCode::BAD_REQUEST.into_response();
        }
        let back = |fields: &[(&str, &str)]| {
            let query: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
            Redirect::to(&format!("{}?{query}", of("redirect_uri"))).into_response()
        };
        if books.wrong == Some(Wrong::Denied) {
            return back(&[("error", "access_denied"), ("state", &of("state"))]);
        }
        books.last += 1;
        let code = format!("code-{}", books.last);
        books.codes.insert(code.clone(), query.clone());
        back(&[("code", &code), ("state", &of("state"))])
    }

    async fn token(State(this): State<Self>, body: String) -> Response {
        if let Err(down) = this.up("/token") {
            return down.into_response();
        }
        let form = fields(&body);
        let of = |name: &str| form.get(name).cloned().unwrap_or_default();
        let no = |why: &str| (StatusCode::BAD_REQUEST, Json(json!({"error": why}))).into_response();
        if of("client_id") != *this.client_id || of("client_secret") != *this.client_secret {
            return no("invalid_client");
        }
        let Some(asked) = this.books().codes.remove(&of("code")) else { return no("invalid_grant") };
        let asked = |name: &str| asked.get(name).cloned().unwrap_or_default();
        let challenge = encoded(sha2::Sha256::digest(of("code_verifier")));
        let proven = match this.without_pkce {
            true => !form.contains_key("code_verifier") && asked("code_challenge").is_empty(),
            false => asked("code_challenge_method") == "S256" && asked("code_challenge") == challenge,
        };
        if !proven {
            return no("invalid_client");
        }
        if of("redirect_uri") != asked("redirect_uri") {
            return no("invalid_grant");
        }
        let books = this.books();
        let mut answer = json!({"access_token": "access", "token_type": "Bearer", "expires_in": 3_600});
        if books.wrong != Some(Wrong::NoToken) {
            answer["id_token"] = this.id_token(&books, &asked("nonce")).into();
        }
        Json(answer).into_response()
    }

    fn id_token(&self, books: &Books, nonce: &str) -> String {
        let wrong = |it: Wrong| books.wrong == Some(it);
        let now = now_s();
        let mut claims = json!({
            "iss": if wrong(Wrong::Issuer) { "https://evil.example" } else { self.url.as_str() },
            "aud": if wrong(Wrong::Audience) { "another app" } else { &*self.client_id },
            "sub": books.person.subject,
            "iat": now - 10,
            "exp": if wrong(Wrong::Expired) { now - 5 } else { now + 3_600 },
            "name": books.person.name,
        });
        if !books.person.email.is_empty() {
            claims["email"] = books.person.email.clone().into();
            claims["email_verified"] = books.person.verified.clone();
        }
        if !wrong(Wrong::NoNonce) {
            claims["nonce"] = if wrong(Wrong::Nonce) { "another".into() } else { nonce.into() };
        }
        let algorithm = match books.wrong {
            Some(Wrong::Unsigned) => "none",
            Some(Wrong::Secret) => "HS256",
            _ => "RS256",
        };
        let header = json!({"typ": "JWT", "alg": algorithm, "kid": books.key_id.to_string()});
        let signed = format!("{}.{}", encoded(header.to_string()), encoded(claims.to_string()));
        let signature = match books.wrong {
            Some(Wrong::Unsigned) => String::new(),
            Some(Wrong::Secret) => {
                use hmac::{KeyInit, Mac};
                let mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(self.client_secret.as_bytes()).unwrap();
                encoded(mac.chain_update(signed.as_bytes()).finalize().into_bytes())
            }
            Some(Wrong::Signature) => {
                encoded(SigningKey::<Sha256>::new(books.key.clone()).sign(b"something else").to_vec())
            }
            _ => encoded(SigningKey::<Sha256>::new(books.key.clone()).sign(signed.as_bytes()).to_vec()),
        };
        format!("{signed}.{signature}")
    }
}
