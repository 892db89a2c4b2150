//! The plain forms of the seller dashboard.

use std::collections::BTreeSet;

use axum::{
    Extension, Form,
    extract::{Path, Query, State as Extract},
    response::{IntoResponse, Redirect, Response},
};
use haat_engine::{
    Caller, Engine, accounts, catalog, orders, payouts, price_lists, promotions, random, sale_events,
    sale_prices,
    shipping::{self, Change},
    shops,
};
use haat_shared::{
    Conflict, Error, FieldCode, Money, Result,
    catalog::edit::ProductState,
    checkout::CheckoutLineView,
    id::kinds::{ProductId, SaleEventId},
    orders::{NewRefund, SellerOrder, Shipment, lines as check_lines},
    page::LIMIT_MAX,
    payouts::{PayoutForm, PayoutMethodForm, PayoutMethodKind},
    permissions::Permission,
    promotions::PromotionForm,
    returns::{ReturnApproval, ReturnReceipt},
    routes::{self, OPEN_SHOP, with},
    sale_events::{EventForm, EventProductForm},
    sale_prices::{SaleForm, price_field},
    shipping::{CalendarForm, SlotForm, ZoneForm},
    shops::ShopForm,
};

use super::{
    State, Typed, back,
    forms::{all_at_once, at_lines, back_with_draft, clean, field, quantities_of, refused},
    layers,
    outcome::redirect,
};

/// A shop's promotion: created, changed, ended or deleted.
pub(super) async fn promotions(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(handle): Path<String>,
    Form(typed): Form<Typed>,
) -> Response {
    let (engine, value) = (&state.runtime.engine, |name: &str| field(&typed, name));
    let (action, form) = (value("action"), PromotionForm::read(value));
    let done: Result<()> = async {
        // Before anything is said about the form.
        caller.shop(&handle, Permission::ManageCatalog)?;
        match action.as_str() {
            "create" => promotions::create(engine, &caller, &handle, &form).await.map(drop),
            "save" => {
                let version = value("version").parse().ok();
                promotions::save(engine, &caller, &handle, value("id").parse()?, version, &form).await
            }
            "end" => promotions::end(engine, &caller, &handle, value("id").parse()?).await,
            "delete" => promotions::delete(engine, &caller, &handle, value("id").parse()?).await,
            _ => Err(Error::field("action", FieldCode::NotAChoice)),
        }
    }
    .await;
    promotion_done(&state, &routes::shop_promotions(&handle), typed, done).await
}

/// Back to the list of promotions; or to the form, if something in it is wrong.
pub(super) async fn promotion_done(state: &State, list: &str, typed: Typed, done: Result<()>) -> Response {
    let (action, id) = (field(&typed, "action"), field(&typed, "id"));
    let edit = with(list, &[("edit", if id.is_empty() { "new" } else { &id })]);
    match done {
        Ok(()) => redirect(state, list, &[("done", &action)]),
        Err(error @ (Error::Invalid(_) | Error::Conflict(Conflict::Edited(_)))) => {
            back_with_draft(state, "promotion", &edit, typed, &error).await
        }
        Err(error) => refused(state, &edit, &error),
    }
}

/// How a shop ships: a zone or a slot that is added, changed or removed, or its working days.
pub(super) async fn shipping(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(handle): Path<String>,
    Form(typed): Form<Typed>,
) -> Response {
    let (engine, value) = (&state.runtime.engine, |name: &str| field(&typed, name));
    let (action, id, at) = (value("action"), value("id"), value("at"));
    let page = routes::shop_shipping(&handle);
    let done: Result<i64> = async {
        // Before anything is said about the form.
        caller.shop(&handle, Permission::ManageShop)?;
        let change = match action.as_str() {
            "add" => Change::Zone(None, Box::new(ZoneForm::read(value))),
            "save" => Change::Zone(Some(id.parse()?), Box::new(ZoneForm::read(value))),
            "remove" => Change::RemoveZone(id.parse()?),
            "calendar" => Change::Calendar(CalendarForm::read(value)),
            "slot" => Change::Window(value("at").parse().ok(), SlotForm::read(value)),
            "remove_slot" => Change::RemoveWindow(value("at").parse().map_err(|_| Error::NotFound)?),
            _ => return Err(Error::field("action", FieldCode::NotAChoice)),
        };
        let version = value("version").parse().unwrap_or_default();
        shipping::save(engine, &caller, &handle, version, &change).await
    }
    .await;
    let edit = match action.as_str() {
        "add" => with(&page, &[("edit", "new")]),
        "save" => with(&page, &[("edit", &id)]),
        "slot" => with(&page, &[("slot", if value("at").is_empty() { "new" } else { &at })]),
        _ => page.clone(),
    };
    match done {
        Ok(_) => redirect(&state, &page, &[("done", &action)]),
        Err(error @ (Error::Invalid(_) | Error::Conflict(Conflict::Edited(_)))) => {
            back_with_draft(&state, "shipping", &edit, typed, &error).await
        }
        Err(error) => refused(&state, &edit, &error),
    }
}

