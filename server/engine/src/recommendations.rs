//! Recommendations: learned from purchases by a schedule, and shown with their reasons.
//!
//! What is learned are neighbours of products (`haat_recommend`), and the best sellers of categories for what has none yet. It
//! is stored under a version, which recommendations are read from only once all of it is there.

mod learn;

use learn::TOGETHER;
pub use learn::learn;

use std::collections::{HashMap, HashSet};

use haat_recommend::{Bought, Neighbour, Neighbours};
use uuid::Uuid;

use crate::{
    Caller, Engine, activity, catalog,
    db::{Scalar, Value},
    insert, params, rows, statements,
};
use haat_shared::{
    Result,
    catalog::{ProductCard, ProductView},
    id::kinds::{ProductId, UserId},
    recommendations::{
        BoughtProduct, Recommendation, RecommendationReason, Recommendations, RelatedProducts,
    },
};

/// How many are shown with a product, and to a user, at most.
const RELATED_SHOWN: usize = 4;
const SHOWN: usize = 8;
/// How many are looked at, since some may be out of stock.
const CANDIDATES: usize = 40;
/// How much of what a user bought is looked at: the latest.
const HISTORY: usize = 100;

statements! {
    RELATED = "SELECT r.other_id AS product_id, r.kind FROM recommended_products r
        WHERE r.version = (SELECT version FROM recommendation_models WHERE used)
            AND ((r.kind = 'together' AND r.product_id = $1)
                OR (r.kind = 'popular' AND r.product_id = (SELECT category_id FROM products WHERE id = $1)))
        ORDER BY CASE WHEN r.kind = 'together' THEN 0 ELSE 1 END, r.position LIMIT $2";
    BEST_SELLERS = "SELECT other_id AS value FROM recommended_products
        WHERE version = (SELECT version FROM recommendation_models WHERE used) AND kind = 'popular' AND product_id = $1
        ORDER BY position LIMIT $2";
    NEIGHBOURS = "SELECT r.product_id, r.other_id, r.score FROM (VALUES [($1)]) AS given
        JOIN recommended_products r ON r.product_id = given.column1
        WHERE r.version = (SELECT version FROM recommendation_models WHERE used) AND r.kind = 'alike'";
    BOUGHT = "SELECT l.product_id, MAX(o.created_at) AS bought_at FROM purchases u JOIN orders o ON o.purchase_id = u.id
        JOIN order_lines l ON l.order_id = o.id WHERE u.user_id = $1 AND o.state <> 'cancelled'
        GROUP BY l.product_id ORDER BY 2 DESC, 1";
    DISMISSED = "SELECT product_id AS value FROM dismissed_recommendations WHERE user_id = $1";
    TITLES = "SELECT p.id, p.title, p.slug FROM products p JOIN (VALUES [($1)]) AS given ON p.id = given.column1";
    WANTED = "SELECT recommendations AS value FROM users WHERE id = $1";
    SET_WANTED = "UPDATE users SET recommendations = $2 WHERE id = $1";
}

insert! {
    struct Dismiss into dismissed_recommendations {
        user_id: UserId,
        product_id: ProductId,
        created_at: i64,
    } => "given JOIN products p ON p.id = given.product_id WHERE TRUE ON CONFLICT (user_id, product_id) DO NOTHING"
}

rows! {
    struct RelatedRow {
        product_id: ProductId,
        kind: String,
    }

    struct NeighbourRow {
        product_id: Uuid,
        other_id: Uuid,
        score: i64,
    }

    struct BoughtRow {
        product_id: ProductId,
        bought_at: i64,
    }

    struct TitleRow {
        id: ProductId,
        title: String,
        slug: String,
    }
}

/// What must not be recommended to a caller: what they bought, what they have dismissed, and what their own shops sell.
#[derive(Default)]
struct Excluded {
    bought: Vec<BoughtRow>,
    products: HashSet<ProductId>,
    shops: HashSet<String>,
}

impl Excluded {
    async fn of(engine: &Engine, caller: &Caller) -> Result<Self> {
        let Some(user) = caller.user() else { return Ok(Self::default()) };
        let bought: Vec<BoughtRow> = engine.db.all(&BOUGHT, params![user.id]).await?;
        let dismissed: Vec<Scalar<ProductId>> = engine.db.all(&DISMISSED, params![user.id]).await?;
        let products = bought.iter().map(|row| row.product_id).chain(dismissed.into_iter().map(|row| row.0));
        let products = products.collect();
        Ok(Self { bought, products, shops: user.shops.iter().map(|shop| shop.handle.clone()).collect() })
    }

    /// Those of these products that can be recommended, in this order: published, in stock, and not excluded.
    async fn left(&self, engine: &Engine, caller: &Caller, ids: &[ProductId]) -> Result<Vec<ProductCard>> {
        let mut seen = HashSet::new();
        let ids = ids.iter().filter(|id| !self.products.contains(id) && seen.insert(**id));
        let ids: Vec<ProductId> = ids.take(CANDIDATES).copied().collect();
        let mut cards = catalog::cards(engine, caller, &ids).await?;
        cards.retain(|card| card.in_stock && !self.shops.contains(&card.shop_handle));
        Ok(cards)
    }
}

