//! The outside world behind the engine's ports. HTTP and SMTP clients live here alone.

pub mod cash;
pub mod pictures;
pub mod sandbox;
pub mod smtp;
