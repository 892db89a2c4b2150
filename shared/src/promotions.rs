//! Promotions: coupons that shoppers enter and offers that apply by themselves, of a shop or of the market. Which of
//! them apply to a basket is decided here; what they take off is [`crate::pricing`].
//!
//! - A promotion covers the lines of its products, categories and shops; without any, all lines of its shop, or of all
//!   shops.
//! - A coupon is refused for one of the [reasons](Refusal), the first that holds. The basket stays as it is.
//! - Coupons apply in the order in which they were entered, then the automatic offers: those of shops before those of
//!   the market, each group from the oldest one. Each is applied to what the earlier ones left of a line.
//! - A promotion that can't be combined is the only one on each line that it lowers. So it skips lines that a coupon has
//!   lowered before it, and later ones skip its lines. An automatic offer that takes off nothing for that reason is
//!   [displaced](Choice::displaced), which summaries say.
//! - A coupon that would not lower the total is refused ([`Refusal::NotCombinable`], or [`Refusal::NoEffect`] if it would
//!   not even alone), so entering one never makes a basket dearer.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    amounts,
    field::{FieldCode, FieldError, ValidationErrors},
    id::kinds::{ProductId, PromotionId, ShopId},
    money::{Currency, Money, MoneyError, Rate, convert},
    pricing::{
        self, BUY_GET_MAX, Bearer, Benefit, Breakdown, LineItem, LineKind, Promotion, Scope, Shipping,
        ShopItems, TaxRule, Totals,
    },
    taxes, text,
};

/// The maximum length of a code.
pub const CODE_MAX: usize = 32;
/// The maximum length of the name that shoppers see.
pub const LABEL_MAX: usize = 80;
/// The maximum of a limit of uses.
pub const USES_MAX: i64 = 1_000_000;
/// The maximum number of products, categories or shops that a promotion names.
pub const SCOPE_MAX: usize = 100;
/// The maximum number of coupons in a file that is imported.
pub const FILE_ROWS_MAX: usize = 1_000;
/// The maximum number of bytes of such a file.
pub const FILE_BYTES_MAX: usize = 200_000;
/// What the URL of a page says if too many codes were tried.
pub const TOO_MANY_TRIES: &str = "code_tries";
/// The maximum number of codes in a basket.
pub const CODES_MAX: usize = 5;

text_enum! {
    /// Why a code doesn't apply.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum Refusal {
        /// There is no such code.
        Unknown = "code_unknown",
        /// It can't be used yet.
        NotStarted = "code_not_started",
        /// It is over.
        Ended = "code_ended",
        /// It has been used as often as it can be.
        UsedUp = "code_used_up",
        /// This person has used it as often as they can.
        UsedByYou = "code_used_by_you",
        /// It is for other items.
        OtherItems = "code_other_items",
        /// The items that it is for cost too little.
        BelowMinimum = "code_below_minimum",
        /// The items that it is for cost too much.
        AboveMaximum = "code_above_maximum",
        /// With the other discounts, it doesn't lower the total.
        NotCombinable = "code_not_combinable",
        /// It doesn't lower the total.
        NoEffect = "code_no_effect",
        /// There are as many codes as a basket can have.
        TooMany = "code_too_many",
    }
}

text_enum! {
    /// Whether a promotion can be used.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum PromotionState {
        /// It begins later.
        Scheduled = "scheduled",
        /// It can be used.
        Active = "active",
        /// It has been used as often as it can be.
        UsedUp = "used_up",
        /// It is over.
        Ended = "ended",
    }
}

text_enum! {
    /// What a promotion gives.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum PromotionKind {
        /// A percentage of the items' price.
        Percent = "percent",
        /// A fixed amount.
        Amount = "amount",
        /// Free shipping.
        FreeShipping = "free_shipping",
        /// Buy some, get others cheaper.
        BuyGet = "buy_get",
    }
}

impl PromotionKind {
    /// The kind of a benefit.
    pub fn of(benefit: Benefit) -> Self {
        match benefit {
            Benefit::Percent(_) => Self::Percent,
            Benefit::Amount(_) => Self::Amount,
            Benefit::FreeShipping => Self::FreeShipping,
            Benefit::BuyGet { .. } => Self::BuyGet,
        }
    }
}

