//! `cargo xtask test`: everything that has to hold before a change lands.
//!
//! What fails soonest runs first. One build of all targets serves the tests and the program that the
//! end-to-end tests start; whole-workspace commands throughout, so that no crate is built twice under
//! different features.

use crate::check;
use crate::drivers;
use crate::machine::{self, Need};
use crate::shell::{self, Outcome, cargo, target_dir};

pub(crate) fn run() -> Outcome {
    machine::prepare(&[
        Need::Compilers,
        Need::Postgres,
        Need::MariaDb,
        Need::Drivers,
        Need::PgBouncer,
        Need::Nextest,
    ])?;
    check::quick()?;
    run_tests()?;
    check::clippy()
}

fn run_tests() -> Outcome {
    shell::run(&mut cargo(&["build", "--workspace", "--all-targets", "--locked"]))?;
    let program = target_dir().join("debug/sallyport");
    let mut tests = if machine::has_nextest() {
        cargo(&["nextest", "run", "--workspace", "--locked", "--no-fail-fast"])
    } else {
        cargo(&["test", "--workspace", "--all-targets", "--locked", "--no-fail-fast"])
    };
    shell::run(tests.env("SALLYPORT_PROGRAM", program).env("SALLYPORT_PYTHON", drivers::venv_python()))?;
    // Among them the proofs that forwarding without a permit does not compile.
    shell::run(&mut cargo(&["test", "--doc", "--workspace", "--locked"]))
}
