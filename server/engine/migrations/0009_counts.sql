-- Includes the state, so that this index alone is enough to count a shop's published products.
DROP INDEX products_shop_id_title_key_idx;
CREATE INDEX products_shop_id_title_key_idx ON products (shop_id, title_key, id, state);
