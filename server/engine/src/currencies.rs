//! Currencies: the rates of the market, and sellers' own prices in a currency.

use crate::{
    Caller, Engine, TxResult, audit,
    db::{Scalar, Tx, Value},
    insert, params, random, rows,
    sale_prices::listed_price,
    statements,
};
use haat_shared::{
    Currency, Error, FieldCode, Money, Result,
    catalog::{ProductCard, ProductView},
    currencies::{self, CurrencyCard, RateFile, STALE_MS},
    field::FieldError,
    id::kinds::*,
    money::{PRICE_MAX, Rate, convert_price},
    permissions::{AdminPermission, Permission},
    sale_prices::in_proportion,
    shops::ShopView,
    text,
};

/// The maximum length of a rate's source.
const SOURCE_MAX: usize = 100;

/// How far ahead the day of a file of rates can begin: the difference between the first and the last time zone of the world.
const AHEAD_MS: i64 = 26 * 3_600_000;

statements! {
    // The one that was set last, whatever day it is of. IDs begin with their time.
    RATE = "SELECT numerator, denominator FROM currency_rates WHERE currency = $1 AND valid_from <= $2 ORDER BY id DESC LIMIT 1";
    RATES = "SELECT r.currency, r.numerator, r.denominator, r.valid_from, r.source FROM currency_rates r WHERE r.id = (SELECT l.id FROM currency_rates l
            WHERE l.currency = r.currency AND l.valid_from <= $1 ORDER BY l.id DESC LIMIT 1)";
    REMOVE_RATE = "DELETE FROM currency_rates WHERE currency = $1";
    // A variant never moves to another shop.
    OF_SHOP = "SELECT id AS value FROM variants WHERE id = $1 AND shop_id = $2 AND NOT archived";
    SET_PRICE = "INSERT INTO variant_prices (variant_id, currency, amount_minor) VALUES ($1, $2, $3)
        ON CONFLICT (variant_id, currency) DO UPDATE SET amount_minor = excluded.amount_minor";
    PRICES = "SELECT currency, amount_minor FROM variant_prices WHERE variant_id = $1 ORDER BY currency";
    // The variants of products that have a price of their own in the currency.
    OWN = concat!("SELECT v.product_id, v.id AS variant_id, v.price_minor, ", listed_price!(), " AS listed_minor, p.amount_minor FROM variants v
        JOIN (VALUES [($1, $2)]) AS given ON v.product_id = given.column1
        LEFT JOIN variant_prices p ON p.variant_id = v.id AND p.currency = given.column2
        WHERE NOT v.archived AND EXISTS (SELECT 1 FROM variants o JOIN variant_prices q ON q.variant_id = o.id
            WHERE o.product_id = v.product_id AND NOT o.archived AND q.currency = given.column2)");
    OWN_OF_CART = "SELECT l.variant_id, p.amount_minor FROM cart_lines l
        JOIN variant_prices p ON p.variant_id = l.variant_id AND p.currency = $2 WHERE l.cart_id = $1";
    UNSET_PRICE = "DELETE FROM variant_prices WHERE variant_id = $1 AND currency = $2";
}

insert! {
    struct AddRate<'a> into currency_rates {
        id: CurrencyRateId,
        currency: Currency,
        numerator: i64,
        denominator: i64,
        valid_from: i64,
        source: &'a str,
    }
}

rows! {
    struct RateRow {
        numerator: i64,
        denominator: i64,
    }

    struct CardRow {
        currency: Currency,
        numerator: i64,
        denominator: i64,
        valid_from: i64,
        source: String,
    }
}

rows! {
    struct OwnRow {
        product_id: ProductId,
        variant_id: VariantId,
        price_minor: i64,
        listed_minor: i64,
        amount_minor: Option<i64>,
    }

    struct OwnOfCartRow {
        variant_id: VariantId,
        amount_minor: i64,
    }

    struct PriceRow {
        currency: Currency,
        amount_minor: i64,
    }
}

impl RateRow {
    fn rate(&self) -> Rate {
        Rate { numerator: self.numerator, denominator: self.denominator }
    }
}

