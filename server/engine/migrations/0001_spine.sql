-- The core schema: accounts, shops, catalogue, inventory, carts, checkout, orders, payments, ledger, outbox and jobs.
--
-- The same SQL runs on SQLite and PostgreSQL (docs/decisions/0002-databases.md). Table names are plural because "user"
-- and "order" are SQL keywords. Ids are UUIDv7; times are UTC in milliseconds; amounts are in minor units, with an ISO
-- 4217 currency code.

CREATE TABLE users (
    id UUID PRIMARY KEY,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    -- Lowercased by the application with Unicode's rules, because lower() differs between the databases.
    email_folded TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    operator BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE sessions (
    id UUID PRIMARY KEY,
    token_hash BYTEA NOT NULL UNIQUE,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_user_id_idx ON sessions (user_id);
CREATE INDEX sessions_expires_at_idx ON sessions (expires_at);

-- The input of a rejected form submission, kept to redisplay the form. Never contains secrets.
CREATE TABLE form_drafts (
    id UUID PRIMARY KEY,
    form TEXT NOT NULL,
    fields TEXT NOT NULL,
    error TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX form_drafts_expires_at_idx ON form_drafts (expires_at);

CREATE TABLE shops (
    id UUID PRIMARY KEY,
    handle TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    currency TEXT NOT NULL,
    commission_bp BIGINT NOT NULL CHECK (commission_bp BETWEEN 0 AND 10000),
    delivery_minor BIGINT NOT NULL CHECK (delivery_minor >= 0),
    created_at BIGINT NOT NULL
);

CREATE TABLE shop_members (
    shop_id UUID NOT NULL REFERENCES shops (id),
    user_id UUID NOT NULL REFERENCES users (id),
    role TEXT NOT NULL CHECK (role IN ('owner', 'manager', 'fulfilment', 'support')),
    PRIMARY KEY (shop_id, user_id)
);
CREATE INDEX shop_members_user_id_idx ON shop_members (user_id);

CREATE TABLE products (
    id UUID PRIMARY KEY,
    shop_id UUID NOT NULL REFERENCES shops (id),
    slug TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    brand TEXT NOT NULL,
    description TEXT NOT NULL,
    -- JSON, opaque to the database: a list of name-value pairs in display order.
    attributes TEXT NOT NULL,
    -- Title and brand in lower case, for simple text search.
    search_folded TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('draft', 'published', 'archived')),
    -- The price range of its variants, denormalized so that listings need no join.
    price_min_minor BIGINT NOT NULL CHECK (price_min_minor >= 0),
    price_max_minor BIGINT NOT NULL CHECK (price_max_minor >= price_min_minor),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX products_shop_id_id_idx ON products (shop_id, id);

-- A limited resource: the quantity on hand and how much of it is held. The guard against overselling is on this row.
CREATE TABLE capacities (
    id UUID PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('stock')),
    on_hand BIGINT NOT NULL,
    held BIGINT NOT NULL,
    CHECK (held >= 0 AND held <= on_hand)
);

-- The history behind on_hand, which equals the sum of these deltas.
CREATE TABLE stock_movements (
    capacity_id UUID NOT NULL REFERENCES capacities (id),
    reason TEXT NOT NULL CHECK (reason IN ('received', 'sold', 'returned', 'counted')),
    -- The delivery, purchase, cancelled order or stock count that caused it. Each can move a capacity only once.
    reference UUID NOT NULL,
    delta BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (capacity_id, reason, reference)
);

-- A variant's stock is the capacity with the same id.
CREATE TABLE variants (
    id UUID PRIMARY KEY REFERENCES capacities (id),
    product_id UUID NOT NULL REFERENCES products (id),
    shop_id UUID NOT NULL REFERENCES shops (id),
    sku TEXT NOT NULL,
    title TEXT NOT NULL,
    price_minor BIGINT NOT NULL CHECK (price_minor >= 0),
    position BIGINT NOT NULL
);
CREATE INDEX variants_product_id_idx ON variants (product_id);

CREATE TABLE carts (
    id UUID PRIMARY KEY,
    -- A guest's cart belongs to whoever holds its token; a user's cart belongs to the user.
    token_hash BYTEA UNIQUE,
    user_id UUID REFERENCES users (id),
    state TEXT NOT NULL CHECK (state IN ('open', 'merged')),
    -- Incremented by every change; a checkout records the version that it was created from.
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CHECK (token_hash IS NOT NULL OR user_id IS NOT NULL)
);
CREATE UNIQUE INDEX carts_one_open_per_user_key ON carts (user_id) WHERE state = 'open' AND user_id IS NOT NULL;

CREATE TABLE cart_lines (
    id UUID PRIMARY KEY,
    cart_id UUID NOT NULL REFERENCES carts (id) ON DELETE CASCADE,
    variant_id UUID NOT NULL REFERENCES variants (id),
    quantity BIGINT NOT NULL CHECK (quantity BETWEEN 1 AND 999),
    -- The price when the item was added, so that a change can be shown.
    price_seen_minor BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (cart_id, variant_id)
);
CREATE INDEX cart_lines_variant_id_idx ON cart_lines (variant_id);

CREATE TABLE checkouts (
    id UUID PRIMARY KEY,
    cart_id UUID NOT NULL REFERENCES carts (id),
    cart_version BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'paying', 'completed', 'expired', 'superseded')),
    currency TEXT NOT NULL,
    subtotal_minor BIGINT NOT NULL,
    delivery_minor BIGINT NOT NULL,
    total_minor BIGINT NOT NULL,
    -- JSON, opaque to the database: the form input so far.
    form TEXT NOT NULL,
    -- JSON, opaque to the database: the details with which a payment was started.
    details TEXT,
    holds BIGINT NOT NULL,
    hold_until BIGINT NOT NULL,
    -- The hold is extended once, when payment starts.
    extended BOOLEAN NOT NULL,
    purchase_id UUID,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CHECK (total_minor = subtotal_minor + delivery_minor)
);
CREATE INDEX checkouts_cart_id_idx ON checkouts (cart_id);
CREATE INDEX checkouts_held_idx ON checkouts (hold_until) WHERE state IN ('open', 'paying');