/// What goes with a product: what is bought together with it, then the best sellers of its category.
pub async fn related(engine: &Engine, caller: &Caller, product: ProductId) -> Result<Vec<Recommendation>> {
    let rows: Vec<RelatedRow> = engine.db.all(&RELATED, params![product, CANDIDATES as i64]).await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let together: HashSet<ProductId> =
        rows.iter().filter(|row| row.kind == TOGETHER).map(|row| row.product_id).collect();
    let ids: Vec<ProductId> = rows.iter().map(|row| row.product_id).filter(|id| *id != product).collect();
    let mut cards = Excluded::of(engine, caller).await?.left(engine, caller, &ids).await?;
    cards.truncate(RELATED_SHOWN);
    let shown = cards.into_iter().map(|product| {
        let reason = match together.contains(&product.id) {
            true => RecommendationReason::BoughtTogether,
            false => RecommendationReason::Popular,
        };
        Recommendation { product, reason, because: None }
    });
    Ok(shown.collect())
}

/// What the page of a product shows of it: the product, and what goes with it. That somebody looks at it is counted.
pub async fn product(engine: &Engine, caller: &Caller, slug: &str) -> Result<(ProductView, RelatedProducts)> {
    let product = catalog::product(engine, caller, slug).await?;
    activity::viewed(engine, caller, product.id);
    let found = related(engine, caller, product.id).await?;
    let together = found.iter().filter(|item| item.reason == RecommendationReason::BoughtTogether).count();
    let items = found.into_iter().map(|item| item.product).collect();
    Ok((product, RelatedProducts { items, together }))
}

/// What goes with a product, by its slug.
pub async fn related_by_slug(engine: &Engine, caller: &Caller, slug: &str) -> Result<Vec<Recommendation>> {
    let product = catalog::published(engine, slug).await?;
    related(engine, caller, product).await
}

/// What the user may like because of what they bought, if they want that, and then best sellers.
pub async fn for_you(engine: &Engine, caller: &Caller) -> Result<Recommendations> {
    let user = caller.signed_in()?;
    let wanted: Scalar<bool> = engine.db.one(&WANTED, params![user.id]).await?;
    if !wanted.0 {
        return Ok(Recommendations::default());
    }
    let excluded = Excluded::of(engine, caller).await?;
    let history: Vec<Bought> = excluded
        .bought
        .iter()
        .take(HISTORY)
        .map(|row| Bought { item: row.product_id.uuid().as_u128(), at_ms: row.bought_at })
        .collect();
    let given: Vec<[Value; 1]> =
        excluded.bought.iter().take(HISTORY).map(|row| [row.product_id.into()]).collect();
    let rows: Vec<NeighbourRow> = engine.db.all_many(&NEIGHBOURS, &given).await?;
    let mut neighbours = Neighbours::new();
    for row in rows {
        let neighbour = Neighbour { item: row.other_id.as_u128(), score: row.score };
        neighbours.entry(row.product_id.as_u128()).or_default().push(neighbour);
    }
    let of = |item| neighbours.get(&item).map(Vec::as_slice).unwrap_or_default();
    let found = haat_recommend::recommend(&history, engine.clock.now_ms(), 2 * CANDIDATES, of);
    let because: HashMap<ProductId, ProductId> =
        found.iter().map(|found| (product_id(found.item), product_id(found.because))).collect();
    let ids: Vec<ProductId> = found.iter().map(|found| product_id(found.item)).collect();
    let mut cards = excluded.left(engine, caller, &ids).await?;
    if cards.len() < SHOWN {
        let limit = CANDIDATES as i64;
        let best: Vec<Scalar<ProductId>> = engine.db.all(&BEST_SELLERS, params![Uuid::nil(), limit]).await?;
        let best: Vec<ProductId> =
            best.into_iter().map(|row| row.0).filter(|id| !because.contains_key(id)).collect();
        cards.extend(excluded.left(engine, caller, &best).await?);
    }
    cards.truncate(SHOWN);
    let named: HashSet<ProductId> = cards.iter().filter_map(|card| because.get(&card.id).copied()).collect();
    let named: Vec<[Value; 1]> = named.into_iter().map(|id| [id.into()]).collect();
    let titles: Vec<TitleRow> = engine.db.all_many(&TITLES, &named).await?;
    let titles: HashMap<ProductId, BoughtProduct> =
        titles.into_iter().map(|row| (row.id, BoughtProduct { title: row.title, slug: row.slug })).collect();
    let items = cards.into_iter().map(|product| {
        let because = because.get(&product.id).and_then(|id| titles.get(id)).cloned();
        let reason = match because {
            Some(_) => RecommendationReason::Purchase,
            None => RecommendationReason::Popular,
        };
        Recommendation { product, reason, because }
    });
    Ok(Recommendations { enabled: true, items: items.collect() })
}

fn product_id(item: u128) -> ProductId {
    ProductId::from_uuid(Uuid::from_u128(item))
}

/// Never recommends a product to the user again.
pub async fn dismiss(engine: &Engine, caller: &Caller, product: ProductId) -> Result<()> {
    let input = (caller.signed_in()?.id, product, engine.clock.now_ms());
    let write = engine.db.write("recommendations::dismiss", input, |tx, (user, product, now)| {
        Box::pin(async move {
            Ok(tx.insert(Dismiss { user_id: *user, product_id: *product, created_at: *now }).await?)
        })
    });
    write.await?;
    Ok(())
}

/// Sets whether the user wants recommendations because of what they bought.
pub async fn set_enabled(engine: &Engine, caller: &Caller, enabled: bool) -> Result<()> {
    let input = (caller.signed_in()?.id, enabled);
    let write = engine.db.write("recommendations::set_enabled", input, |tx, (user, enabled)| {
        Box::pin(async move { Ok(tx.exec(&SET_WANTED, params![*user, *enabled]).await?) })
    });
    write.await?;
    Ok(())
}
