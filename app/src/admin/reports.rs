//! Reports: what shoppers and shops reported of their conversations, and nothing else of them.

use haat_shared::{
    chat::Side,
    forms::Draft,
    permissions::AdminPermission,
    reports::{ReportAction, ReportCard, ReportState, ReportedMessage},
    routes,
};
use leptos::prelude::*;

use super::{AdminPage, List, Part, asked, decided, filters, foot, may, zone_of};
use crate::{
    api,
    i18n::{t, use_i18n},
    state::{Visitor, query},
    storefront::draft_by,
    ui::{Button, CodeAlert, loaded},
    words::{self, I18n},
};

fn state_words(i18n: I18n, state: ReportState) -> &'static str {
    match state {
        ReportState::Open => t!(i18n, reports.open),
        ReportState::Resolved => t!(i18n, reports.resolved),
        ReportState::Dismissed => t!(i18n, reports.dismissed),
    }
}

/// The reports.
#[component]
pub(crate) fn Reports() -> impl IntoView {
    let i18n = use_i18n();
    let (done, draft) = (query("done"), query("draft"));
    let visitor = expect_context::<Visitor>();
    let asked = asked();
    let found = api::find(
        move || (asked(), draft.get()),
        move |(of, draft)| async move {
            let table = api::chat::reports(of.clone()).await?;
            let draft = draft_by("report", draft).await?;
            Ok((of, table, draft, may(visitor, AdminPermission::ManageReports).await))
        },
    );
    let list = loaded(found, move |(of, table, draft, manages)| {
        let path = Part::Reports.path();
        let all = ("", t!(i18n, seller_orders.all));
        let states = ReportState::ALL.map(|state| (state.as_str(), state_words(i18n, state)));
        let states = [&[all][..], &states[..]].concat();
        let chosen = filters(t!(i18n, seller_orders.state), path, &of, &states, |state| table.count(state));
        let tools = view! {
            <CodeAlert />
            {outcome(i18n, &done.get_untracked(), &draft)}
            <div class="list-tools">{chosen}</div>
        };
        let total = table.count(&of.state);
        List {
            part: Part::Reports,
            filtered: of.is_filtered(),
            zone_of: zone_of(&table.page, |report| &report.created_at),
            tools: tools.into_any(),
            foot: foot(path, &of, total, table.page.next),
            columns: vec![
                (t!(i18n, reports.title), ""),
                (t!(i18n, admin.at), "wide"),
                (t!(i18n, admin.action), ""),
            ]
            .into(),
            rows: table.page.items.into_iter().map(|report| row(i18n, report, &draft, manages)).collect(),
            none: t!(i18n, reports.none),
        }
        .show()
    });
    view! { <AdminPage here=Part::Reports>{list}</AdminPage> }
}

/// What became of an action before a redirect.
fn outcome(i18n: I18n, done: &str, draft: &Draft) -> Option<AnyView> {
    let words = match done {
        "dismiss" => Some(t!(i18n, reports.done_dismiss)),
        "resolve" => Some(t!(i18n, reports.done_resolve)),
        "block" => Some(t!(i18n, reports.done_block)),
        "unblock" => Some(t!(i18n, reports.done_unblock)),
        _ => None,
    };
    decided(i18n, draft, words)
}

