//! Implementations of the engine's ports. HTTP, SMTP and NATS clients belong in this crate only.

mod api;
pub mod cash;
pub mod nats;
pub mod openid;
pub mod paypal;
pub mod pictures;
pub mod push;
pub mod razorpay;
#[cfg(feature = "sandbox")]
pub mod sandbox;
pub mod smtp;
