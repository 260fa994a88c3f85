//! What every Rust file keeps: a word at its top, a size one can read, a name that says something; and
//! that only `gateway::protocol` names a protocol.

use super::Finding;
use super::tree::{Tree, is_test, words};

/// Lines of a file that does one thing.
const LINES: usize = 500;
/// Tests are lists, and may be longer.
const TEST_LINES: usize = 700;

/// Names that say nothing of what is inside.
const EMPTY_NAMES: &[&str] =
    &["util", "utils", "common", "helper", "helpers", "misc", "shared", "stuff", "base", "prelude"];

/// Files of the gateway outside `protocol` that may say a protocol's name, and why.
const MAY_NAME_A_PROTOCOL: &[(&str, &str)] = &[
    ("crates/gateway/src/settings.rs", "each protocol has its listening address"),
    ("crates/gateway/src/house.rs", "binds each protocol's listening address"),
    ("crates/gateway/src/tls.rs", "ALPN names the protocol inside TLS"),
    ("crates/gateway/src/tls/server.rs", "ALPN names the protocol inside TLS"),
    ("crates/gateway/src/tls/client.rs", "ALPN names the protocol inside TLS"),
];

/// Checks every Rust file.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.rust() {
        let mut found = |what: String| findings.push(Finding::new(path, what));
        if !has_module_docs(text) {
            found(
                "begins without //! docs: say what the file is for and how data flows through it".to_owned(),
            );
        }
        let (lines, most) = (text.lines().count(), if is_test(path) { TEST_LINES } else { LINES });
        if lines > most {
            found(format!("{lines} lines, more than {most}: find the two things it does and part them"));
        }
        if let Some(name) = words(path).find(|word| EMPTY_NAMES.contains(word)) {
            found(format!("{name} says nothing: name the file after what it holds"));
        }
        if let Some((line, word)) = named_protocol(path, text) {
            found(format!(
                "line {line} says {word:?}: only gateway::protocol names a protocol; move it there or pass it in"
            ));
        }
    }
    findings
}

fn has_module_docs(text: &str) -> bool {
    let first = text.lines().map(str::trim).find(|line| !line.is_empty());
    first.is_some_and(|line| line.strip_prefix("//!").is_some_and(|words| words.trim().len() > 3))
}

/// The first line of code outside `gateway::protocol` that names a protocol.
fn named_protocol<'a>(path: &str, text: &'a str) -> Option<(usize, &'a str)> {
    let room = path.strip_prefix("crates/gateway/src/")?;
    if room.starts_with("protocol/")
        || is_test(path)
        || MAY_NAME_A_PROTOCOL.iter().any(|(file, _)| *file == path)
    {
        return None;
    }
    let code = text.lines().take_while(|line| line.trim() != "#[cfg(test)]").enumerate();
    code.filter(|(_, line)| !line.trim_start().starts_with("//")).find_map(|(number, line)| {
        let mut words = line.split(|c: char| !c.is_ascii_alphanumeric());
        let word = words.find(|word| {
            let word = word.to_ascii_lowercase();
            matches!(word.as_str(), "pg" | "mysql" | "ssh" | "mcp") || word.contains("postgres")
        })?;
        Some((number + 1, word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> Vec<String> {
        check(&Tree::of(&[(path, text)])).into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn a_file_without_a_word_at_its_top_is_found() {
        assert_eq!(findings("crates/mask/src/a.rs", "fn a() {}").len(), 1);
        assert_eq!(findings("crates/mask/src/a.rs", "//!\nfn a() {}").len(), 1);
        assert_eq!(findings("crates/mask/src/a.rs", "// Says something.\nfn a() {}").len(), 1);
        assert!(findings("crates/mask/src/a.rs", "\n//! What it is for.\nfn a() {}").is_empty());
    }

    #[test]
    fn a_file_that_does_too_much_is_found() {
        let text = format!("//! Docs of it.\n{}", "\n".repeat(LINES));
        assert_eq!(findings("crates/mask/src/a.rs", &text).len(), 1);
        assert!(findings("crates/mask/src/a_tests.rs", &text).is_empty());
        assert_eq!(findings("crates/mask/src/a_tests.rs", &text.repeat(2)).len(), 1);
    }

    #[test]
    fn a_name_that_says_nothing_is_found() {
        for path in ["crates/mask/src/utils.rs", "crates/mask/src/helpers/x.rs", "crates/common/src/lib.rs"] {
            assert_eq!(findings(path, "//! Docs of it.").len(), 1, "{path}");
        }
        assert!(findings("crates/mask/src/commonplace.rs", "//! Docs of it.").is_empty());
    }

    #[test]
    fn a_protocol_named_outside_its_folder_is_found() {
        let text = "//! Docs of pg.\nuse sallyport_wire::pg::Frame;\n";
        assert_eq!(findings("crates/gateway/src/gate.rs", text).len(), 1);
        assert!(findings("crates/gateway/src/protocol/pg/a.rs", text).is_empty());
        assert!(findings("crates/gateway/src/settings.rs", text).is_empty());
        assert!(findings("crates/inspect/src/lib.rs", text).is_empty());
        let comment = "//! Docs of it.\n// as PostgreSQL does\n";
        assert!(findings("crates/gateway/src/gate.rs", comment).is_empty());
        let in_tests = "//! Docs of it.\n#[cfg(test)]\nmod tests { const P: &str = \"postgres\"; }";
        assert!(findings("crates/gateway/src/gate.rs", in_tests).is_empty());
    }
}
