//! Addresses: those that the user has saved, and the regions of a country.

use haat_shared::address_book::AddressBook;
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// The caller's saved addresses.
#[server(name = FetchAddressBook, prefix = "/api", endpoint = "addresses/book", input = Json)]
pub async fn book() -> Result<AddressBook, ApiError> {
    super::call(async |engine, caller| haat_engine::addresses::page(&engine, &caller).await).await
}

/// The code and name of each region of a country, where there is a table of them. Too large a table for browsers.
#[server(prefix = "/api", endpoint = "addresses/regions", input = Json)]
pub async fn regions(country: String) -> Result<Vec<(String, String)>, ApiError> {
    super::call(async |_, caller| Ok(haat_shared::addresses::regions::choices(&country, caller.locale))).await
}
