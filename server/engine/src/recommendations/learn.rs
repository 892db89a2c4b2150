//! Learning from the purchases of the market.

use std::collections::{HashMap, HashSet};

use haat_recommend::{Interaction, Neighbour, Neighbours, Quality, Settings};
use uuid::Uuid;

use crate::{Engine, TxResult, bug, db::Scalar, insert, params, rows, statements};

/// The kinds of what is learned: what is in one purchase, what the same shoppers bought, and the best sellers of a category.
pub(super) const TOGETHER: &str = "together";
const ALIKE: &str = "alike";
const POPULAR: &str = "popular";

const DAY_MS: i64 = 24 * 3_600_000;
/// What was bought before counts nothing.
const SINCE_MS: i64 = 730 * DAY_MS;
/// The days that each training is evaluated on.
const HELD_OUT_MS: i64 = 14 * DAY_MS;
/// How long a sale makes a product a best seller of its category.
const POPULAR_FOR_MS: i64 = 90 * DAY_MS;
/// The figures of fewer shoppers are chance.
const SHOPPERS_MIN: i64 = 20;
/// How much worse than before is still taken for chance, in percent, and until when a model isn't replaced by one that is
/// worse: products that are new since then have no recommendations.
const CHANCE_PERCENT: i64 = 10;
const KEPT_FOR_MS: i64 = 7 * DAY_MS;
/// For how long figures are kept.
const FIGURES_FOR_MS: i64 = 365 * DAY_MS;
/// How many orders, products and rows are read or written at once.
const ORDERS: i64 = 1_000;
const PRODUCTS: i64 = 5_000;
const ROWS: usize = 500;
/// How many neighbours are kept of what is bought together, and how many best sellers of a category.
const TOGETHER_KEPT: usize = 12;
const POPULAR_KEPT: usize = 40;

statements! {
    LINES = "SELECT o.id, o.created_at, l.product_id, p.id AS purchase_id,
            CASE WHEN u.recommendations THEN u.id ELSE p.id END AS shopper
        FROM (SELECT id, created_at, purchase_id, state, replaces FROM orders WHERE (created_at, id) > ($1, $2)
            ORDER BY created_at, id LIMIT $3) o
        JOIN order_lines l ON l.order_id = o.id JOIN purchases p ON p.id = o.purchase_id LEFT JOIN users u ON u.id = p.user_id
        WHERE o.state <> 'cancelled' AND o.replaces IS NULL AND l.refunded < l.quantity
        ORDER BY o.created_at, o.id, l.position";
    LAST_ORDER = "SELECT created_at, id FROM (SELECT created_at, id FROM orders WHERE (created_at, id) > ($1, $2)
        ORDER BY created_at, id LIMIT $3) o ORDER BY created_at DESC, id DESC LIMIT 1";
    PUBLISHED = "SELECT p.id, COALESCE(c.path, '') AS path FROM products p LEFT JOIN categories c ON c.id = p.category_id
        WHERE p.state = 'published' AND p.id > $1 ORDER BY p.id LIMIT $2";
    CATEGORIES = "SELECT id, path FROM categories";
    IN_USE = "SELECT version, shoppers, recall, mrr FROM recommendation_models WHERE used";
    RETIRE = "UPDATE recommendation_models SET used = FALSE WHERE used";
    USE = "UPDATE recommendation_models SET used = TRUE WHERE version = $1
        AND neighbours = (SELECT COUNT(*) FROM recommended_products WHERE version = $1)";
    OLD = "SELECT m.version AS value FROM recommendation_models m WHERE m.version < $1
        AND EXISTS (SELECT 1 FROM recommended_products r WHERE r.version = m.version) ORDER BY m.version";
    FORGET_ROWS = "DELETE FROM recommended_products WHERE version = $1 AND (kind, product_id) IN
        (SELECT kind, product_id FROM recommended_products WHERE version = $1 ORDER BY kind, product_id, position LIMIT $2)";
    FORGET_FIGURES = "DELETE FROM recommendation_models WHERE version < $1 AND NOT used";
}

