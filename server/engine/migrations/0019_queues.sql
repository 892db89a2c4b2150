-- Queues for jobs with a payload, deduplicated while they are queued; and periodic work.

-- Jobs are created from messages, so unfinished refunds are turned back into messages.
INSERT INTO outbox (id, kind, subject, created_at)
    SELECT id, 'refund_queued', subject, created_at FROM jobs WHERE kind = 'refund' AND state IN ('queued', 'dead');
DROP TABLE jobs;

-- Background jobs to run after the transaction that created them has committed.
CREATE TABLE jobs (
    id UUID PRIMARY KEY,
    queue TEXT NOT NULL,
    name TEXT NOT NULL,
    -- JSON, opaque to the database.
    payload TEXT NOT NULL,
    -- The subject of the job. At most one job with the same name and key is queued or running.
    dedupe_key TEXT NOT NULL,
    -- A running job is still 'queued', with a lease.
    state TEXT NOT NULL CHECK (state IN ('queued', 'done', 'dead', 'discarded')),
    run_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    -- When the worker's lease on the job expires. Every claim has its own id.
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

-- Periodic work, such as ending expired checkouts: each schedule runs on one node at a time.
CREATE TABLE schedules (
    name TEXT PRIMARY KEY,
    next_run_at BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    claim UUID
);
