//! The oracle: checks the invariants of money and stock. Run after every test that moves either, and by
//! `haat ledger verify`. Each check is one statement that selects violations.

use crate::{Engine, TxResult, params, rows, statements};

statements! {
    POSTINGS = "SELECT 'a posting sums to ' || CAST(SUM(amount_minor) AS TEXT) AS value FROM ledger_entries
        GROUP BY posting_id, currency HAVING SUM(amount_minor) <> 0";
    LEDGER = "SELECT 'the ledger of ' || currency || ' sums to ' || CAST(SUM(amount_minor) AS TEXT) AS value
        FROM ledger_entries GROUP BY currency HAVING SUM(amount_minor) <> 0";
    EMPTY_POSTINGS = "SELECT 'a posting has no entries: ' || kind AS value FROM ledger_postings p
        WHERE NOT EXISTS (SELECT 1 FROM ledger_entries e WHERE e.posting_id = p.id)";
    PAID = "SELECT 'purchase ' || u.number || ' has net payments of ' || CAST(COALESCE(SUM(p.kept), 0) AS TEXT) || ' instead of ' ||
            CAST(o.due AS TEXT) AS value
        FROM purchases u
        JOIN (SELECT purchase_id, SUM(total_minor) AS placed,
            SUM(CASE WHEN state = 'cancelled' THEN 0 ELSE total_minor END) AS due FROM orders GROUP BY purchase_id) o
            ON o.purchase_id = u.id
        LEFT JOIN (SELECT purchase_id, state, amount_minor, captured_minor - refunded_minor - refund_pending_minor AS kept
            FROM payments WHERE state IN ('captured', 'accepted', 'refunded')) p ON p.purchase_id = u.id
        GROUP BY u.id, u.number, u.total_minor, o.placed, o.due
        HAVING COUNT(p.state) <> 1 OR o.placed <> u.total_minor OR MAX(p.amount_minor) <> u.total_minor
            OR (MAX(p.state) <> 'accepted' AND SUM(p.kept) <> o.due)";
    REFUNDS = "SELECT 'a payment has ' || CAST(p.refunded_minor AS TEXT) || ' refunded and ' ||
            CAST(p.refund_pending_minor AS TEXT) || ' pending, which does not match its refunds' AS value
        FROM payments p LEFT JOIN refunds r ON r.payment_id = p.id
        GROUP BY p.id, p.refunded_minor, p.refund_pending_minor
        HAVING p.refunded_minor <> COALESCE(SUM(CASE WHEN r.state = 'done' THEN r.amount_minor END), 0)
            OR p.refund_pending_minor <> COALESCE(SUM(CASE WHEN r.state = 'queued' THEN r.amount_minor END), 0)";
    CANCELLED = "SELECT 'order ' || o.number || ' is ' || o.state || ' and has a refund of ' ||
            CAST(COALESCE(r.amount_minor, 0) AS TEXT) AS value
        FROM orders o JOIN purchases u ON u.id = o.purchase_id LEFT JOIN refunds r ON r.order_id = o.id
        WHERE COALESCE(r.amount_minor, 0) <>
            CASE WHEN o.state = 'cancelled' AND u.method <> 'cash' THEN o.total_minor ELSE 0 END";
    OWED = "SELECT 'pending refunds in ' || p.currency || ' do not match the ledger' AS value
        FROM (SELECT currency, SUM(refund_pending_minor) AS promised FROM payments GROUP BY currency) p
        LEFT JOIN (SELECT currency, -SUM(amount_minor) AS booked FROM ledger_entries WHERE account = 'shopper_payable'
            GROUP BY currency) e ON e.currency = p.currency
        WHERE p.promised <> COALESCE(e.booked, 0)";
    TIMELINE = "SELECT 'order ' || o.number || ' is ' || o.state || ', which its timeline does not match' AS value FROM orders o
        WHERE (o.state <> 'placed') <> EXISTS (SELECT 1 FROM order_events e WHERE e.order_id = o.id AND e.kind = o.state)";
    ORPHANED = "SELECT 'captured money without a purchase or a refund: ' || p.method AS value FROM payments p
        WHERE p.captured_minor > p.refunded_minor AND (p.state NOT IN ('captured', 'refunded') OR p.purchase_id IS NULL)
            AND NOT EXISTS (SELECT 1 FROM refunds r WHERE r.payment_id = p.id AND r.state = 'queued'
                AND r.amount_minor = p.captured_minor - p.refunded_minor)";
    PAID_FOR = "SELECT 'purchase ' || u.number || ' was paid with a payment of another checkout' AS value
        FROM purchases u JOIN payments p ON p.purchase_id = u.id WHERE p.checkout_id <> u.checkout_id";
    // The sandbox's records are the gateway's side; only this check compares both sides.
    CAPTURED_ONCE = "SELECT 'purchase ' || u.number || ' was paid with a capture that its gateway does not have' AS value
        FROM payments p JOIN purchases u ON u.id = p.purchase_id
        LEFT JOIN sandbox_payments s ON s.gateway_ref = p.gateway_ref AND s.attempt_id = p.id
        WHERE p.method = 'sandbox' AND p.captured_minor > 0 AND (s.gateway_ref IS NULL OR s.state <> 'captured'
            OR s.currency <> p.currency OR s.amount_minor <> p.captured_minor OR s.refunded_minor < p.refunded_minor)";
    ORDERS = "SELECT 'the orders of purchase ' || u.number || ' do not add up to its total' AS value
        FROM purchases u LEFT JOIN orders o ON o.purchase_id = u.id
        GROUP BY u.id, u.number, u.total_minor HAVING COALESCE(SUM(o.total_minor), 0) <> u.total_minor";
    LINES = "SELECT 'the lines of order ' || o.number || ' do not add up to its subtotal and tax' AS value
        FROM orders o LEFT JOIN order_lines l ON l.order_id = o.id
        GROUP BY o.id, o.number, o.subtotal_minor, o.tax_minor
        HAVING COALESCE(SUM(l.total_minor), 0) <> o.subtotal_minor OR SUM(l.tax_minor) <> o.tax_minor";
    CHECKOUTS = "SELECT 'the orders of a checkout of ' || CAST(c.total_minor AS TEXT) || ' do not add up to its totals' AS value
        FROM checkouts c JOIN checkout_orders o ON o.checkout_id = c.id
        GROUP BY c.id, c.subtotal_minor, c.delivery_minor, c.tax_minor, c.total_minor
        HAVING SUM(o.subtotal_minor) <> c.subtotal_minor OR SUM(o.delivery_minor) <> c.delivery_minor
            OR SUM(o.tax_minor) <> c.tax_minor OR SUM(o.total_minor) <> c.total_minor";
    QUOTED = "SELECT 'order ' || o.number || ' differs from its quote' AS value
        FROM orders o JOIN checkout_orders q ON q.order_id = o.id
        WHERE q.subtotal_minor <> o.subtotal_minor OR q.delivery_minor <> o.delivery_minor OR q.tax_minor <> o.tax_minor
            OR q.total_minor <> o.total_minor OR q.commission_minor <> o.commission_minor";
    FOREIGN_LINES = "SELECT 'order ' || o.number || ' has a line of another shop' AS value FROM orders o
        JOIN order_lines l ON l.order_id = o.id JOIN variants v ON v.id = l.variant_id WHERE v.shop_id <> o.shop_id";
    STOCK = "SELECT 'stock on hand does not match its movements: ' || CAST(c.on_hand AS TEXT) AS value
        FROM capacities c LEFT JOIN stock_movements m ON m.capacity_id = c.id
        GROUP BY c.id, c.on_hand HAVING COALESCE(SUM(m.delta), 0) <> c.on_hand";
    HELD = "SELECT 'held stock does not match the active holds: ' || CAST(c.held AS TEXT) AS value
        FROM capacities c LEFT JOIN holds h ON h.capacity_id = c.id AND h.state = 'active'
        GROUP BY c.id, c.held HAVING COALESCE(SUM(h.quantity), 0) <> c.held";
    CAPACITIES = "SELECT 'a capacity holds ' || CAST(held AS TEXT) || ' of ' || CAST(on_hand AS TEXT) AS value FROM capacities
        WHERE held < 0 OR held > on_hand OR kind = 'change'";
    STOCK_OF = "SELECT 'the stock of ' || v.sku || ' belongs to another shop' AS value FROM variants v
        JOIN capacities c ON c.id = v.capacity_id WHERE COALESCE(c.owner <> v.shop_id, TRUE)";
    SOLD = "SELECT 'sold stock does not match the purchases: ' || CAST(SUM(taken) AS TEXT) AS value
        FROM (SELECT h.capacity_id, p.id AS purchase_id, h.quantity AS taken, h.quantity AS difference
            FROM holds h JOIN purchases p ON p.checkout_id = h.checkout_id WHERE h.state = 'taken'
            UNION ALL SELECT capacity_id, reference AS purchase_id, 0 AS taken, delta AS difference
            FROM stock_movements WHERE reason = 'sold') m
        GROUP BY capacity_id, purchase_id HAVING SUM(difference) <> 0";
    RETURNED = "SELECT 'returned stock does not match the cancelled orders: ' || CAST(SUM(taken) AS TEXT) AS value
        FROM (SELECT h.capacity_id, o.id AS order_id, h.quantity AS taken, h.quantity AS difference
            FROM orders o JOIN checkout_orders q ON q.order_id = o.id JOIN order_lines l ON l.order_id = o.id
            JOIN holds h ON h.checkout_id = q.checkout_id AND h.position = l.position
            WHERE o.state = 'cancelled'
            UNION ALL SELECT capacity_id, reference AS order_id, 0 AS taken, -delta AS difference
            FROM stock_movements WHERE reason = 'returned') m
        GROUP BY capacity_id, order_id HAVING SUM(difference) <> 0";
    TAKEN = "SELECT 'a line of ' || CAST(l.quantity AS TEXT) || ' of order ' || o.number || ' took ' ||
            CAST(h.quantity AS TEXT) || ' of the stock' AS value
        FROM order_lines l JOIN orders o ON o.id = l.order_id JOIN checkout_orders q ON q.order_id = o.id
        JOIN variants v ON v.id = l.variant_id
        JOIN holds h ON h.checkout_id = q.checkout_id AND h.position = l.position AND h.capacity_id = v.capacity_id
        WHERE h.quantity <> l.quantity";
    CLAIMED = "SELECT 'a checkout has ' || CAST(COUNT(h.checkout_id) AS TEXT) || ' holds instead of ' ||
            CAST(c.holds AS TEXT) AS value
        FROM checkouts c LEFT JOIN holds h ON h.checkout_id = c.id
        GROUP BY c.id, c.holds HAVING COUNT(h.checkout_id) <> c.holds";
    HOLDS = "SELECT 'a checkout in state ' || c.state || ' has a hold in state ' || h.state AS value
        FROM checkouts c JOIN holds h ON h.checkout_id = c.id
        WHERE (c.state IN ('open', 'paying') AND h.state <> 'active') OR (c.state = 'completed' AND h.state <> 'taken')
            OR (c.state IN ('expired', 'superseded') AND h.state <> 'released')";
    COMPLETED = "SELECT 'a completed checkout has no purchase' AS value FROM checkouts c
        LEFT JOIN purchases p ON p.checkout_id = c.id AND p.id = c.purchase_id
        WHERE (c.state = 'completed') <> (p.id IS NOT NULL)";
    CLEARING = "SELECT 'the clearing account of ' || p.currency || ' does not match the captured payments less refunds' AS value
        FROM (SELECT currency, SUM(captured_minor - refunded_minor) AS holds FROM payments GROUP BY currency) p
        LEFT JOIN (SELECT currency, SUM(amount_minor) AS booked FROM ledger_entries WHERE account = 'gateway_clearing'
            GROUP BY currency) e ON e.currency = p.currency
        WHERE p.holds <> COALESCE(e.booked, 0)";
    PAYABLE = "SELECT 'the balance of a shop does not match its orders: ' || CAST(COALESCE(e.booked, 0) AS TEXT) AS value FROM
        (SELECT o.shop_id, o.currency, SUM(CASE WHEN o.state = 'cancelled' THEN 0 WHEN u.method = 'cash' THEN -o.commission_minor
            ELSE o.total_minor - o.commission_minor END) AS due
            FROM orders o JOIN purchases u ON u.id = o.purchase_id GROUP BY o.shop_id, o.currency) d
        LEFT JOIN (SELECT shop_id, currency, -SUM(amount_minor) AS booked FROM ledger_entries WHERE shop_id IS NOT NULL
            GROUP BY shop_id, currency) e ON e.shop_id = d.shop_id AND e.currency = d.currency
        WHERE d.due <> COALESCE(e.booked, 0)";
    PRICE_SPAN = "SELECT 'the price range of ' || p.slug || ' does not match its variants' AS value FROM products p
        JOIN variants v ON v.product_id = p.id AND NOT v.archived GROUP BY p.id, p.slug, p.price_min_minor, p.price_max_minor
        HAVING MIN(v.price_minor) <> p.price_min_minor OR MAX(v.price_minor) <> p.price_max_minor";
}

rows! {
    struct Broken {
        value: String,
    }
}

/// All violations, described for operators. There should be none.
///
/// The checks don't share a snapshot, so run it while nobody is buying.
pub async fn consult(engine: &Engine) -> TxResult<Vec<String>> {
    let checks = [
        &POSTINGS,
        &LEDGER,
        &EMPTY_POSTINGS,
        &PAID,
        &REFUNDS,
        &CANCELLED,
        &OWED,
        &TIMELINE,
        &ORPHANED,
        &PAID_FOR,
        &CAPTURED_ONCE,
        &ORDERS,
        &LINES,
        &CHECKOUTS,
        &QUOTED,
        &FOREIGN_LINES,
        &STOCK,
        &HELD,
        &CAPACITIES,
        &STOCK_OF,
        &SOLD,
        &RETURNED,
        &TAKEN,
        &CLAIMED,
        &HOLDS,
        &COMPLETED,
        &CLEARING,
        &PAYABLE,
        &PRICE_SPAN,
    ];
    let mut broken = Vec::new();
    for check in checks {
        let rows: Vec<Broken> = engine.db.all(check, params![]).await?;
        broken.extend(rows.into_iter().take(20).map(|row| row.value));
    }
    Ok(broken)
}
