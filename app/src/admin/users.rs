//! All users.

use haat_shared::accounts::UserCard;
use leptos::prelude::*;

use super::{AdminPage, List, Part};
use crate::{
    api,
    i18n::{t, use_i18n},
    state::{query, searched},
    ui::{loaded, search},
    words,
};

/// All users.
#[component]
pub(crate) fn Users() -> impl IntoView {
    let i18n = use_i18n();
    let (q, after) = (searched(), query("after"));
    let found = api::find(
        move || (q.get(), after.get()),
        |(q, after)| async move {
            api::accounts::list(q.clone(), after.clone()).await.map(|page| (q, after, page))
        },
    );
    let list = loaded(found, move |(q, after, page)| {
        let tools = search(Part::Users.path().into(), &q, t!(i18n, admin.search_users), &[]);
        List {
            part: Part::Users,
            asked: vec![("q", q)],
            after,
            next: page.next,
            foot: None,
            tools: view! { <div class="list-tools">{tools}</div> }.into_any(),
            columns: vec![
                (t!(i18n, admin.user), ""),
                (t!(i18n, shops.title), "number"),
                (t!(i18n, admin.purchases), "number"),
                (t!(i18n, admin.joined), "wide"),
            ]
            .into(),
            rows: page.items.into_iter().map(|user| row(user).into_any()).collect(),
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
