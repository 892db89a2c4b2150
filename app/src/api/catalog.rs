//! Products: the storefront's lists and pages, and the seller's edits.

use haat_shared::{
    catalog::{
        CategoryCard, CategoryLink, CategoryView, HomeView, ListProducts, ProductPage, ProductView,
        attributes::{AttributeText, CategoryAttribute},
        edit::{ListSellerProducts, ProductForm, SellerProduct, SellerProductCard},
        imports::ImportsView,
    },
    id::kinds::ProductId,
    page::Counted,
};
use leptos::{prelude::*, server_fn::codec::Json};
use serde::{Deserialize, Serialize};

use super::ApiError;
#[cfg(feature = "ssr")]
use crate::{t, words};

/// A page of products.
#[server(prefix = "/api", endpoint = "catalog/list", input = Json)]
pub async fn list(of: ListProducts) -> Result<ProductPage, ApiError> {
    super::call(async |engine, caller| haat_engine::catalog::list(&engine, &caller, of).await).await
}

/// What the page of a product shows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProductDetails {
    /// The product.
    pub product: ProductView,
    /// The first and the last day on which it should arrive if it is ordered now.
    pub delivery: (String, String),
    /// The offers that apply to it by themselves, each in words.
    pub offers: Vec<String>,
}

/// A product page by the product's slug.
#[server(prefix = "/api", endpoint = "catalog/product", input = Json)]
pub async fn product(slug: String) -> Result<ProductDetails, ApiError> {
    super::call(async |engine, caller| {
        let product = haat_engine::catalog::product(&engine, &caller, &slug).await?;
        let delivery = haat_engine::shops::delivery_dates(&engine, &caller, product.shop.delivery_days);
        let offers = haat_engine::promotions::of_product(&engine, &caller, product.id).await?;
        let locale = caller.locale.parse().unwrap_or_default();
        let said = |offer: &haat_shared::promotions::Offer| {
            let last_day = offer.ends_at.map(|end| engine.zone.local(end - 1));
            in_words(locale, &offer.terms, last_day.as_deref())
        };
        let offers = offers.iter().map(said).collect();
        Ok(ProductDetails { product, delivery, offers })
    })
    .await
}

/// An offer that applies by itself, with the last day on which it does, if it ends.
#[cfg(feature = "ssr")]
fn in_words(locale: words::I18n, terms: &haat_shared::promotions::Terms, last_day: Option<&str>) -> String {
    use haat_shared::pricing::Benefit;
    let benefit = match terms.benefit {
        Benefit::Percent(bp) => t!(locale, promotions.offer_percent, percent = words::percent(bp)),
        Benefit::Amount(amount) => t!(locale, promotions.offer_amount, amount = words::money(locale, amount)),
        Benefit::FreeShipping => t!(locale, promotions.free_shipping).to_lowercase(),
        Benefit::BuyGet { buy, get, off_bp: 10_000 } => {
            t!(locale, promotions.offer_buy_get_free, buy = buy, get = get)
        }
        Benefit::BuyGet { buy, get, off_bp } => {
            t!(locale, promotions.offer_buy_get, buy = buy, get = get, percent = words::percent(off_bp))
        }
    };
    let from =
        terms.minimum.map(|least| t!(locale, promotions.offer_from, amount = words::money(locale, least)));
    let cap = terms.cap.map(|most| t!(locale, promotions.offer_up_to, amount = words::money(locale, most)));
    let until = last_day.map(|last| t!(locale, promotions.offer_until, day = words::day(locale, last)));
    let parts: Vec<_> = [Some(benefit), from, cap, until].into_iter().flatten().collect();
    format!("{}: {}", terms.label, parts.join(", "))
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

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use haat_shared::{Currency, Money, pricing::Benefit, promotions::Terms};

    use super::in_words;
    use crate::words::I18n;

    #[test]
    fn offers_say_what_they_give_and_when() {
        let rupees = |amount: i64| Money::new(amount * 100, Currency::INR);
        let plain = Terms {
            label: "Diwali".into(),
            benefit: Benefit::Percent(1_050),
            products: Vec::new(),
            categories: Vec::new(),
            shops: Vec::new(),
            minimum: None,
            maximum: None,
            cap: None,
            combines: true,
            market_bp: 0,
        };
        let table = [
            (plain.clone(), None, "Diwali: 10.5% off"),
            (
                Terms { minimum: Some(rupees(1_000)), cap: Some(rupees(500)), ..plain.clone() },
                Some("2026-12-05T23:59:59+05:30[IST]"),
                "Diwali: 10.5% off, from ₹1,000.00, up to ₹500.00, until 5\u{a0}Dec\u{a0}2026",
            ),
            (Terms { benefit: Benefit::Amount(rupees(200)), ..plain.clone() }, None, "Diwali: ₹200.00 off"),
            (Terms { benefit: Benefit::FreeShipping, ..plain.clone() }, None, "Diwali: free shipping"),
            (
                Terms { benefit: Benefit::BuyGet { buy: 2, get: 1, off_bp: 10_000 }, ..plain.clone() },
                None,
                "Diwali: buy 2, get 1 free",
            ),
            (
                Terms { benefit: Benefit::BuyGet { buy: 2, get: 1, off_bp: 5_000 }, ..plain.clone() },
                None,
                "Diwali: buy 2, get 1 at 50% off",
            ),
        ];
        for (terms, last_day, words) in table {
            assert_eq!(in_words(I18n::default(), &terms, last_day), words);
        }
    }
}
