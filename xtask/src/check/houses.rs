//! Which room may import which, and which of them may know an outside library.
//!
//! An import that must not exist must not be in a `Cargo.toml`; so these are read, not the code.

use std::collections::BTreeMap;

use super::Finding;
use super::tree::Tree;

/// Room by room, what it may import of ours. A room that is not listed may not exist.
const ROOMS: &[(&str, &[&str])] = &[
    ("core", &[]),
    ("wire", &["core"]),
    ("inspect", &["core"]),
    ("mask", &["core"]),
    ("policy", &["core"]),
    ("record", &["core"]),
    ("store", &["core"]),
    ("auth", &["core", "store"]),
    ("gateway", &["core", "wire", "inspect", "mask", "policy", "record", "store", "auth"]),
    ("api", &["core", "store", "record", "auth"]),
    (
        "sallyport",
        &["core", "wire", "inspect", "mask", "policy", "record", "store", "auth", "gateway", "api"],
    ),
];

/// What tests may import beyond that.
const TESTS: &[(&str, &[&str])] = &[("policy", &["inspect"]), ("mask", &["inspect"]), ("api", &["gateway"])];

/// Rooms that do no I/O.
pub(super) const PURE: &[&str] = &["core", "wire", "inspect", "mask", "policy"];

/// Libraries that are one room's affair, and the rooms whose they are.
const OWNED: &[(&str, &[&str])] = &[
    ("sqlx", &["store"]),
    ("axum", &["api"]),
    ("utoipa", &["api"]),
    ("object_store", &["record"]),
    ("ed25519-dalek", &["gateway", "record"]),
    ("pg_query", &["inspect"]),
    ("sqlparser", &["inspect"]),
    ("cedar-policy", &["policy"]),
    ("jsonwebtoken", &["auth"]),
    ("reqwest", &["auth", "sallyport"]),
    ("tokio-rustls", &["gateway"]),
    ("rcgen", &["gateway"]),
    ("clap", &["sallyport"]),
    ("anyhow", &["sallyport"]),
    ("tracing-subscriber", &["sallyport"]),
];

/// Checks every crate's `Cargo.toml`.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.files() {
        let room = path.strip_prefix("crates/").and_then(|rest| rest.strip_suffix("/Cargo.toml"));
        match room {
            Some(room) if !room.contains('/') => {
                room_findings(path, room, &dependencies(text), &mut findings)
            }
            // Fuzz targets are packages of their own, outside the workspace.
            _ if path == "xtask/Cargo.toml" && dependencies(text).values().any(|names| !names.is_empty()) => {
                findings.push(Finding::new(
                    path,
                    "xtask builds from the standard library alone; take this dependency out",
                ));
            }
            _ => {}
        }
    }
    findings
}

fn room_findings(
    path: &str,
    room: &str,
    dependencies: &BTreeMap<String, Vec<String>>,
    findings: &mut Vec<Finding>,
) {
    let Some(allowed) = list(ROOMS, room) else {
        findings.push(Finding::new(
            path,
            "this room is not in the table of rooms (xtask/src/check/houses.rs): say there what it may import",
        ));
        return;
    };
    for (section, names) in dependencies {
        let is_tests = section.ends_with("dev-dependencies");
        let for_tests = if is_tests { list(TESTS, room).unwrap_or_default() } else { &[] };
        for name in names {
            if let Some(ours) = name.strip_prefix("sallyport-")
                && !allowed.contains(&ours)
                && !for_tests.contains(&ours)
            {
                findings.push(Finding::new(
                    path,
                    format!(
                        "{room} must not import {ours}: let them meet in a trait of core, or in the binary"
                    ),
                ));
            }
            if let Some(owners) = list(OWNED, name)
                && !owners.contains(&room)
                && !is_tests
            {
                findings.push(Finding::new(
                    path,
                    format!("{name} is known to {} only: ask that room instead", owners.join(" and ")),
                ));
            }
        }
    }
}

fn list(table: &'static [(&str, &[&'static str])], key: &str) -> Option<&'static [&'static str]> {
    table.iter().find(|(name, _)| *name == key).map(|(_, list)| *list)
}

/// The names under each section whose name ends in `dependencies`.
fn dependencies(manifest: &str) -> BTreeMap<String, Vec<String>> {
    let mut sections: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut section = None;
    for line in manifest.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            // `[dependencies.tokio]` names the library in its heading.
            section = match name.split_once("dependencies.") {
                Some((kind, library)) => {
                    sections.entry(format!("{kind}dependencies")).or_default().push(library.to_owned());
                    None
                }
                None => name.ends_with("dependencies").then(|| name.to_owned()),
            };
        } else if let Some(section) = &section
            && !line.starts_with('#')
            && let Some((name, _)) = line.split_once(['=', '.', ' '])
        {
            sections.entry(section.clone()).or_default().push(name.trim_matches('"').to_owned());
        }
    }
    sections
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> Vec<String> {
        check(&Tree::of(&[(path, text)])).into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn a_pure_room_that_imports_a_sibling_is_found() {
        let found = findings(
            "crates/mask/Cargo.toml",
            "[dependencies]\nsallyport-core.workspace = true\nsallyport-policy = { path = \"../policy\" }\n",
        );
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found.concat().contains("mask must not import policy"));
    }

    #[test]
    fn the_api_must_not_import_the_gateway_in_any_spelling() {
        for text in [
            "[dependencies]\nsallyport-gateway.workspace = true",
            "[dependencies.sallyport-gateway]\nworkspace = true",
            "[target.'cfg(unix)'.dependencies]\nsallyport-gateway = { workspace = true }",
            "[build-dependencies]\n\"sallyport-gateway\" = \"*\"",
        ] {
            assert_eq!(findings("crates/api/Cargo.toml", text).len(), 1, "{text}");
        }
    }

    #[test]
    fn what_only_tests_import_is_let_be_where_it_is_listed() {
        let text = "[dev-dependencies]\nsallyport-inspect.workspace = true";
        assert!(findings("crates/policy/Cargo.toml", text).is_empty());
        assert_eq!(findings("crates/wire/Cargo.toml", text).len(), 1);
    }

    #[test]
    fn sql_outside_the_store_is_found() {
        assert_eq!(findings("crates/api/Cargo.toml", "[dependencies]\nsqlx.workspace = true").len(), 1);
        assert!(findings("crates/store/Cargo.toml", "[dependencies]\nsqlx.workspace = true").is_empty());
    }

    #[test]
    fn a_room_nobody_has_placed_is_found() {
        assert_eq!(findings("crates/common/Cargo.toml", "[package]\nname = \"sallyport-common\"").len(), 1);
    }

    #[test]
    fn xtask_with_a_dependency_is_found() {
        assert_eq!(findings("xtask/Cargo.toml", "[dependencies]\nserde = \"1\"").len(), 1);
        assert!(findings("xtask/Cargo.toml", "[dependencies]\n").is_empty());
    }
}
