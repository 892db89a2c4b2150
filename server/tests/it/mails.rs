//! Emails from the purchase to the recipient: through the development mailbox, and through an SMTP server.

use std::time::Duration;

use reqwest::{StatusCode, header};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};

use crate::program::*;

/// Buys a bowl and a lamp in cash, as a guest.
async fn buy(program: &Program) -> String {
    let shopper = Shopper::new(program);
    for shop in ["meena-crafts", "delta-electronics"] {
        let variant = shopper.variant(shop, 0).await;
        assert_eq!(shopper.add(&variant, "2").await, "/cart");
    }
    let checkout = shopper.post("/checkout", &[]).await;
    let purchase = shopper.post(&checkout, &details("cash", "k")).await;
    purchase.strip_prefix("/purchases/").unwrap().split('?').next().unwrap().to_owned()
}

/// The links to the emails to a recipient.
pub fn emails_to(list: &str, recipient: &str) -> Vec<String> {
    let items = list.split("href=\"/dev/mail/").skip(1);
    items
        .filter(|item| item.split("</a>").next().unwrap().contains(recipient))
        .map(|item| format!("/dev/mail/{}", item.split('"').next().unwrap()))
        .collect()
}

/// Waits until the metrics contain a line.
pub async fn until(shopper: &Shopper, measure: &str) {
    until_metrics(shopper, measure, |line| line == measure).await;
}

/// Waits until the metrics contain a line that is wanted.
async fn until_metrics(shopper: &Shopper, name: &str, wanted: impl Fn(&str) -> bool) {
    let begun = std::time::Instant::now();
    loop {
        let (_, metrics) = shopper.get("/metrics").await;
        if metrics.lines().any(&wanted) {
            return;
        }
        assert!(begun.elapsed().as_secs() < 120, "{name}: {metrics}");
        pause().await;
    }
}

/// Waits until all refunds are queued. Webhooks of their payments may be as well.
async fn refunds_are_queued(shopper: &Shopper) {
    let queued = "haat_jobs{state=\"queued\"} ";
    let enough = |line: &str| line.strip_prefix(queued).is_some_and(|n| n.parse::<usize>().unwrap() >= 200);
    until_metrics(shopper, queued, enough).await;
}

/// A queue of refunds at a gateway that takes minutes to answer each of them.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_gateway_delays_no_confirmation() {
    on_both(async |on| {
        let mut program = Program::prepare(on).await;
        program.start_with_refunds(40, Duration::from_secs(300)).await;
        let reader = Shopper::new(&program);
        refunds_are_queued(&reader).await;
        let subject = format!("Thank you for your order {}", buy(&program).await);
        until_mailed(&reader, &subject).await;
        refunds_are_queued(&reader).await;
        program.close();
    })
    .await;
}

