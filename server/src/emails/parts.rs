//! What emails share: their parts put together, sizes, and escaping for templates.

use std::fmt;

use askama::{Template, filters::Escaper};
use haat_app::{
    countries,
    i18n::{Locale, tn},
    sums::sums,
};
use haat_engine::{TxResult, bug, notifications::RenderedEmail};
use haat_shared::{addresses::Address, orders::OrderView, text::is_direction_override};

/// An email of its parts.
pub(super) fn rendered(
    subject: &str,
    text: &impl Template,
    html: askama::Result<String>,
) -> TxResult<RenderedEmail> {
    let failed = |e: askama::Error| bug(e.to_string());
    Ok(RenderedEmail {
        subject: subject.chars().filter_map(on_one_line).collect(),
        text: text.render().map_err(failed)?,
        html: html.map_err(failed)?,
        path: String::new(),
        note: String::new(),
        unsubscribe: None,
    })
}

/// What follows the lines of an order: discounts, shipping, taxes that are added, and the total, which is the last one.
pub(super) fn after_lines(locale: Locale, order: &OrderView) -> Vec<(String, String)> {
    sums(locale, &order.totals, &order.discounts, &order.taxes, false).0.split_off(1)
}

/// The maximum size of an email's HTML: Gmail clips messages above 102 kB, which would hide the total.
const HTML_MAX: usize = 100_000;
/// The maximum length of a title if not everything fits.
pub(super) const TITLE_SHOWN: usize = 80;

/// The HTML of orders, and how many lines it omits. If all of it is too large, titles are shortened, and
/// then lines are omitted. The plain text is complete.
pub(super) fn fitting(
    orders: &[OrderView],
    html: impl Fn(&[OrderView], usize) -> askama::Result<String>,
) -> askama::Result<String> {
    let whole = html(orders, 0)?;
    if whole.len() <= HTML_MAX {
        return Ok(whole);
    }
    let lines: usize = orders.iter().map(|order| order.lines.len()).sum();
    let mut shown = lines.max(1);
    loop {
        let html = html(&cut(orders, shown), lines.saturating_sub(shown))?;
        if html.len() <= HTML_MAX || shown == 1 {
            return Ok(html);
        }
        shown = (shown * 3 / 4).max(1);
    }
}

/// The first lines of orders, with shortened titles.
fn cut(orders: &[OrderView], mut shown: usize) -> Vec<OrderView> {
    let some = orders.iter().map_while(|order| {
        let mut order = (shown > 0).then(|| order.clone())?;
        order.lines.truncate(shown);
        shown -= order.lines.len();
        order.shop_name = short(&order.shop_name, TITLE_SHOWN);
        for line in &mut order.lines {
            line.title = short(&line.title, TITLE_SHOWN);
            line.variant_title = short(&line.variant_title, TITLE_SHOWN);
        }
        Some(order)
    });
    some.collect()
}

/// A text, truncated with an ellipsis if necessary.
pub(super) fn short(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

/// The note about omitted lines, if any.
pub(super) fn left_out(locale: Locale, lines: usize) -> String {
    match lines {
        0 => String::new(),
        n => tn!(locale, email.left_out, n),
    }
}

/// An address, formatted as a label.
pub(super) fn label(locale: Locale, address: &Address) -> Vec<String> {
    address.label(countries::name(locale, &address.country))
}

/// Characters that would break a line or change the text direction are replaced, so that a product's name
/// or an address cannot add a header or paragraph.
fn on_one_line(c: char) -> Option<char> {
    match c {
        c if is_direction_override(c) => None,
        c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => Some(' '),
        c => Some(c),
    }
}

/// The HTML of a text with an order number, which isn't broken where a line ends.
pub(super) fn unbroken(text: &str, number: &str) -> String {
    let (before, number, after) = match text.split_once(number) {
        Some((before, after)) => (before, number, after),
        None => (text, "", ""),
    };
    let mut html = String::new();
    for (start, part) in [("", before), ("<span style=\"white-space:nowrap\">", number), ("</span>", after)] {
        // Writing to a string cannot fail.
        html.push_str(start);
        let _ = Markup.write_escaped_str(&mut html, part);
    }
    html
}

/// Escaping for plain-text templates.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Line;

impl Escaper for Line {
    fn write_escaped_str<W: fmt::Write>(&self, mut to: W, text: &str) -> fmt::Result {
        text.chars().filter_map(on_one_line).try_for_each(|c| to.write_char(c))
    }
}

/// Escaping for HTML templates.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Markup;

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
