//! Accounts: sign-up, sign-in and sign-out; sessions; tokens and keys of API clients; form drafts.

/// Selects the owner of the matching row of `$from AS e`, with one row per shop that they work for and role
/// that they have as an admin.
macro_rules! who {
    ($from:literal, $of:literal $(, $more:literal)?) => {
        concat!(
            "SELECT u.id, u.name, u.email, a.role AS admin_role, m.role, s.id AS shop_id, s.handle, s.name AS shop_name",
            $($more,)?
            " FROM ", $from, " JOIN users u ON u.id = e.user_id
            LEFT JOIN role_assignments a ON a.user_id = u.id
            LEFT JOIN shop_members m ON m.user_id = u.id LEFT JOIN shops s ON s.id = m.shop_id
            WHERE u.deactivated_at IS NULL AND ", $of,
            " ORDER BY s.handle, a.role"
        )
    };
}
use who;

pub mod api_auth;
pub mod deactivation;
mod drafts;
pub mod logins;
mod password;
pub mod passwords;
pub mod profile;
mod purge;
pub mod sign_in_codes;
pub mod sign_ups;

pub use drafts::{find_draft, is_secret, keep_draft};
pub use purge::purge;

use crate::{
    Caller, Engine, Who, admin, audit,
    caller::SignedIn,
    carts, cursor,
    db::{CountRow, Scalar, Value, list::words},
    insert, lists, params, random, rows, statements,
};
use haat_shared::{
    Error, FieldCode, Result,
    accounts::{Email, Me, Membership, NewUser, SignIn, SignUp, USER_SORTS, UserCard, UserState},
    admin::UserDetails,
    id::kinds::{SessionId, ShopId, User, UserId},
    page::{self, Counted, ListRequest, Page, PageRequest},
    permissions::{AdminPermission, AdminRole, Role},
    profile::DEVICE_MAX,
    text,
};

/// How long a session lasts.
pub const SESSION_MS: i64 = 30 * 24 * 3_600_000;

/// The number of rows per page.
const PAGE_SIZE: usize = 50;

/// Whether a user has a role in the admin area.
macro_rules! is_admin {
    () => {
        "EXISTS (SELECT 1 FROM role_assignments a WHERE a.user_id = u.id)"
    };
}

/// Whether a user works for a shop.
macro_rules! is_seller {
    () => {
        "EXISTS (SELECT 1 FROM shop_members m WHERE m.user_id = u.id)"
    };
}

/// The columns of a [`UserRow`].
macro_rules! user_columns {
    () => {
        concat!(
            "u.id, u.name, u.email, u.email_folded, u.created_at,
            CASE WHEN u.erased_at IS NOT NULL THEN 'deleted' WHEN u.deactivated_at IS NOT NULL THEN 'deactivated' ELSE 'active' END AS state, ",
            is_admin!(),
            " AS admin, (SELECT COUNT(*) FROM shop_members m WHERE m.user_id = u.id) AS shops,
            (SELECT COUNT(*) FROM purchases p WHERE p.user_id = u.id) AS purchases"
        )
    };
}

