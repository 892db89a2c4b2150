//! All shops of the market.

use haat_shared::{
    page::ListRequest,
    routes,
    shops::{AdminShopCard, SHOP_SORTS, SHOP_STAGES},
};
use leptos::prelude::*;

use super::{AdminPage, List, Part, asked, filters, foot, sorted, tools, url};
use crate::{
    api,
    i18n::{t, use_i18n},
    ui::{LinkButton, loaded},
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
        let stages = SHOP_STAGES.map(|stage| match stage {
            "selling" => (stage, t!(i18n, admin.selling)),
            _ => (stage, t!(i18n, admin.not_selling)),
        });
        let stages: Vec<_> = std::iter::once(("", t!(i18n, seller_orders.all))).chain(stages).collect();
        let sorts = SHOP_SORTS.map(|sort| match sort {
            "created" => (sort, t!(i18n, seller_orders.sort_oldest)),
            "handle" => (sort, t!(i18n, admin.sort_handle)),
            "-handle" => (sort, t!(i18n, admin.sort_handle_down)),
            _ => (sort, t!(i18n, products.sort_newest)),
        });
        let chosen = filters(t!(i18n, seller_products.title), path, &of, &stages, |stage| table.count(stage));
        let total = table.count(&of.state);
        let by = |column, by| sorted(column, by, SHOP_SORTS[0], path, &of);
        List {
            part: Part::Shops,
            filtered: of.is_filtered(),
            zone_of: String::new(),
            tools: view! {
                {tools(path, &of, t!(i18n, admin.search_shops), chosen, sorts.to_vec())}
                <p class="actions"><LinkButton look="secondary" href=routes::COMMISSION>{t!(i18n, commission.title)}</LinkButton></p>
            }
            .into_any(),
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
            rows: table.page.items.into_iter().map(|shop| row(shop, &of).into_any()).collect(),
            none: t!(i18n, admin.no_shops),
        }
        .show()
    });
    view! { <AdminPage here=Part::Shops>{list}</AdminPage> }
}

fn row(shop: AdminShopCard, of: &ListRequest) -> impl IntoView + use<> {
    let i18n = use_i18n();
    // The page links back to the list as it is.
    let href = url(&routes::any_shop(&shop.handle), of);
    view! {
        <tr>
            <th scope="row">
                <a class="row-link" translate="no" href=href>{shop.name}</a>
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
