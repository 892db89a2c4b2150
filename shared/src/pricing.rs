//! Pricing: the one function that calculates every price that is shown or charged.
//!
//! [`quote`] takes the items of each shop, the shipping that was chosen for them, and the promotions that
//! may apply. It returns a [`Breakdown`] for each line, for each shop's shipping, for each shop and for the
//! whole. Amounts are whole minor units of one currency; each level is the exact sum of the level below.
//!
//! For each line, and for the shipping of each shop:
//!
//! ```text
//! list       = unit price × quantity                      shipping: the price of the chosen option
//! discounted = list − its discounts
//! tax        = discounted × rate ÷ (1 + rate), half up    if the price includes it
//!            = discounted × rate, half up                 if it is added
//! total      = discounted + tax that is added
//! ```
//!
//! **Promotions** apply one after another, in the given order, each to the prices that the previous ones
//! left. So a discount never exceeds the price.
//!
//! ```text
//! covered  = the lines in scope, except gift cards;
//!            for free shipping, the shipping of the shops that have such lines
//! applies  if Σ list of the covered lines ≥ minimum
//! wanted   = Σ discounted × percent, half up  |  the fixed amount  |  Σ discounted, of shipping
//! discount = min(wanted, Σ discounted, cap), allocated in proportion to the discounted prices
//! ```
//!
//! Units left over by an allocation ([`Money::allocate`]) go to the largest remainders and, among equals, to
//! the first by shop and line ID. So the order in which shops and lines are given changes nothing.
//!
//! **Commission** is due on what the shop sold its goods for: a discount borne by the marketplace does not
//! reduce it, and neither shipping nor added tax is part of it. It is rounded once per rate of a shop, in
//! the shop's favour.
//!
//! ```text
//! base       = list − discounts borne by the shop     of a line
//! commission = ⌊ Σ base × rate ⌋                      per rate, allocated in proportion to the bases
//! ```

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    id::kinds::ShopId,
    money::{Currency, Money, MoneyError, Rounding},
};

/// 100 % in basis points.
const WHOLE_BP: i64 = 10_000;

text_enum! {
    /// The kind of a line.
    pub enum LineKind {
        /// Goods that are shipped or handed over.
        Goods = "goods",
        /// A service at a given time.
        Service = "service",
        /// A download.
        Digital = "digital",
        /// A gift card: never discounted.
        GiftCard = "gift_card",
    }
}

text_enum! {
    /// Who bears the cost of a discount.
    pub enum Bearer {
        /// The shop, which earns less.
        Shop = "shop",
        /// The marketplace: the shop earns as much as without the discount.
        Market = "market",
    }
}

/// A tax rate, and how it applies to a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaxRule {
    /// The rate in basis points.
    pub rate_bp: i64,
    /// Whether the price includes the tax. Otherwise it is added.
    pub included: bool,
}

impl TaxRule {
    /// No tax.
    pub const NONE: Self = Self::included(0);

    /// Tax of this rate, included in the price.
    pub const fn included(rate_bp: i64) -> Self {
        Self { rate_bp, included: true }
    }

    /// Tax of this rate, added to the price.
    pub const fn added(rate_bp: i64) -> Self {
        Self { rate_bp, included: false }
    }

    /// The tax on a price.
    fn on(self, price: Money) -> Result<Money, MoneyError> {
        match self.included {
            true => price.included_bp(self.rate_bp, Rounding::HalfUp),
            false => price.rate_bp(self.rate_bp, Rounding::HalfUp),
        }
    }
}

/// A line item to be priced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineItem {
    /// Identifies the line within the quote.
    pub id: Uuid,
    /// The kind.
    pub kind: LineKind,
    /// The quantity.
    pub quantity: i64,
    /// The list price per unit.
    pub unit_price: Money,
    /// The tax on it.
    pub tax: TaxRule,
    /// The marketplace's commission on it, in basis points.
    pub commission_bp: i64,
}

impl LineItem {
    /// The price of the quantity, before discounts.
    pub fn list_price(&self) -> Result<Money, MoneyError> {
        self.unit_price.times(self.quantity)
    }
}

/// The shipping of a shop's items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shipping {
    /// The price of the chosen option.
    pub price: Money,
    /// The tax on it.
    pub tax: TaxRule,
}

/// The items of one shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShopItems {
    /// The shop.
    pub shop: ShopId,
    /// The lines.
    pub lines: Vec<LineItem>,
    /// The shipping; `None` if nothing is shipped.
    pub shipping: Option<Shipping>,
}

impl Shipping {
    /// Shipping without tax.
    pub const fn untaxed(price: Money) -> Self {
        Self { price, tax: TaxRule::NONE }
    }
}

impl ShopItems {
    /// The list price of the lines, on which shipping prices depend.
    pub fn subtotal(&self, currency: Currency) -> Result<Money, MoneyError> {
        self.lines.iter().try_fold(Money::zero(currency), |sum, line| sum.plus(line.list_price()?))
    }
}

