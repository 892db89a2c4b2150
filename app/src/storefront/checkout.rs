//! Checkout on one page: shipping address, payment, order summary.

use std::{pin::Pin, time::Duration};

use haat_shared::{
    Conflict, Error, Money,
    address_book::SavedAddress,
    addresses::Address,
    checkout::{
        CheckoutGroup, CheckoutLineView, CheckoutPage, CheckoutQuote, CheckoutState, CheckoutUpdate,
        CheckoutView, PaymentOutcome, SLOT, choice, slot_choice, taken,
    },
    gift_cards::AppliedGiftCard,
    id::kinds::CheckoutId,
    money::scaled,
    orders::{OrderRefund, cancelled_units},
    payments::{NextAction, PaymentFields, PaymentMethod, PaymentWindow},
    promotions::Discount,
    routes,
    shipping::{ShippingMethod, ShippingOption, SlotState, SlotView},
};
use leptos::{ev::SubmitEvent, prelude::*, wasm_bindgen::JsCast, web_sys::Element};

use super::{cart::code_typed, codes::Codes, gifts};
use crate::{
    api::{self, ApiError},
    countries,
    i18n::{t, tn, tu_string, use_i18n},
    state::{Visitor, param, query},
    ui::{
        self, AddressFields, Alert, BILLING_NAMES, Button, Check, Choice, CodeAlert, EmptyState, Field,
        LinkButton, NAMES, PageTitle, Picture, Sums, address_labels, awaited, loaded,
    },
    words::{self, I18n},
};

/// A checkout page.
#[component]
pub(crate) fn Checkout() -> impl IntoView {
    crate::head::keep_out();
    let id = param("id");
    let found = api::find(
        move || id.get(),
        |id| async move {
            let id = id.parse::<CheckoutId>().map_err(|bad| ApiError(bad.into()));
            match id {
                Ok(id) => api::checkout::view(id).await,
                Err(error) => {
                    api::page_not_found();
                    Err(error)
                }
            }
        },
    );
    let i18n = use_i18n();
    loaded(found, move |page| {
        let shown = match page.checkout.state {
            CheckoutState::Open | CheckoutState::Paying => view! { <Open page /> }.into_any(),
            _ => ended(i18n, page.checkout),
        };
        view! {
            <PageTitle text=tu_string!(i18n, checkout.title) />
            {shown}
        }
    })
}

/// A checkout that has ended: why, and where to continue.
fn ended(i18n: I18n, checkout: CheckoutView) -> AnyView {
    let (title, note) = match checkout.state {
        CheckoutState::Completed => {
            (tu_string!(i18n, checkout.completed), tu_string!(i18n, checkout.completed_note))
        }
        CheckoutState::Superseded => {
            (tu_string!(i18n, checkout.superseded), tu_string!(i18n, checkout.superseded_note))
        }
        _ => (tu_string!(i18n, checkout.expired), tu_string!(i18n, checkout.expired_note)),
    };
    let (icon, next) = match checkout.purchase {
        Some(link) => {
            let href = routes::purchase_by_link(&link);
            ("check", view! { <LinkButton href>{t!(i18n, checkout.see_purchase)}</LinkButton> }.into_any())
        }
        None => (
            "clock",
            view! { <LinkButton href=routes::CART>{t!(i18n, checkout.back)}</LinkButton> }.into_any(),
        ),
    };
    view! {
        <div class="width page">
            <EmptyState icon title note page=true>{next}</EmptyState>
        </div>
    }
    .into_any()
}

