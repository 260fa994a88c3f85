//! Facts of the SQL of MySQL and MariaDB. Nothing is understood yet.

mod charset;
mod context;
mod lexer;
pub(crate) mod lines;
#[expect(dead_code, reason = "until the facts are drawn from it")]
mod own;
#[expect(dead_code, reason = "until the facts are drawn from it")]
mod query;
#[expect(dead_code, reason = "until the facts are drawn from it")]
mod reading;
mod session;

pub use context::{Context, Flavour, SqlMode};
