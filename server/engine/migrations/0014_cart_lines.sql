-- A cart line outlives its product: it stores the title, and the foreign key to the variant is dropped. SQLite and
-- PostgreSQL have no common syntax for dropping a constraint, so the table is rebuilt.
CREATE TABLE cart_lines_kept (
    id UUID PRIMARY KEY,
    cart_id UUID NOT NULL REFERENCES carts (id) ON DELETE CASCADE,
    -- May no longer exist, since products can be deleted.
    variant_id UUID NOT NULL,
    shop_id UUID NOT NULL REFERENCES shops (id),
    -- The titles when the item was added.
    title TEXT NOT NULL,
    variant_title TEXT NOT NULL,
    quantity BIGINT NOT NULL CHECK (quantity BETWEEN 1 AND 999),
    -- Whether the quantity was reduced to the maximum when two carts were merged.
    capped BOOLEAN NOT NULL DEFAULT FALSE,
    -- The price when the item was added, so that a change can be shown.
    price_seen_minor BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (cart_id, variant_id)
);
INSERT INTO cart_lines_kept (id, cart_id, variant_id, shop_id, title, variant_title, quantity, price_seen_minor, created_at)
SELECT l.id, l.cart_id, l.variant_id, v.shop_id, p.title, v.title, l.quantity, l.price_seen_minor, l.created_at
FROM cart_lines l JOIN variants v ON v.id = l.variant_id JOIN products p ON p.id = v.product_id;
DROP TABLE cart_lines;
ALTER TABLE cart_lines_kept RENAME TO cart_lines;
