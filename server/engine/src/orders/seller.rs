//! Orders in the seller dashboard, and the operator's list of all orders.

use std::collections::BTreeSet;

use super::{LineRow, address, behind, disputes, key, parts, pickup_at, shop_orders, timeline};
use crate::{
    Caller, Engine,
    audit::ORDER_MS,
    db::{CountRow, Value, list::words},
    lists, params, payments, rows, statements,
};
use haat_shared::{
    Currency, Error, FieldCode, Money, Result,
    admin::AdminOrder,
    disputes::{Disputable, DisputeState},
    id::kinds::{OrderId, PurchaseId, ShopId, UserId},
    orders::{
        Actor, ListOrders, ORDER_SORTS, OrderCard, OrderEvent, OrderEventData, OrderEventKind, OrderState,
        OtherOrder, PARTLY_SHIPPED, SellerOrder, ShopOrderView,
    },
    page::{self, Counted, LIMIT_MAX, Page},
    payments::{PaymentMethod, PaymentState},
    permissions::{AdminPermission, Permission},
    refunds::{Refundable, RefundableLine, is_refundable, refundable},
    returns::{ESCALATED, EXPECTED, OPEN, REQUESTED},
    sales::day,
    shipping::{ShippingMethod, Slot},
};

/// The number of rows per page.
const PAGE_SIZE: usize = 50;

/// How many of a customer's other orders an order page lists.
const OTHERS_SHOWN: i64 = 5;

lists! {
    ORDERS {
        select: "SELECT o.id, o.number, s.handle AS shop_handle, o.shop_name, o.created_at, o.state,
            o.state = 'confirmed' AND o.partly_shipped AS partly_shipped,
            CASE WHEN o.state = 'confirmed' AND o.partly_shipped THEN 'partly_shipped' ELSE o.state END AS status, o.delivery, o.slot, p.address,
            p.email, p.method, o.currency, o.total_minor, o.units AS item_count, o.open_disputes > 0 AS disputed
            FROM orders o JOIN shops s ON s.id = o.shop_id JOIN purchases p ON p.id = o.purchase_id",
        base_filter: "TRUE",
        filters: &[
            ("shop", "o.shop_id = {}"),
            ("handle", "s.handle = {}"),
            ("customer", "p.user_id = {}"),
            ("state", "o.state = {}"),
            ("slot", "o.slot = {}"),
            ("from", "o.created_at >= {}"),
            ("until", "o.created_at < {}"),
            ("partly_shipped", "o.state = 'confirmed' AND o.partly_shipped = {}"),
            ("overdue", "o.state = 'placed' AND o.created_at < {}"),
            ("disputed", "o.open_disputes > 0 AND {}"),
            (
                "returns",
                "EXISTS (SELECT 1 FROM returns b WHERE b.order_id = o.id AND b.state = 'requested' AND b.created_at < {})",
            ),
            (
                "open_returns",
                "o.id IN (SELECT b.order_id FROM returns b WHERE b.state IN ('requested', 'approved', 'received') AND b.created_at < {})",
            ),
            (
                "expected_returns",
                "o.id IN (SELECT b.order_id FROM returns b WHERE b.state IN ('approved', 'received') AND b.created_at < {})",
            ),
            ("word", r"o.search_folded LIKE {} ESCAPE '\'"),
        ],
        // The values of `haat_shared::orders::ORDER_SORTS`.
        sorts: &[
            ("-placed", "(o.created_at, o.id) < ({}, {})", "o.created_at DESC, o.id DESC"),
            ("placed", "(o.created_at, o.id) > ({}, {})", "o.created_at, o.id"),
            ("total", "(o.total_minor, o.id) > ({}, {})", "o.total_minor, o.id"),
            ("-total", "(o.total_minor, o.id) < ({}, {})", "o.total_minor DESC, o.id DESC"),
        ],
    }
}

