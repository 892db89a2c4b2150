//! The whole program over HTTP, as a process of its own: on SQLite and on PostgreSQL.
//!
//! Run by `make test`, or `scripts/with-postgres cargo test -p haat`.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "tests"
)]

mod access;
mod arrows;
mod attacks;
mod bus;
mod connect;
mod crashes;
mod crowd;
mod faults;
mod imports;
mod live;
mod localstripe;
mod mails;
mod media;
mod openid;
mod paying;
mod paypal;
mod people;
mod pressure;
mod program;
mod razorpay;
mod reliability;
mod requests;
mod rest;
mod returns;
mod stripe;
mod talk;
