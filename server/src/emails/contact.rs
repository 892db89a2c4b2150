//! Emails about messages from the contact page.

use haat_app::i18n::{Locale, td_string};
use haat_engine::{TxResult, contact::ContactNotice, notifications::RenderedEmail};

use super::sign_up::{Note, note, note_about};

/// To the support address: someone has written.
pub(super) fn received(locale: Locale, of: &ContactNotice, url: &str) -> TxResult<RenderedEmail> {
    let name = of.name.as_str();
    note_about(
        &td_string!(locale, email.contact_subject, name = name),
        &Note {
            locale,
            url,
            button: td_string!(locale, email.contact_button),
            title: td_string!(locale, email.contact),
            lead: of.message.clone(),
            note: td_string!(locale, email.contact_from, name = name, email = of.email).into(),
            reason: td_string!(locale, email.contact_reason).into(),
        },
    )
}

/// To whoever has written: the answer.
pub(super) fn answered(locale: Locale, of: &ContactNotice, url: &str) -> TxResult<RenderedEmail> {
    note(&Note {
        locale,
        url,
        button: td_string!(locale, email.answer_button),
        title: td_string!(locale, email.answer),
        lead: of.answer.clone(),
        note: td_string!(locale, email.answer_to, message = of.message).into(),
        reason: td_string!(locale, email.answer_reason).into(),
    })
}
