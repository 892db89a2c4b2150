-- Delivery options, and the tax included in prices.

-- The price of express delivery; NULL if it is not offered.
ALTER TABLE shops ADD COLUMN express_minor BIGINT CHECK (express_minor >= 0);
ALTER TABLE shops ADD COLUMN express_days_min BIGINT NOT NULL DEFAULT 1 CHECK (express_days_min >= 0);
ALTER TABLE shops ADD COLUMN express_days_max BIGINT NOT NULL DEFAULT 2 CHECK (express_days_max >= express_days_min);
-- Whether shoppers may collect their orders from the shop.
ALTER TABLE shops ADD COLUMN pickup BOOLEAN NOT NULL DEFAULT FALSE;

ALTER TABLE checkouts ADD COLUMN tax_minor BIGINT NOT NULL DEFAULT 0;
-- JSON, opaque to the database: the delivery options that were offered, with the prices quoted.
ALTER TABLE checkout_orders ADD COLUMN options TEXT NOT NULL DEFAULT '[]';
ALTER TABLE checkout_orders ADD COLUMN delivery TEXT NOT NULL DEFAULT 'standard';
ALTER TABLE checkout_orders ADD COLUMN days_min BIGINT NOT NULL DEFAULT 0;
ALTER TABLE checkout_orders ADD COLUMN days_max BIGINT NOT NULL DEFAULT 0;
-- The tax included in the subtotal; it is not added to the price.
ALTER TABLE checkout_orders ADD COLUMN tax_minor BIGINT NOT NULL DEFAULT 0;

ALTER TABLE orders ADD COLUMN delivery TEXT NOT NULL DEFAULT 'standard' CHECK (delivery IN ('standard', 'express', 'pickup'));
ALTER TABLE orders ADD COLUMN days_min BIGINT NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN days_max BIGINT NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN tax_minor BIGINT NOT NULL DEFAULT 0;
