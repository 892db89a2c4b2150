//! Emails about the dispute of a payment to the owners of a shop.

use haat_app::{
    i18n::{Locale, td_string},
    words,
};
use haat_engine::{TxResult, notifications::RenderedEmail};
use haat_shared::{disputes::OrderDispute, orders::ShopOrderView};

use super::order_news::{self, News};

pub(super) fn opened(
    locale: Locale,
    of: &ShopOrderView,
    dispute: &OrderDispute,
    url: &str,
) -> TxResult<RenderedEmail> {
    let (shop, held) = (&of.order.shop_name, words::money(locale, dispute.held));
    let subject = td_string!(locale, email.disputed_subject, number = of.order.number);
    let lead = td_string!(locale, email.disputed_lead, shop = shop, price = held);
    about(locale, (of, dispute), (subject, td_string!(locale, email.disputed), lead), url)
}

pub(super) fn won(
    locale: Locale,
    of: &ShopOrderView,
    dispute: &OrderDispute,
    url: &str,
) -> TxResult<RenderedEmail> {
    let (shop, held) = (&of.order.shop_name, words::money(locale, dispute.held));
    let subject = td_string!(locale, email.dispute_won_subject, number = of.order.number);
    let lead = td_string!(locale, email.dispute_won_lead, shop = shop, price = held);
    about(locale, (of, dispute), (subject, td_string!(locale, email.dispute_won), lead), url)
}

pub(super) fn lost(
    locale: Locale,
    of: &ShopOrderView,
    dispute: &OrderDispute,
    url: &str,
) -> TxResult<RenderedEmail> {
    let (shop, held) = (&of.order.shop_name, words::money(locale, dispute.held));
    let subject = td_string!(locale, email.dispute_lost_subject, number = of.order.number);
    let lead = td_string!(locale, email.dispute_lost_lead, shop = shop, price = held);
    about(locale, (of, dispute), (subject, td_string!(locale, email.dispute_lost), lead), url)
}

/// The subject, the title and the lead.
type Said = (String, &'static str, String);

fn about(
    locale: Locale,
    (of, dispute): (&ShopOrderView, &OrderDispute),
    (subject, title, lead): Said,
    url: &str,
) -> TxResult<RenderedEmail> {
    let amount = words::money(locale, dispute.amount);
    let reason = (!dispute.reason.is_empty())
        .then(|| (td_string!(locale, email.dispute_reason), words::dispute_reason(&dispute.reason)));
    let first = (td_string!(locale, email.dispute_amount), amount.clone());
    let m = News {
        locale,
        url,
        button: td_string!(locale, email.received_button),
        title,
        lead,
        preheader: amount,
        number: &of.order.number,
        facts: [first].into_iter().chain(reason).collect(),
        follow: "",
        orders: std::slice::from_ref(&of.order),
        totals: true,
        left_out: 0,
        contents: td_string!(locale, email.dispute_contents),
        reason: td_string!(locale, email.received_reason, shop = of.order.shop_name),
    };
    order_news::render(&subject, &m)
}
