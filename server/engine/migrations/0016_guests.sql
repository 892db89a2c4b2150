-- What is counted over a longer time than a node lives, and what guests hold.

-- How often something happened within a span of time.
CREATE TABLE quotas (
    kind TEXT NOT NULL,
    -- A keyed hash of what it is counted for: an address of the network, or an email address.
    subject BYTEA NOT NULL,
    -- When the span ends, in milliseconds since 1970.
    ends_at BIGINT NOT NULL,
    used BIGINT NOT NULL,
    PRIMARY KEY (kind, subject, ends_at)
);
CREATE INDEX quotas_ends_at_idx ON quotas (ends_at);

-- A keyed hash of where a guest's checkout was begun from; NULL for an account's.
ALTER TABLE checkouts ADD COLUMN origin BYTEA;
CREATE INDEX checkouts_origin_idx ON checkouts (origin) WHERE origin IS NOT NULL AND state IN ('open', 'paying');
