//! The oracle: checks the invariants of money, stock and pictures. Run after every test of a use case, and by
//! `haat ledger verify`. Each check is one statement that selects violations.

use crate::{Engine, TxResult, media::unused, params, rows, sale_prices::listed_price, statements};

statements! {
    POSTINGS = "SELECT 'a posting sums to ' || CAST(SUM(amount_minor) AS TEXT) AS value FROM ledger_entries
        GROUP BY posting_id, currency HAVING SUM(amount_minor) <> 0";
    LEDGER = "SELECT 'the ledger of ' || currency || ' sums to ' || CAST(SUM(amount_minor) AS TEXT) AS value
        FROM ledger_entries GROUP BY currency HAVING SUM(amount_minor) <> 0";
    EMPTY_POSTINGS = "SELECT 'a posting has no entries: ' || kind AS value FROM ledger_postings p
        WHERE NOT EXISTS (SELECT 1 FROM ledger_entries e WHERE e.posting_id = p.id)";
    PAID = "SELECT 'purchase ' || u.number || ' has net payments of ' || CAST(COALESCE(p.kept, 0) AS TEXT) || ' instead of ' ||
            CAST(o.due AS TEXT) AS value
        FROM purchases u
        JOIN (SELECT c.id AS purchase_id, COALESCE(o.placed, 0) + c.gifts_minor AS placed,
            COALESCE(o.collected, 0) + c.gifts_minor AS collected, COALESCE(o.due, 0) + c.gifts_minor - COALESCE(g.refunded, 0) AS due
            FROM purchases c
            LEFT JOIN (SELECT x.checkout_id, SUM(x.amount_minor) AS refunded FROM checkout_gifts x JOIN gift_cards k ON k.gift_id = x.id
                WHERE k.refunded_at IS NOT NULL GROUP BY x.checkout_id) g ON g.checkout_id = c.checkout_id
            LEFT JOIN (SELECT purchase_id, SUM(total_minor) AS placed, SUM(collected_minor) AS collected,
            SUM(CASE WHEN state = 'cancelled' OR collected_minor = 0 THEN 0 ELSE collected_minor - refunded_minor - disputed_minor END)
                AS due
            FROM orders GROUP BY purchase_id) o ON o.purchase_id = c.id) o
            ON o.purchase_id = u.id
        LEFT JOIN (SELECT purchase_id, SUM(amount_minor) AS amount, SUM(captured_minor) AS captured,
            SUM(captured_minor - refunded_minor - refund_pending_minor - disputed_minor) AS kept,
            SUM(CASE WHEN (collected_by = 'market' AND state IN ('captured', 'refunded') AND captured_minor = amount_minor)
                OR (collected_by = 'shop' AND state = 'accepted') THEN 0 ELSE 1 END) AS unpaid
            FROM payments WHERE purchase_id IS NOT NULL GROUP BY purchase_id) p ON p.purchase_id = u.id
        WHERE p.purchase_id IS NULL OR p.unpaid > 0 OR o.placed <> u.total_minor OR p.amount <> u.total_minor
            OR p.captured <> o.collected OR p.kept <> o.due";
    REFUNDS = "SELECT 'a payment has ' || CAST(p.refunded_minor AS TEXT) || ' refunded and ' ||
            CAST(p.refund_pending_minor AS TEXT) || ' pending, which does not match its refunds' AS value
        FROM payments p LEFT JOIN refunds r ON r.payment_id = p.id WHERE p.collected_by = 'market'
        GROUP BY p.id, p.refunded_minor, p.refund_pending_minor
        HAVING p.refunded_minor <> COALESCE(SUM(CASE WHEN r.state IN ('done', 'paid_otherwise') THEN r.amount_minor END), 0)
            OR p.refund_pending_minor <>
                COALESCE(SUM(CASE WHEN r.state IN ('queued', 'pending', 'failed') THEN r.amount_minor END), 0)";
    REFUNDED = "SELECT 'order ' || o.number || ' is ' || o.state || ' and has refunds of ' ||
            CAST(COALESCE(r.amount, 0) AS TEXT) AS value
        FROM orders o LEFT JOIN (SELECT order_id, SUM(CASE WHEN state <> 'replaced' THEN amount_minor ELSE 0 END) AS amount,
            SUM(delivery_minor) AS delivery,
            SUM(commission_minor) AS commission, SUM(market_discount_minor) AS market_discount
            FROM refunds GROUP BY order_id) r ON r.order_id = o.id
        WHERE COALESCE(r.amount, 0) <> CASE WHEN o.state = 'cancelled' AND o.collected_minor > 0
                AND o.disputed_minor = 0 THEN o.collected_minor ELSE o.refunded_minor END
            OR COALESCE(r.delivery, 0) <> CASE WHEN o.state = 'cancelled' AND o.collected_minor > 0 AND o.disputed_minor = 0
                THEN o.total_minor - o.items_minor ELSE o.delivery_refunded_minor END
            OR r.commission > o.commission_minor OR r.market_discount > o.market_discount_minor";
    // Of several parts, the first one has the lines.
    REFUND_LINES = "SELECT 'a refund does not match its lines and delivery: ' || CAST(r.amount AS TEXT) AS value
        FROM (SELECT COALESCE(x.part_of, x.id) AS id, SUM(x.delivery_minor) AS delivery,
                SUM(CASE WHEN x.state <> 'replaced' THEN x.amount_minor ELSE 0 END) AS amount
            FROM refunds x WHERE x.order_id IS NOT NULL GROUP BY COALESCE(x.part_of, x.id)) r
        LEFT JOIN refund_lines l ON l.refund_id = r.id GROUP BY r.id, r.amount, r.delivery
        HAVING COALESCE(SUM(l.amount_minor), 0) + r.delivery <> r.amount";
    REFUNDED_LINES = "SELECT 'a line of order ' || o.number || ' has refunds of ' || CAST(COALESCE(r.amount, 0) AS TEXT) AS value
        FROM orders o JOIN order_lines l ON l.order_id = o.id
        LEFT JOIN (SELECT f.order_id, x.position, SUM(x.quantity) AS quantity, SUM(x.amount_minor) AS amount
            FROM refund_lines x JOIN refunds f ON f.id = x.refund_id GROUP BY f.order_id, x.position) r
            ON r.order_id = l.order_id AND r.position = l.position
        WHERE o.paid_order_id IS NULL AND (r.amount > l.total_minor - l.discount_minor + l.added_tax_minor OR COALESCE(r.quantity, 0) <>
            CASE WHEN o.state = 'cancelled' AND o.collected_minor > 0 AND o.disputed_minor = 0 THEN l.quantity
                ELSE l.refunded END)";
    // What customers have instead of a line that was paid: all lines of exchanges that are not refunded or exchanged again.
    EXCHANGED = "SELECT 'a line of order ' || o.number || ' has ' || CAST(l.exchanged AS TEXT) || ' exchanged, which its exchanges do not match'
            AS value
        FROM orders o JOIN order_lines l ON l.order_id = o.id
        LEFT JOIN (SELECT x.paid_order_id, y.paid_position, SUM(y.quantity - y.refunded - y.exchanged) AS quantity
            FROM orders x JOIN order_lines y ON y.order_id = x.id
            WHERE x.paid_order_id IS NOT NULL AND x.state <> 'cancelled' GROUP BY x.paid_order_id, y.paid_position) e
            ON e.paid_order_id = l.order_id AND e.paid_position = l.position
        WHERE o.paid_order_id IS NULL AND l.exchanged <> COALESCE(e.quantity, 0)";
    EXCHANGES = "SELECT 'return of order ' || o.number || ' does not match its exchange' AS value
        FROM returns r JOIN orders o ON o.id = r.order_id LEFT JOIN orders x ON x.id = r.exchange_order_id
        WHERE (r.state = 'exchanged') <> (x.replaces IS NOT NULL) OR x.replaces <> r.order_id OR x.shop_id <> o.shop_id
            OR x.purchase_id <> o.purchase_id OR x.total_minor <> 0 OR x.collected_minor <> 0 OR x.commission_minor <> 0";
    // A refund in several parts is posted with the ID of the first one, and each part once it is done.
    REFUND_POSTINGS = "SELECT 'a refund of ' || CAST(r.amount_minor AS TEXT) || ' does not match its postings' AS value
        FROM refunds r JOIN payments y ON y.id = r.payment_id
        JOIN (SELECT COALESCE(x.part_of, x.id) AS id,
                SUM(CASE WHEN x.state <> 'replaced' THEN x.amount_minor ELSE 0 END) AS amount FROM refunds x
            GROUP BY COALESCE(x.part_of, x.id)) w ON w.id = COALESCE(r.part_of, r.id)
        LEFT JOIN (SELECT p.reference, COUNT(DISTINCT CASE WHEN p.kind <> 'promotion_reversed' THEN p.id END) AS postings,
            SUM(CASE WHEN p.kind = 'promotion_reversed' AND e.amount_minor > 0 THEN e.amount_minor ELSE 0 END) AS market_discount,
            SUM(CASE WHEN p.kind = 'sale_reversed' AND e.amount_minor > 0 THEN e.amount_minor ELSE 0 END) AS reversed,
            SUM(CASE WHEN p.kind IN ('commission_reversed', 'cash_commission_reversed') AND e.amount_minor > 0
                THEN e.amount_minor ELSE 0 END) AS commission,
            SUM(CASE WHEN p.kind IN ('refund', 'gift_card_returned', 'refund_paid_otherwise') AND e.amount_minor > 0 THEN e.amount_minor
                WHEN p.kind = 'refund_failed' AND e.amount_minor > 0 THEN -e.amount_minor ELSE 0 END) AS paid
            FROM ledger_postings p JOIN ledger_entries e ON e.posting_id = p.id GROUP BY p.reference) b ON b.reference = r.id
        WHERE COALESCE(b.paid, 0) <> CASE WHEN r.state IN ('done', 'paid_otherwise') AND y.collected_by = 'market'
                THEN r.amount_minor ELSE 0 END
            OR COALESCE(b.reversed, 0) <> CASE WHEN r.order_id IS NOT NULL AND r.part_of IS NULL AND y.collected_by = 'market'
                THEN w.amount ELSE 0 END
            OR COALESCE(b.commission, 0) <> r.commission_minor
            OR COALESCE(b.market_discount, 0) <> r.market_discount_minor
            OR COALESCE(b.postings, 0) <> CASE WHEN y.collected_by = 'shop' OR r.order_id IS NULL OR r.part_of IS NOT NULL
                    THEN 0 ELSE 1 END
                + CASE WHEN r.commission_minor > 0 THEN 1 ELSE 0 END
                + CASE WHEN y.collected_by = 'shop' THEN 0 WHEN r.state = 'done' THEN 1
                    WHEN r.state IN ('failed', 'replaced') THEN 2 WHEN r.state = 'paid_otherwise' THEN 3 ELSE 0 END";
    SHIPPED = "SELECT 'a line of order ' || o.number || ' does not match its shipments and returns' AS value
        FROM orders o JOIN order_lines l ON l.order_id = o.id
        LEFT JOIN (SELECT h.order_id, x.position, SUM(x.quantity) AS quantity
            FROM shipment_lines x JOIN shipments h ON h.id = x.shipment_id GROUP BY h.order_id, x.position) s
            ON s.order_id = l.order_id AND s.position = l.position
        LEFT JOIN (SELECT t.order_id, x.position, SUM(x.quantity) AS quantity
            FROM return_lines x JOIN returns t ON t.id = x.return_id
            WHERE t.state NOT IN ('rejected', 'withdrawn') GROUP BY t.order_id, x.position) b
            ON b.order_id = l.order_id AND b.position = l.position
        WHERE COALESCE(s.quantity, 0) <> l.shipped OR COALESCE(b.quantity, 0) <> l.returned OR l.shipped > l.quantity
            OR (o.state IN ('shipped', 'delivered') AND l.shipped + l.refunded < l.quantity)
            OR (o.state IN ('placed', 'cancelled') AND l.shipped > 0)";
    // Refunds that are not done, and payments that wait for the rest of their checkout's total.
    OWED = "SELECT 'pending refunds and payments without a purchase in ' || p.currency || ' do not match the ledger' AS value
        FROM (SELECT currency, SUM(refund_pending_minor + CASE WHEN state = 'captured' AND purchase_id IS NULL
            THEN captured_minor ELSE 0 END) AS promised FROM payments GROUP BY currency) p
        LEFT JOIN (SELECT currency, -SUM(amount_minor) AS booked FROM ledger_entries WHERE account = 'shopper_payable'
            GROUP BY currency) e ON e.currency = p.currency
        WHERE p.promised <> COALESCE(e.booked, 0)";
    PAYMENTS_POSTED = "SELECT 'a payment by ' || p.method || ' does not match its postings' AS value
        FROM payments p LEFT JOIN (SELECT g.reference, SUM(CASE WHEN g.kind IN ('capture', 'gift_card_spent') THEN e.amount_minor ELSE 0 END) AS captured,
            SUM(CASE WHEN g.kind = 'gateway_fee' THEN -e.amount_minor ELSE 0 END) AS fee
            FROM ledger_postings g JOIN ledger_entries e ON e.posting_id = g.id AND e.account IN ('gateway_clearing', 'gift_cards')
            WHERE g.kind IN ('capture', 'gift_card_spent', 'gateway_fee') GROUP BY g.reference) b ON b.reference = p.id
        WHERE p.captured_minor <> COALESCE(b.captured, 0) OR p.fee_minor <> COALESCE(b.fee, 0)";
    GIFT_CARDS = "SELECT 'gift cards in ' || g.currency || ' have ' || CAST(g.balance AS TEXT) || ', which the ledger does not match' AS value
        FROM (SELECT currency, SUM(balance_minor) AS balance FROM gift_cards GROUP BY currency) g
        LEFT JOIN (SELECT currency, -SUM(amount_minor) AS booked FROM ledger_entries WHERE account = 'gift_cards'
            GROUP BY currency) e ON e.currency = g.currency
        WHERE g.balance <> COALESCE(e.booked, 0)";
    GIFT_CARD = "SELECT 'gift card ' || g.last4 || ' has ' || CAST(g.balance_minor AS TEXT) || ', which its payments do not match' AS value
        FROM gift_cards g LEFT JOIN (SELECT gift_card_id, SUM(captured_minor - refunded_minor) AS spent FROM payments
            WHERE gift_card_id IS NOT NULL GROUP BY gift_card_id) p ON p.gift_card_id = g.id
        WHERE g.balance_minor <> g.issued_minor - COALESCE(p.spent, 0) - CASE WHEN g.refunded_at IS NULL THEN 0 ELSE g.issued_minor END";
    // Each gift card that was paid is issued once, with what was paid for it, and no other one.
    GIFTS_ISSUED = "SELECT 'a gift card of ' || CAST(x.amount_minor AS TEXT) || ' was not issued as it was bought' AS value
        FROM checkout_gifts x JOIN checkouts c ON c.id = x.checkout_id LEFT JOIN gift_cards g ON g.gift_id = x.id
        WHERE (c.state = 'completed') <> (g.id IS NOT NULL) OR g.issued_minor <> x.amount_minor OR g.currency <> c.currency";
    GIFTS_POSTED = "SELECT 'gift card ' || g.last4 || ' does not match its postings' AS value
        FROM gift_cards g LEFT JOIN (SELECT p.reference,
            SUM(CASE WHEN p.kind = 'gift_card_issued' THEN -e.amount_minor ELSE 0 END) AS issued,
            SUM(CASE WHEN p.kind = 'gift_card_sold' THEN -e.amount_minor ELSE 0 END) AS sold,
            SUM(CASE WHEN p.kind = 'gift_card_refunded' THEN e.amount_minor ELSE 0 END) AS refunded
            FROM ledger_postings p JOIN ledger_entries e ON e.posting_id = p.id AND e.account = 'gift_cards'
            WHERE p.kind IN ('gift_card_issued', 'gift_card_sold', 'gift_card_refunded') GROUP BY p.reference) b ON b.reference = g.id
        WHERE COALESCE(b.issued, 0) <> CASE WHEN g.gift_id IS NULL THEN g.issued_minor ELSE 0 END
            OR COALESCE(b.sold, 0) <> CASE WHEN g.gift_id IS NULL THEN 0 ELSE g.issued_minor END
            OR COALESCE(b.refunded, 0) <> CASE WHEN g.refunded_at IS NULL THEN 0 ELSE g.issued_minor END";
    GIFTS_PAID = "SELECT 'the gift cards of a checkout do not cost ' || CAST(c.gifts_minor AS TEXT) AS value
        FROM checkouts c LEFT JOIN (SELECT checkout_id, SUM(amount_minor) AS minor FROM checkout_gifts GROUP BY checkout_id) x
            ON x.checkout_id = c.id LEFT JOIN purchases u ON u.checkout_id = c.id
        WHERE c.gifts_minor <> COALESCE(x.minor, 0) OR u.gifts_minor <> c.gifts_minor";
    GIFTS_PLANNED = "SELECT 'the gift cards of a checkout do not add up to ' || CAST(c.gift_minor AS TEXT) AS value
        FROM checkouts c LEFT JOIN (SELECT checkout_id, SUM(amount_minor) AS planned FROM checkout_gift_cards GROUP BY checkout_id) a
            ON a.checkout_id = c.id
        WHERE c.gift_minor <> COALESCE(a.planned, 0)";
    // Products are rated by their published reviews.
    RATINGS = "SELECT 'product ' || p.slug || ' has ' || CAST(p.rating_count AS TEXT) || ' reviews, which they do not match' AS value
        FROM products p LEFT JOIN (SELECT product_id, COUNT(*) AS number, CAST(SUM(rating) AS BIGINT) AS stars FROM reviews WHERE state = 'published'
            GROUP BY product_id) r ON r.product_id = p.id
        WHERE p.rating_count <> COALESCE(r.number, 0) OR p.rating_sum <> COALESCE(r.stars, 0) OR p.rating_score <>
            CASE WHEN r.number IS NULL THEN 0 ELSE (17500 + 1000 * r.stars) / (5 + r.number) END";
    REVIEWS = "SELECT 'a review has ' || CAST(r.helpful AS TEXT) || ' votes and ' || CAST(r.reports AS TEXT) ||
            ' reports, which do not match' AS value
        FROM reviews r WHERE r.helpful <> (SELECT COUNT(*) FROM review_votes v WHERE v.review_id = r.id)
            OR r.reports <> (SELECT COUNT(*) FROM review_reports x WHERE x.review_id = r.id AND x.closed_at IS NULL)
            OR (r.state = 'held') <> (r.held_because IS NOT NULL) OR (r.state = 'deleted' AND (r.title <> '' OR r.body <> '' OR r.reply <> ''))";
    // Messages are numbered from 1 without gaps, and the list of conversations shows the last one.
    MESSAGES = "SELECT 'a conversation with ' || CAST(c.last_seq AS TEXT) || ' messages does not match them' AS value
        FROM conversations c LEFT JOIN (SELECT conversation_id, COUNT(*) AS number, MAX(seq) AS last_seq, MAX(change_seq) AS change_seq,
            MAX(created_at) AS last_at FROM messages GROUP BY conversation_id) m ON m.conversation_id = c.id
        WHERE COALESCE(m.number, 0) <> c.last_seq OR COALESCE(m.last_seq, 0) <> c.last_seq
            OR COALESCE(m.change_seq, 0) <> c.change_seq OR c.last_at < c.created_at OR c.last_at < COALESCE(m.last_at, c.last_at)
            OR c.shopper_read_seq > c.last_seq OR c.shop_read_seq > c.last_seq";
    UNREAD_MESSAGES = "SELECT 'a conversation counts ' || CAST(c.shopper_unread AS TEXT) || ' messages as unread by the shopper and ' ||
            CAST(c.shop_unread AS TEXT) || ' by the shop, which its messages do not match' AS value
        FROM conversations c LEFT JOIN messages m ON m.conversation_id = c.id
        GROUP BY c.id, c.shopper_unread, c.shop_unread
        HAVING c.shopper_unread <> SUM(CASE WHEN m.side = 'shop' AND m.seq > c.shopper_read_seq THEN 1 ELSE 0 END)
            OR c.shop_unread <> SUM(CASE WHEN m.side = 'shopper' AND m.seq > c.shop_read_seq THEN 1 ELSE 0 END)";
    TIMELINE = "SELECT 'order ' || o.number || ' is ' || o.state || ', which its timeline does not match' AS value FROM orders o
        WHERE (o.state <> 'placed') <> EXISTS (SELECT 1 FROM order_events e WHERE e.order_id = o.id AND e.kind = o.state)";
    // A payment that waits for the rest is reconciled until it has a purchase or is refunded.
    ORPHANED = "SELECT 'captured money without a purchase or a refund: ' || p.method AS value FROM payments p
        WHERE p.captured_minor > p.refunded_minor AND (p.state NOT IN ('captured', 'refunded') OR p.purchase_id IS NULL)
            AND NOT (p.state = 'captured' AND p.check_at IS NOT NULL)
            AND NOT EXISTS (SELECT 1 FROM refunds r WHERE r.payment_id = p.id AND r.state IN ('queued', 'pending', 'failed')
                AND r.amount_minor = p.captured_minor - p.refunded_minor)";
    PAID_FOR = "SELECT 'purchase ' || u.number || ' was paid with a payment of another checkout' AS value
        FROM purchases u JOIN payments p ON p.purchase_id = u.id WHERE p.checkout_id <> u.checkout_id";
    // The sandbox's records are the gateway's side; only this check compares both sides.
    CAPTURED_ONCE = "SELECT 'purchase ' || u.number || ' was paid with a capture that its gateway does not have' AS value
        FROM payments p JOIN purchases u ON u.id = p.purchase_id
        LEFT JOIN sandbox_payments s ON s.gateway_ref = p.gateway_ref AND s.attempt_id = p.id
        WHERE p.gateway = 'sandbox' AND p.captured_minor > 0 AND (s.gateway_ref IS NULL OR s.state <> 'captured'
            OR s.currency <> p.currency OR s.amount_minor <> p.captured_minor OR s.refunded_minor < p.refunded_minor
                - COALESCE((SELECT SUM(r.amount_minor) FROM refunds r WHERE r.payment_id = p.id AND r.state = 'paid_otherwise'), 0))";
    ORDERS = "SELECT 'the orders of purchase ' || u.number || ' do not add up to its total' AS value
        FROM purchases u LEFT JOIN orders o ON o.purchase_id = u.id
        GROUP BY u.id, u.number, u.total_minor, u.gifts_minor HAVING COALESCE(SUM(o.total_minor), 0) + u.gifts_minor <> u.total_minor";
    LINES = "SELECT 'the lines of order ' || o.number || ' do not add up to its amounts' AS value
        FROM orders o LEFT JOIN order_lines l ON l.order_id = o.id
        GROUP BY o.id, o.number, o.subtotal_minor, o.tax_minor, o.delivery_tax_minor, o.items_minor, o.commission_minor, o.market_discount_minor
        HAVING COALESCE(SUM(l.total_minor), 0) <> o.subtotal_minor OR SUM(l.tax_minor) <> o.tax_minor - o.delivery_tax_minor
            OR SUM(l.commission_minor) <> o.commission_minor OR SUM(l.market_discount_minor) > o.market_discount_minor
            OR SUM(l.total_minor - l.discount_minor + l.added_tax_minor) <> o.items_minor";
    ADJUSTMENTS = "SELECT 'the adjustments of order ' || o.number || ' do not add up to its discount' AS value
        FROM orders o LEFT JOIN order_adjustments a ON a.order_id = o.id
        GROUP BY o.id, o.number, o.discount_minor, o.market_discount_minor
        HAVING COALESCE(-SUM(a.amount_minor), 0) <> o.discount_minor
            OR COALESCE(-SUM(CASE WHEN a.borne_by = 'market' THEN a.amount_minor END), 0) <> o.market_discount_minor";
    LINE_ADJUSTMENTS = "SELECT 'the adjustments of a line of order ' || o.number || ' do not add up to its discount' AS value
        FROM orders o JOIN order_lines l ON l.order_id = o.id
        LEFT JOIN order_adjustments a ON a.order_id = l.order_id AND a.position = l.position
        GROUP BY o.id, o.number, l.position, l.discount_minor HAVING COALESCE(-SUM(a.amount_minor), 0) <> l.discount_minor";
    CHECKOUTS = "SELECT 'the orders of a checkout of ' || CAST(c.total_minor AS TEXT) || ' do not add up to its totals' AS value
        FROM checkouts c LEFT JOIN checkout_orders o ON o.checkout_id = c.id
        GROUP BY c.id, c.subtotal_minor, c.discount_minor, c.delivery_minor, c.tax_minor, c.added_tax_minor, c.total_minor, c.gifts_minor
        HAVING COALESCE(SUM(o.subtotal_minor), 0) + c.gifts_minor <> c.subtotal_minor OR COALESCE(SUM(o.discount_minor), 0) <> c.discount_minor
            OR COALESCE(SUM(o.added_tax_minor), 0) <> c.added_tax_minor OR COALESCE(SUM(o.delivery_minor), 0) <> c.delivery_minor
            OR COALESCE(SUM(o.tax_minor), 0) <> c.tax_minor OR COALESCE(SUM(o.total_minor), 0) + c.gifts_minor <> c.total_minor";
    QUOTED = "SELECT 'order ' || o.number || ' differs from its quote' AS value
        FROM orders o JOIN checkout_orders q ON q.order_id = o.id
        WHERE q.subtotal_minor <> o.subtotal_minor OR q.discount_minor <> o.discount_minor
            OR q.market_discount_minor <> o.market_discount_minor OR q.items_minor <> o.items_minor
            OR q.added_tax_minor <> o.added_tax_minor OR q.delivery_minor <> o.delivery_minor OR q.tax_minor <> o.tax_minor
            OR q.total_minor <> o.total_minor OR q.commission_minor <> o.commission_minor";
    FOREIGN_LINES = "SELECT 'order ' || o.number || ' has a line of another shop' AS value FROM orders o
        JOIN order_lines l ON l.order_id = o.id JOIN variants v ON v.id = l.variant_id WHERE v.shop_id <> o.shop_id";
    STOCK = "SELECT 'stock on hand does not match its movements: ' || CAST(c.on_hand AS TEXT) AS value
        FROM capacities c LEFT JOIN stock_movements m ON m.capacity_id = c.id
        GROUP BY c.id, c.on_hand HAVING COALESCE(SUM(m.delta), 0) <> c.on_hand";
    HELD = "SELECT 'held stock does not match the active holds: ' || CAST(c.held AS TEXT) AS value
        FROM capacities c LEFT JOIN holds h ON h.capacity_id = c.id AND h.state = 'active'
        GROUP BY c.id, c.held HAVING COALESCE(SUM(h.quantity), 0) <> c.held";
    // Whatever the calendar's cells say.
    APPOINTMENTS = "SELECT 'two appointments overlap, at ' || a.starts_local AS value FROM appointments a
        JOIN appointments b ON b.provider_id = a.provider_id AND b.id > a.id
            AND b.first_cell < a.end_cell AND a.first_cell < b.end_cell
        WHERE a.state <> 'cancelled' AND b.state <> 'cancelled'";
    APPOINTMENT_CELLS = "SELECT 'an appointment has ' || CAST(COUNT(c.cell) AS TEXT) || ' cells of its calendar, at ' || a.starts_local AS value
        FROM appointments a JOIN orders o ON o.id = a.order_id JOIN purchases p ON p.id = o.purchase_id
        LEFT JOIN booking_cells c ON c.checkout_id = p.checkout_id AND c.position = a.position AND c.provider_id = a.provider_id
            AND c.expires_at IS NULL AND c.cell >= a.first_cell AND c.cell < a.end_cell
        GROUP BY a.id, a.state, a.first_cell, a.end_cell, a.starts_local
        HAVING COUNT(c.cell) <> CASE WHEN a.state = 'cancelled' THEN 0 ELSE a.end_cell - a.first_cell END";
    BOOKED = "SELECT 'a booked cell belongs to no appointment' AS value FROM booking_cells c
        WHERE c.expires_at IS NULL AND NOT EXISTS (SELECT 1 FROM purchases p JOIN orders o ON o.purchase_id = p.id
            JOIN appointments a ON a.order_id = o.id AND a.position = c.position AND a.provider_id = c.provider_id
            WHERE p.checkout_id = c.checkout_id AND a.state <> 'cancelled' AND c.cell >= a.first_cell AND c.cell < a.end_cell)";
    CANCELLED = "SELECT 'an appointment of a cancelled order is ' || a.state AS value FROM appointments a
        JOIN orders o ON o.id = a.order_id JOIN order_lines l ON l.order_id = a.order_id AND l.position = a.position
        WHERE (o.state = 'cancelled' AND a.state = 'booked')
            OR (o.state <> 'cancelled' AND l.refunded < l.quantity AND a.state = 'cancelled'
                AND a.fee_minor < l.total_minor - l.discount_minor + l.added_tax_minor)
            OR (a.state IN ('booked', 'done') AND a.fee_minor > 0)";
    // What was kept of an appointment and what was refunded of it are its price.
    FEES = "SELECT 'of an appointment, a fee of ' || CAST(a.fee_minor AS TEXT) || ' was kept and ' || CAST(r.amount AS TEXT) || ' refunded'
            AS value
        FROM appointments a JOIN orders o ON o.id = a.order_id AND o.state <> 'cancelled'
        JOIN order_lines l ON l.order_id = a.order_id AND l.position = a.position
        JOIN (SELECT f.order_id, x.position, SUM(x.amount_minor) AS amount FROM refund_lines x JOIN refunds f ON f.id = x.refund_id
            GROUP BY f.order_id, x.position) r ON r.order_id = a.order_id AND r.position = a.position
        WHERE a.fee_minor > 0 AND r.amount + a.fee_minor <> l.total_minor - l.discount_minor + l.added_tax_minor";

    CAPACITIES = "SELECT 'a capacity holds ' || CAST(held AS TEXT) || ' of ' || CAST(on_hand AS TEXT) AS value FROM capacities
        WHERE held < 0 OR held > on_hand OR kind = 'change'";
    STOCK_OF = "SELECT 'the stock of ' || v.sku || ' belongs to another shop' AS value FROM variants v
        JOIN capacities c ON c.id = v.capacity_id WHERE COALESCE(c.owner <> v.shop_id, TRUE)";
    // An exchange has a movement of its own.
    SOLD = "SELECT 'sold stock does not match the purchases: ' || CAST(SUM(taken) AS TEXT) AS value
        FROM (SELECT h.capacity_id, COALESCE(x.id, p.id) AS purchase_id, h.quantity AS taken, h.quantity AS difference
            FROM holds h JOIN purchases p ON p.checkout_id = h.checkout_id
            LEFT JOIN checkout_lines l ON l.checkout_id = h.checkout_id AND l.position = h.position
            LEFT JOIN orders x ON x.id = l.order_id AND x.replaces IS NOT NULL WHERE h.state = 'taken'
            UNION ALL SELECT capacity_id, reference AS purchase_id, 0 AS taken, delta AS difference
            FROM stock_movements WHERE reason = 'sold') m
        GROUP BY capacity_id, purchase_id HAVING SUM(difference) <> 0";
    // Of what the lines of cancelled orders, refunds and returns took, in proportion to their quantities.
    RETURNED = "SELECT 'returned stock does not match the cancelled orders, refunds and returns: ' || CAST(SUM(due) AS TEXT) AS value
        FROM (SELECT h.capacity_id, p.reference, h.quantity * p.quantity / l.quantity AS due,
                h.quantity * p.quantity / l.quantity AS difference
            FROM (SELECT o.id AS reference, o.id AS order_id, l.position, l.quantity - l.refunded AS quantity
                    FROM orders o JOIN order_lines l ON l.order_id = o.id WHERE o.state = 'cancelled'
                UNION ALL SELECT r.id AS reference, r.order_id, x.position, x.quantity
                    FROM refunds r JOIN refund_lines x ON x.refund_id = r.id WHERE r.restocked
                UNION ALL SELECT t.id AS reference, t.order_id, x.position, x.quantity
                    FROM returns t JOIN return_lines x ON x.return_id = t.id WHERE t.restocked) p
            JOIN order_lines l ON l.order_id = p.order_id AND l.position = p.position
            JOIN checkout_orders q ON q.order_id = p.order_id
            JOIN holds h ON h.checkout_id = q.checkout_id AND h.position = p.position
            UNION ALL SELECT capacity_id, reference, 0 AS due, -delta AS difference
            FROM stock_movements WHERE reason = 'returned') m
        GROUP BY capacity_id, reference HAVING SUM(difference) <> 0";
    // Slots are taken by purchases, and given back by cancellations.
    SLOTS = "SELECT 'the slot ' || d.slot || ' has ' || CAST(COALESCE(b.booked, 0) AS TEXT) || ' orders, and ' ||
            CAST(COALESCE(m.taken, 0) AS TEXT) || ' of its places are taken' AS value
        FROM delivery_slots d
        LEFT JOIN (SELECT slot_id, COUNT(*) AS booked FROM orders WHERE state <> 'cancelled' GROUP BY slot_id) b ON b.slot_id = d.capacity_id
        LEFT JOIN (SELECT capacity_id, CAST(-SUM(delta) AS BIGINT) AS taken FROM stock_movements WHERE reason IN ('sold', 'unused')
            GROUP BY capacity_id) m ON m.capacity_id = d.capacity_id
        WHERE COALESCE(b.booked, 0) <> COALESCE(m.taken, 0)";
    // Of its stock, a line takes its quantity; of any other capacity, as much for each unit.
    TAKEN = "SELECT 'a line of ' || CAST(l.quantity AS TEXT) || ' of order ' || o.number || ' took ' ||
            CAST(h.quantity AS TEXT) || ' of ' || CASE WHEN h.capacity_id = v.capacity_id THEN 'the stock' ELSE 'a capacity' END
            AS value
        FROM order_lines l JOIN orders o ON o.id = l.order_id JOIN checkout_orders q ON q.order_id = o.id
        JOIN holds h ON h.checkout_id = q.checkout_id AND h.position = l.position
        LEFT JOIN variants v ON v.id = l.variant_id
        WHERE CASE WHEN h.capacity_id = v.capacity_id THEN h.quantity <> l.quantity ELSE h.quantity % l.quantity <> 0 END";
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
    CLEARING = "SELECT 'the clearing account of ' || p.currency || ' does not match the captured payments less refunds, fees, disputes, transfers and settlements' AS value
        FROM (SELECT currency, SUM(holds) AS holds FROM (
            SELECT currency, captured_minor - refunded_minor - fee_minor AS holds FROM payments WHERE gift_card_id IS NULL
            UNION ALL SELECT p.currency, r.amount_minor FROM refunds r JOIN payments p ON p.id = r.payment_id
                WHERE r.state = 'paid_otherwise'
            UNION ALL SELECT currency, -CASE WHEN state IN ('open', 'lost') THEN amount_minor ELSE 0 END
                - CASE WHEN fee_returned THEN 0 ELSE fee_minor END FROM disputes
            UNION ALL SELECT currency, -amount_minor FROM payouts WHERE state = 'paid' AND gateway IS NOT NULL
            UNION ALL SELECT currency, -amount_minor FROM settlements WHERE state = 'paid') AS x GROUP BY currency) p
        LEFT JOIN (SELECT currency, SUM(amount_minor) AS booked FROM ledger_entries WHERE account = 'gateway_clearing'
            GROUP BY currency) e ON e.currency = p.currency
        WHERE p.holds <> COALESCE(e.booked, 0)";
    EARNED = "SELECT 'the entries of order ' || d.number || ' are pending ' || CAST(COALESCE(e.pending, 0) AS TEXT) ||
            ' and released ' || CAST(COALESCE(e.released, 0) AS TEXT) AS value FROM
        (SELECT o.id, o.number, o.shop_id, o.currency, o.released_at, CASE WHEN o.state = 'cancelled' THEN 0
            ELSE o.collected_minor - o.commission_minor + COALESCE(r.commission, 0)
                + o.market_discount_minor - COALESCE(r.market_discount, 0)
                - CASE WHEN o.collected_minor > 0 THEN COALESCE(r.amount, 0) ELSE 0 END
                - o.disputed_minor - o.disputed_discount_minor + o.disputed_commission_minor END AS due
            FROM orders o LEFT JOIN (SELECT order_id, SUM(CASE WHEN state <> 'replaced' THEN amount_minor ELSE 0 END) AS amount,
                SUM(commission_minor) AS commission, SUM(market_discount_minor) AS market_discount
                FROM refunds GROUP BY order_id) r ON r.order_id = o.id) d
        LEFT JOIN (SELECT p.order_id, x.shop_id, x.currency,
            -SUM(CASE WHEN x.account = 'seller_pending' THEN x.amount_minor ELSE 0 END) AS pending,
            -SUM(CASE WHEN x.account IN ('seller_pending', 'seller_disputed') THEN 0 ELSE x.amount_minor END) AS released
            FROM ledger_postings p JOIN ledger_entries x ON x.posting_id = p.id AND x.shop_id IS NOT NULL
            WHERE p.kind <> 'converted_from' GROUP BY p.order_id, x.shop_id, x.currency) e
            ON e.order_id = d.id AND e.shop_id = d.shop_id AND e.currency = d.currency
        WHERE COALESCE(e.pending, 0) <> CASE WHEN d.released_at IS NULL THEN d.due ELSE 0 END
            OR COALESCE(e.released, 0) <> CASE WHEN d.released_at IS NULL THEN 0 ELSE d.due END";
    EARNED_BY = "SELECT 'an entry of a shop belongs to none of its orders and payouts: ' || p.kind AS value
        FROM ledger_entries e JOIN ledger_postings p ON p.id = e.posting_id LEFT JOIN orders o ON o.id = p.order_id
        LEFT JOIN payouts y ON y.id = p.reference
            AND p.kind IN ('payout_requested', 'payout_rejected', 'payout_returned', 'payout_reversed')
        WHERE e.shop_id IS NOT NULL
            AND (COALESCE(o.shop_id, y.shop_id) IS NULL OR COALESCE(o.shop_id, y.shop_id) <> e.shop_id
                OR (COALESCE(o.currency, y.currency) <> e.currency AND p.kind <> 'converted_to'))";
    // What was converted has the sign of what it became, though a small amount may be less than half a unit there.
    CONVERTED = "SELECT 'of order ' || o.number || ', ' || CAST(c.gone AS TEXT) || ' was converted to ' || CAST(c.received AS TEXT) AS value
        FROM orders o JOIN (SELECT p.order_id, SUM(CASE WHEN p.kind = 'converted_from' THEN -e.amount_minor ELSE 0 END) AS gone,
                SUM(CASE WHEN p.kind = 'converted_to' THEN e.amount_minor ELSE 0 END) AS received
            FROM ledger_postings p JOIN ledger_entries e ON e.posting_id = p.id AND e.account = 'exchange' GROUP BY p.order_id) c
            ON c.order_id = o.id JOIN shops s ON s.id = o.shop_id
        WHERE o.currency = s.currency OR (c.gone = 0 AND c.received <> 0) OR (c.gone > 0 AND c.received < 0)
            OR (c.gone < 0 AND c.received > 0)";
    BALANCES = "SELECT 'the balance of a shop does not match its entries, by ' || CAST(SUM(difference) AS TEXT) AS value
        FROM (SELECT shop_id, currency, available_minor AS difference FROM shop_balances
            UNION ALL SELECT shop_id, currency, amount_minor AS difference FROM ledger_entries
            WHERE account IN ('seller_payable', 'seller_receivable')) b
        GROUP BY shop_id, currency HAVING SUM(difference) <> 0";
    PAYOUTS = "SELECT 'a payout of ' || CAST(p.amount_minor AS TEXT) || ' is ' || p.state || ', which its postings do not match' AS value
        FROM payouts p LEFT JOIN ledger_postings g ON g.reference = p.id
        LEFT JOIN ledger_entries e ON e.posting_id = g.id AND e.currency = p.currency
            AND (e.shop_id IS NULL OR e.shop_id = p.shop_id)
        GROUP BY p.id, p.state, p.amount_minor, p.gateway
        HAVING COALESCE(SUM(CASE WHEN e.account = 'seller_payable' THEN e.amount_minor END), 0) <>
                CASE WHEN p.state IN ('rejected', 'returned') THEN 0 ELSE p.amount_minor END
            OR COALESCE(SUM(CASE WHEN e.account = 'payouts_in_transit' THEN -e.amount_minor END), 0) <>
                CASE WHEN p.state IN ('requested', 'approved', 'sent') THEN p.amount_minor ELSE 0 END
            OR COALESCE(SUM(CASE WHEN e.account = 'bank' THEN -e.amount_minor END), 0) <>
                CASE WHEN p.state = 'paid' AND p.gateway IS NULL THEN p.amount_minor ELSE 0 END
            OR COALESCE(SUM(CASE WHEN e.account = 'gateway_clearing' THEN -e.amount_minor END), 0) <>
                CASE WHEN p.state = 'paid' AND p.gateway IS NOT NULL THEN p.amount_minor ELSE 0 END";
    IN_TRANSIT = "SELECT 'the payouts in transit of ' || currency || ' do not match the open payouts' AS value
        FROM (SELECT currency, amount_minor AS difference FROM payouts WHERE state IN ('requested', 'approved', 'sent')
            UNION ALL SELECT currency, amount_minor AS difference FROM ledger_entries WHERE account = 'payouts_in_transit') b
        GROUP BY currency HAVING SUM(difference) <> 0";
    BANK = "SELECT 'the bank account of ' || currency || ' does not match the paid payouts, refunds and settlements' AS value
        FROM (SELECT currency, amount_minor AS difference FROM payouts WHERE state = 'paid' AND gateway IS NULL
            UNION ALL SELECT p.currency, r.amount_minor FROM refunds r JOIN payments p ON p.id = r.payment_id
                WHERE r.state = 'paid_otherwise'
            UNION ALL SELECT currency, -amount_minor FROM settlements WHERE state = 'paid'
            UNION ALL SELECT currency, amount_minor AS difference FROM ledger_entries WHERE account = 'bank') b
        GROUP BY currency HAVING SUM(difference) <> 0";
    APPROVED = "SELECT 'a payout of ' || CAST(amount_minor AS TEXT) || ' is ' || state || ', which its times do not match' AS value
        FROM payouts WHERE requested_by = approved_by
            OR (state IN ('approved', 'sent', 'paid', 'returned')) > (approved_at IS NOT NULL)
            OR (state IN ('sent', 'paid', 'returned')) <> (sent_at IS NOT NULL)
            OR (state = 'paid') > (paid_at IS NOT NULL)
            OR (state IN ('rejected', 'returned')) <> (ended_at IS NOT NULL)";
    // The guards of payments and orders, and what is held, are those of the disputes that are open or lost.
    DISPUTED = "SELECT 'order ' || o.number || ' does not match its disputes' AS value FROM orders o
        LEFT JOIN (SELECT x.order_id, SUM(CASE WHEN d.state = 'open' THEN 1 ELSE 0 END) AS open_disputes,
            SUM(CASE WHEN d.state IN ('open', 'lost') THEN x.amount_minor ELSE 0 END) AS amount,
            SUM(CASE WHEN d.state IN ('open', 'lost') THEN x.commission_minor ELSE 0 END) AS commission,
            SUM(CASE WHEN d.state IN ('open', 'lost') THEN x.market_discount_minor ELSE 0 END) AS discount,
            SUM(CASE WHEN d.state = 'open' THEN x.amount_minor + x.market_discount_minor - x.commission_minor ELSE 0 END) AS held
            FROM dispute_orders x JOIN disputes d ON d.id = x.dispute_id GROUP BY x.order_id) q ON q.order_id = o.id
        LEFT JOIN (SELECT p.order_id, -SUM(e.amount_minor) AS held FROM ledger_entries e
            JOIN ledger_postings p ON p.id = e.posting_id WHERE e.account = 'seller_disputed' GROUP BY p.order_id) h
            ON h.order_id = o.id
        WHERE COALESCE(q.amount, 0) <> o.disputed_minor OR COALESCE(q.commission, 0) <> o.disputed_commission_minor
            OR COALESCE(q.discount, 0) <> o.disputed_discount_minor OR COALESCE(q.open_disputes, 0) <> o.open_disputes
            OR COALESCE(q.held, 0) <> COALESCE(h.held, 0) OR o.disputed_commission_minor > o.commission_minor
            OR (o.collected_minor > 0 AND o.refunded_minor + o.disputed_minor > o.collected_minor)";
    DISPUTES = "SELECT 'a dispute of ' || CAST(d.amount_minor AS TEXT) || ' is ' || d.state || ', which its orders or postings do not match'
            AS value
        FROM disputes d
        LEFT JOIN (SELECT dispute_id, SUM(amount_minor) AS amount FROM dispute_orders GROUP BY dispute_id) x ON x.dispute_id = d.id
        LEFT JOIN (SELECT g.id, SUM(e.amount_minor) AS held FROM (
                SELECT d.id, p.id AS posting_id FROM disputes d JOIN ledger_postings p ON p.reference = d.id
                UNION SELECT o.dispute_id, p.id FROM dispute_orders o JOIN ledger_postings p ON p.reference = o.id) g
            JOIN ledger_entries e ON e.posting_id = g.posting_id AND e.account = 'disputes' GROUP BY g.id) b ON b.id = d.id
        LEFT JOIN (SELECT p.reference, SUM(e.amount_minor) AS fee FROM ledger_postings p JOIN ledger_entries e
            ON e.posting_id = p.id AND e.account = 'gateway_fees' GROUP BY p.reference) f ON f.reference = d.id
        WHERE COALESCE(b.held, 0) <> CASE WHEN d.state = 'open' THEN d.amount_minor ELSE 0 END
            OR COALESCE(f.fee, 0) <> CASE WHEN d.fee_returned THEN 0 ELSE d.fee_minor END
            OR (x.amount IS NOT NULL AND x.amount + d.unallocated_minor <> d.amount_minor)";
    DISPUTED_PAYMENTS = "SELECT 'a payment does not match what its orders bear of its disputes' AS value
        FROM payments p LEFT JOIN (SELECT d.payment_id, SUM(x.amount_minor) AS amount FROM dispute_orders x
            JOIN disputes d ON d.id = x.dispute_id WHERE d.state IN ('open', 'lost') GROUP BY d.payment_id) q ON q.payment_id = p.id
        WHERE COALESCE(q.amount, 0) <> p.disputed_minor";
    RELEASES = "SELECT 'order ' || number || ' is ' || state || ', which its release does not match' AS value FROM orders
        WHERE (state = 'delivered') <> (release_at IS NOT NULL) OR released_at < release_at";
    PRICE_SPAN = concat!("SELECT 'the price range of ' || p.slug || ' does not match its variants' AS value FROM products p
        JOIN variants v ON v.product_id = p.id AND NOT v.archived GROUP BY p.id, p.slug, p.price_min_minor, p.price_max_minor
        HAVING MIN(", listed_price!(), ") <> p.price_min_minor OR MAX(", listed_price!(), ") <> p.price_max_minor");
    PRICE_HISTORY = "SELECT 'the price of ' || v.sku || ' is not the last one of its history' AS value FROM variants v
        LEFT JOIN price_history h ON h.variant_id = v.id
            AND h.from_at = (SELECT MAX(l.from_at) FROM price_history l WHERE l.variant_id = v.id)
        WHERE NOT v.archived AND (h.price_minor IS DISTINCT FROM v.price_minor OR h.compare_at_minor IS DISTINCT FROM v.compare_at_minor)";
    PICTURES = concat!("SELECT CASE WHEN deleting THEN 'a picture in use is being deleted'
            ELSE 'a picture that nothing uses never expires' END AS value FROM media
        WHERE (deleting AND NOT (", unused!(), ")) OR (expires_at IS NULL AND ", unused!(), ")");
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
        &REFUNDED,
        &REFUND_LINES,
        &REFUNDED_LINES,
        &REFUND_POSTINGS,
        &EXCHANGED,
        &EXCHANGES,
        &SHIPPED,
        &OWED,
        &PAYMENTS_POSTED,
        &GIFT_CARDS,
        &GIFT_CARD,
        &GIFTS_PLANNED,
        &GIFTS_ISSUED,
        &GIFTS_POSTED,
        &GIFTS_PAID,
        &RATINGS,
        &REVIEWS,
        &MESSAGES,
        &UNREAD_MESSAGES,
        &TIMELINE,
        &ORPHANED,
        &PAID_FOR,
        &CAPTURED_ONCE,
        &ORDERS,
        &LINES,
        &ADJUSTMENTS,
        &LINE_ADJUSTMENTS,
        &CHECKOUTS,
        &QUOTED,
        &FOREIGN_LINES,
        &STOCK,
        &HELD,
        &APPOINTMENTS,
        &APPOINTMENT_CELLS,
        &BOOKED,
        &CANCELLED,
        &FEES,
        &CAPACITIES,
        &STOCK_OF,
        &SOLD,
        &RETURNED,
        &TAKEN,
        &CLAIMED,
        &SLOTS,
        &HOLDS,
        &COMPLETED,
        &CLEARING,
        &EARNED,
        &EARNED_BY,
        &CONVERTED,
        &BALANCES,
        &PAYOUTS,
        &IN_TRANSIT,
        &BANK,
        &APPROVED,
        &RELEASES,
        &DISPUTED,
        &DISPUTES,
        &DISPUTED_PAYMENTS,
        &PRICE_SPAN,
        &PRICE_HISTORY,
        &PICTURES,
    ];
    let mut broken = Vec::new();
    for check in checks {
        let rows: Vec<Broken> = engine.db.all(check, params![]).await?;
        broken.extend(rows.into_iter().take(20).map(|row| row.value));
    }
    Ok(broken)
}
