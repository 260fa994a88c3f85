//! Facts of POSIX shell and bash. Nothing is understood yet.

mod effect;
pub(crate) mod lines;
#[cfg_attr(not(test), expect(dead_code, reason = "until the engine asks them"))]
mod programs;
mod word;
