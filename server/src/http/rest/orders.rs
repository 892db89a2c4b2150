//! A shopper's purchases, and a shop's orders.

use haat_engine::{events, gift_cards, orders};
use haat_gateways::pictures::StoredPicture;
use haat_shared::{
    Error, Result,
    events::EventPage,
    id::kinds::{GiftCardId, MediaId, ReturnId, ShipmentId},
    media::{File, Format, Picture, WIDTHS},
    orders::{
        LineQuantity, ListOrders, NewRefund, OrderCard, OrderState, PurchaseCard, PurchaseView, SellerOrder,
        Shipment,
    },
    returns::{NewReturnRequest, ReturnApproval, ReturnReceipt},
    routes::*,
    shipping::Slot,
};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{
    Api, RequestContext,
    extract::{At, Body, Limit, Once, Paging, Query, ReturnPictureFile, page},
    problem::Problem,
    reply::{Found, IntoReply, Listed, Made, Reply},
    schema::Described,
};

pub(super) fn routes(api: Api) -> Api {
    api.on(API_PURCHASES, "Lists your purchases, newest first.", history)
        .on(
            API_PURCHASE,
            "Retrieves a purchase. Requires the customer's token or the purchase key.",
            purchase,
        )
        .on(
            API_RESEND_GIFT,
            "Sends a gift card that you bought again, up to five times.",
            resend_gift,
        )
        .on(
            API_CANCEL_BY_CUSTOMER,
            "Cancels one of your orders, as long as the shop hasn't confirmed it.",
            cancel_by_customer,
        )
        .on(
            API_REQUEST_RETURN,
            "Asks to return a part of a delivered order, or to be refunded for what never arrived.",
            request_return,
        )
        .on(
            API_ADD_RETURN_PICTURE,
            "Uploads an image for a return request of an order. Send its ID with the request within a day.",
            add_return_picture,
        )
        .on(API_RETURN_PICTURE, "Retrieves an image of one of your returns.", return_picture)
        .on(API_SHOP_RETURN_PICTURE, "Retrieves an image of a return of one of a shop's orders.", shop_return_picture)
        .on(API_ANY_RETURN_PICTURE, "Retrieves an image of a return of any order.", any_return_picture)
        .on(API_WITHDRAW_RETURN, "Withdraws a return that the shop hasn't received.", withdraw_return)
        .on(API_SHOP_ORDERS, "Lists a shop's orders, newest first.", of_shop)
        .on(
            API_SHOP_EVENTS,
            "Lists events of a shop's orders, oldest first. Poll this rather than the list of orders.",
            events_of_shop,
        )
        .on(API_EVENTS, "Lists events of the orders of all shops, oldest first.", events_of_market)
        .on(API_SHOP_ORDER, "Retrieves an order of a shop.", order)
        .on(API_CONFIRM, "Confirms an order.", confirm)
        .on(API_SHIP, "Marks an order as shipped, or corrects the tracking details of one that is.", ship)
        .on(API_SHIP_PART, "Ships a part of an order. With its last part, the order is shipped.", ship_part)
        .on(API_TRACK, "Corrects the tracking details of a shipment that is on its way.", track)
        .on(API_REFUND, "Refunds a part of an order, and returns its commission.", refund)
        .on(API_OPEN_RETURN, "Opens a return of a part of a shipped order.", open_return)
        .on(API_APPROVE_RETURN, "Approves a customer's return request.", approve_return)
        .on(API_REJECT_RETURN, "Rejects a customer's return request.", reject_return)
        .on(
            API_RECEIVE_RETURN,
            "Marks a return as received, and may return its items to stock and refund them.",
            receive_return,
        )
        .on(API_EXCHANGE_RETURN, "Sends what the customer would like instead of a return that was received.", exchange_return)
        .on(API_REFUND_RETURN, "Refunds a return that was approved or received.", refund_return)
        .on(
            API_APPROVE_AS_OPERATOR,
            "Approves a return request that the shop has left unanswered for too long.",
            approve_as_operator,
        )
        .on(
            API_REFUND_AS_OPERATOR,
            "Refunds a part of an order on behalf of its shop. Only of orders that were paid to the marketplace.",
            refund_as_operator,
        )
        .on(
            API_REJECT_AS_OPERATOR,
            "Rejects a return request that the shop has left unanswered for too long.",
            reject_as_operator,
        )
        .on(API_DELIVER, "Marks an order as delivered.", deliver)
        .on(API_CANCEL, "Cancels an order, refunds the payment and restocks the items.", cancel)
}

