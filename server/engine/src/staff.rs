//! The staff of shops: owners invite people by email, change their roles and remove them, and members leave.
//!
//! An invitation's link proves that someone got the email. It is no session: whoever accepts is signed in, with the invited
//! address. Its token is a signature of its ID, so whoever reads the database can't follow it. Whatever changes the staff of
//! a shop first locks the rows of its owners, so that of two owners who remove each other, one stays ([decision
//! 68](../../../docs/decisions/0068-staff.md)).

use std::collections::HashMap;

use uuid::Uuid;

use crate::{
    Caller, Engine, TxResult, audit,
    bus::Topic,
    db::{Scalar, Tx},
    insert, params,
    quotas::{self, DAY_MS, HOUR_MS, QuotaKind},
    random, rows, statements,
};
use haat_shared::{
    Conflict, Error, FieldCode, Id, Result,
    accounts::{Email, mailbox},
    id::kinds::{InvitationId, Job, NotificationId, ShopId, UserId},
    permissions::{Permission, Role},
    staff::{
        INVITATION_DAYS, INVITATIONS_MAX, Invitation, InvitationForm, InvitationPage, InvitationState,
        ShopMember, ShopTeam,
    },
    text,
};

/// The purpose that links are signed for.
const PURPOSE: &str = "shop invitation";
/// How long an invitation is kept after it has expired, so that its page can say so.
const KEPT_MS: i64 = 30 * DAY_MS;
/// How many invitations a shop sends, per hour and per day.
const SENT: [(QuotaKind, i64); 2] =
    [(("invitations_by_shop_per_hour", HOUR_MS), 30), (("invitations_by_shop_per_day", DAY_MS), 100)];
/// How many invitations are sent to an address, by all shops together.
const RECEIVED: [(QuotaKind, i64); 2] =
    [(("invitations_to_mailbox_per_hour", HOUR_MS), 3), (("invitations_to_mailbox_per_day", DAY_MS), 10)];

statements! {
    MEMBERS = "SELECT u.id, u.name, u.email, m.role, m.joined_at FROM shop_members m JOIN users u ON u.id = m.user_id
        WHERE m.shop_id = $1 ORDER BY CASE WHEN m.role = 'owner' THEN 0 ELSE 1 END, u.name, u.email_folded";
    INVITATIONS = "SELECT id, email, role, sent_at, expires_at FROM shop_invitations
        WHERE shop_id = $1 AND state = 'pending' ORDER BY email_folded";
    // Of two owners who change the staff at once, the second waits here for the first.
    LOCK_OWNERS = "UPDATE shop_members SET role = 'owner' WHERE shop_id = $1 AND role = 'owner' RETURNING user_id AS value";
    OTHER_OWNER = "SELECT m.user_id AS value FROM shop_members m JOIN users u ON u.id = m.user_id AND u.deactivated_at IS NULL
        WHERE m.shop_id = $1 AND m.role = 'owner' AND m.user_id <> $2 LIMIT 1";
    MEMBER = "SELECT u.email, m.role FROM shop_members m JOIN users u ON u.id = m.user_id WHERE m.shop_id = $1 AND m.user_id = $2";
    SET_ROLE = "UPDATE shop_members SET role = $3 WHERE shop_id = $1 AND user_id = $2";
    REMOVE = "DELETE FROM shop_members WHERE shop_id = $1 AND user_id = $2";
    WITH_ADDRESS = "SELECT u.id AS value FROM shop_members m JOIN users u ON u.id = m.user_id
        WHERE m.shop_id = $1 AND u.email_folded = $2";
    OPEN = "SELECT COUNT(*) AS value FROM shop_invitations
        WHERE shop_id = $1 AND state = 'pending' AND expires_at > $2 AND email_folded <> $3";
    RENEW = "UPDATE shop_invitations SET email = $3, role = $4, sent_at = $5, expires_at = $6
        WHERE shop_id = $1 AND email_folded = $2 AND state = 'pending' RETURNING id AS value";
    RESEND = "UPDATE shop_invitations SET sent_at = $3, expires_at = $4
        WHERE id = $1 AND shop_id = $2 AND state = 'pending' RETURNING email_folded AS value";
    WITHDRAW = "UPDATE shop_invitations SET state = 'withdrawn' WHERE id = $1 AND shop_id = $2 AND state = 'pending' RETURNING role AS value";
    FIND = "SELECT s.name AS shop, i.email, i.email_folded, i.role, i.state, i.expires_at FROM shop_invitations i JOIN shops s ON s.id = i.shop_id
        WHERE i.id = $1";
    TAKE = "UPDATE shop_invitations SET state = 'accepted' WHERE id = $1 AND email_folded = $2 AND state = 'pending' AND expires_at > $3
        RETURNING shop_id, role, email";
    JOIN = "INSERT INTO shop_members (shop_id, user_id, role, joined_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (shop_id, user_id) DO NOTHING";
    HANDLE = "SELECT handle AS value FROM shops WHERE id = $1";
    NOTIFIED = "SELECT i.id, s.name AS shop, i.role FROM notifications n JOIN shop_invitations i ON i.id = n.subject
        JOIN shops s ON s.id = i.shop_id WHERE n.claim = $1 AND n.kind = 'shop_invitation'";
    PURGE = "DELETE FROM shop_invitations WHERE expires_at < $1";
}

