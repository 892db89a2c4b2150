//! Purchases and orders.

use haat_shared::{
    admin::AdminOrder,
    orders::{ListOrders, OrderCard, PurchaseCard, PurchaseView, SellerOrder, Shipment, ShopOrderView},
    page::{Counted, Page},
};
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// A purchase. `key` is the signature in a guest's link; empty for the account that made the purchase.
#[server(prefix = "/api", endpoint = "orders/purchase", input = Json)]
pub async fn purchase(number: String, key: String) -> Result<PurchaseView, ApiError> {
    super::call(async |engine, caller| haat_engine::orders::purchase(&engine, &caller, &number, &key).await)
        .await
}

/// The account's purchases, newest first.
#[server(prefix = "/api", endpoint = "orders/history", input = Json)]
pub async fn history(after: String) -> Result<Page<PurchaseCard>, ApiError> {
    super::call(async |engine, caller| haat_engine::orders::history(&engine, &caller, &after).await).await
}

/// The customer cancels an order that the shop has not confirmed.
#[server(prefix = "/api", endpoint = "orders/cancel_by_customer", input = Json)]
pub async fn cancel_by_customer(
    purchase: String,
    key: String,
    number: String,
    reason: String,
) -> Result<(), ApiError> {
    super::call(async |engine, caller| {
        haat_engine::orders::cancel_by_customer(&engine, &caller, &purchase, &key, &number, &reason).await
    })
    .await
}

/// A shop's orders, filtered and sorted.
#[server(prefix = "/api", endpoint = "orders/seller_list", input = Json)]
pub async fn seller_list(handle: String, of: ListOrders) -> Result<Counted<OrderCard>, ApiError> {
    super::call(async |engine, caller| haat_engine::orders::seller_table(&engine, &caller, &handle, of).await)
        .await
}

/// An order, as the shop's members see it.
#[server(name = FetchSellerOrder, prefix = "/api", endpoint = "orders/seller_order", input = Json)]
pub async fn seller_order(handle: String, number: String) -> Result<SellerOrder, ApiError> {
    super::call(async |engine, caller| {
        haat_engine::orders::seller_order(&engine, &caller, &handle, &number).await
    })
    .await
}

/// The shop's orders with these numbers, for packing slips.
#[server(name = FetchPackingSlips, prefix = "/api", endpoint = "orders/packing_slips", input = Json)]
pub async fn packing_slips(handle: String, numbers: Vec<String>) -> Result<Vec<ShopOrderView>, ApiError> {
    super::call(async |engine, caller| {
        haat_engine::orders::packing_slips(&engine, &caller, &handle, numbers).await
    })
    .await
}

/// The shop confirms an order.
#[server(prefix = "/api", endpoint = "orders/confirm", input = Json)]
pub async fn confirm(handle: String, number: String) -> Result<(), ApiError> {
    super::call(async |engine, caller| haat_engine::orders::confirm(&engine, &caller, &handle, &number).await)
        .await
}

/// The shop ships an order.
#[server(prefix = "/api", endpoint = "orders/ship", input = Json)]
pub async fn ship(handle: String, number: String, shipment: Shipment) -> Result<(), ApiError> {
    super::call(async |engine, caller| {
        haat_engine::orders::ship(&engine, &caller, &handle, &number, shipment).await
    })
    .await
}

/// The shop marks an order as delivered.
#[server(prefix = "/api", endpoint = "orders/deliver", input = Json)]
pub async fn deliver(handle: String, number: String) -> Result<(), ApiError> {
    super::call(async |engine, caller| haat_engine::orders::deliver(&engine, &caller, &handle, &number).await)
        .await
}

/// The shop cancels an order.
#[server(prefix = "/api", endpoint = "orders/cancel", input = Json)]
pub async fn cancel(handle: String, number: String, reason: String) -> Result<(), ApiError> {
    super::call(async |engine, caller| {
        haat_engine::orders::cancel(&engine, &caller, &handle, &number, &reason).await
    })
    .await
}

/// An order of any shop. Admins only.
#[server(name = FetchAnyOrder, prefix = "/api", endpoint = "orders/any_order", input = Json)]
pub async fn any_order(number: String) -> Result<AdminOrder, ApiError> {
    super::call(async |engine, caller| haat_engine::orders::any_order_page(&engine, &caller, &number).await)
        .await
}

/// All orders. Admins only.
#[server(prefix = "/api", endpoint = "orders/list_all", input = Json)]
pub async fn list_all(of: ListOrders) -> Result<Counted<OrderCard>, ApiError> {
    super::call(async |engine, caller| haat_engine::orders::table_of_all(&engine, &caller, of).await).await
}
