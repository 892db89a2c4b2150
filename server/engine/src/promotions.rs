//! Promotions: coupons and automatic offers. What they do to a basket is decided by `haat_shared::promotions`; here they
//! are found, entered, limited and managed.
//!
//! The uses of a limited coupon are a capacity, as is what one person may use of it. A checkout holds both like stock, so
//! they are given back with it.

mod files;
mod manage;

pub use files::{export, export_of_market, import, import_of_market};
pub use manage::{
    create, create_of_market, delete, delete_of_market, end, end_of_market, find, find_of_market, list,
    list_of_market, page, page_of_market, save, save_of_market,
};

use uuid::Uuid;

use crate::{
    Caller, Engine, TxResult, bug, catalog, currencies,
    db::{Scalar, Tx},
    insert,
    inventory::holds::{PersonUse, Released},
    params,
    random::SigningKey,
    rows, statements,
};
use haat_shared::{
    Currency, Result,
    accounts::{fold_email, mailbox},
    id::kinds::*,
    money::Rate,
    promotions::{Discount, Offer, ProductOffer, Terms},
};

statements! {
    // The coupons in the order in which they were entered, then what applies by itself. What the cart's own checkout holds is
    // available to it.
    OF_CART = "SELECT p.id, p.shop_id, p.code, p.terms, p.currency, p.starts_at, p.ends_at, p.uses_per_person, p.capacity_id,
            c.on_hand - c.held + COALESCE((SELECT CAST(SUM(h.quantity) AS BIGINT) FROM checkouts o
                JOIN holds h ON h.checkout_id = o.id AND h.state = 'active'
                WHERE o.cart_id = $1 AND h.capacity_id = p.capacity_id), 0) AS available, k.created_at AS number
        FROM cart_codes k JOIN promotions p ON p.id = k.promotion_id LEFT JOIN capacities c ON c.id = p.capacity_id
        WHERE k.cart_id = $1
        UNION ALL
        SELECT p.id, p.shop_id, p.code, p.terms, p.currency, p.starts_at, p.ends_at, p.uses_per_person, p.capacity_id,
            p.uses_max AS available, p.created_at AS number
        FROM promotions p WHERE p.code_folded IS NULL AND p.starts_at <= $2 AND COALESCE(p.ends_at > $2, TRUE)
            AND (p.shop_id IS NULL OR p.shop_id IN (SELECT l.shop_id FROM cart_lines l WHERE l.cart_id = $1))
        ORDER BY number, id";
    // The coupons whose uses the checkout holds, whatever became of them since.
    OF_CHECKOUT = "SELECT p.id, p.shop_id, p.code, p.terms, p.currency, CAST(0 AS BIGINT) AS starts_at,
            CAST(NULL AS BIGINT) AS ends_at, CAST(NULL AS BIGINT) AS uses_per_person, p.capacity_id,
            CAST(NULL AS BIGINT) AS available, u.number
        FROM promotion_uses u JOIN promotions p ON p.id = u.promotion_id WHERE u.checkout_id = $1
        UNION ALL
        SELECT p.id, p.shop_id, p.code, p.terms, p.currency, p.starts_at, p.ends_at, p.uses_per_person, p.capacity_id,
            p.uses_max AS available, p.created_at AS number
        FROM promotions p WHERE p.code_folded IS NULL AND p.starts_at <= $2 AND COALESCE(p.ends_at > $2, TRUE)
            AND (p.shop_id IS NULL OR p.shop_id IN (SELECT o.shop_id FROM checkout_orders o WHERE o.checkout_id = $1))
        ORDER BY number, id";
    // What applies by itself in the shop of a product.
    OF_PRODUCT = "SELECT p.id, p.shop_id, p.code, p.terms, p.currency, p.starts_at, p.ends_at, p.uses_per_person, p.capacity_id,
            p.uses_max AS available, i.shop_id AS seller, s.currency AS sold_in, COALESCE(k.path, '') AS category
        FROM products i JOIN shops s ON s.id = i.shop_id LEFT JOIN categories k ON k.id = i.category_id
        JOIN promotions p ON p.code_folded IS NULL AND p.starts_at <= $2 AND COALESCE(p.ends_at > $2, TRUE)
            AND (p.shop_id IS NULL OR p.shop_id = i.shop_id)
        WHERE i.id = $1 ORDER BY p.shop_id IS NULL, p.created_at, p.id";
    LEFT_FOR = "SELECT c.on_hand - c.held + COALESCE((SELECT CAST(SUM(h.quantity) AS BIGINT) FROM checkouts o
            JOIN holds h ON h.checkout_id = o.id AND h.state = 'active' WHERE o.cart_id = $3 AND h.capacity_id = c.id), 0) AS value
        FROM capacities c WHERE c.id IN ($1, $2)";
    LIMITED = "SELECT p.id, p.uses_per_person FROM promotion_uses u JOIN promotions p ON p.id = u.promotion_id
        WHERE u.checkout_id = $1 AND p.uses_per_person IS NOT NULL ORDER BY p.id";
    GIVEN = "SELECT promotion_id, code, label, currency, CAST(-SUM(amount_minor) AS BIGINT) AS amount_minor,
            COUNT(CASE WHEN after_others THEN 1 END) > 0 AS after_others, MIN(number) AS number
        FROM (SELECT a.promotion_id, a.code, a.label, c.currency, a.amount_minor, a.after_others, a.number FROM checkout_adjustments a
            JOIN checkouts c ON c.id = a.checkout_id WHERE a.checkout_id = $1) AS of_checkout
        GROUP BY promotion_id, code, label, currency ORDER BY number";
}

