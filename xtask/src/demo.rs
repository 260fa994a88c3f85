//! `cargo xtask demo`: sets the machine up, builds the gateway, and becomes `sallyport demo`.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use crate::machine::{self, Need};
use crate::shell::{self, Outcome, cargo, root, target_dir};

/// Does not come back when it goes well: terminal, Ctrl-C and exit code are the demo's.
///
/// # Errors
/// When something is missing or does not build.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    machine::prepare(&[Need::Compilers, Need::Postgres])?;
    shell::run(&mut cargo(&["build", "--locked", "--package", "sallyport"]))?;
    let program = target_dir().join("debug/sallyport");
    Err(Command::new(program).arg("demo").args(arguments).current_dir(root()).exec().into())
}
