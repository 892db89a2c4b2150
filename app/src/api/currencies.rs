//! The currencies that shoppers can pay in.

use haat_shared::{
    Currency,
    currencies::{CurrencyCard, PriceList},
    id::kinds::ProductId,
};
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// The currencies, the market's first, with their rates, for admins.
#[server(name = FetchCurrencies, prefix = "/api", endpoint = "currencies/page", input = Json)]
pub async fn page() -> Result<Vec<CurrencyCard>, ApiError> {
    super::call(async |engine, caller| haat_engine::currencies::rates(&engine, &caller).await).await
}

/// The currencies that shoppers can choose from, and whether it is the chosen one. Empty if there is no choice.
#[server(name = FetchCurrencyChoices, prefix = "/api", endpoint = "currencies/choices", input = Json)]
pub async fn choices() -> Result<Vec<(Currency, bool)>, ApiError> {
    super::call(async |engine, caller| haat_engine::currencies::choices(&engine, &caller).await).await
}

/// The prices of a product in a currency, or in the first one if the code is of none.
#[server(name = FetchPriceList, prefix = "/api", endpoint = "currencies/price_list", input = Json)]
pub async fn price_list(handle: String, id: ProductId, currency: String) -> Result<PriceList, ApiError> {
    super::call(async |engine, caller| {
        haat_engine::price_lists::of_product(&engine, &caller, &handle, id, currency.parse().ok()).await
    })
    .await
}
