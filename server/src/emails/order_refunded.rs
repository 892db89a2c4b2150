//! The emails about a refund of a part of an order: to the customer, and to the shop if the marketplace refunds it.

use haat_app::{
    i18n::{Locale, td_string},
    words,
};
use haat_engine::{TxResult, notifications::RenderedEmail};
use haat_shared::{
    Money,
    orders::{OrderRefund, OrderState, OrderView, RefundReason, ShopOrderView},
    pricing::Totals,
};

use super::order_news::{self, News, only};

pub(super) fn render(
    locale: Locale,
    of: &ShopOrderView,
    refund: &OrderRefund,
    why: &str,
    url: &str,
) -> TxResult<RenderedEmail> {
    if refund.reason == RefundReason::Unshipped {
        return unshipped(locale, of, refund, why, url);
    }
    let (order, contents) = (&of.order, &refunded(&of.order, refund));
    let (shop, name, price) = (&order.shop_name, &of.address.parts.name, words::money(locale, refund.amount));
    let money = match of.payment_method.collected_by_market() {
        true => words::refunds(locale, &[refund]).unwrap_or_default(),
        false => td_string!(locale, purchase.part_refunded_cash, total = price),
    };
    let reason = (!why.is_empty()).then(|| (td_string!(locale, seller_orders.reason), why.to_owned()));
    let shipping = (refund.shipping.amount() > 0)
        .then(|| (td_string!(locale, email.refunded_shipping), words::money(locale, refund.shipping)));
    let first = (td_string!(locale, email.cancelled_money), money.clone());
    let subject = td_string!(locale, email.refunded_subject, price = price, number = order.number);
    let m = News {
        locale,
        url,
        button: td_string!(locale, email.return_button),
        title: td_string!(locale, email.refunded),
        lead: td_string!(locale, email.refunded_lead, price = price, shop = shop, name = name),
        preheader: money,
        number: &order.number,
        facts: [first].into_iter().chain(shipping).chain(reason).collect(),
        follow: "",
        // Only the shipping costs may be refunded.
        orders: if contents.lines.is_empty() { &[] } else { std::slice::from_ref(contents) },
        totals: true,
        left_out: 0,
        contents: td_string!(locale, email.refunded_contents),
        reason: td_string!(locale, email.confirmed_reason).to_owned(),
    };
    order_news::render(&subject, &m)
}

/// What is refunded of an order: its lines, and what they come to after discounts and added taxes, with the refunded shipping.
fn refunded(order: &OrderView, refund: &OrderRefund) -> OrderView {
    let of = only(order, &refund.lines);
    let currency = refund.amount.currency();
    let listed: i64 = of.lines.iter().map(|line| line.total.amount()).sum();
    let paid = refund.amount.amount() - refund.shipping.amount();
    let money = |amount| Money::new(amount, currency);
    let totals = Totals {
        subtotal: money(listed),
        discount: money((listed - paid).max(0)),
        shipping: refund.shipping,
        tax: money((paid - listed).max(0)),
        total: refund.amount,
    };
    // What is refunded has no delivery to look forward to.
    OrderView { totals, discounts: Vec::new(), taxes: Vec::new(), state: OrderState::Cancelled, ..of }
}

pub(super) fn by_market(
    locale: Locale,
    of: &ShopOrderView,
    refund: &OrderRefund,
    why: &str,
    url: &str,
) -> TxResult<RenderedEmail> {
    let (order, contents) = (&of.order, &refunded(&of.order, refund));
    let (shop, price) = (&order.shop_name, words::money(locale, refund.amount));
    let balance = td_string!(locale, email.refunded_by_market_balance);
    let reason = (td_string!(locale, seller_orders.reason), why.to_owned());
    let shipping = (refund.shipping.amount() > 0)
        .then(|| (td_string!(locale, email.refunded_shipping), words::money(locale, refund.shipping)));
    let first = (td_string!(locale, balance.title), balance.to_owned());
    let subject = td_string!(locale, email.refunded_by_market_subject, price = price, number = order.number);
    let m = News {
        locale,
        url,
        button: td_string!(locale, email.withdrawn_button),
        title: td_string!(locale, email.refunded_by_market),
        lead: td_string!(locale, email.refunded_by_market_lead, price = price, shop = shop),
        preheader: balance.to_owned(),
        number: &order.number,
        facts: [reason].into_iter().chain(shipping).chain([first]).collect(),
        follow: "",
        orders: if contents.lines.is_empty() { &[] } else { std::slice::from_ref(contents) },
        totals: true,
        left_out: 0,
        contents: td_string!(locale, email.refunded_contents),
        reason: td_string!(locale, email.received_reason, shop = shop),
    };
    order_news::render(&subject, &m)
}

/// Items of a cash order won't be shipped: there is less to pay.
fn unshipped(
    locale: Locale,
    of: &ShopOrderView,
    refund: &OrderRefund,
    why: &str,
    url: &str,
) -> TxResult<RenderedEmail> {
    let (order, contents) = (&of.order, &only(&of.order, &refund.lines));
    let (shop, name, price) = (&order.shop_name, &of.address.parts.name, words::money(locale, refund.amount));
    let reason = (!why.is_empty()).then(|| (td_string!(locale, seller_orders.reason), why.to_owned()));
    let less = (td_string!(locale, email.unshipped_money), price.clone());
    let subject = td_string!(locale, email.unshipped_subject, number = order.number);
    let lead = td_string!(locale, email.unshipped_lead, price = price, shop = shop, name = name);
    let m = News {
        locale,
        url,
        button: td_string!(locale, email.return_button),
        title: td_string!(locale, email.unshipped),
        preheader: lead.clone(),
        lead,
        number: &order.number,
        facts: [less].into_iter().chain(reason).collect(),
        follow: "",
        orders: std::slice::from_ref(contents),
        totals: false,
        left_out: 0,
        contents: td_string!(locale, email.unshipped_contents),
        reason: td_string!(locale, email.confirmed_reason).to_owned(),
    };
    order_news::render(&subject, &m)
}
