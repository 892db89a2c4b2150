//! The rates of the marketplace's commission. For admins.

use haat_engine::commissions;
use haat_shared::{
    Error, FieldCode, Result,
    commissions::{CommissionRates, RateFor},
    routes::*,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Api, RequestContext, extract::Body, reply::Found};

pub(super) fn routes(api: Api) -> Api {
    api.on(API_COMMISSION, "Retrieves the rates of commission.", rates).on(
        API_SET_COMMISSION,
        "Sets the usual rate, or that of a category or a shop. Checkouts that have begun keep theirs.",
        set,
    )
}

/// A rate of commission. Of `category` and `shop`, one at most.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewRate {
    /// The slug of the category that it is for.
    #[serde(default)]
    category: Option<String>,
    /// The handle of the shop that it is for.
    #[serde(default)]
    shop: Option<String>,
    /// The rate in basis points: 1000 is 10 %. Null to remove that of a category or a shop.
    #[schema(minimum = 0, maximum = 10000)]
    rate_bp: Option<i64>,
}

async fn rates(context: RequestContext, (): ()) -> Result<Found<CommissionRates>> {
    Ok(Found(commissions::rates(context.engine(), &context.caller).await?))
}

async fn set(context: RequestContext, Body(new): Body<NewRate>) -> Result<Found<CommissionRates>> {
    let of = match (new.category, new.shop) {
        (None, None) => RateFor::Usual,
        (Some(slug), None) => RateFor::Category(slug),
        (None, Some(handle)) => RateFor::Shop(handle),
        (Some(_), Some(_)) => return Err(Error::field("shop", FieldCode::NotUnique)),
    };
    commissions::set(context.engine(), &context.caller, &of, new.rate_bp).await?;
    rates(context, ()).await
}
