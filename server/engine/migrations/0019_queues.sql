-- Jobs with a payload, in queues, once while queued; periodic work.

-- Jobs are made from messages: refunds that are not done yet become messages again.
INSERT INTO outbox (id, kind, subject, created_at)
    SELECT id, 'refund_queued', subject, created_at FROM jobs WHERE kind = 'refund' AND state IN ('queued', 'dead');
DROP TABLE jobs;

-- Work to be done after the commit.
CREATE TABLE jobs (
    id UUID PRIMARY KEY,
    queue TEXT NOT NULL,
    name TEXT NOT NULL,
    -- JSON.
    payload TEXT NOT NULL,
    -- What it works on. Of the jobs with the same name and key, one at most is queued or running.
    dedupe_key TEXT NOT NULL,
    -- A job that is running is still queued, with a lease.
    state TEXT NOT NULL CHECK (state IN ('queued', 'done', 'dead', 'discarded')),
    run_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    -- Until when the worker that claimed it may run and complete it. Every claim has its own ID.
    lease_until BIGINT NOT NULL,
    claim UUID,
    error TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX jobs_name_dedupe_key_key ON jobs (name, dedupe_key) WHERE state = 'queued';
CREATE INDEX jobs_due_idx ON jobs (queue, run_at) WHERE state = 'queued';
CREATE INDEX jobs_done_idx ON jobs (updated_at) WHERE state = 'done';
CREATE INDEX jobs_state_id_idx ON jobs (state, id) WHERE state <> 'done';

-- Periodic work, such as ending expired checkouts: each is done by one node at a time.
CREATE TABLE schedules (
    name TEXT PRIMARY KEY,
    next_run_at BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    claim UUID
);
