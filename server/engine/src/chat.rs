//! Conversations: one per shopper and shop, with numbered messages.
//!
//! The row of a conversation is locked by everything that changes it, and counts its messages and its changes. Whoever has all
//! changes up to a number misses none by asking for those after it.

mod answers;
mod notes;
mod notices;
mod reports;
mod search;
mod seat;

use answers::{away_message, replies};
pub use answers::{delete_reply, save_reply, set_away, settings};
pub use notes::{add_note, delete_note, set_labels};
pub(crate) use notices::notification_data;
pub use notices::{UnreadMessages, notify_due};
pub use reports::{close_report, may_see_reported, report, reports, unblock_sender};
pub use search::search;
use seat::{CONVERSATIONS, ConversationRow, Seat};

use std::collections::HashMap;

use crate::{
    Caller, Engine,
    bus::Topic,
    db::{Scalar, Value},
    insert, lists, media, params, random, rows, statements,
};
use haat_shared::{
    Conflict, Error, FieldCode, Result,
    chat::{
        self, AWAY_MS, About, AwayMessage, CHANGE_MS, Card, Changes, ConversationCard, Inbox, InboxRequest,
        MESSAGES_SHOWN, MessagePage, MessageView, NewMessage, Side, Thread,
    },
    id::kinds::{ConversationId, MediaId, MessageId, OrderId, ProductId, ShopId, UserId},
    media::Picture,
    page::{self, LIMIT_MAX, Page, PageRequest},
    permissions::Permission,
    text,
};

/// The number of conversations per page.
const PAGE_SIZE: usize = 30;
/// How long a message is unread until its side is notified.
const NOTIFY_MS: i64 = 10 * 60_000;
/// How long further messages are unread after a notification until the next one.
const REMIND_MS: i64 = 24 * 3_600_000;

lists! {
    MESSAGES {
        select: "SELECT m.id, m.seq, m.change_seq, m.side, m.user_id, u.name AS author, m.text, m.created_at, m.edited_at, m.deleted,
            p.id AS product_id, p.slug AS product_slug, p.title AS product_title, o.number AS order_number, b.number AS purchase_number
            FROM messages m LEFT JOIN users u ON u.id = m.user_id LEFT JOIN products p ON p.id = m.product_id
            LEFT JOIN orders o ON o.id = m.order_id LEFT JOIN purchases b ON b.id = o.purchase_id",
        base_filter: "TRUE",
        filters: &[("conversation", "m.conversation_id = {}"), ("id", "m.id = {}")],
        sorts: &[
            ("newest", "m.seq < {}", "m.seq DESC"),
            ("oldest", "m.seq > {}", "m.seq"),
            ("changed", "m.change_seq > {}", "m.change_seq"),
        ],
    }
}

/// Takes the next number for a message to this side. The first unread message, and then the first one after each
/// notification, sets when that side is notified.
macro_rules! number {
    ($to:literal) => {
        concat!(
            "UPDATE conversations SET last_seq = last_seq + 1, change_seq = change_seq + 1,
                last_at = CASE WHEN last_at < $2 THEN $2 ELSE last_at END, ",
            $to,
            "_notify_at = CASE WHEN ",
            $to,
            "_unread = 0 THEN $3 ELSE COALESCE(",
            $to,
            "_notify_at, $4) END, ",
            $to,
            "_unread = ",
            $to,
            "_unread + 1
            WHERE id = $1 AND NOT blocked RETURNING last_seq, change_seq"
        )
    };
}

/// Marks messages as read by this side; returns how many messages of both sides it has not read.
macro_rules! read {
    ($by:literal) => {
        concat!(
            "UPDATE conversations SET ",
            $by,
            "_read_seq = CASE WHEN $2 < last_seq THEN $2 ELSE last_seq END, ",
            $by,
            "_unread = CASE WHEN $2 < last_seq THEN ",
            $by,
            "_unread ELSE 0 END, ",
            $by,
            "_notify_at = CASE WHEN $2 < last_seq THEN ",
            $by,
            "_notify_at END
            WHERE id = $1 AND ",
            $by,
            "_read_seq < $2 AND ",
            $by,
            "_read_seq < last_seq
            RETURNING last_seq - ",
            $by,
            "_read_seq AS value"
        )
    };
}