statements! {
    LINES = lines_of!("orders", "WHERE o.number = $1 AND o.shop_id = $2 ORDER BY l.position");
    LINES_OF_PAID = lines_of!("orders", "WHERE o.id = $1 ORDER BY l.position");
    LINES_OF_ANY = lines_of!("orders", "WHERE o.number = $1 ORDER BY l.position");
    SLIPS = lines_of!(
        "(SELECT x.* FROM orders x JOIN (VALUES [($1, $2)]) AS given ON x.number = given.column1 AND x.shop_id = given.column2)",
        "ORDER BY o.number, l.position"
    );
    EVENTS = "SELECT kind, actor, data, created_at FROM order_events WHERE order_id = $1 ORDER BY created_at, kind";
    // The customer's other orders in the shop; every row has their number.
    OTHERS = "SELECT o.number, o.created_at, o.state, o.currency, o.total_minor, COUNT(*) OVER () AS order_count
        FROM orders here JOIN purchases h ON h.id = here.purchase_id JOIN purchases p ON p.email = h.email AND p.email <> ''
        JOIN orders o ON o.purchase_id = p.id AND o.shop_id = here.shop_id
        WHERE here.id = $1 AND o.id <> here.id ORDER BY o.created_at DESC, o.id DESC LIMIT $2";
    BOUGHT = "SELECT p.id, p.user_id FROM purchases p JOIN orders o ON o.purchase_id = p.id WHERE o.number = $1";
    // Of several payments, the last one was made with the selected method.
    PAID = "SELECT p.email, p.user_id, (SELECT y.state FROM payments y WHERE y.purchase_id = p.id ORDER BY y.id DESC LIMIT 1) AS state,
            o.market_discount_minor, CAST(COALESCE(SUM(r.commission_minor), 0) AS BIGINT) AS commission_back,
            CAST(COALESCE(SUM(r.market_discount_minor), 0) AS BIGINT) AS discount_back
        FROM orders o JOIN purchases p ON p.id = o.purchase_id LEFT JOIN refunds r ON r.order_id = o.id
        WHERE o.id = $1 GROUP BY o.id, p.id, p.email, p.user_id, o.market_discount_minor";
}

rows! {
    pub(super) struct CardRow {
        id: OrderId,
        pub(super) number: String,
        shop_handle: String,
        shop_name: String,
        pub(super) created_at: i64,
        pub(super) state: OrderState,
        partly_shipped: bool,
        pub(super) delivery: ShippingMethod,
        pub(super) slot: Option<String>,
        pub(super) address: String,
        pub(super) email: String,
        pub(super) method: PaymentMethod,
        pub(super) currency: Currency,
        pub(super) total_minor: i64,
        pub(super) item_count: i64,
        disputed: bool,
    }

    struct EventRow {
        kind: OrderEventKind,
        actor: Actor,
        data: String,
        created_at: i64,
    }

    struct OtherRow {
        number: String,
        created_at: i64,
        state: OrderState,
        currency: Currency,
        total_minor: i64,
        order_count: i64,
    }

    struct BoughtRow {
        id: PurchaseId,
        user_id: Option<UserId>,
    }

    struct PaidRow {
        email: String,
        user_id: Option<UserId>,
        state: PaymentState,
        market_discount_minor: i64,
        commission_back: i64,
        discount_back: i64,
    }
}

/// A shop's orders, for its members.
pub async fn seller_list(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    ask: ListOrders,
) -> Result<Page<OrderCard>> {
    let shop = caller.shop(handle, Permission::SeeOrders)?;
    list(engine, caller, Some(shop), &ask).await
}

/// The same with the number of the shop's orders in each state, and partly shipped instead of confirmed, among those that match the search and, if asked for,
/// are overdue or disputed.
pub async fn seller_table(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    ask: ListOrders,
) -> Result<Counted<OrderCard>> {
    let shop = caller.shop(handle, Permission::SeeOrders)?;
    counted(engine, caller, Some(shop), &ask).await
}

/// All orders. Operators only.
pub async fn list_all(engine: &Engine, caller: &Caller, ask: ListOrders) -> Result<Page<OrderCard>> {
    caller.admin(AdminPermission::SeeOrders)?;
    list(engine, caller, None, &ask).await
}

/// The same with the number of orders in each state, among those that match the search and, if asked for, are overdue or
/// disputed. Operators only.
pub async fn table_of_all(engine: &Engine, caller: &Caller, ask: ListOrders) -> Result<Counted<OrderCard>> {
    caller.admin(AdminPermission::SeeOrders)?;
    counted(engine, caller, None, &ask).await
}

async fn counted(
    engine: &Engine,
    caller: &Caller,
    shop: Option<ShopId>,
    ask: &ListOrders,
) -> Result<Counted<OrderCard>> {
    let counts = engine.db.list(ORDERS.count_by("status", searched(engine, shop, ask)?)).await?;
    let page = list(engine, caller, shop, ask).await?;
    Ok(CountRow::with(counts, page))
}

async fn list(
    engine: &Engine,
    caller: &Caller,
    shop: Option<ShopId>,
    ask: &ListOrders,
) -> Result<Page<OrderCard>> {
    let Page { items, next } = rows(engine, shop, ask).await?;
    let items = items.into_iter().map(|row| card(engine, caller, row)).collect::<Result<_>>()?;
    Ok(Page { items, next })
}

