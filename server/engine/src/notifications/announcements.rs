//! Announcements and offers: an admin writes one, looks at it, and sends it to many people, now or later.
//!
//! It is sent in batches of users in the order of their IDs. Each batch writes its notifications and remembers how far
//! it got in one transaction, so after a crash the next one continues there, and nobody is told twice. Withdrawing it
//! takes it off the site.

use uuid::Uuid;

use super::{
    EmailContent,
    announced::{draft, notice},
};
use crate::{
    Caller, Engine, TxResult, audit,
    bus::Topic,
    cursor,
    db::{Tx, Value},
    insert, lists, params, random, rows, statements,
};
use haat_shared::{
    Conflict, Error, FieldCode, Id, Result,
    announcements::{
        AnnouncementAudience, AnnouncementCard, AnnouncementDetails, AnnouncementDraft, AnnouncementForm,
        AnnouncementKind, AnnouncementPreview, AnnouncementState, Announcements,
    },
    id::kinds::{Announcement, AnnouncementId, NotificationId, UserId},
    notifications::Channel,
    page::{self, Page},
    permissions::AdminPermission,
};

/// The number of rows per page.
const PAGE_SIZE: usize = 50;
/// How many users are told in one transaction.
const BATCH: usize = 500;

/// The columns of an announcement.
macro_rules! announcements {
    ($rest:literal) => {
        concat!(
            "SELECT a.id, a.kind, a.audience, a.form, a.state, a.send_at, a.told, a.version FROM announcements a",
            $rest
        )
    };
}