insert! {
    pub(crate) struct AddUse into promotion_uses {
        pub(crate) checkout_id: CheckoutId,
        pub(crate) promotion_id: PromotionId,
        pub(crate) number: i64,
    }
}

rows! {
    /// A promotion that may apply.
    pub(crate) struct OfferRow {
        id: PromotionId,
        shop_id: Option<ShopId>,
        code: Option<String>,
        terms: String,
        currency: Currency,
        starts_at: i64,
        ends_at: Option<i64>,
        uses_per_person: Option<i64>,
        capacity_id: Option<CapacityId>,
        available: Option<i64>,
    }

    struct ProductOfferRow {
        seller: ShopId,
        sold_in: Currency,
        category: String;
        offer: OfferRow
    }

    struct LimitedRow {
        id: PromotionId,
        uses_per_person: i64,
    }

    struct GivenRow {
        promotion_id: Option<PromotionId>,
        code: String,
        label: String,
        currency: Currency,
        amount_minor: i64,
        after_others: bool,
    }
}

/// Who uses coupons: a person is an account, and also an email address, however it is written.
#[derive(Clone)]
pub(crate) struct Person {
    key: SigningKey,
    names: Vec<String>,
}

impl Person {
    /// The caller, with the email address that they entered, if any.
    pub(crate) fn of(engine: &Engine, caller: &Caller, email: Option<&str>) -> Self {
        let user = caller.user();
        let account = user.map(|user| format!("user {}", user.id));
        let mut emails: Vec<String> =
            user.map(|user| user.email.as_str()).into_iter().chain(email).map(email_of).collect();
        emails.dedup();
        Self { key: engine.secret.clone(), names: account.into_iter().chain(emails).collect() }
    }

    /// The capacities that count what they use of a coupon. Another limit begins to count anew.
    fn capacities(&self, promotion: PromotionId, limit: i64) -> Vec<CapacityId> {
        let capacity = |name: &String| {
            let (promotion, limit) = (promotion.uuid(), limit.to_be_bytes());
            let mac = self.key.mac(&[b"uses\0", promotion.as_bytes(), &limit, name.as_bytes()]);
            let mut id = [0; 16];
            id.copy_from_slice(&mac[..16]);
            CapacityId::from_uuid(Uuid::from_bytes(id))
        };
        self.names.iter().map(capacity).collect()
    }
}

