//! The reviews that admins decide on: those that a rule holds back, and those that were reported.

use haat_shared::{
    forms::Draft,
    permissions::AdminPermission,
    reviews::{ModeratedReview, ReviewAction, ReviewState},
    routes,
};
use leptos::prelude::*;

use super::{AdminPage, List, Part, asked, decided, filters, foot, may, zone_of};
use crate::{
    api,
    i18n::{t, tn, use_i18n},
    state::{Visitor, query},
    storefront::{draft_by, hold_words},
    ui::{CodeAlert, loaded},
    words::{self, I18n},
};

/// The reviews.
#[component]
pub(crate) fn Reviews() -> impl IntoView {
    let i18n = use_i18n();
    let (done, draft) = (query("done"), query("draft"));
    let visitor = expect_context::<Visitor>();
    let asked = asked();
    let found = api::find(
        move || (asked(), draft.get()),
        move |(of, draft)| async move {
            let table = api::reviews::queue(of.clone()).await?;
            let draft = draft_by("moderate", draft).await?;
            Ok((of, table, draft, may(visitor, AdminPermission::ManageReports).await))
        },
    );
    let list = loaded(found, move |(of, table, draft, manages)| {
        let path = Part::Reviews.path();
        let states = [
            ("", t!(i18n, seller_orders.all)),
            ("held", t!(i18n, reviews.state_held)),
            ("reported", t!(i18n, reviews.reported)),
            ("published", t!(i18n, reviews.state_published)),
            ("hidden", t!(i18n, reviews.state_hidden)),
        ];
        let chosen = filters(t!(i18n, seller_orders.state), path, &of, &states, |state| table.count(state));
        let tools = view! {
            <CodeAlert />
            {outcome(i18n, &done.get_untracked(), &draft)}
            <div class="list-tools">{chosen}</div>
        };
        let total = table.count(&of.state);
        List {
            part: Part::Reviews,
            filtered: of.is_filtered(),
            zone_of: zone_of(&table.page, |review| &review.created_at),
            tools: tools.into_any(),
            foot: foot(path, &of, total, table.page.next),
            columns: vec![
                (t!(i18n, reviews.title), ""),
                (t!(i18n, admin.at), "wide"),
                (t!(i18n, admin.action), ""),
            ]
            .into(),
            rows: table.page.items.into_iter().map(|review| row(i18n, review, &draft, manages)).collect(),
            none: t!(i18n, reviews.admin_none),
        }
        .show()
    });
    view! { <AdminPage here=Part::Reviews>{list}</AdminPage> }
}

/// What became of a decision before a redirect.
fn outcome(i18n: I18n, done: &str, draft: &Draft) -> Option<AnyView> {
    let words = match done {
        "hide" => Some(t!(i18n, reviews.done_hide)),
        "publish" => Some(t!(i18n, reviews.done_publish)),
        _ => None,
    };
    decided(i18n, draft, words)
}

