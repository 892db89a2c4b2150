//! Carts of guests, identified by a token, and of users. At sign-in, a guest's cart is merged into the
//! account's.

use crate::{
    Caller, Engine, bookings,
    currencies::{self, Shown},
    db::{Tx, is_unique},
    gift_cards, group_by, insert,
    inventory::holds,
    params,
    promotions::{self, Person},
    random, rows,
    sale_prices::{Allotments, LineAllotment, SaleNow, join_sale, on_sale},
    shipping, statements, taxes,
};
use haat_shared::{
    Conflict, Currency, Error, FieldCode, Money, Result,
    carts::{self, AddLine, CartGroup, CartLineView, CartView, LINES_MAX, QUANTITY_MAX, SetQuantity},
    catalog::Attribute,
    error::Shortage,
    gift_cards::{CartGift, Gift},
    id::kinds::{CapacityId, CartId, CartLineId, ProductId, ShopId, UserId, VariantId},
    media::Picture,
    money::Rate,
    pricing::{self, LineItem, LineKind, Shipping, ShopItems, TaxRule},
    promotions::{Discount, JudgedCode, LineFacts, choose},
    sale_prices::in_proportion,
    shipping::{Parcel, Place, ShippingOption},
    taxes::{Sale, TaxTable},
};

statements! {
    OF_USER = "SELECT id, (SELECT COUNT(*) FROM cart_gifts g WHERE g.cart_id = carts.id) AS gifts FROM carts WHERE user_id = $1 AND state = 'open'";
    OF_TOKEN = "SELECT id, (SELECT COUNT(*) FROM cart_gifts g WHERE g.cart_id = carts.id) AS gifts FROM carts WHERE token_hash = $1 AND state = 'open'";
    OPEN = "INSERT INTO carts (id, token_hash, user_id, state, version, created_at, updated_at)
        VALUES ($1, $2, $3, 'open', 0, $4, $4)";
    ON_SALE = "SELECT p.title, (SELECT COUNT(*) FROM services s WHERE s.product_id = p.id) AS services, v.capacity_id, c.on_hand, c.held,
            COALESCE((SELECT l.quantity FROM cart_lines l WHERE l.cart_id = $2 AND l.variant_id = v.id), 0) AS in_cart
        FROM variants v JOIN products p ON p.id = v.product_id LEFT JOIN capacities c ON c.id = v.capacity_id
        WHERE v.id = $1 AND p.state = 'published' AND NOT v.archived";
    TOUCH = "UPDATE carts SET version = version + 1, updated_at = $2 WHERE id = $1 AND state = 'open'";
    SET = "UPDATE cart_lines SET capped = FALSE,
            quantity = CASE WHEN EXISTS (SELECT 1 FROM cart_bookings b WHERE b.line_id = cart_lines.id) THEN 1 ELSE $3 END
        WHERE id = $1 AND cart_id = $2";
    REMOVE = "DELETE FROM cart_lines WHERE id = $1 AND cart_id = $2";
    REMOVE_SHOP = "DELETE FROM cart_lines WHERE cart_id = $1 AND shop_id = $2";
    LINES = concat!("SELECT l.id, l.variant_id, l.quantity, l.capped, l.price_seen_minor,
            COALESCE(v.title, l.variant_title) AS variant_title, COALESCE(v.price_minor, l.price_seen_minor) AS price_minor,
            COALESCE(p.title, l.title) AS title, COALESCE(p.slug, '') AS slug, COALESCE(p.options, '[]') AS option_names,
            COALESCE(v.options, '[]') AS option_values, s.id AS shop_id, s.name AS shop_name, s.handle AS shop_handle, s.currency,
            COALESCE(v.weight_g, 0) AS weight_g, s.country, s.region, s.prices_include_tax,
            COALESCE(k.tax_category, '') AS tax_category, p.id AS product_id, COALESCE(k.path, '') AS category,
            CASE WHEN sv.product_id IS NULL THEN FALSE ELSE TRUE END AS is_service, b.starts_at AS booked_at,
            r.name AS provider_name, r.zone AS provider_zone, ",
            on_sale!(), ",
            CASE WHEN p.state = 'published' AND NOT v.archived THEN FALSE ELSE TRUE END AS discontinued,
            CASE WHEN p.state = 'published' AND NOT v.archived THEN c.on_hand - c.held
                + COALESCE((SELECT CAST(SUM(h.quantity) AS BIGINT) FROM checkouts k
                    JOIN holds h ON h.checkout_id = k.id AND h.state = 'active'
                    WHERE k.cart_id = t.id AND h.capacity_id = v.capacity_id), 0) ELSE 0 END AS available,
            COALESCE((SELECT CAST(SUM(h.quantity) AS BIGINT) FROM checkouts k
                JOIN holds h ON h.checkout_id = k.id AND h.state = 'active'
                WHERE k.cart_id = t.id AND h.capacity_id = x.capacity_id), 0) AS own_allotment,
            m.id AS media_id, m.width, m.height, m.color, pp.alt
        FROM carts t JOIN cart_lines l ON l.cart_id = t.id JOIN shops s ON s.id = l.shop_id
        LEFT JOIN variants v ON v.id = l.variant_id LEFT JOIN capacities c ON c.id = v.capacity_id
        LEFT JOIN services sv ON sv.product_id = v.product_id LEFT JOIN cart_bookings b ON b.line_id = l.id
        LEFT JOIN providers r ON r.id = b.provider_id
        LEFT JOIN products p ON p.id = v.product_id LEFT JOIN categories k ON k.id = p.category_id
        LEFT JOIN product_pictures pp ON pp.product_id = p.id AND pp.position = 0 LEFT JOIN media m ON m.id = pp.media_id ",
        join_sale!("v.id", "$2"), "WHERE t.id = $1 ORDER BY l.id");
    ADOPT = "UPDATE carts SET user_id = $2, token_hash = NULL, updated_at = $3 WHERE id = $1 AND state = 'open'";
    MERGE_BOTH = "UPDATE cart_lines SET quantity = CASE WHEN EXISTS (SELECT 1 FROM cart_bookings b WHERE b.line_id = cart_lines.id) THEN 1
            WHEN cart_lines.quantity + guest.quantity > $3 THEN $3
            ELSE cart_lines.quantity + guest.quantity END, capped = cart_lines.quantity + guest.quantity > $3
            AND NOT EXISTS (SELECT 1 FROM cart_bookings b WHERE b.line_id = cart_lines.id)
        FROM cart_lines AS guest
        WHERE cart_lines.cart_id = $1 AND guest.cart_id = $2 AND guest.variant_id = cart_lines.variant_id";
    MERGE_REST = "UPDATE cart_lines SET cart_id = $1 WHERE cart_id = $2
        AND variant_id NOT IN (SELECT variant_id FROM cart_lines WHERE cart_id = $1)";
    MERGE_CODES = "INSERT INTO cart_codes (cart_id, promotion_id, created_at) SELECT $1, promotion_id, created_at FROM cart_codes
        WHERE cart_id = $2 ON CONFLICT (cart_id, promotion_id) DO NOTHING";
    MERGE_GIFTS = "UPDATE cart_gifts SET cart_id = $1 WHERE cart_id = $2";
    MERGE_WISHES = "UPDATE wishlist_items SET cart_id = $1 WHERE cart_id = $2
        AND variant_id NOT IN (SELECT variant_id FROM wishlist_items WHERE cart_id = $1)";
    MERGED = "UPDATE carts SET state = 'merged', updated_at = $2 WHERE id = $1";
    // Versions of carts are never negative, so this is out of date: the next checkout is a new one, with the
    // same input.
    MOVE_CHECKOUTS = "UPDATE checkouts SET cart_id = $1, cart_version = -1 WHERE cart_id = $2 AND state IN ('open', 'paying')";
}

