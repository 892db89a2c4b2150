-- Sign-ups that wait for the owner of the email address to confirm them.
CREATE TABLE sign_ups (
    id UUID PRIMARY KEY,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    email_folded TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    locale TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sign_ups_expires_at_idx ON sign_ups (expires_at);
