//! Shops.

mod seller;

pub use seller::{any_shop, home, list_all, open_as_seller, save_settings, settings, table_of_all, to_do};

use crate::{
    Caller, Engine, TxError, TxResult, Who, audit, cursor,
    db::{Scalar, Tx},
    insert, params, random, rows, shipping, statements,
};
use haat_shared::{
    Currency, Error, Money, Result,
    id::kinds::{MediaId, ShopId, UserId, ZoneId},
    media::{KEEP_UNUSED_MS, Picture},
    page::{self, Page, PageRequest},
    permissions::{AdminPermission, Permission, Role},
    shipping::{Method, PriceBy, ShippingMethod, ShippingRules, Step},
    shops::{COUNTED_TO, PAGE_SIZE, ShopCard, ShopView},
    text,
};
use uuid::Uuid;

/// Published products, counted up to `COUNTED_TO`. The ORDER BY keeps PostgreSQL from scanning all
/// products of the market for those of a small shop.
macro_rules! products {
    () => {
        "(SELECT COUNT(*) FROM (SELECT 1 FROM products p WHERE p.shop_id = s.id AND p.state = 'published'
            ORDER BY p.title_key LIMIT 1000) first)"
    };
}
const _: () = assert!(COUNTED_TO == 1_000);

statements! {
    FIND = concat!("SELECT s.id, s.handle, s.name, s.description, s.currency, s.town, r.rules, s.returns_days,
        CASE WHEN $2 THEN ", products!(), " END AS products, m.id AS media_id, m.width, m.height, m.color, s.name AS alt
        FROM shops s JOIN shop_shipping r ON r.shop_id = s.id LEFT JOIN media m ON m.id = s.logo_id WHERE s.handle = $1");
    ALL = concat!("SELECT s.id, s.handle, s.name, s.description, s.town, ", products!(), " AS products,
        m.id AS media_id, m.width, m.height, m.color, s.name AS alt
        FROM shops s LEFT JOIN media m ON m.id = s.logo_id WHERE s.id > $1 ORDER BY s.id LIMIT $2");
    // The old logo is deleted after a while, and the new one is kept.
    SWAP_LOGO = "UPDATE media SET expires_at = CASE WHEN id = $2 THEN NULL ELSE CAST($3 AS BIGINT) END
        WHERE NOT deleting AND (id = $2 OR id = (SELECT s.logo_id FROM shops s WHERE s.id = $1))";
    SET_LOGO = "UPDATE shops SET logo_id = $2 WHERE id = $1
        AND EXISTS (SELECT 1 FROM media m WHERE m.id = $2 AND m.shop_id = $1 AND NOT m.deleting)";
    ID = "SELECT id AS value FROM shops WHERE handle = $1";
    JOIN = "INSERT INTO shop_members (shop_id, user_id, role, joined_at) VALUES ($1, $2, $3, $4)";
}

insert! {
    struct AddShop<'a> into shops {
        id: ShopId,
        handle: &'a str,
        name: &'a str,
        search_folded: String,
        description: &'a str,
        currency: Currency,
        commission_bp: Option<i64>,
        created_at: i64,
        town: &'a str,
        address: &'a str,
        country: &'a str,
        region: &'a str,
        prices_include_tax: Option<bool>,
        tax_id: &'a str,
        returns_days: i64,
    }
}

rows! {
    struct CardRow {
        id: ShopId,
        handle: String,
        name: String,
        description: String,
        town: String,
        products: i64;
        logo: Option<Picture>
    }

    struct ShopRow {
        id: ShopId,
        handle: String,
        name: String,
        description: String,
        currency: Currency,
        town: String,
        rules: String,
        returns_days: i64,
        products: Option<i64>;
        logo: Option<Picture>
    }
}

/// All shops, page by page, oldest first.
pub async fn list(engine: &Engine, _: &Caller, of: impl Into<PageRequest<'_>>) -> Result<Page<ShopCard>> {
    let of = of.into();
    let after = cursor(of.after)?.unwrap_or(ShopId::from_uuid(Uuid::nil()));
    let size = page::rows(of.limit, PAGE_SIZE);
    let rows: Vec<CardRow> = engine.db.all(&ALL, params![after, size as i64 + 1]).await?;
    let page = Page::cut(rows, size, |row| row.id.to_string());
    Ok(page.map(|row| ShopCard {
        handle: row.handle,
        name: row.name,
        description: row.description,
        town: row.town,
        products: row.products,
        logo: row.logo,
    }))
}

/// A shop by its handle.
pub async fn shop(engine: &Engine, _: &Caller, handle: &str) -> Result<ShopView> {
    read(engine, handle, true).await
}

/// A shop, with or without the number of its products.
/// The first and the last day on which an order that is placed now should arrive, as times for the caller.
pub fn delivery_dates(engine: &Engine, caller: &Caller, days: (i64, i64)) -> (String, String) {
    let now = engine.clock.now_ms();
    let on = |days| caller.time(engine, engine.zone.later(now, days));
    (on(days.0), on(days.1))
}

pub(crate) async fn read(engine: &Engine, handle: &str, counted: bool) -> Result<ShopView> {
    let row: ShopRow = engine.db.opt(&FIND, params![handle, counted]).await?.ok_or(Error::NotFound)?;
    let shipping = shipping::summary(engine, &row.rules)?;
    Ok(ShopView {
        id: row.id,
        handle: row.handle,
        name: row.name,
        description: row.description,
        town: row.town,
        currency: row.currency,
        shipping_price: shipping.price,
        shipping_varies: shipping.varies,
        free_shipping_from: shipping.free_from,
        delivery_days: shipping.days,
        returns_days: row.returns_days,
        products: row.products,
        logo: row.logo,
    })
}

/// The shop with this handle, if the caller has the permission there, as a member or as the program
/// itself.
pub(crate) async fn of(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    permission: Permission,
) -> Result<ShopId> {
    if !matches!(caller.who, Who::System) {
        return caller.shop(handle, permission);
    }
    let shop: Scalar<ShopId> = engine.db.opt(&ID, params![handle]).await?.ok_or(Error::NotFound)?;
    Ok(shop.0)
}

/// Sets how a shop ships, whatever it did before. For the program itself.
pub async fn set_shipping(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    change: &shipping::Change,
) -> Result<()> {
    let shop = of(engine, caller, handle, Permission::ManageShop).await?;
    shipping::put(engine, shop, caller.user_id(), change).await
}

/// Makes one of a shop's own pictures its logo. Requires the permission to manage the catalogue.
pub async fn set_logo(engine: &Engine, caller: &Caller, handle: &str, picture: MediaId) -> Result<()> {
    let shop = of(engine, caller, handle, Permission::ManageCatalog).await?;
    let until = engine.clock.now_ms() + KEEP_UNUSED_MS;
    engine
        .db
        .write(("shops::set_logo", shop), (shop, picture, until), |tx, (shop, picture, until)| {
            Box::pin(async move {
                tx.exec(&SWAP_LOGO, params![*shop, *picture, *until]).await?;
                match tx.exec(&SET_LOGO, params![*shop, *picture]).await? {
                    0 => Err(Error::NotFound.into()),
                    _ => Ok::<_, TxError>(()),
                }
            })
        })
        .await?;
    Ok(())
}

/// A new shop.
#[derive(Debug, Clone)]
pub struct NewShop {
    /// The handle used in the shop's URL.
    pub handle: String,
    /// The name.
    pub name: String,
    /// The description.
    pub description: String,
    /// The price of standard shipping.
    pub shipping_price: Money,
    /// The commission rate, in basis points. `None` if as in the market.
    pub commission_bp: Option<i64>,
    /// The other terms.
    pub terms: Terms,
    /// The owner.
    pub owner: UserId,
}

/// A shop's terms besides the price of standard shipping. Those of shipping are for one zone everywhere.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The town or city that the shop ships from. May be empty.
    pub town: String,
    /// The postal address. May be empty.
    pub address: String,
    /// The country's code, for taxes. Empty for that of the market.
    pub country: String,
    /// The region's code. Empty if not known.
    pub region: String,
    /// Whether its prices include tax; `None` if as in the market.
    pub prices_include_tax: Option<bool>,
    /// The tax ID. May be empty.
    pub tax_id: String,
    /// The subtotal from which standard shipping is free, in minor units.
    pub free_delivery_from_minor: Option<i64>,
    /// The minimum and maximum number of days for delivery.
    pub delivery_days: (i64, i64),
    /// The price of express shipping in minor units, and its days; `None` if not offered.
    pub express: Option<(i64, (i64, i64))>,
    /// Whether local pickup is offered.
    pub pickup: bool,
    /// The return window in days; 0 for no returns.
    pub returns_days: i64,
}