/// The currencies that shoppers can pay in, the market's first, with their rates.
pub async fn list(engine: &Engine, caller: &Caller) -> Result<Vec<CurrencyCard>> {
    let now = engine.clock.now_ms();
    let rows: Vec<CardRow> = engine.db.all(&RATES, params![now]).await?;
    let card = |&currency: &Currency| {
        let row = rows.iter().find(|row| row.currency == currency && currency != engine.currency);
        let own = (currency == engine.currency).then_some(Rate::ONE);
        CurrencyCard {
            currency,
            rate: row.map(|row| Rate { numerator: row.numerator, denominator: row.denominator }).or(own),
            source: row.map(|row| row.source.clone()).unwrap_or_default(),
            since: row.map(|row| caller.time(engine, row.valid_from)),
            stale: row.is_some_and(|row| row.valid_from < now - STALE_MS),
        }
    };
    Ok(engine.currencies.iter().map(card).collect())
}

/// The same for the page on which they are set. Operators only.
pub async fn rates(engine: &Engine, caller: &Caller) -> Result<Vec<CurrencyCard>> {
    caller.admin(AdminPermission::ManageRates)?;
    list(engine, caller).await
}

/// Sets what one unit of the market's currency costs in another one, from now on. Checkouts that have begun
/// keep their rate. A rate that is very different from the current one has to be confirmed. Operators only.
pub async fn set_rate(
    engine: &Engine,
    caller: &Caller,
    currency: Currency,
    rate: Rate,
    source: &str,
    confirmed: bool,
) -> Result<()> {
    caller.admin(AdminPermission::ManageRates)?;
    check_rated(engine, currency)?;
    let part = |field: &str, part: i64| match part {
        ..1 => Some(FieldError::new(field, FieldCode::TooSmall)),
        1..=Rate::PART_MAX => None,
        _ => Some(FieldError::new(field, FieldCode::TooBig)),
    };
    let faults = [part("numerator", rate.numerator), part("denominator", rate.denominator)];
    let mut faults: Vec<FieldError> = faults.into_iter().flatten().collect();
    let rates = vec![(currency, rate)];
    if faults.is_empty() && !confirmed {
        faults.extend(unusual(engine, "rate", &rates, None).await?);
    }
    set_rates(engine, caller, rates, engine.clock.now_ms(), faults, source).await
}

/// Rates that nobody would set on purpose without looking twice. `day` is the one of their file, if it names one.
async fn unusual(
    engine: &Engine,
    field: &str,
    rates: &[(Currency, Rate)],
    day: Option<i64>,
) -> Result<Vec<FieldError>> {
    let now = engine.clock.now_ms();
    let known: Vec<CardRow> = engine.db.all(&RATES, params![now]).await?;
    let newer = |day: i64| {
        let mut current =
            known.iter().filter(|row| rates.iter().any(|(currency, _)| *currency == row.currency));
        current.any(|row| engine.zone.day(row.valid_from) > day)
    };
    let old = day.is_some_and(|day| engine.zone.begins(day) < now - STALE_MS || newer(day));
    let before = |currency: Currency| {
        let row = known.iter().find(|row| row.currency == currency)?;
        Some(Rate { numerator: row.numerator, denominator: row.denominator })
    };
    let changed = |(currency, rate): &(Currency, Rate)| {
        before(*currency).is_some_and(|before| currencies::is_unusual(*rate, before))
    };
    let codes = [(old, FieldCode::RatesOld), (rates.iter().any(changed), FieldCode::RateChanged)];
    Ok(codes.into_iter().filter(|(is, _)| *is).map(|(_, code)| FieldError::new(field, code)).collect())
}

