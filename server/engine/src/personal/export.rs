//! Everything that the market holds of a user, as one JSON document.
//!
//! Each section is a statement and a struct whose fields are the names in the document, so that every field is chosen. Nothing in
//! it is about anyone else: of conversations, it has what the user wrote, and of orders no notes of shops.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::{
    Caller, Engine, clock,
    db::{FromRow, Statement},
    params, quotas, rows, statements,
};
use haat_shared::{Error, Result, id::kinds::UserId};

/// How many copies a user gets per day.
const COPIES_PER_DAY: i64 = 20;
const COPIES: quotas::QuotaKind = ("personal_data_copies", quotas::DAY_MS);
/// The version of the document.
const VERSION: i64 = 1;

/// The fields that are stored as JSON.
const JSON: [&str; 7] =
    ["address", "shipping_address", "billing_address", "gift_cards", "data", "content", "entered"];

statements! {
    PROFILE = "SELECT name, email, phone, locale AS language, currency, recommendations, created_at,
        CASE WHEN password_hash = '' THEN FALSE ELSE TRUE END AS has_password FROM users WHERE id = $1";
    ADDRESSES = "SELECT label, address, is_default, created_at FROM user_addresses WHERE user_id = $1 ORDER BY created_at, id";
    SIGN_INS = "SELECT device, created_at, expires_at FROM sessions WHERE user_id = $1 ORDER BY id";
    API_SIGN_INS = "SELECT created_at, expires_at FROM api_sessions WHERE user_id = $1 ORDER BY id";
    API_KEYS = "SELECT name, scopes, created_at, last_used_at FROM api_keys WHERE user_id = $1 ORDER BY id";
    PROVIDERS = "SELECT provider, subject, email, created_at FROM logins WHERE user_id = $1 ORDER BY provider";
    PAYMENT_SERVICES = "SELECT gateway, customer_ref AS customer, created_at FROM gateway_customers WHERE user_id = $1 ORDER BY gateway";
    ROLES = "SELECT role, granted_at FROM role_assignments WHERE user_id = $1 ORDER BY role";
    SHOPS = "SELECT s.handle, s.name, m.role, m.joined_at FROM shop_members m JOIN shops s ON s.id = m.shop_id WHERE m.user_id = $1 ORDER BY s.handle";
    INVITATIONS = "SELECT s.name AS shop, i.email, i.role, i.state AS status, i.sent_at, i.expires_at FROM users u
        JOIN shop_invitations i ON i.email_folded = u.email_folded JOIN shops s ON s.id = i.shop_id WHERE u.id = $1 ORDER BY i.id";
    PURCHASES = "SELECT number, email, address AS shipping_address, billing AS billing_address, tax_id, locale AS language, method AS payment_method,
        gift_cards, currency, total_minor, created_at FROM purchases WHERE user_id = $1 ORDER BY id";
    ORDERS = "SELECT b.number AS purchase, o.number, o.shop_name AS shop, o.state AS status, o.currency, o.subtotal_minor, o.discount_minor,
        o.delivery_minor AS shipping_minor, o.tax_minor, o.total_minor, o.refunded_minor, o.delivery AS shipping_method, o.slot AS delivery_slot, o.created_at
        FROM purchases b JOIN orders o ON o.purchase_id = b.id WHERE b.user_id = $1 ORDER BY o.id";
    LINES = "SELECT o.number AS \"order\", l.title, l.variant_title AS variant, l.quantity, l.unit_minor, l.total_minor, l.discount_minor, l.tax_minor
        FROM purchases b JOIN orders o ON o.purchase_id = b.id JOIN order_lines l ON l.order_id = o.id WHERE b.user_id = $1 ORDER BY o.id, l.position";
    ORDER_NOTES = "SELECT o.number AS \"order\", e.kind, e.data, e.created_at FROM purchases b JOIN orders o ON o.purchase_id = b.id
        JOIN order_events e ON e.order_id = o.id AND e.actor = 'shopper' WHERE b.user_id = $1 ORDER BY e.created_at";
    SHIPMENTS = "SELECT o.number AS \"order\", s.carrier, s.tracking_number, s.created_at, s.delivered_at FROM purchases b JOIN orders o ON o.purchase_id = b.id
        JOIN shipments s ON s.order_id = o.id WHERE b.user_id = $1 ORDER BY s.id";
    RETURNS = "SELECT o.number AS \"order\", r.state AS status, r.reason, r.note, r.answer, r.created_at FROM purchases b JOIN orders o ON o.purchase_id = b.id
        JOIN returns r ON r.order_id = o.id WHERE b.user_id = $1 ORDER BY r.id";
    PAYMENTS = "SELECT b.number AS purchase, y.method, y.gateway AS payment_service, y.gateway_ref AS reference, y.state AS status, y.currency, y.amount_minor,
        y.captured_minor, y.refunded_minor, y.created_at FROM purchases b JOIN payments y ON y.purchase_id = b.id WHERE b.user_id = $1 ORDER BY y.id";
    REFUNDS = "SELECT o.number AS \"order\", r.amount_minor, y.currency, r.reason, r.state AS status, r.created_at FROM purchases b
        JOIN payments y ON y.purchase_id = b.id JOIN refunds r ON r.payment_id = y.id LEFT JOIN orders o ON o.id = r.order_id
        WHERE b.user_id = $1 ORDER BY r.id";
    INVOICES = "SELECT o.number AS \"order\", i.kind, i.content, i.issued_at FROM purchases b JOIN orders o ON o.purchase_id = b.id
        JOIN invoices i ON i.order_id = o.id WHERE b.user_id = $1 ORDER BY i.id";
    APPOINTMENTS = "SELECT o.number AS \"order\", a.provider_name AS provider, a.place, a.state AS status, a.starts_local, a.zone, a.starts_at, a.ends_at
        FROM purchases b JOIN orders o ON o.purchase_id = b.id JOIN appointments a ON a.order_id = o.id WHERE b.user_id = $1 ORDER BY a.starts_at, a.id";
    GIFT_CARDS = "SELECT b.number AS purchase, g.amount_minor, g.recipient_email, g.recipient_name, g.sender_name, g.message, k.last4, k.mailed_at AS sent_at
        FROM purchases b JOIN checkout_gifts g ON g.checkout_id = b.checkout_id LEFT JOIN gift_cards k ON k.gift_id = g.id
        WHERE b.user_id = $1 ORDER BY b.id, g.position";
    CHECKOUTS = "SELECT c.state AS status, c.form AS entered, c.currency, c.total_minor, c.created_at FROM carts k JOIN checkouts c ON c.cart_id = k.id
        WHERE k.user_id = $1 AND c.state <> 'completed' ORDER BY c.id";
    BASKET = "SELECT l.title, l.variant_title AS variant, l.quantity, l.created_at FROM carts k JOIN cart_lines l ON l.cart_id = k.id
        WHERE k.user_id = $1 ORDER BY l.id";
    GIFTS_IN_BASKET = "SELECT g.amount_minor, g.currency, g.recipient_email, g.recipient_name, g.sender_name, g.message, g.created_at
        FROM carts k JOIN cart_gifts g ON g.cart_id = k.id WHERE k.user_id = $1 ORDER BY g.id";
    WISHLIST = "SELECT w.title, w.variant_title AS variant, w.created_at FROM carts k JOIN wishlist_items w ON w.cart_id = k.id
        WHERE k.user_id = $1 ORDER BY w.id";
    REVIEWS = "SELECT o.number AS \"order\", p.title AS product, r.rating, r.title, r.body, r.anonymous, r.state AS status, r.reply, r.created_at, r.updated_at
        FROM purchases b JOIN orders o ON o.purchase_id = b.id JOIN reviews r ON r.order_id = o.id JOIN products p ON p.id = r.product_id
        WHERE b.user_id = $1 AND r.state <> 'deleted' ORDER BY r.id";
    REVIEW_VERSIONS = "SELECT o.number AS \"order\", v.rating, v.title, v.body, v.created_at FROM purchases b JOIN orders o ON o.purchase_id = b.id
        JOIN reviews r ON r.order_id = o.id JOIN review_versions v ON v.review_id = r.id WHERE b.user_id = $1 ORDER BY r.id, v.version";
    REVIEW_REPORTS = "SELECT p.title AS product, r.reason, r.details, r.created_at FROM review_reports r JOIN reviews v ON v.id = r.review_id
        JOIN products p ON p.id = v.product_id WHERE r.user_id = $1 ORDER BY r.created_at";
    REVIEW_VOTES = "SELECT p.title AS product, v.created_at FROM review_votes v JOIN reviews r ON r.id = v.review_id JOIN products p ON p.id = r.product_id
        WHERE v.user_id = $1 ORDER BY v.created_at";
    MESSAGES = "SELECT s.name AS shop, m.text, m.created_at, m.edited_at FROM conversations c JOIN shops s ON s.id = c.shop_id
        JOIN messages m ON m.conversation_id = c.id AND m.side = 'shopper' AND NOT m.deleted WHERE c.user_id = $1 ORDER BY m.conversation_id, m.seq";
    MESSAGES_AS_STAFF = "SELECT s.name AS shop, m.text, m.created_at, m.edited_at FROM shop_members w JOIN shops s ON s.id = w.shop_id
        JOIN conversations c ON c.shop_id = s.id JOIN messages m ON m.conversation_id = c.id AND m.side = 'shop' AND m.user_id = $1 AND NOT m.deleted
        WHERE w.user_id = $1 ORDER BY m.conversation_id, m.seq";
    REPORTS = "SELECT s.name AS shop, r.reason, r.details, r.state AS status, r.created_at FROM message_reports r JOIN conversations c ON c.id = r.conversation_id
        JOIN shops s ON s.id = c.shop_id WHERE r.user_id = $1 AND r.side = 'shopper' ORDER BY r.id";
    CONTACT = "SELECT name, email, message, answer, created_at FROM contact_messages WHERE user_id = $1 ORDER BY id";
    NOTIFICATIONS = "SELECT kind, title, text, created_at, read_at FROM inbox WHERE user_id = $1 ORDER BY id";
    EMAILS = "SELECT kind, channel, recipient, title AS subject, state AS status, created_at, sent_at FROM notifications WHERE user_id = $1 ORDER BY id";
    PREFERENCES = "SELECT topic, email, in_app, push FROM notification_preferences WHERE user_id = $1 ORDER BY topic";
    BROWSERS = "SELECT endpoint, created_at FROM push_subscriptions WHERE user_id = $1 ORDER BY id";
    DISMISSED = "SELECT p.title AS product, d.created_at FROM dismissed_recommendations d LEFT JOIN products p ON p.id = d.product_id
        WHERE d.user_id = $1 ORDER BY d.created_at, d.product_id";
    CALENDARS = "SELECT s.name AS shop, f.created_at FROM calendar_feeds f LEFT JOIN shops s ON s.id = f.shop_id WHERE f.user_id = $1 ORDER BY f.id";
    PICTURES = "SELECT width, height, created_at FROM media WHERE user_id = $1 ORDER BY id";
}

