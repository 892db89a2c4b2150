-- The marketplace's category tree.

CREATE TABLE categories (
    id UUID PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    parent_id UUID REFERENCES categories (id),
    -- The slugs from the root down, each followed by a slash, so that a category's path is a prefix of its descendants' paths.
    path TEXT NOT NULL UNIQUE,
    -- The tax included in the prices of its products, in basis points of the net price.
    tax_bp BIGINT NOT NULL CHECK (tax_bp BETWEEN 0 AND 10000),
    picture_id UUID REFERENCES media (id),
    -- The display order, parents before children.
    position BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

ALTER TABLE products ADD COLUMN category_id UUID REFERENCES categories (id);
CREATE INDEX products_category_id_idx ON products (category_id, id);
CREATE INDEX products_published_price_idx ON products (price_min_minor, id) WHERE state = 'published';

-- Recent best-sellers, recounted every few minutes.
CREATE TABLE popular_products (
    product_id UUID PRIMARY KEY REFERENCES products (id) ON DELETE CASCADE,
    units BIGINT NOT NULL
);
CREATE INDEX orders_created_at_idx ON orders (created_at);
