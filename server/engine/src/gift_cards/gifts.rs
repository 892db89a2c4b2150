//! The gift cards that are bought, in carts, checkouts and purchases: issued when a checkout is completed, and mailed on their day.
//!
//! The ID of a card is that of its row in `checkout_gifts`, so a checkout can't issue it twice, and its code can be derived
//! whenever its email is rendered.

use crate::{
    Caller, Engine, TxResult,
    bus::Topic,
    clock::Zone,
    db::{Scalar, Tx, Value},
    insert, ledger,
    outbox::{self, OutboxMessage},
    params,
    random::{self, SigningKey},
    rows, statements,
};
use haat_shared::{
    Currency, Id, Money, Result,
    gift_cards::{BoughtGift, CODE_LETTERS, CartGift, Gift, grouped},
    id::kinds::{CartGiftId, CartId, CheckoutId, GiftCardId, Job, PurchaseId, UserId},
    ledger::{Posting, gift_card_sold},
    shipping::date,
};
use uuid::Uuid;

/// When cards are sent on their day: at eight in the morning of the market.
const SEND_AT_MS: i64 = 8 * 3_600_000;
/// How many due cards are sent in a transaction.
const BATCH: i64 = 100;

statements! {
    IN_CART = "SELECT id, amount_minor, currency, recipient_name, recipient_email, sender_name, message, send_on, locale
        FROM cart_gifts WHERE cart_id = $1 ORDER BY id";
    OF_CHECKOUT = "SELECT g.id, g.amount_minor, c.currency, g.recipient_name, g.recipient_email, g.sender_name, g.message, g.send_on, g.locale
        FROM checkout_gifts g JOIN checkouts c ON c.id = g.checkout_id WHERE g.checkout_id = $1 ORDER BY g.position";
    OF_PURCHASE = "SELECT g.id, g.amount_minor, u.currency, g.recipient_name, g.recipient_email, g.sender_name, g.message, g.send_on,
            g.locale, k.mailed_at, k.refunded_at, u.id AS purchase_id
        FROM purchases u JOIN checkout_gifts g ON g.checkout_id = u.checkout_id JOIN gift_cards k ON k.gift_id = g.id
        WHERE u.id = $1 ORDER BY g.position";
    NOTIFIED = "SELECT g.id, g.amount_minor, u.currency, g.recipient_name, g.recipient_email, g.sender_name, g.message, g.send_on,
            g.locale, k.mailed_at, k.refunded_at, u.id AS purchase_id
        FROM notifications n JOIN checkout_gifts g ON g.id = n.subject
        JOIN purchases u ON u.checkout_id = g.checkout_id JOIN gift_cards k ON k.gift_id = g.id
        WHERE n.claim = $1 AND n.kind = 'gift_card'";
    BOUGHT_WITH = "SELECT g.id, g.amount_minor, u.currency, g.recipient_name, g.recipient_email, g.sender_name, g.message, g.send_on,
            g.locale, k.mailed_at, k.refunded_at, u.id AS purchase_id
        FROM notifications n JOIN purchases u ON u.id = n.subject AND u.gifts_minor > 0
        JOIN checkout_gifts g ON g.checkout_id = u.checkout_id JOIN gift_cards k ON k.gift_id = g.id
        WHERE n.claim = $1 AND n.kind = 'purchase_made' ORDER BY g.position";
    EMPTY_CART = "DELETE FROM cart_gifts WHERE cart_id = $1
        AND id IN (SELECT cart_gift_id FROM checkout_gifts WHERE checkout_id = $2)";
    // Cards that are disabled wait.
    DUE = "UPDATE gift_cards SET mailed_at = $1, mails = 1, updated_at = $1 WHERE mailed_at IS NULL AND send_at <= $1 AND NOT disabled
            AND id IN (SELECT id FROM gift_cards WHERE mailed_at IS NULL AND send_at <= $1 AND NOT disabled ORDER BY send_at LIMIT $2)
        RETURNING id AS value";
}

