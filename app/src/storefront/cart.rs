//! The cart: lines grouped by shop, with all costs.

use std::time::Duration;

use haat_shared::{
    Error,
    carts::{AddLine, CartGroup, CartLineView, CartView, QUANTITY_MAX, SetQuantity, quantity_field},
    catalog::options_text,
    forms::Draft,
    id::kinds::{CartLineId, VariantId},
    routes,
};
use leptos::{ev::MouseEvent, prelude::*, wasm_bindgen::JsCast, web_sys::HtmlInputElement};

use super::{codes::Codes, gifts, product::BuyFault, sign_up::draft_of};
use crate::{
    api::{self, ApiError, ApiResource},
    elsewhere::Elsewhere,
    i18n::{t, tn, tu_string, use_i18n},
    state::{self, query},
    ui::{Alert, Button, EmptyState, LinkButton, PageTitle, Picture, Sums, Toaster, loaded},
    words,
};

/// The cart page.
#[component]
pub(crate) fn Cart() -> impl IntoView {
    crate::head::keep_out();
    loaded(draft_of("cart"), |draft| view! { <Shown draft /> })
}

/// The cart, on this page and in the header.
#[derive(Clone, Copy)]
struct Shared {
    count: state::CartCount,
    view: ApiResource<CartView>,
}

impl Shared {
    /// Shows the cart that the server has just returned.
    fn show(self, view: CartView) {
        self.count.changed(view.item_count);
        self.view.set(view);
    }
}

/// What became of the items of an order that is ordered once more.
fn added_again(i18n: words::I18n) -> Option<AnyView> {
    let (done, missing) = (query("done").get_untracked(), query("n").get_untracked());
    let view = match (done.as_str(), missing.as_str()) {
        ("again", "0") => view! { <Alert look="good">{t!(i18n, cart.again)}</Alert> },
        ("again", _) => view! { <Alert look="info">{t!(i18n, cart.again_part)}</Alert> },
        _ => return None,
    };
    Some(view.into_any())
}

/// The cart, with the input of a rejected line.
#[component]
fn Shown(draft: Draft) -> impl IntoView {
    let i18n = use_i18n();
    let elsewhere = expect_context::<Elsewhere>();
    let cart = Shared {
        count: expect_context(),
        view: api::find(move || elsewhere.changes(), |_| api::carts::view()),
    };
    let fault = RwSignal::new(draft.error.clone());
    let saver = Saver {
        pending: StoredValue::new(None),
        saving: StoredValue::new(false),
        removals: StoredValue::new(0),
        i18n,
        cart,
        toaster: expect_context(),
        fault,
    };
    provide_context(saver);
    // What was typed just before leaving the page.
    on_cleanup(move || {
        if let Some(lines) = saver.interrupt() {
            leptos::task::spawn_local(async move {
                if let Ok(view) = api::carts::set_quantities(lines).await {
                    cart.show(view);
                }
            });
        }
    });
    view! {
        {loaded(
            cart.view,
            move |cart| {
                let draft = draft.clone();
                view! {
                    <PageTitle text=tu_string!(i18n, cart.title) />
                    <div class="width page">
                        <h1>{t!(i18n, cart.title)}</h1>
                        {added_again(i18n)}
                        <BuyFault fault />
                        {if cart.is_empty() { empty(i18n) } else { view! { <Full cart fault draft /> }.into_any() }}
                    </div>
                }
            },
        )}
    }
}

fn empty(i18n: words::I18n) -> AnyView {
    let (title, note) = (tu_string!(i18n, cart.empty), tu_string!(i18n, cart.empty_note));
    view! {
        <EmptyState icon="basket" title note>
            <LinkButton href=routes::PRODUCTS>{t!(i18n, cart.shop_around)}</LinkButton>
        </EmptyState>
    }
    .into_any()
}

