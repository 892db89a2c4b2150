//! Links to the invoice and credit notes of an order.

use haat_shared::{
    id::kinds::InvoiceId,
    invoices::{InvoiceCard, PDF},
    routes,
};
use leptos::prelude::*;

use crate::{
    i18n::t,
    words::{self, I18n},
};

/// Links to the invoices of an order, if it has any.
pub(crate) fn invoice_links(
    i18n: I18n,
    invoices: &[InvoiceCard],
    href: &dyn Fn(InvoiceId) -> String,
) -> Option<AnyView> {
    if invoices.is_empty() {
        return None;
    }
    let links = invoices.iter().map(|invoice| {
        let (href, day) = (href(invoice.id), words::day(i18n, &invoice.issued_at));
        let pdf = routes::with(&href, &[("format", PDF)]);
        // A screen reader's list of links says which one it is.
        let label = format!("{}: {}", t!(i18n, invoice.pdf), invoice.number);
        view! {
            <li>
                <a class="whole" rel="external" href=href>{invoice.number.clone()}</a>
                " · "
                {day}
                " · "
                <a rel="external" download href=pdf aria-label=label>{t!(i18n, invoice.pdf)}</a>
            </li>
        }
    });
    let links = links.collect_view();
    let list = view! {
        <div class="invoices">
            <h3>{t!(i18n, invoice.list)}</h3>
            <ul>{links}</ul>
        </div>
    };
    Some(list.into_any())
}