/// A code as it is compared: without spaces at its ends, in lower case by Unicode's rules, and without
/// invisible characters. Empty if there is none.
pub fn fold_code(typed: &str) -> String {
    text::fold(&text::normalized_code(&text::clip(typed, CODE_MAX + 1)))
}

/// What a promotion gives, for what, and on which terms. Stored as JSON: fields may be added, with a default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The name that shoppers see.
    pub label: String,
    /// What it gives.
    pub benefit: Benefit,
    /// The products that it is for.
    #[serde(default)]
    pub products: Vec<ProductId>,
    /// The paths of the categories that it is for, with all below them.
    #[serde(default)]
    pub categories: Vec<String>,
    /// The shops that it is for.
    #[serde(default)]
    pub shops: Vec<ShopId>,
    /// What the items that it is for must cost at least, before discounts.
    #[serde(default)]
    pub minimum: Option<Money>,
    /// What they may cost at most.
    #[serde(default)]
    pub maximum: Option<Money>,
    /// The most that it takes off.
    #[serde(default)]
    pub cap: Option<Money>,
    /// Whether it can be combined with others.
    pub combines: bool,
    /// The share of its cost that the marketplace bears, in basis points.
    pub market_bp: i64,
}

/// An offer that applies to a product by itself, as its page shows it. What it does to a basket depends on all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductOffer {
    /// The name that shoppers see.
    pub label: String,
    /// What it gives.
    pub benefit: Benefit,
    /// What the items that it is for must cost at least.
    pub minimum: Option<Money>,
    /// The most that it takes off.
    pub cap: Option<Money>,
    /// The last time of the last day on which it applies, in the market's time zone, if it ends.
    pub last_day: Option<String>,
}

impl Terms {
    /// The same with its amounts in another currency. `None` if one is out of bounds.
    pub fn exchanged(&self, rate: Rate, from: Currency, to: Currency) -> Option<Self> {
        let amount = |money: Money| match money.currency() == from {
            true => convert(money, rate, to),
            false => Some(money),
        };
        let maybe = |money: Option<Money>| money.map_or(Some(None), |money| amount(money).map(Some));
        let benefit = match self.benefit {
            Benefit::Amount(off) => Benefit::Amount(amount(off)?),
            other => other,
        };
        let (minimum, maximum, cap) = (maybe(self.minimum)?, maybe(self.maximum)?, maybe(self.cap)?);
        Some(Self { benefit, minimum, maximum, cap, ..self.clone() })
    }

    fn amounts(&self) -> impl Iterator<Item = Money> {
        let amount = match self.benefit {
            Benefit::Amount(amount) => Some(amount),
            _ => None,
        };
        [amount, self.minimum, self.maximum, self.cap].into_iter().flatten()
    }
}

/// A line of a basket, as far as promotions depend on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineFacts {
    /// Identifies the line within the quote.
    pub id: Uuid,
    /// Its shop.
    pub shop: ShopId,
    /// Its product.
    pub product: ProductId,
    /// The path of its category. Empty if it has none.
    pub category: String,
    /// Its price before discounts.
    pub list: Money,
}

/// A promotion, and how often it can still be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Its ID.
    pub id: PromotionId,
    /// Its shop; `None` for one of the market's.
    pub shop: Option<ShopId>,
    /// Its code; `None` if it applies by itself.
    pub code: Option<String>,
    /// When it begins.
    pub starts_at: i64,
    /// When it ends, if it does.
    pub ends_at: Option<i64>,
    /// How often it can still be used; `None` without limit.
    pub left: Option<i64>,
    /// How often this person can still use it; `None` without limit, or if they are unknown.
    pub left_for_person: Option<i64>,
    /// Its terms.
    pub terms: Terms,
}

impl Offer {
    fn covers(&self, line: &LineFacts) -> bool {
        self.is_for(line.product, line.shop, &line.category)
    }

