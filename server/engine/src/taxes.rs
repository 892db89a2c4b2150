//! Tax rates: what operators set, and the table that quotes read. Every node keeps it in memory for a few seconds.

use std::sync::{Arc, PoisonError, RwLock};

use crate::{
    Caller, Engine, TxResult, audit, bug,
    db::{Scalar, Tx},
    insert, params, random, rows, statements,
};
use haat_shared::{
    Currency, Error, FieldCode, Money, Result,
    id::kinds::{TaxRateId, UserId},
    permissions::AdminPermission,
    pricing::{self, Shipping, ShopItems},
    shipping::{self, ShippingOption},
    taxes::{
        self, Place, STANDARD, Sale, TaxBasis, TaxKind, TaxLine, TaxNote, TaxPreview, TaxRate, TaxRateCard,
        TaxRateDraft, TaxRateForm, TaxRateState, TaxSettings, TaxTable, Taxes,
    },
};

/// How long a node uses the table that it has read, so that changes on other nodes are seen.
const KEPT_MS: i64 = 5_000;

statements! {
    ALL = "SELECT id, country, region, tax_category, name, kind, rate_ppm, starts_at, ends_at FROM tax_rates
        ORDER BY country, region, tax_category, starts_at DESC, id";
    SETTINGS = "SELECT prices_include_tax, based_on, shipping_category FROM tax_settings";
    // Changes wait for each other here.
    LOCK = "UPDATE tax_settings SET version = version + 1";
    SAVE = "UPDATE tax_settings SET prices_include_tax = $1, based_on = $2, shipping_category = $3, version = version + 1";
    USED = "SELECT CAST(1 AS BIGINT) AS value FROM categories WHERE tax_category = $1 LIMIT 1";
    OF_CATEGORY = "SELECT id AS value FROM tax_rates WHERE tax_category = $1 LIMIT 1";
    OVERLAPPING = "SELECT id AS value FROM tax_rates WHERE country = $1 AND region = $2 AND tax_category = $3
        AND (kind = 'on_top') = $4 AND COALESCE(ends_at > $5, TRUE) AND COALESCE(starts_at < $6, TRUE) LIMIT 1";
    // The rate that has no end yet ends where a later one begins.
    FOLLOW = "UPDATE tax_rates SET ends_at = $5 WHERE country = $1 AND region = $2 AND tax_category = $3
        AND (kind = 'on_top') = $4 AND ends_at IS NULL AND starts_at < $5";
    END = "UPDATE tax_rates SET ends_at = CASE WHEN starts_at > $2 THEN starts_at ELSE $2 END
        WHERE id = $1 AND COALESCE(ends_at > $2, TRUE)";
    // What ended where a rate begins that never began goes on in its place.
    REOPEN = "UPDATE tax_rates SET ends_at = gone.ends_at FROM tax_rates gone
        WHERE gone.id = $1 AND gone.starts_at > $2 AND tax_rates.country = gone.country AND tax_rates.region = gone.region
            AND tax_rates.tax_category = gone.tax_category AND (tax_rates.kind = 'on_top') = (gone.kind = 'on_top')
            AND tax_rates.ends_at = gone.starts_at AND tax_rates.starts_at < gone.starts_at";
    REMOVE = "DELETE FROM tax_rates WHERE id = $1";
}

insert! {
    struct AddRate into tax_rates {
        id: TaxRateId,
        country: String,
        region: String,
        tax_category: String,
        name: String,
        kind: TaxKind,
        rate_ppm: i64,
        starts_at: i64,
        ends_at: Option<i64>,
        created_at: i64,
    }
}

rows! {
    struct RateRow {
        id: TaxRateId,
        country: String,
        region: String,
        tax_category: String,
        name: String,
        kind: TaxKind,
        rate_ppm: i64,
        starts_at: i64,
        ends_at: Option<i64>,
    }

    struct SettingsRow {
        prices_include_tax: bool,
        based_on: TaxBasis,
        shipping_category: String,
    }
}

impl From<RateRow> for TaxRate {
    fn from(row: RateRow) -> Self {
        let RateRow { country, region, tax_category, name, kind, rate_ppm, starts_at, ends_at, .. } = row;
        Self { country, region, tax_category, name, kind, rate_ppm, starts_at, ends_at }
    }
}

/// The table that this node has read, and when.
#[derive(Debug, Default)]
pub struct TaxCache(RwLock<Option<(i64, Arc<TaxTable>)>>);

impl TaxCache {
    fn get(&self, now: i64) -> Option<Arc<TaxTable>> {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().filter(|(read, _)| (0..KEPT_MS).contains(&(now - read))).map(|(_, table)| table.clone())
    }

