//! Products: the storefront's lists and pages, and the seller's edits.

use haat_shared::{
    catalog::{
        CategoryCard, CategoryLink, CategoryView, HomeView, ListProducts, ProductPage, ProductView,
        attributes::{AttributeText, CategoryAttribute},
        edit::{ListSellerProducts, ProductForm, SellerProduct, SellerProductCard},
        facets::{ProductResults, Suggestions},
        imports::ImportsView,
        synonyms::SearchReport,
    },
    categories::CategoryEntry,
    id::kinds::{ProductId, VariantId},
    page::Counted,
    promotions::ProductOffer,
    recommendations::RelatedProducts,
};
use leptos::{prelude::*, server_fn::codec::Json};
use serde::{Deserialize, Serialize};

use super::ApiError;

/// A page of products.
#[server(prefix = "/api", endpoint = "catalog/list", input = Json)]
pub async fn list(of: ListProducts) -> Result<ProductPage, ApiError> {
    super::call(async |engine, caller| haat_engine::catalog::list(&engine, &caller, of).await).await
}

/// A page of products, and how they can be narrowed down.
#[server(prefix = "/api", endpoint = "catalog/find", input = Json)]
pub async fn find(of: ListProducts) -> Result<ProductResults, ApiError> {
    super::call(async |engine, caller| haat_engine::finding::find(&engine, &caller, of).await).await
}

/// What could be meant by what is being typed into the search field of the header. Called by `public/suggest.js`.
#[server(prefix = "/api", endpoint = "catalog/suggest", input = Json)]
pub async fn suggest(q: String) -> Result<Suggestions, ApiError> {
    super::call(async |engine, caller| haat_engine::finding::suggest(&engine, &caller, &q).await).await
}

/// What people search for, and the synonyms. Admins only.
#[server(prefix = "/api", endpoint = "catalog/searches", input = Json)]
pub async fn searches() -> Result<SearchReport, ApiError> {
    super::call(async |engine, caller| haat_engine::search_terms::report(&engine, &caller).await).await
}

/// What the page of a product shows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProductDetails {
    /// The product.
    pub product: ProductView,
    /// The first and the last day on which it should arrive if it is ordered now.
    pub delivery: (String, String),
    /// The offers that apply to it by themselves.
    pub offers: Vec<ProductOffer>,
    /// Its variants that are on the caller's wishlist.
    pub saved: Vec<VariantId>,
    /// What goes with it.
    pub related: RelatedProducts,
}

/// A product page by the product's slug.
#[server(prefix = "/api", endpoint = "catalog/product", input = Json)]
pub async fn product(slug: String) -> Result<ProductDetails, ApiError> {
    super::call(async |engine, caller| {
        let (product, related) = haat_engine::recommendations::product(&engine, &caller, &slug).await?;
        let delivery = haat_engine::shops::delivery_dates(&engine, &caller, product.shop.delivery_days);
        let offers = haat_engine::promotions::of_product(&engine, &caller, product.id).await?;
        let saved = haat_engine::wishlist::of_product(&engine, &caller, product.id).await?;
        Ok(ProductDetails { product, delivery, offers, saved, related })
    })
    .await
}

/// The contents of the home page.
#[server(prefix = "/api", endpoint = "catalog/home", input = Json)]
pub async fn home() -> Result<HomeView, ApiError> {
    super::call(async |engine, caller| haat_engine::catalog::home(&engine, &caller).await).await
}

/// The top-level categories.
#[server(prefix = "/api", endpoint = "catalog/roots", input = Json)]
pub async fn roots() -> Result<Vec<CategoryCard>, ApiError> {
    super::call(async |engine, caller| haat_engine::catalog::roots(&engine, &caller).await).await
}

/// All categories by their full names.
#[server(name = FetchTree, prefix = "/api", endpoint = "catalog/tree", input = Json)]
pub async fn tree() -> Result<Vec<CategoryLink>, ApiError> {
    super::call(async |engine, caller| haat_engine::catalog::tree(&engine, &caller).await).await
}

/// A category by its slug.
#[server(prefix = "/api", endpoint = "catalog/category", input = Json)]
pub async fn category(slug: String) -> Result<CategoryView, ApiError> {
    super::call(async |engine, caller| haat_engine::catalog::category(&engine, &caller, &slug).await).await
}

/// The category tree, for admins.
#[server(prefix = "/api", endpoint = "catalog/category_tree", input = Json)]
pub async fn category_tree() -> Result<Vec<CategoryEntry>, ApiError> {
    super::call(async |engine, caller| haat_engine::category_tree::list(&engine, &caller).await).await
}

