//! Plain forms for shoppers, which work with and without JavaScript. They call the same use cases as the
//! server functions and respond with a redirect. An invalid form is shown again with its input.

use std::collections::HashMap;

use axum::{
    Extension, Form,
    extract::{Path, Query, State as Extract},
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header},
    response::{AppendHeaders, IntoResponse, Redirect, Response},
};
use haat_app::{cookies, i18n::Locale};
use haat_engine::{
    Caller, Engine, accounts, cards, cart_codes, carts, checkout, gift_cards,
    notifications::{announced, inbox},
    orders,
};
use haat_shared::{
    Conflict, Currency, Error, FieldCode, FieldError, Result,
    accounts::{SignIn, SignUp},
    addresses::regions,
    carts::{AddLine, SetQuantity},
    checkout::{CheckoutLineView, CheckoutUpdate, SLOT, choice, slot_choice},
    gift_cards::{GiftCardForm, GiftCardRefusal, is_card_code},
    id::kinds::{CheckoutId, MediaId},
    notifications::Channel,
    orders::{LineQuantity, part_field},
    payments::NextAction,
    promotions::TOO_MANY_TRIES,
    returns::{ExchangeWish, NewReturnRequest, ReturnReason, exchange_field},
    routes::{
        self, ADMIN, BUY_GIFT_CARD, CARDS, CART, GIFT_CARD, HOME, NOTIFICATION_SETTINGS, NOTIFICATIONS,
        SELLER_SHOPS, SIGN_IN, SIGN_UP, with,
    },
};

use super::{State, Typed, back, devices::Devices, limits::too_often, outcome::redirect};

/// How long a selected language or currency is stored: a year.
pub(super) const CHOICE_S: i64 = 365 * 24 * 3600;

pub(super) fn field(typed: &Typed, name: &str) -> String {
    typed.get(name).cloned().unwrap_or_default()
}

/// The path without parameters of an earlier attempt.
pub(super) fn clean(path: &str) -> String {
    let path = routes::without_outcome(path);
    let Some((path, query)) = path.split_once('?') else { return path };
    let kept: Vec<&str> =
        query.split('&').filter(|p| !p.starts_with("check=") && !p.starts_with("draft=")).collect();
    if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) }
}

/// Redirects to the form, with its input and the error stored as a draft.
pub(super) async fn back_with_draft(
    state: &State,
    form: &'static str,
    path: &str,
    typed: Typed,
    error: &Error,
) -> Response {
    match accounts::keep_draft(&state.runtime.engine, form, typed, Some(error)).await {
        Ok(draft) => back::to(&with(&clean(path), &[("draft", &draft.to_string())])).into_response(),
        Err(error) => super::layers::plain(&error),
    }
}

/// Redirects to the page with the error, or returns the error if there is no such page.
pub(super) fn refused(state: &State, page: &str, error: &Error) -> Response {
    match error {
        Error::NotFound
        | Error::SignInNeeded
        | Error::Denied
        | Error::Busy { .. }
        | Error::RateLimited { .. } => super::layers::plain(error),
        error => redirect(state, &clean(page), &[("error", error.code())]),
    }
}

pub(super) async fn add_line(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Form(typed): Form<Typed>,
) -> Response {
    let page = back::local(&field(&typed, "back"));
    let added = async {
        let add = AddLine { variant: field(&typed, "variant").parse()?, quantity: field(&typed, "quantity") };
        carts::add_line(&state.runtime.engine, &caller, add).await
    };
    match added.await {
        Ok(changed) => {
            let secure = state.runtime.config.secure();
            let cookie = changed.token.map(|token| (header::SET_COOKIE, cookies::cart(secure, &token)));
            (AppendHeaders(cookie), back::to(CART)).into_response()
        }
        Err(error @ (Error::Invalid(_) | Error::Conflict(Conflict::OutOfStock(_)))) => {
            back_with_draft(&state, "add_line", &page, typed, &error).await
        }
        Err(error @ (Error::Busy { .. } | Error::RateLimited { .. })) => super::layers::plain(&error),
        Err(error) => redirect(&state, &clean(&page), &[("error", error.code())]),
    }
}

/// The quantities that the cart's form sends along, whichever of its buttons was pressed.
fn quantities(typed: &Typed) -> Result<Vec<SetQuantity>> {
    let lines = typed.iter().filter_map(|(name, quantity)| Some((name.strip_prefix("quantity.")?, quantity)));
    lines
        .map(|(line, quantity)| Ok(SetQuantity { line: line.parse()?, quantity: quantity.clone() }))
        .collect()
}