insert! {
    struct AddCartLine into cart_lines {
        id: CartLineId,
        cart_id: CartId,
        quantity: i64,
        created_at: i64;
        variant_id = "v.id",
        shop_id = "v.shop_id",
        title = "p.title",
        variant_title = "v.title",
        // As `haat_shared::sale_prices` decides.
        price_seen_minor = "COALESCE((SELECT x.price_minor FROM sale_prices x WHERE x.variant_id = v.id
            AND x.starts_at <= given.created_at AND x.ends_at > given.created_at AND x.price_minor < v.price_minor
            AND COALESCE((SELECT a.on_hand - a.held FROM capacities a WHERE a.id = x.capacity_id), 1) > 0), v.price_minor)",
    } => [variant: VariantId, lines_max: i64, quantity_max: i64] "given JOIN variants v ON v.id = given.variant
        JOIN products p ON p.id = v.product_id
        WHERE p.state = 'published' AND NOT v.archived
            AND NOT EXISTS (SELECT 1 FROM services s WHERE s.product_id = p.id)
            AND (SELECT COUNT(*) FROM cart_lines l WHERE l.cart_id = given.cart_id) < given.lines_max
            AND given.quantity + COALESCE((SELECT l.quantity FROM cart_lines l
                    WHERE l.cart_id = given.cart_id AND l.variant_id = v.id), 0)
                <= COALESCE((SELECT c.on_hand FROM capacities c WHERE c.id = v.capacity_id), given.quantity_max)
        ON CONFLICT (cart_id, variant_id) DO UPDATE SET quantity = cart_lines.quantity + excluded.quantity,
            title = excluded.title, variant_title = excluded.variant_title
            WHERE cart_lines.quantity + excluded.quantity <= (SELECT given.quantity_max FROM given)"
}

