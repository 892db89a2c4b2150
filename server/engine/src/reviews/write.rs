//! Writing reviews: for the account that has bought the item.

use super::{news, ratings};
use crate::{Caller, Engine, TxResult, bus::Topic, db::Tx, insert, params, random, rows, statements};
use haat_shared::{
    Conflict, Error, Result,
    id::kinds::{OrderId, ProductId, ReviewId, ShopId, UserId},
    media::Picture,
    orders::OrderState,
    reviews::{Bought, HoldReason, Moderation, NewReview, OwnReview, ReviewForm, ReviewRefusal, ReviewState},
};

statements! {
    LINE = "SELECT o.id AS order_id, l.product_id, o.shop_id, p.number AS purchase, o.state, l.quantity, l.refunded,
            o.paid_order_id IS NOT NULL AS exchange,
            EXISTS (SELECT 1 FROM appointments a WHERE a.order_id = o.id AND a.position = l.position AND a.state <> 'done') AS to_come,
            EXISTS (SELECT 1 FROM shop_members w WHERE w.shop_id = o.shop_id AND w.user_id = p.user_id) AS own_shop,
            l.title, l.variant_title, (SELECT x.slug FROM products x WHERE x.id = l.product_id AND x.state = 'published') AS slug,
            u.name, m.id AS media_id, m.width, m.height, m.color, pp.alt
        FROM orders o JOIN purchases p ON p.id = o.purchase_id JOIN users u ON u.id = p.user_id
        JOIN order_lines l ON l.order_id = o.id
        LEFT JOIN product_pictures pp ON pp.product_id = l.product_id AND pp.position = 0 LEFT JOIN media m ON m.id = pp.media_id
        WHERE o.number = $1 AND l.position = $2 AND p.user_id = $3";
    OWN = "SELECT id, rating, title, body, anonymous, state, held_because, note, version, updated_at FROM reviews
        WHERE order_id = $1 AND position = $2 AND state <> 'deleted'";
    LOCK = "UPDATE reviews SET version = version WHERE order_id = $1 AND position = $2
        RETURNING id, product_id, rating, title, body, anonymous, state, was_hidden, version";
    LOCK_OF_USER = "UPDATE reviews SET version = version
        WHERE order_id IN (SELECT o.id FROM orders o JOIN purchases p ON p.id = o.purchase_id WHERE p.user_id = $1) AND state <> 'deleted'
        RETURNING id, product_id, rating, title, body, anonymous, state, was_hidden, version";
    FORGET_DETAILS = "UPDATE review_reports SET details = '' WHERE user_id = $1 AND details <> ''";
    KEEP = "INSERT INTO review_versions (review_id, version, rating, title, body, created_at)
        SELECT id, version, rating, title, body, updated_at FROM reviews WHERE id = $1";
    CHANGE = "UPDATE reviews SET rating = $2, title = $3, body = $4, anonymous = $5, state = $6, held_because = $7,
        version = version + 1, updated_at = $8 WHERE id = $1";
    // The words that people found helpful, and that an admin has seen, are no longer there.
    UNCOUNT = "UPDATE reviews SET helpful = 0 WHERE id = $1";
    ERASE_CLOSED = "DELETE FROM review_reports WHERE review_id = $1 AND closed_at IS NOT NULL";
    ERASE = "UPDATE reviews SET state = 'deleted', held_because = NULL, title = '', body = '', note = '', reply = '', replied_at = NULL,
        helpful = 0, reports = 0, version = version + 1, updated_at = $2 WHERE id = $1";
    ERASE_VERSIONS = "DELETE FROM review_versions WHERE review_id = $1";
    ERASE_VOTES = "DELETE FROM review_votes WHERE review_id = $1";
    ERASE_REPORTS = "DELETE FROM review_reports WHERE review_id = $1";
}

insert! {
    struct AddReview<'a> into reviews {
        id: ReviewId,
        order_id: OrderId,
        position: i64,
        product_id: ProductId,
        shop_id: ShopId,
        user_id: UserId,
        rating: i64,
        title: &'a str,
        body: &'a str,
        anonymous: bool,
        state: ReviewState,
        held_because: Option<&'static str>,
        created_at: i64,
        updated_at: i64,
    } "ON CONFLICT (order_id, position) DO NOTHING"
}