async fn history(context: RequestContext, Query(of): Query<Paging>) -> Result<Listed<PurchaseCard>> {
    orders::history(context.engine(), &context.caller, page(&of.after, of.limit)).await.map(Listed)
}

/// The key of a purchase.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WithKey {
    /// The purchase key returned by the payment. Required if you are neither signed in nor using the cart's token.
    key: Option<String>,
}

async fn purchase(
    context: RequestContext,
    (At(number), Query(with)): (At<String>, Query<WithKey>),
) -> Result<Found<PurchaseView>> {
    let key = with.key.unwrap_or_default();
    orders::purchase(context.engine(), &context.caller, &number, &key).await.map(Found)
}

/// The reason for a cancellation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Cancellation {
    /// A short explanation that the other party sees.
    #[schema(format = "line", max_length = 300)]
    reason: String,
}

/// The reason of a customer for a cancellation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CustomerCancellation {
    /// A short explanation that the shop sees. May be empty.
    #[serde(default)]
    #[schema(format = "optional-line", max_length = 300)]
    reason: String,
}

async fn cancel_by_customer(
    context: RequestContext,
    (At((number, order)), Query(with), Body(why), _): (
        At<(String, String)>,
        Query<WithKey>,
        Body<CustomerCancellation>,
        Once,
    ),
) -> Result<()> {
    let key = with.key.unwrap_or_default();
    orders::cancel_by_customer(context.engine(), &context.caller, &number, &key, &order, &why.reason).await
}

async fn resend_gift(
    context: RequestContext,
    (At((number, gift)), Query(with)): (At<(String, GiftCardId)>, Query<WithKey>),
) -> Result<()> {
    let key = with.key.unwrap_or_default();
    gift_cards::resend(context.engine(), &context.caller, &number, &key, gift).await
}

async fn request_return(
    context: RequestContext,
    (At((number, order)), Query(with), Body(request), Once(once)): (
        At<(String, String)>,
        Query<WithKey>,
        Body<NewReturnRequest>,
        Once,
    ),
) -> Result<Made<PurchaseView>> {
    let (engine, caller, key) = (context.engine(), &context.caller, with.key.unwrap_or_default());
    orders::request_return(engine, caller, (&number, &key), &order, request, &once).await?;
    orders::purchase(engine, caller, &number, &key).await.map(Made)
}

async fn withdraw_return(
    context: RequestContext,
    (At((number, (order, id))), Query(with), _): (At<(String, (String, ReturnId))>, Query<WithKey>, Once),
) -> Result<()> {
    let key = with.key.unwrap_or_default();
    orders::withdraw_return(context.engine(), &context.caller, (&number, &key), &order, id).await
}

async fn add_return_picture(
    context: RequestContext,
    (At((number, order)), Query(with), ReturnPictureFile(bytes)): (
        At<(String, String)>,
        Query<WithKey>,
        ReturnPictureFile,
    ),
) -> Result<Made<Picture>> {
    let key = with.key.unwrap_or_default();
    let of = (number.as_str(), key.as_str());
    orders::add_picture(context.engine(), &context.caller, of, &order, bytes.into()).await.map(Made)
}

/// A stored image.
pub(super) struct Image(StoredPicture);

impl IntoReply for Image {
    const STATUS: u16 = 200;

    fn reply(self) -> std::result::Result<Reply, Problem> {
        let stream = Some((Format::Jpeg.mime(), self.0.bytes.into()));
        Ok(Reply { status: Self::STATUS, version: None, body: String::new(), stream })
    }

    fn schema(_: &mut Described) -> Option<Value> {
        None
    }

    fn content(_: &mut Described) -> Option<Value> {
        Some(json!({"image/jpeg": {}}))
    }
}

