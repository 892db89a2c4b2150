//! What is on sale.

use haat_shared::catalog::{ListProducts, ProductPage, ProductView};
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// A page of products.
#[server(prefix = "/api", endpoint = "catalog/list", input = Json)]
pub async fn list(of: ListProducts) -> Result<ProductPage, ApiError> {
    super::call(async |engine, caller| haat_engine::catalog::list(&engine, &caller, of).await).await
}

/// A product by its name in addresses.
#[server(prefix = "/api", endpoint = "catalog/product", input = Json)]
pub async fn product(slug: String) -> Result<ProductView, ApiError> {
    super::call(async |engine, caller| haat_engine::catalog::product(&engine, &caller, &slug).await).await
}
