//! Promotions: coupons and automatic offers, of a shop for its members and of the market for admins.

use haat_engine::promotions;
use haat_shared::{
    Error, FieldError, Money, Result,
    id::kinds::PromotionId,
    page::Page,
    pricing::Benefit,
    promotions::{
        CouponsImported, ProductOffer, PromotionCard, PromotionForm, PromotionKind, PromotionState,
    },
    routes::*,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Api, RequestContext,
    extract::{At, Body, CsvFile, IfMatch, OnceIfAsked, Paging, Query, page},
    reply::{Csv, Found, Listed, Made, Version},
    shops::typed,
};

pub(super) fn routes(api: Api) -> Api {
    api.on(
        API_PRODUCT_OFFERS,
        "Lists the automatic offers for a product: of its shop and of the market, without what the rest of a basket decides.",
        offers,
    )
    .on(API_PROMOTIONS, "Lists a shop's promotions, newest first.", list)
        .on(
            API_CREATE_PROMOTION,
            "Creates a coupon or an automatic offer of a shop, which bears its cost.",
            create,
        )
        .on(API_EXPORT_COUPONS, "Exports all coupons of a shop as CSV.", export)
        .on(
            API_IMPORT_COUPONS,
            "Imports coupons from CSV with the columns of the export: creates new codes, updates existing ones. Either all lines are imported, or none.",
            import,
        )
        .on(API_PROMOTION, "Retrieves a promotion of a shop.", find)
        .on(
            API_SAVE_PROMOTION,
            "Updates a promotion. Fails if it has changed since the version in If-Match.",
            save,
        )
        .on(API_END_PROMOTION, "Ends a promotion. Checkouts that use it still can.", end)
        .on(
            API_DELETE_PROMOTION,
            "Deletes a promotion that nobody has begun to use. Others can be ended.",
            delete,
        )
        .on(API_MARKET_PROMOTIONS, "Lists the market's promotions, newest first.", market_list)
        .on(
            API_CREATE_MARKET_PROMOTION,
            "Creates a coupon or an automatic offer of the market.",
            market_create,
        )
        .on(API_EXPORT_MARKET_COUPONS, "Exports all coupons of the market as CSV.", market_export)
        .on(
            API_IMPORT_MARKET_COUPONS,
            "Imports coupons of the market from CSV. Either all lines are imported, or none.",
            market_import,
        )
        .on(API_MARKET_PROMOTION, "Retrieves a promotion of the market.", market_find)
        .on(
            API_SAVE_MARKET_PROMOTION,
            "Updates a promotion of the market. Fails if it has changed since the version in If-Match.",
            market_save,
        )
        .on(API_END_MARKET_PROMOTION, "Ends a promotion of the market.", market_end)
        .on(
            API_DELETE_MARKET_PROMOTION,
            "Deletes a promotion of the market that nobody has begun to use.",
            market_delete,
        )
}

