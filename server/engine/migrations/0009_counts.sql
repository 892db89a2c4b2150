-- With the state, so that a shop's products on sale are counted in this index alone.
DROP INDEX products_shop_id_title_key_idx;
CREATE INDEX products_shop_id_title_key_idx ON products (shop_id, title_key, id, state);