insert! {
    struct AddModel into recommendation_models {
        version: i64,
        used: bool,
        interactions: i64,
        neighbours: i64,
        shoppers: i64,
        recall: i64,
        mrr: i64,
        coverage: i64,
        popular_recall: i64,
        popular_mrr: i64,
    }

    #[derive(Clone)]
    struct AddNeighbour into recommended_products {
        version: i64,
        kind: &'static str,
        product_id: Uuid,
        position: i64,
        other_id: Uuid,
        score: i64,
    }
}

rows! {
    struct LineRow {
        created_at: i64,
        product_id: Uuid,
        purchase_id: Uuid,
        shopper: Uuid,
    }

    struct OrderRow {
        id: Uuid,
        created_at: i64,
    }

    struct PathRow {
        id: Uuid,
        path: String,
    }

    struct InUseRow {
        version: i64,
        shoppers: i64,
        recall: i64,
        mrr: i64,
    }
}

/// What is learned, and how good it is.
struct Learned {
    kinds: [(&'static str, Neighbours); 3],
    quality: Quality,
    popular: Quality,
}

/// Learns from what was bought, and uses it unless it is worse than what was learned before. Returns whether it is used.
///
/// Users who don't want recommendations, and guests, are somebody else with each purchase.
pub async fn learn(engine: &Engine) -> TxResult<bool> {
    let now = engine.clock.now_ms();
    let products = published(engine).await?;
    let lines = lines(engine, now - SINCE_MS, &products).await?;
    let interactions = lines.len() as i64;
    let paths: Vec<PathRow> = engine.db.all(&CATEGORIES, params![]).await?;
    let categories = paths.into_iter().map(|row| (row.path, row.id)).collect();
    let work = move || compute(&lines, &products, &categories, now);
    let learned = tokio::task::spawn_blocking(work).await;
    let learned = learned.map_err(|panic| bug(format!("recommendations: {panic}")))?;
    let before: Option<InUseRow> = engine.db.opt(&IN_USE, params![]).await?;
    let used = before.as_ref().is_none_or(|before| is_good(&learned.quality, before, now));
    let rows = learned.kinds.iter().flat_map(|(kind, of)| rows_of(now, kind, of));
    let rows: Vec<AddNeighbour> = if used { rows.collect() } else { Vec::new() };
    store(engine, now, interactions, &learned, rows, used).await?;
    forget(engine, if used { Some(now) } else { before.map(|before| before.version) }, now).await?;
    let Quality { shoppers, recall, mrr, coverage } = learned.quality;
    tracing::info!(interactions, shoppers, recall, mrr, coverage, used, "recommendations learned");
    Ok(used)
}

/// Whether figures are not worse than those before, or one of them says nothing.
fn is_good(new: &Quality, before: &InUseRow, now: i64) -> bool {
    let enough = |shoppers: i64| shoppers >= SHOPPERS_MIN;
    let not_worse = |new: i64, before: i64| new * 100 >= before * (100 - CHANCE_PERCENT);
    !enough(new.shoppers)
        || !enough(before.shoppers)
        || now - before.version > KEPT_FOR_MS
        || (not_worse(new.recall, before.recall) && not_worse(new.mrr, before.mrr))
}

/// The products on sale, with the paths of their categories.
async fn published(engine: &Engine) -> TxResult<HashMap<Uuid, String>> {
    let mut found = HashMap::new();
    let mut after = Uuid::nil();
    loop {
        let rows: Vec<PathRow> = engine.db.all(&PUBLISHED, params![after, PRODUCTS]).await?;
        match rows.last() {
            Some(last) => after = last.id,
            None => return Ok(found),
        }
        found.extend(rows.into_iter().map(|row| (row.id, row.path)));
        // Lets others have their turn.
        tokio::task::yield_now().await;
    }
}

/// What was bought since then, of these products.
async fn lines(engine: &Engine, since: i64, products: &HashMap<Uuid, String>) -> TxResult<Vec<LineRow>> {
    let mut found = Vec::new();
    let mut after = OrderRow { id: Uuid::nil(), created_at: since };
    loop {
        let page = params![after.created_at, after.id, ORDERS];
        let rows: Vec<LineRow> = engine.db.all(&LINES, page).await?;
        found.extend(rows.into_iter().filter(|row| products.contains_key(&row.product_id)));
        // All orders of a page may be cancelled.
        match engine.db.opt(&LAST_ORDER, page).await? {
            Some(last) => after = last,
            None => return Ok(found),
        }
        tokio::task::yield_now().await;
    }
}

fn compute(
    lines: &[LineRow],
    products: &HashMap<Uuid, String>,
    categories: &HashMap<String, Uuid>,
    now: i64,
) -> Learned {
    // Half of the machine: the other half serves requests.
    let threads = std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2));
    let settings = Settings { threads, ..Settings::default() };
    let by = |user: fn(&LineRow) -> Uuid| {
        let interaction = |line: &LineRow| Interaction {
            user: user(line).as_u128(),
            item: line.product_id.as_u128(),
            at_ms: line.created_at,
            weight: 1.0,
        };
        lines.iter().map(interaction).collect::<Vec<_>>()
    };
    let (by_shopper, by_purchase) = (by(|line| line.shopper), by(|line| line.purchase_id));
    let together =
        haat_recommend::together(&by_purchase, now, &Settings { neighbours: TOGETHER_KEPT, ..settings });
    Learned {
        quality: haat_recommend::evaluate(&by_shopper, now - HELD_OUT_MS, &settings),
        popular: haat_recommend::evaluate_popular(&by_shopper, now - HELD_OUT_MS),
        kinds: [
            (TOGETHER, together),
            (ALIKE, haat_recommend::alike(&by_shopper, now, &settings)),
            (POPULAR, best_sellers(lines, products, categories, now - POPULAR_FOR_MS)),
        ],
    }
}