rows! {
    #[derive(Serialize)]
    struct Profile { name: String, email: String, phone: String, language: String, currency: Option<String>, recommendations: bool, has_password: bool, created_at: i64 }
    #[derive(Serialize)]
    struct SavedAddress { label: String, address: String, is_default: bool, created_at: i64 }
    #[derive(Serialize)]
    struct SignIn { device: String, created_at: i64, expires_at: i64 }
    #[derive(Serialize)]
    struct ApiSignIn { created_at: i64, expires_at: i64 }
    #[derive(Serialize)]
    struct ApiKey { name: String, scopes: String, created_at: i64, last_used_at: Option<i64> }
    #[derive(Serialize)]
    struct ProviderAccount { provider: String, subject: String, email: String, created_at: i64 }
    #[derive(Serialize)]
    struct PaymentService { gateway: String, customer: String, created_at: i64 }
    #[derive(Serialize)]
    struct AdminRole { role: String, granted_at: i64 }
    #[derive(Serialize)]
    struct Shop { handle: String, name: String, role: String, joined_at: i64 }
    #[derive(Serialize)]
    struct Invitation { shop: String, email: String, role: String, status: String, sent_at: i64, expires_at: i64 }
    #[derive(Serialize)]
    struct Purchase { number: String, email: String, shipping_address: String, billing_address: Option<String>, tax_id: String, language: String, payment_method: String,
        gift_cards: String, currency: String, total_minor: i64, created_at: i64 }
    #[derive(Serialize)]
    struct Order { purchase: String, number: String, shop: String, status: String, currency: String, subtotal_minor: i64, discount_minor: i64, shipping_minor: i64,
        tax_minor: i64, total_minor: i64, refunded_minor: i64, shipping_method: String, delivery_slot: Option<String>, created_at: i64 }
    #[derive(Serialize)]
    struct Line { order: String, title: String, variant: String, quantity: i64, unit_minor: i64, total_minor: i64, discount_minor: i64, tax_minor: i64 }
    #[derive(Serialize)]
    struct OrderNote { order: String, kind: String, data: String, created_at: i64 }
    #[derive(Serialize)]
    struct Shipment { order: String, carrier: String, tracking_number: String, created_at: i64, delivered_at: Option<i64> }
    #[derive(Serialize)]
    struct Return { order: String, status: String, reason: String, note: String, answer: String, created_at: i64 }
    #[derive(Serialize)]
    struct Payment { purchase: String, method: String, payment_service: String, reference: Option<String>, status: String, currency: String, amount_minor: i64,
        captured_minor: i64, refunded_minor: i64, created_at: i64 }
    #[derive(Serialize)]
    struct Refund { order: Option<String>, amount_minor: i64, currency: String, reason: String, status: String, created_at: i64 }
    #[derive(Serialize)]
    struct Invoice { order: String, kind: String, content: String, issued_at: i64 }
    #[derive(Serialize)]
    struct Appointment { order: String, provider: String, place: String, status: String, starts_local: String, zone: String, starts_at: i64, ends_at: i64 }
    #[derive(Serialize)]
    struct GiftCard { purchase: String, amount_minor: i64, recipient_email: String, recipient_name: String, sender_name: String, message: String,
        last4: Option<String>, sent_at: Option<i64> }
    #[derive(Serialize)]
    struct Checkout { status: String, entered: String, currency: String, total_minor: i64, created_at: i64 }
    #[derive(Serialize)]
    struct BasketItem { title: String, variant: String, quantity: i64, created_at: i64 }
    #[derive(Serialize)]
    struct GiftInBasket { amount_minor: i64, currency: String, recipient_email: String, recipient_name: String, sender_name: String, message: String, created_at: i64 }
    #[derive(Serialize)]
    struct Wish { title: String, variant: String, created_at: i64 }
    #[derive(Serialize)]
    struct Review { order: String, product: String, rating: i64, title: String, body: String, anonymous: bool, status: String, reply: String, created_at: i64, updated_at: i64 }
    #[derive(Serialize)]
    struct ReviewVersion { order: String, rating: i64, title: String, body: String, created_at: i64 }
    #[derive(Serialize)]
    struct ReviewReport { product: String, reason: String, details: String, created_at: i64 }
    #[derive(Serialize)]
    struct ReviewVote { product: String, created_at: i64 }
    #[derive(Serialize)]
    struct Message { shop: String, text: String, created_at: i64, edited_at: Option<i64> }
    #[derive(Serialize)]
    struct Report { shop: String, reason: String, details: String, status: String, created_at: i64 }
    #[derive(Serialize)]
    struct ContactMessage { name: String, email: String, message: String, answer: String, created_at: i64 }
    #[derive(Serialize)]
    struct Notification { kind: String, title: String, text: String, created_at: i64, read_at: Option<i64> }
    #[derive(Serialize)]
    struct Email { kind: String, channel: String, recipient: String, subject: String, status: String, created_at: i64, sent_at: Option<i64> }
    #[derive(Serialize)]
    struct Preference { topic: String, email: bool, in_app: bool, push: bool }
    #[derive(Serialize)]
    struct Browser { endpoint: String, created_at: i64 }
    #[derive(Serialize)]
    struct Dismissed { product: Option<String>, created_at: i64 }
    #[derive(Serialize)]
    struct Calendar { shop: Option<String>, created_at: i64 }
    #[derive(Serialize)]
    struct UploadedPicture { width: i64, height: i64, created_at: i64 }
}

