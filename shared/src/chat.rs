//! Conversations between shoppers and shops: what may be written and changed, what pages show of them, and the frames of
//! the socket that keeps them live.

use serde::{Deserialize, Serialize};

use crate::{
    field::{FieldCode, FieldError},
    id::kinds::{ConversationId, MessageId, NoteId, ProductId, QuickReplyId, UserId},
    media,
    media::{NewPicture, Picture, Purpose},
    text,
};

/// The maximum number of characters of a message.
pub const TEXT_MAX: usize = 2_000;
/// How long the author of a message can edit or delete it.
pub const CHANGE_MS: i64 = 15 * 60_000;
/// How many messages a page of a conversation has.
pub const MESSAGES_SHOWN: usize = 40;
/// The maximum number of saved answers of a shop, and of characters of their names.
pub const REPLIES_MAX: usize = 50;
const REPLY_NAME_MAX: usize = 60;
/// The maximum number of characters of an away message.
pub const AWAY_MAX: usize = 500;
/// A shopper gets an away message at most once in this time.
pub const AWAY_MS: i64 = 24 * 3_600_000;
/// The maximum number of notes of a shop on a conversation, of labels, and of characters of a label.
pub const NOTES_MAX: usize = 100;
/// The code with which the market closes a user's socket when the session has ended: one of those that RFC 6455 leaves to
/// applications.
pub const SIGNED_OUT: u16 = 4401;
const LABELS_MAX: usize = 5;
const LABEL_MAX: usize = 24;
/// How many characters of the last message a list of conversations shows.
const EXCERPT_MAX: usize = 80;

text_enum! {
    /// The two sides of a conversation.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum Side {
        /// The shopper.
        Shopper = "shopper",
        /// The members of the shop who answer customers.
        Shop = "shop",
    }
}

impl Side {
    /// The side opposite.
    pub fn other(self) -> Self {
        match self {
            Self::Shopper => Self::Shop,
            Self::Shop => Self::Shopper,
        }
    }
}

/// The text of a message, as it is stored.
pub fn message_text(typed: &str) -> Result<String, FieldError> {
    let text = text::paragraphs("text", typed, TEXT_MAX)?;
    match text::is_blank(&text) {
        true => Err(FieldError::new("text", FieldCode::Missing)),
        false => Ok(text),
    }
}

/// The text and the pictures of a message, as they are stored: a message with pictures needs no text.
pub fn message_content(
    typed: &str,
    pictures: &[NewPicture],
) -> Result<(String, Vec<NewPicture>), Vec<FieldError>> {
    let text = match pictures.is_empty() || !text::is_blank(typed) {
        true => message_text(typed),
        false => Ok(String::new()),
    };
    let mut faults: Vec<FieldError> = text.as_ref().err().cloned().into_iter().collect();
    let mut checked: Vec<NewPicture> = Vec::with_capacity(pictures.len());
    if let Err(code) = Purpose::ChatPicture.upload().check_count(pictures.len()) {
        faults.push(FieldError::new("pictures", code));
    }
    for picture in pictures {
        match media::alt("alt", &picture.alt) {
            Err(fault) => faults.push(fault),
            // The same one twice is one.
            Ok(alt) if checked.iter().all(|of| of.media != picture.media) => {
                checked.push(NewPicture { alt, ..picture.clone() });
            }
            Ok(_) => {}
        }
    }
    match text {
        Ok(text) if faults.is_empty() => Ok((text, checked)),
        _ => Err(faults),
    }
}

/// Whether a message from this time can still be edited or deleted.
pub fn is_changeable(created_at: i64, now: i64) -> bool {
    now - created_at < CHANGE_MS
}

/// The beginning of a message, on one line.
pub fn excerpt(text: &str) -> String {
    let mut words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = words.char_indices().nth(EXCERPT_MAX) {
        words.truncate(end);
        words.push('…');
    }
    words
}