pub(super) async fn rows(engine: &Engine, shop: Option<ShopId>, ask: &ListOrders) -> Result<Page<CardRow>> {
    let size = page::rows(ask.limit, PAGE_SIZE);
    let mut filters = searched(engine, shop, ask)?;
    if ask.state == PARTLY_SHIPPED {
        filters.push(("partly_shipped", true.into()));
    } else if let Some(state) = ask.state().map_err(|fault| Error::Invalid(vec![fault]))? {
        filters.push(("state", state.as_str().into()));
    }
    let sort = if ask.sort.is_empty() { ORDER_SORTS[0] } else { &ask.sort };
    if !ORDER_SORTS.contains(&sort) {
        return Err(Error::field("sort", FieldCode::NotAChoice));
    }
    let after = behind(&ask.after)?.map(|(key, id)| [Value::from(key), Value::from(id)]);
    let asked = ORDERS.bind(filters, sort, after.into_iter().flatten(), size + 1);
    let by_total = sort.ends_with("total");
    let rows: Vec<CardRow> = engine.db.list(asked).await?;
    Ok(Page::cut(rows, size, |row| key(if by_total { row.total_minor } else { row.created_at }, row.id)))
}

/// The orders of a shop, or of all, that match a search and, if asked for, are overdue or disputed or have open returns.
fn searched(engine: &Engine, shop: Option<ShopId>, ask: &ListOrders) -> Result<Vec<(&'static str, Value)>> {
    let words = words(&ask.q)?;
    let returns = match ask.returns.as_str() {
        "" => None,
        REQUESTED => Some(("returns", i64::MAX.into())),
        ESCALATED => Some(("returns", engine.unanswered_since().into())),
        OPEN => Some(("open_returns", i64::MAX.into())),
        EXPECTED => Some(("expected_returns", i64::MAX.into())),
        _ => return Err(Error::field("returns", FieldCode::NotAChoice)),
    };
    let overdue = ask.overdue.then(|| ("overdue", (engine.clock.now_ms() - ORDER_MS).into()));
    let disputed = ask.disputed.then(|| ("disputed", true.into()));
    let slot = ask.slot.parse::<Slot>().ok().map(|slot| ("slot", slot.to_string().into()));
    let begins = |field: &str, text: &str, days: i64| match (text, day(text)) {
        ("", _) => Ok(None),
        (_, None) => Err(Error::field(field, FieldCode::NotDate)),
        (_, Some(day)) => Ok(Some(engine.zone.begins(day + days).into())),
    };
    let from = begins("from", &ask.from, 0)?.map(|at| ("from", at));
    let until = begins("to", &ask.to, 1)?.map(|at| ("until", at));
    // Members see their own shop only, whatever else is asked for.
    let of = match shop {
        Some(shop) => vec![("shop", shop.into())],
        None => {
            let handle = (!ask.shop.is_empty()).then(|| ("handle", ask.shop.as_str().into()));
            let customer = ask.customer.map(|customer| ("customer", customer.into()));
            handle.into_iter().chain(customer).collect()
        }
    };
    let of = of.into_iter().chain(slot).chain(from).chain(until);
    Ok(of.chain(overdue).chain(disputed).chain(returns).chain(words).collect())
}

fn card(engine: &Engine, caller: &Caller, row: CardRow) -> Result<OrderCard> {
    Ok(OrderCard {
        number: row.number,
        shop_handle: row.shop_handle,
        shop_name: row.shop_name,
        placed_at: caller.time(engine, row.created_at),
        state: row.state,
        partly_shipped: row.partly_shipped,
        disputed: row.disputed,
        shipping_method: row.delivery,
        slot: row.slot,
        name: address(&row.address)?.name,
        email: row.email,
        item_count: row.item_count,
        payment_method: row.method,
        total: Money::new(row.total_minor, row.currency),
    })
}

/// An order page, for the shop's members.
pub async fn seller_order(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    number: &str,
) -> Result<SellerOrder> {
    let shop = caller.shop(handle, Permission::SeeOrders)?;
    details(engine, caller, engine.db.all(&LINES, params![number, shop]).await?).await
}

