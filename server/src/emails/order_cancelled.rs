//! Emails about a cancelled order: to the customer, and to the shop if the customer cancelled it.

use haat_app::{
    i18n::{Locale, td_string},
    words,
};
use haat_engine::{TxResult, notifications::RenderedEmail};
use haat_shared::{
    orders::{Actor, ShopOrderView},
    shipping::ShippingMethod,
};

use super::order_news::{self, News};

pub(super) fn cancelled(
    locale: Locale,
    ended: &ShopOrderView,
    by: Actor,
    why: &str,
    url: &str,
) -> TxResult<RenderedEmail> {
    let order = &ended.order;
    let (shop, name) = (&order.shop_name, &ended.address.parts.name);
    let money = words::cancelled_money(locale, order, ended.payment_method.collected_by_market());
    let subject = td_string!(locale, email.cancelled_subject, number = order.number);
    let m = News {
        locale,
        url,
        button: td_string!(locale, email.cancelled_button),
        title: td_string!(locale, email.cancelled),
        lead: match by {
            Actor::Shop => td_string!(locale, email.cancelled_by_shop, shop = shop, name = name),
            Actor::Shopper => td_string!(locale, email.cancelled_by_you, shop = shop, name = name),
            Actor::Market => td_string!(locale, email.cancelled_by_market, shop = shop, name = name),
        },
        preheader: money.clone(),
        number: &order.number,
        facts: facts(locale, why, (td_string!(locale, email.cancelled_money), money)),
        follow: "",
        orders: std::slice::from_ref(order),
        totals: true,
        left_out: 0,
        contents: td_string!(locale, email.cancelled_contents),
        reason: td_string!(locale, email.confirmed_reason).to_owned(),
    };
    order_news::render(&subject, &m)
}

pub(super) fn withdrawn(
    locale: Locale,
    ended: &ShopOrderView,
    why: &str,
    url: &str,
) -> TxResult<RenderedEmail> {
    let order = &ended.order;
    let back = td_string!(locale, email.withdrawn_back);
    let subject = td_string!(locale, email.withdrawn_subject, number = order.number);
    let m = News {
        locale,
        url,
        button: td_string!(locale, email.withdrawn_button),
        title: td_string!(locale, email.withdrawn),
        lead: match order.shipping_method {
            ShippingMethod::Pickup => td_string!(locale, email.withdrawn_lead_pickup, shop = order.shop_name),
            ShippingMethod::Appointment => {
                td_string!(locale, email.withdrawn_lead_appointment, shop = order.shop_name)
            }
            ShippingMethod::Standard | ShippingMethod::Express | ShippingMethod::Slot => {
                td_string!(locale, email.withdrawn_lead, shop = order.shop_name)
            }
        },
        preheader: back.to_owned(),
        number: &order.number,
        facts: facts(locale, why, (td_string!(locale, email.withdrawn_stock), back.to_owned())),
        follow: "",
        orders: std::slice::from_ref(order),
        totals: true,
        left_out: 0,
        contents: td_string!(locale, email.withdrawn_contents),
        reason: td_string!(locale, email.received_reason, shop = order.shop_name),
    };
    order_news::render(&subject, &m)
}

/// The reason, which customers need not give, and what follows.
fn facts(locale: Locale, why: &str, then: (&'static str, String)) -> Vec<(&'static str, String)> {
    let reason = (!why.is_empty()).then(|| (td_string!(locale, seller_orders.reason), why.to_owned()));
    reason.into_iter().chain([then]).collect()
}
