//! A user: roles, shops and the latest orders.

use haat_shared::{
    Error,
    accounts::UserState,
    admin::UserDetails,
    forms::Draft,
    orders::{ListOrders, OrderCard},
    permissions::AdminPermission,
    personal::Obstacle,
    routes,
};
use leptos::prelude::*;

use super::{AdminPage, Part, asked, figure, may, url};
use crate::{
    api,
    back_office::orders,
    i18n::{t, tn, use_i18n},
    state::{Visitor, param, query},
    storefront::draft_by,
    ui::{Alert, Button, Check, ErrorSummary, PageTitle, TextArea, loaded},
    words::{self, I18n},
};

/// The label of an account that can't be used.
pub(super) fn state(i18n: I18n, state: UserState) -> Option<AnyView> {
    let (look, words) = match state {
        UserState::Active => return None,
        UserState::Deactivated => ("state refunded", t!(i18n, admin.deactivated_one)),
        UserState::Deleted => ("state cancelled", t!(i18n, admin.deleted_one)),
    };
    Some(view! { <span class=look>{words}</span> }.into_any())
}

/// A user's page.
#[component]
pub(crate) fn User() -> impl IntoView {
    let (id, draft, done) = (param("id"), query("draft"), query("done"));
    let visitor = expect_context::<Visitor>();
    let found = api::find(
        move || (id.get(), draft.get(), done.get()),
        move |(id, draft, done)| async move {
            let details = api::accounts::user(api::id(&id)?).await?;
            let own = visitor.0.await.ok().flatten().is_some_and(|me| me.id == details.user.id);
            let manages = !own && may(visitor, AdminPermission::ManageUsers).await;
            Ok((details, draft_by("user", draft).await?, done, manages))
        },
    );
    let page = loaded(found, |(details, draft, done, manages)| {
        view! { <Shown details draft done manages /> }
    });
    view! { <AdminPage here=Part::Users>{page}</AdminPage> }
}

#[component]
fn Shown(details: UserDetails, draft: Draft, done: String, manages: bool) -> impl IntoView {
    let i18n = use_i18n();
    let UserDetails {
        user,
        signed_in_at,
        sessions,
        deactivated_at,
        deactivated_because,
        obstacles,
        roles,
        shops,
        latest,
    } = details;
    let done = match done.as_str() {
        "deactivate" => Some(t!(i18n, admin.done_deactivate)),
        "activate" => Some(t!(i18n, admin.done_activate)),
        "erase" => Some(t!(i18n, admin.done_erase)),
        _ => None,
    };
    let done = done.map(|words| view! { <Alert look="good">{words}</Alert> });
    let wrong = match query("error").get_untracked().as_str() {
        "own_account" => Some(t!(i18n, error.own_account)),
        "account_deleted" => Some(t!(i18n, error.account_deleted)),
        "account_in_use" => Some(t!(i18n, error.account_in_use)),
        "last_owner" => Some(t!(i18n, error.last_owner)),
        _ => None,
    };
    let wrong = wrong.map(|words| view! { <Alert>{words}</Alert> });
    let since = deactivated_at.filter(|_| user.state == UserState::Deactivated).map(|at| {
        let date = words::day(i18n, &at);
        view! {
            <Alert look="info">
                <p>{t!(i18n, admin.deactivated_since, date = date)}</p>
                <p dir="auto" translate="no">{deactivated_because}</p>
            </Alert>
        }
    });
    let actions = (manages && user.state != UserState::Deleted)
        .then(|| actions(i18n, routes::user(user.id), user.state, &obstacles, draft));
    let label = state(i18n, user.state);
    // The list with the filters that led here.
    let back = url(Part::Users.path(), &untrack(asked()));
    let mark = user.admin.then(|| view! { <p class="state confirmed">{t!(i18n, admin.operator)}</p> });
    let signed_in = match signed_in_at {
        Some(at) => words::day(i18n, &at),
        None => t!(i18n, admin.not_signed_in).to_owned(),
    };
    let browsers = (sessions > 0).then(|| tn!(i18n, admin.sessions, sessions));
    let shops: Vec<_> = shops
        .into_iter()
        .map(|shop| {
            view! {
                <li class="row">
                    <div>
                        <a class="row-link" translate="no" href=routes::any_shop(&shop.handle)>{shop.name}</a>
                        <p class="note" translate="no">{shop.handle}</p>
                    </div>
                    <p>{words::role(i18n, shop.role)}</p>
                </li>
            }
        })
        .collect();
    let shops = (!shops.is_empty()).then(|| {
        view! {
            <section class="panel" aria-labelledby="shops">
                <h2 id="shops">{t!(i18n, shops.title)}</h2>
                <ul class="rows">{shops}</ul>
            </section>
        }
    });
    let roles = roles.into_iter().map(|role| words::admin_role(i18n, role)).collect::<Vec<_>>().join(", ");
    let roles = (!roles.is_empty()).then(|| {
        view! {
            <section class="panel" aria-labelledby="roles">
                <h2 id="roles">{t!(i18n, admin.roles)}</h2>
                <p>{roles}</p>
                <p class="panel-more"><a href=Part::Team.path()>{t!(i18n, admin.team)}</a></p>
            </section>
        }
    });
    let all = url_of_orders(&ListOrders { customer: Some(user.id), ..ListOrders::default() });
    let latest = latest.map(|latest| match latest.is_empty() {
        true => view! {
            <section class="panel" aria-labelledby="latest">
                <h2 id="latest">{t!(i18n, dashboard.latest)}</h2>
                <p class="note">{t!(i18n, seller_orders.none)}</p>
            </section>
        }
        .into_any(),
        false => {
            let order = |order: &OrderCard| routes::any_order(&order.number);
            orders::latest(i18n, latest, true, order, Some(all))
        }
    });
    let mail = (!user.email.is_empty()).then(|| {
        let href = format!("mailto:{}", user.email);
        view! { <p class="note" translate="no"><a href=href>{user.email}</a></p> }
    });
    view! {
        <PageTitle text=user.name.clone() />
        <p class="back"><a href=back>{t!(i18n, admin.all_users)}</a></p>
        {done}
        {wrong}
        <header class="order-head">
            <div>
                <h1 translate="no">{user.name}</h1>
                {mail}
            </div>
            {mark}
            {label}
        </header>
        {since}
        <dl class="figures four">
            {figure(t!(i18n, admin.purchases), words::number(i18n, user.purchases), None)}
            {figure(t!(i18n, admin.joined), words::day(i18n, &user.created_at), None)}
            {figure(t!(i18n, admin.last_sign_in), signed_in, browsers)}
        </dl>
        <div class="home-lists">
            {latest}
            {shops}
            {roles}
        </div>
        {actions}
    }
}

