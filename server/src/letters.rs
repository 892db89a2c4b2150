//! Letters in words: what leaves by mail, as HTML and as text, from `templates/mail` and the words of `app/locales`.

use std::fmt;

use askama::{Template, filters::Escaper};
use haat_app::{countries, i18n::Locale, words};
use haat_engine::{
    Tried, fault,
    notifications::{Letter, Words},
};
use haat_shared::{
    Money,
    checkout::Address,
    orders::{OrderView, PurchaseView, ShopOrderView},
    payments::Method,
    text::is_direction_override,
};
use leptos_i18n::{Locale as _, td_string};

/// Puts a letter into the words of a locale; of the default one if there are none in it.
pub fn render(letter: &Letter, locale: &str) -> Tried<Words> {
    let locale = locale.parse().unwrap_or_default();
    match letter {
        Letter::OrderConfirmed { purchase, url } => {
            let m = &confirmed(locale, purchase, url)?;
            let subject = td_string!(locale, mail.confirmed_subject, number = m.number).to_string();
            words(&subject, &ConfirmedText { m }, &ConfirmedHtml { m })
        }
        Letter::OrderReceived { order, url } => {
            let m = &received(locale, order, url);
            let subject =
                td_string!(locale, mail.received_subject, number = m.number, total = m.total).to_string();
            words(&subject, &ReceivedText { m }, &ReceivedHtml { m })
        }
    }
}

fn words(subject: &str, text: &impl Template, html: &impl Template) -> Tried<Words> {
    let failed = |e: askama::Error| fault(e.to_string());
    Ok(Words {
        subject: subject.chars().filter_map(on_one_line).collect(),
        text: text.render().map_err(failed)?,
        html: html.render().map_err(failed)?,
    })
}

/// The confirmation of a purchase.
struct Confirmed<'a> {
    locale: Locale,
    url: &'a str,
    name: &'a str,
    number: &'a str,
    date: String,
    shops: String,
    orders: &'a [OrderView],
    goods: Money,
    delivery: Money,
    total: Money,
    payment: &'static str,
    address: Vec<String>,
    next: String,
}

#[derive(Template)]
#[template(path = "mail/order_confirmed.html")]
struct ConfirmedHtml<'a> {
    m: &'a Confirmed<'a>,
}

#[derive(Template)]
#[template(path = "mail/order_confirmed.txt")]
struct ConfirmedText<'a> {
    m: &'a Confirmed<'a>,
}

fn confirmed<'a>(locale: Locale, purchase: &'a PurchaseView, url: &'a str) -> Tried<Confirmed<'a>> {
    let currency = purchase.total.currency();
    let goods = Money::sum(currency, purchase.orders.iter().map(|o| o.subtotal))?;
    let delivery = Money::sum(currency, purchase.orders.iter().map(|o| o.delivery))?;
    let shops: Vec<_> = purchase.orders.iter().map(|o| o.shop_name.as_str()).collect();
    let way = match shops.len() {
        1 => td_string!(locale, mail.confirmed_next_one),
        _ => td_string!(locale, mail.confirmed_next_many),
    };
    let cash = match purchase.method {
        Method::Cash => td_string!(locale, mail.confirmed_cash),
        Method::Sandbox => "",
    };
    Ok(Confirmed {
        locale,
        url,
        name: &purchase.address.name,
        number: &purchase.number,
        date: words::day(locale, &purchase.made_at),
        shops: shops.join(", "),
        orders: &purchase.orders,
        goods,
        delivery,
        total: purchase.total,
        payment: words::paid_by(locale, purchase.method),
        address: label(&purchase.address),
        next: format!("{way} {cash}").trim_end().to_owned(),
    })
}

/// The news of an order, for its shop.
struct Received<'a> {
    locale: Locale,
    url: &'a str,
    shop: &'a str,
    number: &'a str,
    date: String,
    what: String,
    orders: &'a [OrderView],
    total: Money,
    payment: String,
    commission: Money,
    address: Vec<String>,
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

fn received<'a>(locale: Locale, sold: &'a ShopOrderView, url: &'a str) -> Received<'a> {
    let order = &sold.order;
    let pieces = order.lines.iter().map(|l| format!("{} × {}", l.quantity, l.title));
    Received {
        locale,
        url,
        shop: &order.shop_name,
        number: &order.number,
        date: words::day(locale, &sold.placed_at),
        what: pieces.collect::<Vec<_>>().join(", "),
        orders: std::slice::from_ref(order),
        total: order.total,
        payment: match sold.method {
            Method::Sandbox => td_string!(locale, seller.collected).to_owned(),
            Method::Cash => td_string!(locale, seller.to_collect, price = order.total).to_string(),
        },
        commission: sold.commission,
        address: label(&sold.address),
    }
}

fn label(address: &Address) -> Vec<String> {
    let country = countries::name(&address.country).to_owned();
    Address { country, ..address.clone() }.lines()
}

/// A character of text that must stay on its line and must not turn it around. Whoever named a product or typed an
/// address cannot add a header or a paragraph of their own.
fn on_one_line(c: char) -> Option<char> {
    match c {
        c if is_direction_override(c) => None,
        c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => Some(' '),
        c => Some(c),
    }
}

/// How values are put into templates of plain text.
#[derive(Debug, Clone, Copy, Default)]
pub struct Line;

impl Escaper for Line {
    fn write_escaped_str<W: fmt::Write>(&self, mut to: W, text: &str) -> fmt::Result {
        text.chars().filter_map(on_one_line).try_for_each(|c| to.write_char(c))
    }
}

/// How values are put into templates of HTML.
#[derive(Debug, Clone, Copy, Default)]
pub struct Markup;

impl Escaper for Markup {
    fn write_escaped_str<W: fmt::Write>(&self, mut to: W, text: &str) -> fmt::Result {
        for c in text.chars().filter(|c| !is_direction_override(*c)) {
            match c {
                '&' => to.write_str("&amp;")?,
                '<' => to.write_str("&lt;")?,
                '>' => to.write_str("&gt;")?,
                '"' => to.write_str("&quot;")?,
                '\'' => to.write_str("&#39;")?,
                c => to.write_char(c)?,
            }
        }
        Ok(())
    }
}
