//! Shops on the seller's side: opening one, its settings, its home page; and the operator's list of all
//! shops.

use super::{NewShop, Terms, open_in_tx, search_text};
use crate::{
    Caller, Engine, commissions, cursor,
    db::{CountRow, Scalar, Tx, Value, is_unique, list::words},
    ledger, lists, orders, params, random, revisions, rows, sales, statements, update,
};
use haat_shared::{
    Currency, Error, FieldCode, Money, Result,
    admin::{ShopDetails, StaffMember},
    analytics::DayFigures,
    id::kinds::*,
    media::Picture,
    orders::ListOrders,
    page::{self, Counted, ListRequest, Page, PageRequest},
    permissions::{AdminPermission, Permission, Role},
    sales::{AskedPeriod, BestProduct, DaySales, LowVariant, ShopHome},
    shops::{AdminShopCard, Member, SHOP_SORTS, SHOP_STAGES, ShopDraft, ShopForm, ShopSettings, ToDo},
};

/// The number of rows per page.
const PAGE_SIZE: usize = 50;

/// The columns of a [`CardRow`].
macro_rules! card_columns {
    () => {
        "s.id, s.handle, s.name, s.town, COALESCE(s.commission_bp, (SELECT r.rate_bp FROM commission_rates r WHERE r.category_id IS NULL)) AS commission_bp, s.created_at,
            (SELECT COUNT(*) FROM products p WHERE p.shop_id = s.id AND p.state = 'published') AS products,
            COALESCE((SELECT MIN(u.email) FROM shop_members m JOIN users u ON u.id = m.user_id
                WHERE m.shop_id = s.id AND m.role = 'owner'), '') AS owner_email"
    };
}

/// Whether a shop has published products.
macro_rules! is_selling {
    () => {
        "EXISTS (SELECT 1 FROM products p WHERE p.shop_id = s.id AND p.state = 'published')"
    };
}

