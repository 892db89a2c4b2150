//! Shops.

use crate::{Caller, Engine, Fault, params, random, rows, statements};
use haat_shared::{
    Currency, Error, Money, Result,
    id::kinds::{ShopId, UserId},
    permissions::Role,
    shops::ShopView,
};

statements! {
    FIND = "SELECT s.id, s.handle, s.name, s.description, s.currency, s.delivery_minor,
        (SELECT COUNT(*) FROM products p WHERE p.shop_id = s.id AND p.state = 'published') AS products
        FROM shops s WHERE s.handle = $1";
    OPEN = "INSERT INTO shops (id, handle, name, description, currency, commission_bp, delivery_minor, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    JOIN = "INSERT INTO shop_members (shop_id, user_id, role) VALUES ($1, $2, $3)";
}

rows! {
    struct ShopRow {
        id: ShopId,
        handle: String,
        name: String,
        description: String,
        currency: Currency,
        delivery_minor: i64,
        products: i64,
    }
}

/// A shop by its handle.
pub async fn shop(engine: &Engine, _: &Caller, handle: &str) -> Result<ShopView> {
    let row: ShopRow = engine.db.opt(&FIND, params![handle]).await?.ok_or(Error::NotFound)?;
    Ok(ShopView {
        id: row.id,
        handle: row.handle,
        name: row.name,
        description: row.description,
        delivery: Money::new(row.delivery_minor, row.currency),
        products: row.products,
    })
}

/// A shop to be.
#[derive(Debug, Clone)]
pub struct NewShop {
    /// Its name in addresses.
    pub handle: String,
    /// Its name.
    pub name: String,
    /// What it says about itself.
    pub description: String,
    /// What it asks for bringing an order.
    pub delivery: Money,
    /// What the marketplace keeps of each order, in basis points.
    pub commission_bp: i64,
    /// Its owner.
    pub owner: UserId,
}

/// Opens a shop. Only for the program itself, until sellers can.
pub async fn open(engine: &Engine, caller: &Caller, shop: NewShop) -> Result<ShopId> {
    caller.operator()?;
    let now = engine.clock.now_ms();
    let id: ShopId = random::id(now);
    engine
        .db
        .write("shops::open", (id, shop, now), |tx, (id, shop, now)| {
            Box::pin(async move {
                let (currency, delivery) = (shop.delivery.currency(), shop.delivery.amount());
                let row = params![
                    *id,
                    &shop.handle,
                    &shop.name,
                    &shop.description,
                    currency,
                    shop.commission_bp,
                    delivery,
                    *now
                ];
                tx.exec(&OPEN, row).await?;
                tx.exec(&JOIN, params![*id, shop.owner, Role::Owner.as_str()]).await?;
                Ok::<_, Fault>(())
            })
        })
        .await?;
    Ok(id)
}
