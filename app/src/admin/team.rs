//! The team: admins and their roles, with forms to grant and remove roles.

use haat_shared::{
    accounts::{GrantedRole, TeamMember},
    forms::Draft,
    permissions::{AdminPermission, AdminRole},
};
use leptos::prelude::*;

use super::{AdminPage, List, Part, may};
use crate::{
    api,
    i18n::{t, tn, tu_string, use_i18n},
    state::{Visitor, query},
    storefront::draft_by,
    ui::{Alert, Button, CodeAlert, ErrorSummary, Field, Select, loaded},
    words,
};

/// The admins and their roles.
#[component]
pub(crate) fn Team() -> impl IntoView {
    let i18n = use_i18n();
    let (draft, done) = (query("draft"), query("done"));
    let visitor = expect_context::<Visitor>();
    let found = api::find(
        move || draft.get(),
        move |draft| async move {
            let manages = may(visitor, AdminPermission::ManageTeam).await;
            Ok((api::admin::team().await?, draft_by("team", draft).await?, manages))
        },
    );
    let list = loaded(found, move |(team, draft, manages)| {
        let tools = view! {
            <CodeAlert />
            <Done what=done.get_untracked() />
            {manages.then(|| view! { <Grant draft /> })}
        };
        let rows: Vec<_> = team.into_iter().flat_map(|member| rows(member, manages)).collect();
        let total = rows.len() as i64;
        List {
            part: Part::Team,
            filtered: false,
            zone_of: String::new(),
            tools: tools.into_any(),
            foot: view! { <div class="list-foot"><p class="note">{tn!(i18n, list.total, total)}</p></div> }
                .into_any(),
            columns: vec![
                (t!(i18n, admin.user), ""),
                (t!(i18n, admin.role), ""),
                (t!(i18n, admin.granted), "wide"),
                (t!(i18n, admin.action), ""),
            ]
            .into(),
            rows,
            none: t!(i18n, admin.no_team),
        }
        .show()
    });
    view! { <AdminPage here=Part::Team>{list}</AdminPage> }
}

/// The result of an action before a redirect.
#[component]
fn Done(what: String) -> impl IntoView {
    let i18n = use_i18n();
    let words = match what.as_str() {
        "grant" => t!(i18n, admin.role_granted),
        "revoke" => t!(i18n, admin.role_removed),
        _ => return None,
    };
    Some(view! { <Alert look="good">{words}</Alert> })
}

/// The form that grants a role to a user.
#[component]
fn Grant(draft: Draft) -> impl IntoView {
    let i18n = use_i18n();
    let (email, role) = (tu_string!(i18n, sign_in.email), tu_string!(i18n, admin.role));
    let labels = vec![("email", email.to_owned()), ("role", role.to_owned())];
    let options = AdminRole::ALL.map(|role| (role.as_str(), words::admin_role(i18n, role))).to_vec();
    let faults = Signal::stored(draft.error.clone());
    view! {
        <form method="post" action=Part::Team.path() class="panel form" novalidate>
            <ErrorSummary faults labels />
            <input type="hidden" name="action" value="grant" />
            <Field name="email" label=email kind="email" value=draft.typed("email") hint=t!(i18n, admin.team_hint) required=true faults />
            <Select name="role" label=role value=if draft.typed("role").is_empty() { AdminRole::ReadOnly.as_str().into() } else { draft.typed("role") } options faults />
            <Button>{t!(i18n, admin.grant)}</Button>
        </form>
    }
}

/// A row for each role of an admin.
fn rows(member: TeamMember, manages: bool) -> Vec<AnyView> {
    let TeamMember { id, name, email, roles } = member;
    roles.into_iter().map(|role| row(id.to_string(), name.clone(), email.clone(), role, manages)).collect()
}

fn row(user: String, name: String, email: String, granted: GrantedRole, manages: bool) -> AnyView {
    let i18n = use_i18n();
    let GrantedRole { role, granted_by, granted_at } = granted;
    let by = granted_by.unwrap_or_else(|| t!(i18n, admin.program).to_owned());
    let remove = manages.then(|| {
        view! {
            <form method="post" action=Part::Team.path()>
                <input type="hidden" name="action" value="revoke" />
                <input type="hidden" name="user" value=user />
                <input type="hidden" name="role" value=role.as_str() />
                <Button look="secondary">{t!(i18n, admin.remove_role)}</Button>
            </form>
        }
    });
    view! {
        <tr>
            <th scope="row">
                <strong>{name}</strong>
                <span class="note below">{email}</span>
            </th>
            <td>{words::admin_role(i18n, role)}</td>
            <td class="wide">
                {words::day(i18n, &granted_at)}
                <span class="note below">{by}</span>
            </td>
            <td class="row-actions">{remove}</td>
        </tr>
    }
    .into_any()
}