/// Waits for an email with this subject.
pub async fn until_mailed(reader: &Shopper, subject: &str) {
    let begun = std::time::Instant::now();
    while !reader.get("/dev/mail").await.1.contains(subject) {
        assert!(begun.elapsed().as_secs() < 120, "{subject}");
        pause().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_is_confirmed_and_its_link_works_for_whoever_has_the_mail() {
    for on in BOTH {
        let program = Program::serve(on).await;
        let reader = Shopper::new(&program);
        let (status, empty) = reader.get("/dev/mail").await;
        assert!(status == StatusCode::OK && empty.contains("No emails yet"), "{empty}");
        let number = buy(&program).await;
        until(&reader, "haat_work_done_total{kind=\"mails\"} 3").await;
        let (_, list) = reader.get("/dev/mail").await;
        for to in ["meena@haat.example", "delta@haat.example"] {
            assert_eq!(emails_to(&list, to).len(), 1, "{to}: {list}");
        }
        let confirmation = &emails_to(&list, "asha@example.com")[..];
        let [confirmation] = confirmation else { panic!("{list}") };
        let (_, page) = reader.get(confirmation).await;
        for said in [
            &format!("Subject: Thank you for your order {number}"),
            "Auto-Submitted: auto-generated",
            "Message-ID: &lt;mail_",
            "From: Haat &lt;market@localhost&gt;",
            "Meena Crafts",
            "Delta Electronics",
        ] {
            assert!(page.contains(said), "{said}: {page}");
        }
        // The HTML is a document of its own, whose policy allows only styling.
        let response = reader.client.get(program.at(&format!("{confirmation}/html"))).send().await.unwrap();
        let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
        assert!(policy.contains("sandbox") && policy.contains("default-src 'none'"), "{policy}");
        assert_eq!(response.headers()[header::X_FRAME_OPTIONS], "SAMEORIGIN");
        let html = response.text().await.unwrap();
        let link = html.split("href=\"").nth(1).unwrap().split('"').next().unwrap();
        assert!(link.starts_with(&program.at(&format!("/purchases/{number}?key="))), "{link}");
        let (status, purchase) = Shopper::new(&program).get(link).await;
        assert!(status == StatusCode::OK && purchase.contains(&format!("{number}-2")), "{status}");

        for path in ["/dev/mail/x", "/dev/mail/mail_00000000000000000000000000", "/dev/mail/x/html"] {
            assert_eq!(reader.get(path).await.0, StatusCode::NOT_FOUND, "{path}");
        }
        program.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_read_days_of_the_markets_time_zone_and_programs_those_of_utc() {
    let mut program = Program::prepare(On::Sqlite).await;
    // A zone where the date differs from UTC's now, and for at least another hour.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = i64::try_from(now.as_millis()).unwrap();
    let utc = haat_engine::clock::rfc3339(now);
    let (zone, abbreviation) =
        if &utc[11..13] < "10" { ("Pacific/Pago_Pago", "SST") } else { ("Pacific/Kiritimati", "UTC+14") };
    let local = haat_engine::clock::Zone::named(zone).unwrap().local(now);
    assert_ne!(utc[..10], local[..10]);
    let day = haat_app::words::day(haat_app::i18n::Locale::default(), &local);
    program.set("HAAT__MARKET__TIME_ZONE", zone);
    program.start().await;
    let shopper = Shopper::new(&program);
    let variant = shopper.variant("meena-crafts", 0).await;
    shopper.add(&variant, "1").await;
    let checkout = shopper.post("/checkout", &[]).await;
    let purchase = shopper.post(&checkout, &details("cash", "k")).await;
    let number = purchase.strip_prefix("/purchases/").unwrap().split('?').next().unwrap();
    until(&shopper, "haat_work_done_total{kind=\"mails\"} 2").await;
    let meena = Shopper::new(&program);
    let form = [("email", "meena@haat.example"), ("password", "market-day-2026"), ("next", "/account")];
    meena.post("/sign-in", &form).await;
    let (_, list) = shopper.get("/dev/mail").await;
    let mail = |to: &str| emails_to(&list, to).remove(0);
    for (reader, path, zone_said) in [
        (&shopper, purchase.clone(), true),
        (&shopper, mail("asha@example.com"), true),
        (&shopper, mail("meena@haat.example"), true),
        (&meena, format!("/seller/meena-crafts/orders/{number}-1"), true),
        (&meena, "/seller/meena-crafts/orders".into(), false),
        (&meena, "/seller/meena-crafts".into(), false),
    ] {
        let (status, page) = reader.get(&path).await;
        assert!(status == StatusCode::OK && page.contains(&day), "{path}: {day} is not in {page}");
        assert!(!zone_said || page.contains(abbreviation), "{path}: {abbreviation} is not in {page}");
    }
    let (status, body) = shopper.get(&format!("/api/v1{purchase}")).await;
    assert!(status == StatusCode::OK && body.contains(&format!("\"created_at\":\"{}", &utc[..10])), "{body}");
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_sent_to_in_ascii_or_reported_to_the_operator_at_once() {
    let (port, mut post) = postman().await;
    let mut program = Program::prepare(On::Sqlite).await;
    program.set("HAAT__MAIL__SMTP_URL", &format!("smtp://127.0.0.1:{port}"));
    program.set("HAAT__MAIL__SMTPUTF8", "true");
    program.set("HAAT__MAIL__FROM", "The Haat <market@haat.example>");
    program.set("HAAT_ADMIN_PASSWORD", "market-day-2026");
    program.run_ok(&["admin", "create", "--email", "olga@haat.example", "--name", "Olga"]);
    program.start().await;
    let buy_as = async |email: &'static str, key: &'static str| {
        let shopper = Shopper::new(&program);
        let variant = shopper.variant("meena-crafts", 0).await;
        shopper.add(&variant, "1").await;
        let checkout = shopper.post("/checkout", &[]).await;
        let mut typed = details("cash", key);
        typed[0] = ("email", email);
        shopper.post(&checkout, &typed).await
    };
    let purchase = buy_as("asha@bücher.example", "k").await;
    assert!(purchase.starts_with("/purchases/"), "{purchase}");
    let mut got = [post.recv().await.unwrap().0, post.recv().await.unwrap().0];
    got.sort();
    assert_eq!(got, ["RCPT TO:<asha@xn--bcher-kva.example>", "RCPT TO:<meena@haat.example>"]);
    // This server doesn't support SMTPUTF8, whatever the configuration says, and won't tomorrow.
    let purchase = buy_as("सूर्य@example.com", "k").await;
    assert!(purchase.starts_with("/purchases/"), "{purchase}");
    let olga = Shopper::new(&program);
    until(&olga, "haat_emails{state=\"failed\"} 1").await;
    let form = [("email", "olga@haat.example"), ("password", "market-day-2026"), ("next", "/account")];
    olga.post("/sign-in", &form).await;
    let (_, mails) = olga.get("/admin/notifications?state=failed").await;
    assert!(mails.contains("सूर्य@example.com") && mails.contains("SMTPUTF8"), "{mails}");
    program.close();
}

/// A program that reads emails sends the form of RFC 8058: without a session, and without having been redirected.
#[tokio::test(flavor = "multi_thread")]
async fn one_click_ends_emails_of_offers() {
    let mut program = Program::prepare(On::Sqlite).await;
    program.set("HAAT_ADMIN_PASSWORD", "market-day-2026");
    program.run_ok(&["admin", "create", "--email", "olga@haat.example", "--name", "Olga"]);
    program.start().await;
    let olga = Shopper::new(&program);
    let form = [("email", "olga@haat.example"), ("password", "market-day-2026"), ("next", "/account")];
    olga.post("/sign-in", &form).await;
    let agreed = async || {
        let (_, page) = olga.get("/notifications/settings").await;
        let field = page.split("name=\"offers.email\"").nth(1).unwrap().split('>').next().unwrap().to_owned();
        field.contains("checked")
    };
    assert!(!agreed().await, "nobody has agreed to anything");
    olga.post("/notifications/settings", &[("offers.email", "1")]).await;
    assert!(agreed().await);
    let written = [
        ("action", "save"),
        ("kind", "offer"),
        ("audience", "everyone"),
        ("email", "true"),
        ("title_en", "Lamps for less"),
        ("text_en", "All lamps"),
    ];
    let page = olga.post("/admin/announcements", &written).await;
    let id = page.split("edit=").nth(1).unwrap().split('&').next().unwrap();
    olga.post("/admin/announcements", &[("action", "send"), ("id", id), ("version", "1")]).await;
    let reader = Shopper::new(&program);
    until(&reader, "haat_work_done_total{kind=\"mails\"} 1").await;
    let (_, list) = reader.get("/dev/mail").await;
    let (_, mail) = reader.get(&format!("{}/html", emails_to(&list, "olga@haat.example").remove(0))).await;
    let link = program.at("/unsubscribe/");
    let rest = mail.split(&link).nth(1).expect(&mail).split('"').next().unwrap();
    let link = format!("{link}{rest}");

    // Programs follow links to look at them.
    let (status, _) = reader.get(&link).await;
    assert!(status == StatusCode::SEE_OTHER && agreed().await, "{status}");
    let click = [("List-Unsubscribe", "One-Click")];
    let forged = reader.try_post(&format!("{link}x"), &click).await.unwrap();
    assert!(forged.status() == StatusCode::NOT_FOUND && agreed().await);
    for _ in 0..2 {
        let ended = reader.try_post(&link, &click).await.unwrap();
        assert!(ended.status() == StatusCode::OK && !agreed().await, "{}", ended.status());
    }
    // The page's own button leads back to it.
    let page = reader.post(&link, &[]).await;
    let (status, page) = reader.get(&page).await;
    assert!(status == StatusCode::OK && page.contains("unsubscribed from emails"), "{status} {page}");
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn production_shows_nobodys_mail() {
    let mut program = Program::serve(On::Sqlite).await;
    let reader = Shopper::new(&program);
    buy(&program).await;
    until(&reader, "haat_work_done_total{kind=\"mails\"} 3").await;
    let (_, list) = reader.get("/dev/mail").await;
    let confirmation = emails_to(&list, "asha@example.com").remove(0);
    program.kill();
    program.set("HAAT__MODE", "production");
    program.set("HAAT__PAYMENTS__SANDBOX", "false");
    program.set("HAAT__SECURITY__SECRET", "b1946ac92492d2347c6235b4d2611184");
    program.set("HAAT__SERVER__PUBLIC_URL", "https://haat.example");
    program.set("HAAT__LIMITS__ADDRESS_HEADER", "peer");
    program.start().await;
    for path in ["/dev/mail", &confirmation, &format!("{confirmation}/html")] {
        assert_eq!(reader.get(path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    assert!(program.log().contains("emails are stored in the database and not sent"));
    // The folder that the program was started in has no built site.
    assert!(
        program.log().contains("target/site doesn't exist, so pages have no styles"),
        "{}",
        program.log()
    );
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_sends_no_mail_is_refused_at_start() {
    let mut program = Program::prepare(On::Sqlite).await;
    for (name, value, why) in [
        ("HAAT__MAIL__FROM", "nobody", "mail.from"),
        ("HAAT__MAIL__SMTP_URL", "mail.example", "mail.smtp_url"),
        ("HAAT__MAIL__SMTP_URL", "smtp://haat:hush@mail.example", "unencrypted"),
    ] {
        program.set(name, value);
        let output = program.run(&["serve"]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(why) && !said.contains("hush"), "{said}");
        program.set("HAAT__MAIL__FROM", "market@haat.example");
    }
    program.set("HAAT__MAIL__SMTP_URL", "");
    program.close();
}

/// An email as received by the server: the recipient, and the whole message.
type Got = (String, String);

/// A minimal SMTP server. It defers the first attempt for every recipient, and rejects `delta@` as unknown.
async fn postman() -> (u16, UnboundedReceiver<Got>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, heard) = unbounded_channel();
    tokio::spawn(async move {
        let seen = std::sync::Arc::<std::sync::Mutex<Vec<String>>>::default();
        while let Ok((connection, _)) = listener.accept().await {
            let (sender, seen) = (sender.clone(), seen.clone());
            tokio::spawn(async move { serve(connection, &sender, &seen).await });
        }
    });
    (port, heard)
}

async fn serve(
    connection: TcpStream,
    sender: &UnboundedSender<Got>,
    seen: &std::sync::Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let (reader, mut writer) = connection.into_split();
    let mut lines = BufReader::new(reader).lines();
    writer.write_all(b"220 post.example\r\n").await?;
    let mut to = String::new();
    while let Some(line) = lines.next_line().await? {
        let answer = match line.split([' ', ':']).next().unwrap_or_default() {
            "EHLO" => "250-post.example\r\n250 8BITMIME\r\n",
            "RCPT" => {
                to = line.clone();
                let first = {
                    let mut seen = seen.lock().unwrap();
                    let first = !seen.contains(&line);
                    seen.push(line.clone());
                    first
                };
                match () {
                    () if first => "451 4.7.1 Please come back later\r\n",
                    () if line.contains("delta@") => "550 5.1.1 No such user here\r\n",
                    () => "250 OK\r\n",
                }
            }
            "DATA" => {
                writer.write_all(b"354 Go on\r\n").await?;
                let mut mail = String::new();
                while let Some(line) = lines.next_line().await? {
                    if line == "." {
                        break;
                    }
                    mail += &format!("{line}\r\n");
                }
                sender.send((to.clone(), mail)).ok();
                "250 OK\r\n"
            }
            "QUIT" => {
                writer.write_all(b"221 Bye\r\n").await?;
                return Ok(());
            }
            _ => "250 OK\r\n",
        };
        writer.write_all(answer.as_bytes()).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn temporary_smtp_errors_are_retried_and_permanent_ones_are_not() {
    let (port, mut post) = postman().await;
    let mut program = Program::prepare(On::Sqlite).await;
    program.set("HAAT__MAIL__SMTP_URL", &format!("smtp://127.0.0.1:{port}"));
    program.set("HAAT__MAIL__FROM", "The Haat <market@haat.example>");
    program.start().await;
    let number = buy(&program).await;
    let mut got = [post.recv().await.unwrap(), post.recv().await.unwrap()];
    got.sort();
    assert_eq!(got[0].0, "RCPT TO:<asha@example.com>");
    assert_eq!(got[1].0, "RCPT TO:<meena@haat.example>");
    for header in [
        &format!("Subject: Thank you for your order {number}\r\n"),
        "From: \"The Haat\" <market@haat.example>\r\n",
        "To: asha@example.com\r\n",
        "Message-ID: <mail_",
        "Auto-Submitted: auto-generated\r\n",
        "Date: ",
        "Content-Type: multipart/alternative;",
    ] {
        assert!(got[0].1.contains(header), "{header}: {}", got[0].1);
    }
    let shopper = Shopper::new(&program);
    until(&shopper, "haat_emails{state=\"failed\"} 1").await;
    until(&shopper, "haat_emails{state=\"queued\"} 0").await;
    assert!(post.try_recv().is_err(), "each arrives once");
    let log = program.log();
    assert!(log.contains("Please come back later") && log.contains("No such user here"), "{log}");
    let (_, list) = shopper.get("/dev/mail").await;
    assert!(list.contains("sent through the configured mail server"), "{list}");
    program.close();
}
