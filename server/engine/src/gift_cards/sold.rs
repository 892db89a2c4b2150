//! Gift cards that are bought: put in a cart, mailed again and refunded.

use crate::{
    Caller, Engine, TxError, audit, bug,
    bus::Topic,
    carts::{self, Changed},
    checkout,
    db::Scalar,
    insert, ledger, orders,
    outbox::{self, OutboxMessage},
    params, payments, random, rows, statements,
};
use haat_shared::{
    Conflict, Currency, Error, Money, Result,
    gift_cards::{DAYS_AHEAD, GiftCardForm, GiftCardRefusal, GiftCardTerms, IN_CART_MAX},
    id::kinds::{CartGiftId, CartId, GiftCardId, PurchaseId},
    ledger::gift_card_refunded,
    permissions::AdminPermission,
    shipping::date,
    text,
};

/// How long a buyer waits before a card can be sent again, and how often it can.
const RESEND_MS: i64 = 60_000;
const RESENDS_MAX: i64 = 5;

statements! {
    REMOVE = "DELETE FROM cart_gifts WHERE id = $1 AND cart_id = $2";
    AGAIN = "UPDATE gift_cards SET mailed_at = $2, mails = mails + 1, updated_at = $2
        WHERE id = $1 AND mails BETWEEN 1 AND $4 AND mailed_at <= $3 AND NOT disabled";
    OF_BUYER = "SELECT g.id AS value FROM checkout_gifts g JOIN purchases u ON u.checkout_id = g.checkout_id
        WHERE g.id = $1 AND u.number = $2";
    // Nobody can spend it from here on.
    REFUND = "UPDATE gift_cards SET balance_minor = 0, disabled = TRUE, refunded_at = $2, updated_at = $2
        WHERE id = $1 AND gift_id IS NOT NULL AND refunded_at IS NULL AND balance_minor = issued_minor AND NOT EXISTS
            (SELECT 1 FROM checkout_gifts g JOIN payments p ON p.checkout_id = g.checkout_id JOIN disputes d ON d.payment_id = p.id
                WHERE g.id = gift_cards.id AND d.state IN ('open', 'lost'))";
    EXISTS = "SELECT id AS value FROM gift_cards WHERE id = $1";
    SOLD_IN = "SELECT u.id, g.amount_minor, u.currency FROM checkout_gifts g JOIN purchases u ON u.checkout_id = g.checkout_id WHERE g.id = $1";
    LOCK_SALE = "UPDATE checkouts SET updated_at = updated_at WHERE id = (SELECT checkout_id FROM checkout_gifts WHERE id = $1)";
}

insert! {
    struct AddCartGift<'a> into cart_gifts {
        id: CartGiftId,
        cart_id: CartId,
        amount_minor: i64,
        currency: Currency,
        recipient_name: &'a str,
        recipient_email: &'a str,
        sender_name: &'a str,
        message: &'a str,
        send_on: Option<i64>,
        locale: &'a str,
        created_at: i64,
    } => [most: i64] "given WHERE (SELECT COUNT(*) FROM cart_gifts g WHERE g.cart_id = given.cart_id) < given.most"
}

rows! {
    struct SoldRow {
        id: PurchaseId,
        amount_minor: i64,
        currency: Currency,
    }
}

/// At what amounts the market sells gift cards. None if it doesn't, or has only payment methods by which they can't be paid.
pub fn terms(engine: &Engine) -> Option<&GiftCardTerms> {
    let payable = || checkout::offered(engine, Some(engine.currency)).iter().any(|m| m.collected_by_market());
    engine.gift_cards.as_ref().filter(|_| payable())
}

/// What the page that sells gift cards shows: the amounts, and the first and the last day on which a card can be sent.
pub async fn offer(engine: &Engine) -> Result<Option<(GiftCardTerms, [String; 2])>> {
    let today = engine.zone.day(engine.clock.now_ms());
    let days = [today, today + DAYS_AHEAD].map(date);
    Ok(terms(engine).cloned().map(|terms| (terms, days)))
}

