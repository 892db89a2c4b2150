//! The bus: small messages between the nodes of a market, by topic.
//!
//! A message may be lost or arrive twice, so nothing is ever only on the bus: a message says that it is worth
//! looking into the database now. Subscribers that must not miss anything poll as well.

use std::sync::Arc;

use tokio::sync::broadcast::{self, Receiver, Sender, error::RecvError};

haat_shared::text_enum! {
    /// What messages are about.
    pub enum Topic {
        /// Messages were written to the outbox.
        Outbox = "outbox",
        /// Jobs are due. The text is the name of their queue, or empty for all queues.
        Jobs = "jobs",
        /// Notifications are due.
        Notifications = "notifications",
        /// Imports are due.
        Imports = "imports",
        /// A conversation changed. The text is its ID.
        Chat = "chat",
        /// Someone is typing. The text is the ID of the conversation and the side, separated by a space.
        Typing = "typing",
        /// Something new is in a user's notifications. The text is the user's ID.
        Inbox = "inbox",
    }
}

/// A message to publish after a commit: its topic and text.
pub(crate) type Announcement = (Topic, &'static str);

/// The port to the bus.
pub trait Bus: Send + Sync {
    /// Publishes a message to all subscribers of a topic, on this node and on the others. Returns at once.
    fn publish(&self, topic: Topic, text: &str);

    /// Subscribes to the messages of a topic that are published from now on.
    fn subscribe(&self, topic: Topic) -> Subscription;
}

/// How many messages a subscription keeps. If there are more, the oldest are lost.
const CAPACITY: usize = 1_024;

/// A bus within the program, for a market with one node.
pub struct InProcess([Sender<Arc<str>>; Topic::ALL.len()]);

impl Default for InProcess {
    fn default() -> Self {
        Self(Topic::ALL.map(|_| broadcast::channel(CAPACITY).0))
    }
}

impl Bus for InProcess {
    fn publish(&self, topic: Topic, text: &str) {
        // It fails if there are no subscribers.
        let _ = self.0[topic as usize].send(text.into());
    }

    fn subscribe(&self, topic: Topic) -> Subscription {
        Subscription(self.0[topic as usize].subscribe())
    }
}

/// The messages of a topic.
pub struct Subscription(Receiver<Arc<str>>);

impl Subscription {
    /// Waits for the next message and returns its text; `None` if messages were lost.
    pub async fn next(&mut self) -> Option<Arc<str>> {
        match self.0.recv().await {
            Ok(text) => Some(text),
            Err(RecvError::Lagged(_)) => None,
            // The bus no longer exists, so there will be no message.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }

    /// Forgets the messages that have arrived so far.
    pub fn clear(&mut self) {
        self.0 = self.0.resubscribe();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_message_reaches_every_subscriber_of_its_topic() {
        let bus = InProcess::default();
        bus.publish(Topic::Jobs, "too early");
        let (mut one, mut another) = (bus.subscribe(Topic::Jobs), bus.subscribe(Topic::Jobs));
        let mut other_topic = bus.subscribe(Topic::Outbox);
        bus.publish(Topic::Jobs, "payments");
        bus.publish(Topic::Outbox, "");
        assert_eq!(one.next().await.as_deref(), Some("payments"));
        assert_eq!(another.next().await.as_deref(), Some("payments"));
        assert_eq!(other_topic.next().await.as_deref(), Some(""));
    }

    #[tokio::test]
    async fn a_slow_subscriber_learns_that_it_lost_messages() {
        let bus = InProcess::default();
        let mut slow = bus.subscribe(Topic::Jobs);
        for n in 0..=CAPACITY {
            bus.publish(Topic::Jobs, &n.to_string());
        }
        assert_eq!(slow.next().await, None);
        assert_eq!(slow.next().await.as_deref(), Some("1"));
        slow.clear();
        bus.publish(Topic::Jobs, "after");
        assert_eq!(slow.next().await.as_deref(), Some("after"));
    }
}
