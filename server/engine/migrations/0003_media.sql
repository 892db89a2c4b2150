-- A picture that a shop has sent, or the market's own. Its files are there before its row is.
CREATE TABLE media (
    -- Made of the shop and the bytes that it sent: the same picture sent twice is one.
    id UUID PRIMARY KEY,
    -- NULL for the market's own.
    shop_id UUID REFERENCES shops (id),
    -- Of the original, upright.
    width BIGINT NOT NULL CHECK (width > 0),
    height BIGINT NOT NULL CHECK (height > 0),
    -- #rrggbb
    color TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX media_shop_id_idx ON media (shop_id);

-- What a product is shown with, from position 0 on, without gaps.
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
