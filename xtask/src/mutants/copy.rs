//! The copy that guards are taken out of. Files that did not change keep their time, so that a second run
//! builds little.

use std::path::PathBuf;

use crate::check::tree::Tree;
use crate::shell::{Outcome, root, target_dir};

/// Makes the copy, or brings it up to date.
pub(super) fn make(tree: &Tree) -> Outcome<PathBuf> {
    let copy = target_dir().join("mutants");
    let stale = if copy.join("Cargo.toml").exists() { stale(tree, &copy)? } else { Vec::new() };
    for path in stale {
        std::fs::remove_file(path)?;
    }
    for (path, text) in tree.files() {
        put(&copy.join(path), text.as_bytes())?;
    }
    // What the tree read as text is most of it; the rest is small.
    for path in tree.binary() {
        put(&copy.join(path), &std::fs::read(root().join(path))?)?;
    }
    Ok(copy)
}

/// Sources in the copy that the tree no longer has: a removed test must not go on proving something.
fn stale(tree: &Tree, copy: &std::path::Path) -> Outcome<Vec<PathBuf>> {
    let mut stale = Vec::new();
    let mut open = vec![copy.join("crates")];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else if let Ok(known) = path.strip_prefix(copy)
                && known.to_str().is_some_and(|known| tree.text(known).is_none() && known.ends_with(".rs"))
            {
                stale.push(path);
            }
        }
    }
    Ok(stale)
}

fn put(path: &std::path::Path, bytes: &[u8]) -> Outcome {
    if std::fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, bytes)?;
    Ok(())
}
