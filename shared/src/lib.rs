//! What the browser and the server share: types, rules, state machines and validation.
//!
//! This crate decides and never acts: no I/O, no SQL, no clock, no randomness. It compiles to WASM, so the
//! same function validates a form in the browser and on the server. There is one module per domain, named
//! by the glossary (`docs/ARCHITECTURE.md`), and a few helpers that every domain needs.

#[macro_use]
#[doc(hidden)]
pub mod text_enum;

pub mod access;
pub mod accounts;
pub mod address_book;
pub mod addresses;
pub mod admin;
pub mod amounts;
pub mod analytics;
pub mod announcements;
pub mod appointments;
pub mod audit;
pub mod availability;
pub mod cards;
pub mod carts;
pub mod catalog;
pub mod categories;
pub mod chat;
pub mod checkout;
pub mod commissions;
pub mod contact;
pub mod currencies;
pub mod disputes;
pub mod error;
pub mod events;
pub mod field;
pub mod forms;
pub mod fulfilment;
pub mod gift_cards;
pub mod id;
pub mod invoices;
pub mod ledger;
pub mod logins;
pub mod media;
pub mod money;
pub mod notifications;
pub mod number;
pub mod orders;
pub mod page;
pub mod payments;
pub mod payouts;
pub mod permissions;
pub mod personal;
pub mod pricing;
pub mod profile;
pub mod promotions;
pub mod recommendations;
pub mod refunds;
pub mod reports;
pub mod returns;
pub mod reviews;
pub mod routes;
pub mod sale_events;
pub mod sale_prices;
pub mod sales;
pub mod search;
pub mod shipping;
pub mod shops;
pub mod staff;
pub mod taxes;
pub mod text;
pub mod wishlist;

pub use error::{Conflict, Error, Result};
pub use field::{FieldCode, FieldError};
pub use id::Id;
pub use money::{Currency, Money};