lists! {
    SHOPS {
        select: concat!("SELECT ", card_columns!(), ",
            CASE WHEN ", is_selling!(), " THEN 'selling' ELSE 'empty' END AS stage FROM shops s"),
        base_filter: "TRUE",
        filters: &[
            ("word", r"(s.search_folded LIKE {} ESCAPE '\' OR EXISTS (SELECT 1 FROM shop_members m
                JOIN users u ON u.id = m.user_id
                WHERE m.shop_id = s.id AND m.role = 'owner' AND u.email_folded LIKE {} ESCAPE '\'))"),
            ("selling", concat!(is_selling!(), " = {}")),
        ],
        // The values of `haat_shared::shops::SHOP_SORTS`.
        sorts: &[
            ("-created", "s.id < {}", "s.id DESC"),
            ("created", "s.id > {}", "s.id"),
            ("handle", "s.handle > {}", "s.handle"),
            ("-handle", "s.handle < {}", "s.handle DESC"),
        ],
    }
}

statements! {
    FIND = "SELECT handle, name, description, town, address, country, region, prices_include_tax, tax_id, currency, returns_days,
            commission_bp, version FROM shops WHERE id = $1";
    CARD = concat!("SELECT ", card_columns!(), " FROM shops s WHERE s.handle = $1");
    UNPUBLISHED = "SELECT COUNT(*) AS value FROM products WHERE shop_id = $1 AND state <> 'published'";
    STAFF = "SELECT u.id, u.name, u.email, m.role FROM shop_members m JOIN users u ON u.id = m.user_id
        WHERE m.shop_id = $1 ORDER BY CASE WHEN m.role = 'owner' THEN 0 ELSE 1 END, u.name, u.email";
    MEMBERS = "SELECT u.name, u.email, m.role FROM shop_members m JOIN users u ON u.id = m.user_id
        WHERE m.shop_id = $1 ORDER BY u.name, u.email";
    TO_DO = "SELECT s.currency,
            (SELECT COUNT(*) FROM orders o WHERE o.shop_id = s.id AND o.state = 'placed') AS to_confirm,
            (SELECT COUNT(*) FROM orders o WHERE o.shop_id = s.id AND o.state = 'confirmed') AS to_ship,
            (SELECT COUNT(DISTINCT b.order_id) FROM returns b JOIN orders o ON o.id = b.order_id
                WHERE b.state = 'requested' AND o.shop_id = s.id) AS to_answer,
            (SELECT COUNT(DISTINCT b.order_id) FROM returns b JOIN orders o ON o.id = b.order_id
                WHERE b.state IN ('approved', 'received') AND o.shop_id = s.id) AS to_receive,
            (SELECT CAST(COALESCE(SUM(c.shop_unread), 0) AS BIGINT) FROM conversations c WHERE c.shop_id = s.id AND c.shop_unread > 0)
                AS unread_messages,
            (SELECT COUNT(*) FROM (SELECT 1 AS one FROM products p WHERE p.shop_id = s.id LIMIT 1) AS few) AS products
        FROM shops s WHERE s.id = $1";
    LOW = "SELECT v.product_id, p.title, v.title AS variant_title, c.on_hand - c.held AS available,
            COUNT(*) OVER () AS low_count, m.id AS media_id, m.width, m.height, m.color, pp.alt
        FROM variants v JOIN capacities c ON c.id = v.capacity_id JOIN products p ON p.id = v.product_id
        LEFT JOIN product_pictures pp ON pp.product_id = p.id AND pp.position = 0 LEFT JOIN media m ON m.id = pp.media_id
        WHERE v.shop_id = $1 AND NOT v.archived AND p.state = 'published' AND c.on_hand - c.held <= v.low_stock
        ORDER BY available, v.id LIMIT $2";
    // A row for each rate of the products of which most units were sold.
    BEST = "SELECT r.product_id, p.title, r.units, r.sold_minor, r.currency, r.rate_numerator, r.rate_denominator,
            m.id AS media_id, m.width, m.height, m.color, pp.alt
        FROM (SELECT u.*, DENSE_RANK() OVER (ORDER BY u.units DESC, u.product_id) AS place
            FROM (SELECT l.product_id, CAST(SUM(l.total_minor - l.discount_minor) AS BIGINT) AS sold_minor,
                    CAST(SUM(SUM(l.quantity)) OVER (PARTITION BY l.product_id) AS BIGINT) AS units,
                    o.currency, o.rate_numerator, o.rate_denominator
                FROM orders o JOIN order_lines l ON l.order_id = o.id
                WHERE o.shop_id = $1 AND o.created_at >= $2 AND o.created_at < $3 AND o.replaces IS NULL
                GROUP BY l.product_id, o.currency, o.rate_numerator, o.rate_denominator) AS u) AS r
        JOIN products p ON p.id = r.product_id
        LEFT JOIN product_pictures pp ON pp.product_id = r.product_id AND pp.position = 0
        LEFT JOIN media m ON m.id = pp.media_id
        WHERE r.place <= $4 ORDER BY r.place";
}

update! {
    /// Saves the settings of a shop that still has this version.
    struct SaveSettings<'a> {
        id: ShopId,
        version: i64,
        name: &'a str,
        search_folded: String,
        description: &'a str,
        town: &'a str,
        address: &'a str,
        country: &'a str,
        region: &'a str,
        prices_include_tax: Option<bool>,
        tax_id: &'a str,
        returns_days: i64,
    } => "UPDATE shops SET name = given.name, search_folded = given.search_folded, description = given.description, town = given.town,
            address = given.address, country = given.country, region = given.region,
            prices_include_tax = given.prices_include_tax, tax_id = given.tax_id, returns_days = given.returns_days,
            version = shops.version + 1
        FROM given WHERE shops.id = given.id AND shops.version = given.version"
}

rows! {
    struct SettingsRow {
        handle: String,
        name: String,
        description: String,
        town: String,
        address: String,
        country: String,
        region: String,
        prices_include_tax: Option<bool>,
        tax_id: String,
        currency: Currency,
        returns_days: i64,
        commission_bp: Option<i64>,
        version: i64,
    }

    struct StaffRow {
        id: UserId,
        name: String,
        email: String,
        role: Role,
    }

    struct MemberRow {
        name: String,
        email: String,
        role: Role,
    }

    struct ToDoRow {
        currency: Currency,
        to_confirm: i64,
        to_ship: i64,
        to_answer: i64,
        to_receive: i64,
        unread_messages: i64,
        products: i64,
    }

    struct LowRow {
        product_id: ProductId,
        title: String,
        variant_title: String,
        available: i64,
        low_count: i64;
        picture: Option<Picture>
    }

    struct BestRow {
        product_id: ProductId,
        title: String,
        units: i64,
        sold_minor: i64,
        currency: Currency,
        rate_numerator: i64,
        rate_denominator: i64;
        picture: Option<Picture>
    }

    struct CardRow {
        id: ShopId,
        handle: String,
        name: String,
        town: String,
        commission_bp: i64,
        created_at: i64,
        products: i64,
        owner_email: String,
    }
}

/// Opens a shop for the caller, in the market's currency. Returns its handle, normalised.
pub async fn open_as_seller(engine: &Engine, caller: &Caller, form: &ShopForm) -> Result<String> {
    let owner = caller.signed_in()?.id;
    let (draft, shipping_price, free_from) = form.check_new(engine.currency).map_err(Error::Invalid)?;
    let now = engine.clock.now_ms();
    let id: ShopId = random::id(now);
    let handle = draft.handle.clone();
    let shop = NewShop {
        handle: draft.handle,
        name: draft.name,
        description: draft.description,
        shipping_price,
        commission_bp: None,
        terms: Terms {
            town: draft.town,
            address: draft.address,
            country: draft.country,
            region: draft.region,
            prices_include_tax: draft.prices_include_tax,
            tax_id: draft.tax_id,
            free_delivery_from_minor: free_from.map(Money::amount),
            returns_days: draft.returns_days,
            ..Terms::default()
        },
        owner,
    };
    let opened = engine
        .db
        .write(("shops::open_as_seller", id), (id, shop, now), |tx, (id, shop, now)| {
            Box::pin(open_in_tx(tx, *id, shop, *now))
        })
        .await;
    match opened {
        Err(fault) if is_unique(&fault) => Err(Error::field("handle", FieldCode::NotUnique)),
        opened => Ok(opened.map(|()| handle)?),
    }
}

fn draft(row: SettingsRow) -> ShopDraft {
    ShopDraft {
        handle: row.handle,
        name: row.name,
        description: row.description,
        town: row.town,
        address: row.address,
        country: row.country,
        region: row.region,
        prices_include_tax: row.prices_include_tax,
        tax_id: row.tax_id,
        returns_days: row.returns_days,
    }
}

/// A shop's settings, for members who may change them.
pub async fn settings(engine: &Engine, caller: &Caller, handle: &str) -> Result<ShopSettings> {
    let shop = caller.shop(handle, Permission::ManageShop)?;
    let row: SettingsRow = engine.db.one(&FIND, params![shop]).await?;
    let members: Vec<MemberRow> = engine.db.all(&MEMBERS, params![shop]).await?;
    let (commission_bp, commissions) = match row.commission_bp {
        Some(own) => (own, Vec::new()),
        None => (commissions::usual(engine).await?, commissions::of_categories(engine, caller).await?),
    };
    Ok(ShopSettings {
        version: row.version,
        currency: row.currency,
        commission_bp,
        commissions,
        form: draft(row).form(),
        members: members.into_iter().map(|m| Member { name: m.name, email: m.email, role: m.role }).collect(),
    })
}

/// Saves a shop's settings if they still have the version that the form is based on. Returns the new
/// version. Existing orders and checkouts keep their terms.
pub async fn save_settings(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    version: i64,
    form: &ShopForm,
) -> Result<i64> {
    let shop = caller.shop(handle, Permission::ManageShop)?;
    let row: SettingsRow = engine.db.one(&FIND, params![shop]).await?;
    let form = ShopForm { handle: row.handle, ..form.clone() };
    let draft = form.check().map_err(Error::Invalid)?;
    let input = (shop, caller.user_id(), version, draft, engine.clock.now_ms());
    let saved = engine
        .db
        .write(("shops::save_settings", shop), input, |tx, (shop, user, version, draft, now)| {
            Box::pin(save_in_tx(tx, *shop, *user, *version, draft, *now))
        })
        .await?;
    Ok(saved)
}

async fn save_in_tx(
    tx: &mut Tx,
    shop: ShopId,
    user: Option<UserId>,
    version: i64,
    new: &ShopDraft,
    now: i64,
) -> crate::TxResult<i64> {
    let row: SettingsRow = tx.opt(&FIND, params![shop]).await?.ok_or(Error::NotFound)?;
    let current = row.version;
    let fields = draft(row).form().differing(&new.form());
    // Saving the same values again succeeds.
    if fields.is_empty() {
        return Ok(current);
    }
    let row = SaveSettings {
        id: shop,
        version,
        name: &new.name,
        search_folded: search_text(&new.handle, &new.name),
        description: &new.description,
        town: &new.town,
        address: &new.address,
        country: &new.country,
        region: &new.region,
        prices_include_tax: new.prices_include_tax,
        tax_id: &new.tax_id,
        returns_days: new.returns_days,
    };
    if tx.update_all([row]).await? == 0 {
        return Err(revisions::since(tx, shop, version).await?);
    }
    revisions::write(tx, shop, version + 1, &fields, user, now).await?;
    Ok(version + 1)
}

/// The number of a shop's orders to confirm and to ship.
pub async fn to_do(engine: &Engine, caller: &Caller, handle: &str) -> Result<ToDo> {
    let shop = caller.shop(handle, Permission::SeeOrders)?;
    let ToDoRow { to_confirm, to_ship, unread_messages, .. } = engine.db.one(&TO_DO, params![shop]).await?;
    let answers = caller.shop(handle, Permission::AnswerCustomers).is_ok();
    Ok(ToDo { to_confirm, to_ship, unread_messages: if answers { unread_messages } else { 0 } })
}

/// A shop's home page, for a period. Days are those of the market's time zone.
pub async fn home(engine: &Engine, caller: &Caller, handle: &str, of: &AskedPeriod) -> Result<ShopHome> {
    const LOW_SHOWN: i64 = 10;
    const BEST_SHOWN: i64 = 5;
    const LATEST_SHOWN: usize = 5;
    let shop = caller.shop(handle, Permission::SeeOrders)?;
    let (zone, now) = (&engine.zone, engine.clock.now_ms());
    let (first, last) = of.check(zone.day(now)).map_err(Error::Invalid)?;
    let before = first - (last - first + 1);
    let (begin, end) = (zone.begins(first), zone.begins(last + 1));
    let to_do: ToDoRow = engine.db.one(&TO_DO, params![shop]).await?;
    // Whoever doesn't manage the products can't order more of them.
    let manages_products = caller.shop(handle, Permission::ManageCatalog).is_ok();
    let low: Vec<LowRow> = match manages_products {
        true => engine.db.all(&LOW, params![shop, LOW_SHOWN]).await?,
        false => Vec::new(),
    };
    let best: Vec<BestRow> = engine.db.all(&BEST, params![shop, begin, end, BEST_SHOWN]).await?;
    let latest = ListOrders { limit: Some(LATEST_SHOWN), ..ListOrders::default() };
    let latest = orders::seller_list(engine, caller, handle, latest).await?.items;
    let days = sales::booked(engine, Some(shop), to_do.currency, (before, last)).await?;
    let day = |DayFigures { day, sales }: DayFigures| DaySales {
        day,
        sold: sales.gross,
        net: sales.net,
        orders: sales.orders,
        units: sales.units,
    };
    let mut days: Vec<DaySales> = days.into_iter().map(day).collect();
    let days_now = days.split_off(days.len() / 2);
    let sum = |days: &[DaySales]| {
        let sold = Money::sum(to_do.currency, days.iter().map(|day| day.sold))?;
        let net = Money::sum(to_do.currency, days.iter().map(|day| day.net))?;
        let (orders, units) = days.iter().fold((0, 0), |(o, u), day| (o + day.orders, u + day.units));
        Result::Ok((sold, net, orders, units))
    };
    let (sold, net, orders, units) = sum(&days_now)?;
    let (sold_before, net_before, orders_before, units_before) = sum(&days)?;
    // A product has a row for each rate; they follow each other.
    let mut products: Vec<BestProduct> = Vec::new();
    for row in best {
        let rate = (row.rate_numerator, row.rate_denominator);
        let sold = sales::in_currency(to_do.currency, row.sold_minor, row.currency, rate)?;
        match products.last_mut().filter(|product| product.product_id == row.product_id) {
            Some(product) => product.sold = product.sold.plus(sold)?,
            None => products.push(BestProduct {
                product_id: row.product_id,
                title: row.title,
                picture: row.picture,
                units: row.units,
                sold,
            }),
        }
    }
    Ok(ShopHome {
        to_confirm: to_do.to_confirm,
        to_ship: to_do.to_ship,
        to_answer: to_do.to_answer,
        to_receive: to_do.to_receive,
        low_count: low.first().map_or(0, |l| l.low_count),
        low: low
            .into_iter()
            .map(|l| LowVariant {
                product_id: l.product_id,
                title: l.title,
                variant_title: l.variant_title,
                picture: l.picture,
                available: l.available,
            })
            .collect(),
        days: days_now,
        days_before: days,
        sold,
        net,
        orders,
        units,
        sold_before,
        net_before,
        orders_before,
        units_before,
        best: products,
        latest,
        has_products: to_do.products > 0,
        manages_products,
    })
}

/// All shops, newest first, optionally those whose name, handle or owner's address contains these words. Operators only.
pub async fn list_all(
    engine: &Engine,
    caller: &Caller,
    q: &str,
    of: impl Into<PageRequest<'_>>,
) -> Result<Page<AdminShopCard>> {
    let PageRequest { after, limit } = of.into();
    let ask = ListRequest { q: q.to_owned(), after: after.to_owned(), limit, ..ListRequest::default() };
    page_of_all(engine, caller, &ask).await
}

/// The same, sorted by one of [`SHOP_SORTS`], and only those in one of [`SHOP_STAGES`] if asked for. With the number of
/// shops in each. Operators only.
pub async fn table_of_all(
    engine: &Engine,
    caller: &Caller,
    ask: &ListRequest,
) -> Result<Counted<AdminShopCard>> {
    let page = page_of_all(engine, caller, ask).await?;
    let counts = engine.db.list(SHOPS.count_by("stage", words(&ask.q)?)).await?;
    Ok(CountRow::with(counts, page))
}

async fn page_of_all(engine: &Engine, caller: &Caller, ask: &ListRequest) -> Result<Page<AdminShopCard>> {
    caller.admin(AdminPermission::SeeShops)?;
    let sort = if ask.sort.is_empty() { SHOP_SORTS[0] } else { &ask.sort };
    if !SHOP_SORTS.contains(&sort) {
        return Err(Error::field("sort", FieldCode::NotAChoice));
    }
    let by_handle = sort.ends_with("handle");
    let after = match ask.after.as_str() {
        "" => None,
        handle if by_handle => Some(handle.into()),
        id => cursor::<Shop>(id)?.map(Value::from),
    };
    let size = page::rows(ask.limit, PAGE_SIZE);
    let mut filters = words(&ask.q)?;
    if !ask.state.is_empty() {
        let stage = SHOP_STAGES.iter().position(|stage| *stage == ask.state);
        let stage = stage.ok_or(Error::field("state", FieldCode::NotAChoice))?;
        filters.push(("selling", (stage == 0).into()));
    }
    let rows: Vec<CardRow> = engine.db.list(SHOPS.bind(filters, sort, after, size + 1)).await?;
    let page = Page::cut(rows, size, |row| if by_handle { row.handle.clone() } else { row.id.to_string() });
    Ok(page.map(|row| card(engine, caller, row)))
}

fn card(engine: &Engine, caller: &Caller, row: CardRow) -> AdminShopCard {
    AdminShopCard {
        handle: row.handle,
        name: row.name,
        town: row.town,
        owner_email: row.owner_email,
        commission_bp: row.commission_bp,
        products: row.products,
        created_at: caller.time(engine, row.created_at),
    }
}

/// Any shop, with what else the admin may see: its orders, its balances and its staff. Operators only.
pub async fn any_shop(engine: &Engine, caller: &Caller, handle: &str) -> Result<ShopDetails> {
    const LATEST_SHOWN: usize = 10;
    caller.admin(AdminPermission::SeeShops)?;
    let may = |permission| caller.admin(permission).is_ok();
    let row: CardRow = engine.db.opt(&CARD, params![handle]).await?.ok_or(Error::NotFound)?;
    let unpublished: Scalar<i64> = engine.db.one(&UNPUBLISHED, params![row.id]).await?;
    let latest = ListOrders { shop: handle.to_owned(), limit: Some(LATEST_SHOWN), ..ListOrders::default() };
    let orders = match may(AdminPermission::SeeOrders) {
        true => Some(orders::table_of_all(engine, caller, latest).await?),
        false => None,
    };
    let balances = match may(AdminPermission::SeeBalances) {
        true => Some(ledger::totals(engine, row.id).await?),
        false => None,
    };
    let staff: Vec<StaffRow> = match may(AdminPermission::SeeUsers) {
        true => engine.db.all(&STAFF, params![row.id]).await?,
        false => Vec::new(),
    };
    Ok(ShopDetails {
        shop: card(engine, caller, row),
        unpublished: unpublished.0,
        orders,
        balances,
        staff: staff
            .into_iter()
            .map(|StaffRow { id, name, email, role }| StaffMember { id, name, email, role })
            .collect(),
    })
}