/// The best sellers of each category and of all products, by how many purchases they were in.
fn best_sellers(
    lines: &[LineRow],
    products: &HashMap<Uuid, String>,
    categories: &HashMap<String, Uuid>,
    since: i64,
) -> Neighbours {
    let mut purchases: HashMap<Uuid, HashSet<Uuid>> = HashMap::new();
    for line in lines.iter().filter(|line| line.created_at >= since) {
        purchases.entry(line.product_id).or_default().insert(line.purchase_id);
    }
    let mut best = Neighbours::new();
    for (product, purchases) in purchases {
        let sold = Neighbour { item: product.as_u128(), score: purchases.len() as i64 };
        let path = products.get(&product).map_or("", String::as_str);
        // Those above it, too: the path of each ends with a slash.
        let above = path.match_indices('/').filter_map(|(end, _)| categories.get(&path[..=end]));
        for category in above.copied().chain([Uuid::nil()]) {
            best.entry(category.as_u128()).or_default().push(sold);
        }
    }
    for sold in best.values_mut() {
        sold.sort_unstable_by_key(|sold| (std::cmp::Reverse(sold.score), sold.item));
        sold.truncate(POPULAR_KEPT);
    }
    best
}

fn rows_of(version: i64, kind: &'static str, of: &Neighbours) -> impl Iterator<Item = AddNeighbour> {
    of.iter().flat_map(move |(product, neighbours)| {
        (0..).zip(neighbours).map(move |(position, neighbour)| AddNeighbour {
            version,
            kind,
            product_id: Uuid::from_u128(*product),
            position,
            other_id: Uuid::from_u128(neighbour.item),
            score: neighbour.score,
        })
    })
}

/// Stores what was learned, in pieces, so that checkouts don't wait for it. In the end, it is used at once.
async fn store(
    engine: &Engine,
    version: i64,
    interactions: i64,
    learned: &Learned,
    rows: Vec<AddNeighbour>,
    used: bool,
) -> TxResult<()> {
    let (quality, popular) = (learned.quality, learned.popular);
    let input = (version, interactions, rows.len() as i64, quality, popular);
    engine
        .db
        .write("recommendations::add", input, |tx, (version, interactions, neighbours, quality, popular)| {
            Box::pin(async move {
                let model = AddModel {
                    version: *version,
                    used: false,
                    interactions: *interactions,
                    neighbours: *neighbours,
                    shoppers: quality.shoppers,
                    recall: quality.recall,
                    mrr: quality.mrr,
                    coverage: quality.coverage,
                    popular_recall: popular.recall,
                    popular_mrr: popular.mrr,
                };
                Ok(tx.insert(model).await?)
            })
        })
        .await?;
    if !used {
        return Ok(());
    }
    for piece in rows.chunks(ROWS) {
        engine
            .db
            .write("recommendations::add_rows", piece.to_vec(), |tx, rows| {
                Box::pin(async move { Ok(tx.insert_all(rows.iter().cloned()).await?) })
            })
            .await?;
    }
    engine
        .db
        .write("recommendations::use", version, |tx, version| {
            Box::pin(async move {
                tx.exec(&RETIRE, params![]).await?;
                match tx.exec(&USE, params![*version]).await? {
                    1 => Ok(()),
                    // Another node, which began later, has deleted some of it.
                    _ => Err(bug("recommendations: a version is not complete")),
                }
            })
        })
        .await
}

