//! Counts what people do with products before they buy them: how often they are looked at, added to baskets, and brought to a
//! checkout. Nothing says who did.
//!
//! A node counts in memory and adds it to the market's counts every second.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use uuid::Uuid;

use crate::{Caller, Engine, TxResult, db::Value, statements};
use haat_shared::{
    analytics::{Source, is_robot},
    id::kinds::{ProductId, VariantId},
};

/// How many different things are counted at once; others are not, until the counts are added.
const COUNTED_MAX: usize = 20_000;
/// The "shop" whose counts are those of the whole market.
pub(crate) const MARKET: Uuid = Uuid::nil();

/// The counts of products and variants by shop. Products and variants share no IDs.
macro_rules! by_shop {
    ($values:literal, $insert:literal) => {
        concat!(
            "WITH given (thing, day, ",
            $values,
            "]) INSERT INTO ",
            $insert,
            " FROM given LEFT JOIN variants v ON v.id = given.thing JOIN products p ON p.id = COALESCE(v.product_id, given.thing) "
        )
    };
}

statements! {
    ADD_PRODUCTS = concat!(by_shop!("views, adds, checkouts) AS (VALUES [($1, $2, $3, $4, $5)",
            "product_activity (shop_id, day, product_id, views, adds, checkouts)
            SELECT p.shop_id, given.day, p.id, CAST(SUM(given.views) AS BIGINT), CAST(SUM(given.adds) AS BIGINT),
                CAST(SUM(given.checkouts) AS BIGINT)"),
        "WHERE TRUE GROUP BY p.shop_id, given.day, p.id ORDER BY p.shop_id, given.day, p.id
        ON CONFLICT (shop_id, day, product_id) DO UPDATE SET views = product_activity.views + excluded.views,
            adds = product_activity.adds + excluded.adds, checkouts = product_activity.checkouts + excluded.checkouts");
    ADD_HOURS = concat!(by_shop!("hour, views, adds, checkouts) AS (VALUES [($1, $2, $3, $4, $5, $6)",
            "activity_hours (shop_id, day, hour, views, adds, checkouts)
            SELECT p.shop_id, given.day, given.hour, CAST(SUM(given.views) AS BIGINT), CAST(SUM(given.adds) AS BIGINT),
                CAST(SUM(given.checkouts) AS BIGINT)"),
        "WHERE TRUE GROUP BY p.shop_id, given.day, given.hour ORDER BY p.shop_id, given.day, given.hour
        ON CONFLICT (shop_id, day, hour) DO UPDATE SET views = activity_hours.views + excluded.views,
            adds = activity_hours.adds + excluded.adds, checkouts = activity_hours.checkouts + excluded.checkouts");
    ADD_SOURCES = concat!(by_shop!("source, views) AS (VALUES [($1, $2, $3, $4)",
            "activity_sources (shop_id, day, source, views)
            SELECT p.shop_id, given.day, given.source, CAST(SUM(given.views) AS BIGINT)"),
        "WHERE TRUE GROUP BY p.shop_id, given.day, given.source ORDER BY p.shop_id, given.day, given.source
        ON CONFLICT (shop_id, day, source) DO UPDATE SET views = activity_sources.views + excluded.views");
    ADD_MARKET_HOUR = "INSERT INTO activity_hours (shop_id, day, hour, views, adds, checkouts) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (shop_id, day, hour) DO UPDATE SET views = activity_hours.views + excluded.views,
            adds = activity_hours.adds + excluded.adds, checkouts = activity_hours.checkouts + excluded.checkouts";
    ADD_MARKET_SOURCES = "INSERT INTO activity_sources (shop_id, day, source, views) VALUES [($1, $2, $3, $4)]
        ON CONFLICT (shop_id, day, source) DO UPDATE SET views = activity_sources.views + excluded.views";
}

/// How often something was looked at, added to a basket, and brought to a checkout.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    views: i64,
    adds: i64,
    checkouts: i64,
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.views += other.views;
        self.adds += other.adds;
        self.checkouts += other.checkouts;
    }
}

/// What this node has counted and the database doesn't know of yet.
#[derive(Default)]
pub struct Activity(Mutex<Counted>);

#[derive(Default)]
struct Counted {
    /// By product or variant.
    things: BTreeMap<Uuid, Counts>,
    /// Views by product and source.
    sources: BTreeMap<(Uuid, Source), i64>,
}

impl Activity {
    fn count(&self, thing: Uuid, counts: Counts, source: Option<Source>) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.sources.len().max(counted.things.len()) >= COUNTED_MAX {
            return;
        }
        counted.things.entry(thing).or_default().add(counts);
        if let Some(source) = source {
            *counted.sources.entry((thing, source)).or_default() += counts.views;
        }
    }

    /// A variant was added to a basket.
    pub(crate) fn added(&self, variant: VariantId) {
        self.count(variant.uuid(), Counts { adds: 1, ..Counts::default() }, None);
    }

    /// A basket with these variants came to a checkout.
    pub(crate) fn checked_out(&self, variants: impl IntoIterator<Item = VariantId>) {
        for variant in variants {
            self.count(variant.uuid(), Counts { checkouts: 1, ..Counts::default() }, None);
        }
    }

    fn take(&self) -> Counted {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes back what could not be added.
    fn put_back(&self, failed: Counted) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (thing, counts) in failed.things {
            counted.things.entry(thing).or_default().add(counts);
        }
        for (of, views) in failed.sources {
            *counted.sources.entry(of).or_default() += views;
        }
    }
}

/// A person opened the page of a product. Programs that read pages are not counted.
pub fn viewed(engine: &Engine, caller: &Caller, product: ProductId) {
    if !is_robot(&caller.device) {
        let counts = Counts { views: 1, ..Counts::default() };
        engine.activity.count(product.uuid(), counts, Some(caller.source));
    }
}

/// The rows of a step: of products, of the market's hour, and of sources.
struct Rows {
    products: Vec<[Value; 5]>,
    hours: Vec<[Value; 6]>,
    sources: Vec<[Value; 4]>,
    market: [Value; 6],
    market_sources: Vec<[Value; 4]>,
}

/// Adds what this node has counted to the market's counts. Days and hours are those of the market's time zone.
pub async fn flush(engine: &Engine) -> TxResult<()> {
    let counted = engine.activity.take();
    let Counted { things, sources } = &counted;
    if things.is_empty() {
        return Ok(());
    }
    let now = engine.clock.now_ms();
    let (day, hour) = (engine.zone.day(now), engine.zone.minute(now) / 60);
    let mut all = Counts::default();
    things.values().for_each(|counts| all.add(*counts));
    let mut by_source: BTreeMap<Source, i64> = BTreeMap::new();
    for ((_, source), views) in sources {
        *by_source.entry(*source).or_default() += views;
    }
    let rows = Rows {
        products: things
            .iter()
            .map(|(id, of)| [(*id).into(), day.into(), of.views.into(), of.adds.into(), of.checkouts.into()])
            .collect(),
        hours: things
            .iter()
            .map(|(id, of)| {
                [(*id).into(), day.into(), hour.into(), of.views.into(), of.adds.into(), of.checkouts.into()]
            })
            .collect(),
        sources: sources
            .iter()
            .map(|((id, source), views)| [(*id).into(), day.into(), source.as_str().into(), (*views).into()])
            .collect(),
        market: [
            MARKET.into(),
            day.into(),
            hour.into(),
            all.views.into(),
            all.adds.into(),
            all.checkouts.into(),
        ],
        market_sources: by_source
            .into_iter()
            .map(|(source, views)| [MARKET.into(), day.into(), source.as_str().into(), views.into()])
            .collect(),
    };
    let added = engine
        .db
        .write("activity::flush", rows, |tx, rows| {
            Box::pin(async move {
                tx.exec_many(&ADD_PRODUCTS, &rows.products).await?;
                tx.exec_many(&ADD_HOURS, &rows.hours).await?;
                tx.exec(&ADD_MARKET_HOUR, &rows.market).await?;
                if !rows.sources.is_empty() {
                    tx.exec_many(&ADD_SOURCES, &rows.sources).await?;
                    tx.exec_many(&ADD_MARKET_SOURCES, &rows.market_sources).await?;
                }
                Ok(())
            })
        })
        .await;
    if added.is_err() {
        engine.activity.put_back(counted);
    }
    added
}
