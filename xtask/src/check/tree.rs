//! The repository's text files, read once: what git knows, and what it would take.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::shell::{Failure, Outcome, output};

/// Path from the root, with `/`, to text.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    files: BTreeMap<String, String>,
    /// Paths of what is not text.
    binary: Vec<String>,
    /// The folder it was read from; empty in tests.
    root: String,
}

impl Tree {
    /// Reads every file that is tracked, or new and not ignored.
    pub(crate) fn read(root: &Path) -> Outcome<Self> {
        let list = output(
            Command::new("git")
                .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
                .current_dir(root),
        )?;
        let mut files = BTreeMap::new();
        let mut binary = Vec::new();
        for path in list.split('\0').filter(|path| !path.is_empty()) {
            match std::fs::read(root.join(path)) {
                Ok(bytes) => match String::from_utf8(bytes) {
                    Ok(text) => {
                        files.insert(path.to_owned(), text);
                    }
                    Err(_) => binary.push(path.to_owned()),
                },
                // Removed and not yet committed, or a link to nowhere.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(Failure::failed(format!("{path}: {error}"))),
            }
        }
        Ok(Self { files, binary, root: root.display().to_string() })
    }

    /// A tree for a test.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        Self { files, binary: Vec::new(), root: String::new() }
    }

    /// Every file, by path.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Rust files.
    pub(crate) fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files().filter(|(path, _)| path.ends_with(".rs"))
    }

    /// One file's text.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// Paths of the files that are not text.
    pub(crate) fn binary(&self) -> impl Iterator<Item = &str> {
        self.binary.iter().map(String::as_str)
    }

    /// The folder it was read from.
    pub(crate) fn root(&self) -> &str {
        &self.root
    }
}

/// The words of a path: `crates/mask/src/lines.rs` is `crates`, `mask`, `src`, `lines`.
pub(crate) fn words(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').map(|word| word.strip_suffix(".rs").unwrap_or(word))
}

/// Whether a file holds tests alone, by its name or folder.
pub(crate) fn is_test(path: &str) -> bool {
    words(path).any(|word| word == "tests" || word == "testing" || word.ends_with("_tests"))
}