impl Terms {
    fn rules(&self, shop: ShopId, price: Money) -> ShippingRules {
        let money = |minor| Money::new(minor, price.currency());
        let free_from = self.free_delivery_from_minor.map(money);
        let zone = ZoneId::from_uuid(shop.uuid());
        let mut rules = ShippingRules::flat(zone, "*", price, free_from, self.delivery_days);
        let flat = |method, price, days| {
            let (name, by, steps) = (String::new(), PriceBy::Flat, vec![Step { up_to: None, price }]);
            Method { method, name, by, steps, free_from: None, days }
        };
        let express = self.express.map(|(price, days)| flat(ShippingMethod::Express, money(price), days));
        let pickup = self.pickup.then(|| flat(ShippingMethod::Pickup, money(0), PICKUP_DAYS));
        for zone in &mut rules.zones {
            zone.methods.extend(express.clone().into_iter().chain(pickup.clone()));
        }
        rules
    }
}

/// The minimum and maximum number of working days until an order can be picked up.
const PICKUP_DAYS: (i64, i64) = (0, 1);

impl Default for Terms {
    fn default() -> Self {
        Self {
            town: String::new(),
            address: String::new(),
            country: String::new(),
            region: String::new(),
            prices_include_tax: None,
            tax_id: String::new(),
            free_delivery_from_minor: None,
            delivery_days: (2, 5),
            express: None,
            pickup: false,
            returns_days: 7,
        }
    }
}

