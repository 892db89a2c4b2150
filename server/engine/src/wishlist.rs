//! Wishlists. Each belongs to a cart, and so to an account or to whoever holds the token of a guest's cart; `carts` joins
//! them when carts are joined.

use crate::{
    Caller, Engine, TxError, carts,
    currencies::{self, Shown},
    db::Scalar,
    insert, params, random, rows,
    sale_prices::{SaleNow, join_sale, on_sale},
    statements,
};
use haat_shared::{
    Currency, Error, FieldCode, Money, Result,
    carts::AddLine,
    id::kinds::{CartId, ProductId, VariantId, WishId},
    media::Picture,
    sale_prices::in_proportion,
    wishlist::{WISHES_MAX, Wish, WishChange, Wishlist, WishlistLink},
};

/// The purpose that the link to a list is signed for.
const PURPOSE: &str = "wishlist";

statements! {
    OF_CART = concat!("SELECT w.id, w.variant_id, w.price_seen_minor, w.currency AS currency_seen,
            COALESCE(v.title, w.variant_title) AS variant_title, COALESCE(v.price_minor, w.price_seen_minor) AS price_minor,
            o.amount_minor AS own_minor, COALESCE(p.title, w.title) AS title,
            CASE WHEN p.state = 'published' AND NOT v.archived THEN p.slug ELSE '' END AS slug,
            COALESCE(p.options, '[]') AS option_names, COALESCE(v.options, '[]') AS option_values, s.name AS shop_name, s.currency,
            CASE WHEN p.state = 'published' AND NOT v.archived AND (v.capacity_id IS NULL OR c.on_hand > c.held) THEN TRUE
                ELSE FALSE END AS in_stock, ",
            on_sale!(), ", m.id AS media_id, m.width, m.height, m.color, pp.alt
        FROM wishlist_items w JOIN shops s ON s.id = w.shop_id
        LEFT JOIN variants v ON v.id = w.variant_id LEFT JOIN capacities c ON c.id = v.capacity_id
        LEFT JOIN products p ON p.id = v.product_id
        LEFT JOIN variant_prices o ON o.variant_id = w.variant_id AND o.currency = $2
        LEFT JOIN product_pictures pp ON pp.product_id = p.id AND pp.position = 0 LEFT JOIN media m ON m.id = pp.media_id ",
        join_sale!("v.id", "$3"), "WHERE w.cart_id = $1 ORDER BY w.id DESC");
    OF_PRODUCT = "SELECT w.variant_id AS value FROM wishlist_items w JOIN variants v ON v.id = w.variant_id
        WHERE w.cart_id = $1 AND v.product_id = $2";
    HAS = "SELECT id AS value FROM wishlist_items WHERE cart_id = $1 AND variant_id = $2";
    VARIANT = "SELECT variant_id AS value FROM wishlist_items WHERE id = $1 AND cart_id = $2";
    DROP = "DELETE FROM wishlist_items WHERE cart_id = $1 AND variant_id = $2";
    REMOVE = "DELETE FROM wishlist_items WHERE id = $1 AND cart_id = $2";
    COUNT = "SELECT COUNT(*) AS value FROM wishlist_items WHERE cart_id = $1";
    LINE = "SELECT variant_id AS value FROM cart_lines WHERE id = $1 AND cart_id = $2";
}

insert! {
    struct AddWish into wishlist_items {
        id: WishId,
        cart_id: CartId,
        created_at: i64;
        variant_id = "v.id",
        shop_id = "v.shop_id",
        title = "p.title",
        variant_title = "v.title",
        currency = "s.currency",
        // As `haat_shared::sale_prices` decides.
        price_seen_minor = "COALESCE((SELECT x.price_minor FROM sale_prices x WHERE x.variant_id = v.id
            AND x.starts_at <= given.created_at AND x.ends_at > given.created_at AND x.price_minor < v.price_minor
            AND COALESCE((SELECT a.on_hand - a.held FROM capacities a WHERE a.id = x.capacity_id), 1) > 0), v.price_minor)",
    } => [variant: VariantId, most: i64] "given JOIN variants v ON v.id = given.variant
        JOIN products p ON p.id = v.product_id JOIN shops s ON s.id = v.shop_id
        WHERE p.state = 'published' AND NOT v.archived
            AND (SELECT COUNT(*) FROM wishlist_items w WHERE w.cart_id = given.cart_id) < given.most
        ON CONFLICT (cart_id, variant_id) DO NOTHING"
}

