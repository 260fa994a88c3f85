//! Facts of HTTP requests. Nothing is understood yet.

pub(crate) mod lines;

/// The API documents that name paths and operations.
#[derive(Debug, Default)]
pub struct Apis {}