rows! {
    /// The ID of a cart.
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct CartRow {
        pub(crate) id: CartId,
        // How many gift cards are in it.
        gifts: i64,
    }

    struct OnSale {
        title: String,
        services: i64,
        capacity_id: Option<CapacityId>,
        on_hand: Option<i64>,
        held: Option<i64>,
        in_cart: i64,
    }

    struct LineRow {
        id: CartLineId,
        variant_id: VariantId,
        quantity: i64,
        capped: bool,
        price_seen_minor: i64,
        variant_title: String,
        price_minor: i64,
        title: String,
        slug: String,
        option_names: String,
        option_values: String,
        shop_id: ShopId,
        shop_name: String,
        shop_handle: String,
        currency: Currency,
        weight_g: i64,
        country: String,
        region: String,
        prices_include_tax: Option<bool>,
        tax_category: String,
        product_id: Option<ProductId>,
        category: String,
        discontinued: bool,
        is_service: bool,
        booked_at: Option<i64>,
        provider_name: Option<String>,
        provider_zone: Option<String>,
        own_allotment: i64,
        available: Option<i64>;
        picture: Option<Picture>,
        sale: SaleNow
    }
}

impl LineRow {
    /// Whether it can be bought, at least in part.
    fn is_available(&self) -> bool {
        self.available.is_none_or(|available| available > 0)
    }
}

/// A changed cart.
#[derive(Debug, Clone)]
pub struct Changed {
    /// Its current contents.
    pub view: CartView,
    /// The token of a newly created guest cart, which its holder must keep.
    pub token: Option<String>,
}

/// The owner of a cart: an account, or whoever holds a token.
#[derive(Debug, Clone, Copy)]
enum Holder {
    User(UserId),
    Token([u8; 32]),
    Nobody,
}

fn holder(caller: &Caller) -> Holder {
    match (caller.user_id(), caller.cart) {
        (Some(user), _) => Holder::User(user),
        (None, Some(token)) => Holder::Token(token),
        (None, None) => Holder::Nobody,
    }
}

/// The caller's open cart.
pub(crate) async fn find(engine: &Engine, caller: &Caller) -> Result<Option<CartId>> {
    Ok(find_row(engine, caller).await?.map(|cart| cart.id))
}

async fn find_row(engine: &Engine, caller: &Caller) -> Result<Option<CartRow>> {
    Ok(match holder(caller) {
        Holder::User(user) => engine.db.opt(&OF_USER, params![user]).await?,
        Holder::Token(token) => engine.db.opt(&OF_TOKEN, params![token]).await?,
        Holder::Nobody => None,
    })
}

async fn find_in_tx(tx: &mut Tx, holder: Holder) -> crate::TxResult<Option<CartId>> {
    Ok(find_row_in_tx(tx, holder).await?.map(|cart| cart.id))
}

async fn find_row_in_tx(tx: &mut Tx, holder: Holder) -> crate::TxResult<Option<CartRow>> {
    Ok(match holder {
        Holder::User(user) => tx.opt(&OF_USER, params![user]).await?,
        Holder::Token(token) => tx.opt(&OF_TOKEN, params![token]).await?,
        Holder::Nobody => None,
    })
}

/// The contents of the caller's cart.
pub async fn view(engine: &Engine, caller: &Caller) -> Result<CartView> {
    match find_row(engine, caller).await? {
        Some(cart) => view_with(engine, caller, cart.id, cart.gifts > 0).await,
        None => Ok(CartView::empty()),
    }
}

