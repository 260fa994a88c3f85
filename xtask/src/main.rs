//! `cargo xtask <command>`: the project's own commands, each of which sets up what it needs.
//!
//! ```text
//! main -> machine::prepare (what is missing is installed, or named) -> the command's own steps
//! ```
//!
//! Exit codes: 0 it went well, 1 it failed, 2 the command line is wrong or the machine lacks something
//! that only its administrator can install.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "what these commands say goes to the terminal"
)]

mod bench;
mod check;
mod demo;
mod drivers;
mod fuzz;
mod machine;
mod mutants;
mod shell;
mod suite;

use std::process::ExitCode;

use shell::{Failure, Outcome};

const USAGE: &str = "\
cargo xtask <command>

  demo [--tour] [--port N]   a gateway before a throw-away PostgreSQL; --tour shows it all and exits
  test                       every check and every test
  check                      formatting, layout, dependencies, clippy
  clients                    the drivers that the end-to-end tests play
  layout                     the same without clippy: builds nothing
  bench                      the project's own measurements
  fuzz TARGET [SECONDS]      libFuzzer over one target of fuzz/ (60 s)
  mutants [WORD]             switches each guard off and expects its test to fail

Each command says what it installs. Without root it installs nothing and says what to install.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\nxtask: {failure}");
            ExitCode::from(failure.code)
        }
    }
}

fn run(arguments: &[String]) -> Outcome {
    let Some((command, rest)) = arguments.split_first() else {
        println!("{USAGE}");
        return Ok(());
    };
    match (command.as_str(), rest) {
        ("demo", rest) => demo::run(rest),
        ("test", []) => suite::run(),
        ("check", []) => check::run(),
        ("clients", []) => machine::prepare(&[machine::Need::Drivers]),
        ("layout", []) => check::quick(),
        ("bench", rest) => bench::run(rest),
        ("fuzz", rest) => fuzz::run(rest),
        ("mutants", rest) => mutants::run(rest),
        ("help" | "--help" | "-h", _) => {
            println!("{USAGE}");
            Ok(())
        }
        _ => Err(Failure::usage(format!("no such command\n\n{USAGE}"))),
    }
}
