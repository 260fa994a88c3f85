//! POSIX shell and bash: facts of a text.
//!
//! Data flows one way: text -> tree (`syntax`) -> words as programs get them (`words`) -> what running them
//! does (`builtins`, and `programs` for all that is not built in) -> facts, collected by the `engine` that
//! walks the tree.

mod builtins;
mod cache;
mod effect;
mod engine;
mod inspection;
pub(crate) mod lines;
mod programs;
mod settings;
mod syntax;
mod word;
mod words;

pub use cache::Cache;
pub use inspection::{Flavour, inspect};

#[cfg(test)]
#[path = "cases_tests.rs"]
mod cases_tests;
#[cfg(test)]
#[path = "random_tests.rs"]
mod random_tests;
#[cfg(test)]
#[path = "size_tests.rs"]
mod size_tests;
