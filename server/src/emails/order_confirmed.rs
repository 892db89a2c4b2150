//! The order confirmation.

use askama::Template;
use haat_app::{
    i18n::{Locale, td_string, tn},
    sums::sums,
    words,
};
use haat_engine::{TxResult, notifications::RenderedEmail};
use haat_shared::{
    gift_cards::Gift,
    orders::{OrderView, PurchaseView},
    payments::PaymentMethod,
    pricing::Totals,
    routes,
};

use super::parts::{TITLE_SHOWN, fitting, label, left_out, rendered, short};

#[derive(Clone)]
struct Confirmed<'a> {
    locale: Locale,
    url: &'a str,
    /// The file of its appointments for calendars. Empty without any.
    calendar: String,
    name: &'a str,
    number: &'a str,
    date: String,
    shops: String,
    orders: &'a [OrderView],
    left_out: usize,
    /// What each gift card is, when it is sent, and its amount.
    gifts: Vec<[String; 3]>,
    totals: Totals,
    /// The rows of the totals, and a note on the taxes in them.
    sums: (Vec<(String, String)>, String),
    payment: String,
    /// What the address is.
    goes_to: &'static str,
    address: Vec<String>,
    /// The billing address, if it is another one.
    billing: Vec<String>,
    next: String,
}

impl Confirmed<'_> {
    fn left_out(&self) -> String {
        left_out(self.locale, self.left_out)
    }

    fn estimated_delivery(&self, order: &OrderView) -> String {
        words::estimated_delivery(self.locale, order)
    }
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

pub(super) fn render(locale: Locale, purchase: &PurchaseView, url: &str) -> TxResult<RenderedEmail> {
    let m = &confirmed(locale, purchase, url);
    let subject = td_string!(locale, email.confirmed_subject, number = m.number).to_string();
    let html = fitting(m.orders, |orders, left_out| {
        ConfirmedHtml { m: &Confirmed { orders, left_out, ..m.clone() } }.render()
    });
    rendered(&subject, &ConfirmedText { m }, html)
}

/// How it was paid; with gift cards, what each of them and the payment method paid.
fn paid(locale: Locale, purchase: &PurchaseView, pickup: bool) -> String {
    let method = words::paid_by(
        locale,
        purchase.payment_method,
        words::cash(locale, purchase.is_appointment(), pickup),
    );
    let part = |words: &str, amount| format!("{words}: {}", words::money(locale, amount));
    let cash = purchase.in_cash();
    if purchase.payment_method == PaymentMethod::Cash && cash != purchase.totals.total {
        return part(method, cash);
    }
    if purchase.gift_cards.is_empty() {
        return method.to_owned();
    }
    let cards = purchase.gift_cards.iter();
    let mut parts: Vec<_> =
        cards.map(|card| part(&words::gift_card(locale, &card.last4), card.amount)).collect();
    let rest = purchase.paid_otherwise();
    if rest.amount() > 0 {
        parts.push(part(method, rest));
    }
    parts.join(", ")
}

fn gift(locale: Locale, gift: &Gift) -> [String; 3] {
    let title = match gift.recipient() {
        "" => td_string!(locale, payment_method.gift_card).to_owned(),
        name => td_string!(locale, gifts.of, name = name),
    };
    let when = match gift.send_on.as_str() {
        "" => td_string!(locale, gifts.sent_at_once).to_owned(),
        day => td_string!(locale, gifts.sent_on, date = words::day(locale, day)),
    };
    [title, when, words::money(locale, gift.amount)]
}

fn confirmed<'a>(locale: Locale, purchase: &'a PurchaseView, url: &'a str) -> Confirmed<'a> {
    let mut shops: Vec<_> = purchase.orders.iter().map(|o| o.shop_name.as_str()).collect();
    if shops.is_empty() {
        shops.push(td_string!(locale, brand.name));
    }
    let pickup = purchase.is_pickup();
    let way = match pickup {
        true => tn!(locale, email.confirmed_next_pickup, shops.len()),
        false => tn!(locale, email.confirmed_next, shops.len()),
    };
    let cash = match purchase.payment_method {
        PaymentMethod::Cash if pickup => tn!(locale, email.confirmed_cash_pickup, shops.len()),
        PaymentMethod::Cash => tn!(locale, email.confirmed_cash, shops.len()),
        PaymentMethod::Card
        | PaymentMethod::PayPal
        | PaymentMethod::Razorpay
        | PaymentMethod::GiftCard
        | PaymentMethod::Sandbox => String::new(),
    };
    Confirmed {
        locale,
        url,
        // Beside the page of the purchase, with the same key.
        calendar: match purchase.appointments {
            0 => String::new(),
            _ => {
                let path = routes::purchase(&purchase.number);
                url.replacen(&path, &routes::purchase_calendar(&purchase.number), 1)
            }
        },
        name: match purchase.address.parts.name.as_str() {
            "" => &purchase.email,
            name => name,
        },
        number: &purchase.number,
        date: words::moment(locale, &purchase.created_at),
        shops: short(&shops.join(", "), 2 * TITLE_SHOWN),
        orders: &purchase.orders,
        left_out: 0,
        gifts: purchase.gifts.iter().map(|bought| gift(locale, &bought.gift)).collect(),
        totals: purchase.totals,
        sums: sums(
            locale,
            &purchase.totals,
            &purchase.discounts(),
            &purchase.taxes,
            purchase.orders.is_empty(),
        ),
        payment: paid(locale, purchase, pickup),
        goes_to: if pickup {
            td_string!(locale, checkout.contact)
        } else {
            td_string!(locale, purchase.goes_to)
        },
        // Gift cards are sent by email.
        address: match purchase.orders.is_empty() {
            true => Vec::new(),
            false => label(locale, &purchase.address.parts),
        },
        billing: purchase.billing_address.as_ref().map(|to| label(locale, &to.parts)).unwrap_or_default(),
        next: match purchase.orders.is_empty() {
            true => td_string!(locale, email.gift_next).to_owned(),
            false => format!("{way} {cash}").trim_end().to_owned(),
        },
    }
}
