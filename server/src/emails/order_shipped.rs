//! Emails about an order on its way: shipped or ready for pickup, and corrected tracking.

use haat_app::{
    i18n::{Locale, td_string},
    words,
};
use haat_engine::{TxResult, notifications::RenderedEmail};
use haat_shared::{orders::ShopOrderView, shipping::ShippingMethod};

use super::{
    order_news::{self, News},
    parts::label,
};

pub(super) fn shipped(locale: Locale, order: &ShopOrderView, url: &str) -> TxResult<RenderedEmail> {
    let number = &order.order.number;
    let (m, subject) = match order.order.shipping_method {
        ShippingMethod::Pickup => {
            (ready(locale, order, url), td_string!(locale, email.ready_subject, number = number))
        }
        ShippingMethod::Standard | ShippingMethod::Express => {
            (on_its_way(locale, order, url), td_string!(locale, email.shipped_subject, number = number))
        }
    };
    order_news::render(&subject, &m)
}

pub(super) fn tracking_updated(locale: Locale, order: &ShopOrderView, url: &str) -> TxResult<RenderedEmail> {
    let subject = td_string!(locale, email.tracking_subject, number = order.order.number);
    let m = News {
        title: td_string!(locale, email.tracking),
        lead: td_string!(
            locale,
            email.tracking_lead,
            shop = order.order.shop_name,
            name = order.address.name
        ),
        ..on_its_way(locale, order, url)
    };
    order_news::render(&subject, &m)
}

fn on_its_way<'a>(locale: Locale, sent: &'a ShopOrderView, url: &'a str) -> News<'a> {
    let order = &sent.order;
    let (carrier, number, follow) =
        order.shipment.as_ref().map_or(("", "", ""), |s| (&s.carrier, &s.tracking_number, &s.tracking_url));
    let travels = td_string!(locale, purchase.travels, carrier = carrier, number = number).to_string();
    let mut facts = vec![
        (td_string!(locale, seller_orders.shipment), travels.clone()),
        (td_string!(locale, purchase.goes_to), label(locale, &sent.address).join(", ")),
    ];
    if !sent.payment_method.collected_by_market() {
        let cash = td_string!(locale, email.shipped_cash, total = order.totals.total).to_string();
        facts.push((td_string!(locale, purchase.payment), cash));
    }
    News {
        locale,
        url,
        button: td_string!(locale, email.shipped_button),
        title: td_string!(locale, email.shipped),
        lead: td_string!(locale, email.shipped_lead, shop = order.shop_name, name = sent.address.name),
        preheader: travels,
        number: &order.number,
        facts,
        follow,
        orders: std::slice::from_ref(order),
        left_out: 0,
        contents: td_string!(locale, email.shipped_contents),
        reason: td_string!(locale, email.confirmed_reason).to_owned(),
    }
}

fn ready<'a>(locale: Locale, packed: &'a ShopOrderView, url: &'a str) -> News<'a> {
    let order = &packed.order;
    let mut facts = vec![(td_string!(locale, seller_orders.pickup_at), order.pickup_at.clone())];
    if !packed.payment_method.collected_by_market() {
        let cash = td_string!(locale, email.ready_cash, total = order.totals.total);
        facts.push((td_string!(locale, purchase.payment), cash));
    }
    News {
        locale,
        url,
        button: td_string!(locale, email.confirmed_button),
        title: td_string!(locale, email.ready),
        lead: td_string!(locale, email.ready_lead, shop = order.shop_name, name = packed.address.name),
        preheader: words::estimated_delivery(locale, order),
        number: &order.number,
        facts,
        follow: "",
        orders: std::slice::from_ref(order),
        left_out: 0,
        contents: td_string!(locale, email.shipped_contents),
        reason: td_string!(locale, email.confirmed_reason).to_owned(),
    }
}
