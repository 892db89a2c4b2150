//! Invoices and credit notes, as shops issue them. What is on one never changes.

use serde::{Deserialize, Serialize};

use crate::{
    addresses::Address,
    id::kinds::InvoiceId,
    money::{Money, MoneyError},
};

/// The value of `format` with which an invoice's page is a PDF.
pub const PDF: &str = "pdf";

text_enum! {
    /// What is issued.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum InvoiceKind {
        /// For what was shipped.
        Invoice = "invoice",
        /// For what was refunded afterwards.
        CreditNote = "credit_note",
    }
}

impl InvoiceKind {
    /// The number of the `sequence`th of a shop in a year.
    pub fn number(self, year: i64, sequence: i64) -> String {
        let prefix = match self {
            Self::Invoice => "INV",
            Self::CreditNote => "CN",
        };
        format!("{prefix}-{year}-{sequence:05}")
    }
}

/// An invoice or credit note of an order, in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InvoiceCard {
    /// The ID.
    pub id: InvoiceId,
    /// Whether it is an invoice or a credit note.
    pub kind: InvoiceKind,
    /// The number, unique in the shop.
    pub number: String,
    /// The total. That of a credit note is what was refunded.
    pub total: Money,
    /// When it was issued: RFC 3339, UTC.
    pub issued_at: String,
}

/// Everything that is on an invoice or credit note.
// Stored as JSON: a field that is added needs a default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoice {
    /// Whether it is an invoice or a credit note.
    pub kind: InvoiceKind,
    /// The number, unique in the shop.
    pub number: String,
    /// The number of the invoice that a credit note corrects.
    pub corrects: Option<String>,
    /// The order.
    pub order_number: String,
    /// The shop as it was.
    pub seller: Seller,
    /// The buyer.
    pub buyer: Address,
    /// The lines.
    pub lines: Vec<InvoiceLine>,
    /// What was charged for delivery. It is not taxed.
    pub shipping: Money,
    /// The total: all lines and delivery.
    pub total: Money,
}

/// A shop, as on its invoices.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seller {
    /// The name.
    pub name: String,
    /// The postal address. May be empty.
    pub address: String,
    /// The town.
    pub town: String,
    /// The tax ID. May be empty.
    pub tax_id: String,
}

/// A line of an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceLine {
    /// The product's title.
    pub title: String,
    /// The title of the variant. May be empty.
    pub variant: String,
    /// The quantity.
    pub quantity: i64,
    /// What was paid for all of them: after discounts, with tax.
    pub total: Money,
    /// The tax in it.
    pub tax: Money,
    /// The tax rate, in basis points.
    pub tax_bp: i64,
}

/// The lines of one tax rate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaxSum {
    /// The tax rate, in basis points.
    pub tax_bp: i64,
    /// The sum without tax.
    pub net: Money,
    /// The tax.
    pub tax: Money,
}

impl Invoice {
    /// The sums by tax rate, the highest first.
    pub fn taxes(&self) -> Result<Vec<TaxSum>, MoneyError> {
        let mut sums: Vec<TaxSum> = Vec::new();
        for line in &self.lines {
            let net = line.total.minus(line.tax)?;
            match sums.iter_mut().find(|sum| sum.tax_bp == line.tax_bp) {
                Some(sum) => (sum.net, sum.tax) = (sum.net.plus(net)?, sum.tax.plus(line.tax)?),
                None => sums.push(TaxSum { tax_bp: line.tax_bp, net, tax: line.tax }),
            }
        }
        sums.sort_by_key(|sum| -sum.tax_bp);
        Ok(sums)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Currency;

    #[test]
    fn numbers_sort_and_taxes_add_up() {
        assert_eq!(InvoiceKind::Invoice.number(2026, 7), "INV-2026-00007");
        assert_eq!(InvoiceKind::CreditNote.number(2026, 123_456), "CN-2026-123456");
        let money = |amount| Money::new(amount, Currency::INR);
        let line = |total, tax, tax_bp| InvoiceLine {
            title: "Bowl".into(),
            variant: String::new(),
            quantity: 1,
            total: money(total),
            tax: money(tax),
            tax_bp,
        };
        let buyer = serde_json::from_value(serde_json::json!({
            "name": "Asha", "line1": "", "line2": "", "city": "", "region": "", "postal_code": "", "country": "IN", "phone": ""
        }));
        let invoice = Invoice {
            kind: InvoiceKind::Invoice,
            number: String::new(),
            corrects: None,
            order_number: String::new(),
            seller: Seller::default(),
            buyer: buyer.unwrap(),
            lines: vec![line(10_500, 500, 500), line(11_800, 1_800, 1_800), line(2_100, 100, 500)],
            shipping: money(0),
            total: money(24_400),
        };
        let sums: Vec<_> =
            invoice.taxes().unwrap().iter().map(|s| (s.tax_bp, s.net.amount(), s.tax.amount())).collect();
        assert_eq!(sums, [(1_800, 10_000, 1_800), (500, 12_000, 600)]);
    }
}
