//! The personal data of a user: a copy of all of it, and its erasure ([decision
//! 66](../../../docs/decisions/0066-personal-data.md)).

mod erase;
mod export;

pub(crate) use erase::obstacles;
pub use erase::{ERASED_NAME, erase, erase_as_admin, page};
pub use export::export;