/// The part of a message in which a word was found, on one line. The word is folded as searches fold it.
pub fn excerpt_around(message: &str, word: &str) -> String {
    /// How many words are shown in front of it.
    const BEFORE: usize = 5;
    let words: Vec<&str> = message.split_whitespace().collect();
    let found = words.iter().position(|of| text::fold(of).contains(word)).unwrap_or_default();
    let start = found.saturating_sub(BEFORE);
    let excerpt = excerpt(&words[start..].join(" "));
    if start > 0 { format!("… {excerpt}") } else { excerpt }
}

/// The parts of a text, and whether they are links: addresses that begin with `https://`.
pub fn pieces(text: &str) -> Vec<(&str, bool)> {
    let (mut pieces, mut rest) = (Vec::new(), text);
    while let Some(start) = rest.find("https://") {
        let (before, link) = rest.split_at(start);
        let end = link.find(|c: char| c.is_whitespace() || "<>\"'“”’".contains(c)).unwrap_or(link.len());
        // Punctuation after it belongs to the sentence.
        let address = link[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '।']);
        let is_link = text::https_url("", address, TEXT_MAX).is_ok();
        pieces.extend([(before, false), (address, is_link)].into_iter().filter(|(text, _)| !text.is_empty()));
        rest = &link[address.len()..];
    }
    pieces.extend(Some((rest, false)).filter(|(text, _)| !text.is_empty()));
    pieces
}

/// How many messages of the other side are unread: those with a higher number than the last one that was read.
pub fn unread<'a>(messages: impl IntoIterator<Item = &'a MessageView>, own: Side, read_seq: i64) -> usize {
    messages.into_iter().filter(|message| message.side != own && message.seq > read_seq).count()
}

/// A saved answer of a shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuickReply {
    /// The ID.
    pub id: QuickReplyId,
    /// What the shop calls it.
    pub name: String,
    /// The text.
    pub text: String,
}

/// The name and the text of a saved answer, as they are stored.
pub fn quick_reply(name: &str, text: &str) -> Result<(String, String), Vec<FieldError>> {
    match (text::line("name", name, REPLY_NAME_MAX), message_text(text)) {
        (Ok(name), Ok(text)) => Ok((name, text)),
        (name, text) => Err([name.err(), text.err()].into_iter().flatten().collect()),
    }
}

/// A note of a shop on a conversation. The shopper never sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The ID.
    pub id: NoteId,
    /// The name of the member who wrote it.
    pub author: String,
    /// The text.
    pub text: String,
    /// When it was written.
    pub created_at: String,
}

/// The text of a note, as it is stored.
pub fn note_text(typed: &str) -> Result<String, FieldError> {
    let text = text::paragraphs("note", typed, TEXT_MAX)?;
    match text::is_blank(&text) {
        true => Err(FieldError::new("note", FieldCode::Missing)),
        false => Ok(text),
    }
}

/// The labels of a conversation, which are separated by commas, as they are stored: each once, whatever its case.
pub fn labels(typed: &str) -> Result<Vec<String>, FieldError> {
    let mut labels: Vec<String> = Vec::new();
    for label in typed.split(',').filter(|label| !text::is_blank(label)) {
        let label = text::line("labels", label, LABEL_MAX)?;
        if labels.iter().all(|of| text::fold(of) != text::fold(&label)) {
            labels.push(label);
        }
    }
    match labels.len() > LABELS_MAX {
        true => Err(FieldError::new("labels", FieldCode::TooMany)),
        false => Ok(labels),
    }
}

/// The hours in which a shop answers, from Monday to Sunday: the minutes of the day at which it opens and closes, if it does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpeningHours(pub [Option<(i64, i64)>; 7]);

