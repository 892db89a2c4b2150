//! All shops of the market.

use haat_shared::{
    routes,
    shops::{AdminShopCard, SHOP_SORTS},
};
use leptos::prelude::*;

use super::{AdminPage, List, Part, asked, finder, foot, sorted};
use crate::{
    api,
    i18n::{t, use_i18n},
    ui::loaded,
    words,
};

/// All shops.
#[component]
pub(crate) fn Shops() -> impl IntoView {
    let i18n = use_i18n();
    let found =
        api::find(
            asked(),
            |of| async move { api::shops::list_all(of.clone()).await.map(|table| (of, table)) },
        );
    let list = loaded(found, move |(of, table)| {
        let path = Part::Shops.path();
        let total = table.count("");
        let by = |column, by| sorted(column, by, SHOP_SORTS[0], path, &of);
        List {
            part: Part::Shops,
            filtered: of.is_filtered(),
            tools: finder(path, &of, t!(i18n, admin.search_shops)),
            columns: vec![
                by((t!(i18n, admin.shop), ""), "handle"),
                (t!(i18n, settings.town), "wide").into(),
                (t!(i18n, settings.owner), "wide").into(),
                (t!(i18n, seller_products.title), "number").into(),
                (t!(i18n, admin.commission), "number wide").into(),
                by((t!(i18n, admin.since), "wide"), "-created"),
            ]
            .into(),
            foot: foot(path, &of, total, table.page.next),
            rows: table.page.items.into_iter().map(|shop| row(shop).into_any()).collect(),
            none: t!(i18n, shops.none_note),
        }
        .show()
    });
    view! { <AdminPage here=Part::Shops>{list}</AdminPage> }
}

fn row(shop: AdminShopCard) -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <tr>
            <th scope="row">
                <a class="row-link" href=routes::shop(&shop.handle)>{shop.name}</a>
                <span class="note below">{shop.handle}</span>
                <span class="note narrow">{shop.owner_email.clone()}</span>
            </th>
            <td class="wide">{shop.town}</td>
            <td class="wide">{shop.owner_email}</td>
            <td class="number">{words::number(i18n, shop.products)}</td>
            <td class="number wide">{words::percent(shop.commission_bp)}"%"</td>
            <td class="wide">{words::day(i18n, &shop.created_at)}</td>
        </tr>
    }
}
