//! What the pages and data files keep: decisions are indexed, protocols have their page, detectors their
//! cases, guards their tests, and nothing names a machine or a mirror.

use super::Finding;
use super::tree::Tree;

/// A protocol's folder in the gateway, and its page.
const PROTOCOL_PAGES: &[(&str, &str)] =
    &[("pg", "postgres"), ("mysql", "mysql"), ("ssh", "ssh"), ("http", "http"), ("mcp", "mcp")];

/// Checks pages and data.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = decisions(tree);
    findings.extend(protocols(tree));
    findings.extend(detectors(tree));
    findings.extend(guards(tree));
    findings.extend(machines(tree));
    findings.extend(links(tree));
    findings.extend(named_files(tree));
    findings
}

fn decisions(tree: &Tree) -> Vec<Finding> {
    const INDEX: &str = "docs/decisions/README.md";
    let index = tree.text(INDEX).unwrap_or_default();
    let pages = tree.files().filter_map(|(path, _)| path.strip_prefix("docs/decisions/"));
    pages
        .filter(|name| name.ends_with(".md") && *name != "README.md" && !index.contains(&format!("({name})")))
        .map(|name| {
            Finding::new(format!("docs/decisions/{name}"), format!("is not listed in {INDEX}: add its line"))
        })
        .collect()
}

fn protocols(tree: &Tree) -> Vec<Finding> {
    let folder = |path: &str| {
        let rest = path.strip_prefix("crates/gateway/src/protocol/")?;
        rest.split_once('/').map(|(folder, _)| folder.to_owned())
    };
    let mut folders: Vec<String> = tree.rust().filter_map(|(path, _)| folder(path)).collect();
    folders.dedup();
    let missing = folders.into_iter().filter_map(|folder| {
        let page = PROTOCOL_PAGES
            .iter()
            .find(|(name, _)| *name == folder)
            .map_or(folder.as_str(), |(_, page)| *page);
        let page = format!("docs/protocols/{page}.md");
        tree.text(&page).is_none().then(|| {
            Finding::new(
                page,
                format!("is missing: say what gateway::protocol::{folder} carries and refuses"),
            )
        })
    });
    missing.collect()
}

/// Each line `&module::Type,` of the registry belongs to a module with cases of its entity.
fn detectors(tree: &Tree) -> Vec<Finding> {
    const FOLDER: &str = "crates/mask/src/detectors";
    let registry = tree.text(&format!("{FOLDER}/mod.rs")).unwrap_or_default();
    let modules = registry.lines().filter_map(|line| line.trim().strip_prefix('&')?.split_once("::"));
    modules
        .filter_map(|(module, _)| {
            let source = tree.text(&format!("{FOLDER}/{module}.rs"))?;
            let after = source.split_once("fn entity(&self)")?.1;
            let entity = after.split('"').nth(1)?;
            let cases = format!("{FOLDER}/cases/{entity}.toml");
            let missing = tree.text(&cases).is_none();
            missing.then(|| {
                Finding::new(cases, format!("is missing: write what {module} must find and must not"))
            })
        })
        .collect()
}

/// Every test that `SECURITY.md` names exists: names in backquotes in the table's last column.
fn guards(tree: &Tree) -> Vec<Finding> {
    const PAGE: &str = "SECURITY.md";
    let Some(page) = tree.text(PAGE) else {
        return vec![Finding::new(PAGE, "is missing")];
    };
    let rows = page.lines().filter(|line| line.starts_with('|') && line.matches('|').count() >= 4);
    let cells = rows.filter_map(|row| row.trim_end().trim_end_matches('|').rsplit('|').next());
    let names = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    names
        .filter(|name| !has_test(tree, name))
        .map(|name| Finding::new(PAGE, format!("names the test {name}, which does not exist")))
        .collect()
}

/// Whether some file holds a function, a doctest or a case of this name.
pub(crate) fn has_test(tree: &Tree, name: &str) -> bool {
    let function = format!("fn {name}(");
    let python = format!("def {name}(");
    tree.files().any(|(path, text)| {
        (path.ends_with(".rs") && (text.contains(&function) || text.contains(&format!("```{name}"))))
            || (path.ends_with(".py") && text.contains(&python))
    })
}

/// Paths of a machine and hosts of mirrors.
fn machines(tree: &Tree) -> Vec<Finding> {
    // The folder above would do too, were it not the system's own on many machines.
    let here = Some(tree.root()).filter(|root| !root.is_empty()).map(|root| format!("{root}/"));
    let is_personal =
        |home: &String| home == "/root" || home.starts_with("/home/") || home.starts_with("/Users/");
    let home = crate::shell::variable("HOME").filter(is_personal).map(|home| format!("{home}/"));
    let marks: Vec<String> = [here, home].into_iter().flatten().collect();
    let mut findings = Vec::new();
    for (path, text) in tree.files() {
        for (number, line) in text.lines().enumerate() {
            if let Some(mark) = marks.iter().find(|mark| line.contains(mark.as_str())) {
                findings.push(Finding::new(
                    path,
                    format!("line {} holds {mark}, a path of one machine", number + 1),
                ));
            }
        }
        let names_a_registry = (path.ends_with("requirements.txt")
            && (text.contains("--index-url") || text.contains("://")))
            || (path.ends_with(".cargo/config.toml")
                && (text.contains("[source") || text.contains("[registr")))
            || (path.ends_with("Cargo.toml") && text.contains("registry ="));
        if names_a_registry {
            findings.push(Finding::new(
                path,
                "names a registry: packages are named alone, and each machine knows where from",
            ));
        }
    }
    findings
}