-- One shop's part of a checkout, which becomes an order.
CREATE TABLE checkout_orders (
    checkout_id UUID NOT NULL REFERENCES checkouts (id),
    position BIGINT NOT NULL,
    order_id UUID NOT NULL UNIQUE,
    shop_id UUID NOT NULL REFERENCES shops (id),
    shop_name TEXT NOT NULL,
    subtotal_minor BIGINT NOT NULL,
    delivery_minor BIGINT NOT NULL,
    commission_minor BIGINT NOT NULL,
    PRIMARY KEY (checkout_id, position)
);

-- The items in the checkout, at the prices that will be charged.
CREATE TABLE checkout_lines (
    checkout_id UUID NOT NULL REFERENCES checkouts (id),
    position BIGINT NOT NULL,
    order_id UUID NOT NULL,
    product_id UUID NOT NULL,
    variant_id UUID NOT NULL,
    title TEXT NOT NULL,
    variant_title TEXT NOT NULL,
    quantity BIGINT NOT NULL CHECK (quantity > 0),
    unit_minor BIGINT NOT NULL CHECK (unit_minor >= 0),
    total_minor BIGINT NOT NULL CHECK (total_minor = quantity * unit_minor),
    PRIMARY KEY (checkout_id, position)
);

-- A reservation of a limited resource. A capacity's `held` is the sum of its active holds.
CREATE TABLE holds (
    checkout_id UUID NOT NULL REFERENCES checkouts (id),
    capacity_id UUID NOT NULL REFERENCES capacities (id),
    quantity BIGINT NOT NULL CHECK (quantity > 0),
    state TEXT NOT NULL CHECK (state IN ('active', 'taken', 'released')),
    PRIMARY KEY (checkout_id, capacity_id)
);
CREATE INDEX holds_capacity_id_idx ON holds (capacity_id);