insert! {
    /// A card to issue.
    pub(super) struct AddCard<'a> into gift_cards {
        pub(super) id: GiftCardId,
        pub(super) code_hash: &'a [u8],
        pub(super) last4: &'a str,
        pub(super) currency: Currency,
        pub(super) issued_minor: i64,
        pub(super) balance_minor: i64,
        pub(super) reason: &'a str,
        pub(super) issued_by: Option<UserId>,
        pub(super) expires_at: Option<i64>,
        pub(super) gift_id: Option<Uuid>,
        pub(super) send_at: Option<i64>,
        pub(super) mailed_at: Option<i64>,
        pub(super) mails: i64,
        pub(super) created_at: i64,
        pub(super) updated_at: i64;
        disabled = "FALSE",
    }

    /// A gift card of a checkout, as it is in the cart.
    pub(crate) struct AddGift into checkout_gifts {
        pub(crate) id: GiftCardId,
        pub(crate) checkout_id: CheckoutId,
        pub(crate) position: i64;
        cart_gift_id = "g.id",
        amount_minor = "g.amount_minor",
        recipient_name = "g.recipient_name",
        recipient_email = "g.recipient_email",
        sender_name = "g.sender_name",
        message = "g.message",
        send_on = "g.send_on",
        locale = "g.locale",
    } => [cart_gift: CartGiftId] "given JOIN cart_gifts g ON g.id = given.cart_gift"
}

rows! {
    pub(crate) struct GiftRow {
        id: Uuid,
        amount_minor: i64,
        currency: Currency,
        recipient_name: String,
        recipient_email: String,
        sender_name: String,
        message: String,
        send_on: Option<i64>,
        locale: String,
    }

    struct BoughtRow {
        mailed_at: Option<i64>,
        refunded_at: Option<i64>,
        purchase_id: PurchaseId;
        gift: GiftRow
    }
}

/// The code of a card. It isn't stored, so a copy of the database doesn't have it: it is derived from the secret of the market.
pub(super) fn code_of(secret: &SigningKey, id: GiftCardId) -> String {
    random::letters(&secret.mac(&[b"gift card\0", id.uuid().as_bytes()])[..CODE_LETTERS])
}

impl GiftRow {
    pub(crate) fn amount(&self) -> Money {
        Money::new(self.amount_minor, self.currency)
    }

    /// The row of this card in a new checkout.
    pub(crate) fn of_checkout(&self, checkout_id: CheckoutId, position: i64, now: i64) -> AddGift {
        AddGift { id: random::id(now), checkout_id, position, cart_gift: Id::from_uuid(self.id) }
    }

    fn view(self) -> Gift {
        Gift {
            amount: self.amount(),
            recipient_name: self.recipient_name,
            recipient_email: self.recipient_email,
            sender_name: self.sender_name,
            message: self.message,
            send_on: self.send_on.map(date).unwrap_or_default(),
            locale: self.locale,
        }
    }
}

impl BoughtRow {
    fn view(self, engine: &Engine, caller: &Caller) -> BoughtGift {
        BoughtGift {
            id: Id::from_uuid(self.gift.id),
            gift: self.gift.view(),
            sent_at: self.mailed_at.map(|at| caller.time(engine, at)),
            refunded: self.refunded_at.is_some(),
        }
    }
}

/// The gift cards in a cart.
pub(crate) async fn of_cart(engine: &Engine, cart: CartId) -> Result<Vec<CartGift>> {
    let rows: Vec<GiftRow> = engine.db.all(&IN_CART, params![cart]).await?;
    Ok(rows.into_iter().map(|row| CartGift { id: Id::from_uuid(row.id), gift: row.view() }).collect())
}

pub(crate) async fn of_cart_in_tx(tx: &mut Tx, cart: CartId) -> TxResult<Vec<GiftRow>> {
    Ok(tx.all(&IN_CART, params![cart]).await?)
}

/// The gift cards that a checkout buys.
pub(crate) async fn in_checkout(engine: &Engine, id: CheckoutId) -> Result<Vec<Gift>> {
    let rows: Vec<GiftRow> = engine.db.all(&OF_CHECKOUT, params![id]).await?;
    Ok(rows.into_iter().map(GiftRow::view).collect())
}