insert! {
    /// In the language of whoever is invited, if they have an account.
    struct AddInvitation<'a> into shop_invitations {
        id: InvitationId,
        shop_id: ShopId,
        email: &'a str,
        email_folded: &'a str,
        role: Role,
        sent_at: i64,
        expires_at: i64;
        state = "'pending'",
        locale = "COALESCE((SELECT u.locale FROM users u WHERE u.email_folded = given.email_folded), given.language)",
    } => [language: &'a str] "given"

    /// The email with the link.
    struct AddMail into notifications {
        id: NotificationId,
        event: Uuid,
        created_at: i64;
        recipient = "i.email",
        user_id = "(SELECT u.id FROM users u WHERE u.email_folded = i.email_folded)",
        channel = "'email'",
        kind = "'shop_invitation'",
        subject = "i.id",
        locale = "i.locale",
        state = "'written'",
    } => [invitation: InvitationId] "given JOIN shop_invitations i ON i.id = given.invitation"
}

rows! {
    struct TeamRow {
        id: UserId,
        name: String,
        email: String,
        role: Role,
        joined_at: i64,
    }

    struct InvitationRow {
        id: InvitationId,
        email: String,
        role: Role,
        sent_at: i64,
        expires_at: i64,
    }

    struct MemberRow {
        email: String,
        role: Role,
    }

    struct FoundRow {
        shop: String,
        email: String,
        email_folded: String,
        role: Role,
        state: InvitationState,
        expires_at: i64,
    }

    struct TakenRow {
        shop_id: ShopId,
        role: Role,
        email: String,
    }

    struct NotifiedRow {
        id: InvitationId,
        shop: String,
        role: Role,
    }
}

/// What an email about an invitation says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitationNotice {
    /// The shop's name.
    pub shop: String,
    /// The role that is offered.
    pub role: Role,
    /// The invitation.
    pub id: InvitationId,
    /// The token of the link.
    pub token: String,
}

/// The staff of a shop and its pending invitations, for its owners.
pub async fn team(engine: &Engine, caller: &Caller, handle: &str) -> Result<ShopTeam> {
    let shop = caller.shop(handle, Permission::ManageShop)?;
    let now = engine.clock.now_ms();
    let members: Vec<TeamRow> = engine.db.all(&MEMBERS, params![shop]).await?;
    let invitations: Vec<InvitationRow> = engine.db.all(&INVITATIONS, params![shop]).await?;
    let member = |TeamRow { id, name, email, role, joined_at }: TeamRow| ShopMember {
        id,
        name,
        email,
        role,
        joined_at: caller.time(engine, joined_at),
    };
    let invitation = |row: InvitationRow| Invitation {
        id: row.id,
        email: row.email,
        role: row.role,
        sent_at: caller.time(engine, row.sent_at),
        expires_at: caller.time(engine, row.expires_at),
        expired: row.expires_at <= now,
    };
    Ok(ShopTeam {
        members: members.into_iter().map(member).collect(),
        own: caller.signed_in()?.id,
        invitations: invitations.into_iter().map(invitation).collect(),
    })
}

/// Locks the staff of a shop. Fails if `by` is no longer an owner.
async fn lock_in_tx(tx: &mut Tx, shop: ShopId, by: UserId) -> TxResult<()> {
    let owners: Vec<Scalar<UserId>> = tx.all(&LOCK_OWNERS, params![shop]).await?;
    if owners.iter().any(|owner| owner.0 == by) { Ok(()) } else { Err(Error::Denied.into()) }
}

