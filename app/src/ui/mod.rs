//! Components that belong to no domain, based on native elements.

mod address;
mod ask;
mod button;
mod failure;
mod field;
mod guard;
mod icon;
mod list_tools;
mod offline;
mod picture;
mod print;
mod search;
mod skeleton;
mod sorts;
mod still;
mod summary;
mod table;
mod toast;
mod unbroken;

pub(crate) use address::{AddressFields, AddressLines, BILLING_NAMES, NAMES, address_labels};
pub(crate) use ask::{message_customer, message_shop};
pub use button::{Button, LinkButton};
pub use failure::{Alert, CodeAlert, EmptyState, Failure, PageTitle, Pager, WayOn, awaited, loaded};
pub use field::{Amount, Check, Choice, ErrorSummary, Field, Select, TextArea, error_summary};
pub(crate) use field::{FieldFault, described_by, fault, typed};
pub use guard::{Guard, SaveBar};
pub use icon::Icon;
pub use list_tools::{Chip, ListFoot, chips, narrow_sorts, search, size};
pub use offline::Offline;
#[cfg(feature = "ssr")]
pub(crate) use offline::notice as offline_notice;
pub use picture::Picture;
pub use print::Print;
pub use search::SearchForm;
pub use skeleton::Skeleton;
pub use sorts::sorts;
pub(crate) use still::still;
pub use summary::{Price, Sums, Was};
pub use table::{Bars, Column, Columns, Table};
#[cfg(feature = "ssr")]
pub(crate) use toast::show_toast;
pub use toast::{Toaster, Toasts, provide_toasts};
pub(crate) use unbroken::{email_address, unbroken};
