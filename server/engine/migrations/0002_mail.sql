-- Email: notifications are sent in a separate step, in the recipient's language.

-- The language of a user, and of the shopper at checkout: one of those in app/locales.
ALTER TABLE users ADD COLUMN locale TEXT NOT NULL DEFAULT 'en';
ALTER TABLE checkouts ADD COLUMN locale TEXT NOT NULL DEFAULT 'en';
ALTER TABLE purchases ADD COLUMN locale TEXT NOT NULL DEFAULT 'en';

ALTER TABLE notifications ADD COLUMN locale TEXT NOT NULL DEFAULT 'en';
ALTER TABLE notifications ADD COLUMN run_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE notifications ADD COLUMN attempts BIGINT NOT NULL DEFAULT 0;
-- When the worker's lease on the notification expires. Each claim has its own id, so a result with an outdated id is late.
ALTER TABLE notifications ADD COLUMN lease_until BIGINT NOT NULL DEFAULT 0;
ALTER TABLE notifications ADD COLUMN claim UUID;
ALTER TABLE notifications ADD COLUMN error TEXT NOT NULL DEFAULT '';
ALTER TABLE notifications ADD COLUMN sent_at BIGINT;
CREATE INDEX notifications_due_idx ON notifications (run_at) WHERE state = 'written';
CREATE INDEX notifications_failed_idx ON notifications (created_at) WHERE state = 'failed';
CREATE INDEX notifications_claim_idx ON notifications (claim) WHERE claim IS NOT NULL;

-- Where emails are kept while no mail server is configured.
CREATE TABLE mailbox (
    id UUID PRIMARY KEY,
    recipient TEXT NOT NULL,
    subject TEXT NOT NULL,
    text TEXT NOT NULL,
    html TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX mailbox_created_at_idx ON mailbox (created_at, id);
