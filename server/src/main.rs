//! `haat`: see `haat --help`.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match haat::cli::run() {
        Ok(code) => {
            haat::log::flush();
            code
        }
        Err(error) => {
            // A single line that says what is wrong; the details are in the log.
            haat::log::last_word(&format!("haat: {error}"));
            ExitCode::FAILURE
        }
    }
}