/// The largest file of an image that the caller may see.
pub(super) async fn image(context: &RequestContext, id: MediaId) -> Result<Image> {
    for width in WIDTHS.into_iter().rev() {
        let file = File { id, width, format: Format::Jpeg };
        match context.state.runtime.pictures.read(file, None).await {
            Ok(Some(found)) => return Ok(Image(found)),
            // Smaller originals are not stored in this width.
            Ok(None) | Err(Error::NotFound) => {}
            Err(error) => return Err(error),
        }
    }
    Err(Error::NotFound)
}

async fn return_picture(
    context: RequestContext,
    (At((number, id)), Query(with)): (At<(String, MediaId)>, Query<WithKey>),
) -> Result<Image> {
    let key = with.key.unwrap_or_default();
    orders::may_see_picture(context.engine(), &context.caller, (&number, &key), id).await?;
    image(&context, id).await
}

async fn shop_return_picture(
    context: RequestContext,
    At((handle, (number, id))): At<(String, (String, MediaId))>,
) -> Result<Image> {
    orders::shop_may_see_picture(context.engine(), &context.caller, &handle, &number, id).await?;
    image(&context, id).await
}

async fn any_return_picture(
    context: RequestContext,
    At((number, id)): At<(String, MediaId)>,
) -> Result<Image> {
    orders::operator_may_see_picture(context.engine(), &context.caller, &number, id).await?;
    image(&context, id).await
}

/// The filters of a list of orders.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WhichOrders {
    /// Only orders whose number, email or name matches these words.
    #[schema(format = "optional-line", max_length = 100)]
    q: Option<String>,
    /// Only orders with this status.
    #[schema(inline)]
    status: Option<OrderState>,
    /// Only orders for this delivery slot, such as `2026-12-03T18:00/20:00`.
    #[serde(default)]
    slot: Option<Slot>,
    /// Only orders that were placed on this date or later, in the marketplace's time zone: `2026-11-01`.
    from: Option<String>,
    /// Only orders that were placed on this date or before.
    to: Option<String>,
    /// Only orders with open returns, or with those at this point.
    #[schema(inline)]
    returns: Option<OpenReturns>,
    /// Only orders whose payment is disputed.
    disputed: Option<bool>,
    /// The `next` cursor of the previous page.
    after: Option<String>,
    /// The maximum number of items to return.
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 100)]
    limit: Option<Limit>,
}

haat_shared::text_enum! {
    /// Which returns.
    #[derive(ToSchema)]
    pub(super) enum OpenReturns {
        /// Requests that wait for an answer.
        Requested = "requested",
        /// Requests that have waited for too long.
        Escalated = "escalated",
        /// Approved ones, which are to be received or refunded.
        Expected = "expected",
        /// All that are neither refunded nor refused or withdrawn.
        Open = "open",
    }
}

impl From<WhichOrders> for ListOrders {
    fn from(of: WhichOrders) -> Self {
        Self {
            q: of.q.unwrap_or_default(),
            state: of.status.map(|s| s.as_str().to_owned()).unwrap_or_default(),
            returns: of.returns.map(|returns| returns.as_str().to_owned()).unwrap_or_default(),
            disputed: of.disputed.unwrap_or_default(),
            slot: of.slot.map(|slot| slot.to_string()).unwrap_or_default(),
            from: of.from.unwrap_or_default(),
            to: of.to.unwrap_or_default(),
            after: of.after.unwrap_or_default(),
            limit: of.limit.map(|l| l.0),
            ..Self::default()
        }
    }
}

async fn of_shop(
    context: RequestContext,
    (At(handle), Query(of)): (At<String>, Query<WhichOrders>),
) -> Result<Listed<OrderCard>> {
    orders::seller_list(context.engine(), &context.caller, &handle, of.into()).await.map(Listed)
}

/// Which events to list.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WhichEvents {
    /// Only events after this sequence number: the `next` of the previous page. Omit it to start with the oldest available event.
    /// Events are kept for 30 days. An older number returns 410 with the number to continue from.
    #[schema(minimum = 0)]
    after: Option<i64>,
    /// The maximum number of events to return. Default: 100.
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 100)]
    limit: Option<Limit>,
}
const _: () = assert!(events::KEEP_MS == 30 * 24 * 3_600_000);

