//! Invoices and credit notes, as shops issue them. What is on one never changes.

use serde::{Deserialize, Serialize};

use crate::{
    addresses::Address,
    gift_cards::AppliedGiftCard,
    id::kinds::InvoiceId,
    money::{Money, MoneyError},
    payments::PaymentMethod,
    taxes::TaxLine,
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
    /// The buyer's tax ID. May be empty.
    #[serde(default)]
    pub buyer_tax_id: String,
    /// The lines.
    pub lines: Vec<InvoiceLine>,
    /// What was charged for delivery, with tax.
    pub shipping: Money,
    /// The taxes in it.
    #[serde(default)]
    pub shipping_taxes: Vec<TaxLine>,
    /// The discounts on delivery.
    #[serde(default)]
    pub shipping_discounts: Vec<InvoiceDiscount>,
    /// The total: all lines and delivery.
    pub total: Money,
    /// How it was paid, if gift cards paid a part: their parts, and what the payment method paid. Together, the total.
    #[serde(default)]
    pub paid: Option<InvoicePayments>,
}

/// A discount in the price of a line, or of delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceDiscount {
    /// The name of the promotion, with its code if there is one.
    pub name: String,
    /// What it took off, of all items of the line.
    pub amount: Money,
}

/// How gift cards and another payment paid for an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoicePayments {
    /// What each gift card paid.
    pub gift_cards: Vec<AppliedGiftCard>,
    /// The payment method of the rest.
    pub method: PaymentMethod,
    /// What it paid.
    pub rest: Money,
}

impl InvoicePayments {
    /// How an order of a purchase was paid. `before` is the sum of the orders before it, so that the parts of all orders are what
    /// the cards paid together, to the unit.
    pub fn of_order(
        cards: &[AppliedGiftCard],
        method: PaymentMethod,
        purchase: Money,
        (before, order): (Money, Money),
    ) -> Result<Option<Self>, MoneyError> {
        let by_cards = Money::sum(purchase.currency(), cards.iter().map(|card| card.amount))?;
        let until = before.plus(order)?.amount();
        let of_order = by_cards.part(purchase.amount(), before.amount(), until)?;
        if of_order.amount() == 0 {
            return Ok(None);
        }
        let (mut gift_cards, mut from) = (Vec::new(), 0);
        for card in cards {
            let to = from + card.amount.amount();
            let amount = of_order.part(by_cards.amount(), from, to)?;
            from = to;
            if amount.amount() > 0 {
                gift_cards.push(AppliedGiftCard { amount, ..card.clone() });
            }
        }
        Ok(Some(Self { gift_cards, method, rest: order.minus(of_order)? }))
    }
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
    /// The taxes that it consists of.
    #[serde(default)]
    pub taxes: Vec<TaxLine>,
    /// The discounts in it.
    #[serde(default)]
    pub discounts: Vec<InvoiceDiscount>,
}

/// What is due of one tax.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaxSum {
    /// The name: `CGST`.
    pub name: String,
    /// The tax rate, in millionths.
    pub rate_ppm: i64,
    /// The sum without tax of what is taxed.
    pub net: Money,
    /// The tax.
    pub tax: Money,
}

/// What items or delivery cost before discounts, as prices are shown: without taxes that were added to them. `total` is what was
/// paid for them, with tax.
pub fn before_discounts(
    total: Money,
    taxes: &[TaxLine],
    discounts: &[InvoiceDiscount],
) -> Result<Money, MoneyError> {
    let added = taxes.iter().filter(|tax| !tax.included).map(|tax| tax.amount);
    let discounts = discounts.iter().map(|discount| discount.amount);
    let (added, off) = (Money::sum(total.currency(), added)?, Money::sum(total.currency(), discounts)?);
    total.minus(added)?.plus(off)
}

