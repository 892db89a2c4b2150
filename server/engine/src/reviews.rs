//! Reviews of what was bought, one for each line of an order. [`haat_shared::reviews`] has the rules.

mod invitations;
mod listing;
mod moderation;
mod news;
mod ratings;
mod shop;
mod votes;
mod write;

pub(crate) use invitations::invite_due;
pub use listing::{of_product, of_purchase};
pub use moderation::{moderate, queue};
pub use news::ReviewNotice;
pub(crate) use news::notification_data;
pub use shop::{of_shop, reply};
pub use votes::{report, vote};
pub(crate) use write::erase_of_user_in_tx;
pub use write::{delete, form, own, save};
