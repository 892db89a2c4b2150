//! The payouts of all shops, by status, and the files for the bank.

use haat_shared::{
    page::ListRequest,
    payouts::{AdminPayoutCard, AdminPayouts, PayoutState},
    permissions::AdminPermission,
    routes,
};
use leptos::prelude::*;

use super::{AdminPage, List, Part, asked, filters, foot, may, url};
use crate::{
    api,
    i18n::{t, use_i18n},
    state::Visitor,
    ui::{CodeAlert, LinkButton, loaded, search},
    words,
};

/// The payouts of all shops.
#[component]
pub(crate) fn Payouts() -> impl IntoView {
    let i18n = use_i18n();
    let visitor = expect_context::<Visitor>();
    let found = api::find(asked(), move |of| async move {
        let page = api::payouts::admin_page(of.clone()).await?;
        Ok((of, page, may(visitor, AdminPermission::ManagePayouts).await))
    });
    let list = loaded(found, move |(of, AdminPayouts { table, has_bank_file }, manages)| {
        let path = Part::Payouts.path();
        let all = ("", t!(i18n, seller_orders.all));
        let states = PayoutState::ALL.map(|state| (state.as_str(), words::payout_state(i18n, state)));
        let states: Vec<_> = std::iter::once(all).chain(states).collect();
        let files = (manages && table.count(PayoutState::Approved.as_str()) > 0).then(|| {
            let bank = has_bank_file.then(|| {
                view! { <LinkButton look="secondary" href=routes::PAYOUTS_XML>{t!(i18n, payouts.bank_file)}</LinkButton> }
            });
            view! {
                <div class="actions" data-files="">
                    <LinkButton look="secondary" href=routes::PAYOUTS_CSV>{t!(i18n, payouts.csv)}</LinkButton>
                    {bank}
                </div>
                <p class="note">{t!(i18n, payouts.files_note)}</p>
            }
        });
        let chosen = filters(t!(i18n, seller_orders.state), path, &of, &states, |state| table.count(state));
        let rows = of.limit.map(|rows| rows.to_string()).unwrap_or_default();
        let kept = [("state", of.state.as_str()), ("rows", &rows)];
        let tools = view! {
            <CodeAlert />
            {files}
            <div class="list-tools">
                {search(path.to_owned(), &of.q, t!(i18n, payouts.search), &kept)}
                {chosen}
            </div>
        };
        let total = table.count(&of.state);
        List {
            part: Part::Payouts,
            filtered: of.is_filtered(),
            zone_of: String::new(),
            tools: tools.into_any(),
            foot: foot(path, &of, total, table.page.next),
            columns: vec![
                (t!(i18n, payouts.payout), ""),
                (t!(i18n, payouts.requested_on), "wide"),
                (t!(i18n, admin.shop), "wide"),
                (t!(i18n, payouts.method), "wide"),
                (t!(i18n, balance.amount), "number"),
                (t!(i18n, seller_orders.state), "roomy"),
            ]
            .into(),
            rows: table.page.items.into_iter().map(|card| row(card, &of).into_any()).collect(),
            none: t!(i18n, payouts.none_requested),
        }
        .show()
    });
    view! { <AdminPage here=Part::Payouts>{list}</AdminPage> }
}

fn row(card: AdminPayoutCard, of: &ListRequest) -> impl IntoView + use<> {
    let i18n = use_i18n();
    let AdminPayoutCard { payout, shop_handle, shop_name, holder, .. } = card;
    // The page links back to the list as it is.
    let href = url(&routes::any_payout(payout.id), of);
    let method = format!("{} {}", words::payout_method(i18n, payout.kind), payout.account);
    let day = words::day(i18n, &payout.requested_at);
    view! {
        <tr>
            <th scope="row">
                <a class="row-link whole" href=href>{payout.number}</a>
                <span class="note narrow"><span class="dots"><span translate="no">{shop_name.clone()}</span> " " <span>{day.clone()}</span> " " <span>{method.clone()}</span></span></span>
                <span class="cramped">{words::payout_label(i18n, payout.state)}</span>
            </th>
            <td class="wide whole">{day}</td>
            <td class="wide"><a href=routes::any_shop(&shop_handle)>{shop_name}</a></td>
            <td class="wide">{method}<span class="note below">{holder}</span></td>
            <td class="number">{words::money(i18n, payout.amount)}</td>
            <td class="roomy">{words::payout_label(i18n, payout.state)}</td>
        </tr>
    }
}
