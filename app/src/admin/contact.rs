//! Messages from the contact page.

use haat_shared::{
    contact::{ContactCard, ContactState},
    forms::Draft,
    permissions::AdminPermission,
    routes,
};
use leptos::prelude::*;

use super::{AdminPage, List, Part, asked, filters, foot, may, zone_of};
use crate::{
    api,
    i18n::{t, use_i18n},
    state::{Visitor, query},
    storefront::draft_by,
    ui::{Alert, Button, CodeAlert, email_address, loaded},
    words::{self, I18n},
};

fn state_words(i18n: I18n, state: ContactState) -> &'static str {
    match state {
        ContactState::Open => t!(i18n, reports.open),
        ContactState::Answered => t!(i18n, contact.answered),
        ContactState::Closed => t!(i18n, contact.closed),
    }
}

/// The messages.
#[component]
pub(crate) fn ContactMessages() -> impl IntoView {
    let i18n = use_i18n();
    let (done, draft) = (query("done"), query("draft"));
    let visitor = expect_context::<Visitor>();
    let asked = asked();
    let found = api::find(
        move || (asked(), draft.get(), done.get()),
        move |(of, draft, _)| async move {
            let table = api::contact::list(of.clone()).await?;
            let draft = draft_by("answer", draft).await?;
            Ok((of, table, draft, may(visitor, AdminPermission::ManageReports).await))
        },
    );
    let list = loaded(found, move |(of, table, draft, manages)| {
        let path = Part::Contact.path();
        let all = ("", t!(i18n, seller_orders.all));
        let states = ContactState::ALL.map(|state| (state.as_str(), state_words(i18n, state)));
        let states = [&[all][..], &states[..]].concat();
        let chosen = filters(t!(i18n, seller_orders.state), path, &of, &states, |state| table.count(state));
        let wrong = draft.error.as_ref().map(|error| {
            let words = match error.at("answer") {
                Some(code) => words::fault(i18n, "answer", code),
                None => words::error(i18n, error),
            };
            view! { <Alert>{words}</Alert> }
        });
        let done = match done.get_untracked().as_str() {
            "answer" => Some(t!(i18n, contact.done_answer)),
            "close" => Some(t!(i18n, contact.done_close)),
            _ => None,
        };
        let tools = view! {
            <CodeAlert />
            {wrong}
            {done.map(|words| view! { <Alert look="good">{words}</Alert> })}
            <div class="list-tools">{chosen}</div>
        };
        let total = table.count(&of.state);
        List {
            part: Part::Contact,
            filtered: of.is_filtered(),
            zone_of: zone_of(&table.page, |message| &message.created_at),
            tools: tools.into_any(),
            foot: foot(path, &of, total, table.page.next),
            columns: vec![
                (t!(i18n, contact.message), ""),
                (t!(i18n, admin.at), "wide"),
                (t!(i18n, admin.action), ""),
            ]
            .into(),
            rows: table.page.items.into_iter().map(|message| row(i18n, message, &draft, manages)).collect(),
            none: t!(i18n, contact.none),
        }
        .show()
    });
    view! { <AdminPage here=Part::Contact>{list}</AdminPage> }
}

fn row(i18n: I18n, message: ContactCard, draft: &Draft, manages: bool) -> AnyView {
    let ContactCard { id, state, name, email, user, message, answer, created_at, .. } = message;
    let name = match user {
        Some(user) => view! { <a href=routes::user(user) translate="no">{name}</a> }.into_any(),
        None => view! { <span translate="no">{name}</span> }.into_any(),
    };
    let look = match state {
        ContactState::Open => "placed",
        ContactState::Answered => "delivered",
        ContactState::Closed => "cancelled",
    };
    let answer = (!answer.is_empty()).then(|| {
        view! {
            <p class="note">{t!(i18n, contact.answer)}</p>
            <p class="report-text" dir="auto" translate="no">{answer}</p>
        }
    });
    let at = words::hour(i18n, &created_at);
    let reply = (manages && state == ContactState::Open).then(|| form(i18n, &id.to_string(), draft));
    view! {
        <tr>
            <th scope="row">
                {name} " " <span class="note" translate="no">{email_address(&email)}</span> " "
                <span class=format!("state {look}")>{state_words(i18n, state)}</span>
                <p class="report-text" dir="auto" translate="no">{message}</p>
                {answer}
                <span class="note narrow">{at.clone()}</span>
            </th>
            <td class="wide">{at}</td>
            <td class="row-actions">{reply}</td>
        </tr>
    }
    .into_any()
}

/// The form to answer a message.
fn form(i18n: I18n, id: &str, draft: &Draft) -> AnyView {
    let typed = draft.typed("id") == id;
    let answer = if typed { draft.typed("answer") } else { String::new() };
    // Leptos does not escape the content of a textarea.
    let inside = answer.replace('&', "&amp;").replace('<', "&lt;");
    let field = format!("answer-{id}");
    view! {
        <details class="more-of" open=typed>
            <summary>{t!(i18n, contact.reply)}</summary>
            <form method="post" action=routes::CONTACT_MESSAGES class="form" novalidate>
                <input type="hidden" name="id" value=id.to_owned() />
                <div class="field">
                    <label for=field.clone()>{t!(i18n, contact.answer)}</label>
                    <textarea id=field name="answer" rows="4" inner_html=inside></textarea>
                </div>
                <Button>{t!(i18n, contact.send_answer)}</Button>
                <button type="submit" class="button secondary" name="action" value="close">{t!(i18n, contact.close)}</button>
            </form>
        </details>
    }
    .into_any()
}
