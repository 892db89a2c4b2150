//! Payment providers that speak HTTP, for tests. Nothing of this is part of the program.

#![recursion_limit = "512"]
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a provider that breaks here fails the test that uses it"
)]

pub mod common;
mod faults;
mod idempotency;
pub mod openid;
mod page;
pub mod paypal;
pub mod razorpay;
pub mod stripe;
