//! What keeps an open conversation live in the browser: messages that wait to be sent, and changes that arrive.
//!
//! A message first waits in a queue that the browser keeps (its local storage), under an ID that the browser made. It leaves
//! the queue once the server has it, so that it is sent once, however often the wire is cut. Messages are sent one after the
//! other, in their order.
//!
//! A socket says what changed. When it breaks, it is opened again, after longer and longer pauses, and asks for what changed
//! since. Without it, the browser looks for changes every few seconds.

use std::time::Duration;

use haat_shared::{
    Conflict, Error,
    chat::{
        Changes, ClientFrame, ConversationCard, InboxRequest, MessageView, NewMessage, SIGNED_OUT,
        ServerFrame, Side, Thread, message_content, unread,
    },
    id::{
        Id,
        kinds::{ConversationId, MessageId, UserId},
    },
    media::NewPicture,
    page::Page,
    routes,
};
use leptos::{
    ev,
    prelude::*,
    task::spawn_local,
    wasm_bindgen::JsCast,
    web_sys::{self, js_sys},
};

use crate::{
    api::{self, ApiError},
    socket::{self, Socket},
    state::Visitor,
};

/// How often to look for changes without a socket.
const LOOK: Duration = Duration::from_secs(4);
/// How often to ask whether the socket is alive.
const BEAT: Duration = Duration::from_secs(15);
/// The pause before the socket is opened again, doubled with each attempt up to the second one.
const PAUSE_MS: (u64, u64) = (500, 30_000);
/// How long the other side is shown as typing, and how often typing is said.
const TYPING: Duration = Duration::from_secs(4);
const TYPES: Duration = Duration::from_secs(2);

/// The state of an open conversation.
#[derive(Clone, Copy)]
pub(super) struct Live {
    shop: StoredValue<String>,
    label: StoredValue<String>,
    id: ConversationId,
    pub(super) side: Side,
    writer: UserId,
    pub(super) messages: RwSignal<Vec<MessageView>>,
    pub(super) read_seq: RwSignal<i64>,
    change_seq: RwSignal<i64>,
    /// Up to which message the server knows that the user has read.
    own_read_seq: RwSignal<i64>,
    /// The last message that is shown, if later ones are on another page.
    ends: Option<i64>,
    /// Whether the shop has blocked the shopper, and whether the operator lets this side send nothing.
    pub(super) blocked: RwSignal<bool>,
    pub(super) barred: RwSignal<bool>,
    pub(super) queue: RwSignal<Vec<NewMessage>>,
    /// Those of them that the browser's storage did not take.
    unkept: RwSignal<Vec<NewMessage>>,
    pub(super) offline: RwSignal<bool>,
    sending: RwSignal<bool>,
    pub(super) typing: RwSignal<bool>,
    pub(super) fault: RwSignal<Option<Error>>,
    cards: RwSignal<Page<ConversationCard>>,
    visitor: Visitor,
    socket: socket::Kept,
    connected: RwSignal<bool>,
    /// Whether the socket said something since it was last asked.
    alive: RwSignal<bool>,
    /// How many attempts to open it have failed.
    failed: RwSignal<u32>,
    /// Whether it was just said that the user is typing.
    said: RwSignal<bool>,
    /// How often the other side was seen typing.
    typed: RwSignal<u32>,
}

impl Live {
    pub(super) fn new(
        asked: &InboxRequest,
        thread: &Thread,
        cards: RwSignal<Page<ConversationCard>>,
    ) -> Self {
        let last = thread.messages.last().map_or(0, |message| message.seq);
        Self {
            ends: asked.before.is_some().then_some(last),
            shop: StoredValue::new(asked.shop.clone()),
            label: StoredValue::new(asked.label.clone()),
            id: thread.conversation.id,
            side: thread.side,
            writer: thread.writer,
            messages: RwSignal::new(Vec::new()),
            read_seq: RwSignal::new(thread.read_seq),
            change_seq: RwSignal::new(thread.change_seq),
            own_read_seq: RwSignal::new(thread.own_read_seq),
            blocked: RwSignal::new(thread.conversation.blocked),
            barred: RwSignal::new(thread.conversation.barred),
            queue: RwSignal::new(Vec::new()),
            unkept: RwSignal::new(Vec::new()),
            offline: RwSignal::new(false),
            sending: RwSignal::new(false),
            typing: RwSignal::new(false),
            fault: RwSignal::new(None),
            cards,
            visitor: expect_context(),
            socket: socket::keep(),
            connected: RwSignal::new(false),
            alive: RwSignal::new(false),
            failed: RwSignal::new(0),
            said: RwSignal::new(false),
            typed: RwSignal::new(0),
        }
    }

