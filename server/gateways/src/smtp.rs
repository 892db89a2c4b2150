//! Email over SMTP (RFC 5321), with TLS by rustls.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use futures::stream::{self, StreamExt};
use haat_engine::notifications::{Mail, Mailer, SendError};
use haat_shared::accounts::Email;
pub use lettre::message::Mailbox as Sender;
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    address::Envelope,
    message::{
        MultiPart,
        header::{HeaderName, HeaderValue},
    },
    transport::smtp::{self, PoolConfig, response::Category},
};
use tokio::time::{Instant, timeout_at};
use url::Url;

/// The maximum number of concurrent connections to the server.
const CONNECTIONS: usize = 4;
/// The time limit of a batch. Emails that are not sent by then are retried later.
const PATIENCE: Duration = Duration::from_secs(30);

/// The mail server.
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Sender,
}

impl Smtp {
    /// Connects by URL: `smtps://USER:PASSWORD@HOST`, or `smtp://…?tls=required` for STARTTLS.
    pub fn new(url: &str, from: Sender) -> Result<Self, String> {
        check(url)?;
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
            .map_err(|e| e.to_string())?
            .timeout(Some(PATIENCE / 2))
            .pool_config(PoolConfig::new().max_size(CONNECTIONS as u32))
            .build();
        Ok(Self { transport, from })
    }

    async fn send_by(&self, until: Instant, mail: &Mail) -> Result<(), SendError> {
        let message = compose(&self.from, mail).map_err(SendError::Refused)?;
        let sent = timeout_at(until, self.transport.send(message)).await;
        match sent {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) if is_final(&error, mail) => Err(SendError::Refused(error.to_string())),
            Ok(Err(error)) => Err(SendError::Unreachable(error.to_string())),
            Err(_) => Err(SendError::Unreachable("the mail server did not respond in time".into())),
        }
    }
}

/// Whether a URL is one that [`Smtp::new`] accepts. The error does not quote it.
pub fn check(url: &str) -> Result<(), &'static str> {
    let malformed = "it is not a URL such as smtps://USER:PASSWORD@HOST or smtp://HOST?tls=required";
    let parsed = Url::parse(url).map_err(|_| malformed)?;
    let tls = parsed.query_pairs().find(|(name, _)| name == "tls").map(|(_, value)| value.into_owned());
    let encrypted = match (parsed.scheme(), tls.as_deref()) {
        ("smtps", _) | ("smtp", Some("required")) => true,
        ("smtp", None | Some("opportunistic")) => false,
        _ => return Err(malformed),
    };
    if parsed.host_str().is_none_or(str::is_empty) {
        return Err(malformed);
    }
    if !encrypted && url.contains('@') {
        return Err("the password would be sent unencrypted: use smtps://… or …?tls=required");
    }
    Ok(())
}

/// Whether the server will reject the email again. Rejections of ourselves (x3x: authentication) can be
/// fixed, so they are retried. An address with non-ASCII letters needs a server that supports SMTPUTF8,
/// which a retry will not change.
fn is_final(error: &smtp::Error, mail: &Mail) -> bool {
    let refused =
        error.is_permanent() && error.status().is_none_or(|code| code.category != Category::Unspecified3);
    refused || (error.is_client() && !mail.to.is_ascii())
}

/// The message to send. It is marked as automatic (RFC 3834), so that it gets no automatic replies.
pub fn compose(from: &Sender, mail: &Mail) -> Result<Message, String> {
    let date = SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(mail.created_at).unwrap_or(0));
    let automatic =
        HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".into());
    // Uses the same parser that accepted the address; Lettre's own doesn't know all characters of RFC 6531.
    let to = Email::parse("to", &mail.to)
        .map_err(|_| format!("{}: no mail can be sent to this address", mail.to))?;
    let (local, host) = to.parts();
    let to = Address::new_dangerous(local, host);
    let envelope = Envelope::new(Some(from.email.clone()), vec![to.clone()]).map_err(|e| e.to_string())?;
    let mut message = Message::builder();
    if let Some(url) = &mail.unsubscribe {
        // RFC 8058: the reader's program sends the POST at once, without asking.
        let header = |name: &'static str, value: &str| {
            HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
        };
        message = message
            .raw_header(header("List-Unsubscribe", &format!("<{url}>")))
            .raw_header(header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"));
    }
    message
        .from(from.clone())
        .to(Sender::new(None, to))
        .envelope(envelope)
        .subject(&mail.subject)
        .date(date)
        .message_id(Some(format!("<{}@{}>", mail.id, from.email.domain())))
        .raw_header(automatic)
        .multipart(MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone()))
        .map_err(|e| e.to_string())
}

