//! The erasure of an account: everything about the person goes, but for what the law of bookkeeping demands.
//!
//! Orders, payments, the ledger and invoices stay. What they say about the person is replaced, except on invoices. The row of
//! the user stays, too, because orders refer to it, but nobody can sign in to it again.

use std::collections::BTreeMap;

use crate::{
    Caller, Engine, TxResult,
    accounts::{deactivation, passwords},
    admin, audit, bug,
    bus::Topic,
    cards, checkout,
    db::{Scalar, Tx, Value},
    invoices, media, params, reviews, rows, statements, update,
};
use haat_shared::{
    Conflict, Error, FieldCode, Result,
    addresses::Address,
    checkout::CheckoutUpdate,
    id::kinds::{CheckoutId, ConversationId, InvoiceId, MessageId, OrderId, PurchaseId, UserId},
    permissions::AdminPermission,
    personal::{ErasureForm, Obstacle, PersonalDataPage},
};

/// What is shown instead of the name of someone who has deleted their account.
pub const ERASED_NAME: &str = "Deleted account";
/// How many rows are changed by one statement.
const ROWS: usize = 500;

/// The checkouts of a user, as a list of IDs.
macro_rules! checkouts {
    () => {
        "(SELECT c.id FROM checkouts c JOIN carts k ON k.id = c.cart_id WHERE k.user_id = $1
            UNION SELECT b.checkout_id FROM purchases b WHERE b.user_id = $1)"
    };
}

/// The orders of a user, as a list of IDs.
macro_rules! orders {
    () => {
        "(SELECT o.id FROM orders o JOIN purchases b ON b.id = o.purchase_id WHERE b.user_id = $1)"
    };
}

/// The messages of a user that were reported: reports `r` and messages `m`.
macro_rules! reported {
    () => {
        "(SELECT c.id FROM conversations c WHERE c.user_id = $1) AS own JOIN message_reports r ON r.conversation_id = own.id
            JOIN messages m ON m.conversation_id = own.id AND m.side = 'shopper'"
    };
}

/// The notifications of anyone that are about what a user did, as a list of IDs.
macro_rules! about {
    () => {
        concat!(
            "(SELECT n.id FROM notifications n WHERE n.subject IN (
                SELECT b.id FROM purchases b WHERE b.user_id = $1
                UNION ALL SELECT o.id FROM orders o JOIN purchases b ON b.id = o.purchase_id WHERE b.user_id = $1
                UNION ALL SELECT s.id FROM shipments s WHERE s.order_id IN ", orders!(), "
                UNION ALL SELECT r.id FROM returns r WHERE r.order_id IN ", orders!(), "
                UNION ALL SELECT r.id FROM refunds r WHERE r.order_id IN ", orders!(), "
                UNION ALL SELECT a.id FROM appointments a WHERE a.order_id IN ", orders!(), "
                UNION ALL SELECT g.id FROM checkout_gifts g WHERE g.checkout_id IN ", checkouts!(), "
                UNION ALL SELECT c.id FROM conversations c WHERE c.user_id = $1
                UNION ALL SELECT r.id FROM reviews r WHERE r.order_id IN ", orders!(), "
                UNION ALL SELECT m.id FROM contact_messages m WHERE m.user_id = $1))"
        )
    };
}