#[component]
fn Open(page: CheckoutPage) -> impl IntoView {
    let i18n = use_i18n();
    let CheckoutPage {
        checkout,
        held_until: until,
        known_address: known,
        addresses: saved,
        regions,
        billing_regions,
        faults: wrong,
        fields,
        window: over,
    } = page;
    let CheckoutView {
        id,
        form,
        payment_methods: methods,
        unresponsive_methods: unresponsive,
        smtputf8,
        quote,
        seconds_left: seconds,
        ..
    } = checkout.clone();
    // Gift cards are sent by email, so a checkout of nothing else has no address.
    let has_orders = !checkout.groups.is_empty();
    let codes = checkout.discounts.clone();
    let (entered, with_cards) = (checkout.gift_cards.clone(), quote.to_pay != quote.totals.total);
    let named = RwSignal::new(Named::of(&checkout));
    let rounded = quote.to_pay.currency().cash_unit() > 1;
    let (seen, quote) = (quote.version.to_string(), RwSignal::new(quote));
    let country = RwSignal::new(form.country.clone());
    let billed = form.billing.as_ref().map_or(&form.country, |billing| &billing.country);
    let billed = RwSignal::new(billed.clone());
    let asked_to_check = query("check").get_untracked() == "1";
    let faults = RwSignal::new((asked_to_check && !wrong.is_empty()).then_some(Error::Invalid(wrong)));
    let (busy, refused) = (RwSignal::new(false), RwSignal::new(None));
    // Nothing can be updated while a payment is in progress, so nothing can be entered that would be lost.
    // Paying again, perhaps with another method, submits the form anyway.
    let paying = checkout.state == CheckoutState::Paying;
    // The same, once a payment has begun in the fields of a gateway, which are lost if the page is loaded again.
    let begun = RwSignal::new(false);
    // What is still to be sent, and whether a request is on its way.
    let (waiting, sending) = (StoredValue::new(None), StoredValue::new(false));
    // Whether the browser has submitted the form by itself.
    let leaving = StoredValue::new(false);
    // How the shops ship, which depends on the address.
    let groups = RwSignal::new(checkout.groups.clone());
    let offers = Offers { of: StoredValue::new(destination(&form)), groups, named };
    // The click that pays also ends the last change. It is part of the payment then, and not stored before.
    let keep = move |typed| {
        let later = move || {
            if !paying && !leaving.get_value() && !begun.get_untracked() && !busy.get_untracked() {
                send(Box::new(move || Box::pin(store(id, typed, quote, offers, faults))), waiting, sending);
            }
        };
        set_timeout(later, Duration::from_millis(50));
    };

    // In another tab, it may have been paid or replaced by a newer one.
    Effect::new(move |_| {
        let back = window_event_listener(leptos::ev::focus, move |_| {
            leptos::task::spawn_local(async move {
                let now = api::checkout::view(id).await;
                if now.is_ok_and(|now| !now.checkout.state.holds()) && !busy.get_untracked() {
                    let _ = window().location().reload();
                }
            });
        });
        on_cleanup(move || back.remove());
    });

    // The button says whether the shopper pays now or places an order and pays on delivery.
    let chosen = RwSignal::new(form.payment_method);
    // Whether all shops take cash depends on the address.
    let market_methods = methods.clone();
    let methods = Memo::new(move |_| groups.with(|groups| taken(&market_methods, groups)));
    let cash = checkout.payment_methods.iter().any(|method| !method.collected_by_market());
    let without_cash = Memo::new(move |_| {
        let refusing = |groups: &Vec<CheckoutGroup>| {
            let groups = groups.iter().filter(|group| !group.takes_cash());
            groups.map(|group| group.shop_name.clone()).collect::<Vec<_>>().join(", ")
        };
        if cash { groups.with(refusing) } else { String::new() }
    });
    // Gift cards may pay all of it.
    let covered =
        Memo::new(move |_| quote.with(|quote| quote.to_pay.amount() == 0 && quote.totals.total.amount() > 0));
    let paid_now = Memo::new(move |_| {
        methods.with(|methods| match chosen.get().filter(|method| methods.contains(method)) {
            Some(method) => method.collected_by_market(),
            None => methods.iter().all(|method| method.collected_by_market()),
        })
    });
    let shops: Vec<String> = checkout.groups.iter().map(|group| group.shop_id.to_string()).collect();
    let shops_too = shops.clone();
    // The idempotency key for this attempt; after a declined card, the next click is a new attempt.
    let (key, tries) = (checkout.key.clone(), RwSignal::new(0u32));
    let pay = move |event: SubmitEvent| {
        // Signing in and codes leave the page, so the browser submits the form by itself.
        if event.submitter().is_some_and(|button| button.has_attribute("name")) || code_typed() {
            // The form has all input, and may end this checkout.
            leaving.set_value(true);
            waiting.set_value(None);
            return;
        }
        event.prevent_default();
        let Some(mut typed) = event.target().and_then(|form| typed(form, &shops)) else { return };
        if covered.get_untracked() {
            typed.payment_method = Some(PaymentMethod::GiftCard);
        }
        let method = typed.payment_method;
        let place = place_of(method);
        let ready = place.as_ref().is_some_and(|place| place.has_attribute("data-ready"));
        if busy.get_untracked() && !ready {
            return;
        }
        let offered = [methods.get_untracked(), vec![PaymentMethod::GiftCard]].concat();
        if let Err(wrong) = typed.check(&offered, smtputf8, has_orders) {
            show(faults, Error::Invalid(wrong));
            keep(typed);
            return;
        }
        busy.set(true);
        // The script of the fields or the window, if it works, checks whether it can be paid there, and submits the
        // form once more.
        let place = place.filter(|place| place.has_attribute("data-on"));
        if !ready && place.as_ref().is_some_and(|place| place.set_attribute("data-step", "check").is_ok()) {
            return;
        }
        let key = match tries.get_untracked() {
            0 => key.clone(),
            again => format!("{key}-{again}"),
        };
        let in_place = place.is_some();
        // What the shopper sees, even if a change is being stored.
        let version = quote.get_untracked().version;
        let request = move || async move {
            match api::checkout::pay(id, typed, version, key, in_place).await {
                Ok(next) => {
                    let place = place_of(method).filter(|_| in_place);
                    if let Some((place, parameters)) = place.zip(here(&next)) {
                        // The next click continues with the same payment.
                        tries.update(|n| *n += 1);
                        begun.set(true);
                        for (name, value) in parameters {
                            let _ = place.set_attribute(&format!("data-{name}"), value);
                        }
                        return;
                    }
                    if window()
                        .location()
                        .assign(&leads_to(next).unwrap_or_else(|| routes::checkout(id)))
                        .is_err()
                    {
                        busy.set(false);
                    }
                }
                Err(ApiError(error)) => {
                    if let Error::Conflict(conflict) = &error {
                        tries.update(|n| *n += 1);
                        // What gift cards pay may have changed, too.
                        if with_cards {
                            if let Ok(page) = api::checkout::view(id).await {
                                quote.set(page.checkout.quote);
                            }
                        } else if let Conflict::TotalChanged { total, quote_version } = conflict {
                            quote.update(|quote| {
                                (quote.totals.total, quote.to_pay, quote.version) =
                                    (*total, *total, *quote_version);
                            });
                        }
                    }
                    busy.set(false);
                    match error.code() {
                        code if words::is_of_code(code) => refused.set(words::refusal_in(i18n, &error)),
                        _ => {
                            if groups.with_untracked(|groups| about_slots(groups, &error))
                                && let Some(now) = offers.ask(id).await
                            {
                                quote.set(now);
                            }
                            show(faults, error);
                        }
                    }
                }
            }
        };
        send(Box::new(|| Box::pin(request())), waiting, sending);
    };

    let every = |fits: fn(&ShippingOption) -> bool| {
        // What is not shipped there isn't picked up, either.
        let fits = |group: &CheckoutGroup| {
            !group.shipping_options.is_empty() && group.shipping_options.iter().all(fits)
        };
        has_orders && checkout.groups.iter().all(fits)
    };
    // Where cash is paid.
    let appointments = every(|option| option.shipping_method == ShippingMethod::Appointment);
    let only_pickup = every(|option| option.shipping_method == ShippingMethod::Pickup);
    let ways = move || {
        let each = groups
            .get()
            .into_iter()
            .map(|group| view! { <ShippingMethods group readonly=paying faults=faults.into() /> });
        each.collect_view()
    };
    let bought = gifts::in_checkout(i18n, checkout.gifts);
    let lines = checkout.groups.into_iter().map(|group| view! { <Group group /> }).collect_view();
    let pay_words = move || {
        let quote = quote.get();
        if covered.get() {
            return t!(i18n, checkout.place, price = quote.totals.total);
        }
        let price = quote.to_pay;
        match paid_now.get() {
            true => t!(i18n, checkout.pay, price = price),
            false => t!(i18n, checkout.place, price = price),
        }
    };
    view! {
        <div class="width page checkout">
            <h1>{t!(i18n, checkout.title)}</h1>
            {payment_news(i18n, checkout.payment, checkout.next_action)}
            <form
                method="post"
                action=routes::checkout(id)
                class="two-columns"
                novalidate
                id="checkout"
                on:submit=pay
                on:change=move |event| {
                    choose_method_of_slot(&event);
                    if let Some(typed) = event.current_target().and_then(|form| typed(form, &shops_too)) {
                        chosen.set(typed.payment_method);
                        country.set(typed.country.clone());
                        if let Some(billing) = &typed.billing {
                            billed.set(billing.country.clone());
                        }
                        keep(typed);
                    }
                }
            >
                <div class="form">
                    // Enter in a field presses the first button of a form, which must not be the one for
                    // signing in.
                    <button type="submit" class="hidden" tabindex="-1" aria-hidden="true"></button>
                    <CodeAlert />
                    {move || {
                        let error = faults.get()?;
                        let labels = country.with(|code| labels(i18n, code, &billed.get())).into_iter();
                        let labels = labels.map(|(name, label)| (name.to_owned(), label));
                        let labels = labels.chain(groups.with(|groups| slot_labels(i18n, groups)));
                        let at_fields = labels.filter_map(|(name, label)| Some((name.clone(), label, error.at(&name)?)));
                        Some(ui::error_summary(i18n, &error, at_fields.collect()))
                    }}
                    <input type="hidden" name="key" value=checkout.key />
                    <input type="hidden" name="quote_version" value=seen />
                    <div class="form" inert=move || begun.get()>
                        <Details form=form.clone() country billed known saved regions billing_regions has_orders readonly=paying faults=faults.into() />
                        {ways}
                    </div>
                    <Ways chosen methods without_cash unresponsive appointments only_pickup rounded covered faults=faults.into() />
                    {fields.map(|fields| view! { <CardFields fields quote busy /> })}
                    {over.map(|window| view! { <OverPage window busy /> })}
                    // On wide screens, the other one is beside the beginning of the form.
                    <div class="pay-at-end">
                        <Button busy>{pay_words}</Button>
                    </div>
                </div>
                <aside class="summary" aria-labelledby="order">
                    <h2 id="order">{t!(i18n, checkout.order)}</h2>
                    {lines}
                    {bought}
                    {move || {
                        let quote = quote.get();
                        // What they take off may change with the totals.
                        let Named { version, discounts, cards } = named.get();
                        let of_quote = quote.version == version;
                        let discounts = if of_quote { discounts } else { Vec::new() };
                        let less = match of_quote {
                            true => cards.iter().map(|card| (words::gift_card(i18n, &card.last4), card.amount)).collect(),
                            false => Vec::from_iter(quote.totals.total.minus(quote.to_pay).ok().map(|all| (t!(i18n, gift_cards.title).to_owned(), all))),
                        };
                        view! {
                            <Sums totals=quote.totals taxes=quote.taxes discounts only_gifts=!has_orders />
                            {less_of(i18n, less, quote.to_pay)}
                        }
                    }}
                    <Codes discounts=codes cards=entered action=routes::checkout(id) refused />
                    <div class="action-bar">
                        <Button busy>{pay_words}</Button>
                    </div>
                    <TimeLeft seconds until />
                </aside>
            </form>
        </div>
    }
}

