//! MySQL and MariaDB: facts of a text.
//!
//! [`inspect`] reads the text by the servers' own rules and walks every node. Data flows one way: bytes ->
//! statements (`reading`) -> [`Facts`](sallyport_core::Facts), and per statement what the gateway has to know.

mod cache;
mod charset;
mod context;
#[cfg(test)]
mod differential;
mod facts;
mod functions;
mod inspection;
mod lexer;
pub(crate) mod lines;
mod names;
#[expect(dead_code, reason = "a statement also says what facts do not need")]
mod own;
mod query;
mod reading;
mod session;

pub use cache::Cache;
pub use context::{Context, Flavour, SqlMode};
pub use facts::Deciding;
pub use inspection::{Inspection, ResultColumns, ResultItem, StateEffect, Statement, StatementKind, inspect};

#[cfg(test)]
mod cases_tests;
#[cfg(test)]
mod invariant_tests;
#[cfg(test)]
mod result_tests;
#[cfg(test)]
mod robust_tests;
