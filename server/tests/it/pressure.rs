//! The market keeps selling under pressure from outside: logs that cannot be written, full disks, silent
//! connections, abandoned uploads, large pictures.

use std::{
    io::{Read, Write},
    net::TcpStream,
    process::Stdio,
    time::Duration,
};

use reqwest::{StatusCode, header};

use crate::program::*;

const SHOP: &str = "meena-crafts";

/// A shopper buys one item in cash.
async fn buy(program: &Program) {
    let shopper = Shopper::new(program);
    shopper.add(&shopper.variant(SHOP, 0).await, "1").await;
    let checkout = shopper.post("/checkout", &[]).await;
    let bought = shopper.post(&checkout, &details("cash", "k")).await;
    assert!(bought.starts_with("/purchases/"), "{bought}");
}

async fn seller(program: &Program) -> Shopper {
    signed_in(program, "meena@haat.example").await
}

async fn signed_in(program: &Program, email: &str) -> Shopper {
    let seller = Shopper::new(program);
    let form = [("email", email), ("password", "market-day-2026"), ("next", "/account")];
    assert_eq!(seller.post("/sign-in", &form).await, "/account");
    seller
}

/// The number of log lines dropped, according to the program's metrics.
async fn lost(program: &Program) -> u64 {
    let (_, metrics) = Shopper::new(program).get("/metrics").await;
    let line = metrics.lines().find_map(|line| line.strip_prefix("haat_log_lines_lost_total "));
    line.unwrap_or_else(|| panic!("{metrics}")).parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_nobody_can_write_stops_no_sale() {
    for on in BOTH {
        let mut program = Program::prepare(on).await;
        program.fill(SHOP);
        // Every request writes log lines.
        program.set("HAAT__LOG__FILTER", "debug");

        program.start_unheard(false).await;
        buy(&program).await;
        assert!(lost(&program).await > 0, "{on:?}: into a closed pipe");
        program.kill();

        let full = || Stdio::from(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
        let mut command = program.command(&["serve"]);
        command.stdout(full()).stderr(full());
        program.start_by(command).await;
        buy(&program).await;
        assert!(lost(&program).await > 0, "{on:?}: to a full disk");
        program.kill();

        program.set("HAAT__LOG__FILTER", "trace");
        let unread = program.start_unheard(true).await;
        // Until the pipe and the queue behind it are full.
        let shopper = Shopper::new(&program);
        let mut dropped = 0;
        for _ in 0..1_000 {
            for _ in 0..20 {
                assert_eq!(shopper.get("/healthz").await.0, StatusCode::OK);
            }
            dropped = lost(&program).await;
            if dropped > 0 {
                break;
            }
        }
        assert!(dropped > 0, "{on:?}: into a pipe that nobody reads");
        buy(&program).await;
        drop(unread);
        program.close();
    }
}

/// The disk fills up and is freed again while the program runs.
#[tokio::test(flavor = "multi_thread")]
async fn selling_resumes_once_the_disk_has_space() {
    for on in BOTH {
        let mut program = Program::prepare(on).await;
        program.fill(SHOP);
        fill_the_disk(&mut program, on).await;
        program.start().await;
        let variant = Shopper::new(&program).variant(SHOP, 0).await;
        let line = [("variant", variant.as_str()), ("quantity", "1"), ("back", "/")];
        let mut refused = false;
        for _ in 0..500 {
            let added = Shopper::new(&program).try_post("/cart/lines", &line).await.unwrap();
            refused = added.status() == StatusCode::SERVICE_UNAVAILABLE;
            if refused {
                break;
            }
        }
        assert!(refused, "{on:?}: the disk never filled up");
        // The row that readiness writes is a change of an existing one, so it needs a trigger on SQLite, too.
        let broken = match on {
            On::Sqlite => {
                "CREATE TRIGGER full_disk BEFORE INSERT ON heartbeats BEGIN SELECT RAISE(ABORT, 'full'); END"
            }
            On::Postgres => {
                "CREATE TRIGGER full_disk BEFORE INSERT ON heartbeats FOR EACH ROW EXECUTE FUNCTION full_disk()"
            }
        };
        execute(&program, on, broken).await;
        until_ready(&program, StatusCode::SERVICE_UNAVAILABLE).await;
        match on {
            On::Sqlite => execute(&program, on, "DROP TRIGGER full_disk; DROP TABLE ballast").await,
            On::Postgres => {
                execute(
                    &program,
                    on,
                    "DROP TRIGGER full_disk ON heartbeats; DROP TRIGGER full_disk ON cart_lines",
                )
                .await;
            }
        }
        until_ready(&program, StatusCode::OK).await;
        buy(&program).await;
        program.close();
    }
}

async fn execute(program: &Program, on: On, sql: &str) {
    match on {
        On::Sqlite => ballast(program).execute_batch(sql).unwrap(),
        On::Postgres => program.sql(sql).await,
    }
}

/// Waits for this answer of `/readyz`, which is repeated for a second.
async fn until_ready(program: &Program, status: StatusCode) {
    let (shopper, begun) = (Shopper::new(program), std::time::Instant::now());
    while shopper.get("/readyz").await.0 != status {
        assert!(begun.elapsed().as_secs() < 60, "/readyz is never {status}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn ballast(program: &Program) -> rusqlite::Connection {
    let database = rusqlite::Connection::open(program.folder.join("haat.db")).unwrap();
    database.busy_timeout(Duration::from_secs(30)).unwrap();
    database
}

/// Leaves room for a few rows. In PostgreSQL, whose disk is not the test's, a trigger fails as it does when
/// its disk is full.
async fn fill_the_disk(program: &mut Program, on: On) {
    if on == On::Postgres {
        let full = "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$; \
             CREATE TRIGGER full_disk BEFORE INSERT ON cart_lines FOR EACH ROW EXECUTE FUNCTION full_disk()";
        return program.sql(full).await;
    }
    let database = ballast(program);
    // Dropping it frees space again.
    let ballast = "CREATE TABLE ballast AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) \
        SELECT i, zeroblob(4000) AS bytes FROM n";
    database.execute_batch(ballast).unwrap();
    let pages: i64 = database.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    program.set("HAAT_TEST_MAX_PAGES", &(pages + 4).to_string());
}

fn raw(program: &Program) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", program.port)).unwrap();
    // The duration doesn't matter, only that it ends.
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn request_headers_that_never_end_time_out() {
    for on in BOTH {
        let mut program = Program::prepare(on).await;
        program.set("HAAT__SERVER__HEADER_TIMEOUT_S", "1");
        program.start().await;
        let half = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ";
        let mut slow: Vec<_> = (0..20)
            .map(|i| {
                let mut stream = raw(&program);
                // Some have sent part of a request, some nothing at all.
                if i % 2 == 0 {
                    stream.write_all(&half[..2 * i]).unwrap();
                }
                stream
            })
            .collect();
        let after_one = tokio::task::spawn_blocking(move || {
            for stream in &mut slow {
                let mut rest = Vec::new();
                match stream.read_to_end(&mut rest) {
                    Ok(_) => {}
                    Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}"),
                }
            }
        });
        after_one.await.unwrap();
        assert_eq!(Shopper::new(&program).get("/healthz").await.0, StatusCode::OK);
        program.close();
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn silent_connections_make_room_for_those_who_buy() {
    for on in BOTH {
        let mut program = Program::prepare(on).await;
        // So that nothing but the following ends them.
        program.set("HAAT__SERVER__HEADER_TIMEOUT_S", "3600");
        program.set("HAAT__SERVER__IDLE_TIMEOUT_S", "3600");
        start_with_few_handles(&mut program).await;
        let silent: Vec<_> = (0..300).map(|_| raw(&program)).collect();
        buy(&program).await;
        let more: Vec<_> = (0..100).map(|_| raw(&program)).collect();
        assert_eq!(Shopper::new(&program).get("/readyz").await.0, StatusCode::OK);
        drop((silent, more));
        program.close();
    }
}

/// Starts it with file handles for 112 connections: 28 per address.
#[cfg(unix)]
async fn start_with_few_handles(program: &mut Program) {
    let serve = program.command(&["serve"]);
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "ulimit -n 256 && exec \"$0\" serve"]).arg(serve.get_program());
    command
        .envs(serve.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .current_dir(&program.folder);
    let log = std::fs::File::create(program.folder.join("log")).unwrap();
    command.stderr(log);
    program.start_by(command).await;
}

/// Requests whose body never comes, or comes byte by byte: from one address, and from eight.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn attack_bodies_that_never_end_make_room_for_those_who_buy() {
    use tokio::{io::AsyncWriteExt, net::TcpSocket, task::JoinSet};

    /// Begins a request from another address of this machine, and goes on a byte at a time.
    async fn drip(from: u8, port: u16) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, from], 0).into()).unwrap();
        let head = "POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: 1000\r\n\r\ne";
        let Ok(mut stream) = socket.connect(([127, 0, 0, 1], port).into()).await else { return };
        let mut sent = stream.write_all(head.as_bytes()).await;
        while sent.is_ok() {
            tokio::time::sleep(Duration::from_secs(if from.is_multiple_of(2) { 1 } else { 600 })).await;
            sent = stream.write_all(b"m").await;
        }
    }

    for on in BOTH {
        let mut program = Program::prepare(on).await;
        // So that nothing but the following ends them.
        for limit in ["TIMEOUT_S", "HEADER_TIMEOUT_S", "IDLE_TIMEOUT_S"] {
            program.set(&format!("HAAT__SERVER__{limit}"), "3600");
        }
        start_with_few_handles(&mut program).await;
        let mut attack = JoinSet::new();
        let port = program.port;
        (0..130).for_each(|_| drop(attack.spawn(drip(2, port))));
        buy(&program).await;
        for from in 2..10 {
            (0..60).for_each(|_| drop(attack.spawn(drip(from, port))));
        }
        buy(&program).await;
        assert_eq!(Shopper::new(&program).get("/readyz").await.0, StatusCode::OK);
        attack.shutdown().await;
        program.close();
    }
}

