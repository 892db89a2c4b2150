//! Timed events: products of a shop at prices of their own, from a start to an end.

use haat_engine::{clock::rfc3339, sale_events};
use haat_shared::{
    Error, Result,
    id::kinds::{PlannedSaleId, ProductId, SaleEventId},
    routes::*,
    sale_events::{EventCard, EventForm, EventProductForm, EventView},
    sale_prices::SaleForm,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Api, RequestContext,
    extract::{At, Body, Moment, OnceIfAsked},
    reply::{Found, Made},
    sale_prices::{NewSalePrice, percent, renamed},
    shops::typed,
};

pub(super) fn routes(api: Api) -> Api {
    api.on(
        API_SALE_EVENTS,
        "Lists the next 60 timed events of all shops that are on or will be, the first to begin first.",
        list,
    )
    .on(API_SALE_EVENT, "Retrieves a timed event with its products.", view)
    .on(API_SHOP_SALE_EVENTS, "Lists the latest 60 timed events of a shop.", of_shop)
    .on(
        API_CREATE_SALE_EVENT,
        "Creates a timed event without products. Shoppers see it once it has a published one.",
        create,
    )
    .on(
        API_SHOP_SALE_EVENT,
        "Retrieves a timed event of a shop, with drafts and products that are in it no longer.",
        edit,
    )
    .on(
        API_SAVE_SALE_EVENT,
        "Updates a timed event. Once it has begun, its times stay as they are; it can be ended.",
        save,
    )
    .on(API_DELETE_SALE_EVENT, "Deletes a timed event that has not begun.", delete)
    .on(API_END_SALE_EVENT, "Ends a timed event that is on. Checkouts that were begun keep its prices.", end)
    .on(API_ADD_EVENT_PRODUCT, "Adds a product to a timed event that is not over.", add)
    .on(
        API_REMOVE_EVENT_PRODUCT,
        "Removes a product from a timed event; from one that is on, from now on.",
        remove,
    )
}

/// Timed events.
#[derive(Serialize, ToSchema)]
struct SaleEvents {
    /// The events, in order.
    items: Vec<EventCard>,
}

/// A timed event to create or update.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SaleEvent {
    /// The title.
    #[schema(format = "line", max_length = 80)]
    title: String,
    /// What is said about it, in lines.
    #[serde(default)]
    #[schema(max_length = 2000)]
    description: String,
    /// When it begins: RFC 3339. Null for now.
    #[schema(value_type = Option<String>)]
    starts_at: Option<Moment>,
    /// When it ends: RFC 3339.
    #[schema(value_type = String)]
    ends_at: Moment,
}

impl From<SaleEvent> for EventForm {
    fn from(event: SaleEvent) -> Self {
        let time = |Moment(ms): Moment| rfc3339(ms);
        let SaleEvent { title, description, starts_at, ends_at } = event;
        let starts_at = starts_at.map(time).unwrap_or_default();
        Self { title, description, starts_at, ends_at: time(ends_at) }
    }
}

/// A created timed event.
#[derive(Serialize, ToSchema)]
struct SaleEventCreated {
    /// The event's ID.
    id: SaleEventId,
}

/// A product to add to a timed event: a reduction of all variants, or prices of some.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewEventProduct {
    /// The product's ID.
    product_id: ProductId,
    /// The reduction in basis points, of all variants without a price in `prices`.
    #[schema(minimum = 1, maximum = 9999)]
    percent_bp: Option<i64>,
    /// Prices of variants, below their ordinary ones.
    #[serde(default)]
    prices: Vec<NewSalePrice>,
    /// How many units are sold at these prices, of all variants together. Null for any number.
    #[schema(minimum = 1, maximum = 1000000)]
    allotment: Option<i64>,
}

type AtEvent = At<(String, SaleEventId)>;

async fn list(context: RequestContext, (): ()) -> Result<Found<SaleEvents>> {
    let items = sale_events::list(context.engine(), &context.caller).await?;
    Ok(Found(SaleEvents { items }))
}

async fn view(context: RequestContext, At(id): At<SaleEventId>) -> Result<Found<EventView>> {
    sale_events::view(context.engine(), &context.caller, id).await.map(Found)
}

async fn of_shop(context: RequestContext, At(handle): At<String>) -> Result<Found<SaleEvents>> {
    let items = sale_events::of_shop(context.engine(), &context.caller, &handle).await?;
    Ok(Found(SaleEvents { items }))
}

async fn create(
    context: RequestContext,
    (At(handle), Body(event), _): (At<String>, Body<SaleEvent>, OnceIfAsked),
) -> Result<Made<SaleEventCreated>> {
    let id = sale_events::create(context.engine(), &context.caller, &handle, &event.into()).await?;
    Ok(Made(SaleEventCreated { id }))
}

async fn found(context: &RequestContext, handle: &str, id: SaleEventId) -> Result<EventView> {
    Ok(sale_events::edit(context.engine(), &context.caller, handle, id, None).await?.event)
}

async fn edit(context: RequestContext, At((handle, id)): AtEvent) -> Result<Found<EventView>> {
    found(&context, &handle, id).await.map(Found)
}

async fn save(
    context: RequestContext,
    (At((handle, id)), Body(event)): (AtEvent, Body<SaleEvent>),
) -> Result<Found<EventView>> {
    sale_events::save(context.engine(), &context.caller, &handle, id, &event.into()).await?;
    found(&context, &handle, id).await.map(Found)
}

async fn delete(context: RequestContext, At((handle, id)): AtEvent) -> Result<()> {
    sale_events::delete(context.engine(), &context.caller, &handle, id).await
}

async fn end(context: RequestContext, At((handle, id)): AtEvent) -> Result<()> {
    sale_events::end(context.engine(), &context.caller, &handle, id).await
}

async fn add(
    context: RequestContext,
    (At((handle, id)), Body(new), _): (AtEvent, Body<NewEventProduct>, OnceIfAsked),
) -> Result<Made<EventView>> {
    let NewEventProduct { product_id, percent_bp, prices, allotment } = new;
    let sale = SaleForm {
        percent: percent(percent_bp),
        prices: prices.into_iter().map(|of| (of.variant_id, typed(of.price))).collect(),
        ..SaleForm::default()
    };
    let form =
        EventProductForm { sale, allotment: allotment.map(|units| units.to_string()).unwrap_or_default() };
    sale_events::add(context.engine(), &context.caller, &handle, id, product_id, &form)
        .await
        .map_err(renamed)?;
    found(&context, &handle, id).await.map(Made)
}

async fn remove(
    context: RequestContext,
    At((handle, (id, sale))): At<(String, (SaleEventId, PlannedSaleId))>,
) -> Result<()> {
    let event = found(&context, &handle, id).await?;
    let item = event.items.iter().find(|item| item.sale == sale).ok_or(Error::NotFound)?;
    sale_events::remove(context.engine(), &context.caller, &handle, id, item.product, sale).await
}
