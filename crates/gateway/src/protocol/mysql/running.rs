//! An operation under way.

use std::sync::Arc;
use std::time::Duration;

use sallyport_core::Refusal;
use sallyport_inspect::mysql::Inspection;
use tokio::time::Instant;

use super::masking::Basis;
use crate::upstream::Grant;

/// An operation that was forwarded, and how far it has come.
#[derive(Debug)]
pub(super) struct Running {
    /// What it may do.
    pub(super) grant: Grant,
    /// What it is.
    pub(super) inspection: Arc<Inspection>,
    /// What its results are masked by.
    pub(super) basis: Basis,
    started: Instant,
    /// When it has run too long.
    pub(super) deadline: Option<Instant>,
    pub(super) rows: u64,
    pub(super) bytes: u64,
    pub(super) masked: u64,
    /// Number of the error that ended it.
    pub(super) error: Option<String>,
    /// A limit was reached: rows are swallowed, and this takes the place of how it ends.
    pub(super) cut: Option<Refusal>,
    /// The caller holds it for ended: what else the target says of it goes nowhere.
    pub(super) muted: bool,
}

impl Running {
    pub(super) fn new(grant: Grant, inspection: Arc<Inspection>, basis: Basis) -> Self {
        let started = Instant::now();
        let deadline = grant.limits().timeout_ms.map(|timeout| started + Duration::from_millis(timeout));
        Self {
            grant,
            inspection,
            basis,
            started,
            deadline,
            rows: 0,
            bytes: 0,
            masked: 0,
            error: None,
            cut: None,
            muted: false,
        }
    }

    /// Microseconds since it was forwarded.
    pub(super) fn took(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}