/// A form with a file, as sent by browsers.
fn form(name: &str, bytes: &[u8]) -> Vec<u8> {
    let head =
        format!("--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n");
    [head.as_bytes(), bytes, b"\r\n--edge--\r\n"].concat()
}

fn packed(bytes: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    bytes.for_each(|part| packer.write_all(&part).unwrap());
    packer.finish().unwrap()
}

/// The cookies of a session, for requests written by hand.
async fn cookies(program: &Program) -> String {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let credentials = [("email", "meena@haat.example"), ("password", "market-day-2026")];
    let answer = client.post(program.at("/sign-in")).form(&credentials).send().await.unwrap();
    let set = answer.headers().get_all(header::SET_COOKIE).iter();
    let pairs = set.map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap().to_owned());
    pairs.collect::<Vec<_>>().join("; ")
}

#[tokio::test(flavor = "multi_thread")]
async fn abandoned_uploads_block_nobody() {
    for on in BOTH {
        let mut program = Program::prepare(on).await;
        std::fs::create_dir_all(program.folder.join("target/site")).unwrap();
        std::fs::write(program.folder.join("target/site/probe.txt"), "here").unwrap();
        program.set("HAAT__LIMITS__CHANGES_PER_MINUTE", "100000");
        program.start().await;
        let cookies = cookies(&program).await;
        let lines: String = (0..2_000).map(|i| format!("B-{i},Bowl number {i},100,5,published\n")).collect();
        let body = form("bowls.csv", format!("sku,title,price,stock,state\n{lines}").as_bytes());
        assert!(body.len() > 70_000);
        let head = format!(
            "POST /seller/{SHOP}/products/import HTTP/1.1\r\nHost: localhost:{}\r\nCookie: {cookies}\r\n\
             Content-Type: multipart/form-data; boundary=edge\r\nContent-Length: {}\r\n\r\n",
            program.port,
            body.len()
        );
        // Reading files is the same on both databases.
        for i in 0..if on == On::Sqlite { 600 } else { 120 } {
            let mut stream = raw(&program);
            let sent = stream.write_all(head.as_bytes()).and_then(|()| match i % 3 {
                // All of it, half of it, or nothing; then disconnect.
                0 => stream.write_all(&body),
                1 => stream.write_all(&body[..body.len() / 2]),
                _ => Ok(()),
            });
            // The server may have told the client to retry later.
            drop(sent);
        }
        let shopper = Shopper::new(&program);
        assert_eq!(shopper.get("/probe.txt").await, (StatusCode::OK, "here".to_owned()));
        let seller = seller(&program).await;
        buy(&program).await;
        // The shop isn't locked out either, once they are gone.
        let page = format!("/seller/{SHOP}/products/import");
        let mut open = String::new();
        for _ in 0..600 {
            let request =
                seller.client.post(program.at(&page)).body(form("one.csv", b"sku,title,price\nONE,One,1\n"));
            let request = request.header(header::CONTENT_TYPE, "multipart/form-data; boundary=edge");
            open = location(&request.send().await.unwrap());
            if !open.ends_with("error=rate_limited") {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(open.contains("?id=imp_"), "{open}");
        program.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn decompression_bombs_take_little_memory() {
    for on in BOTH {
        let program = Program::serve(on).await;
        let seller = seller(&program).await;
        let send = async |name: &str, bytes: &[u8]| {
            let page = format!("/seller/{SHOP}/products/import");
            let request = seller.client.post(program.at(&page)).body(form(name, bytes));
            let request = request.header(header::CONTENT_TYPE, "multipart/form-data; boundary=edge");
            location(&request.send().await.unwrap())
        };
        let before = program.memory_mb("VmHWM");
        let begins = b"sku,title,price\nA,Cup,100\nB,\"".to_vec();
        // An endless field that barely compresses, so that only its length gives it away.
        let mut state = 1u64;
        let mut noise = move || {
            let mut part = vec![0; 1 << 20];
            for byte in &mut part {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                *byte = b'a' + (state >> 60) as u8;
            }
            part
        };
        let endless = packed(std::iter::once(begins).chain((0..10).map(|_| noise())));
        let open = send("endless.csv.gz", &endless).await;
        assert!(open.contains("?id=imp_"), "{open}");
        let (_, shown) = seller.get(&open).await;
        assert!(shown.contains("missing closing quotation mark"), "{shown}");
        // 100 MB of empty rows in 100 kB.
        let head = std::iter::once(b"sku,title,price\n".to_vec());
        let bomb = packed(head.chain((0..100).map(|_| b",,\n".repeat(350_000))));
        assert!(bomb.len() < 1 << 20);
        assert!(send("bomb.csv.gz", &bomb).await.ends_with("error=too_large"));
        let most = program.memory_mb("VmHWM");
        assert!(most < before + 64, "{before} MB before, {most} MB at most");
        program.close();
    }
}

/// A PNG with 16 bits per channel in a single colour: a few kilobytes that decode to a very large image.
fn deep_png(side: u32, shade: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, side, side);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Sixteen);
    encoder.set_compression(png::Compression::Fastest);
    let mut writer = encoder.write_header().unwrap();
    let mut stream = writer.stream_writer().unwrap();
    let row = vec![shade; side as usize * 8];
    (0..side).for_each(|_| stream.write_all(&row).unwrap());
    stream.finish().unwrap();
    writer.finish().unwrap();
    bytes
}

async fn send_picture(program: &Program, seller: &Shopper, shop: &str, picture: &[u8]) -> reqwest::Response {
    let head = "--edge\r\nContent-Disposition: form-data; name=\"picture\"; filename=\"a.png\"\r\n\r\n";
    let body = [head.as_bytes(), picture, b"\r\n--edge--\r\n"].concat();
    let request = seller.client.post(program.at(&format!("/seller/{shop}/media"))).body(body);
    let request = request.timeout(Duration::from_secs(300));
    let request = request.header(header::CONTENT_TYPE, "multipart/form-data; boundary=edge");
    request.send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn large_pictures_at_once_give_their_memory_back() {
    for on in BOTH {
        let mut program = Program::prepare(on).await;
        program.set("HAAT__MEDIA__WAIT_S", "280");
        program.start().await;
        let seller = seller(&program).await;
        // Two at once are one too many, too.
        let count = if on == On::Sqlite { 4 } else { 2 };
        let pictures: Vec<_> = (1..=count).map(|shade| deep_png(6_300, shade)).collect();
        let before = program.memory_mb("VmHWM");
        let sent = pictures.iter().map(|picture| send_picture(&program, &seller, SHOP, picture));
        let sent = futures::future::join_all(sent).await;
        assert!(sent.iter().all(|response| response.status() == StatusCode::CREATED), "{sent:?}");
        let most = program.memory_mb("VmHWM");
        // 6,300² pixels of four bytes are 159 MB. Those of the previous image are given back after a second.
        assert!(most < before + 450, "{before} MB before, {most} MB at most");
        let mut kept = most;
        for _ in 0..100 {
            kept = program.memory_mb("VmRSS");
            if kept < before + 120 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(kept < before + 120, "{before} MB before, {kept} MB long after");
        program.close();
    }
}

/// Large images of two shops at once: some wait too long, are rejected with the time to retry, and then
/// succeed.
#[tokio::test(flavor = "multi_thread")]
async fn uploads_rejected_for_waiting_succeed_later() {
    for on in BOTH {
        let mut program = Program::prepare(on).await;
        program.set("HAAT__MEDIA__WAIT_S", "0");
        program.start().await;
        let shops = [("meena@haat.example", SHOP), ("delta@haat.example", "delta-electronics")];
        let count = if on == On::Sqlite { 4 } else { 2 };
        let pictures: Vec<_> = (1..=count).map(|shade| deep_png(6_300, shade)).collect();
        let (market, mut uploads) = (&program, Vec::new());
        for (email, shop) in shops {
            let seller = signed_in(market, email).await;
            uploads.extend(pictures.iter().map(|picture| {
                let seller = seller.clone();
                async move { (send_picture(market, &seller, shop, picture).await, seller, shop, picture) }
            }));
        }
        let (mut kept, mut refused) = (0, Vec::new());
        for (response, seller, shop, picture) in futures::future::join_all(uploads).await {
            if response.status() == StatusCode::CREATED {
                kept += 1;
                continue;
            }
            assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
            assert_eq!(response.headers()[header::RETRY_AFTER], "10");
            assert_eq!(response.text().await.unwrap(), r#"{"pictures_busy":{"retry_after_s":10}}"#);
            refused.push((seller, shop, picture));
        }
        assert!(kept > 0 && !refused.is_empty(), "{kept} of {} were kept", 2 * count);
        for (seller, shop, picture) in refused {
            assert_eq!(
                send_picture(market, &seller, shop, picture).await.status(),
                StatusCode::CREATED,
                "{shop}"
            );
        }
        program.close();
    }
}
