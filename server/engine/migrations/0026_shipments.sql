-- An order is shipped in one or more parts, and has a timeline of everything that happened to it.

CREATE TABLE shipments (
    id UUID PRIMARY KEY,
    order_id UUID NOT NULL REFERENCES orders (id),
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    -- The current tracking details; empty if it is not a parcel.
    carrier TEXT NOT NULL,
    tracking_number TEXT NOT NULL,
    tracking_url TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    delivered_at BIGINT
);
CREATE INDEX shipments_order_id_idx ON shipments (order_id);

CREATE TABLE shipment_lines (
    shipment_id UUID NOT NULL REFERENCES shipments (id),
    -- The line's position in the order.
    position BIGINT NOT NULL,
    quantity BIGINT NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (shipment_id, position)
);

-- The sum of the shipments' lines, as a guard.
ALTER TABLE order_lines ADD COLUMN shipped BIGINT NOT NULL DEFAULT 0 CHECK (shipped >= 0 AND shipped <= quantity);

-- Whether parts of it were shipped, which rules out cancelling it.
ALTER TABLE orders ADD COLUMN partly_shipped BOOLEAN NOT NULL DEFAULT FALSE;

INSERT INTO shipments (id, order_id, kind, state, carrier, tracking_number, tracking_url, created_at, delivered_at)
    SELECT o.id, o.id, CASE WHEN o.delivery = 'pickup' THEN 'pickup' ELSE 'parcel' END, o.state, o.carrier,
        o.tracking_number, o.tracking_url, e.created_at,
        (SELECT d.created_at FROM order_events d WHERE d.order_id = o.id AND d.state = 'delivered')
    FROM orders o JOIN order_events e ON e.order_id = o.id AND e.state = 'shipped';
INSERT INTO shipment_lines (shipment_id, position, quantity)
    SELECT h.id, l.position, l.quantity FROM shipments h JOIN order_lines l ON l.order_id = h.order_id;
UPDATE order_lines SET shipped = quantity WHERE order_id IN (SELECT order_id FROM shipments);

-- Whatever happened to an order after it was placed. Every change of an order has a later time than the one before.
CREATE TABLE order_events_kept (
    order_id UUID NOT NULL REFERENCES orders (id),
    created_at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    -- Who made the change: the shop, the shopper, or the market.
    actor TEXT NOT NULL,
    user_id UUID REFERENCES users (id),
    -- JSON, opaque to the database: what else there is to know about this kind of event.
    data TEXT NOT NULL,
    PRIMARY KEY (order_id, created_at, kind)
);
INSERT INTO order_events_kept (order_id, created_at, kind, actor, user_id, data)
    SELECT e.order_id, e.created_at, e.state, e.actor, e.user_id,
        '{"note":"' || REPLACE(REPLACE(e.note, '\', '\\'), '"', '\"') || '"}'
    FROM order_events e
    WHERE e.state <> 'shipped' OR NOT EXISTS (SELECT 1 FROM order_shipments h WHERE h.order_id = e.order_id);
INSERT INTO order_events_kept (order_id, created_at, kind, actor, user_id, data)
    SELECT h.order_id, h.created_at,
        CASE WHEN EXISTS (SELECT 1 FROM order_shipments x WHERE x.order_id = h.order_id AND x.created_at < h.created_at)
            THEN 'tracking_updated' ELSE 'shipped' END,
        h.actor, h.user_id,
        '{"shipment":{"carrier":"' || REPLACE(REPLACE(h.carrier, '\', '\\'), '"', '\"')
            || '","tracking_number":"' || REPLACE(REPLACE(h.tracking_number, '\', '\\'), '"', '\"')
            || '","tracking_url":"' || REPLACE(REPLACE(h.tracking_url, '\', '\\'), '"', '\"') || '"}}'
    FROM order_shipments h;
DROP TABLE order_events;
DROP TABLE order_shipments;
ALTER TABLE order_events_kept RENAME TO order_events;

ALTER TABLE orders DROP COLUMN carrier;
ALTER TABLE orders DROP COLUMN tracking_number;
ALTER TABLE orders DROP COLUMN tracking_url;
