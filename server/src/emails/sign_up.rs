//! Short messages with one button, such as those about signing up.

use std::borrow::Cow;

use askama::Template;
use haat_app::i18n::{Locale, td_string};
use haat_engine::{TxResult, notifications::RenderedEmail};

use super::parts::rendered;

/// A short message with one button.
pub(super) struct Note<'a> {
    pub(super) locale: Locale,
    pub(super) url: &'a str,
    pub(super) button: &'static str,
    pub(super) title: &'static str,
    pub(super) lead: String,
    pub(super) note: Cow<'static, str>,
    pub(super) reason: Cow<'static, str>,
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
        note: td_string!(locale, email.sign_up_note).into(),
        reason: td_string!(locale, email.sign_up_reason).into(),
    })
}

pub(super) fn account_exists(locale: Locale, name: &str, url: &str) -> TxResult<RenderedEmail> {
    note(&Note {
        locale,
        url,
        button: td_string!(locale, sign_in.title),
        title: td_string!(locale, email.exists),
        lead: td_string!(locale, email.exists_lead, name = name),
        note: td_string!(locale, email.exists_note).into(),
        reason: td_string!(locale, email.sign_up_reason).into(),
    })
}

pub(super) fn password_reset(locale: Locale, name: &str, url: &str) -> TxResult<RenderedEmail> {
    note(&Note {
        locale,
        url,
        button: td_string!(locale, email.reset_button),
        title: td_string!(locale, email.reset),
        lead: td_string!(locale, email.reset_lead, name = name),
        note: td_string!(locale, email.reset_note).into(),
        reason: td_string!(locale, email.reset_reason).into(),
    })
}

pub(super) fn sign_in_code(locale: Locale, name: &str, code: &str, url: &str) -> TxResult<RenderedEmail> {
    // The title is the subject, which the delivery log keeps: it must not have the code.
    note(&Note {
        locale,
        url,
        button: td_string!(locale, email.code_button),
        title: td_string!(locale, email.code),
        lead: td_string!(locale, email.code_lead, name = name, code = code),
        note: td_string!(locale, email.code_note).into(),
        reason: td_string!(locale, email.code_reason).into(),
    })
}

pub(super) fn password_changed(locale: Locale, name: &str, url: &str) -> TxResult<RenderedEmail> {
    note(&Note {
        locale,
        url,
        button: td_string!(locale, email.password_changed_button),
        title: td_string!(locale, email.password_changed),
        lead: td_string!(locale, email.password_changed_lead, name = name),
        note: td_string!(locale, email.password_changed_note).into(),
        reason: td_string!(locale, email.account_reason).into(),
    })
}

pub(super) fn note(m: &Note<'_>) -> TxResult<RenderedEmail> {
    note_about(m.title, m)
}

/// A message whose subject says more than its title.
pub(super) fn note_about(subject: &str, m: &Note<'_>) -> TxResult<RenderedEmail> {
    rendered(subject, &NoteText { m }, NoteHtml { m }.render())
}
