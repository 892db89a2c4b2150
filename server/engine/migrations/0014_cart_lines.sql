-- A cart line outlives its product: it keeps what it was called, and so the reference to the variant goes. Neither
-- database drops a constraint in words that the other knows, so the table is made anew.
CREATE TABLE cart_lines_kept (
    id UUID PRIMARY KEY,
    cart_id UUID NOT NULL REFERENCES carts (id) ON DELETE CASCADE,
    -- May be gone: products can be deleted.
    variant_id UUID NOT NULL,
    shop_id UUID NOT NULL REFERENCES shops (id),
    -- What it was called when it was put in.
    title TEXT NOT NULL,
    variant_title TEXT NOT NULL,
    quantity BIGINT NOT NULL CHECK (quantity BETWEEN 1 AND 999),
    -- Whether two carts together held more than there may be of it.
    capped BOOLEAN NOT NULL DEFAULT FALSE,
    -- The price when it was put in, so that a change can be shown.
    price_seen_minor BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (cart_id, variant_id)
);
INSERT INTO cart_lines_kept (id, cart_id, variant_id, shop_id, title, variant_title, quantity, price_seen_minor, created_at)
SELECT l.id, l.cart_id, l.variant_id, v.shop_id, p.title, v.title, l.quantity, l.price_seen_minor, l.created_at
FROM cart_lines l JOIN variants v ON v.id = l.variant_id JOIN products p ON p.id = v.product_id;
DROP TABLE cart_lines;
ALTER TABLE cart_lines_kept RENAME TO cart_lines;