/// The number of items in the caller's cart that can still be bought.
pub async fn item_count(engine: &Engine, caller: &Caller) -> Result<i64> {
    match find_row(engine, caller).await? {
        Some(cart) => {
            let lines = engine.db.all(&LINES, params![cart.id, engine.clock.now_ms()]).await?;
            Ok(available(&lines) + cart.gifts)
        }
        None => Ok(0),
    }
}

fn available(rows: &[LineRow]) -> i64 {
    rows.iter().filter(|row| row.is_available()).map(|row| row.quantity).sum()
}

/// The contents of a cart, as the caller sees it.
pub(crate) async fn view_of(engine: &Engine, caller: &Caller, id: CartId) -> Result<CartView> {
    view_with(engine, caller, id, true).await
}

/// The same, if it may have gift cards or not.
async fn view_with(engine: &Engine, caller: &Caller, cart: CartId, with_gifts: bool) -> Result<CartView> {
    let now = engine.clock.now_ms();
    let mut rows: Vec<LineRow> = engine.db.all(&LINES, params![cart, now]).await?;
    let gifts = if with_gifts { gift_cards::of_cart(engine, cart).await? } else { Vec::new() };
    if rows.is_empty() && gifts.is_empty() {
        return Ok(CartView::empty());
    }
    let offers = promotions::of_cart(engine, cart, &Person::of(engine, caller, None)).await?;
    let (mut shipping, place) = shipping::of_cart(engine, cart).await?;
    // Shops with another currency than the market's are paid in theirs, and nothing else with them.
    let converted = gifts.is_empty() && rows.iter().all(|row| row.currency == engine.currency);
    let shown = if converted { currencies::shown(engine, caller).await? } else { None };
    let own = match shown {
        Some(shown) => currencies::own_of_cart(engine, cart, shown).await?,
        None => Vec::new(),
    };
    let mut allotments = Allotments::default();
    for row in &mut rows {
        let ordinary = row.price_minor;
        let line = LineAllotment { variant: row.variant_id, quantity: row.quantity, own: row.own_allotment };
        row.price_minor = row.sale.price_of_line(ordinary, now, line, &mut allotments);
        if let Some(shown) = shown {
            let own = own.iter().find(|(variant, _)| *variant == row.variant_id);
            let own = own.map(|(_, own)| in_proportion(*own, ordinary, row.price_minor));
            show(row, shown, own);
        }
    }
    if let Some(shown) = shown {
        shipping = shipping.exchanged(shown.rate(), shown.currency())?;
    }
    let rate = shown.map_or(Rate::ONE, Shown::rate);
    let table = taxes::table(engine).await?;
    let item_count = available(&rows) + gifts.len() as i64;
    let (mut groups, mut totals, mut discounts, mut entered) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut displaced = Vec::new();
    for (currency, rows) in group_by(rows, |r| r.currency) {
        let facts = rows.iter().filter(|row| row.is_available()).map(facts).collect::<Result<Vec<_>>>()?;
        let shops = group_by(rows, |r| r.shop_id);
        let (mut items, mut offered) = (Vec::new(), Vec::new());
        for (shop, rows) in &shops {
            let (of_shop, option) = items_of(*shop, rows, (&shipping, &table), &place, now)?;
            items.push(of_shop);
            offered.push(option);
        }
        let choice = choose(currency, &items, &facts, &engine.promotions, offers.read(rate, currency)?, now)?;
        let quote = pricing::quote(currency, &items, &choice.promotions)?;
        totals.push(quote.price.totals);
        discounts.extend(Discount::of(&quote.price.adjustments));
        displaced.extend(choice.displaced.into_iter().map(|of| Discount::displaced(of, currency)));
        entered.extend(choice.codes.into_iter().map(|code| (code, currency)));
        for (((shop_id, rows), shipping), quote) in shops.into_iter().zip(offered).zip(quote.shops) {
            let (shop_name, shop_handle) = (rows[0].shop_name.clone(), rows[0].shop_handle.clone());
            let lines = rows.into_iter().map(line).collect::<Result<Vec<_>>>()?;
            let totals = quote.price.totals;
            groups.push(CartGroup { shop_id, shop_name, shop_handle, totals, lines, shipping });
        }
    }
    if groups.is_empty() {
        // Gift cards are never discounted: every code says that it is for other items.
        let currency = engine.currency;
        let choice = choose(currency, &[], &[], &engine.promotions, offers.read(Rate::ONE, currency)?, now)?;
        entered.extend(choice.codes.into_iter().map(|code| (code, currency)));
    }
    for (JudgedCode { id, refusal, limit }, currency) in entered {
        // In a cart of two currencies, a code applies to one of them.
        let shown = discounts.iter().any(|discount: &Discount| discount.promotion_id == Some(id));
        if let (false, Some((code, label))) = (shown, offers.names(id)) {
            let amount = Money::zero(currency);
            let promotion_id = Some(id);
            discounts.push(Discount {
                promotion_id,
                code,
                label,
                amount,
                after_others: false,
                refusal,
                limit,
            });
        }
    }
    discounts.extend(displaced);
    for CartGift { gift, .. } in &gifts {
        let of_gift = Gift::totals(gift.amount.currency(), gift.amount.amount());
        match totals.iter_mut().find(|totals| totals.total.currency() == gift.amount.currency()) {
            Some(totals) => *totals = totals.plus(of_gift)?,
            None => totals.push(of_gift),
        }
    }
    // Shops of two currencies can be in one cart, but not be paid together.
    let totals = if totals.len() == 1 { totals.pop() } else { None };
    Ok(CartView { id: Some(cart), groups, item_count, totals, discounts, gifts })
}

