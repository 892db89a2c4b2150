//! All shops of the market.

use haat_shared::{routes, shops::AdminShopCard};
use leptos::prelude::*;

use super::{AdminPage, List, Part};
use crate::{
    api,
    i18n::{t, use_i18n},
    state::{query, searched},
    ui::{loaded, search},
    words,
};

/// All shops.
#[component]
pub(crate) fn Shops() -> impl IntoView {
    let i18n = use_i18n();
    let (q, after) = (searched(), query("after"));
    let found = api::find(
        move || (q.get(), after.get()),
        |(q, after)| async move {
            api::shops::list_all(q.clone(), after.clone()).await.map(|page| (q, after, page))
        },
    );
    let list = loaded(found, move |(q, after, page)| {
        let tools = search(Part::Shops.path().into(), &q, t!(i18n, admin.search_shops), &[]);
        List {
            part: Part::Shops,
            asked: vec![("q", q)],
            after,
            next: page.next,
            foot: None,
            tools: view! { <div class="list-tools">{tools}</div> }.into_any(),
            columns: vec![
                (t!(i18n, admin.shop), ""),
                (t!(i18n, settings.town), "wide"),
                (t!(i18n, settings.owner), "wide"),
                (t!(i18n, seller_products.title), "number"),
                (t!(i18n, admin.commission), "number wide"),
                (t!(i18n, admin.since), "wide"),
            ]
            .into(),
            rows: page.items.into_iter().map(|shop| row(shop).into_any()).collect(),
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
