//! What a seller's variants cost in other currencies than the market's: prices of their own, or converted ones.

use crate::{Caller, Engine, currencies, db::Scalar, insert, params, rows, statements};
use haat_shared::{
    Currency, Error, FieldCode, Money, Result,
    currencies::{PriceList, VariantPrice, read_price},
    field::FieldError,
    id::kinds::{ProductId, ShopId, VariantId},
    money::convert_price,
    permissions::Permission,
    sale_prices::price_field,
};

statements! {
    PRODUCT = "SELECT p.title, s.currency FROM products p JOIN shops s ON s.id = p.shop_id WHERE p.id = $1 AND p.shop_id = $2";
    VARIANTS = "SELECT v.id, v.title, v.price_minor, x.amount_minor FROM variants v
        LEFT JOIN variant_prices x ON x.variant_id = v.id AND x.currency = $2
        WHERE v.product_id = $1 AND NOT v.archived ORDER BY v.position, v.id";
    // Whatever changes a product's prices waits here.
    LOCK = "UPDATE products SET updated_at = $3 WHERE id = $1 AND shop_id = $2";
    CLEAR = "DELETE FROM variant_prices WHERE currency = $2
        AND variant_id IN (SELECT v.id FROM variants v WHERE v.product_id = $1 AND NOT v.archived)";
    OF_PRODUCT = "SELECT id AS value FROM variants WHERE product_id = $1 AND NOT archived";
}

insert! {
    struct AddPrice into variant_prices {
        variant_id: VariantId,
        currency: Currency,
        amount_minor: i64,
    }
}

rows! {
    struct ProductRow {
        title: String,
        currency: Currency,
    }

    struct VariantRow {
        id: VariantId,
        title: String,
        price_minor: i64,
        amount_minor: Option<i64>,
    }
}

/// The prices of a product in a currency of the market, or in the first one besides its own.
pub async fn of_product(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    product: ProductId,
    currency: Option<Currency>,
) -> Result<PriceList> {
    let shop = caller.shop(handle, Permission::ManageCatalog)?;
    let found: Option<ProductRow> = engine.db.opt(&PRODUCT, params![product, shop]).await?;
    let ProductRow { title, currency: own } = found.ok_or(Error::NotFound)?;
    // A price in another currency than the market's is never converted.
    let others =
        engine.currencies.iter().copied().filter(|of| *of != engine.currency && own == engine.currency);
    let currencies: Vec<Currency> = others.collect();
    let chosen = currency.filter(|of| currencies.contains(of)).or(currencies.first().copied());
    let Some(currency) = chosen else {
        return Ok(PriceList { title, currencies, currency: own, variants: Vec::new() });
    };
    let rate = currencies::rate_of(engine, currency).await?;
    let rows: Vec<VariantRow> = engine.db.all(&VARIANTS, params![product, currency]).await?;
    let variants = rows.into_iter().map(|row| {
        let price = Money::new(row.price_minor, own);
        VariantPrice {
            id: row.id,
            title: row.title,
            price,
            converted: rate.and_then(|rate| convert_price(price, rate, currency)),
            own: row.amount_minor.map(|amount| Money::new(amount, currency)),
        }
    });
    Ok(PriceList { title, currencies, currency, variants: variants.collect() })
}

/// Sets the prices of a product's variants in a currency, all of them: one that is empty, or not there, is converted from now on.
pub async fn save(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    product: ProductId,
    currency: Currency,
    typed: &[(VariantId, String)],
) -> Result<()> {
    let shop: ShopId = caller.shop(handle, Permission::ManageCatalog)?;
    currencies::check_rated(engine, currency)?;
    let (mut prices, mut faults) = (Vec::new(), Vec::new());
    for (variant, typed) in typed {
        match read_price(&price_field(*variant), typed, currency) {
            Ok(Some(price)) => prices.push((*variant, price.amount())),
            Ok(None) => {}
            Err(fault) => faults.push(fault),
        }
    }
    if !faults.is_empty() {
        return Err(Error::Invalid(faults));
    }
    let input = (shop, product, currency, prices, engine.clock.now_ms());
    engine
        .db
        .write(("price_lists::save", product), input, |tx, (shop, product, currency, prices, now)| {
            Box::pin(async move {
                if tx.exec(&LOCK, params![*product, *shop, *now]).await? == 0 {
                    return Err(Error::NotFound.into());
                }
                let known: Vec<Scalar<VariantId>> = tx.all(&OF_PRODUCT, params![*product]).await?;
                let strange = prices.iter().find(|(id, _)| !known.iter().any(|known| known.0 == *id));
                if let Some((id, _)) = strange {
                    let fault = FieldError::new(price_field(*id), FieldCode::NotAChoice);
                    return Err(Error::Invalid(vec![fault]).into());
                }
                tx.exec(&CLEAR, params![*product, *currency]).await?;
                let rows = prices.iter().map(|&(variant_id, amount_minor)| AddPrice {
                    variant_id,
                    currency: *currency,
                    amount_minor,
                });
                tx.insert_all(rows.collect::<Vec<_>>()).await?;
                Ok(())
            })
        })
        .await?;
    Ok(())
}