fn row(i18n: I18n, report: ReportCard, draft: &Draft, manages: bool) -> AnyView {
    let ReportCard { id, state, by, reason, details, shop_name, shop_handle, shopper_name, shopper, .. } =
        report;
    let (shop, shopper_words) = (shop_name.as_str(), shopper_name.as_str());
    let title = match by {
        Side::Shopper => t!(i18n, reports.by_shopper, shopper = shopper_words, shop = shop),
        Side::Shop => t!(i18n, reports.by_shop, shopper = shopper_words, shop = shop),
    };
    let name = match shopper {
        Some(id) => view! { <a href=routes::user(id) translate="no">{shopper_name.clone()}</a> }.into_any(),
        None => view! { <span translate="no">{shopper_name.clone()}</span> }.into_any(),
    };
    let details = (!details.is_empty())
        .then(|| view! { <p class="report-text" dir="auto" translate="no">{details}</p> });
    let messages = report.messages.into_iter().map(|message| shown(i18n, id, message)).collect_view();
    let label = match state {
        ReportState::Open => "placed",
        ReportState::Resolved => "delivered",
        ReportState::Dismissed => "cancelled",
    };
    let blocked =
        report.barred.then(|| view! { " " <span class="state cancelled">{t!(i18n, reports.blocked)}</span> });
    let closed = report.closed_at.map(|at| {
        let at = words::hour(i18n, &at);
        view! { <p class="note">{t!(i18n, reports.closed, date = at.as_str())}</p> }
    });
    let note = (!report.note.is_empty())
        .then(|| view! { <p class="report-text note" dir="auto" translate="no">{report.note}</p> });
    let at = words::hour(i18n, &report.created_at);
    let decide = (manages && state == ReportState::Open).then(|| form(i18n, &id.to_string(), draft));
    let unblock = (manages && report.barred).then(|| {
        view! {
            <form method="post" action=Part::Reports.path()>
                <input type="hidden" name="id" value=id.to_string() />
                <input type="hidden" name="action" value="unblock" />
                <Button look="secondary">{t!(i18n, reports.unblock)}</Button>
            </form>
        }
    });
    view! {
        <tr>
            <th scope="row">
                <strong translate="no">{title}</strong>
                <span class="note below"><span class="dots">
                    <span>{words::report_reason(i18n, reason)}</span> " " {name} " "
                    <a href=routes::any_shop(&shop_handle) translate="no">{shop_name}</a>
                </span></span>
                <span class=format!("state {label}")>{state_words(i18n, state)}</span>
                {blocked}
                {details}
                <ul class="reported" aria-label=t!(i18n, reports.messages)>{messages}</ul>
                {note}
                {closed}
                <span class="note narrow">{at.clone()}</span>
            </th>
            <td class="wide">{at}</td>
            <td class="row-actions">{decide} {unblock}</td>
        </tr>
    }
    .into_any()
}

/// A reported message.
fn shown(i18n: I18n, report: haat_shared::id::kinds::ReportId, message: ReportedMessage) -> AnyView {
    let pictures = message.pictures.into_iter().map(|picture| {
        let at = |small| routes::reported_picture(report, &picture.file(small));
        let (whole, thumbnail) = (at(false), at(true));
        let (width, height) = (picture.width, picture.height);
        view! {
            <a href=whole target="_blank">
                <img src=thumbnail width=width height=height alt=picture.alt loading="lazy" />
            </a>
        }
    });
    view! {
        <li class="bubble">
            <p class="report-text" dir="auto" translate="no">{message.text}</p>
            <div class="message-pictures">{pictures.collect_view()}</div>
            <p class="note">{words::hour(i18n, &message.created_at)}</p>
        </li>
    }
    .into_any()
}

/// The form to decide on a report.
fn form(i18n: I18n, id: &str, draft: &Draft) -> AnyView {
    let typed = draft.typed("id") == id;
    let note = if typed { draft.typed("note") } else { String::new() };
    // Leptos does not escape the content of a textarea.
    let inside = note.replace('&', "&amp;").replace('<', "&lt;");
    let (field, hint) = (format!("note-{id}"), format!("note-hint-{id}"));
    let button = |action: ReportAction, look: &'static str, words: &'static str| {
        view! { <button type="submit" class=format!("button {look}") name="action" value=action.as_str()>{words}</button> }
    };
    view! {
        <details class="more-of" open=typed>
            <summary>{t!(i18n, admin.action)}</summary>
            <form method="post" action=Part::Reports.path() class="form" novalidate>
                <input type="hidden" name="id" value=id.to_owned() />
                <div class="field">
                    <label for=field.clone()>{t!(i18n, form.optional, label = t!(i18n, reports.note))}</label>
                    <textarea id=field name="note" rows="3" inner_html=inside aria-describedby=hint.clone()></textarea>
                    <p class="field-hint" id=hint>{t!(i18n, reports.note_hint)}</p>
                </div>
                {button(ReportAction::Resolve, "primary", t!(i18n, reports.resolve))}
                {button(ReportAction::Dismiss, "secondary", t!(i18n, reports.dismiss))}
                <p class="note">{t!(i18n, reports.block_note)}</p>
                {button(ReportAction::Block, "danger", t!(i18n, reports.block))}
            </form>
        </details>
    }
    .into_any()
}
