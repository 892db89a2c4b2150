//! The form that reports a message, or the conversation, to the operator.

use haat_shared::{
    forms::Draft,
    id::kinds::MessageId,
    reports::{REPORTED_MAX, ReportReason},
    routes,
};
use leptos::prelude::*;

use crate::{
    i18n::t,
    ui::{Button, LinkButton, Select, TextArea},
    words::{self, I18n},
};

/// What the address says instead of the ID of a message.
pub(super) const CONVERSATION: &str = "conversation";

/// The address of the form about this message, or the conversation.
pub(super) fn address(page: &str, about: &str) -> String {
    format!("{}#report", routes::with(page, &[("report", about)]))
}

/// The form, on the page of a conversation.
pub(super) fn shown(i18n: I18n, page: &str, about: String, draft: &Draft) -> AnyView {
    let message = about.parse::<MessageId>().ok().map(|id| id.to_string());
    let (title, note) = match message {
        Some(_) => (t!(i18n, reports.message_title), t!(i18n, reports.message_note).to_owned()),
        None => (t!(i18n, reports.conversation_title), t!(i18n, reports.conversation_note, n = REPORTED_MAX)),
    };
    let reported = draft.typed("action") == "report";
    let faults = Signal::stored(draft.error.clone().filter(|_| reported));
    let typed = |field: &str| if reported { draft.typed(field) } else { String::new() };
    let reason = match typed("reason") {
        reason if reason.is_empty() => ReportReason::Spam.as_str().to_owned(),
        reason => reason,
    };
    let options =
        ReportReason::ALL.map(|reason| (reason.as_str(), words::report_reason(i18n, reason))).to_vec();
    view! {
        <section class="panel" id="report" aria-labelledby="report-title">
            <h2 id="report-title">{title}</h2>
            <p class="note">{note}</p>
            <form method="post" action=page.to_owned() class="form" novalidate>
                <input type="hidden" name="action" value="report" />
                <input type="hidden" name="report" value=about />
                <input type="hidden" name="message" value=message />
                <Select name="reason" label=t!(i18n, reports.reason) value=reason options faults />
                <TextArea name="details" label=t!(i18n, reports.details) value=typed("details") optional=true faults />
                <div class="actions">
                    <Button>{t!(i18n, reports.send)}</Button>
                    <LinkButton look="quiet" href=page>{t!(i18n, reports.cancel)}</LinkButton>
                </div>
            </form>
        </section>
    }
    .into_any()
}
