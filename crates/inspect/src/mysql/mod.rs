//! Facts of the SQL of MySQL and MariaDB. Nothing is understood yet.

mod context;
pub(crate) mod lines;
#[expect(dead_code, reason = "until the facts are drawn from it")]
mod reading;

pub use context::{Context, Flavour, SqlMode};