impl Invoice {
    /// The sums by name and rate of the tax, the highest rate first.
    pub fn taxes(&self) -> Result<Vec<TaxSum>, MoneyError> {
        let mut sums: Vec<TaxSum> = Vec::new();
        let lines = self.lines.iter().map(|line| (line.total, &line.taxes));
        for (total, taxes) in lines.chain([(self.shipping, &self.shipping_taxes)]) {
            let net = total.minus(Money::sum(total.currency(), taxes.iter().map(|tax| tax.amount))?)?;
            for tax in taxes {
                match sums.iter_mut().find(|sum| (&sum.name, sum.rate_ppm) == (&tax.name, tax.rate_ppm)) {
                    Some(sum) => (sum.net, sum.tax) = (sum.net.plus(net)?, sum.tax.plus(tax.amount)?),
                    None => {
                        let TaxLine { name, rate_ppm, amount: tax, .. } = tax.clone();
                        sums.push(TaxSum { name, rate_ppm, net, tax });
                    }
                }
            }
        }
        sums.sort_by(|a, b| b.rate_ppm.cmp(&a.rate_ppm).then_with(|| a.name.cmp(&b.name)));
        Ok(sums)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Currency;

    #[test]
    fn before_discounts_is_the_price_that_was_shown() {
        let money = |amount| Money::new(amount, Currency::INR);
        let tax = |included, amount| TaxLine {
            name: "GST".into(),
            rate_ppm: 180_000,
            amount: money(amount),
            included,
        };
        let off = |amounts: &[i64]| -> Vec<InvoiceDiscount> {
            amounts
                .iter()
                .map(|&amount| InvoiceDiscount { name: "Sale".into(), amount: money(amount) })
                .collect()
        };
        // 100.00 less 10.00, with 18 % in it, and on top of it; and delivery for nothing.
        for (total, taxes, discounts, before) in [
            (9_000, vec![tax(true, 1_373)], off(&[1_000]), 10_000),
            (10_620, vec![tax(false, 1_620)], off(&[400, 600]), 10_000),
            (10_620, vec![tax(false, 810), tax(false, 810)], off(&[1_000]), 10_000),
            (0, vec![], off(&[4_900]), 4_900),
        ] {
            assert_eq!(before_discounts(money(total), &taxes, &discounts), Ok(money(before)), "{total}");
        }
    }

    #[test]
    fn numbers_sort_and_taxes_add_up() {
        assert_eq!(InvoiceKind::Invoice.number(2026, 7), "INV-2026-00007");
        assert_eq!(InvoiceKind::CreditNote.number(2026, 123_456), "CN-2026-123456");
        let money = |amount| Money::new(amount, Currency::INR);
        let tax_of = |name: &str, rate_ppm, tax| TaxLine {
            name: name.into(),
            rate_ppm,
            amount: money(tax),
            included: true,
        };
        let line = |total, tax, taxes| InvoiceLine {
            title: "Bowl".into(),
            variant: String::new(),
            quantity: 1,
            total: money(total),
            tax: money(tax),
            taxes,
            discounts: Vec::new(),
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
            buyer_tax_id: String::new(),
            lines: vec![
                line(10_500, 500, vec![tax_of("GST", 50_000, 500)]),
                line(11_800, 1_800, vec![tax_of("CGST", 90_000, 900), tax_of("SGST", 90_000, 900)]),
                line(2_100, 100, vec![tax_of("GST", 50_000, 100)]),
            ],
            shipping: money(0),
            shipping_taxes: Vec::new(),
            shipping_discounts: Vec::new(),
            total: money(24_400),
            paid: None,
        };
        let sums: Vec<_> =
            invoice.taxes().unwrap().into_iter().map(|s| (s.name, s.net.amount(), s.tax.amount())).collect();
        let expected = [("CGST", 10_000, 900), ("SGST", 10_000, 900), ("GST", 12_000, 600)];
        assert_eq!(sums, expected.map(|(name, net, tax)| (name.to_owned(), net, tax)));
    }

    #[test]
    fn the_parts_of_all_orders_are_what_each_card_paid() {
        let money = |amount| Money::new(amount, Currency::INR);
        let card = |n: u8, amount| AppliedGiftCard {
            id: format!("gift_{n:026}").parse().unwrap(),
            last4: format!("{n:04}"),
            amount: money(amount),
        };
        for (cards, orders) in [
            (vec![card(1, 100), card(2, 50)], vec![33, 33, 134]),
            // They pay everything.
            (vec![card(1, 1), card(2, 98), card(3, 1)], vec![33, 33, 34]),
            (vec![card(1, 1)], vec![1_000, 1_000]),
            (vec![], vec![500]),
        ] {
            let purchase = money(orders.iter().sum());
            let (mut before, mut paid) = (money(0), vec![0; cards.len()]);
            for order in orders {
                let method = PaymentMethod::Card;
                let parts =
                    InvoicePayments::of_order(&cards, method, purchase, (before, money(order))).unwrap();
                before = before.plus(money(order)).unwrap();
                let Some(parts) = parts else { continue };
                let by_cards: i64 = parts.gift_cards.iter().map(|card| card.amount.amount()).sum();
                assert_eq!(by_cards + parts.rest.amount(), order);
                assert!(parts.rest.amount() >= 0);
                for part in parts.gift_cards {
                    let at = cards.iter().position(|card| card.id == part.id).unwrap();
                    paid[at] += part.amount.amount();
                }
            }
            assert_eq!(paid.iter().sum::<i64>(), cards.iter().map(|card| card.amount.amount()).sum::<i64>());
        }
    }
}
