//! The team that runs the market: admins and their roles.

use crate::{
    Caller, Engine, TxResult, audit,
    db::{Scalar, Tx},
    params, rows, statements,
};
use haat_shared::{
    Conflict, Error, FieldCode, Result,
    accounts::{Email, GrantedRole, TeamMember},
    id::kinds::UserId,
    permissions::{AdminPermission, AdminRole},
};

statements! {
    TEAM = "SELECT u.id, u.name, u.email, a.role, a.granted_at, g.email AS granted_by
        FROM role_assignments a JOIN users u ON u.id = a.user_id LEFT JOIN users g ON g.id = a.granted_by
        ORDER BY u.email_folded, a.role";
    USER = "SELECT id, email FROM users WHERE id = $1 OR email_folded = $2";
    GRANT = "INSERT INTO role_assignments (user_id, role, granted_by, granted_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (user_id, role) DO NOTHING";
    // Of two owners who revoke each other's role at once, the second waits here for the first.
    LOCK_OWNERS = "UPDATE role_assignments SET role = 'owner' WHERE role = 'owner'";
    REVOKE = "DELETE FROM role_assignments WHERE user_id = $1 AND role = $2 AND (role <> 'owner'
        OR EXISTS (SELECT 1 FROM role_assignments o JOIN users u ON u.id = o.user_id AND u.deactivated_at IS NULL
            WHERE o.role = 'owner' AND o.user_id <> $1))";
    OTHER_OWNER = "SELECT o.user_id AS value FROM role_assignments o JOIN users u ON u.id = o.user_id AND u.deactivated_at IS NULL
        WHERE o.role = 'owner' AND o.user_id <> $1 LIMIT 1";
    HAS_ROLE = "SELECT u.id, u.email FROM users u JOIN role_assignments a ON a.user_id = u.id
        WHERE u.id = $1 AND a.role = $2";
}

rows! {
    struct TeamRow {
        id: UserId,
        name: String,
        email: String,
        role: AdminRole,
        granted_at: i64,
        granted_by: Option<String>,
    }

    struct UserRow {
        id: UserId,
        email: String,
    }
}

/// All admins with their roles, by email address. There are never many.
pub async fn team(engine: &Engine, caller: &Caller) -> Result<Vec<TeamMember>> {
    caller.admin(AdminPermission::SeeTeam)?;
    let rows: Vec<TeamRow> = engine.db.all(&TEAM, params![]).await?;
    let mut team: Vec<TeamMember> = Vec::new();
    for row in rows {
        let TeamRow { id, name, email, role, granted_at, granted_by } = row;
        let role = GrantedRole { role, granted_by, granted_at: caller.time(engine, granted_at) };
        match team.last_mut().filter(|member| member.id == id) {
            Some(member) => member.roles.push(role),
            None => team.push(TeamMember { id, name, email, roles: vec![role] }),
        }
    }
    Ok(team)
}

/// Whom to grant a role.
#[derive(Debug, Clone)]
pub enum Grantee {
    /// The user with this ID.
    Id(UserId),
    /// The user with this email address.
    Email(String),
}

/// Grants a role to a user. Granting it again changes nothing.
pub async fn grant_role(engine: &Engine, caller: &Caller, to: Grantee, role: AdminRole) -> Result<()> {
    caller.admin(AdminPermission::ManageTeam)?;
    let (id, email) = match to {
        Grantee::Id(id) => (Some(id), None),
        Grantee::Email(email) => {
            let email = Email::parse("email", &email).map_err(|fault| Error::Invalid(vec![fault]))?;
            (None, Some(email.folded()))
        }
    };
    let unknown = if id.is_some() { Error::NotFound } else { Error::field("email", FieldCode::UnknownUser) };
    let input = (id, email, role, caller.user_id(), engine.clock.now_ms());
    let found = engine
        .db
        .write("admin::grant_role", input, |tx, (id, email, role, by, now)| {
            Box::pin(async move {
                let user: Option<UserRow> = tx.opt(&USER, params![*id, email.clone()]).await?;
                let Some(user) = user else { return Ok(false) };
                if grant_in_tx(tx, user.id, *role, *by, *now).await? {
                    audit::write(tx, *by, "admin::grant_role", user.id, &note(*role, &user.email), *now)
                        .await?;
                }
                Ok(true)
            })
        })
        .await?;
    if found { Ok(()) } else { Err(unknown) }
}

/// Grants a role; returns whether the user did not have it.
pub(crate) async fn grant_in_tx(
    tx: &mut Tx,
    user: UserId,
    role: AdminRole,
    by: Option<UserId>,
    now: i64,
) -> TxResult<bool> {
    Ok(tx.exec(&GRANT, params![user, role, by, now]).await? == 1)
}

/// Revokes a role. The last owner keeps theirs.
pub async fn revoke_role(engine: &Engine, caller: &Caller, user: UserId, role: AdminRole) -> Result<()> {
    caller.admin(AdminPermission::ManageTeam)?;
    let input = (user, role, caller.user_id(), engine.clock.now_ms());
    engine
        .db
        .write(("admin::revoke_role", user), input, |tx, (user, role, by, now)| {
            Box::pin(async move {
                if *role == AdminRole::Owner {
                    tx.exec(&LOCK_OWNERS, params![]).await?;
                }
                let found: Option<UserRow> = tx.opt(&HAS_ROLE, params![*user, *role]).await?;
                let found = found.ok_or(Error::NotFound)?;
                if tx.exec(&REVOKE, params![*user, *role]).await? == 0 {
                    return Err(Conflict::LastOwner.into());
                }
                audit::write(tx, *by, "admin::revoke_role", *user, &note(*role, &found.email), *now).await
            })
        })
        .await?;
    Ok(())
}

/// Fails if the market would have no owner without this user. Until the transaction ends, no other owner goes.
pub(crate) async fn spare_in_tx(tx: &mut Tx, user: UserId) -> TxResult<()> {
    let is_owner: Option<UserRow> = tx.opt(&HAS_ROLE, params![user, AdminRole::Owner]).await?;
    if is_owner.is_none() {
        return Ok(());
    }
    tx.exec(&LOCK_OWNERS, params![]).await?;
    let other: Option<Scalar<UserId>> = tx.opt(&OTHER_OWNER, params![user]).await?;
    if other.is_some() { Ok(()) } else { Err(Conflict::LastOwner.into()) }
}

/// The note of an entry of the audit log: the role, and whose it is.
fn note(role: AdminRole, email: &str) -> String {
    format!("{} {email}", role.as_str())
}