/// Opens a shop for another user. Operators only.
pub async fn open(engine: &Engine, caller: &Caller, shop: NewShop) -> Result<ShopId> {
    caller.admin(AdminPermission::ManageShops)?;
    let now = engine.clock.now_ms();
    let id: ShopId = random::id(now);
    engine
        .db
        .write(("shops::open", id), (id, shop, caller.user_id(), now), |tx, (id, shop, user, now)| {
            Box::pin(async move {
                open_in_tx(tx, *id, shop, *now).await?;
                audit::write(tx, *user, "shops::open", *id, &shop.handle, *now).await
            })
        })
        .await?;
    Ok(id)
}

/// What admins find a shop by: the handle and the name in lower case.
fn search_text(handle: &str, name: &str) -> String {
    format!("{handle} {}", text::fold(name))
}

async fn open_in_tx(tx: &mut Tx, id: ShopId, shop: &NewShop, now: i64) -> TxResult<()> {
    let NewShop { handle, name, description, shipping_price, commission_bp, terms, owner } = shop;
    tx.insert(AddShop {
        id,
        handle,
        name,
        search_folded: search_text(handle, name),
        description,
        currency: shipping_price.currency(),
        commission_bp: *commission_bp,
        created_at: now,
        town: &terms.town,
        address: &terms.address,
        country: &terms.country,
        region: &terms.region,
        prices_include_tax: terms.prices_include_tax,
        tax_id: &terms.tax_id,
        returns_days: terms.returns_days,
    })
    .await?;
    shipping::add_in_tx(tx, id, &terms.rules(id, *shipping_price)).await?;
    tx.exec(&JOIN, params![id, *owner, Role::Owner, now]).await?;
    Ok(())
}
