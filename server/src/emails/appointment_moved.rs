//! Emails about an appointment that has another time: to the customer if the shop moved it, and to the shop if the customer did.

use haat_app::i18n::{Locale, td_string};
use haat_engine::{TxResult, notifications::RenderedEmail};
use haat_shared::orders::ShopOrderView;

use super::order_news::{self, News};

pub(super) fn by_shop(locale: Locale, moved: &ShopOrderView, url: &str) -> TxResult<RenderedEmail> {
    let (shop, name) = (&moved.order.shop_name, &moved.address.parts.name);
    let lead = td_string!(locale, email.moved_by_shop, shop = shop, name = name);
    let button = td_string!(locale, email.cancelled_button);
    render(locale, moved, lead, (button, url), td_string!(locale, email.confirmed_reason).to_owned())
}

pub(super) fn by_customer(locale: Locale, moved: &ShopOrderView, url: &str) -> TxResult<RenderedEmail> {
    let shop = &moved.order.shop_name;
    let lead = td_string!(locale, email.moved_by_customer, shop = shop);
    let button = td_string!(locale, email.withdrawn_button);
    render(locale, moved, lead, (button, url), td_string!(locale, email.received_reason, shop = shop))
}

fn render(
    locale: Locale,
    moved: &ShopOrderView,
    lead: String,
    (button, url): (&'static str, &str),
    reason: String,
) -> TxResult<RenderedEmail> {
    let order = &moved.order;
    let subject = td_string!(locale, email.moved_subject, number = order.number);
    let times: Vec<_> = order.lines.iter().map(|line| line.variant_title.as_str()).collect();
    let m = News {
        locale,
        url,
        button,
        title: td_string!(locale, email.moved),
        lead,
        preheader: times.join(" · "),
        number: &order.number,
        facts: Vec::new(),
        follow: "",
        orders: std::slice::from_ref(order),
        totals: false,
        left_out: 0,
        contents: td_string!(locale, services.appointments),
        reason,
    };
    order_news::render(&subject, &m)
}
