-- Payments, second version: a method, its gateway and who collects the money are three things; a purchase may have
-- several payments; a payment may be authorized before it is captured; a refund may be completed later.

-- Every captured payment is posted once, as owed to the shopper. A sale then moves its part to the shop.
UPDATE ledger_postings SET kind = 'capture' WHERE kind = 'orphaned_capture';
UPDATE ledger_postings SET kind = 'refund' WHERE kind = 'orphaned_refund';
UPDATE ledger_entries SET account = 'shopper_payable' WHERE account = 'gateway_clearing'
    AND posting_id IN (SELECT id FROM ledger_postings WHERE kind = 'sale');
INSERT INTO ledger_postings (id, kind, reference, created_at)
    SELECT id, 'capture', id, updated_at FROM payments
    WHERE captured_minor > 0 AND id NOT IN (SELECT reference FROM ledger_postings WHERE kind = 'capture');
INSERT INTO ledger_entries (posting_id, line, account, shop_id, currency, amount_minor)
    SELECT p.id, 1, 'gateway_clearing', NULL, p.currency, p.captured_minor
    FROM ledger_postings g JOIN payments p ON p.id = g.id;
INSERT INTO ledger_entries (posting_id, line, account, shop_id, currency, amount_minor)
    SELECT p.id, 2, 'shopper_payable', NULL, p.currency, -p.captured_minor
    FROM ledger_postings g JOIN payments p ON p.id = g.id;

-- How much of an order's total the marketplace has collected. The shop collects the rest.
ALTER TABLE orders ADD COLUMN collected_minor BIGINT NOT NULL DEFAULT 0;
UPDATE orders SET collected_minor = total_minor
    WHERE purchase_id IN (SELECT id FROM purchases WHERE method <> 'cash');

-- SQLite cannot change constraints, so the tables are copied. States are checked by their types, not by the database.
CREATE TABLE new_payments (
    -- Also sent to the gateway as the id of this attempt, so that a repeated request creates only one payment there.
    id UUID PRIMARY KEY,
    checkout_id UUID NOT NULL REFERENCES checkouts (id),
    purchase_id UUID REFERENCES purchases (id),
    method TEXT NOT NULL,
    -- The gateway's name, and the gateway's own id for the payment.
    gateway TEXT NOT NULL,
    gateway_ref TEXT,
    -- Who receives the money: `market` or `shop`.
    collected_by TEXT NOT NULL,
    -- The version of the checkout's quote that it is for. A part of the total counts only for this version.
    quote_version BIGINT NOT NULL,
    state TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount_minor BIGINT NOT NULL CHECK (amount_minor >= 0),
    captured_minor BIGINT NOT NULL,
    refunded_minor BIGINT NOT NULL,
    -- Refunds that are queued or pending.
    refund_pending_minor BIGINT NOT NULL,
    -- What the gateway charges for the payment; 0 until it is known.
    fee_minor BIGINT NOT NULL,
    -- JSON, opaque to the database: how the shopper continues; NULL if there is nothing to do.
    next_action TEXT,
    -- When reconciliation will next query the gateway, and how often it has so far; NULL when nothing is left to query.
    check_at BIGINT,
    checks BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (gateway, gateway_ref),
    CHECK (collected_by = 'market' OR captured_minor = 0),
    -- A gateway may capture more than was requested; all of it is then refunded.
    CHECK (refunded_minor >= 0 AND refund_pending_minor >= 0 AND refunded_minor + refund_pending_minor <= captured_minor)
);
INSERT INTO new_payments (id, checkout_id, purchase_id, method, gateway, gateway_ref, collected_by, quote_version, state,
        currency, amount_minor, captured_minor, refunded_minor, refund_pending_minor, fee_minor, next_action, check_at, checks, created_at, updated_at)
    SELECT id, checkout_id, purchase_id, method, method, gateway_ref, CASE WHEN method = 'cash' THEN 'shop' ELSE 'market' END,
        (SELECT c.quote_version FROM checkouts c WHERE c.id = payments.checkout_id), state, currency, amount_minor, captured_minor, refunded_minor, refund_pending_minor, 0,
        CASE WHEN next_url <> '' THEN '{"type":"redirect","url":"' || next_url || '"}' END,
        check_at, checks, created_at, updated_at
    FROM payments;

