//! What users see on their page of notifications, and through which channels they get them.

use crate::{
    Caller, Engine, TxResult, accounts,
    bus::Topic,
    cursor,
    db::{Scalar, Tx, Value},
    insert, lists, params, rows, statements,
};
use haat_shared::{
    Error, Result,
    id::kinds::{Notification as Kind, NotificationId, UserId},
    notifications::{Notification, NotificationPreference, NotificationTopic, Notifications},
    page::{self, Page, PageRequest},
};

/// The number of notifications per page.
const PAGE_SIZE: usize = 20;
/// How long notifications are kept.
const KEEP_MS: i64 = 180 * 24 * 3_600_000;

lists! {
    INBOX {
        select: "SELECT n.id, n.kind, n.title, n.text, n.path, n.created_at, n.read_at FROM inbox n",
        base_filter: "TRUE",
        filters: &[("user", "n.user_id = {}")],
        sorts: &[("newest", "n.id < {}", "n.id DESC")],
    }
}

statements! {
    OPEN = "UPDATE inbox SET read_at = COALESCE(read_at, $3) WHERE id = $1 AND user_id = $2 RETURNING path";
    READ_ALL = "UPDATE inbox SET read_at = $2 WHERE user_id = $1 AND read_at IS NULL";
    CHOSEN = "SELECT user_id, topic, email, in_app, push FROM notification_preferences WHERE user_id IN (VALUES [($1)])";
    EXISTS = "SELECT id AS value FROM users WHERE id = $1";
    PURGE = "DELETE FROM inbox WHERE created_at < $1";
}

insert! {
    #[derive(Clone)]
    pub(super) struct AddToInbox into inbox {
        pub(super) id: NotificationId,
        pub(super) user_id: UserId,
        pub(super) kind: String,
        pub(super) title: String,
        pub(super) text: String,
        pub(super) path: String,
        pub(super) created_at: i64,
    } "ON CONFLICT (id) DO NOTHING"

    struct Choose into notification_preferences {
        user_id: UserId,
        topic: NotificationTopic,
        email: bool,
        in_app: bool,
        push: bool,
    } "ON CONFLICT (user_id, topic) DO UPDATE SET email = excluded.email, in_app = excluded.in_app, push = excluded.push"
}

rows! {
    struct InboxRow {
        id: NotificationId,
        kind: String,
        title: String,
        text: String,
        path: String,
        created_at: i64,
        read_at: Option<i64>,
    }

    struct Opened {
        path: String,
    }

    struct ChosenRow {
        user_id: UserId,
        topic: NotificationTopic,
        email: bool,
        in_app: bool,
        push: bool,
    }
}

impl ChosenRow {
    fn preference(&self) -> NotificationPreference {
        NotificationPreference { topic: self.topic, email: self.email, in_app: self.in_app, push: self.push }
    }
}

/// What users have chosen, where they have.
pub(super) async fn chosen_in_tx(
    tx: &mut Tx,
    users: impl Iterator<Item = UserId>,
) -> TxResult<Vec<(UserId, NotificationPreference)>> {
    let users: Vec<[Value; 1]> = users.map(|user| [user.into()]).collect();
    let rows: Vec<ChosenRow> = tx.all_many(&CHOSEN, &users).await?;
    Ok(rows.iter().map(|row| (row.user_id, row.preference())).collect())
}

/// The caller's notifications, the latest first.
pub async fn list(engine: &Engine, caller: &Caller, of: impl Into<PageRequest<'_>>) -> Result<Notifications> {
    let (user, of) = (caller.signed_in()?.id, of.into());
    let (after, size) = (cursor::<Kind>(of.after)?.map(Into::into), page::rows(of.limit, PAGE_SIZE));
    let asked = INBOX.bind(vec![("user", user.into())], "newest", after, size + 1);
    let rows: Vec<InboxRow> = engine.db.list(asked).await?;
    let page = Page::cut(rows, size, |row| row.id.to_string());
    let page = page.map(|row| Notification {
        id: row.id,
        kind: row.kind,
        title: row.title,
        text: row.text,
        path: row.path,
        created_at: caller.time(engine, row.created_at),
        read: row.read_at.is_some(),
    });
    Ok(Notifications { page, unread: accounts::unread(engine, user).await?.notifications })
}

