//! The reviews of a shop's products, and the shop's replies to them.

use super::listing::{ReviewRow, views};
use crate::{
    Caller, Engine, cursor,
    db::{CountRow, Value},
    lists, params, rows, statements,
};
use haat_shared::{
    Error, FieldCode, Result,
    id::kinds::{ProductId, Review, ReviewId},
    page::{self, Counted, ListRequest, Page},
    permissions::Permission,
    reviews::{Moderation, REPLY_MAX, ShopReview, is_fit_to_reply},
    text,
};

/// The number of reviews per page.
const PAGE_SIZE: usize = 20;

lists! {
    REVIEWS {
        select: "SELECT r.id, r.user_id, r.rating, r.title, r.body, r.anonymous, r.reply, r.replied_at, r.helpful, r.version, r.created_at,
            u.name AS author, p.id AS product_id, p.title AS product_title, p.slug AS product_slug, s.name AS shop_name, CAST(r.rating AS TEXT) AS stars
            FROM reviews r JOIN users u ON u.id = r.user_id JOIN products p ON p.id = r.product_id JOIN shops s ON s.id = r.shop_id",
        base_filter: "r.state = 'published'",
        filters: &[
            ("shop", "r.shop_id = {}"),
            ("stars", "CAST(r.rating AS TEXT) = {}"),
            ("unanswered", "r.replied_at IS NULL AND {} = TRUE"),
        ],
        sorts: &[("newest", "r.id < {}", "r.id DESC")],
    }
}

statements! {
    REPLY = "UPDATE reviews SET reply = $3, replied_at = COALESCE(replied_at, $4) WHERE id = $1 AND shop_id = $2 AND state = 'published'";
    UNREPLY = "UPDATE reviews SET reply = '', replied_at = NULL WHERE id = $1 AND shop_id = $2 AND state = 'published'";
}

rows! {
    struct ShopReviewRow {
        product_id: ProductId,
        product_title: String,
        product_slug: String,
        shop_name: String;
        review: ReviewRow
    }
}

/// The published reviews of a shop's products, newest first: all, those with `1` to `5` stars, or those that are `unanswered`; with
/// the number of each.
pub async fn of_shop(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    of: &ListRequest,
) -> Result<Counted<ShopReview>> {
    let shop = caller.shop(handle, Permission::AnswerCustomers)?;
    let all = || vec![("shop", Value::from(shop))];
    let mut unanswered = all();
    unanswered.push(("unanswered", true.into()));
    let filters = match of.state.as_str() {
        "" => all(),
        "unanswered" => unanswered.clone(),
        stars @ ("1" | "2" | "3" | "4" | "5") => vec![("shop", shop.into()), ("stars", stars.into())],
        _ => return Err(Error::field("state", FieldCode::NotAChoice)),
    };
    let (after, size) = (cursor::<Review>(&of.after)?.map(Into::into), page::rows(of.limit, PAGE_SIZE));
    let rows: Vec<ShopReviewRow> = engine.db.list(REVIEWS.bind(filters, "newest", after, size + 1)).await?;
    let Page { items, next } = Page::cut(rows, size, |row| row.review.id.to_string());
    let (mut reviews, mut products) = (Vec::new(), Vec::new());
    for row in items {
        products.push((row.product_id, row.product_title, row.product_slug, row.shop_name));
        reviews.push(row.review);
    }
    let reviews = views(engine, caller, reviews).await?;
    let items = reviews.into_iter().zip(products).map(|(review, of)| {
        let (product_id, product_title, product_slug, shop_name) = of;
        ShopReview { product_id, product_title, product_slug, shop_name, review }
    });
    let page = Page { items: items.collect(), next };
    let mut counts: Vec<CountRow> = engine.db.list(REVIEWS.count_by("stars", all())).await?;
    counts.extend(CountRow::sum("unanswered", engine.db.list(REVIEWS.count(unanswered)).await?));
    Ok(CountRow::with(counts, page))
}

/// Replies to a review in public, changes the reply, or removes it if the text is empty.
pub async fn reply(engine: &Engine, caller: &Caller, handle: &str, id: ReviewId, words: &str) -> Result<()> {
    let shop = caller.shop(handle, Permission::AnswerCustomers)?;
    let words = text::paragraphs("reply", words, REPLY_MAX).map_err(|fault| Error::Invalid(vec![fault]))?;
    if engine.reviews.moderation != Moderation::None && !is_fit_to_reply(&words) {
        return Err(Error::field("reply", FieldCode::Unfit));
    }
    let input = (id, shop, words, engine.clock.now_ms());
    let write = engine.db.write(("reviews::reply", id), input, |tx, (id, shop, words, now)| {
        Box::pin(async move {
            Ok(match words.is_empty() {
                true => tx.exec(&UNREPLY, params![*id, *shop]).await?,
                false => tx.exec(&REPLY, params![*id, *shop, &**words, *now]).await?,
            })
        })
    });
    if write.await? == 0 { Err(Error::NotFound) } else { Ok(()) }
}