/// Issues the gift cards of a checkout that was just completed, and takes them out of its cart. Those of today are sent. Returns the
/// postings, and the rows of the outbox, which the caller writes.
pub(crate) async fn issue_in_tx(
    tx: &mut Tx,
    (secret, zone): (&SigningKey, &Zone),
    (id, cart): (CheckoutId, CartId),
    now: i64,
) -> TxResult<(Vec<(Posting, ledger::Reference)>, Vec<[Value; 4]>)> {
    let gifts: Vec<GiftRow> = tx.all(&OF_CHECKOUT, params![id]).await?;
    let today = zone.day(now);
    let (mut postings, mut messages, mut codes) = (Vec::new(), Vec::new(), Vec::new());
    for gift in &gifts {
        let card: GiftCardId = Id::from_uuid(gift.id);
        codes.push(code_of(secret, card));
        postings.push((gift_card_sold(gift.amount())?, ledger::Reference::new(gift.id, None)));
        if gift.send_on.is_none_or(|day| day <= today) {
            messages.push(outbox::row(OutboxMessage::GiftCardSent, card, now));
        }
    }
    let hashes: Vec<[u8; 32]> = codes.iter().map(|code| random::token_hash(code)).collect();
    let cards = gifts.iter().zip(&codes).zip(&hashes).map(|((gift, code), hash)| {
        let send_at = gift.send_on.filter(|day| *day > today).map(|day| zone.begins(day) + SEND_AT_MS);
        AddCard {
            id: Id::from_uuid(gift.id),
            code_hash: hash,
            last4: &code[CODE_LETTERS - 4..],
            currency: gift.currency,
            issued_minor: gift.amount_minor,
            balance_minor: gift.amount_minor,
            reason: "",
            issued_by: None,
            expires_at: None,
            gift_id: Some(gift.id),
            send_at,
            mailed_at: send_at.is_none().then_some(now),
            mails: i64::from(send_at.is_none()),
            created_at: now,
            updated_at: now,
        }
    });
    tx.insert_all(cards.collect::<Vec<_>>()).await?;
    tx.exec(&EMPTY_CART, params![cart, id]).await?;
    Ok((postings, messages))
}

/// Sends the gift cards whose day has come.
pub async fn send_due(engine: &Engine) -> TxResult<()> {
    let sent = engine
        .db
        .write("gift_cards::send_due", engine.clock.now_ms(), |tx, now| {
            Box::pin(async move {
                let due: Vec<Scalar<GiftCardId>> = tx.all(&DUE, params![*now, BATCH]).await?;
                let messages: Vec<_> =
                    due.iter().map(|card| outbox::row(OutboxMessage::GiftCardSent, card.0, *now)).collect();
                tx.exec_many(&outbox::WRITE, &messages).await?;
                Ok(!messages.is_empty())
            })
        })
        .await?;
    if sent {
        engine.bus.publish(Topic::Outbox, "");
    }
    Ok(())
}

/// The gift cards of a purchase.
pub(crate) async fn of_purchase(
    engine: &Engine,
    caller: &Caller,
    purchase: PurchaseId,
) -> Result<Vec<BoughtGift>> {
    let rows: Vec<BoughtRow> = engine.db.all(&OF_PURCHASE, params![purchase]).await?;
    Ok(rows.into_iter().map(|row| row.view(engine, caller)).collect())
}

/// A gift card that is sent, with its code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GiftCardNotice {
    /// The card.
    pub gift: Gift,
    /// Its code, in groups.
    pub code: String,
}

/// The gift cards of a batch of notifications: those that are sent, by their IDs, and those of purchases that are confirmed.
pub(crate) type NotifiedGifts = (Vec<(Uuid, GiftCardNotice)>, Vec<(PurchaseId, BoughtGift)>);

pub(crate) async fn notification_data(
    engine: &Engine,
    reader: &Caller,
    claim: Id<Job>,
) -> Result<NotifiedGifts> {
    let sent: Vec<BoughtRow> = engine.db.all(&NOTIFIED, params![claim]).await?;
    let sent = sent.into_iter().map(|row| {
        let id = row.gift.id;
        let code = grouped(&code_of(&engine.secret, Id::from_uuid(id)));
        (id, GiftCardNotice { gift: row.gift.view(), code })
    });
    let bought: Vec<BoughtRow> = engine.db.all(&BOUGHT_WITH, params![claim]).await?;
    let bought = bought.into_iter().map(|row| (row.purchase_id, row.view(engine, reader)));
    Ok((sent.collect(), bought.collect()))
}
