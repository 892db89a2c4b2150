//! The email with a gift card that someone bought.

use askama::Template;
use haat_app::{
    i18n::{Locale, td_string},
    words,
};
use haat_engine::{TxResult, gift_cards::GiftCardNotice, notifications::RenderedEmail};

use super::parts::rendered;

struct Card<'a> {
    locale: Locale,
    url: &'a str,
    lead: String,
    amount: String,
    code: &'a str,
    /// The paragraphs of the message.
    message: Vec<&'a str>,
    /// Empty if the giver has not said who they are.
    from: String,
}

#[derive(Template)]
#[template(path = "mail/gift_card.html")]
struct CardHtml<'a> {
    m: &'a Card<'a>,
}

#[derive(Template)]
#[template(path = "mail/gift_card.txt")]
struct CardText<'a> {
    m: &'a Card<'a>,
}

pub(super) fn render(locale: Locale, card: &GiftCardNotice, url: &str) -> TxResult<RenderedEmail> {
    let (gift, sender) = (&card.gift, card.gift.sender_name.as_str());
    let subject = match sender {
        "" => td_string!(locale, email.gift_subject, price = gift.amount),
        name => td_string!(locale, email.gift_subject_from, name = name, price = gift.amount),
    };
    let m = &Card {
        locale,
        url,
        lead: match gift.recipient_name.as_str() {
            "" => td_string!(locale, email.gift_lead_plain).to_owned(),
            name => td_string!(locale, email.gift_lead, name = name),
        },
        amount: words::money(locale, gift.amount),
        code: &card.code,
        message: gift.message.lines().collect(),
        from: match sender {
            "" => String::new(),
            name => td_string!(locale, email.gift_from, name = name),
        },
    };
    rendered(&subject, &CardText { m }, CardHtml { m }.render())
}
