//! Runs named tests of one package in the copy, and says what came of it.

use std::fmt;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::shell::{self, Outcome, target_dir, variable};

/// Without its guard a test may wait for what never comes.
const LONGEST: Duration = Duration::from_secs(180);

/// What the tests said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// All ran and passed.
    Green,
    /// All ran, and none passed or ended.
    Red,
    /// At least this one passed.
    Passed(String),
    /// The copy does not compile.
    NoBuild,
    /// No such test ran.
    NoTest(String),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Green => f.write_str("green"),
            Self::Red => f.write_str("red"),
            Self::Passed(test) => write!(f, "{test} passed"),
            Self::NoBuild => f.write_str("does not compile"),
            Self::NoTest(test) => write!(f, "{test} did not run"),
        }
    }
}

/// All of them together must be green.
pub(super) fn run(copy: &Path, package: &str, tests: &[&str]) -> Outcome<Verdict> {
    if !build(copy, package)? {
        return Ok(Verdict::NoBuild);
    }
    for test in tests {
        match one(copy, package, test)? {
            One::Passed => {}
            One::Failed => return Ok(Verdict::Red),
            One::Missing => return Ok(Verdict::NoTest((*test).to_owned())),
        }
    }
    Ok(Verdict::Green)
}

/// Each of them alone must be red.
pub(super) fn each(copy: &Path, package: &str, tests: &[&str]) -> Outcome<Verdict> {
    if !build(copy, package)? {
        return Ok(Verdict::NoBuild);
    }
    for test in tests {
        match one(copy, package, test)? {
            One::Failed => {}
            One::Passed => return Ok(Verdict::Passed((*test).to_owned())),
            One::Missing => return Ok(Verdict::NoTest((*test).to_owned())),
        }
    }
    Ok(Verdict::Red)
}

enum One {
    Passed,
    Failed,
    Missing,
}

fn cargo(copy: &Path, package: &str) -> Command {
    let mut command = Command::new(variable("CARGO").unwrap_or_else(|| "cargo".to_owned()));
    // The dependencies' builds are shared with the tree's own.
    command.current_dir(copy).env("CARGO_TARGET_DIR", target_dir());
    command.args(["test", "--quiet", "--locked", "--package", package, "--tests"]);
    command.stdin(Stdio::null());
    command
}

fn build(copy: &Path, package: &str) -> Outcome<bool> {
    let output = cargo(copy, package).arg("--no-run").output()?;
    if !output.status.success() {
        eprintln!("{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(output.status.success())
}

/// Runs the tests of this name, by whatever module they are in.
fn one(copy: &Path, package: &str, test: &str) -> Outcome<One> {
    let log = target_dir().join("mutants.log");
    let out = std::fs::File::create(&log)?;
    let mut child = cargo(copy, package)
        .args(["--", test])
        .stdout(out.try_clone()?)
        .stderr(out)
        .process_group(0)
        .spawn()?;
    let Some(success) = wait(&mut child)? else { return Ok(One::Failed) };
    let said = String::from_utf8_lossy(&std::fs::read(&log)?).into_owned();
    if !said.lines().any(ran_some) {
        return Ok(One::Missing);
    }
    Ok(if success { One::Passed } else { One::Failed })
}

/// `running 1 test`, but not `running 0 tests`.
fn ran_some(line: &str) -> bool {
    line.strip_prefix("running ").is_some_and(|rest| !rest.starts_with("0 "))
}

/// Whether it succeeded; nothing when it had to be ended.
fn wait(child: &mut Child) -> Outcome<Option<bool>> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status.success()));
        }
        if started.elapsed() > LONGEST {
            // The test is cargo's child: the whole group ends.
            shell::run(Command::new("kill").args(["-KILL", "--"]).arg(format!("-{}", child.id())))?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_without_tests_is_told_from_one_with() {
        assert!(ran_some("running 1 test"));
        assert!(ran_some("running 10 tests"));
        assert!(!ran_some("running 0 tests"));
        assert!(!ran_some("warning: running late"));
    }
}
