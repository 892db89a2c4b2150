//! Amounts, and breakdowns of totals.

use haat_shared::Money;
use leptos::prelude::*;

use crate::{
    i18n::{t, tu_string, use_i18n},
    words,
};

/// An amount of money.
#[component]
pub fn Price(
    /// The amount.
    of: Money,
) -> impl IntoView {
    view! { <span class="price">{words::money(use_i18n(), of)}</span> }
}

/// A compare-at price, struck through.
#[component]
pub fn Was(
    /// The amount.
    price: Money,
) -> impl IntoView {
    let i18n = use_i18n();
    view! { <s class="was"><span class="hidden">{t!(i18n, product.was)} " "</span>{words::money(i18n, price)}</s> }
}

/// Subtotal, shipping and total.
#[component]
pub fn Sums(
    /// The subtotal.
    subtotal: Money,
    /// The shipping price.
    delivery: Money,
    /// The total.
    total: Money,
    /// The tax included in the subtotal, if known.
    #[prop(optional)]
    tax: Option<Money>,
) -> impl IntoView {
    let i18n = use_i18n();
    let free = tu_string!(i18n, cart.free);
    let taxes = words::taxes(i18n, tax.unwrap_or(Money::zero(total.currency())));
    let delivery = if delivery.amount() == 0 { free.to_owned() } else { words::money(i18n, delivery) };
    view! {
        <dl class="sums">
            <div>
                <dt>{t!(i18n, cart.subtotal)}</dt>
                <dd>{words::money(i18n, subtotal)}</dd>
            </div>
            <div>
                <dt>{t!(i18n, cart.delivery)}</dt>
                <dd>{delivery}</dd>
            </div>
            <div class="sums-total">
                <dt>{t!(i18n, cart.total)}</dt>
                <dd>{words::money(i18n, total)}</dd>
            </div>
        </dl>
        <p class="note">{taxes}</p>
    }
}