    fn set(&self, kept: Option<(i64, Arc<TaxTable>)>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = kept;
    }
}

/// The table of rates.
pub(crate) async fn table(engine: &Engine) -> Result<Arc<TaxTable>> {
    let now = engine.clock.now_ms();
    if let Some(table) = engine.taxes.get(now) {
        return Ok(table);
    }
    let rates: Vec<RateRow> = engine.db.all(&ALL, params![]).await?;
    let mut table = TaxTable::new(settings_of(engine).await?, rates.into_iter().map(TaxRate::from).collect());
    table.home.clone_from(&engine.country);
    let table = Arc::new(table);
    engine.taxes.set(Some((now, table.clone())));
    Ok(table)
}

async fn settings_of(engine: &Engine) -> Result<TaxSettings> {
    let SettingsRow { prices_include_tax, based_on, shipping_category } =
        engine.db.one(&SETTINGS, params![]).await?;
    Ok(TaxSettings { prices_include_tax, based_on, shipping_category })
}

/// Where a shop is: in the market's country, `home`, if it names none.
pub(crate) fn seller(country: &str, region: &str, home: &str) -> Place {
    let country = if country.is_empty() { home } else { country };
    Place { country: country.to_owned(), region: region.to_owned() }
}

/// Where something is shipped to, for its taxes.
pub(crate) fn buyer(place: &shipping::Place) -> Place {
    Place { country: place.country().to_owned(), region: place.region().to_owned() }
}

/// Taxes as they are stored: name, rate, minor units, and whether prices include them.
pub(crate) fn stored(lines: &[TaxLine]) -> TxResult<String> {
    let rows: Vec<_> =
        lines.iter().map(|line| (&line.name, line.rate_ppm, line.amount.amount(), line.included)).collect();
    serde_json::to_string(&rows).map_err(|error| bug(error.to_string()))
}

/// Taxes that were [`stored`].
pub(crate) fn read(json: &str, currency: Currency) -> TxResult<Vec<TaxLine>> {
    let rows: Vec<(String, i64, i64, bool)> =
        serde_json::from_str(json).map_err(|error| bug(error.to_string()))?;
    let line = |(name, rate_ppm, minor, included)| TaxLine {
        name,
        rate_ppm,
        amount: Money::new(minor, currency),
        included,
    };
    Ok(rows.into_iter().map(line).collect())
}

/// The taxes of the parts of a shop's quote.
pub(crate) struct Taxed {
    pub(crate) lines: Vec<Taxes>,
    pub(crate) shipping: Taxes,
}

/// The taxes due on the parts of a quote, as its breakdowns add them up.
pub(crate) struct Due {
    pub(crate) lines: Vec<Vec<TaxLine>>,
    pub(crate) shipping: Vec<TaxLine>,
}

impl Taxed {
    /// Sets the taxes of a shop's lines, which are of these categories, and its shipping, by the option that was chosen.
    /// What is picked up is taxed where the shop is.
    pub(crate) fn set<'a>(
        items: &mut ShopItems,
        option: Option<&ShippingOption>,
        table: &TaxTable,
        sale: &Sale,
        categories: impl Iterator<Item = &'a str>,
    ) -> Self {
        let pickup = option.is_some_and(|option| !option.shipping_method.is_carried());
        let buyer = if pickup { sale.seller } else { sale.buyer };
        let sale = Sale { buyer, ..*sale };
        let taxed = Self {
            lines: categories.map(|category| table.on(&sale, category)).collect(),
            shipping: table.on_shipping(&sale),
        };
        for (line, taxes) in items.lines.iter_mut().zip(&taxed.lines) {
            line.tax = taxes.rule;
        }
        items.shipping = option.map(|option| Shipping { price: option.price, tax: taxed.shipping.rule });
        taxed
    }

    pub(crate) fn due(&self, quote: &pricing::ShopQuote) -> TxResult<Due> {
        let of_line = |(taxes, line): (&Taxes, &pricing::LineQuote)| {
            let totals = line.price.totals;
            Ok(taxes.lines(totals.subtotal.minus(totals.discount)?)?)
        };
        let lines = self.lines.iter().zip(&quote.lines).map(of_line).collect::<TxResult<_>>()?;
        let totals = quote.shipping.totals;
        Ok(Due { lines, shipping: self.shipping.lines(totals.shipping.minus(totals.discount)?)? })
    }
}

impl Due {
    pub(crate) fn all(self) -> impl Iterator<Item = TaxLine> {
        self.lines.into_iter().flatten().chain(self.shipping)
    }
}

