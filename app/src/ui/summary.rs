//! Amounts, and breakdowns of totals.

use haat_shared::{Money, pricing::Totals};
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

/// Subtotal, any discount, shipping and total.
#[component]
pub fn Sums(
    /// The totals.
    totals: Totals,
) -> impl IntoView {
    let i18n = use_i18n();
    let free = tu_string!(i18n, cart.free);
    let Totals { subtotal, discount, shipping, tax, total } = totals;
    let taxes = words::taxes(i18n, tax);
    let shipping = if shipping.amount() == 0 { free.to_owned() } else { words::money(i18n, shipping) };
    view! {
        <dl class="sums">
            <div>
                <dt>{t!(i18n, cart.subtotal)}</dt>
                <dd>{words::money(i18n, subtotal)}</dd>
            </div>
            {(discount.amount() > 0)
                .then(|| view! {
                    <div>
                        <dt>{t!(i18n, cart.discount)}</dt>
                        <dd>"−" {words::money(i18n, discount)}</dd>
                    </div>
                })}
            <div>
                <dt>{t!(i18n, cart.delivery)}</dt>
                <dd>{shipping}</dd>
            </div>
            <div class="sums-total">
                <dt>{t!(i18n, cart.total)}</dt>
                <dd>{words::money(i18n, total)}</dd>
            </div>
        </dl>
        <p class="note">{taxes}</p>
    }
}