impl OpeningHours {
    /// The hours in a form, in fields such as `opens.0` and `closes.0` for Monday.
    pub fn read(field: impl Fn(&str) -> String) -> Result<Self, Vec<FieldError>> {
        let (mut hours, mut faults) = (Self::default(), Vec::new());
        for (day, of) in hours.0.iter_mut().enumerate() {
            let (from, to) = (format!("opens.{day}"), format!("closes.{day}"));
            match (field(&from), field(&to)) {
                (opens, closes) if opens.is_empty() && closes.is_empty() => {}
                (opens, closes) => match (minutes(&opens), minutes(&closes)) {
                    (None, _) => faults.push(FieldError::new(&from, FieldCode::NotNumber)),
                    (_, None) => faults.push(FieldError::new(&to, FieldCode::NotNumber)),
                    (Some(opens), Some(closes)) if closes <= opens => {
                        faults.push(FieldError::new(&to, FieldCode::TooSmall));
                    }
                    (Some(opens), Some(closes)) => *of = Some((opens, closes)),
                },
            }
        }
        if faults.is_empty() { Ok(hours) } else { Err(faults) }
    }

    /// Whether the shop is open at this minute of a day, which is counted from 1970-01-01.
    pub fn are_open(&self, day: i64, minute: i64) -> bool {
        // That was a Thursday.
        let weekday = (day + 3).rem_euclid(7);
        let of = usize::try_from(weekday).ok().and_then(|weekday| self.0[weekday]);
        of.is_some_and(|(opens, closes)| (opens..closes).contains(&minute))
    }
}

/// The minutes since midnight of a time such as `09:30`.
fn minutes(time: &str) -> Option<i64> {
    // Some browsers add seconds.
    let mut parts = time.trim().split(':');
    let mut part = |most: i64| {
        let part = parts.next().filter(|text| text.len() == 2)?;
        part.parse().ok().filter(|n| (0..=most).contains(n))
    };
    Some(part(23)? * 60 + part(59)?)
}

/// What a shop answers by itself outside its hours.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwayMessage {
    /// The text. Empty for none.
    pub text: String,
    /// When the shop answers itself. Without hours, the message is always sent.
    pub hours: OpeningHours,
}

impl AwayMessage {
    /// The text in a form, as it is stored, with the hours.
    pub fn read(field: impl Fn(&str) -> String) -> Result<Self, Vec<FieldError>> {
        let hours = OpeningHours::read(&field);
        let away = text::paragraphs("away", &field("away"), AWAY_MAX);
        match (away, hours) {
            (Ok(text), Ok(hours)) => Ok(Self { text, hours }),
            (away, hours) => Err(away.err().into_iter().chain(hours.err().into_iter().flatten()).collect()),
        }
    }

    /// The message to send at this minute of a day.
    pub fn at(&self, day: i64, minute: i64) -> Option<&str> {
        (!text::is_blank(&self.text) && !self.hours.are_open(day, minute)).then_some(&self.text)
    }
}

/// How a shop answers: its saved answers, and its away message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerSettings {
    /// The saved answers, by name.
    pub replies: Vec<QuickReply>,
    /// The away message.
    pub away: AwayMessage,
}

/// What a message is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// A product of the shop.
    Product(ProductId),
    /// The number of an order of the shopper in the shop.
    Order(String),
}

impl About {
    /// The ID of a product, or the number of an order; `None` if empty.
    pub fn read(given: &str) -> Option<Self> {
        match given.parse() {
            Ok(product) => Some(Self::Product(product)),
            Err(_) if given.is_empty() => None,
            Err(_) => Some(Self::Order(given.to_owned())),
        }
    }
}

/// A message to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewMessage {
    /// Made by the sender. Sending a message again with the same ID does not send it twice.
    pub id: MessageId,
    /// The text.
    pub text: String,
    /// The ID of a product or the number of an order that it is about; empty for none.
    #[serde(default)]
    pub about: String,
    /// Pictures that were uploaded to the conversation.
    #[serde(default)]
    pub pictures: Vec<NewPicture>,
}

/// A product or an order that a message is about, as a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = MessageSubject))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Card {
    /// A product.
    Product {
        /// The ID.
        id: ProductId,
        /// The slug in the URL of its page.
        slug: String,
        /// The title.
        title: String,
    },
    /// An order.
    Order {
        /// The number of the order.
        number: String,
        /// The number of the purchase that it is a part of.
        purchase: String,
    },
}