/// What gift cards pay, and what is left to pay.
pub(super) fn less_of(i18n: I18n, cards: Vec<(String, Money)>, to_pay: Money) -> Option<AnyView> {
    let row =
        |look, words: String, sum: String| view! { <div class=look><dt>{words}</dt><dd>{sum}</dd></div> };
    let cards: Vec<_> = cards
        .into_iter()
        .filter(|(_, amount)| amount.amount() > 0)
        .map(|(words, amount)| row("", words, format!("−{}", words::money(i18n, amount))))
        .collect();
    let left = row("sums-total", t!(i18n, checkout.to_pay).to_owned(), words::money(i18n, to_pay));
    (!cards.is_empty()).then(|| view! { <dl class="sums">{cards}{left}</dl> }.into_any())
}

/// How long the items stay reserved, counted down while the page is open. Without JavaScript, until when.
#[component]
fn TimeLeft(seconds: i64, until: String) -> impl IntoView {
    let i18n = use_i18n();
    let left = RwSignal::new(None);
    Effect::new(move || {
        // Uses the clock, because timers are paused in background tabs.
        let now = || web_sys::js_sys::Date::now() as i64 / 1000;
        let end = now() + seconds;
        left.set(Some(seconds));
        let tick = move || left.set(Some(end - now()));
        if let Ok(timer) = set_interval_with_handle(tick, Duration::from_secs(1)) {
            on_cleanup(move || timer.clear());
        }
    });
    let until = t!(i18n, checkout.held_until, time = words::clock(&until));
    let shown = Memo::new(move |_| left.get().map_or_else(|| until.clone(), |left| time_left(i18n, left)));
    // Screen reader users hear it twice, not each second.
    let said = Memo::new(move |_| {
        let minutes = match left.get()? {
            ..=0 => return None,
            1..=60 => 1,
            61..=300 => 5,
            _ => return None,
        };
        Some(tn!(i18n, checkout.time_left, minutes))
    });
    view! {
        <p class="note" role="timer">{shown}</p>
        <p class="hidden" aria-live="polite">{said}</p>
    }
}

