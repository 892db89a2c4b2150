//! The host: startup, configuration, router, webhooks, worker, command line. It connects the engine with
//! its gateways and the user interface, and speaks HTTP. It contains no SQL and no business rules.

pub mod boot;
pub mod cli;
pub mod config;
mod demo;
mod demo_images;
pub mod emails;
pub mod http;
mod imports;
pub mod log;
mod pdf;
pub mod worker;

/// Snapshots of the tests are in one folder, by their names.
#[cfg(test)]
fn snapshots() -> insta::internals::SettingsBindDropGuard {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(std::env::var("CARGO_MANIFEST_DIR").unwrap() + "/snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_sort_maps(true);
    settings.bind_to_scope()
}
