//! The audit log: privileged actions.

use haat_shared::{
    audit::{AuditEntry, Upserted},
    permissions::{AdminPermission, AdminRole, Role},
    routes,
};
use leptos::prelude::*;

use super::{AdminPage, List, Part, asked, foot, may, subject::subject, zone_of};
use crate::{
    api,
    i18n::{t, use_i18n},
    state::Visitor,
    ui::loaded,
    words,
};

/// The audit log.
#[component]
pub(crate) fn Audit() -> impl IntoView {
    let i18n = use_i18n();
    let visitor = expect_context::<Visitor>();
    let found = api::find(asked(), move |of| async move {
        let table = api::audit::list(of.clone()).await?;
        Ok((of, table, may(visitor, AdminPermission::SeeUsers).await))
    });
    let list = loaded(found, move |(of, table, sees_users)| {
        let total = table.count("");
        List {
            part: Part::Audit,
            filtered: of.is_filtered(),
            zone_of: zone_of(&table.page, |entry| &entry.created_at),
            tools: ().into_any(),
            foot: foot(Part::Audit.path(), &of, total, table.page.next),
            columns: vec![
                (t!(i18n, admin.activity), ""),
                (t!(i18n, admin.by), ""),
                (t!(i18n, admin.at), "wide"),
            ]
            .into(),
            rows: table.page.items.into_iter().map(|entry| row(entry, sees_users).into_any()).collect(),
            none: t!(i18n, admin.no_audit),
        }
        .show()
    });
    view! { <AdminPage here=Part::Audit>{list}</AdminPage> }
}

fn row(entry: AuditEntry, sees_users: bool) -> impl IntoView + use<> {
    let i18n = use_i18n();
    let at = words::hour(i18n, &entry.created_at);
    let by = match entry.user_email {
        Some(email) => view! { <span>{email}</span> }.into_any(),
        None => view! { <span class="word">{t!(i18n, admin.program)}</span> }.into_any(),
    };
    let note = match (entry.action.as_str(), entry.products) {
        // For jobs, the note holds the kind of job.
        ("jobs::retry" | "jobs::discard", _) => words::job_kind(i18n, &entry.note).to_owned(),
        (_, Some(Upserted { added, updated })) => {
            t!(i18n, admin.products_written, added = added, updated = updated)
        }
        // The role, and whose it is.
        ("admin::grant_role" | "admin::revoke_role", _) => match entry.note.split_once(' ') {
            Some((role, email)) => {
                let role = AdminRole::parse(role).map_or(role, |role| words::admin_role(i18n, role));
                format!("{role}, {email}")
            }
            None => entry.note,
        },
        // The shop, the role, or the one before and the one after, and whose it is.
        (action, _) if action.starts_with("staff::") => {
            let (shop, rest) = entry.note.split_once(' ').unwrap_or((&entry.note, ""));
            let (roles, email) = rest.split_once(' ').unwrap_or((rest, ""));
            let role =
                |name: &str| Role::parse(name).map_or(name.to_owned(), |of| words::role(i18n, of).into());
            let roles = roles.split('>').map(role).collect::<Vec<_>>().join(" → ");
            let parts = [shop, &*roles, email].into_iter().filter(|part| !part.is_empty());
            parts.collect::<Vec<_>>().join(", ")
        }
        ("payouts::reject" | "payouts::return", _) => words::payout_reason(i18n, &entry.note).to_owned(),
        ("payouts::bank_file", _) if entry.note == "csv" => "CSV".to_owned(),
        ("payouts::bank_file", _) => "ISO 20022".to_owned(),
        _ => entry.note,
    };
    let user = entry.about.user_id.filter(|_| sees_users).map(routes::user);
    let subject = subject(i18n, entry.about);
    // Nothing else says what it is.
    let id = (note.is_empty() && subject.is_none())
        .then(|| view! { <span class="note below id">{words::short_id(&entry.subject)}</span> });
    let note = match user {
        // The note is, or ends with, the user's email address.
        Some(href) => view! { <a href=href>{note}</a> }.into_any(),
        None => note.into_any(),
    };
    view! {
        <tr>
            <th scope="row">
                <strong>{words::audit_action(i18n, &entry.action).to_owned()}</strong>
                <span class="note below">{note}</span>
                {subject}
                {id}
                <span class="note narrow">{at.clone()}</span>
            </th>
            <td>{by}</td>
            <td class="wide">{at}</td>
        </tr>
    }
}