/// The document, section by section.
struct Document<'a> {
    engine: &'a Engine,
    user: UserId,
    sections: BTreeMap<&'static str, Value>,
}

impl Document<'_> {
    async fn add<T: FromRow + Serialize + Send + 'static>(
        &mut self,
        name: &'static str,
        statement: &'static Statement,
    ) -> Result<()> {
        let rows: Vec<T> = self.engine.db.all(statement, params![self.user]).await?;
        let mut section = serde_json::to_value(rows).map_err(|_| Error::Internal)?;
        for row in section.as_array_mut().into_iter().flatten() {
            row.as_object_mut().into_iter().flatten().for_each(|(name, value)| readable(name, value));
        }
        self.sections.insert(name, section);
        Ok(())
    }
}

/// Times become RFC 3339 in UTC, and stored documents parts of this one.
fn readable(name: &str, value: &mut Value) {
    let read = match &*value {
        Value::Number(ms) if name.ends_with("_at") => ms.as_i64().map(|ms| clock::rfc3339(ms).into()),
        Value::String(text) if JSON.contains(&name) => serde_json::from_str(text).ok(),
        _ => None,
    };
    if let Some(read) = read {
        *value = read;
    }
}

/// Everything that the market holds of the caller, as indented JSON. Amounts are in the minor unit of their currency.
pub async fn export(engine: &Engine, caller: &Caller) -> Result<String> {
    let user = caller.signed_in()?.id;
    count(engine, user).await?;
    let mut to = Document { engine, user, sections: BTreeMap::new() };
    to.add::<Profile>("profile", &PROFILE).await?;
    to.add::<SavedAddress>("addresses", &ADDRESSES).await?;
    to.add::<SignIn>("sign_ins", &SIGN_INS).await?;
    to.add::<ApiSignIn>("api_sign_ins", &API_SIGN_INS).await?;
    to.add::<ApiKey>("api_keys", &API_KEYS).await?;
    to.add::<ProviderAccount>("sign_in_providers", &PROVIDERS).await?;
    to.add::<PaymentService>("payment_services", &PAYMENT_SERVICES).await?;
    to.add::<AdminRole>("admin_roles", &ROLES).await?;
    to.add::<Shop>("shops", &SHOPS).await?;
    to.add::<Invitation>("shop_invitations", &INVITATIONS).await?;
    to.add::<Purchase>("purchases", &PURCHASES).await?;
    to.add::<Order>("orders", &ORDERS).await?;
    to.add::<Line>("order_lines", &LINES).await?;
    to.add::<OrderNote>("order_actions", &ORDER_NOTES).await?;
    to.add::<Shipment>("shipments", &SHIPMENTS).await?;
    to.add::<Return>("returns", &RETURNS).await?;
    to.add::<Payment>("payments", &PAYMENTS).await?;
    to.add::<Refund>("refunds", &REFUNDS).await?;
    to.add::<Invoice>("invoices", &INVOICES).await?;
    to.add::<Appointment>("appointments", &APPOINTMENTS).await?;
    to.add::<GiftCard>("gift_cards", &GIFT_CARDS).await?;
    to.add::<Checkout>("unfinished_checkouts", &CHECKOUTS).await?;
    to.add::<BasketItem>("basket", &BASKET).await?;
    to.add::<GiftInBasket>("gift_cards_in_basket", &GIFTS_IN_BASKET).await?;
    to.add::<Wish>("wishlist", &WISHLIST).await?;
    to.add::<Review>("reviews", &REVIEWS).await?;
    to.add::<ReviewVersion>("earlier_reviews", &REVIEW_VERSIONS).await?;
    to.add::<ReviewReport>("reported_reviews", &REVIEW_REPORTS).await?;
    to.add::<ReviewVote>("helpful_votes", &REVIEW_VOTES).await?;
    to.add::<Message>("messages", &MESSAGES).await?;
    to.add::<Message>("messages_for_shops", &MESSAGES_AS_STAFF).await?;
    to.add::<Report>("reports", &REPORTS).await?;
    to.add::<ContactMessage>("contact_messages", &CONTACT).await?;
    to.add::<Notification>("notifications", &NOTIFICATIONS).await?;
    to.add::<Email>("delivery_log", &EMAILS).await?;
    to.add::<Preference>("notification_settings", &PREFERENCES).await?;
    to.add::<Browser>("notified_browsers", &BROWSERS).await?;
    to.add::<Dismissed>("dismissed_recommendations", &DISMISSED).await?;
    to.add::<Calendar>("calendar_links", &CALENDARS).await?;
    to.add::<UploadedPicture>("pictures", &PICTURES).await?;
    let document = serde_json::json!({
        "version": VERSION,
        "market": engine.public_url,
        "created_at": clock::rfc3339(engine.clock.now_ms()),
        "data": to.sections,
    });
    serde_json::to_string_pretty(&document).map_err(|_| Error::Internal)
}

/// Reading everything costs more than other pages, so it is limited.
async fn count(engine: &Engine, user: UserId) -> Result<()> {
    let subject = quotas::subject(engine, &user.to_string());
    engine
        .db
        .write("personal::export", (subject, engine.clock.now_ms()), |tx, (subject, now)| {
            Box::pin(async move {
                let used = quotas::spend_in_tx(tx, &[((COPIES, *subject), 1)].into(), *now).await?;
                if used.values().any(|used| *used > COPIES_PER_DAY) {
                    let left_ms = quotas::DAY_MS - now.rem_euclid(quotas::DAY_MS);
                    let retry_after_s = u32::try_from(left_ms / 1000 + 1).unwrap_or_default();
                    return Err(Error::RateLimited { retry_after_s }.into());
                }
                Ok(())
            })
        })
        .await?;
    Ok(())
}
