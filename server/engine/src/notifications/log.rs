//! The delivery log: every notification that was written, to whom, through which channel, and what has become of it.
//! Operators read it, and send again what failed or got lost.

use uuid::Uuid;

use super::mailbox;
use crate::{
    Caller, Engine, audit,
    bus::Topic,
    cursor,
    db::{CountRow, Scalar, Tx, Value},
    lists, params, random, rows, statements, subjects,
};
use haat_shared::{
    Conflict, Error, FieldCode, Id, Result,
    accounts::fold_email,
    audit::{Delivery, DeliveryCard, DeliveryState},
    catalog::QUERY_MAX,
    id::kinds::{Job, Notification as Kind, NotificationId, UserId},
    notifications::Channel,
    page::{self, Counted, ListRequest, Page},
    permissions::AdminPermission,
    text,
};

/// The number of rows per page.
const PAGE_SIZE: usize = 50;

/// The columns of an entry. A subquery rather than a join for the address, so that counting needs only an index.
/// Notifications on the site are addressed to the ID of a user, whose email address is shown.
macro_rules! entry {
    () => {
        "SELECT n.id, n.event, n.kind, n.subject, n.title, n.channel, n.recipient, n.user_id, n.locale, n.state, n.attempts,
            n.error, n.created_at, n.run_at, n.sent_at, (SELECT u.email FROM users u WHERE u.id = n.user_id) AS user_email
        FROM notifications n"
    };
}

/// The kinds of emails with which one gets into an account or a shop, or spends a gift card. No admin reads their text.
const KEYS: [&str; 5] = ["gift_card", "password_reset", "shop_invitation", "sign_in_code", "sign_up"];

lists! {
    LOG {
        select: entry!(),
        base_filter: "TRUE",
        filters: &[
            ("state", "n.state = {}"),
            ("channel", "n.channel = {}"),
            ("to", "(lower(n.recipient) = {} OR n.user_id IN (SELECT id FROM users WHERE email_folded = {}))"),
        ],
        sorts: &[("newest", "n.id < {}", "n.id DESC")],
    }
}

statements! {
    FIND = concat!(entry!(), " WHERE n.id = $1");
    // Those that this one repeats, and that repeats it: the event of a repetition is what it repeats.
    REPEATS = "SELECT id AS value FROM notifications WHERE id = $1";
    REPEATED_AS = "SELECT id AS value FROM notifications WHERE event = $1";
    // Once, however often it is asked for.
    REPEAT = "INSERT INTO notifications
            (id, event, recipient, user_id, channel, kind, subject, locale, state, title, run_at, attempts, created_at)
        SELECT $2, n.id, n.recipient, n.user_id, n.channel, n.kind, n.subject, n.locale, 'written', n.title, $3, 1, $3
        FROM notifications n WHERE n.id = $1 ON CONFLICT (event, recipient, channel) DO NOTHING";
    REPLACED = "UPDATE notifications SET state = 'resent' WHERE id = $1 AND state = 'failed'";
}

rows! {
    struct LogRow {
        id: NotificationId,
        event: Uuid,
        kind: String,
        subject: Uuid,
        title: String,
        channel: Channel,
        recipient: String,
        user_id: Option<UserId>,
        locale: String,
        state: DeliveryState,
        attempts: i64,
        error: String,
        created_at: i64,
        run_at: i64,
        sent_at: Option<i64>,
        user_email: Option<String>,
    }
}

impl LogRow {
    /// The address that people know: of the email, or of the account that sees it on the site.
    fn to(&self) -> String {
        match self.channel {
            Channel::Email => self.recipient.clone(),
            Channel::InApp | Channel::Push => self.user_email.clone().unwrap_or_default(),
        }
    }

    fn card(self, engine: &Engine, caller: &Caller) -> DeliveryCard {
        DeliveryCard {
            to: self.to(),
            id: self.id,
            kind: self.kind,
            title: self.title,
            channel: self.channel,
            user: self.user_id.filter(|_| self.user_email.is_some()),
            state: self.state,
            attempts: self.attempts,
            error: self.error,
            created_at: caller.time(engine, self.created_at),
        }
    }
}