lists! {
    USERS {
        select: concat!("SELECT ", user_columns!(), ",
            CASE WHEN NOT ", is_admin!(), " THEN CASE WHEN ", is_seller!(), " THEN 'seller' ELSE 'customer' END
                WHEN ", is_seller!(), " THEN 'admin seller' ELSE 'admin' END
            || CASE WHEN u.deactivated_at IS NULL THEN '' ELSE ' deactivated' END AS kinds FROM users u"),
        base_filter: "TRUE",
        filters: &[
            ("word", r"u.search_folded LIKE {} ESCAPE '\'"),
            ("admin", concat!(is_admin!(), " = {}")),
            ("seller", concat!(is_seller!(), " = {}")),
            ("deactivated", "(u.deactivated_at IS NOT NULL) = {}"),
        ],
        // The values of `haat_shared::accounts::USER_SORTS`.
        sorts: &[
            ("-joined", "u.id < {}", "u.id DESC"),
            ("joined", "u.id > {}", "u.id"),
            ("email", "u.email_folded > {}", "u.email_folded"),
            ("-email", "u.email_folded < {}", "u.email_folded DESC"),
        ],
    }
}

statements! {
    UNREAD = "SELECT (SELECT COUNT(*) FROM inbox WHERE user_id = $1 AND read_at IS NULL) AS notifications,
        (SELECT CAST(COALESCE(SUM(shopper_unread), 0) AS BIGINT) FROM conversations WHERE user_id = $1 AND shopper_unread > 0) AS messages";
    SET_LOCALE = "UPDATE users SET locale = $2 WHERE id = $1";
    FIND_CREDENTIALS = "SELECT id, password_hash, deactivated_at FROM users WHERE email_folded IN ($1, $2)
        ORDER BY CASE WHEN email_folded = $1 THEN 0 ELSE 1 END LIMIT 1";
    USER = concat!("SELECT ", user_columns!(), " FROM users u WHERE u.id = $1");
    USAGE = "SELECT u.deactivated_at, u.deactivated_because, (SELECT MAX(e.created_at) FROM sessions e WHERE e.user_id = u.id) AS signed_in_at,
            (SELECT COUNT(*) FROM sessions e WHERE e.user_id = u.id AND e.expires_at > $2) AS sessions
        FROM users u WHERE u.id = $1";
    ROLES = "SELECT role AS value FROM role_assignments WHERE user_id = $1 ORDER BY role";
    SHOPS = "SELECT s.id AS shop_id, s.handle, s.name, m.role FROM shop_members m JOIN shops s ON s.id = m.shop_id
        WHERE m.user_id = $1 ORDER BY s.name, s.handle";
    END_SESSION = "DELETE FROM sessions WHERE token_hash = $1";
    WHO = who!("sessions e", "e.token_hash = $1 AND e.expires_at > $2", ", e.id AS session_id, u.currency");
}

insert! {
    struct AddUser<'a> into users {
        id: UserId,
        name: &'a str,
        email: &'a str,
        email_folded: String,
        search_folded: String,
        password_hash: &'a str,
        created_at: i64,
        locale: &'a str,
    } "ON CONFLICT (email_folded) DO NOTHING"

    struct AddSession into sessions {
        id: SessionId,
        token_hash: [u8; 32],
        user_id: UserId,
        device: String,
        created_at: i64,
        expires_at: i64,
    }
}

rows! {
    pub(crate) struct Unread {
        pub(crate) notifications: i64,
        pub(crate) messages: i64,
    }

    struct UserRow {
        id: UserId,
        name: String,
        email: String,
        email_folded: String,
        created_at: i64,
        state: UserState,
        admin: bool,
        shops: i64,
        purchases: i64,
    }

    struct UsageRow {
        deactivated_at: Option<i64>,
        deactivated_because: String,
        signed_in_at: Option<i64>,
        sessions: i64,
    }

    struct ShopRow {
        shop_id: ShopId,
        handle: String,
        name: String,
        role: Role,
    }

    struct Credentials {
        id: UserId,
        password_hash: String,
        deactivated_at: Option<i64>,
    }

    struct SessionWhoRow {
        session_id: SessionId,
        currency: Option<String>;
        who: WhoRow
    }

    struct WhoRow {
        id: UserId,
        name: String,
        email: String,
        admin_role: Option<String>,
        role: Option<String>,
        shop_id: Option<ShopId>,
        handle: Option<String>,
        shop_name: Option<String>,
    }
}

/// The sender of a request, by the tokens in its cookies.
pub async fn caller(engine: &Engine, session: Option<&str>, cart: Option<&str>) -> Result<Caller> {
    let mut caller = Caller { cart: cart.map(random::token_hash), ..Caller::guest() };
    let Some(session) = session else { return Ok(caller) };
    let key = params![random::token_hash(session), engine.clock.now_ms()];
    let rows: Vec<SessionWhoRow> = engine.db.all(&WHO, key).await?;
    if let Some(row) = rows.first() {
        caller.session = Some(row.session_id);
        caller.currency = row.currency.as_deref().and_then(|code| code.parse().ok());
    }
    if let Some(user) = signed_in(rows.into_iter().map(|row| row.who).collect()) {
        caller.who = Who::User(user);
    }
    Ok(caller)
}