/// Marks a notification of the caller as read; returns the path of the page about it.
pub async fn open(engine: &Engine, caller: &Caller, id: NotificationId) -> Result<String> {
    let input = (id, caller.signed_in()?.id, engine.clock.now_ms());
    let opened: Option<Opened> = engine
        .db
        .write("inbox::open", input, |tx, (id, user, now)| {
            Box::pin(async move { Ok(tx.opt(&OPEN, params![*id, *user, *now]).await?) })
        })
        .await?;
    engine.bus.publish(Topic::Inbox, &caller.signed_in()?.id.to_string());
    Ok(opened.ok_or(Error::NotFound)?.path)
}

/// Marks all notifications of the caller as read.
pub async fn read_all(engine: &Engine, caller: &Caller) -> Result<()> {
    let input = (caller.signed_in()?.id, engine.clock.now_ms());
    engine
        .db
        .write("inbox::read_all", input, |tx, (user, now)| {
            Box::pin(async move { Ok(tx.exec(&READ_ALL, params![*user, *now]).await?) })
        })
        .await?;
    engine.bus.publish(Topic::Inbox, &caller.signed_in()?.id.to_string());
    Ok(())
}

/// Through which channels the caller gets notifications: one entry for each topic that concerns them.
pub async fn preferences(engine: &Engine, caller: &Caller) -> Result<Vec<NotificationPreference>> {
    let user = caller.signed_in()?;
    let rows: Vec<ChosenRow> = engine.db.all_many(&CHOSEN, &[[user.id.into()]]).await?;
    let chosen: Vec<NotificationPreference> = rows.iter().map(ChosenRow::preference).collect();
    let topics =
        NotificationTopic::ALL.into_iter().filter(|topic| !topic.of_shops() || !user.shops.is_empty());
    let of = |topic| {
        let set = chosen.iter().find(|set| set.topic == topic).copied();
        set.unwrap_or(NotificationPreference::new(topic))
    };
    Ok(topics.map(of).collect())
}

/// Chooses through which channels the caller gets the notifications about these topics.
pub async fn choose(engine: &Engine, caller: &Caller, chosen: &[NotificationPreference]) -> Result<()> {
    let user = caller.signed_in()?.id;
    // Of several choices about a topic, the last one counts.
    let mut last: Vec<NotificationPreference> = Vec::new();
    for of in chosen {
        last.retain(|earlier| earlier.topic != of.topic);
        last.push(*of);
    }
    let input = (user, last);
    engine
        .db
        .write("inbox::choose", input, |tx, (user, chosen)| {
            Box::pin(async move {
                let user_id = *user;
                let rows = chosen.iter().map(|&NotificationPreference { topic, email, in_app, push }| {
                    Choose { user_id, topic, email, in_app, push }
                });
                tx.insert_all(rows).await?;
                Ok(())
            })
        })
        .await
        .map_err(Into::into)
}

/// Changes what a user has chosen about a topic, if the account still exists.
pub(super) async fn change(
    engine: &Engine,
    user: UserId,
    topic: NotificationTopic,
    change: fn(NotificationPreference) -> NotificationPreference,
) -> Result<()> {
    engine
        .db
        .write("inbox::change", (user, topic), move |tx, (user, topic)| {
            Box::pin(async move {
                let exists: Option<Scalar<UserId>> = tx.opt(&EXISTS, params![*user]).await?;
                exists.ok_or(Error::NotFound)?;
                let chosen = chosen_in_tx(tx, std::iter::once(*user)).await?;
                let now = chosen.into_iter().map(|(_, set)| set).find(|set| set.topic == *topic);
                let NotificationPreference { topic, email, in_app, push } =
                    change(now.unwrap_or(NotificationPreference::new(*topic)));
                tx.insert(Choose { user_id: *user, topic, email, in_app, push }).await?;
                Ok(())
            })
        })
        .await
        .map_err(Into::into)
}

/// Deletes old notifications.
pub(crate) async fn purge(engine: &Engine) -> TxResult<()> {
    engine
        .db
        .write("inbox::purge", engine.clock.now_ms() - KEEP_MS, |tx, before| {
            Box::pin(async move { Ok(tx.exec(&PURGE, params![*before]).await?) })
        })
        .await?;
    Ok(())
}
