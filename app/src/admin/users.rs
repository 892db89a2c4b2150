//! All users.

use haat_shared::{
    accounts::{USER_KINDS, USER_SORTS, UserCard},
    page::ListRequest,
    routes,
};
use leptos::prelude::*;

use super::{AdminPage, List, Part, asked, filters, foot, sorted, tools, url, user::state};
use crate::{
    api,
    i18n::{t, use_i18n},
    ui::loaded,
    words,
};

/// All users.
#[component]
pub(crate) fn Users() -> impl IntoView {
    let i18n = use_i18n();
    let found =
        api::find(
            asked(),
            |of| async move { api::accounts::list(of.clone()).await.map(|table| (of, table)) },
        );
    let list = loaded(found, move |(of, table)| {
        let path = Part::Users.path();
        // Those of several kinds are counted as each of them.
        let count = |kind: &str| {
            let of_kind = |kinds: &str| kind.is_empty() || kinds.split(' ').any(|each| each == kind);
            table.counts.iter().filter(|(kinds, _)| of_kind(kinds)).map(|(_, count)| count).sum::<i64>()
        };
        let kinds = USER_KINDS.map(|kind| match kind {
            "admin" => (kind, t!(i18n, admin.admins)),
            "seller" => (kind, t!(i18n, admin.sellers)),
            "deactivated" => (kind, t!(i18n, admin.deactivated)),
            _ => (kind, t!(i18n, admin.customers)),
        });
        let kinds: Vec<_> = std::iter::once(("", t!(i18n, seller_orders.all))).chain(kinds).collect();
        let sorts = USER_SORTS.map(|sort| match sort {
            "joined" => (sort, t!(i18n, seller_orders.sort_oldest)),
            "email" => (sort, t!(i18n, admin.sort_email)),
            "-email" => (sort, t!(i18n, admin.sort_email_down)),
            _ => (sort, t!(i18n, products.sort_newest)),
        });
        let chosen = filters(t!(i18n, admin.kind), path, &of, &kinds, count);
        let total = count(&of.state);
        let by = |column, by| sorted(column, by, USER_SORTS[0], path, &of);
        List {
            part: Part::Users,
            filtered: of.is_filtered(),
            zone_of: String::new(),
            tools: tools(path, &of, t!(i18n, admin.search_users), chosen, sorts.to_vec()),
            columns: vec![
                by((t!(i18n, admin.user), ""), "email"),
                (t!(i18n, shops.title), "number").into(),
                (t!(i18n, admin.purchases), "number").into(),
                by((t!(i18n, admin.joined), "wide"), "-joined"),
            ]
            .into(),
            foot: foot(path, &of, total, table.page.next),
            rows: table.page.items.into_iter().map(|user| row(user, &of).into_any()).collect(),
            none: t!(i18n, admin.no_matches),
        }
        .show()
    });
    view! { <AdminPage here=Part::Users>{list}</AdminPage> }
}

fn row(user: UserCard, of: &ListRequest) -> impl IntoView + use<> {
    let i18n = use_i18n();
    let mark =
        user.admin.then(|| view! { " " <span class="state confirmed">{t!(i18n, admin.operator)}</span> });
    let joined = words::day(i18n, &user.created_at);
    // The page links back to the list as it is.
    let href = url(&routes::user(user.id), of);
    view! {
        <tr>
            <th scope="row">
                <a class="row-link" translate="no" href=href>{user.name}</a>
                {mark}
                {state(i18n, user.state).map(|label| view! { " " {label} })}
                <span class="note below">{user.email}</span>
                <span class="note narrow">{joined.clone()}</span>
            </th>
            <td class="number">{words::number(i18n, user.shops)}</td>
            <td class="number">{words::number(i18n, user.purchases)}</td>
            <td class="wide">{joined}</td>
        </tr>
    }
}