CREATE TABLE new_refunds (
    -- Also sent to the gateway, so that a repeated request refunds only once.
    id UUID PRIMARY KEY,
    payment_id UUID NOT NULL REFERENCES new_payments (id),
    order_id UUID REFERENCES orders (id),
    -- The gateway's own id for the refund.
    gateway_ref TEXT,
    amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
    reason TEXT NOT NULL,
    state TEXT NOT NULL,
    -- When reconciliation will next query the gateway about a pending refund, and how often it has so far.
    check_at BIGINT,
    checks BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    done_at BIGINT
);
INSERT INTO new_refunds (id, payment_id, order_id, amount_minor, reason, state, checks, created_at, done_at)
    SELECT id, payment_id, order_id, amount_minor, reason, state, 0, created_at, done_at FROM refunds;
DROP TABLE refunds;
DROP TABLE payments;
ALTER TABLE new_payments RENAME TO payments;
ALTER TABLE new_refunds RENAME TO refunds;
-- One payment of a checkout at a time waits for the shopper.
CREATE UNIQUE INDEX payments_one_open_per_checkout_key ON payments (checkout_id) WHERE state IN ('created', 'pending');
CREATE INDEX payments_checkout_id_idx ON payments (checkout_id);
CREATE INDEX payments_purchase_id_idx ON payments (purchase_id) WHERE purchase_id IS NOT NULL;
CREATE INDEX payments_check_at_idx ON payments (check_at) WHERE check_at IS NOT NULL;
CREATE UNIQUE INDEX refunds_orphaned_key ON refunds (payment_id) WHERE reason = 'orphaned';
CREATE UNIQUE INDEX refunds_cancelled_key ON refunds (order_id, payment_id) WHERE reason = 'cancelled';
CREATE INDEX refunds_payment_id_idx ON refunds (payment_id);
CREATE INDEX refunds_gateway_ref_idx ON refunds (gateway_ref) WHERE gateway_ref IS NOT NULL;
CREATE INDEX refunds_check_at_idx ON refunds (check_at) WHERE check_at IS NOT NULL;

-- What an event is about: `payment`, `refund`, `dispute`, `payout` or `account`; `gateway_ref` names it.
ALTER TABLE webhook_events ADD COLUMN kind TEXT NOT NULL DEFAULT 'payment';

CREATE TABLE new_sandbox_payments (
    gateway_ref TEXT PRIMARY KEY,
    attempt_id UUID NOT NULL UNIQUE,
    currency TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    refunded_minor BIGINT NOT NULL,
    -- `waiting`, `challenged`, `authorized`, `captured` or `declined`.
    state TEXT NOT NULL,
    -- Whether it is authorized first, and captured by a request.
    authorizes BOOLEAN NOT NULL,
    card TEXT NOT NULL,
    return_url TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    CHECK (refunded_minor >= 0 AND refunded_minor <= amount_minor)
);
INSERT INTO new_sandbox_payments (gateway_ref, attempt_id, currency, amount_minor, refunded_minor, state, authorizes, card,
        return_url, created_at)
    SELECT gateway_ref, attempt_id, currency, amount_minor, refunded_minor, state, FALSE, card, return_url, created_at
    FROM sandbox_payments;
CREATE TABLE new_sandbox_refunds (
    attempt_id UUID PRIMARY KEY,
    gateway_ref TEXT NOT NULL REFERENCES new_sandbox_payments (gateway_ref),
    amount_minor BIGINT NOT NULL,
    -- `pending`, `done` or `failed`.
    state TEXT NOT NULL
);
INSERT INTO new_sandbox_refunds (attempt_id, gateway_ref, amount_minor, state)
    SELECT attempt_id, gateway_ref, amount_minor, 'done' FROM sandbox_refunds;
CREATE TABLE new_sandbox_events (
    event_id UUID PRIMARY KEY,
    gateway_ref TEXT NOT NULL REFERENCES new_sandbox_payments (gateway_ref),
    -- The refund that it is about; NULL if it is about the payment.
    refund_id UUID,
    deliver_at BIGINT NOT NULL,
    deliveries_left BIGINT NOT NULL,
    failures BIGINT NOT NULL
);
INSERT INTO new_sandbox_events (event_id, gateway_ref, deliver_at, deliveries_left, failures)
    SELECT event_id, gateway_ref, deliver_at, deliveries_left, failures FROM sandbox_events;
DROP TABLE sandbox_refunds;
DROP TABLE sandbox_events;
DROP TABLE sandbox_payments;
ALTER TABLE new_sandbox_payments RENAME TO sandbox_payments;
ALTER TABLE new_sandbox_refunds RENAME TO sandbox_refunds;
ALTER TABLE new_sandbox_events RENAME TO sandbox_events;
CREATE INDEX sandbox_events_due_idx ON sandbox_events (deliver_at) WHERE deliveries_left > 0;