fn card(engine: &Engine, caller: &Caller, row: RateRow, now: i64) -> TaxRateCard {
    let status = match () {
        () if row.ends_at.is_some_and(|end| end <= now) => TaxRateState::Ended,
        () if row.starts_at > now => TaxRateState::Scheduled,
        () => TaxRateState::Active,
    };
    TaxRateCard {
        id: row.id,
        country: row.country,
        region: row.region,
        tax_category: row.tax_category,
        name: row.name,
        kind: row.kind,
        rate_ppm: row.rate_ppm,
        status,
        starts_at: caller.time(engine, row.starts_at),
        ends_at: row.ends_at.map(|end| caller.time(engine, end)),
    }
}

/// All tax rates, by place. Operators only.
pub async fn list(engine: &Engine, caller: &Caller) -> Result<Vec<TaxRateCard>> {
    caller.admin(AdminPermission::SeePromotions)?;
    let rows: Vec<RateRow> = engine.db.all(&ALL, params![]).await?;
    let now = engine.clock.now_ms();
    Ok(rows.into_iter().map(|row| card(engine, caller, row, now)).collect())
}

/// How the market taxes. Operators only.
pub async fn settings(engine: &Engine, caller: &Caller) -> Result<TaxSettings> {
    caller.admin(AdminPermission::SeePromotions)?;
    settings_of(engine).await
}

/// Changes how the market taxes, from now on. Operators only.
pub async fn save_settings(engine: &Engine, caller: &Caller, settings: &TaxSettings) -> Result<()> {
    caller.admin(AdminPermission::ManagePromotions)?;
    let mut settings = settings.clone();
    settings.shipping_category = match settings.shipping_category.trim() {
        "" => String::new(),
        typed => taxes::category("shipping_category", typed).map_err(|fault| Error::Invalid(vec![fault]))?,
    };
    let input = (settings, caller.user_id(), engine.clock.now_ms());
    engine
        .db
        .write("taxes::save_settings", input, |tx, (settings, user, now)| {
            Box::pin(async move {
                let TaxSettings { prices_include_tax, based_on, shipping_category } = settings;
                let own = Some(shipping_category.as_str()).filter(|own| !["", STANDARD].contains(own));
                if let Some(own) = own
                    && tx.opt::<Scalar<TaxRateId>>(&OF_CATEGORY, params![own]).await?.is_none()
                {
                    return Err(Error::field("shipping_category", FieldCode::NotAChoice).into());
                }
                tx.exec(&SAVE, params![*prices_include_tax, *based_on, shipping_category.as_str()]).await?;
                let note = format!("{prices_include_tax} {} {shipping_category}", based_on.as_str());
                audit::write(
                    tx,
                    *user,
                    "taxes::save_settings",
                    TaxRateId::from_uuid(uuid::Uuid::nil()),
                    note.trim_end(),
                    *now,
                )
                .await
            })
        })
        .await?;
    engine.taxes.set(None);
    Ok(())
}

/// Adds a rate. One that begins later ends the present one; otherwise, it is refused if the place has one for the category in
/// these days already. Operators only.
pub async fn add(engine: &Engine, caller: &Caller, form: &TaxRateForm) -> Result<TaxRateId> {
    caller.admin(AdminPermission::ManagePromotions)?;
    let draft = form.check().map_err(Error::Invalid)?;
    let now = engine.clock.now_ms();
    let id: TaxRateId = random::id(now);
    let starts_at = draft.starts_on.map_or(now, |day| engine.zone.begins(day));
    let ends_at = draft.ends_on.map(|day| engine.zone.begins(day + 1));
    // The form has checked the order of its dates: this is an end without a beginning.
    if ends_at.is_some_and(|end| end <= starts_at) {
        return Err(Error::field("ends_on", FieldCode::Past));
    }
    let input = (id, draft, (starts_at, ends_at), caller.user_id(), now);
    engine
        .db
        .write(("taxes::add", id), input, |tx, (id, draft, times, user, now)| {
            Box::pin(add_in_tx(tx, *id, draft, *times, *user, *now))
        })
        .await?;
    engine.taxes.set(None);
    Ok(id)
}

