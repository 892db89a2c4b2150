-- What a node writes to see whether it can write.
CREATE TABLE heartbeats (
    id BIGINT PRIMARY KEY,
    beaten_at BIGINT NOT NULL
);