pub(super) async fn set_quantity(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(line): Path<String>,
    Form(typed): Form<Typed>,
) -> Response {
    let engine = &state.runtime.engine;
    let changed: Result<_> = async {
        if field(&typed, "action") == "remove" {
            return carts::remove_line(engine, &caller, line.parse()?).await;
        }
        carts::set_quantities(engine, &caller, quantities(&typed)?).await
    }
    .await;
    match changed {
        Ok(_) => after_codes(&state, &caller, &typed, CART, CART).await,
        Err(error @ Error::Invalid(_)) => back_with_draft(&state, "cart", CART, typed, &error).await,
        Err(error @ (Error::Busy { .. } | Error::RateLimited { .. })) => super::layers::plain(&error),
        Err(error) => redirect(&state, CART, &[("error", error.code())]),
    }
}

pub(super) async fn begin_checkout(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Form(typed): Form<Typed>,
) -> Response {
    let engine = &state.runtime.engine;
    let begun: Result<_> = async {
        carts::set_quantities(engine, &caller, quantities(&typed)?).await?;
        if !field(&typed, "code").trim().is_empty() {
            cart_codes::add_code(engine, &caller, &field(&typed, "code")).await?;
        }
        checkout::begin(engine, &caller).await
    }
    .await;
    match begun {
        Ok(id) => back::to(&routes::checkout(id)).into_response(),
        // The cart page shows which lines cannot be bought.
        Err(
            error @ (Error::Invalid(_) | Error::Conflict(Conflict::OutOfStock(_) | Conflict::GuestLimit(_))),
        ) => back_with_draft(&state, "cart", CART, typed, &error).await,
        Err(error) => code_refused(&state, &typed, CART, &error),
    }
}

/// Enters or removes a code in the basket, and saves its quantities.
pub(super) async fn codes(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Form(typed): Form<Typed>,
) -> Response {
    let engine = &state.runtime.engine;
    let saved: Result<_> = async { carts::set_quantities(engine, &caller, quantities(&typed)?).await }.await;
    match saved {
        Ok(_) => after_codes(&state, &caller, &typed, CART, CART).await,
        Err(error @ Error::Invalid(_)) => back_with_draft(&state, "cart", CART, typed, &error).await,
        Err(error @ (Error::Busy { .. } | Error::RateLimited { .. })) => super::layers::plain(&error),
        Err(error) => redirect(&state, CART, &[("error", error.code())]),
    }
}

/// Applies what a form says about codes, then leads on; or back, with the code and why it doesn't apply.
async fn after_codes(state: &State, caller: &Caller, typed: &Typed, on: &str, page: &str) -> Response {
    match change_codes(state, caller, typed).await {
        Ok(_) => back::to(on).into_response(),
        Err(error) => code_refused(state, typed, page, &error),
    }
}

/// Back to the page, with the code that was typed and why it doesn't apply. Whoever has the code of a gift card can spend it, so no
/// URL has it.
fn code_refused(state: &State, typed: &Typed, page: &str, error: &Error) -> Response {
    let code = Some(field(typed, "code")).filter(|code| !is_card_code(code)).unwrap_or_default();
    match error {
        Error::RateLimited { .. } if !field(typed, "code").trim().is_empty() => {
            redirect(state, page, &[("error", TOO_MANY_TRIES), ("n", &code)])
        }
        Error::Busy { .. } | Error::RateLimited { .. } | Error::NotFound => super::layers::plain(error),
        Error::Conflict(Conflict::CodeLimit(_, limit)) => {
            redirect(state, page, &[("error", error.code()), ("n", &code), ("limit", &limit.to_string())])
        }
        error => redirect(state, page, &[("error", error.code()), ("n", &code)]),
    }
}

/// Removes the code of the button that was pressed, or enters the one that was typed. Returns whether there was one.
async fn change_codes(state: &State, caller: &Caller, typed: &Typed) -> Result<bool> {
    let engine = &state.runtime.engine;
    let (remove, code) = (field(typed, "remove_code"), field(typed, "code"));
    let gift = field(typed, "remove_gift");
    if !gift.is_empty() {
        gift_cards::remove_from_cart(engine, caller, gift.parse()?).await?;
    } else if !remove.is_empty() {
        cart_codes::remove_code(engine, caller, remove.parse()?).await?;
    } else if !code.trim().is_empty() {
        cart_codes::add_code(engine, caller, &code).await?;
    } else {
        return Ok(false);
    }
    Ok(true)
}

