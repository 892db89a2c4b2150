//! Reports to the operator. A report keeps what was reported as it was then: its author may delete it, and admins see nothing else of
//! the conversation.

use std::collections::HashMap;

use uuid::Uuid;

use super::seat::Seat;
use crate::{
    Caller, Engine, audit, cursor,
    db::{CountRow, Scalar},
    insert, lists, params, random, rows, statements,
};
use haat_shared::{
    Conflict, Error, FieldCode, Id, Result,
    chat::Side,
    id::kinds::{ConversationId, MediaId, MessageId, Report, ReportId, ShopId, UserId},
    media::Picture,
    page::{self, Counted, ListRequest, Page},
    permissions::AdminPermission,
    reports::{
        NewReport, REPORTED_MAX, ReportAction, ReportCard, ReportReason, ReportState, ReportedMessage,
        TEXT_MAX,
    },
    text,
};

/// The number of reports per page.
const PAGE_SIZE: usize = 20;

lists! {
    REPORTS {
        select: "SELECT r.id, r.state, r.side, r.reason, r.details, r.note, r.created_at, r.closed_at,
            s.name AS shop_name, s.handle, u.id AS shopper_id, u.name AS shopper_name,
            EXISTS (SELECT 1 FROM message_bans b
                WHERE b.subject_id = CASE WHEN r.side = 'shopper' THEN c.shop_id ELSE c.user_id END) AS barred
            FROM message_reports r JOIN conversations c ON c.id = r.conversation_id JOIN shops s ON s.id = c.shop_id
            JOIN users u ON u.id = c.user_id",
        base_filter: "TRUE",
        filters: &[("state", "r.state = {}")],
        sorts: &[("newest", "r.id < {}", "r.id DESC")],
    }
}

/// Copies messages into a report.
macro_rules! copy {
    ($which:literal) => {
        concat!(
            "INSERT INTO reported_messages (report_id, message_id, seq, text, sent_at)
                SELECT $1, m.id, m.seq, m.text, m.created_at FROM messages m
                WHERE m.conversation_id = $2 AND m.side = $3 AND NOT m.deleted ",
            $which
        )
    };
}

statements! {
    // Deleting a message waits, so that its pictures are copied or gone.
    LOCK = "UPDATE conversations SET change_seq = change_seq WHERE id = $1";
    COPY_MESSAGE = copy!("AND m.id = $4");
    COPY_LATEST = copy!("ORDER BY m.seq DESC LIMIT $4");
    COPY_PICTURES = "INSERT INTO reported_pictures (report_id, message_id, position, media_id, alt)
        SELECT r.report_id, h.message_id, h.position, h.media_id, h.alt FROM reported_messages r
        JOIN message_pictures h ON h.conversation_id = $2 AND h.message_id = r.message_id WHERE r.report_id = $1";
    MESSAGES = "SELECT m.report_id, m.message_id, m.text, m.sent_at
        FROM (VALUES [($1)]) AS given JOIN reported_messages m ON m.report_id = given.column1 ORDER BY m.seq";
    PICTURES = "SELECT h.report_id, h.message_id, m.id AS media_id, m.width, m.height, m.color, h.alt
        FROM (VALUES [($1)]) AS given JOIN reported_pictures h ON h.report_id = given.column1
        JOIN media m ON m.id = h.media_id ORDER BY h.position";
    HAS_PICTURE = "SELECT media_id AS value FROM reported_pictures WHERE report_id = $1 AND media_id = $2 LIMIT 1";
    FIND = "SELECT r.side, c.shop_id, c.user_id, u.email FROM message_reports r JOIN conversations c ON c.id = r.conversation_id
        JOIN users u ON u.id = c.user_id WHERE r.id = $1";
    CLOSE = "UPDATE message_reports SET state = $2, note = $3, closed_at = $4, closed_by = $5 WHERE id = $1 AND state = 'open'";
    UNBAR = "DELETE FROM message_bans WHERE subject_id = $1";
}

insert! {
    struct AddReport<'a> into message_reports {
        id: ReportId,
        conversation_id: ConversationId,
        side: Side,
        user_id: UserId,
        subject_id: Uuid,
        reason: ReportReason,
        details: &'a str,
        created_at: i64;
        state = "'open'",
        note = "''",
    } "ON CONFLICT (conversation_id, side, subject_id) WHERE state = 'open' DO NOTHING"

    struct Bar into message_bans {
        subject_id: Uuid,
        created_at: i64,
    } "ON CONFLICT (subject_id) DO NOTHING"
}