/// Counts the messages of the other side that this side has not read.
macro_rules! count {
    ($by:literal, $other:literal) => {
        concat!(
            "UPDATE conversations SET ",
            $by,
            "_unread = (SELECT COUNT(*) FROM messages m
                WHERE m.conversation_id = conversations.id AND m.seq > conversations.",
            $by,
            "_read_seq AND m.side = '",
            $other,
            "')
            WHERE id = $1"
        )
    };
}

statements! {
    SHOP = "SELECT s.id, c.id AS conversation_id FROM shops s LEFT JOIN conversations c ON c.shop_id = s.id AND c.user_id = $2
        WHERE s.handle = $1";
    CUSTOMER = "SELECT p.user_id AS value FROM orders o JOIN purchases p ON p.id = o.purchase_id
        WHERE o.number = $1 AND o.shop_id = $2";
    OF_PAIR = "SELECT id AS value FROM conversations WHERE shop_id = $1 AND user_id = $2";
    // The row is locked until the message is committed, so numbers have no gaps.
    NUMBER_OF_SHOPPER = number!("shop");
    NUMBER_OF_SHOP = number!("shopper");
    COUNT_CHANGE = "UPDATE conversations SET change_seq = change_seq + 1 WHERE id = $1 AND NOT blocked
        RETURNING change_seq AS value";
    EDIT = "UPDATE messages SET text = $3, edited_at = $4, change_seq = $5, text_folded = $7
        WHERE conversation_id = $1 AND id = $2 AND NOT deleted AND created_at > $6";
    // Only that there was a message stays.
    DELETE = "UPDATE messages SET text = '', text_folded = '', product_id = NULL, order_id = NULL, deleted = TRUE, change_seq = $3
        WHERE conversation_id = $1 AND id = $2 AND NOT deleted AND created_at > $4";
    READ_BY_SHOPPER = read!("shopper");
    READ_BY_SHOP = read!("shop");
    // In a statement of its own, which sees what was committed before the row was locked.
    COUNT_FOR_SHOPPER = count!("shopper", "shop");
    COUNT_FOR_SHOP = count!("shop", "shopper");
    AWAY = "UPDATE conversations SET away_at = $2 WHERE id = $1 AND COALESCE(away_at, 0) <= $3";
    BLOCK = "UPDATE conversations SET blocked = $2 WHERE id = $1";
    PRODUCT = "SELECT id, slug, title FROM products WHERE id = $1 AND shop_id = $2 AND state = 'published'";
    ORDER = "SELECT o.id, o.number, p.number AS purchase FROM orders o JOIN purchases p ON p.id = o.purchase_id
        WHERE o.number = $1 AND o.shop_id = $2 AND p.user_id = $3";
    PARTIES = "SELECT user_id, shop_id FROM conversations WHERE id = $1";
    UNREAD = "SELECT CAST(COALESCE(SUM(shopper_unread), 0) AS BIGINT) AS value FROM conversations
        WHERE user_id = $1 AND shopper_unread > 0";
    UNREAD_BY_SHOP = "SELECT CAST(COALESCE(SUM(shop_unread), 0) AS BIGINT) AS value FROM conversations
        WHERE shop_id = $1 AND shop_unread > 0";
}

insert! {
    struct AddConversation into conversations {
        id: ConversationId,
        shop_id: ShopId,
        user_id: UserId,
        last_at: i64,
        created_at: i64;
        last_seq = "0",
        change_seq = "0",
        shopper_read_seq = "0",
        shop_read_seq = "0",
        shopper_unread = "0",
        shop_unread = "0",
        blocked = "FALSE",
    } "ON CONFLICT (shop_id, user_id) DO NOTHING"

    struct AddMessage<'a> into messages {
        conversation_id: ConversationId,
        id: MessageId,
        seq: i64,
        change_seq: i64,
        side: Side,
        user_id: Option<UserId>,
        text: &'a str,
        text_folded: String,
        product_id: Option<ProductId>,
        order_id: Option<OrderId>,
        created_at: i64;
        deleted = "FALSE",
    } "ON CONFLICT (conversation_id, id) DO NOTHING"
}