/// Fails if the shop would have no owner without this user.
async fn spare_in_tx(tx: &mut Tx, shop: ShopId, user: UserId) -> TxResult<()> {
    let other: Option<Scalar<UserId>> = tx.opt(&OTHER_OWNER, params![shop, user]).await?;
    if other.is_some() { Ok(()) } else { Err(Conflict::LastOwner.into()) }
}

/// Counts an invitation that is sent.
async fn count_in_tx(tx: &mut Tx, of_shop: [u8; 32], of_mailbox: [u8; 32], now: i64) -> TxResult<()> {
    let of = |quotas: [(QuotaKind, i64); 2], subject| quotas.map(|(kind, most)| ((kind, subject), most));
    let all = [of(SENT, of_shop), of(RECEIVED, of_mailbox)].concat();
    let used = quotas::spend_in_tx(tx, &all.iter().map(|(what, _)| (*what, 1)).collect(), now).await?;
    let over = |(((name, _), subject), most): &((QuotaKind, [u8; 32]), i64)| {
        used.get(&(*name, *subject)).is_some_and(|used| used > most)
    };
    if all.iter().any(over) { Err(Error::RateLimited { retry_after_s: 3_600 }.into()) } else { Ok(()) }
}

async fn mail_in_tx(tx: &mut Tx, invitation: InvitationId, now: i64) -> TxResult<()> {
    let event: Id<Job> = random::id(now);
    tx.insert(AddMail { id: random::id(now), event: event.uuid(), created_at: now, invitation }).await?;
    Ok(())
}

/// An invitation to be written.
struct New {
    id: InvitationId,
    shop: ShopId,
    handle: String,
    by: UserId,
    email: Email,
    role: Role,
    language: &'static str,
    subjects: ([u8; 32], [u8; 32]),
    now: i64,
}

/// Invites someone by email. If there is a pending invitation to this address, it is sent again, with this role. Returns it.
pub async fn invite(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    form: &InvitationForm,
) -> Result<InvitationId> {
    let shop = caller.shop(handle, Permission::ManageShop)?;
    let by = caller.signed_in()?.id;
    let (email, role) = form.check(engine.smtputf8).map_err(Error::Invalid)?;
    let now = engine.clock.now_ms();
    let subjects = subjects(engine, shop, &email.folded());
    let handle = handle.to_owned();
    let new =
        New { id: random::id(now), shop, handle, by, email, role, language: caller.locale, subjects, now };
    let id = engine.db.write(("staff::invite", shop), new, |tx, new| Box::pin(invite_in_tx(tx, new))).await?;
    engine.bus.publish(Topic::Notifications, "");
    Ok(id)
}

/// Whom an invitation is counted for: the shop, and the mailbox.
fn subjects(engine: &Engine, shop: ShopId, folded: &str) -> ([u8; 32], [u8; 32]) {
    (quotas::subject(engine, &shop.to_string()), quotas::subject(engine, &mailbox(folded)))
}

async fn invite_in_tx(tx: &mut Tx, new: &New) -> TxResult<InvitationId> {
    let New { shop, now, .. } = *new;
    lock_in_tx(tx, shop, new.by).await?;
    let folded = new.email.folded();
    let member: Option<Scalar<UserId>> = tx.opt(&WITH_ADDRESS, params![shop, folded.as_str()]).await?;
    if member.is_some() {
        return Err(Error::field("email", FieldCode::NotUnique).into());
    }
    let open: Option<Scalar<i64>> = tx.opt(&OPEN, params![shop, now, folded.as_str()]).await?;
    if open.is_some_and(|open| open.0 >= INVITATIONS_MAX) {
        return Err(Error::field("email", FieldCode::TooMany).into());
    }
    count_in_tx(tx, new.subjects.0, new.subjects.1, now).await?;
    let expires_at = now + INVITATION_DAYS * DAY_MS;
    let renewed = params![shop, folded.as_str(), new.email.as_str(), new.role, now, expires_at];
    let renewed: Option<Scalar<InvitationId>> = tx.opt(&RENEW, renewed).await?;
    let id = match renewed {
        Some(id) => id.0,
        None => {
            tx.insert(AddInvitation {
                id: new.id,
                shop_id: shop,
                email: new.email.as_str(),
                email_folded: &folded,
                role: new.role,
                sent_at: now,
                expires_at,
                language: new.language,
            })
            .await?;
            new.id
        }
    };
    mail_in_tx(tx, id, now).await?;
    let note = format!("{} {}", new.handle, new.role.as_str());
    audit::write(tx, Some(new.by), "staff::invite", id, &note, now).await?;
    Ok(id)
}

