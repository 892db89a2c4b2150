//! Cancelling an order.

use haat_shared::{Error, Money, forms::Draft, orders::OrderState, payments::PaymentMethod};
use leptos::prelude::*;

use crate::{
    i18n::{t, use_i18n},
    ui::{Button, Field},
};

/// Why an order can't be cancelled, and what to do instead.
#[component]
pub(super) fn NoCancel(why: &'static str) -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <section class="panel" aria-labelledby="cancel">
            <h3 id="cancel">{t!(i18n, seller_orders.cancel)}</h3>
            <p>{why}</p>
        </section>
    }
}

/// Cancelling the order, with its consequences.
#[component]
pub(super) fn Cancel(
    state: OrderState,
    method: PaymentMethod,
    total: Money,
    /// The number of the order whose items it replaces, if it is an exchange.
    exchange_of: Option<String>,
    action: String,
    draft: Draft,
) -> impl IntoView {
    let i18n = use_i18n();
    if !matches!(state, OrderState::Placed | OrderState::Confirmed) {
        return None;
    }
    let mine = draft.typed("action") == "cancel";
    let faults: Signal<Option<Error>> = Signal::stored(draft.error.clone().filter(|_| mine));
    let what = if let Some(first) = exchange_of {
        t!(i18n, seller_orders.exchange_cancel, number = first)
    } else if method.collected_by_market() {
        t!(i18n, seller_orders.cancel_paid, price = total)
    } else {
        t!(i18n, seller_orders.cancel_cash).to_owned()
    };
    Some(view! {
        <details class="panel more-of" open=mine>
            <summary>{t!(i18n, seller_orders.cancel)}</summary>
            <form method="post" action=action class="form" novalidate>
                <input type="hidden" name="action" value="cancel" />
                <p>{what}</p>
                <Field name="reason" label=t!(i18n, seller_orders.reason) value=draft.typed("reason") hint=t!(i18n, seller_orders.reason_hint).to_owned() required=true faults />
                <div><Button look="danger">{t!(i18n, seller_orders.cancel)}</Button></div>
            </form>
        </details>
    })
}
