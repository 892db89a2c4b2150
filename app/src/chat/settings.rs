//! How a shop answers: its saved answers, and its away message with the hours in which it answers itself.

use haat_shared::{
    chat::{AnswerSettings, QuickReply},
    forms::Draft,
};
use leptos::prelude::*;

use crate::{
    i18n::t,
    ui::{Alert, Button},
    words::{self, I18n},
};

/// The settings, as forms that are sent to the page of conversations.
pub(super) fn shown(i18n: I18n, action: String, of: AnswerSettings, draft: Draft, done: &str) -> AnyView {
    let fault = draft.error.clone().map(|error| {
        let words = match &error {
            haat_shared::Error::Invalid(faults) => {
                let hours = |field: &str| field.starts_with("opens.") || field.starts_with("closes.");
                let (about_hours, others): (Vec<_>, Vec<_>) =
                    faults.iter().partition(|fault| hours(&fault.field));
                let others = others.into_iter().map(|fault| words::fault(i18n, &fault.field, fault.code));
                let about_hours = (!about_hours.is_empty()).then(|| t!(i18n, chat.not_hours).to_owned());
                others.chain(about_hours).collect::<Vec<_>>().join(" ")
            }
            error => words::error(i18n, error),
        };
        view! { <Alert>{words}</Alert> }
    });
    let saved = (!done.is_empty()).then(|| view! { <Alert look="good">{t!(i18n, chat.saved)}</Alert> });
    let draft_of = |action: &str, id: &str| {
        Some(&draft).filter(|draft| draft.typed("action") == action && draft.typed("reply") == id)
    };
    let form = |of: Option<QuickReply>| {
        let id = of.as_ref().map(|of| of.id.to_string()).unwrap_or_default();
        let (name, text) = of.map(|of| (of.name, of.text)).unwrap_or_default();
        let (summary, verb) = match name.is_empty() {
            true => (t!(i18n, chat.add_reply).to_owned(), "add"),
            false => (name.clone(), "save"),
        };
        let typed = draft_of(verb, &id);
        let (name, text) = typed.map_or((name, text), |draft| (draft.typed("name"), draft.typed("text")));
        let inside = text.replace('&', "&amp;").replace('<', "&lt;");
        let (for_name, for_text) = (format!("name-{id}"), format!("text-{id}"));
        let delete = (verb == "save").then(|| {
            view! { <button type="submit" class="button danger" name="action" value="delete">{t!(i18n, chat.delete)}</button> }
        });
        view! {
            <details open=typed.is_some()>
                <summary>{summary}</summary>
                <form method="post" action=action.clone() class="form" novalidate>
                    <input type="hidden" name="reply" value=id />
                    <div class="field">
                        <label for=for_name.clone()>{t!(i18n, chat.reply_name)}</label>
                        <input id=for_name name="name" value=name />
                    </div>
                    <div class="field">
                        <label for=for_text.clone()>{t!(i18n, chat.text)}</label>
                        <textarea id=for_text name="text" rows="3" inner_html=inside></textarea>
                    </div>
                    <div class="actions">
                        <button type="submit" class="button secondary" name="action" value=verb>{t!(i18n, chat.save)}</button>
                        {delete}
                    </div>
                </form>
            </details>
        }
    };
    let replies = of.replies.into_iter().map(|of| view! { <li>{form(Some(of))}</li> }).collect_view();
    let typed = draft_of("away", "");
    let away = typed.map_or(of.away.text, |draft| draft.typed("away"));
    let inside = away.replace('&', "&amp;").replace('<', "&lt;");
    let clock = |minutes: i64| format!("{:02}:{:02}", minutes / 60, minutes % 60);
    let days = of.away.hours.0.into_iter().enumerate().map(|(day, hours)| {
        // The names begin with Sunday.
        let name = crate::locales::weekday::d0.later((day + 1) % 7).of(i18n);
        let field = |key: &str, label: &'static str, minutes: Option<i64>| {
            let key = format!("{key}.{day}");
            let value =
                typed.map_or_else(|| minutes.map(clock).unwrap_or_default(), |draft| draft.typed(&key));
            let label = format!("{name}: {label}");
            view! { <input type="time" name=key value=value aria-label=label /> }
        };
        let (opens, closes) = (hours.map(|(opens, _)| opens), hours.map(|(_, closes)| closes));
        view! {
            <li class="chat-hours">
                <span>{name}</span>
                {field("opens", t!(i18n, chat.opens), opens)}
                {field("closes", t!(i18n, chat.closes), closes)}
            </li>
        }
    });
    let days = days.collect_view();
    view! {
        <section class="panel" aria-labelledby="answers">
            <h2 id="answers">{t!(i18n, chat.replies)}</h2>
            {fault}
            {saved}
            <p class="note">{t!(i18n, chat.replies_note)}</p>
            <ul class="chat-replies">{replies}</ul>
            {form(None)}
        </section>
        <section class="panel" aria-labelledby="away-title">
            <h2 id="away-title">{t!(i18n, chat.away)}</h2>
            <form method="post" action=action.clone() class="form" novalidate>
                <div class="field">
                    <label for="away">{t!(i18n, chat.away_text)}</label>
                    <textarea id="away" name="away" rows="3" inner_html=inside aria-describedby="away-note"></textarea>
                    <p class="note" id="away-note">{t!(i18n, chat.away_note)}</p>
                </div>
                <fieldset class="bare">
                    <legend>{t!(i18n, chat.hours)}</legend>
                    <p class="note">{t!(i18n, chat.hours_note)}</p>
                    <ul class="chat-replies">{days}</ul>
                </fieldset>
                <input type="hidden" name="action" value="away" />
                <div class="actions"><Button>{t!(i18n, chat.save)}</Button></div>
            </form>
        </section>
    }
    .into_any()
}