/// The user that rows are about, with their roles and the shops they work for.
fn signed_in(rows: Vec<WhoRow>) -> Option<SignedIn> {
    let mut user: Option<SignedIn> = None;
    for row in rows {
        let user = user.get_or_insert(SignedIn {
            id: row.id,
            name: row.name,
            email: row.email,
            admin_roles: Vec::new(),
            shops: Vec::new(),
        });
        let admin_role = row.admin_role.as_deref().and_then(AdminRole::parse);
        user.admin_roles.extend(admin_role.filter(|role| !user.admin_roles.contains(role)));
        let role = row.role.as_deref().and_then(Role::parse);
        if let (Some(shop_id), Some(handle), Some(name), Some(role)) =
            (row.shop_id, row.handle, row.shop_name, role)
            && user.shops.last().is_none_or(|shop| shop.shop_id != shop_id)
        {
            user.shops.push(Membership { shop_id, handle, name, role });
        }
    }
    user
}

/// The signed-in user, for the header of pages.
pub async fn me(engine: &Engine, caller: &Caller) -> Result<Option<Me>> {
    let Some(user) = caller.user().cloned() else { return Ok(None) };
    let unread = unread(engine, user.id).await?;
    Ok(Some(Me {
        unread_notifications: unread.notifications,
        unread_messages: unread.messages,
        id: user.id,
        name: user.name,
        email: user.email,
        admin_roles: user.admin_roles,
        shops: user.shops,
    }))
}

/// How many notifications, and messages of shops, a user has not read.
pub(crate) async fn unread(engine: &Engine, user: UserId) -> Result<Unread> {
    Ok(engine.db.one(&UNREAD, params![user]).await?)
}

/// Creates an account and signs it in; the guest's cart is merged into it. Returns the session's token.
pub async fn sign_up(engine: &Engine, caller: &Caller, form: SignUp) -> Result<String> {
    let user = form.check(engine.smtputf8).map_err(Error::Invalid)?;
    let id = add_user(engine, user, None, caller.locale, None).await?;
    begin_session(engine, caller, id).await
}

/// Creates the account of an owner of the market.
pub async fn create_operator(engine: &Engine, caller: &Caller, form: SignUp) -> Result<UserId> {
    caller.admin(AdminPermission::ManageTeam)?;
    let by = Some(("accounts::create_operator", caller.user_id()));
    add_user(
        engine,
        form.check(engine.smtputf8).map_err(Error::Invalid)?,
        Some(AdminRole::Owner),
        caller.locale,
        by,
    )
    .await
}

/// Creates an account without signing it in.
pub async fn create(engine: &Engine, caller: &Caller, form: SignUp) -> Result<UserId> {
    caller.admin(AdminPermission::ManageUsers)?;
    let by = Some(("accounts::create", caller.user_id()));
    add_user(engine, form.check(engine.smtputf8).map_err(Error::Invalid)?, None, caller.locale, by).await
}