#[component]
fn Full(cart: CartView, fault: RwSignal<Option<Error>>, draft: Draft) -> impl IntoView {
    let i18n = use_i18n();
    let missing =
        cart.groups.iter().flat_map(|group| &group.lines).filter(|line| !line.is_available()).count();
    let missing =
        (missing > 0).then(|| view! { <p class="note">{tn!(i18n, cart.not_included, missing)}</p> });
    let group = |group| view! { <Group group fault draft=draft.clone() /> };
    let only_gifts = cart.groups.is_empty();
    let groups = cart.groups.into_iter().map(group).collect_view();
    let gifts = gifts::in_cart(i18n, cart.gifts);
    let discounts = cart.discounts.clone();
    let sums = cart.totals.map(|totals| {
        let added = totals.added_tax().is_ok_and(|tax| tax.amount() > 0);
        let estimate = added.then(|| view! { <p class="note">{t!(i18n, cart.estimate)}</p> });
        view! {
            <Sums totals discounts only_gifts />
            {estimate}
        }
    });
    let saver = expect_context::<Saver>();
    // A single form, so that every button also submits the quantities typed into the other lines.
    view! {
        <form
            method="post"
            action=routes::FORM_BEGIN_CHECKOUT
            class="two-columns"
            id="cart"
            novalidate
            on:submit=move |_| drop(saver.take())
        >
            <div class="groups">{groups} {gifts}</div>
            <section class="summary" aria-labelledby="summary">
                <h2 id="summary">{t!(i18n, cart.summary)}</h2>
                {sums}
                {missing}
                <Codes discounts=cart.discounts action=routes::FORM_CODES.to_owned() />
                <div class="action-bar">
                    <span class="action-total" aria-hidden="true">
                        {cart.totals.map(|totals| words::money(i18n, totals.total))}
                    </span>
                    <Button>{t!(i18n, cart.checkout)}</Button>
                </div>
                <p class="note">{t!(i18n, cart.held)}</p>
            </section>
        </form>
    }
}

#[component]
fn Group(group: CartGroup, fault: RwSignal<Option<Error>>, draft: Draft) -> impl IntoView {
    let i18n = use_i18n();
    let none = group.lines.iter().any(CartLineView::is_available) && group.shipping.is_none();
    let line = |line| view! { <Line line fault draft=draft.clone() /> };
    let lines = group.lines.into_iter().map(line).collect_view();
    let shipping = match group.totals.shipping.amount() {
        0 if none => t!(i18n, delivery.not_there).to_owned(),
        0 => tu_string!(i18n, cart.free).to_owned(),
        _ => words::money(i18n, group.totals.shipping),
    };
    let arrives = group.shipping.map(|option| {
        view! { <p class="note">{words::option_arrives(i18n, &option)}</p> }
    });
    view! {
        <section class="group">
            <h2 class="group-shop">
                <span class="note">{t!(i18n, cart.from)}</span>
                " "
                <a href=routes::shop(&group.shop_handle)>{group.shop_name}</a>
            </h2>
            <ul class="lines">{lines}</ul>
            <p class="group-delivery">
                <span>{t!(i18n, cart.delivery)}</span>
                <span class="price">{shipping}</span>
            </p>
            {arrives}
        </section>
    }
}

