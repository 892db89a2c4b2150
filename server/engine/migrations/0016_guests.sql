-- Counters that outlive a node, and the stock held by guests.

-- How often something happened within a time window.
CREATE TABLE quotas (
    kind TEXT NOT NULL,
    -- A keyed hash of the subject that is counted: an IP address or an email address.
    subject BYTEA NOT NULL,
    -- When the window ends, in milliseconds since 1970.
    ends_at BIGINT NOT NULL,
    used BIGINT NOT NULL,
    PRIMARY KEY (kind, subject, ends_at)
);
CREATE INDEX quotas_ends_at_idx ON quotas (ends_at);

-- A keyed hash of the address where a guest started the checkout; NULL if it belongs to an account.
ALTER TABLE checkouts ADD COLUMN origin BYTEA;
CREATE INDEX checkouts_origin_idx ON checkouts (origin) WHERE origin IS NOT NULL AND state IN ('open', 'paying');
