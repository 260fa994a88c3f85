//! From a shell text to its tree, as bash reads it.
//!
//! A reader of our own, by recursive descent over characters, because the words of a shell are known only
//! where they stand: what a substitution in a word holds is read by the same grammar, at its place, as bash
//! does it. It is linear in the text, and its depth is bounded. What is read otherwise by shells that are
//! possible is remembered as a doubt; what bash rejects ends the reading, and the lines before it stand,
//! because the shell has run them by then.

mod compound;
mod cursor;
mod expansion;
mod heredoc;
mod redirect;
mod script;
mod tree;
mod word;

use cursor::Reader;
pub(super) use cursor::{Dialect, is_name};
pub(super) use tree::{
    Argument, Assigned, Assignment, Command, Compound, Expansion, Function, Item, List, Operation, Parameter,
    Part, Pipeline, Redirect, RedirectKind, Script, Simple, TestWord, Word,
};

/// How deep constructs may nest, through all the texts in texts.
pub(super) const DEEPEST: usize = 48;

/// Reads a whole text that stands `depth` constructs deep.
pub(super) fn read(text: &str, dialect: Dialect, depth: usize) -> Script {
    Reader::new(text, dialect, depth).script()
}

/// Reads a text as the inside of double quotes: a here-document, a word list that is expanded later.
pub(super) fn read_expanded(
    text: &str,
    dialect: Dialect,
    depth: usize,
) -> Result<Word, sallyport_core::Unknown> {
    Reader::new(text, dialect, depth).expanded_text()
}

/// Reads a text as an arithmetic expression.
pub(super) fn read_arithmetic(
    text: &str,
    dialect: Dialect,
    depth: usize,
) -> Result<Vec<Part>, sallyport_core::Unknown> {
    Reader::new(text, dialect, depth).arithmetic_text()
}