/// What an admin can do with the account of someone else.
fn actions(i18n: I18n, path: String, state: UserState, obstacles: &[Obstacle], draft: Draft) -> AnyView {
    let of = |action: &str| if draft.typed("action") == action { draft.clone() } else { Draft::default() };
    let first = match state {
        UserState::Active => deactivate(i18n, path.clone(), of("deactivate")),
        _ => view! {
            <form method="post" action=path.clone() class="form">
                <input type="hidden" name="action" value="activate" />
                <p>{t!(i18n, admin.activate_note)}</p>
                <div><Button look="secondary">{t!(i18n, admin.activate)}</Button></div>
            </form>
        }
        .into_any(),
    };
    let second = match obstacles.is_empty() {
        true => erase(i18n, path, of("erase")),
        false => {
            let all = obstacles.iter().map(|obstacle| view! { <li>{words::obstacle(i18n, *obstacle)}</li> });
            let all = all.collect_view();
            view! {
                <p>{t!(i18n, admin.erase_not_yet)}</p>
                <ul>{all}</ul>
            }
            .into_any()
        }
    };
    view! {
        <section class="panel" aria-labelledby="account">
            <h2 id="account">{t!(i18n, admin.account)}</h2>
            {first}
            <details class="more-of" open=draft.typed("action") == "erase">
                <summary>{t!(i18n, admin.erase)}</summary>
                {second}
            </details>
        </section>
    }
    .into_any()
}

fn deactivate(i18n: I18n, path: String, draft: Draft) -> AnyView {
    let label = t!(i18n, admin.deactivate_reason);
    let (open, reason) = (draft.error.is_some(), draft.typed("reason"));
    let faults: Signal<Option<Error>> = Signal::stored(draft.error);
    view! {
        <details class="more-of" open=open>
            <summary>{t!(i18n, admin.deactivate)}</summary>
            <form method="post" action=path class="form" novalidate>
                <input type="hidden" name="action" value="deactivate" />
                <p>{t!(i18n, admin.deactivate_note)}</p>
                <ErrorSummary faults labels=vec![("reason", label.to_owned())] />
                <TextArea name="reason" label value=reason rows=2 hint=t!(i18n, admin.deactivate_hint) faults />
                <div><Button look="danger">{t!(i18n, admin.deactivate_now)}</Button></div>
            </form>
        </details>
    }
    .into_any()
}

fn erase(i18n: I18n, path: String, draft: Draft) -> AnyView {
    let confirm = t!(i18n, admin.erase_confirm);
    let faults: Signal<Option<Error>> = Signal::stored(draft.error);
    view! {
        <form method="post" action=path class="form" novalidate>
            <input type="hidden" name="action" value="erase" />
            <p>{t!(i18n, admin.erase_note)}</p>
            <ErrorSummary faults labels=vec![("confirm", confirm.to_owned())] />
            <Check name="confirm" label=confirm checked=false />
            <div><Button look="danger">{t!(i18n, admin.erase_now)}</Button></div>
        </form>
    }
    .into_any()
}

/// The URL of Admin's list of orders.
pub(super) fn url_of_orders(of: &ListOrders) -> String {
    orders::url(Part::Orders.path(), of)
}