/// What a request asks for, without its state.
fn filters(of: &ListRequest) -> Result<Vec<(&'static str, Value)>> {
    let q = text::optional_line("q", &of.q, QUERY_MAX).map_err(|fault| Error::Invalid(vec![fault]))?;
    let mut filters: Vec<(&str, Value)> = Vec::new();
    if !q.is_empty() {
        filters.push(("to", fold_email(&q).into()));
    }
    if !of.channel.is_empty() {
        let channel = Channel::parse(&of.channel).ok_or(Error::field("channel", FieldCode::NotAChoice))?;
        filters.push(("channel", channel.into()));
    }
    Ok(filters)
}

/// The notifications to a recipient, of a channel and in a state, the latest first, and how many are in each state.
pub async fn table(engine: &Engine, caller: &Caller, of: &ListRequest) -> Result<Counted<DeliveryCard>> {
    caller.admin(AdminPermission::SeeEmails)?;
    let all = filters(of)?;
    let mut here = all.clone();
    if !of.state.is_empty() {
        let state = DeliveryState::parse(&of.state).ok_or(Error::field("state", FieldCode::NotAChoice))?;
        here.push(("state", state.into()));
    }
    let (after, size) = (cursor::<Kind>(&of.after)?.map(Into::into), page::rows(of.limit, PAGE_SIZE));
    let rows: Vec<LogRow> = engine.db.list(LOG.bind(here, "newest", after, size + 1)).await?;
    let page = Page::cut(rows, size, |row| row.id.to_string());
    let counts = engine.db.list(LOG.count_by("state", all)).await?;
    Ok(CountRow::with(counts, page.map(|row| row.card(engine, caller))))
}

/// A notification, with what happened to it.
pub async fn read(engine: &Engine, caller: &Caller, id: NotificationId) -> Result<Delivery> {
    caller.admin(AdminPermission::SeeEmails)?;
    let row: LogRow = engine.db.opt(&FIND, params![id]).await?.ok_or(Error::NotFound)?;
    let repeats: Option<Scalar<NotificationId>> = engine.db.opt(&REPEATS, params![row.event]).await?;
    let repeated_as: Option<Scalar<NotificationId>> = engine.db.opt(&REPEATED_AS, params![id]).await?;
    let about = subjects::about(engine, std::iter::once(row.subject)).await?;
    let waits = row.state == DeliveryState::Waiting;
    let text = match KEYS.contains(&row.kind.as_str()) {
        true => None,
        false => mailbox::text(engine, Id::from_uuid(id.uuid())).await?,
    };
    Ok(Delivery {
        about: about.get(&row.subject).cloned().unwrap_or_default(),
        locale: row.locale.clone(),
        sent_at: row.sent_at.map(|at| caller.time(engine, at)),
        next_at: waits.then(|| caller.time(engine, row.run_at.max(row.created_at))),
        text,
        repeats: repeats.map(|id| id.0),
        repeated_as: repeated_as.map(|id| id.0),
        card: row.card(engine, caller),
    })
}

/// Sends a notification again that failed or was delivered, as a new one. What still waits is sent anyway.
/// Doing so again changes nothing.
pub async fn resend(engine: &Engine, caller: &Caller, id: NotificationId) -> Result<()> {
    caller.admin(AdminPermission::ManageEmails)?;
    let now = engine.clock.now_ms();
    let (new, input): (NotificationId, _) = (random::id(now), (caller.user_id(), id, now));
    engine
        .db
        .write("notifications::resend", input, move |tx: &mut Tx, (user, id, now)| {
            Box::pin(async move {
                let row: Option<LogRow> = tx.opt(&FIND, params![*id]).await?;
                let row = row.ok_or(Error::NotFound)?;
                if row.state == DeliveryState::Waiting {
                    return Err(Conflict::InFlight.into());
                }
                if tx.exec(&REPEAT, params![*id, new, *now]).await? == 0 {
                    return Ok(());
                }
                tx.exec(&REPLACED, params![*id]).await?;
                let subject: Id<Job> = Id::from_uuid(row.subject);
                audit::write(tx, *user, "notifications::resend", subject, &row.to(), *now).await
            })
        })
        .await?;
    engine.bus.publish(Topic::Notifications, "");
    Ok(())
}
