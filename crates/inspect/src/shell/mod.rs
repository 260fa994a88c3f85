//! Facts of POSIX shell and bash. Nothing is understood yet.

#[expect(dead_code, reason = "until the engine reads them")]
mod effect;
pub(crate) mod lines;
#[expect(dead_code, reason = "until the engine asks them")]
mod programs;
#[expect(dead_code, reason = "until the engine makes them")]
mod word;