    /// Whether it is for a product of a shop, in the category with this path. Its other terms depend on the basket.
    pub fn is_for(&self, product: ProductId, shop: ShopId, category: &str) -> bool {
        let Terms { products, categories, shops, .. } = &self.terms;
        let named = products.is_empty() && categories.is_empty()
            || products.contains(&product)
            || categories.iter().any(|path| category.starts_with(path));
        self.shop.is_none_or(|own| own == shop) && (shops.is_empty() || shops.contains(&shop)) && named
    }

    /// What it does to a basket at a time, or why it does nothing.
    pub fn judge(&self, lines: &[LineFacts], currency: Currency, now: i64) -> Result<Promotion, Refusal> {
        if now < self.starts_at {
            return Err(Refusal::NotStarted);
        }
        if self.ends_at.is_some_and(|end| end <= now) {
            return Err(Refusal::Ended);
        }
        if self.left.is_some_and(|left| left <= 0) {
            return Err(Refusal::UsedUp);
        }
        if self.left_for_person.is_some_and(|left| left <= 0) {
            return Err(Refusal::UsedByYou);
        }
        let covered: Vec<&LineFacts> = lines.iter().filter(|line| self.covers(line)).collect();
        let in_currency = self.terms.amounts().all(|amount| amount.currency() == currency);
        if covered.is_empty() || !in_currency {
            return Err(Refusal::OtherItems);
        }
        let list = Money::sum(currency, covered.iter().map(|line| line.list));
        let list = list.map_or(i64::MAX, Money::amount);
        if self.terms.minimum.is_some_and(|minimum| list < minimum.amount()) {
            return Err(Refusal::BelowMinimum);
        }
        if self.terms.maximum.is_some_and(|maximum| list > maximum.amount()) {
            return Err(Refusal::AboveMaximum);
        }
        let Terms { label, benefit, minimum, cap, combines, market_bp, .. } = self.terms.clone();
        Ok(Promotion {
            id: Some(self.id),
            code: self.code.as_deref().unwrap_or_default().into(),
            label: label.into(),
            market_bp,
            combines,
            scope: Scope::Lines(covered.iter().map(|line| line.id).collect()),
            benefit,
            minimum,
            cap,
        })
    }
}

/// A coupon in a basket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedCode {
    /// The ID of the promotion.
    pub id: PromotionId,
    /// Why it doesn't apply. `None` if it does.
    pub refusal: Option<Refusal>,
    /// The minimum or maximum for which it doesn't.
    pub limit: Option<Money>,
}

/// Which promotions apply to a basket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// Those that apply, in the order in which they do.
    pub promotions: Vec<Promotion>,
    /// The coupons, each with the reason if it doesn't apply.
    pub codes: Vec<JudgedCode>,
    /// The automatic offers that take off nothing, because they can't be combined with the others: IDs and names.
    pub displaced: Vec<(PromotionId, String)>,
}