/// Links between our own pages lead somewhere.
fn links(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.files().filter(|(path, _)| path.ends_with(".md")) {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for piece in text.split("](").skip(1) {
            let Some((target, _)) = piece.split_once(')') else { continue };
            let file = target.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") || file.contains(' ') || file.starts_with("mailto:") {
                continue;
            }
            let whole = resolve(folder, file);
            let there =
                tree.files().any(|(known, _)| known == whole || known.starts_with(&format!("{whole}/")));
            if !there {
                findings.push(Finding::new(path, format!("links to {file}, which is not there")));
            }
        }
    }
    findings
}

/// Files that a page names in backquotes, from the root, are there.
fn named_files(tree: &Tree) -> Vec<Finding> {
    const FOLDERS: &[&str] = &["crates/", "docs/", "examples/", "e2e/", "xtask/"];
    let mut findings = Vec::new();
    for (path, text) in tree.files().filter(|(path, _)| path.ends_with(".md")) {
        for line in text.lines() {
            for name in line.split('`').skip(1).step_by(2) {
                let is_path = FOLDERS.iter().any(|folder| name.starts_with(folder));
                // `<p>`, `*` and `{a,b}` stand for many.
                let stands_for_many = name.contains(['<', '*', '{', ' ', ':']);
                if is_path && !stands_for_many && !is_there(tree, name.trim_end_matches('/')) {
                    findings.push(Finding::new(path, format!("names {name}, which is not there")));
                }
            }
        }
    }
    findings
}

fn is_there(tree: &Tree, path: &str) -> bool {
    let folder = format!("{path}/");
    tree.files().any(|(known, _)| known == path || known.starts_with(&folder))
}

fn resolve(folder: &str, file: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in file.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_that_is_not_indexed_is_found() {
        let page = ("docs/decisions/0009-x.md", "# 9");
        assert_eq!(decisions(&Tree::of(&[page])).len(), 1);
        assert!(decisions(&Tree::of(&[page, ("docs/decisions/README.md", "- [9](0009-x.md)")])).is_empty());
    }

    #[test]
    fn a_protocol_without_its_page_is_found() {
        let code = ("crates/gateway/src/protocol/pg/mod.rs", "");
        assert_eq!(protocols(&Tree::of(&[code])).len(), 1);
        assert!(protocols(&Tree::of(&[code, ("docs/protocols/postgres.md", "")])).is_empty());
    }

    #[test]
    fn a_detector_without_cases_is_found() {
        let registry =
            ("crates/mask/src/detectors/mod.rs", "pub const ALL: &[&dyn Detector] = &[\n    &jwt::Jwt,\n];");
        let detector =
            ("crates/mask/src/detectors/jwt.rs", "fn entity(&self) -> &'static str {\n    \"JWT\"\n}");
        assert_eq!(detectors(&Tree::of(&[registry, detector])).len(), 1);
        let cases = ("crates/mask/src/detectors/cases/JWT.toml", "");
        assert!(detectors(&Tree::of(&[registry, detector, cases])).is_empty());
    }

    #[test]
    fn a_guard_whose_test_is_gone_is_found() {
        let page =
            ("SECURITY.md", "| guard | where | tests |\n|---|---|---|\n| x | `y` | `a_test`, `another` |\n");
        let test = ("crates/core/src/a.rs", "#[test]\nfn a_test() {}");
        let found = guards(&Tree::of(&[page, test]));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found.iter().all(|finding| finding.what.contains("another")));
    }

    #[test]
    fn a_registry_and_a_dead_link_are_found() {
        assert_eq!(
            machines(&Tree::of(&[("e2e/requirements.txt", "--index-url https://mirror.example/simple")]))
                .len(),
            1
        );
        assert_eq!(machines(&Tree::of(&[(".cargo/config.toml", "[source.crates-io]")])).len(), 1);
        assert_eq!(
            links(&Tree::of(&[("docs/a.md", "[b](../b.md) [c](https://x.example) [d](#here)")])).len(),
            1
        );
        assert!(links(&Tree::of(&[("docs/a.md", "[b](../b.md#part)"), ("b.md", "")])).is_empty());
    }

    #[test]
    fn a_file_that_a_page_names_and_that_is_gone_is_found() {
        let page =
            ("A.md", "see `crates/a/src/b.rs`, `crates/<room>/x` and `xtask`\n```\ncode\n```\n`crates/a/`");
        assert_eq!(named_files(&Tree::of(&[page])).len(), 2);
        assert!(named_files(&Tree::of(&[page, ("crates/a/src/b.rs", "")])).is_empty());
    }
}
