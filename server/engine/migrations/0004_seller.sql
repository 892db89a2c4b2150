-- The seller dashboard and the admin console.

-- A shop's address and its delivery and returns terms.
ALTER TABLE shops ADD COLUMN town TEXT NOT NULL DEFAULT '';
ALTER TABLE shops ADD COLUMN address TEXT NOT NULL DEFAULT '';
-- The subtotal from which delivery is free; NULL if it never is.
ALTER TABLE shops ADD COLUMN free_delivery_from_minor BIGINT CHECK (free_delivery_from_minor > 0);
ALTER TABLE shops ADD COLUMN delivery_days_min BIGINT NOT NULL DEFAULT 2 CHECK (delivery_days_min >= 0);
ALTER TABLE shops ADD COLUMN delivery_days_max BIGINT NOT NULL DEFAULT 5 CHECK (delivery_days_max >= delivery_days_min);
-- 0 if returns are not accepted.
ALTER TABLE shops ADD COLUMN returns_days BIGINT NOT NULL DEFAULT 7 CHECK (returns_days >= 0);
-- Incremented by every edit; a client that saves sends the version that it has read.
ALTER TABLE shops ADD COLUMN version BIGINT NOT NULL DEFAULT 1;

ALTER TABLE products ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
-- JSON, opaque to the database: the names of the product's options.
ALTER TABLE products ADD COLUMN options TEXT NOT NULL DEFAULT '[]';
-- The beginning of the title in lower case, for sorting; truncated because PostgreSQL limits the size of index entries.
ALTER TABLE products ADD COLUMN title_key TEXT NOT NULL DEFAULT '';
CREATE INDEX products_shop_id_state_id_idx ON products (shop_id, state, id);
CREATE INDEX products_shop_id_title_key_idx ON products (shop_id, title_key, id);
CREATE INDEX products_shop_id_price_idx ON products (shop_id, price_min_minor, id);

ALTER TABLE variants ADD COLUMN compare_at_minor BIGINT CHECK (compare_at_minor > price_minor);
-- JSON, opaque to the database: the variant's values for the product's options, in the same order.
ALTER TABLE variants ADD COLUMN options TEXT NOT NULL DEFAULT '[]';
-- The stock level at or below which the shop is alerted.
ALTER TABLE variants ADD COLUMN low_stock BIGINT NOT NULL DEFAULT 3 CHECK (low_stock >= 0);
-- No longer for sale, but kept for existing orders.
ALTER TABLE variants ADD COLUMN archived BOOLEAN NOT NULL DEFAULT FALSE;
CREATE UNIQUE INDEX variants_sku_key ON variants (shop_id, sku) WHERE NOT archived;

-- Which fields each edit of a product or of a shop's settings changed, to report conflicts between concurrent edits.
CREATE TABLE revisions (
    subject UUID NOT NULL,
    -- The version that the edit created.
    version BIGINT NOT NULL,
    -- JSON, opaque to the database: field names.
    fields TEXT NOT NULL,
    edited_by UUID REFERENCES users (id),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (subject, version)
);

ALTER TABLE orders ADD COLUMN carrier TEXT NOT NULL DEFAULT '';
ALTER TABLE orders ADD COLUMN tracking_number TEXT NOT NULL DEFAULT '';
ALTER TABLE orders ADD COLUMN tracking_url TEXT NOT NULL DEFAULT '';
-- Order number, email address and name in lower case, for the shop's search.
ALTER TABLE orders ADD COLUMN search_folded TEXT NOT NULL DEFAULT '';
CREATE INDEX orders_shop_id_state_id_idx ON orders (shop_id, state, id);
-- Covers the query for a shop's daily sales.
CREATE INDEX orders_sales_idx ON orders (shop_id, created_at, state, total_minor);
CREATE INDEX orders_state_id_idx ON orders (state, id);

-- The state changes of an order after it was placed. Each state is reached at most once.
CREATE TABLE order_events (
    order_id UUID NOT NULL REFERENCES orders (id),
    state TEXT NOT NULL CHECK (state IN ('confirmed', 'shipped', 'delivered', 'cancelled')),
    -- Who made the change: the shop, the shopper, or the market.
    actor TEXT NOT NULL CHECK (actor IN ('shop', 'shopper', 'market')),
    user_id UUID REFERENCES users (id),
    note TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (order_id, state)
);

-- Refunds that are pending. `refunded + pending refunds <= captured` guards every refund.
ALTER TABLE payments ADD COLUMN refund_pending_minor BIGINT NOT NULL DEFAULT 0
    CHECK (refund_pending_minor >= 0 AND refunded_minor + refund_pending_minor <= captured_minor);
-- The order that a refund is for; an order is refunded at most once.
ALTER TABLE refunds ADD COLUMN order_id UUID REFERENCES orders (id);
CREATE UNIQUE INDEX refunds_cancelled_key ON refunds (order_id) WHERE reason = 'cancelled';
CREATE INDEX refunds_payment_id_idx ON refunds (payment_id);

-- Covers the query for a shop's balance.
CREATE INDEX ledger_entries_balance_idx ON ledger_entries (shop_id, posting_id, currency, amount_minor)
    WHERE shop_id IS NOT NULL;

CREATE INDEX jobs_state_id_idx ON jobs (state, id) WHERE state <> 'done';

-- The actions of the market's operators.
CREATE TABLE audit (
    id UUID PRIMARY KEY,
    -- NULL for the command line.
    user_id UUID REFERENCES users (id),
    action TEXT NOT NULL,
    subject UUID NOT NULL,
    note TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
