//! The sallyport command: configuration, wiring, command line.
//!
//! ```text
//! arguments + environment -> cli::<noun> -> config | client (the API) | wiring (serve) -> output, exit code
//! ```
//!
//! Everything the other rooms need from outside (files, environment, signals, standard output) is in
//! here; they get values.

mod cli;
mod client;
mod config;
mod custody;
mod demo;
mod environment;
mod export;
mod failure;
mod folder;
mod hardening;
mod indexing;
mod key_service;
mod keys;
mod output;
mod preview;
mod sink;
mod story;
#[cfg(test)]
mod testing;
mod watch;
mod wiring;
mod words;

use std::io::Write as _;
use std::process::ExitCode;

/// Operations are many small allocations on a few threads, which this allocator serves in half the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match cli::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Nothing to say: whoever read the result closed the pipe.
            if !failure.message.is_empty() {
                // Standard error may be closed as well; the exit code says it all the same.
                let _said = writeln!(std::io::stderr(), "{failure}");
            }
            ExitCode::from(failure.exit.code())
        }
    }
}
