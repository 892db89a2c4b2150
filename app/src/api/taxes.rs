//! Tax rates, for admins.

use haat_shared::{
    Currency,
    taxes::{TaxLine, TaxNote, TaxPreview, TaxRateCard, TaxSettings},
};
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// How the market taxes, all rates, and the currency and the country of the market.
#[server(name = FetchTaxes, prefix = "/api", endpoint = "taxes/page", input = Json)]
pub async fn page() -> Result<(TaxSettings, Vec<TaxRateCard>, Currency, String), ApiError> {
    super::call(async |engine, caller| {
        let settings = haat_engine::taxes::settings(&engine, &caller).await?;
        let rates = haat_engine::taxes::list(&engine, &caller).await?;
        Ok((settings, rates, engine.currency, engine.country.clone()))
    })
    .await
}

/// What an item would be taxed, and what to look at twice in the rate that is typed.
#[server(name = PreviewTaxes, prefix = "/api", endpoint = "taxes/preview", input = Json)]
pub async fn preview(of: TaxPreview) -> Result<(Vec<TaxLine>, Vec<TaxNote>), ApiError> {
    super::call(async |engine, caller| haat_engine::taxes::preview(&engine, &caller, &of).await).await
}
