//! From an operation's text to its [`Facts`](sallyport_core::Facts), by the target's own grammar.
//!
//! Pure: text and a description of the session's state go in, facts come out. Inspection never
//! fails; what it cannot read is `unknown`, and unknown is never treated as harmless. It knows no
//! policy and no wire format.

pub mod credentials;
pub mod http;
pub mod lines;
mod memory;
pub mod mysql;
pub mod pg;
mod room;
pub mod shell;

#[cfg(test)]
mod stopwatch;
