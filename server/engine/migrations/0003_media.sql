-- An image uploaded by a shop, or one of the market's own. Its files are written before its row.
CREATE TABLE media (
    -- Derived from the shop and the uploaded bytes, so uploading the same image twice yields one row.
    id UUID PRIMARY KEY,
    -- NULL for the market's own images.
    shop_id UUID REFERENCES shops (id),
    -- Of the original, after applying its orientation.
    width BIGINT NOT NULL CHECK (width > 0),
    height BIGINT NOT NULL CHECK (height > 0),
    -- #rrggbb
    color TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX media_shop_id_idx ON media (shop_id);

-- The images of a product, at consecutive positions starting from 0.
CREATE TABLE product_pictures (
    product_id UUID NOT NULL REFERENCES products (id),
    position BIGINT NOT NULL CHECK (position >= 0),
    media_id UUID NOT NULL REFERENCES media (id),
    alt TEXT NOT NULL,
    PRIMARY KEY (product_id, position),
    UNIQUE (product_id, media_id)
);
CREATE INDEX product_pictures_media_id_idx ON product_pictures (media_id);

-- A shop's logo.
ALTER TABLE shops ADD COLUMN logo_id UUID REFERENCES media (id);
