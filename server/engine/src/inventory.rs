//! Scarce things: capacities, what checkouts hold of them, and the stock of variants, which is one kind of
//! capacity. Other modules read these tables in their lists; only this one writes to them.

mod capacity;
pub(crate) mod holds;
pub(crate) mod low;
mod stock;

pub use low::StockNotice;
pub(crate) use stock::{
    NewStock, count_in_tx, delete_in_tx, open_allotment_in_tx, open_in_tx, open_slot_in_tx,
};
pub use stock::{adjust, receive};
pub(crate) use stock::{drop_uses_in_tx, open_uses_in_tx, recount_in_tx};