    /// Sends what was written before, and follows the conversation. Only in browsers, once the page is hydrated.
    pub(super) fn begin(self) {
        Effect::new(move || {
            self.queue.set(self.kept());
            self.flush();
            self.connect();
            // What was unread is read now.
            self.count_again();
            let again = move || {
                match self.connected.get_untracked() {
                    true => self.read(),
                    false => self.look(),
                }
                self.flush();
            };
            let timers =
                [set_interval_with_handle(again, LOOK), set_interval_with_handle(move || self.beat(), BEAT)];
            let focus = window_event_listener(ev::focus, move |_| again());
            let online = window_event_listener(ev::online, move |_| {
                self.failed.set(0);
                self.connect();
                again();
            });
            // The browser may take minutes to notice it at an open socket.
            let offline = window_event_listener(ev::offline, move |_| {
                self.offline.set(true);
                self.disconnected();
            });
            on_cleanup(move || {
                let _ = self.socket.try_set_value(None);
                online.remove();
                offline.remove();
                focus.remove();
                timers.into_iter().flatten().for_each(|timer| timer.clear());
            });
        });
    }

    /// Opens the socket, unless it is open.
    fn connect(self) {
        if self.socket.with_value(Option::is_some) {
            return;
        }
        let opened = move || {
            self.connected.set(true);
            self.alive.set(true);
            self.failed.set(0);
            self.say(&ClientFrame::Watch {
                shop: self.shop.get_value(),
                conversation: self.id,
                after: self.change_seq.get_untracked(),
            });
            self.flush();
        };
        let heard = move |text: String| {
            self.alive.set(true);
            match serde_json::from_slice(text.as_bytes()) {
                Ok(ServerFrame::Changed { conversation, changes }) if conversation == self.id => {
                    self.apply(changes)
                }
                Ok(ServerFrame::Elsewhere) => {
                    self.look_at_list();
                    self.count_again();
                }
                Ok(ServerFrame::Typing { conversation }) if conversation == self.id => self.other_types(),
                _ => {}
            }
        };
        let closed = move |code| match code {
            SIGNED_OUT => {
                self.connected.set(false);
                self.fault.set(Some(Error::SignInNeeded));
            }
            // Not within the listener that it drops.
            _ => set_timeout(move || self.disconnected(), Duration::ZERO),
        };
        self.socket.set_value(Socket::open(routes::LIVE, opened, heard, closed));
    }

    /// The socket is closed: opens another one after a while.
    fn disconnected(self) {
        if self.queue.is_disposed() || self.socket.try_set_value(None).is_some() {
            return;
        }
        self.connected.set(false);
        let failed = self.failed.get_untracked();
        self.failed.set(failed + 1);
        let longest = PAUSE_MS.1.min(PAUSE_MS.0 << failed.min(16));
        // Not all browsers at once.
        let pause = longest / 2 + random() % (longest / 2);
        let connect = move || {
            if !self.queue.is_disposed() {
                self.connect();
            }
        };
        set_timeout(connect, Duration::from_millis(pause));
    }

    /// Asks whether the socket is alive, and opens another one if it did not answer the last time.
    fn beat(self) {
        if !self.connected.get_untracked() {
            return;
        }
        match self.alive.get_untracked() {
            true => {
                self.alive.set(false);
                self.say(&ClientFrame::Ping);
            }
            false => self.disconnected(),
        }
    }

    fn say(self, frame: &ClientFrame) {
        if let Ok(text) = serde_json::to_string(frame) {
            self.socket.with_value(|open| {
                if let Some(open) = open {
                    open.send(&text);
                }
            });
        }
    }

    /// The other side is typing.
    fn other_types(self) {
        self.typing.set(true);
        let now = self.typed.get_untracked() + 1;
        self.typed.set(now);
        let over = move || {
            if self.typed.try_get_untracked() == Some(now) {
                self.typing.set(false);
            }
        };
        set_timeout(over, TYPING);
    }

