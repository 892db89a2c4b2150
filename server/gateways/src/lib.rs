//! Implementations of the engine's ports. HTTP, SMTP and NATS clients belong in this crate only.

pub mod cash;
pub mod nats;
pub mod pictures;
pub mod sandbox;
pub mod smtp;