async fn add_in_tx(
    tx: &mut Tx,
    id: TaxRateId,
    draft: &TaxRateDraft,
    (starts_at, ends_at): (i64, Option<i64>),
    user: Option<UserId>,
    now: i64,
) -> TxResult<()> {
    tx.exec(&LOCK, params![]).await?;
    let TaxRateDraft { country, region, tax_category, name, kind, rate_ppm, .. } = draft.clone();
    let on_top = kind == TaxKind::OnTop;
    if starts_at > now {
        let place = params![country.as_str(), region.as_str(), tax_category.as_str(), on_top, starts_at];
        tx.exec(&FOLLOW, place).await?;
    }
    let place = params![country.as_str(), region.as_str(), tax_category.as_str(), on_top, starts_at, ends_at];
    if tx.opt::<Scalar<TaxRateId>>(&OVERLAPPING, place).await?.is_some() {
        return Err(Error::field("tax_category", FieldCode::RateExists).into());
    }
    let note = format!("{country} {region} {tax_category} {name} {}%", taxes::percent(rate_ppm));
    let row = AddRate {
        id,
        country,
        region,
        tax_category,
        name,
        kind,
        rate_ppm,
        starts_at,
        ends_at,
        created_at: now,
    };
    tx.insert(row).await?;
    audit::write(tx, user, "taxes::add", id, &note, now).await
}

/// Ends a rate now. Checkouts that were quoted with it are quoted again when their address changes. Operators only.
pub async fn end(engine: &Engine, caller: &Caller, id: TaxRateId) -> Result<()> {
    change(engine, caller, id, false).await
}

/// Removes a rate. Orders keep the taxes that they were charged. Operators only.
pub async fn remove(engine: &Engine, caller: &Caller, id: TaxRateId) -> Result<()> {
    change(engine, caller, id, true).await
}

async fn change(engine: &Engine, caller: &Caller, id: TaxRateId, remove: bool) -> Result<()> {
    caller.admin(AdminPermission::ManagePromotions)?;
    let input = (id, remove, caller.user_id(), engine.clock.now_ms());
    engine
        .db
        .write(("taxes::change", id), input, |tx, (id, remove, user, now)| {
            Box::pin(async move {
                if *remove {
                    tx.exec(&REOPEN, params![*id, *now]).await?;
                }
                let (changed, what) = match remove {
                    true => (tx.exec(&REMOVE, params![*id]).await?, "taxes::remove"),
                    false => (tx.exec(&END, params![*id, *now]).await?, "taxes::end"),
                };
                if changed == 0 {
                    return Err(Error::NotFound.into());
                }
                audit::write(tx, *user, what, *id, "", *now).await
            })
        })
        .await?;
    engine.taxes.set(None);
    Ok(())
}

/// What to look at twice in a rate. Operators only.
pub async fn notes(engine: &Engine, caller: &Caller, form: &TaxRateForm) -> Result<Vec<TaxNote>> {
    caller.admin(AdminPermission::SeePromotions)?;
    let draft = form.check().map_err(Error::Invalid)?;
    notes_on(engine, &*table(engine).await?, &draft).await
}

async fn notes_on(engine: &Engine, table: &TaxTable, draft: &TaxRateDraft) -> Result<Vec<TaxNote>> {
    let known: Option<Scalar<i64>> = match draft.tax_category.as_str() {
        STANDARD => Some(Scalar(1)),
        category => engine.db.opt(&USED, params![category]).await?,
    };
    let now = engine.clock.now_ms();
    let over = draft.ends_on.is_some_and(|day| engine.zone.begins(day + 1) <= now);
    let unknown = known.is_none() && table.settings.shipping_category != draft.tax_category;
    let all =
        [(draft.rate_ppm == 0, TaxNote::Zero), (over, TaxNote::Over), (unknown, TaxNote::UnknownCategory)];
    Ok(all.into_iter().filter(|(holds, _)| *holds).map(|(_, note)| note).collect())
}

/// What a basket of one item would be taxed, and what to look at twice in the rate that is typed. Operators only.
pub async fn preview(
    engine: &Engine,
    caller: &Caller,
    of: &TaxPreview,
) -> Result<(Vec<TaxLine>, Vec<TaxNote>)> {
    caller.admin(AdminPermission::SeePromotions)?;
    let (mut table, at) = (table(engine).await?, engine.clock.now_ms());
    let mut notes = Vec::new();
    if let Some(typed) = &of.unsaved {
        let draft = typed.check().map_err(Error::Invalid)?;
        notes = notes_on(engine, &table, &draft).await?;
        table = Arc::new(table.with(draft));
    }
    let country = if of.country.is_empty() { &engine.country } else { &of.country };
    let to = buyer(&shipping::Place::new(country, &of.region, ""));
    if of.price.amount() < 0 {
        return Err(Error::field("price", FieldCode::TooSmall));
    }
    let from = match of.from_country.trim() {
        "" => &engine.country,
        typed => typed,
    };
    let from = buyer(&shipping::Place::new(from, &of.from_region, ""));
    let sale = Sale { seller: &from, included: None, buyer: &to, tax_id: &of.tax_id, at };
    let taxes = table.on(&sale, &of.tax_category);
    Ok((taxes.lines(of.price)?, notes))
}
