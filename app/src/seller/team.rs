//! The staff of a shop, for its owners: members with their roles, and invitations.

use haat_shared::{
    forms::Draft,
    permissions::Role,
    staff::{Invitation, ShopMember, ShopTeam},
};
use leptos::prelude::*;

use super::{Dashboard, Part, shops::leave};
use crate::{
    api,
    i18n::{t, use_i18n},
    state::{param, query},
    storefront::draft_by,
    ui::{Alert, Button, CodeAlert, ErrorSummary, Field, PageTitle, Select, loaded},
    words::{self, I18n},
};

/// The staff of a shop.
#[component]
pub(super) fn Team() -> impl IntoView {
    let (handle, draft, done) = (param("handle"), query("draft"), query("done"));
    let found = api::find(
        move || (handle.get(), draft.get(), done.get()),
        |(handle, draft, done)| async move {
            let team = api::staff::of_shop(handle.clone()).await?;
            Ok((handle, team, draft_by("shop_team", draft).await?, done))
        },
    );
    let page = loaded(found, |(handle, team, draft, done)| shown(&handle, team, draft, &done));
    view! { <Dashboard here=Part::Team>{page}</Dashboard> }
}

fn shown(handle: &str, team: ShopTeam, draft: Draft, done: &str) -> AnyView {
    let i18n = use_i18n();
    let path = Part::Team.path(handle);
    let done = match done {
        "invite" | "resend" => Some(t!(i18n, staff.done_invite)),
        "withdraw" => Some(t!(i18n, staff.done_withdraw)),
        "role" => Some(t!(i18n, staff.done_role)),
        "remove" => Some(t!(i18n, staff.done_remove)),
        _ => None,
    };
    let ShopTeam { members, own, invitations } = team;
    let members: Vec<_> = members.into_iter().map(|of| member(i18n, handle, of.id == own, of)).collect();
    let invitations: Vec<_> = invitations.into_iter().map(|of| invitation(i18n, &path, of)).collect();
    let invitations = (!invitations.is_empty()).then(|| {
        view! {
            <section class="panel" aria-labelledby="pending">
                <h2 id="pending">{t!(i18n, staff.pending)}</h2>
                <ul class="rows">{invitations}</ul>
            </section>
        }
    });
    view! {
        <PageTitle text=t!(i18n, settings.members) />
        <h1>{t!(i18n, settings.members)}</h1>
        <CodeAlert />
        {done.map(|words| view! { <Alert look="good">{words}</Alert> })}
        <section class="panel" aria-labelledby="members">
            <h2 id="members">{t!(i18n, staff.members)}</h2>
            <ul class="rows">{members}</ul>
        </section>
        {invitations}
        {invite(i18n, path, &draft)}
    }
    .into_any()
}

/// The form that invites someone.
fn invite(i18n: I18n, path: String, draft: &Draft) -> AnyView {
    let faults = Signal::stored(draft.error.clone());
    let (email, role) = (t!(i18n, sign_in.email), t!(i18n, admin.role));
    let chosen = Role::parse(&draft.typed("role")).unwrap_or(Role::Fulfilment);
    view! {
        <form method="post" action=path class="panel form" novalidate aria-labelledby="invite">
            <h2 id="invite">{t!(i18n, staff.invite)}</h2>
            <p class="note">{t!(i18n, staff.roles)}</p>
            <ErrorSummary faults labels=vec![("email", email.to_owned()), ("role", role.to_owned())] />
            <input type="hidden" name="action" value="invite" />
            <Field name="email" label=email kind="email" value=draft.typed("email") hint=t!(i18n, staff.hint) required=true faults />
            <Select name="role" label=role value=chosen.as_str() options=roles(i18n) faults />
            <div><Button>{t!(i18n, staff.send)}</Button></div>
        </form>
    }
    .into_any()
}

fn roles(i18n: I18n) -> Vec<(&'static str, &'static str)> {
    Role::ALL.map(|role| (role.as_str(), words::role(i18n, role))).to_vec()
}

fn member(i18n: I18n, handle: &str, own: bool, of: ShopMember) -> AnyView {
    let ShopMember { id, name, email, role, joined_at } = of;
    let path = Part::Team.path(handle);
    let since = t!(i18n, staff.since, role = words::role(i18n, role), date = words::day(i18n, &joined_at));
    let field = format!("role-{id}");
    let change = view! {
        <form method="post" action=path.clone() class="form">
            <input type="hidden" name="action" value="role" />
            <input type="hidden" name="user" value=id.to_string() />
            <Select name="role" id=field label=t!(i18n, staff.role_of, name = name) value=role.as_str() options=roles(i18n) />
            <div><Button look="secondary">{t!(i18n, staff.change_role)}</Button></div>
        </form>
    };
    let end = match own {
        true => leave(i18n, handle),
        false => view! {
            <form method="post" action=path class="form">
                <input type="hidden" name="action" value="remove" />
                <input type="hidden" name="user" value=id.to_string() />
                <p>{t!(i18n, staff.remove_note, name = name)}</p>
                <div><Button look="danger">{t!(i18n, staff.remove)}</Button></div>
            </form>
        }
        .into_any(),
    };
    view! {
        <li class="row saved-card">
            <div>
                <strong>{name.clone()}</strong>
                <p class="note">{email}</p>
                <p class="note">{since}</p>
            </div>
            <details class="more-of">
                <summary>{t!(i18n, staff.manage)}<span class="hidden">" "{name}</span></summary>
                {change}
                {end}
            </details>
        </li>
    }
    .into_any()
}

fn invitation(i18n: I18n, path: &str, of: Invitation) -> AnyView {
    let Invitation { id, email, role, expires_at, expired, .. } = of;
    let (role, date) = (words::role(i18n, role), words::day(i18n, &expires_at));
    let until = match expired {
        true => t!(i18n, staff.expired, role = role, date = date),
        false => t!(i18n, staff.expires, role = role, date = date),
    };
    let (again, withdraw) = (t!(i18n, staff.resend), t!(i18n, staff.withdraw));
    view! {
        <li class="row saved-card">
            <div>
                <strong>{email.clone()}</strong>
                <p class="note">{until}</p>
            </div>
            <form method="post" action=path.to_owned() class="actions">
                <input type="hidden" name="id" value=id.to_string() />
                <button type="submit" class="button quiet" name="action" value="resend" aria-label=format!("{again}: {email}")>
                    {again}
                </button>
                <button type="submit" class="button quiet" name="action" value="withdraw" aria-label=format!("{withdraw}: {email}")>
                    {withdraw}
                </button>
            </form>
        </li>
    }
    .into_any()
}
