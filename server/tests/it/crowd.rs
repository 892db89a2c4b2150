//! Many people who talk at once: shoppers with an open socket each, and a shop that writes to them.

#![allow(dead_code, reason = "not all for the benchmark, and not all for the tests")]

use std::fmt::Write;

use futures::{SinkExt, StreamExt};
use haat_engine::random;
use haat_shared::{
    id::kinds::{ConversationId, MessageId},
    routes,
};
use reqwest::{Client, header, redirect::Policy};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};

use crate::program::Program;

/// The shop that all talk with.
pub const SHOP: &str = "meena-crafts";
const NOW_MS: i64 = 1_790_000_000_000;

pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A shopper with a session and a conversation with the shop.
#[derive(Clone)]
pub struct Talker {
    /// The session's cookie.
    pub cookie: String,
    pub conversation: ConversationId,
}

/// Writes shoppers with sessions and conversations into the database of a market that is not yet running.
pub async fn gather(program: &Program, count: usize) -> Vec<Talker> {
    let (id, hash) = if program.url.starts_with("sqlite:") { ("x'", "x'") } else { ("'", "'\\x") };
    let new = || random::id::<()>(NOW_MS).uuid().as_u128();
    let (mut talkers, mut sql) = (Vec::new(), String::from("BEGIN;"));
    for number in 0..count {
        let (token, user, session, conversation) = (random::token(), new(), new(), new());
        let hashed =
            random::token_hash(&token).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        let email = format!("talker{number}@example.com");
        write!(
            sql,
            "INSERT INTO users (id, name, email, email_folded, search_folded, password_hash, created_at)
                VALUES ({id}{user:032x}', 'Talker {number}', '{email}', '{email}', '{email}', '', {NOW_MS});
            INSERT INTO sessions (id, token_hash, user_id, created_at, expires_at)
                VALUES ({id}{session:032x}', {hash}{hashed}', {id}{user:032x}', {NOW_MS}, 9999999999999);
            INSERT INTO conversations (id, shop_id, user_id, last_seq, change_seq, shopper_read_seq, shop_read_seq,
                    shopper_unread, shop_unread, blocked, last_at, created_at)
                SELECT {id}{conversation:032x}', id, {id}{user:032x}', 0, 0, 0, 0, 0, 0, FALSE, {NOW_MS}, {NOW_MS}
                FROM shops WHERE handle = '{SHOP}';"
        )
        .unwrap();
        talkers.push(Talker {
            cookie: format!("haat_session={token}"),
            conversation: ConversationId::from_bits(conversation),
        });
    }
    sql.push_str("COMMIT;");
    program.sql(&sql).await;
    talkers
}

/// The cookie of the shop's owner.
pub async fn owner(program: &Program) -> String {
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let form = [("email", "meena@haat.example"), ("password", "market-day-2026")];
    let answer = client.post(program.at("/sign-in")).form(&form).send().await.unwrap();
    answer.headers()[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned()
}

/// Sends a message as the shop, or as the shopper if `shop` is empty. Whether it was acknowledged.
pub async fn send(
    client: &Client,
    node: &str,
    cookie: &str,
    shop: &str,
    to: ConversationId,
    id: MessageId,
    text: &str,
) -> bool {
    let body = json!({"shop": shop, "id": to, "message": {"id": id, "text": text}});
    let request = client.post(format!("{node}{}", routes::FN_SEND_MESSAGE)).header(header::COOKIE, cookie);
    request.json(&body).send().await.is_ok_and(|answer| answer.status().is_success())
}

/// Opens a socket that shows a conversation from a change on, as the shop or the shopper. Nothing if the node does not answer.
pub async fn watch(node: &str, cookie: &str, shop: &str, id: ConversationId, after: i64) -> Option<Socket> {
    let mut request = format!("{}/live", node.replacen("http", "ws", 1)).into_client_request().unwrap();
    request.headers_mut().insert("cookie", cookie.parse().unwrap());
    request.headers_mut().insert("origin", node.parse().unwrap());
    let (mut socket, _) = connect_async(request).await.ok()?;
    let frame = json!({"frame": "watch", "shop": shop, "conversation": id, "after": after});
    socket.send(Message::text(frame.to_string())).await.ok()?;
    Some(socket)
}

/// The next changes of the conversation that a socket shows. Nothing if it has ended.
pub async fn changes(socket: &mut Socket) -> Option<Value> {
    loop {
        let Message::Text(text) = socket.next().await?.ok()? else { continue };
        let mut frame: Value = serde_json::from_str(&text).unwrap();
        if frame["frame"] == "changed" {
            return Some(frame["changes"].take());
        }
    }
}