rows! {
    struct ShopRow {
        id: ShopId,
        conversation_id: Option<ConversationId>,
    }

    struct MessageRow {
        id: MessageId,
        seq: i64,
        change_seq: i64,
        side: Side,
        user_id: Option<UserId>,
        author: Option<String>,
        text: String,
        created_at: i64,
        edited_at: Option<i64>,
        deleted: bool,
        product_id: Option<ProductId>,
        product_slug: Option<String>,
        product_title: Option<String>,
        order_number: Option<String>,
        purchase_number: Option<String>,
    }

    struct Numbers {
        last_seq: i64,
        change_seq: i64,
    }

    struct ProductRow {
        id: ProductId,
        slug: String,
        title: String,
    }

    struct OrderRow {
        id: OrderId,
        number: String,
        purchase: String,
    }

    /// The two sides of a conversation.
    pub struct Parties {
        /// The shopper.
        pub user_id: UserId,
        /// The shop.
        pub shop_id: ShopId,
    }
}

impl MessageRow {
    fn view(
        self,
        engine: &Engine,
        caller: &Caller,
        seat: &Seat,
        shop_name: &str,
        pictures: Vec<Picture>,
    ) -> MessageView {
        let product = self.product_id.zip(self.product_slug).zip(self.product_title);
        let order = self.order_number.zip(self.purchase_number);
        let author = match (seat.side, self.side) {
            // Who of them answered is the shop's own business.
            (Side::Shopper, Side::Shop) => shop_name.to_owned(),
            _ => self.author.unwrap_or_else(|| shop_name.to_owned()),
        };
        MessageView {
            id: self.id,
            seq: self.seq,
            change_seq: self.change_seq,
            side: self.side,
            author,
            about: product
                .map(|((id, slug), title)| Card::Product { id, slug, title })
                .or_else(|| order.map(|(number, purchase)| Card::Order { number, purchase })),
            pictures,
            created_at: caller.time(engine, self.created_at),
            edited: self.edited_at.is_some() && !self.deleted,
            deleted: self.deleted,
            automatic: self.user_id.is_none(),
            changeable: self.side == seat.side
                && self.user_id == Some(seat.user)
                && !self.deleted
                && chat::is_changeable(self.created_at, engine.clock.now_ms()),
            text: self.text,
        }
    }
}

/// Opens the shopper's conversation with a shop; the same one however often.
pub async fn open(engine: &Engine, caller: &Caller, handle: &str) -> Result<ConversationId> {
    let user = caller.signed_in()?.id;
    let shop: ShopRow = engine.db.opt(&SHOP, params![handle, user]).await?.ok_or(Error::NotFound)?;
    match shop.conversation_id {
        Some(id) => Ok(id),
        None => create(engine, shop.id, user).await,
    }
}

/// Opens a shop's conversation with the customer of one of its orders.
pub async fn open_for_order(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    number: &str,
) -> Result<ConversationId> {
    let shop = caller.shop(handle, Permission::AnswerCustomers)?;
    let customer: Option<Scalar<Option<UserId>>> = engine.db.opt(&CUSTOMER, params![number, shop]).await?;
    let user = customer.ok_or(Error::NotFound)?.0.ok_or(Conflict::CustomerIsGuest)?;
    let found: Option<Scalar<ConversationId>> = engine.db.opt(&OF_PAIR, params![shop, user]).await?;
    match found {
        Some(found) => Ok(found.0),
        None => create(engine, shop, user).await,
    }
}

async fn create(engine: &Engine, shop_id: ShopId, user_id: UserId) -> Result<ConversationId> {
    let now = engine.clock.now_ms();
    let id: ConversationId = random::id(now);
    engine
        .db
        .write(("chat::open", id), (id, shop_id, user_id, now), |tx, (id, shop_id, user_id, now)| {
            Box::pin(async move {
                let (id, shop_id, user_id, now) = (*id, *shop_id, *user_id, *now);
                tx.insert(AddConversation { id, shop_id, user_id, last_at: now, created_at: now }).await?;
                Ok(())
            })
        })
        .await?;
    // Of several that open it at once, one has created it.
    let found: Scalar<ConversationId> = engine.db.one(&OF_PAIR, params![shop_id, user_id]).await?;
    Ok(found.0)
}

