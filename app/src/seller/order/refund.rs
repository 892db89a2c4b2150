//! Refunding a part of an order: what is refunded and what it means for the shop is shown before it is confirmed. With
//! JavaScript, it follows what is entered; without it, the first submission shows it, and the second one confirms it.

use haat_shared::{
    Error, Money,
    checkout::CheckoutLineView,
    forms::Draft,
    orders::{LineQuantity, part_field},
    refunds::{RefundQuote, Refundable},
};
use leptos::{prelude::*, wasm_bindgen::JsCast, web_sys};

use crate::{
    i18n::{t, use_i18n},
    storefront::Quantities,
    ui::{Button, Check, Field},
    words::{self, I18n},
};

/// What is entered: the quantities by line, and whether shipping is refunded.
type Entered = (Vec<LineQuantity>, bool);

/// The entered quantities, without those that are not numbers: the refund is refused because of them anyway.
fn entered(left: &Refundable, shipping: bool, value: impl Fn(&str) -> String) -> Entered {
    let part = left.lines.iter().filter_map(|line| {
        let quantity =
            value(&part_field(line.position)).trim().parse().ok().filter(|quantity| *quantity > 0)?;
        Some(LineQuantity { position: line.position, quantity })
    });
    (part.collect(), shipping)
}

/// The form that refunds a part of an order.
#[component]
pub(super) fn Refund(
    lines: Vec<CheckoutLineView>,
    /// What is left to refund.
    left: Refundable,
    action: String,
    draft: Draft,
    /// Whether it is an admin, on behalf of the shop.
    admin: bool,
) -> impl IntoView {
    let i18n = use_i18n();
    let typed = Some(draft).filter(|draft| draft.typed("action") == "refund");
    // Another amount than was shown, or none yet: the form is shown again with the summary, which is not an error.
    let asks = typed.as_ref().and_then(|draft| draft.error.as_ref()?.at("amount")).is_some();
    let typed = typed.map(|draft| Draft { error: draft.error.filter(|_| !asks), ..draft });
    let value = |name: &str| typed.as_ref().map(|draft| draft.typed(name)).unwrap_or_default();
    let error = typed.as_ref().and_then(|draft| draft.error.clone());
    let faults: Signal<Option<Error>> = Signal::stored(error.clone());
    let shown = RwSignal::new(entered(&left, value("shipping") == "true", value));
    let of = "-refund";
    let lines = lines.into_iter().map(|line| {
        let refundable = left.lines.iter().find(|known| known.position == line.position);
        let count = refundable.map_or(0, |line| line.refundable);
        (line, count)
    });
    let label = |title, n| t!(i18n, seller_orders.part_line, title = title, n = n);
    let Quantities { fields, wrong } = Quantities::of(lines, typed.as_ref(), of, false, label);
    let reason_label = t!(i18n, seller_orders.refund_reason);
    let summary = error
        .map(|error| Quantities::summary(wrong, &error, &[("reason", format!("reason{of}"), reason_label)]));
    let all = left.lines.iter().filter(|line| line.refundable > 0);
    let all: Vec<_> =
        all.map(|line| LineQuantity { position: line.position, quantity: line.refundable }).collect();
    let whole = left.quote(&all, left.shipping.amount() > 0).ok().map(|quote| quote.amount);
    let whole = whole.map(|amount| {
        view! {
            <div>
                <dt>{t!(i18n, seller_orders.refund_left)}</dt>
                <dd>{words::money(i18n, amount)}</dd>
            </div>
        }
    });
    let shipping = (left.shipping.amount() > 0).then(|| {
        let label = t!(i18n, seller_orders.refund_shipping, price = words::money(i18n, left.shipping));
        view! { <Check name="shipping" id=format!("shipping{of}") label checked=value("shipping") == "true" /> }
    });
    let restock = left.restock.then(|| {
        let label = t!(i18n, seller_orders.restock);
        view! { <Check name="restock" id=format!("restock{of}") label checked=value("restock") == "true" /> }
    });
    let (open, cash, reason) = (typed.is_some(), !left.by_marketplace, value("reason"));
    // What wasn't shipped of a cash order is taken off what is collected.
    let cancels = cash && left.restock;
    let (title, note) = match (admin, cancels, cash) {
        (true, ..) => (t!(i18n, seller_orders.refund), t!(i18n, admin.refund_note)),
        (false, true, _) => (t!(i18n, seller_orders.cancel_items), t!(i18n, seller_orders.cancel_items_note)),
        (false, false, true) => (t!(i18n, seller_orders.refund), t!(i18n, seller_orders.refund_note_cash)),
        (false, false, false) => (t!(i18n, seller_orders.refund), t!(i18n, seller_orders.refund_note)),
    };
    let left = StoredValue::new(left);
    let quote = Memo::new(move |_| {
        shown.with(|(part, shipping)| left.with_value(|left| left.quote(part, *shipping).ok()))
    });
    let amount = move || quote.with(|quote| quote.as_ref().map(|quote| quote.amount));
    let input = move |event: web_sys::Event| {
        let form = event.current_target().and_then(|form| form.dyn_into::<web_sys::HtmlFormElement>().ok());
        let Some(data) = form.and_then(|form| web_sys::FormData::new_with_form(&form).ok()) else { return };
        let value = |name: &str| data.get(name).as_string().unwrap_or_default();
        shown.set(left.with_value(|left| entered(left, value("shipping") == "true", value)));
    };
    view! {
        <details class="panel more-of refund" open=open>
            <summary>{title}</summary>
            <form method="post" action=action class="form" novalidate on:input=input>
                <input type="hidden" name="action" value="refund" />
                <input
                    type="hidden"
                    name="amount"
                    value=move || amount().map(|amount| amount.amount().to_string()).unwrap_or_default()
                />
                {summary}
                <p class="note">{note}</p>
                <div class="refund-sides">
                    <div class="form">
                        {fields}
                        {shipping}
                        {restock}
                        <Field name="reason" id=format!("reason{of}") label=reason_label value=reason hint=t!(i18n, seller_orders.reason_hint).to_owned() required=true faults />
                    </div>
                    <div class="form refund-summary">
                        <dl class="sums">{whole}</dl>
                        <div aria-live="polite">{move || quote.get().map(|quote| effects(i18n, &quote, cash, cancels))}</div>
                        <Button look="danger">
                            {move || match amount() {
                                Some(amount) if cancels => {
                                    t!(i18n, seller_orders.cancel_items_now, price = words::money(i18n, amount))
                                }
                                None if cancels => t!(i18n, seller_orders.cancel_items_review).to_owned(),
                                Some(amount) => t!(i18n, seller_orders.refund_now, price = words::money(i18n, amount)),
                                None => t!(i18n, seller_orders.refund_review).to_owned(),
                            }}
                        </Button>
                    </div>
                </div>
            </form>
        </details>
    }
}