/// Chooses among `offers`, whose coupons are in the order in which they were entered, for the `shops` of one basket. `own`
/// are the program's promotions, which always apply first.
pub fn choose(
    currency: Currency,
    shops: &[ShopItems],
    lines: &[LineFacts],
    own: &[Promotion],
    mut offers: Vec<Offer>,
    now: i64,
) -> Result<Choice, MoneyError> {
    let total = |promotions: &[Promotion]| -> Result<i64, MoneyError> {
        Ok(pricing::total(currency, shops, promotions)?.amount())
    };
    // Stable: coupons stay in their order, and come first.
    offers.sort_by_key(|offer| match &offer.code {
        Some(_) => (false, false, Uuid::nil()),
        None => (true, offer.shop.is_none(), offer.id.uuid()),
    });
    let own = Promotion::of_currency(own, currency);
    let (coupons, automatic): (Vec<_>, Vec<_>) = offers.into_iter().partition(|offer| offer.code.is_some());
    let automatic: Vec<Promotion> =
        automatic.iter().filter_map(|offer| offer.judge(lines, currency, now).ok()).collect();
    let (mut accepted, mut codes) = (Vec::<Promotion>::new(), Vec::new());
    let with = |accepted: &[Promotion]| [&own, accepted, &automatic].concat();
    let mut before = if coupons.is_empty() { 0 } else { total(&with(&[]))? };
    for coupon in coupons {
        let judged = match coupon.judge(lines, currency, now) {
            Ok(promotion) => {
                let alone = std::slice::from_ref(&promotion);
                let tried = [&accepted, alone].concat();
                let after = total(&with(&tried))?;
                if after < before {
                    (accepted, before) = (tried, after);
                    None
                } else if total(alone)? < total(&[])? {
                    Some(Refusal::NotCombinable)
                } else {
                    Some(Refusal::NoEffect)
                }
            }
            Err(refusal) => Some(refusal),
        };
        let limit = match judged {
            Some(Refusal::BelowMinimum) => coupon.terms.minimum,
            Some(Refusal::AboveMaximum) => coupon.terms.maximum,
            _ => None,
        };
        codes.push(JudgedCode { id: coupon.id, refusal: judged, limit });
    }
    let promotions = with(&accepted);
    let mut displaced = Vec::new();
    if promotions.len() > 1 && promotions.iter().any(|promotion| !promotion.combines) {
        let adjustments = pricing::quote(currency, shops, &promotions)?.price.adjustments;
        let without = total(&[])?;
        for offer in automatic.iter().filter(|offer| adjustments.iter().all(|a| a.promotion != offer.id)) {
            if let Some(id) = offer.id
                && total(std::slice::from_ref(offer))? < without
            {
                displaced.push((id, offer.label.to_string()));
            }
        }
    }
    Ok(Choice { promotions, codes, displaced })
}

/// A basket with one item in it, so many times, for a preview.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PreviewBasket {
    /// The price of the item.
    pub price: Money,
    /// How many of it.
    pub quantity: i64,
    /// The price of shipping.
    pub shipping: Money,
}

/// What a basket would cost with a promotion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BasketPreview {
    /// Its totals.
    pub totals: Totals,
    /// The part of the discount that the marketplace bears.
    pub by_market: Money,
    /// Why there is no discount, or not yet.
    pub refusal: Option<Refusal>,
}

/// What a basket would cost with a promotion that covers its item on the day `today`, counted from 1970-01-01, or on the first day
/// if that is later.
pub fn preview(
    draft: &PromotionDraft,
    basket: &PreviewBasket,
    today: i64,
) -> Result<BasketPreview, MoneyError> {
    let PreviewBasket { price, quantity, shipping } = *basket;
    let (id, shop) = (Uuid::nil(), ShopId::from_uuid(Uuid::nil()));
    let item = LineItem {
        id,
        kind: LineKind::Goods,
        quantity,
        unit_price: price,
        tax: TaxRule::NONE,
        commission_bp: 0,
    };
    let line = LineFacts {
        id,
        shop,
        product: ProductId::from_uuid(id),
        category: String::new(),
        list: item.list_price()?,
    };
    let starts_at = draft.starts_on.unwrap_or(today);
    let offer = Offer {
        id: PromotionId::from_uuid(id),
        shop: None,
        code: None,
        starts_at,
        ends_at: draft.ends_on.map(|day| day + 1),
        left: None,
        left_for_person: None,
        terms: draft.terms.clone(),
    };
    let judged = offer.judge(&[line], price.currency(), today.max(starts_at));
    let not_yet = (today < starts_at).then_some(Refusal::NotStarted);
    let promotions: Vec<Promotion> = judged.iter().cloned().collect();
    let shipping = Shipping { price: shipping, tax: TaxRule::NONE };
    let items = ShopItems { shop, lines: vec![item], shipping: Some(shipping) };
    let Breakdown { totals, adjustments, .. } =
        pricing::quote(price.currency(), &[items], &promotions)?.price;
    let by_market = adjustments.iter().filter(|change| change.borne_by == Bearer::Market);
    let by_market = Money::sum(price.currency(), by_market.map(|change| change.amount))?;
    let by_market = Money::zero(price.currency()).minus(by_market)?;
    Ok(BasketPreview { totals, by_market, refusal: judged.err().or(not_yet) })
}