/// Inserts a user; `by` is the privileged action and its author, for the audit log.
async fn add_user(
    engine: &Engine,
    user: NewUser,
    role: Option<AdminRole>,
    locale: &'static str,
    by: Option<(&'static str, Option<UserId>)>,
) -> Result<UserId> {
    let hash = password::hash(user.password).await?;
    let now = engine.clock.now_ms();
    let id: UserId = random::id(now);
    let added = engine
        .db
        .write(
            "accounts::add",
            (id, user.name, user.email, hash, role, now, locale, by),
            |tx, (id, name, email, hash, role, now, locale, by)| {
                Box::pin(async move {
                    let user = AddUser {
                        id: *id,
                        name,
                        email: email.as_str(),
                        email_folded: email.folded(),
                        search_folded: search_text(name, email),
                        password_hash: hash,
                        created_at: *now,
                        locale,
                    };
                    let added = tx.insert(user).await?;
                    if let (true, Some(role)) = (added, role) {
                        admin::grant_in_tx(tx, *id, *role, by.and_then(|(_, by)| by), *now).await?;
                    }
                    if let (true, Some((action, by))) = (added, by) {
                        audit::write(tx, *by, action, *id, email.as_str(), *now).await?;
                    }
                    Ok(added)
                })
            },
        )
        .await?;
    if added { Ok(id) } else { Err(Error::field("email", FieldCode::Taken)) }
}

/// Stores the caller's language with their account, if they have one.
pub async fn keep_locale(engine: &Engine, caller: &Caller) -> Result<()> {
    let Some(user) = caller.user_id() else { return Ok(()) };
    engine
        .db
        .write("accounts::keep_locale", (user, caller.locale), |tx, (user, locale)| {
            Box::pin(async move {
                tx.exec(&SET_LOCALE, params![*user, *locale]).await?;
                Ok(())
            })
        })
        .await?;
    Ok(())
}

/// Signs in; the guest's cart is merged into the account's, and a language that they chose before becomes
/// the account's. Returns the session's token.
pub async fn sign_in(engine: &Engine, caller: &Caller, form: SignIn) -> Result<String> {
    let user = check_password(engine, form).await?;
    begin_session(engine, caller, user).await
}

/// The account with this address and password. An unknown address takes as long as a wrong password, so
/// that nobody learns who has an account.
async fn check_password(engine: &Engine, form: SignIn) -> Result<UserId> {
    // Accounts created before hosts were stored in ASCII are found by the address as it was typed.
    let key = params![form.account(), text::fold(&form.email)];
    let found: Option<Credentials> = engine.db.opt(&FIND_CREDENTIALS, key).await?;
    let (account, hash) =
        found.map_or((None, None), |c| (Some((c.id, c.deactivated_at)), Some(c.password_hash)));
    // Whoever signs in with a provider only has none, which takes as long, too.
    let hash = hash.filter(|hash| !hash.is_empty());
    let right = password::verify(form.password, hash).await?;
    match account {
        Some((id, None)) if right => Ok(id),
        // Only who knows the password learns this.
        Some(_) if right => Err(Error::field("password", FieldCode::Deactivated)),
        _ => Err(Error::field("password", FieldCode::WrongCredentials)),
    }
}

async fn begin_session(engine: &Engine, caller: &Caller, user: UserId) -> Result<String> {
    let token = random::token();
    let chosen = caller.locale_chosen.then_some(caller.locale);
    let device = text::clip(&caller.device, DEVICE_MAX);
    let input = (user, (random::token_hash(&token), device), caller.cart, chosen, engine.clock.now_ms());
    engine
        .db
        .write("accounts::begin_session", input, |tx, (user, (token, device), cart, chosen, now)| {
            Box::pin(async move {
                tx.insert(AddSession {
                    id: random::id(*now),
                    token_hash: *token,
                    user_id: *user,
                    device: device.clone(),
                    created_at: *now,
                    expires_at: *now + SESSION_MS,
                })
                .await?;
                if let Some(cart) = cart {
                    carts::join_in_tx(tx, *cart, *user, *now).await?;
                }
                if let Some(locale) = chosen {
                    tx.exec(&SET_LOCALE, params![*user, *locale]).await?;
                }
                Ok(())
            })
        })
        .await?;
    Ok(token)
}

/// Ends the session with this token, on the server.
pub async fn sign_out(engine: &Engine, token: &str) -> Result<()> {
    engine
        .db
        .write("accounts::sign_out", random::token_hash(token), |tx, token| {
            Box::pin(async move {
                tx.exec(&END_SESSION, params![*token]).await?;
                Ok(())
            })
        })
        .await?;
    Ok(())
}

/// What admins find a user by: the name and the email address in lower case.
fn search_text(name: &str, email: &Email) -> String {
    format!("{} {}", text::fold(name), email.folded())
}

/// All users, newest first, optionally those whose name or address contains these words.
pub async fn list(
    engine: &Engine,
    caller: &Caller,
    q: &str,
    of: impl Into<PageRequest<'_>>,
) -> Result<Page<UserCard>> {
    let PageRequest { after, limit } = of.into();
    let ask = ListRequest { q: q.to_owned(), after: after.to_owned(), limit, ..ListRequest::default() };
    page_of(engine, caller, &ask).await
}

/// The same, sorted by one of [`USER_SORTS`], and only those of one of [`haat_shared::accounts::USER_KINDS`] if asked for. With the number of
/// users by all the kinds that they are of, separated by spaces.
pub async fn table(engine: &Engine, caller: &Caller, ask: &ListRequest) -> Result<Counted<UserCard>> {
    let page = page_of(engine, caller, ask).await?;
    let counts = engine.db.list(USERS.count_by("kinds", words(&ask.q)?)).await?;
    Ok(CountRow::with(counts, page))
}

async fn page_of(engine: &Engine, caller: &Caller, ask: &ListRequest) -> Result<Page<UserCard>> {
    caller.admin(AdminPermission::SeeUsers)?;
    let sort = if ask.sort.is_empty() { USER_SORTS[0] } else { &ask.sort };
    if !USER_SORTS.contains(&sort) {
        return Err(Error::field("sort", FieldCode::NotAChoice));
    }
    let by_email = sort.ends_with("email");
    let after = match ask.after.as_str() {
        "" => None,
        email if by_email => Some(email.into()),
        id => cursor::<User>(id)?.map(Value::from),
    };
    let size = page::rows(ask.limit, PAGE_SIZE);
    let mut filters = words(&ask.q)?;
    match ask.state.as_str() {
        "" => {}
        "admin" => filters.push(("admin", true.into())),
        "seller" => filters.push(("seller", true.into())),
        "deactivated" => filters.push(("deactivated", true.into())),
        "customer" => filters.extend([("admin", false.into()), ("seller", false.into())]),
        _ => return Err(Error::field("state", FieldCode::NotAChoice)),
    }
    let rows: Vec<UserRow> = engine.db.list(USERS.bind(filters, sort, after, size + 1)).await?;
    let page =
        Page::cut(rows, size, |row| if by_email { row.email_folded.clone() } else { row.id.to_string() });
    Ok(page.map(|row| card(engine, caller, row)))
}

fn card(engine: &Engine, caller: &Caller, row: UserRow) -> UserCard {
    UserCard {
        id: row.id,
        name: row.name,
        email: row.email,
        state: row.state,
        admin: row.admin,
        shops: row.shops,
        purchases: row.purchases,
        created_at: caller.time(engine, row.created_at),
    }
}

/// A user with the roles and shops that the admin may see. Their orders are added by `users`.
pub(crate) async fn details(engine: &Engine, caller: &Caller, id: UserId) -> Result<UserDetails> {
    caller.admin(AdminPermission::SeeUsers)?;
    let may = |permission| caller.admin(permission).is_ok();
    let row: UserRow = engine.db.opt(&USER, params![id]).await?.ok_or(Error::NotFound)?;
    let usage: UsageRow = engine.db.one(&USAGE, params![id, engine.clock.now_ms()]).await?;
    let roles: Vec<Scalar<AdminRole>> = match row.admin && may(AdminPermission::SeeTeam) {
        true => engine.db.all(&ROLES, params![id]).await?,
        false => Vec::new(),
    };
    let shops: Vec<ShopRow> = match row.shops > 0 && may(AdminPermission::SeeShops) {
        true => engine.db.all(&SHOPS, params![id]).await?,
        false => Vec::new(),
    };
    Ok(UserDetails {
        user: card(engine, caller, row),
        signed_in_at: usage.signed_in_at.map(|at| caller.time(engine, at)),
        sessions: usage.sessions,
        deactivated_at: usage.deactivated_at.map(|at| caller.time(engine, at)),
        deactivated_because: usage.deactivated_because,
        roles: roles.into_iter().map(|role| role.0).collect(),
        shops: shops
            .into_iter()
            .map(|ShopRow { shop_id, handle, name, role }| Membership { shop_id, handle, name, role })
            .collect(),
        latest: None,
        obstacles: Vec::new(),
    })
}
