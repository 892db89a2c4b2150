//! The cart: lines grouped by shop, with all costs.

use haat_shared::{
    Error, Money,
    carts::{CartGroup, CartLineView, CartView, QUANTITY_MAX, SetQuantity, quantity_field},
    catalog::options_text,
    forms::Draft,
    id::kinds::CartLineId,
    routes,
};
use leptos::{ev::MouseEvent, prelude::*, wasm_bindgen::JsCast, web_sys::HtmlInputElement};

use super::{product::BuyFault, sign_up::draft_of};
use crate::{
    api::{self, ApiError},
    i18n::{t, tn, tu_string, use_i18n},
    state,
    ui::{Button, EmptyState, LinkButton, PageTitle, Picture, Sums, Toaster, loaded},
    words,
};

/// The cart page.
#[component]
pub(crate) fn Cart() -> impl IntoView {
    crate::head::keep_out();
    loaded(draft_of("cart"), |draft| view! { <Shown draft /> })
}

/// The cart, with the input of a rejected line.
#[component]
fn Shown(draft: Draft) -> impl IntoView {
    let i18n = use_i18n();
    let cart = expect_context::<state::Cart>();
    let fault = RwSignal::new(draft.error.clone());
    view! {
        {loaded(
            cart.0,
            move |cart| {
                let draft = draft.clone();
                view! {
                    <PageTitle text=tu_string!(i18n, cart.title) />
                    <div class="width page">
                        <h1>{t!(i18n, cart.title)}</h1>
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
    let groups = cart.groups.into_iter().map(group).collect_view();
    let sums = cart.totals.map(|totals| view! { <Sums totals /> });
    // A single form, so that every button also submits the quantities typed into the other lines.
    view! {
        <form method="post" action=routes::FORM_BEGIN_CHECKOUT class="two-columns" id="cart" novalidate>
            <div class="groups">{groups}</div>
            <section class="summary" aria-labelledby="summary">
                <h2 id="summary">{t!(i18n, cart.summary)}</h2>
                {sums}
                {missing}
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
    let line = |line| view! { <Line line fault draft=draft.clone() /> };
    let lines = group.lines.into_iter().map(line).collect_view();
    let shipping = group.totals.shipping;
    let shipping = match shipping.amount() {
        0 => tu_string!(i18n, cart.free).to_owned(),
        _ => words::money(i18n, shipping),
    };
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
        </section>
    }
}

#[component]
fn Line(line: CartLineView, fault: RwSignal<Option<Error>>, draft: Draft) -> impl IntoView {
    let i18n = use_i18n();
    let (cart, toaster) = (expect_context::<state::Cart>(), expect_context::<Toaster>());
    let busy = RwSignal::new(false);
    let id = line.id;
    let name = quantity_field(id);
    let wanted = match draft.error {
        Some(_) if draft.fields.contains_key(&name) => draft.typed(&name),
        _ => line.quantity.to_string(),
    };
    let at = name.clone();
    let wrong = Memo::new(move |_| fault.with(|fault| fault.as_ref().and_then(|error| error.at(&at))));

    let change = move |event: MouseEvent, remove: bool| {
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        leptos::task::spawn_local(async move {
            let (result, news) = if remove {
                let news: fn(words::I18n, Money) -> String =
                    |i18n, total| t!(i18n, cart.removed_total, total = total);
                (api::carts::remove_line(id).await, news)
            } else {
                let news: fn(words::I18n, Money) -> String =
                    |i18n, total| t!(i18n, cart.updated_total, total = total);
                (api::carts::set_quantities(typed()).await, news)
            };
            match result {
                Ok(view) => {
                    fault.set(None);
                    let focus = place(id, remove);
                    // Announced to screen reader users, who can't see that the totals have changed.
                    match view.totals {
                        Some(totals) => toaster.say(news(i18n, totals.total), None),
                        None if remove => toaster.say(tu_string!(i18n, cart.removed).to_owned(), None),
                        None => toaster.say(tu_string!(i18n, cart.updated).to_owned(), None),
                    }
                    cart.show(view);
                    request_animation_frame(move || focus_at(focus));
                }
                Err(ApiError(error)) => {
                    fault.set(Some(error));
                    busy.set(false);
                }
            }
        });
    };

    let available = line.is_available();
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
    let variant =
        if line.options.is_empty() { line.variant_title.clone() } else { options_text(&line.options) };
    let variant = (!variant.is_empty()).then(|| view! { <p class="note">{variant}</p> });
    let title = if line.discontinued {
        view! { <span>{line.title.clone()}</span> }.into_any()
    } else {
        view! { <a href=routes::product(&line.slug)>{line.title.clone()}</a> }.into_any()
    };
    let field = format!("quantity-{id}");
    let described = format!("{field}-error");
    let fault_id = described.clone();
    let action = routes::set_quantity(id);
    let (update_name, remove_name) = (
        tu_string!(i18n, cart.update_of, title = line.title.as_str()).to_string(),
        tu_string!(i18n, cart.remove_of, title = line.title.as_str()).to_string(),
    );
    let sum_name = tu_string!(i18n, cart.line_total, title = line.title.as_str()).to_string();
    let quantity = available.then(|| {
        view! {
            <label class="hidden" for=field.clone()>
                {tu_string!(i18n, cart.quantity_of, title = line.title.as_str()).to_string()}
            </label>
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
            />
            <button
                type="submit"
                class="button secondary"
                formaction=action.clone()
                name="action"
                value="set"
                aria-label=update_name
                on:click=move |event| change(event, false)
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
                    on:click=move |event| change(event, true)
                >
                    {t!(i18n, cart.remove)}
                </button>
                {shown_fault}
            </div>
        </li>
    }
}

/// The element to focus after the lines are rendered again: the same button of this line, or the remove
/// button of the line in its place. A selector and a position among its matches.
fn place(line: CartLineId, removed: bool) -> (String, u32) {
    let action = routes::set_quantity(line);
    if !removed {
        return (format!("[formaction='{action}'][value=set]"), 0);
    }
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
