//! Currencies: the rates of the market, and sellers' own prices in a currency.

use crate::{
    Caller, Engine, TxResult, audit,
    db::{Scalar, Tx},
    insert, params, random, rows, statements,
};
use haat_shared::{
    Currency, Error, FieldCode, Money, Result,
    currencies::CurrencyCard,
    field::FieldError,
    id::kinds::*,
    money::{PRICE_MAX, Rate},
    permissions::{AdminPermission, Permission},
    text,
};

/// The maximum length of a rate's source.
const SOURCE_MAX: usize = 100;

statements! {
    RATE = "SELECT currency, numerator, denominator FROM currency_rates WHERE currency = $1 AND valid_from <= $2
        ORDER BY valid_from DESC, id DESC LIMIT 1";
    RATES = "SELECT r.currency, r.numerator, r.denominator FROM currency_rates r WHERE r.id = (SELECT l.id FROM currency_rates l
            WHERE l.currency = r.currency AND l.valid_from <= $1 ORDER BY l.valid_from DESC, l.id DESC LIMIT 1)";
    // A variant never moves to another shop.
    OF_SHOP = "SELECT id AS value FROM variants WHERE id = $1 AND shop_id = $2 AND NOT archived";
    SET_PRICE = "INSERT INTO variant_prices (variant_id, currency, amount_minor) VALUES ($1, $2, $3)
        ON CONFLICT (variant_id, currency) DO UPDATE SET amount_minor = excluded.amount_minor";
    PRICES = "SELECT currency, amount_minor FROM variant_prices WHERE variant_id = $1 ORDER BY currency";
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
        currency: Currency,
        numerator: i64,
        denominator: i64,
    }
}

rows! {
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
pub async fn list(engine: &Engine, _: &Caller) -> Result<Vec<CurrencyCard>> {
    let rows: Vec<RateRow> = engine.db.all(&RATES, params![engine.clock.now_ms()]).await?;
    let rate = |currency: Currency| match rows.iter().find(|row| row.currency == currency) {
        _ if currency == engine.currency => Some(Rate::ONE),
        row => row.map(RateRow::rate),
    };
    Ok(engine.currencies.iter().map(|&currency| CurrencyCard { currency, rate: rate(currency) }).collect())
}

/// Sets what one unit of the market's currency costs in another one, from now on. Checkouts that have begun
/// keep their rate. Operators only.
pub async fn set_rate(
    engine: &Engine,
    caller: &Caller,
    currency: Currency,
    rate: Rate,
    source: &str,
) -> Result<()> {
    caller.admin(AdminPermission::ManageRates)?;
    check_rated(engine, currency)?;
    let part = |field: &str, part: i64| match part {
        ..1 => Some(FieldError::new(field, FieldCode::TooSmall)),
        1..=Rate::PART_MAX => None,
        _ => Some(FieldError::new(field, FieldCode::TooBig)),
    };
    let (source, fault) = match text::optional_line("source", source, SOURCE_MAX) {
        Ok(source) => (source, None),
        Err(fault) => (String::new(), Some(fault)),
    };
    let faults = [part("numerator", rate.numerator), part("denominator", rate.denominator), fault];
    let faults: Vec<FieldError> = faults.into_iter().flatten().collect();
    if !faults.is_empty() {
        return Err(Error::Invalid(faults));
    }
    let now = engine.clock.now_ms();
    let id: CurrencyRateId = random::id(now);
    let input = (id, caller.user_id(), currency, rate, source, now);
    engine
        .db
        .write(("currencies::set_rate", id), input, |tx, (id, user, currency, rate, source, now)| {
            Box::pin(async move {
                let Rate { numerator, denominator } = *rate;
                let row = AddRate {
                    id: *id,
                    currency: *currency,
                    numerator,
                    denominator,
                    valid_from: *now,
                    source,
                };
                tx.insert(row).await?;
                let note = format!("{currency} {numerator}/{denominator} {source}");
                audit::write(tx, *user, "currencies::set_rate", *id, note.trim_end(), *now).await
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
fn check_rated(engine: &Engine, currency: Currency) -> Result<()> {
    if currency == engine.currency || !engine.currencies.contains(&currency) {
        return Err(Error::field("currency", FieldCode::NotAChoice));
    }
    Ok(())
}

/// The rate of a currency at this moment.
pub(crate) async fn rate_in_tx(tx: &mut Tx, currency: Currency, now: i64) -> TxResult<Rate> {
    let row: Option<RateRow> = tx.opt(&RATE, params![currency, now]).await?;
    Ok(row.ok_or_else(|| Error::field("currency", FieldCode::NoRate))?.rate())
}
