//! All payments.

use haat_shared::{
    admin::{PAYMENT_SORTS, PaymentCard},
    page::ListRequest,
    payments::PaymentState,
    routes,
};
use leptos::prelude::*;

use super::{AdminPage, List, Part, asked, filters, foot, sorted, tools, url};
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
        let occurs = |state: &PaymentState| table.count(state.as_str()) > 0 || of.state == state.as_str();
        let states = PaymentState::ALL.into_iter().filter(occurs);
        let states = states.map(|state| (state.as_str(), state_words(i18n, state)));
        let states: Vec<_> = std::iter::once(("", t!(i18n, seller_orders.all))).chain(states).collect();
        let chosen = filters(t!(i18n, admin.pay_state), path, &of, &states, |state| table.count(state));
        let sorts = PAYMENT_SORTS.map(|sort| match sort {
            "created" => (sort, t!(i18n, seller_orders.sort_oldest)),
            _ => (sort, t!(i18n, products.sort_newest)),
        });
        let total = table.count(&of.state);
        List {
            part: Part::Payments,
            filtered: of.is_filtered(),
            tools: tools(path, &of, t!(i18n, admin.search_payments), chosen, sorts.to_vec()),
            columns: vec![
                (t!(i18n, admin.payment), "").into(),
                (t!(i18n, admin.gateway), "wide").into(),
                (t!(i18n, seller_orders.customer), "wide").into(),
                sorted((t!(i18n, admin.since), "wide"), "-created", PAYMENT_SORTS[0], path, &of),
                (t!(i18n, cart.total), "number").into(),
                (t!(i18n, seller_orders.state), "").into(),
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
    let name = payment.purchase_number.unwrap_or_else(|| t!(i18n, admin.no_purchase).to_owned());
    let day = words::day(i18n, &payment.created_at);
    view! {
        <tr>
            <th scope="row">
                <a class="row-link whole" href=href>{name}</a>
                <span class="note narrow">{words::method(i18n, payment.method, false)}" · "{day}</span>
            </th>
            <td class="wide">{words::method(i18n, payment.method, false)}</td>
            <td class="wide">{payment.email}</td>
            <td class="wide">{words::moment(i18n, &payment.created_at)}</td>
            <td class="number">{words::money(i18n, payment.amount)}</td>
            <td>{state(i18n, payment.state)}</td>
        </tr>
    }
}

/// The status of a payment, as a chip.
pub(super) fn state(i18n: I18n, state: PaymentState) -> impl IntoView + use<> {
    let look = match state {
        PaymentState::Captured => "delivered",
        PaymentState::Failed | PaymentState::Orphaned => "cancelled",
        PaymentState::Authorized | PaymentState::Accepted => "confirmed",
        PaymentState::Created | PaymentState::Pending => "placed",
        PaymentState::Superseded | PaymentState::Refunded => "",
    };
    view! { <span class=format!("state {look}")>{state_words(i18n, state)}</span> }
}

fn state_words(i18n: I18n, state: PaymentState) -> &'static str {
    match state {
        PaymentState::Created => t!(i18n, admin.pay_created),
        PaymentState::Pending => t!(i18n, admin.pay_pending),
        PaymentState::Authorized => t!(i18n, admin.pay_authorized),
        PaymentState::Captured => t!(i18n, admin.pay_captured),
        PaymentState::Accepted => t!(i18n, admin.pay_accepted),
        PaymentState::Failed => t!(i18n, admin.pay_failed),
        PaymentState::Superseded => t!(i18n, admin.pay_superseded),
        PaymentState::Orphaned => t!(i18n, admin.pay_orphaned),
        PaymentState::Refunded => t!(i18n, admin.pay_refunded),
    }
}