/// Sends a pending invitation again, also one that has expired. It is valid for as long as a new one.
pub async fn resend(engine: &Engine, caller: &Caller, handle: &str, id: InvitationId) -> Result<()> {
    let shop = caller.shop(handle, Permission::ManageShop)?;
    let (by, now) = (caller.signed_in()?.id, engine.clock.now_ms());
    engine
        .db
        .write(
            ("staff::resend", id),
            (shop, by, id, now, engine.clone()),
            |tx, (shop, by, id, now, engine)| {
                Box::pin(async move {
                    lock_in_tx(tx, *shop, *by).await?;
                    let renewed = params![*id, *shop, *now, *now + INVITATION_DAYS * DAY_MS];
                    let folded: Option<Scalar<String>> = tx.opt(&RESEND, renewed).await?;
                    let (of_shop, of_mailbox) = subjects(engine, *shop, &folded.ok_or(Error::NotFound)?.0);
                    count_in_tx(tx, of_shop, of_mailbox, *now).await?;
                    mail_in_tx(tx, *id, *now).await
                })
            },
        )
        .await?;
    engine.bus.publish(Topic::Notifications, "");
    Ok(())
}

/// Withdraws a pending invitation: its link no longer works.
pub async fn withdraw(engine: &Engine, caller: &Caller, handle: &str, id: InvitationId) -> Result<()> {
    let shop = caller.shop(handle, Permission::ManageShop)?;
    let input = (shop, handle.to_owned(), caller.signed_in()?.id, id, engine.clock.now_ms());
    engine
        .db
        .write(("staff::withdraw", id), input, |tx, (shop, handle, by, id, now)| {
            Box::pin(async move {
                lock_in_tx(tx, *shop, *by).await?;
                let role: Option<Scalar<Role>> = tx.opt(&WITHDRAW, params![*id, *shop]).await?;
                let note = format!("{handle} {}", role.ok_or(Error::NotFound)?.0.as_str());
                audit::write(tx, Some(*by), "staff::withdraw", *id, &note, *now).await
            })
        })
        .await?;
    Ok(())
}

/// Changes the role of a member. The last owner keeps theirs.
pub async fn change_role(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    user: UserId,
    role: Role,
) -> Result<()> {
    let shop = caller.shop(handle, Permission::ManageShop)?;
    let input = (shop, handle.to_owned(), caller.signed_in()?.id, user, role, engine.clock.now_ms());
    let changed = engine
        .db
        .write(("staff::change_role", shop), input, |tx, (shop, handle, by, user, role, now)| {
            Box::pin(async move {
                lock_in_tx(tx, *shop, *by).await?;
                let member: Option<MemberRow> = tx.opt(&MEMBER, params![*shop, *user]).await?;
                let before = member.ok_or(Error::NotFound)?;
                if before.role == *role {
                    return Ok(false);
                }
                if before.role == Role::Owner {
                    spare_in_tx(tx, *shop, *user).await?;
                }
                tx.exec(&SET_ROLE, params![*shop, *user, *role]).await?;
                let note = format!("{handle} {}>{} {}", before.role.as_str(), role.as_str(), before.email);
                audit::write(tx, Some(*by), "staff::change_role", *user, &note, *now).await?;
                Ok(true)
            })
        })
        .await?;
    if changed {
        tell(engine, user);
    }
    Ok(())
}

/// Removes a member, who has no access from then on. The last owner stays.
pub async fn remove(engine: &Engine, caller: &Caller, handle: &str, user: UserId) -> Result<()> {
    let shop = caller.shop(handle, Permission::ManageShop)?;
    end(engine, caller, (shop, handle), user).await
}

/// Removes the caller from the staff of a shop. The last owner stays.
pub async fn leave(engine: &Engine, caller: &Caller, handle: &str) -> Result<()> {
    let user = caller.signed_in()?;
    // Every role may.
    let shop = user.shops.iter().find(|shop| shop.handle == handle).ok_or(Error::NotFound)?.shop_id;
    end(engine, caller, (shop, handle), user.id).await
}

