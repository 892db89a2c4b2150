//! Codes that shoppers enter for their carts.

use crate::{
    Caller, Engine, TxResult, carts,
    db::{Scalar, Tx},
    insert, params,
    quotas::{self, HOUR_MS, QuotaKind},
    rows, statements,
};
use haat_shared::{
    Conflict, Error, FieldCode, Result,
    carts::CartView,
    gift_cards::{GiftCardRefusal, is_card_code},
    id::kinds::{CartId, PromotionId},
    promotions::{CODES_MAX, Refusal, fold_code},
};

statements! {
    // Those of the shops in the cart come first, then the market's.
    FIND = "SELECT p.id, p.shop_id IS NULL OR p.shop_id IN (SELECT l.shop_id FROM cart_lines l WHERE l.cart_id = $2) AS here
        FROM promotions p WHERE p.code_folded = $1 ORDER BY p.shop_id IS NULL, p.id";
    COUNT = "SELECT COUNT(*) AS value FROM cart_codes WHERE cart_id = $1";
    REMOVE = "DELETE FROM cart_codes WHERE cart_id = $1 AND promotion_id = $2";
    CLEAR = "DELETE FROM cart_codes WHERE cart_id = $1";
}

insert! {
    struct AddCode into cart_codes {
        cart_id: CartId,
        promotion_id: PromotionId;
        // Later than those before it, also within a millisecond: they apply in this order.
        created_at = "(SELECT CASE WHEN MAX(k.created_at) >= given.entered_at THEN MAX(k.created_at) + 1 ELSE given.entered_at END
            FROM cart_codes k WHERE k.cart_id = given.cart_id)",
    } => [entered_at: i64] "given WHERE TRUE ON CONFLICT (cart_id, promotion_id) DO NOTHING"
}

rows! {
    struct Found {
        id: PromotionId,
        here: bool,
    }
}

const ATTEMPTS: QuotaKind = ("codes_of_origin", HOUR_MS);

/// Enters a code for the caller's cart. If it doesn't apply, it is refused with the reason, and the cart stays as it is.
pub async fn add_code(engine: &Engine, caller: &Caller, typed: &str) -> Result<CartView> {
    let cart = carts::find(engine, caller).await?.ok_or(Conflict::CartEmpty)?;
    let (view, added) = try_code(engine, caller, cart, typed).await?;
    let refusals = || view.discounts.iter().filter(|d| d.promotion_id.is_some_and(|id| added.contains(&id)));
    let refusal = refusals().find_map(|discount| Some((discount.refusal?, discount.limit)));
    match refusal {
        // Of the coupons of several shops with the same code, those that apply stay.
        Some((refusal, limit)) if refusals().all(|discount| discount.refusal.is_some()) => {
            remove(engine, cart, added).await?;
            Err(Conflict::of_code(refusal, limit).into())
        }
        _ => {
            discount_attempt(engine, caller).await?;
            Ok(view)
        }
    }
}

/// What the caller's cart would cost with a code, without entering it.
pub async fn check_code(engine: &Engine, caller: &Caller, typed: &str) -> Result<CartView> {
    let cart = carts::find(engine, caller).await?.ok_or(Conflict::CartEmpty)?;
    let (view, added) = try_code(engine, caller, cart, typed).await?;
    remove(engine, cart, added).await?;
    Ok(view)
}

/// Enters a code, whether it applies or not. Returns the coupons that were added by it.
async fn try_code(
    engine: &Engine,
    caller: &Caller,
    cart: CartId,
    typed: &str,
) -> Result<(CartView, Vec<PromotionId>)> {
    let code = fold_code(typed);
    if code.is_empty() {
        return Err(Error::field("code", FieldCode::Missing));
    }
    count_attempt(engine, caller).await?;
    let input = (cart, code, engine.clock.now_ms());
    let added = engine
        .db
        .write(("carts::add_code", cart), input, |tx, (cart, code, now)| {
            Box::pin(add_in_tx(tx, *cart, code, *now))
        })
        .await;
    // Gift cards pay: they belong to the checkout.
    let added = added.map_err(Error::from).map_err(|error| match error {
        Error::Conflict(Conflict::Code(Refusal::Unknown)) if is_card_code(typed) => {
            Conflict::GiftCard(GiftCardRefusal::AtCheckout).into()
        }
        other => other,
    })?;
    Ok((carts::view_of(engine, caller, cart).await?, added))
}

