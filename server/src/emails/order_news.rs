//! The email about a change of an order's status.

use askama::Template;
use haat_app::{
    i18n::{Locale, td_string},
    words,
};
use haat_engine::{TxResult, notifications::RenderedEmail};
use haat_shared::orders::{LineQuantity, OrderState, OrderView};

use super::parts::{fitting, left_out, rendered};

/// What it says.
#[derive(Clone)]
pub(super) struct News<'a> {
    pub(super) locale: Locale,
    pub(super) url: &'a str,
    pub(super) button: &'static str,
    pub(super) title: &'static str,
    pub(super) lead: String,
    pub(super) preheader: String,
    pub(super) number: &'a str,
    /// The details, each under its heading.
    pub(super) facts: Vec<(&'static str, String)>,
    /// The tracking URL. May be empty.
    pub(super) follow: &'a str,
    pub(super) orders: &'a [OrderView],
    /// Whether to show the totals of the orders.
    pub(super) totals: bool,
    pub(super) left_out: usize,
    pub(super) contents: &'static str,
    pub(super) reason: String,
}

impl News<'_> {
    fn left_out(&self) -> String {
        left_out(self.locale, self.left_out)
    }

    /// The estimated delivery; empty for a cancelled order.
    fn estimated_delivery(&self, order: &OrderView) -> String {
        match order.state {
            OrderState::Cancelled => String::new(),
            _ => words::estimated_delivery(self.locale, order),
        }
    }
}

#[derive(Template)]
#[template(path = "mail/order_news.html")]
struct NewsHtml<'a> {
    m: &'a News<'a>,
}

#[derive(Template)]
#[template(path = "mail/order_news.txt")]
struct NewsText<'a> {
    m: &'a News<'a>,
}

pub(super) fn render(subject: &str, m: &News<'_>) -> TxResult<RenderedEmail> {
    let html = fitting(m.orders, |orders, left_out| {
        NewsHtml { m: &News { orders, left_out, ..m.clone() } }.render()
    });
    rendered(subject, &NewsText { m }, html)
}

/// An order with only a part of its lines: what is in a parcel, returned or refunded.
pub(super) fn only(order: &OrderView, part: &[LineQuantity]) -> OrderView {
    let mut only = order.clone();
    for line in &mut only.lines {
        let part = part.iter().find(|part| part.position == line.position);
        let quantity = part.map_or(0, |part| part.quantity);
        if quantity != line.quantity {
            line.total = line.unit_price.times(quantity).unwrap_or(line.total);
            line.quantity = quantity;
        }
    }
    only.lines.retain(|line| line.quantity > 0);
    only
}