fn time_left(i18n: I18n, seconds: i64) -> String {
    match seconds {
        // A payment attempt may have extended the hold; only the server knows.
        ..=0 => t!(i18n, error.key_reused).to_owned(),
        1..=300 => {
            let time = format!("{}:{:02}", seconds / 60, seconds % 60);
            t!(i18n, checkout.time_clock, time = time)
        }
        _ => tn!(i18n, checkout.time_left, seconds / 60 + i64::from(seconds % 60 > 0)),
    }
}

/// Stores the input with the checkout, so that it is there when the page is opened again. Failures are
/// not shown, because the next change or the payment stores it too.
async fn store(
    id: CheckoutId,
    typed: CheckoutUpdate,
    quote: RwSignal<CheckoutQuote>,
    offers: Offers,
    faults: RwSignal<Option<Error>>,
) {
    let to = destination(&typed);
    match api::checkout::update(id, typed).await {
        Ok(now) => {
            // A payment may have been told a newer one meanwhile.
            quote.try_update(|quote| {
                if now.version >= quote.version {
                    *quote = now;
                }
            });
            let version = quote.try_with_untracked(|quote| quote.version).unwrap_or_default();
            offers.update(id, to, version).await;
        }
        // Somebody else has the slot. The others are shown as they are now.
        Err(ApiError(error))
            if offers.groups.try_with_untracked(|groups| about_slots(groups, &error)).unwrap_or_default() =>
        {
            if let Some(now) = offers.ask(id).await {
                quote.try_set(now);
            }
            show(faults, error);
        }
        Err(_) => {}
    }
}

type Request = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()>>> + Send + Sync>;

/// Sends a request of the checkout after the one that is on its way, and instead of one that waits for that.
///
/// Requests may overtake each other, as when the browser fills in all fields at once, or when the shopper pays
/// while the last change is being stored. So there is one at a time, with the newest input.
fn send(request: Request, waiting: StoredValue<Option<Request>>, sending: StoredValue<bool>) {
    waiting.set_value(Some(request));
    if sending.get_value() {
        return;
    }
    sending.set_value(true);
    leptos::task::spawn_local(async move {
        // When the page is left, nothing waits any more.
        while let Some(request) = waiting.try_update_value(Option::take).flatten() {
            request().await;
        }
        sending.try_set_value(false);
    });
}

/// Where the fields or the window of a payment method are.
fn place_of(method: Option<PaymentMethod>) -> Option<Element> {
    let place = format!("#checkout > * > [data-method={}]", method?.as_str());
    document().query_selector(&place).ok().flatten()
}

/// How the shops ship to an address.
#[derive(Clone, Copy)]
struct Offers {
    of: StoredValue<[String; 3]>,
    groups: RwSignal<Vec<CheckoutGroup>>,
    named: RwSignal<Named>,
}

/// What each code takes off and each gift card pays, at a version of the quote.
#[derive(Clone)]
struct Named {
    version: i64,
    discounts: Vec<Discount>,
    cards: Vec<AppliedGiftCard>,
}

impl Named {
    fn of(checkout: &CheckoutView) -> Self {
        let (discounts, cards) = (checkout.discounts.clone(), checkout.gift_cards.clone());
        Self { version: checkout.quote.version, discounts, cards }
    }

    /// Whether there is something to name that may have another amount at this version.
    fn is_older(&self, version: i64) -> bool {
        self.version < version && !(self.discounts.is_empty() && self.cards.is_empty())
    }
}

/// What decides how something is shipped.
fn destination(typed: &CheckoutUpdate) -> [String; 3] {
    [typed.country.clone(), typed.region.clone(), typed.postal_code.clone()]
}

impl Offers {
    /// Asks for them again if the address has changed, or what codes and gift cards are worth.
    async fn update(self, id: CheckoutId, to: [String; 3], version: i64) {
        let is_older = self.named.try_with_untracked(|named| named.is_older(version)).unwrap_or_default();
        if self.of.try_get_value().is_none_or(|of| of == to && !is_older) {
            return;
        }
        if self.ask(id).await.is_some() {
            self.of.try_set_value(to);
        }
    }

    /// Asks for them again; returns what the checkout costs.
    async fn ask(self, id: CheckoutId) -> Option<CheckoutQuote> {
        let page = api::checkout::view(id).await.ok()?;
        self.named.try_set(Named::of(&page.checkout));
        self.groups.try_set(page.checkout.groups);
        Some(page.checkout.quote)
    }
}