/// Removes the rate of a currency, so that shoppers can't choose it any more. Checkouts that have begun keep their rate. Operators
/// only.
pub async fn remove_rate(engine: &Engine, caller: &Caller, currency: Currency) -> Result<()> {
    caller.admin(AdminPermission::ManageRates)?;
    check_rated(engine, currency)?;
    let now = engine.clock.now_ms();
    let input = (currency, random::id(now), caller.user_id(), now);
    engine
        .db
        .write("currencies::remove_rate", input, |tx, (currency, id, user, now)| {
            Box::pin(async move {
                if tx.exec(&REMOVE_RATE, params![*currency]).await? == 0 {
                    return Ok(());
                }
                let (id, note): (CurrencyRateId, _) = (*id, currency.to_string());
                audit::write(tx, *user, "currencies::remove_rate", id, &note, *now).await
            })
        })
        .await?;
    Ok(())
}

/// Sets the rates of a file (see [`currencies::read_file`]), all at once; how many. If the file says of which day they are, they are
/// as old as that. Operators only.
pub async fn import(
    engine: &Engine,
    caller: &Caller,
    file: &str,
    source: &str,
    confirmed: bool,
) -> Result<usize> {
    caller.admin(AdminPermission::ManageRates)?;
    let (RateFile { rates, day }, mut faults) =
        match currencies::read_file(file, engine.currency, &engine.currencies) {
            Ok(file) => (file, Vec::new()),
            Err(fault) => (RateFile { rates: Vec::new(), day: None }, vec![fault]),
        };
    if !confirmed {
        faults.extend(unusual(engine, "rates", &rates, day).await?);
    }
    let (found, now) = (rates.len(), engine.clock.now_ms());
    if day.is_some_and(|day| engine.zone.begins(day) > now + AHEAD_MS) {
        faults.push(FieldError::new("rates", FieldCode::RatesAhead));
    }
    // What a bank in another time zone calls today may not have begun here.
    let since = day.map_or(now, |day| engine.zone.begins(day).min(now));
    set_rates(engine, caller, rates, since, faults, source).await.map(|()| found)
}

/// Sets rates, unless there are errors: those given, and that of the source.
async fn set_rates(
    engine: &Engine,
    caller: &Caller,
    rates: Vec<(Currency, Rate)>,
    since: i64,
    mut faults: Vec<FieldError>,
    source: &str,
) -> Result<()> {
    let source = text::optional_line("source", source, SOURCE_MAX);
    let source = source.map_err(|fault| faults.push(fault)).unwrap_or_default();
    if !faults.is_empty() {
        return Err(Error::Invalid(faults));
    }
    let now = engine.clock.now_ms();
    let rates: Vec<(CurrencyRateId, Currency, Rate)> =
        rates.into_iter().map(|(currency, rate)| (random::id(now), currency, rate)).collect();
    let input = (rates, caller.user_id(), source, (since, now));
    engine
        .db
        .write("currencies::set_rates", input, |tx, (rates, user, source, (since, now))| {
            Box::pin(async move {
                let rows = rates.iter().map(|&(id, currency, Rate { numerator, denominator })| AddRate {
                    id,
                    currency,
                    numerator,
                    denominator,
                    valid_from: *since,
                    source,
                });
                tx.insert_all(rows.collect::<Vec<_>>()).await?;
                let Some((first, ..)) = rates.first() else { return Ok(()) };
                let said = rates
                    .iter()
                    .map(|(_, currency, rate)| format!("{currency} {}/{}", rate.numerator, rate.denominator));
                let note = format!("{} {source}", said.collect::<Vec<_>>().join(", "));
                audit::write(tx, *user, "currencies::set_rate", *first, note.trim_end(), *now).await
            })
        })
        .await?;
    Ok(())
}

/// Sets a seller's own price of a variant in a currency, which then counts instead of the converted one; or
/// removes it, if there is no amount.
pub async fn set_variant_price(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    variant: VariantId,
    currency: Currency,
    amount_minor: Option<i64>,
) -> Result<()> {
    let shop = caller.shop(handle, Permission::ManageCatalog)?;
    check_rated(engine, currency)?;
    match amount_minor {
        Some(..1) => return Err(Error::field("amount", FieldCode::TooSmall)),
        Some(amount) if amount > PRICE_MAX => return Err(Error::field("amount", FieldCode::TooBig)),
        _ => {}
    }
    let input = (shop, variant, currency, amount_minor);
    engine
        .db
        .write(("currencies::set_variant_price", variant), input, |tx, (shop, variant, currency, amount)| {
            Box::pin(async move {
                let own: Option<Scalar<VariantId>> = tx.opt(&OF_SHOP, params![*variant, *shop]).await?;
                own.ok_or(Error::NotFound)?;
                match *amount {
                    Some(amount) => tx.exec(&SET_PRICE, params![*variant, *currency, amount]).await?,
                    None => tx.exec(&UNSET_PRICE, params![*variant, *currency]).await?,
                };
                Ok(())
            })
        })
        .await?;
    Ok(())
}