/// A sale that is planned, ended or removed.
pub(super) async fn sales(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path((handle, id)): Path<(String, String)>,
    Form(typed): Form<Typed>,
) -> Response {
    let (engine, value) = (&state.runtime.engine, |name: &str| field(&typed, name));
    let action = value("action");
    let Ok(product) = id.parse::<ProductId>() else { return layers::plain(&Error::NotFound) };
    let page = routes::product_sales(&handle, product);
    let done: Result<()> = async {
        // Before anything is said about the form.
        let variants = sale_prices::list(engine, &caller, &handle, product).await?.variants;
        match action.as_str() {
            "plan" => {
                let form = SaleForm::read(variants.iter().map(|variant| variant.id), value);
                sale_prices::plan(engine, &caller, &handle, product, &form).await.map(drop)
            }
            "end" => sale_prices::end(engine, &caller, &handle, product, value("id").parse()?).await,
            "remove" => sale_prices::remove(engine, &caller, &handle, product, value("id").parse()?).await,
            _ => Err(Error::field("action", FieldCode::NotAChoice)),
        }
    }
    .await;
    match done {
        Ok(()) => redirect(&state, &page, &[("done", &action)]),
        Err(error @ Error::Invalid(_)) => back_with_draft(&state, "planned_sale", &page, typed, &error).await,
        Err(error) => refused(&state, &page, &error),
    }
}

/// The prices of a product in another currency.
pub(super) async fn prices(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path((handle, id)): Path<(String, String)>,
    Form(typed): Form<Typed>,
) -> Response {
    let engine = &state.runtime.engine;
    let Ok(product) = id.parse::<ProductId>() else { return layers::plain(&Error::NotFound) };
    let (code, page) = (field(&typed, "currency"), routes::product_prices(&handle, product));
    let page = routes::with(&page, &[("currency", &code)]);
    let done: Result<()> = async {
        let currency = code.parse().map_err(|_| Error::field("currency", FieldCode::NotAChoice))?;
        let list = price_lists::of_product(engine, &caller, &handle, product, Some(currency)).await?;
        let prices =
            list.variants.iter().map(|variant| (variant.id, field(&typed, &price_field(variant.id))));
        let prices: Vec<_> = prices.collect();
        price_lists::save(engine, &caller, &handle, product, currency, &prices).await
    }
    .await;
    match done {
        Ok(()) => redirect(&state, &page, &[("done", "save")]),
        Err(error @ Error::Invalid(_)) => back_with_draft(&state, "price_list", &page, typed, &error).await,
        Err(error) => refused(&state, &page, &error),
    }
}

/// A new event.
pub(super) async fn events(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(handle): Path<String>,
    Form(typed): Form<Typed>,
) -> Response {
    let page = routes::shop_events(&handle);
    let form = EventForm::read(|name| field(&typed, name));
    match sale_events::create(&state.runtime.engine, &caller, &handle, &form).await {
        Ok(id) => redirect(&state, &routes::shop_event(&handle, id), &[("done", "create")]),
        Err(error @ Error::Invalid(_)) => back_with_draft(&state, "event", &page, typed, &error).await,
        Err(error) => refused(&state, &page, &error),
    }
}

