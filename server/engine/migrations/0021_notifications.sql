-- Notifications have an ID of their own and a channel: at most one per event, recipient and channel.

-- No market has been released yet, so emails that were not sent before this migration are dropped.
DROP TABLE notifications;

-- Who was notified of what, through which channel, and whether the notification was delivered.
CREATE TABLE notifications (
    id UUID PRIMARY KEY,
    -- What happened: the id of an outbox message, or of a sign-up.
    event UUID NOT NULL,
    -- An address of the channel.
    recipient TEXT NOT NULL,
    channel TEXT NOT NULL,
    -- The template, and the object that it describes.
    kind TEXT NOT NULL,
    subject UUID NOT NULL,
    locale TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('written', 'sent', 'failed')),
    run_at BIGINT NOT NULL DEFAULT 0,
    attempts BIGINT NOT NULL DEFAULT 0,
    -- When the worker's lease on the notification expires. Each claim has its own id, so a result with an outdated id is late.
    lease_until BIGINT NOT NULL DEFAULT 0,
    claim UUID,
    error TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL,
    sent_at BIGINT
);
CREATE UNIQUE INDEX notifications_event_recipient_channel_key ON notifications (event, recipient, channel);
CREATE INDEX notifications_due_idx ON notifications (channel, run_at) WHERE state = 'written';
CREATE INDEX notifications_failed_idx ON notifications (channel, created_at) WHERE state = 'failed';
CREATE INDEX notifications_claim_idx ON notifications (claim) WHERE claim IS NOT NULL;
