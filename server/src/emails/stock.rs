//! Emails about stock to the owners of a shop.

use haat_app::{
    i18n::{Locale, td_string},
    words,
};
use haat_engine::{TxResult, inventory::StockNotice, notifications::RenderedEmail};

use super::sign_up::{Note, note_about};

/// An order has left few of a variant, or nothing.
pub(super) fn low(locale: Locale, of: &StockNotice, url: &str) -> TxResult<RenderedEmail> {
    let (title, shop) = (of.title.as_str(), of.shop_name.as_str());
    let left = words::number(locale, of.available);
    let (subject, lead) = match of.available {
        0 => (
            td_string!(locale, email.stock_none_subject, title = title),
            td_string!(locale, email.stock_none_lead, title = title, shop = shop),
        ),
        _ => (
            td_string!(locale, email.stock_subject, n = left, title = title),
            td_string!(locale, email.stock_lead, n = left, title = title, shop = shop),
        ),
    };
    note_about(
        &subject,
        &Note {
            locale,
            url,
            button: td_string!(locale, email.stock_button),
            title: td_string!(locale, email.stock),
            lead,
            note: td_string!(locale, email.stock_note).into(),
            reason: td_string!(locale, email.received_reason, shop = shop).into(),
        },
    )
}