/// A promotion's settings.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PromotionSettings {
    /// The name that shoppers see.
    #[schema(format = "line", max_length = 80)]
    label: String,
    /// The code. Null for an offer that applies automatically. Upper and lower case are the same.
    #[schema(max_length = 32)]
    code: Option<String>,
    /// What it gives.
    kind: PromotionKind,
    /// The percentage in basis points, for `percent`; for `buy_get`, by how much items are reduced, 10000 if null.
    #[schema(minimum = 1, maximum = 10000)]
    percent_bp: Option<i64>,
    /// The amount, for `amount`.
    amount: Option<Money>,
    /// How many items are bought at the full price, for `buy_get`.
    #[schema(minimum = 1, maximum = 100)]
    buy: Option<i64>,
    /// How many are reduced.
    #[schema(minimum = 1, maximum = 100)]
    get: Option<i64>,
    /// The slugs of the products that it is for.
    #[serde(default)]
    products: Vec<String>,
    /// The slugs of the categories that it is for.
    #[serde(default)]
    categories: Vec<String>,
    /// The handles of the shops that it is for. Of the market's promotions only.
    #[serde(default)]
    shops: Vec<String>,
    /// What the items that it is for must cost at least, before discounts.
    minimum: Option<Money>,
    /// What they may cost at most.
    maximum: Option<Money>,
    /// The most that it takes off.
    cap: Option<Money>,
    /// The first day: `2026-12-01`. Null for now.
    starts_on: Option<String>,
    /// The last day. Null for no end.
    ends_on: Option<String>,
    /// How often it can be used. Coupons only.
    #[schema(minimum = 1, maximum = 1000000)]
    uses: Option<i64>,
    /// How often one person can use it, by account or email address. Coupons only.
    #[schema(minimum = 1, maximum = 1000000)]
    uses_per_person: Option<i64>,
    /// Whether it can be combined with other promotions.
    combines: bool,
    /// The share of the cost that the marketplace bears, in basis points, 10000 if null. Of the market's promotions only.
    #[schema(minimum = 0, maximum = 10000)]
    market_bp: Option<i64>,
}

impl PromotionSettings {
    fn form(&self) -> PromotionForm {
        let number = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
        let percent =
            |bp: Option<i64>| bp.map(|bp| format!("{}.{:02}", bp / 100, bp % 100)).unwrap_or_default();
        let money = |money: Option<Money>| money.map(typed).unwrap_or_default();
        PromotionForm {
            label: self.label.clone(),
            code: self.code.clone().unwrap_or_default(),
            kind: self.kind.as_str().to_owned(),
            percent: percent(self.percent_bp),
            amount: money(self.amount),
            buy: number(self.buy),
            get: number(self.get),
            products: self.products.join(" "),
            categories: self.categories.join(" "),
            shops: self.shops.join(" "),
            minimum: money(self.minimum),
            maximum: money(self.maximum),
            cap: money(self.cap),
            starts_on: self.starts_on.clone().unwrap_or_default(),
            ends_on: self.ends_on.clone().unwrap_or_default(),
            uses: number(self.uses),
            uses_per_person: number(self.uses_per_person),
            combines: if self.combines { "1" } else { "" }.to_owned(),
            market_percent: percent(self.market_bp),
        }
    }

    /// The settings of a stored form, which was valid.
    fn of(card: &PromotionCard) -> Result<Self> {
        let draft = card.form.check(card.currency, true).map_err(|_| Error::Internal)?;
        let terms = draft.terms;
        let day = |day: &str| Some(day.trim().to_owned()).filter(|day| !day.is_empty());
        let (percent_bp, amount, buy_get) = parts(terms.benefit);
        Ok(Self {
            label: terms.label,
            code: draft.code,
            kind: card.kind,
            percent_bp,
            amount,
            buy: buy_get.map(|(buy, _)| buy),
            get: buy_get.map(|(_, get)| get),
            products: draft.products,
            categories: draft.categories,
            shops: draft.shops,
            minimum: terms.minimum,
            maximum: terms.maximum,
            cap: terms.cap,
            starts_on: day(&card.form.starts_on),
            ends_on: day(&card.form.ends_on),
            uses: draft.uses,
            uses_per_person: draft.uses_per_person,
            combines: terms.combines,
            market_bp: Some(terms.market_bp),
        })
    }
}

/// What a promotion gives: basis points, an amount, and of how many items how many are reduced.
fn parts(benefit: Benefit) -> (Option<i64>, Option<Money>, Option<(i64, i64)>) {
    match benefit {
        Benefit::Percent(bp) => (Some(bp), None, None),
        Benefit::Amount(off) => (None, Some(off), None),
        Benefit::FreeShipping => (None, None, None),
        Benefit::BuyGet { buy, get, off_bp } => (Some(off_bp), None, Some((buy, get))),
    }
}