/// A message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MessageView {
    /// The ID, made by its sender.
    pub id: MessageId,
    /// Its number in the conversation, from 1 without gaps.
    pub seq: i64,
    /// The number of the conversation's change that wrote it, edited it or deleted it.
    pub change_seq: i64,
    /// Who sent it.
    pub side: Side,
    /// The name of the shopper or, for members of the shop, of the member. Shoppers see the shop's name.
    pub author: String,
    /// The text. Empty if it was deleted.
    pub text: String,
    /// Its pictures. They are private ([`media::is_private`]).
    pub pictures: Vec<Picture>,
    /// What it is about.
    pub about: Option<Card>,
    /// When it was sent.
    pub created_at: String,
    /// Whether it was edited.
    pub edited: bool,
    /// Whether it was deleted.
    pub deleted: bool,
    /// Whether it is the shop's away message.
    pub automatic: bool,
    /// Whether the caller could edit or delete it when it was read.
    pub changeable: bool,
}

/// A conversation in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConversationCard {
    /// The ID.
    pub id: ConversationId,
    /// The name of the other side: the shop, or the shopper.
    pub name: String,
    /// The shop's handle.
    pub shop_handle: String,
    /// The beginning of the last message; empty if it was deleted.
    pub excerpt: String,
    /// Who sent the last message.
    pub last_side: Side,
    /// When it was sent.
    pub last_at: String,
    /// How many messages of the other side are unread.
    pub unread: i64,
    /// Whether the shop has blocked the shopper: nothing can be sent then.
    pub blocked: bool,
    /// Whether the operator has blocked the caller's side: it can't send messages to anyone.
    pub barred: bool,
    /// The shop's labels, for its members. Empty for the shopper.
    pub labels: Vec<String>,
}

/// An open conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thread {
    /// The conversation.
    pub conversation: ConversationCard,
    /// Whose view this is.
    pub side: Side,
    /// Who is signed in and writes on this side.
    pub writer: UserId,
    /// Its messages, oldest first.
    pub messages: Vec<MessageView>,
    /// The number of the first of these messages, if there are earlier ones.
    pub earlier: Option<i64>,
    /// Up to which message the other side has read.
    pub read_seq: i64,
    /// Up to which message the caller's side has read.
    pub own_read_seq: i64,
    /// The number of the last change that these messages contain.
    pub change_seq: i64,
    /// What the next message will be about.
    pub about: Option<Card>,
    /// The saved answers of the shop, for its members.
    pub replies: Vec<QuickReply>,
    /// The notes of the shop, oldest first, for its members.
    pub notes: Vec<Note>,
    /// An ID for the next message of browsers without scripts.
    pub next_id: MessageId,
}

/// Messages of a conversation, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MessagePage {
    /// The messages.
    pub items: Vec<MessageView>,
    /// Whether there are earlier ones.
    pub has_earlier: bool,
    /// Whether there are later ones.
    pub has_later: bool,
}

/// What changed in a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Changes {
    /// The messages that were sent, edited or deleted, in the order of their last changes.
    pub messages: Vec<MessageView>,
    /// Up to which message the other side has read.
    pub read_seq: i64,
    /// Up to which message the caller's side has read.
    pub own_read_seq: i64,
    /// The number of the last change that these messages contain.
    pub change_seq: i64,
    /// Whether the shop has blocked the shopper.
    pub blocked: bool,
    /// Whether the operator has blocked the caller's side.
    pub barred: bool,
}

/// A message that a search found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageHit {
    /// Its conversation.
    pub conversation: ConversationId,
    /// The name of the other side of the conversation.
    pub name: String,
    /// The message.
    pub message: MessageId,
    /// Its number in the conversation.
    pub seq: i64,
    /// Who sent it.
    pub side: Side,
    /// The part of it in which the first word was found.
    pub excerpt: String,
    /// When it was sent.
    pub created_at: String,
}

