//! Tax rates, and how the market taxes. For admins.

use haat_engine::taxes;
use haat_shared::{
    Money, Result,
    id::kinds::TaxRateId,
    routes::*,
    taxes::{TaxKind, TaxLine, TaxPreview, TaxRateCard, TaxRateForm, TaxSettings, percent},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Api, RequestContext,
    extract::{At, Body, OnceIfAsked},
    reply::{Found, Made},
};

pub(super) fn routes(api: Api) -> Api {
    api.on(API_TAX_RATES, "Lists all tax rates, by place.", list)
        .on(
            API_ADD_TAX_RATE,
            "Adds a tax rate. Fails if the place has one for the category in these days already.",
            add,
        )
        .on(API_END_TAX_RATE, "Ends a tax rate now.", end)
        .on(API_REMOVE_TAX_RATE, "Removes a tax rate. Orders keep the taxes that they were charged.", remove)
        .on(API_TAX_SETTINGS, "Retrieves how the market taxes.", settings)
        .on(API_SAVE_TAX_SETTINGS, "Updates how the market taxes.", save_settings)
        .on(API_PREVIEW_TAX, "Calculates what an item would be taxed now, without ordering it.", preview)
}

/// The tax rates.
#[derive(Serialize, ToSchema)]
struct TaxRates {
    /// The rates, by country, region and category, the latest first.
    items: Vec<TaxRateCard>,
}

/// A tax rate.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewTaxRate {
    /// The two-letter country code.
    #[schema(pattern = "^[A-Z]{2}$")]
    country: String,
    /// The region: its code or name. Empty for the whole country.
    #[serde(default)]
    #[schema(format = "optional-line", max_length = 40)]
    region: String,
    /// The tax category of the products. Categories without a rate are taxed like `standard`.
    #[schema(pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", max_length = 40)]
    tax_category: String,
    /// The name that shoppers see.
    #[schema(format = "line", max_length = 40)]
    name: String,
    /// How it applies.
    kind: TaxKind,
    /// The rate in millionths: 180000 is 18 %.
    #[schema(minimum = 0, maximum = 500000)]
    rate_ppm: i64,
    /// The first day: `2026-12-01`. Null for now.
    starts_on: Option<String>,
    /// The last day. Null for no end.
    ends_on: Option<String>,
}

/// A created tax rate.
#[derive(Serialize, ToSchema)]
struct TaxRateCreated {
    /// The rate's ID.
    id: TaxRateId,
}

/// An item, and who sells it to whom.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TaxQuestion {
    /// The shop's country. Empty for that of the market.
    #[serde(default)]
    from_country: String,
    /// The code of the shop's region. Empty if not known.
    #[serde(default)]
    from_region: String,
    /// The buyer's country. Empty for that of the market.
    #[serde(default)]
    country: String,
    /// The buyer's region.
    #[serde(default)]
    region: String,
    /// The buyer's tax ID.
    #[serde(default)]
    tax_id: String,
    /// The tax category of the product.
    #[serde(default)]
    tax_category: String,
    /// The price after discounts.
    price: Money,
}

/// What is due of each tax.
#[derive(Serialize, ToSchema)]
struct TaxAnswer {
    /// The taxes.
    items: Vec<TaxLine>,
}

async fn list(context: RequestContext, (): ()) -> Result<Found<TaxRates>> {
    Ok(Found(TaxRates { items: taxes::list(context.engine(), &context.caller).await? }))
}

async fn add(
    context: RequestContext,
    (Body(new), _): (Body<NewTaxRate>, OnceIfAsked),
) -> Result<Made<TaxRateCreated>> {
    let form = TaxRateForm {
        country: new.country,
        region: new.region,
        tax_category: new.tax_category,
        name: new.name,
        kind: new.kind.as_str().to_owned(),
        percent: percent(new.rate_ppm),
        starts_on: new.starts_on.unwrap_or_default(),
        ends_on: new.ends_on.unwrap_or_default(),
    };
    let named = |field: &str| if field == "percent" { "rate_ppm".to_owned() } else { field.to_owned() };
    match taxes::add(context.engine(), &context.caller, &form).await {
        Err(haat_shared::Error::Invalid(faults)) => Err(haat_shared::Error::Invalid(
            faults
                .into_iter()
                .map(|fault| haat_shared::FieldError::new(named(&fault.field), fault.code))
                .collect(),
        )),
        added => added.map(|id| Made(TaxRateCreated { id })),
    }
}

async fn end(context: RequestContext, At(id): At<TaxRateId>) -> Result<()> {
    taxes::end(context.engine(), &context.caller, id).await
}

async fn remove(context: RequestContext, At(id): At<TaxRateId>) -> Result<()> {
    taxes::remove(context.engine(), &context.caller, id).await
}

async fn settings(context: RequestContext, (): ()) -> Result<Found<TaxSettings>> {
    taxes::settings(context.engine(), &context.caller).await.map(Found)
}

async fn save_settings(context: RequestContext, Body(new): Body<TaxSettings>) -> Result<Found<TaxSettings>> {
    taxes::save_settings(context.engine(), &context.caller, &new).await?;
    taxes::settings(context.engine(), &context.caller).await.map(Found)
}

async fn preview(context: RequestContext, Body(of): Body<TaxQuestion>) -> Result<Found<TaxAnswer>> {
    let TaxQuestion { from_country, from_region, country, region, tax_id, tax_category, price } = of;
    let of =
        TaxPreview { from_country, from_region, country, region, tax_id, tax_category, price, unsaved: None };
    Ok(Found(TaxAnswer { items: taxes::preview(context.engine(), &context.caller, &of).await?.0 }))
}