rows! {
    struct WishRow {
        id: WishId,
        variant_id: VariantId,
        price_seen_minor: i64,
        currency_seen: Currency,
        variant_title: String,
        price_minor: i64,
        own_minor: Option<i64>,
        title: String,
        slug: String,
        option_names: String,
        option_values: String,
        shop_name: String,
        currency: Currency,
        in_stock: bool;
        sale: SaleNow,
        picture: Option<Picture>
    }
}

/// The caller's wishlist, or that of a link.
pub async fn view(engine: &Engine, caller: &Caller, link: Option<&WishlistLink>) -> Result<Wishlist> {
    if let Some(link) = link {
        return by_link(engine, caller, link).await;
    }
    match carts::find(engine, caller).await? {
        Some(cart) => of_cart(engine, caller, cart).await,
        None => Ok(Wishlist::default()),
    }
}

/// The wishlist of a cart of the caller's.
pub async fn by_cart(engine: &Engine, caller: &Caller, cart: CartId) -> Result<Wishlist> {
    carts::check_holder(engine, caller, cart).await?;
    of_cart(engine, caller, cart).await
}

/// The wishlist of a link.
async fn by_link(engine: &Engine, caller: &Caller, link: &WishlistLink) -> Result<Wishlist> {
    if !engine.secret.verify(PURPOSE, &link.list.to_string(), &link.key) {
        return Err(Error::NotFound);
    }
    Ok(Wishlist { link: None, ..of_cart(engine, caller, link.list).await? })
}

async fn of_cart(engine: &Engine, caller: &Caller, cart: CartId) -> Result<Wishlist> {
    let (now, shown) = (engine.clock.now_ms(), currencies::shown(engine, caller).await?);
    let rows: Vec<WishRow> = engine.db.all(&OF_CART, params![cart, shown.map(Shown::currency), now]).await?;
    let items: Vec<Wish> = rows.into_iter().map(|row| wish(row, shown, now)).collect();
    let link = (!items.is_empty())
        .then(|| WishlistLink { list: cart, key: engine.secret.sign(PURPOSE, &cart.to_string()) });
    Ok(Wishlist { items, link })
}

fn wish(row: WishRow, shown: Option<Shown>, now: i64) -> Wish {
    let price = row.sale.price(row.price_minor, None, now).price;
    let in_shown = |minor: i64, own: Option<i64>| match shown.filter(|shown| shown.from() == row.currency) {
        Some(shown) => match own {
            Some(own) => Money::new(own, shown.currency()),
            None => shown.price(Money::new(minor, row.currency)),
        },
        None => Money::new(minor, row.currency),
    };
    let own = row.own_minor.map(|own| in_proportion(own, row.price_minor, price));
    let price_shown = in_shown(price, own);
    let less = row.price_seen_minor - price;
    let cheaper_by = (less > 0 && row.currency == row.currency_seen).then(|| in_shown(less, None));
    Wish {
        options: carts::options(&row.option_names, &row.option_values),
        id: row.id,
        variant_id: row.variant_id,
        title: row.title,
        variant_title: row.variant_title,
        slug: row.slug,
        shop_name: row.shop_name,
        price: price_shown,
        cheaper_by,
        in_stock: row.in_stock,
        picture: row.picture,
    }
}

/// Which variants of a product are on the caller's wishlist.
pub async fn of_product(engine: &Engine, caller: &Caller, product: ProductId) -> Result<Vec<VariantId>> {
    let Some(cart) = carts::find(engine, caller).await? else { return Ok(Vec::new()) };
    let found: Vec<Scalar<VariantId>> = engine.db.all(&OF_PRODUCT, params![cart, product]).await?;
    Ok(found.into_iter().map(|id| id.0).collect())
}

