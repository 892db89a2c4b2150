//! `haat`: see `haat --help`.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match haat::cli::run() {
        Ok(code) => code,
        Err(error) => {
            // One line that says what is wrong; details are in the log.
            eprintln!("haat: {error}");
            ExitCode::FAILURE
        }
    }
}