#[async_trait]
impl Mailer for Smtp {
    async fn send(&self, mails: &[Mail]) -> Vec<Result<(), SendError>> {
        let until = Instant::now() + PATIENCE;
        let sending: Vec<_> = mails.iter().map(|mail| self.send_by(until, mail)).collect();
        stream::iter(sending).buffered(CONNECTIONS).collect().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(subject: &str) -> Mail {
        Mail {
            id: haat_engine::random::id(0),
            to: "asha@example.com".into(),
            subject: subject.into(),
            text: "₹449.00\r\n.\r\nQUIT\r\n".into(),
            html: "<p>₹449.00</p>".into(),
            unsubscribe: None,
            created_at: 1_795_219_200_000,
        }
    }

    fn wire(mail: &Mail) -> String {
        let from: Sender = "Haat <market@haat.example>".parse().unwrap();
        String::from_utf8(compose(&from, mail).unwrap().formatted()).unwrap()
    }

    #[test]
    fn a_mail_says_who_when_and_which() {
        let mail = mail("Order H1");
        let wire = wire(&mail);
        for header in [
            "From: Haat <market@haat.example>\r\n",
            "To: asha@example.com\r\n",
            "Subject: Order H1\r\n",
            "Date: Sat, 21 Nov 2026 00:00:00 +0000\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "Content-Type: multipart/alternative;",
            "Content-Type: text/plain; charset=utf-8\r\n",
            "Content-Type: text/html; charset=utf-8\r\n",
        ] {
            assert!(wire.contains(header), "{header}: {wire}");
        }
        assert!(wire.contains(&format!("Message-ID: <{}@haat.example>\r\n", mail.id)), "{wire}");
    }

    #[test]
    fn one_click_ends_emails_that_can_be_ended() {
        let url = "https://haat.example/unsubscribe/user_1?token=k_-";
        let head = |mail: &Mail| wire(mail).split("\r\n\r\n").next().unwrap().replace("\r\n ", " ");
        let ends = head(&Mail { unsubscribe: Some(url.into()), ..mail("Sale") });
        assert!(ends.contains(&format!("List-Unsubscribe: <{url}>\r\n")), "{ends}");
        assert!(ends.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"), "{ends}");
        assert!(!head(&mail("Order H1")).contains("List-Unsubscribe"));
    }

    #[test]
    fn a_subject_cannot_inject_headers() {
        for hostile in
            ["a\r\nBcc: all@example.com", "a\nBcc: all@example.com", "a\rBcc: x", "\r\n\r\n<script>"]
        {
            let wire = wire(&mail(hostile));
            let head = wire.split("\r\n\r\n").next().unwrap();
            let names: Vec<_> = head
                .split("\r\n")
                .filter(|l| !l.starts_with([' ', '\t']))
                .map(|l| l.split(':').next().unwrap())
                .collect();
            assert!(!names.contains(&"Bcc") && names.len() == 8, "{head}");
            assert!(!head.replace("\r\n", "").contains(['\r', '\n']), "{head}");
        }
    }

    #[test]
    fn addresses_that_mean_more_than_one_are_refused() {
        let from: Sender = "market@haat.example".parse().unwrap();
        for hostile in
            ["", "a@b.co, c@d.ef", "a@b.co\r\nRCPT TO:<c@d.ef>", "<a@b.co>", "as..ha@b.co", "a@b..co"]
        {
            assert!(compose(&from, &Mail { to: hostile.into(), ..mail("x") }).is_err(), "{hostile}");
        }
    }

    #[test]
    fn every_address_that_is_taken_can_be_sent_to() {
        let from: Sender = "market@haat.example".parse().unwrap();
        for (typed, rcpt) in [
            ("Asha+haat@Example.com", "Asha+haat@example.com"),
            ("asha@bücher.example", "asha@xn--bcher-kva.example"),
            // Combining marks, and a letter outside the Basic Multilingual Plane.
            ("सूर्य@उदाहरण.भारत", "सूर्य@xn--p1b6ci4b4b3a.xn--h2brj9c"),
            ("𝒶sha@example.com", "𝒶sha@example.com"),
            ("o'brien!#$%&*/=?^_`{|}~@example.com", "o'brien!#$%&*/=?^_`{|}~@example.com"),
        ] {
            let message = compose(&from, &Mail { to: typed.into(), ..mail("x") }).unwrap();
            assert_eq!(message.envelope().to().iter().map(ToString::to_string).collect::<Vec<_>>(), [rcpt]);
            let wire = String::from_utf8(message.formatted()).unwrap();
            assert!(wire.contains(&format!("\r\nTo: {rcpt}\r\n")), "{wire}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_shared_takes_is_composed(local in "[\\PC]{1,12}", host in "[a-zü-]{1,8}\\.[a-zच]{2,6}") {
            let from: Sender = "market@haat.example".parse().unwrap();
            let typed = format!("{local}@{host}");
            let taken = Email::parse("email", &typed).is_ok();
            let composed = compose(&from, &Mail { to: typed, ..mail("x") });
            proptest::prop_assert_eq!(taken, composed.is_ok());
        }
    }

    /// The error already contains its cause.
    #[tokio::test]
    async fn the_cause_is_said_once() {
        let smtp = Smtp::new("smtp://127.0.0.1:1", "market@haat.example".parse().unwrap()).unwrap();
        let sent = smtp.send(&[mail("x")]).await.remove(0);
        let why = match sent {
            Err(SendError::Unreachable(why)) => why,
            other => panic!("{other:?}"),
        };
        assert_eq!(why.to_lowercase().matches("refused").count(), 1, "{why}");
    }

    #[tokio::test]
    async fn passwords_do_not_go_in_the_clear() {
        let from: Sender = "market@haat.example".parse().unwrap();
        let open = |url: &str| Smtp::new(url, from.clone()).map(drop);
        assert!(open("smtp://haat:hush@mail.example").unwrap_err().contains("unencrypted"));
        assert!(open("smtp://haat:hush@mail.example?tls=opportunistic").is_err());
        for malformed in
            ["", "mail.example", "ftp://mail.example", "smtp://", "smtps:", "smtp://mail.example?tls=on"]
        {
            assert!(open(malformed).unwrap_err().contains("smtps://USER"), "{malformed}");
        }
        for url in [
            "smtps://haat:hush@mail.example",
            "smtp://haat:hush@mail.example?tls=required",
            "smtp://localhost:25",
        ] {
            assert_eq!(open(url), Ok(()), "{url}");
        }
    }
}