/// Takes an attempt back: whoever has a code that applies isn't trying them out.
async fn discount_attempt(engine: &Engine, caller: &Caller) -> Result<()> {
    let Some(origin) = caller.origin else { return Ok(()) };
    let back = engine.db.write("carts::attempt", (origin, engine.clock.now_ms()), |tx, (origin, now)| {
        Box::pin(async move {
            quotas::spend_in_tx(tx, &[((ATTEMPTS, *origin), -1)].into(), *now).await?;
            Ok(())
        })
    });
    Ok(back.await?)
}

/// Counts an attempt, so that nobody can try out all codes.
pub(crate) async fn count_attempt(engine: &Engine, caller: &Caller) -> Result<()> {
    let Some(origin) = caller.origin else { return Ok(()) };
    let input = (origin, engine.bounds.codes_per_hour, engine.clock.now_ms());
    let count = engine.db.write("carts::attempt", input, |tx, (origin, most, now)| {
        Box::pin(async move {
            let what = [((ATTEMPTS, *origin), 1)].into();
            let used = quotas::spend_in_tx(tx, &what, *now).await?;
            if used.values().any(|used| used > most) {
                let retry_after_s = u32::try_from((HOUR_MS - *now % HOUR_MS) / 1000).unwrap_or(3600);
                return Err(Error::RateLimited { retry_after_s }.into());
            }
            Ok(())
        })
    });
    Ok(count.await?)
}

async fn add_in_tx(tx: &mut Tx, cart: CartId, code: &str, now: i64) -> TxResult<Vec<PromotionId>> {
    let found: Vec<Found> = tx.all(&FIND, params![code, cart]).await?;
    if found.is_empty() {
        return Err(Conflict::Code(Refusal::Unknown).into());
    }
    if found.iter().all(|found| !found.here) {
        return Err(Conflict::Code(Refusal::OtherItems).into());
    }
    let mut added = Vec::new();
    for found in found.into_iter().filter(|found| found.here) {
        if tx.insert(AddCode { cart_id: cart, promotion_id: found.id, entered_at: now }).await? {
            added.push(found.id);
        }
    }
    let count: Option<Scalar<i64>> = tx.opt(&COUNT, params![cart]).await?;
    if count.is_some_and(|count| count.0 > CODES_MAX as i64) {
        return Err(Conflict::Code(Refusal::TooMany).into());
    }
    if !added.is_empty() {
        carts::touch_in_tx(tx, cart, now).await?;
    }
    Ok(added)
}

/// Removes a coupon from the caller's cart.
pub async fn remove_code(engine: &Engine, caller: &Caller, promotion: PromotionId) -> Result<CartView> {
    let cart = carts::find(engine, caller).await?.ok_or(Error::NotFound)?;
    remove(engine, cart, vec![promotion]).await?;
    carts::view_of(engine, caller, cart).await
}

async fn remove(engine: &Engine, cart: CartId, promotions: Vec<PromotionId>) -> Result<()> {
    let input = (cart, promotions, engine.clock.now_ms());
    let removed = engine.db.write(("carts::remove_code", cart), input, |tx, (cart, promotions, now)| {
        Box::pin(async move {
            let mut removed = 0;
            for promotion in promotions {
                removed += tx.exec(&REMOVE, params![*cart, *promotion]).await?;
            }
            if removed > 0 {
                carts::touch_in_tx(tx, *cart, *now).await?;
            }
            Ok(())
        })
    });
    Ok(removed.await?)
}

/// The codes of a cart were used.
pub(crate) async fn clear_in_tx(tx: &mut Tx, cart: CartId) -> TxResult<()> {
    tx.exec(&CLEAR, params![cart]).await?;
    Ok(())
}