    /// Puts a message into the queue; returns whether it can be sent.
    pub(super) fn send(self, text: String, about: String, pictures: Vec<NewPicture>) -> bool {
        match message_content(&text, &pictures) {
            Err(faults) => {
                self.fault.set(Some(Error::Invalid(faults)));
                false
            }
            Ok((text, pictures)) => {
                self.fault.set(None);
                let mut queue = self.kept();
                queue.push(NewMessage { id: fresh_id(), text, about, pictures });
                self.keep(queue);
                self.flush();
                true
            }
        }
    }

    /// Sends the messages in the queue, in order. While the shop doesn't accept them, they wait.
    fn flush(self) {
        if self.sending.get_untracked() || self.blocked.get_untracked() || self.barred.get_untracked() {
            return;
        }
        self.sending.set(true);
        spawn_local(async move {
            while let Some(message) = self.kept().into_iter().next() {
                let sent = api::chat::send(self.shop.get_value(), self.id, message.clone()).await;
                if self.queue.is_disposed() {
                    return;
                }
                match sent {
                    Ok(message) => {
                        self.put([message]);
                        self.offline.set(false);
                    }
                    Err(ApiError(Error::Conflict(Conflict::ConversationBlocked))) => {
                        self.blocked.set(true);
                        // By whom?
                        self.look();
                        break;
                    }
                    // It stays in the queue: it may have been sent, or can be later.
                    Err(ApiError(
                        Error::Offline
                        | Error::Busy { .. }
                        | Error::RateLimited { .. }
                        | Error::SignInNeeded
                        | Error::Internal,
                    )) if !self.is_unkept(message.id) => {
                        self.offline.set(true);
                        break;
                    }
                    Err(ApiError(error)) => {
                        self.fault.set(Some(error));
                        give_back(&message.text);
                    }
                }
                self.take_back(message.id);
            }
            // Another tab may have sent some of them.
            self.queue.set(self.kept());
            self.sending.set(false);
        });
    }

    /// Removes a message from the queue.
    pub(super) fn take_back(self, id: MessageId) {
        let mut queue = self.kept();
        queue.retain(|waiting| waiting.id != id);
        self.keep(queue);
    }

    /// Whether a message is only in this page.
    fn is_unkept(self, id: MessageId) -> bool {
        self.unkept.with_untracked(|unkept| unkept.iter().any(|message| message.id == id))
    }

    /// Edits a message, or deletes it without a text.
    pub(super) fn change(self, id: MessageId, text: Option<String>) {
        let shop = self.shop.get_value();
        spawn_local(async move {
            let changed = match text {
                Some(text) => api::chat::edit(shop, self.id, id, text).await,
                None => api::chat::delete(shop, self.id, id).await,
            };
            if self.queue.is_disposed() {
                return;
            }
            match changed {
                Ok(message) => {
                    self.fault.set(None);
                    self.put([message]);
                }
                Err(ApiError(error)) => self.fault.set(Some(error)),
            }
        });
    }

    /// The user is typing.
    pub(super) fn types(self) {
        if self.said.get_untracked() || !self.connected.get_untracked() {
            return;
        }
        self.said.set(true);
        self.say(&ClientFrame::Typing);
        let over = move || {
            let _ = self.said.try_set(false);
        };
        set_timeout(over, TYPES);
    }

    /// Asks for what changed.
    fn look(self) {
        spawn_local(async move {
            let after = self.change_seq.get_untracked();
            let found = api::chat::changes(self.shop.get_value(), self.id, after).await;
            if self.queue.is_disposed() {
                return;
            }
            match found {
                Ok(changes) => self.apply(changes),
                Err(ApiError(Error::Offline)) => self.offline.set(true),
                Err(_) => {}
            }
        });
    }

    fn apply(self, changes: Changes) {
        self.offline.set(false);
        if changes.messages.iter().any(|message| message.side != self.side) {
            self.typing.set(false);
        }
        let blocked = (changes.blocked, changes.barred);
        if (self.blocked.get_untracked(), self.barred.get_untracked()) != blocked {
            self.blocked.set(changes.blocked);
            self.barred.set(changes.barred);
            self.flush();
        }
        if self.own_read_seq.get_untracked() < changes.own_read_seq {
            self.own_read_seq.set(changes.own_read_seq);
            self.count_again();
        }
        if self.read_seq.get_untracked() < changes.read_seq {
            self.read_seq.set(changes.read_seq);
        }
        if self.change_seq.get_untracked() < changes.change_seq {
            self.change_seq.set(changes.change_seq);
            self.put(changes.messages);
            self.look_at_list();
        }
        self.read();
    }