/// Puts the prices of a line into the currency that the shopper chose: `own` is the one that the seller set in it.
fn show(row: &mut LineRow, shown: Shown, own: Option<i64>) {
    let price = |minor| shown.price(Money::new(minor, row.currency)).amount();
    let [seen, now] =
        [row.price_seen_minor, row.price_minor].map(|minor| own.unwrap_or_else(|| price(minor)));
    (row.price_seen_minor, row.price_minor, row.currency) = (seen, now, shown.currency());
}

/// What promotions depend on.
fn facts(row: &LineRow) -> Result<LineFacts> {
    let list = priced(row).list_price()?;
    let (id, shop, category) = (row.variant_id.uuid(), row.shop_id, row.category.clone());
    let product = row.product_id.unwrap_or(ProductId::from_uuid(id));
    Ok(LineFacts { id, shop, product, category, list })
}

/// The lines of a shop that can be bought, with the first of its shipping methods: standard shipping, if it is offered.
/// Their tax is an estimate until an address is entered.
fn items_of(
    shop: ShopId,
    rows: &[LineRow],
    (shipping, table): (&shipping::Rules, &TaxTable),
    place: &Place,
    now: i64,
) -> Result<(ShopItems, Option<ShippingOption>)> {
    let (from, to) = (taxes::seller(&rows[0].country, &rows[0].region, &table.home), taxes::buyer(place));
    let sale = Sale { seller: &from, included: rows[0].prices_include_tax, buyer: &to, tax_id: "", at: now };
    let taxed = |row: &LineRow| LineItem { tax: table.on(&sale, &row.tax_category).rule, ..priced(row) };
    let available = || rows.iter().filter(|row| row.is_available());
    let mut items = ShopItems { shop, lines: available().map(taxed).collect(), shipping: None };
    // Nothing is shipped if nothing can be bought.
    if items.lines.is_empty() {
        return Ok((items, None));
    }
    let parcel = Parcel {
        grams: available().map(|row| row.weight_g.saturating_mul(row.quantity)).sum(),
        subtotal: items.subtotal(rows[0].currency)?,
        items: available().map(|row| row.quantity).sum(),
    };
    let options = match available().all(|row| row.is_service) {
        true => bookings::no_shipping(rows[0].currency),
        false => shipping.options(shop, place, &parcel),
    };
    let option = options.into_iter().next();
    let tax = table.on_shipping(&sale).rule;
    items.shipping = option.as_ref().map(|option| Shipping { price: option.price, tax });
    Ok((items, option))
}

/// A line to be priced, identified by its variant as in a checkout. The shopper is not shown the commission, so it
/// is left out.
fn priced(row: &LineRow) -> LineItem {
    LineItem {
        id: row.variant_id.uuid(),
        kind: if row.is_service { LineKind::Service } else { LineKind::Goods },
        quantity: row.quantity,
        unit_price: Money::new(row.price_minor, row.currency),
        tax: TaxRule::NONE,
        commission_bp: 0,
    }
}

/// The options of a variant, from the stored names of its product's options and its own values.
pub(crate) fn options(names: &str, values: &str) -> Vec<Attribute> {
    let names: Vec<String> = serde_json::from_str(names).unwrap_or_default();
    let values: Vec<String> = serde_json::from_str(values).unwrap_or_default();
    names.into_iter().zip(values).map(|(name, value)| Attribute { name, value }).collect()
}