/// What a refund moves: to the customer, back to the shop, and out of its earnings.
pub(super) fn effects(i18n: I18n, quote: &RefundQuote, cash: bool, cancels: bool) -> AnyView {
    let to_customer = match cash {
        true if cancels => t!(i18n, seller_orders.cancel_items_less),
        true => t!(i18n, seller_orders.refund_by_shop),
        false => t!(i18n, seller_orders.refund_to_customer),
    };
    let earnings = Money::new(-quote.earnings.amount(), quote.earnings.currency());
    let parts = quote.items.amount() > 0 && quote.shipping.amount() > 0;
    let rows = [
        (parts, t!(i18n, seller_orders.items), quote.items),
        (parts, t!(i18n, cart.delivery), quote.shipping),
        (true, to_customer, quote.amount),
        (quote.commission.amount() > 0, t!(i18n, seller_orders.refund_commission), quote.commission),
        (
            quote.marketplace_discount.amount() > 0,
            t!(i18n, seller_orders.refund_discount),
            quote.marketplace_discount,
        ),
        (true, t!(i18n, seller_orders.refund_earnings), earnings),
    ];
    let rows = rows.into_iter().filter(|(shown, ..)| *shown).map(|(_, words, sum)| {
        view! {
            <div>
                <dt>{words}</dt>
                <dd>{words::money(i18n, sum)}</dd>
            </div>
        }
    });
    view! { <dl class="sums refund-effects">{rows.collect_view()}</dl> }.into_any()
}