/// A promotion that may reduce prices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promotion {
    /// The code entered by the shopper, or an internal one.
    pub code: String,
    /// The name that shoppers see.
    pub label: String,
    /// Who bears the cost.
    pub borne_by: Bearer,
    /// What it applies to.
    pub scope: Scope,
    /// What it reduces, and by how much.
    pub benefit: Benefit,
    /// The minimum list price of the lines in scope.
    pub minimum: Option<Money>,
    /// The maximum discount.
    pub cap: Option<Money>,
}

/// What a promotion applies to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Everything.
    Market,
    /// The items of one shop.
    Shop(ShopId),
    /// The lines with these IDs.
    Lines(Vec<Uuid>),
}

/// The benefit of a promotion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Benefit {
    /// A discount on the items, in basis points.
    Percent(i64),
    /// A fixed discount on all items together, at most their price.
    Amount(Money),
    /// Free shipping.
    FreeShipping,
}

/// A change of a price by a promotion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjustment {
    /// The promotion's code.
    pub code: String,
    /// The name that shoppers see.
    pub label: String,
    /// Who bears the cost.
    pub borne_by: Bearer,
    /// The change of the price: negative for a discount.
    pub amount: Money,
}

impl Adjustment {
    fn key(&self) -> (&str, &str, &str) {
        (&self.code, &self.label, self.borne_by.as_str())
    }
}

/// The totals: `total = subtotal − discount + shipping`, plus any tax that prices do not include.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Totals {
    /// The price of the items, before discounts.
    pub subtotal: Money,
    /// The discount on items and shipping.
    pub discount: Money,
    /// The shipping price, before discounts.
    pub shipping: Money,
    /// The tax, both included in prices and added to them.
    pub tax: Money,
    /// The total to pay.
    pub total: Money,
}

impl Totals {
    /// All zero.
    pub const fn zero(currency: Currency) -> Self {
        let zero = Money::zero(currency);
        Self { subtotal: zero, discount: zero, shipping: zero, tax: zero, total: zero }
    }

    /// The sum of two totals.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        Ok(Self {
            subtotal: self.subtotal.plus(other.subtotal)?,
            discount: self.discount.plus(other.discount)?,
            shipping: self.shipping.plus(other.shipping)?,
            tax: self.tax.plus(other.tax)?,
            total: self.total.plus(other.total)?,
        })
    }

    /// The sum of all totals.
    pub fn sum(currency: Currency, all: impl IntoIterator<Item = Self>) -> Result<Self, MoneyError> {
        all.into_iter().try_fold(Self::zero(currency), Self::plus)
    }

    /// The part of the tax that was added to prices. The rest is included in them.
    pub fn added_tax(self) -> Result<Money, MoneyError> {
        self.total.plus(self.discount)?.minus(self.subtotal)?.minus(self.shipping)
    }
}

/// The price of a line, of shipping, of a shop's items with their shipping, or of everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breakdown {
    /// The totals.
    pub totals: Totals,
    /// The adjustments by promotions, sorted by code. Their sum is the negative discount.
    pub adjustments: Vec<Adjustment>,
    /// The amount that commission is due on.
    pub commission_base: Money,
    /// The marketplace's commission.
    pub commission: Money,
}

impl Breakdown {
    fn zero(currency: Currency) -> Self {
        let zero = Money::zero(currency);
        let (totals, adjustments) = (Totals::zero(currency), Vec::new());
        Self { totals, adjustments, commission_base: zero, commission: zero }
    }

    fn plus(mut self, part: &Self) -> Result<Self, MoneyError> {
        self.totals = self.totals.plus(part.totals)?;
        self.commission_base = self.commission_base.plus(part.commission_base)?;
        self.commission = self.commission.plus(part.commission)?;
        part.adjustments
            .iter()
            .try_for_each(|adjustment| adjust(&mut self.adjustments, adjustment.clone()))?;
        Ok(self)
    }
}

/// Inserts an adjustment in order, or adds its amount to that of the same promotion.
fn adjust(adjustments: &mut Vec<Adjustment>, new: Adjustment) -> Result<(), MoneyError> {
    match adjustments.binary_search_by(|have| have.key().cmp(&new.key())) {
        Ok(at) => adjustments[at].amount = adjustments[at].amount.plus(new.amount)?,
        Err(at) => adjustments.insert(at, new),
    }
    Ok(())
}

/// A line with its price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineQuote {
    /// The line.
    pub line: LineItem,
    /// Its price.
    pub price: Breakdown,
}

/// The items of one shop with their prices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShopQuote {
    /// The shop.
    pub shop: ShopId,
    /// The lines, in the given order.
    pub lines: Vec<LineQuote>,
    /// The price of shipping.
    pub shipping: Breakdown,
    /// The price of the lines and shipping.
    pub price: Breakdown,
}

