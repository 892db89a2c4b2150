-- The marketplace's tree of categories.

CREATE TABLE categories (
    id UUID PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    parent_id UUID REFERENCES categories (id),
    -- The slugs from the root down, each with a slash behind it: what lies below a category begins with its path.
    path TEXT NOT NULL UNIQUE,
    -- The tax that is in the prices of its products, in basis points of the price without it.
    tax_bp BIGINT NOT NULL CHECK (tax_bp BETWEEN 0 AND 10000),
    picture_id UUID REFERENCES media (id),
    -- The order that the market shows them in, parents before children.
    position BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

ALTER TABLE products ADD COLUMN category_id UUID REFERENCES categories (id);
CREATE INDEX products_category_id_idx ON products (category_id, id);
CREATE INDEX products_published_price_idx ON products (price_min_minor, id) WHERE state = 'published';

-- What sold best lately. Counted again every few minutes.
CREATE TABLE popular_products (
    product_id UUID PRIMARY KEY REFERENCES products (id) ON DELETE CASCADE,
    units BIGINT NOT NULL
);
CREATE INDEX orders_created_at_idx ON orders (created_at);
