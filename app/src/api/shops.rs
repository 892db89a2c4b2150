//! Shops, for shoppers and for their members.

use haat_shared::{
    Currency,
    admin::ShopDetails,
    catalog::CategoryLink,
    commissions::CommissionRates,
    id::kinds::MediaId,
    page::{Counted, ListRequest, Page},
    sales::{AskedPeriod, ShopHome},
    shops::{AdminShopCard, ShopCard, ShopForm, ShopSettings, ShopView, ToDo},
};
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// A shop by its handle.
#[server(prefix = "/api", endpoint = "shops/shop", input = Json)]
pub async fn shop(handle: String) -> Result<ShopView, ApiError> {
    super::call(async |engine, caller| haat_engine::shops::shop(&engine, &caller, &handle).await).await
}

/// A page of the directory of shops.
#[server(name = ListShops, prefix = "/api", endpoint = "shops/list", input = Json)]
pub async fn list(after: String) -> Result<Page<ShopCard>, ApiError> {
    super::call(async |engine, caller| haat_engine::shops::list(&engine, &caller, &after).await).await
}

/// Opens a shop for the caller. Returns its handle.
#[server(name = OpenShop, prefix = "/api", endpoint = "shops/open_as_seller", input = Json)]
pub async fn open_as_seller(form: ShopForm) -> Result<String, ApiError> {
    super::call(async |engine, caller| haat_engine::shops::open_as_seller(&engine, &caller, &form).await)
        .await
}

/// A shop's dashboard, for a period.
#[server(name = FetchShopHome, prefix = "/api", endpoint = "shops/home", input = Json)]
pub async fn home(handle: String, of: AskedPeriod) -> Result<ShopHome, ApiError> {
    super::call(async |engine, caller| haat_engine::shops::home(&engine, &caller, &handle, &of).await).await
}

/// The number of a shop's orders to confirm and to ship.
#[server(name = FetchToDo, prefix = "/api", endpoint = "shops/to_do", input = Json)]
pub async fn to_do(handle: String) -> Result<ToDo, ApiError> {
    super::call(async |engine, caller| haat_engine::shops::to_do(&engine, &caller, &handle).await).await
}

/// A shop's settings.
#[server(name = FetchShopSettings, prefix = "/api", endpoint = "shops/settings", input = Json)]
pub async fn settings(handle: String) -> Result<ShopSettings, ApiError> {
    super::call(async |engine, caller| haat_engine::shops::settings(&engine, &caller, &handle).await).await
}

/// Saves a shop's settings, if they still have the version that was edited; returns the new version.
#[server(name = SaveShopSettings, prefix = "/api", endpoint = "shops/save_settings", input = Json)]
pub async fn save_settings(handle: String, version: i64, form: ShopForm) -> Result<i64, ApiError> {
    super::call(async |engine, caller| {
        haat_engine::shops::save_settings(&engine, &caller, &handle, version, &form).await
    })
    .await
}

/// All shops. Admins only.
#[server(name = ListAllShops, prefix = "/api", endpoint = "shops/list_all", input = Json)]
pub async fn list_all(of: ListRequest) -> Result<Counted<AdminShopCard>, ApiError> {
    super::call(async |engine, caller| haat_engine::shops::table_of_all(&engine, &caller, &of).await).await
}

/// Any shop, with what the admin may see of it.
#[server(name = FetchAnyShop, prefix = "/api", endpoint = "shops/any_shop", input = Json)]
pub async fn any_shop(handle: String) -> Result<ShopDetails, ApiError> {
    super::call(async |engine, caller| haat_engine::shops::any_shop(&engine, &caller, &handle).await).await
}

/// The rates of commission, and the categories that can have one.
#[server(name = FetchCommission, prefix = "/api", endpoint = "shops/commission", input = Json)]
pub async fn commission() -> Result<(CommissionRates, Vec<CategoryLink>), ApiError> {
    super::call(async |engine, caller| haat_engine::commissions::page(&engine, &caller).await).await
}

/// Makes one of a shop's own pictures its logo.
#[server(name = SetLogo, prefix = "/api", endpoint = "shops/set_logo", input = Json)]
pub async fn set_logo(handle: String, picture: MediaId) -> Result<(), ApiError> {
    super::call(async |engine, caller| haat_engine::shops::set_logo(&engine, &caller, &handle, picture).await)
        .await
}

/// The currency of new shops.
#[server(name = FetchCurrency, prefix = "/api", endpoint = "shops/currency", input = Json)]
pub async fn currency() -> Result<Currency, ApiError> {
    super::call(async |engine, _| Ok(engine.currency)).await
}