/// A quote: what a cart or checkout costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// The shops, in the given order.
    pub shops: Vec<ShopQuote>,
    /// The price of everything.
    pub price: Breakdown,
}

/// The price of a line or of a shop's shipping while promotions are applied to it.
struct Charge<'a> {
    items: &'a ShopItems,
    line: Option<&'a LineItem>,
    tax: TaxRule,
    list: Money,
    discounted: Money,
    adjustments: Vec<Adjustment>,
}

/// Calculates all prices by the rules of this [module](self). Fails if currencies are mixed, if a price,
/// quantity or rate is out of bounds, and on overflow.
pub fn quote(currency: Currency, shops: &[ShopItems], promotions: &[Promotion]) -> Result<Quote, MoneyError> {
    let mut charges = Vec::new();
    for items in shops {
        for line in &items.lines {
            within(line.quantity, i64::MAX)?;
            within(line.commission_bp, WHOLE_BP)?;
            checked(currency, line.unit_price)?;
            charges.push(Charge::new(items, Some(line), line.tax, line.list_price()?)?);
        }
        if let Some(shipping) = items.shipping {
            charges.push(Charge::new(items, None, shipping.tax, checked(currency, shipping.price)?)?);
        }
    }
    for promotion in promotions {
        promotion.apply(currency, &mut charges)?;
    }
    let mut charges = charges.into_iter();
    let mut quote = Quote { shops: Vec::new(), price: Breakdown::zero(currency) };
    for items in shops {
        let mut lines = Vec::new();
        for (line, charge) in items.lines.iter().zip(&mut charges) {
            lines.push(LineQuote { line: *line, price: charge.price()? });
        }
        share_commission(currency, &mut lines)?;
        let shipping = match items.shipping.and_then(|_| charges.next()) {
            Some(charge) => charge.price()?,
            None => Breakdown::zero(currency),
        };
        let goods = lines.iter().try_fold(Breakdown::zero(currency), |sum, line| sum.plus(&line.price))?;
        let price = goods.plus(&shipping)?;
        quote.price = quote.price.plus(&price)?;
        quote.shops.push(ShopQuote { shop: items.shop, lines, shipping, price });
    }
    Ok(quote)
}

/// Sets the commission of a shop's lines, rounded once per rate.
fn share_commission(currency: Currency, lines: &mut [LineQuote]) -> Result<(), MoneyError> {
    let mut by_rate: BTreeMap<i64, Vec<&mut LineQuote>> = BTreeMap::new();
    for line in lines {
        by_rate.entry(line.line.commission_bp).or_default().push(line);
    }
    for (rate_bp, mut lines) in by_rate {
        lines.sort_by_key(|line| line.line.id);
        let bases: Vec<Money> = lines.iter().map(|line| line.price.commission_base).collect();
        let commission = Money::sum(currency, bases.iter().copied())?.rate_bp(rate_bp, Rounding::Down)?;
        for (line, part) in lines.into_iter().zip(shared(commission, &bases)?) {
            line.price.commission = part;
        }
    }
    Ok(())
}

/// Allocates an amount in proportion to prices. An amount of zero is zero for each, whatever the prices.
fn shared(amount: Money, prices: &[Money]) -> Result<Vec<Money>, MoneyError> {
    let weights: Vec<i64> = prices.iter().map(|price| price.amount()).collect();
    if amount.amount() == 0 { Ok(vec![amount; weights.len()]) } else { amount.allocate(&weights) }
}

fn within(number: i64, most: i64) -> Result<i64, MoneyError> {
    if (0..=most).contains(&number) { Ok(number) } else { Err(MoneyError::OutOfBounds) }
}

fn checked(currency: Currency, price: Money) -> Result<Money, MoneyError> {
    if price.currency() != currency {
        return Err(MoneyError::MixedCurrencies);
    }
    within(price.amount(), i64::MAX).map(|_| price)
}

fn lesser(a: Money, b: Money) -> Money {
    if b.amount() < a.amount() { b } else { a }
}

impl<'a> Charge<'a> {
    fn new(
        items: &'a ShopItems,
        line: Option<&'a LineItem>,
        tax: TaxRule,
        list: Money,
    ) -> Result<Self, MoneyError> {
        within(tax.rate_bp, i64::MAX)?;
        Ok(Self { items, line, tax, list, discounted: list, adjustments: Vec::new() })
    }

