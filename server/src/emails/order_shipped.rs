//! Emails about an order on its way, or a part of it: shipped or ready for pickup, and corrected tracking.

use haat_app::{
    i18n::{Locale, td_string},
    words,
};
use haat_engine::{TxResult, notifications::RenderedEmail, orders::Parcel};
use haat_shared::{
    orders::{OrderView, ShopOrderView},
    shipping::ShippingMethod,
};

use super::{
    order_news::{self, News, only},
    parts::label,
};

/// What the email is about.
struct Sent<'a> {
    locale: Locale,
    order: &'a ShopOrderView,
    parcel: &'a Parcel,
    /// What is in the parcel, as an order.
    contents: &'a OrderView,
    url: &'a str,
}

pub(super) fn shipped(
    locale: Locale,
    order: &ShopOrderView,
    parcel: &Parcel,
    url: &str,
) -> TxResult<RenderedEmail> {
    let contents = &only(&order.order, &parcel.lines);
    let sent = Sent { locale, order, parcel, contents, url };
    let number = &order.order.number;
    let (m, subject) = match (order.order.shipping_method, sent.is_part()) {
        (ShippingMethod::Pickup | ShippingMethod::Appointment, false) => {
            (ready(&sent), td_string!(locale, email.ready_subject, number = number).to_string())
        }
        (ShippingMethod::Pickup | ShippingMethod::Appointment, true) => {
            (ready(&sent), td_string!(locale, email.ready_part_subject, number = number).to_string())
        }
        (ShippingMethod::Standard | ShippingMethod::Express | ShippingMethod::Slot, false) => {
            (on_its_way(&sent), td_string!(locale, email.shipped_subject, number = number).to_string())
        }
        (ShippingMethod::Standard | ShippingMethod::Express | ShippingMethod::Slot, true) => {
            (on_its_way(&sent), td_string!(locale, email.shipped_part_subject, number = number).to_string())
        }
    };
    order_news::render(&subject, &m)
}

pub(super) fn tracking_updated(
    locale: Locale,
    order: &ShopOrderView,
    parcel: &Parcel,
    url: &str,
) -> TxResult<RenderedEmail> {
    let contents = &only(&order.order, &parcel.lines);
    let sent = Sent { locale, order, parcel, contents, url };
    let subject = td_string!(locale, email.tracking_subject, number = order.order.number);
    let (shop, name) = (&order.order.shop_name, &order.address.parts.name);
    let m = News {
        title: td_string!(locale, email.tracking),
        lead: match sent.is_part() {
            false => td_string!(locale, email.tracking_lead, shop = shop, name = name).to_string(),
            true => td_string!(locale, email.tracking_part_lead, shop = shop, name = name).to_string(),
        },
        ..on_its_way(&sent)
    };
    order_news::render(&subject, &m)
}

impl Sent<'_> {
    /// Whether other parcels belong to the order, too.
    fn is_part(&self) -> bool {
        !self.parcel.only
    }

    /// Whether cash is due. It is collected with the last parcel.
    fn cash_is_due(&self) -> bool {
        let Self { order, parcel, .. } = self;
        !order.payment_method.collected_by_market() && order.order.exchange_of.is_none() && parcel.last
    }

    /// Whether the parcel holds all that was ordered, so that the order's totals are about it.
    fn is_whole(&self) -> bool {
        self.contents.lines == self.order.order.lines
    }
}

fn on_its_way<'a>(sent: &Sent<'a>) -> News<'a> {
    let Sent { locale, order: ShopOrderView { order, address, .. }, parcel, .. } = *sent;
    let (carrier, number, follow) =
        parcel.tracking.as_ref().map_or(("", "", ""), |s| (&s.carrier, &s.tracking_number, &s.tracking_url));
    let travels = td_string!(locale, purchase.travels, carrier = carrier, number = number).to_string();
    let mut facts = vec![
        (td_string!(locale, seller_orders.shipment), travels.clone()),
        (td_string!(locale, purchase.goes_to), label(locale, &address.parts).join(", ")),
    ];
    if sent.cash_is_due() {
        let cash = td_string!(locale, email.shipped_cash, total = order.to_collect()).to_string();
        facts.push((td_string!(locale, purchase.payment), cash));
    }
    let (shop, name) = (&order.shop_name, &address.parts.name);
    let (title, lead, contents) = match sent.is_part() {
        false => (
            td_string!(locale, email.shipped),
            td_string!(locale, email.shipped_lead, shop = shop, name = name).to_string(),
            td_string!(locale, email.shipped_contents),
        ),
        true => (
            td_string!(locale, email.shipped_part),
            td_string!(locale, email.shipped_part_lead, shop = shop, name = name).to_string(),
            td_string!(locale, email.shipped_part_contents),
        ),
    };
    News {
        locale,
        url: sent.url,
        button: td_string!(locale, email.shipped_button),
        title,
        lead,
        preheader: travels,
        number: &order.number,
        facts,
        follow,
        orders: std::slice::from_ref(sent.contents),
        totals: sent.is_whole(),
        left_out: 0,
        contents,
        reason: td_string!(locale, email.confirmed_reason).to_owned(),
    }
}

fn ready<'a>(sent: &Sent<'a>) -> News<'a> {
    let Sent { locale, order: ShopOrderView { order, address, .. }, .. } = *sent;
    let mut facts = vec![(td_string!(locale, seller_orders.pickup_at), order.pickup_at.clone())];
    if sent.cash_is_due() {
        let cash = td_string!(locale, email.ready_cash, total = order.to_collect()).to_string();
        facts.push((td_string!(locale, purchase.payment), cash));
    }
    let (shop, name) = (&order.shop_name, &address.parts.name);
    let (title, lead, contents) = match sent.is_part() {
        false => (
            td_string!(locale, email.ready),
            td_string!(locale, email.ready_lead, shop = shop, name = name).to_string(),
            td_string!(locale, email.shipped_contents),
        ),
        true => (
            td_string!(locale, email.ready_part),
            td_string!(locale, email.ready_part_lead, shop = shop, name = name).to_string(),
            td_string!(locale, email.ready_part_contents),
        ),
    };
    News {
        locale,
        url: sent.url,
        button: td_string!(locale, email.confirmed_button),
        title,
        lead,
        preheader: words::estimated_delivery(locale, order),
        number: &order.number,
        facts,
        follow: "",
        orders: std::slice::from_ref(sent.contents),
        totals: sent.is_whole(),
        left_out: 0,
        contents,
        reason: td_string!(locale, email.confirmed_reason).to_owned(),
    }
}
