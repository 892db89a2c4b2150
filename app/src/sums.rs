//! What an order, a basket or a purchase costs, in words: the same rows on every page and in every email.

use haat_shared::{
    Money,
    pricing::{EXEMPTION, Totals},
    promotions::Discount,
    taxes::{self, TaxLine},
};

use crate::{
    i18n::{t, tu_string},
    words::{I18n, money},
};

/// The rows from the subtotal to the total, which is the last one, each with its name; and a note on the taxes that prices
/// include, which may be empty. Without `discounts` or `taxes`, their sum is a row. `only_gifts` is whether it is for gift cards
/// alone, which are neither shipped nor taxed.
pub fn sums(
    i18n: I18n,
    totals: &Totals,
    discounts: &[Discount],
    taxes: &[TaxLine],
    only_gifts: bool,
) -> (Vec<(String, String)>, String) {
    let Totals { subtotal, discount, shipping, tax, total } = *totals;
    let added_tax = totals.added_tax().unwrap_or(Money::zero(total.currency()));
    let exempt = taxes.iter().any(|line| line.name == EXEMPTION);
    let (added, included): (Vec<&TaxLine>, Vec<&TaxLine>) =
        taxes.iter().filter(|line| line.amount.amount() > 0).partition(|line| !line.included);
    let note = match added_tax.amount() {
        _ if only_gifts => String::new(),
        // What was taken off prices that include the tax is among the discounts.
        0 if tax.amount() == 0 && exempt && discounts.iter().any(|of| of.label == EXEMPTION) => String::new(),
        0 if tax.amount() == 0 && exempt => EXEMPTION.to_owned(),
        0 if tax.amount() == 0 => tu_string!(i18n, cart.taxes).to_owned(),
        0 if included.is_empty() => t!(i18n, cart.taxes_of, tax = tax),
        _ if included.is_empty() => String::new(),
        _ => {
            let each = included.iter().map(|line| format!("{} {}", tax_name(line), money(i18n, line.amount)));
            t!(i18n, cart.taxes_each, taxes = each.collect::<Vec<_>>().join(", "))
        }
    };
    let minus = |sum| format!("−{}", money(i18n, sum));
    let mut rows = vec![(tu_string!(i18n, cart.subtotal).to_owned(), money(i18n, subtotal))];
    let mut discounts = discounts.iter().filter(|discount| discount.amount.amount() > 0).peekable();
    if discounts.peek().is_none() && discount.amount() > 0 {
        rows.push((tu_string!(i18n, cart.discount).to_owned(), minus(discount)));
    }
    rows.extend(discounts.map(|discount| {
        let name = match discount.after_others {
            true => t!(i18n, cart.after_others, discount = discount.name()),
            false => discount.name(),
        };
        (name, minus(discount.amount))
    }));
    if !only_gifts {
        let free = shipping.amount() == 0;
        let price = if free { tu_string!(i18n, cart.free).to_owned() } else { money(i18n, shipping) };
        rows.push((tu_string!(i18n, cart.delivery).to_owned(), price));
    }
    if added.is_empty() && added_tax.amount() > 0 {
        rows.push((tu_string!(i18n, cart.tax).to_owned(), money(i18n, added_tax)));
    }
    rows.extend(added.iter().map(|line| (tax_name(line), money(i18n, line.amount))));
    rows.push((tu_string!(i18n, cart.total).to_owned(), money(i18n, total)));
    (rows, note)
}

/// The name and rate of a tax: CGST 9%.
pub(crate) fn tax_name(line: &TaxLine) -> String {
    format!("{} {}%", line.name, taxes::percent(line.rate_ppm))
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use haat_shared::Currency;

    use super::*;

    fn inr(amount: i64) -> Money {
        Money::new(amount, Currency::INR)
    }

    fn discount(label: &str, amount: i64, after_others: bool) -> Discount {
        let (promotion_id, code, refusal, limit) = (None, String::new(), None, None);
        Discount {
            promotion_id,
            code,
            label: label.into(),
            amount: inr(amount),
            after_others,
            refusal,
            limit,
        }
    }

    #[test]
    fn each_discount_and_each_added_tax_is_a_row_and_they_add_up() {
        let tax = |name: &str, included, amount| TaxLine {
            name: name.into(),
            rate_ppm: 90_000,
            included,
            amount: inr(amount),
        };
        let totals = Totals {
            subtotal: inr(10_000),
            discount: inr(1_900),
            shipping: inr(1_000),
            tax: inr(810),
            total: inr(9_910),
        };
        let discounts = [discount("First", 1_000, false), discount("Second", 900, true)];
        let taxes = [tax("CGST", false, 405), tax("SGST", false, 405)];
        let (rows, note) = sums(I18n::default(), &totals, &discounts, &taxes, false);
        let rows: Vec<String> = rows.into_iter().map(|(name, sum)| format!("{name} {sum}")).collect();
        assert_eq!(
            rows,
            [
                "Subtotal ₹100.00",
                "First −₹10.00",
                "Second, after the discounts above −₹9.00",
                "Shipping ₹10.00",
                "CGST 9% ₹4.05",
                "SGST 9% ₹4.05",
                "Total ₹99.10",
            ]
        );
        assert_eq!(note, "");
        let included = [tax("VAT", true, 810)];
        let totals = Totals { total: inr(9_100), ..totals };
        let (rows, note) = sums(I18n::default(), &totals, &[], &included, false);
        assert_eq!((rows.len(), rows[1].1.as_str(), note.as_str()), (4, "−₹19.00", "Includes VAT 9% ₹8.10"));
    }
}