/// Looks up a gift card, and leads to the page of its balance, whose URL doesn't have the code.
pub(super) async fn gift_card(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Form(typed): Form<Typed>,
) -> Response {
    match gift_cards::link(&state.runtime.engine, &caller, &field(&typed, "code")).await {
        Ok((id, key)) => {
            back::to(&with(GIFT_CARD, &[("card", &id.to_string()), ("key", &key)])).into_response()
        }
        // Nothing was typed.
        Err(Error::Invalid(_)) => back::to(GIFT_CARD).into_response(),
        Err(error) => refused(&state, GIFT_CARD, &error),
    }
}

/// Puts a gift card into the basket.
pub(super) async fn buy_gift_card(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Form(typed): Form<Typed>,
) -> Response {
    let form = GiftCardForm::read(|name| field(&typed, name));
    match gift_cards::add_to_cart(&state.runtime.engine, &caller, &form).await {
        Ok(changed) => {
            let secure = state.runtime.config.secure();
            let cookie = changed.token.map(|token| (header::SET_COOKIE, cookies::cart(secure, &token)));
            (AppendHeaders(cookie), back::to(CART)).into_response()
        }
        Err(error @ Error::Invalid(_)) => back_with_draft(&state, "gift", BUY_GIFT_CARD, typed, &error).await,
        Err(error) => refused(&state, BUY_GIFT_CARD, &error),
    }
}

/// Where the checkout is: at the one in progress, or else in the basket, from which one begins.
pub(super) async fn find_checkout(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
) -> Response {
    match checkout::current(&state.runtime.engine, &caller).await {
        Ok(id) => back::to(&id.map_or_else(|| CART.to_owned(), routes::checkout)).into_response(),
        Err(error) => super::layers::plain(&error),
    }
}

