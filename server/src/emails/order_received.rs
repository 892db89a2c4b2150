//! The new-order email to a shop.

use askama::Template;
use haat_app::{
    i18n::{Locale, td_string, tn},
    sums::sums,
    words,
};
use haat_engine::{TxResult, notifications::RenderedEmail};
use haat_shared::{
    Money,
    orders::{OrderView, ShopOrderView},
    shipping::ShippingMethod,
};

use super::parts::{fitting, label, left_out, rendered};

#[derive(Clone)]
struct Received<'a> {
    locale: Locale,
    url: &'a str,
    shop: &'a str,
    number: &'a str,
    date: String,
    items: String,
    tax: String,
    orders: &'a [OrderView],
    left_out: usize,
    total: Money,
    payment: String,
    commission: Money,
    lead: String,
    /// What the address is.
    goes_to: &'static str,
    address: Vec<String>,
}

impl Received<'_> {
    fn left_out(&self) -> String {
        left_out(self.locale, self.left_out)
    }

    fn estimated_delivery(&self, order: &OrderView) -> String {
        words::estimated_delivery(self.locale, order)
    }
}

#[derive(Template)]
#[template(path = "mail/order_received.html")]
struct ReceivedHtml<'a> {
    m: &'a Received<'a>,
}

#[derive(Template)]
#[template(path = "mail/order_received.txt")]
struct ReceivedText<'a> {
    m: &'a Received<'a>,
}

pub(super) fn render(locale: Locale, sold: &ShopOrderView, url: &str) -> TxResult<RenderedEmail> {
    let m = &received(locale, sold, url);
    let subject = td_string!(locale, email.received_subject, number = m.number, total = m.total).to_string();
    let html = fitting(m.orders, |orders, left_out| {
        ReceivedHtml { m: &Received { orders, left_out, ..m.clone() } }.render()
    });
    rendered(&subject, &ReceivedText { m }, html)
}

fn received<'a>(locale: Locale, sold: &'a ShopOrderView, url: &'a str) -> Received<'a> {
    let order = &sold.order;
    let (lead, goes_to) = match order.shipping_method {
        ShippingMethod::Pickup => (
            td_string!(locale, email.received_lead_pickup, shop = order.shop_name),
            td_string!(locale, seller_orders.customer),
        ),
        ShippingMethod::Appointment => (
            td_string!(locale, email.received_lead_appointment, shop = order.shop_name),
            td_string!(locale, seller_orders.customer),
        ),
        ShippingMethod::Standard | ShippingMethod::Express | ShippingMethod::Slot => (
            td_string!(locale, email.received_lead, shop = order.shop_name),
            td_string!(locale, seller_orders.goes_to),
        ),
    };
    Received {
        locale,
        url,
        shop: &order.shop_name,
        number: &order.number,
        date: words::moment(locale, &sold.placed_at),
        items: items(locale, order),
        tax: sums(locale, &order.totals, &order.discounts, &order.taxes, false).1,
        orders: std::slice::from_ref(order),
        left_out: 0,
        total: order.totals.total,
        payment: words::collected_by(locale, sold.payment_method, order, order.to_collect()),
        commission: sold.commission,
        lead,
        goes_to,
        address: label(locale, &sold.address.parts),
    }
}

/// The number of lines of all orders.
fn items(locale: Locale, order: &OrderView) -> String {
    tn!(locale, email.items, order.lines.iter().map(|line| line.quantity).sum::<i64>())
}
