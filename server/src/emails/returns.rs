//! Emails about returns: the customer's request to the shop, and the answer to the customer.

use haat_app::{
    i18n::{Locale, td_string},
    words,
};
use haat_engine::{TxResult, notifications::RenderedEmail};
use haat_shared::{orders::ShopOrderView, returns::OrderReturn};

use super::order_news::{self, News, only};

pub(super) fn requested(
    locale: Locale,
    of: &ShopOrderView,
    back: &OrderReturn,
    url: &str,
) -> TxResult<RenderedEmail> {
    let (order, contents) = (&of.order, &only(&of.order, &back.lines));
    let date = words::moment(locale, &back.answer_by);
    let subject = td_string!(locale, email.return_requested_subject, number = order.number);
    let reason = words::return_reason(locale, back.reason);
    let note = (!back.note.is_empty()).then(|| (td_string!(locale, email.return_note), back.note.clone()));
    let m = News {
        locale,
        url,
        button: td_string!(locale, email.return_requested_button),
        title: td_string!(locale, email.return_requested),
        lead: td_string!(locale, email.return_requested_lead, shop = order.shop_name, date = date),
        preheader: reason.to_owned(),
        number: &order.number,
        facts: [(td_string!(locale, email.return_reason), reason.to_owned())]
            .into_iter()
            .chain(note)
            .collect(),
        follow: "",
        orders: std::slice::from_ref(contents),
        totals: false,
        left_out: 0,
        contents: td_string!(locale, email.return_contents),
        reason: td_string!(locale, email.received_reason, shop = order.shop_name),
    };
    order_news::render(&subject, &m)
}

pub(super) fn approved(
    locale: Locale,
    of: &ShopOrderView,
    back: &OrderReturn,
    url: &str,
) -> TxResult<RenderedEmail> {
    let (shop, name) = (&of.order.shop_name, &of.address.parts.name);
    let subject = td_string!(locale, email.return_approved_subject, number = of.order.number);
    let title = td_string!(locale, email.return_approved);
    let lead = td_string!(locale, email.return_approved_lead, shop = shop, name = name);
    let answer = (td_string!(locale, email.return_to), back.answer.as_str());
    answered(&subject, (title, lead), answer, (locale, of, back, url))
}

pub(super) fn rejected(
    locale: Locale,
    of: &ShopOrderView,
    back: &OrderReturn,
    url: &str,
) -> TxResult<RenderedEmail> {
    let (shop, name) = (&of.order.shop_name, &of.address.parts.name);
    let subject = td_string!(locale, email.return_rejected_subject, number = of.order.number);
    let title = td_string!(locale, email.return_rejected);
    let lead = td_string!(locale, email.return_rejected_lead, shop = shop, name = name);
    let answer = (td_string!(locale, email.return_reason), back.answer.as_str());
    answered(&subject, (title, lead), answer, (locale, of, back, url))
}

pub(super) fn exchanged(
    locale: Locale,
    of: &ShopOrderView,
    back: &OrderReturn,
    url: &str,
) -> TxResult<RenderedEmail> {
    let (shop, name) = (&of.order.shop_name, &of.address.parts.name);
    let subject = td_string!(locale, email.return_exchanged_subject, number = of.order.number);
    let title = td_string!(locale, email.return_exchanged);
    let lead = td_string!(locale, email.return_exchanged_lead, shop = shop, name = name);
    let other = back.exchange_order.as_deref().unwrap_or_default();
    let other = (td_string!(locale, email.return_exchanged_order), other);
    answered(&subject, (title, lead), other, (locale, of, back, url))
}

/// What has become of a request, with a fact under its heading.
fn answered(
    subject: &str,
    (title, lead): (&'static str, String),
    (heading, fact): (&'static str, &str),
    (locale, of, back, url): (Locale, &ShopOrderView, &OrderReturn, &str),
) -> TxResult<RenderedEmail> {
    let (order, contents) = (&of.order, &only(&of.order, &back.lines));
    let m = News {
        locale,
        url,
        button: td_string!(locale, email.return_button),
        title,
        lead,
        preheader: fact.to_owned(),
        number: &order.number,
        facts: vec![(heading, fact.to_owned())],
        follow: "",
        orders: std::slice::from_ref(contents),
        totals: false,
        left_out: 0,
        contents: td_string!(locale, email.return_contents),
        reason: td_string!(locale, email.confirmed_reason).to_owned(),
    };
    order_news::render(subject, &m)
}