fn email_of(email: &str) -> String {
    format!("email {}", mailbox(&fold_email(email)))
}

/// The promotions that may apply to a basket.
#[derive(Default)]
pub(crate) struct Offers {
    rows: Vec<OfferRow>,
    left_for_person: Vec<(PromotionId, i64)>,
}

/// The offers for a product that apply by themselves, of its shop and of the market, in the currency that its price is shown
/// in. What they do to a basket depends on all of it.
pub async fn of_product(engine: &Engine, caller: &Caller, product: ProductId) -> Result<Vec<ProductOffer>> {
    let now = engine.clock.now_ms();
    let rows: Vec<ProductOfferRow> = engine.db.all(&OF_PRODUCT, params![product, now]).await?;
    let Some((seller, sold_in)) = rows.first().map(|row| (row.seller, row.sold_in)) else {
        return Ok(Vec::new());
    };
    let category = rows[0].category.clone();
    let shown = currencies::shown(engine, caller).await?.filter(|shown| shown.from() == sold_in);
    let (rate, to) = shown.map_or((Rate::ONE, sold_in), |shown| (shown.rate(), shown.currency()));
    let mut offers = Offers { rows: rows.into_iter().map(|row| row.offer).collect(), ..Offers::default() };
    // An amount of the market is not one of a shop with another currency.
    offers.rows.retain(|row| row.currency == sold_in);
    let offers = offers.read(rate, to)?.into_iter();
    let shown = |Offer { terms, ends_at, .. }: Offer| ProductOffer {
        label: terms.label,
        benefit: terms.benefit,
        minimum: terms.minimum,
        cap: terms.cap,
        last_day: ends_at.map(|end| caller.time(engine, end - 1)),
    };
    Ok(offers.filter(|offer| offer.is_for(product, seller, &category)).map(shown).collect())
}

/// The same by the product's slug, if it is published.
pub async fn of_product_by_slug(engine: &Engine, caller: &Caller, slug: &str) -> Result<Vec<ProductOffer>> {
    of_product(engine, caller, catalog::published(engine, slug).await?).await
}

/// The offers for a cart, and what is left of them for the person.
pub(crate) async fn of_cart(engine: &Engine, cart: CartId, person: &Person) -> Result<Offers> {
    let rows: Vec<OfferRow> = engine.db.all(&OF_CART, params![cart, engine.clock.now_ms()]).await?;
    let mut left_for_person = Vec::new();
    for (promotion, [one, other]) in limits(&rows, person) {
        let left: Vec<Scalar<i64>> = engine.db.all(&LEFT_FOR, params![one, other, cart]).await?;
        left_for_person.extend(left.into_iter().map(|left| (promotion, left.0)));
    }
    Ok(Offers { rows, left_for_person })
}

/// The same in a transaction that has just ended the cart's checkouts. What they `released` is available.
pub(crate) async fn of_cart_in_tx(
    tx: &mut Tx,
    cart: CartId,
    person: &Person,
    released: &Released,
    now: i64,
) -> TxResult<Offers> {
    let mut rows: Vec<OfferRow> = tx.all(&OF_CART, params![cart, now]).await?;
    let mut left_for_person = Vec::new();
    for (promotion, [one, other]) in limits(&rows, person) {
        let left: Vec<Scalar<i64>> = tx.all(&LEFT_FOR, params![one, other, cart]).await?;
        let released = released.of(one).max(released.of(other));
        left_for_person.extend(left.into_iter().map(|left| (promotion, left.0 + released)));
    }
    for row in &mut rows {
        if let (Some(capacity), Some(available)) = (row.capacity_id, &mut row.available) {
            *available += released.of(capacity);
        }
    }
    Ok(Offers { rows, left_for_person })
}

/// The offers for a checkout in progress: the coupons that it uses, and what applies by itself now.
pub(crate) async fn of_checkout_in_tx(tx: &mut Tx, checkout: CheckoutId, now: i64) -> TxResult<Offers> {
    Ok(Offers { rows: tx.all(&OF_CHECKOUT, params![checkout, now]).await?, left_for_person: Vec::new() })
}

