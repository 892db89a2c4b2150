//! Invitations to the staff of shops.

use haat_app::{
    i18n::{Locale, td_string},
    words,
};
use haat_engine::{TxResult, notifications::RenderedEmail, staff::InvitationNotice};

use super::sign_up::{Note, note_about};

pub(super) fn invited(locale: Locale, of: &InvitationNotice, url: &str) -> TxResult<RenderedEmail> {
    let (shop, role) = (of.shop.as_str(), words::role(locale, of.role));
    let m = Note {
        locale,
        url,
        button: td_string!(locale, email.invited_button),
        title: td_string!(locale, email.invited),
        lead: td_string!(locale, email.invited_lead, shop = shop, role = role),
        note: td_string!(locale, email.invited_note).into(),
        reason: td_string!(locale, email.invited_reason, shop = shop).into(),
    };
    note_about(&td_string!(locale, email.invited_subject, shop = shop), &m)
}
