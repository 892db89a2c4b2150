-- Capacities apart from what is sold (docs/decisions/0021-capacities.md): a variant refers to the capacity of its stock, or
-- has none; a line may need others; and a hold belongs to a line of its checkout.

-- SQLite and PostgreSQL have no common syntax for changing a constraint, so these tables are rebuilt.

-- A limited resource: the quantity on hand and how much of it is held. The guard against overselling is on this row.
CREATE TABLE capacities_kept (
    id UUID PRIMARY KEY,
    -- What it limits: 'stock' of a variant.
    kind TEXT NOT NULL,
    -- The shop that it belongs to; NULL if it is the market's.
    owner UUID REFERENCES shops (id),
    on_hand BIGINT NOT NULL,
    held BIGINT NOT NULL,
    -- To change a capacity, a row of kind 'change' is inserted that conflicts with it and so is never stored. Its amounts are
    -- differences (inventory/capacity.rs).
    CHECK (kind = 'change' OR (held >= 0 AND held <= on_hand))
);
INSERT INTO capacities_kept (id, kind, owner, on_hand, held)
SELECT c.id, c.kind, v.shop_id, c.on_hand, c.held FROM capacities c LEFT JOIN variants v ON v.id = c.id;

-- The history behind on_hand, which equals the sum of these deltas.
CREATE TABLE stock_movements_kept (
    capacity_id UUID NOT NULL REFERENCES capacities_kept (id),
    reason TEXT NOT NULL,
    -- The delivery, purchase, cancelled order or stock count that caused it. Each can move a capacity only once.
    reference UUID NOT NULL,
    delta BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (capacity_id, reason, reference)
);
INSERT INTO stock_movements_kept (capacity_id, reason, reference, delta, created_at)
SELECT capacity_id, reason, reference, delta, created_at FROM stock_movements;

CREATE TABLE variants_kept (
    id UUID PRIMARY KEY,
    product_id UUID NOT NULL REFERENCES products (id),
    shop_id UUID NOT NULL REFERENCES shops (id),
    -- Its stock; NULL if it is sold without limit. The capacities of earlier variants have the same id.
    capacity_id UUID REFERENCES capacities_kept (id),
    sku TEXT NOT NULL,
    title TEXT NOT NULL,
    price_minor BIGINT NOT NULL CHECK (price_minor >= 0),
    position BIGINT NOT NULL,
    compare_at_minor BIGINT CHECK (compare_at_minor > price_minor),
    -- JSON, opaque to the database: the variant's values for the product's options, in the same order.
    options TEXT NOT NULL DEFAULT '[]',
    -- The stock level at or below which the shop is alerted.
    low_stock BIGINT NOT NULL DEFAULT 3 CHECK (low_stock >= 0),
    -- No longer for sale, but kept for existing orders.
    archived BOOLEAN NOT NULL DEFAULT FALSE
);
INSERT INTO variants_kept (id, product_id, shop_id, capacity_id, sku, title, price_minor, position, compare_at_minor, options,
    low_stock, archived)
SELECT id, product_id, shop_id, id, sku, title, price_minor, position, compare_at_minor, options, low_stock, archived
FROM variants;

-- What a checkout reserves of a capacity. A capacity's `held` is the sum of its active holds.
CREATE TABLE holds_kept (
    checkout_id UUID NOT NULL REFERENCES checkouts (id),
    -- The line that it is for; NULL if it is for the checkout as a whole.
    position BIGINT,
    capacity_id UUID NOT NULL REFERENCES capacities_kept (id),
    quantity BIGINT NOT NULL CHECK (quantity > 0),
    state TEXT NOT NULL
);
INSERT INTO holds_kept (checkout_id, position, capacity_id, quantity, state)
SELECT h.checkout_id, (SELECT MIN(l.position) FROM checkout_lines l
        WHERE l.checkout_id = h.checkout_id AND l.variant_id = h.capacity_id),
    h.capacity_id, h.quantity, h.state FROM holds h;

DROP TABLE holds;
DROP TABLE variants;
DROP TABLE stock_movements;
DROP TABLE capacities;
ALTER TABLE capacities_kept RENAME TO capacities;
ALTER TABLE stock_movements_kept RENAME TO stock_movements;
ALTER TABLE variants_kept RENAME TO variants;
ALTER TABLE holds_kept RENAME TO holds;

CREATE INDEX variants_product_id_idx ON variants (product_id);
CREATE UNIQUE INDEX variants_sku_key ON variants (shop_id, sku) WHERE NOT archived;
CREATE UNIQUE INDEX variants_capacity_id_key ON variants (capacity_id);
CREATE UNIQUE INDEX holds_line_key ON holds (checkout_id, position, capacity_id);
CREATE INDEX holds_capacity_id_idx ON holds (capacity_id);
-- Whether a product was ever part of a checkout, which decides whether it can be deleted.
CREATE INDEX checkout_lines_product_id_idx ON checkout_lines (product_id);

-- What a line of a cart needs besides the stock of its variant.
CREATE TABLE line_capacities (
    line_id UUID NOT NULL REFERENCES cart_lines (id) ON DELETE CASCADE,
    capacity_id UUID NOT NULL REFERENCES capacities (id),
    -- For each unit of the line.
    quantity BIGINT NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (line_id, capacity_id)
);
CREATE INDEX line_capacities_capacity_id_idx ON line_capacities (capacity_id);