/// The names and labels of the fields of slots.
fn slot_labels(i18n: I18n, groups: &[CheckoutGroup]) -> Vec<(String, String)> {
    let in_slots = groups.iter().filter(|group| !group.slots.is_empty());
    let label = |group: &CheckoutGroup| {
        let words = t!(i18n, delivery.slot_label, shop = group.shop_name.as_str());
        (format!("{SLOT}{}", group.shop_id), words)
    };
    in_slots.map(label).collect()
}

/// Whether an error is about a slot.
fn about_slots(groups: &[CheckoutGroup], error: &Error) -> bool {
    groups.iter().any(|group| error.at(&format!("{SLOT}{}", group.shop_id)).is_some())
}

/// Whoever chooses a slot wants the delivery then.
fn choose_method_of_slot(event: &web_sys::Event) {
    let select = event.target().and_then(|target| target.dyn_into::<web_sys::HtmlSelectElement>().ok());
    let Some(select) = select.filter(|select| !select.value().is_empty()) else { return };
    let Some(shop) = select.name().strip_prefix(SLOT).map(str::to_owned) else { return };
    let radio =
        document().get_element_by_id(&format!("shipping_method.{shop}.{}", ShippingMethod::Slot.as_str()));
    if let Some(radio) = radio.and_then(|radio| radio.dyn_into::<web_sys::HtmlInputElement>().ok()) {
        radio.set_checked(true);
    }
}

/// Shows an error and scrolls to its summary.
fn show(faults: RwSignal<Option<Error>>, error: Error) {
    faults.set(Some(error));
    request_animation_frame(|| {
        if let Ok(Some(alert)) = document().query_selector("#checkout [role=alert]") {
            alert.scroll_into_view();
        }
    });
}

/// The URL of a payment's next step; none if it continues on this page.
fn leads_to(next: NextAction) -> Option<String> {
    match next {
        NextAction::Redirect { url } => Some(url),
        NextAction::ClientSecret { .. } | NextAction::Widget { .. } => None,
        NextAction::Done { purchase } => Some(routes::purchase_by_link(&purchase)),
    }
}

/// What a script needs for a payment's next step on this page; none if that is elsewhere.
fn here(next: &NextAction) -> Option<impl Iterator<Item = (&str, &str)>> {
    let (secret, parameters) = match next {
        NextAction::ClientSecret { client_secret, parameters, .. } => (Some(&**client_secret), parameters),
        NextAction::Widget { parameters, .. } => (None, parameters),
        _ => return None,
    };
    let parameters = parameters.iter().map(|(name, value)| (&**name, &**value));
    Some(parameters.chain(secret.map(|secret| ("secret", secret))).chain([("step", "confirm")]))
}

/// The outcome of the last payment attempt.
fn payment_news(i18n: I18n, outcome: Option<PaymentOutcome>, next: Option<NextAction>) -> Option<AnyView> {
    match outcome? {
        // Shoppers who have just returned from the gateway have already been told.
        PaymentOutcome::Declined if query("error").with_untracked(|code| code.starts_with("payment_")) => {
            None
        }
        PaymentOutcome::Declined => Some(view! { <Alert>{t!(i18n, checkout.declined)}</Alert> }.into_any()),
        PaymentOutcome::UnderWay => {
            let link = next.and_then(leads_to).map(|href| {
                view! { <a class="button secondary" href=href rel="external">{t!(i18n, checkout.go_on)}</a> }
            });
            // Starts a new checkout of the same cart, which replaces this one and keeps the form input.
            Some(
                view! {
                    <Alert look="info">
                        <p>{t!(i18n, checkout.under_way)}</p>
                        <form method="post" action=routes::FORM_BEGIN_CHECKOUT class="actions">
                            {link}
                            <button type="submit" class="button quiet">{t!(i18n, checkout.restart)}</button>
                        </form>
                    </Alert>
                }
                .into_any(),
            )
        }
        PaymentOutcome::Paid => None,
    }
}

/// The labels of the fields, for messages. Some depend on the country.
fn labels(i18n: I18n, country: &str, billed: &str) -> Vec<(&'static str, String)> {
    let contact = [
        ("email", tu_string!(i18n, checkout.email).to_owned()),
        ("phone", tu_string!(i18n, checkout.phone).to_owned()),
        ("tax_id", tu_string!(i18n, checkout.tax_id).to_owned()),
    ];
    let payment = ("payment_method", tu_string!(i18n, checkout.how).to_owned());
    let billing = address_labels(i18n, billed, BILLING_NAMES);
    contact.into_iter().chain(address_labels(i18n, country, NAMES)).chain(billing).chain([payment]).collect()
}

