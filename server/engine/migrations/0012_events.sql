-- The feed of events, tracking that can be corrected, and orders sorted by when they were placed.

-- When the order last changed. Each change makes it greater, even where the clocks of nodes differ.
ALTER TABLE orders ADD COLUMN updated_at BIGINT NOT NULL DEFAULT 0;
UPDATE orders SET updated_at = COALESCE((SELECT MAX(e.created_at) FROM order_events e WHERE e.order_id = orders.id), created_at);

-- An order's id is made when paying begins, so lists are sorted by when it was placed.
DROP INDEX orders_shop_id_id_idx;
DROP INDEX orders_shop_id_state_id_idx;
DROP INDEX orders_state_id_idx;
DROP INDEX orders_created_at_idx;
CREATE INDEX orders_shop_id_created_at_idx ON orders (shop_id, created_at, id);
CREATE INDEX orders_shop_id_state_created_at_idx ON orders (shop_id, state, created_at, id);
CREATE INDEX orders_state_created_at_idx ON orders (state, created_at, id);
CREATE INDEX orders_created_at_idx ON orders (created_at, id);

-- The tracking of an order: the first row as it was shipped, then each correction. The order's own columns hold the latest.
CREATE TABLE order_shipments (
    id UUID PRIMARY KEY,
    order_id UUID NOT NULL REFERENCES orders (id),
    carrier TEXT NOT NULL,
    tracking_number TEXT NOT NULL,
    tracking_url TEXT NOT NULL,
    actor TEXT NOT NULL CHECK (actor IN ('shop', 'shopper', 'market')),
    user_id UUID REFERENCES users (id),
    created_at BIGINT NOT NULL
);
CREATE INDEX order_shipments_order_id_idx ON order_shipments (order_id);
INSERT INTO order_shipments (id, order_id, carrier, tracking_number, tracking_url, actor, user_id, created_at)
    SELECT o.id, o.id, o.carrier, o.tracking_number, o.tracking_url, e.actor, e.user_id, e.created_at
    FROM order_events e JOIN orders o ON o.id = e.order_id WHERE e.state = 'shipped';

-- What programs poll. The numbers are given out after the commit that an event is about, by one publisher at a time.
CREATE TABLE events (
    seq BIGINT PRIMARY KEY,
    kind TEXT NOT NULL,
    order_id UUID NOT NULL REFERENCES orders (id),
    shop_id UUID NOT NULL REFERENCES shops (id),
    created_at BIGINT NOT NULL,
    published_at BIGINT NOT NULL
);
CREATE INDEX events_shop_id_seq_idx ON events (shop_id, seq);

-- One row. Its lock makes publishers take turns.
CREATE TABLE event_feed (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    -- The number of the latest event.
    last_seq BIGINT NOT NULL,
    -- Events up to this number were deleted.
    deleted_seq BIGINT NOT NULL
);
INSERT INTO event_feed (id, last_seq, deleted_seq) VALUES (1, 0, 0);
