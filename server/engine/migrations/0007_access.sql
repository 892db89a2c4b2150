-- Access for API clients.

-- An API client's session, with its current refresh token. Each use rotates the token; reusing an older one ends the
-- session.
CREATE TABLE api_sessions (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    token_hash BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX api_sessions_user_id_idx ON api_sessions (user_id);
CREATE INDEX api_sessions_expires_at_idx ON api_sessions (expires_at);

-- API keys that users create for their programs. They are valid until they are revoked.
CREATE TABLE api_keys (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    -- Scope names, separated by spaces.
    scopes TEXT NOT NULL,
    secret_hash BYTEA NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT
);
CREATE INDEX api_keys_user_id_idx ON api_keys (user_id);
