-- The event feed, correctable tracking details, and orders sorted by the time when they were placed.

-- When the order last changed. Every change increases it, even if the clocks of the nodes differ.
ALTER TABLE orders ADD COLUMN updated_at BIGINT NOT NULL DEFAULT 0;
UPDATE orders SET updated_at = COALESCE((SELECT MAX(e.created_at) FROM order_events e WHERE e.order_id = orders.id), created_at);

-- An order's id is generated when payment starts, so lists are sorted by when the order was placed instead.
DROP INDEX orders_shop_id_id_idx;
DROP INDEX orders_shop_id_state_id_idx;
DROP INDEX orders_state_id_idx;
DROP INDEX orders_created_at_idx;
CREATE INDEX orders_shop_id_created_at_idx ON orders (shop_id, created_at, id);
CREATE INDEX orders_shop_id_state_created_at_idx ON orders (shop_id, state, created_at, id);
CREATE INDEX orders_state_created_at_idx ON orders (state, created_at, id);
CREATE INDEX orders_created_at_idx ON orders (created_at, id);

-- The tracking history of an order: first as shipped, then each correction. The columns of `orders` hold the latest values.
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

-- The events that API clients poll. Their numbers are assigned after the commit that an event describes, by one publisher
-- at a time.
CREATE TABLE events (
    seq BIGINT PRIMARY KEY,
    kind TEXT NOT NULL,
    order_id UUID NOT NULL REFERENCES orders (id),
    shop_id UUID NOT NULL REFERENCES shops (id),
    created_at BIGINT NOT NULL,
    published_at BIGINT NOT NULL
);
CREATE INDEX events_shop_id_seq_idx ON events (shop_id, seq);

-- A single row. Its lock serializes publishers.
CREATE TABLE event_feed (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    -- The number of the latest event.
    last_seq BIGINT NOT NULL,
    -- Events up to and including this number have been deleted.
    deleted_seq BIGINT NOT NULL
);
INSERT INTO event_feed (id, last_seq, deleted_seq) VALUES (1, 0, 0);