rows! {
    struct ReportRow {
        id: ReportId,
        state: ReportState,
        side: Side,
        reason: ReportReason,
        details: String,
        note: String,
        created_at: i64,
        closed_at: Option<i64>,
        shop_name: String,
        handle: String,
        shopper_id: UserId,
        shopper_name: String,
        barred: bool,
    }

    struct MessageRow {
        report_id: ReportId,
        message_id: MessageId,
        text: String,
        sent_at: i64,
    }

    struct PictureRow {
        report_id: ReportId,
        message_id: MessageId;
        picture: Option<Picture>
    }

    struct PartiesRow {
        side: Side,
        shop_id: ShopId,
        user_id: UserId,
        email: String,
    }
}

/// Reports a message of the other side to the operator, or its latest ones. While a report is open, the same one again adds none.
pub async fn report(
    engine: &Engine,
    caller: &Caller,
    shop: &str,
    id: ConversationId,
    new: NewReport,
) -> Result<()> {
    let seat = Seat::of(caller, shop)?;
    seat.conversation(engine, id).await?;
    let now = engine.clock.now_ms();
    let input = (random::id::<Report>(now), id, (seat.side, seat.user), new, now);
    engine
        .db
        .write(("chat::report", id), input, |tx, (report, of, (side, user), new, now)| {
            Box::pin(async move {
                tx.exec(&LOCK, params![*of]).await?;
                let added = tx.insert(AddReport {
                    id: *report,
                    conversation_id: *of,
                    side: *side,
                    user_id: *user,
                    subject_id: new.message.map_or(of.uuid(), Id::uuid),
                    reason: new.reason,
                    details: &new.details,
                    created_at: *now,
                });
                if !added.await? {
                    return Ok(());
                }
                let copied = match new.message {
                    Some(message) => {
                        tx.exec(&COPY_MESSAGE, params![*report, *of, side.other(), message]).await?
                    }
                    None => tx.exec(&COPY_LATEST, params![*report, *of, side.other(), REPORTED_MAX]).await?,
                };
                if copied == 0 {
                    return Err(Error::NotFound.into());
                }
                tx.exec(&COPY_PICTURES, params![*report, *of]).await?;
                Ok(())
            })
        })
        .await
        .map_err(Into::into)
}

/// The reports, newest first: all, or those in a state; with the number of those in each.
pub async fn reports(engine: &Engine, caller: &Caller, of: &ListRequest) -> Result<Counted<ReportCard>> {
    caller.admin(AdminPermission::SeeReports)?;
    let filters = match of.state.as_str() {
        "" => Vec::new(),
        name => {
            let state = ReportState::parse(name).ok_or(Error::field("state", FieldCode::NotAChoice))?;
            vec![("state", state.into())]
        }
    };
    let (after, size) = (cursor::<Report>(&of.after)?.map(Into::into), page::rows(of.limit, PAGE_SIZE));
    let rows: Vec<ReportRow> = engine.db.list(REPORTS.bind(filters, "newest", after, size + 1)).await?;
    let page = Page::cut(rows, size, |row| row.id.to_string());
    let ids: Vec<_> = page.items.iter().map(|row| [row.id.into()]).collect();
    let mut pictures: HashMap<(Uuid, Uuid), Vec<Picture>> = HashMap::new();
    for row in engine.db.all_many::<PictureRow, 1>(&PICTURES, &ids).await? {
        pictures.entry((row.report_id.uuid(), row.message_id.uuid())).or_default().extend(row.picture);
    }
    let mut messages: HashMap<Uuid, Vec<ReportedMessage>> = HashMap::new();
    for row in engine.db.all_many::<MessageRow, 1>(&MESSAGES, &ids).await? {
        let report = row.report_id.uuid();
        messages.entry(report).or_default().push(ReportedMessage {
            text: row.text,
            pictures: pictures.remove(&(report, row.message_id.uuid())).unwrap_or_default(),
            created_at: caller.time(engine, row.sent_at),
        });
    }
    let sees_users = caller.admin(AdminPermission::SeeUsers).is_ok();
    let page = page.map(|row| ReportCard {
        id: row.id,
        state: row.state,
        by: row.side,
        reason: row.reason,
        details: row.details,
        shop_name: row.shop_name,
        shop_handle: row.handle,
        shopper_name: row.shopper_name,
        shopper: sees_users.then_some(row.shopper_id),
        messages: messages.remove(&row.id.uuid()).unwrap_or_default(),
        barred: row.barred,
        note: row.note,
        created_at: caller.time(engine, row.created_at),
        closed_at: row.closed_at.map(|at| caller.time(engine, at)),
    });
    Ok(CountRow::with(engine.db.list(REPORTS.count_by("state", Vec::new())).await?, page))
}