/// The attributes that a category asks for.
#[server(prefix = "/api", endpoint = "catalog/category_attributes", input = Json)]
pub async fn category_attributes(slug: String) -> Result<Vec<CategoryAttribute>, ApiError> {
    super::call(async |engine, caller| {
        haat_engine::catalog::category_attributes(&engine, &caller, &slug).await
    })
    .await
}

/// The values that a product has of its category's attributes, for its seller.
#[server(prefix = "/api", endpoint = "catalog/attribute_values", input = Json)]
pub async fn attribute_values(handle: String, product: ProductId) -> Result<Vec<AttributeText>, ApiError> {
    super::call(async |engine, caller| {
        haat_engine::catalog::attribute_values(&engine, &caller, &handle, product).await
    })
    .await
}

/// Replaces the values that a product has of its category's attributes.
#[server(prefix = "/api", endpoint = "catalog/set_attribute_values", input = Json)]
pub async fn set_attribute_values(
    handle: String,
    product: ProductId,
    values: Vec<AttributeText>,
) -> Result<(), ApiError> {
    super::call(async |engine, caller| {
        haat_engine::catalog::set_attribute_values(&engine, &caller, &handle, product, values).await
    })
    .await
}

/// A shop's products, filtered and sorted, for its members.
#[server(name = FetchSellerProducts, prefix = "/api", endpoint = "catalog/seller_list", input = Json)]
pub async fn seller_list(
    handle: String,
    of: ListSellerProducts,
) -> Result<Counted<SellerProductCard>, ApiError> {
    super::call(async |engine, caller| {
        haat_engine::catalog::seller_table(&engine, &caller, &handle, of).await
    })
    .await
}

/// The import with this ID and its errors; without an ID, the shop's latest imports.
#[server(name = FetchImports, prefix = "/api", endpoint = "catalog/imports", input = Json)]
pub async fn imports(handle: String, id: String) -> Result<ImportsView, ApiError> {
    super::call(async |engine, caller| {
        haat_engine::catalog::imports::overview(&engine, &caller, &handle, &id).await
    })
    .await
}

/// A product as its seller edits it.
#[server(name = FetchSellerProduct, prefix = "/api", endpoint = "catalog/seller_product", input = Json)]
pub async fn seller_product(handle: String, id: ProductId) -> Result<SellerProduct, ApiError> {
    super::call(async |engine, caller| {
        haat_engine::catalog::seller_product(&engine, &caller, &handle, id).await
    })
    .await
}

/// Creates a product as a draft. Repeating it with the same `key` returns the same product.
#[server(name = CreateProduct, prefix = "/api", endpoint = "catalog/create", input = Json)]
pub async fn create(handle: String, form: ProductForm, key: String) -> Result<ProductId, ApiError> {
    super::call(async |engine, caller| {
        haat_engine::catalog::create(&engine, &caller, &handle, &form, &key).await
    })
    .await
}

/// Saves a product, if it still has the version that was edited; returns the new version.
#[server(name = UpdateProduct, prefix = "/api", endpoint = "catalog/update", input = Json)]
pub async fn update(
    handle: String,
    id: ProductId,
    version: i64,
    form: ProductForm,
    key: String,
) -> Result<i64, ApiError> {
    super::call(async |engine, caller| {
        haat_engine::catalog::update(&engine, &caller, &handle, id, version, &form, &key).await
    })
    .await
}

/// Publishes a product.
#[server(name = PublishProduct, prefix = "/api", endpoint = "catalog/publish", input = Json)]
pub async fn publish(handle: String, id: ProductId) -> Result<(), ApiError> {
    super::call(async |engine, caller| haat_engine::catalog::publish(&engine, &caller, &handle, id).await)
        .await
}

/// Archives a product.
#[server(name = ArchiveProduct, prefix = "/api", endpoint = "catalog/archive", input = Json)]
pub async fn archive(handle: String, id: ProductId) -> Result<(), ApiError> {
    super::call(async |engine, caller| haat_engine::catalog::archive(&engine, &caller, &handle, id).await)
        .await
}

/// Duplicates a product as a draft.
#[server(name = DuplicateProduct, prefix = "/api", endpoint = "catalog/duplicate", input = Json)]
pub async fn duplicate(handle: String, id: ProductId, key: String) -> Result<ProductId, ApiError> {
    super::call(async |engine, caller| {
        haat_engine::catalog::duplicate(&engine, &caller, &handle, id, &key).await
    })
    .await
}

/// Deletes a product that was never part of a checkout.
#[server(name = DeleteProduct, prefix = "/api", endpoint = "catalog/delete", input = Json)]
pub async fn delete(handle: String, id: ProductId) -> Result<(), ApiError> {
    super::call(async |engine, caller| haat_engine::catalog::delete(&engine, &caller, &handle, id).await)
        .await
}