/// The conversations of a shopper, or of a shop with this handle and, if one is given, this label; those with the latest messages first. One in which nothing was
/// written yet is not listed.
pub async fn list(
    engine: &Engine,
    caller: &Caller,
    shop: &str,
    label: &str,
    of: impl Into<PageRequest<'_>>,
) -> Result<Page<ConversationCard>> {
    let (seat, of) = (Seat::of(caller, shop)?, of.into());
    let size = page::rows(of.limit, PAGE_SIZE);
    let after = crate::cursor::<haat_shared::id::kinds::Conversation>(of.after)?;
    let after = after.into_iter().flat_map(|id| [id.into(), id.into()]);
    let mut filters = vec![seat.filter.clone(), ("begun", true.into())];
    // Labels are the shop's own business.
    if !label.is_empty() && seat.side == Side::Shop {
        filters.push(("label", label.into()));
    }
    let rows: Vec<ConversationRow> =
        engine.db.list(CONVERSATIONS.bind(filters, "newest", after, size + 1)).await?;
    let page = Page::cut(rows, size, |row| row.id.to_string());
    let mut labels = match seat.side {
        Side::Shopper => HashMap::new(),
        Side::Shop => notes::labels_of(engine, page.items.iter().map(|row| row.id)).await?,
    };
    Ok(page.map(|row| {
        let labels = labels.remove(&row.id).unwrap_or_default();
        ConversationCard { labels, ..row.card(engine, caller, seat.side) }
    }))
}

/// The page of conversations, with one of them open, which marks it as read.
pub async fn inbox(engine: &Engine, caller: &Caller, asked: &InboxRequest) -> Result<Inbox> {
    let thread = match asked.open {
        Some(id) => Some(thread(engine, caller, asked, id).await?),
        None => None,
    };
    let labels = match asked.shop.as_str() {
        "" => Vec::new(),
        handle => notes::labels(engine, caller.shop(handle, Permission::AnswerCustomers)?).await?,
    };
    let settings = match (asked.open, asked.shop.as_str()) {
        (Some(_), _) | (None, "") => None,
        (None, handle) => Some(settings(engine, caller, handle).await?),
    };
    let hits = match asked.q.trim() {
        "" => None,
        q => Some(search(engine, caller, &asked.shop, q).await?),
    };
    let conversations = list(engine, caller, &asked.shop, &asked.label, &asked.after).await?;
    Ok(Inbox { conversations, labels, hits, thread, settings })
}

/// A conversation with a page of its messages. Marks it as read.
async fn thread(
    engine: &Engine,
    caller: &Caller,
    asked: &InboxRequest,
    id: ConversationId,
) -> Result<Thread> {
    let seat = Seat::of(caller, &asked.shop)?;
    // Before its messages: what changes in between is asked for again.
    let row = seat.conversation(engine, id).await?;
    // Who looks at earlier messages has not seen the latest ones.
    if asked.before.is_none() {
        mark_read(engine, &seat, &row, row.last_seq).await?;
    }
    let (messages, earlier) = page_before(engine, caller, &seat, &row, asked.before).await?;
    let (labels, notes) = match seat.side {
        Side::Shopper => (Vec::new(), Vec::new()),
        Side::Shop => {
            let labels = notes::labels_of(engine, [id].into_iter()).await?.remove(&id);
            (labels.unwrap_or_default(), notes::notes(engine, caller, id).await?)
        }
    };
    Ok(Thread {
        conversation: ConversationCard { unread: 0, labels, ..row.card(engine, caller, seat.side) },
        side: seat.side,
        writer: seat.user,
        messages,
        earlier,
        read_seq: row.read_by(seat.side.other()),
        own_read_seq: match asked.before {
            None => row.last_seq,
            Some(_) => row.read_by(seat.side),
        },
        change_seq: row.change_seq,
        about: subject(engine, &row, &asked.about).await.ok().and_then(|(card, ..)| card),
        replies: match seat.side {
            Side::Shopper => Vec::new(),
            Side::Shop => replies(engine, row.shop_id).await?,
        },
        notes,
        next_id: random::id(engine.clock.now_ms()),
    })
}

