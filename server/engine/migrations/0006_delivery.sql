-- How orders are brought, and the tax that is in their prices.

-- A quicker way, for those who pay for it; NULL for none.
ALTER TABLE shops ADD COLUMN express_minor BIGINT CHECK (express_minor >= 0);
ALTER TABLE shops ADD COLUMN express_days_min BIGINT NOT NULL DEFAULT 1 CHECK (express_days_min >= 0);
ALTER TABLE shops ADD COLUMN express_days_max BIGINT NOT NULL DEFAULT 2 CHECK (express_days_max >= express_days_min);
-- Whether shoppers may come for it.
ALTER TABLE shops ADD COLUMN pickup BOOLEAN NOT NULL DEFAULT FALSE;

ALTER TABLE checkouts ADD COLUMN tax_minor BIGINT NOT NULL DEFAULT 0;
-- JSON, opaque to the database: the ways that were offered, at the prices that were offered.
ALTER TABLE checkout_orders ADD COLUMN options TEXT NOT NULL DEFAULT '[]';
ALTER TABLE checkout_orders ADD COLUMN delivery TEXT NOT NULL DEFAULT 'standard';
ALTER TABLE checkout_orders ADD COLUMN days_min BIGINT NOT NULL DEFAULT 0;
ALTER TABLE checkout_orders ADD COLUMN days_max BIGINT NOT NULL DEFAULT 0;
-- What of the subtotal is tax. It is in the prices; nothing is added.
ALTER TABLE checkout_orders ADD COLUMN tax_minor BIGINT NOT NULL DEFAULT 0;

ALTER TABLE orders ADD COLUMN delivery TEXT NOT NULL DEFAULT 'standard' CHECK (delivery IN ('standard', 'express', 'pickup'));
ALTER TABLE orders ADD COLUMN days_min BIGINT NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN days_max BIGINT NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN tax_minor BIGINT NOT NULL DEFAULT 0;
