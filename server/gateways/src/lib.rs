//! The outside world behind the engine's ports. HTTP clients live here alone.

pub mod cash;
pub mod sandbox;