/// A conversation, as in a list.
pub async fn conversation(
    engine: &Engine,
    caller: &Caller,
    shop: &str,
    id: ConversationId,
) -> Result<ConversationCard> {
    let seat = Seat::of(caller, shop)?;
    let card = seat.conversation(engine, id).await?.card(engine, caller, seat.side);
    let labels = match seat.side {
        Side::Shopper => None,
        Side::Shop => notes::labels_of(engine, [id].into_iter()).await?.remove(&id),
    };
    Ok(ConversationCard { labels: labels.unwrap_or_default(), ..card })
}

/// Messages of a conversation: those before or those after a number, the latest ones without.
pub async fn messages(
    engine: &Engine,
    caller: &Caller,
    shop: &str,
    id: ConversationId,
    before: Option<i64>,
    after: Option<i64>,
) -> Result<MessagePage> {
    let seat = Seat::of(caller, shop)?;
    let row = seat.conversation(engine, id).await?;
    let items = match (before, after) {
        (Some(_), Some(_)) => return Err(Error::field("after", FieldCode::BadCursor)),
        (_, None) => page_before(engine, caller, &seat, &row, before).await?.0,
        (None, Some(after)) => {
            let filters = vec![("conversation", row.id.into())];
            let list = MESSAGES.bind(filters, "oldest", [after.into()], MESSAGES_SHOWN);
            views(engine, caller, &seat, &row, engine.db.list(list).await?).await?
        }
    };
    let (first, last) = (items.first().map(|of| of.seq), items.last().map(|of| of.seq));
    Ok(MessagePage {
        // They are numbered from 1 without gaps.
        has_earlier: first.is_some_and(|seq| seq > 1),
        has_later: last.is_some_and(|seq| seq < row.last_seq),
        items,
    })
}

async fn page_before(
    engine: &Engine,
    caller: &Caller,
    seat: &Seat,
    of: &ConversationRow,
    before: Option<i64>,
) -> Result<(Vec<MessageView>, Option<i64>)> {
    let (filters, before) = (vec![("conversation", of.id.into())], before.map(Value::from));
    let mut rows: Vec<MessageRow> =
        engine.db.list(MESSAGES.bind(filters, "newest", before, MESSAGES_SHOWN + 1)).await?;
    let more = rows.len() > MESSAGES_SHOWN;
    rows.truncate(MESSAGES_SHOWN);
    let earlier = rows.last().filter(|_| more).map(|row| row.seq);
    rows.reverse();
    Ok((views(engine, caller, seat, of, rows).await?, earlier))
}

/// Messages of a conversation with their pictures.
async fn views(
    engine: &Engine,
    caller: &Caller,
    seat: &Seat,
    of: &ConversationRow,
    rows: Vec<MessageRow>,
) -> Result<Vec<MessageView>> {
    let mut pictures: HashMap<MessageId, Vec<Picture>> = HashMap::new();
    for (message, picture) in media::of_messages(engine, of.id, rows.iter().map(|row| row.id)).await? {
        pictures.entry(message).or_default().push(picture);
    }
    let view = |row: MessageRow| {
        let pictures = pictures.remove(&row.id).unwrap_or_default();
        row.view(engine, caller, seat, &of.shop_name, pictures)
    };
    Ok(rows.into_iter().map(view).collect())
}

/// What changed in a conversation after a number. If there is more, it can be asked for after the number returned.
pub async fn changes(
    engine: &Engine,
    caller: &Caller,
    shop: &str,
    id: ConversationId,
    after: i64,
) -> Result<Changes> {
    let seat = Seat::of(caller, shop)?;
    let of = seat.conversation(engine, id).await?;
    let list = MESSAGES.bind(vec![("conversation", id.into())], "changed", [after.into()], LIMIT_MAX);
    let rows: Vec<MessageRow> = engine.db.list(list).await?;
    Ok(Changes {
        // Numbers are committed in order, under the lock of the conversation, so that none before this one is missing.
        change_seq: rows.last().map_or(after, |row| row.change_seq),
        read_seq: of.read_by(seat.side.other()),
        own_read_seq: of.read_by(seat.side),
        blocked: of.blocked,
        barred: of.is_barred(seat.side),
        messages: views(engine, caller, &seat, &of, rows).await?,
    })
}

