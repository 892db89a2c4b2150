//! Emails about reviews: to those who answer customers, and to those who can write one.

use haat_app::i18n::{Locale, td_string, tn};
use haat_engine::{TxResult, notifications::RenderedEmail, reviews::ReviewNotice};

use haat_shared::orders::ShopOrderView;

use super::sign_up::{Note, note_about};

/// A product of the shop has a new review.
pub(super) fn published(locale: Locale, of: &ReviewNotice, url: &str) -> TxResult<RenderedEmail> {
    let (title, shop) = (of.product_title.as_str(), of.shop_name.as_str());
    let stars = tn!(locale, reviews.stars, of.rating);
    let lead = match of.excerpt.as_str() {
        "" => td_string!(locale, email.review_lead, title = title, stars = stars),
        text => td_string!(locale, email.review_lead_text, title = title, stars = stars, text = text),
    };
    note_about(
        &td_string!(locale, email.review_subject, title = title, stars = stars),
        &Note {
            locale,
            url,
            button: td_string!(locale, email.review_button),
            title: td_string!(locale, email.review),
            lead,
            note: td_string!(locale, email.review_note).into(),
            reason: td_string!(locale, email.messages_reason_shop, shop = shop).into(),
        },
    )
}

/// To the customer: what arrived can be reviewed.
pub(super) fn invited(locale: Locale, of: &ShopOrderView, url: &str) -> TxResult<RenderedEmail> {
    let (shop, name) = (of.order.shop_name.as_str(), of.address.parts.name.as_str());
    let items: Vec<&str> = of.order.lines.iter().map(|line| line.title.as_str()).collect();
    note_about(
        &td_string!(locale, email.review_invited_subject, shop = shop),
        &Note {
            locale,
            url,
            button: td_string!(locale, email.review_invited_button),
            title: td_string!(locale, email.review_invited),
            lead: td_string!(locale, email.review_invited_lead, shop = shop, name = name),
            note: items.join(" · ").into(),
            reason: td_string!(locale, email.review_invited_reason).into(),
        },
    )
}
