//! Implementations of the engine's ports. HTTP and SMTP clients belong in this crate only.

pub mod cash;
pub mod pictures;
pub mod sandbox;
pub mod smtp;