async fn events_of_shop(
    context: RequestContext,
    (At(handle), Query(of)): (At<String>, Query<WhichEvents>),
) -> Result<Feed> {
    let limit = of.limit.map(|l| l.0);
    events::of_shop(context.engine(), &context.caller, &handle, of.after, limit).await.map(Feed)
}

async fn events_of_market(context: RequestContext, Query(of): Query<WhichEvents>) -> Result<Feed> {
    let limit = of.limit.map(|l| l.0);
    events::of_market(context.engine(), &context.caller, of.after, limit).await.map(Feed)
}

/// A part of the feed; it may be refused because what was asked for is not kept any more.
struct Feed(EventPage);

impl IntoReply for Feed {
    const STATUS: u16 = 200;

    fn reply(self) -> std::result::Result<Reply, Problem> {
        Found(self.0).reply()
    }

    fn schema(what: &mut Described) -> Option<Value> {
        what.may_answer(410);
        <Found<EventPage> as IntoReply>::schema(what)
    }
}

type AtOrder = At<(String, String)>;

async fn order(context: RequestContext, At((handle, number)): AtOrder) -> Result<Found<SellerOrder>> {
    orders::seller_order(context.engine(), &context.caller, &handle, &number).await.map(Found)
}

async fn confirm(context: RequestContext, (At((handle, number)), _): (AtOrder, Once)) -> Result<()> {
    orders::confirm(context.engine(), &context.caller, &handle, &number).await
}

/// The tracking details of a shipment. An order for local pickup needs none.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ShipmentInput {
    /// The carrier's name.
    #[serde(default)]
    #[schema(format = "optional-line", max_length = 80)]
    carrier: String,
    /// The tracking number.
    #[serde(default)]
    #[schema(format = "optional-line", max_length = 80)]
    tracking_number: String,
    /// The tracking URL. Must start with `https://`.
    #[serde(default)]
    #[schema(format = "https-url", max_length = 500)]
    tracking_url: String,
}

async fn ship(
    context: RequestContext,
    (At((handle, number)), Body(input), _): (AtOrder, Body<ShipmentInput>, Once),
) -> Result<()> {
    let ShipmentInput { carrier, tracking_number, tracking_url } = input;
    let shipment = Shipment { carrier, tracking_number, tracking_url };
    orders::ship(context.engine(), &context.caller, &handle, &number, shipment).await
}

/// A part of an order to ship. Tracking details are as for the whole order.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PartToShip {
    /// The lines to ship, with quantities.
    lines: Vec<LineQuantity>,
    /// The carrier's name.
    #[serde(default)]
    #[schema(format = "optional-line", max_length = 80)]
    carrier: String,
    /// The tracking number.
    #[serde(default)]
    #[schema(format = "optional-line", max_length = 80)]
    tracking_number: String,
    /// The tracking URL. Must start with `https://`.
    #[serde(default)]
    #[schema(format = "https-url", max_length = 500)]
    tracking_url: String,
}

async fn ship_part(
    context: RequestContext,
    (At((handle, number)), Body(part), _): (AtOrder, Body<PartToShip>, Once),
) -> Result<Made<SellerOrder>> {
    let (engine, caller) = (context.engine(), &context.caller);
    let PartToShip { lines, carrier, tracking_number, tracking_url } = part;
    let shipment = Shipment { carrier, tracking_number, tracking_url };
    orders::ship_part(engine, caller, &handle, &number, &lines, shipment).await?;
    orders::seller_order(engine, caller, &handle, &number).await.map(Made)
}

async fn track(
    context: RequestContext,
    (At((handle, (number, shipment))), Body(input)): (
        At<(String, (String, ShipmentId))>,
        Body<ShipmentInput>,
    ),
) -> Result<()> {
    let ShipmentInput { carrier, tracking_number, tracking_url } = input;
    let tracking = Shipment { carrier, tracking_number, tracking_url };
    orders::track(context.engine(), &context.caller, &handle, &number, shipment, tracking).await
}

