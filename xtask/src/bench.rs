//! `cargo xtask bench`: the project's own measurements, in release.

use crate::machine::{self, Need};
use crate::shell::{self, Outcome, cargo};

pub(crate) fn run(arguments: &[String]) -> Outcome {
    machine::prepare(&[Need::Compilers, Need::Postgres, Need::PgBouncer, Need::MariaDb, Need::Sysbench])?;
    // The whole way, against each server itself and a peer (PgBouncer, HAProxy), in one run.
    shell::run(&mut cargo(&["build", "--release", "--locked", "-p", "sallyport"]))?;
    let program = shell::target_dir().join("release/sallyport");
    for bench in ["bench/postgres.py", "bench/mysql.py"] {
        shell::run(std::process::Command::new("python3").arg(bench).arg("--sallyport").arg(&program))?;
    }
    // What one recorded entry costs, by how durable it has to be. The folder decides the disk.
    let append = ["run", "--release", "--locked", "-p", "sallyport-record", "--example", "recording", "--"];
    shell::run(cargo(&append).args(arguments.first()))?;
    // What one decision costs.
    shell::run(&mut cargo(&[
        "test",
        "--release",
        "--locked",
        "-p",
        "sallyport-policy",
        "--lib",
        "what_a_decision_costs",
        "--",
        "--ignored",
        "--nocapture",
    ]))
}