/// Pays for a checkout; or, if that was the button, stores its input, complete or not, and shows the form again, as the
/// country needs it, or leads to the sign-in page and back.
pub(super) async fn pay(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Form(typed): Form<Typed>,
) -> Response {
    let Ok(checkout_id) = id.parse::<CheckoutId>() else { return super::layers::plain(&Error::NotFound) };
    let foreign = |before: &str, country: &str| regions::known(before) || regions::known(country);
    let update = CheckoutUpdate {
        // `delivery.shop_…`: the delivery option chosen for that shop's order.
        shipping_methods: typed
            .iter()
            .filter_map(|(name, method)| choice(name.strip_prefix("shipping_method.")?, method))
            .collect(),
        slots: typed.iter().filter_map(|(name, slot)| slot_choice(name.strip_prefix(SLOT)?, slot)).collect(),
        ..CheckoutUpdate::read(&|name: &str| field(&typed, name), foreign)
    };
    // Versions begin at 1, so without one nothing is paid.
    let quote_version = field(&typed, "quote_version").parse().unwrap_or_default();
    let page = routes::checkout(checkout_id);
    let (engine, key) = (&state.runtime.engine, field(&typed, "key"));
    // Where the buttons lead that only store the input.
    let next = match field(&typed, "action").as_str() {
        "sign_in" => Some(with(SIGN_IN, &[("next", &page)])),
        "update" => Some(page.clone()),
        _ => None,
    };
    if let Some(next) = next {
        return match checkout::update(engine, &caller, checkout_id, update).await {
            // A checkout that has ended, or is being paid, keeps the input that it has.
            Ok(_) | Err(Error::Conflict(_)) => back::to(&next).into_response(),
            Err(error) => refused(&state, &page, &error),
        };
    }
    let saved = field(&typed, "use_address");
    if !saved.is_empty() {
        let used: Result<_> =
            async { checkout::use_address(engine, &caller, checkout_id, update, saved.parse()?).await }.await;
        return match used {
            Ok(_) | Err(Error::Conflict(_)) => back::to(&page).into_response(),
            Err(error) => refused(&state, &page, &error),
        };
    }
    // What can't be shipped to the address is removed, and the checkout begins anew with the input.
    let removed = field(&typed, "remove_shop");
    if !removed.is_empty() {
        let begun: Result<_> = async {
            let shop = removed.parse()?;
            checkout::update(engine, &caller, checkout_id, update).await?;
            carts::remove_shop(engine, &caller, shop).await?;
            checkout::renew(engine, &caller, checkout_id).await
        }
        .await;
        return match begun {
            Ok(id) => back::to(&routes::checkout(id)).into_response(),
            // It was the last shop.
            Err(Error::Conflict(Conflict::CartEmpty)) => back::to(CART).into_response(),
            Err(error) => refused(&state, &page, &error),
        };
    }
    // A gift card or a code is entered before anything is paid: the shopper sees what is left to pay.
    let (remove, typed_code) = (field(&typed, "remove_card"), field(&typed, "code"));
    if !remove.is_empty() || is_card_code(&typed_code) {
        let changed: Result<_> = async {
            checkout::update(engine, &caller, checkout_id, update.clone()).await?;
            match remove.as_str() {
                "" => gift_cards::apply(engine, &caller, checkout_id, &typed_code).await,
                card => gift_cards::remove(engine, &caller, checkout_id, card.parse()?).await,
            }
        }
        .await;
        match changed {
            Ok(()) => return back::to(&page).into_response(),
            // It may be a coupon's.
            Err(Error::Conflict(Conflict::GiftCard(GiftCardRefusal::Unknown)))
                if !typed_code.contains('-') => {}
            Err(error) => return code_refused(&state, &typed, &page, &error),
        }
    }
    let code = field(&typed, "action") == "code" || !field(&typed, "code").trim().is_empty();
    if code || !field(&typed, "remove_code").is_empty() {
        let changed: Result<_> = async {
            checkout::update(engine, &caller, checkout_id, update).await?;
            change_codes(&state, &caller, &typed).await
        }
        .await;
        return match changed {
            Ok(_) => match checkout::renew(engine, &caller, checkout_id).await {
                Ok(id) => back::to(&routes::checkout(id)).into_response(),
                Err(error) => redirect(&state, CART, &[("error", error.code())]),
            },
            Err(error) => code_refused(&state, &typed, &page, &error),
        };
    }
    match checkout::pay(engine, &caller, checkout_id, update, quote_version, &key).await {
        // The gateway's page. This URL does not come from the request.
        Ok(NextAction::Redirect { url }) => Redirect::to(&url).into_response(),
        // Payment continues on the checkout page.
        Ok(NextAction::ClientSecret { .. } | NextAction::Widget { .. }) => back::to(&page).into_response(),
        Ok(NextAction::Done { purchase }) => back::to(&routes::purchase_by_link(&purchase)).into_response(),
        Err(Error::Invalid(_)) => back::to(&with(&page, &[("check", "1")])).into_response(),
        Err(Error::NotFound) => super::layers::plain(&Error::NotFound),
        Err(error) => redirect(&state, &page, &[("error", error.code())]),
    }
}

/// Removes a saved card, or leads to the gateway's page for a new one.
pub(super) async fn cards(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Form(typed): Form<Typed>,
) -> Response {
    let engine = &state.runtime.engine;
    if field(&typed, "action") == "remove" {
        return match cards::remove(engine, &caller, &field(&typed, "card")).await {
            Ok(()) => redirect(&state, CARDS, &[("done", "remove")]),
            Err(error) => refused(&state, CARDS, &error),
        };
    }
    match cards::new_page(engine, &caller, &format!("{}{CARDS}", engine.public_url)).await {
        // The gateway's page. This URL does not come from the request.
        Ok(url) => Redirect::to(&url).into_response(),
        Err(error) => refused(&state, CARDS, &error),
    }
}

/// The link to unsubscribe leads to a page that asks, because programs follow links to look at them.
pub(super) async fn unsubscribe_page(
    Path(id): Path<String>,
    Query(asked): Query<HashMap<String, String>>,
) -> Response {
    let token = asked.get("token").map(String::as_str).unwrap_or_default();
    back::to(&routes::with(NOTIFICATION_SETTINGS, &[("unsubscribe", &id), ("token", token)])).into_response()
}

/// Ends emails of offers, without a session. Programs that read emails send `List-Unsubscribe=One-Click` (RFC 8058), and
/// must not be redirected.
pub(super) async fn unsubscribe(
    Extract(state): Extract<State>,
    Path(id): Path<String>,
    Query(asked): Query<HashMap<String, String>>,
    Form(typed): Form<Typed>,
) -> Response {
    let token = asked.get("token").map(String::as_str).unwrap_or_default();
    let done: Result<()> = async {
        let id = id.parse()?;
        announced::unsubscribe(&state.runtime.engine, id, token).await
    }
    .await;
    match done {
        Ok(()) if field(&typed, "List-Unsubscribe") == "One-Click" => StatusCode::OK.into_response(),
        Ok(()) => redirect(&state, NOTIFICATION_SETTINGS, &[("done", "unsubscribe")]),
        Err(error) => refused(&state, NOTIFICATION_SETTINGS, &error),
    }
}

