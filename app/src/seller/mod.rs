//! The pages for sellers. One file a page.

mod orders;

pub(crate) use orders::Orders;