/// A change of an event: its form, a product that is put into it or removed, its end.
pub(super) async fn event(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path((handle, id)): Path<(String, String)>,
    Form(typed): Form<Typed>,
) -> Response {
    let (engine, value) = (&state.runtime.engine, |name: &str| field(&typed, name));
    let action = value("action");
    let Ok(id) = id.parse::<SaleEventId>() else { return layers::plain(&Error::NotFound) };
    let page = routes::shop_event(&handle, id);
    let adding = with(&page, &[("add", &value("product"))]);
    let done: Result<()> = async {
        // Before anything is said about the form.
        sale_events::edit(engine, &caller, &handle, id, None).await?;
        match action.as_str() {
            "save" => sale_events::save(engine, &caller, &handle, id, &EventForm::read(value)).await,
            "add" => {
                let product: ProductId = value("product").parse()?;
                let event = sale_events::edit(engine, &caller, &handle, id, Some(product)).await?;
                let variants = event.adding.map(|(_, _, variants)| variants).unwrap_or_default();
                let sale = SaleForm::read(variants.iter().map(|variant| variant.id), value);
                let form = EventProductForm { sale, allotment: value("allotment") };
                sale_events::add(engine, &caller, &handle, id, product, &form).await
            }
            "remove" => {
                let (product, sale) = (value("product").parse()?, value("sale").parse()?);
                sale_events::remove(engine, &caller, &handle, id, product, sale).await
            }
            "end" => sale_events::end(engine, &caller, &handle, id).await,
            "delete" => sale_events::delete(engine, &caller, &handle, id).await,
            _ => Err(Error::field("action", FieldCode::NotAChoice)),
        }
    }
    .await;
    let back = if action == "add" { &adding } else { &page };
    match done {
        Ok(()) if action == "delete" => redirect(&state, &routes::shop_events(&handle), &[("done", &action)]),
        Ok(()) => redirect(&state, &page, &[("done", &action)]),
        Err(error @ Error::Invalid(_)) if matches!(action.as_str(), "add" | "save") => {
            back_with_draft(&state, "event", back, typed, &error).await
        }
        Err(error) => refused(&state, back, &error),
    }
}

/// A payout, or a change of where payouts go.
pub(super) async fn balance(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(handle): Path<String>,
    Form(typed): Form<Typed>,
) -> Response {
    let (engine, value) = (&state.runtime.engine, |name: &str| field(&typed, name));
    let page = routes::balance(&handle);
    let action = value("action");
    let stripe = value("kind") == PayoutMethodKind::Stripe.as_str() && payouts::connects(engine);
    if action == "connect" || (action == "add_method" && stripe) {
        return match payouts::connect(engine, &caller, &handle).await {
            Ok(payouts::Onboarding { url: Some(url), .. }) => Redirect::to(&url).into_response(),
            Ok(payouts::Onboarding { url: None, .. }) => redirect(&state, &page, &[("done", "connect")]),
            Err(error @ Error::Invalid(_)) => back_with_draft(&state, "balance", &page, typed, &error).await,
            Err(error) => refused(&state, &page, &error),
        };
    }
    // With the payout that was requested, so that the page can name it.
    let done: Result<Option<String>> = async {
        // Before anything is said about the form.
        caller.shop(&handle, Permission::SeeMoney)?;
        match action.as_str() {
            "withdraw" => {
                let form = PayoutForm::read(value);
                let id = payouts::request(engine, &caller, &handle, &form, &value("key")).await?;
                Ok(Some(id.to_string()))
            }
            "add_method" => {
                payouts::add_method(engine, &caller, &handle, &PayoutMethodForm::read(value)).await?;
                Ok(None)
            }
            "remove_method" => {
                payouts::remove_method(engine, &caller, &handle, value("method").parse()?).await?;
                Ok(None)
            }
            _ => Err(Error::field("action", FieldCode::NotAChoice)),
        }
    }
    .await;
    match done {
        Ok(payout) => {
            let payout = payout.as_deref().map(|id| ("n", id));
            let done: Vec<_> = [("done", action.as_str())].into_iter().chain(payout).collect();
            redirect(&state, &page, &done)
        }
        Err(error @ Error::Invalid(_)) => back_with_draft(&state, "balance", &page, typed, &error).await,
        Err(error) => refused(&state, &page, &error),
    }
}

/// The shop comes back from Stripe's pages. What it did there is read from Stripe.
pub(super) async fn connect_return(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(handle): Path<String>,
    Query(query): Query<Typed>,
) -> Response {
    let (engine, page) = (&state.runtime.engine, routes::balance(&handle));
    let expired = !field(&query, payouts::EXPIRED).is_empty();
    match payouts::connect_returned(engine, &caller, &handle, expired).await {
        Ok(Some(url)) => Redirect::to(&url).into_response(),
        Ok(None) => redirect(&state, &page, &[("done", "connect")]),
        Err(error) => refused(&state, &page, &error),
    }
}

