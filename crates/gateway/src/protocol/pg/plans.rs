//! How rows were masked last, in one session, kept while nothing that decides it has changed. A statement that
//! is prepared once and run often keeps its own; these are for texts that come anew each time.

use std::collections::VecDeque;
use std::sync::Arc;

use sallyport_inspect::pg::Inspection;

use super::masking::RowPlan;
use super::running::{Masks, Running};

/// Plans that are kept for a session, and the longest description of a result that one is kept for, bytes.
const KEPT: usize = 8;
const LONGEST: usize = 4096;

/// A plan and all that it was made from.
#[derive(Debug)]
struct Planned {
    /// Kept alive, so that its address stays its own.
    inspection: Arc<Inspection>,
    /// Which statement of it.
    index: usize,
    masks: Masks,
    minute: i64,
    /// The target's `RowDescription`, and the formats that the caller asked for.
    described: Vec<u8>,
    formats: Vec<i16>,
    plan: Arc<RowPlan>,
}

/// A session's last plans, the newest at the front.
#[derive(Debug, Default)]
pub(super) struct Plans(VecDeque<Planned>);

impl Plans {
    /// The plan for the rows that the target describes so, as results of statement `index`.
    pub(super) fn of(
        &self,
        running: &Running,
        index: usize,
        minute: i64,
        described: &[u8],
    ) -> Option<Arc<RowPlan>> {
        let same = |known: &&Planned| {
            known.index == index
                && known.minute == minute
                && Arc::ptr_eq(&known.inspection, &running.inspection)
                && known.masks.is(&running.masks)
                && known.described == described
                && known.formats == running.formats
        };
        self.0.iter().find(same).map(|known| Arc::clone(&known.plan))
    }

    /// Keeps one.
    pub(super) fn keep(
        &mut self,
        running: &Running,
        index: usize,
        minute: i64,
        described: &[u8],
        plan: &Arc<RowPlan>,
    ) {
        if described.len() > LONGEST {
            return;
        }
        self.0.truncate(KEPT - 1);
        self.0.push_front(Planned {
            inspection: Arc::clone(&running.inspection),
            index,
            masks: running.masks.clone(),
            minute,
            described: described.to_vec(),
            formats: running.formats.clone(),
            plan: Arc::clone(plan),
        });
    }
}