/// The contact and shipping address. Those of a payment in progress can't be changed.
#[component]
fn Details(
    form: CheckoutUpdate,
    /// The selected country, by which parts of the address are optional.
    country: RwSignal<String>,
    /// The country of the billing address.
    billed: RwSignal<String>,
    /// The address, if the customer has saved it or bought to it last, which is shown in a line.
    known: Option<Vec<String>>,
    /// The addresses that the customer has saved; `None` for a guest.
    saved: Option<Vec<SavedAddress>>,
    /// The regions of its country.
    regions: Vec<(String, String)>,
    billing_regions: Vec<(String, String)>,
    /// Whether anything is shipped.
    has_orders: bool,
    readonly: bool,
    faults: Signal<Option<Error>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let label = known.map(|mut lines| {
        lines.push(countries::name(i18n, &form.country).to_owned());
        lines.join(", ")
    });
    let visitor = expect_context::<Visitor>().0;
    let sign_in = awaited(visitor, move |me| {
        let sign_in = (me.ok().flatten().is_none() && !readonly).then(|| {
            // A button rather than a link, because it stores what has been entered so far.
            view! {
                <p class="note">
                    {t!(i18n, sign_up.have_account)} " "
                    <button type="submit" id="sign-in" class="button quiet" name="action" value="sign_in">
                        {t!(i18n, sign_up.sign_in)}
                    </button>
                </p>
            }
        });
        sign_in.into_any()
    });
    let (email_hint, phone_hint) =
        (tu_string!(i18n, checkout.email_hint), tu_string!(i18n, checkout.phone_hint));
    let email = view! {
        <Field name="email" label=tu_string!(i18n, checkout.email) value=form.email.clone() kind="email" autocomplete="email" required=true hint=email_hint readonly faults />
    };
    if !has_orders {
        return view! {
            <section class="part" aria-labelledby="contact">
                <h2 id="contact">{t!(i18n, checkout.contact)}</h2>
                {sign_in}
                {email}
            </section>
        }
        .into_any();
    }
    let (here, is_known) = (form.address(), label.is_some());
    let save = (saved.is_some() && !is_known).then(|| {
        view! { <Check name="save_address" label=t!(i18n, addresses.save_this) checked=form.save_address /> }
    });
    let others = saved.filter(|_| !readonly).and_then(|saved| saved_addresses(i18n, saved, &here));
    let address =
        view! { <AddressFields address=form.address() regions country names=NAMES readonly faults /> };
    // The fields are submitted also while they are folded.
    let address = match label {
        None => address.into_any(),
        Some(label) => view! {
            <details class="known-address" open=move || faults.with(Option::is_some)>
                <summary>
                    <span>{label}</span>
                    " "
                    <span class="change">{t!(i18n, checkout.change)}</span>
                </summary>
                <div class="form">{address}</div>
            </details>
        }
        .into_any(),
    };
    // Few customers need it, and phones are small.
    let elsewhere = RwSignal::new(form.billing.is_some());
    let (business, other) = (!form.tax_id.is_empty() || form.billing.is_some(), form.billing.is_some());
    let billing = form
        .billing
        .clone()
        .unwrap_or_else(|| Address { country: form.country.clone(), ..Address::default() });
    view! {
        <section class="part" aria-labelledby="contact">
            <h2 id="contact">{t!(i18n, checkout.contact)}</h2>
            {sign_in}
            {email}
            <Field name="phone" label=tu_string!(i18n, checkout.phone) optional=true value=form.phone kind="tel" autocomplete="tel" hint=phone_hint readonly faults />
        </section>
        <section class="part" aria-labelledby="where">
            <h2 id="where">{t!(i18n, checkout.address)}</h2>
            {others}
            {address}
            {save}
            <details class="more-of" open=move || business || faults.with(Option::is_some)>
                <summary>{t!(i18n, form.optional, label = t!(i18n, checkout.billing))}</summary>
                <div class="form">
                    <Field name="tax_id" label=tu_string!(i18n, checkout.tax_id) value=form.tax_id hint=tu_string!(i18n, checkout.tax_id_hint) readonly faults />
                    <div class="row-fields" on:change=move |event| elsewhere.set(event_target_checked(&event))>
                        <Check name="billing" label=t!(i18n, checkout.bill_elsewhere) checked=other />
                        {(!readonly).then(|| view! {
                            <button type="submit" class="button secondary line-update" name="action" value="update">
                                {t!(i18n, checkout.update)}
                            </button>
                        })}
                    </div>
                    {move || elsewhere.get().then(|| {
                        let (address, regions) = (billing.clone(), billing_regions.clone());
                        view! {
                            <div class="form" role="group" aria-label=t!(i18n, purchase.bill_to)>
                                <AddressFields address regions country=billed names=BILLING_NAMES readonly faults />
                            </div>
                        }
                    })}
                </div>
            </details>
        </section>
    }
    .into_any()
}

/// The saved addresses that the order doesn't go to, each with a button that fills it in. The browser submits the form, which
/// stores what has been entered.
fn saved_addresses(i18n: I18n, saved: Vec<SavedAddress>, here: &Address) -> Option<AnyView> {
    let rows = saved.into_iter().filter(|of| of.address.parts != *here).map(|of| {
        let name = words::address_label(i18n, of.label);
        let line = of.address.formatted.join(", ");
        view! {
            <li class="row">
                <span><strong>{name}</strong> " " <span class="note">{line.clone()}</span></span>
                <button type="submit" class="button quiet" name="use_address" value=of.id.to_string() aria-label=format!("{}: {name}, {line}", t!(i18n, addresses.use_this))>
                    {t!(i18n, addresses.use_this)}
                </button>
            </li>
        }
    });
    let rows: Vec<_> = rows.collect();
    (!rows.is_empty()).then(|| {
        view! {
            <details class="more-of">
                <summary>{t!(i18n, addresses.choose)}</summary>
                <ul class="rows">{rows}</ul>
            </details>
        }
        .into_any()
    })
}

