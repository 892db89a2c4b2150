//! Emails about the dispute of a payment to the owners of a shop.

use haat_app::{
    i18n::{Locale, td_string},
    words,
};
use haat_engine::{TxResult, notifications::RenderedEmail};
use haat_shared::{
    disputes::{DisputeState, OrderDispute},
    orders::ShopOrderView,
};

use super::order_news::{self, News};

/// What the owners learn: that a dispute was opened, won or lost. It may have been decided since.
pub(super) fn render(
    locale: Locale,
    of: &ShopOrderView,
    dispute: &OrderDispute,
    became: DisputeState,
    url: &str,
) -> TxResult<RenderedEmail> {
    let (number, shop, held) = (&of.order.number, &of.order.shop_name, words::money(locale, dispute.held));
    let (subject, title, lead) = match became {
        DisputeState::Won => (
            td_string!(locale, email.dispute_won_subject, number = number),
            td_string!(locale, email.dispute_won),
            td_string!(locale, email.dispute_won_lead, shop = shop, price = held),
        ),
        DisputeState::Lost => (
            td_string!(locale, email.dispute_lost_subject, number = number),
            td_string!(locale, email.dispute_lost),
            td_string!(locale, email.dispute_lost_lead, shop = shop, price = held),
        ),
        DisputeState::Open | DisputeState::Inquiry => (
            td_string!(locale, email.disputed_subject, number = number),
            td_string!(locale, email.disputed),
            td_string!(locale, email.disputed_lead, shop = shop, price = held),
        ),
    };
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
        number,
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
