//! What programs do, by their descriptions.
//!
//! Descriptions are data files beside this one; [`effects`] reads a program's words by its description.
//! A program without one is run with its name and words, and nothing more is known of it.

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
    let _ = (name, argv);
    None
}