/// Puts a gift card into the caller's cart, which is created if necessary.
pub async fn add_to_cart(engine: &Engine, caller: &Caller, form: &GiftCardForm) -> Result<Changed> {
    let terms = terms(engine).ok_or(Conflict::GiftCard(GiftCardRefusal::NotSold))?;
    let now = engine.clock.now_ms();
    let today = engine.zone.day(now);
    let mut gift = form.check(terms, today, engine.smtputf8).map_err(Error::Invalid)?;
    if gift.locale.is_empty() || gift.locale.len() > 16 || !gift.locale.is_ascii() {
        caller.locale.clone_into(&mut gift.locale);
    }
    // At once, if it is today.
    let send_on = text::day(&gift.send_on).filter(|day| *day > today);
    let Changed { view, token } = carts::open(engine, caller).await?;
    let cart = view.id.ok_or(Error::Internal)?;
    engine
        .db
        .write(
            ("gift_cards::add_to_cart", cart),
            (cart, gift, send_on, now),
            |tx, (cart, gift, send_on, now)| {
                Box::pin(async move {
                    let row = AddCartGift {
                        id: random::id(*now),
                        cart_id: *cart,
                        amount_minor: gift.amount.amount(),
                        currency: gift.amount.currency(),
                        recipient_name: &gift.recipient_name,
                        recipient_email: &gift.recipient_email,
                        sender_name: &gift.sender_name,
                        message: &gift.message,
                        send_on: *send_on,
                        locale: &gift.locale,
                        created_at: *now,
                        most: IN_CART_MAX,
                    };
                    if !tx.insert(row).await? {
                        return Err(Conflict::GiftCard(GiftCardRefusal::TooManyInCart).into());
                    }
                    carts::touch_in_tx(tx, *cart, *now).await
                })
            },
        )
        .await?;
    Ok(Changed { view: carts::view_of(engine, caller, cart).await?, token })
}

/// Removes a gift card from the caller's cart, if it is there.
pub async fn remove_from_cart(engine: &Engine, caller: &Caller, id: CartGiftId) -> Result<()> {
    let cart = carts::find(engine, caller).await?.ok_or(Error::NotFound)?;
    let input = (cart, id, engine.clock.now_ms());
    engine
        .db
        .write(("gift_cards::remove_from_cart", id), input, |tx, (cart, id, now)| {
            Box::pin(async move {
                if tx.exec(&REMOVE, params![*id, *cart]).await? == 0 {
                    return Err(Error::NotFound.into());
                }
                carts::touch_in_tx(tx, *cart, *now).await
            })
        })
        .await?;
    Ok(())
}

/// Sends a gift card again, for those who may see the purchase.
pub async fn resend(engine: &Engine, caller: &Caller, number: &str, key: &str, id: GiftCardId) -> Result<()> {
    orders::may_see(engine, caller, number, key).await?;
    let own: Option<Scalar<GiftCardId>> = engine.db.opt(&OF_BUYER, params![id, number]).await?;
    own.ok_or(Error::NotFound)?;
    engine
        .db
        .write(("gift_cards::resend", id), (id, engine.clock.now_ms()), |tx, (id, now)| {
            Box::pin(async move {
                if tx.exec(&AGAIN, params![*id, *now, *now - RESEND_MS, RESENDS_MAX]).await? == 0 {
                    return Err(Conflict::GiftCard(GiftCardRefusal::NotSentAgain).into());
                }
                let message = outbox::row(OutboxMessage::GiftCardSent, *id, *now);
                tx.exec_many(&outbox::WRITE, &[message]).await?;
                Ok::<_, TxError>(())
            })
        })
        .await?;
    engine.bus.publish(Topic::Outbox, "");
    Ok(())
}

/// Refunds a bought gift card of which nothing was spent: it can't be used from then on, and its buyer gets the money back.
pub async fn refund(engine: &Engine, caller: &Caller, id: GiftCardId) -> Result<()> {
    caller.admin(AdminPermission::ManagePayments)?;
    let input = (id, caller.user_id(), engine.clock.now_ms());
    engine
        .db
        .write(("gift_cards::refund", id), input, |tx, (id, user, now)| {
            Box::pin(async move {
                // Whatever changes payments locks their checkout first.
                tx.exec(&LOCK_SALE, params![*id]).await?;
                if tx.exec(&REFUND, params![*id, *now]).await? == 0 {
                    let found: Option<Scalar<GiftCardId>> = tx.opt(&EXISTS, params![*id]).await?;
                    found.ok_or(Error::NotFound)?;
                    return Err(Conflict::GiftCard(GiftCardRefusal::NotRefundable).into());
                }
                let sold: SoldRow = tx
                    .opt(&SOLD_IN, params![*id])
                    .await?
                    .ok_or_else(|| bug("a bought card without a purchase"))?;
                let amount = Money::new(sold.amount_minor, sold.currency);
                let about = ledger::Reference::new(id.uuid(), None);
                ledger::post(tx, &[(gift_card_refunded(amount)?, about)], *now).await?;
                let messages = payments::reserve_gift_refund_in_tx(tx, sold.id, amount, *now).await?;
                tx.exec_many(&outbox::WRITE, &messages).await?;
                audit::write(tx, *user, "gift_cards::refund", *id, "", *now).await
            })
        })
        .await?;
    engine.bus.publish(Topic::Outbox, "");
    Ok(())
}