/// The name of a promotion, with its code if there is one.
pub fn name(label: &str, code: &str) -> String {
    if code.is_empty() || code == label { label.to_owned() } else { format!("{label} ({code})") }
}

/// A discount in a summary, or a code that doesn't apply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Discount {
    /// The ID of the promotion. Null for one of the program's own.
    pub promotion_id: Option<PromotionId>,
    /// The code that was entered. Empty for an automatic offer.
    pub code: String,
    /// The name that shoppers see.
    pub label: String,
    /// What it takes off.
    pub amount: Money,
    /// Whether it is taken off what the discounts before it left of a price.
    #[serde(default)]
    pub after_others: bool,
    /// Why the code doesn't apply, or why an automatic offer doesn't: others that can't be combined with it apply
    /// instead. Null if it applies.
    pub refusal: Option<Refusal>,
    /// The minimum or maximum for the price of the items, if that is why the code doesn't apply.
    #[serde(default)]
    pub limit: Option<Money>,
}

impl Discount {
    /// Its name, with its code if there is one.
    pub fn name(&self) -> String {
        name(&self.label, &self.code)
    }

    /// An automatic offer that others displace.
    pub fn displaced((id, label): (PromotionId, String), currency: Currency) -> Self {
        Self {
            promotion_id: Some(id),
            code: String::new(),
            label,
            amount: Money::zero(currency),
            after_others: false,
            refusal: Some(Refusal::NotCombinable),
            limit: None,
        }
    }

    /// What the promotions of a quote take off, each with both who bear it, in the order in which they apply.
    pub fn of(adjustments: &[pricing::Adjustment]) -> Vec<Self> {
        let of_one = adjustments.iter().map(|adjustment| {
            let pricing::Adjustment { promotion, code, label, amount, after_others, .. } = adjustment;
            Self {
                promotion_id: *promotion,
                code: code.to_string(),
                label: label.to_string(),
                amount: Money::new(-amount.amount(), amount.currency()),
                after_others: *after_others,
                refusal: None,
                limit: None,
            }
        });
        Self::merged([of_one.collect()])
    }

    /// The discounts of several orders, each promotion once. Each list is in the order in which its promotions apply, and so
    /// is the result.
    pub fn merged(lists: impl IntoIterator<Item = Vec<Self>>) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for list in lists {
            // From the last one: a new one goes before the one that it was before.
            let mut before = all.len();
            for discount in list.into_iter().rev() {
                match all.iter().position(|other| other.is_same(&discount)) {
                    Some(at) => {
                        all[at].amount = all[at].amount.plus(discount.amount).unwrap_or(all[at].amount);
                        all[at].after_others |= discount.after_others;
                        before = at;
                    }
                    None => all.insert(before, discount),
                }
            }
        }
        all
    }

    fn is_same(&self, other: &Self) -> bool {
        (self.promotion_id, &self.code, &self.label) == (other.promotion_id, &other.code, &other.label)
    }
}

/// The form of a promotion, as entered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PromotionForm {
    /// The name that shoppers see.
    pub label: String,
    /// The code. Empty for an offer that applies by itself.
    pub code: String,
    /// A [`PromotionKind`].
    pub kind: String,
    /// The percentage.
    pub percent: String,
    /// The amount.
    pub amount: String,
    /// How many are bought at the full price.
    pub buy: String,
    /// How many are reduced.
    pub get: String,
    /// The slugs of the products that it is for, separated by spaces or commas.
    pub products: String,
    /// The slugs of the categories that it is for.
    pub categories: String,
    /// The handles of the shops that it is for. Of the market's promotions only.
    pub shops: String,
    /// What the items must cost at least. May be empty.
    pub minimum: String,
    /// What they may cost at most. May be empty.
    pub maximum: String,
    /// The most that it takes off. May be empty.
    pub cap: String,
    /// The first day: `2026-12-01`. Empty for now.
    pub starts_on: String,
    /// The last day. Empty for no end.
    pub ends_on: String,
    /// How often it can be used. Empty for no limit.
    pub uses: String,
    /// How often one person can use it. Empty for no limit.
    pub uses_per_person: String,
    /// Not empty if it can be combined with others.
    pub combines: String,
    /// The percentage of its cost that the marketplace bears. Of the market's promotions only.
    pub market_percent: String,
}

