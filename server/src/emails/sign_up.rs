//! Emails about signing up: a short message with one button.

use askama::Template;
use haat_app::i18n::{Locale, td_string};
use haat_engine::{TxResult, notifications::RenderedEmail};

use super::parts::rendered;

/// A short message with one button.
struct Note<'a> {
    locale: Locale,
    url: &'a str,
    button: &'static str,
    title: &'static str,
    lead: String,
    note: &'static str,
    reason: &'static str,
}

#[derive(Template)]
#[template(path = "mail/note.html")]
struct NoteHtml<'a> {
    m: &'a Note<'a>,
}

#[derive(Template)]
#[template(path = "mail/note.txt")]
struct NoteText<'a> {
    m: &'a Note<'a>,
}

pub(super) fn confirm(locale: Locale, name: &str, url: &str) -> TxResult<RenderedEmail> {
    note(&Note {
        locale,
        url,
        button: td_string!(locale, email.sign_up_button),
        title: td_string!(locale, email.sign_up),
        lead: td_string!(locale, email.sign_up_lead, name = name),
        note: td_string!(locale, email.sign_up_note),
        reason: td_string!(locale, email.sign_up_reason),
    })
}

pub(super) fn account_exists(locale: Locale, name: &str, url: &str) -> TxResult<RenderedEmail> {
    note(&Note {
        locale,
        url,
        button: td_string!(locale, sign_in.title),
        title: td_string!(locale, email.exists),
        lead: td_string!(locale, email.exists_lead, name = name),
        note: td_string!(locale, email.exists_note),
        reason: td_string!(locale, email.sign_up_reason),
    })
}

fn note(m: &Note<'_>) -> TxResult<RenderedEmail> {
    rendered(m.title, &NoteText { m }, NoteHtml { m }.render())
}
