//! Addresses: the regions of a country.

use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// The code and name of each region of a country, where there is a table of them. Too large a table for browsers.
#[server(prefix = "/api", endpoint = "addresses/regions", input = Json)]
pub async fn regions(country: String) -> Result<Vec<(String, String)>, ApiError> {
    super::call(async |_, caller| Ok(haat_shared::addresses::regions::choices(&country, caller.locale))).await
}
