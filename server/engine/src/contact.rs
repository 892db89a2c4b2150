//! Messages to the marketplace from its contact page: kept, emailed to its support address, and answered by admins.

use std::collections::{BTreeMap, HashMap};

use uuid::Uuid;

use crate::{
    Caller, Engine, TxResult, audit,
    bus::Topic,
    cursor,
    db::{CountRow, Scalar, Tx},
    insert, lists, params,
    quotas::{self, DAY_MS, HOUR_MS, QuotaKind},
    random, rows, statements,
};
use haat_shared::{
    Conflict, Error, FieldCode, Id, Result,
    accounts::mailbox,
    contact::{ContactCard, ContactForm, ContactState, paragraphs},
    id::kinds::{ContactMessage, ContactMessageId, Job, NotificationId, UserId},
    page::{self, Counted, ListRequest, Page},
    permissions::AdminPermission,
};

/// The number of messages per page.
const PAGE_SIZE: usize = 20;
/// How many messages are taken from an account or a client address in an hour, and in the name of an email address in a day.
const MESSAGES: [(QuotaKind, i64); 2] =
    [(("contact_messages_per_hour", HOUR_MS), 5), (("contact_messages_per_day", DAY_MS), 10)];

lists! {
    LIST {
        select: "SELECT c.id, c.state, c.name, c.email, c.user_id, c.message, c.answer, c.created_at, c.closed_at FROM contact_messages c",
        base_filter: "TRUE",
        filters: &[("state", "c.state = {}")],
        sorts: &[("newest", "c.id < {}", "c.id DESC")],
    }
}

statements! {
    CLOSE = "UPDATE contact_messages SET state = $2, answer = $3, closed_at = $4, closed_by = $5 WHERE id = $1 AND state = 'open'";
    HAS = "SELECT email AS value FROM contact_messages WHERE id = $1";
    NOTIFIED = "SELECT c.id, c.name, c.email, c.message, c.answer FROM notifications n JOIN contact_messages c ON c.id = n.subject
        WHERE n.claim = $1 AND n.kind IN ('contact_received', 'contact_answered')";
}

insert! {
    struct AddMessage<'a> into contact_messages {
        id: ContactMessageId,
        name: &'a str,
        email: &'a str,
        user_id: Option<UserId>,
        message: &'a str,
        locale: &'a str,
        created_at: i64;
        state = "'open'",
    }

    /// The email to the support address.
    struct AddReceived<'a> into notifications {
        id: NotificationId,
        event: Uuid,
        recipient: &'a str,
        subject: Uuid,
        created_at: i64;
        channel = "'email'",
        kind = "'contact_received'",
        locale = "'en'",
        state = "'written'",
    }

    /// The email with the answer.
    struct AddAnswered into notifications {
        id: NotificationId,
        event: Uuid,
        created_at: i64;
        recipient = "c.email",
        user_id = "c.user_id",
        subject = "c.id",
        channel = "'email'",
        kind = "'contact_answered'",
        locale = "c.locale",
        state = "'written'",
    } => [message: ContactMessageId] "given JOIN contact_messages c ON c.id = given.message"
}

rows! {
    struct MessageRow {
        id: ContactMessageId,
        state: ContactState,
        name: String,
        email: String,
        user_id: Option<UserId>,
        message: String,
        answer: String,
        created_at: i64,
        closed_at: Option<i64>,
    }

    struct NotifiedRow {
        id: ContactMessageId,
        name: String,
        email: String,
        message: String,
        answer: String,
    }
}

/// What emails about a message say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactNotice {
    /// The name that was entered.
    pub name: String,
    /// The email address that was entered.
    pub email: String,
    /// The message.
    pub message: String,
    /// The answer. Empty without one.
    pub answer: String,
}