fn line(row: LineRow) -> Result<CartLineView> {
    let priced = priced(&row);
    Ok(CartLineView {
        options: options(&row.option_names, &row.option_values),
        discontinued: row.discontinued,
        capped: row.capped,
        id: row.id,
        variant_id: row.variant_id,
        title: row.title,
        variant_title: match (row.booked_at, &row.provider_zone, &row.provider_name) {
            (Some(at), Some(zone), Some(name)) => bookings::when(at, zone, name),
            _ => row.variant_title,
        },
        is_service: row.is_service,
        slug: row.slug,
        unit_price: priced.unit_price,
        price_was: (row.price_seen_minor != row.price_minor)
            .then(|| Money::new(row.price_seen_minor, row.currency)),
        quantity: row.quantity,
        total: priced.list_price()?,
        available: row.available,
        picture: row.picture,
    })
}

/// The cart with this ID, if it belongs to the caller.
pub async fn by_id(engine: &Engine, caller: &Caller, id: CartId) -> Result<CartView> {
    check_holder(engine, caller, id).await?;
    Ok(CartView { id: Some(id), ..view_of(engine, caller, id).await? })
}

/// Rejects carts of others.
pub async fn check_holder(engine: &Engine, caller: &Caller, id: CartId) -> Result<()> {
    if find(engine, caller).await? == Some(id) { Ok(()) } else { Err(Error::NotFound) }
}

/// The caller's cart, created if there is none. A guest gets its token.
pub async fn open(engine: &Engine, caller: &Caller) -> Result<Changed> {
    let holder = holder(caller);
    let token = random::token();
    let input = (holder, random::token_hash(&token), engine.clock.now_ms());
    let mut outcome =
        engine.db.write("carts::open", input, |tx, input| Box::pin(open_in_tx(tx, *input))).await;
    if outcome.as_ref().is_err_and(is_unique) {
        // Two requests opened the user's first cart at once; now it is there.
        outcome = engine.db.write("carts::open", input, |tx, input| Box::pin(open_in_tx(tx, *input))).await;
    }
    let (cart, opened) = outcome?;
    let view = match opened {
        true => CartView::empty(),
        false => view_with(engine, caller, cart.id, cart.gifts > 0).await?,
    };
    let token = (opened && !matches!(holder, Holder::User(_))).then_some(token);
    Ok(Changed { view: CartView { id: Some(cart.id), ..view }, token })
}

async fn open_in_tx(
    tx: &mut Tx,
    (holder, token, now): (Holder, [u8; 32], i64),
) -> crate::TxResult<(CartRow, bool)> {
    if let Some(cart) = find_row_in_tx(tx, holder).await? {
        return Ok((cart, false));
    }
    let id: CartId = random::id(now);
    let (token, user) = match holder {
        Holder::User(user) => (None, Some(user)),
        // A cart that was deleted, bought or merged is replaced by a new one with its own token.
        Holder::Token(_) | Holder::Nobody => (Some(token.to_vec()), None),
    };
    tx.exec(&OPEN, params![id, token, user, now]).await?;
    Ok((CartRow { id, gifts: 0 }, true))
}

/// Adds to the caller's cart, which is created if necessary.
pub async fn add_line(engine: &Engine, caller: &Caller, add: AddLine) -> Result<Changed> {
    let quantity = carts::quantity("quantity", &add.quantity).map_err(|f| Error::Invalid(vec![f]))?;
    let holder = holder(caller);
    let token = random::token();
    let input = (holder, random::token_hash(&token), add.variant, quantity, engine.clock.now_ms());
    let mut outcome = engine
        .db
        .write(("carts::add_line", add.variant), input, |tx, input| Box::pin(add_in_tx(tx, *input)))
        .await;
    if outcome.as_ref().is_err_and(is_unique) {
        // Two requests opened the user's first cart at once; now it is there.
        outcome = engine
            .db
            .write(("carts::add_line", add.variant), input, |tx, input| Box::pin(add_in_tx(tx, *input)))
            .await;
    }
    let (cart, opened) = outcome?;
    engine.activity.added(add.variant);
    let guest = matches!(holder, Holder::Token(_) | Holder::Nobody);
    let view = view_with(engine, caller, cart.id, cart.gifts > 0).await?;
    Ok(Changed { view, token: (opened && guest).then_some(token) })
}

