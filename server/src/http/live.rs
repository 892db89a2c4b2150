//! The socket that keeps open pages live: one per tab, for the conversation that it shows, if any, and for the user's
//! notifications.
//!
//! Nothing is only on the socket: messages are sent by server functions, and are in the database before anyone is told. The
//! socket says what changed after the number that the browser has, so that whatever happens to a connection, a node or the bus,
//! the browser asks again and misses nothing.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Extension,
    extract::{
        State as Extract,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use haat_app::cookies;
use haat_engine::{Caller, Engine, accounts, bus::Topic, chat};
use haat_shared::{
    Error,
    chat::{ClientFrame, SIGNED_OUT, ServerFrame, Side},
    id::kinds::{ConversationId, ShopId, UserId},
    page::LIMIT_MAX,
    permissions::Permission,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{State, connections::Line, layers};

/// How often a socket checks that its session still exists, and looks for what the bus may have lost.
const CHECK: Duration = Duration::from_secs(20);
/// How long a browser may be silent: it answers the ping of each check.
const SILENT: Duration = Duration::from_secs(50);
/// How long a browser may take to read what was sent.
const STALLED: Duration = Duration::from_secs(10);
/// Of how many conversations a node remembers the sides.
const SIDES_MAX: usize = 20_000;
/// How many news wait for a socket. If there are more, it looks for everything.
const NEWS: usize = 32;
/// The maximum size of a frame of a browser.
const FRAME_BYTES: usize = 4 * 1024;
/// The size of a socket's buffers, in bytes.
const BUFFER_BYTES: usize = 2 * 1024;
/// How many frames a browser may send between two checks.
const FRAMES: u32 = 200;
/// At most one typing frame is passed on in this time.
const TYPING: Duration = Duration::from_secs(2);

/// Why a socket is closed, besides the end of the session: codes of RFC 6455.
const GOING_AWAY: u16 = 1001;
const POLICY: u16 = 1008;
const RESTART: u16 = 1012;

/// What a socket is told.
#[derive(Debug, Clone, Copy)]
enum News {
    /// A conversation changed.
    Changed(ConversationId),
    /// Someone is typing on this side of a conversation.
    Typing(ConversationId, Side),
    /// A user has a new notification.
    Inbox(UserId),
    /// The bus had more to say than this node could take.
    Missed,
}

/// Whose news a socket gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Party {
    User(UserId),
    Shop(ShopId),
}

/// The sockets of this node.
#[derive(Default)]
pub(super) struct Hub {
    sockets: Mutex<HashMap<Party, HashMap<u64, mpsc::Sender<News>>>>,
    /// The two sides of conversations that something was said of.
    sides: Mutex<HashMap<ConversationId, [Party; 2]>>,
    last: AtomicU64,
    begun: OnceLock<()>,
}

impl Hub {
    fn sockets(&self) -> MutexGuard<'_, HashMap<Party, HashMap<u64, mpsc::Sender<News>>>> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Passes on what the bus says, from the first socket until the program stops.
    fn begin(self: &Arc<Self>, state: &State, stop: CancellationToken) {
        self.begun.get_or_init(|| {
            let (hub, engine) = (self.clone(), state.runtime.engine.clone());
            state.runtime.background.spawn(async move {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = hub.listen(&engine) => {}
                }
            });
        });
    }

    /// Passes on what the bus says.
    async fn listen(&self, engine: &Engine) {
        let [mut changes, mut typing, mut inbox] =
            [Topic::Chat, Topic::Typing, Topic::Inbox].map(|topic| engine.bus.subscribe(topic));
        loop {
            let news = tokio::select! {
                text = changes.next() => match text {
                    Some(text) => text.parse().ok().map(News::Changed),
                    None => Some(News::Missed),
                },
                text = inbox.next() => match text {
                    Some(text) => text.parse().ok().map(News::Inbox),
                    None => Some(News::Missed),
                },
                text = typing.next() => text.and_then(|text| {
                    let (id, side) = text.split_once(' ')?;
                    Some(News::Typing(id.parse().ok()?, Side::parse(side)?))
                }),
            };
            if let Some(news) = news {
                self.tell(engine, news).await;
            }
        }
    }

    async fn tell(&self, engine: &Engine, news: News) {
        if self.sockets().is_empty() {
            return;
        }
        // A socket that has too much to do looks again at its next check.
        let pass_on = |socket: &mpsc::Sender<News>| {
            let _ = socket.try_send(news);
        };
        let sides = match news {
            News::Missed => return self.sockets().values().flat_map(HashMap::values).for_each(pass_on),
            News::Inbox(user) => vec![Party::User(user)],
            News::Changed(id) | News::Typing(id, _) => match self.sides_of(engine, id).await {
                Some(sides) => sides.to_vec(),
                None => return,
            },
        };
        let sockets = self.sockets();
        sides.iter().filter_map(|side| sockets.get(side)).flat_map(HashMap::values).for_each(pass_on);
    }

    /// The two sides of a conversation, which never change.
    async fn sides_of(&self, engine: &Engine, id: ConversationId) -> Option<[Party; 2]> {
        let known = || self.sides.lock().unwrap_or_else(PoisonError::into_inner);
        let sides = known().get(&id).copied();
        if sides.is_some() {
            return sides;
        }
        let parties = chat::parties(engine, id).await.ok()?;
        let sides = [Party::User(parties.user_id), Party::Shop(parties.shop_id)];
        let mut known = known();
        if known.len() >= SIDES_MAX {
            known.clear();
        }
        known.insert(id, sides);
        Some(sides)
    }
}

