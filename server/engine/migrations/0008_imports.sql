-- Files of products on their way into a shop: read and checked first, then put in, a few products at a time.
CREATE TABLE imports (
    id UUID PRIMARY KEY,
    shop_id UUID NOT NULL REFERENCES shops (id),
    -- Who sent it; NULL for the command line.
    user_id UUID REFERENCES users (id),
    file_name TEXT NOT NULL,
    format TEXT NOT NULL CHECK (format IN ('csv', 'json', 'icecat')),
    state TEXT NOT NULL CHECK (state IN ('reading', 'checked', 'applying', 'done', 'stopped')),
    -- Whether the stock of what the shop has already becomes what the file says.
    set_stock BOOLEAN NOT NULL,
    -- Products that hold, how many of those were new and how many differed when they were read, and those that do not hold.
    valid BIGINT NOT NULL,
    new BIGINT NOT NULL,
    changed BIGINT NOT NULL,
    invalid BIGINT NOT NULL,
    faults BIGINT NOT NULL,
    -- What became of those that held.
    added BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    unchanged BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    -- They go in one after the other, in this order.
    started_at BIGINT,
    updated_at BIGINT NOT NULL
);
CREATE INDEX imports_shop_id_id_idx ON imports (shop_id, id);
CREATE INDEX imports_applying_idx ON imports (started_at, id) WHERE state = 'applying';
CREATE INDEX imports_updated_at_idx ON imports (updated_at);

-- Some products that wait for their turn. Whoever puts them in takes the row away in the same transaction.
CREATE TABLE import_batches (
    import_id UUID NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    -- JSON, opaque to the database.
    items TEXT NOT NULL,
    PRIMARY KEY (import_id, number)
);

-- What does not hold of a file.
CREATE TABLE import_errors (
    import_id UUID NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
    line BIGINT NOT NULL,
    number BIGINT NOT NULL,
    field TEXT NOT NULL,
    code TEXT NOT NULL,
    found TEXT NOT NULL,
    PRIMARY KEY (import_id, line, number)
);