/// Users `u` of an audience, given as a parameter, and what they have chosen about offers `p`.
macro_rules! audience {
    ($param:literal) => {
        concat!(
            "users u LEFT JOIN notification_preferences p ON p.user_id = u.id AND p.topic = 'offers'
            WHERE u.deactivated_at IS NULL AND (",
            $param,
            " = 'everyone' OR (",
            $param,
            " = 'customers' AND EXISTS (SELECT 1 FROM purchases b WHERE b.user_id = u.id)) OR (",
            $param,
            " = 'sellers' AND EXISTS (SELECT 1 FROM shop_members m WHERE m.user_id = u.id)))"
        )
    };
}

lists! {
    LIST {
        select: announcements!(""),
        base_filter: "TRUE",
        filters: &[],
        sorts: &[("newest", "a.id < {}", "a.id DESC")],
    }
}

statements! {
    FIND = announcements!(" WHERE a.id = $1");
    SAVE = "UPDATE announcements SET kind = $3, audience = $4, in_app = $5, email = $6, form = $7, send_at = $8,
            version = version + 1, updated_at = $9
        WHERE id = $1 AND version = $2 AND state = 'draft'";
    SEND = "UPDATE announcements SET state = 'scheduled', send_at = COALESCE(send_at, $3), version = version + 1, updated_at = $3
        WHERE id = $1 AND version = $2 AND state = 'draft'";
    DELETE = "DELETE FROM announcements WHERE id = $1 AND state = 'draft'";
    // One that nobody was told of yet can be changed again.
    WITHDRAW = "UPDATE announcements SET state = CASE WHEN state = 'scheduled' THEN 'draft' ELSE 'withdrawn' END,
            version = version + 1, updated_at = $2
        WHERE id = $1 AND state IN ('scheduled', 'sending', 'sent')";
    FORGET_UNDELIVERED = "DELETE FROM notifications WHERE event = $1 AND state = 'written'";
    TAKE_OFF = "DELETE FROM inbox WHERE id IN (SELECT id FROM notifications WHERE event = $1 AND channel = 'in_app')";
    START = "UPDATE announcements SET state = 'sending', updated_at = $1 WHERE state = 'scheduled' AND send_at <= $1";
    // Also locks its row, so that batches of several nodes wait for each other.
    NEXT = "UPDATE announcements SET updated_at = $1 WHERE state = 'sending' AND id =
            (SELECT id FROM announcements WHERE state = 'sending' ORDER BY send_at, id LIMIT 1)
        RETURNING id, kind, audience, in_app, email, told_until";
    RECIPIENTS = concat!("SELECT u.id, u.email, u.locale, COALESCE(p.email, FALSE) AS offers_email,
            COALESCE(p.in_app, TRUE) AS offers_in_app FROM ", audience!("$1"), " AND u.id > $2 ORDER BY u.id LIMIT $3");
    COUNT = concat!("SELECT COUNT(*) AS users,
            CAST(COALESCE(SUM(CASE WHEN p.email THEN 1 ELSE 0 END), 0) AS BIGINT) AS offers_email,
            CAST(COALESCE(SUM(CASE WHEN COALESCE(p.in_app, TRUE) THEN 1 ELSE 0 END), 0) AS BIGINT) AS offers_in_app
        FROM ", audience!("$1"));
    TOLD = "UPDATE announcements SET told_until = $2, told = told + $3, state = CASE WHEN $4 THEN 'sent' ELSE 'sending' END
        WHERE id = $1";
}

insert! {
    struct AddAnnouncement<'a> into announcements {
        id: AnnouncementId,
        kind: AnnouncementKind,
        audience: AnnouncementAudience,
        in_app: bool,
        email: bool,
        form: &'a str,
        state: AnnouncementState,
        send_at: Option<i64>,
        told_until: Uuid,
        created_at: i64,
        updated_at: i64,
    }

    struct AddNotification into notifications {
        id: NotificationId,
        event: Uuid,
        recipient: String,
        user_id: Option<UserId>,
        channel: Channel,
        subject: Uuid,
        locale: String,
        created_at: i64;
        kind = "'announcement'",
        state = "'written'",
    } "ON CONFLICT (event, recipient, channel) DO NOTHING"
}

rows! {
    struct Row {
        id: AnnouncementId,
        kind: AnnouncementKind,
        audience: AnnouncementAudience,
        form: String,
        state: AnnouncementState,
        send_at: Option<i64>,
        told: i64,
        version: i64,
    }

    struct Next {
        id: AnnouncementId,
        kind: AnnouncementKind,
        audience: AnnouncementAudience,
        in_app: bool,
        email: bool,
        told_until: Uuid,
    }

    struct Recipient {
        id: UserId,
        email: String,
        locale: String,
        offers_email: bool,
        offers_in_app: bool,
    }

    struct Counts {
        users: i64,
        offers_email: i64,
        offers_in_app: i64,
    }
}

fn card(engine: &Engine, caller: &Caller, row: &Row, of: &AnnouncementDraft) -> AnnouncementCard {
    AnnouncementCard {
        id: row.id,
        title: of.texts.first().map(|text| text.title.clone()).unwrap_or_default(),
        kind: row.kind,
        audience: row.audience,
        state: row.state,
        send_at: row.send_at.map(|at| caller.time(engine, at)),
        told: row.told,
    }
}

/// The announcements, the latest first, and one of them, as its recipients will read it.
pub async fn page(
    engine: &Engine,
    caller: &Caller,
    after: &str,
    id: Option<AnnouncementId>,
) -> Result<Announcements> {
    caller.admin(AdminPermission::SeePromotions)?;
    let (after, size) = (cursor::<Announcement>(after)?.map(Into::into), page::rows(None, PAGE_SIZE));
    let rows: Vec<Row> = engine.db.list(LIST.bind(Vec::new(), "newest", after, size + 1)).await?;
    let Page { items, next } = Page::cut(rows, size, |row| row.id.to_string());
    let cards = items.iter().map(|row| Ok(card(engine, caller, row, &draft(&row.form)?)));
    let items = cards.collect::<TxResult<_>>()?;
    let shown = match id {
        Some(id) => Some(details(engine, caller, id).await?),
        None => None,
    };
    Ok(Announcements { page: Page { items, next }, shown })
}

async fn details(engine: &Engine, caller: &Caller, id: AnnouncementId) -> Result<AnnouncementDetails> {
    let row: Row = engine.db.opt(&FIND, params![id]).await?.ok_or(Error::NotFound)?;
    let of = draft(&row.form)?;
    let counts: Counts = engine.db.one(&COUNT, params![row.audience]).await?;
    let (on_site, emails) = match of.kind {
        AnnouncementKind::Service => (counts.users, counts.users),
        AnnouncementKind::Offer => (counts.offers_in_app, counts.offers_email),
    };
    let preview = |text: &haat_shared::announcements::AnnouncementText| {
        // What ends emails is another link for everybody: this one is signed for nobody.
        let nobody = Some(Id::from_uuid(Uuid::nil()));
        let notice = notice(engine, &of, nobody, &text.locale)?;
        let rendered =
            (engine.render)(&EmailContent::Announcement(Box::new(notice)), &text.locale, &engine.public_url);
        Some(rendered.map(|of| AnnouncementPreview {
            locale: text.locale.clone(),
            subject: of.subject,
            text: of.text,
        }))
    };
    Ok(AnnouncementDetails {
        card: card(engine, caller, &row, &of),
        form: serde_json::from_str(&row.form).map_err(|_| Error::Internal)?,
        version: row.version,
        previews: of.texts.iter().filter_map(preview).collect::<TxResult<_>>()?,
        on_site: if of.in_app { on_site } else { 0 },
        emails: if of.email { emails } else { 0 },
    })
}

/// A checked form, and when it is to be sent.
fn checked(engine: &Engine, form: &AnnouncementForm) -> Result<(AnnouncementDraft, Option<i64>)> {
    let draft = form.check();
    let send_at = match form.send_at.trim() {
        "" => Ok(None),
        typed => match engine.zone.read(typed) {
            None => Err(FieldCode::NotDate),
            Some(at) if at <= engine.clock.now_ms() => Err(FieldCode::TooSmall),
            Some(at) => Ok(Some(at)),
        },
    };
    match (draft, send_at) {
        (Ok(draft), Ok(send_at)) => Ok((draft, send_at)),
        (draft, send_at) => {
            let mut faults = draft.err().unwrap_or_default();
            faults.extend(send_at.err().map(|code| haat_shared::field::FieldError::new("send_at", code)));
            Err(Error::Invalid(faults))
        }
    }
}

/// A link that was copied from the browser is one within the market.
fn localized(engine: &Engine, form: &AnnouncementForm) -> AnnouncementForm {
    let link = form.link.trim();
    let link = link.strip_prefix(&engine.public_url).unwrap_or(link).to_owned();
    AnnouncementForm { link, ..form.clone() }
}

/// Writes an announcement, which is sent later.
pub async fn create(engine: &Engine, caller: &Caller, form: &AnnouncementForm) -> Result<AnnouncementId> {
    caller.admin(AdminPermission::ManagePromotions)?;
    let form = localized(engine, form);
    let (draft, send_at) = checked(engine, &form)?;
    let now = engine.clock.now_ms();
    let id: AnnouncementId = random::id(now);
    let form = serde_json::to_string(&form).map_err(|_| Error::Internal)?;
    let input = (id, draft, form, send_at, caller.user_id(), now);
    engine
        .db
        .write(("announcements::create", id), input, |tx, (id, draft, form, send_at, user, now)| {
            Box::pin(async move {
                tx.insert(AddAnnouncement {
                    id: *id,
                    kind: draft.kind,
                    audience: draft.audience,
                    in_app: draft.in_app,
                    email: draft.email,
                    form,
                    state: AnnouncementState::Draft,
                    send_at: *send_at,
                    told_until: Uuid::nil(),
                    created_at: *now,
                    updated_at: *now,
                })
                .await?;
                audit::write(tx, *user, "announcements::create", *id, &draft.texts[0].title, *now).await
            })
        })
        .await?;
    Ok(id)
}

/// Changes an announcement that was not sent yet.
pub async fn save(
    engine: &Engine,
    caller: &Caller,
    id: AnnouncementId,
    version: i64,
    form: &AnnouncementForm,
) -> Result<()> {
    caller.admin(AdminPermission::ManagePromotions)?;
    let form = localized(engine, form);
    let (draft, send_at) = checked(engine, &form)?;
    let form = serde_json::to_string(&form).map_err(|_| Error::Internal)?;
    let (kind, audience) = (draft.kind, draft.audience);
    let values: Vec<Value> = vec![
        id.into(),
        version.into(),
        kind.into(),
        audience.into(),
        draft.in_app.into(),
        draft.email.into(),
        form.into(),
        send_at.into(),
        engine.clock.now_ms().into(),
    ];
    change(engine, caller, id, "announcements::save", move |tx| {
        let values = values.clone();
        Box::pin(async move { Ok(tx.exec(&SAVE, &values).await?) })
    })
    .await
}

/// Sends an announcement as it was last shown: at once, or at its time.
pub async fn send(engine: &Engine, caller: &Caller, id: AnnouncementId, version: i64) -> Result<()> {
    caller.admin(AdminPermission::ManagePromotions)?;
    let now = engine.clock.now_ms();
    change(engine, caller, id, "announcements::send", move |tx| {
        Box::pin(async move { Ok(tx.exec(&SEND, params![id, version, now]).await?) })
    })
    .await
}

/// Takes an announcement back: one that will be sent can be changed again, one that was sent is taken off the site.
pub async fn withdraw(engine: &Engine, caller: &Caller, id: AnnouncementId) -> Result<()> {
    caller.admin(AdminPermission::ManagePromotions)?;
    let now = engine.clock.now_ms();
    change(engine, caller, id, "announcements::withdraw", move |tx| {
        Box::pin(async move {
            let changed = tx.exec(&WITHDRAW, params![id, now]).await?;
            if changed > 0 {
                tx.exec(&TAKE_OFF, params![id]).await?;
                tx.exec(&FORGET_UNDELIVERED, params![id]).await?;
            }
            Ok(changed)
        })
    })
    .await
}

/// Deletes an announcement that was not sent.
pub async fn delete(engine: &Engine, caller: &Caller, id: AnnouncementId) -> Result<()> {
    caller.admin(AdminPermission::ManagePromotions)?;
    change(engine, caller, id, "announcements::delete", move |tx| {
        Box::pin(async move { Ok(tx.exec(&DELETE, params![id]).await?) })
    })
    .await
}

/// Changes an announcement, if it is in a state for that, and audits it.
async fn change(
    engine: &Engine,
    caller: &Caller,
    id: AnnouncementId,
    action: &'static str,
    statement: impl for<'t> Fn(&'t mut Tx) -> crate::db::BoxFuture<'t, TxResult<u64>>
    + Clone
    + Send
    + Sync
    + 'static,
) -> Result<()> {
    let input = (id, caller.user_id(), engine.clock.now_ms());
    engine
        .db
        .write((action, id), input, move |tx, (id, user, now)| {
            let statement = statement.clone();
            Box::pin(async move {
                let row: Option<Row> = tx.opt(&FIND, params![*id]).await?;
                let row = row.ok_or(Error::NotFound)?;
                if statement(tx).await? == 0 {
                    return Err(Conflict::Edited(Vec::new()).into());
                }
                let title = draft(&row.form)?.texts.swap_remove(0).title;
                audit::write(tx, *user, action, *id, &title, *now).await
            })
        })
        .await
        .map_err(Into::into)
}

/// Tells the recipients of the announcements whose time has come.
pub(crate) async fn send_due(engine: &Engine) -> TxResult<()> {
    start(engine).await?;
    while tell(engine).await? {
        engine.bus.publish(Topic::Notifications, "");
    }
    Ok(())
}

/// Starts the announcements whose time has come.
pub async fn start(engine: &Engine) -> TxResult<()> {
    engine
        .db
        .write("announcements::start", engine.clock.now_ms(), |tx, now| {
            Box::pin(async move { Ok(tx.exec(&START, params![*now]).await?) })
        })
        .await
        .map(drop)
}

/// Tells the next users; returns whether there may be more to tell.
pub async fn tell(engine: &Engine) -> TxResult<bool> {
    engine
        .db
        .write("announcements::tell", engine.clock.now_ms(), |tx, now| Box::pin(tell_in_tx(tx, *now)))
        .await
}

async fn tell_in_tx(tx: &mut Tx, now: i64) -> TxResult<bool> {
    let next: Option<Next> = tx.opt(&NEXT, params![now]).await?;
    let Some(of) = next else { return Ok(false) };
    let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
    let users: Vec<Recipient> = tx.all(&RECIPIENTS, params![of.audience, of.told_until, limit]).await?;
    let last = users.last().map_or(of.told_until, |user| user.id.uuid());
    let done = users.len() < BATCH;
    let offer = of.kind == AnnouncementKind::Offer;
    let mut rows = Vec::new();
    for user in users {
        let add = |recipient, channel| AddNotification {
            id: random::id(now),
            event: of.id.uuid(),
            recipient,
            user_id: Some(user.id),
            channel,
            subject: of.id.uuid(),
            locale: user.locale.clone(),
            created_at: now,
        };
        if of.email && (!offer || user.offers_email) {
            rows.push(add(user.email.clone(), Channel::Email));
        }
        if of.in_app && (!offer || user.offers_in_app) {
            rows.push(add(user.id.to_string(), Channel::InApp));
        }
    }
    let told = i64::try_from(tx.insert_all(rows).await?).unwrap_or(i64::MAX);
    tx.exec(&TOLD, params![of.id, last, told, done]).await?;
    Ok(true)
}