/// A change of an order: its next transition, a refund, or an answer to a return request.
pub(super) async fn order(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path((handle, number)): Path<(String, String)>,
    Form(typed): Form<Typed>,
) -> Response {
    let (engine, value) = (&state.runtime.engine, |name| field(&typed, name));
    let page = routes::shop_order(&handle, &number);
    let action = value("action");
    let done = match action.as_str() {
        "confirm" => orders::confirm(engine, &caller, &handle, &number).await,
        "deliver" => orders::deliver(engine, &caller, &handle, &number).await,
        "cancel" => orders::cancel(engine, &caller, &handle, &number, &value("reason")).await,
        "note" => orders::add_note(engine, &caller, &handle, &number, &value("note")).await,
        "ship" => orders::ship(engine, &caller, &handle, &number, tracking(&typed)).await,
        "ship_part" => ship_part(engine, &caller, &handle, &number, &typed).await,
        "refund" => refund(engine, &caller, &handle, &number, &typed).await,
        "return_approve"
        | "return_refund_now"
        | "return_reject"
        | "return_receive"
        | "return_receive_refund"
        | "return_receive_exchange"
        | "return_exchange"
        | "return_refund" => of_return(engine, &caller, &handle, &number, &typed).await,
        "track" => match value("shipment").parse() {
            Ok(id) => orders::track(engine, &caller, &handle, &number, id, tracking(&typed)).await,
            Err(_) => Err(Error::NotFound),
        },
        _ => Err(Error::field("action", FieldCode::NotAChoice)),
    };
    match done {
        Ok(()) => redirect(&state, &page, &[("done", &action)]),
        Err(error @ Error::Invalid(_)) => back_with_draft(&state, "order", &page, typed, &error).await,
        Err(error) => refused(&state, &page, &error),
    }
}

fn tracking(typed: &Typed) -> Shipment {
    Shipment {
        carrier: field(typed, "carrier"),
        tracking_number: field(typed, "tracking_number"),
        tracking_url: field(typed, "tracking_url"),
    }
}

/// Ships the quantities that were entered. Errors about a line name its field.
async fn ship_part(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    number: &str,
    typed: &Typed,
) -> Result<()> {
    let order = orders::seller_order(engine, caller, handle, number).await?.order.order;
    let (part, faults) = quantities_of(typed, &order.lines, CheckoutLineView::to_ship);
    let tracking_faults = match order.shipping_method {
        method if method.is_carried() => tracking(typed).check().err(),
        _ => None,
    };
    let others = check_lines(&part).err().into_iter().chain(tracking_faults).flatten();
    all_at_once(faults, Some(others.collect()))?;
    let shipped = orders::ship_part(engine, caller, handle, number, &part, tracking(typed)).await;
    shipped.map(drop).map_err(|error| at_lines(error, &part))
}

/// Refunds the quantities that were entered, if the form has shown this amount. Errors about a line name its field.
async fn refund(engine: &Engine, caller: &Caller, handle: &str, number: &str, typed: &Typed) -> Result<()> {
    let order = orders::seller_order(engine, caller, handle, number).await?;
    let refund = new_refund(typed, &order)?;
    let lines = refund.lines.clone();
    let refunded = orders::refund(engine, caller, handle, number, refund).await;
    refunded.map(drop).map_err(|error| at_lines(error, &lines))
}

/// The refund of an order, as entered by its shop or by an admin, or all errors in it.
pub(super) fn new_refund(
    typed: &Typed,
    SellerOrder { order, refundable, .. }: &SellerOrder,
) -> Result<NewRefund> {
    let order = &order.order;
    let (lines, faults) = quantities_of(typed, &order.lines, |line| {
        let mut left = refundable.iter().flat_map(|left| &left.lines);
        left.find(|left| left.position == line.position).map_or(0, |left| left.refundable)
    });
    // Without an amount, nothing was shown yet.
    let shown = Money::new(field(typed, "amount").parse().unwrap_or_default(), order.totals.total.currency());
    let refund = NewRefund {
        lines,
        shipping: field(typed, "shipping") == "true",
        restock: field(typed, "restock") == "true",
        reason: field(typed, "reason"),
        amount: Some(shown),
    };
    all_at_once(faults, refund.clone().check().err())?;
    Ok(refund)
}