CREATE TABLE purchases (
    id UUID PRIMARY KEY,
    number TEXT NOT NULL UNIQUE,
    checkout_id UUID NOT NULL UNIQUE REFERENCES checkouts (id),
    user_id UUID REFERENCES users (id),
    email TEXT NOT NULL,
    -- JSON, opaque to the database.
    address TEXT NOT NULL,
    method TEXT NOT NULL,
    currency TEXT NOT NULL,
    total_minor BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX purchases_user_id_id_idx ON purchases (user_id, id);

CREATE TABLE orders (
    id UUID PRIMARY KEY,
    number TEXT NOT NULL UNIQUE,
    purchase_id UUID NOT NULL REFERENCES purchases (id),
    shop_id UUID NOT NULL REFERENCES shops (id),
    shop_name TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('placed', 'confirmed', 'shipped', 'delivered', 'cancelled')),
    currency TEXT NOT NULL,
    subtotal_minor BIGINT NOT NULL,
    delivery_minor BIGINT NOT NULL,
    total_minor BIGINT NOT NULL,
    commission_minor BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    CHECK (total_minor = subtotal_minor + delivery_minor)
);
CREATE INDEX orders_purchase_id_idx ON orders (purchase_id);
CREATE INDEX orders_shop_id_id_idx ON orders (shop_id, id);

CREATE TABLE order_lines (
    order_id UUID NOT NULL REFERENCES orders (id),
    position BIGINT NOT NULL,
    product_id UUID NOT NULL,
    variant_id UUID NOT NULL,
    title TEXT NOT NULL,
    variant_title TEXT NOT NULL,
    quantity BIGINT NOT NULL,
    unit_minor BIGINT NOT NULL,
    total_minor BIGINT NOT NULL,
    PRIMARY KEY (order_id, position)
);

CREATE TABLE payments (
    -- Also sent to the gateway as the id of this attempt, so that a repeated request creates only one payment there.
    id UUID PRIMARY KEY,
    checkout_id UUID NOT NULL REFERENCES checkouts (id),
    purchase_id UUID REFERENCES purchases (id) DEFERRABLE INITIALLY DEFERRED,
    -- The gateway's name, and the gateway's own id for the payment.
    method TEXT NOT NULL,
    gateway_ref TEXT,
    state TEXT NOT NULL CHECK (state IN
        ('created', 'pending', 'captured', 'accepted', 'failed', 'superseded', 'orphaned', 'refunded')),
    currency TEXT NOT NULL,
    amount_minor BIGINT NOT NULL CHECK (amount_minor >= 0),
    captured_minor BIGINT NOT NULL,
    refunded_minor BIGINT NOT NULL,
    -- Where the shopper continues.
    next_url TEXT NOT NULL,
    -- When reconciliation will next query the gateway, and how often it has so far; NULL when nothing is left to query.
    check_at BIGINT,
    checks BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (method, gateway_ref),
    -- A gateway may capture more than was requested; all of it is then refunded.
    CHECK (refunded_minor >= 0 AND refunded_minor <= captured_minor)
);
CREATE UNIQUE INDEX payments_one_open_per_checkout_key ON payments (checkout_id) WHERE state IN ('created', 'pending');
CREATE UNIQUE INDEX payments_one_per_purchase_key ON payments (purchase_id) WHERE purchase_id IS NOT NULL;
CREATE INDEX payments_checkout_id_idx ON payments (checkout_id);
CREATE INDEX payments_check_at_idx ON payments (check_at) WHERE check_at IS NOT NULL;

CREATE TABLE refunds (
    id UUID PRIMARY KEY,
    payment_id UUID NOT NULL REFERENCES payments (id),
    amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
    reason TEXT NOT NULL CHECK (reason IN ('orphaned', 'cancelled')),
    state TEXT NOT NULL CHECK (state IN ('queued', 'done')),
    created_at BIGINT NOT NULL,
    done_at BIGINT
);
CREATE UNIQUE INDEX refunds_orphaned_key ON refunds (payment_id) WHERE reason = 'orphaned';

-- Gateway notifications as received, deduplicated by their event id.
CREATE TABLE webhook_events (
    gateway TEXT NOT NULL,
    event_id TEXT NOT NULL,
    gateway_ref TEXT NOT NULL,
    body BYTEA NOT NULL,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (gateway, event_id)
);

