//! Sales that shops plan for their products.

use haat_engine::sale_prices;
use haat_shared::{
    Error, FieldError, Money, Result,
    id::kinds::{PlannedSaleId, ProductId, VariantId},
    routes::*,
    sale_prices::{PlannedSale, SaleForm},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Api, RequestContext,
    extract::{At, Body, OnceIfAsked},
    reply::{Found, Made},
    shops::typed,
};

pub(super) fn routes(api: Api) -> Api {
    api.on(API_PRODUCT_SALES, "Lists the latest 100 sales of a product.", list)
        .on(API_PLAN_SALE, "Plans a sale of a product. A variant can be in one sale at a time.", plan)
        .on(API_END_SALE, "Ends a sale that is on. Checkouts that were begun keep its prices.", end)
        .on(API_REMOVE_SALE, "Removes a sale that has not begun.", remove)
}

/// The sales of a product.
#[derive(Serialize, ToSchema)]
struct PlannedSales {
    /// The sales, the latest first.
    items: Vec<PlannedSale>,
}

/// A sale to plan: a reduction of all variants, or prices of some.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewSale {
    /// When it begins: RFC 3339. Null for now.
    starts_at: Option<String>,
    /// When it ends: RFC 3339.
    ends_at: String,
    /// The reduction in basis points, of all variants without a price in `prices`.
    #[schema(minimum = 1, maximum = 9999)]
    percent_bp: Option<i64>,
    /// Prices of variants, below their ordinary ones.
    #[serde(default)]
    prices: Vec<NewSalePrice>,
}

/// A variant's price in a sale.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewSalePrice {
    /// The variant's ID.
    pub(super) variant_id: VariantId,
    /// The price, in the currency of the shop.
    pub(super) price: Money,
}

/// A reduction in basis points as it is typed.
pub(super) fn percent(bp: Option<i64>) -> String {
    bp.map(|bp| format!("{}.{:02}", bp / 100, bp % 100)).unwrap_or_default()
}

/// An error whose fields have the names that they have here.
pub(super) fn renamed(error: Error) -> Error {
    let named = |fault: FieldError| match fault.field.as_str() {
        "percent" => FieldError::new("percent_bp", fault.code),
        _ => fault,
    };
    match error {
        Error::Invalid(faults) => Error::Invalid(faults.into_iter().map(named).collect()),
        error => error,
    }
}

/// A planned sale.
#[derive(Serialize, ToSchema)]
struct SalePlanned {
    /// The sale's ID.
    id: PlannedSaleId,
}

type AtSale = At<(String, ProductId, PlannedSaleId)>;

async fn list(
    context: RequestContext,
    At((handle, product)): At<(String, ProductId)>,
) -> Result<Found<PlannedSales>> {
    let found = sale_prices::list(context.engine(), &context.caller, &handle, product).await?;
    Ok(Found(PlannedSales { items: found.sales }))
}

async fn plan(
    context: RequestContext,
    (At((handle, product)), Body(new), _): (At<(String, ProductId)>, Body<NewSale>, OnceIfAsked),
) -> Result<Made<SalePlanned>> {
    let form = SaleForm {
        starts_at: new.starts_at.unwrap_or_default(),
        ends_at: new.ends_at,
        percent: percent(new.percent_bp),
        prices: new.prices.into_iter().map(|of| (of.variant_id, typed(of.price))).collect(),
    };
    let id = sale_prices::plan(context.engine(), &context.caller, &handle, product, &form).await;
    id.map(|id| Made(SalePlanned { id })).map_err(renamed)
}

async fn end(context: RequestContext, At((handle, product, id)): AtSale) -> Result<()> {
    sale_prices::end(context.engine(), &context.caller, &handle, product, id).await
}

async fn remove(context: RequestContext, At((handle, product, id)): AtSale) -> Result<()> {
    sale_prices::remove(context.engine(), &context.caller, &handle, product, id).await
}