/// The orders of a shop with these numbers, in this order, for packing slips. Unknown ones are left out.
pub async fn packing_slips(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    mut numbers: Vec<String>,
) -> Result<Vec<ShopOrderView>> {
    let shop = caller.shop(handle, Permission::SeeOrders)?;
    numbers.truncate(LIMIT_MAX);
    let wanted: BTreeSet<&str> = numbers.iter().map(String::as_str).collect();
    let wanted: Vec<[Value; 2]> = wanted.into_iter().map(|number| [number.into(), shop.into()]).collect();
    let lines = engine.db.all_many(&SLIPS, &wanted).await?;
    let mut orders = shop_orders(engine, caller, lines)?;
    parts::add(engine, caller, &mut orders.iter_mut().map(|order| &mut order.order).collect::<Vec<_>>())
        .await?;
    orders.sort_by_key(|order| numbers.iter().position(|number| *number == order.order.number));
    Ok(orders)
}

/// An order page of any shop, without the notes of its members, which are nobody else's business. Operators
/// only.
pub async fn any_order(engine: &Engine, caller: &Caller, number: &str) -> Result<SellerOrder> {
    caller.admin(AdminPermission::SeeOrders)?;
    let order = details(engine, caller, engine.db.all(&LINES_OF_ANY, params![number]).await?).await?;
    let events = order.events.into_iter().filter(|event| event.kind != OrderEventKind::Noted).collect();
    Ok(SellerOrder { events, ..order })
}

/// The same with what leads on from the page: the payments of its purchase and the customer's account, for those who may
/// see them. Operators only.
pub async fn any_order_page(engine: &Engine, caller: &Caller, number: &str) -> Result<AdminOrder> {
    let order = any_order(engine, caller, number).await?;
    let bought: BoughtRow = engine.db.opt(&BOUGHT, params![number]).await?.ok_or(Error::NotFound)?;
    let payments = match caller.admin(AdminPermission::SeePayments) {
        Ok(_) => payments::of_purchase(engine, caller, bought.id).await?,
        Err(_) => Vec::new(),
    };
    let customer = bought.user_id.filter(|_| caller.admin(AdminPermission::SeeUsers).is_ok());
    Ok(AdminOrder { order, payments, customer })
}

/// What is left of an order to refund, if anything.
fn left(head: &LineRow, all: &[LineRow], back: (i64, i64)) -> Result<Option<Refundable>> {
    let lines = all.iter().map(|line| RefundableLine {
        position: line.position,
        quantity: line.quantity,
        refunded: line.refunded,
        refundable: count_left(line),
        paid: Money::new(line.paid_minor, head.currency),
        commission: Money::new(line.line_commission_minor, head.currency),
        marketplace_discount: Money::new(line.line_discount_minor, head.currency),
    });
    left_of(head, head.state, (lines.collect(), discount_of(all)), back)
}

/// What is left of an exchange to refund: a part of the order that was paid.
fn left_of_exchange(lines: &[LineRow], paid: &[LineRow], back: (i64, i64)) -> Result<Option<Refundable>> {
    let (Some(head), Some(of)) = (paid.first(), lines.first()) else { return Ok(None) };
    let lines = lines.iter().filter_map(|line| {
        let first = paid.iter().find(|first| Some(first.position) == line.paid_position)?;
        Some(RefundableLine {
            position: line.position,
            quantity: first.quantity,
            refunded: first.refunded,
            refundable: count_left(line),
            paid: Money::new(first.paid_minor, head.currency),
            commission: Money::new(first.line_commission_minor, head.currency),
            marketplace_discount: Money::new(first.line_discount_minor, head.currency),
        })
    });
    left_of(head, of.state, (lines.collect(), discount_of(paid)), back)
}

/// The market's discount on all lines of an order.
fn discount_of(lines: &[LineRow]) -> i64 {
    lines.iter().map(|line| line.line_discount_minor).sum()
}

/// How many of a line can be refunded. What was exchanged is refunded with the order that has it.
fn count_left(line: &LineRow) -> i64 {
    let left = refundable(line.state, line.quantity, line.shipped, line.refunded);
    left.min(line.quantity - line.refunded - line.exchanged)
}

/// What is left of the amounts of an order that was paid, for lines of an order in this state. `back` is what refunds have
/// returned of its commission and of the market's discount.
fn left_of(
    head: &LineRow,
    state: OrderState,
    (lines, of_lines): (Vec<RefundableLine>, i64),
    (commission_back, discount_back): (i64, i64),
) -> Result<Option<Refundable>> {
    let (money, by_market) = (|amount| Money::new(amount, head.currency), head.collected_minor > 0);
    let left = Refundable {
        lines,
        shipping: money(head.total_minor - head.items_minor - head.delivery_refunded_minor),
        restock: state == OrderState::Confirmed,
        by_marketplace: by_market,
        items_total: money(head.items_minor),
        items_refunded: money(head.refunded_minor - head.delivery_refunded_minor),
        commission: money(head.commission_minor - commission_back),
        marketplace_discount: money(head.market_discount_minor - discount_back),
        shipping_marketplace_discount: money(head.market_discount_minor - of_lines),
        in_proportion: false,
        limit: money(head.total_minor - head.refunded_minor - head.disputed_minor),
    };
    let left = match head.disputed_minor {
        0 => left,
        _ => left.less_disputed(Disputable {
            amount: money(head.total_minor - head.refunded_minor - head.disputed_minor),
            commission: money(head.commission_minor - head.disputed_commission_minor - commission_back),
            market_discount: money(head.market_discount_minor - head.disputed_discount_minor - discount_back),
        })?,
    };
    Ok((is_refundable(state, by_market) && !left.is_empty()).then_some(left))
}