CREATE TABLE ledger_postings (
    id UUID PRIMARY KEY,
    kind TEXT NOT NULL,
    -- The order or payment that it concerns. Each action is posted only once.
    reference UUID NOT NULL,
    created_at BIGINT NOT NULL,
    -- Reserved for sealing the ledger: the batch, and the hash chain over it.
    batch BIGINT,
    seal BYTEA,
    UNIQUE (kind, reference)
);
CREATE INDEX ledger_postings_unsealed_idx ON ledger_postings (id) WHERE batch IS NULL;

CREATE TABLE ledger_entries (
    posting_id UUID NOT NULL REFERENCES ledger_postings (id),
    line BIGINT NOT NULL,
    account TEXT NOT NULL,
    shop_id UUID REFERENCES shops (id),
    currency TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    PRIMARY KEY (posting_id, line)
);

CREATE TABLE idempotency_keys (
    scope TEXT NOT NULL,
    operation TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    body_hash BYTEA NOT NULL,
    -- When the lease of the request being processed expires; NULL once there is a response.
    lease_until BIGINT,
    attempt_id UUID NOT NULL,
    answer TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (scope, operation, idempotency_key)
);
CREATE INDEX idempotency_keys_created_at_idx ON idempotency_keys (created_at);

-- Messages to publish after the transaction that wrote them has committed.
CREATE TABLE outbox (
    id UUID PRIMARY KEY,
    kind TEXT NOT NULL,
    subject UUID NOT NULL,
    created_at BIGINT NOT NULL,
    dispatched_at BIGINT
);
CREATE INDEX outbox_pending_idx ON outbox (id) WHERE dispatched_at IS NULL;

-- Background jobs to run after the transaction that created them has committed.
CREATE TABLE jobs (
    id UUID PRIMARY KEY,
    kind TEXT NOT NULL,
    subject UUID NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'done', 'dead', 'discarded')),
    run_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    -- When the worker's lease on the job expires. Each claim has its own id, so a result with an outdated id is late.
    lease_until BIGINT NOT NULL,
    claim UUID,
    error TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (kind, subject)
);
CREATE INDEX jobs_due_idx ON jobs (run_at) WHERE state = 'queued';
CREATE INDEX jobs_claim_idx ON jobs (claim) WHERE claim IS NOT NULL;
CREATE INDEX jobs_done_idx ON jobs (updated_at) WHERE state = 'done';

-- The last change of each record, for the state that every node keeps for itself (search index, caches).
CREATE TABLE changes (
    kind TEXT NOT NULL,
    id UUID NOT NULL,
    changed_at BIGINT NOT NULL,
    deleted BOOLEAN NOT NULL,
    PRIMARY KEY (kind, id)
);
CREATE INDEX changes_changed_at_idx ON changes (changed_at);

-- Who was notified of what, through which channel, and whether the notification was delivered.
CREATE TABLE notifications (
    kind TEXT NOT NULL,
    subject UUID NOT NULL,
    recipient TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('written', 'sent', 'failed')),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (kind, subject, recipient)
);

-- The sandbox gateway's own records. It stands in for an external service; of the market's own code, only it uses them.
CREATE TABLE sandbox_payments (
    gateway_ref TEXT PRIMARY KEY,
    attempt_id UUID NOT NULL UNIQUE,
    currency TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    refunded_minor BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'challenged', 'captured', 'declined')),
    card TEXT NOT NULL,
    return_url TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    CHECK (refunded_minor >= 0 AND refunded_minor <= amount_minor)
);
CREATE TABLE sandbox_refunds (
    attempt_id UUID PRIMARY KEY,
    gateway_ref TEXT NOT NULL REFERENCES sandbox_payments (gateway_ref),
    amount_minor BIGINT NOT NULL
);
CREATE TABLE sandbox_events (
    event_id UUID PRIMARY KEY,
    gateway_ref TEXT NOT NULL REFERENCES sandbox_payments (gateway_ref),
    deliver_at BIGINT NOT NULL,
    deliveries_left BIGINT NOT NULL,
    failures BIGINT NOT NULL
);
CREATE INDEX sandbox_events_due_idx ON sandbox_events (deliver_at) WHERE deliveries_left > 0;
