//! The host: boot, configuration, router, webhooks, worker, command line. It wires the engine to its gateways and to the
//! user interface, and speaks HTTP. It holds no SQL and no rule of the market.

pub mod boot;
pub mod cli;
pub mod config;
mod demo;
mod drawings;
pub mod http;
mod imports;
pub mod letters;
pub mod log;
pub mod worker;