/// Sends a message. The same ID again returns the message that was sent with it.
pub async fn send(
    engine: &Engine,
    caller: &Caller,
    shop: &str,
    id: ConversationId,
    message: NewMessage,
) -> Result<MessageView> {
    let seat = Seat::of(caller, shop)?;
    let row = seat.conversation(engine, id).await?;
    if row.is_barred(seat.side) {
        // It may have been sent before.
        let sent = own(engine, caller, &seat, &row, message.id).await;
        return sent.map_err(|_| Conflict::ConversationBlocked.into());
    }
    let (text, pictures) = chat::message_content(&message.text, &message.pictures).map_err(Error::Invalid)?;
    let (_, product, order) = match subject(engine, &row, &message.about).await {
        Ok(of) => of,
        // It may have been sent before what it is about was removed.
        Err(error) => return own(engine, caller, &seat, &row, message.id).await.map_err(|_| error),
    };
    let now = engine.clock.now_ms();
    let away = match seat.side {
        Side::Shopper if !row.shop_barred => away_message(row.away.as_deref())?,
        _ => AwayMessage::default(),
    };
    let away = away.at(engine.zone.day(now), engine.zone.minute(now)).map(str::to_owned);
    let input = (id, message.id, (seat.side, seat.user), (text, pictures, away), (product, order), now);
    let sent = engine
        .db
        .write(
            ("chat::send", id),
            input,
            |tx, (id, message, (side, user), (text, pictures, away), (product, order), now)| {
                Box::pin(async move {
                    let statement = match side {
                        Side::Shopper => &NUMBER_OF_SHOPPER,
                        Side::Shop => &NUMBER_OF_SHOP,
                    };
                    let (soon, later) = (*now + NOTIFY_MS, *now + REMIND_MS);
                    let numbers: Option<Numbers> = tx.opt(statement, params![*id, *now, soon, later]).await?;
                    let numbers = numbers.ok_or(Conflict::ConversationBlocked)?;
                    let added = tx.insert(AddMessage {
                        conversation_id: *id,
                        id: *message,
                        seq: numbers.last_seq,
                        change_seq: numbers.change_seq,
                        side: *side,
                        user_id: Some(*user),
                        text,
                        text_folded: text::fold(text),
                        product_id: *product,
                        order_id: *order,
                        created_at: *now,
                    });
                    // Takes the numbers back.
                    if !added.await? {
                        return Err(Conflict::KeyReused.into());
                    }
                    media::show_message_in_tx(tx, *id, *message, pictures).await?;
                    if let Some(away) = away
                        && tx.exec(&AWAY, params![*id, *now, *now - AWAY_MS]).await? > 0
                    {
                        let numbers: Option<Numbers> =
                            tx.opt(&NUMBER_OF_SHOP, params![*id, *now, soon, later]).await?;
                        let numbers = numbers.ok_or(Conflict::ConversationBlocked)?;
                        tx.insert(AddMessage {
                            conversation_id: *id,
                            id: random::id(*now),
                            seq: numbers.last_seq,
                            change_seq: numbers.change_seq,
                            side: Side::Shop,
                            user_id: None,
                            text: away,
                            text_folded: text::fold(away),
                            product_id: None,
                            order_id: None,
                            created_at: *now,
                        })
                        .await?;
                    }
                    Ok(())
                })
            },
        )
        .await
        .map_err(Error::from);
    match sent {
        Ok(()) => tell(engine, id),
        Err(Error::Conflict(Conflict::KeyReused)) => {}
        // It may have been sent before.
        Err(error @ Error::Conflict(Conflict::ConversationBlocked)) => {
            return own(engine, caller, &seat, &row, message.id).await.map_err(|_| error);
        }
        Err(error) => return Err(error),
    }
    own(engine, caller, &seat, &row, message.id).await.map_err(|error| match error {
        Error::NotFound => Conflict::KeyReused.into(),
        error => error,
    })
}