#[component]
fn Line(line: CartLineView, fault: RwSignal<Option<Error>>, draft: Draft) -> impl IntoView {
    let i18n = use_i18n();
    let saver = expect_context::<Saver>();
    let Saver { cart, toaster, .. } = saver;
    let busy = RwSignal::new(false);
    let id = line.id;
    let name = quantity_field(id);
    let wanted = match draft.error {
        Some(_) if draft.fields.contains_key(&name) => draft.typed(&name),
        _ => line.quantity.to_string(),
    };
    let at = name.clone();
    let wrong = Memo::new(move |_| fault.with(|fault| fault.as_ref().and_then(|error| error.at(&at))));

    let update = move |event: MouseEvent| {
        // Enter in the field of the code presses this button, too; the server then applies the code.
        if code_typed() {
            return;
        }
        event.prevent_default();
        saver.save(typed());
    };
    let available = line.is_available();
    // No more than there is, or the shop would refuse it.
    let (variant_id, back) =
        (line.variant_id, line.available.map_or(line.quantity, |left| left.min(line.quantity)));
    let undo = move || put_back(i18n, cart, toaster, fault, variant_id, back);
    let remove = move |event: MouseEvent| {
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        let unsaved = saver.interrupt();
        leptos::task::spawn_local(async move {
            if let Some(lines) = unsaved {
                // What is wrong with them is said when they are saved again.
                let _ = api::carts::set_quantities(lines).await;
            }
            match api::carts::remove_line(id).await {
                Ok(view) => {
                    fault.set(None);
                    let focus = place(id);
                    let words = match view.totals {
                        Some(totals) => t!(i18n, cart.removed_total, total = totals.total),
                        None => tu_string!(i18n, cart.removed).to_owned(),
                    };
                    match available {
                        true => toaster.offer_undo(words, undo),
                        false => toaster.say(words, None),
                    }
                    show(cart, view);
                    request_animation_frame(move || focus_at(focus));
                }
                Err(ApiError(error)) => {
                    fault.set(Some(error));
                    busy.set(false);
                }
            }
        });
    };

    let shortage = match line.available {
        _ if line.discontinued => Some(tu_string!(i18n, cart.discontinued).to_owned()),
        None => None,
        Some(left) if left >= line.quantity => None,
        Some(..=0) => Some(tu_string!(i18n, cart.gone).to_owned()),
        Some(left) => Some(tu_string!(i18n, cart.only_left, n = left).to_string()),
    };
    let was = line.price_was.map(|was| t!(i18n, cart.price_was, price = was));
    let each = (line.quantity > 1 && available).then(|| t!(i18n, cart.each, price = line.unit_price));
    let capped = line.capped.then(|| tu_string!(i18n, cart.capped, n = QUANTITY_MAX).to_string());
    let variant = if line.options.is_empty() || line.is_service {
        line.variant_title.clone()
    } else {
        options_text(&line.options)
    };
    let variant = (!variant.is_empty()).then(|| view! { <p class="note">{variant}</p> });
    let title = if line.discontinued {
        view! { <span>{line.title.clone()}</span> }.into_any()
    } else {
        view! { <a href=routes::product(&line.slug)>{line.title.clone()}</a> }.into_any()
    };
    let field = format!("quantity-{id}");
    let described = format!("{field}-error");
    let fault_id = described.clone();
    let (action, line_id) = (routes::set_quantity(id), id.to_string());
    let later_of = line.title.clone();
    let (update_name, remove_name, less_name, more_name) = (
        tu_string!(i18n, cart.update_of, title = line.title.as_str()).to_string(),
        tu_string!(i18n, cart.remove_of, title = line.title.as_str()).to_string(),
        tu_string!(i18n, cart.less_of, title = line.title.as_str()).to_string(),
        tu_string!(i18n, cart.more_of, title = line.title.as_str()).to_string(),
    );
    // Unlike `disabled`, this keeps the focus on the button that has just led to the limit.
    let count = RwSignal::new(line.quantity);
    let step = move |by: i64| {
        let Some(field) = quantity_input(id) else { return };
        let now = field.value().trim().parse().unwrap_or(line.quantity);
        let next = (now + by).clamp(1, QUANTITY_MAX);
        if next != now {
            field.set_value(&next.to_string());
            count.set(next);
            saver.later();
        }
    };
    let typing = move |_| {
        let Some(field) = quantity_input(id) else { return };
        count.set(field.value().trim().parse().unwrap_or(line.quantity));
        // An empty field is about to be filled.
        match field.value().trim() {
            "" => drop(saver.take()),
            _ => saver.later(),
        }
    };
    let leaving = move |_| {
        if quantity_input(id).is_some_and(|field| field.value().trim().is_empty()) {
            saver.later();
        }
    };
    let sum_name = tu_string!(i18n, cart.line_total, title = line.title.as_str()).to_string();
    // There is one of an appointment.
    let quantity = (available && !line.is_service).then(|| {
        view! {
            <label class="hidden" for=field.clone()>
                {tu_string!(i18n, cart.quantity_of, title = line.title.as_str()).to_string()}
            </label>
            <div class="stepper">
                <button
                    type="button"
                    class="step"
                    id=format!("less-{id}")
                    aria-label=less_name
                    aria-disabled=move || (count.get() <= 1).then_some("true")
                    on:click=move |_| step(-1)
                >
                    <span aria-hidden="true">"−"</span>
                </button>
                <input
                    id=field
                    type="text"
                    pattern="[0-9]*"
                    name=name
                    value=wanted
                    aria-invalid=move || wrong.get().map(|_| "true")
                    aria-describedby=move || wrong.get().map(|_| described.clone())
                    inputmode="numeric"
                    autocomplete="off"
                    on:input=typing
                    on:change=leaving
                />
                <button
                    type="button"
                    class="step"
                    id=format!("more-{id}")
                    aria-label=more_name
                    aria-disabled=move || (count.get() >= QUANTITY_MAX).then_some("true")
                    on:click=move |_| step(1)
                >
                    <span aria-hidden="true">"+"</span>
                </button>
            </div>
            // For browsers without JavaScript, and for the Enter key.
            <button
                type="submit"
                class="button secondary line-update"
                formaction=action.clone()
                name="action"
                value="set"
                aria-label=update_name
                on:click=update
            >
                {t!(i18n, cart.update)}
            </button>
        }
    });
    let shown_fault = move || {
        let words = words::fault(i18n, "quantity", wrong.get()?);
        Some(view! { <p class="field-error" id=fault_id.clone() role="alert">{words}</p> })
    };
    let sum = available.then(|| {
        view! { <p class="line-total price"><span class="hidden">{sum_name}" "</span>{words::money(i18n, line.total)}</p> }
    });
    view! {
        <li class="line" class:gone=!available aria-busy=move || busy.get().then_some("true")>
            <div class="line-picture">
                <Picture of=line.picture title=line.title.clone() sizes="88px" />
            </div>
            <div class="line-words">
                <h3 class="line-title">{title}</h3>
                {variant}
                {each.map(|words| view! { <p class="note">{words}</p> })}
                {was.map(|words| view! { <p class="note changed">{words}</p> })}
                {shortage.map(|words| view! { <p class="field-error">{words}</p> })}
                {capped.map(|words| view! { <p class="note changed">{words}</p> })}
            </div>
            {sum}
            <div class="line-form">
                {quantity}
                <button
                    type="submit"
                    class="button quiet"
                    formaction=action
                    name="action"
                    value="remove"
                    aria-label=remove_name
                    on:click=remove
                >
                    {t!(i18n, cart.remove)}
                </button>
                // The browser submits the form.
                <button type="submit" class="button quiet" formaction=routes::WISHLIST name="later" value=line_id>
                    {t!(i18n, wishlist.later)}
                    <span class="hidden" translate="no">": " {later_of}</span>
                </button>
                {shown_fault}
            </div>
        </li>
    }
}