    /// Adds messages, or puts them in the place of what they were.
    fn put(self, changed: impl IntoIterator<Item = MessageView>) {
        self.messages.update(|messages| {
            for message in
                changed.into_iter().filter(|message| self.ends.is_none_or(|end| message.seq <= end))
            {
                match messages.binary_search_by_key(&message.seq, |of| of.seq) {
                    Ok(at) if messages[at].change_seq <= message.change_seq => messages[at] = message,
                    Ok(_) => {}
                    Err(at) => messages.insert(at, message),
                }
            }
        });
    }

    /// Says that the user has read what is shown, if the user can see it. Said again until the server knows.
    fn read(self) {
        let last = self.messages.with_untracked(|all| all.last().map_or(0, |message| message.seq));
        let own_read = self.own_read_seq.get_untracked();
        let new = self.messages.with_untracked(|all| unread(all, self.side, own_read));
        if new == 0 || self.ends.is_some() || document().hidden() {
            return;
        }
        if self.connected.get_untracked() {
            return self.say(&ClientFrame::Read { seq: last });
        }
        let shop = self.shop.get_value();
        spawn_local(async move {
            if api::chat::read(shop, self.id, last).await.is_ok() && !self.queue.is_disposed() {
                self.own_read_seq.set(last);
            }
        });
    }

    /// Brings the number of unread messages in the header up to date.
    fn count_again(self) {
        if self.side == Side::Shopper {
            self.visitor.0.refetch();
        }
    }

    /// Brings the list of conversations up to date.
    fn look_at_list(self) {
        let asked = InboxRequest {
            shop: self.shop.get_value(),
            label: self.label.get_value(),
            ..InboxRequest::default()
        };
        spawn_local(async move {
            if let Ok(inbox) = api::chat::inbox(asked).await
                && !self.queue.is_disposed()
            {
                self.cards.set(inbox.conversations);
            }
        });
    }

    /// Whoever signs in next in this browser sends nothing that someone else wrote.
    fn key(self) -> String {
        format!("messages {} {} {}", self.writer, self.side.as_str(), self.id)
    }

    /// The messages that wait to be sent: those of all tabs, and those of this one that the browser's storage did not take.
    fn kept(self) -> Vec<NewMessage> {
        let kept = storage().and_then(|storage| storage.get_item(&self.key()).ok().flatten());
        let kept = kept.and_then(|kept| serde_json::from_slice::<Vec<_>>(kept.as_bytes()).ok());
        kept.into_iter().flatten().chain(self.unkept.get_untracked()).collect()
    }

    /// Keeps the queue in the browser. If it is full, or blocks its storage, the last message stays in this page.
    fn keep(self, queue: Vec<NewMessage>) {
        let (unkept, mut kept): (Vec<_>, Vec<_>) =
            queue.iter().cloned().partition(|message| self.is_unkept(message.id));
        let written = |kept: &[NewMessage]| match (storage(), kept.is_empty()) {
            (None, empty) => empty,
            (Some(storage), true) => storage.remove_item(&self.key()).is_ok(),
            (Some(storage), false) => {
                storage.set_item(&self.key(), &serde_json::to_string(kept).unwrap_or_default()).is_ok()
            }
        };
        self.unkept.set(unkept);
        if !written(&kept)
            && let Some(message) = kept.pop()
        {
            self.unkept.update(|unkept| unkept.push(message));
        }
        self.queue.set(queue);
    }
}

fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok().flatten()
}

/// Puts the text of a message that can't be sent back into the form, before what else is written there.
fn give_back(text: &str) {
    let area = document().get_element_by_id("text");
    if let Some(area) = area.and_then(|area| area.dyn_into::<web_sys::HtmlTextAreaElement>().ok()) {
        let written = area.value();
        area.set_value(&if written.is_empty() { text.to_owned() } else { format!("{text}\n{written}") });
    }
}

/// A random number of up to 17 digits. Not for secrets.
fn random() -> u64 {
    let number = js_sys::Math::random().to_string();
    number.chars().filter(char::is_ascii_digit).take(17).collect::<String>().parse().unwrap_or_default()
}

/// A new ID. It has to be different from those of the other messages of the conversation, no more.
fn fresh_id() -> MessageId {
    Id::from_bits(u128::from(random()) << 64 | u128::from(random()))
}