/// An offer that applies to a product automatically.
#[derive(Serialize, ToSchema)]
struct Offer {
    /// The name that shoppers see.
    label: String,
    /// What it gives.
    kind: PromotionKind,
    /// The percentage in basis points, for `percent`; for `buy_get`, by how much items are reduced.
    percent_bp: Option<i64>,
    /// The amount, for `amount`.
    amount: Option<Money>,
    /// How many items are bought at the full price, for `buy_get`.
    buy: Option<i64>,
    /// How many are reduced.
    get: Option<i64>,
    /// What the items that it is for must cost at least, before discounts.
    minimum: Option<Money>,
    /// The most that it takes off.
    cap: Option<Money>,
    /// Its last time: RFC 3339, UTC. Null if it doesn't end.
    last_day: Option<String>,
}

impl From<ProductOffer> for Offer {
    fn from(ProductOffer { label, benefit, minimum, cap, last_day }: ProductOffer) -> Self {
        let (percent_bp, amount, buy_get) = parts(benefit);
        let kind = PromotionKind::of(benefit);
        let (buy, get) = buy_get.unzip();
        Self { label, kind, percent_bp, amount, buy, get, minimum, cap, last_day }
    }
}

/// The offers that apply to a product.
#[derive(Serialize, ToSchema)]
struct ProductOffers {
    /// The offers.
    items: Vec<Offer>,
}

async fn offers(context: RequestContext, At(slug): At<String>) -> Result<Found<ProductOffers>> {
    let offers = promotions::of_product_by_slug(context.engine(), &context.caller, &slug).await?;
    Ok(Found(ProductOffers { items: offers.into_iter().map(Offer::from).collect() }))
}

/// A coupon or an automatic offer.
#[derive(Serialize, ToSchema)]
struct Promotion {
    /// Its ID.
    id: PromotionId,
    /// Whether it can be used.
    status: PromotionState,
    /// When it begins: RFC 3339, UTC.
    starts_at: String,
    /// When it ends: RFC 3339, UTC. Null if it doesn't.
    ends_at: Option<String>,
    /// In how many purchases it was used that were not cancelled.
    use_count: i64,
    /// The discounts that it gave in them: in its own currency first, then in each other one that was paid in.
    given: Vec<Money>,
    /// Whether it can be deleted, because nobody has begun to use it.
    unused: bool,
    /// Its settings.
    settings: PromotionSettings,
}

impl Promotion {
    fn of(card: PromotionCard) -> Result<Self> {
        let settings = PromotionSettings::of(&card)?;
        let PromotionCard { id, state, starts_at, ends_at, uses, given, unused, .. } = card;
        Ok(Self { id, status: state, starts_at, ends_at, use_count: uses, given, unused, settings })
    }
}

/// Errors of the form at the fields of [`PromotionSettings`].
fn named<T>(done: Result<T>) -> Result<T> {
    let of = |fault: FieldError| match fault.field.as_str() {
        "percent" => FieldError::new("percent_bp", fault.code),
        "market_percent" => FieldError::new("market_bp", fault.code),
        _ => fault,
    };
    match done {
        Err(Error::Invalid(faults)) => Err(Error::Invalid(faults.into_iter().map(of).collect())),
        done => done,
    }
}

/// A created promotion.
#[derive(Serialize, ToSchema)]
struct PromotionCreated {
    /// The promotion's ID.
    id: PromotionId,
}

fn listed(page: Page<PromotionCard>) -> Result<Listed<Promotion>> {
    let items = page.items.into_iter().map(Promotion::of).collect::<Result<_>>()?;
    Ok(Listed(Page { items, next: page.next }))
}

type AtPromotion = At<(String, PromotionId)>;

async fn list(
    context: RequestContext,
    (At(handle), Query(of)): (At<String>, Query<Paging>),
) -> Result<Listed<Promotion>> {
    let page = page(&of.after, of.limit);
    listed(promotions::list(context.engine(), &context.caller, &handle, page).await?.page)
}

