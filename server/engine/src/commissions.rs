//! The rates of the marketplace's commission, as admins set them. Checkouts that have begun keep theirs.

use crate::{
    Caller, Engine, TxResult, audit, catalog,
    db::{Scalar, Tx},
    params, rows, statements,
};
use haat_shared::{
    Error, FieldCode, Result,
    catalog::CategoryLink,
    commissions::{CommissionRates, RateFor, RateOf},
    field::FieldError,
    id::kinds::{CategoryId, ShopId, UserId},
    permissions::AdminPermission,
    text,
};

statements! {
    USUAL = "SELECT rate_bp AS value FROM commission_rates WHERE category_id IS NULL";
    CATEGORIES = "SELECT c.slug AS key, c.name, r.rate_bp FROM commission_rates r JOIN categories c ON c.id = r.category_id";
    SHOPS = "SELECT handle AS key, name, commission_bp AS rate_bp FROM shops WHERE commission_bp IS NOT NULL ORDER BY name, handle";
    SET_USUAL = "UPDATE commission_rates SET rate_bp = $1 WHERE category_id IS NULL";
    CATEGORY = "SELECT id AS value FROM categories WHERE slug = $1";
    SET_CATEGORY = "INSERT INTO commission_rates (category_id, rate_bp) VALUES ($1, $2)
        ON CONFLICT (category_id) DO UPDATE SET rate_bp = excluded.rate_bp";
    UNSET_CATEGORY = "DELETE FROM commission_rates WHERE category_id = $1";
    SET_SHOP = "UPDATE shops SET commission_bp = $2 WHERE handle = $1 RETURNING id AS value";
}

rows! {
    struct RateRow {
        key: String,
        name: String,
        rate_bp: i64,
    }
}

impl From<RateRow> for RateOf {
    fn from(RateRow { key, name, rate_bp }: RateRow) -> Self {
        Self { of: key, name, rate_bp }
    }
}

/// The usual rate, in basis points.
pub(crate) async fn usual(engine: &Engine) -> Result<i64> {
    Ok(engine.db.one::<Scalar<i64>>(&USUAL, params![]).await?.0)
}

/// The rates of categories, by their names in the caller's language.
pub(crate) async fn of_categories(engine: &Engine, caller: &Caller) -> Result<Vec<RateOf>> {
    let rows: Vec<RateRow> = engine.db.all(&CATEGORIES, params![]).await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let tree = catalog::tree(engine, caller).await?.into_iter();
    let rate = |slug: &str| rows.iter().find(|row| row.key == slug).map(|row| row.rate_bp);
    Ok(tree.filter_map(|of| Some(RateOf { rate_bp: rate(&of.slug)?, of: of.slug, name: of.name })).collect())
}

/// All rates. Operators only.
pub async fn rates(engine: &Engine, caller: &Caller) -> Result<CommissionRates> {
    caller.admin(AdminPermission::SeeShops)?;
    let shops: Vec<RateRow> = engine.db.all(&SHOPS, params![]).await?;
    Ok(CommissionRates {
        usual_bp: usual(engine).await?,
        categories: of_categories(engine, caller).await?,
        shops: shops.into_iter().map(RateOf::from).collect(),
    })
}

/// All rates, and the categories that can have one. Operators only.
pub async fn page(engine: &Engine, caller: &Caller) -> Result<(CommissionRates, Vec<CategoryLink>)> {
    Ok((rates(engine, caller).await?, catalog::tree(engine, caller).await?))
}

/// Sets a rate, in basis points, or removes that of a category or a shop. Operators only.
pub async fn set(engine: &Engine, caller: &Caller, of: &RateFor, rate_bp: Option<i64>) -> Result<()> {
    caller.admin(AdminPermission::ManageShops)?;
    match rate_bp {
        Some(..0) => return Err(Error::field("percent", FieldCode::TooSmall)),
        Some(10_001..) => return Err(Error::field("percent", FieldCode::TooBig)),
        None if *of == RateFor::Usual => return Err(Error::field("percent", FieldCode::Missing)),
        _ => {}
    }
    let input = (of.clone(), rate_bp, caller.user_id(), engine.clock.now_ms());
    engine
        .db
        .write("commissions::set", input, |tx, (of, rate_bp, user, now)| {
            Box::pin(set_in_tx(tx, of, *rate_bp, *user, *now))
        })
        .await?;
    Ok(())
}

async fn set_in_tx(
    tx: &mut Tx,
    of: &RateFor,
    rate_bp: Option<i64>,
    user: Option<UserId>,
    now: i64,
) -> TxResult<()> {
    let said = rate_bp.map_or_else(|| "–".to_owned(), |bp| format!("{}.{:02}%", bp / 100, bp % 100));
    match of {
        RateFor::Usual => {
            tx.exec(&SET_USUAL, params![rate_bp]).await?;
            audit::write(tx, user, "commissions::set", CategoryId::from_uuid(uuid::Uuid::nil()), &said, now)
                .await
        }
        RateFor::Category(slug) => {
            let id: Option<Scalar<CategoryId>> = tx.opt(&CATEGORY, params![slug.trim()]).await?;
            let id = id.ok_or_else(|| Error::field("category", FieldCode::NotAChoice))?.0;
            match rate_bp {
                Some(bp) => tx.exec(&SET_CATEGORY, params![id, bp]).await?,
                None => tx.exec(&UNSET_CATEGORY, params![id]).await?,
            };
            catalog::spread_rates_in_tx(tx).await?;
            audit::write(tx, user, "commissions::set", id, &format!("{slug} {said}"), now).await
        }
        RateFor::Shop(handle) => {
            let handle = text::fold(handle.trim());
            let id: Option<Scalar<ShopId>> = tx.opt(&SET_SHOP, params![handle.as_str(), rate_bp]).await?;
            let Some(Scalar(id)) = id else {
                return Err(Error::Invalid(vec![FieldError::new("shop", FieldCode::NotAChoice)]).into());
            };
            audit::write(tx, user, "commissions::set", id, &format!("{handle} {said}"), now).await
        }
    }
}
