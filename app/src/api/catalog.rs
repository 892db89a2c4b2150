//! What is on sale.

use haat_shared::catalog::{CategoryCard, CategoryView, HomeView, ListProducts, ProductPage, ProductView};
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

/// What the first page shows.
#[server(prefix = "/api", endpoint = "catalog/home", input = Json)]
pub async fn home() -> Result<HomeView, ApiError> {
    super::call(async |engine, caller| haat_engine::catalog::home(&engine, &caller).await).await
}

/// The categories that lie in no other.
#[server(prefix = "/api", endpoint = "catalog/roots", input = Json)]
pub async fn roots() -> Result<Vec<CategoryCard>, ApiError> {
    super::call(async |engine, caller| haat_engine::catalog::roots(&engine, &caller).await).await
}

/// A category by its name in addresses.
#[server(prefix = "/api", endpoint = "catalog/category", input = Json)]
pub async fn category(slug: String) -> Result<CategoryView, ApiError> {
    super::call(async |engine, caller| haat_engine::catalog::category(&engine, &caller, &slug).await).await
}
