//! What happened to an order.

use haat_shared::{
    Error,
    checkout::CheckoutLineView,
    forms::Draft,
    orders::{Actor, OrderEvent},
    shipping::ShippingMethod,
};
use leptos::prelude::*;

use crate::{
    i18n::{t, use_i18n},
    storefront::contents,
    ui::{Button, Field},
    words,
};

/// The order's timeline, with the form for a note.
#[component]
pub(super) fn History(
    events: Vec<OrderEvent>,
    /// The entry with which all of the order was shipped, if it was.
    shipped_last: Option<usize>,
    /// The lines of the order, of which entries name some.
    lines: Vec<CheckoutLineView>,
    way: ShippingMethod,
    action: String,
    draft: Option<Draft>,
) -> impl IntoView {
    let i18n = use_i18n();
    let form = draft.map(|draft| {
        let mine = draft.typed("action") == "note";
        let faults: Signal<Option<Error>> = Signal::stored(draft.error.clone().filter(|_| mine));
        view! {
            <form method="post" action=action class="form" novalidate>
                <input type="hidden" name="action" value="note" />
                <Field name="note" label=t!(i18n, seller_orders.note) value=draft.typed("note") hint=t!(i18n, seller_orders.note_hint).to_owned() faults />
                <div><Button look="secondary">{t!(i18n, seller_orders.add_note)}</Button></div>
            </form>
        }
    });
    let steps = events.into_iter().enumerate().map(|(i, event)| {
        let what = words::order_event(i18n, event.kind, shipped_last != Some(i), way);
        let by = match event.actor {
            Actor::Shop => t!(i18n, seller_orders.by_shop),
            Actor::Shopper => t!(i18n, seller_orders.by_shopper),
            Actor::Market => t!(i18n, seller_orders.by_market),
        };
        let reason =
            event.data.return_reason.map(|reason| view! { <p>{words::return_reason(i18n, reason)}</p> });
        let note = (!event.data.note.is_empty()).then(|| view! { <p>{event.data.note}</p> });
        let amount = event.data.amount.map(|sum| view! { <p>{words::money(i18n, sum)}</p> });
        let tracking = event.data.shipment.map(|s| view! { <p class="dots"><span>{s.carrier}</span> " " <span>{s.tracking_number}</span></p> });
        let part =
            (!event.data.lines.is_empty()).then(|| view! { <p>{contents(&lines, &event.data.lines)}</p> });
        view! {
            <li>
                <strong>{what}</strong>
                <p class="note dots"><span>{words::hour(i18n, &event.created_at)}</span> " " <span>{by}</span></p>
                {part}
                {tracking}
                {amount}
                {reason}
                {note}
            </li>
        }
    });
    view! {
        <section class="panel" aria-labelledby="history">
            <h3 id="history">{t!(i18n, seller_orders.history)}</h3>
            <ol class="history">{steps.collect_view()}</ol>
            {form}
        </section>
    }
}
