//! Sales that sellers plan.

use haat_shared::{id::kinds::ProductId, sale_prices::ProductSales};
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// A product's sales, and its variants for another one.
#[server(name = FetchProductSales, prefix = "/api", endpoint = "sale_prices/of_product", input = Json)]
pub async fn of_product(handle: String, id: ProductId) -> Result<ProductSales, ApiError> {
    super::call(async |engine, caller| haat_engine::sale_prices::list(&engine, &caller, &handle, id).await)
        .await
}