fn row(i18n: I18n, review: ModeratedReview, draft: &Draft, manages: bool) -> AnyView {
    let (label, state) = match (review.state, review.reports.is_empty()) {
        (ReviewState::Held, _) => ("placed", t!(i18n, reviews.state_held)),
        (ReviewState::Published, false) => ("placed", t!(i18n, reviews.reported)),
        (ReviewState::Published, true) => ("delivered", t!(i18n, reviews.state_published)),
        (ReviewState::Hidden | ReviewState::Deleted, _) => ("cancelled", t!(i18n, reviews.state_hidden)),
    };
    let why = review.held_because.map(|why| view! { <p class="note">{hold_words(i18n, why)}</p> });
    let author = match review.user_id {
        Some(id) => view! { <a href=routes::user(id) translate="no">{review.author.clone()}</a> }.into_any(),
        None => view! { <span translate="no">{review.author.clone()}</span> }.into_any(),
    };
    let title = (!review.title.is_empty())
        .then(|| view! { <p dir="auto" translate="no"><strong>{review.title.clone()}</strong></p> });
    let text = (!review.text.is_empty())
        .then(|| view! { <p class="report-text" dir="auto" translate="no">{review.text.clone()}</p> });
    let reply = (!review.reply.is_empty()).then(|| {
        let of = t!(i18n, reviews.reply_of, shop = review.shop_name.as_str());
        view! { <p class="note">{of}</p> <p class="report-text" dir="auto" translate="no">{review.reply.clone()}</p> }
    });
    let reports = review.reports.iter().map(|report| {
        let reason = words::report_reason(i18n, report.reason);
        view! {
            <li>
                <span>{reason}</span> " "
                <span class="note">{words::hour(i18n, &report.created_at)}</span>
                <p class="report-text" dir="auto" translate="no">{report.details.clone()}</p>
            </li>
        }
    });
    let reports = (!review.reports.is_empty()).then(|| {
        view! { <ul class="reported" aria-label=t!(i18n, reviews.reports)>{reports.collect_view()}</ul> }
    });
    let note = (!review.note.is_empty()).then(|| {
        let note = t!(i18n, reviews.because, reason = review.note.as_str());
        view! { <p class="report-text note" dir="auto" translate="no">{note}</p> }
    });
    let at = words::hour(i18n, &review.created_at);
    let decide = manages.then(|| form(i18n, &review, draft));
    view! {
        <tr>
            <th scope="row">
                <a href=routes::product(&review.product_slug) translate="no">{review.product_title.clone()}</a>
                <span class="note below"><span class="dots">
                    <span>{tn!(i18n, reviews.stars, review.rating)}</span> " " {author} " "
                    <a href=routes::any_shop(&review.shop_handle) translate="no">{review.shop_name.clone()}</a>
                </span></span>
                <span class=format!("state {label}")>{state}</span>
                {why}
                {title}
                {text}
                {reply}
                {reports}
                {note}
                <span class="note narrow">{at.clone()}</span>
            </th>
            <td class="wide">{at}</td>
            <td class="row-actions">{decide}</td>
        </tr>
    }
    .into_any()
}

/// The form to decide about a review.
fn form(i18n: I18n, review: &ModeratedReview, draft: &Draft) -> AnyView {
    let id = review.id.to_string();
    let typed = draft.typed("id") == id;
    let note = if typed { draft.typed("note") } else { String::new() };
    // Leptos does not escape the content of a textarea.
    let inside = note.replace('&', "&amp;").replace('<', "&lt;");
    let (field, hint) = (format!("note-{id}"), format!("note-hint-{id}"));
    let button = |action: ReviewAction, look: &'static str, words: &'static str| {
        view! { <button type="submit" class=format!("button {look}") name="action" value=action.as_str()>{words}</button> }
    };
    // What is published without reports needs no decision to stay so.
    let keep = match review.state {
        ReviewState::Published => t!(i18n, reviews.keep),
        _ => t!(i18n, reviews.show),
    };
    let publish = (review.state != ReviewState::Published || !review.reports.is_empty())
        .then(|| button(ReviewAction::Publish, "primary", keep));
    let hide = (review.state != ReviewState::Hidden)
        .then(|| button(ReviewAction::Hide, "danger", t!(i18n, reviews.hide)));
    view! {
        <details class="more-of" open=typed>
            <summary>{t!(i18n, admin.action)}</summary>
            <form method="post" action=Part::Reviews.path() class="form" novalidate>
                <input type="hidden" name="id" value=id />
                <input type="hidden" name="version" value=review.version.to_string() />
                <input type="hidden" name="state" value=query("state").get_untracked() />
                <div class="field">
                    <label for=field.clone()>{t!(i18n, reviews.note)}</label>
                    <textarea id=field name="note" rows="3" inner_html=inside aria-describedby=hint.clone()></textarea>
                    <p class="field-hint" id=hint>{t!(i18n, reviews.note_hint)}</p>
                </div>
                {publish}
                {hide}
            </form>
        </details>
    }
    .into_any()
}
