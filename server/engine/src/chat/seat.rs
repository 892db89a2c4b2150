//! Who takes part in a conversation: on which side a caller sits, and which conversations are theirs.

use crate::{Caller, Engine, db::Value, lists, rows};
use haat_shared::{
    Error, Result,
    chat::{self, ConversationCard, Side},
    id::kinds::{ConversationId, ShopId, UserId},
    permissions::Permission,
};

lists! {
    pub(super) CONVERSATIONS {
        select: "SELECT c.id, c.user_id, c.shop_id, s.handle, s.name AS shop_name, u.name AS shopper_name, c.last_seq, c.change_seq,
            c.shopper_read_seq, c.shop_read_seq, c.shopper_unread, c.shop_unread, c.blocked, c.last_at,
            m.text AS last_text, m.side AS last_side, a.message AS away,
            EXISTS (SELECT 1 FROM message_bans b WHERE b.subject_id = c.user_id) AS shopper_barred,
            EXISTS (SELECT 1 FROM message_bans b WHERE b.subject_id = c.shop_id) AS shop_barred
            FROM conversations c JOIN shops s ON s.id = c.shop_id JOIN users u ON u.id = c.user_id
            LEFT JOIN messages m ON m.conversation_id = c.id AND m.seq = c.last_seq LEFT JOIN away_messages a ON a.shop_id = c.shop_id",
        base_filter: "TRUE",
        filters: &[
            ("id", "c.id = {}"),
            ("shopper", "c.user_id = {}"),
            ("shop", "c.shop_id = {}"),
            ("begun", "(c.last_seq > 0) = {}"),
            ("label", "EXISTS (SELECT 1 FROM conversation_labels l WHERE l.conversation_id = c.id AND l.label = {})"),
        ],
        sorts: &[(
            "newest",
            "(c.last_at, c.id) < ((SELECT x.last_at FROM conversations x WHERE x.id = {}), {})",
            "c.last_at DESC, c.id DESC",
        )],
    }
}

rows! {
    pub(super) struct ConversationRow {
        pub(super) id: ConversationId,
        pub(super) user_id: UserId,
        pub(super) shop_id: ShopId,
        pub(super) handle: String,
        pub(super) shop_name: String,
        pub(super) shopper_name: String,
        pub(super) last_seq: i64,
        pub(super) change_seq: i64,
        pub(super) shopper_read_seq: i64,
        pub(super) shop_read_seq: i64,
        pub(super) shopper_unread: i64,
        pub(super) shop_unread: i64,
        pub(super) blocked: bool,
        pub(super) last_at: i64,
        pub(super) last_text: Option<String>,
        pub(super) last_side: Option<String>,
        pub(super) away: Option<String>,
        pub(super) shopper_barred: bool,
        pub(super) shop_barred: bool,
    }
}

/// On which side a caller sits: as a shopper, or as a member of a shop who answers customers.
pub(super) struct Seat {
    pub(super) user: UserId,
    pub(super) side: Side,
    pub(super) filter: (&'static str, Value),
}

impl Seat {
    /// The seat at a shop with this handle; as the shopper without one.
    pub(super) fn of(caller: &Caller, shop: &str) -> Result<Self> {
        let user = caller.signed_in()?.id;
        Ok(match shop {
            "" => Self { user, side: Side::Shopper, filter: ("shopper", user.into()) },
            handle => {
                let id = caller.shop(handle, Permission::AnswerCustomers)?;
                Self { user, side: Side::Shop, filter: ("shop", id.into()) }
            }
        })
    }

    /// A conversation that it is a part of. Others are reported as not found.
    pub(super) async fn conversation(&self, engine: &Engine, id: ConversationId) -> Result<ConversationRow> {
        let filters = vec![("id", id.into()), self.filter.clone()];
        let found: Vec<ConversationRow> =
            engine.db.list(CONVERSATIONS.bind(filters, "newest", None, 1)).await?;
        found.into_iter().next().ok_or(Error::NotFound)
    }
}

impl ConversationRow {
    pub(super) fn card(&self, engine: &Engine, caller: &Caller, side: Side) -> ConversationCard {
        let (name, unread) = match side {
            Side::Shopper => (&self.shop_name, self.shopper_unread),
            Side::Shop => (&self.shopper_name, self.shop_unread),
        };
        ConversationCard {
            id: self.id,
            name: name.clone(),
            shop_handle: self.handle.clone(),
            excerpt: chat::excerpt(self.last_text.as_deref().unwrap_or_default()),
            last_side: self.last_side.as_deref().and_then(Side::parse).unwrap_or(side),
            last_at: caller.time(engine, self.last_at),
            unread,
            blocked: self.blocked,
            barred: self.is_barred(side),
            labels: Vec::new(),
        }
    }

    /// Whether the operator lets this side send nothing.
    pub(super) fn is_barred(&self, side: Side) -> bool {
        match side {
            Side::Shopper => self.shopper_barred,
            Side::Shop => self.shop_barred,
        }
    }

    /// Up to which message a side has read.
    pub(super) fn read_by(&self, side: Side) -> i64 {
        match side {
            Side::Shopper => self.shopper_read_seq,
            Side::Shop => self.shop_read_seq,
        }
    }
}

/// A conversation of a shop, for a member who answers customers: the member and the shop. An empty handle, which would be the
/// shopper's seat, is no shop.
pub(super) async fn of_shop(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    id: ConversationId,
) -> Result<(UserId, ShopId)> {
    let shop = caller.shop(handle, Permission::AnswerCustomers)?;
    let seat = Seat::of(caller, handle)?;
    seat.conversation(engine, id).await?;
    Ok((seat.user, shop))
}