/// The shipping methods of a shop.
#[component]
fn ShippingMethods(group: CheckoutGroup, readonly: bool, faults: Signal<Option<Error>>) -> impl IntoView {
    let i18n = use_i18n();
    let slots = (!group.slots.is_empty()).then(|| slots(i18n, &group, readonly, faults));
    let name = format!("shipping_method.{}", group.shop_id);
    let only = group.shipping_options.len() == 1;
    let not_to = t!(i18n, delivery.not_to, shop = group.shop_name.as_str());
    let none = group.shipping_options.is_empty().then(|| {
        // The browser submits the form, which stores what has been entered.
        view! {
            <Alert>
                <p>{not_to}</p>
                <button type="submit" class="button secondary" name="remove_shop" value=group.shop_id.to_string()>
                    {t!(i18n, delivery.remove_these)}
                </button>
            </Alert>
        }
    });
    let options = group.shipping_options.into_iter().map(|option| {
        let way = match option.shipping_method {
            ShippingMethod::Pickup if option.name.is_empty() => {
                tu_string!(i18n, delivery.pickup, town = group.town.as_str()).to_string()
            }
            method => words::shipping_name(i18n, method, &option.name).to_owned(),
        };
        let note = match option.shipping_method {
            ShippingMethod::Pickup => {
                format!("{}. {}", words::option_arrives(i18n, &option), t!(i18n, delivery.pickup_note))
            }
            _ => words::option_arrives(i18n, &option),
        };
        let price = match option.price.amount() {
            0 => tu_string!(i18n, cart.free).to_owned(),
            _ => words::money(i18n, option.price),
        };
        // A single method is shown, not offered as a choice.
        if only {
            return view! {
                <p class="dots"><span>{way}</span> " " <span class="price">{price}</span></p>
                <p class="note">{note}</p>
            }
            .into_any();
        }
        let chosen = option.shipping_method == group.shipping_method;
        let disabled = readonly && !chosen;
        let id = format!("{name}.{}", option.shipping_method.as_str());
        let note_id = format!("{id}.note");
        view! {
            <div class="choice">
                <input
                    type="radio"
                    id=id.clone()
                    name=name.clone()
                    value=option.shipping_method.as_str()
                    checked=chosen
                    disabled=disabled
                    aria-describedby=note_id.clone()
                />
                <div>
                    <label for=id class="dots"><span>{way}</span> " " <span class="price">{price}</span></label>
                    <p class="note" id=note_id>{note}</p>
                </div>
            </div>
        }
        .into_any()
    });
    view! {
        <section class="part">
            <fieldset class="field choices">
                <legend>{tu_string!(i18n, delivery.of_shop, shop = group.shop_name.as_str()).to_string()}</legend>
                {options.collect_view()}
                {slots}
                {none}
            </fieldset>
        </section>
    }
}

/// The slots of a shop. Each says its day, because only the chosen one is seen while the list is closed.
fn slots(i18n: I18n, group: &CheckoutGroup, readonly: bool, faults: Signal<Option<Error>>) -> AnyView {
    let name = format!("{SLOT}{}", group.shop_id);
    let chosen = group.slot;
    let option = |view: &SlotView| {
        let time = words::slot(i18n, view.slot);
        let words = match (view.state, view.extra.amount()) {
            (SlotState::Full, _) => t!(i18n, delivery.slot_full, time = time),
            (SlotState::Closed, _) => t!(i18n, delivery.slot_closed, time = time),
            (SlotState::Open, 0) => time,
            (SlotState::Open, _) => t!(i18n, delivery.slot_plus, time = time, price = view.extra),
        };
        let here = chosen == Some(view.slot);
        let disabled = view.state != SlotState::Open && !here;
        view! { <option value=view.slot.to_string() selected=here disabled=disabled>{words}</option> }
    };
    let options = group.slots.iter().map(option).collect_view();
    let (id, described, of) = (name.clone(), format!("{name}.error"), name.clone());
    let code = Signal::derive(move || faults.with(|error| error.as_ref().and_then(|error| error.at(&of))));
    let fault = (name.clone(), described.clone());
    view! {
        <div class="field">
            <label for=id.clone()>{t!(i18n, delivery.slot_label, shop = group.shop_name.as_str())}</label>
            <select
                id=id
                name=name
                disabled=readonly
                aria-invalid=move || code.get().map(|_| "true")
                aria-describedby=move || code.get().map(|_| described.clone())
            >
                <option value="">{t!(i18n, delivery.slot_choose)}</option>
                {options}
            </select>
            {move || {
                let (name, id) = fault.clone();
                code.get().map(|code| view! { <p class="field-error" id=id>{words::fault(i18n, &name, code)}</p> })
            }}
        </div>
    }
    .into_any()
}

/// The payment methods.
#[component]
fn Ways(
    chosen: RwSignal<Option<PaymentMethod>>,
    methods: Memo<Vec<PaymentMethod>>,
    /// The shops that don't take cash, if cash is offered otherwise.
    without_cash: Memo<String>,
    unresponsive: Vec<PaymentMethod>,
    /// Whether nothing is bought but appointments.
    appointments: bool,
    only_pickup: bool,
    /// Whether cash is rounded in the currency.
    rounded: bool,
    /// Whether gift cards pay all.
    covered: Memo<bool>,
    faults: Signal<Option<Error>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let options = move || {
        let methods = methods.get().into_iter().map(|method| {
            let words = words::method(i18n, method, words::cash(i18n, appointments, only_pickup));
            let cash = method == PaymentMethod::Cash;
            let mut note = if unresponsive.contains(&method) {
                tu_string!(i18n, payment_method.unresponsive)
            } else if cash && appointments {
                t!(i18n, payment_method.cash_appointment_note)
            } else {
                words::method_note(i18n, method)
            }
            .to_owned();
            if cash && rounded {
                note = format!("{note} {}", t!(i18n, payment_method.cash_rounded));
            }
            (method.as_str().to_owned(), words.to_owned(), note)
        });
        methods.collect::<Vec<_>>()
    };
    let choice = move || {
        let options = options();
        let value = chosen.get_untracked().map_or("", PaymentMethod::as_str);
        view! { <Choice name="payment_method" label=tu_string!(i18n, checkout.how) value options faults /> }
    };
    let refused = move || {
        let shops = without_cash.get();
        (!shops.is_empty())
            .then(|| view! { <p class="note">{t!(i18n, checkout.without_cash, shops = shops)}</p> })
    };
    view! {
        <section class="part" hidden=covered>
            {choice}
            {refused}
        </section>
    }
}

