//! A shop's balance: payouts and transactions.

use haat_shared::{ledger::BalanceEntry, routes};
use leptos::prelude::*;

use super::{
    Dashboard, Part,
    payouts::{Done, History, Methods, Withdraw},
};
use crate::{
    api,
    i18n::{t, tu_string, use_i18n},
    state::{param, query},
    storefront::draft_by,
    ui::{CodeAlert, EmptyState, PageTitle, Pager, Table, loaded},
    words,
};

/// A shop's balance.
#[component]
pub(crate) fn Balance() -> impl IntoView {
    let i18n = use_i18n();
    let (handle, after, payouts) = (param("handle"), query("after"), query("payouts"));
    let (draft, done, requested) = (query("draft"), query("done"), query("n"));
    let found = api::find(
        move || (handle.get(), after.get(), payouts.get(), draft.get(), done.get()),
        |(handle, after, payouts, draft, done)| async move {
            let balance = api::ledger::balance(handle.clone(), after.clone()).await?;
            let page = api::payouts::shop_page(handle.clone(), payouts.clone()).await?;
            Ok((handle, (after, payouts), balance, page, draft_by("balance", draft).await?, done))
        },
    );
    let page = loaded(found, move |(handle, (after, payouts), balance, page, draft, done)| {
        let path = Part::Balance.path(&handle);
        let requested = requested.get_untracked();
        let requested = page.payouts.items.iter().find(|payout| payout.id.to_string() == requested).cloned();
        let next = balance.entries.next.clone();
        let next = next.map(|next| routes::with(&path, &[("after", &next), ("payouts", &payouts)]));
        let first = (!after.is_empty()).then(|| routes::with(&path, &[("payouts", &payouts)]));
        let available = balance.available;
        let others = balance.other_currencies.iter().map(|other| {
            let sums = [other.available, other.pending, other.in_transit].map(|sum| words::money(i18n, sum));
            view! { <p class="note">{t!(i18n, payouts.other_currency, currency = other.available.currency().code())}": "{sums.join(" · ")}</p> }
        });
        let others = (!balance.other_currencies.is_empty()).then(|| {
            view! {
                {others.collect_view()}
                <p class="note">{t!(i18n, balance.converted_note, currency = available.currency().code())}</p>
            }
        });
        // In the currencies in which something is disputed.
        let disputed: Vec<_> = std::iter::once(balance.disputed)
            .chain(balance.other_currencies.iter().map(|other| other.disputed))
            .filter(|sum| sum.amount() != 0)
            .map(|sum| words::money(i18n, sum))
            .collect();
        let disputed = (!disputed.is_empty()).then(|| {
            view! {
                <div class="panel">
                    <dt>{t!(i18n, balance.disputed)}</dt>
                    <dd class="figure">{disputed.join(" · ")}</dd>
                    <dd class="note">{t!(i18n, balance.disputed_note)}</dd>
                </div>
            }
        });
        let older = page.payouts.next.clone();
        let older = older.map(|next| routes::with(&path, &[("payouts", &next), ("after", &after)]));
        let latest = (!payouts.is_empty()).then(|| routes::with(&path, &[("after", &after)]));
        let statement = (!balance.entries.items.is_empty()).then(|| {
            let (href, pdf) = (routes::statement(&handle), routes::statement_pdf(&handle));
            view! { <p class="actions"><a class="button secondary" rel="external" download href=href>{t!(i18n, balance.statement)}</a> " " <a class="button secondary" rel="external" download href=pdf>{t!(i18n, balance.statement_pdf)}</a></p> }
        });
        let list = if balance.entries.items.is_empty() {
            let (title, note) = (tu_string!(i18n, balance.none), tu_string!(i18n, balance.none_note));
            view! { <EmptyState icon="card" title note /> }.into_any()
        } else {
            let rows = balance.entries.items.into_iter().map(|entry| row(&handle, entry)).collect_view();
            let columns = vec![
                (t!(i18n, balance.what), ""),
                (t!(i18n, dashboard.day), "wide"),
                (t!(i18n, seller_orders.number), "wide"),
                (t!(i18n, balance.amount), "number"),
            ];
            view! { <Table caption=tu_string!(i18n, balance.entries) columns>{rows}</Table> }.into_any()
        };
        view! {
            <PageTitle text=tu_string!(i18n, balance.title) />
            <h1>{t!(i18n, balance.title)}</h1>
            <CodeAlert />
            <Done what=done payout=requested methods=page.methods.clone() />
            <dl class="figures four">
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
                <div class="panel">
                    <dt>{t!(i18n, payouts.in_transit)}</dt>
                    <dd class="figure">{words::money(i18n, balance.in_transit)}</dd>
                    <dd class="note">{t!(i18n, payouts.in_transit_note)}</dd>
                </div>
                {disputed}
            </dl>
            {others}
            <Withdraw path=path.clone() available page=page.clone() draft=draft.clone() />
            <Methods path=path.clone() methods=page.methods connects=page.connects draft />
            <History payouts=page.payouts.items />
            <Pager first=latest next=older next_words=tu_string!(i18n, payouts.older) />
            <h2>{t!(i18n, balance.entries)}</h2>
            {statement}
            {list}
            <Pager first next next_words=tu_string!(i18n, balance.next) />
        }
    });
    view! { <Dashboard here=Part::Balance>{page}</Dashboard> }
}

fn row(handle: &str, entry: BalanceEntry) -> impl IntoView + use<> {
    let i18n = use_i18n();
    let what = words::posting(i18n, entry.kind);
    let day = words::day(i18n, &entry.created_at);
    let order = || {
        let number = entry.order_number.clone()?;
        let href = routes::shop_order(handle, &number);
        Some(view! { <a class="unbroken" href=href>{number}</a> })
    };
    view! {
        <tr>
            <th scope="row" class="word">
                {what}
                <span class="note narrow"><span class="dots"><span>{day.clone()}</span> " " {order().map(|link| view! { <span>{link}</span> })}</span></span>
            </th>
            <td class="wide">{day}</td>
            <td class="whole wide">{order()}</td>
            <td class="number">{words::money(i18n, entry.amount)}</td>
        </tr>
    }
}