/// An answer to a return request, or what becomes of an approved return.
async fn of_return(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    number: &str,
    typed: &Typed,
) -> Result<()> {
    let id = field(typed, "return").parse().map_err(|_| Error::NotFound)?;
    let (shipping, restock) = (field(typed, "shipping") == "true", field(typed, "restock") == "true");
    match field(typed, "action").as_str() {
        "return_reject" => {
            orders::reject_return(engine, caller, handle, number, id, &field(typed, "reason")).await
        }
        "return_receive" => {
            let receipt = ReturnReceipt::only(restock);
            orders::receive_return(engine, caller, handle, number, id, receipt).await
        }
        "return_receive_refund" => {
            let receipt = ReturnReceipt { restock, refund: true, shipping };
            orders::receive_return(engine, caller, handle, number, id, receipt).await
        }
        "return_receive_exchange" => {
            // If there is too little of what the customer would like, it is received all the same.
            let receipt = ReturnReceipt::only(restock);
            orders::receive_return(engine, caller, handle, number, id, receipt).await?;
            orders::exchange_return(engine, caller, handle, number, id).await
        }
        "return_exchange" => orders::exchange_return(engine, caller, handle, number, id).await,
        "return_refund" => orders::refund_return(engine, caller, handle, number, id, shipping).await,
        _ => orders::approve_return(engine, caller, handle, number, id, approval(typed)).await,
    }
}

/// The approval of a return request: the shipping costs are refunded only with the items.
pub(super) fn approval(typed: &Typed) -> ReturnApproval {
    let refund_now = field(typed, "action") == "return_refund_now";
    // What is typed for another button doesn't count.
    let note = if refund_now { String::new() } else { field(typed, "note") };
    ReturnApproval { note, refund_now, shipping: refund_now && field(typed, "shipping") == "true" }
}

/// Publishes or archives products. Returns what the list says about it, with the draft that undoes it.
async fn set_states(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    ids: &[ProductId],
    state: ProductState,
) -> Result<Vec<(&'static str, String)>> {
    let before = catalog::states(engine, caller, handle, ids).await?;
    catalog::set_states(engine, caller, handle, ids, state).await?;
    let count = ("n", before.len().to_string());
    let changed = before.into_iter().filter(|(_, was)| *was != state);
    let changed: Typed = changed.map(|(id, was)| (id.to_string(), was.as_str().to_owned())).collect();
    if changed.is_empty() {
        return Ok(vec![count]);
    }
    let undo = accounts::keep_draft(engine, "undo-products", changed, None).await?;
    Ok(vec![count, ("undo", undo.to_string())])
}

/// Gives products the states back that they had before.
async fn undo_states(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    undo: &str,
) -> Result<Vec<(&'static str, String)>> {
    let draft = accounts::find_draft(engine, caller, "undo-products", undo.parse()?).await?;
    let fields = draft.ok_or(Error::NotFound)?.fields;
    let states = fields.iter().filter_map(|(id, was)| Some((id.parse().ok()?, ProductState::parse(was)?)));
    let states: Vec<(ProductId, ProductState)> = states.collect();
    catalog::set_each_state(engine, caller, handle, &states).await?;
    Ok(vec![("n", states.len().to_string())])
}