/// A seller's own prices of a variant in other currencies than the market's.
pub async fn variant_prices(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    variant: VariantId,
) -> Result<Vec<Money>> {
    let shop = caller.shop(handle, Permission::ManageCatalog)?;
    let own: Option<Scalar<VariantId>> = engine.db.opt(&OF_SHOP, params![variant, shop]).await?;
    own.ok_or(Error::NotFound)?;
    let rows: Vec<PriceRow> = engine.db.all(&PRICES, params![variant]).await?;
    Ok(rows.into_iter().map(|row| Money::new(row.amount_minor, row.currency)).collect())
}

/// Rejects a currency that shoppers can't pay in, and that of the market, whose prices need no rate.
pub(crate) fn check_rated(engine: &Engine, currency: Currency) -> Result<()> {
    if currency == engine.currency || !engine.currencies.contains(&currency) {
        return Err(Error::field("currency", FieldCode::NotAChoice));
    }
    Ok(())
}

/// The rate of a currency at this moment, if it has one.
pub(crate) async fn rate_of(engine: &Engine, currency: Currency) -> Result<Option<Rate>> {
    let row: Option<RateRow> = engine.db.opt(&RATE, params![currency, engine.clock.now_ms()]).await?;
    Ok(row.map(|row| row.rate()))
}

/// The rate of a currency at this moment, which it has to have.
pub(crate) async fn rate_in_tx(tx: &mut Tx, currency: Currency, now: i64) -> TxResult<Rate> {
    let row: Option<RateRow> = tx.opt(&RATE, params![currency, now]).await?;
    Ok(row.ok_or_else(|| Error::field("currency", FieldCode::NoRate))?.rate())
}

/// How prices are shown to a shopper who chose another currency than the market's. They pay the same.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown {
    from: Currency,
    to: Currency,
    rate: Rate,
}

/// How prices are shown to the caller, unless it is as they are set. A currency without a rate can't be chosen.
pub(crate) async fn shown(engine: &Engine, caller: &Caller) -> Result<Option<Shown>> {
    let from = engine.currency;
    let Some(to) = caller.currency.filter(|to| *to != from && engine.currencies.contains(to)) else {
        return Ok(None);
    };
    Ok(rate_of(engine, to).await?.map(|rate| Shown { from, to, rate }))
}

impl Shown {
    /// The market's currency, which is converted.
    pub(crate) fn from(self) -> Currency {
        self.from
    }

    /// The currency.
    pub(crate) fn currency(self) -> Currency {
        self.to
    }

    /// The rate.
    pub(crate) fn rate(self) -> Rate {
        self.rate
    }

    /// A price as it is shown. Those of shops with another currency than the market's stay.
    pub(crate) fn price(self, price: Money) -> Money {
        if price.currency() != self.from {
            return price;
        }
        convert_price(price, self.rate, self.to).unwrap_or(price)
    }

    async fn own(self, engine: &Engine, products: impl Iterator<Item = ProductId>) -> Result<Vec<OwnRow>> {
        let given: Vec<[Value; 2]> = products.map(|id| [id.into(), self.to.into()]).collect();
        Ok(engine.db.all_many(&OWN, &given).await?)
    }

    /// What a variant costs whose price in the market's currency is `now`.
    fn of_variant(self, row: &OwnRow, now: i64) -> i64 {
        match row.amount_minor {
            Some(own) => in_proportion(own, row.price_minor, now),
            None => self.price(Money::new(now, self.from)).amount(),
        }
    }
}