/// A socket's places in the hub.
struct Seats {
    hub: Arc<Hub>,
    number: u64,
    parties: Vec<Party>,
}

impl Seats {
    fn take(hub: Arc<Hub>, parties: Vec<Party>, news: &mpsc::Sender<News>) -> Self {
        let number = hub.last.fetch_add(1, Ordering::Relaxed);
        let mut sockets = hub.sockets();
        for party in &parties {
            sockets.entry(*party).or_default().insert(number, news.clone());
        }
        drop(sockets);
        Self { hub, number, parties }
    }
}

impl Drop for Seats {
    fn drop(&mut self) {
        let mut sockets = self.hub.sockets();
        for party in &self.parties {
            if let Some(of) = sockets.get_mut(party) {
                of.remove(&self.number);
                if of.is_empty() {
                    sockets.remove(party);
                }
            }
        }
    }
}

/// The parties whose conversations a caller may read.
fn parties(caller: &Caller) -> Vec<Party> {
    let Some(user) = caller.user() else { return Vec::new() };
    let shops = user.shops.iter().filter(|shop| shop.role.may(Permission::AnswerCustomers));
    [Party::User(user.id)].into_iter().chain(shops.map(|shop| Party::Shop(shop.shop_id))).collect()
}

/// Whether a page of this market opens the socket. Browsers let pages of other sites open sockets, with the user's cookies.
pub(super) fn is_own(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let origin = text(header::ORIGIN).and_then(|origin| origin.split_once("://"));
    origin.zip(text(header::HOST)).is_some_and(|((_, origin), host)| origin.eq_ignore_ascii_case(host))
}

/// A socket that takes frames up to this size, and no more memory than it needs while nothing is said: by default, each has
/// buffers of 128 KiB.
pub(super) fn bounded(upgrade: WebSocketUpgrade, frame_bytes: usize) -> WebSocketUpgrade {
    let upgrade = upgrade.max_message_size(frame_bytes).max_frame_size(frame_bytes);
    upgrade.read_buffer_size(BUFFER_BYTES).write_buffer_size(BUFFER_BYTES)
}

/// Opens a socket for a signed-in user.
pub(super) async fn open(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    line: Option<Extension<Line>>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    if let Err(error) = caller.signed_in() {
        return layers::plain(&error);
    }
    if !is_own(&headers) && upgrade.is_ok() {
        return StatusCode::FORBIDDEN.into_response();
    }
    let session = cookies::get(&headers, state.runtime.config.secure(), "session").map(str::to_owned);
    match (upgrade, session, line) {
        (Ok(upgrade), Some(session), Some(Extension(line))) => {
            state.hub.begin(&state, line.stop.clone());
            bounded(upgrade, FRAME_BYTES)
                .on_upgrade(move |socket| serve(state, caller, session, line, socket))
        }
        (Err(rejection), ..) => rejection.into_response(),
        _ => StatusCode::BAD_REQUEST.into_response(),
    }
}

/// The conversation that a browser shows, and what it has of it.
struct Watched {
    shop: String,
    id: ConversationId,
    after: i64,
    /// Up to which message each side has read: the other one, and its own.
    read: (i64, i64),
    /// Whether the shop, or the operator, has blocked the side that watches.
    blocked: (bool, bool),
    typed: Option<Instant>,
}

