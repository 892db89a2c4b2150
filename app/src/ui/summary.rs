//! Amounts, and breakdowns of totals.

use haat_shared::{Money, pricing::Totals, promotions::Discount, taxes::TaxLine};
use leptos::{oco::Oco, prelude::*};

use crate::{
    i18n::{t, use_i18n},
    sums::sums,
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

/// Subtotal, any discounts, shipping and total, and what is left of it after refunds and cancelled items.
#[component]
pub fn Sums(
    /// The totals.
    totals: Totals,
    /// The discounts, each by its name. Without them, their sum is shown.
    #[prop(optional)]
    discounts: Vec<Discount>,
    /// The taxes by name and rate. Without them, their sum is shown.
    #[prop(optional)]
    taxes: Vec<TaxLine>,
    /// What is no longer paid, and why.
    #[prop(optional)]
    less: Vec<(&'static str, Money)>,
    /// Whether it is for gift cards alone, which are neither shipped nor taxed.
    #[prop(optional)]
    only_gifts: bool,
) -> impl IntoView {
    let i18n = use_i18n();
    let (rows, note) = sums(i18n, &totals, &discounts, &taxes, only_gifts);
    let last = rows.len() - 1;
    let rows = rows.into_iter().enumerate();
    let rows: Vec<_> =
        rows.map(|(at, (name, sum))| row(if at == last { "sums-total" } else { "" }, name, sum)).collect();
    let total = totals.total;
    let minus = |sum| format!("−{}", words::money(i18n, sum));
    // The tax is that of the total, not of what is left of it.
    let left = (!less.is_empty()).then(|| {
        let net = less.iter().fold(total.amount(), |left, (_, sum)| left - sum.amount());
        let net = words::money(i18n, Money::new(net, total.currency()));
        let less: Vec<_> = less.into_iter().map(|(why, sum)| row("", why, minus(sum))).collect();
        view! { <dl class="sums">{less}{row("", t!(i18n, cart.net), net)}</dl> }
    });
    view! {
        <dl class="sums">{rows}</dl>
        <p class="note">{note}</p>
        {left}
    }
}

fn row(class: &'static str, words: impl Into<Oco<'static, str>>, sum: String) -> AnyView {
    let words = words.into();
    view! {
        <div class=class>
            <dt>{words}</dt>
            <dd>{sum}</dd>
        </div>
    }
    .into_any()
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use haat_shared::Currency;

    use super::*;

    #[test]
    fn refunds_are_subtracted_from_the_total() {
        let html = |less: Vec<(&'static str, i64)>| {
            let total = Money::new(99_900, Currency::INR);
            let totals = Totals { total, ..Totals::zero(Currency::INR) };
            let less =
                less.into_iter().map(|(why, sum)| (why, Money::new(sum, Currency::INR))).collect::<Vec<_>>();
            Owner::new().with(|| view! { <Sums totals less /> }.to_html())
        };
        let refunded = html(vec![("Cancelled items", 14_900), ("Refunded", 70_000)]);
        assert!(refunded.contains("Refunded") && refunded.contains("₹700.00"), "{refunded}");
        assert!(refunded.contains("Cancelled items") && refunded.contains("₹149.00"), "{refunded}");
        assert!(refunded.contains("Net") && refunded.contains("₹150.00"), "{refunded}");
        assert!(!html(Vec::new()).contains("Net"));
    }
}
