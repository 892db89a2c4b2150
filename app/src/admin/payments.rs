//! All payments.

use haat_shared::{
    admin::{DISPUTED, PAYMENT_SORTS, PaymentCard},
    page::ListRequest,
    payments::{CashState, PaymentState},
    routes,
};
use leptos::prelude::*;

use super::{AdminPage, List, Part, asked, filters, foot, sorted, tools, url, zone_of};
use crate::{
    api,
    i18n::{t, use_i18n},
    ui::loaded,
    words::{self, I18n},
};

/// All payments.
#[component]
pub(crate) fn Payments() -> impl IntoView {
    let i18n = use_i18n();
    let found =
        api::find(
            asked(),
            |of| async move { api::payments::list(of.clone()).await.map(|table| (of, table)) },
        );
    let list = loaded(found, move |(of, table)| {
        let path = Part::Payments.path();
        let paid = PaymentState::ALL.map(|state| (state.as_str(), words::payment_status(i18n, state, None)));
        let cash = CashState::ALL
            .map(|cash| (cash.as_str(), words::payment_status(i18n, PaymentState::Accepted, Some(cash))));
        let disputed = [(DISPUTED, t!(i18n, admin.disputed))];
        let occurs = |(state, _): &(&str, &str)| table.count(state) > 0 || of.state == *state;
        let states = paid.into_iter().chain(cash).chain(disputed).filter(occurs);
        let states: Vec<_> = std::iter::once(("", t!(i18n, seller_orders.all))).chain(states).collect();
        // Disputed ones are counted by their own status as well.
        let count = |state: &str| match state {
            "" => table.count("") - table.count(DISPUTED),
            state => table.count(state),
        };
        let chosen = filters(t!(i18n, admin.pay_state), path, &of, &states, count);
        let sorts = PAYMENT_SORTS.map(|sort| match sort {
            "created" => (sort, t!(i18n, seller_orders.sort_oldest)),
            _ => (sort, t!(i18n, products.sort_newest)),
        });
        let total = count(&of.state);
        List {
            part: Part::Payments,
            filtered: of.is_filtered(),
            zone_of: zone_of(&table.page, |payment| &payment.created_at),
            tools: tools(path, &of, t!(i18n, admin.search_payments), chosen, sorts.to_vec()),
            columns: vec![
                (t!(i18n, admin.payment), "").into(),
                (t!(i18n, admin.gateway), "wide").into(),
                (t!(i18n, seller_orders.customer), "wide").into(),
                sorted((t!(i18n, admin.since), "wide"), "-created", PAYMENT_SORTS[0], path, &of),
                (t!(i18n, cart.total), "number").into(),
                (t!(i18n, seller_orders.state), "roomy").into(),
            ]
            .into(),
            foot: foot(path, &of, total, table.page.next),
            rows: table.page.items.into_iter().map(|payment| row(payment, &of).into_any()).collect(),
            none: t!(i18n, admin.no_payments),
        }
        .show()
    });
    view! { <AdminPage here=Part::Payments>{list}</AdminPage> }
}

fn row(payment: PaymentCard, of: &ListRequest) -> impl IntoView + use<> {
    let i18n = use_i18n();
    // The page links back to the list as it is.
    let href = url(&routes::payment(payment.id), of);
    let state = || {
        let why = payment.failure.map(|why| {
            view! { <span class="note below">{words::payment_failure(i18n, why)}</span> }
        });
        view! { {label(i18n, &payment)}" "{why} }
    };
    let (state, cramped) = (state(), state());
    let name = payment.purchase_number.unwrap_or_else(|| t!(i18n, admin.no_purchase).to_owned());
    let day = words::day(i18n, &payment.created_at);
    let method = words::method(i18n, payment.method, t!(i18n, payment_method.cash));
    view! {
        <tr>
            <th scope="row">
                <a class="row-link whole" href=href>{name}</a>
                <span class="note narrow"><span class="dots"><span>{method}</span> " " <span>{day}</span> " " <span translate="no">{payment.email.clone()}</span></span></span>
                <span class="cramped">{cramped}</span>
            </th>
            <td class="wide">{method}</td>
            <td class="wide">{payment.email}</td>
            <td class="wide">{words::hour(i18n, &payment.created_at)}</td>
            <td class="number">{words::money(i18n, payment.amount)}</td>
            <td class="roomy">
                {state}
                {payment.disputed.then(|| disputed(i18n))}
            </td>
        </tr>
    }
}

/// That a payment is disputed, as a chip.
pub(super) fn disputed(i18n: I18n) -> impl IntoView + use<> {
    view! { " " <span class="state cancelled">{t!(i18n, admin.disputed)}</span> }
}

/// The status of a payment, as a chip.
pub(super) fn label(i18n: I18n, payment: &PaymentCard) -> impl IntoView + use<> {
    let look = match (payment.state, payment.cash) {
        (_, Some(CashState::ToCollect | CashState::PartlyCollected)) => "placed",
        (_, Some(CashState::Collected)) | (PaymentState::Captured, _) => "delivered",
        (_, Some(CashState::Cancelled)) | (PaymentState::Failed | PaymentState::Orphaned, _) => "cancelled",
        (PaymentState::Authorized | PaymentState::Accepted, _) => "confirmed",
        (PaymentState::Created | PaymentState::Pending, _) => "placed",
        (PaymentState::Superseded | PaymentState::Refunded, _) => "",
    };
    let words = words::payment_status(i18n, payment.state, payment.cash);
    view! { <span class=format!("state {look}")>{words}</span> }
}