/// Changes the text of a message, for 15 minutes.
pub async fn edit(
    engine: &Engine,
    caller: &Caller,
    shop: &str,
    id: ConversationId,
    message: MessageId,
    text: &str,
) -> Result<MessageView> {
    let text = chat::message_text(text).map_err(|fault| Error::Invalid(vec![fault]))?;
    change(engine, caller, shop, id, message, Some(text)).await
}

/// Deletes a message, for 15 minutes. Its place stays.
pub async fn delete(
    engine: &Engine,
    caller: &Caller,
    shop: &str,
    id: ConversationId,
    message: MessageId,
) -> Result<MessageView> {
    change(engine, caller, shop, id, message, None).await
}

async fn change(
    engine: &Engine,
    caller: &Caller,
    shop: &str,
    id: ConversationId,
    message: MessageId,
    text: Option<String>,
) -> Result<MessageView> {
    let seat = Seat::of(caller, shop)?;
    let row = seat.conversation(engine, id).await?;
    own(engine, caller, &seat, &row, message).await?;
    if text.is_some() && row.is_barred(seat.side) {
        return Err(Conflict::ConversationBlocked.into());
    }
    engine
        .db
        .write(
            ("chat::change", id),
            (id, message, text, engine.clock.now_ms()),
            |tx, (id, message, text, now)| {
                Box::pin(async move {
                    let change: Option<Scalar<i64>> = tx.opt(&COUNT_CHANGE, params![*id]).await?;
                    let change = change.ok_or(Conflict::ConversationBlocked)?.0;
                    let since = *now - CHANGE_MS;
                    let changed = match text {
                        Some(text) => {
                            tx.exec(
                                &EDIT,
                                params![*id, *message, text, *now, change, since, text::fold(text)],
                            )
                            .await?
                        }
                        None => {
                            media::clear_message_in_tx(tx, *id, *message, *now).await?;
                            tx.exec(&DELETE, params![*id, *message, change, since]).await?
                        }
                    };
                    if changed == 0 { Err(Conflict::MessageKept.into()) } else { Ok(()) }
                })
            },
        )
        .await?;
    tell(engine, id);
    own(engine, caller, &seat, &row, message).await
}

/// A message that the caller sent.
async fn own(
    engine: &Engine,
    caller: &Caller,
    seat: &Seat,
    of: &ConversationRow,
    message: MessageId,
) -> Result<MessageView> {
    let filters = vec![("conversation", of.id.into()), ("id", message.into())];
    let found: Vec<MessageRow> = engine.db.list(MESSAGES.bind(filters, "newest", None, 1)).await?;
    let found = found.into_iter().find(|row| row.user_id == Some(seat.user) && row.side == seat.side);
    let found = views(engine, caller, seat, of, vec![found.ok_or(Error::NotFound)?]).await?;
    found.into_iter().next().ok_or(Error::NotFound)
}

/// What a message is to be about: a published product of the shop, or an order of the shopper there.
async fn subject(
    engine: &Engine,
    of: &ConversationRow,
    about: &str,
) -> Result<(Option<Card>, Option<ProductId>, Option<OrderId>)> {
    match About::read(about) {
        None => Ok((None, None, None)),
        Some(About::Product(id)) => {
            let found: Option<ProductRow> = engine.db.opt(&PRODUCT, params![id, of.shop_id]).await?;
            let ProductRow { id, slug, title } = found.ok_or(Error::NotFound)?;
            Ok((Some(Card::Product { id, slug, title }), Some(id), None))
        }
        Some(About::Order(number)) => {
            let found: Option<OrderRow> =
                engine.db.opt(&ORDER, params![&number, of.shop_id, of.user_id]).await?;
            let OrderRow { id, number, purchase } = found.ok_or(Error::NotFound)?;
            Ok((Some(Card::Order { number, purchase }), None, Some(id)))
        }
    }
}

/// Whose the pictures of a conversation are, for those who may write in it.
pub async fn picture_owner(
    engine: &Engine,
    caller: &Caller,
    shop: &str,
    id: ConversationId,
) -> Result<media::Owner> {
    let seat = Seat::of(caller, shop)?;
    let row = seat.conversation(engine, id).await?;
    match row.blocked || row.is_barred(seat.side) {
        true => Err(Conflict::ConversationBlocked.into()),
        false => Ok(media::Owner::Conversation(row.id)),
    }
}