/// Opens a notification, which is then read; or marks all as read.
pub(super) async fn notifications(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Form(typed): Form<Typed>,
) -> Response {
    let engine = &state.runtime.engine;
    let done = match field(&typed, "id").as_str() {
        "" => inbox::read_all(engine, &caller).await.map(|()| NOTIFICATIONS.to_owned()),
        id => match id.parse() {
            Ok(id) => inbox::open(engine, &caller, id).await,
            Err(_) => Err(Error::NotFound),
        },
    };
    match done {
        Ok(path) => back::to(&path).into_response(),
        Err(error) => refused(&state, NOTIFICATIONS, &error),
    }
}

/// Chooses through which channels the user gets notifications.
pub(super) async fn notification_settings(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Form(typed): Form<Typed>,
) -> Response {
    let engine = &state.runtime.engine;
    let saved: Result<()> = async {
        let mut preferences = inbox::preferences(engine, &caller).await?;
        for of in &mut preferences {
            let ticked = |channel| typed.contains_key(&of.topic.field(channel));
            (of.email, of.in_app, of.push) =
                (ticked(Channel::Email), ticked(Channel::InApp), ticked(Channel::Push));
        }
        inbox::choose(engine, &caller, &preferences).await
    }
    .await;
    match saved {
        Ok(()) => redirect(&state, NOTIFICATION_SETTINGS, &[("done", "save")]),
        Err(error) => refused(&state, NOTIFICATION_SETTINGS, &error),
    }
}

/// The customer cancels an order, asks for a return or withdraws one. The form contains the key of the purchase's link, because guests have
/// nothing else.
pub(super) async fn cancel_by_customer(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(purchase): Path<String>,
    Form(mut typed): Form<Typed>,
) -> Response {
    let key = typed.remove("key").unwrap_or_default();
    let (order, reason, action) = (field(&typed, "order"), field(&typed, "reason"), field(&typed, "action"));
    let (engine, of) = (&state.runtime.engine, (purchase.as_str(), key.as_str()));
    let page = with(&routes::purchase(&purchase), &[("key", &key)]);
    if action == "again" {
        return order_again(&state, &caller, of, &order, &page).await;
    }
    let done = match action.as_str() {
        "return" => request_return(engine, &caller, of, &order, &typed).await,
        "withdraw" => match field(&typed, "return").parse() {
            Ok(id) => orders::withdraw_return(engine, &caller, of, &order, id).await,
            Err(_) => Err(Error::NotFound),
        },
        "resend_gift" => match field(&typed, "gift").parse() {
            Ok(id) => gift_cards::resend(engine, &caller, &purchase, &key, id).await,
            Err(_) => Err(Error::NotFound),
        },
        _ => orders::cancel_by_customer(engine, &caller, &purchase, &key, &order, &reason).await,
    };
    match done {
        Ok(()) => redirect(&state, &page, &[("done", if action.is_empty() { &order } else { &action })]),
        Err(error @ Error::Invalid(_)) => {
            back_with_draft(&state, "cancel_by_customer", &page, typed, &error).await
        }
        Err(error) => refused(&state, &page, &error),
    }
}

async fn order_again(
    state: &State,
    caller: &Caller,
    (purchase, key): (&str, &str),
    order: &str,
    page: &str,
) -> Response {
    match orders::order_again(&state.runtime.engine, caller, purchase, key, order).await {
        Ok((changed, missing)) => {
            let secure = state.runtime.config.secure();
            let cookie = changed.token.map(|token| (header::SET_COOKIE, cookies::cart(secure, &token)));
            let cart = redirect(state, CART, &[("done", "again"), ("n", &missing.to_string())]);
            (AppendHeaders(cookie), cart).into_response()
        }
        Err(error) => refused(state, page, &error),
    }
}

/// The IDs of the pictures that were uploaded with a rejected form.
pub(super) const KEPT: &str = "kept";