/// Where the script of a gateway shows its fields (`public/card.js`). Without JavaScript, they stay hidden, and the
/// shopper pays on the gateway's page.
#[component]
fn CardFields(fields: PaymentFields, quote: RwSignal<CheckoutQuote>, busy: RwSignal<bool>) -> impl IntoView {
    let i18n = use_i18n();
    let PaymentFields { method, script, key, decimals, authorizes } = fields;
    let currency = quote.get_untracked().totals.total.currency();
    // Without an amount, as of one that the gateway can't charge exactly, there are no fields.
    let amount =
        move || scaled(quote.get().to_pay.amount(), currency.decimals(), decimals).unwrap_or_default();
    view! {
        <div
            id="card"
            class="card-fields"
            hidden
            data-method=method.as_str()
            data-script=script
            data-key=key
            data-currency=currency.code().to_lowercase()
            data-amount=amount
            data-authorizes=authorizes
            data-note=tu_string!(i18n, payment_method.card_here)
            on:declined=move |_: web_sys::Event| busy.set(false)
        >
            <div></div>
            <p class="field-error" role="alert"></p>
        </div>
        <script type="module" src="/card.js"></script>
    }
}

/// What the script of a gateway needs to open its window over the page (`public/window.js`). Without JavaScript, the shopper
/// pays on the gateway's page.
#[component]
fn OverPage(window: PaymentWindow, busy: RwSignal<bool>) -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <div
            id="pay-window"
            data-method=window.method.as_str()
            data-script=window.script
            data-note=tu_string!(i18n, payment_method.razorpay_here)
            data-unpaid=tu_string!(i18n, checkout.declined)
            on:declined=move |_: web_sys::Event| busy.set(false)
        >
            <p class="field-error" role="alert"></p>
        </div>
        <script type="module" src="/window.js"></script>
    }
}

#[component]
fn Group(group: CheckoutGroup) -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <h3 class="summary-shop">{group.shop_name}</h3>
        {order_lines(i18n, group.lines, false, &[])}
    }
}

/// Order lines; with SKUs for those who pack them, and for questions about what was bought.
pub(crate) fn order_lines(
    i18n: I18n,
    lines: Vec<CheckoutLineView>,
    skus: bool,
    refunds: &[OrderRefund],
) -> impl IntoView + use<> {
    // What was shipped is said while something is left.
    let partly = lines.iter().any(|line| line.to_ship() > 0);
    let lines = lines.into_iter().map(|line| {
        let sku = (skus && !line.sku.is_empty()).then(|| {
            view! { <span class="note">{tu_string!(i18n, seller_orders.sku, sku = line.sku.as_str()).to_string()}</span> }
        });
        // Of what was shipped, cancelled or refunded in parts.
        let (quantity, shipped) = (line.quantity, line.shipped);
        let cancelled = cancelled_units(refunds, line.position);
        let refunded = line.refunded - cancelled;
        let shipped = (shipped > 0 && (partly || shipped < quantity)).then(|| {
            view! { <span class="note">{t!(i18n, purchase.line_shipped, n = shipped, of = quantity)}</span> }
        });
        let cancelled = (cancelled > 0).then(|| {
            view! { <span class="note">{t!(i18n, purchase.line_cancelled, n = cancelled, of = quantity)}</span> }
        });
        let refunded = (refunded > 0).then(|| {
            view! { <span class="note">{t!(i18n, purchase.line_refunded, n = refunded, of = quantity)}</span> }
        });
        let variant = (!line.variant_title.is_empty()).then(|| view! { <span class="note">{line.variant_title}</span> });
        view! {
            <li>
                <Picture of=line.picture title=line.title.clone() sizes="48px" />
                <span class="bought-count">{tu_string!(i18n, checkout.quantity, n = line.quantity).to_string()}</span>
                <span class="bought-title">{line.title} {variant} {sku} {shipped} {cancelled} {refunded}</span>
                <span class="price">{words::money(i18n, line.total)}</span>
            </li>
        }
    });
    view! { <ul class="bought">{lines.collect_view()}</ul> }
}

/// The current values of the form, including the shipping method of each shop.
fn typed(form: web_sys::EventTarget, shops: &[String]) -> Option<CheckoutUpdate> {
    let form = form.dyn_into::<web_sys::HtmlFormElement>().ok()?;
    let data = web_sys::FormData::new_with_form(&form).ok()?;
    let field = |name: &str| data.get(name).as_string().unwrap_or_default();
    let way = |shop: &String| choice(shop, &data.get(&format!("shipping_method.{shop}")).as_string()?);
    let slot = |shop: &String| slot_choice(shop, &data.get(&format!("{SLOT}{shop}")).as_string()?);
    Some(CheckoutUpdate {
        shipping_methods: shops.iter().filter_map(way).collect(),
        slots: shops.iter().filter_map(slot).collect(),
        ..CheckoutUpdate::read(&field, |_, _| true)
    })
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::{I18n, time_left};

    #[test]
    fn minutes_are_counted_down_and_then_seconds() {
        let table = [
            (900, "15 minutes left to complete your order"),
            (841, "15 minutes left to complete your order"),
            (840, "14 minutes left to complete your order"),
            (301, "6 minutes left to complete your order"),
            (300, "5:00 left to complete your order"),
            (61, "1:01 left to complete your order"),
            (9, "0:09 left to complete your order"),
            (0, "This page is out of date. Reload it to continue."),
            (-5, "This page is out of date. Reload it to continue."),
        ];
        for (seconds, words) in table {
            assert_eq!(time_left(I18n::default(), seconds), words);
        }
    }
}
