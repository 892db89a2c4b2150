//! A shop's balance and transactions.

use haat_shared::{
    ledger::{BalanceEntry, PostingKind},
    routes,
};
use leptos::prelude::*;

use super::{Dashboard, Part};
use crate::{
    api,
    i18n::{t, tu_string, use_i18n},
    state::{param, query},
    ui::{EmptyState, PageTitle, Pager, Table, loaded},
    words,
};

/// A shop's balance.
#[component]
pub(crate) fn Balance() -> impl IntoView {
    let i18n = use_i18n();
    let (handle, after) = (param("handle"), query("after"));
    let found = api::find(
        move || (handle.get(), after.get()),
        |(handle, after)| async move {
            api::ledger::balance(handle.clone(), after.clone()).await.map(|balance| (handle, after, balance))
        },
    );
    let page = loaded(found, move |(handle, after, balance)| {
        let path = Part::Balance.path(&handle);
        let next = balance.entries.next.map(|next| routes::with(&path, &[("after", &next)]));
        let first = (!after.is_empty()).then_some(path);
        let list = if balance.entries.items.is_empty() {
            let (title, note) = (tu_string!(i18n, balance.none), tu_string!(i18n, balance.none_note));
            view! { <EmptyState icon="card" title note /> }.into_any()
        } else {
            let rows = balance.entries.items.into_iter().map(|entry| row(&handle, entry)).collect_view();
            let columns = vec![
                (t!(i18n, balance.what), ""),
                (t!(i18n, dashboard.day), "wide"),
                (t!(i18n, seller_orders.number), ""),
                (t!(i18n, balance.amount), "number"),
            ];
            view! { <Table caption=tu_string!(i18n, balance.entries) columns>{rows}</Table> }.into_any()
        };
        view! {
            <PageTitle text=tu_string!(i18n, balance.title) />
            <h1>{t!(i18n, balance.title)}</h1>
            <dl class="figures">
                <div class="panel">
                    <dt>{t!(i18n, balance.available)}</dt>
                    <dd class="figure">{words::money(i18n, balance.available)}</dd>
                    <dd class="note">{t!(i18n, balance.available_note)}</dd>
                </div>
                <div class="panel">
                    <dt>{t!(i18n, balance.pending)}</dt>
                    <dd class="figure">{words::money(i18n, balance.pending)}</dd>
                    <dd class="note">{t!(i18n, balance.pending_note)}</dd>
                </div>
            </dl>
            <h2>{t!(i18n, balance.entries)}</h2>
            {list}
            <Pager first next next_words=tu_string!(i18n, balance.next) />
        }
    });
    view! { <Dashboard here=Part::Balance>{page}</Dashboard> }
}

fn row(handle: &str, entry: BalanceEntry) -> impl IntoView + use<> {
    let i18n = use_i18n();
    let what = match entry.kind {
        PostingKind::Sale => t!(i18n, balance.sale),
        PostingKind::Commission | PostingKind::CashCommission => t!(i18n, balance.commission),
        PostingKind::Promotion => t!(i18n, balance.promotion),
        PostingKind::PromotionReversed => t!(i18n, balance.promotion_reversed),
        PostingKind::SaleReversed => t!(i18n, balance.sale_reversed),
        PostingKind::CommissionReversed | PostingKind::CashCommissionReversed => {
            t!(i18n, balance.commission_reversed)
        }
        // None of these changes the balance of a shop.
        PostingKind::Capture | PostingKind::Refund | PostingKind::GatewayFee | PostingKind::Released => {
            t!(i18n, balance.refund)
        }
    };
    let day = words::day(i18n, &entry.created_at);
    let order = entry.order_number.map(|number| {
        let href = routes::shop_order(handle, &number);
        view! { <a href=href>{number}</a> }
    });
    view! {
        <tr>
            <th scope="row">
                {what}
                <span class="note narrow">{day.clone()}</span>
            </th>
            <td class="wide">{day}</td>
            <td class="whole">{order}</td>
            <td class="number">{words::money(i18n, entry.amount)}</td>
        </tr>
    }
}