rows! {
    struct LineRow {
        order_id: OrderId,
        product_id: ProductId,
        shop_id: ShopId,
        purchase: String,
        state: OrderState,
        quantity: i64,
        refunded: i64,
        exchange: bool,
        to_come: bool,
        own_shop: bool,
        title: String,
        variant_title: String,
        slug: Option<String>,
        name: String;
        picture: Option<Picture>
    }

    struct OwnRow {
        id: ReviewId,
        rating: i64,
        title: String,
        body: String,
        anonymous: bool,
        state: ReviewState,
        held_because: Option<HoldReason>,
        note: String,
        version: i64,
        updated_at: i64,
    }

    struct Locked {
        id: ReviewId,
        product_id: ProductId,
        rating: i64,
        title: String,
        body: String,
        anonymous: bool,
        state: ReviewState,
        was_hidden: bool,
        version: i64,
    }
}

impl LineRow {
    fn bought(&self) -> Bought {
        let Self { state, quantity, refunded, exchange, to_come, own_shop, .. } = *self;
        Bought { state, quantity, refunded, exchange, to_come, own_shop }
    }
}

impl Locked {
    /// Whether it says the same as another one.
    fn says(&self, new: &NewReview) -> bool {
        (self.rating, &self.title, &self.body, self.anonymous)
            == (new.rating, &new.title, &new.text, new.anonymous)
    }
}

/// What the page on which an item of an order is reviewed shows, for the account that has bought it.
pub async fn form(engine: &Engine, caller: &Caller, order: &str, position: i64) -> Result<ReviewForm> {
    let line = line(engine, caller, order, position).await?;
    let review = read(engine, caller, line.order_id, position).await?;
    Ok(ReviewForm {
        // A review can be changed whatever becomes of the order.
        refusal: if review.is_some() { None } else { line.bought().check().err() },
        purchase: line.purchase,
        title: line.title,
        variant_title: line.variant_title,
        slug: line.slug,
        picture: line.picture,
        name: line.name,
        review,
    })
}

/// The caller's review of an item of an order.
pub async fn own(engine: &Engine, caller: &Caller, order: &str, position: i64) -> Result<OwnReview> {
    let line = line(engine, caller, order, position).await?;
    read(engine, caller, line.order_id, position).await?.ok_or(Error::NotFound)
}

async fn line(engine: &Engine, caller: &Caller, order: &str, position: i64) -> Result<LineRow> {
    let user = caller.signed_in()?.id;
    engine.db.opt(&LINE, params![order, position, user]).await?.ok_or(Error::NotFound)
}

async fn read(engine: &Engine, caller: &Caller, order: OrderId, position: i64) -> Result<Option<OwnReview>> {
    let row: Option<OwnRow> = engine.db.opt(&OWN, params![order, position]).await?;
    Ok(row.map(|row| OwnReview {
        id: row.id,
        rating: row.rating,
        title: row.title,
        text: row.body,
        anonymous: row.anonymous,
        state: row.state,
        held_because: row.held_because,
        note: row.note,
        pictures: Vec::new(),
        version: row.version,
        updated_at: caller.time(engine, row.updated_at),
    }))
}

/// Reviews an item of an order, or changes the review. Saving the same again changes nothing.
pub async fn save(
    engine: &Engine,
    caller: &Caller,
    order: &str,
    position: i64,
    new: NewReview,
) -> Result<OwnReview> {
    let user = caller.signed_in()?.id;
    let new = new.check().map_err(Error::Invalid)?;
    let input = ((order.to_owned(), position, user), new, engine.reviews.moderation, engine.clock.now_ms());
    engine
        .db
        .write("reviews::save", input, |tx, (of, new, moderation, now)| {
            Box::pin(save_in_tx(tx, of, new, *moderation, *now))
        })
        .await?;
    engine.bus.publish(Topic::Outbox, "");
    own(engine, caller, order, position).await
}