statements! {
    PAGE = "SELECT email, password_hash FROM users WHERE id = $1 AND erased_at IS NULL";
    // Locks the row, but not against new rows that refer to it.
    LOCK = "UPDATE users SET phone = phone WHERE id = $1 RETURNING email, email_folded, erased_at";
    OBSTACLES = concat!("SELECT
        EXISTS (SELECT 1 FROM orders o WHERE o.id IN ", orders!(), " AND o.state IN ('placed', 'confirmed', 'shipped')) AS open_orders,
        EXISTS (SELECT 1 FROM returns r WHERE r.order_id IN ", orders!(), " AND r.state IN ('requested', 'approved', 'received')) AS open_returns,
        EXISTS (SELECT 1 FROM payments y JOIN disputes d ON d.payment_id = y.id AND d.closed_at IS NULL
            WHERE y.checkout_id IN ", checkouts!(), ") AS open_disputes,
        EXISTS (SELECT 1 FROM checkouts w WHERE w.id IN ", checkouts!(), " AND w.state = 'paying')
            OR EXISTS (SELECT 1 FROM payments y WHERE y.checkout_id IN ", checkouts!(), "
                AND y.state IN ('created', 'pending', 'authorized')) AS open_payments,
        EXISTS (SELECT 1 FROM payments y JOIN refunds r ON r.payment_id = y.id AND r.state IN ('queued', 'pending', 'failed')
            WHERE y.checkout_id IN ", checkouts!(), ") AS open_refunds,
        EXISTS (SELECT 1 FROM checkout_gifts g JOIN gift_cards k ON k.gift_id = g.id AND k.mailed_at IS NULL AND NOT k.disabled
            WHERE g.checkout_id IN ", checkouts!(), ") AS unsent_gift_cards,
        EXISTS (SELECT 1 FROM shop_members m WHERE m.user_id = $1 AND m.role = 'owner') AS owns_shop,
        EXISTS (SELECT 1 FROM role_assignments a WHERE a.user_id = $1 AND a.role = 'owner')
            AND NOT EXISTS (SELECT 1 FROM role_assignments a JOIN users u ON u.id = a.user_id AND u.deactivated_at IS NULL
                WHERE a.role = 'owner' AND a.user_id <> $1) AS last_owner");
    NOT_INVOICED = concat!("SELECT o.id AS value FROM orders o WHERE o.id IN ", orders!(), " AND o.paid_order_id IS NULL
        AND EXISTS (SELECT 1 FROM shipments s WHERE s.order_id = o.id)");
    // Nothing is begun with them any more.
    CLOSE_CARTS = "UPDATE carts SET state = 'merged', updated_at = $2 WHERE user_id = $1";
    EMPTY_CARTS = "DELETE FROM cart_lines WHERE cart_id IN (SELECT k.id FROM carts k WHERE k.user_id = $1)";
    DROP_CODES = "DELETE FROM cart_codes WHERE cart_id IN (SELECT k.id FROM carts k WHERE k.user_id = $1)";
    DROP_GIFTS = "DELETE FROM cart_gifts WHERE cart_id IN (SELECT k.id FROM carts k WHERE k.user_id = $1)";
    DROP_WISHES = "DELETE FROM wishlist_items WHERE cart_id IN (SELECT k.id FROM carts k WHERE k.user_id = $1)";
    CHECKOUTS = concat!("SELECT w.id AS value FROM checkouts w WHERE w.id IN ", checkouts!());
    CLEAR_CHECKOUTS = concat!("UPDATE checkouts SET form = $2, details = NULL WHERE id IN ", checkouts!());
    // Who gets a card keeps it, and it may have to be sent to them again.
    CLEAR_GIFTS = concat!("UPDATE checkout_gifts SET sender_name = '', message = '' WHERE checkout_id IN ", checkouts!());
    CLEAR_PAYMENTS = concat!("UPDATE payments SET customer_ref = NULL, next_action = NULL, failure_note = '' WHERE checkout_id IN ", checkouts!());
    CLEAR_WEBHOOKS = concat!("UPDATE webhook_events SET body = $2 WHERE gateway_ref IN (
            SELECT y.gateway_ref FROM payments y WHERE y.checkout_id IN ", checkouts!(), " AND y.gateway_ref IS NOT NULL
            UNION SELECT y.paid_ref FROM payments y WHERE y.checkout_id IN ", checkouts!(), " AND y.paid_ref IS NOT NULL
            UNION SELECT r.gateway_ref FROM payments y JOIN refunds r ON r.payment_id = y.id
                WHERE y.checkout_id IN ", checkouts!(), " AND r.gateway_ref IS NOT NULL
            UNION SELECT d.gateway_ref FROM payments y JOIN disputes d ON d.payment_id = y.id WHERE y.checkout_id IN ", checkouts!(), ")");
    SCOPES = concat!("SELECT b.number AS value FROM purchases b WHERE b.user_id = $1
        UNION ALL SELECT o.number FROM orders o WHERE o.id IN ", orders!());
    PURCHASES = "SELECT id, address FROM purchases WHERE user_id = $1";
    CLEAR_ORDERS = "UPDATE orders SET search_folded = lower(number) WHERE purchase_id IN (SELECT b.id FROM purchases b WHERE b.user_id = $1)";
    // What the customer wrote, and what the shop noted about them.
    TIMELINE = concat!("SELECT order_id, created_at, kind, data FROM order_events WHERE order_id IN ", orders!(), "
        AND (actor = 'shopper' OR kind = 'noted')");
    INVOICES = concat!("SELECT id, content FROM invoices WHERE order_id IN ", orders!());
    CLEAR_RETURNS = concat!("UPDATE returns SET note = '' WHERE order_id IN ", orders!());
    CONVERSATIONS = "UPDATE conversations SET shopper_notify_at = NULL, shop_notify_at = NULL WHERE user_id = $1 RETURNING id, change_seq";
    WRITTEN = "SELECT m.conversation_id, m.id FROM conversations c JOIN messages m ON m.conversation_id = c.id
        WHERE c.user_id = $1 AND m.side = 'shopper' AND NOT m.deleted ORDER BY m.conversation_id, m.seq";
    EXPIRE_PICTURES = concat!("UPDATE media SET expires_at = $2 WHERE id IN (
        SELECT m.id FROM media m WHERE m.user_id = $1
        UNION ALL SELECT x.media_id FROM return_pictures x JOIN returns r ON r.id = x.return_id WHERE r.order_id IN ", orders!(), "
        UNION ALL SELECT x.media_id FROM conversations c JOIN messages m ON m.conversation_id = c.id AND m.side = 'shopper'
            JOIN message_pictures x ON x.conversation_id = c.id AND x.message_id = m.id WHERE c.user_id = $1
        UNION ALL SELECT x.media_id FROM ", reported!(), " JOIN reported_pictures x ON x.report_id = r.id AND x.message_id = m.id)");
    DROP_RETURN_PICTURES = concat!("DELETE FROM return_pictures WHERE return_id IN (SELECT r.id FROM returns r WHERE r.order_id IN ", orders!(), ")");
    DROP_MESSAGE_PICTURES = "DELETE FROM message_pictures WHERE conversation_id IN (SELECT c.id FROM conversations c WHERE c.user_id = $1)
        AND EXISTS (SELECT 1 FROM messages m WHERE m.conversation_id = message_pictures.conversation_id
            AND m.id = message_pictures.message_id AND m.side = 'shopper')";
    DROP_REPORTED_PICTURES = concat!("DELETE FROM reported_pictures WHERE message_id IN (SELECT m.id FROM ", reported!(), ")");
    CLEAR_REPORTED = concat!("UPDATE reported_messages SET text = '' WHERE message_id IN (SELECT m.id FROM ", reported!(), ")");
    // There is nothing left to decide on.
    CLOSE_REPORTS = "UPDATE message_reports SET state = CASE WHEN state = 'open' THEN 'resolved' ELSE state END,
            closed_at = COALESCE(closed_at, $2), details = '', note = ''
        WHERE conversation_id IN (SELECT c.id FROM conversations c WHERE c.user_id = $1)";
    DROP_NOTES = "DELETE FROM conversation_notes WHERE conversation_id IN (SELECT c.id FROM conversations c WHERE c.user_id = $1)";
    DROP_LABELS = "DELETE FROM conversation_labels WHERE conversation_id IN (SELECT c.id FROM conversations c WHERE c.user_id = $1)";
    DROP_CONTACT = "DELETE FROM contact_messages WHERE user_id = $1 OR lower(email) = $2";
    // Of what others were told about them, only that they were told stays.
    DROP_EMAILS = concat!("DELETE FROM mailbox WHERE id IN ", about!());
    DROP_OWN_EMAILS = "DELETE FROM mailbox WHERE lower(recipient) = $1";
    DROP_INBOX = concat!("DELETE FROM inbox WHERE user_id = $1 OR id IN ", about!());
    CLEAR_TITLES = concat!("UPDATE notifications SET title = '', error = '' WHERE id IN ", about!());
    DROP_NOTIFICATIONS = "DELETE FROM notifications WHERE user_id = $1";
    DROP_NOTIFICATIONS_TO = "DELETE FROM notifications WHERE lower(recipient) = $1";
    DROP_ADDRESSES = "DELETE FROM user_addresses WHERE user_id = $1";
    DROP_CUSTOMERS = "DELETE FROM gateway_customers WHERE user_id = $1";
    DROP_ROLES = "DELETE FROM role_assignments WHERE user_id = $1";
    DROP_MEMBERSHIPS = "DELETE FROM shop_members WHERE user_id = $1";
    DROP_LOGINS = "DELETE FROM logins WHERE user_id = $1";
    DROP_KEYS = "DELETE FROM api_keys WHERE user_id = $1";
    DROP_DISMISSED = "DELETE FROM dismissed_recommendations WHERE user_id = $1";
    DROP_FEEDS = "DELETE FROM calendar_feeds WHERE user_id = $1";
    DROP_PREFERENCES = "DELETE FROM notification_preferences WHERE user_id = $1";
    DROP_BROWSERS = "DELETE FROM push_subscriptions WHERE user_id = $1";
    DROP_SIGN_UPS = "DELETE FROM sign_ups WHERE email_folded = $1";
    DROP_INVITATIONS = "DELETE FROM shop_invitations WHERE email_folded = $1";
    DROP_ANSWERS = "DELETE FROM idempotency_keys WHERE scope IN (VALUES [($1)])";
    // Which roles they had stays; their address and the reasons of admins don't.
    CLEAR_AUDIT = "UPDATE audit SET note = CASE WHEN action LIKE 'admin::%' THEN replace(note, $2, $3) ELSE '' END WHERE subject = $1";
    ERASE = "UPDATE users SET name = $2, email = '', email_folded = $3, search_folded = '', password_hash = '', phone = '',
            currency = NULL, recommendations = FALSE, deactivated_at = COALESCE(deactivated_at, $4), deactivated_because = '', erased_at = $4
        WHERE id = $1";
}

update! {
    struct ClearPurchase {
        id: PurchaseId,
        address: String,
    } => "UPDATE purchases SET email = '', address = given.address, billing = NULL, tax_id = '' FROM given WHERE purchases.id = given.id"

    struct ClearEvent {
        order_id: OrderId,
        created_at: i64,
        kind: String,
        data: String,
    } => "UPDATE order_events SET data = given.data FROM given WHERE order_events.order_id = given.order_id
        AND order_events.created_at = given.created_at AND order_events.kind = given.kind"

    struct ClearInvoice {
        id: InvoiceId,
        content: String,
    } => "UPDATE invoices SET content = given.content FROM given WHERE invoices.id = given.id"

    struct ClearMessage {
        conversation_id: ConversationId,
        id: MessageId,
        change_seq: i64,
    } => "UPDATE messages SET text = '', text_folded = '', product_id = NULL, order_id = NULL, deleted = TRUE, change_seq = given.change_seq
        FROM given WHERE messages.conversation_id = given.conversation_id AND messages.id = given.id"

    struct CountChanges {
        id: ConversationId,
        change_seq: i64,
    } => "UPDATE conversations SET change_seq = given.change_seq FROM given WHERE conversations.id = given.id"
}

rows! {
    struct PageRow {
        email: String,
        password_hash: String,
    }

    struct LockedRow {
        email: String,
        email_folded: String,
        erased_at: Option<i64>,
    }

    struct ObstaclesRow {
        open_orders: bool,
        open_returns: bool,
        open_disputes: bool,
        open_payments: bool,
        open_refunds: bool,
        unsent_gift_cards: bool,
        owns_shop: bool,
        last_owner: bool,
    }

    struct PurchaseRow {
        id: PurchaseId,
        address: String,
    }

    struct EventRow {
        order_id: OrderId,
        created_at: i64,
        kind: String,
        data: String,
    }

    struct InvoiceRow {
        id: InvoiceId,
        content: String,
    }

    struct ConversationRow {
        id: ConversationId,
        change_seq: i64,
    }

    struct MessageRow {
        conversation_id: ConversationId,
        id: MessageId,
    }
}

impl ObstaclesRow {
    fn list(&self) -> Vec<Obstacle> {
        use Obstacle::*;
        let all = [
            (self.open_orders, OpenOrders),
            (self.open_returns, OpenReturns),
            (self.open_disputes, OpenDisputes),
            (self.open_payments, OpenPayments),
            (self.open_refunds, OpenRefunds),
            (self.unsent_gift_cards, UnsentGiftCards),
            (self.owns_shop, OwnsShop),
            (self.last_owner, LastOwner),
        ];
        all.into_iter().filter_map(|(is, obstacle)| is.then_some(obstacle)).collect()
    }
}

/// What has to be finished before the account of a user can be deleted, for an admin who may do that.
pub(crate) async fn obstacles(engine: &Engine, caller: &Caller, user: UserId) -> Result<Vec<Obstacle>> {
    if caller.admin(AdminPermission::ManageUsers).is_err() {
        return Ok(Vec::new());
    }
    let found: ObstaclesRow = engine.db.one(&OBSTACLES, params![user]).await?;
    Ok(found.list())
}

/// What the page of the caller's personal data shows.
pub async fn page(engine: &Engine, caller: &Caller) -> Result<PersonalDataPage> {
    let user = caller.signed_in()?.id;
    let row: PageRow = engine.db.opt(&PAGE, params![user]).await?.ok_or(Error::SignInNeeded)?;
    let found: ObstaclesRow = engine.db.one(&OBSTACLES, params![user]).await?;
    Ok(PersonalDataPage {
        email: row.email,
        has_password: !row.password_hash.is_empty(),
        obstacles: found.list(),
    })
}

/// Deletes the caller's account, if they know its password.
pub async fn erase(engine: &Engine, caller: &Caller, form: &ErasureForm) -> Result<()> {
    let user = caller.signed_in()?.id;
    form.check().map_err(Error::Invalid)?;
    if !passwords::is_present(engine, user, &form.password).await? {
        return Err(Error::field("password", FieldCode::WrongPassword));
    }
    erase_user(engine, user, None).await
}

/// Deletes the account of someone else, who has asked for it.
pub async fn erase_as_admin(engine: &Engine, caller: &Caller, user: UserId, confirmed: bool) -> Result<()> {
    caller.admin(AdminPermission::ManageUsers)?;
    if caller.user_id() == Some(user) {
        return Err(Error::Conflict(Conflict::OwnAccount));
    }
    if !confirmed {
        return Err(Error::field("confirm", FieldCode::Missing));
    }
    erase_user(engine, user, Some(caller.user_id())).await
}

/// `by` is the admin who does it, if it isn't the user; `None` in it is the program itself.
async fn erase_user(engine: &Engine, user: UserId, by: Option<Option<UserId>>) -> Result<()> {
    // Before anything is done that can't be undone.
    let found: ObstaclesRow = engine.db.one(&OBSTACLES, params![user]).await?;
    refuse(&found)?;
    // Invoices have the name and the address, which are still there.
    let orders: Vec<Scalar<OrderId>> = engine.db.all(&NOT_INVOICED, params![user]).await?;
    for order in orders {
        invoices::issue(engine, order.0.uuid()).await?;
    }
    cards::remove_all(engine, user).await;
    let conversations = engine
        .db
        .write(("personal::erase", user), (user, by, engine.clock.now_ms()), |tx, (user, by, now)| {
            Box::pin(erase_in_tx(tx, *user, *by, *now))
        })
        .await?;
    deactivation::tell(engine, user);
    for conversation in conversations {
        engine.bus.publish(Topic::Chat, &conversation.to_string());
    }
    // Otherwise, the schedule deletes the files.
    if let Err(error) = media::sweep(engine).await {
        tracing::warn!(%error, "pictures of a deleted account are deleted later");
    }
    Ok(())
}

fn refuse(found: &ObstaclesRow) -> Result<()> {
    if found.list().is_empty() { Ok(()) } else { Err(Conflict::AccountInUse.into()) }
}

/// Returns the conversations that have changed.
async fn erase_in_tx(
    tx: &mut Tx,
    user: UserId,
    by: Option<Option<UserId>>,
    now: i64,
) -> TxResult<Vec<ConversationId>> {
    admin::spare_in_tx(tx, user).await?;
    let locked: LockedRow = tx.opt(&LOCK, params![user]).await?.ok_or(Error::NotFound)?;
    if locked.erased_at.is_some() {
        return Err(Conflict::AccountDeleted.into());
    }
    // From here on, no checkout of theirs begins, and none that is open can be paid.
    tx.exec(&CLOSE_CARTS, params![user, now]).await?;
    checkout::end_of_user_in_tx(tx, user, now).await?;
    let found: Option<ObstaclesRow> = tx.opt(&OBSTACLES, params![user]).await?;
    refuse(&found.ok_or_else(|| bug("one row"))?)?;
    forget_answers_in_tx(tx, user).await?;
    books_in_tx(tx, user).await?;
    pictures_in_tx(tx, user, now).await?;
    let conversations = messages_in_tx(tx, user, now).await?;
    reviews::erase_of_user_in_tx(tx, user, now).await?;
    for statement in [&DROP_EMAILS, &DROP_INBOX, &CLEAR_TITLES, &DROP_NOTIFICATIONS] {
        tx.exec(statement, params![user]).await?;
    }
    let address = locked.email_folded.as_str();
    tx.exec(&DROP_CONTACT, params![user, address]).await?;
    for statement in [&DROP_OWN_EMAILS, &DROP_NOTIFICATIONS_TO, &DROP_SIGN_UPS, &DROP_INVITATIONS] {
        tx.exec(statement, params![address]).await?;
    }
    deactivation::end_all_in_tx(tx, user).await?;
    let own = [
        &EMPTY_CARTS,
        &DROP_CODES,
        &DROP_GIFTS,
        &DROP_WISHES,
        &DROP_ADDRESSES,
        &DROP_CUSTOMERS,
        &DROP_ROLES,
        &DROP_MEMBERSHIPS,
        &DROP_LOGINS,
        &DROP_KEYS,
        &DROP_DISMISSED,
        &DROP_FEEDS,
        &DROP_PREFERENCES,
        &DROP_BROWSERS,
    ];
    for statement in own {
        tx.exec(statement, params![user]).await?;
    }
    tx.exec(&CLEAR_AUDIT, params![user, locked.email.as_str(), ERASED_NAME]).await?;
    // It is no address, so nobody else has it.
    tx.exec(&ERASE, params![user, ERASED_NAME, format!("deleted {user}"), now]).await?;
    if let Some(by) = by {
        audit::write(tx, by, "personal::erase", user, "", now).await?;
    }
    Ok(conversations)
}

/// The stored answers of requests.
async fn forget_answers_in_tx(tx: &mut Tx, user: UserId) -> TxResult<()> {
    let checkouts: Vec<Scalar<CheckoutId>> = tx.all(&CHECKOUTS, params![user]).await?;
    let numbers: Vec<Scalar<String>> = tx.all(&SCOPES, params![user]).await?;
    let scopes = checkouts.iter().map(|checkout| checkout.0.to_string());
    let scopes = scopes.chain(numbers.into_iter().map(|number| number.0)).chain([user.to_string()]);
    let scopes: Vec<[Value; 1]> = scopes.map(|scope| [scope.into()]).collect();
    for some in scopes.chunks(ROWS) {
        tx.exec_many(&DROP_ANSWERS, some).await?;
    }
    Ok(())
}

/// What purchases, orders and payments say about the person.
async fn books_in_tx(tx: &mut Tx, user: UserId) -> TxResult<()> {
    let empty = serde_json::to_string(&CheckoutUpdate::default()).map_err(|error| bug(error.to_string()))?;
    tx.exec(&CLEAR_CHECKOUTS, params![user, empty.as_str()]).await?;
    tx.exec(&CLEAR_WEBHOOKS, params![user, Vec::<u8>::new()]).await?;
    for statement in [&CLEAR_GIFTS, &CLEAR_PAYMENTS, &CLEAR_ORDERS, &CLEAR_RETURNS] {
        tx.exec(statement, params![user]).await?;
    }
    let purchases: Vec<PurchaseRow> = tx.all(&PURCHASES, params![user]).await?;
    let cleared = purchases.into_iter().map(|row| {
        let address: Address = serde_json::from_str(&row.address).map_err(|error| bug(error.to_string()))?;
        let address = serde_json::to_string(&nowhere(address)).map_err(|error| bug(error.to_string()))?;
        Ok(ClearPurchase { id: row.id, address })
    });
    for some in cleared.collect::<TxResult<Vec<_>>>()?.chunks(ROWS) {
        let rows = some.iter().map(|row| ClearPurchase { id: row.id, address: row.address.clone() });
        tx.update_all(rows).await?;
    }
    let events: Vec<EventRow> = tx.all(&TIMELINE, params![user]).await?;
    let mut cleared = Vec::new();
    for EventRow { order_id, created_at, kind, data } in events {
        let data = without(&data, "/note")?;
        cleared.push(ClearEvent { order_id, created_at, kind, data });
    }
    while !cleared.is_empty() {
        let some = cleared.split_off(cleared.len().saturating_sub(ROWS));
        tx.update_all(some).await?;
    }
    // No invoice shows the phone number, and no law asks for it.
    let invoices: Vec<InvoiceRow> = tx.all(&INVOICES, params![user]).await?;
    let mut cleared = Vec::new();
    for InvoiceRow { id, content } in invoices {
        cleared.push(ClearInvoice { id, content: without(&content, "/buyer/phone")? });
    }
    while !cleared.is_empty() {
        let some = cleared.split_off(cleared.len().saturating_sub(ROWS));
        tx.update_all(some).await?;
    }
    Ok(())
}

/// A stored document with this text in it emptied, if it is there.
fn without(document: &str, pointer: &str) -> TxResult<String> {
    let mut document: serde_json::Value =
        serde_json::from_str(document).map_err(|error| bug(error.to_string()))?;
    if let Some(text) = document.pointer_mut(pointer) {
        *text = "".into();
    }
    Ok(document.to_string())
}

/// Where something was taxed: the country and the region.
fn nowhere(address: Address) -> Address {
    let Address { region, country, .. } = address;
    Address { name: ERASED_NAME.into(), region, country, ..Address::default() }
}

/// What they have shown, of returns and in conversations.
async fn pictures_in_tx(tx: &mut Tx, user: UserId, now: i64) -> TxResult<()> {
    tx.exec(&EXPIRE_PICTURES, params![user, now]).await?;
    for statement in [&DROP_RETURN_PICTURES, &DROP_MESSAGE_PICTURES, &DROP_REPORTED_PICTURES] {
        tx.exec(statement, params![user]).await?;
    }
    Ok(())
}

/// Deletes what they wrote to shops, so that both sides see that something was there. What shops wrote stays.
async fn messages_in_tx(tx: &mut Tx, user: UserId, now: i64) -> TxResult<Vec<ConversationId>> {
    let conversations: Vec<ConversationRow> = tx.all(&CONVERSATIONS, params![user]).await?;
    let mut changes: BTreeMap<ConversationId, i64> =
        conversations.iter().map(|row| (row.id, row.change_seq)).collect();
    let written: Vec<MessageRow> = tx.all(&WRITTEN, params![user]).await?;
    let mut cleared = Vec::new();
    for MessageRow { conversation_id, id } in written {
        let change = changes.get_mut(&conversation_id).ok_or_else(|| bug("a message of no conversation"))?;
        *change += 1;
        cleared.push(ClearMessage { conversation_id, id, change_seq: *change });
    }
    while !cleared.is_empty() {
        let some = cleared.split_off(cleared.len().saturating_sub(ROWS));
        tx.update_all(some).await?;
    }
    let counts: Vec<_> = changes.iter().map(|(id, change_seq)| (*id, *change_seq)).collect();
    for some in counts.chunks(ROWS) {
        tx.update_all(some.iter().map(|(id, change_seq)| CountChanges { id: *id, change_seq: *change_seq }))
            .await?;
    }
    tx.exec(&CLEAR_REPORTED, params![user]).await?;
    tx.exec(&CLOSE_REPORTS, params![user, now]).await?;
    tx.exec(&DROP_NOTES, params![user]).await?;
    tx.exec(&DROP_LABELS, params![user]).await?;
    Ok(changes.into_keys().collect())
}
