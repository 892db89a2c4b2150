//! The outbox: messages, and whether they have been dispatched.

use haat_shared::audit::OutboxMessageCard;
use leptos::prelude::*;

use super::{AdminPage, List, Part, asked, filters, foot, subject::subject, zone_of};
use crate::{
    api,
    i18n::{t, use_i18n},
    ui::loaded,
    words,
};

/// The outbox.
#[component]
pub(crate) fn Outbox() -> impl IntoView {
    let i18n = use_i18n();
    let found =
        api::find(asked(), |of| async move { api::outbox::list(of.clone()).await.map(|table| (of, table)) });
    let list = loaded(found, move |(of, table)| {
        let path = Part::Outbox.path();
        let states = [("", t!(i18n, seller_orders.all)), ("waiting", t!(i18n, admin.pending))];
        let chosen = filters(t!(i18n, seller_orders.state), path, &of, &states, |state| table.count(state));
        let total = table.count(&of.state);
        List {
            part: Part::Outbox,
            filtered: of.is_filtered(),
            zone_of: zone_of(&table.page, |message| &message.created_at),
            tools: view! { <div class="list-tools">{chosen}</div> }.into_any(),
            foot: foot(path, &of, total, table.page.next),
            columns: vec![
                (t!(i18n, admin.message), ""),
                (t!(i18n, admin.at), "wide"),
                (t!(i18n, admin.dispatched), ""),
            ]
            .into(),
            rows: table.page.items.into_iter().map(|message| row(message).into_any()).collect(),
            none: t!(i18n, admin.no_messages),
        }
        .show()
    });
    view! { <AdminPage here=Part::Outbox>{list}</AdminPage> }
}

fn row(message: OutboxMessageCard) -> impl IntoView {
    let i18n = use_i18n();
    let at = words::hour(i18n, &message.created_at);
    let dispatched = match message.dispatched_at {
        Some(at) => words::hour(i18n, &at).into_any(),
        None => view! { <span class="state queued">{t!(i18n, admin.pending)}</span> }.into_any(),
    };
    let subject = subject(i18n, message.about).unwrap_or_else(|| {
        view! { <span class="note below id">{words::short_id(&message.subject)}</span> }.into_any()
    });
    view! {
        <tr>
            <th scope="row">
                <strong>{words::message_kind(i18n, &message.kind).to_owned()}</strong>
                {subject}
                <span class="note narrow">{at.clone()}</span>
            </th>
            <td class="wide">{at}</td>
            <td>{dispatched}</td>
        </tr>
    }
}
