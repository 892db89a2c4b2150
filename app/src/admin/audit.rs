//! The audit log: privileged actions.

use haat_shared::{
    audit::{AuditEntry, Upserted},
    permissions::AdminRole,
    routes,
};
use leptos::prelude::*;

use super::{AdminPage, List, Part, asked, foot};
use crate::{
    api,
    i18n::{t, use_i18n},
    ui::loaded,
    words,
};

/// The audit log.
#[component]
pub(crate) fn Audit() -> impl IntoView {
    let i18n = use_i18n();
    let found =
        api::find(asked(), |of| async move { api::audit::list(of.clone()).await.map(|table| (of, table)) });
    let list = loaded(found, move |(of, table)| {
        let total = table.count("");
        List {
            part: Part::Audit,
            filtered: of.is_filtered(),
            tools: ().into_any(),
            foot: foot(Part::Audit.path(), &of, total, table.page.next),
            columns: vec![
                (t!(i18n, admin.activity), ""),
                (t!(i18n, admin.by), ""),
                (t!(i18n, admin.at), "wide"),
            ]
            .into(),
            rows: table.page.items.into_iter().map(|entry| row(entry).into_any()).collect(),
            none: t!(i18n, admin.no_audit),
        }
        .show()
    });
    view! { <AdminPage here=Part::Audit>{list}</AdminPage> }
}

fn row(entry: AuditEntry) -> impl IntoView {
    let i18n = use_i18n();
    let at = words::moment(i18n, &entry.created_at);
    let by = match entry.user_email {
        Some(email) => view! { <span>{email}</span> }.into_any(),
        None => view! { <span class="word">{t!(i18n, admin.program)}</span> }.into_any(),
    };
    let of_user = ["accounts::", "admin::"].iter().any(|domain| entry.action.starts_with(domain));
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
        _ => entry.note,
    };
    let link = match (entry.shop_handle, entry.number) {
        (Some(handle), _) => Some((routes::any_shop(&handle), entry.shop_name.unwrap_or(handle))),
        (None, Some(number)) => Some((routes::with(Part::Orders.path(), &[("q", &number)]), number)),
        (None, None) => None,
    };
    let subject = match link {
        Some((href, name)) => view! { <span class="note below"><a href=href>{name}</a></span> }.into_any(),
        // The note is the user's email address.
        None if of_user => ().into_any(),
        None => view! { <span class="note below id">{words::short_id(&entry.subject)}</span> }.into_any(),
    };
    view! {
        <tr>
            <th scope="row">
                <strong>{words::audit_action(i18n, &entry.action).to_owned()}</strong>
                <span class="note below">{note}</span>
                {subject}
                <span class="note narrow">{at.clone()}</span>
            </th>
            <td>{by}</td>
            <td class="wide">{at}</td>
        </tr>
    }
}