async fn save_in_tx(
    tx: &mut Tx,
    (order, position, user): &(String, i64, UserId),
    new: &NewReview,
    moderation: Moderation,
    now: i64,
) -> TxResult<()> {
    let line: Option<LineRow> = tx.opt(&LINE, params![order, *position, *user]).await?;
    let line = line.ok_or(Error::NotFound)?;
    let held = moderation.holds([&new.title, &new.text]);
    let state = |held: Option<HoldReason>| match held {
        Some(_) => ReviewState::Held,
        None => ReviewState::Published,
    };
    let mut old: Option<Locked> = tx.opt(&LOCK, params![line.order_id, *position]).await?;
    if old.is_none() {
        line.bought().check().map_err(|refusal| refused(refusal, line.state))?;
        let id = random::id(now);
        let added = tx.insert(AddReview {
            id,
            order_id: line.order_id,
            position: *position,
            product_id: line.product_id,
            shop_id: line.shop_id,
            user_id: *user,
            rating: new.rating,
            title: &new.title,
            body: &new.text,
            anonymous: new.anonymous,
            state: state(held),
            held_because: held.map(HoldReason::as_str),
            created_at: now,
            updated_at: now,
        });
        if added.await? {
            news::tell_in_tx(tx, id, None, state(held), now).await?;
            return ratings::change_in_tx(tx, line.product_id, None, (state(held), new.rating)).await;
        }
        // By another request.
        old = tx.opt(&LOCK, params![line.order_id, *position]).await?;
    }
    let old = old.ok_or(Error::NotFound)?;
    if old.state == ReviewState::Deleted {
        line.bought().check().map_err(|refusal| refused(refusal, line.state))?;
    } else if old.says(new) {
        return Ok(());
    } else if old.version != new.version {
        return Err(Conflict::Edited(Vec::new()).into());
    } else {
        tx.exec(&KEEP, params![old.id]).await?;
        if old.anonymous == new.anonymous || !old.says(&NewReview { anonymous: old.anonymous, ..new.clone() })
        {
            tx.exec(&ERASE_VOTES, params![old.id]).await?;
            tx.exec(&UNCOUNT, params![old.id]).await?;
            tx.exec(&ERASE_CLOSED, params![old.id]).await?;
        }
    }
    let held = if old.was_hidden { Some(HoldReason::Changed) } else { held };
    tx.exec(
        &CHANGE,
        params![
            old.id,
            new.rating,
            &*new.title,
            &*new.text,
            new.anonymous,
            state(held),
            held.map(HoldReason::as_str),
            now
        ],
    )
    .await?;
    news::tell_in_tx(tx, old.id, Some(old.state), state(held), now).await?;
    let (before, after) = ((old.state, old.rating), (state(held), new.rating));
    ratings::change_in_tx(tx, old.product_id, Some(before), after).await
}

/// Why an item can't be reviewed, as an error.
fn refused(refusal: ReviewRefusal, state: OrderState) -> Error {
    match refusal {
        ReviewRefusal::OwnShop => Error::Denied,
        ReviewRefusal::NotDelivered | ReviewRefusal::Refunded | ReviewRefusal::Exchange => {
            Conflict::OrderMoved(state).into()
        }
    }
}

/// Deletes the caller's review of an item, with its earlier versions, its votes and the reply to it.
pub async fn delete(engine: &Engine, caller: &Caller, order: &str, position: i64) -> Result<()> {
    let order = line(engine, caller, order, position).await?.order_id;
    let input = (order, position, engine.clock.now_ms());
    engine
        .db
        .write("reviews::delete", input, |tx, (order, position, now)| {
            Box::pin(async move {
                let old: Option<Locked> = tx.opt(&LOCK, params![*order, *position]).await?;
                let old = old.filter(|old| old.state != ReviewState::Deleted).ok_or(Error::NotFound)?;
                erase_in_tx(tx, &old, *now).await
            })
        })
        .await
        .map_err(Into::into)
}

/// Only that there was a review stays.
async fn erase_in_tx(tx: &mut Tx, old: &Locked, now: i64) -> TxResult<()> {
    tx.exec(&ERASE, params![old.id, now]).await?;
    tx.exec(&ERASE_VERSIONS, params![old.id]).await?;
    tx.exec(&ERASE_VOTES, params![old.id]).await?;
    tx.exec(&ERASE_REPORTS, params![old.id]).await?;
    let after = (ReviewState::Deleted, old.rating);
    ratings::change_in_tx(tx, old.product_id, Some((old.state, old.rating)), after).await
}

/// Deletes all reviews of a user, and what they said about those of others.
pub(crate) async fn erase_of_user_in_tx(tx: &mut Tx, user: UserId, now: i64) -> TxResult<()> {
    let all: Vec<Locked> = tx.all(&LOCK_OF_USER, params![user]).await?;
    for review in &all {
        erase_in_tx(tx, review, now).await?;
    }
    tx.exec(&FORGET_DETAILS, params![user]).await?;
    Ok(())
}