/// Why a socket ends, if the browser should be told.
type End = Option<(u16, &'static str)>;

/// An open socket.
struct Live {
    engine: Engine,
    caller: Caller,
    session: String,
    socket: WebSocket,
    watched: Option<Watched>,
    heard: Instant,
    frames: u32,
}

async fn serve(state: State, caller: Caller, session: String, line: Line, socket: WebSocket) {
    let (tell, mut news) = mpsc::channel(NEWS);
    let _seats = Seats::take(state.hub.clone(), parties(&caller), &tell);
    let engine = state.runtime.engine.clone();
    let heard = Instant::now();
    let mut live = Live { engine, caller, session, socket, watched: None, heard, frames: 0 };
    let mut check = tokio::time::interval(CHECK);
    check.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    check.reset();
    let end = loop {
        let done = tokio::select! {
            message = live.socket.recv() => match message {
                Some(Ok(message)) => live.hear(message).await,
                _ => Err(None),
            },
            Some(of) = news.recv() => live.pass_on(of).await,
            _ = check.tick() => live.check().await,
            () = line.stop.cancelled() => Err(Some((GOING_AWAY, "the server stops"))),
            () = line.cut() => Err(None),
        };
        if let Err(end) = done {
            break end;
        }
    };
    if let Some((code, why)) = end {
        let close = Message::Close(Some(CloseFrame { code, reason: why.into() }));
        let _ = tokio::time::timeout(STALLED, live.socket.send(close)).await;
    }
}

impl Live {
    async fn send(&mut self, message: Message) -> Result<(), End> {
        match tokio::time::timeout(STALLED, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(None),
        }
    }

    async fn say(&mut self, frame: &ServerFrame) -> Result<(), End> {
        let text = serde_json::to_string(frame).map_err(|_| None)?;
        self.send(Message::Text(text.into())).await
    }

    /// What a browser says.
    async fn hear(&mut self, message: Message) -> Result<(), End> {
        self.heard = Instant::now();
        self.frames += 1;
        if self.frames > FRAMES {
            return Err(Some((POLICY, "too many frames")));
        }
        let text = match message {
            Message::Text(text) => text,
            Message::Ping(_) | Message::Pong(_) => return Ok(()),
            Message::Close(_) => return Err(None),
            Message::Binary(_) => return Err(Some((POLICY, "not a frame"))),
        };
        match serde_json::from_str(&text) {
            Err(_) => Err(Some((POLICY, "not a frame"))),
            Ok(ClientFrame::Ping) => self.say(&ServerFrame::Pong).await,
            Ok(ClientFrame::Watch { shop, conversation: id, after }) => {
                self.watched =
                    Some(Watched { shop, id, after, read: (-1, -1), blocked: (false, false), typed: None });
                self.look().await
            }
            Ok(ClientFrame::Read { seq }) => {
                if let Some(of) = &self.watched {
                    // The browser says it until the changes contain it.
                    let _ = chat::read(&self.engine, &self.caller, &of.shop, of.id, seq).await;
                }
                Ok(())
            }
            Ok(ClientFrame::Typing) => {
                if let Some(of) = &mut self.watched
                    && of.typed.is_none_or(|at| at.elapsed() >= TYPING)
                {
                    of.typed = Some(Instant::now());
                    let _ = chat::typing(&self.engine, &self.caller, &of.shop, of.id).await;
                }
                Ok(())
            }
        }
    }

    /// What the hub says.
    async fn pass_on(&mut self, news: News) -> Result<(), End> {
        let shown = self.watched.as_ref().map(|of| (of.id, of.shop.is_empty()));
        match news {
            News::Missed => self.look().await,
            News::Changed(id) if shown.is_some_and(|(shown, _)| shown == id) => self.look().await,
            News::Changed(_) => self.say(&ServerFrame::Elsewhere).await,
            // Also what is said when a user is signed out by someone else.
            News::Inbox(_) => {
                self.check_session().await?;
                self.say(&ServerFrame::Elsewhere).await
            }
            News::Typing(id, side) if shown == Some((id, side == Side::Shop)) => {
                self.say(&ServerFrame::Typing { conversation: id }).await
            }
            News::Typing(..) => Ok(()),
        }
    }

    /// Says what changed in the conversation that the browser shows.
    async fn look(&mut self) -> Result<(), End> {
        self.check_session().await?;
        loop {
            let Some(of) = &mut self.watched else { return Ok(()) };
            let changes = match chat::changes(&self.engine, &self.caller, &of.shop, of.id, of.after).await {
                Ok(changes) => changes,
                // Looked for again at the next check.
                Err(Error::Busy { .. } | Error::Internal) => return Ok(()),
                Err(_) => {
                    self.watched = None;
                    return Ok(());
                }
            };
            let more = changes.messages.len() == LIMIT_MAX;
            let read = (changes.read_seq, changes.own_read_seq);
            let blocked = (changes.blocked, changes.barred);
            if changes.messages.is_empty() && (read, blocked) == (of.read, of.blocked) {
                return Ok(());
            }
            (of.after, of.read, of.blocked) = (changes.change_seq, read, blocked);
            let conversation = of.id;
            self.say(&ServerFrame::Changed { conversation, changes }).await?;
            if !more {
                return Ok(());
            }
        }
    }

    /// Checks that the browser is still there, and looks for what the bus may have lost.
    async fn check(&mut self) -> Result<(), End> {
        self.frames = 0;
        if self.heard.elapsed() > SILENT {
            return Err(None);
        }
        self.send(Message::Ping(Default::default())).await?;
        self.look().await
    }

    /// Ends the socket if its session has ended, or if the user may read less or more than before.
    async fn check_session(&mut self) -> Result<(), End> {
        match accounts::caller(&self.engine, Some(&self.session), None).await {
            Ok(caller) if caller.user_id() != self.caller.user_id() => {
                Err(Some((SIGNED_OUT, "the session has ended")))
            }
            // The browser opens another one.
            Ok(caller) if parties(&caller) != parties(&self.caller) => {
                Err(Some((RESTART, "permissions have changed")))
            }
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_this_market_open_sockets() {
        for (origin, own) in [
            (Some("https://haat.example"), true),
            (Some("http://HAAT.example"), true),
            (Some("https://haat.example:8443"), false),
            (Some("https://evil.example"), false),
            (Some("https://haat.example.evil.example"), false),
            (Some("null"), false),
            (None, false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, "haat.example".parse().unwrap());
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            assert_eq!(is_own(&headers), own, "{origin:?}");
        }
    }
}
