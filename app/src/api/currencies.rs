//! The currencies that shoppers can pay in.

use haat_shared::{Currency, currencies::CurrencyCard};
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