/// The page of conversations: the list, and the one that is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inbox {
    /// The latest conversations, or those after a cursor.
    pub conversations: crate::page::Page<ConversationCard>,
    /// The labels that the shop uses, for its members.
    pub labels: Vec<String>,
    /// The messages that were searched for, if any were.
    pub hits: Option<Vec<MessageHit>>,
    /// The open conversation.
    pub thread: Option<Thread>,
    /// How the shop answers, for its members, if no conversation is open.
    pub settings: Option<AnswerSettings>,
}

/// What the page of conversations shows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct InboxRequest {
    /// The handle of the shop for its members; empty for the shopper.
    pub shop: String,
    /// The `next` cursor of the previous page of conversations; empty for the first page.
    pub after: String,
    /// Lists the conversations of the shop with this label only; empty for all.
    pub label: String,
    /// Words to search for in the messages; empty for none.
    pub q: String,
    /// The conversation to open. It is then read.
    pub open: Option<ConversationId>,
    /// The ID of a product or the number of an order that the next message will be about; empty for none.
    pub about: String,
    /// Shows the messages before this number; `None` for the latest ones.
    pub before: Option<i64>,
}

/// What a browser says over the socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "frame", rename_all = "snake_case")]
pub enum ClientFrame {
    /// It shows this conversation, with all changes up to a number.
    Watch {
        /// The handle of the shop for its members; empty for the shopper.
        shop: String,
        /// The conversation.
        conversation: ConversationId,
        /// The number of the last change that it has.
        after: i64,
    },
    /// The user has read the messages of the conversation up to this one.
    Read {
        /// The number of the message.
        seq: i64,
    },
    /// The user is typing.
    Typing,
    /// It wants to know whether the connection is alive.
    Ping,
}

/// What the server says over the socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "frame", rename_all = "snake_case")]
pub enum ServerFrame {
    /// What changed in the conversation that the browser shows.
    Changed {
        /// The conversation.
        conversation: ConversationId,
        /// The changes.
        changes: Changes,
    },
    /// Something changed in another conversation of the user, or there is a new notification.
    Elsewhere,
    /// The other side is typing.
    Typing {
        /// The conversation.
        conversation: ConversationId,
    },
    /// The connection is alive.
    Pong,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_text_that_can_be_seen() {
        for (typed, expected) in [
            ("Is it  glazed?", Ok("Is it  glazed?")),
            (" two\r\nlines \n", Ok("two\nlines")),
            ("नमस्ते 🙏🏽", Ok("नमस्ते 🙏🏽")),
            ("", Err(FieldCode::Missing)),
            (" \n\u{200B}\u{FEFF}", Err(FieldCode::Missing)),
            ("bell\u{7}", Err(FieldCode::BadCharacters)),
            ("\u{202E}gnp.exe", Err(FieldCode::BadCharacters)),
        ] {
            let stored = message_text(typed);
            assert_eq!(stored.as_deref().map_err(|fault| fault.code), expected, "{typed:?}");
        }
        assert!(message_text(&"ä".repeat(TEXT_MAX)).is_ok());
        let long = message_text(&"ä".repeat(TEXT_MAX + 1)).unwrap_err();
        assert_eq!((long.field.as_str(), long.code), ("text", FieldCode::TooLong(TEXT_MAX)));
    }

    #[test]
    fn a_message_has_text_or_pictures() {
        let picture = |n: u128, alt: &str| NewPicture { media: crate::Id::from_bits(n), alt: alt.into() };
        let many: Vec<_> = (0..11).map(|n| picture(n, "")).collect();
        for (text, pictures, expected) in [
            ("Look", vec![], Ok(("Look", 0))),
            (" \n", vec![picture(1, "A bowl"), picture(1, "Again")], Ok(("", 1))),
            ("Look", many[..10].to_vec(), Ok(("Look", 10))),
            ("", vec![], Err("text")),
            ("bell\u{7}", vec![picture(1, "")], Err("text")),
            ("Look", many, Err("pictures")),
            ("Look", vec![picture(1, &"x".repeat(media::ALT_MAX + 1))], Err("alt")),
        ] {
            let found = message_content(text, &pictures);
            let found = found.as_ref().map(|(text, pictures)| (text.as_str(), pictures.len()));
            assert_eq!(found.map_err(|faults| faults[0].field.as_str()), expected, "{text:?}");
        }
    }

