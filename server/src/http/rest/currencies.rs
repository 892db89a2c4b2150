//! The currencies of the marketplace, their rates, and sellers' own prices in them.

use haat_engine::currencies;
use haat_shared::{
    Currency, Money, Result, currencies::CurrencyCard, id::kinds::VariantId, money::Rate, routes::*,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Api, RequestContext,
    extract::{At, Body},
    reply::Found,
};

pub(super) fn routes(api: Api) -> Api {
    api.on(
        API_CURRENCIES,
        "Lists the currencies that customers can pay in, the marketplace's first, with their exchange rates.",
        list,
    )
    .on(
        API_SET_RATE,
        "Sets the exchange rate of a currency. Checkouts in progress keep the rate with which they were created.",
        set_rate,
    )
    .on(
        API_REMOVE_RATE,
        "Removes the exchange rate of a currency: customers can’t choose it until it has a rate again.",
        remove_rate,
    )
    .on(
        API_VARIANT_PRICES,
        "Lists a variant's own prices in other currencies than the marketplace's.",
        prices,
    )
    .on(
        API_SET_VARIANT_PRICE,
        "Sets a variant's price in another currency than the marketplace's, instead of the converted one; null removes it.",
        set_price,
    )
}

/// The currencies of the marketplace.
#[derive(Serialize, ToSchema)]
struct Currencies {
    /// The currencies, the marketplace's first.
    items: Vec<CurrencyCard>,
}

/// An exchange rate: what one unit of the marketplace's currency costs in this one, as a fraction.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewRate {
    /// The numerator.
    #[schema(minimum = 1, maximum = 1000000000000i64)]
    numerator: i64,
    /// The denominator.
    #[schema(minimum = 1, maximum = 1000000000000i64)]
    denominator: i64,
    /// Where the rate is from.
    #[serde(default)]
    #[schema(format = "optional-line", max_length = 100)]
    source: String,
    /// Whether to set it even if it is more than three times as high or as low as the current rate.
    #[serde(default)]
    confirmed: bool,
}

/// A price in the currency of the path.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OwnPrice {
    /// The amount in minor units; null for the converted price.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required, minimum = 1, maximum = 1000000000000i64)]
    amount: Option<i64>,
}

async fn list(context: RequestContext, (): ()) -> Result<Found<Currencies>> {
    currencies::list(context.engine(), &context.caller).await.map(|items| Found(Currencies { items }))
}

async fn set_rate(
    context: RequestContext,
    (At(currency), Body(new)): (At<Currency>, Body<NewRate>),
) -> Result<()> {
    let rate = Rate { numerator: new.numerator, denominator: new.denominator };
    currencies::set_rate(context.engine(), &context.caller, currency, rate, &new.source, new.confirmed).await
}

async fn remove_rate(context: RequestContext, At(currency): At<Currency>) -> Result<()> {
    currencies::remove_rate(context.engine(), &context.caller, currency).await
}

/// A variant's own prices.
#[derive(Serialize, ToSchema)]
struct OwnPrices {
    /// The prices, by currency.
    items: Vec<Money>,
}

async fn prices(
    context: RequestContext,
    At((handle, id)): At<(String, VariantId)>,
) -> Result<Found<OwnPrices>> {
    let items = currencies::variant_prices(context.engine(), &context.caller, &handle, id).await?;
    Ok(Found(OwnPrices { items }))
}

async fn set_price(
    context: RequestContext,
    (At((handle, id, currency)), Body(price)): (At<(String, VariantId, Currency)>, Body<OwnPrice>),
) -> Result<()> {
    let (engine, caller) = (context.engine(), &context.caller);
    currencies::set_variant_price(engine, caller, &handle, id, currency, price.amount).await
}
