-- Written by a node to check that it can write.
CREATE TABLE heartbeats (
    id BIGINT PRIMARY KEY,
    beaten_at BIGINT NOT NULL
);