/// Confirms all orders that were selected, each by itself: one that can't be confirmed doesn't hold up the others,
/// and the list says why.
pub(super) async fn orders(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(handle): Path<String>,
    Form(typed): Form<Vec<(String, String)>>,
) -> Response {
    let value = |name: &str| typed.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    let page = clean(&back::local(value("back").unwrap_or_default()));
    if let Err(error) = caller.shop(&handle, Permission::FulfilOrders) {
        return refused(&state, &page, &error);
    }
    if value("action") != Some("confirm") {
        return refused(&state, &page, &Error::field("action", FieldCode::NotAChoice));
    }
    let (mut done, mut failed, mut last) = (0, Typed::new(), None);
    let chosen: BTreeSet<&str> =
        typed.iter().filter(|(name, _)| name == "id").map(|(_, number)| number.as_str()).collect();
    for number in chosen.into_iter().take(LIMIT_MAX) {
        match orders::confirm_pending(&state.runtime.engine, &caller, &handle, number).await {
            Ok(()) => done += 1,
            // It isn't from the shop's list.
            Err(Error::NotFound) => return refused(&state, &page, &Error::NotFound),
            Err(error) => {
                failed.insert(number.to_owned(), serde_json::to_string(&error).unwrap_or_default());
                last = Some(error);
            }
        }
    }
    // How many were is told once; why the others weren't stays on the page.
    let page = match last {
        None => page,
        Some(error) => {
            match accounts::keep_draft(&state.runtime.engine, "orders", failed, Some(&error)).await {
                Ok(draft) => with(&page, &[("draft", &draft.to_string())]),
                Err(error) => return layers::plain(&error),
            }
        }
    };
    match done {
        0 => back::to(&page).into_response(),
        done => redirect(&state, &page, &[("done", &done.to_string())]),
    }
}

/// An action on one product, or on all that were selected.
pub(super) async fn products(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(handle): Path<String>,
    Form(typed): Form<Vec<(String, String)>>,
) -> Response {
    let value =
        |name: &str| typed.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone()).unwrap_or_default();
    let (action, page) = (value("action"), clean(&back::local(&value("back"))));
    let done: Result<(String, Vec<(&str, String)>)> = async {
        let ids = typed.iter().filter(|(name, _)| name == "id").map(|(_, id)| id.parse::<ProductId>());
        let ids: Vec<ProductId> = ids.collect::<std::result::Result<_, _>>()?;
        let engine = &state.runtime.engine;
        let more = match (action.as_str(), ids.as_slice()) {
            ("publish", ids) => set_states(engine, &caller, &handle, ids, ProductState::Published).await?,
            ("archive", ids) => set_states(engine, &caller, &handle, ids, ProductState::Archived).await?,
            ("undo", []) => undo_states(engine, &caller, &handle, &value("undo")).await?,
            ("delete", [id]) => {
                catalog::delete(engine, &caller, &handle, *id).await?;
                Vec::new()
            }
            ("duplicate", [id]) => {
                let copy = catalog::duplicate(engine, &caller, &handle, *id, &random::token()).await?;
                return Ok((routes::seller_product(&handle, copy), Vec::new()));
            }
            _ => return Err(Error::field("action", FieldCode::NotAChoice)),
        };
        Ok((page.clone(), more))
    }
    .await;
    match done {
        Ok((page, more)) => {
            let more = more.iter().map(|(name, value)| (*name, value.as_str()));
            let done: Vec<_> = std::iter::once(("done", action.as_str())).chain(more).collect();
            redirect(&state, &page, &done)
        }
        Err(error) => refused(&state, &page, &error),
    }
}

/// A new shop.
pub(super) async fn open_shop(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Form(typed): Form<Typed>,
) -> Response {
    let form = ShopForm::read(|name| field(&typed, name));
    match shops::open_as_seller(&state.runtime.engine, &caller, &form).await {
        Ok(handle) => back::to(&routes::dashboard(&handle)).into_response(),
        Err(error @ Error::Invalid(_)) => {
            back_with_draft(&state, "open-shop", OPEN_SHOP, typed, &error).await
        }
        Err(error) => refused(&state, OPEN_SHOP, &error),
    }
}

/// A shop's settings. If someone else has changed them, the form is shown again with its input, which can
/// then be saved over that.
pub(super) async fn settings(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(handle): Path<String>,
    Form(typed): Form<Typed>,
) -> Response {
    let page = routes::settings(&handle);
    let saved: Result<i64> = async {
        let version = field(&typed, "version").parse();
        let version = version.map_err(|_| Error::field("version", FieldCode::NotNumber))?;
        let form = ShopForm::read(|name| field(&typed, name));
        shops::save_settings(&state.runtime.engine, &caller, &handle, version, &form).await
    }
    .await;
    match saved {
        Ok(_) => redirect(&state, &page, &[("done", "saved")]),
        Err(error @ (Error::Invalid(_) | Error::Conflict(_))) => {
            back_with_draft(&state, "settings", &page, typed, &error).await
        }
        Err(error) => refused(&state, &page, &error),
    }
}