    fn price(self) -> Result<Breakdown, MoneyError> {
        let Self { line, tax: rule, list, discounted, adjustments, .. } = self;
        let zero = Money::zero(list.currency());
        let tax = rule.on(discounted)?;
        let total = if rule.included { discounted } else { discounted.plus(tax)? };
        let (subtotal, shipping) = if line.is_some() { (list, zero) } else { (zero, list) };
        let totals = Totals { subtotal, discount: list.minus(discounted)?, shipping, tax, total };
        let borne_by_shop = adjustments.iter().filter(|a| a.borne_by == Bearer::Shop).map(|a| a.amount);
        let commission_base = match line {
            Some(_) => Money::sum(list.currency(), borne_by_shop)?.plus(list)?,
            None => zero,
        };
        Ok(Breakdown { totals, adjustments, commission_base, commission: zero })
    }
}

impl Promotion {
    /// Whether it covers a line of a shop.
    fn covers(&self, items: &ShopItems, line: &LineItem) -> bool {
        let in_scope = match &self.scope {
            Scope::Market => true,
            Scope::Shop(shop) => *shop == items.shop,
            Scope::Lines(lines) => lines.contains(&line.id),
        };
        in_scope && line.kind != LineKind::GiftCard
    }

    /// Applies it to what it covers.
    fn apply(&self, currency: Currency, charges: &mut [Charge]) -> Result<(), MoneyError> {
        let checked = |amount| checked(currency, amount);
        let covered = |charge: &Charge| charge.line.is_some_and(|line| self.covers(charge.items, line));
        let ships = |charge: &Charge| {
            charge.line.is_none() && charge.items.lines.iter().any(|line| self.covers(charge.items, line))
        };
        let goods = charges.iter().filter(|charge| covered(charge)).map(|charge| charge.list);
        let goods = Money::sum(currency, goods)?;
        let free_shipping = self.benefit == Benefit::FreeShipping;
        let target = |charge: &Charge| if free_shipping { ships(charge) } else { covered(charge) };
        let mut targets: Vec<&mut Charge> = charges.iter_mut().filter(|charge| target(charge)).collect();
        targets.sort_by_key(|charge| (charge.items.shop, charge.line.map(|line| line.id)));
        let prices: Vec<Money> = targets.iter().map(|charge| charge.discounted).collect();
        let discounted = Money::sum(currency, prices.iter().copied())?;
        let wanted = match self.benefit {
            Benefit::Percent(rate_bp) => discounted.rate_bp(within(rate_bp, WHOLE_BP)?, Rounding::HalfUp)?,
            Benefit::Amount(amount) => checked(amount)?,
            Benefit::FreeShipping => discounted,
        };
        let most = lesser(discounted, self.cap.map_or(Ok(discounted), checked)?);
        if checked(self.minimum.unwrap_or(Money::zero(currency)))?.amount() > goods.amount() {
            return Ok(());
        }
        for (charge, part) in targets.into_iter().zip(shared(lesser(wanted, most), &prices)?) {
            if part.amount() > 0 {
                charge.discounted = charge.discounted.minus(part)?;
                let (code, label, borne_by) = (self.code.clone(), self.label.clone(), self.borne_by);
                let amount = part.times(-1)?;
                adjust(&mut charge.adjustments, Adjustment { code, label, borne_by, amount })?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CURRENCIES: [&str; 4] = ["INR", "USD", "JPY", "KWD"];

    fn inr(amount: i64) -> Money {
        Money::new(amount, Currency::INR)
    }

    fn shop(number: u128) -> ShopId {
        ShopId::from_uuid(Uuid::from_u128(number))
    }

    fn line(id: u128, quantity: i64, unit: i64, tax: TaxRule) -> LineItem {
        let (id, unit_price) = (Uuid::from_u128(id), inr(unit));
        LineItem { id, kind: LineKind::Goods, quantity, unit_price, tax, commission_bp: 1_000 }
    }

    fn of_shop(number: u128, lines: &[LineItem], shipping: i64) -> ShopItems {
        let shipping = Some(Shipping::untaxed(inr(shipping)));
        ShopItems { shop: shop(number), lines: lines.to_vec(), shipping }
    }

    fn promotion(benefit: Benefit) -> Promotion {
        Promotion {
            code: "SALE".into(),
            label: "Sale".into(),
            borne_by: Bearer::Shop,
            scope: Scope::Market,
            benefit,
            minimum: None,
            cap: None,
        }
    }

    fn percent(bp: i64) -> Promotion {
        promotion(Benefit::Percent(bp))
    }

    fn amount(minor: i64) -> Promotion {
        promotion(Benefit::Amount(inr(minor)))
    }

    /// Subtotal, discount, shipping, tax and total.
    fn figures(price: &Breakdown) -> [i64; 5] {
        let Totals { subtotal, discount, shipping, tax, total } = price.totals;
        [subtotal, discount, shipping, tax, total].map(Money::amount)
    }

    #[test]
    fn quotes_worked_out_by_hand() {
        let (in_18, on_18) = (TaxRule::included(1_800), TaxRule::added(1_800));
        let [bowl, lamp] = [line(1, 2, 45_000, in_18), line(2, 1, 129_900, on_18)];
        let two_shops = vec![of_shop(1, &[bowl], 4_900), of_shop(2, &[lamp], 4_900)];
        let coins =
            |tax| vec![of_shop(1, &[line(1, 1, 100, tax), line(2, 1, 100, tax), line(3, 1, 100, tax)], 0)];
        let gift =
            LineItem { kind: LineKind::GiftCard, commission_bp: 0, ..line(9, 1, 50_000, TaxRule::NONE) };
        let cap = |promotion: Promotion, cap| Promotion { cap: Some(inr(cap)), ..promotion };
        let minimum = |promotion: Promotion, minimum| Promotion { minimum: Some(inr(minimum)), ..promotion };
        let scoped = |scope, promotion: Promotion| Promotion { scope, ..promotion };
        let by_market = |promotion: Promotion| Promotion { borne_by: Bearer::Market, ..promotion };
        let taxed_shipping = |tax| {
            let shipping = Some(Shipping { price: inr(4_900), tax });
            vec![ShopItems { shipping, ..of_shop(1, &[bowl], 0) }]
        };
        let free = || promotion(Benefit::FreeShipping);
        // Items, promotions; subtotal, discount, shipping, tax, total; commission base and commission.
        let cases: Vec<(&str, Vec<ShopItems>, Vec<Promotion>, [i64; 5], [i64; 2])> = vec![
            ("nothing", vec![], vec![percent(1_000)], [0, 0, 0, 0, 0], [0, 0]),
            ("no lines", vec![of_shop(1, &[], 100)], vec![free()], [0, 0, 100, 0, 100], [0, 0]),
            // 90,000 × 18 ÷ 118 = 13,728.8
            (
                "tax in the price",
                two_shops[..1].into(),
                vec![],
                [90_000, 0, 4_900, 13_729, 94_900],
                [90_000, 9_000],
            ),
            // 129,900 × 18 % = 23,382
            (
                "tax on top",
                two_shops[1..].into(),
                vec![],
                [129_900, 0, 4_900, 23_382, 158_182],
                [129_900, 12_990],
            ),
            ("both", two_shops.clone(), vec![], [219_900, 0, 9_800, 37_111, 253_082], [219_900, 21_990]),
            // 4,900 × 18 ÷ 118 = 747.5, and × 18 % = 882
            (
                "tax in shipping",
                taxed_shipping(in_18),
                vec![],
                [90_000, 0, 4_900, 14_476, 94_900],
                [90_000, 9_000],
            ),
            (
                "tax on shipping",
                taxed_shipping(on_18),
                vec![],
                [90_000, 0, 4_900, 14_611, 95_782],
                [90_000, 9_000],
            ),
            // 9,000 and 12,990 off: 81,000 × 18 ÷ 118 = 12,355.9, and 116,910 × 18 % = 21,043.8
            (
                "a tenth off",
                two_shops.clone(),
                vec![percent(1_000)],
                [219_900, 21_990, 9_800, 33_400, 228_754],
                [197_910, 19_791],
            ),
            (
                "borne by the market",
                two_shops.clone(),
                vec![by_market(percent(1_000))],
                [219_900, 21_990, 9_800, 33_400, 228_754],
                [219_900, 21_990],
            ),
            (
                "one shop's",
                two_shops.clone(),
                vec![scoped(Scope::Shop(shop(1)), percent(1_000))],
                [219_900, 9_000, 9_800, 35_738, 244_082],
                [210_900, 21_090],
            ),
            // A tenth of a tenth less: 90,000 − 9,000 − 8,100
            (
                "one on another",
                two_shops[..1].into(),
                vec![percent(1_000), percent(1_000)],
                [90_000, 17_100, 4_900, 11_120, 77_800],
                [72_900, 7_290],
            ),
            (
                "up to a cap",
                two_shops[..1].into(),
                vec![cap(percent(5_000), 10_000)],
                [90_000, 10_000, 4_900, 12_203, 84_900],
                [80_000, 8_000],
            ),
            (
                "below the minimum",
                two_shops[..1].into(),
                vec![minimum(amount(5_000), 90_001)],
                [90_000, 0, 4_900, 13_729, 94_900],
                [90_000, 9_000],
            ),
            (
                "from the minimum on",
                two_shops[..1].into(),
                vec![minimum(amount(5_000), 90_000)],
                [90_000, 5_000, 4_900, 12_966, 89_900],
                [85_000, 8_500],
            ),
            // 100 among 3: 34, 33 and 33 off, so 66, 67 and 67 are left, each with 10 of tax in it
            ("a hundred among three", coins(in_18), vec![amount(100)], [300, 100, 0, 30, 200], [200, 20]),
            ("all off, and no more", coins(on_18), vec![amount(301)], [300, 300, 0, 0, 0], [0, 0]),
            (
                "some lines",
                coins(TaxRule::NONE),
                vec![scoped(Scope::Lines(vec![Uuid::from_u128(2)]), percent(1_500))],
                [300, 15, 0, 0, 285],
                [285, 28],
            ),
            (
                "free shipping",
                two_shops.clone(),
                vec![free()],
                [219_900, 9_800, 9_800, 37_111, 243_282],
                [219_900, 21_990],
            ),
            (
                "free shipping of one shop",
                two_shops.clone(),
                vec![scoped(Scope::Lines(vec![lamp.id]), free())],
                [219_900, 4_900, 9_800, 37_111, 248_182],
                [219_900, 21_990],
            ),
            (
                "shipping up to a cap",
                two_shops.clone(),
                vec![cap(free(), 5_000)],
                [219_900, 5_000, 9_800, 37_111, 248_082],
                [219_900, 21_990],
            ),
            (
                "gift cards are money",
                vec![of_shop(1, &[gift, line(1, 1, 100, in_18)], 0)],
                vec![percent(5_000)],
                [50_100, 50, 0, 8, 50_050],
                [50_050, 5],
            ),
        ];
        for (name, shops, promotions, expected, commission) in cases {
            let quote = quote(Currency::INR, &shops, &promotions).unwrap();
            assert_eq!(figures(&quote.price), expected, "{name}");
            let Breakdown { commission_base, commission: part, .. } = quote.price;
            assert_eq!([commission_base, part].map(Money::amount), commission, "{name}");
            holds(&quote);
        }
    }

    #[test]
    fn adjustments_say_what_changed_where() {
        let shops = [
            of_shop(1, &[line(1, 1, 100, TaxRule::NONE), line(2, 1, 300, TaxRule::NONE)], 50),
            of_shop(2, &[line(3, 1, 600, TaxRule::NONE)], 0),
        ];
        let market = Promotion { code: "ALL".into(), borne_by: Bearer::Market, ..percent(1_000) };
        let promotions = [percent(5_000), market, promotion(Benefit::FreeShipping)];
        let quote = quote(Currency::INR, &shops, &promotions).unwrap();
        let told = |price: &Breakdown| -> Vec<(String, Bearer, i64)> {
            price.adjustments.iter().map(|a| (a.code.clone(), a.borne_by, a.amount.amount())).collect()
        };
        let both = |all, sale| vec![("ALL".into(), Bearer::Market, all), ("SALE".into(), Bearer::Shop, sale)];
        assert_eq!(told(&quote.shops[0].lines[0].price), both(-5, -50));
        assert_eq!(told(&quote.shops[0].lines[1].price), both(-15, -150));
        assert_eq!(told(&quote.shops[0].shipping), [("SALE".into(), Bearer::Shop, -50)]);
        assert_eq!(told(&quote.shops[0].price), both(-20, -250));
        assert_eq!(told(&quote.shops[1].price), both(-30, -300));
        assert_eq!(told(&quote.price), both(-50, -550));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let good = line(1, 1, 100, TaxRule::NONE);
        let usd = Money::new(1, "USD".parse().unwrap());
        let bad_lines = [
            (LineItem { quantity: -1, ..good }, MoneyError::OutOfBounds),
            (LineItem { unit_price: inr(-1), ..good }, MoneyError::OutOfBounds),
            (LineItem { tax: TaxRule::added(-1), ..good }, MoneyError::OutOfBounds),
            (LineItem { commission_bp: 10_001, ..good }, MoneyError::OutOfBounds),
            (LineItem { unit_price: usd, ..good }, MoneyError::MixedCurrencies),
            (LineItem { unit_price: inr(i64::MAX), quantity: 2, ..good }, MoneyError::Overflow),
        ];
        for (bad, error) in bad_lines {
            assert_eq!(quote(Currency::INR, &[of_shop(1, &[bad], 0)], &[]), Err(error), "{bad:?}");
        }
        let bad_promotions = [
            (percent(10_001), MoneyError::OutOfBounds),
            (amount(-1), MoneyError::OutOfBounds),
            (promotion(Benefit::Amount(usd)), MoneyError::MixedCurrencies),
            (Promotion { cap: Some(inr(-1)), ..percent(1) }, MoneyError::OutOfBounds),
            (Promotion { minimum: Some(usd), ..percent(1) }, MoneyError::MixedCurrencies),
        ];
        for (bad, error) in bad_promotions {
            let shops = [of_shop(1, &[good], 0)];
            assert_eq!(quote(Currency::INR, &shops, std::slice::from_ref(&bad)), Err(error), "{bad:?}");
        }
        assert_eq!(quote(Currency::INR, &[of_shop(1, &[good], -1)], &[]), Err(MoneyError::OutOfBounds));
    }

    /// The sums of every level, worked out again from the level below.
    fn holds(quote: &Quote) {
        fn sum<'a>(parts: impl IntoIterator<Item = &'a Breakdown>, of: impl Fn(&Breakdown) -> i64) -> i64 {
            parts.into_iter().map(of).sum()
        }
        let kept = |price: &Breakdown, level: &str| {
            let [subtotal, discount, shipping, tax, total] = figures(price);
            let added = price.totals.added_tax().unwrap().amount();
            assert_eq!(total, subtotal - discount + shipping + added, "{level}");
            assert!(figures(price).iter().all(|figure| *figure >= 0), "{level}: {price:?}");
            assert!(discount <= subtotal + shipping, "{level}: {price:?}");
            assert!((0..=tax).contains(&added), "{level}: {price:?}");
            let adjusted: i64 = price.adjustments.iter().map(|a| a.amount.amount()).sum();
            assert!(price.adjustments.iter().all(|a| a.amount.amount() < 0), "{level}: {price:?}");
            assert_eq!(adjusted, -discount, "{level}");
            let (base, commission) = (price.commission_base.amount(), price.commission.amount());
            assert!(0 <= commission && commission <= base && base <= subtotal, "{level}: {price:?}");
        };
        let sums = |whole: &Breakdown, parts: &[&Breakdown], level: &str| {
            kept(whole, level);
            for i in 0..5 {
                assert_eq!(figures(whole)[i], sum(parts.iter().copied(), |p| figures(p)[i]), "{level}: {i}");
            }
            let base = sum(parts.iter().copied(), |p| p.commission_base.amount());
            let commission = sum(parts.iter().copied(), |p| p.commission.amount());
            assert_eq!(
                [whole.commission_base, whole.commission].map(Money::amount),
                [base, commission],
                "{level}"
            );
            for adjustment in &whole.adjustments {
                let parts = parts.iter().flat_map(|p| &p.adjustments).filter(|a| a.key() == adjustment.key());
                let amount: i64 = parts.map(|a| a.amount.amount()).sum();
                assert_eq!(adjustment.amount.amount(), amount, "{level}");
            }
        };
        for shop in &quote.shops {
            for LineQuote { line, price } in &shop.lines {
                kept(price, "line");
                let [subtotal, discount, shipping, tax, total] = figures(price);
                assert_eq!((subtotal, shipping), (line.unit_price.amount() * line.quantity, 0));
                let left = subtotal - discount;
                match line.tax.included {
                    true => assert!(total == left && tax <= left, "{line:?}: {price:?}"),
                    false => assert_eq!(total, left + tax, "{line:?}"),
                }
            }
            kept(&shop.shipping, "shipping");
            let mut parts: Vec<&Breakdown> = shop.lines.iter().map(|line| &line.price).collect();
            parts.push(&shop.shipping);
            sums(&shop.price, &parts, "shop");
        }
        let parts: Vec<&Breakdown> = quote.shops.iter().map(|shop| &shop.price).collect();
        sums(&quote.price, &parts, "whole");
    }

    /// The same, given in another order.
    fn shuffled(shops: &[ShopItems], seed: u128) -> Vec<ShopItems> {
        let place = |id: Uuid| (id.as_u128() ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        let mut shops = shops.to_vec();
        shops.sort_by_key(|items| place(items.shop.uuid()));
        for items in &mut shops {
            items.lines.sort_by_key(|line| place(line.id));
        }
        shops
    }

    /// Each shop and line by its ID, and the whole.
    fn by_id(quote: Quote) -> (BTreeMap<ShopId, Breakdown>, BTreeMap<Uuid, LineQuote>, Breakdown) {
        let shops = quote.shops.iter().map(|shop| (shop.shop, shop.price.clone())).collect();
        let lines = quote.shops.into_iter().flat_map(|shop| shop.lines);
        (shops, lines.map(|line| (line.line.id, line)).collect(), quote.price)
    }

    prop_compose! {
        fn tax_rules()(rate_bp in prop::sample::select(vec![0, 500, 1_200, 1_800, 2_750, 10_000]), included: bool) -> TaxRule {
            TaxRule { rate_bp, included }
        }
    }

    /// Prices from nothing to the most that there may be, mostly small: there the rounding shows.
    fn prices() -> impl Strategy<Value = i64> {
        prop_oneof![4 => 0..200i64, 4 => 0..1_000_000i64, 1 => 0..=crate::money::PRICE_MAX]
    }

    prop_compose! {
        fn lines()(
            kind in prop::sample::select(LineKind::ALL.to_vec()), quantity in 0..12i64, unit in prices(), tax in tax_rules(),
            commission_bp in prop::sample::select(vec![0, 333, 800, 10_000]),
        ) -> (LineKind, i64, i64, TaxRule, i64) {
            (kind, quantity, unit, tax, commission_bp)
        }
    }

    prop_compose! {
        fn baskets()(
            code in prop::sample::select(CURRENCIES.to_vec()),
            shops in prop::collection::vec((0..9_000i64, tax_rules(), any::<bool>()), 1..=5),
            lines in prop::collection::vec((lines(), 0..5usize), 1..=40),
        ) -> (Currency, Vec<ShopItems>) {
            let currency: Currency = code.parse().unwrap();
            let mut shops: Vec<ShopItems> = (1..).zip(shops).map(|(number, (price, tax, ships))| {
                let shipping = ships.then_some(Shipping { price: Money::new(price, currency), tax });
                ShopItems { shop: shop(number), lines: Vec::new(), shipping }
            }).collect();
            let count = shops.len();
            for (id, ((kind, quantity, unit, tax, commission_bp), of)) in (1u128..).zip(lines) {
                let (id, unit_price) = (Uuid::from_u128(id), Money::new(unit, currency));
                shops[of % count].lines.push(LineItem { id, kind, quantity, unit_price, tax, commission_bp });
            }
            (currency, shops)
        }
    }

    prop_compose! {
        fn promotions()(
            code in 0..4u8, market: bool, scope in 0..8u128, benefit in 0..5u8, size in 0..=WHOLE_BP,
            minimum in prop::option::weighted(0.3, prices()), cap in prop::option::weighted(0.3, prices()),
        ) -> (Promotion, Option<i64>, Option<i64>) {
            let scope = match scope {
                0..3 => Scope::Market,
                3..6 => Scope::Shop(shop(scope - 2)),
                every => Scope::Lines((0..=40).step_by(every as usize - 4).map(Uuid::from_u128).collect()),
            };
            let benefit = match benefit {
                0 => Benefit::FreeShipping,
                1..3 => Benefit::Amount(inr(size)),
                _ => Benefit::Percent(size),
            };
            let borne_by = if market { Bearer::Market } else { Bearer::Shop };
            (Promotion { code: code.to_string(), borne_by, scope, ..promotion(benefit) }, minimum, cap)
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn parts_sum_to_the_whole_in_any_order(
            (currency, shops) in baskets(), given in prop::collection::vec(promotions(), 0..=6), seed: u128,
        ) {
            let promotions: Vec<Promotion> = given.into_iter().map(|(promotion, minimum, cap)| {
                let money = |amount| Money::new(amount, currency);
                let benefit = match promotion.benefit {
                    Benefit::Amount(amount) => Benefit::Amount(money(amount.amount())),
                    other => other,
                };
                Promotion { benefit, minimum: minimum.map(money), cap: cap.map(money), ..promotion }
            }).collect();
            let priced = quote(currency, &shops, &promotions).unwrap();
            holds(&priced);

            let plain = quote(currency, &shops, &[]).unwrap();
            holds(&plain);
            prop_assert!(plain.price.adjustments.is_empty());
            for (items, (plain, priced)) in shops.iter().zip(plain.shops.iter().zip(&priced.shops)) {
                prop_assert_eq!(plain.price.totals.subtotal, items.subtotal(currency).unwrap());
                prop_assert_eq!(plain.price.totals.subtotal, priced.price.totals.subtotal);
                prop_assert_eq!(plain.price.totals.shipping, priced.price.totals.shipping);
                prop_assert_eq!(plain.price.totals.discount.amount(), 0);
                prop_assert!(priced.price.totals.total.amount() <= plain.price.totals.total.amount());
            }

            let again = quote(currency, &shuffled(&shops, seed), &promotions).unwrap();
            prop_assert_eq!(by_id(again), by_id(priced));
        }

        /// What a shop's order costs without promotions: the sums that the first orders were charged.
        #[test]
        fn plain_orders_cost_simple_sums((currency, shops) in baskets()) {
            let mut shops = shops;
            for items in &mut shops {
                items.lines.iter_mut().for_each(|line| (line.tax.included, line.commission_bp) = (true, 800));
                items.shipping = items.shipping.map(|shipping| Shipping::untaxed(shipping.price));
            }
            let list = |line: &LineItem| i128::from(line.unit_price.amount()) * i128::from(line.quantity);
            let tax = |line: &LineItem| {
                let rate = i128::from(line.tax.rate_bp);
                // Half up: twice the tax and one, divided by two.
                (2 * list(line) * rate + 10_000 + rate) / (2 * (10_000 + rate))
            };
            let priced = quote(currency, &shops, &[]).unwrap();
            for (items, priced) in shops.iter().zip(&priced.shops) {
                let subtotal: i128 = items.lines.iter().map(list).sum();
                let shipping = items.shipping.map_or(0, |shipping| i128::from(shipping.price.amount()));
                let expected = [subtotal, 0, shipping, items.lines.iter().map(tax).sum(), subtotal + shipping];
                prop_assert_eq!(figures(&priced.price).map(i128::from), expected);
                prop_assert_eq!(i128::from(priced.price.commission.amount()), subtotal * 800 / 10_000);
            }
        }
    }
}
