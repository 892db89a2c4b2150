//! Notifications: what they are about, through which channels people get them, and those that they have.

use serde::{Deserialize, Serialize};

use crate::{id::kinds::NotificationId, page::Page};

text_enum! {
    /// What notifications are about, as people choose them.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum NotificationTopic {
        /// Orders that the user placed: shipped, cancelled, refunded; and returns.
        Purchases = "purchases",
        /// Unread messages: of shops, and of the customers of the user's shops.
        Messages = "messages",
        /// Orders of the user's shops: new ones, cancelled ones, returns and disputes.
        Sales = "sales",
        /// Products of the user's shops of which little is left.
        Stock = "stock",
        /// Payouts of the user's shops.
        Payouts = "payouts",
        /// Offers of the market.
        Offers = "offers",
        /// Items that arrived some days ago, which the user can review.
        Reviews = "reviews",
    }
}

impl NotificationTopic {
    /// Whether only people who work for a shop get such notifications.
    pub fn of_shops(self) -> bool {
        !matches!(self, Self::Purchases | Self::Messages | Self::Offers | Self::Reviews)
    }

    /// The name of the checkbox for a channel.
    pub fn field(self, channel: Channel) -> String {
        format!("{}.{}", self.as_str(), channel.as_str())
    }
}

text_enum! {
    /// How notifications reach people.
    pub enum Channel {
        /// By email.
        Email = "email",
        /// On the page of notifications.
        InApp = "in_app",
        /// In the user's browsers, also while no page is open.
        Push = "push",
    }
}

/// Through which channels a user gets the notifications about a topic. Emails that the law or safety demands are sent anyway:
/// confirmations of orders, and changes of payout methods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NotificationPreference {
    /// The topic.
    pub topic: NotificationTopic,
    /// By email.
    pub email: bool,
    /// On the page of notifications.
    pub in_app: bool,
    /// In the browsers where the user has allowed it.
    #[serde(default = "yes")]
    pub push: bool,
}

fn yes() -> bool {
    true
}

impl NotificationPreference {
    /// What counts as long as the user has not chosen: all, but offers only on the page of notifications, since others need
    /// consent.
    pub fn new(topic: NotificationTopic) -> Self {
        let allowed = topic != NotificationTopic::Offers;
        Self { topic, email: allowed, in_app: true, push: allowed }
    }

    /// Whether the user wants a channel.
    pub fn wants(self, channel: Channel) -> bool {
        match channel {
            Channel::Email => self.email,
            Channel::InApp => self.in_app,
            Channel::Push => self.push,
        }
    }
}

/// What a browser needs to know to subscribe to notifications, and whether it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushBrowser {
    /// The public key of the market, in base64url (RFC 8292).
    pub key: String,
    /// Whether the browser gets the notifications of this user.
    pub subscribed: bool,
}

/// A subscription, as browsers write it in JSON (Push API, `PushSubscription.toJSON`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushSubscription {
    /// Where the browser's push service takes notifications.
    pub endpoint: String,
    /// With what they are encrypted.
    pub keys: PushKeys,
}

/// The keys of a browser, in base64url (RFC 8291).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushKeys {
    /// Its public key: a point of P-256.
    pub p256dh: String,
    /// Its secret.
    pub auth: String,
}

/// A notification as its recipient sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Notification {
    /// Its ID.
    pub id: NotificationId,
    /// What happened: `order_shipped`.
    pub kind: String,
    /// What happened, in the language that the user had then.
    pub title: String,
    /// What else there is to say, in paragraphs. Empty except for announcements.
    pub text: String,
    /// The path of the page about it.
    pub path: String,
    /// When it happened: RFC 3339, UTC.
    pub created_at: String,
    /// Whether the user has opened it or marked it as read.
    pub read: bool,
}

/// A page of notifications, the latest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notifications {
    /// The page.
    pub page: Page<Notification>,
    /// How many of all are unread.
    pub unread: i64,
}
