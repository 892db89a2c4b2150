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
    ui::{CodeAlert, LinkButton, loaded},
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
        let tools = view! {
            <CodeAlert />
            {files}
            <div class="list-tools">{filters(t!(i18n, seller_orders.state), path, &of, &states, |state| table.count(state))}</div>
        };
        let total = table.count(&of.state);
        List {
            part: Part::Payouts,
            filtered: of.is_filtered(),
            tools: tools.into_any(),
            foot: foot(path, &of, total, table.page.next),
            columns: vec![
                (t!(i18n, payouts.requested_on), ""),
                (t!(i18n, admin.shop), "wide"),
                (t!(i18n, payouts.method), "wide"),
                (t!(i18n, balance.amount), "number"),
                (t!(i18n, seller_orders.state), ""),
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
    view! {
        <tr>
            <th scope="row">
                <a class="row-link whole" href=href>{words::day(i18n, &payout.requested_at)}</a>
                <span class="note narrow">{shop_name.clone()}" · "{method.clone()}</span>
            </th>
            <td class="wide"><a href=routes::any_shop(&shop_handle)>{shop_name}</a></td>
            <td class="wide">{method}<span class="note below">{holder}</span></td>
            <td class="number">{words::money(i18n, payout.amount)}</td>
            <td>{words::payout_label(i18n, payout.state)}</td>
        </tr>
    }
}