/// Whether a code has been typed.
pub(super) fn code_typed() -> bool {
    let field = document().get_element_by_id("code");
    let field = field.and_then(|field| field.dyn_into::<HtmlInputElement>().ok());
    field.is_some_and(|field| !field.value().trim().is_empty())
}

/// How long after the last key or click quantities are saved.
const SAVE_AFTER: Duration = Duration::from_millis(400);

/// Saves quantities when they have been changed, one request at a time.
#[derive(Clone, Copy)]
struct Saver {
    /// What is to be saved when the timer ends.
    pending: StoredValue<Option<(TimeoutHandle, Vec<SetQuantity>)>>,
    /// Whether a request is under way.
    saving: StoredValue<bool>,
    /// Counts the removals of lines, after which the answer to an earlier request is out of date.
    removals: StoredValue<u32>,
    i18n: words::I18n,
    cart: Shared,
    toaster: Toaster,
    fault: RwSignal<Option<Error>>,
}

impl Saver {
    /// Saves what the fields hold in a moment, if nothing else is changed until then.
    fn later(self) {
        self.take();
        let end = move || {
            if let Some(lines) = self.take() {
                self.save(lines);
            }
        };
        if let Ok(timer) = set_timeout_with_handle(end, SAVE_AFTER) {
            self.pending.set_value(Some((timer, typed())));
        }
    }

    fn is_pending(self) -> bool {
        self.pending.try_with_value(Option::is_some).unwrap_or_default()
    }

    fn take(self) -> Option<Vec<SetQuantity>> {
        let (timer, lines) = self.pending.try_update_value(Option::take).flatten()?;
        timer.clear();
        Some(lines)
    }

    /// Takes what has not been saved, and ignores the answer to what is being saved.
    fn interrupt(self) -> Option<Vec<SetQuantity>> {
        self.removals.try_update_value(|n| *n = n.wrapping_add(1));
        self.take()
    }

    fn save(self, lines: Vec<SetQuantity>) {
        if self.saving.try_get_value().unwrap_or_default() {
            return self.later();
        }
        self.take();
        self.saving.set_value(true);
        let (i18n, removals) = (self.i18n, self.removals.get_value());
        leptos::task::spawn_local(async move {
            let result = api::carts::set_quantities(lines).await;
            self.saving.try_update_value(|saving| *saving = false);
            // The answer to the next request shows this change, too. Without a page, there is nothing to show.
            if self.is_pending() || self.removals.try_get_value() != Some(removals) {
                return;
            }
            match result {
                Ok(_) if is_typing() => {}
                Ok(view) => {
                    self.fault.set(None);
                    announce(i18n, self.toaster, &view);
                    let focus = document().active_element().map(|element| element.id());
                    show(self.cart, view);
                    request_animation_frame(move || {
                        let lost = document().active_element().map(|element| element.id()) != focus;
                        if let Some(id) = focus.filter(|id| lost && !id.is_empty()) {
                            focus_at((format!("#{id}"), 0));
                        }
                    });
                }
                Err(ApiError(error)) => self.fault.set(Some(error)),
            }
        });
    }
}

