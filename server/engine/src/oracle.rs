//! The oracle: what must always hold, whatever happened. Run after every test that moves money or stock, and by
//! `haat ledger verify`. Each check is one statement that selects what breaks it.

use crate::{Engine, Tried, params, rows, statements};

statements! {
    POSTINGS = "SELECT 'a posting sums to ' || CAST(SUM(amount_minor) AS TEXT) AS value FROM ledger_entries
        GROUP BY posting_id, currency HAVING SUM(amount_minor) <> 0";
    LEDGER = "SELECT 'the ledger of ' || currency || ' sums to ' || CAST(SUM(amount_minor) AS TEXT) AS value
        FROM ledger_entries GROUP BY currency HAVING SUM(amount_minor) <> 0";
    EMPTY_POSTINGS = "SELECT 'a posting has no entries: ' || kind AS value FROM ledger_postings p
        WHERE NOT EXISTS (SELECT 1 FROM ledger_entries e WHERE e.posting_id = p.id)";
    PAID = "SELECT 'purchase ' || u.number || ' of ' || CAST(u.total_minor AS TEXT) || ' was paid with ' ||
            CAST(COALESCE(SUM(CASE WHEN p.state = 'accepted' THEN p.amount_minor ELSE p.captured_minor - p.refunded_minor END), 0) AS TEXT) AS value
        FROM purchases u LEFT JOIN payments p ON p.purchase_id = u.id AND p.state IN ('captured', 'accepted')
        GROUP BY u.id, u.number, u.total_minor
        HAVING COUNT(p.id) <> 1 OR u.total_minor <>
            COALESCE(SUM(CASE WHEN p.state = 'accepted' THEN p.amount_minor ELSE p.captured_minor - p.refunded_minor END), 0)";
    UNWANTED = "SELECT 'captured money that no purchase has and no refund gives back: ' || p.method AS value FROM payments p
        WHERE p.captured_minor > p.refunded_minor AND NOT (p.state = 'captured' AND p.purchase_id IS NOT NULL)
            AND NOT EXISTS (SELECT 1 FROM refunds r WHERE r.payment_id = p.id AND r.state = 'queued'
                AND r.amount_minor = p.captured_minor - p.refunded_minor)";
    ORDERS = "SELECT 'the orders of purchase ' || u.number || ' do not sum to it' AS value
        FROM purchases u LEFT JOIN orders o ON o.purchase_id = u.id
        GROUP BY u.id, u.number, u.total_minor HAVING COALESCE(SUM(o.total_minor), 0) <> u.total_minor";
    LINES = "SELECT 'the lines of order ' || o.number || ' do not sum to it' AS value
        FROM orders o LEFT JOIN order_lines l ON l.order_id = o.id
        GROUP BY o.id, o.number, o.subtotal_minor HAVING COALESCE(SUM(l.total_minor), 0) <> o.subtotal_minor";
    FOREIGN_LINES = "SELECT 'order ' || o.number || ' has a line of another shop' AS value FROM orders o
        JOIN order_lines l ON l.order_id = o.id JOIN variants v ON v.id = l.variant_id WHERE v.shop_id <> o.shop_id";
    STOCK = "SELECT 'on hand is not what came and went: ' || CAST(c.on_hand AS TEXT) AS value
        FROM capacities c LEFT JOIN stock_movements m ON m.capacity_id = c.id
        GROUP BY c.id, c.on_hand HAVING COALESCE(SUM(m.delta), 0) <> c.on_hand";
    HELD = "SELECT 'held is not what checkouts hold: ' || CAST(c.held AS TEXT) AS value
        FROM capacities c LEFT JOIN holds h ON h.capacity_id = c.id AND h.state = 'active'
        GROUP BY c.id, c.held HAVING COALESCE(SUM(h.quantity), 0) <> c.held";
    SOLD = "SELECT 'sold is not what orders say: ' || CAST(COALESCE(s.sold, 0) AS TEXT) AS value FROM capacities c
        LEFT JOIN (SELECT variant_id, SUM(quantity) AS sold FROM order_lines GROUP BY variant_id) s ON s.variant_id = c.id
        LEFT JOIN (SELECT capacity_id, -SUM(delta) AS moved FROM stock_movements WHERE reason = 'sold' GROUP BY capacity_id) m
            ON m.capacity_id = c.id
        WHERE COALESCE(s.sold, 0) <> COALESCE(m.moved, 0)";
    HOLDS = "SELECT 'a checkout that is ' || c.state || ' has holds that are ' || h.state AS value
        FROM checkouts c JOIN holds h ON h.checkout_id = c.id
        WHERE (c.state IN ('open', 'paying') AND h.state <> 'active') OR (c.state = 'completed' AND h.state <> 'taken')
            OR (c.state IN ('expired', 'superseded') AND h.state <> 'released')";
    COMPLETED = "SELECT 'a completed checkout has no purchase' AS value FROM checkouts c
        LEFT JOIN purchases p ON p.checkout_id = c.id AND p.id = c.purchase_id
        WHERE (c.state = 'completed') <> (p.id IS NOT NULL)";
    CLEARING = "SELECT 'the clearing account of ' || p.currency || ' is not what gateways hold' AS value
        FROM (SELECT currency, SUM(captured_minor - refunded_minor) AS holds FROM payments GROUP BY currency) p
        LEFT JOIN (SELECT currency, SUM(amount_minor) AS booked FROM ledger_entries WHERE account = 'gateway_clearing'
            GROUP BY currency) e ON e.currency = p.currency
        WHERE p.holds <> COALESCE(e.booked, 0)";
    PAYABLE = "SELECT 'a shop is not owed what its orders say: ' || CAST(COALESCE(e.booked, 0) AS TEXT) AS value FROM
        (SELECT o.shop_id, o.currency, SUM(CASE WHEN u.method = 'cash' THEN -o.commission_minor
            ELSE o.total_minor - o.commission_minor END) AS due
            FROM orders o JOIN purchases u ON u.id = o.purchase_id GROUP BY o.shop_id, o.currency) d
        LEFT JOIN (SELECT shop_id, currency, -SUM(amount_minor) AS booked FROM ledger_entries WHERE shop_id IS NOT NULL
            GROUP BY shop_id, currency) e ON e.shop_id = d.shop_id AND e.currency = d.currency
        WHERE d.due <> COALESCE(e.booked, 0)";
    PRICE_SPAN = "SELECT 'the price span of ' || p.slug || ' is not that of its variants' AS value FROM products p
        JOIN variants v ON v.product_id = p.id GROUP BY p.id, p.slug, p.price_min_minor, p.price_max_minor
        HAVING MIN(v.price_minor) <> p.price_min_minor OR MAX(v.price_minor) <> p.price_max_minor";
}

rows! {
    struct Broken {
        value: String,
    }
}

/// All that does not hold, in words for whoever runs the market. Nothing is the only good answer.
///
/// Each check sees its own moment, so run it while nobody buys.
pub async fn consult(engine: &Engine) -> Tried<Vec<String>> {
    let checks = [
        &POSTINGS,
        &LEDGER,
        &EMPTY_POSTINGS,
        &PAID,
        &UNWANTED,
        &ORDERS,
        &LINES,
        &FOREIGN_LINES,
        &STOCK,
        &HELD,
        &SOLD,
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
