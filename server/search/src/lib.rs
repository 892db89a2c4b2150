//! The search index of a market's products, in the process of each node.
//!
//! Plain data in, plain data out: [`Document`]s are put in, a [`Query`] is answered with the IDs of products, facets with
//! counts and a spelling suggestion. The crate knows no database and no HTTP. What is in the index is also in the database,
//! from which it is written again whenever it is lost (`haat_engine::search`).
#![expect(
    clippy::float_arithmetic,
    reason = "scores are fractions; money is compared and converted in integers"
)]

mod analysis;
mod collect;
mod find;
mod index;
mod query;
mod spelling;
mod weights;

pub use analysis::{code, fold};
pub use find::{Answer, Facets};
pub use index::{Document, Index};
pub use query::{Filters, Query, Sort, Synonyms};

/// Why the index failed. It is then built anew; meanwhile, the database answers.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// A file or folder can't be read or written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The engine of the index failed.
    #[error(transparent)]
    Tantivy(#[from] tantivy::TantivyError),
    /// A file doesn't have its checksum.
    #[error("{0} is damaged")]
    Damaged(String),
    /// Too many programs use the folder.
    #[error("too many programs use the folder: {0}")]
    Shared(String),
}
