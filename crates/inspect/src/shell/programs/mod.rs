//! What programs do, by their descriptions.
//!
//! The data files beside this one describe programs: their options, operands and sub-commands, and what each
//! of them does. `format` reads them once into a table of `description::Node`; [`effects`] reads a
//! program's words by its node (`reading`), and collects what they do (`outcome`). What data cannot say is a
//! reader in Rust: `values` for the text of one word, `rests` for words that belong together, and a file of
//! its own for a program with a language of its own (`find`, `sed`, `awk`).
//!
//! A program without a description is run with its name and words, and nothing more is known of it.

mod awk;
#[cfg(test)]
mod cases_tests;
mod clusters;
mod databases;
mod description;
mod find;
mod format;
mod git;
mod java;
mod outcome;
mod reading;
mod remote;
mod rests;
mod sed;
mod tools;
mod values;

use sallyport_core::UnknownCode;

use super::effect::Effect;
use super::word::Word;

/// What is known of a program's words.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Described {
    /// What it does, beside being run.
    pub(super) effects: Vec<Effect>,
}

/// What running `argv` does beside the `run` itself; `name` is the base name of its first word. Nothing when
/// the program has no description.
pub(super) fn effects(name: &str, argv: &[Word]) -> Option<Described> {
    let table = match format::table() {
        Ok(table) => table,
        Err(fault) => {
            let unread = Effect::Unknown(UnknownCode::Unsupported, fault.clone());
            return Some(Described { effects: vec![unread] });
        }
    };
    let node = table.get(name).or_else(|| table.get(without_version(name)))?;
    Some(Described { effects: reading::read(name, node, argv.get(1..).unwrap_or_default()) })
}

/// `python` of `python3.11`, `gcc` of `gcc-12`.
fn without_version(name: &str) -> &str {
    let bare = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    if bare.len() < name.len() { bare.trim_end_matches('-') } else { bare }
}