/// Adds a picture for a message that will be sent. It is deleted after a while unless a message shows it.
pub async fn add_picture(
    engine: &Engine,
    caller: &Caller,
    shop: &str,
    id: ConversationId,
    bytes: Vec<u8>,
) -> Result<Picture> {
    picture_owner(engine, caller, shop, id).await?;
    media::add_to_conversation(engine, id, bytes).await
}

/// Succeeds if the caller may see this picture of a conversation: if one of its messages shows it.
pub async fn may_see_picture(
    engine: &Engine,
    caller: &Caller,
    shop: &str,
    id: ConversationId,
    picture: MediaId,
) -> Result<()> {
    let of = Seat::of(caller, shop)?.conversation(engine, id).await?;
    media::is_in_conversation(engine, picture, of.id).await
}

/// The caller's side has read the messages up to this one.
pub async fn read(engine: &Engine, caller: &Caller, shop: &str, id: ConversationId, seq: i64) -> Result<()> {
    let seat = Seat::of(caller, shop)?;
    let row = seat.conversation(engine, id).await?;
    mark_read(engine, &seat, &row, seq).await
}

async fn mark_read(engine: &Engine, seat: &Seat, of: &ConversationRow, seq: i64) -> Result<()> {
    let (id, side) = (of.id, seat.side);
    if of.read_by(side) >= seq {
        return Ok(());
    }
    let marked = engine.db.write(("chat::read", id), (id, seq, side), |tx, (id, seq, side)| {
        Box::pin(async move {
            let (read, count) = match side {
                Side::Shopper => (&READ_BY_SHOPPER, &COUNT_FOR_SHOPPER),
                Side::Shop => (&READ_BY_SHOP, &COUNT_FOR_SHOP),
            };
            let left: Option<Scalar<i64>> = tx.opt(read, params![*id, *seq]).await?;
            if left.as_ref().is_some_and(|left| left.0 > 0) {
                tx.exec(count, params![*id]).await?;
            }
            Ok(left.is_some())
        })
    });
    if marked.await? {
        tell(engine, id);
    }
    Ok(())
}

/// Blocks the shopper of a conversation, or no longer. Members of the shop only.
pub async fn block(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    id: ConversationId,
    blocked: bool,
) -> Result<()> {
    // An empty handle would be the shopper's seat.
    caller.shop(handle, Permission::AnswerCustomers)?;
    let seat = Seat::of(caller, handle)?;
    seat.conversation(engine, id).await?;
    engine
        .db
        .write(("chat::block", id), (id, blocked), |tx, (id, blocked)| {
            Box::pin(async move {
                tx.exec(&BLOCK, params![*id, *blocked]).await?;
                Ok(())
            })
        })
        .await?;
    tell(engine, id);
    Ok(())
}

/// How many messages are unread: those to the shopper, or to a shop with this handle.
pub async fn unread(engine: &Engine, caller: &Caller, shop: &str) -> Result<i64> {
    let seat = Seat::of(caller, shop)?;
    let statement = match seat.side {
        Side::Shopper => &UNREAD,
        Side::Shop => &UNREAD_BY_SHOP,
    };
    let count: Scalar<i64> = engine.db.one(statement, &[seat.filter.1]).await?;
    Ok(count.0)
}

/// The caller is typing. That is only passed on.
pub async fn typing(engine: &Engine, caller: &Caller, shop: &str, id: ConversationId) -> Result<()> {
    let seat = Seat::of(caller, shop)?;
    seat.conversation(engine, id).await?;
    engine.bus.publish(Topic::Typing, &format!("{id} {}", seat.side.as_str()));
    Ok(())
}

/// The two sides of a conversation, for the sockets of this node.
pub async fn parties(engine: &Engine, id: ConversationId) -> Result<Parties> {
    engine.db.opt(&PARTIES, params![id]).await?.ok_or(Error::NotFound)
}

/// After the commit: whoever shows the conversation looks.
fn tell(engine: &Engine, id: ConversationId) {
    engine.bus.publish(Topic::Chat, &id.to_string());
}