/// The capacities of the person for each coupon with a limit for one person: of the account, and of the email address.
fn limits(rows: &[OfferRow], person: &Person) -> Vec<(PromotionId, [CapacityId; 2])> {
    let limits = rows.iter().filter_map(|row| {
        let capacities = person.capacities(row.id, row.uses_per_person?);
        Some((row.id, [*capacities.first()?, *capacities.last()?]))
    });
    limits.collect()
}

impl Offers {
    /// As the rules read them, with amounts converted at the rate of a checkout.
    pub(crate) fn read(&self, rate: Rate, to: Currency) -> TxResult<Vec<Offer>> {
        self.rows
            .iter()
            .map(|row| {
                let terms: Terms =
                    serde_json::from_str(&row.terms).map_err(|error| bug(error.to_string()))?;
                let exchanged =
                    (rate != Rate::ONE).then(|| terms.exchanged(rate, row.currency, to)).flatten();
                let left =
                    self.left_for_person.iter().filter(|(id, _)| *id == row.id).map(|(_, left)| *left).min();
                Ok(Offer {
                    id: row.id,
                    shop: row.shop_id,
                    code: row.code.clone(),
                    starts_at: row.starts_at,
                    ends_at: row.ends_at,
                    left: row.available,
                    left_for_person: left,
                    terms: exchanged.unwrap_or(terms),
                })
            })
            .collect()
    }

    /// The capacity that counts the uses of a coupon, if there is a limit.
    pub(crate) fn capacity(&self, promotion: PromotionId) -> Option<CapacityId> {
        self.rows.iter().find(|row| row.id == promotion)?.capacity_id
    }

    /// The code and the label of a coupon.
    pub(crate) fn names(&self, promotion: PromotionId) -> Option<(String, String)> {
        let row = self.rows.iter().find(|row| row.id == promotion)?;
        let terms: Terms = serde_json::from_str(&row.terms).ok()?;
        Some((row.code.clone()?, terms.label))
    }
}

/// What a person uses of the coupons of a checkout that have a limit for one person.
pub(crate) async fn uses_in_tx(
    tx: &mut Tx,
    checkout: CheckoutId,
    person: &Person,
) -> TxResult<Vec<PersonUse>> {
    let limited: Vec<LimitedRow> = tx.all(&LIMITED, params![checkout]).await?;
    let of = |row: LimitedRow| {
        let capacities = person.capacities(row.id, row.uses_per_person).into_iter();
        capacities.map(move |capacity| PersonUse { capacity, promotion: row.id, limit: row.uses_per_person })
    };
    Ok(limited.into_iter().flat_map(of).collect())
}

/// The discounts of a checkout.
pub(crate) async fn of_checkout(engine: &Engine, checkout: CheckoutId) -> Result<Vec<Discount>> {
    let rows: Vec<GivenRow> = engine.db.all(&GIVEN, params![checkout]).await?;
    Ok(rows.into_iter().map(discount).collect())
}

/// The automatic offers that others displace, as a checkout stores them.
pub(crate) fn stored(displaced: &[(PromotionId, String)]) -> TxResult<String> {
    serde_json::to_string(displaced).map_err(|error| bug(error.to_string()))
}

/// Automatic offers that were [`stored`].
pub(crate) fn displaced(json: &str, currency: Currency) -> TxResult<Vec<Discount>> {
    let displaced: Vec<(PromotionId, String)> =
        serde_json::from_str(json).map_err(|error| bug(error.to_string()))?;
    Ok(displaced.into_iter().map(|of| Discount::displaced(of, currency)).collect())
}

fn discount(row: GivenRow) -> Discount {
    Discount {
        promotion_id: row.promotion_id,
        code: row.code,
        label: row.label,
        amount: haat_shared::Money::new(row.amount_minor, row.currency),
        after_others: row.after_others,
        refusal: None,
        limit: None,
    }
}
