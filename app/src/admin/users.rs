//! All users.

use haat_shared::accounts::{USER_SORTS, UserCard};
use leptos::prelude::*;

use super::{AdminPage, List, Part, asked, finder, foot, sorted};
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
        let total = table.count("");
        let by = |column, by| sorted(column, by, USER_SORTS[0], path, &of);
        List {
            part: Part::Users,
            filtered: of.is_filtered(),
            tools: finder(path, &of, t!(i18n, admin.search_users)),
            columns: vec![
                by((t!(i18n, admin.user), ""), "email"),
                (t!(i18n, shops.title), "number").into(),
                (t!(i18n, admin.purchases), "number").into(),
                by((t!(i18n, admin.joined), "wide"), "-joined"),
            ]
            .into(),
            foot: foot(path, &of, total, table.page.next),
            rows: table.page.items.into_iter().map(|user| row(user).into_any()).collect(),
            none: t!(i18n, admin.no_matches),
        }
        .show()
    });
    view! { <AdminPage here=Part::Users>{list}</AdminPage> }
}

fn row(user: UserCard) -> impl IntoView {
    let i18n = use_i18n();
    let mark =
        user.admin.then(|| view! { " " <span class="state confirmed">{t!(i18n, admin.operator)}</span> });
    view! {
        <tr>
            <th scope="row">
                <strong>{user.name}</strong>
                {mark}
                <span class="note below">{user.email}</span>
            </th>
            <td class="number">{words::number(i18n, user.shops)}</td>
            <td class="number">{words::number(i18n, user.purchases)}</td>
            <td class="wide">{words::day(i18n, &user.created_at)}</td>
        </tr>
    }
}
