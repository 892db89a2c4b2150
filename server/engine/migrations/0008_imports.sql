-- Product imports: a file is read and checked first, then applied a few products at a time.
CREATE TABLE imports (
    id UUID PRIMARY KEY,
    shop_id UUID NOT NULL REFERENCES shops (id),
    -- Who uploaded the file; NULL for the command line.
    user_id UUID REFERENCES users (id),
    file_name TEXT NOT NULL,
    format TEXT NOT NULL CHECK (format IN ('csv', 'json', 'icecat')),
    state TEXT NOT NULL CHECK (state IN ('reading', 'checked', 'applying', 'done', 'stopped')),
    -- Whether the stock of existing products is set to the values in the file.
    set_stock BOOLEAN NOT NULL,
    -- The number of valid products, how many of these were new or changed when the file was read, and the number of invalid ones.
    valid BIGINT NOT NULL,
    new BIGINT NOT NULL,
    changed BIGINT NOT NULL,
    invalid BIGINT NOT NULL,
    faults BIGINT NOT NULL,
    -- The results for the valid products.
    added BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    unchanged BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    -- Imports are applied one after another, in this order.
    started_at BIGINT,
    updated_at BIGINT NOT NULL
);
CREATE INDEX imports_shop_id_id_idx ON imports (shop_id, id);
CREATE INDEX imports_applying_idx ON imports (started_at, id) WHERE state = 'applying';
CREATE INDEX imports_updated_at_idx ON imports (updated_at);

-- Products waiting to be applied. Whoever applies a batch deletes its row in the same transaction.
CREATE TABLE import_batches (
    import_id UUID NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    -- JSON, opaque to the database.
    items TEXT NOT NULL,
    PRIMARY KEY (import_id, number)
);

-- The errors found in a file.
CREATE TABLE import_errors (
    import_id UUID NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
    line BIGINT NOT NULL,
    number BIGINT NOT NULL,
    field TEXT NOT NULL,
    code TEXT NOT NULL,
    found TEXT NOT NULL,
    PRIMARY KEY (import_id, line, number)
);