async fn add_in_tx(
    tx: &mut Tx,
    (holder, token, variant, quantity, now): (Holder, [u8; 32], VariantId, i64, i64),
) -> crate::TxResult<(CartRow, bool)> {
    let (cart, opened) = open_in_tx(tx, (holder, token, now)).await?;
    let line = AddCartLine {
        id: random::id(now),
        cart_id: cart.id,
        quantity,
        created_at: now,
        variant,
        lines_max: LINES_MAX,
        quantity_max: QUANTITY_MAX,
    };
    if !tx.insert(line).await? {
        let OnSale { title, services, capacity_id, on_hand, held, in_cart } =
            tx.opt(&ON_SALE, params![variant, cart.id]).await?.ok_or(Error::NotFound)?;
        // A service is booked for a time.
        if services > 0 {
            return Err(Conflict::TimeTaken(vec![title]).into());
        }
        let wanted = in_cart + quantity;
        let (Some(capacity), Some(on_hand), Some(held)) = (capacity_id, on_hand, held) else {
            return Err(Error::field("quantity", FieldCode::TooBig).into());
        };
        if wanted <= on_hand || wanted > QUANTITY_MAX {
            return Err(Error::field("quantity", FieldCode::TooBig).into());
        }
        let left = on_hand - held;
        let shortage = Shortage { variant, title, left, discontinued: false, capacity: Some(capacity) };
        return Err(Conflict::OutOfStock(vec![shortage]).into());
    }
    tx.exec(&TOUCH, params![cart.id, now]).await?;
    Ok((cart, opened))
}

/// Adds so many of each variant to the caller's cart, or as many as the shop has. Returns how many of the variants were not added, or not
/// in full.
pub(crate) async fn add_all(
    engine: &Engine,
    caller: &Caller,
    lines: Vec<(VariantId, i64)>,
) -> Result<(Changed, i64)> {
    let holder = holder(caller);
    let token = random::token();
    let input = (holder, random::token_hash(&token), lines, engine.clock.now_ms());
    let add =
        || engine.db.write("carts::add_all", input.clone(), |tx, input| Box::pin(add_all_in_tx(tx, input)));
    let mut outcome = add().await;
    if outcome.as_ref().is_err_and(is_unique) {
        // Two requests opened the user's first cart at once; now it is there.
        outcome = add().await;
    }
    let (cart, opened, missing) = outcome?;
    let guest = matches!(holder, Holder::Token(_) | Holder::Nobody);
    let view = view_with(engine, caller, cart.id, cart.gifts > 0).await?;
    Ok((Changed { view, token: (opened && guest).then_some(token) }, missing))
}

async fn add_all_in_tx(
    tx: &mut Tx,
    (holder, token, lines, now): &(Holder, [u8; 32], Vec<(VariantId, i64)>, i64),
) -> crate::TxResult<(CartRow, bool, i64)> {
    let (cart, opened) = open_in_tx(tx, (*holder, *token, *now)).await?;
    let mut missing = 0;
    for &(variant, wanted) in lines {
        let line = |quantity| AddCartLine {
            id: random::id(*now),
            cart_id: cart.id,
            quantity,
            created_at: *now,
            variant,
            lines_max: LINES_MAX,
            quantity_max: QUANTITY_MAX,
        };
        if tx.insert(line(wanted)).await? {
            continue;
        }
        missing += 1;
        let fits = tx
            .opt::<OnSale>(&ON_SALE, params![variant, cart.id])
            .await?
            .map_or(0, |on_sale| on_sale.on_hand.unwrap_or(QUANTITY_MAX).min(QUANTITY_MAX) - on_sale.in_cart);
        if (1..wanted).contains(&fits) {
            tx.insert(line(fits)).await?;
        }
    }
    tx.exec(&TOUCH, params![cart.id, *now]).await?;
    Ok((cart, opened, missing))
}

/// A cart was changed: the next checkout is a new one.
pub(crate) async fn touch_in_tx(tx: &mut Tx, cart: CartId, now: i64) -> crate::TxResult<()> {
    tx.exec(&TOUCH, params![cart, now]).await?;
    Ok(())
}

/// Changes the quantity of a line.
pub async fn set_quantity(engine: &Engine, caller: &Caller, set: SetQuantity) -> Result<CartView> {
    let quantity = carts::quantity("quantity", &set.quantity).map_err(|f| Error::Invalid(vec![f]))?;
    change(engine, caller, vec![(set.line, Some(quantity))]).await
}

