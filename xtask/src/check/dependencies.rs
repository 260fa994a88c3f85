//! What comes from outside: which packages, under which licence, from where, and in which rooms.
//!
//! `deny.toml` is the list, in cargo-deny's own words; bans, licences and sources are checked here from
//! `Cargo.lock` and `cargo tree`, since installing cargo-deny takes longer than all tests together.
//! Where cargo-deny is there it is asked too. Advisories are left to it: they need a database.
//!
//! Licences and bans are of what is built for the machine at hand; sources are of the whole lock file.

use std::collections::BTreeSet;

use super::Finding;
use super::houses::PURE;
use super::licences;
use super::tree::Tree;
use crate::shell::{Outcome, cargo, output, run, succeeds};

const LIST: &str = "deny.toml";
const LOCK: &str = "Cargo.lock";
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Libraries that do I/O, wait, or talk; no pure room has them in its tree.
const IO: &[&str] =
    &["tokio", "sqlx", "sqlx-core", "reqwest", "hyper", "axum", "rustls", "mio", "socket2", "ureq"];

/// Checks all of it.
pub(super) fn check(tree: &Tree) -> Outcome<Vec<Finding>> {
    let list = tree.text(LIST).unwrap_or_default();
    let mut findings = sources(tree.text(LOCK).unwrap_or_default());
    let all = output(&mut cargo(&[
        "tree",
        "--workspace",
        "--edges",
        "normal,build,dev",
        "--prefix",
        "none",
        "--locked",
        "--format",
        "{p}|{l}",
    ]))?;
    findings.extend(packages(&all, list));
    for room in PURE {
        let package = format!("sallyport-{room}");
        let text = output(&mut cargo(&[
            "tree",
            "--package",
            &package,
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--locked",
            "--format",
            "{p}",
        ]))?;
        findings.extend(pure(room, &text));
    }
    if succeeds(&mut cargo(&["deny", "--version"])) {
        run(&mut cargo(&["deny", "--all-features", "check", "bans", "licenses", "sources"]))?;
    }
    Ok(findings)
}

/// Every package comes from crates.io or from here.
fn sources(lock: &str) -> Vec<Finding> {
    let sources = lock.lines().filter_map(|line| line.strip_prefix("source = "));
    sources
        .map(|source| source.trim_matches('"'))
        .filter(|source| *source != CRATES_IO)
        .map(|source| Finding::new(LOCK, format!("has a package from {source}: only crates.io is a source")))
        .collect()
}

fn packages(tree: &str, list: &str) -> Vec<Finding> {
    let banned = names_in(list, "[bans]", "deny");
    let allowed = names_in(list, "[licenses]", "allow");
    let mut findings = Vec::new();
    if allowed.is_empty() || banned.is_empty() {
        findings
            .push(Finding::new(LIST, "must say what is allowed under [licenses] and denied under [bans]"));
    }
    for line in tree.lines().collect::<BTreeSet<_>>() {
        // `(*)` marks what cargo showed before.
        let Some((package, licence)) = line.split_once('|') else { continue };
        let licence = licence.trim_end_matches(" (*)").trim();
        let name = package.split(' ').next().unwrap_or_default();
        if banned.iter().any(|banned| banned == name) {
            findings.push(Finding::new(LOCK, format!("{name} is banned ({LIST} says what to use instead)")));
        }
        if !licences::is_allowed(licence, &allowed) {
            findings.push(Finding::new(
                LOCK,
                format!("{package} comes under {licence:?}, which {LIST} does not allow"),
            ));
        }
    }
    findings
}

fn pure(room: &str, tree: &str) -> Vec<Finding> {
    let names: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    let file = format!("crates/{room}/Cargo.toml");
    IO.iter()
        .filter(|library| names.contains(*library))
        .map(|library| {
            Finding::new(
                file.clone(),
                format!("{library} is in the tree of a room that does no I/O: find what brings it"),
            )
        })
        .collect()
}

/// The strings of a list in a section of a simple TOML file: bare strings, or those of `crate` or `name` in
/// inline tables.
fn names_in(text: &str, section: &str, key: &str) -> Vec<String> {
    let mut names = Vec::new();
    let (mut here, mut open) = (false, false);
    for line in text.lines().map(|line| line.split('#').next().unwrap_or_default().trim()) {
        if !open && line.starts_with('[') {
            here = line == section;
        } else if here && !open {
            open = line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='));
        }
        if here && open {
            // Of `{ crate = "x", reason = "y" }` and of `"x"` alike the first string is the name.
            names.extend(line.split('"').nth(1).map(str::to_owned));
            open = !line.ends_with(']');
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    const DENY: &str = "[licenses]\nallow = [\n    \"MIT\", # why\n    \"Apache-2.0\",\n]\n\n[bans]\ndeny = [\n    { crate = \"ring\", reason = \"aws-lc-rs\" },\n]\n";

    #[test]
    fn the_lists_are_read() {
        assert_eq!(names_in(DENY, "[licenses]", "allow"), ["MIT", "Apache-2.0"]);
        assert_eq!(names_in(DENY, "[bans]", "deny"), ["ring"]);
        assert!(names_in(DENY, "[bans]", "allow").is_empty());
    }

    #[test]
    fn a_banned_package_and_a_licence_nobody_allowed_are_found() {
        let tree = "a v1.0.0|MIT\na v1.0.0|MIT (*)\nring v0.17.0|Apache-2.0 AND ISC\ngpl v1.0.0|GPL-3.0-only\nnone v1.0.0|\n";
        let found: Vec<String> = packages(tree, DENY).into_iter().map(|finding| finding.what).collect();
        assert_eq!(found.len(), 4, "{found:#?}");
    }

    #[test]
    fn a_list_that_is_empty_is_found() {
        assert_eq!(packages("", "").len(), 1);
    }

    #[test]
    fn a_package_from_elsewhere_is_found() {
        let lock = format!("source = \"{CRATES_IO}\"\nsource = \"git+https://example.com/x\"\n");
        assert_eq!(sources(&lock).len(), 1);
    }

    #[test]
    fn io_in_a_pure_room_is_found() {
        assert_eq!(pure("mask", "sallyport-mask v0.1.0 (path)\ntokio v1.0.0\ntokio-util v1\n").len(), 1);
        assert!(pure("mask", "serde v1.0.0\n").is_empty());
    }
}
