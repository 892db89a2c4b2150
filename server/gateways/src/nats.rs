//! The bus between the nodes of a market: a NATS server.

use std::{
    future::ready,
    str::from_utf8,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use async_nats::{Client, ConnectOptions, Event, ServerAddr, connection::State};
use futures::{FutureExt, StreamExt};
use haat_engine::bus::{Bus, InProcess, Subscription, Topic};
use percent_encoding::percent_decode_str;
use tokio::task::{JoinSet, unconstrained};
use url::Url;

/// What the subjects of messages begin with. The topic follows.
const PREFIX: &str = "haat.";
/// What is wrong with a URL. It is not quoted, since it may contain a password.
const MALFORMED: &str = "it is not a URL such as nats://HOST or tls://USER:PASSWORD@HOST";

/// A bus through a NATS server. Messages within a node don't pass through the server, so they arrive even if
/// it can't be reached.
pub struct Nats {
    local: Arc<InProcess>,
    client: Client,
    /// Passes on messages from other nodes; ends with the bus.
    _incoming: JoinSet<()>,
}

impl Nats {
    /// A bus that connects in the background, and again whenever it loses the connection. The URL is
    /// `nats://[USER:PASSWORD@ or TOKEN@]HOST[:PORT]`, or `tls://…`.
    pub async fn connect(url: &str) -> Result<Self, String> {
        let (server, login) = parse(url).ok_or(MALFORMED)?;
        let options = ConnectOptions::new().name("haat").no_echo().retry_on_initial_connect();
        let options = match login {
            Login::None => options,
            Login::Token(token) => options.token(token),
            Login::Password(user, password) => options.user_and_password(user, password),
        };
        let down = AtomicBool::new(false);
        let options = options.event_callback(move |event| {
            report(&event, &down);
            ready(())
        });
        let client = options.connect(server).await.map_err(|error| error.to_string())?;
        let mut messages = client.subscribe(format!("{PREFIX}*")).await.map_err(|error| error.to_string())?;
        let local = Arc::<InProcess>::default();
        let (mut incoming, to) = (JoinSet::new(), local.clone());
        incoming.spawn(async move {
            while let Some(message) = messages.next().await {
                let topic = message.subject.strip_prefix(PREFIX).and_then(Topic::parse);
                if let (Some(topic), Ok(text)) = (topic, from_utf8(&message.payload)) {
                    to.publish(topic, text);
                }
            }
        });
        Ok(Self { local, client, _incoming: incoming })
    }
}

impl Bus for Nats {
    fn publish(&self, topic: Topic, text: &str) {
        self.local.publish(topic, text);
        // The client would keep messages until it is connected, when they are of no use any more.
        if self.client.connection_state() == State::Connected {
            let sending = self.client.publish(format!("{PREFIX}{}", topic.as_str()), text.to_owned().into());
            // The client's queue takes the message at once, or it is full, and the message is dropped.
            let _ = unconstrained(sending).now_or_never();
        }
    }

    fn subscribe(&self, topic: Topic) -> Subscription {
        self.local.subscribe(topic)
    }
}

/// How the program identifies itself.
#[derive(Debug, PartialEq)]
enum Login {
    None,
    Token(String),
    Password(String, String),
}

/// Whether a URL is one that [`Nats::connect`] accepts.
pub fn check(url: &str) -> Result<(), &'static str> {
    parse(url).map(drop).ok_or(MALFORMED)
}

/// The server and the login in a URL. The client ignores a login in the server's address, and logs the
/// address.
fn parse(url: &str) -> Option<(ServerAddr, Login)> {
    let mut url = Url::parse(url).ok()?;
    if !matches!(url.scheme(), "nats" | "tls") || !url.has_host() {
        return None;
    }
    let decoded = |text: &str| percent_decode_str(text).decode_utf8().map(String::from).ok();
    let login = match (url.username(), url.password()) {
        ("", None) => Login::None,
        (token, None) => Login::Token(decoded(token)?),
        (user, Some(password)) => Login::Password(decoded(user)?, decoded(password)?),
    };
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    Some((ServerAddr::from_url(url).ok()?, login))
}

/// Logs whether there is a connection. Failed attempts to connect are not repeated in the log.
fn report(event: &Event, down: &AtomicBool) {
    match event {
        Event::Connected => {
            down.store(false, Ordering::Relaxed);
            tracing::info!("connected to NATS");
        }
        Event::Disconnected | Event::ClientError(_) if !down.swap(true, Ordering::Relaxed) => {
            tracing::warn!(%event, "no connection to NATS: nodes poll until it is restored");
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_taken_out_of_the_address() {
        let password = |user: &str, password: &str| Login::Password(user.into(), password.into());
        for (url, address, login) in [
            ("nats://nats.example", "nats://nats.example", Login::None),
            ("nats://10.0.0.7:4223", "nats://10.0.0.7:4223", Login::None),
            ("tls://haat:hu%40sh@nats.example", "tls://nats.example", password("haat", "hu@sh")),
            ("nats://t0ken@nats.example:4222", "nats://nats.example:4222", Login::Token("t0ken".into())),
        ] {
            let (server, found) = parse(url).unwrap();
            assert_eq!((server.as_url_str(), found), (address, login), "{url}");
        }
        for url in ["", "nats.example:4222", "http://nats.example", "nats://", "nats:nats.example"] {
            assert_eq!(check(url), Err(MALFORMED), "{url}");
        }
    }

    #[tokio::test]
    async fn a_node_hears_itself_without_a_server() {
        let bus = Nats::connect("nats://127.0.0.1:1").await.unwrap();
        let mut news = bus.subscribe(Topic::Jobs);
        bus.publish(Topic::Jobs, "payments");
        assert_eq!(news.next().await.as_deref(), Some("payments"));
        let error = Nats::connect("http://hush@nats.example").await.err().unwrap();
        assert!(error.contains("nats://HOST") && !error.contains("hush"), "{error}");
    }
}
