//! Facts of POSIX shell and bash. Nothing is understood yet.

pub(crate) mod lines;
