//! `cargo xtask check`: what the house is held to, besides its tests.
//!
//! ```text
//! tree (the files, read once) -> houses | sources | pages | dependencies -> findings, each with its file and what to do
//! ```

mod dependencies;
mod houses;
mod licences;
pub(crate) mod pages;
mod sources;
pub(crate) mod tree;

use crate::machine::{self, Need};
use crate::shell::{Failure, Outcome, cargo, root, run as step};

use tree::Tree;

/// Something that must not stay.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// The file, from the root.
    pub(crate) file: String,
    /// What is wrong and what to do.
    pub(crate) what: String,
}

impl Finding {
    pub(crate) fn new(file: impl Into<String>, what: impl Into<String>) -> Self {
        Self { file: file.into(), what: what.into() }
    }
}

pub(crate) fn run() -> Outcome {
    machine::prepare(&[Need::Compilers])?;
    quick()?;
    clippy()
}

/// Everything that needs no build.
pub(crate) fn quick() -> Outcome {
    step(&mut cargo(&["fmt", "--all", "--check"]))?;
    let tree = Tree::read(&root())?;
    let mut findings = houses::check(&tree);
    findings.extend(sources::check(&tree));
    findings.extend(pages::check(&tree));
    findings.extend(dependencies::check(&tree)?);
    findings.extend(crate::mutants::check(&tree));
    findings.sort();
    findings.dedup();
    if findings.is_empty() {
        eprintln!("\nlayout and dependencies: {} files, nothing to mend", tree.files().count());
        return Ok(());
    }
    for finding in &findings {
        eprintln!("{}: {}", finding.file, finding.what);
    }
    Err(Failure::failed(format!("{} to mend, above", findings.len())))
}

pub(crate) fn clippy() -> Outcome {
    step(&mut cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]))
}