async fn refund(
    context: RequestContext,
    (At((handle, number)), Body(refund), _): (AtOrder, Body<NewRefund>, Once),
) -> Result<Made<SellerOrder>> {
    let (engine, caller) = (context.engine(), &context.caller);
    orders::refund(engine, caller, &handle, &number, refund).await?;
    orders::seller_order(engine, caller, &handle, &number).await.map(Made)
}

/// A return to open.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewReturn {
    /// The lines to return, with quantities.
    lines: Vec<LineQuantity>,
    /// A short explanation for the order's timeline.
    #[schema(format = "line", max_length = 300)]
    reason: String,
}

async fn open_return(
    context: RequestContext,
    (At((handle, number)), Body(new), _): (AtOrder, Body<NewReturn>, Once),
) -> Result<Made<SellerOrder>> {
    let (engine, caller) = (context.engine(), &context.caller);
    orders::open_return(engine, caller, &handle, &number, &new.lines, &new.reason).await?;
    orders::seller_order(engine, caller, &handle, &number).await.map(Made)
}

type AtReturn = At<(String, (String, ReturnId))>;

async fn approve_return(
    context: RequestContext,
    (At((handle, (number, id))), Body(approval), _): (AtReturn, Body<ReturnApproval>, Once),
) -> Result<()> {
    orders::approve_return(context.engine(), &context.caller, &handle, &number, id, approval).await
}

async fn reject_return(
    context: RequestContext,
    (At((handle, (number, id))), Body(why), _): (AtReturn, Body<ReturnRejection>, Once),
) -> Result<()> {
    orders::reject_return(context.engine(), &context.caller, &handle, &number, id, &why.reason).await
}

async fn receive_return(
    context: RequestContext,
    (At((handle, (number, id))), Body(receipt), _): (AtReturn, Body<ReturnReceipt>, Once),
) -> Result<()> {
    orders::receive_return(context.engine(), &context.caller, &handle, &number, id, receipt).await
}

/// The refund of a return.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReturnRefund {
    /// Whether to refund the shipping costs as well.
    #[serde(default)]
    shipping: bool,
}

async fn refund_return(
    context: RequestContext,
    (At((handle, (number, id))), Body(refund), _): (AtReturn, Body<ReturnRefund>, Once),
) -> Result<()> {
    let ReturnRefund { shipping } = refund;
    orders::refund_return(context.engine(), &context.caller, &handle, &number, id, shipping).await
}

async fn exchange_return(
    context: RequestContext,
    (At((handle, (number, id))), _): (AtReturn, Once),
) -> Result<()> {
    orders::exchange_return(context.engine(), &context.caller, &handle, &number, id).await
}

/// Why a return request is rejected.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReturnRejection {
    /// A short explanation that the customer sees.
    #[schema(format = "line", max_length = 300)]
    reason: String,
}

async fn approve_as_operator(
    context: RequestContext,
    (At((number, id)), Body(approval), _): (At<(String, ReturnId)>, Body<ReturnApproval>, Once),
) -> Result<()> {
    orders::approve_as_operator(context.engine(), &context.caller, &number, id, approval).await
}

async fn refund_as_operator(
    context: RequestContext,
    (At(number), Body(refund), _): (At<String>, Body<NewRefund>, Once),
) -> Result<Made<SellerOrder>> {
    let (engine, caller) = (context.engine(), &context.caller);
    orders::refund_as_operator(engine, caller, &number, refund).await?;
    orders::any_order(engine, caller, &number).await.map(Made)
}

async fn reject_as_operator(
    context: RequestContext,
    (At((number, id)), Body(why), _): (At<(String, ReturnId)>, Body<ReturnRejection>, Once),
) -> Result<()> {
    orders::reject_as_operator(context.engine(), &context.caller, &number, id, &why.reason).await
}

async fn deliver(context: RequestContext, (At((handle, number)), _): (AtOrder, Once)) -> Result<()> {
    orders::deliver(context.engine(), &context.caller, &handle, &number).await
}

async fn cancel(
    context: RequestContext,
    (At((handle, number)), Body(why), _): (AtOrder, Body<Cancellation>, Once),
) -> Result<()> {
    orders::cancel(context.engine(), &context.caller, &handle, &number, &why.reason).await
}