/// Takes a message. One of a program that fills in what people don't see is answered alike, and not kept.
pub async fn send(engine: &Engine, caller: &Caller, form: &ContactForm) -> Result<()> {
    let new = form.check(engine.smtputf8).map_err(Error::Invalid)?;
    if !form.website.is_empty() {
        return Ok(());
    }
    let who = caller.user_id().map(|user| quotas::subject(engine, &user.to_string())).or(caller.origin);
    let whose = quotas::subject(engine, &mailbox(&new.email.folded()));
    let now = engine.clock.now_ms();
    let id: ContactMessageId = random::id(now);
    let input = (id, new, (who, whose), (caller.user_id(), caller.locale, engine.support_email.clone()), now);
    engine
        .db
        .write("contact::send", input, |tx, (id, new, (who, whose), (user, locale, support), now)| {
            Box::pin(async move {
                let [hour, day] = MESSAGES;
                let mut what = BTreeMap::from([((day.0, *whose), 1)]);
                what.extend(who.map(|who| ((hour.0, who), 1)));
                let used = quotas::spend_in_tx(tx, &what, *now).await?;
                let over = [(hour, *who), (day, Some(*whose))].into_iter().any(|(((name, _), most), of)| {
                    of.and_then(|of| used.get(&(name, of))).is_some_and(|used| *used > most)
                });
                if over {
                    return Err(Error::RateLimited { retry_after_s: 3_600 }.into());
                }
                tx.insert(AddMessage {
                    id: *id,
                    name: &new.name,
                    email: new.email.as_str(),
                    user_id: *user,
                    message: &new.message,
                    locale,
                    created_at: *now,
                })
                .await?;
                if !support.is_empty() {
                    tx.insert(AddReceived {
                        id: random::id(*now),
                        event: id.uuid(),
                        recipient: support,
                        subject: id.uuid(),
                        created_at: *now,
                    })
                    .await?;
                }
                Ok(())
            })
        })
        .await?;
    engine.bus.publish(Topic::Notifications, "");
    Ok(())
}

/// The messages, the latest first: all, or those in a state; with the number of those in each.
pub async fn table(engine: &Engine, caller: &Caller, of: &ListRequest) -> Result<Counted<ContactCard>> {
    caller.admin(AdminPermission::SeeReports)?;
    let filters = match of.state.as_str() {
        "" => Vec::new(),
        name => {
            let state = ContactState::parse(name).ok_or(Error::field("state", FieldCode::NotAChoice))?;
            vec![("state", state.into())]
        }
    };
    let (after, size) =
        (cursor::<ContactMessage>(&of.after)?.map(Into::into), page::rows(of.limit, PAGE_SIZE));
    let rows: Vec<MessageRow> = engine.db.list(LIST.bind(filters, "newest", after, size + 1)).await?;
    let page = Page::cut(rows, size, |row| row.id.to_string());
    let sees_users = caller.admin(AdminPermission::SeeUsers).is_ok();
    let page = page.map(|row| ContactCard {
        id: row.id,
        state: row.state,
        name: row.name,
        email: row.email,
        user: row.user_id.filter(|_| sees_users),
        message: row.message,
        answer: row.answer,
        created_at: caller.time(engine, row.created_at),
        closed_at: row.closed_at.map(|at| caller.time(engine, at)),
    });
    Ok(CountRow::with(engine.db.list(LIST.count_by("state", Vec::new())).await?, page))
}

/// Answers an open message by email; or closes it, without an answer.
pub async fn close(
    engine: &Engine,
    caller: &Caller,
    id: ContactMessageId,
    answer: Option<&str>,
) -> Result<()> {
    caller.admin(AdminPermission::ManageReports)?;
    let answer = answer.map(|typed| paragraphs("answer", typed)).transpose();
    let answer = answer.map_err(|fault| Error::Invalid(vec![fault]))?;
    let input = (id, answer, caller.user_id(), engine.clock.now_ms());
    engine
        .db
        .write(("contact::close", id), input, |tx, (id, answer, by, now)| {
            Box::pin(close_in_tx(tx, *id, answer.as_deref(), *by, *now))
        })
        .await?;
    engine.bus.publish(Topic::Notifications, "");
    Ok(())
}

async fn close_in_tx(
    tx: &mut Tx,
    id: ContactMessageId,
    answer: Option<&str>,
    by: Option<UserId>,
    now: i64,
) -> TxResult<()> {
    let (state, action) = match answer {
        Some(_) => (ContactState::Answered, "contact::answer"),
        None => (ContactState::Closed, "contact::close"),
    };
    let email: Option<Scalar<String>> = tx.opt(&HAS, params![id]).await?;
    let email = email.ok_or(Error::NotFound)?.0;
    if tx.exec(&CLOSE, params![id, state, answer.unwrap_or_default(), now, by]).await? == 0 {
        return Err(Conflict::Edited(Vec::new()).into());
    }
    if answer.is_some() {
        let event: Id<Job> = random::id(now);
        tx.insert(AddAnswered { id: random::id(now), event: event.uuid(), created_at: now, message: id })
            .await?;
    }
    audit::write(tx, by, action, id, &email, now).await
}

/// The messages of a batch of notifications.
pub(crate) async fn notification_data(
    engine: &Engine,
    claim: Id<Job>,
) -> Result<HashMap<Uuid, ContactNotice>> {
    let rows: Vec<NotifiedRow> = engine.db.all(&NOTIFIED, params![claim]).await?;
    let notice = |NotifiedRow { id, name, email, message, answer }: NotifiedRow| {
        (id.uuid(), ContactNotice { name, email, message, answer })
    };
    Ok(rows.into_iter().map(notice).collect())
}