/// Decides on an open report.
pub async fn close_report(
    engine: &Engine,
    caller: &Caller,
    id: ReportId,
    action: ReportAction,
    note: &str,
) -> Result<()> {
    caller.admin(AdminPermission::ManageReports)?;
    let note = text::paragraphs("note", note, TEXT_MAX).map_err(|fault| Error::Invalid(vec![fault]))?;
    let input = (id, action, note, caller.user_id(), engine.clock.now_ms());
    engine
        .db
        .write(("chat::close_report", id), input, |tx, (id, action, note, by, now)| {
            Box::pin(async move {
                let found: Option<PartiesRow> = tx.opt(&FIND, params![*id]).await?;
                let found = found.ok_or(Error::NotFound)?;
                if tx.exec(&CLOSE, params![*id, action.leads_to(), &*note, *now, *by]).await? == 0 {
                    return Err(Conflict::Edited(Vec::new()).into());
                }
                let name = match action {
                    ReportAction::Dismiss => "chat::dismiss_report",
                    ReportAction::Resolve | ReportAction::Block => "chat::resolve_report",
                };
                audit::write(tx, *by, name, *id, note, *now).await?;
                if *action != ReportAction::Block {
                    return Ok(());
                }
                let subject_id = found.reported();
                if tx.insert(Bar { subject_id, created_at: *now }).await? {
                    found.record(tx, *by, "chat::block_sender", *now).await?;
                }
                Ok(())
            })
        })
        .await
        .map_err(Into::into)
}

/// Lets the side that was reported send messages again.
pub async fn unblock_sender(engine: &Engine, caller: &Caller, id: ReportId) -> Result<()> {
    caller.admin(AdminPermission::ManageReports)?;
    let input = (id, caller.user_id(), engine.clock.now_ms());
    engine
        .db
        .write(("chat::unblock_sender", id), input, |tx, (id, by, now)| {
            Box::pin(async move {
                let found: Option<PartiesRow> = tx.opt(&FIND, params![*id]).await?;
                let found = found.ok_or(Error::NotFound)?;
                if tx.exec(&UNBAR, params![found.reported()]).await? > 0 {
                    found.record(tx, *by, "chat::unblock_sender", *now).await?;
                }
                Ok(())
            })
        })
        .await
        .map_err(Into::into)
}

/// Succeeds if an admin may see this picture: if this report contains it.
pub async fn may_see_reported(
    engine: &Engine,
    caller: &Caller,
    id: ReportId,
    picture: MediaId,
) -> Result<()> {
    caller.admin(AdminPermission::SeeReports)?;
    let found: Option<Scalar<MediaId>> = engine.db.opt(&HAS_PICTURE, params![id, picture]).await?;
    found.map(drop).ok_or(Error::NotFound)
}

impl PartiesRow {
    /// The user or the shop that was reported.
    fn reported(&self) -> Uuid {
        match self.side {
            Side::Shopper => self.shop_id.uuid(),
            Side::Shop => self.user_id.uuid(),
        }
    }

    /// Writes into the audit log what happened to the reported side.
    async fn record(
        &self,
        tx: &mut crate::db::Tx,
        by: Option<UserId>,
        action: &'static str,
        now: i64,
    ) -> crate::TxResult<()> {
        match self.side {
            Side::Shopper => audit::write(tx, by, action, self.shop_id, "", now).await,
            Side::Shop => audit::write(tx, by, action, self.user_id, &self.email, now).await,
        }
    }
}
