-- The schema.
--
-- The same SQL runs on SQLite and PostgreSQL (docs/decisions/0002-databases.md). Table names are plural because "user"
-- and "order" are SQL keywords. IDs are UUIDv7; times are UTC in milliseconds; amounts are in minor units, with an ISO
-- 4217 currency code; rates are in basis points. Text in JSON is opaque to the database. Values that a type of the
-- program lists, such as states, are checked by that type.


-- Accounts

CREATE TABLE users (
    id UUID PRIMARY KEY,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    -- Lowercased by the application with Unicode's rules, because lower() differs between the databases.
    email_folded TEXT NOT NULL UNIQUE,
    -- Name and email address in lower case, for the admins' search.
    search_folded TEXT NOT NULL,
    -- Empty if they sign in with the account of a provider only.
    password_hash TEXT NOT NULL,
    -- One of those in app/locales.
    locale TEXT NOT NULL DEFAULT 'en',
    -- As entered; may be empty.
    phone TEXT NOT NULL DEFAULT '',
    -- In which they see prices; NULL if they have not chosen one.
    currency TEXT,
    -- Whether products are recommended to them because of what they bought.
    recommendations BOOLEAN NOT NULL DEFAULT TRUE,
    created_at BIGINT NOT NULL,
    -- Since when they can't sign in, and why, for admins. NULL if they can.
    deactivated_at BIGINT,
    deactivated_because TEXT NOT NULL DEFAULT '',
    -- When the account was deleted. Its row stays, without anything about the person, for what refers to it.
    erased_at BIGINT,
    CHECK (erased_at IS NULL OR deactivated_at IS NOT NULL)
);
CREATE INDEX users_created_at_idx ON users (created_at);

-- The addresses that users have saved. One of a user's is the default.
CREATE TABLE user_addresses (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    label TEXT NOT NULL,
    -- JSON
    address TEXT NOT NULL,
    is_default BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX user_addresses_user_id_idx ON user_addresses (user_id);
CREATE UNIQUE INDEX user_addresses_one_default_key ON user_addresses (user_id) WHERE is_default;

-- What a gateway calls a user. It has the cards that they saved; nothing of them is stored here.
CREATE TABLE gateway_customers (
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    gateway TEXT NOT NULL,
    customer_ref TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, gateway),
    UNIQUE (customer_ref, gateway)
);

-- The roles of admins.
CREATE TABLE role_assignments (
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('owner', 'catalog', 'orders', 'finance', 'support', 'read_only')),
    -- NULL if the program itself granted it, on the command line.
    granted_by UUID REFERENCES users (id),
    granted_at BIGINT NOT NULL,
    UNIQUE (user_id, role)
);