/// The pictures that were uploaded for a request, each once.
fn kept(typed: &Typed) -> Result<Vec<MediaId>> {
    let mut ids: Vec<MediaId> = Vec::new();
    for id in field(typed, KEPT).split_whitespace() {
        let id = id.parse()?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

/// Asks for a return of the quantities that were entered. Errors about a line name its field.
pub(super) async fn request_return(
    engine: &Engine,
    caller: &Caller,
    of: (&str, &str),
    number: &str,
    typed: &Typed,
) -> Result<()> {
    let purchase = orders::purchase(engine, caller, of.0, of.1).await?;
    let order = purchase.orders.iter().find(|order| order.number == number).ok_or(Error::NotFound)?;
    let (lines, mut faults) = quantities_of(typed, &order.lines, CheckoutLineView::to_return);
    let reason = ReturnReason::parse(&field(typed, "reason"));
    let wishes = lines.iter().map(|line| (line.position, field(typed, &exchange_field(line.position))));
    let wishes = wishes.filter(|(_, variant)| !variant.is_empty());
    let wishes =
        wishes.map(|(position, variant)| Ok(ExchangeWish { position, variant_id: variant.parse()? }));
    let request = NewReturnRequest {
        lines: lines.clone(),
        // Any other one, so that the other errors are shown at the same time.
        reason: reason.unwrap_or(ReturnReason::Damaged),
        note: field(typed, "note"),
        exchange: wishes.collect::<Result<Vec<_>>>()?,
        images: kept(typed)?,
    };
    if reason.is_none() {
        faults.push(FieldError::new("reason", FieldCode::Missing));
    }
    all_at_once(faults, request.clone().check().err())?;
    let asked = orders::request_return(engine, caller, of, number, request, &field(typed, "once")).await;
    asked.map(drop).map_err(|error| at_lines(error, &lines))
}

/// The quantities of an order's lines that were entered, and the errors at their fields. So many are `left` of a line.
pub(super) fn quantities_of(
    typed: &Typed,
    lines: &[CheckoutLineView],
    left: impl Fn(&CheckoutLineView) -> i64,
) -> (Vec<LineQuantity>, Vec<FieldError>) {
    let (mut part, mut faults) = (Vec::new(), Vec::new());
    for line in lines {
        let (position, most) = (line.position, left(line));
        let name = part_field(position);
        match field(typed, &name).trim() {
            "" => {}
            text => match text.parse() {
                Ok(0) => {}
                Ok(quantity) if (1..=most).contains(&quantity) => {
                    part.push(LineQuantity { position, quantity })
                }
                _ => faults.push(FieldError::new(name, FieldCode::AtMost(most))),
            },
        }
    }
    (part, faults)
}

/// The errors of the quantities with the `others` of their form, if there are any. That none was entered isn't one of them
/// if one was, but is wrong.
pub(super) fn all_at_once(faults: Vec<FieldError>, others: Option<Vec<FieldError>>) -> Result<()> {
    let wrong = faults.iter().any(|fault| matches!(fault.code, FieldCode::AtMost(_)));
    let others = others.into_iter().flatten().filter(|fault| !(wrong && fault.field == "lines"));
    let faults: Vec<_> = faults.into_iter().chain(others).collect();
    if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
}

/// Errors about `lines.0.quantity`, as those about the fields of the lines.
pub(super) fn at_lines(error: Error, part: &[LineQuantity]) -> Error {
    let at_line = |fault: FieldError| {
        let at = fault.field.strip_prefix("lines.");
        let at = at.and_then(|rest| rest.split('.').next()?.parse::<usize>().ok());
        match at.and_then(|i| part.get(i)) {
            Some(line) => FieldError { field: part_field(line.position), ..fault },
            None => fault,
        }
    };
    match error {
        Error::Invalid(faults) => Error::Invalid(faults.into_iter().map(at_line).collect()),
        error => error,
    }
}

/// Where those who are signed in begin, unless they came from a page: admins in the admin area, sellers in the dashboard.
pub(super) fn begins_at(caller: &Caller) -> String {
    let Some(user) = caller.user() else { return HOME.to_owned() };
    match user.shops.as_slice() {
        _ if !user.admin_roles.is_empty() => ADMIN.to_owned(),
        [] => HOME.to_owned(),
        [shop] => routes::dashboard(&shop.handle),
        _ => SELLER_SHOPS.to_owned(),
    }
}

/// Where the pages for signing in and up lead those who are signed in already; `None` for everyone else, and for other
/// pages.
pub(super) fn beyond_sign_in(caller: &Caller, uri: &Uri) -> Option<String> {
    let is_form = |path: &str| [SIGN_IN, SIGN_UP].contains(&path);
    if !is_form(uri.path()) || caller.user().is_none() {
        return None;
    }
    let next = Query::<Typed>::try_from_uri(uri).ok().map(|query| clean(&field(&query, "next")));
    let next = next.filter(|next| !next.is_empty()).map(|next| back::local(&next));
    let next = next.filter(|next| !is_form(next.split('?').next().unwrap_or_default()));
    Some(next.unwrap_or_else(|| begins_at(caller)))
}

/// Completes a sign-in: sets the session, makes the device known to the account, and removes the guest's
/// cart.
pub(super) fn signed_in(state: &State, devices: Devices, account: &str, next: &str, token: &str) -> Response {
    let secure = state.runtime.config.secure();
    let session = (header::SET_COOKIE, cookies::set(secure, "session", token, accounts::SESSION_MS / 1000));
    let mut response = ([session], back::to(next)).into_response();
    let device = devices.with(&state.runtime.engine.secret, account).cookie(secure);
    response.headers_mut().append(header::SET_COOKIE, device);
    // The guest's cart now belongs to the account, and its token is no longer valid.
    response.headers_mut().append(header::SET_COOKIE, cookies::remove(secure, "cart"));
    response
}

/// Where whoever has just signed in goes: where they wanted to, or where their work begins.
pub(super) async fn next_of(state: &State, next: &str, token: &str) -> String {
    if !next.is_empty() {
        return clean(next);
    }
    let caller = accounts::caller(&state.runtime.engine, Some(token), None).await;
    caller.map_or_else(|_| HOME.to_owned(), |caller| begins_at(&caller))
}

pub(super) async fn sign_in(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    extensions: Extensions,
    Form(typed): Form<Typed>,
) -> Response {
    let (engine, limits) = (&state.runtime.engine, &state.limits);
    let form = SignIn { email: field(&typed, "email"), password: field(&typed, "password") };
    // An empty field isn't a password guess, so it doesn't count towards the limits.
    if let Err(faults) = form.check() {
        return come_back(&state, "sign-in", SIGN_IN, typed, Error::Invalid(faults)).await;
    }
    let devices = Devices::of(&headers, state.runtime.config.secure());
    let origin = limits.origin(&headers, &extensions);
    if let Err(error) = limits.sign_in(origin, &form, &devices, &engine.secret) {
        return too_often(&error, SIGN_IN, typed);
    }
    let account = form.account();
    match accounts::sign_in(engine, &caller, form).await {
        Ok(token) => {
            let next = next_of(&state, &field(&typed, "next"), &token).await;
            signed_in(&state, devices, &account, &next, &token)
        }
        Err(error) => come_back(&state, "sign-in", SIGN_IN, typed, error).await,
    }
}

pub(super) async fn sign_up(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    extensions: Extensions,
    Form(typed): Form<Typed>,
) -> Response {
    let form = SignUp {
        name: field(&typed, "name"),
        email: field(&typed, "email"),
        password: field(&typed, "password"),
    };
    // Invalid input costs nothing to reject, so it doesn't count towards the limits.
    if let Err(faults) = form.check(state.runtime.engine.smtputf8) {
        return come_back(&state, "sign-up", SIGN_UP, typed, Error::Invalid(faults)).await;
    }
    let origin = state.limits.origin(&headers, &extensions);
    let turn = match state.limits.sign_up(origin).await {
        Ok(turn) => turn,
        Err(error) => return too_often(&error, SIGN_UP, typed),
    };
    if state.runtime.config.confirms_sign_ups() {
        let asked = accounts::sign_ups::ask(&state.runtime.engine, &caller, form).await;
        drop(turn);
        return match asked {
            Ok(()) => {
                let next = next_after_confirmation(&state, &field(&typed, "next"));
                (AppendHeaders(next), redirect(&state, SIGN_UP, &[("done", "sent")])).into_response()
            }
            Err(error) => come_back(&state, "sign-up", SIGN_UP, typed, error).await,
        };
    }
    let devices = Devices::of(&headers, state.runtime.config.secure());
    let account = SignIn { email: form.email.clone(), ..SignIn::default() }.account();
    let made = accounts::sign_up(&state.runtime.engine, &caller, form).await;
    drop(turn);
    match made {
        Ok(token) => signed_in(&state, devices, &account, &clean(&field(&typed, "next")), &token),
        Err(error) => come_back(&state, "sign-up", SIGN_UP, typed, error).await,
    }
}

/// The cookie with where someone was led to sign up from, until they follow the link in the email.
const NEXT: &str = "next";

fn next_after_confirmation(state: &State, next: &str) -> Option<(HeaderName, HeaderValue)> {
    let next = back::local(next);
    // What a cookie can contain (RFC 6265).
    let kept = next != HOME && !next.contains([';', ',', '"', '\\', ' ']);
    let age_s = accounts::sign_ups::CONFIRM_MS / 1000;
    let secure = state.runtime.config.secure();
    kept.then(|| (header::SET_COOKIE, cookies::set(secure, NEXT, &next, age_s)))
}

/// The link in the email that confirms a sign-up. It signs nobody in: those who follow it have access
/// to the address, but know the password only if they signed up themselves.
pub(super) async fn confirm_sign_up(
    Extract(state): Extract<State>,
    Path(id): Path<String>,
    Query(query): Query<Typed>,
    headers: HeaderMap,
) -> Response {
    let Ok(id) = id.parse() else { return super::layers::plain(&Error::NotFound) };
    let secure = state.runtime.config.secure();
    let next = cookies::get(&headers, secure, NEXT).map(back::local);
    match accounts::sign_ups::confirm(&state.runtime.engine, &Caller::guest(), id, &field(&query, "token"))
        .await
    {
        Ok(()) => {
            let page = with(SIGN_IN, &[("next", next.as_deref().unwrap_or_default())]);
            let used = next.map(|_| (header::SET_COOKIE, cookies::remove(secure, NEXT)));
            (AppendHeaders(used), redirect(&state, &page, &[("done", "confirmed")])).into_response()
        }
        Err(error) => super::layers::plain(&error),
    }
}

pub(super) async fn come_back(
    state: &State,
    form: &'static str,
    path: &str,
    typed: Typed,
    error: Error,
) -> Response {
    if matches!(error, Error::Busy { .. }) {
        return super::layers::plain(&error);
    }
    let next = Some(field(&typed, "next")).filter(|next| !next.is_empty());
    let next = next.map(|next| back::local(&next)).unwrap_or_default();
    let path = with(path, &[("next", &next)]);
    back_with_draft(state, form, &path, typed, &error).await
}

pub(super) async fn sign_out(Extract(state): Extract<State>, headers: HeaderMap) -> Response {
    let secure = state.runtime.config.secure();
    if let Some(token) = cookies::get(&headers, secure, "session")
        && let Err(error) = accounts::sign_out(&state.runtime.engine, token).await
    {
        return super::layers::plain(&error);
    }
    (
        StatusCode::SEE_OTHER,
        [(header::SET_COOKIE, cookies::remove(secure, "session"))],
        [(header::LOCATION, HOME)],
    )
        .into_response()
}

/// Stores a language in a cookie and with the account, and returns to the page.
pub(super) async fn choose_language(
    Extract(state): Extract<State>,
    Extension(mut caller): Extension<Caller>,
    Form(typed): Form<Typed>,
) -> Response {
    let back = back::to(&field(&typed, "back"));
    let Ok(locale) = field(&typed, "locale").parse::<Locale>() else { return back.into_response() };
    caller.locale = locale.tag();
    if let Err(error) = accounts::keep_locale(&state.runtime.engine, &caller).await {
        return super::layers::plain(&error);
    }
    let cookie = cookies::set(state.runtime.config.secure(), "language", locale.tag(), CHOICE_S);
    ([(header::SET_COOKIE, cookie)], back).into_response()
}

/// Chooses the currency of prices. One that is not offered, or no longer, counts as none.
pub(super) async fn choose_currency(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Form(typed): Form<Typed>,
) -> Response {
    let back = back::to(&field(&typed, "back"));
    let Ok(currency) = field(&typed, "currency").parse::<Currency>() else { return back.into_response() };
    if let Err(error) = accounts::profile::keep_currency(&state.runtime.engine, &caller, currency).await {
        return super::layers::plain(&error);
    }
    let cookie = cookies::set(state.runtime.config.secure(), "currency", currency.code(), CHOICE_S);
    ([(header::SET_COOKIE, cookie)], back).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_earlier_attempts_are_dropped() {
        assert_eq!(clean("/p/pen?draft=a&x=1&error=b"), "/p/pen?x=1");
        assert_eq!(clean("/p/pen?error=b"), "/p/pen");
    }
}