/// Deletes what is not used any more, in pieces, and old figures.
async fn forget(engine: &Engine, used: Option<i64>, now: i64) -> TxResult<()> {
    let old: Vec<Scalar<i64>> = match used {
        Some(used) => engine.db.all(&OLD, params![used]).await?,
        None => Vec::new(),
    };
    for version in old {
        let mut left = true;
        while left {
            let input = version.0;
            let deleted = engine.db.write("recommendations::forget", input, |tx, version| {
                Box::pin(async move { Ok(tx.exec(&FORGET_ROWS, params![*version, ROWS as i64]).await?) })
            });
            left = deleted.await? > 0;
        }
    }
    let write = engine.db.write("recommendations::forget_figures", now - FIGURES_FOR_MS, |tx, before| {
        Box::pin(async move { Ok(tx.exec(&FORGET_FIGURES, params![*before]).await?) })
    });
    write.await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_used_unless_its_figures_are_worse() {
        let figures = |shoppers, recall, mrr| Quality { shoppers, recall, mrr, ..Quality::default() };
        let before = |shoppers| InUseRow { version: 100 * DAY_MS, shoppers, recall: 100_000, mrr: 200_000 };
        let table = [
            (figures(50, 120_000, 220_000), 50, 1, true, "better"),
            (figures(50, 90_000, 180_000), 50, 1, true, "a tenth less may be chance"),
            (figures(50, 89_000, 200_000), 50, 1, false, "it finds less"),
            (figures(50, 100_000, 170_000), 50, 1, false, "it finds it later"),
            (figures(19, 0, 0), 50, 1, true, "too few shoppers to know"),
            (figures(50, 0, 0), 19, 1, true, "too few shoppers to compare with"),
            (figures(50, 0, 0), 50, 8, true, "the one before is too old"),
        ];
        for (new, shoppers, days, used, why) in table {
            assert_eq!(is_good(&new, &before(shoppers), (100 + days) * DAY_MS), used, "{why}");
        }
    }

    #[test]
    fn best_sellers_are_counted_for_each_category_above() {
        let [tea, cup, pen] = [1, 2, 3].map(Uuid::from_u128);
        let line = |purchase: u128, product_id: Uuid, created_at: i64| LineRow {
            created_at,
            product_id,
            purchase_id: Uuid::from_u128(purchase),
            shopper: Uuid::nil(),
        };
        let products = [(tea, "home/tea/"), (cup, "home/"), (pen, "")];
        let products = products.map(|(id, path)| (id, path.to_owned())).into();
        let (home, of_tea) = (Uuid::from_u128(10), Uuid::from_u128(11));
        let categories = [("home/".to_owned(), home), ("home/tea/".to_owned(), of_tea)].into();
        let lines = [
            line(1, tea, 5),
            line(1, tea, 5),
            line(2, cup, 5),
            line(3, cup, 5),
            line(4, pen, 5),
            line(5, tea, 1),
        ];
        let best = best_sellers(&lines, &products, &categories, 2);
        let of = |id: Uuid| best[&id.as_u128()].iter().map(|n| (n.item, n.score)).collect::<Vec<_>>();
        assert_eq!(of(home), [(2, 2), (1, 1)]);
        assert_eq!(of(of_tea), [(1, 1)]);
        assert_eq!(of(Uuid::nil()), [(2, 2), (1, 1), (3, 1)]);
    }
}
