//! `cargo xtask fuzz TARGET [SECONDS]`: libFuzzer over one target of `fuzz/`.
//!
//! The harness is built with LLVM's coverage counters, which the stable compiler has; no nightly and no
//! cargo-fuzz is needed. What it learns is kept in the target folder; what it finds is written there too,
//! and belongs into `fuzz/corpus/TARGET`, where the test suite plays it ever after.

use std::fs;

use crate::machine::{self, Need};
use crate::shell::{self, Failure, Outcome, cargo, output, root, target_dir};

/// Counters at every edge, and the compared values, so that it finds its way into keywords.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing";

pub(crate) fn run(arguments: &[String]) -> Outcome {
    let corpus = root().join("fuzz/corpus");
    let (target, seconds) = match arguments {
        [target] => (target, 60),
        [target, seconds] => (
            target,
            seconds.parse::<u32>().map_err(|_| Failure::usage("SECONDS is a whole number of seconds"))?,
        ),
        _ => {
            return Err(Failure::usage(format!(
                "cargo xtask fuzz TARGET [SECONDS]\n\n{}",
                targets(&corpus)?
            )));
        }
    };
    if !corpus.join(target).is_dir() {
        return Err(Failure::usage(format!("no such target\n\n{}", targets(&corpus)?)));
    }
    machine::prepare(&[Need::Compilers, Need::Cxx])?;
    let triple = host()?;
    let build = target_dir().join("fuzz");
    shell::run(
        cargo(&["build", "--release", "--manifest-path", "fuzz/harness/Cargo.toml", "--bin", target])
            .args(["--target", &triple])
            .env("CARGO_TARGET_DIR", &build)
            .env("RUSTFLAGS", COVERAGE),
    )?;
    let learnt = build.join("corpus").join(target);
    let found = build.join("found").join(target);
    fs::create_dir_all(&learnt)?;
    fs::create_dir_all(&found)?;
    let ran = shell::run(
        std::process::Command::new(build.join(&triple).join("release").join(target))
            .arg(format!("-max_total_time={seconds}"))
            // A text of this size that takes longer is a finding of its own.
            .args(["-max_len=65536", "-timeout=5", "-rss_limit_mb=4096", "-print_final_stats=1"])
            .arg(format!("-artifact_prefix={}/", found.display()))
            .args([learnt, corpus.join(target)]),
    );
    ran.map_err(|failure| {
        Failure::failed(format!(
            "{failure}\nwhat it found is in {}; mend it, and keep the input in fuzz/corpus/{target}",
            found.display()
        ))
    })
}

fn targets(corpus: &std::path::Path) -> Outcome<String> {
    let mut names: Vec<String> = fs::read_dir(corpus)?
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    Ok(format!("targets: {}", names.join(" ")))
}

/// The triple this machine's compiler builds for; named, so that only the harness is instrumented and not
/// the build scripts.
fn host() -> Outcome<String> {
    let version = output(std::process::Command::new("rustc").arg("-vV"))?;
    version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(str::to_owned)
        .ok_or_else(|| Failure::failed("rustc does not say what it builds for"))
}
