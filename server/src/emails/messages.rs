//! Emails about messages that were not read.

use haat_app::i18n::{Locale, td_string, tn};
use haat_engine::{TxResult, chat::UnreadMessages, notifications::RenderedEmail};
use haat_shared::chat::Side;

use super::sign_up::{Note, note_about};

/// Someone has unread messages in a conversation.
pub(super) fn unread(locale: Locale, of: &UnreadMessages, url: &str) -> TxResult<RenderedEmail> {
    let (name, shop) = (of.from.as_str(), of.shop_name.as_str());
    let lead = match of.excerpt.as_str() {
        "" => td_string!(locale, email.messages_lead, name = name),
        text => td_string!(locale, email.messages_lead_text, name = name, text = text),
    };
    let reason = match of.to {
        Side::Shopper => td_string!(locale, email.messages_reason).into(),
        Side::Shop => td_string!(locale, email.messages_reason_shop, shop = shop).into(),
    };
    note_about(
        &td_string!(locale, email.messages_subject, name = name),
        &Note {
            locale,
            url,
            button: td_string!(locale, email.messages_button),
            title: td_string!(locale, email.messages),
            lead,
            note: tn!(locale, email.messages_count, of.count).into(),
            reason,
        },
    )
}