async fn create(
    context: RequestContext,
    (At(handle), Body(new), _): (At<String>, Body<PromotionSettings>, OnceIfAsked),
) -> Result<Made<PromotionCreated>> {
    let id = named(promotions::create(context.engine(), &context.caller, &handle, &new.form()).await)?;
    Ok(Made(PromotionCreated { id }))
}

async fn find(context: RequestContext, At((handle, id)): AtPromotion) -> Result<Version<Promotion>> {
    let card = promotions::find(context.engine(), &context.caller, &handle, id).await?;
    Ok(Version(card.version, Promotion::of(card)?))
}

async fn save(
    context: RequestContext,
    (At((handle, id)), Body(new), IfMatch(version)): (AtPromotion, Body<PromotionSettings>, IfMatch),
) -> Result<Version<Promotion>> {
    let (engine, caller) = (context.engine(), &context.caller);
    named(promotions::save(engine, caller, &handle, id, Some(version), &new.form()).await)?;
    find(context, At((handle, id))).await
}

async fn end(context: RequestContext, At((handle, id)): AtPromotion) -> Result<Version<Promotion>> {
    promotions::end(context.engine(), &context.caller, &handle, id).await?;
    find(context, At((handle, id))).await
}

async fn delete(context: RequestContext, At((handle, id)): AtPromotion) -> Result<()> {
    promotions::delete(context.engine(), &context.caller, &handle, id).await
}

async fn market_list(context: RequestContext, Query(of): Query<Paging>) -> Result<Listed<Promotion>> {
    let page = page(&of.after, of.limit);
    listed(promotions::list_of_market(context.engine(), &context.caller, page).await?.page)
}

async fn market_create(
    context: RequestContext,
    (Body(new), _): (Body<PromotionSettings>, OnceIfAsked),
) -> Result<Made<PromotionCreated>> {
    let id = named(promotions::create_of_market(context.engine(), &context.caller, &new.form()).await)?;
    Ok(Made(PromotionCreated { id }))
}

async fn market_find(context: RequestContext, At(id): At<PromotionId>) -> Result<Version<Promotion>> {
    let card = promotions::find_of_market(context.engine(), &context.caller, id).await?;
    Ok(Version(card.version, Promotion::of(card)?))
}

async fn market_save(
    context: RequestContext,
    (At(id), Body(new), IfMatch(version)): (At<PromotionId>, Body<PromotionSettings>, IfMatch),
) -> Result<Version<Promotion>> {
    let (engine, caller) = (context.engine(), &context.caller);
    named(promotions::save_of_market(engine, caller, id, Some(version), &new.form()).await)?;
    market_find(context, At(id)).await
}

async fn market_end(context: RequestContext, At(id): At<PromotionId>) -> Result<Version<Promotion>> {
    promotions::end_of_market(context.engine(), &context.caller, id).await?;
    market_find(context, At(id)).await
}

async fn market_delete(context: RequestContext, At(id): At<PromotionId>) -> Result<()> {
    promotions::delete_of_market(context.engine(), &context.caller, id).await
}

async fn export(context: RequestContext, At(handle): At<String>) -> Result<Csv> {
    promotions::export(context.engine(), &context.caller, &handle).await.map(Csv)
}

async fn import(
    context: RequestContext,
    (At(handle), CsvFile(file)): (At<String>, CsvFile),
) -> Result<Found<CouponsImported>> {
    promotions::import(context.engine(), &context.caller, &handle, &file).await.map(Found)
}

async fn market_export(context: RequestContext, (): ()) -> Result<Csv> {
    promotions::export_of_market(context.engine(), &context.caller).await.map(Csv)
}

async fn market_import(context: RequestContext, CsvFile(file): CsvFile) -> Result<Found<CouponsImported>> {
    promotions::import_of_market(context.engine(), &context.caller, &file).await.map(Found)
}
