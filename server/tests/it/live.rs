//! The socket that keeps conversations live: who may open it, what it passes on, and when it ends. And pictures of messages.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use reqwest::{Client, header, redirect::Policy};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest},
};

use crate::program::{On, Program, Shopper, location};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

struct Users<'a> {
    program: &'a Program,
    client: Client,
}

impl<'a> Users<'a> {
    /// Two shoppers, and those of the demo.
    async fn of(program: &'a Program) -> Self {
        for (name, email) in [("Asha", "asha@example.com"), ("Ben", "ben@example.com")] {
            let form = [("name", name), ("email", email), ("password", "market-day-2026")];
            Shopper::new(program).post("/sign-up", &form).await;
        }
        let client = Client::builder().redirect(Policy::none()).build().unwrap();
        Self { program, client }
    }

    /// The session's cookie.
    async fn signed_in(&self, email: &str) -> String {
        let form = [("email", email), ("password", "market-day-2026")];
        let answer = self.client.post(self.program.at("/sign-in")).form(&form).send().await.unwrap();
        answer.headers()[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned()
    }

    /// Submits a form; returns where it leads.
    async fn post(&self, cookie: &str, path: &str, fields: &[(&str, &str)]) -> String {
        let request = self.client.post(self.program.at(path)).header(header::COOKIE, cookie);
        location(&request.form(fields).send().await.unwrap())
    }

    async fn socket(&self, cookie: &str, origin: &str) -> Result<Socket, u16> {
        let address = self.program.at("/live").replacen("http", "ws", 1);
        let mut request = address.into_client_request().unwrap();
        request.headers_mut().insert("cookie", cookie.parse().unwrap());
        request.headers_mut().insert("origin", origin.parse().unwrap());
        match connect_async(request).await {
            Ok((socket, _)) => Ok(socket),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }
}

async fn say(socket: &mut Socket, frame: Value) {
    socket.send(Message::text(frame.to_string())).await.unwrap();
}

/// The next frame, or the code with which the socket was closed.
async fn next(socket: &mut Socket) -> Result<Value, u16> {
    loop {
        let next = tokio::time::timeout(Duration::from_secs(60), socket.next()).await.expect("in time");
        match next {
            Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
            Some(Ok(Message::Close(close))) => return Err(close.map_or(0, |close| close.code.into())),
            Some(Ok(_)) => {}
            Some(Err(error)) => panic!("{error}"),
            None => return Err(0),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_says_that_there_is_a_notification_and_that_it_was_read() {
    let program = Program::serve(On::Sqlite).await;
    let users = Users::of(&program).await;
    let meena = users.signed_in("meena@haat.example").await;
    let origin = program.at("");
    let mut socket = users.socket(&meena, origin.trim_end_matches('/')).await.unwrap();
    let shopper = Shopper::new(&program);
    let variant = shopper.variant("meena-crafts", 0).await;
    shopper.buy_in_cash(&variant).await;
    assert_eq!(next(&mut socket).await.unwrap(), json!({"frame": "elsewhere"}));
    // In another window.
    users.post(&meena, "/notifications", &[]).await;
    assert_eq!(next(&mut socket).await.unwrap(), json!({"frame": "elsewhere"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_passes_on_what_its_user_may_read_while_the_session_lasts() {
    let program = Program::serve(On::Sqlite).await;
    let users = Users::of(&program).await;
    let origin = program.at("");
    let origin = origin.trim_end_matches('/');
    let asha = users.signed_in("asha@example.com").await;
    let meena = users.signed_in("meena@haat.example").await;
    let ben = users.signed_in("ben@example.com").await;
    let page = users.post(&asha, "/messages", &[("shop", "meena-crafts"), ("back", "/")]).await;
    let id = page.strip_prefix("/messages/").unwrap();
    let by_shop = format!("/seller/meena-crafts{page}");

    assert_eq!(users.socket("", origin).await.err(), Some(401));
    assert_eq!(users.socket(&asha, "https://evil.example").await.err(), Some(403));
    let mut of_asha = users.socket(&asha, origin).await.unwrap();
    let watch = |shop: &str| json!({"frame": "watch", "shop": shop, "conversation": id, "after": 0});
    say(&mut of_asha, watch("")).await;
    let first = next(&mut of_asha).await.unwrap();
    assert_eq!((&first["frame"], &first["changes"]["messages"]), (&json!("changed"), &json!([])));
    // Someone else asks for it, as the shopper and as the shop: no word of it.
    let mut of_ben = users.socket(&ben, origin).await.unwrap();
    for shop in ["", "meena-crafts"] {
        say(&mut of_ben, watch(shop)).await;
        say(&mut of_ben, json!({"frame": "typing"})).await;
        say(&mut of_ben, json!({"frame": "read", "seq": 1})).await;
    }
    say(&mut of_ben, json!({"frame": "ping"})).await;

    let mut of_meena = users.socket(&meena, origin).await.unwrap();
    say(&mut of_meena, watch("meena-crafts")).await;
    next(&mut of_meena).await.unwrap();
    say(&mut of_meena, json!({"frame": "typing"})).await;
    assert_eq!(next(&mut of_asha).await.unwrap(), json!({"frame": "typing", "conversation": id}));
    let message = "msg_00000000000000000000000001";
    let send = [("action", "send"), ("message", message), ("text", "Your bowl is ready")];
    assert_eq!(users.post(&meena, &by_shop, &send).await, by_shop);
    for socket in [&mut of_asha, &mut of_meena] {
        let frame = next(socket).await.unwrap();
        let messages = &frame["changes"]["messages"];
        assert_eq!(
            (&messages[0]["text"], &messages[0]["id"]),
            (&json!("Your bowl is ready"), &json!(message))
        );
    }
    say(&mut of_asha, json!({"frame": "read", "seq": 1})).await;
    assert_eq!(next(&mut of_meena).await.unwrap()["changes"]["read_seq"], 1);
    assert_eq!(next(&mut of_asha).await.unwrap()["changes"]["own_read_seq"], 1, "it is recorded");
    assert_eq!(next(&mut of_ben).await.unwrap(), json!({"frame": "pong"}), "and nothing else");

    say(&mut of_ben, json!({"frame": "shout"})).await;
    assert_eq!(next(&mut of_ben).await, Err(1008));

    // Signing out ends it before the next message.
    users.post(&asha, "/sign-out", &[]).await;
    let send = [("action", "send"), ("message", "msg_00000000000000000000000002"), ("text", "For Asha only")];
    users.post(&meena, &by_shop, &send).await;
    assert_eq!(next(&mut of_asha).await, Err(4401));

    // Deleting the account, as deactivating it, ends those of all its browsers at once.
    let [one, other] = [users.signed_in("asha@example.com").await, users.signed_in("asha@example.com").await];
    let mut open = users.socket(&other, origin).await.unwrap();
    let form = [("password", "market-day-2026"), ("confirm", "true")];
    assert_eq!(users.post(&one, "/account/data", &form).await, "/sign-in?done=deleted");
    // It may hear of the message before.
    let ended = loop {
        match next(&mut open).await {
            Ok(frame) => assert_eq!(frame, json!({"frame": "elsewhere"})),
            Err(code) => break code,
        }
    };
    assert_eq!(ended, 4401);
    program.close();
}

/// Opens the socket of a product's page, as a guest.
async fn stock_of(program: &Program, product: &str, origin: &str) -> Result<Socket, u16> {
    let address = program.at(&format!("/products/{product}/stock")).replacen("http", "ws", 1);
    let mut request = address.into_client_request().unwrap();
    request.headers_mut().insert("origin", origin.parse().unwrap());
    match connect_async(request).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(response)) => Err(response.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_product_page_is_told_what_others_hold() {
    let mut one = Program::prepare(On::Postgres).await;
    let mut other = one.another_node();
    one.start().await;
    other.start().await;
    let origin = one.at("");
    let products: Value =
        reqwest::get(one.at("/api/v1/products?shop=meena-crafts")).await.unwrap().json().await.unwrap();
    let (product, variant) = (&products["items"][0]["id"], &products["items"][0]["variant_id"]);
    let (product, variant) = (product.as_str().unwrap(), variant.as_str().unwrap());

    assert_eq!(stock_of(&one, product, "https://evil.example").await.err(), Some(403));
    for unknown in ["prod_00000000000000000000000000", "prod", variant] {
        assert_eq!(stock_of(&one, unknown, &origin).await.err(), Some(404), "{unknown}");
    }
    let mut page = stock_of(&one, product, &origin).await.unwrap();
    let left = |stock: Value| {
        stock.as_array().unwrap().iter().find(|v| v["id"] == variant).unwrap()["available"].as_i64()
    };
    let before = left(next(&mut page).await.unwrap()).unwrap();

    // Held at another node, which no bus connects with this one.
    let shopper = Shopper::new(&other);
    shopper.add(variant, "2").await;
    shopper.post("/checkout", &[]).await;
    assert_eq!(left(next(&mut page).await.unwrap()), Some(before - 2));
    shopper.add(variant, "1").await;
    shopper.post("/checkout", &[]).await;
    assert_eq!(left(next(&mut page).await.unwrap()), Some(before - 3));
    // It is not part of the market any more.
    one.sql(&format!(
        "UPDATE products SET state = 'archived' WHERE slug = '{}'",
        products["items"][0]["slug"].as_str().unwrap()
    ))
    .await;
    assert_eq!(next(&mut page).await.unwrap(), json!([]));
    other.close();
    one.close();
}

/// A single black pixel.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0:~\x9bU\0\0\0\nIDATx\x9cc`\0\0\0\x02\0\x01H\xaf\xa4q\0\0\0\0IEND\xaeB`\x82";

#[tokio::test(flavor = "multi_thread")]
async fn pictures_are_sent_with_a_message_and_served_to_its_two_sides() {
    let program = Program::serve(On::Sqlite).await;
    let users = Users::of(&program).await;
    let asha = users.signed_in("asha@example.com").await;
    let meena = users.signed_in("meena@haat.example").await;
    let ben = users.signed_in("ben@example.com").await;
    let page = users.post(&asha, "/messages", &[("shop", "meena-crafts"), ("back", "/")]).await;
    let message = "msg_00000000000000000000000001";
    let send = async |cookie: &str, fields: &[(&str, &str)], file: &[u8]| {
        let mut body = Vec::new();
        for (name, value) in fields {
            let part =
                format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend(part.into_bytes());
        }
        let head = "--edge\r\nContent-Disposition: form-data; name=\"pictures\"; filename=\"a.png\"\r\n\r\n";
        body.extend([head.as_bytes(), file, b"\r\n--edge--\r\n"].concat());
        let request = users.client.post(program.at(&format!("{page}/images"))).header(header::COOKIE, cookie);
        let request = request.header(header::CONTENT_TYPE, "multipart/form-data; boundary=edge");
        request.body(body).send().await.unwrap()
    };
    let get = async |cookie: &str, path: &str| {
        let response =
            users.client.get(program.at(path)).header(header::COOKIE, cookie).send().await.unwrap();
        (response.status().as_u16(), response.headers().clone(), response.text().await.unwrap_or_default())
    };

    // What is not a picture is refused, and nothing that was typed is lost.
    let fields = [("message", message), ("text", "Like this one?"), ("alt", "A bowl"), ("action", "send")];
    let refused = location(&send(&asha, &fields, b"no picture").await);
    assert!(refused.contains("draft="), "{refused}");
    assert!(get(&asha, &refused).await.2.contains("Like this one?"));
    assert_eq!(send(&ben, &fields, PNG).await.status(), 404);

    assert_eq!(location(&send(&asha, &fields, PNG).await), page);
    let (_, _, shown) = get(&asha, &page).await;
    let from = shown.find(&format!("src=\"{page}/images/")).expect("it is shown") + 5;
    let file = shown[from..].split('"').next().unwrap();
    assert!(shown.contains("alt=\"A bowl\""));
    let (status, headers, _) = get(&asha, file).await;
    assert_eq!((status, &headers[header::CONTENT_TYPE]), (200, &"image/jpeg".parse().unwrap()));
    assert_eq!(headers[header::CACHE_CONTROL], "private, max-age=3600");
    let by_shop = format!("/seller/meena-crafts{file}");
    let name = file.rsplit('/').next().unwrap();
    for (cookie, path, expected) in [
        (&meena, by_shop.as_str(), 200),
        (&meena, file, 404),
        (&ben, file, 404),
        (&ben, by_shop.as_str(), 404),
        (&String::new(), file, 401),
        (&asha, &format!("/media/{name}"), 404),
    ] {
        assert_eq!(get(cookie, path).await.0, expected, "{path}");
    }
    // Scripts upload one by one.
    let uploaded = send(&asha, &[], PNG).await;
    assert_eq!(uploaded.status(), 201);
    let uploaded: Value = serde_json::from_str(&uploaded.text().await.unwrap()).unwrap();
    assert_eq!(uploaded["width"], 1);

    users.post(&asha, &page, &[("action", "delete"), ("message", message)]).await;
    assert_eq!(get(&asha, file).await.0, 404);
    program.close();
}
