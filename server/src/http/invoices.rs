//! Invoices and credit notes, as pages to print, which need no script, and as PDF.

use askama::Template;
use axum::{
    Extension,
    extract::{Path, Query, State as Extract},
    http::{HeaderMap, HeaderValue, header},
    response::{Html, IntoResponse, Response},
};
use haat_app::{
    countries,
    i18n::{Locale, t, td_string},
    words,
};
use haat_engine::{Caller, invoices, random};
use haat_shared::{
    Error, Money, Result,
    invoices::{Invoice, InvoiceDiscount, InvoiceKind, InvoicePayments, PDF, before_discounts},
    routes,
    taxes::{self, TaxLine},
};

use super::{State, Typed, caller, forms::field, layers};
use crate::pdf::{Column, Row, Sheet};

#[derive(Template)]
#[template(path = "page/invoice.html")]
struct Page {
    locale: Locale,
    nonce: String,
    title: String,
    date: String,
    corrects: Option<String>,
    order: String,
    seller: Vec<String>,
    tax_id: String,
    buyer: Vec<String>,
    buyer_tax_id: String,
    lines: Vec<Line>,
    shipping: Option<String>,
    shipping_discounts: Vec<String>,
    shipping_rate: String,
    shipping_tax: String,
    taxes: Vec<Tax>,
    total: String,
    /// What gift cards and the payment method paid, if gift cards paid a part.
    paid: Vec<(String, String)>,
    /// Where the same is as PDF.
    pdf: String,
}

struct Line {
    what: String,
    variant: String,
    discounts: Vec<String>,
    quantity: String,
    rate: String,
    tax: String,
    total: String,
}

struct Tax {
    rate: String,
    net: String,
    tax: String,
}

/// An invoice of a purchase.
pub(super) async fn of_purchase(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Path((number, id)): Path<(String, String)>,
    Query(typed): Query<Typed>,
) -> Response {
    let found = async {
        let key = field(&typed, "key");
        invoices::of_purchase(&state.runtime.engine, &caller, &number, &key, id.parse()?).await
    };
    answer(&state, &headers, &typed, found.await).await
}

/// An invoice of a shop.
pub(super) async fn of_shop(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Path((handle, id)): Path<(String, String)>,
    Query(typed): Query<Typed>,
) -> Response {
    let found = async { invoices::of_shop(&state.runtime.engine, &caller, &handle, id.parse()?).await };
    answer(&state, &headers, &typed, found.await).await
}

/// An invoice of any shop.
pub(super) async fn any(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Query(typed): Query<Typed>,
) -> Response {
    let found = async { invoices::any(&state.runtime.engine, &caller, id.parse()?).await };
    answer(&state, &headers, &typed, found.await).await
}