async fn end(engine: &Engine, caller: &Caller, (shop, handle): (ShopId, &str), user: UserId) -> Result<()> {
    let input = (shop, handle.to_owned(), caller.signed_in()?.id, user, engine.clock.now_ms());
    engine
        .db
        .write(("staff::remove", shop), input, |tx, (shop, handle, by, user, now)| {
            Box::pin(async move {
                match by == user {
                    true => drop(tx.all::<Scalar<UserId>>(&LOCK_OWNERS, params![*shop]).await?),
                    false => lock_in_tx(tx, *shop, *by).await?,
                }
                let member: Option<MemberRow> = tx.opt(&MEMBER, params![*shop, *user]).await?;
                let member = member.ok_or(Error::NotFound)?;
                if member.role == Role::Owner {
                    spare_in_tx(tx, *shop, *user).await?;
                }
                tx.exec(&REMOVE, params![*shop, *user]).await?;
                let action = if by == user { "staff::leave" } else { "staff::remove" };
                let note = format!("{handle} {} {}", member.role.as_str(), member.email);
                audit::write(tx, Some(*by), action, *user, &note, *now).await
            })
        })
        .await?;
    tell(engine, user);
    Ok(())
}

/// The user's open sockets look at what they may read.
fn tell(engine: &Engine, user: UserId) {
    engine.bus.publish(Topic::Inbox, &user.to_string());
}

/// The token of the link in the email: whoever has it has received the email.
fn token(engine: &Engine, id: InvitationId) -> String {
    engine.secret.sign(PURPOSE, &id.to_string())
}

fn is_genuine(engine: &Engine, id: InvitationId, token: &str) -> bool {
    engine.secret.verify(PURPOSE, &id.to_string(), token)
}

/// An invitation, for whoever has its link. None if the link is not genuine, or the invitation was deleted.
pub async fn invitation(
    engine: &Engine,
    caller: &Caller,
    id: InvitationId,
    token: &str,
) -> Result<Option<InvitationPage>> {
    if !is_genuine(engine, id, token) {
        return Ok(None);
    }
    let row: Option<FoundRow> = engine.db.opt(&FIND, params![id]).await?;
    let now = engine.clock.now_ms();
    let signed_in = caller.user().map(|user| user.email.clone()).unwrap_or_default();
    Ok(row.map(|row| InvitationPage {
        shop: row.shop,
        email: row.email,
        role: row.role,
        state: match row.state {
            InvitationState::Pending if row.expires_at <= now => InvitationState::Expired,
            state => state,
        },
        yours: text::fold(&signed_in) == row.email_folded,
        signed_in,
    }))
}

/// Accepts an invitation to the caller's address, once. Returns the shop's handle.
pub async fn accept(engine: &Engine, caller: &Caller, id: InvitationId, token: &str) -> Result<String> {
    if !is_genuine(engine, id, token) {
        return Err(Error::NotFound);
    }
    let user = caller.signed_in()?;
    let input = (id, user.id, text::fold(&user.email), engine.clock.now_ms());
    let handle = engine
        .db
        .write(("staff::accept", id), input, |tx, (id, user, folded, now)| {
            Box::pin(async move {
                let taken: Option<TakenRow> = tx.opt(&TAKE, params![*id, folded.as_str(), *now]).await?;
                let TakenRow { shop_id, role, email } = taken.ok_or(Error::NotFound)?;
                tx.exec(&JOIN, params![shop_id, *user, role, *now]).await?;
                let handle: Option<Scalar<String>> = tx.opt(&HANDLE, params![shop_id]).await?;
                let handle = handle.ok_or(Error::NotFound)?.0;
                let note = format!("{handle} {} {email}", role.as_str());
                audit::write(tx, Some(*user), "staff::accept", *user, &note, *now).await?;
                Ok(handle)
            })
        })
        .await?;
    tell(engine, user.id);
    Ok(handle)
}

/// The invitations of a batch of notifications.
pub(crate) async fn notification_data(
    engine: &Engine,
    claim: Id<Job>,
) -> Result<HashMap<Uuid, InvitationNotice>> {
    let rows: Vec<NotifiedRow> = engine.db.all(&NOTIFIED, params![claim]).await?;
    let notice = |NotifiedRow { id, shop, role }: NotifiedRow| {
        (id.uuid(), InvitationNotice { shop, role, id, token: token(engine, id) })
    };
    Ok(rows.into_iter().map(notice).collect())
}

/// Deletes invitations that expired long ago, whatever has become of them.
pub(crate) async fn purge_in_tx(tx: &mut Tx, now: i64) -> TxResult<()> {
    tx.exec(&PURGE, params![now - KEPT_MS]).await?;
    Ok(())
}
