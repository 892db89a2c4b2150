//! Purchases of one's own, and the orders of one's shops.

use haat_engine::orders;
use haat_shared::{
    Result,
    orders::{ListOrders, OrderCard, OrderState, PurchaseCard, PurchaseView, SellerOrder, Shipment},
    routes::*,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    Api, Ask,
    parts::{At, Body, Found, Limit, Listed, Once, Paging, Query, page},
};

pub(super) fn routes(api: Api) -> Api {
    api.on(API_PURCHASES, "One's purchases, newest first.", history)
        .on(API_PURCHASE, "A purchase, for who made it or has its key.", purchase)
        .on(API_CANCEL_OWN, "Cancels an order of a purchase that the shop has not confirmed yet.", cancel_own)
        .on(API_SHOP_ORDERS, "A shop's orders, newest first.", of_shop)
        .on(API_SHOP_ORDER, "An order of a shop.", order)
        .on(API_CONFIRM, "The shop says yes.", confirm)
        .on(API_SHIP, "The order leaves.", ship)
        .on(API_DELIVER, "The order has arrived.", deliver)
        .on(API_CANCEL, "The shop cancels: money and stock go back.", cancel)
}

async fn history(ask: Ask, Query(of): Query<Paging>) -> Result<Listed<PurchaseCard>> {
    orders::history(ask.engine(), &ask.caller, page(&of.after, of.limit)).await.map(Listed)
}

/// What lets anyone read a purchase.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WithKey {
    /// The key that came with the answer to paying, for who is not signed in and has no cart.
    key: Option<String>,
}

async fn purchase(
    ask: Ask,
    (At(number), Query(with)): (At<String>, Query<WithKey>),
) -> Result<Found<PurchaseView>> {
    let key = with.key.unwrap_or_default();
    orders::purchase(ask.engine(), &ask.caller, &number, &key).await.map(Found)
}

/// Why an order is cancelled.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Cancellation {
    /// A line that the other side reads.
    #[schema(format = "line", max_length = 300)]
    reason: String,
}

async fn cancel_own(
    ask: Ask,
    (At((number, order)), Query(with), Body(why), _): (
        At<(String, String)>,
        Query<WithKey>,
        Body<Cancellation>,
        Once,
    ),
) -> Result<()> {
    let key = with.key.unwrap_or_default();
    orders::cancel_own(ask.engine(), &ask.caller, &number, &key, &order, &why.reason).await
}

/// Which orders to list.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WhichOrders {
    /// Only those whose number, e-mail or name has these words.
    #[schema(format = "optional-line", max_length = 100)]
    q: Option<String>,
    /// Only those in this state.
    #[schema(inline)]
    state: Option<OrderState>,
    /// The `next` of the page before.
    after: Option<String>,
    /// How many rows at most.
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 100)]
    limit: Option<Limit>,
}

impl From<WhichOrders> for ListOrders {
    fn from(of: WhichOrders) -> Self {
        Self {
            q: of.q.unwrap_or_default(),
            state: of.state.map(|s| s.as_str().to_owned()).unwrap_or_default(),
            after: of.after.unwrap_or_default(),
            limit: of.limit.map(|l| l.0),
        }
    }
}

async fn of_shop(
    ask: Ask,
    (At(handle), Query(of)): (At<String>, Query<WhichOrders>),
) -> Result<Listed<OrderCard>> {
    orders::seller_list(ask.engine(), &ask.caller, &handle, of.into()).await.map(Listed)
}

type Order = At<(String, String)>;

async fn order(ask: Ask, At((handle, number)): Order) -> Result<Found<SellerOrder>> {
    orders::seller_order(ask.engine(), &ask.caller, &handle, &number).await.map(Found)
}

async fn confirm(ask: Ask, (At((handle, number)), _): (Order, Once)) -> Result<()> {
    orders::confirm(ask.engine(), &ask.caller, &handle, &number).await
}

/// How an order travels.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Parcel {
    /// Who carries it.
    #[schema(format = "line", max_length = 80)]
    carrier: String,
    /// What the carrier calls it.
    #[schema(format = "line", max_length = 80)]
    tracking_number: String,
    /// Where it can be followed: an address that begins with `https://`.
    #[serde(default)]
    #[schema(format = "https-url", max_length = 500)]
    tracking_url: String,
}

async fn ship(ask: Ask, (At((handle, number)), Body(parcel), _): (Order, Body<Parcel>, Once)) -> Result<()> {
    let Parcel { carrier, tracking_number, tracking_url } = parcel;
    let shipment = Shipment { carrier, tracking_number, tracking_url };
    orders::ship(ask.engine(), &ask.caller, &handle, &number, shipment).await
}

async fn deliver(ask: Ask, (At((handle, number)), _): (Order, Once)) -> Result<()> {
    orders::deliver(ask.engine(), &ask.caller, &handle, &number).await
}

async fn cancel(
    ask: Ask,
    (At((handle, number)), Body(why), _): (Order, Body<Cancellation>, Once),
) -> Result<()> {
    orders::cancel(ask.engine(), &ask.caller, &handle, &number, &why.reason).await
}