/// A valid [`PromotionForm`]. Slugs and days are looked up by the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromotionDraft {
    /// The code.
    pub code: Option<String>,
    /// The terms, without products, categories and shops.
    pub terms: Terms,
    /// The slugs of its products.
    pub products: Vec<String>,
    /// The slugs of its categories.
    pub categories: Vec<String>,
    /// The handles of its shops.
    pub shops: Vec<String>,
    /// The first day, counted from 1970-01-01.
    pub starts_on: Option<i64>,
    /// The last day.
    pub ends_on: Option<i64>,
    /// How often it can be used.
    pub uses: Option<i64>,
    /// How often one person can use it.
    pub uses_per_person: Option<i64>,
}

impl PromotionDraft {
    /// The form with what counts in it, each value in one notation. Its days are those given.
    pub fn form(&self, starts_on: &str, ends_on: &str) -> PromotionForm {
        let Terms { label, benefit, minimum, maximum, cap, combines, market_bp, .. } = &self.terms;
        let number = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
        let percent = |bp: i64| taxes::percent(bp * 100);
        let money = |money: Option<Money>| money.map(Money::plain).unwrap_or_default();
        let (mut percent_off, mut amount, mut buy_get) = (String::new(), String::new(), (None, None));
        match *benefit {
            Benefit::Percent(bp) => percent_off = percent(bp),
            Benefit::Amount(off) => amount = off.plain(),
            Benefit::FreeShipping => {}
            Benefit::BuyGet { buy, get, off_bp } => {
                (buy_get, percent_off) = ((Some(buy), Some(get)), percent(off_bp));
            }
        }
        PromotionForm {
            label: label.clone(),
            code: self.code.clone().unwrap_or_default(),
            kind: PromotionKind::of(*benefit).as_str().to_owned(),
            percent: percent_off,
            amount,
            buy: number(buy_get.0),
            get: number(buy_get.1),
            products: self.products.join(" "),
            categories: self.categories.join(" "),
            shops: self.shops.join(" "),
            minimum: money(*minimum),
            maximum: money(*maximum),
            cap: money(*cap),
            starts_on: starts_on.to_owned(),
            ends_on: ends_on.to_owned(),
            uses: number(self.uses),
            uses_per_person: number(self.uses_per_person),
            combines: if *combines { "1" } else { "" }.to_owned(),
            market_percent: percent(*market_bp),
        }
    }
}

/// What the import of a file of coupons did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CouponsImported {
    /// How many coupons were created.
    pub created: usize,
    /// How many were updated.
    pub updated: usize,
    /// How many were already up to date.
    pub unchanged: usize,
}

/// The slugs in a text, separated by spaces or commas. A link is read as what its path ends with.
pub fn slugs(typed: &str) -> Vec<String> {
    let parts = typed.split(|c: char| c == ',' || c.is_whitespace());
    let slugs = parts.map(|part| {
        let path = part.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
        path.rsplit('/').next().unwrap_or_default().to_owned()
    });
    slugs.filter(|slug| !slug.is_empty()).collect()
}