async fn details(engine: &Engine, caller: &Caller, lines: Vec<LineRow>) -> Result<SellerOrder> {
    let head = lines.first().ok_or(Error::NotFound)?;
    let id = head.id;
    let paid: PaidRow = engine.db.one(&PAID, params![id]).await?;
    let refundable = match head.paid_order_id {
        None => left(head, &lines, (paid.commission_back, paid.discount_back))?,
        Some(first) => {
            let of: PaidRow = engine.db.one(&PAID, params![first]).await?;
            let rows: Vec<LineRow> = engine.db.all(&LINES_OF_PAID, params![first]).await?;
            left_of_exchange(&lines, &rows, (of.commission_back, of.discount_back))?
        }
    };
    let return_address = lines.first().map(pickup_at).unwrap_or_default();
    let mut order = shop_orders(engine, caller, lines)?.pop().ok_or(Error::NotFound)?;
    parts::add(engine, caller, &mut [&mut order.order]).await?;
    let steps: Vec<EventRow> = engine.db.all(&EVENTS, params![id]).await?;
    let disputes = match steps.iter().any(|step| step.kind == OrderEventKind::Disputed) {
        true => disputes::of_order(engine, caller, id).await?,
        false => Vec::new(),
    };
    let others: Vec<OtherRow> = engine.db.all(&OTHERS, params![id, OTHERS_SHOWN]).await?;
    let placed = OrderEvent {
        kind: OrderEventKind::Placed,
        created_at: order.placed_at.clone(),
        actor: Actor::Shopper,
        data: OrderEventData::default(),
    };
    let steps = steps.into_iter().map(|step| {
        Ok(OrderEvent {
            kind: step.kind,
            created_at: caller.time(engine, step.created_at),
            actor: step.actor,
            data: timeline::read(&step.data)?,
        })
    });
    let (total, currency) = (order.order.totals.total, order.order.totals.total.currency());
    let money = |amount| Money::new(amount, currency);
    let commission = match order.order.state {
        OrderState::Cancelled => money(0),
        _ => order.commission.minus(money(paid.commission_back))?,
    };
    // What the market adds for the discounts that it bears.
    let by_market = money(paid.market_discount_minor).minus(money(paid.discount_back))?;
    let earned = match (order.order.state, order.payment_method.collected_by_market()) {
        (OrderState::Cancelled, _) => Money::zero(currency),
        (_, true) => total.minus(order.order.refunded())?.minus(commission)?.plus(by_market)?,
        (_, false) => by_market.minus(commission)?,
    };
    // A dispute that is open or lost took its part of the earnings, and gave back its part of the commission.
    let taken =
        disputes.iter().filter(|dispute| matches!(dispute.state, DisputeState::Open | DisputeState::Lost));
    let (mut commission, mut earned) = (commission, earned);
    for dispute in taken.filter(|_| order.order.state != OrderState::Cancelled) {
        commission = commission.minus(dispute.commission)?;
        earned = earned.minus(dispute.held)?;
    }
    let answers = caller.shop(&order.order.shop_handle, Permission::AnswerCustomers).is_ok();
    Ok(SellerOrder {
        // Whoever has deleted their account reads nothing.
        can_message: answers && paid.user_id.is_some() && !paid.email.is_empty(),
        email: paid.email,
        events: std::iter::once(Ok(placed)).chain(steps).collect::<Result<_>>()?,
        payment: paid.state,
        commission,
        market_discount: match order.order.state {
            OrderState::Cancelled => money(0),
            _ => by_market,
        },
        earned,
        refundable,
        disputes,
        return_address,
        other_order_count: others.first().map_or(0, |row| row.order_count),
        other_orders: others
            .into_iter()
            .map(|row| OtherOrder {
                number: row.number,
                placed_at: caller.time(engine, row.created_at),
                state: row.state,
                total: Money::new(row.total_minor, row.currency),
            })
            .collect(),
        order,
    })
}
