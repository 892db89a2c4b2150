-- Increases whenever the totals of a checkout change. A payment names the version that the shopper saw.
ALTER TABLE checkouts ADD COLUMN quote_version BIGINT NOT NULL DEFAULT 1;