    #[test]
    fn a_message_can_be_changed_for_fifteen_minutes() {
        for (after_ms, changeable) in [(0, true), (899_999, true), (900_000, false), (-5_000, true)] {
            assert_eq!(is_changeable(1_000_000, 1_000_000 + after_ms), changeable, "{after_ms}");
        }
    }

    #[test]
    fn labels_are_few_short_words() {
        for (typed, expected) in [
            ("", Ok(vec![])),
            (" , ,", Ok(vec![])),
            ("VIP,  wholesale , vip", Ok(vec!["VIP", "wholesale"])),
            ("a,b,c,d,e", Ok(vec!["a", "b", "c", "d", "e"])),
            ("a,b,c,d,e,f", Err(FieldCode::TooMany)),
            ("an order that is much too long", Err(FieldCode::TooLong(LABEL_MAX))),
            ("bell\u{7}", Err(FieldCode::BadCharacters)),
        ] {
            let expected = expected.map(|labels| labels.into_iter().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(labels(typed).map_err(|fault| fault.code), expected, "{typed}");
        }
        assert_eq!(note_text(" \n").unwrap_err(), FieldError::new("note", FieldCode::Missing));
        assert_eq!(note_text(" Likes blue ").as_deref(), Ok("Likes blue"));
    }

    #[test]
    fn an_excerpt_is_one_line() {
        assert_eq!(excerpt("Is it\n\n  glazed?"), "Is it glazed?");
        assert_eq!(excerpt(&"é".repeat(80)), "é".repeat(80));
        assert_eq!(excerpt(&"é".repeat(81)), format!("{}…", "é".repeat(80)));
    }

    #[test]
    fn an_excerpt_shows_what_was_found() {
        for (word, excerpt) in [
            ("is", "Is it glazed, and may it go into the dishwasher?"),
            ("dish", "… may it go into the dishwasher?"),
            ("oven", "Is it glazed, and may it go into the dishwasher?"),
        ] {
            let message = "Is it  glazed,\nand may it go into the dishwasher?";
            assert_eq!(excerpt_around(message, word), excerpt);
        }
        assert_eq!(excerpt_around("", "is"), "");
    }

    #[test]
    fn opening_hours_are_times_of_day() {
        let read = |opens: &str, closes: &str| {
            let (opens, closes) = (opens.to_owned(), closes.to_owned());
            OpeningHours::read(move |field| match field {
                "opens.1" => opens.clone(),
                "closes.1" => closes.clone(),
                _ => String::new(),
            })
        };
        for (opens, closes, expected) in [
            ("", "", Ok(None)),
            ("09:30", "18:00", Ok(Some((570, 1080)))),
            ("00:00", "23:59:00", Ok(Some((0, 1439)))),
            ("09:30", "", Err(("closes.1", FieldCode::NotNumber))),
            ("", "18:00", Err(("opens.1", FieldCode::NotNumber))),
            ("9.30", "18:00", Err(("opens.1", FieldCode::NotNumber))),
            ("24:00", "18:00", Err(("opens.1", FieldCode::NotNumber))),
            ("-1:00", "18:00", Err(("opens.1", FieldCode::NotNumber))),
            ("18:00", "09:30", Err(("closes.1", FieldCode::TooSmall))),
            ("09:30", "09:30", Err(("closes.1", FieldCode::TooSmall))),
        ] {
            let found = read(opens, closes).map(|hours| hours.0[1]);
            let found = found.map_err(|faults| (faults[0].field.clone(), faults[0].code));
            assert_eq!(found, expected.map_err(|(field, code)| (field.to_owned(), code)), "{opens} {closes}");
        }
        let mut hours = OpeningHours::default();
        // Sunday, 2026-11-29 is day 20,786.
        hours.0[6] = Some((540, 1080));
        for (day, minute, open) in [
            (20_786, 540, true),
            (20_786, 1_079, true),
            (20_786, 1_080, false),
            (20_786, 539, false),
            (20_787, 600, false),
            (-4, 600, true),
        ] {
            assert_eq!(hours.are_open(day, minute), open, "{day} {minute}");
        }
        let away = AwayMessage { text: "Back on Sunday".into(), hours };
        assert_eq!((away.at(20_786, 600), away.at(20_787, 600)), (None, Some("Back on Sunday")));
        let always = AwayMessage { hours: OpeningHours::default(), ..away };
        assert_eq!(always.at(20_786, 600), Some("Back on Sunday"));
        assert_eq!(AwayMessage::default().at(20_786, 600), None);
    }

    #[test]
    fn only_secure_addresses_become_links() {
        for (text, links) in [
            (
                "See https://haat.example/p/bowl?x=1, or (https://a.example).",
                vec!["https://haat.example/p/bowl?x=1", "https://a.example"],
            ),
            ("https://a.example", vec!["https://a.example"]),
            ("http://a.example javascript:alert(1) data:text/html,x", vec![]),
            ("https://user:pass@evil.example https:// https://nodots", vec![]),
            ("https://https://a.example", vec![]),
            ("\"https://a.example\"><script>", vec!["https://a.example"]),
        ] {
            let pieces = pieces(text);
            assert_eq!(pieces.iter().map(|(text, _)| *text).collect::<String>(), text, "nothing is lost");
            assert_eq!(
                pieces.iter().filter(|(_, link)| *link).map(|(text, _)| *text).collect::<Vec<_>>(),
                links,
                "{text}"
            );
        }
    }

    #[test]
    fn what_a_message_is_about_is_read_from_one_text() {
        let product = "prod_01h455vb4pex5vsknk084sn02q";
        assert_eq!(About::read(product), Some(About::Product(product.parse().unwrap())));
        assert_eq!(About::read("H1-1"), Some(About::Order("H1-1".into())));
        assert_eq!(About::read(""), None);
    }

    #[test]
    fn unread_are_the_later_messages_of_the_other_side() {
        let message = |(seq, side)| MessageView {
            id: "msg_00000000000000000000000000".parse().unwrap(),
            seq,
            change_seq: seq,
            side,
            author: String::new(),
            text: "x".into(),
            pictures: Vec::new(),
            about: None,
            created_at: String::new(),
            edited: false,
            deleted: false,
            automatic: false,
            changeable: false,
        };
        let messages =
            [(1, Side::Shopper), (2, Side::Shop), (3, Side::Shop), (4, Side::Shopper)].map(message);
        for (own, read_seq, count) in [
            (Side::Shopper, 0, 2),
            (Side::Shopper, 2, 1),
            (Side::Shopper, 4, 0),
            (Side::Shop, 0, 2),
            (Side::Shop, 3, 1),
        ] {
            assert_eq!(unread(&messages, own, read_seq), count, "{own:?} {read_seq}");
        }
    }

    #[test]
    fn frames_are_tagged_objects() {
        let watch =
            r#"{"frame":"watch","shop":"","conversation":"conv_00000000000000000000000000","after":7}"#;
        let frame: ClientFrame = serde_json::from_str(watch).unwrap();
        assert_eq!(serde_json::to_string(&frame).unwrap(), watch);
        assert_eq!(serde_json::to_string(&ServerFrame::Pong).unwrap(), r#"{"frame":"pong"}"#);
        assert!(serde_json::from_str::<ClientFrame>(r#"{"frame":"shout"}"#).is_err());
    }
}