/// Changes the quantities of these lines: the cart page sends all of them. Errors name the fields of that
/// page.
pub async fn set_quantities(engine: &Engine, caller: &Caller, sets: Vec<SetQuantity>) -> Result<CartView> {
    let (mut wanted, mut faults) = (Vec::new(), Vec::new());
    for set in sets {
        match carts::quantity(&carts::quantity_field(set.line), &set.quantity) {
            Ok(quantity) => wanted.push((set.line, quantity)),
            Err(fault) => faults.push(fault),
        }
    }
    if !faults.is_empty() {
        return Err(Error::Invalid(faults));
    }
    let cart = view(engine, caller).await?;
    let mut changes = Vec::new();
    for (id, quantity) in wanted {
        let mut lines = cart.groups.iter().flat_map(|group| &group.lines);
        // A checkout of an unchanged cart continues, so unchanged quantities are not written.
        if lines.find(|line| line.id == id).ok_or(Error::NotFound)?.quantity != quantity {
            changes.push((id, Some(quantity)));
        }
    }
    if changes.is_empty() {
        return Ok(cart);
    }
    change(engine, caller, changes).await
}

/// Removes a line.
pub async fn remove_line(engine: &Engine, caller: &Caller, line: CartLineId) -> Result<CartView> {
    change(engine, caller, vec![(line, None)]).await
}

/// Removes the lines of a shop.
pub async fn remove_shop(engine: &Engine, caller: &Caller, shop: ShopId) -> Result<()> {
    let input = (holder(caller), shop, engine.clock.now_ms());
    engine
        .db
        .write(("carts::remove_shop", shop), input, |tx, (holder, shop, now)| {
            Box::pin(async move {
                let cart = find_in_tx(tx, *holder).await?.ok_or(Error::NotFound)?;
                if tx.exec(&REMOVE_SHOP, params![cart, *shop]).await? > 0 {
                    tx.exec(&TOUCH, params![cart, *now]).await?;
                }
                Ok::<_, crate::TxError>(())
            })
        })
        .await?;
    Ok(())
}

/// Sets quantities, and removes the lines whose quantity is zero.
async fn change(
    engine: &Engine,
    caller: &Caller,
    changes: Vec<(CartLineId, Option<i64>)>,
) -> Result<CartView> {
    let input = (holder(caller), changes, engine.clock.now_ms());
    let cart = engine
        .db
        .write("carts::change", input, |tx, (holder, changes, now)| {
            Box::pin(async move {
                let cart = find_row_in_tx(tx, *holder).await?.ok_or(Error::NotFound)?;
                for (line, quantity) in changes {
                    let changed = match quantity {
                        Some(quantity) => tx.exec(&SET, params![*line, cart.id, *quantity]).await?,
                        None => tx.exec(&REMOVE, params![*line, cart.id]).await?,
                    };
                    if changed == 0 {
                        return Err(Error::NotFound.into());
                    }
                }
                tx.exec(&TOUCH, params![cart.id, *now]).await?;
                Ok(cart)
            })
        })
        .await?;
    view_with(engine, caller, cart.id, cart.gifts > 0).await
}

/// Moves the guest cart with this token to the user: the user adopts it if they have none; otherwise its
/// lines are merged, and quantities of the same variant add up to at most the maximum. A checkout of the
/// guest's cart continues.
pub(crate) async fn join_in_tx(tx: &mut Tx, token: [u8; 32], user: UserId, now: i64) -> crate::TxResult<()> {
    let Some(guest) = find_in_tx(tx, Holder::Token(token)).await? else { return Ok(()) };
    let Some(own) = find_in_tx(tx, Holder::User(user)).await? else {
        tx.exec(&ADOPT, params![guest, user, now]).await?;
        return Ok(());
    };
    tx.exec(&MERGE_BOTH, params![own, guest, QUANTITY_MAX]).await?;
    holds::merge_needs_in_tx(tx, own, guest).await?;
    tx.exec(&MERGE_REST, params![own, guest]).await?;
    // A guest's codes go with the guest's cart.
    tx.exec(&MERGE_CODES, params![own, guest]).await?;
    tx.exec(&MERGE_GIFTS, params![own, guest]).await?;
    tx.exec(&MERGE_WISHES, params![own, guest]).await?;
    tx.exec(&MERGED, params![guest, now]).await?;
    tx.exec(&MOVE_CHECKOUTS, params![own, guest]).await?;
    tx.exec(&TOUCH, params![own, now]).await?;
    Ok(())
}
