-- Refunds and returns by line, and earnings that are pending until an order can no longer be returned.

CREATE INDEX refunds_order_id_idx ON refunds (order_id) WHERE order_id IS NOT NULL;
-- The part of the amount that was paid for delivery. The rest is that of its lines.
ALTER TABLE refunds ADD COLUMN delivery_minor BIGINT NOT NULL DEFAULT 0 CHECK (delivery_minor >= 0);
-- The commission that the shop gets back.
ALTER TABLE refunds ADD COLUMN commission_minor BIGINT NOT NULL DEFAULT 0 CHECK (commission_minor >= 0);
-- Whether its items, which had not been shipped, were returned to stock.
ALTER TABLE refunds ADD COLUMN restocked BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE refunds ADD COLUMN note TEXT NOT NULL DEFAULT '';
-- A refund that takes from several payments is done in parts. The first part has the lines, the shares above and the postings
-- of the whole refund; the others refer to it.
ALTER TABLE refunds ADD COLUMN part_of UUID REFERENCES refunds (id);
CREATE INDEX refunds_part_of_idx ON refunds (part_of) WHERE part_of IS NOT NULL;
CREATE TABLE refund_lines (
    refund_id UUID NOT NULL REFERENCES refunds (id),
    -- The line's position in the order.
    position BIGINT NOT NULL,
    quantity BIGINT NOT NULL CHECK (quantity > 0),
    amount_minor BIGINT NOT NULL CHECK (amount_minor >= 0),
    PRIMARY KEY (refund_id, position)
);

CREATE TABLE returns (
    id UUID PRIMARY KEY,
    order_id UUID NOT NULL REFERENCES orders (id),
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    -- Whether its items were returned to stock.
    restocked BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    received_at BIGINT
);
CREATE INDEX returns_order_id_idx ON returns (order_id);
CREATE TABLE return_lines (
    return_id UUID NOT NULL REFERENCES returns (id),
    -- The line's position in the order.
    position BIGINT NOT NULL,
    quantity BIGINT NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (return_id, position)
);

-- Guards: what was refunded while the order stood, and what comes back. A cancellation refunds the rest and leaves them.
ALTER TABLE order_lines ADD COLUMN refunded BIGINT NOT NULL DEFAULT 0 CHECK (refunded >= 0 AND refunded <= quantity);
ALTER TABLE order_lines ADD COLUMN returned BIGINT NOT NULL DEFAULT 0 CHECK (returned >= 0 AND returned <= shipped);
ALTER TABLE orders ADD COLUMN refunded_minor BIGINT NOT NULL DEFAULT 0
    CHECK (refunded_minor >= 0 AND refunded_minor <= total_minor);
ALTER TABLE orders ADD COLUMN delivery_refunded_minor BIGINT NOT NULL DEFAULT 0
    CHECK (delivery_refunded_minor >= 0 AND delivery_refunded_minor <= delivery_minor);

-- When the earnings from a delivered order become available to the shop, and when they did.
ALTER TABLE orders ADD COLUMN release_at BIGINT;
ALTER TABLE orders ADD COLUMN released_at BIGINT;
CREATE INDEX orders_release_at_idx ON orders (release_at) WHERE released_at IS NULL AND release_at IS NOT NULL;

-- The order that a posting concerns, if any. The reference is what is posted once: an order, a payment or a refund.
ALTER TABLE ledger_postings ADD COLUMN order_id UUID REFERENCES orders (id);
CREATE INDEX ledger_postings_order_id_idx ON ledger_postings (order_id) WHERE order_id IS NOT NULL;
DROP INDEX ledger_entries_balance_idx;
CREATE INDEX ledger_entries_balance_idx ON ledger_entries (shop_id, posting_id, currency, account, amount_minor)
    WHERE shop_id IS NOT NULL;

-- No market has been released yet, so existing data is rewritten as if it had been written by this version.
INSERT INTO refund_lines (refund_id, position, quantity, amount_minor)
    SELECT r.id, l.position, l.quantity, l.total_minor FROM refunds r JOIN order_lines l ON l.order_id = r.order_id
    WHERE r.reason = 'cancelled';
UPDATE refunds SET delivery_minor = (SELECT o.delivery_minor FROM orders o WHERE o.id = refunds.order_id),
        commission_minor = (SELECT o.commission_minor FROM orders o WHERE o.id = refunds.order_id)
    WHERE reason = 'cancelled';
UPDATE ledger_postings SET order_id = (SELECT o.id FROM orders o WHERE o.id = ledger_postings.reference);
UPDATE ledger_postings SET order_id = (SELECT r.order_id FROM refunds r WHERE r.id = ledger_postings.reference)
    WHERE order_id IS NULL;
UPDATE ledger_postings SET reference =
        (SELECT r.id FROM refunds r WHERE r.order_id = ledger_postings.order_id AND r.reason = 'cancelled')
    WHERE kind IN ('sale_reversed', 'commission_reversed')
        AND EXISTS (SELECT 1 FROM refunds r WHERE r.order_id = ledger_postings.order_id AND r.reason = 'cancelled');
UPDATE orders SET release_at = updated_at, released_at = updated_at WHERE state = 'delivered';
UPDATE ledger_entries SET account = 'seller_pending' WHERE shop_id IS NOT NULL AND posting_id IN
    (SELECT p.id FROM ledger_postings p JOIN orders o ON o.id = p.order_id WHERE o.state <> 'delivered');