/// Changes the caller's wishlist. Returns the token of the cart that was created for it, which a guest must keep.
pub async fn change(engine: &Engine, caller: &Caller, change: WishChange) -> Result<Option<String>> {
    let mut token = None;
    let cart = match (carts::find(engine, caller).await?, change) {
        (Some(cart), _) => cart,
        (None, WishChange::Add(_)) => {
            let opened = carts::open(engine, caller).await?;
            token = opened.token;
            opened.view.id.ok_or(Error::Internal)?
        }
        (None, WishChange::Drop(_)) => return Ok(None),
        (None, _) => return Err(Error::NotFound),
    };
    change_in(engine, caller, cart, change).await?;
    Ok(token)
}

/// The same for a cart of the caller's.
pub async fn change_by_cart(
    engine: &Engine,
    caller: &Caller,
    cart: CartId,
    change: WishChange,
) -> Result<()> {
    carts::check_holder(engine, caller, cart).await?;
    change_in(engine, caller, cart, change).await
}

async fn change_in(engine: &Engine, caller: &Caller, cart: CartId, change: WishChange) -> Result<()> {
    match change {
        WishChange::Add(variant) => add(engine, cart, variant).await,
        WishChange::Drop(variant) => {
            let write = engine.db.write("wishlist::drop", (cart, variant), |tx, (cart, variant)| {
                Box::pin(async move { Ok(tx.exec(&DROP, params![*cart, *variant]).await?) })
            });
            write.await?;
            Ok(())
        }
        WishChange::Remove(id) => remove(engine, cart, id).await,
        WishChange::Move(id) => {
            let variant: Option<Scalar<VariantId>> = engine.db.opt(&VARIANT, params![id, cart]).await?;
            let add = AddLine { variant: variant.ok_or(Error::NotFound)?.0, quantity: "1".into() };
            carts::add_line(engine, caller, add).await?;
            match remove(engine, cart, id).await {
                // By another click.
                Err(Error::NotFound) => Ok(()),
                removed => removed,
            }
        }
        WishChange::SaveForLater(line) => {
            let variant: Option<Scalar<VariantId>> = engine.db.opt(&LINE, params![line, cart]).await?;
            add(engine, cart, variant.ok_or(Error::NotFound)?.0).await?;
            carts::remove_line(engine, caller, line).await.map(drop)
        }
    }
}

/// Saves a variant that is on sale. Doing so again changes nothing.
async fn add(engine: &Engine, cart: CartId, variant: VariantId) -> Result<()> {
    let now = engine.clock.now_ms();
    let id: WishId = random::id(now);
    engine
        .db
        .write("wishlist::add", (id, cart, variant, now), |tx, (id, cart, variant, now)| {
            Box::pin(async move {
                let wish = AddWish {
                    id: *id,
                    cart_id: *cart,
                    created_at: *now,
                    variant: *variant,
                    most: WISHES_MAX,
                };
                if tx.insert(wish).await? {
                    return Ok(());
                }
                let has: Option<Scalar<WishId>> = tx.opt(&HAS, params![*cart, *variant]).await?;
                if has.is_some() {
                    return Ok(());
                }
                let count: Option<Scalar<i64>> = tx.opt(&COUNT, params![*cart]).await?;
                let error = match count.is_some_and(|count| count.0 >= WISHES_MAX) {
                    true => Error::field("variant", FieldCode::TooMany),
                    false => Error::NotFound,
                };
                Err(TxError::from(error))
            })
        })
        .await?;
    Ok(())
}

async fn remove(engine: &Engine, cart: CartId, id: WishId) -> Result<()> {
    let write = engine.db.write("wishlist::remove", (id, cart), |tx, (id, cart)| {
        Box::pin(async move { Ok(tx.exec(&REMOVE, params![*id, *cart]).await?) })
    });
    if write.await? == 0 { Err(Error::NotFound) } else { Ok(()) }
}
