//! The reviews of a product, for everyone; and what of a purchase can be reviewed.

use std::collections::HashSet;

use crate::{Caller, Engine, db::Scalar, lists, params, rows, statements};
use haat_shared::{
    Error, FieldCode, Result,
    id::kinds::{ProductId, ReviewId, UserId},
    page::{self, Page, PageRequest},
    reviews::{PAGE_SIZE, ProductReviews, Rating, ReviewReply, ReviewSort, ReviewView, Reviewable},
};

lists! {
    REVIEWS {
        select: "SELECT r.id, r.user_id, r.rating, r.title, r.body, r.anonymous, r.reply, r.replied_at, r.helpful, r.version, r.created_at,
            u.name AS author FROM reviews r JOIN users u ON u.id = r.user_id",
        base_filter: "r.state = 'published'",
        filters: &[("product", "r.product_id = {}")],
        sorts: &[
            ("newest", "r.id < {}", "r.id DESC"),
            ("helpful", "(r.helpful, r.id) < ({}, {})", "r.helpful DESC, r.id DESC"),
        ],
    }
}

statements! {
    PRODUCT = "SELECT id, rating_sum, rating_count FROM products WHERE slug = $1 AND state = 'published'";
    STARS = "SELECT rating, COUNT(*) AS number FROM reviews WHERE product_id = $1 AND state = 'published' GROUP BY rating";
    VOTES = "SELECT v.review_id AS value FROM (VALUES [($1, $2)]) AS given
        JOIN review_votes v ON v.review_id = given.column1 AND v.user_id = given.column2";
    OF_PURCHASE = "SELECT o.number, l.position, COALESCE(r.rating, 0) AS rating FROM purchases p
        JOIN orders o ON o.purchase_id = p.id JOIN order_lines l ON l.order_id = o.id
        LEFT JOIN reviews r ON r.order_id = l.order_id AND r.position = l.position AND r.state <> 'deleted'
        WHERE p.number = $1 AND p.user_id = $2 AND (r.id IS NOT NULL OR (o.state = 'delivered' AND o.paid_order_id IS NULL
            AND l.refunded < l.quantity
            AND NOT EXISTS (SELECT 1 FROM shop_members w WHERE w.shop_id = o.shop_id AND w.user_id = p.user_id)))
        ORDER BY o.number, l.position";
}

rows! {
    struct ProductRow {
        id: ProductId,
        rating_sum: i64,
        rating_count: i64,
    }

    struct StarsRow {
        rating: i64,
        number: i64,
    }

    pub(super) struct ReviewRow {
        pub(super) id: ReviewId,
        user_id: UserId,
        rating: i64,
        title: String,
        body: String,
        anonymous: bool,
        reply: String,
        replied_at: Option<i64>,
        helpful: i64,
        version: i64,
        created_at: i64,
        author: String,
    }

    struct ReviewableRow {
        number: String,
        position: i64,
        rating: i64,
    }
}

/// The published reviews of a product: how they rate it, and a page of them.
pub async fn of_product(
    engine: &Engine,
    caller: &Caller,
    slug: &str,
    sort: &str,
    of: impl Into<PageRequest<'_>>,
) -> Result<ProductReviews> {
    let of = of.into();
    let sort = match sort {
        "" => ReviewSort::Newest,
        name => ReviewSort::parse(name).ok_or(Error::field("sort", FieldCode::NotAChoice))?,
    };
    let after = behind(sort, of.after)?;
    let product: Option<ProductRow> = engine.db.opt(&PRODUCT, params![slug]).await?;
    let product = product.ok_or(Error::NotFound)?;
    let mut found = ProductReviews {
        rating: Rating::new(product.rating_sum, product.rating_count),
        signed_in: caller.user().is_some(),
        ..ProductReviews::default()
    };
    if product.rating_count == 0 {
        return Ok(found);
    }
    for StarsRow { rating, number } in engine.db.all::<StarsRow>(&STARS, params![product.id]).await? {
        let place = usize::try_from(5 - rating).ok().and_then(|place| found.stars.get_mut(place));
        if let Some(stars) = place {
            *stars = number;
        }
    }
    let size = page::rows(of.limit, PAGE_SIZE);
    let filters = vec![("product", product.id.into())];
    let rows = engine.db.list(REVIEWS.bind(filters, sort.as_str(), after, size + 1)).await?;
    let page = Page::cut(rows, size, |row: &ReviewRow| match sort {
        ReviewSort::Newest => row.id.to_string(),
        ReviewSort::Helpful => format!("{}.{}", row.id, row.helpful),
    });
    (found.items, found.next) = (views(engine, caller, page.items).await?, page.next);
    Ok(found)
}

/// The key from which a page continues.
fn behind(sort: ReviewSort, after: &str) -> Result<Vec<crate::db::Value>> {
    if after.is_empty() {
        return Ok(Vec::new());
    }
    let bad = || Error::field("after", FieldCode::BadCursor);
    let (id, helpful) = after.split_once('.').unwrap_or((after, ""));
    let id: ReviewId = id.parse().map_err(|_| bad())?;
    match sort {
        ReviewSort::Newest => Ok(vec![id.into()]),
        ReviewSort::Helpful => Ok(vec![helpful.parse::<i64>().map_err(|_| bad())?.into(), id.into()]),
    }
}

/// Reviews, as the caller sees them.
pub(super) async fn views(engine: &Engine, caller: &Caller, rows: Vec<ReviewRow>) -> Result<Vec<ReviewView>> {
    let user = caller.user_id();
    let mut voted = HashSet::new();
    if let Some(user) = user {
        let asked: Vec<_> = rows.iter().map(|row| [row.id.into(), user.into()]).collect();
        let votes: Vec<Scalar<ReviewId>> = engine.db.all_many(&VOTES, &asked).await?;
        voted.extend(votes.into_iter().map(|vote| vote.0));
    }
    let view = |row: ReviewRow| ReviewView {
        voted: voted.contains(&row.id),
        own: user == Some(row.user_id),
        id: row.id,
        rating: row.rating,
        title: row.title,
        text: row.body,
        author: (!row.anonymous).then_some(row.author),
        pictures: Vec::new(),
        created_at: caller.time(engine, row.created_at),
        edited: row.version > 1,
        helpful: row.helpful,
        reply: row.replied_at.map(|at| ReviewReply { text: row.reply, created_at: caller.time(engine, at) }),
    };
    Ok(rows.into_iter().map(view).collect())
}

/// The items of a purchase that its account can review, or has reviewed. None for others.
pub async fn of_purchase(engine: &Engine, caller: &Caller, purchase: &str) -> Result<Vec<Reviewable>> {
    let Some(user) = caller.user_id() else { return Ok(Vec::new()) };
    let rows: Vec<ReviewableRow> = engine.db.all(&OF_PURCHASE, params![purchase, user]).await?;
    let item =
        |row: ReviewableRow| Reviewable { order: row.number, position: row.position, rating: row.rating };
    Ok(rows.into_iter().map(item).collect())
}