/// Whether a field has just been emptied.
fn is_typing() -> bool {
    typed().iter().any(|line| line.quantity.trim().is_empty())
}

/// Tells screen reader users, who can't see that the totals have changed.
fn announce(i18n: words::I18n, toaster: Toaster, view: &CartView) {
    let words = match view.totals {
        Some(totals) => t!(i18n, cart.updated_total, total = totals.total),
        None => tu_string!(i18n, cart.updated).to_owned(),
    };
    toaster.say(words, None);
}

/// Shows the cart that the server has just returned, also in fields that have been typed in.
fn show(cart: Shared, view: CartView) {
    let lines = view.groups.iter().flat_map(|group| &group.lines);
    let quantities: Vec<_> = lines.map(|line| (line.id, line.quantity)).collect();
    cart.show(view);
    request_animation_frame(move || {
        for (line, quantity) in quantities {
            if let Some(field) = quantity_input(line) {
                field.set_value(&quantity.to_string());
            }
        }
    });
}

/// Adds again what was removed, and focuses it.
fn put_back(
    i18n: words::I18n,
    cart: Shared,
    toaster: Toaster,
    fault: RwSignal<Option<Error>>,
    variant: VariantId,
    quantity: i64,
) {
    leptos::task::spawn_local(async move {
        match api::carts::add_line(AddLine { variant, quantity: quantity.to_string() }).await {
            Ok(view) => {
                let mut lines = view.groups.iter().flat_map(|group| &group.lines);
                let line = lines.find(|line| line.variant_id == variant).map(|line| line.id);
                announce(i18n, toaster, &view);
                show(cart, view);
                request_animation_frame(move || {
                    if let Some(line) = line {
                        focus_at((format!("#quantity-{line}"), 0));
                    }
                });
            }
            Err(ApiError(error)) => fault.set(Some(error)),
        }
    });
}

/// The quantity field of a line.
fn quantity_input(line: CartLineId) -> Option<HtmlInputElement> {
    document().get_element_by_id(&format!("quantity-{line}"))?.dyn_into().ok()
}

/// The element to focus after a line is removed: the remove button of the line in its place. A selector and
/// a position among its matches.
fn place(line: CartLineId) -> (String, u32) {
    let action = routes::set_quantity(line);
    let own = document().query_selector(&format!("[formaction='{action}'][value=remove]"));
    let all = document().query_selector_all(REMOVE).ok();
    let at = own.ok().flatten().zip(all).and_then(|(own, all)| {
        (0..all.length()).find(|at| all.get(*at).is_some_and(|node| node.is_same_node(Some(&own))))
    });
    (REMOVE.to_owned(), at.unwrap_or_default())
}

/// The remove buttons.
const REMOVE: &str = ".line-form [value=remove]";

/// Focuses the element, or the title if it no longer exists.
fn focus_at((selector, at): (String, u32)) {
    let found = document().query_selector_all(&selector).ok().and_then(|all| all.get(at));
    let title = || {
        let title = document().query_selector("main h1").ok().flatten()?;
        let _ = title.set_attribute("tabindex", "-1");
        Some(title.into())
    };
    if let Some(element) = found.or_else(title).and_then(|node| node.dyn_into::<web_sys::HtmlElement>().ok())
    {
        let _ = element.focus();
    }
}

/// What the fields of all lines hold.
fn typed() -> Vec<SetQuantity> {
    let Ok(fields) = document().query_selector_all("#cart input[name^='quantity.']") else {
        return Vec::new();
    };
    let fields = (0..fields.length()).filter_map(|at| fields.get(at)?.dyn_into::<HtmlInputElement>().ok());
    let line = |field: &HtmlInputElement| field.name().strip_prefix("quantity.")?.parse().ok();
    fields.filter_map(|field| Some(SetQuantity { line: line(&field)?, quantity: field.value() })).collect()
}
