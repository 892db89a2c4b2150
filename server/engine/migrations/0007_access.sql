-- How programs come in.

-- A program's sign-in: the refresh token that is good now. Each use makes the next one; who brings an older one ends it.
CREATE TABLE api_sessions (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    token_hash BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX api_sessions_user_id_idx ON api_sessions (user_id);
CREATE INDEX api_sessions_expires_at_idx ON api_sessions (expires_at);

-- Keys that people make for their programs. They last until they are taken back.
CREATE TABLE api_keys (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    -- Names of scopes with blanks between them.
    scopes TEXT NOT NULL,
    secret_hash BYTEA NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT
);
CREATE INDEX api_keys_user_id_idx ON api_keys (user_id);
