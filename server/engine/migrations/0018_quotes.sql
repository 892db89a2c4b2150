-- The inputs of a checkout's quote, so that it can be recalculated, and the total of each of its orders.

ALTER TABLE checkout_lines ADD COLUMN tax_bp BIGINT NOT NULL DEFAULT 0;
ALTER TABLE checkout_lines ADD COLUMN commission_bp BIGINT NOT NULL DEFAULT 0;
UPDATE checkout_lines SET tax_bp = COALESCE((SELECT k.tax_bp FROM products p JOIN categories k ON k.id = p.category_id
        WHERE p.id = checkout_lines.product_id), 0),
    commission_bp = COALESCE((SELECT s.commission_bp FROM checkout_orders o JOIN shops s ON s.id = o.shop_id
        WHERE o.order_id = checkout_lines.order_id), 0);
-- The tax of each line, and its rate. NULL for lines created before this was stored.
ALTER TABLE checkout_lines ADD COLUMN tax_minor BIGINT;
ALTER TABLE order_lines ADD COLUMN tax_bp BIGINT;
ALTER TABLE order_lines ADD COLUMN tax_minor BIGINT;

ALTER TABLE checkout_orders ADD COLUMN total_minor BIGINT NOT NULL DEFAULT 0;
UPDATE checkout_orders SET total_minor = subtotal_minor + delivery_minor;