impl PromotionForm {
    /// The fields in order, with their names.
    pub fn fields(&self) -> [(&'static str, &str); 19] {
        [
            ("code", &self.code),
            ("label", &self.label),
            ("kind", &self.kind),
            ("percent", &self.percent),
            ("amount", &self.amount),
            ("buy", &self.buy),
            ("get", &self.get),
            ("products", &self.products),
            ("categories", &self.categories),
            ("shops", &self.shops),
            ("minimum", &self.minimum),
            ("maximum", &self.maximum),
            ("cap", &self.cap),
            ("starts_on", &self.starts_on),
            ("ends_on", &self.ends_on),
            ("uses", &self.uses),
            ("uses_per_person", &self.uses_per_person),
            ("combines", &self.combines),
            ("market_percent", &self.market_percent),
        ]
    }

    /// The form, field by field.
    pub fn read(field: impl Fn(&str) -> String) -> Self {
        Self {
            label: field("label"),
            code: field("code"),
            kind: field("kind"),
            percent: field("percent"),
            amount: field("amount"),
            buy: field("buy"),
            get: field("get"),
            products: field("products"),
            categories: field("categories"),
            shops: field("shops"),
            minimum: field("minimum"),
            maximum: field("maximum"),
            cap: field("cap"),
            starts_on: field("starts_on"),
            ends_on: field("ends_on"),
            uses: field("uses"),
            uses_per_person: field("uses_per_person"),
            combines: field("combines"),
            market_percent: field("market_percent"),
        }
    }

    /// The promotion, or all errors. `of_market` is whether it is one of the market's, whose cost the shops may share.
    pub fn check(&self, currency: Currency, of_market: bool) -> Result<PromotionDraft, Vec<FieldError>> {
        let mut faults = ValidationErrors::default();
        let label = faults.take(text::line("label", &self.label, LABEL_MAX));
        let code = self.code.trim();
        let code = (!code.is_empty()).then(|| faults.take(text::code("code", code, CODE_MAX)));
        if code.as_ref().is_some_and(|code| code.chars().any(char::is_whitespace)) {
            faults.add("code", FieldCode::BadCharacter(' '));
        }
        let kind = PromotionKind::parse(&self.kind);
        let bad = if self.kind.is_empty() { FieldCode::Missing } else { FieldCode::NotAChoice };
        let kind = faults.take_or(kind.ok_or(FieldError::new("kind", bad)), PromotionKind::FreeShipping);
        let benefit = match kind {
            PromotionKind::Percent => Benefit::Percent(faults.take(percent("percent", &self.percent, 1))),
            PromotionKind::Amount => {
                let amount =
                    faults.take_or(amounts::read("amount", &self.amount, currency), Money::new(1, currency));
                if amount.amount() == 0 {
                    faults.add("amount", FieldCode::TooSmall);
                }
                Benefit::Amount(amount)
            }
            PromotionKind::FreeShipping => Benefit::FreeShipping,
            PromotionKind::BuyGet => {
                let number = |name, typed: &str| text::whole_number(name, typed, 1, BUY_GET_MAX);
                let (buy, get) =
                    (faults.take(number("buy", &self.buy)), faults.take(number("get", &self.get)));
                let off_bp = match self.percent.trim() {
                    "" => 10_000,
                    typed => faults.take(percent("percent", typed, 1)),
                };
                Benefit::BuyGet { buy, get, off_bp }
            }
        };
        let mut limit = |name: &str, typed: &str| {
            let given = !typed.trim().is_empty();
            given.then(|| faults.take_or(amounts::read(name, typed, currency), Money::zero(currency)))
        };
        let (minimum, maximum, cap) =
            (limit("minimum", &self.minimum), limit("maximum", &self.maximum), limit("cap", &self.cap));
        if let (Some(minimum), Some(maximum)) = (minimum, maximum)
            && maximum.amount() < minimum.amount()
        {
            faults.add("maximum", FieldCode::TooSmall);
        }
        let market_bp = match (of_market, self.market_percent.trim()) {
            (false, "" | "0") => 0,
            // A shop bears the cost of its promotions.
            (false, typed) => match percent("market_percent", typed, 0) {
                Ok(0) => 0,
                _ => {
                    faults.add("market_percent", FieldCode::TooBig);
                    0
                }
            },
            (true, "") => 10_000,
            (true, typed) => faults.take(percent("market_percent", typed, 0)),
        };
        let mut uses = |name: &str, typed: &str| {
            let given = !typed.trim().is_empty();
            given.then(|| faults.take_or(text::whole_number(name, typed, 1, USES_MAX), 1))
        };
        let (uses, uses_per_person) =
            (uses("uses", &self.uses), uses("uses_per_person", &self.uses_per_person));
        // An automatic offer can't be given to some and not to others who see the same page.
        if code.is_none() && (uses.is_some() || uses_per_person.is_some()) {
            faults.add("code", FieldCode::Missing);
        }
        let mut day = |name: &str, typed: &str| {
            let read = text::day(typed.trim());
            let given = !typed.trim().is_empty();
            given.then(|| faults.take_or(read.ok_or(FieldError::new(name, FieldCode::NotDate)), 0))
        };
        let (starts_on, ends_on) = (day("starts_on", &self.starts_on), day("ends_on", &self.ends_on));
        if let (Some(start), Some(end)) = (starts_on, ends_on)
            && end < start
        {
            faults.add("ends_on", FieldCode::NotAfterStart);
        }
        let mut list = |name: &str, typed: &str| {
            let listed = slugs(typed);
            if listed.len() > SCOPE_MAX {
                faults.add(name, FieldCode::TooMany);
            }
            listed
        };
        let (products, categories) = (list("products", &self.products), list("categories", &self.categories));
        let shops = list("shops", &self.shops);
        // Those of a shop are for its own products.
        if !of_market && !shops.is_empty() {
            faults.add("shops", FieldCode::NotAChoice);
        }
        let terms = Terms {
            label,
            benefit,
            products: Vec::new(),
            categories: Vec::new(),
            shops: Vec::new(),
            minimum,
            maximum,
            cap,
            combines: !self.combines.is_empty(),
            market_bp,
        };
        faults.finish(PromotionDraft {
            code,
            terms,
            products,
            categories,
            shops,
            starts_on,
            ends_on,
            uses,
            uses_per_person,
        })
    }
}

/// A percentage with up to two decimals, in basis points.
pub(crate) fn percent(field: &str, typed: &str, least: i64) -> Result<i64, FieldError> {
    let typed = typed.trim().trim_end_matches('%').trim_end();
    if typed.is_empty() {
        return Err(FieldError::new(field, FieldCode::Missing));
    }
    if text::is_negative(typed) {
        return Err(FieldError::new(field, FieldCode::TooSmall));
    }
    let read = crate::number::exact(typed, 2, crate::number::Notation::Form);
    let read = read.map_err(|code| match code {
        // Of a currency or a whole number, says the message of these.
        FieldCode::TooManyDecimals | FieldCode::NotNumber => FieldError::new(field, FieldCode::NotDecimal(2)),
        code => FieldError::new(field, code),
    });
    match read? {
        bp if bp < least => Err(FieldError::new(field, FieldCode::TooSmall)),
        bp if bp > 10_000 => Err(FieldError::new(field, FieldCode::TooBig)),
        bp => Ok(bp),
    }
}

/// A promotion, as its shop or the admins see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PromotionCard {
    /// Its ID.
    pub id: PromotionId,
    /// Its code. Null if it applies by itself.
    pub code: Option<String>,
    /// The name that shoppers see.
    pub label: String,
    /// What it gives.
    pub kind: PromotionKind,
    /// Whether it can be used.
    #[serde(rename = "status")]
    pub state: PromotionState,
    /// When it begins: RFC 3339, UTC.
    pub starts_at: String,
    /// When it ends: RFC 3339, UTC. Null if it doesn't.
    pub ends_at: Option<String>,
    /// How often it can be used. Null without limit.
    pub uses_max: Option<i64>,
    /// In how many purchases it was used that were not cancelled.
    pub uses: i64,
    /// The currency of its amounts.
    pub currency: Currency,
    /// The discounts that it gave in them: in its own currency first, then in each other one that was paid in.
    pub given: Vec<Money>,
    /// Whether it can be deleted, because nobody has ever begun to use it.
    pub unused: bool,
    /// The version of what was saved, which changing it requires.
    pub version: i64,
    /// The fields of its form.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub form: PromotionForm,
}

/// The promotions of a shop, or of the market.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promotions {
    /// The currency of their amounts.
    pub currency: Currency,
    /// The day in the market's time zone, counted from 1970-01-01.
    pub today: i64,
    /// The promotions, newest first.
    pub page: crate::page::Page<PromotionCard>,
}

#[cfg(test)]
mod tests;