/// Puts the prices of cards into the currency that the caller chose.
pub(crate) async fn show_cards(engine: &Engine, caller: &Caller, cards: &mut [ProductCard]) -> Result<()> {
    let Some(shown) = shown(engine, caller).await? else { return Ok(()) };
    let own = shown.own(engine, cards.iter().map(|card| card.id)).await?;
    for card in cards.iter_mut().filter(|card| card.price.currency() == shown.from) {
        card.price = shown.price(card.price);
        card.compare_at = card.compare_at.map(|before| shown.price(before));
        let of_product = || own.iter().filter(|row| row.product_id == card.id);
        let prices = of_product().map(|row| shown.of_variant(row, row.listed_minor));
        let Some((least, most)) = prices.clone().min().zip(prices.max()) else { continue };
        (card.price, card.price_varies) = (Money::new(least, shown.to), most > least);
        // A price that the seller set in the currency was not reduced from a converted one.
        card.compare_at = None;
    }
    Ok(())
}

/// Puts the prices of a product into the currency that the caller chose.
pub(crate) async fn show_product(engine: &Engine, caller: &Caller, product: &mut ProductView) -> Result<()> {
    let Some(shown) = shown(engine, caller).await? else { return Ok(()) };
    show_shop(shown, &mut product.shop);
    let own = shown.own(engine, [product.id].into_iter()).await?;
    for variant in product.variants.iter_mut().filter(|variant| variant.price.currency() == shown.from) {
        let row = own.iter().find(|row| row.variant_id == variant.id);
        // A price that the seller set in the currency was not reduced from a converted one.
        let own = row.and_then(|row| Some((row.amount_minor?, row.price_minor)));
        let listed = variant.price.amount();
        variant.price = match row {
            Some(row) => Money::new(shown.of_variant(row, variant.price.amount()), shown.to),
            None => shown.price(variant.price),
        };
        (variant.compare_at, variant.lowest_price) = match own {
            // In a planned sale, it is reduced as the ordinary one is.
            Some((own, ordinary)) if listed < ordinary => {
                let lowest = variant.lowest_price.map(|price| in_proportion(own, ordinary, price.amount()));
                (Some(Money::new(own, shown.to)), lowest.map(|price| Money::new(price, shown.to)))
            }
            Some(_) => (None, None),
            None => {
                let converted = |price: Option<Money>| price.map(|price| shown.price(price));
                (converted(variant.compare_at), converted(variant.lowest_price))
            }
        };
    }
    Ok(())
}

/// Puts what a shop says about shipping into a currency.
pub(crate) fn show_shop(shown: Shown, shop: &mut ShopView) {
    shop.shipping_price = shop.shipping_price.map(|price| shown.price(price));
    shop.free_shipping_from = shop.free_shipping_from.map(|price| shown.price(price));
}

/// The prices that sellers set in a currency for what is in a cart.
pub(crate) async fn own_of_cart(
    engine: &Engine,
    cart: CartId,
    shown: Shown,
) -> Result<Vec<(VariantId, i64)>> {
    let rows: Vec<OwnOfCartRow> = engine.db.all(&OWN_OF_CART, params![cart, shown.to]).await?;
    Ok(rows.into_iter().map(|row| (row.variant_id, row.amount_minor)).collect())
}

/// The currencies that shoppers can choose from, the market's first, and whether it is the caller's. Empty if there is no choice.
pub async fn choices(engine: &Engine, caller: &Caller) -> Result<Vec<(Currency, bool)>> {
    if engine.currencies.len() < 2 {
        return Ok(Vec::new());
    }
    let cards = list(engine, caller).await?.into_iter().filter(|card| card.rate.is_some());
    let offered: Vec<Currency> = cards.map(|card| card.currency).collect();
    if offered.len() < 2 {
        return Ok(Vec::new());
    }
    let chosen = caller.currency.filter(|chosen| offered.contains(chosen)).unwrap_or(engine.currency);
    Ok(offered.into_iter().map(|currency| (currency, currency == chosen)).collect())
}