async fn answer(
    state: &State,
    headers: &HeaderMap,
    typed: &Typed,
    found: Result<(Invoice, String)>,
) -> Response {
    let (invoice, issued_at) = match found {
        Ok(found) => found,
        Err(error) => return layers::plain(&error),
    };
    let locale = caller::language(state, headers);
    let nonce = random::token();
    let name = format!("{}.pdf", invoice.number);
    let page = page(locale, nonce.clone(), invoice, &issued_at, &field(typed, "key"));
    if field(typed, "format") == PDF {
        return match page {
            Ok(page) => send(&name, move || file(&page)).await,
            Err(error) => layers::plain(&error),
        };
    }
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let page = page.and_then(|page| page.render().map_err(|_| Error::Internal));
    match (page, HeaderValue::from_str(&policy)) {
        (Ok(html), Ok(policy)) => {
            let headers = [
                (header::CONTENT_SECURITY_POLICY, policy),
                (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            ];
            (headers, Html(html)).into_response()
        }
        _ => layers::plain(&Error::Internal),
    }
}

/// Sends a PDF. It is written on a thread for what takes longer, since fonts may have to be read.
pub(super) async fn send(name: &str, write: impl FnOnce() -> Result<Vec<u8>> + Send + 'static) -> Response {
    match tokio::task::spawn_blocking(write).await {
        Ok(Ok(file)) => {
            let about = [
                (header::CONTENT_TYPE, "application/pdf".to_owned()),
                (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
                (header::CACHE_CONTROL, "no-store".to_owned()),
            ];
            (about, file).into_response()
        }
        Ok(Err(error)) => layers::plain(&error),
        Err(_) => layers::plain(&Error::Internal),
    }
}

/// The page as PDF.
fn file(page: &Page) -> Result<Vec<u8>> {
    let locale = page.locale;
    let column = |title: &str, number| Column { title: title.to_owned(), number };
    let mut sheet = Sheet::new(&page.title, locale.tag());
    let below: Vec<String> = page.corrects.iter().chain([&page.order]).cloned().collect();
    sheet.head(&page.date, &below);
    let tax_id =
        (!page.tax_id.is_empty()).then(|| format!("{}: {}", t!(locale, settings.tax_id), page.tax_id));
    let seller = page.seller.iter().cloned().chain(tax_id).collect();
    let mut buyer = page.buyer.clone();
    if !page.buyer_tax_id.is_empty() {
        buyer.push(format!("{}: {}", t!(locale, settings.tax_id), page.buyer_tax_id));
    }
    let sides =
        [(t!(locale, invoice.seller).to_owned(), seller), (t!(locale, invoice.buyer).to_owned(), buyer)];
    sheet.sides(&sides);
    let columns = [
        column(t!(locale, invoice.item), false),
        column(t!(locale, invoice.quantity), true),
        column(t!(locale, invoice.rate), true),
        column(t!(locale, invoice.tax), true),
        column(t!(locale, cart.total), true),
    ];
    let lines = page.lines.iter().map(|line| Row {
        cells: [&line.what, &line.quantity, &line.rate, &line.tax, &line.total].map(Clone::clone).into(),
        note: note(&line.variant, &line.discounts),
        total: false,
    });
    let sum =
        |title: &str, sum: &str| [title, "", "", "", sum].into_iter().map(str::to_owned).collect::<Vec<_>>();
    let shipping = page.shipping.iter().map(|price| {
        let cells = [t!(locale, invoice.shipping), "", &page.shipping_rate, &page.shipping_tax, price];
        let note = note("", &page.shipping_discounts);
        Row { cells: cells.map(str::to_owned).into(), note, ..Row::default() }
    });
    let paid = page.paid.iter().map(|(how, paid)| Row { cells: sum(how, paid), ..Row::default() });
    let total = Row { cells: sum(t!(locale, cart.total), &page.total), total: true, ..Row::default() };
    sheet.table(&columns, &lines.chain(shipping).chain([total]).chain(paid).collect::<Vec<_>>());
    if !page.taxes.is_empty() {
        let columns = [
            column(t!(locale, invoice.rate), false),
            column(t!(locale, invoice.net), true),
            column(t!(locale, invoice.tax), true),
        ];
        let taxes = page.taxes.iter().map(|tax| Row {
            cells: [&tax.rate, &tax.net, &tax.tax].map(Clone::clone).into(),
            ..Row::default()
        });
        sheet.table(&columns, &taxes.collect::<Vec<_>>());
    }
    sheet.finish(|page, pages| words::page_of(locale, page, pages))
}

/// What is below a line in small letters.
fn note(variant: &str, discounts: &[String]) -> String {
    let parts = [variant].into_iter().filter(|variant| !variant.is_empty());
    parts.chain(discounts.iter().map(String::as_str)).collect::<Vec<_>>().join(" · ")
}

/// The name and the rate of a tax.
fn rate(name: &str, rate_ppm: i64) -> String {
    format!("{name} {}%", taxes::percent(rate_ppm))
}

fn page(locale: Locale, nonce: String, invoice: Invoice, issued_at: &str, key: &str) -> Result<Page> {
    let number = invoice.number.as_str();
    let title = match invoice.kind {
        InvoiceKind::Invoice => td_string!(locale, invoice.title, number = number).to_string(),
        InvoiceKind::CreditNote => td_string!(locale, invoice.credit_title, number = number).to_string(),
    };
    // A line that isn't taxed says so.
    let rate_of = |taxes: &[TaxLine]| match taxes {
        [] => format!("{}%", taxes::percent(0)),
        taxes => taxes.iter().map(|tax| rate(&tax.name, tax.rate_ppm)).collect::<Vec<_>>().join(" + "),
    };
    let money = |amount| words::money(locale, amount);
    // The price, and what was taken off it.
    let discounts =
        |total: Money, taxes: &[TaxLine], discounts: Vec<InvoiceDiscount>| -> Result<Vec<String>> {
            if discounts.is_empty() {
                return Ok(Vec::new());
            }
            let before = before_discounts(total, taxes, &discounts)?;
            let before = td_string!(locale, invoice.before_discounts, price = words::money(locale, before));
            let each = discounts.into_iter().map(|of| format!("{}: −{}", of.name, money(of.amount)));
            Ok(std::iter::once(before.to_string()).chain(each).collect())
        };
    let paid = invoice.paid.iter().flat_map(|InvoicePayments { gift_cards, method, rest }| {
        let cards = gift_cards.iter();
        let cards = cards.map(|card| (words::gift_card(locale, &card.last4), money(card.amount)));
        let rest = (rest.amount() > 0).then(|| {
            (words::paid_by(locale, *method, t!(locale, payment_method.cash_paid)).to_owned(), money(*rest))
        });
        cards.chain(rest).collect::<Vec<_>>()
    });
    let paid = paid.collect();
    let taxes = invoice.taxes()?.into_iter().map(|sum| Tax {
        rate: rate(&sum.name, sum.rate_ppm),
        net: money(sum.net),
        tax: money(sum.tax),
    });
    let seller = std::iter::once(invoice.seller.name.as_str())
        .chain(invoice.seller.address.lines())
        // Most addresses have it.
        .chain(Some(invoice.seller.town.as_str()).filter(|town| !invoice.seller.address.contains(town)))
        .filter(|line| !line.trim().is_empty())
        .map(str::to_owned)
        .collect();
    let country = countries::name(locale, &invoice.buyer.country);
    let lines = invoice.lines.into_iter().map(|line| {
        Ok(Line {
            discounts: discounts(line.total, &line.taxes, line.discounts)?,
            what: line.title,
            variant: line.variant,
            quantity: words::number(locale, line.quantity),
            rate: rate_of(&line.taxes),
            tax: money(line.tax),
            total: money(line.total),
        })
    });
    Ok(Page {
        taxes: taxes.collect(),
        corrects: invoice
            .corrects
            .map(|number| td_string!(locale, invoice.corrects, number = number).to_string()),
        order: td_string!(locale, purchase.order, number = invoice.order_number.as_str()).to_string(),
        date: words::day(locale, issued_at),
        seller,
        tax_id: invoice.seller.tax_id,
        buyer: invoice.buyer.label(country),
        buyer_tax_id: invoice.buyer_tax_id,
        lines: lines.collect::<Result<_>>()?,
        shipping: (invoice.shipping.amount() > 0 || !invoice.shipping_discounts.is_empty())
            .then(|| money(invoice.shipping)),
        shipping_discounts: discounts(invoice.shipping, &invoice.shipping_taxes, invoice.shipping_discounts)?,
        shipping_rate: if invoice.shipping_taxes.is_empty() {
            String::new()
        } else {
            rate_of(&invoice.shipping_taxes)
        },
        shipping_tax: match Money::sum(
            invoice.shipping.currency(),
            invoice.shipping_taxes.iter().map(|tax| tax.amount),
        )? {
            none if none.amount() == 0 => String::new(),
            tax => money(tax),
        },
        total: money(invoice.total),
        paid,
        pdf: routes::with("", &[("key", key), ("format", PDF)]),
        title,
        nonce,
        locale,
    })
}

#[cfg(test)]
mod tests {
    use haat_shared::{
        Currency, Money,
        gift_cards::AppliedGiftCard,
        invoices::{InvoiceLine, Seller},
        payments::PaymentMethod,
    };

    use std::collections::BTreeMap;

    use super::*;

    fn invoice(title: &str, currency: Currency) -> Invoice {
        let money = |amount| Money::new(amount, currency);
        let line = |title: &str, total, tax, rate_ppm| InvoiceLine {
            title: title.into(),
            variant: "Größe: M".into(),
            quantity: 12,
            total: money(total),
            tax: money(tax),
            taxes: [("CGST", tax / 2), ("SGST", tax - tax / 2)]
                .map(|(name, tax)| TaxLine {
                    name: name.into(),
                    rate_ppm,
                    amount: money(tax),
                    included: true,
                })
                .into(),
            discounts: vec![InvoiceDiscount { name: "Diwali sale (SALE20)".into(), amount: money(20_000) }],
        };
        let buyer = serde_json::from_value(serde_json::json!({
            "name": "Ελένη Иванова", "line1": "12 Lake Road", "line2": "", "city": "Pune", "region": "MH",
            "postal_code": "411001", "country": "IN", "phone": ""
        }));
        Invoice {
            kind: InvoiceKind::Invoice,
            number: "INV-2026-00001".into(),
            corrects: None,
            order_number: "H1-1".into(),
            seller: Seller {
                name: "Meena Crafts".into(),
                tax_id: "08ABCDE1234F1Z5".into(),
                ..Seller::default()
            },
            buyer: buyer.unwrap(),
            buyer_tax_id: "27AAPFU0939F1ZV".into(),
            lines: vec![line(title, 1_249_900, 190_662, 90_000), line("Tea", 105_000, 5_000, 25_000)],
            shipping: money(4_900),
            shipping_taxes: Vec::new(),
            shipping_discounts: vec![InvoiceDiscount { name: "Half price".into(), amount: money(4_900) }],
            total: money(1_359_800),
            paid: Some(InvoicePayments {
                gift_cards: vec![AppliedGiftCard {
                    id: "gift_00000000000000000000000001".parse().unwrap(),
                    last4: "PQRS".into(),
                    amount: money(50_000),
                }],
                method: PaymentMethod::Card,
                rest: money(1_309_800),
            }),
        }
    }

    /// Text as it is compared: spaces are positions in a PDF, and some characters only direct the text.
    fn plain(text: &str) -> String {
        let shown =
            |c: &char| !c.is_whitespace() && !matches!(*c, '\u{200b}'..='\u{200f}' | '\u{2066}'..='\u{2069}');
        text.chars().filter(shown).collect()
    }

    /// What a reader copies out of a file: the text of its glyphs, by the table of each font.
    fn text_of(file: &lopdf::Document) -> String {
        let mut text = String::new();
        for page in file.get_pages().into_values() {
            let fonts: BTreeMap<Vec<u8>, _> = file.get_page_fonts(page).unwrap();
            let tables: BTreeMap<_, _> = fonts
                .into_iter()
                .map(|(name, font)| {
                    let table = font.get(b"ToUnicode").unwrap().as_reference().unwrap();
                    let table = file.get_object(table).unwrap().as_stream().unwrap();
                    (name, glyphs(&String::from_utf8(table.decompressed_content().unwrap()).unwrap()))
                })
                .collect();
            let mut font = None;
            for operation in file.get_and_decode_page_content(page).unwrap().operations {
                let drawn = operation.operands.iter().flat_map(|operand| match operand {
                    lopdf::Object::Array(parts) => parts.as_slice(),
                    other => std::slice::from_ref(other),
                });
                match operation.operator.as_str() {
                    "Tf" => font = tables.get(operation.operands[0].as_name().unwrap()),
                    "Tj" | "TJ" => {
                        for glyph in drawn.filter_map(|part| part.as_str().ok()).flat_map(|it| it.chunks(2)) {
                            let glyph = u16::from_be_bytes([glyph[0], glyph[1]]);
                            text.push_str(font.unwrap().get(&glyph).map_or("", String::as_str));
                        }
                    }
                    _ => {}
                }
            }
        }
        text
    }

    /// The text of each glyph, of a font's table: lines with `<glyph> <text>`, or `<first> <last> <text of the first>`.
    fn glyphs(table: &str) -> BTreeMap<u16, String> {
        let hex = |word: &str| -> Vec<u16> {
            let digits: Vec<char> = word.trim_matches(['<', '>']).chars().collect();
            let units = digits.chunks(4).map(|unit| unit.iter().collect::<String>());
            units.map(|unit| u16::from_str_radix(&unit, 16).unwrap()).collect()
        };
        let (mut found, mut part) = (BTreeMap::new(), "");
        for line in table.lines().map(str::trim) {
            let words: Vec<&str> = line.split_whitespace().collect();
            match (words.as_slice(), part) {
                ([.., "beginbfchar"], _) => part = "char",
                ([.., "beginbfrange"], _) => part = "range",
                (["endbfchar" | "endbfrange"], _) => part = "",
                ([glyph, text @ ..], "char") => {
                    let text: Vec<u16> = text.iter().flat_map(|word| hex(word)).collect();
                    found.insert(hex(glyph)[0], String::from_utf16_lossy(&text));
                }
                ([first, last, text], "range") => {
                    for (i, glyph) in (hex(first)[0]..=hex(last)[0]).enumerate() {
                        let mut text = hex(text);
                        *text.last_mut().unwrap() += i as u16;
                        found.insert(glyph, String::from_utf16_lossy(&text));
                    }
                }
                _ => {}
            }
        }
        found
    }

    /// What the page says, the file says, in each language and in currencies with signs of their own.
    #[test]
    fn the_pdf_says_what_the_page_says() {
        for (tag, currency) in [("en", Currency::INR), ("hi", Currency::INR), ("en", "EUR".parse().unwrap())]
        {
            let locale: Locale = tag.parse().unwrap();
            let issued = "2026-11-25T09:00:00+05:30[IST]";
            let page = page(locale, String::new(), invoice("Clay bowl", currency), issued, "").unwrap();
            let bytes = file(&page).unwrap();
            let read = lopdf::Document::load_mem(&bytes).unwrap();
            let text = plain(&text_of(&read));
            let html = plain(&html_escape::decode_html_entities(&page.render().unwrap()));
            let cells = page.lines.iter().flat_map(|line| {
                [&line.what, &line.variant, &line.quantity, &line.rate, &line.tax, &line.total]
            });
            let taxes = page.taxes.iter().flat_map(|tax| [&tax.rate, &tax.net, &tax.tax]);
            let lines = page.lines.iter().map(|line| &line.discounts);
            let discounts = lines.chain([&page.shipping_discounts]).flatten();
            let paid = page.paid.iter().flat_map(|(how, paid)| [how, paid]);
            assert_eq!(
                (page.lines[0].discounts.len(), page.shipping_discounts.len(), page.paid.len()),
                (2, 2, 2)
            );
            let cells = cells.chain(discounts).chain(paid);
            let whole = [&page.title, &page.date, &page.order, &page.total, &page.tax_id, &page.buyer_tax_id];
            let all =
                cells.chain(taxes).chain(whole).chain(&page.shipping).chain(&page.buyer).chain(&page.seller);
            for said in all.filter(|said| !said.is_empty()) {
                let said = plain(said);
                assert!(html.contains(&said), "{said} is not on the page");
                // Devanagari's vowels are drawn before their consonants, and read so.
                let devanagari = said.chars().any(|c| ('\u{900}'..='\u{97f}').contains(&c));
                assert!(devanagari || text.contains(&said), "{said} is not in the file: {text}");
            }
        }
    }

    /// A long invoice goes on on further pages, and what no font has doesn't stop it.
    #[test]
    fn any_text_can_be_written() {
        let mut long = invoice("कुल्हड़ \u{10fffd} 茶 مرحبا 👍\n", Currency::INR);
        long.lines = std::iter::repeat_n(long.lines[0].clone(), 300).collect();
        let page =
            page(Locale::default(), String::new(), long, "2026-11-25T09:00:00+05:30[IST]", "").unwrap();
        let bytes = file(&page).unwrap();
        assert!(lopdf::Document::load_mem(&bytes).unwrap().get_pages().len() > 5);
    }
}
