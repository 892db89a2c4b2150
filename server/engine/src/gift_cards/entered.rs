//! The gift cards that a shopper enters in a checkout.

use super::{REMOVE, by_code, lock_in_tx, plan_in_tx};
use crate::{Caller, Engine, checkout, insert, params};
use haat_shared::{
    Conflict, Result,
    gift_cards::GiftCardRefusal,
    id::kinds::{CheckoutId, GiftCardId},
};

/// How many cards a checkout can have.
const CARDS_MAX: usize = 5;

insert! {
    struct ApplyCard into checkout_gift_cards {
        checkout_id: CheckoutId,
        gift_card_id: GiftCardId;
        amount_minor = "0",
        // Later than those before it, also within a millisecond: they pay in this order.
        created_at = "(SELECT CASE WHEN MAX(a.created_at) >= given.entered_at THEN MAX(a.created_at) + 1 ELSE given.entered_at END
            FROM checkout_gift_cards a WHERE a.checkout_id = given.checkout_id)",
    } => [entered_at: i64] "given WHERE TRUE ON CONFLICT (checkout_id, gift_card_id) DO NOTHING"
}

/// Enters a card in the caller's checkout. It pays once the checkout is paid.
pub async fn apply(engine: &Engine, caller: &Caller, id: CheckoutId, code: &str) -> Result<()> {
    let row = checkout::find(engine, caller, id).await?;
    let card = by_code(engine, caller, code).await?;
    let now = engine.clock.now_ms();
    if let Some(why) = card.refusal(row.currency(), now) {
        return Err(Conflict::GiftCard(why).into());
    }
    // Then a card pays all or nothing.
    let only_cash = !checkout::offered(engine, Some(row.currency())).iter().any(|m| m.collected_by_market());
    engine
        .db
        .write(("gift_cards::apply", id), (id, card.id, only_cash, now), |tx, (id, card, only_cash, now)| {
            Box::pin(async move {
                let checkout = lock_in_tx(tx, *id, *now).await?;
                if checkout.gift_minor >= checkout.goods_minor && checkout.goods_minor < checkout.total_minor
                {
                    return Err(Conflict::GiftCard(GiftCardRefusal::ForGiftCards).into());
                }
                if checkout.gift_minor >= checkout.total_minor {
                    return Err(Conflict::GiftCard(GiftCardRefusal::Unneeded).into());
                }
                tx.insert(ApplyCard { checkout_id: *id, gift_card_id: *card, entered_at: *now }).await?;
                let (cards, gift_minor) = plan_in_tx(tx, *id, true, *now).await?;
                match () {
                    () if cards > CARDS_MAX => Err(Conflict::GiftCard(GiftCardRefusal::TooMany).into()),
                    () if *only_cash && gift_minor < checkout.total_minor => {
                        Err(Conflict::GiftCard(GiftCardRefusal::WithCash).into())
                    }
                    () => Ok(()),
                }
            })
        })
        .await?;
    Ok(())
}

/// Removes a card from the caller's checkout, if it is there.
pub async fn remove(engine: &Engine, caller: &Caller, id: CheckoutId, card: GiftCardId) -> Result<()> {
    checkout::find(engine, caller, id).await?;
    let input = (id, card, engine.clock.now_ms());
    engine
        .db
        .write(("gift_cards::remove", id), input, |tx, (id, card, now)| {
            Box::pin(async move {
                lock_in_tx(tx, *id, *now).await?;
                if tx.exec(&REMOVE, params![*id, *card]).await? == 1 {
                    plan_in_tx(tx, *id, true, *now).await?;
                }
                Ok(())
            })
        })
        .await?;
    Ok(())
}