-- Sign-ups that wait for the owner of the email address to confirm them.
CREATE TABLE sign_ups (
    id UUID PRIMARY KEY,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    email_folded TEXT NOT NULL,
    search_folded TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    locale TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sign_ups_expires_at_idx ON sign_ups (expires_at);

-- Links with which a user may choose a new password. Their tokens are not stored: they are signatures of the ID.
CREATE TABLE password_resets (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    expires_at BIGINT NOT NULL
);
CREATE INDEX password_resets_user_id_idx ON password_resets (user_id);
CREATE INDEX password_resets_expires_at_idx ON password_resets (expires_at);

-- Codes with which users sign in. They are not stored: they are derived from a signature of the ID.
CREATE TABLE sign_in_codes (
    id UUID PRIMARY KEY,
    -- Of the token that only the browser has that asked for it.
    browser_hash BYTEA NOT NULL UNIQUE,
    -- NULL if the address has no account.
    user_id UUID REFERENCES users (id) ON DELETE CASCADE,
    -- How often it was guessed wrongly.
    tries BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sign_in_codes_user_id_idx ON sign_in_codes (user_id);
CREATE INDEX sign_in_codes_expires_at_idx ON sign_in_codes (expires_at);

-- Accounts at providers with which users sign in, at most one a provider and user.
CREATE TABLE logins (
    provider TEXT NOT NULL,
    -- Of the account at the provider. It stays, while the email address may change.
    subject TEXT NOT NULL,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- The address that it had when it was connected; may be empty.
    email TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (provider, subject),
    UNIQUE (user_id, provider)
);

-- Sign-ins that are at a provider. What else they need is derived from the token, which only the browser has.
CREATE TABLE login_attempts (
    token_hash BYTEA PRIMARY KEY,
    provider TEXT NOT NULL,
    -- Who connects an account; NULL if someone signs in.
    user_id UUID REFERENCES users (id) ON DELETE CASCADE,
    -- Where it leads; may be empty.
    next TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX login_attempts_expires_at_idx ON login_attempts (expires_at);
CREATE INDEX login_attempts_user_id_idx ON login_attempts (user_id);

CREATE TABLE sessions (
    id UUID PRIMARY KEY,
    token_hash BYTEA NOT NULL UNIQUE,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- What the browser called itself at sign-in.
    device TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_user_id_idx ON sessions (user_id);
CREATE INDEX sessions_expires_at_idx ON sessions (expires_at);

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

-- The input of a rejected form submission, kept to redisplay the form. Never contains secrets.
CREATE TABLE form_drafts (
    id UUID PRIMARY KEY,
    form TEXT NOT NULL,
    fields TEXT NOT NULL,
    error TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX form_drafts_expires_at_idx ON form_drafts (expires_at);

-- How often something happened within a time window.
CREATE TABLE quotas (
    kind TEXT NOT NULL,
    -- A keyed hash of the subject that is counted: an IP address or an email address.
    subject BYTEA NOT NULL,
    -- When the window ends.
    ends_at BIGINT NOT NULL,
    used BIGINT NOT NULL,
    PRIMARY KEY (kind, subject, ends_at)
);
CREATE INDEX quotas_ends_at_idx ON quotas (ends_at);

-- The actions of the market's admins.
CREATE TABLE audit (
    id UUID PRIMARY KEY,
    -- NULL for the command line.
    user_id UUID REFERENCES users (id),
    action TEXT NOT NULL,
    subject UUID NOT NULL,
    note TEXT NOT NULL,
    created_at BIGINT NOT NULL
);


-- Shops and media

-- A shop refers to its logo, and an image to its shop.
CREATE TABLE shops (
    id UUID PRIMARY KEY,
    handle TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    -- Handle and name in lower case, for the admins' search.
    search_folded TEXT NOT NULL,
    description TEXT NOT NULL,
    currency TEXT NOT NULL,
    -- NULL if as in the market, for the category of the product.
    commission_bp BIGINT CHECK (commission_bp BETWEEN 0 AND 10000),
    town TEXT NOT NULL DEFAULT '',
    address TEXT NOT NULL DEFAULT '',
    -- Where it is taxed. Empty if not known.
    country TEXT NOT NULL DEFAULT '',
    region TEXT NOT NULL DEFAULT '',
    -- NULL if as in the market.
    prices_include_tax BOOLEAN,
    -- Shown on invoices.
    tax_id TEXT NOT NULL DEFAULT '',
    -- 0 if returns are not accepted.
    returns_days BIGINT NOT NULL DEFAULT 7 CHECK (returns_days >= 0),
    -- Incremented by every edit; a client that saves sends the version that it has read.
    version BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL
);

-- How a shop ships: its zones with their methods and prices, and its working days. They are read and checked together.
CREATE TABLE shop_shipping (
    shop_id UUID PRIMARY KEY REFERENCES shops (id),
    -- JSON
    rules TEXT NOT NULL
);

CREATE TABLE shop_members (
    shop_id UUID NOT NULL REFERENCES shops (id),
    user_id UUID NOT NULL REFERENCES users (id),
    role TEXT NOT NULL CHECK (role IN ('owner', 'manager', 'fulfilment', 'support')),
    joined_at BIGINT NOT NULL,
    PRIMARY KEY (shop_id, user_id)
);
CREATE INDEX shop_members_user_id_idx ON shop_members (user_id);

-- Invitations to work for a shop. The tokens of their links are not stored: they are signatures of the ID.
CREATE TABLE shop_invitations (
    id UUID PRIMARY KEY,
    shop_id UUID NOT NULL REFERENCES shops (id),
    email TEXT NOT NULL,
    email_folded TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('owner', 'manager', 'fulfilment', 'support')),
    state TEXT NOT NULL CHECK (state IN ('pending', 'accepted', 'withdrawn')),
    locale TEXT NOT NULL,
    sent_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX shop_invitations_pending_key ON shop_invitations (shop_id, email_folded) WHERE state = 'pending';
CREATE INDEX shop_invitations_email_folded_idx ON shop_invitations (email_folded);
CREATE INDEX shop_invitations_expires_at_idx ON shop_invitations (expires_at);

-- An image uploaded by a shop or a user, or one of the market's own. Its files are written before its row.
CREATE TABLE media (
    -- Derived from the owner and the uploaded bytes, so uploading the same image twice yields one row.
    id UUID PRIMARY KEY,
    -- The shop, or the user who uploaded it for themselves. Both, and its order_id, are NULL for the market's own images.
    shop_id UUID REFERENCES shops (id),
    user_id UUID REFERENCES users (id),
    -- Of the original, after applying its orientation.
    width BIGINT NOT NULL CHECK (width > 0),
    height BIGINT NOT NULL CHECK (height > 0),
    -- #rrggbb
    color TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- When it is deleted, unless something uses it then. NULL while something does.
    expires_at BIGINT,
    -- Whether its files are being deleted, so that nothing may use it any more.
    deleting BOOLEAN NOT NULL DEFAULT FALSE
);
CREATE INDEX media_shop_id_idx ON media (shop_id);
CREATE INDEX media_user_id_idx ON media (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX media_expires_at_idx ON media (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX media_deleting_idx ON media (id) WHERE deleting;
ALTER TABLE shops ADD COLUMN logo_id UUID REFERENCES media (id);
-- What uses an image is looked up before it is deleted.
CREATE INDEX shops_logo_id_idx ON shops (logo_id) WHERE logo_id IS NOT NULL;

-- Which fields each edit of a product or of a shop's settings changed, to report conflicts between concurrent edits.
CREATE TABLE revisions (
    subject UUID NOT NULL,
    -- The version that the edit created.
    version BIGINT NOT NULL,
    -- JSON: field names.
    fields TEXT NOT NULL,
    edited_by UUID REFERENCES users (id),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (subject, version)
);


-- Catalogue

CREATE TABLE categories (
    id UUID PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    parent_id UUID REFERENCES categories (id),
    -- The slugs from the root down, each followed by a slash, so that a category's path is a prefix of its descendants' paths.
    path TEXT NOT NULL UNIQUE,
    -- The category of tax rates that its products are of.
    tax_category TEXT NOT NULL,
    -- The commission of its products: its own rate, or that of the nearest category above that has one.
    commission_bp BIGINT,
    picture_id UUID REFERENCES media (id),
    -- The display order, parents before children.
    position BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX categories_picture_id_idx ON categories (picture_id) WHERE picture_id IS NOT NULL;

-- The rates of the market's commission in basis points: the usual one, without a category, and those of categories.
CREATE TABLE commission_rates (
    category_id UUID UNIQUE REFERENCES categories (id),
    rate_bp BIGINT NOT NULL CHECK (rate_bp BETWEEN 0 AND 10000)
);
INSERT INTO commission_rates (category_id, rate_bp) VALUES (NULL, 1000);

-- The names of categories in languages other than the market's own.
CREATE TABLE category_names (
    category_id UUID NOT NULL REFERENCES categories (id),
    locale TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (category_id, locale)
);

-- Tax rates by place, category and time. Those of one place, category and kind of rate don't overlap.
CREATE TABLE tax_rates (
    id UUID PRIMARY KEY,
    country TEXT NOT NULL,
    -- Empty for the whole country.
    region TEXT NOT NULL,
    tax_category TEXT NOT NULL,
    name TEXT NOT NULL,
    -- `plain`, `on_top` of the country's, or `gst`.
    kind TEXT NOT NULL,
    -- In millionths.
    rate_ppm BIGINT NOT NULL CHECK (rate_ppm BETWEEN 0 AND 1000000),
    starts_at BIGINT NOT NULL,
    ends_at BIGINT,
    created_at BIGINT NOT NULL,
    CHECK (ends_at >= starts_at)
);
CREATE INDEX tax_rates_place_idx ON tax_rates (country, region, tax_category);

-- How the market taxes: one row. Changes of rates lock it.
CREATE TABLE tax_settings (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    prices_include_tax BOOLEAN NOT NULL,
    -- `destination` or `origin`.
    based_on TEXT NOT NULL,
    -- Empty if shipping isn't taxed.
    shipping_category TEXT NOT NULL,
    version BIGINT NOT NULL
);
INSERT INTO tax_settings (id, prices_include_tax, based_on, shipping_category, version) VALUES (1, TRUE, 'destination', '', 1);

CREATE TABLE products (
    id UUID PRIMARY KEY,
    shop_id UUID NOT NULL REFERENCES shops (id),
    category_id UUID REFERENCES categories (id),
    slug TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    -- The beginning of the title in lower case, for sorting; truncated because PostgreSQL limits the size of index entries.
    title_key TEXT NOT NULL DEFAULT '',
    brand TEXT NOT NULL,
    description TEXT NOT NULL,
    -- JSON: the specifications, name-value pairs in display order.
    attributes TEXT NOT NULL,
    -- JSON: the names of the product's options.
    options TEXT NOT NULL DEFAULT '[]',
    -- Title and brand in lower case, for simple text search.
    search_folded TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('draft', 'published', 'archived')),
    -- The price range of its variants, denormalized so that listings need no join.
    price_min_minor BIGINT NOT NULL CHECK (price_min_minor >= 0),
    price_max_minor BIGINT NOT NULL CHECK (price_max_minor >= price_min_minor),
    -- Of its published reviews, changed in the transactions that change them. The score is what lists are sorted by.
    rating_sum BIGINT NOT NULL DEFAULT 0 CHECK (rating_sum BETWEEN rating_count AND 5 * rating_count),
    rating_count BIGINT NOT NULL DEFAULT 0,
    rating_score BIGINT NOT NULL DEFAULT 0,
    version BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX products_shop_id_id_idx ON products (shop_id, id);
CREATE INDEX products_shop_id_state_id_idx ON products (shop_id, state, id);
-- Includes the state, so that this index alone is enough to count a shop's published products.
CREATE INDEX products_shop_id_title_key_idx ON products (shop_id, title_key, id, state);
CREATE INDEX products_shop_id_price_idx ON products (shop_id, price_min_minor, id);
CREATE INDEX products_category_id_idx ON products (category_id, id);
-- What was changed lately, for the search indexes of all nodes.
CREATE INDEX products_updated_at_idx ON products (updated_at);
CREATE INDEX products_published_rating_idx ON products (rating_score, id) WHERE state = 'published';
CREATE INDEX products_published_price_idx ON products (price_min_minor, id) WHERE state = 'published';

-- Typed attributes: what the market asks of the products of a category and of those below it.
CREATE TABLE attributes (
    id UUID PRIMARY KEY,
    code TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    unit TEXT NOT NULL,
    -- Numbers are stored in units of the last decimal.
    decimals BIGINT NOT NULL CHECK (decimals BETWEEN 0 AND 6),
    created_at BIGINT NOT NULL
);

CREATE TABLE attribute_options (
    attribute_id UUID NOT NULL REFERENCES attributes (id),
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    -- The display order; -1 if it is no longer offered, but may still be the value of a product.
    position BIGINT NOT NULL,
    PRIMARY KEY (attribute_id, code)
);

CREATE TABLE category_attributes (
    category_id UUID NOT NULL REFERENCES categories (id),
    attribute_id UUID NOT NULL REFERENCES attributes (id),
    position BIGINT NOT NULL,
    required BOOLEAN NOT NULL,
    PRIMARY KEY (category_id, attribute_id)
);

CREATE TABLE product_attribute_values (
    product_id UUID NOT NULL REFERENCES products (id) ON DELETE CASCADE,
    attribute_id UUID NOT NULL REFERENCES attributes (id),
    text_value TEXT,
    number_value BIGINT,
    boolean_value BOOLEAN,
    option_code TEXT,
    color_rgb BIGINT CHECK (color_rgb BETWEEN 0 AND 16777215),
    PRIMARY KEY (product_id, attribute_id),
    FOREIGN KEY (attribute_id, option_code) REFERENCES attribute_options (attribute_id, code),
    CHECK (
        CASE WHEN text_value IS NULL THEN 0 ELSE 1 END + CASE WHEN number_value IS NULL THEN 0 ELSE 1 END
        + CASE WHEN boolean_value IS NULL THEN 0 ELSE 1 END + CASE WHEN option_code IS NULL THEN 0 ELSE 1 END
        + CASE WHEN color_rgb IS NULL THEN 0 ELSE 1 END = 1
    )
);

-- The images of a product, at consecutive positions starting from 0.
CREATE TABLE product_pictures (
    product_id UUID NOT NULL REFERENCES products (id),
    position BIGINT NOT NULL CHECK (position >= 0),
    media_id UUID NOT NULL REFERENCES media (id),
    alt TEXT NOT NULL,
    PRIMARY KEY (product_id, position),
    UNIQUE (product_id, media_id)
);
CREATE INDEX product_pictures_media_id_idx ON product_pictures (media_id);

-- Recent best-sellers, recounted every few minutes.
CREATE TABLE popular_products (
    product_id UUID PRIMARY KEY REFERENCES products (id) ON DELETE CASCADE,
    units BIGINT NOT NULL
);

-- What was learned for recommendations, and how good it would have been in the last days, in millionths (haat_recommend::Quality).
CREATE TABLE recommendation_models (
    -- When it was learned.
    version BIGINT PRIMARY KEY,
    -- Whether recommendations are from it. At most one is; none of those that were worse than the one before.
    used BOOLEAN NOT NULL,
    interactions BIGINT NOT NULL,
    -- How many neighbours it has.
    neighbours BIGINT NOT NULL,
    -- Of how many shoppers the figures are. If there are few, they say nothing.
    shoppers BIGINT NOT NULL,
    recall BIGINT NOT NULL,
    mrr BIGINT NOT NULL,
    coverage BIGINT NOT NULL,
    -- The same for recommending the best sellers to everyone.
    popular_recall BIGINT NOT NULL,
    popular_mrr BIGINT NOT NULL
);
CREATE UNIQUE INDEX recommendation_models_used_key ON recommendation_models (used) WHERE used;

-- Which products go with others. The rows of a version are only read once it is used.
CREATE TABLE recommended_products (
    version BIGINT NOT NULL,
    -- 'together' (in one purchase) or 'alike' (by the same shoppers), or 'popular': the best sellers of a category.
    kind TEXT NOT NULL,
    -- The product that the other goes with; for 'popular' the category, or all zeros for the whole market.
    product_id UUID NOT NULL,
    position BIGINT NOT NULL,
    other_id UUID NOT NULL,
    score BIGINT NOT NULL,
    PRIMARY KEY (version, kind, product_id, position)
);

-- What users don't want to be recommended again. The product may be gone.
CREATE TABLE dismissed_recommendations (
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    product_id UUID NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, product_id)
);

-- When the search indexes were last asked to be built anew, and words that mean the same: a line for each group, separated by
-- commas. At most one row.
CREATE TABLE search_settings (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    rebuild_at BIGINT NOT NULL,
    synonyms TEXT NOT NULL
);

-- How often something was searched for on a day of the market's zone, and how often nothing was found.
CREATE TABLE search_terms (
    day BIGINT NOT NULL,
    term TEXT NOT NULL,
    searches BIGINT NOT NULL,
    misses BIGINT NOT NULL,
    PRIMARY KEY (day, term)
);

-- How often the products of a shop were looked at, added to baskets, and brought to a checkout on a day of the market's zone. Only
-- counts: nothing says by whom.
CREATE TABLE product_activity (
    shop_id UUID NOT NULL REFERENCES shops (id),
    day BIGINT NOT NULL,
    product_id UUID NOT NULL,
    views BIGINT NOT NULL,
    adds BIGINT NOT NULL,
    checkouts BIGINT NOT NULL,
    PRIMARY KEY (shop_id, day, product_id)
);

-- The same of all products of a shop, or under the nil ID of the market, by the hour of the day.
CREATE TABLE activity_hours (
    shop_id UUID NOT NULL,
    day BIGINT NOT NULL,
    hour BIGINT NOT NULL CHECK (hour BETWEEN 0 AND 23),
    views BIGINT NOT NULL,
    adds BIGINT NOT NULL,
    checkouts BIGINT NOT NULL,
    PRIMARY KEY (shop_id, day, hour)
);

-- Where those came from who looked at them.
CREATE TABLE activity_sources (
    shop_id UUID NOT NULL,
    day BIGINT NOT NULL,
    source TEXT NOT NULL,
    views BIGINT NOT NULL,
    PRIMARY KEY (shop_id, day, source)
);

-- A limited resource: the quantity on hand and how much of it is held. The guard against overselling is on this row.
CREATE TABLE capacities (
    id UUID PRIMARY KEY,
    -- What it limits: 'stock' of a variant, the 'allotment' of a product in an event, the orders in a delivery 'slot', or the 'uses'
    -- of a coupon, as a whole or by one person.
    kind TEXT NOT NULL,
    -- The shop that it belongs to; NULL if it is the market's.
    owner UUID REFERENCES shops (id),
    -- The coupon whose uses it counts; NULL for any other.
    promotion_id UUID,
    on_hand BIGINT NOT NULL,
    held BIGINT NOT NULL,
    -- To change a capacity, a row of kind 'change' is inserted that conflicts with it and so is never stored. Its amounts are
    -- differences (inventory/capacity.rs).
    CHECK (kind = 'change' OR (held >= 0 AND held <= on_hand))
);

-- The history behind on_hand, which equals the sum of these deltas.
CREATE TABLE stock_movements (
    capacity_id UUID NOT NULL REFERENCES capacities (id),
    reason TEXT NOT NULL,
    -- The delivery, purchase, cancelled order or stock count that caused it. Each can move a capacity only once.
    reference UUID NOT NULL,
    delta BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (capacity_id, reason, reference)
);

CREATE TABLE variants (
    id UUID PRIMARY KEY,
    product_id UUID NOT NULL REFERENCES products (id),
    shop_id UUID NOT NULL REFERENCES shops (id),
    -- Its stock; NULL if it is sold without limit.
    capacity_id UUID REFERENCES capacities (id),
    sku TEXT NOT NULL,
    title TEXT NOT NULL,
    -- JSON: the variant's values for the product's options, in the same order.
    options TEXT NOT NULL DEFAULT '[]',
    price_minor BIGINT NOT NULL CHECK (price_minor >= 0),
    compare_at_minor BIGINT CHECK (compare_at_minor > price_minor),
    position BIGINT NOT NULL,
    -- The stock level at or below which the shop is alerted.
    low_stock BIGINT NOT NULL DEFAULT 3 CHECK (low_stock >= 0),
    -- For shipping: in grams and millimetres; 0 if unknown.
    weight_g BIGINT NOT NULL DEFAULT 0 CHECK (weight_g >= 0),
    length_mm BIGINT NOT NULL DEFAULT 0 CHECK (length_mm >= 0),
    width_mm BIGINT NOT NULL DEFAULT 0 CHECK (width_mm >= 0),
    height_mm BIGINT NOT NULL DEFAULT 0 CHECK (height_mm >= 0),
    -- No longer for sale, but kept for existing orders.
    archived BOOLEAN NOT NULL DEFAULT FALSE,
    -- For lists: the price in the sale that is on, at most a few seconds late. Carts and checkouts read sale_prices.
    sale_minor BIGINT CHECK (sale_minor >= 0)
);
CREATE INDEX variants_product_id_idx ON variants (product_id);
CREATE UNIQUE INDEX variants_sku_key ON variants (shop_id, sku) WHERE NOT archived;
CREATE UNIQUE INDEX variants_capacity_id_key ON variants (capacity_id);

-- What the ordinary prices of variants were, from when on. Rows are only added.
CREATE TABLE price_history (
    variant_id UUID NOT NULL REFERENCES variants (id) ON DELETE CASCADE,
    from_at BIGINT NOT NULL,
    price_minor BIGINT NOT NULL,
    compare_at_minor BIGINT,
    PRIMARY KEY (variant_id, from_at)
);

-- Timed events: products of a shop at prices of their own, from a start to an end. Each product has a planned sale in it.
CREATE TABLE sale_events (
    id UUID PRIMARY KEY,
    shop_id UUID NOT NULL REFERENCES shops (id),
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL CHECK (ends_at >= starts_at),
    created_at BIGINT NOT NULL
);
CREATE INDEX sale_events_shop_id_idx ON sale_events (shop_id, starts_at);
CREATE INDEX sale_events_ends_at_idx ON sale_events (ends_at);

-- Sales of products. After a sale has begun, it changes only by ending earlier than planned, so that the prices of the past
-- stay known.
CREATE TABLE planned_sales (
    id UUID PRIMARY KEY,
    product_id UUID NOT NULL REFERENCES products (id) ON DELETE CASCADE,
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL CHECK (ends_at >= starts_at),
    -- When it next changes what lists show; NULL if it is over.
    next_at BIGINT,
    -- The event that it is part of.
    event_id UUID REFERENCES sale_events (id) ON DELETE CASCADE,
    -- How many units are sold at its prices, and the capacity that counts them; NULL for any number.
    allotment BIGINT CHECK (allotment > 0),
    capacity_id UUID REFERENCES capacities (id),
    created_at BIGINT NOT NULL
);
CREATE INDEX planned_sales_event_id_idx ON planned_sales (event_id) WHERE event_id IS NOT NULL;
CREATE INDEX planned_sales_product_id_idx ON planned_sales (product_id, starts_at);
CREATE INDEX planned_sales_next_at_idx ON planned_sales (next_at) WHERE next_at IS NOT NULL;

-- The variants of a sale. A variant is in one sale at a time.
CREATE TABLE sale_prices (
    variant_id UUID NOT NULL REFERENCES variants (id) ON DELETE CASCADE,
    sale_id UUID NOT NULL REFERENCES planned_sales (id) ON DELETE CASCADE,
    price_minor BIGINT NOT NULL CHECK (price_minor >= 0),
    -- Those of the sale, so that the price of a variant is found at once.
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL CHECK (ends_at >= starts_at),
    capacity_id UUID,
    PRIMARY KEY (variant_id, starts_at, sale_id)
);
CREATE INDEX sale_prices_sale_id_idx ON sale_prices (sale_id);
CREATE INDEX sale_prices_allotments_idx ON sale_prices (ends_at) WHERE capacity_id IS NOT NULL;

-- A seller's own price in a currency. Without one, the variant's price is converted.
CREATE TABLE variant_prices (
    variant_id UUID NOT NULL REFERENCES variants (id) ON DELETE CASCADE,
    currency TEXT NOT NULL,
    amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
    PRIMARY KEY (variant_id, currency)
);

-- What one unit of the market's currency costs in another one: numerator / denominator. Rates are never changed, only followed
-- by later ones.
CREATE TABLE currency_rates (
    id UUID PRIMARY KEY,
    currency TEXT NOT NULL,
    numerator BIGINT NOT NULL CHECK (numerator > 0),
    denominator BIGINT NOT NULL CHECK (denominator > 0),
    valid_from BIGINT NOT NULL,
    -- Where the rate is from, for people.
    source TEXT NOT NULL
);
CREATE INDEX currency_rates_currency_id_idx ON currency_rates (currency, id);

-- How a product that is a service is booked. Without such a row, a product is goods.
CREATE TABLE services (
    product_id UUID PRIMARY KEY REFERENCES products (id) ON DELETE CASCADE,
    shop_id UUID NOT NULL REFERENCES shops (id),
    -- Where it takes place: at the `customer`'s, at the `provider`'s, or `online`.
    place TEXT NOT NULL,
    -- In minutes, as are the buffers before and after an appointment, its notice, and the interval of its starts.
    minutes BIGINT NOT NULL CHECK (minutes BETWEEN 5 AND 720),
    before_minutes BIGINT NOT NULL CHECK (before_minutes BETWEEN 0 AND 720),
    after_minutes BIGINT NOT NULL CHECK (after_minutes BETWEEN 0 AND 720),
    notice_minutes BIGINT NOT NULL CHECK (notice_minutes >= 0),
    step_minutes BIGINT NOT NULL CHECK (step_minutes BETWEEN 5 AND 720),
    window_days BIGINT NOT NULL CHECK (window_days BETWEEN 0 AND 365),
    -- Until how many minutes before it customers move or cancel an appointment by themselves.
    change_minutes BIGINT NOT NULL DEFAULT 1440 CHECK (change_minutes >= 0),
    -- What the shop keeps of the price, in percent, if the customer cancels later than that, or doesn't come.
    fee_percent BIGINT NOT NULL DEFAULT 100 CHECK (fee_percent BETWEEN 0 AND 100),
    updated_at BIGINT NOT NULL
);
CREATE INDEX services_shop_id_idx ON services (shop_id);

-- The people who do the services of a shop.
CREATE TABLE providers (
    id UUID PRIMARY KEY,
    shop_id UUID NOT NULL REFERENCES shops (id),
    name TEXT NOT NULL,
    bio TEXT NOT NULL,
    -- Where they work. May be empty.
    town TEXT NOT NULL,
    -- The same in lower case, for finding a provider by it.
    town_folded TEXT NOT NULL,
    -- The name of their time zone (IANA).
    zone TEXT NOT NULL,
    -- JSON: their weekly hours and exceptions.
    hours TEXT NOT NULL,
    -- Whether they can be booked.
    active BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX providers_shop_id_idx ON providers (shop_id);

CREATE TABLE provider_services (
    product_id UUID NOT NULL REFERENCES services (product_id) ON DELETE CASCADE,
    provider_id UUID NOT NULL REFERENCES providers (id) ON DELETE CASCADE,
    PRIMARY KEY (product_id, provider_id)
);
CREATE INDEX provider_services_provider_id_idx ON provider_services (provider_id);

-- Product imports: a file is read and checked first, then applied a few products at a time.
CREATE TABLE imports (
    id UUID PRIMARY KEY,
    shop_id UUID NOT NULL REFERENCES shops (id),
    -- Who uploaded the file; NULL for the command line.
    user_id UUID REFERENCES users (id),
    file_name TEXT NOT NULL,
    format TEXT NOT NULL CHECK (format IN ('csv', 'json', 'icecat')),
    state TEXT NOT NULL CHECK (state IN ('reading', 'checked', 'applying', 'done', 'stopped')),
    -- Whether the stock of existing products is set to the values in the file.
    set_stock BOOLEAN NOT NULL,
    -- The decimal separator of the file's numbers; empty if it was not specified.
    decimal_mark TEXT NOT NULL DEFAULT '' CHECK (decimal_mark IN ('', 'point', 'comma')),
    -- The first ambiguous number, and sample prices, as JSON; empty if there are none.
    question TEXT NOT NULL DEFAULT '',
    prices TEXT NOT NULL DEFAULT '',
    -- The number of valid products, how many of these were new or changed when the file was read, and the number of invalid ones.
    valid BIGINT NOT NULL,
    new BIGINT NOT NULL,
    changed BIGINT NOT NULL,
    invalid BIGINT NOT NULL,
    faults BIGINT NOT NULL,
    -- The number of lines in the file that could not be read.
    unread BIGINT NOT NULL DEFAULT 0,
    -- The results for the valid products.
    added BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    unchanged BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    -- Imports are applied one after another, in this order.
    started_at BIGINT,
    updated_at BIGINT NOT NULL
);
CREATE INDEX imports_shop_id_id_idx ON imports (shop_id, id);
CREATE INDEX imports_applying_idx ON imports (started_at, id) WHERE state = 'applying';
CREATE INDEX imports_updated_at_idx ON imports (updated_at);

-- Products waiting to be applied. Whoever applies a batch deletes its row in the same transaction.
CREATE TABLE import_batches (
    import_id UUID NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    -- JSON.
    items TEXT NOT NULL,
    PRIMARY KEY (import_id, number)
);

-- The errors found in a file.
CREATE TABLE import_errors (
    import_id UUID NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
    line BIGINT NOT NULL,
    number BIGINT NOT NULL,
    field TEXT NOT NULL,
    code TEXT NOT NULL,
    found TEXT NOT NULL,
    PRIMARY KEY (import_id, line, number)
);


-- Carts and checkouts

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
CREATE INDEX carts_user_id_idx ON carts (user_id) WHERE user_id IS NOT NULL;
CREATE UNIQUE INDEX carts_one_open_per_user_key ON carts (user_id) WHERE state = 'open' AND user_id IS NOT NULL;

-- A line outlives its product, whose titles it keeps.
CREATE TABLE cart_lines (
    id UUID PRIMARY KEY,
    cart_id UUID NOT NULL REFERENCES carts (id) ON DELETE CASCADE,
    -- May no longer exist, since products can be deleted.
    variant_id UUID NOT NULL,
    shop_id UUID NOT NULL REFERENCES shops (id),
    -- The titles when the item was added.
    title TEXT NOT NULL,
    variant_title TEXT NOT NULL,
    quantity BIGINT NOT NULL CHECK (quantity BETWEEN 1 AND 999),
    -- Whether the quantity was reduced to the maximum when two carts were merged.
    capped BOOLEAN NOT NULL DEFAULT FALSE,
    -- The price when the item was added, so that a change can be shown.
    price_seen_minor BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (cart_id, variant_id)
);

-- What a shopper or guest wants to keep in mind. It belongs to whoever has the cart, and outlives its product.
CREATE TABLE wishlist_items (
    id UUID PRIMARY KEY,
    cart_id UUID NOT NULL REFERENCES carts (id) ON DELETE CASCADE,
    -- May no longer exist, since products can be deleted.
    variant_id UUID NOT NULL,
    shop_id UUID NOT NULL REFERENCES shops (id),
    -- The titles and the price when it was saved.
    title TEXT NOT NULL,
    variant_title TEXT NOT NULL,
    price_seen_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (cart_id, variant_id)
);

-- The delivery slots of shops that somebody has chosen. The others have all their places.
CREATE TABLE delivery_slots (
    -- Made of the shop and the slot.
    capacity_id UUID PRIMARY KEY REFERENCES capacities (id),
    shop_id UUID NOT NULL REFERENCES shops (id),
    -- In the time zone of the shop: 2026-12-03T18:00/20:00.
    slot TEXT NOT NULL,
    -- Counted from 1970-01-01.
    day BIGINT NOT NULL,
    UNIQUE (shop_id, slot)
);
CREATE INDEX delivery_slots_shop_id_day_idx ON delivery_slots (shop_id, day);

-- Coupons and automatic offers.
CREATE TABLE promotions (
    id UUID PRIMARY KEY,
    -- NULL if it is the market's.
    shop_id UUID REFERENCES shops (id),
    -- As shoppers enter it; NULL if it applies by itself.
    code TEXT,
    -- As it is compared. A shop, or the market, has each code once.
    code_folded TEXT,
    currency TEXT NOT NULL,
    -- JSON: what it gives, for what, and on which terms.
    terms TEXT NOT NULL,
    -- JSON: the form that it was saved with.
    form TEXT NOT NULL,
    starts_at BIGINT NOT NULL,
    ends_at BIGINT CHECK (ends_at >= starts_at),
    -- How often it can be used; NULL without limit.
    uses_max BIGINT CHECK (uses_max > 0),
    -- The capacity that counts the uses, if there is a limit.
    capacity_id UUID REFERENCES capacities (id),
    -- How often one person can use it. Each person has a capacity of their own, whose ID is a keyed hash.
    uses_per_person BIGINT CHECK (uses_per_person > 0),
    version BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CHECK ((code IS NULL) = (code_folded IS NULL)),
    CHECK (code IS NOT NULL OR (uses_max IS NULL AND uses_per_person IS NULL))
);
CREATE UNIQUE INDEX promotions_shop_code_key ON promotions (shop_id, code_folded) WHERE shop_id IS NOT NULL AND code_folded IS NOT NULL;
CREATE UNIQUE INDEX promotions_market_code_key ON promotions (code_folded) WHERE shop_id IS NULL AND code_folded IS NOT NULL;
CREATE INDEX promotions_code_folded_idx ON promotions (code_folded) WHERE code_folded IS NOT NULL;
CREATE INDEX promotions_shop_id_id_idx ON promotions (shop_id, id);
CREATE INDEX promotions_automatic_idx ON promotions (shop_id) WHERE code_folded IS NULL;

-- The codes entered for a cart.
CREATE TABLE cart_codes (
    cart_id UUID NOT NULL REFERENCES carts (id) ON DELETE CASCADE,
    promotion_id UUID NOT NULL REFERENCES promotions (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (cart_id, promotion_id)
);
CREATE INDEX cart_codes_promotion_id_idx ON cart_codes (promotion_id);

-- The gift cards in a cart.
CREATE TABLE cart_gifts (
    id UUID PRIMARY KEY,
    cart_id UUID NOT NULL REFERENCES carts (id) ON DELETE CASCADE,
    amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    -- Empty if it is the buyer's.
    recipient_email TEXT NOT NULL,
    recipient_name TEXT NOT NULL,
    sender_name TEXT NOT NULL,
    message TEXT NOT NULL,
    -- The day on which it is sent, counted from 1970-01-01; NULL if it is sent at once.
    send_on BIGINT,
    locale TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX cart_gifts_cart_id_idx ON cart_gifts (cart_id);

-- What a line of a cart needs besides the stock of its variant.
CREATE TABLE line_capacities (
    line_id UUID NOT NULL REFERENCES cart_lines (id) ON DELETE CASCADE,
    capacity_id UUID NOT NULL REFERENCES capacities (id),
    -- For each unit of the line.
    quantity BIGINT NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (line_id, capacity_id)
);
CREATE INDEX line_capacities_capacity_id_idx ON line_capacities (capacity_id);

-- The appointment that a line of a cart is for. Nothing is held before the checkout.
CREATE TABLE cart_bookings (
    line_id UUID PRIMARY KEY REFERENCES cart_lines (id) ON DELETE CASCADE,
    provider_id UUID NOT NULL REFERENCES providers (id) ON DELETE CASCADE,
    starts_at BIGINT NOT NULL
);
CREATE INDEX cart_bookings_provider_id_idx ON cart_bookings (provider_id);

-- Its amounts are those of its quote: discounts are part of no price before them, and of the taxes, `added_tax_minor` is
-- what prices do not include. The same holds for orders and lines.
CREATE TABLE checkouts (
    id UUID PRIMARY KEY,
    cart_id UUID NOT NULL REFERENCES carts (id),
    cart_version BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'paying', 'completed', 'expired', 'superseded')),
    locale TEXT NOT NULL DEFAULT 'en',
    currency TEXT NOT NULL,
    -- The rate at which prices were converted: 1/1 if they were not.
    rate_numerator BIGINT NOT NULL DEFAULT 1 CHECK (rate_numerator > 0),
    rate_denominator BIGINT NOT NULL DEFAULT 1 CHECK (rate_denominator > 0),
    subtotal_minor BIGINT NOT NULL,
    discount_minor BIGINT NOT NULL CHECK (discount_minor >= 0),
    delivery_minor BIGINT NOT NULL,
    tax_minor BIGINT NOT NULL,
    added_tax_minor BIGINT NOT NULL CHECK (added_tax_minor BETWEEN 0 AND tax_minor),
    total_minor BIGINT NOT NULL,
    -- Increases whenever the totals change. A payment names the version that the shopper saw.
    quote_version BIGINT NOT NULL DEFAULT 1,
    -- JSON: the sums of its taxes.
    taxes TEXT NOT NULL DEFAULT '[]',
    -- JSON: the automatic offers that others displace, IDs and names.
    displaced TEXT NOT NULL DEFAULT '[]',
    -- JSON: the form input so far.
    form TEXT NOT NULL,
    -- JSON: the details with which a payment was started.
    details TEXT,
    -- What its gift cards pay of the total.
    gift_minor BIGINT NOT NULL DEFAULT 0,
    -- The part of the total for gift cards that are bought. Gift cards can't pay it.
    gifts_minor BIGINT NOT NULL DEFAULT 0,
    holds BIGINT NOT NULL,
    hold_until BIGINT NOT NULL,
    -- The hold is extended once, when payment starts.
    extended BOOLEAN NOT NULL,
    -- A keyed hash of the address where a guest started the checkout; NULL if it belongs to an account.
    origin BYTEA,
    purchase_id UUID,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CHECK (total_minor = subtotal_minor - discount_minor + delivery_minor + added_tax_minor),
    CHECK (gifts_minor BETWEEN 0 AND total_minor),
    CHECK (gift_minor BETWEEN 0 AND total_minor - gifts_minor)
);
CREATE INDEX checkouts_cart_id_idx ON checkouts (cart_id);
CREATE INDEX checkouts_held_idx ON checkouts (hold_until) WHERE state IN ('open', 'paying');
CREATE INDEX checkouts_origin_idx ON checkouts (origin) WHERE origin IS NOT NULL AND state IN ('open', 'paying');

-- One shop's part of a checkout, which becomes an order.
CREATE TABLE checkout_orders (
    checkout_id UUID NOT NULL REFERENCES checkouts (id),
    position BIGINT NOT NULL,
    order_id UUID NOT NULL UNIQUE,
    shop_id UUID NOT NULL REFERENCES shops (id),
    shop_name TEXT NOT NULL,
    subtotal_minor BIGINT NOT NULL,
    discount_minor BIGINT NOT NULL CHECK (discount_minor >= 0),
    -- The part of the discount that the market bears.
    market_discount_minor BIGINT NOT NULL CHECK (market_discount_minor BETWEEN 0 AND discount_minor),
    delivery_minor BIGINT NOT NULL,
    tax_minor BIGINT NOT NULL,
    added_tax_minor BIGINT NOT NULL CHECK (added_tax_minor BETWEEN 0 AND tax_minor),
    total_minor BIGINT NOT NULL,
    items_minor BIGINT NOT NULL CHECK (items_minor BETWEEN 0 AND total_minor),
    commission_minor BIGINT NOT NULL,
    -- JSON: the taxes on delivery.
    delivery_taxes TEXT NOT NULL DEFAULT '[]',
    delivery_tax_minor BIGINT NOT NULL DEFAULT 0 CHECK (delivery_tax_minor BETWEEN 0 AND tax_minor),
    -- JSON: the delivery options that were offered for the address, with the prices quoted; [] if the shop doesn't ship there.
    options TEXT NOT NULL,
    -- Whether the shop takes cash for these items at this address.
    takes_cash BOOLEAN NOT NULL,
    -- The one that is chosen, and the shop's name for it.
    delivery TEXT NOT NULL,
    delivery_name TEXT NOT NULL DEFAULT '',
    -- The first and the last day on which it should arrive, counted from 1970-01-01.
    arrives_min BIGINT NOT NULL,
    arrives_max BIGINT NOT NULL,
    -- The delivery slot that is chosen (2026-12-03T18:00/20:00), its capacity, until when it can be paid, and what it costs
    -- besides the shipping method, which is a part of `delivery_minor`.
    slot TEXT,
    slot_id UUID REFERENCES delivery_slots (capacity_id),
    slot_closes_at BIGINT,
    slot_extra_minor BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (checkout_id, position),
    CHECK ((slot IS NULL) = (slot_id IS NULL) AND (slot IS NULL) = (slot_closes_at IS NULL)),
    CHECK (total_minor = subtotal_minor - discount_minor + delivery_minor + added_tax_minor)
);

-- The items in the checkout, at the prices that will be charged, and the rates for quoting them again.
CREATE TABLE checkout_lines (
    checkout_id UUID NOT NULL REFERENCES checkouts (id),
    position BIGINT NOT NULL,
    order_id UUID NOT NULL,
    kind TEXT NOT NULL,
    product_id UUID NOT NULL,
    variant_id UUID NOT NULL,
    title TEXT NOT NULL,
    variant_title TEXT NOT NULL,
    quantity BIGINT NOT NULL CHECK (quantity > 0),
    unit_minor BIGINT NOT NULL CHECK (unit_minor >= 0),
    -- Before the discount.
    total_minor BIGINT NOT NULL CHECK (total_minor = quantity * unit_minor),
    discount_minor BIGINT NOT NULL CHECK (discount_minor BETWEEN 0 AND total_minor),
    -- For quoting it again.
    tax_category TEXT NOT NULL DEFAULT '',
    -- JSON: the taxes that add up to `tax_minor`.
    taxes TEXT NOT NULL DEFAULT '[]',
    tax_minor BIGINT NOT NULL,
    added_tax_minor BIGINT NOT NULL CHECK (added_tax_minor BETWEEN 0 AND tax_minor),
    commission_bp BIGINT NOT NULL,
    -- Its part of the commission, and of the discount that the market bears.
    commission_minor BIGINT NOT NULL,
    market_discount_minor BIGINT NOT NULL CHECK (market_discount_minor BETWEEN 0 AND discount_minor),
    PRIMARY KEY (checkout_id, position)
);
-- Whether a product was ever part of a checkout, which decides whether it can be deleted.
CREATE INDEX checkout_lines_product_id_idx ON checkout_lines (product_id);

-- The coupons that a checkout uses. What it holds of their capacities is in `holds`.
CREATE TABLE promotion_uses (
    checkout_id UUID NOT NULL REFERENCES checkouts (id),
    promotion_id UUID NOT NULL REFERENCES promotions (id),
    -- The order in which they were entered.
    number BIGINT NOT NULL,
    PRIMARY KEY (checkout_id, promotion_id)
);
CREATE INDEX promotion_uses_promotion_id_idx ON promotion_uses (promotion_id);

-- How promotions change the price of a line, or of an order's shipping.
CREATE TABLE checkout_adjustments (
    checkout_id UUID NOT NULL REFERENCES checkouts (id),
    number BIGINT NOT NULL,
    order_id UUID NOT NULL,
    -- The line's position; NULL for shipping.
    position BIGINT,
    -- NULL for one of the program's own.
    promotion_id UUID REFERENCES promotions (id),
    -- Empty for an automatic offer.
    code TEXT NOT NULL,
    label TEXT NOT NULL,
    -- Who bears it: `shop` or `market`.
    borne_by TEXT NOT NULL,
    -- Negative: it lowers the price.
    amount_minor BIGINT NOT NULL CHECK (amount_minor < 0),
    -- Whether it was taken off what other promotions had left of a price.
    after_others BOOLEAN NOT NULL,
    PRIMARY KEY (checkout_id, number)
);

-- The gift cards that a checkout buys, as they were in the cart. Their IDs are those of the cards.
CREATE TABLE checkout_gifts (
    id UUID PRIMARY KEY,
    checkout_id UUID NOT NULL REFERENCES checkouts (id),
    position BIGINT NOT NULL,
    -- The one in the cart, which goes once it is bought.
    cart_gift_id UUID NOT NULL,
    amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
    recipient_email TEXT NOT NULL,
    recipient_name TEXT NOT NULL,
    sender_name TEXT NOT NULL,
    message TEXT NOT NULL,
    send_on BIGINT,
    locale TEXT NOT NULL,
    UNIQUE (checkout_id, position)
);

-- Only the hash of a card's code is stored.
CREATE TABLE gift_cards (
    id UUID PRIMARY KEY,
    code_hash BYTEA NOT NULL UNIQUE,
    last4 TEXT NOT NULL,
    currency TEXT NOT NULL,
    issued_minor BIGINT NOT NULL CHECK (issued_minor > 0),
    -- The guard of what is spent.
    balance_minor BIGINT NOT NULL CHECK (balance_minor BETWEEN 0 AND issued_minor),
    -- Why it was issued, for admins.
    reason TEXT NOT NULL,
    issued_by UUID REFERENCES users (id),
    disabled BOOLEAN NOT NULL,
    expires_at BIGINT,
    -- What was bought, which has the same ID; NULL if the market gave it away.
    gift_id UUID UNIQUE REFERENCES checkout_gifts (id),
    -- When it is to be sent, if not at once; when it was last sent, and how often.
    send_at BIGINT,
    mailed_at BIGINT,
    mails BIGINT NOT NULL DEFAULT 0,
    -- When its buyer got the money back.
    refunded_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CHECK (gift_id = id),
    CHECK (refunded_at IS NULL OR (disabled AND balance_minor = 0))
);
CREATE INDEX gift_cards_send_at_idx ON gift_cards (send_at) WHERE mailed_at IS NULL AND send_at IS NOT NULL;

-- The cards that were entered in a checkout. They are spent by payments.
CREATE TABLE checkout_gift_cards (
    checkout_id UUID NOT NULL REFERENCES checkouts (id),
    gift_card_id UUID NOT NULL REFERENCES gift_cards (id),
    -- What the card will pay, as the shopper saw it.
    amount_minor BIGINT NOT NULL CHECK (amount_minor >= 0),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (checkout_id, gift_card_id)
);

-- What a checkout reserves of a capacity. A capacity's `held` is the sum of its active holds.
CREATE TABLE holds (
    checkout_id UUID NOT NULL REFERENCES checkouts (id),
    -- The line that it is for; NULL if it is for the checkout as a whole.
    position BIGINT,
    capacity_id UUID NOT NULL REFERENCES capacities (id),
    quantity BIGINT NOT NULL CHECK (quantity > 0),
    state TEXT NOT NULL
);
CREATE UNIQUE INDEX holds_line_key ON holds (checkout_id, position, capacity_id);
CREATE UNIQUE INDEX holds_whole_key ON holds (checkout_id, capacity_id) WHERE position IS NULL;
CREATE INDEX holds_capacity_id_idx ON holds (capacity_id);

-- The appointments that a checkout buys, by the positions of its lines.
CREATE TABLE checkout_bookings (
    checkout_id UUID NOT NULL REFERENCES checkouts (id),
    position BIGINT NOT NULL,
    provider_id UUID NOT NULL REFERENCES providers (id),
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL CHECK (ends_at > starts_at),
    -- The cells of the provider's calendar that it takes, with its buffers. The last one is not part of it.
    first_cell BIGINT NOT NULL,
    end_cell BIGINT NOT NULL CHECK (end_cell > first_cell),
    PRIMARY KEY (checkout_id, position)
);
CREATE INDEX checkout_bookings_provider_id_idx ON checkout_bookings (provider_id, first_cell, end_cell);

-- The calendars of providers, in cells of five minutes since 1970. A cell belongs to one checkout: the primary key is what
-- keeps appointments from overlapping.
CREATE TABLE booking_cells (
    provider_id UUID NOT NULL REFERENCES providers (id),
    cell BIGINT NOT NULL,
    -- Which of the places of the provider's at the same time. 0 for the only one.
    seat BIGINT NOT NULL,
    checkout_id UUID NOT NULL REFERENCES checkouts (id),
    position BIGINT NOT NULL,
    -- When another checkout may take it over; NULL once it is booked.
    expires_at BIGINT,
    PRIMARY KEY (provider_id, cell, seat)
);
CREATE INDEX booking_cells_checkout_id_idx ON booking_cells (checkout_id);


-- Purchases and orders

CREATE TABLE purchases (
    id UUID PRIMARY KEY,
    number TEXT NOT NULL UNIQUE,
    checkout_id UUID NOT NULL UNIQUE REFERENCES checkouts (id),
    user_id UUID REFERENCES users (id),
    email TEXT NOT NULL,
    -- JSON.
    address TEXT NOT NULL,
    -- JSON: the billing address, if it isn't the shipping address.
    billing TEXT,
    tax_id TEXT NOT NULL DEFAULT '',
    locale TEXT NOT NULL DEFAULT 'en',
    method TEXT NOT NULL,
    -- JSON: the gift cards that paid a part of it or all of it, and how much.
    gift_cards TEXT NOT NULL DEFAULT '[]',
    currency TEXT NOT NULL,
    total_minor BIGINT NOT NULL,
    -- The part of it for gift cards that were bought. The rest is the total of its orders.
    gifts_minor BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL
);
CREATE INDEX purchases_user_id_id_idx ON purchases (user_id, id);
CREATE INDEX purchases_email_idx ON purchases (email);

CREATE TABLE orders (
    id UUID PRIMARY KEY,
    number TEXT NOT NULL UNIQUE,
    purchase_id UUID NOT NULL REFERENCES purchases (id),
    shop_id UUID NOT NULL REFERENCES shops (id),
    shop_name TEXT NOT NULL,
    -- Order number, email address and name in lower case, for the shop's search.
    search_folded TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL CHECK (state IN ('placed', 'confirmed', 'shipped', 'delivered', 'cancelled')),
    -- Whether parts of it were shipped, which rules out cancelling it.
    partly_shipped BOOLEAN NOT NULL DEFAULT FALSE,
    currency TEXT NOT NULL,
    -- That of its checkout, to sum sales in one currency.
    rate_numerator BIGINT NOT NULL DEFAULT 1 CHECK (rate_numerator > 0),
    rate_denominator BIGINT NOT NULL DEFAULT 1 CHECK (rate_denominator > 0),
    subtotal_minor BIGINT NOT NULL,
    discount_minor BIGINT NOT NULL CHECK (discount_minor >= 0),
    -- The part of the discount that the market bears, and owes to the shop.
    market_discount_minor BIGINT NOT NULL CHECK (market_discount_minor BETWEEN 0 AND discount_minor),
    delivery_minor BIGINT NOT NULL,
    -- JSON: the taxes on delivery.
    delivery_taxes TEXT NOT NULL DEFAULT '[]',
    delivery_tax_minor BIGINT NOT NULL DEFAULT 0 CHECK (delivery_tax_minor BETWEEN 0 AND tax_minor),
    tax_minor BIGINT NOT NULL,
    added_tax_minor BIGINT NOT NULL CHECK (added_tax_minor BETWEEN 0 AND tax_minor),
    total_minor BIGINT NOT NULL,
    -- The part of the total that was paid for items. The rest was paid for delivery.
    items_minor BIGINT NOT NULL CHECK (items_minor BETWEEN 0 AND total_minor),
    commission_minor BIGINT NOT NULL,
    -- The sum of its lines' quantities.
    units BIGINT NOT NULL CHECK (units > 0),
    -- How much of the total the market has collected. The shop collects the rest.
    collected_minor BIGINT NOT NULL DEFAULT 0,
    -- Guards of its refunds, and the part of them that was paid for delivery.
    refunded_minor BIGINT NOT NULL DEFAULT 0 CHECK (refunded_minor >= 0 AND refunded_minor <= total_minor),
    delivery_refunded_minor BIGINT NOT NULL DEFAULT 0
        CHECK (delivery_refunded_minor >= 0 AND delivery_refunded_minor <= total_minor - items_minor),
    -- The parts of it that are disputed, or were lost in a dispute: of what was collected, of the commission and of the market's
    -- discount. What is refunded and what is disputed never exceed the total together.
    disputed_minor BIGINT NOT NULL DEFAULT 0 CHECK (disputed_minor >= 0 AND refunded_minor + disputed_minor <= total_minor),
    disputed_commission_minor BIGINT NOT NULL DEFAULT 0 CHECK (disputed_commission_minor >= 0),
    disputed_discount_minor BIGINT NOT NULL DEFAULT 0 CHECK (disputed_discount_minor >= 0),
    -- The number of its disputes that are not decided. Until then, its earnings are not released.
    open_disputes BIGINT NOT NULL DEFAULT 0 CHECK (open_disputes >= 0),
    delivery TEXT NOT NULL CHECK (delivery IN ('standard', 'express', 'pickup', 'slot', 'appointment')),
    -- The shop's own name for it. May be empty.
    delivery_name TEXT NOT NULL DEFAULT '',
    days_min BIGINT NOT NULL,
    days_max BIGINT NOT NULL,
    -- The delivery slot, if its customer has chosen one, in the time zone of the shop, and its capacity.
    slot TEXT,
    slot_id UUID REFERENCES delivery_slots (capacity_id),
    created_at BIGINT NOT NULL,
    -- When it last changed. Every change increases it, even if the clocks of the nodes differ.
    updated_at BIGINT NOT NULL,
    -- When the earnings from a delivered order become available to the shop, and when they did.
    release_at BIGINT,
    released_at BIGINT,
    -- Of an exchange, which costs nothing: the order whose items it replaces, and the one that was paid, which differ if what was
    -- exchanged is exchanged again. NULL for all others.
    replaces UUID REFERENCES orders (id),
    paid_order_id UUID REFERENCES orders (id),
    CHECK (total_minor = subtotal_minor - discount_minor + delivery_minor + added_tax_minor),
    CHECK ((replaces IS NULL) = (paid_order_id IS NULL) AND (replaces IS NULL OR total_minor = 0))
);
CREATE INDEX orders_purchase_id_idx ON orders (purchase_id);
-- Lists are sorted by when an order was placed: its ID is generated when the checkout begins.
CREATE INDEX orders_created_at_idx ON orders (created_at, id);
CREATE INDEX orders_state_created_at_idx ON orders (state, created_at, id);
CREATE INDEX orders_shop_id_created_at_idx ON orders (shop_id, created_at, id);
CREATE INDEX orders_shop_id_state_created_at_idx ON orders (shop_id, state, created_at, id);
-- Covers the query for a shop's daily sales.
CREATE INDEX orders_sales_idx ON orders
    (shop_id, created_at, replaces, total_minor, discount_minor, delivery_minor, tax_minor, units, currency, rate_numerator,
    rate_denominator, id);
CREATE INDEX orders_disputed_idx ON orders (created_at, id) WHERE open_disputes > 0;
CREATE INDEX orders_release_at_idx ON orders (release_at) WHERE released_at IS NULL AND release_at IS NOT NULL;

CREATE TABLE order_lines (
    order_id UUID NOT NULL REFERENCES orders (id),
    position BIGINT NOT NULL,
    kind TEXT NOT NULL,
    product_id UUID NOT NULL,
    variant_id UUID NOT NULL,
    title TEXT NOT NULL,
    variant_title TEXT NOT NULL,
    quantity BIGINT NOT NULL,
    unit_minor BIGINT NOT NULL,
    -- Before the discount.
    total_minor BIGINT NOT NULL,
    discount_minor BIGINT NOT NULL,
    -- JSON: the taxes that add up to `tax_minor`.
    taxes TEXT NOT NULL DEFAULT '[]',
    tax_minor BIGINT NOT NULL,
    added_tax_minor BIGINT NOT NULL,
    -- Its part of the order's commission, and of the discount that the market bears: refunds of it give them back.
    commission_minor BIGINT NOT NULL,
    market_discount_minor BIGINT NOT NULL,
    -- Guards: what was shipped, what was refunded while the order stood, and what comes back. A cancellation refunds the rest
    -- and leaves them.
    shipped BIGINT NOT NULL DEFAULT 0 CHECK (shipped >= 0 AND shipped <= quantity),
    refunded BIGINT NOT NULL DEFAULT 0 CHECK (refunded >= 0 AND refunded <= quantity),
    returned BIGINT NOT NULL DEFAULT 0 CHECK (returned >= 0 AND returned <= shipped),
    -- How many of them the customer has other items for, which are not refunded here.
    exchanged BIGINT NOT NULL DEFAULT 0 CHECK (exchanged >= 0),
    -- Of an exchange: the position of the line that was paid.
    paid_position BIGINT,
    CHECK (refunded + exchanged <= quantity),
    PRIMARY KEY (order_id, position)
);
-- Covers the query for a shop's best-selling products.
CREATE INDEX order_lines_sales_idx ON order_lines (order_id, product_id, quantity, total_minor, discount_minor);

-- The appointments that were bought.
CREATE TABLE appointments (
    id UUID PRIMARY KEY,
    order_id UUID NOT NULL REFERENCES orders (id),
    -- The line's position.
    position BIGINT NOT NULL,
    shop_id UUID NOT NULL REFERENCES shops (id),
    provider_id UUID NOT NULL REFERENCES providers (id),
    -- As it was when it was booked.
    provider_name TEXT NOT NULL,
    place TEXT NOT NULL,
    state TEXT NOT NULL,
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL CHECK (ends_at > starts_at),
    -- The wall time of its start, `2026-12-03T10:00`, and the zone: what was agreed, should the zone's rules change.
    starts_local TEXT NOT NULL,
    zone TEXT NOT NULL,
    first_cell BIGINT NOT NULL,
    end_cell BIGINT NOT NULL CHECK (end_cell > first_cell),
    -- The version of its calendar entry.
    sequence BIGINT NOT NULL,
    -- The terms of the service when it was booked.
    change_minutes BIGINT NOT NULL CHECK (change_minutes >= 0),
    fee_percent BIGINT NOT NULL CHECK (fee_percent BETWEEN 0 AND 100),
    -- What the shop kept of its price when the customer cancelled it late, or didn't come.
    fee_minor BIGINT NOT NULL DEFAULT 0 CHECK (fee_minor >= 0),
    -- Whether the customer was reminded: 1 a day before, 2 an hour before. Who books at short notice needs no reminder.
    reminded BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (order_id, position)
);
CREATE INDEX appointments_shop_id_starts_at_idx ON appointments (shop_id, starts_at, id);
CREATE INDEX appointments_provider_id_idx ON appointments (provider_id, starts_at);
CREATE INDEX appointments_reminded_idx ON appointments (starts_at, id) WHERE state = 'booked' AND reminded < 2;

-- Addresses under which programs read a calendar again and again: all appointments of a user, or of one of their shops. The ID is signed
-- in them, and whoever deletes the row ends them.
CREATE TABLE calendar_feeds (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id),
    -- NULL for what the user has booked.
    shop_id UUID REFERENCES shops (id),
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX calendar_feeds_user_id_key ON calendar_feeds (user_id) WHERE shop_id IS NULL;
CREATE UNIQUE INDEX calendar_feeds_shop_id_key ON calendar_feeds (user_id, shop_id) WHERE shop_id IS NOT NULL;

-- The adjustments of a checkout whose orders were placed.
CREATE TABLE order_adjustments (
    order_id UUID NOT NULL REFERENCES orders (id),
    number BIGINT NOT NULL,
    -- The line's position; NULL for shipping.
    position BIGINT,
    promotion_id UUID REFERENCES promotions (id),
    code TEXT NOT NULL,
    label TEXT NOT NULL,
    borne_by TEXT NOT NULL,
    amount_minor BIGINT NOT NULL CHECK (amount_minor < 0),
    after_others BOOLEAN NOT NULL,
    PRIMARY KEY (order_id, number)
);
CREATE INDEX order_adjustments_promotion_id_idx ON order_adjustments (promotion_id) WHERE promotion_id IS NOT NULL;

-- Whatever happened to an order after it was placed. Every change of an order has a later time than the one before.
CREATE TABLE order_events (
    order_id UUID NOT NULL REFERENCES orders (id),
    created_at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    -- Who made the change: the shop, the shopper, or the market.
    actor TEXT NOT NULL,
    user_id UUID REFERENCES users (id),
    -- JSON: what else there is to know about this kind of event.
    data TEXT NOT NULL,
    PRIMARY KEY (order_id, created_at, kind)
);

-- Find the deliveries and the cancellations of a period.
CREATE INDEX order_events_delivered_idx ON order_events (created_at, order_id) WHERE kind = 'delivered';
CREATE INDEX order_events_cancelled_idx ON order_events (created_at, order_id) WHERE kind = 'cancelled';

-- An order is shipped in one or more parts.
CREATE TABLE shipments (
    id UUID PRIMARY KEY,
    order_id UUID NOT NULL REFERENCES orders (id),
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    -- The current tracking details; empty if it is not a parcel.
    carrier TEXT NOT NULL,
    tracking_number TEXT NOT NULL,
    tracking_url TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    delivered_at BIGINT
);
CREATE INDEX shipments_order_id_idx ON shipments (order_id);
CREATE TABLE shipment_lines (
    shipment_id UUID NOT NULL REFERENCES shipments (id),
    -- The line's position in the order.
    position BIGINT NOT NULL,
    quantity BIGINT NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (shipment_id, position)
);


-- Payments, refunds and the ledger

CREATE TABLE payments (
    -- Also sent to the gateway as the ID of this attempt, so that a repeated request creates only one payment there.
    id UUID PRIMARY KEY,
    checkout_id UUID NOT NULL REFERENCES checkouts (id),
    purchase_id UUID REFERENCES purchases (id),
    method TEXT NOT NULL,
    -- The gateway's name, and the gateway's own ID for the payment.
    gateway TEXT NOT NULL,
    gateway_ref TEXT,
    -- What the gateway's own pages call it, if the ID is that of something else, such as a session.
    paid_ref TEXT,
    -- Who receives the money: `market` or `shop`.
    collected_by TEXT NOT NULL,
    -- Whether the shopper pays in the gateway's fields on our page, rather than on the gateway's own page.
    on_page BOOLEAN NOT NULL,
    -- The gateway's ID of the customer who may pay with saved cards. Stored because a repeated request must be the same.
    customer_ref TEXT,
    -- The gift card that paid it.
    gift_card_id UUID REFERENCES gift_cards (id),
    -- The version of the checkout's quote that it is for. A part of the total counts only for this version.
    quote_version BIGINT NOT NULL,
    state TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount_minor BIGINT NOT NULL CHECK (amount_minor >= 0),
    captured_minor BIGINT NOT NULL,
    refunded_minor BIGINT NOT NULL,
    -- Refunds that are queued or pending.
    refund_pending_minor BIGINT NOT NULL,
    -- What its orders bear of its disputes that are open or lost.
    disputed_minor BIGINT NOT NULL DEFAULT 0 CHECK (disputed_minor >= 0),
    -- What the gateway charges for the payment; 0 until it is known.
    fee_minor BIGINT NOT NULL,
    -- Why it failed, and the gateway's own words about it.
    failure TEXT,
    failure_note TEXT NOT NULL DEFAULT '',
    -- JSON: how the shopper continues; NULL if there is nothing to do.
    next_action TEXT,
    -- When reconciliation will next query the gateway, and how often it has so far; NULL when nothing is left to query.
    check_at BIGINT,
    checks BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    -- In this order, since admins search for the gateway's ID alone.
    UNIQUE (gateway_ref, gateway),
    CHECK (collected_by = 'market' OR captured_minor = 0),
    -- A gateway may capture more than was requested; all of it is then refunded.
    CHECK (refunded_minor >= 0 AND refund_pending_minor >= 0 AND refunded_minor + refund_pending_minor
        + disputed_minor <= captured_minor)
);
-- One payment of a checkout at a time waits for the shopper.
CREATE UNIQUE INDEX payments_one_open_per_checkout_key ON payments (checkout_id) WHERE state IN ('created', 'pending');
CREATE INDEX payments_checkout_id_idx ON payments (checkout_id);
CREATE INDEX payments_purchase_id_idx ON payments (purchase_id) WHERE purchase_id IS NOT NULL;
CREATE INDEX payments_paid_ref_idx ON payments (paid_ref) WHERE paid_ref IS NOT NULL;
CREATE INDEX payments_check_at_idx ON payments (check_at) WHERE check_at IS NOT NULL;

CREATE TABLE refunds (
    -- Also sent to the gateway, so that a repeated request refunds only once.
    id UUID PRIMARY KEY,
    payment_id UUID NOT NULL REFERENCES payments (id),
    order_id UUID REFERENCES orders (id),
    -- A refund that takes from several payments is done in parts. The first part has the lines, the shares and the postings of
    -- the whole refund; the others refer to it.
    part_of UUID REFERENCES refunds (id),
    -- The refund that failed, and that it replaces.
    retry_of UUID UNIQUE REFERENCES refunds (id),
    -- How it was paid otherwise, after it failed.
    settled_note TEXT NOT NULL DEFAULT '',
    -- The gateway's own ID for the refund.
    gateway_ref TEXT,
    amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
    -- The part of the amount that was paid for delivery. The rest is that of its lines.
    delivery_minor BIGINT NOT NULL DEFAULT 0 CHECK (delivery_minor >= 0),
    -- The commission that the shop gets back.
    commission_minor BIGINT NOT NULL DEFAULT 0 CHECK (commission_minor >= 0),
    -- The part of the market's discount that the shop gives back.
    market_discount_minor BIGINT NOT NULL DEFAULT 0 CHECK (market_discount_minor >= 0),
    -- Whether its items, which had not been shipped, were returned to stock.
    restocked BOOLEAN NOT NULL DEFAULT FALSE,
    reason TEXT NOT NULL,
    note TEXT NOT NULL DEFAULT '',
    -- `queued`, `pending`, `done`; if it failed after it was done: `failed`, then `replaced` or `paid_otherwise`.
    state TEXT NOT NULL,
    -- When reconciliation will next query the gateway about a pending refund, and how often it has so far.
    check_at BIGINT,
    checks BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    done_at BIGINT
);
CREATE UNIQUE INDEX refunds_orphaned_key ON refunds (payment_id) WHERE reason = 'orphaned' AND retry_of IS NULL;
CREATE UNIQUE INDEX refunds_cancelled_key ON refunds (order_id, payment_id) WHERE reason = 'cancelled' AND retry_of IS NULL;
CREATE INDEX refunds_payment_id_idx ON refunds (payment_id);
CREATE INDEX refunds_order_id_idx ON refunds (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX refunds_created_at_idx ON refunds (created_at);
CREATE INDEX refunds_part_of_idx ON refunds (part_of) WHERE part_of IS NOT NULL;
CREATE INDEX refunds_gateway_ref_idx ON refunds (gateway_ref) WHERE gateway_ref IS NOT NULL;
CREATE INDEX refunds_check_at_idx ON refunds (check_at) WHERE check_at IS NOT NULL;
CREATE TABLE refund_lines (
    refund_id UUID NOT NULL REFERENCES refunds (id),
    -- The line's position in the order.
    position BIGINT NOT NULL,
    -- 0 if the rest of the price of items that were refunded in part follows.
    quantity BIGINT NOT NULL CHECK (quantity >= 0),
    amount_minor BIGINT NOT NULL CHECK (amount_minor >= 0),
    PRIMARY KEY (refund_id, position)
);

-- Disputes of payments, as their gateways report them.
CREATE TABLE disputes (
    id UUID PRIMARY KEY,
    payment_id UUID NOT NULL REFERENCES payments (id),
    gateway TEXT NOT NULL,
    gateway_ref TEXT NOT NULL,
    -- `inquiry`: no money was taken; `open`: it was taken; `won` or `lost`.
    state TEXT NOT NULL,
    -- In the gateway's words.
    reason TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
    -- What no order bears of it, because it was refunded before.
    unallocated_minor BIGINT NOT NULL CHECK (unallocated_minor BETWEEN 0 AND amount_minor),
    -- What the gateway charged for it, and whether it gave that back.
    fee_minor BIGINT NOT NULL CHECK (fee_minor >= 0),
    fee_returned BOOLEAN NOT NULL,
    -- Until when evidence can be submitted.
    evidence_due_at BIGINT,
    opened_at BIGINT NOT NULL,
    closed_at BIGINT,
    -- When reconciliation will next query the gateway; NULL once it is decided.
    check_at BIGINT,
    UNIQUE (gateway_ref, gateway),
    CHECK ((closed_at IS NOT NULL) = (state IN ('won', 'lost')))
);
CREATE INDEX disputes_payment_id_idx ON disputes (payment_id);
CREATE INDEX disputes_closed_at_idx ON disputes (closed_at) WHERE closed_at IS NOT NULL;
CREATE INDEX disputes_check_at_idx ON disputes (check_at) WHERE check_at IS NOT NULL;

-- What the orders of its purchase bear of a dispute. Its postings refer to these parts.
CREATE TABLE dispute_orders (
    id UUID PRIMARY KEY,
    dispute_id UUID NOT NULL REFERENCES disputes (id),
    order_id UUID NOT NULL REFERENCES orders (id),
    amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
    -- The commission on it, and the part of the market's discount.
    commission_minor BIGINT NOT NULL CHECK (commission_minor >= 0),
    market_discount_minor BIGINT NOT NULL CHECK (market_discount_minor >= 0),
    UNIQUE (dispute_id, order_id)
);
CREATE INDEX dispute_orders_order_id_idx ON dispute_orders (order_id);

-- Transfers of gateways to the market's bank account.
CREATE TABLE settlements (
    id UUID PRIMARY KEY,
    gateway TEXT NOT NULL,
    gateway_ref TEXT NOT NULL,
    -- `pending`, `paid` or `failed`.
    state TEXT NOT NULL,
    currency TEXT NOT NULL,
    -- Negative if the gateway took it from the account.
    amount_minor BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (gateway_ref, gateway)
);

-- Requested by the customer, or opened by the shop. Those that were refused or withdrawn count no longer for their lines.
CREATE TABLE returns (
    id UUID PRIMARY KEY,
    order_id UUID NOT NULL REFERENCES orders (id),
    state TEXT NOT NULL CHECK (state IN ('requested', 'approved', 'rejected', 'withdrawn', 'received', 'refunded', 'exchanged')),
    reason TEXT NOT NULL,
    -- What the customer, or the shop that opened it, adds to the reason.
    note TEXT NOT NULL,
    -- Where to send the items, or why it was rejected.
    answer TEXT NOT NULL DEFAULT '',
    -- Whether its items were returned to stock.
    restocked BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    received_at BIGINT,
    refund_id UUID REFERENCES refunds (id),
    -- The order with the items that the customer gets instead.
    exchange_order_id UUID REFERENCES orders (id),
    CHECK ((state = 'refunded') = (refund_id IS NOT NULL)),
    CHECK ((state = 'exchanged') = (exchange_order_id IS NOT NULL))
);
CREATE INDEX returns_order_id_idx ON returns (order_id);
CREATE INDEX returns_requested_idx ON returns (created_at, order_id) WHERE state = 'requested';
CREATE INDEX returns_open_idx ON returns (state, order_id, created_at) WHERE state IN ('requested', 'approved', 'received');
CREATE TABLE return_lines (
    return_id UUID NOT NULL REFERENCES returns (id),
    -- The line's position in the order.
    position BIGINT NOT NULL,
    quantity BIGINT NOT NULL CHECK (quantity > 0),
    -- The variant that the customer would like instead; NULL for a refund.
    wished_variant_id UUID REFERENCES variants (id),
    PRIMARY KEY (return_id, position)
);

-- What the customer shows of what is returned.
CREATE TABLE return_pictures (
    return_id UUID NOT NULL REFERENCES returns (id),
    position BIGINT NOT NULL,
    media_id UUID NOT NULL REFERENCES media (id),
    PRIMARY KEY (return_id, position)
);
-- What uses an image is looked up before it is deleted.
CREATE INDEX return_pictures_media_id_idx ON return_pictures (media_id);
-- The order whose customer uploaded it, instead of a shop or user.
ALTER TABLE media ADD COLUMN order_id UUID REFERENCES orders (id);
CREATE INDEX media_order_id_idx ON media (order_id) WHERE order_id IS NOT NULL;

-- Invoices and credit notes of shops, as they were issued.
CREATE TABLE invoices (
    id UUID PRIMARY KEY,
    shop_id UUID NOT NULL REFERENCES shops (id),
    order_id UUID NOT NULL REFERENCES orders (id),
    -- The refund that a credit note is for; NULL for an invoice.
    refund_id UUID UNIQUE REFERENCES refunds (id),
    kind TEXT NOT NULL CHECK (kind IN ('invoice', 'credit_note')),
    -- Without gaps from 1, for each shop, kind and year of the market's calendar.
    year BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    currency TEXT NOT NULL,
    total_minor BIGINT NOT NULL CHECK (total_minor >= 0),
    -- JSON: everything that is on it.
    content TEXT NOT NULL,
    issued_at BIGINT NOT NULL,
    UNIQUE (shop_id, kind, year, sequence)
);
CREATE UNIQUE INDEX invoices_order_id_key ON invoices (order_id) WHERE kind = 'invoice';
CREATE INDEX invoices_order_id_idx ON invoices (order_id);

-- Gateway notifications as received, deduplicated by their event ID.
CREATE TABLE webhook_events (
    gateway TEXT NOT NULL,
    event_id TEXT NOT NULL,
    -- What it is about: `payment`, `refund`, `dispute`, `payout` or `account`; `gateway_ref` names it.
    kind TEXT NOT NULL,
    gateway_ref TEXT NOT NULL,
    body BYTEA NOT NULL,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (gateway, event_id)
);
CREATE INDEX webhook_events_gateway_ref_idx ON webhook_events (gateway_ref);

-- The seals of the ledger. Each covers its batch of postings and the seal before it, so that no sealed posting can be changed,
-- added or removed unnoticed (docs/decisions/0033-sealed-ledger.md).
CREATE TABLE ledger_batches (
    number BIGINT PRIMARY KEY,
    postings BIGINT NOT NULL,
    seal BYTEA NOT NULL,
    sealed_at BIGINT NOT NULL
);

CREATE TABLE ledger_postings (
    id UUID PRIMARY KEY,
    kind TEXT NOT NULL,
    -- What is posted once: an order, a payment, a refund, a dispute or an order's part of it, a payout, a settlement or a
    -- conversion.
    reference UUID NOT NULL,
    -- The order that it concerns, if any.
    order_id UUID REFERENCES orders (id),
    created_at BIGINT NOT NULL,
    -- The batch in which it was sealed, and the hash of what it was then; NULL until it is sealed.
    batch BIGINT REFERENCES ledger_batches (number),
    seal BYTEA,
    UNIQUE (kind, reference)
);
CREATE INDEX ledger_postings_unsealed_idx ON ledger_postings (id) WHERE batch IS NULL;
CREATE INDEX ledger_postings_batch_idx ON ledger_postings (batch, id) WHERE batch IS NOT NULL;
CREATE INDEX ledger_postings_order_id_idx ON ledger_postings (order_id) WHERE order_id IS NOT NULL;

CREATE TABLE ledger_entries (
    posting_id UUID NOT NULL REFERENCES ledger_postings (id),
    line BIGINT NOT NULL,
    account TEXT NOT NULL,
    shop_id UUID REFERENCES shops (id),
    currency TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    PRIMARY KEY (posting_id, line)
);
-- Covers the query for a shop's balance.
CREATE INDEX ledger_entries_balance_idx ON ledger_entries (shop_id, posting_id, currency, account, amount_minor)
    WHERE shop_id IS NOT NULL;

-- Finds the commission of a period.
CREATE INDEX ledger_entries_commission_idx ON ledger_entries (posting_id, currency, amount_minor)
    WHERE account = 'marketplace_commission';

-- The same over the entries of each shop, so that a shop can verify its own.
CREATE TABLE ledger_shop_seals (
    shop_id UUID NOT NULL REFERENCES shops (id),
    batch BIGINT NOT NULL REFERENCES ledger_batches (number),
    seal BYTEA NOT NULL,
    PRIMARY KEY (shop_id, batch)
);

-- What a shop can withdraw in a currency: what it is owed less what it owes, as its entries say. Below zero if it owes more,
-- for example because an order was refunded after a payout. The guard of payouts, because a sum of entries cannot be one.
CREATE TABLE shop_balances (
    shop_id UUID NOT NULL REFERENCES shops (id),
    currency TEXT NOT NULL,
    available_minor BIGINT NOT NULL,
    PRIMARY KEY (shop_id, currency)
);

-- Where a shop gets its payouts.
CREATE TABLE payout_methods (
    id UUID PRIMARY KEY,
    shop_id UUID NOT NULL REFERENCES shops (id),
    kind TEXT NOT NULL,
    holder TEXT NOT NULL,
    -- What people see of the account.
    masked TEXT NOT NULL,
    -- JSON: the whole account. Only the files for the bank contain it.
    details TEXT NOT NULL,
    created_by UUID NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    -- Until then no payout can use it, so that whoever reads the email about it has time to object.
    usable_at BIGINT NOT NULL,
    removed_at BIGINT,
    -- Of an account at a gateway: the gateway's ID of it, NULL until it was created; what the gateway said of it last; and
    -- when payouts were enabled for the first time.
    account_ref TEXT,
    details_submitted BOOLEAN NOT NULL DEFAULT FALSE,
    payouts_enabled BOOLEAN NOT NULL DEFAULT FALSE,
    -- What the gateway still needs to know, in its terms, separated by spaces.
    requirements TEXT NOT NULL DEFAULT '',
    enabled_at BIGINT
);
CREATE INDEX payout_methods_shop_id_idx ON payout_methods (shop_id) WHERE removed_at IS NULL;
CREATE INDEX payout_methods_account_ref_idx ON payout_methods (account_ref) WHERE account_ref IS NOT NULL;
-- A shop connects one account.
CREATE UNIQUE INDEX payout_methods_shop_id_connected_key ON payout_methods (shop_id) WHERE kind = 'stripe' AND removed_at IS NULL;

-- The number of the last payout, in one row. Payouts are numbered without gaps from 1, for people to tell each other.
CREATE TABLE payout_numbers (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    last BIGINT NOT NULL
);

CREATE TABLE payouts (
    id UUID PRIMARY KEY,
    -- Such as `P-000123`.
    number TEXT NOT NULL UNIQUE,
    shop_id UUID NOT NULL REFERENCES shops (id),
    method_id UUID NOT NULL REFERENCES payout_methods (id),
    currency TEXT NOT NULL,
    amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
    state TEXT NOT NULL,
    requested_by UUID NOT NULL REFERENCES users (id),
    -- NULL while it isn't approved, or if the program itself did that.
    approved_by UUID REFERENCES users (id),
    -- Who marked it as sent and as paid, and who rejected it or marked it as returned. NULL as above.
    sent_by UUID REFERENCES users (id),
    paid_by UUID REFERENCES users (id),
    ended_by UUID REFERENCES users (id),
    -- The bank's reference of the transfer, or the gateway's ID of it, once it is sent.
    reference TEXT NOT NULL DEFAULT '',
    -- Why it was rejected or returned, or is not transferred yet.
    reason TEXT NOT NULL DEFAULT '',
    requested_at BIGINT NOT NULL,
    approved_at BIGINT,
    sent_at BIGINT,
    paid_at BIGINT,
    -- When it was rejected or returned.
    ended_at BIGINT,
    -- The gateway that transfers it; NULL if admins have the bank do that.
    gateway TEXT,
    -- How many transfers the gateway refused for now: a part of the key of the next one.
    transfer_refusals BIGINT NOT NULL DEFAULT 0,
    -- Whether the gateway may have received a request for the transfer whose outcome is unknown.
    transfer_open BOOLEAN NOT NULL DEFAULT FALSE,
    -- When the transfer is tried, or read, again, and how often it was.
    transfer_at BIGINT,
    transfer_checks BIGINT NOT NULL DEFAULT 0,
    -- What the gateway said of the last problem.
    gateway_note TEXT NOT NULL DEFAULT '',
    CHECK (requested_by <> approved_by),
    CHECK (NOT transfer_open OR state = 'approved')
);
CREATE INDEX payouts_transfer_at_idx ON payouts (transfer_at) WHERE transfer_at IS NOT NULL;
CREATE INDEX payouts_shop_id_id_idx ON payouts (shop_id, id);
CREATE INDEX payouts_state_id_idx ON payouts (state, id);

-- The sandbox gateway's own records. It stands in for an external service; of the market's own code, only it uses them.
CREATE TABLE sandbox_payments (
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
    locale TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    CHECK (refunded_minor >= 0 AND refunded_minor <= amount_minor)
);
CREATE TABLE sandbox_refunds (
    attempt_id UUID PRIMARY KEY,
    gateway_ref TEXT NOT NULL REFERENCES sandbox_payments (gateway_ref),
    amount_minor BIGINT NOT NULL,
    -- `pending`, `done` or `failed`.
    state TEXT NOT NULL
);
CREATE TABLE sandbox_disputes (
    dispute_ref TEXT PRIMARY KEY,
    gateway_ref TEXT NOT NULL REFERENCES sandbox_payments (gateway_ref),
    amount_minor BIGINT NOT NULL,
    fee_minor BIGINT NOT NULL,
    -- `inquiry`, `open`, `won` or `lost`.
    state TEXT NOT NULL,
    opened_at BIGINT NOT NULL
);
CREATE TABLE sandbox_events (
    event_id UUID PRIMARY KEY,
    gateway_ref TEXT NOT NULL REFERENCES sandbox_payments (gateway_ref),
    -- The refund or the dispute that it is about; NULL if it is about the payment.
    refund_id UUID,
    dispute_ref TEXT,
    deliver_at BIGINT NOT NULL,
    deliveries_left BIGINT NOT NULL,
    failures BIGINT NOT NULL
);
CREATE INDEX sandbox_events_due_idx ON sandbox_events (deliver_at) WHERE deliveries_left > 0;


-- Chat

-- One per shopper and shop. Whatever changes it or its messages locks its row, which counts messages and changes.
CREATE TABLE conversations (
    id UUID PRIMARY KEY,
    shop_id UUID NOT NULL REFERENCES shops (id),
    user_id UUID NOT NULL REFERENCES users (id),
    -- The number of the last message, and that of the last message written, edited or deleted. 0 if there is none.
    last_seq BIGINT NOT NULL CHECK (last_seq >= 0),
    change_seq BIGINT NOT NULL CHECK (change_seq >= last_seq),
    -- Up to which message each side has read.
    shopper_read_seq BIGINT NOT NULL CHECK (shopper_read_seq BETWEEN 0 AND last_seq),
    shop_read_seq BIGINT NOT NULL CHECK (shop_read_seq BETWEEN 0 AND last_seq),
    -- How many messages of the other side are after it.
    shopper_unread BIGINT NOT NULL CHECK (shopper_unread >= 0),
    shop_unread BIGINT NOT NULL CHECK (shop_unread >= 0),
    -- When to notify a side of unread messages. NULL if it has none, or was notified of them.
    shopper_notify_at BIGINT,
    shop_notify_at BIGINT,
    -- Whether the shop has blocked the shopper.
    blocked BOOLEAN NOT NULL,
    -- When the last message was sent, or else when it was opened.
    last_at BIGINT NOT NULL,
    -- When the shopper last got the shop's away message.
    away_at BIGINT,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX conversations_shop_id_user_id_key ON conversations (shop_id, user_id);
CREATE INDEX conversations_shop_id_last_at_idx ON conversations (shop_id, last_at, id);
CREATE INDEX conversations_user_id_last_at_idx ON conversations (user_id, last_at, id);
CREATE INDEX conversations_user_id_unread_idx ON conversations (user_id) WHERE shopper_unread > 0;
CREATE INDEX conversations_shop_id_unread_idx ON conversations (shop_id) WHERE shop_unread > 0;
CREATE INDEX conversations_shopper_notify_at_idx ON conversations (shopper_notify_at) WHERE shopper_notify_at IS NOT NULL;
CREATE INDEX conversations_shop_notify_at_idx ON conversations (shop_notify_at) WHERE shop_notify_at IS NOT NULL;

CREATE TABLE messages (
    conversation_id UUID NOT NULL REFERENCES conversations (id),
    -- Made by the sender, so that a message that is sent again isn't stored again.
    id UUID NOT NULL,
    -- From 1 without gaps.
    seq BIGINT NOT NULL CHECK (seq > 0),
    -- The number of the conversation's change that wrote, edited or deleted it.
    change_seq BIGINT NOT NULL CHECK (change_seq >= seq),
    side TEXT NOT NULL,
    -- NULL if it is the shop's away message.
    user_id UUID REFERENCES users (id),
    -- Empty once it was deleted. The second one as searches compare it.
    text TEXT NOT NULL,
    text_folded TEXT NOT NULL,
    -- What it is about.
    product_id UUID REFERENCES products (id) ON DELETE SET NULL,
    order_id UUID REFERENCES orders (id),
    created_at BIGINT NOT NULL,
    edited_at BIGINT,
    deleted BOOLEAN NOT NULL,
    PRIMARY KEY (conversation_id, id),
    UNIQUE (conversation_id, seq)
);
CREATE INDEX messages_conversation_id_change_seq_idx ON messages (conversation_id, change_seq);
-- A product that is deleted is looked up.
CREATE INDEX messages_product_id_idx ON messages (product_id) WHERE product_id IS NOT NULL;

CREATE TABLE message_pictures (
    conversation_id UUID NOT NULL,
    message_id UUID NOT NULL,
    position BIGINT NOT NULL,
    media_id UUID NOT NULL REFERENCES media (id),
    alt TEXT NOT NULL,
    PRIMARY KEY (conversation_id, message_id, position),
    FOREIGN KEY (conversation_id, message_id) REFERENCES messages (conversation_id, id)
);
CREATE INDEX message_pictures_media_id_idx ON message_pictures (media_id);
-- The images of a conversation are private.
ALTER TABLE media ADD COLUMN conversation_id UUID REFERENCES conversations (id);
CREATE INDEX media_conversation_id_idx ON media (conversation_id) WHERE conversation_id IS NOT NULL;

-- What a shop answers by itself, and when it doesn't: JSON.
CREATE TABLE away_messages (
    shop_id UUID PRIMARY KEY REFERENCES shops (id),
    message TEXT NOT NULL
);

-- Saved answers of shops.
CREATE TABLE quick_replies (
    id UUID PRIMARY KEY,
    shop_id UUID NOT NULL REFERENCES shops (id),
    name TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX quick_replies_shop_id_idx ON quick_replies (shop_id);

-- What the members of a shop write on a conversation for each other.
CREATE TABLE conversation_notes (
    id UUID PRIMARY KEY,
    conversation_id UUID NOT NULL REFERENCES conversations (id),
    user_id UUID NOT NULL REFERENCES users (id),
    text TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX conversation_notes_conversation_id_idx ON conversation_notes (conversation_id);

CREATE TABLE conversation_labels (
    conversation_id UUID NOT NULL REFERENCES conversations (id),
    shop_id UUID NOT NULL REFERENCES shops (id),
    label TEXT NOT NULL,
    PRIMARY KEY (conversation_id, label)
);
CREATE INDEX conversation_labels_shop_id_label_idx ON conversation_labels (shop_id, label);

-- What shoppers and shops reported to the operator.
CREATE TABLE message_reports (
    id UUID PRIMARY KEY,
    conversation_id UUID NOT NULL REFERENCES conversations (id),
    -- Who reported the other side.
    side TEXT NOT NULL,
    user_id UUID NOT NULL REFERENCES users (id),
    -- The message, or the conversation.
    subject_id UUID NOT NULL,
    reason TEXT NOT NULL,
    details TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'resolved', 'dismissed')),
    note TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    closed_at BIGINT,
    closed_by UUID REFERENCES users (id)
);
CREATE UNIQUE INDEX message_reports_open_key ON message_reports (conversation_id, side, subject_id) WHERE state = 'open';
CREATE INDEX message_reports_state_idx ON message_reports (state, id);

-- The reported messages as they were then. Their authors may delete them.
CREATE TABLE reported_messages (
    report_id UUID NOT NULL REFERENCES message_reports (id),
    message_id UUID NOT NULL,
    seq BIGINT NOT NULL,
    text TEXT NOT NULL,
    sent_at BIGINT NOT NULL,
    PRIMARY KEY (report_id, message_id)
);

CREATE TABLE reported_pictures (
    report_id UUID NOT NULL REFERENCES message_reports (id),
    message_id UUID NOT NULL,
    position BIGINT NOT NULL,
    media_id UUID NOT NULL REFERENCES media (id),
    alt TEXT NOT NULL,
    PRIMARY KEY (report_id, message_id, position)
);
CREATE INDEX reported_pictures_media_id_idx ON reported_pictures (media_id);

-- Users and shops that the operator lets send no messages.
CREATE TABLE message_bans (
    subject_id UUID PRIMARY KEY,
    created_at BIGINT NOT NULL
);


-- Reviews

-- One for each line of an order.
CREATE TABLE reviews (
    id UUID PRIMARY KEY,
    order_id UUID NOT NULL,
    position BIGINT NOT NULL,
    product_id UUID NOT NULL REFERENCES products (id),
    shop_id UUID NOT NULL REFERENCES shops (id),
    user_id UUID NOT NULL REFERENCES users (id),
    rating BIGINT NOT NULL CHECK (rating BETWEEN 1 AND 5),
    -- Empty once it is deleted.
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    anonymous BOOLEAN NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('published', 'held', 'hidden', 'deleted')),
    -- Why a rule holds it back.
    held_because TEXT,
    -- Whether an admin has hidden it, even if it was changed or deleted since; and why.
    was_hidden BOOLEAN NOT NULL DEFAULT FALSE,
    note TEXT NOT NULL DEFAULT '',
    -- The shop's.
    reply TEXT NOT NULL DEFAULT '',
    replied_at BIGINT,
    -- The numbers of its votes, and of its reports that nobody has decided on.
    helpful BIGINT NOT NULL DEFAULT 0 CHECK (helpful >= 0),
    reports BIGINT NOT NULL DEFAULT 0 CHECK (reports >= 0),
    version BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (order_id, position),
    FOREIGN KEY (order_id, position) REFERENCES order_lines (order_id, position)
);
CREATE INDEX reviews_product_id_id_idx ON reviews (product_id, id) WHERE state = 'published';
CREATE INDEX reviews_product_id_helpful_idx ON reviews (product_id, helpful, id) WHERE state = 'published';
CREATE INDEX reviews_product_id_rating_idx ON reviews (product_id, rating) WHERE state = 'published';
CREATE INDEX reviews_shop_id_id_idx ON reviews (shop_id, id);
CREATE INDEX reviews_state_id_idx ON reviews (state, id);
CREATE INDEX reviews_reported_idx ON reviews (id) WHERE reports > 0;

-- What a review said before it was changed.
CREATE TABLE review_versions (
    review_id UUID NOT NULL REFERENCES reviews (id),
    version BIGINT NOT NULL,
    rating BIGINT NOT NULL,
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (review_id, version)
);

-- Who found a review helpful.
-- The orders whose customers were asked for reviews, once.
CREATE TABLE review_invitations (
    order_id UUID PRIMARY KEY REFERENCES orders (id),
    created_at BIGINT NOT NULL
);

CREATE TABLE review_votes (
    review_id UUID NOT NULL REFERENCES reviews (id),
    user_id UUID NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (review_id, user_id)
);
CREATE INDEX review_votes_user_id_idx ON review_votes (user_id, review_id);

CREATE TABLE review_reports (
    review_id UUID NOT NULL REFERENCES reviews (id),
    user_id UUID NOT NULL REFERENCES users (id),
    reason TEXT NOT NULL,
    details TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- When an admin decided about the review.
    closed_at BIGINT,
    PRIMARY KEY (review_id, user_id)
);


-- Work that follows a transaction

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
    queue TEXT NOT NULL,
    name TEXT NOT NULL,
    -- JSON.
    payload TEXT NOT NULL,
    -- The subject of the job. At most one job with the same name and key is queued or running.
    dedupe_key TEXT NOT NULL,
    -- A running job is still 'queued', with a lease.
    state TEXT NOT NULL CHECK (state IN ('queued', 'done', 'dead', 'discarded')),
    run_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    -- When the worker's lease on the job expires. Every claim has its own ID, so a result with an outdated ID is late.
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

-- Written by a node to check that it can write.
CREATE TABLE heartbeats (
    id BIGINT PRIMARY KEY,
    beaten_at BIGINT NOT NULL
);

-- Who was notified of what, through which channel, and whether the notification was delivered.
CREATE TABLE notifications (
    id UUID PRIMARY KEY,
    -- What happened: the ID of an outbox message, of a sign-up, of an announcement, or of the notification that is sent again.
    event UUID NOT NULL,
    -- An address of the channel.
    recipient TEXT NOT NULL,
    -- The recipient, if they have an account. It may have been deleted since.
    user_id UUID,
    channel TEXT NOT NULL,
    -- The template, and the object that it describes.
    kind TEXT NOT NULL,
    subject UUID NOT NULL,
    locale TEXT NOT NULL,
    -- `resent`: it has failed, and was written again.
    state TEXT NOT NULL CHECK (state IN ('written', 'sent', 'failed', 'resent')),
    -- What the recipient reads first, once it was rendered.
    title TEXT NOT NULL DEFAULT '',
    run_at BIGINT NOT NULL DEFAULT 0,
    attempts BIGINT NOT NULL DEFAULT 0,
    -- As for jobs.
    lease_until BIGINT NOT NULL DEFAULT 0,
    claim UUID,
    error TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL,
    sent_at BIGINT
);
CREATE UNIQUE INDEX notifications_event_recipient_channel_key ON notifications (event, recipient, channel);
CREATE INDEX notifications_due_idx ON notifications (channel, run_at) WHERE state = 'written';
-- For the delivery log, and for counting those that have failed.
CREATE INDEX notifications_state_id_channel_idx ON notifications (state, id, channel);
CREATE INDEX notifications_recipient_idx ON notifications (lower(recipient));
CREATE INDEX notifications_user_id_idx ON notifications (user_id) WHERE user_id IS NOT NULL;
-- What was written about someone, when they delete their account.
CREATE INDEX notifications_subject_idx ON notifications (subject);
CREATE INDEX notifications_claim_idx ON notifications (claim) WHERE claim IS NOT NULL;

-- Messages from the contact page.
CREATE TABLE contact_messages (
    id UUID PRIMARY KEY,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    user_id UUID REFERENCES users (id),
    message TEXT NOT NULL,
    locale TEXT NOT NULL,
    state TEXT NOT NULL,
    answer TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL,
    closed_at BIGINT,
    closed_by UUID REFERENCES users (id)
);
CREATE INDEX contact_messages_state_idx ON contact_messages (state, id);

-- What the market tells many people at once.
CREATE TABLE announcements (
    id UUID PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('service', 'offer')),
    audience TEXT NOT NULL CHECK (audience IN ('everyone', 'customers', 'sellers')),
    in_app BOOLEAN NOT NULL,
    email BOOLEAN NOT NULL,
    -- As it was entered, with its texts: JSON.
    form TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('draft', 'scheduled', 'sending', 'sent', 'withdrawn')),
    send_at BIGINT,
    -- All users up to this one were told, and how many notifications that were.
    told_until UUID NOT NULL,
    told BIGINT NOT NULL DEFAULT 0,
    version BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX announcements_state_idx ON announcements (state, send_at) WHERE state IN ('scheduled', 'sending');

-- The variants of which shops were told that little is left, until they are refilled.
CREATE TABLE low_stock (
    variant_id UUID PRIMARY KEY REFERENCES variants (id) ON DELETE CASCADE,
    told_at BIGINT NOT NULL
);

-- What users see on their page of notifications: those of the channel in_app that were delivered.
CREATE TABLE inbox (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    -- In the language of the recipient, and the page that it leads to.
    title TEXT NOT NULL,
    text TEXT NOT NULL DEFAULT '',
    path TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    read_at BIGINT
);
CREATE INDEX inbox_user_id_id_idx ON inbox (user_id, id);
CREATE INDEX inbox_unread_idx ON inbox (user_id) WHERE read_at IS NULL;
CREATE INDEX inbox_created_at_idx ON inbox (created_at);

-- Through which channels users get notifications, where they have chosen.
CREATE TABLE notification_preferences (
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    topic TEXT NOT NULL,
    email BOOLEAN NOT NULL,
    in_app BOOLEAN NOT NULL,
    push BOOLEAN NOT NULL,
    PRIMARY KEY (user_id, topic)
);

-- Browsers that show notifications while no page is open (web push), as long as their session lasts.
CREATE TABLE push_subscriptions (
    id UUID PRIMARY KEY,
    session_id UUID NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- Where the browser's push service takes notifications.
    endpoint TEXT NOT NULL UNIQUE,
    -- With what they are encrypted for the browser.
    public_key BYTEA NOT NULL,
    auth BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX push_subscriptions_session_id_idx ON push_subscriptions (session_id);
CREATE INDEX push_subscriptions_user_id_idx ON push_subscriptions (user_id);

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

-- The events that API clients poll. Their numbers are assigned after the commit that an event describes, by one publisher
-- at a time.
CREATE TABLE events (
    seq BIGINT PRIMARY KEY,
    kind TEXT NOT NULL,
    order_id UUID NOT NULL REFERENCES orders (id),
    shop_id UUID NOT NULL REFERENCES shops (id),
    created_at BIGINT NOT NULL,
    published_at BIGINT NOT NULL
);
CREATE INDEX events_shop_id_seq_idx ON events (shop_id, seq);

-- A single row. Its lock serializes publishers.
CREATE TABLE event_feed (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    -- The number of the latest event.
    last_seq BIGINT NOT NULL,
    -- Events up to and including this number have been deleted.
    deleted_seq BIGINT NOT NULL
);
INSERT INTO event_feed (id, last_seq, deleted_seq) VALUES (1, 0, 0);
