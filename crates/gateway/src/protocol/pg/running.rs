//! An operation under way, and the statements and portals that operations are made of.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use sallyport_core::Refusal;
use sallyport_inspect::pg::{Catalog, Inspection, StateEffect};
use sallyport_mask::Labels;
use sallyport_policy::Policy;
use sallyport_wire::pg::backend::FieldDescription;
use tokio::time::Instant;

use super::masking::{CopyPlan, RowPlan};
use crate::upstream::Grant;

/// A statement prepared by `Parse`.
#[derive(Debug)]
pub(super) struct Statement {
    /// Its exact text.
    pub(super) text: Arc<[u8]>,
    /// Parameter types the caller named.
    pub(super) declared: Vec<u32>,
    /// What the target said of it, once it has.
    pub(super) described: OnceLock<Described>,
    /// Its errors are to be strict.
    pub(super) strict: bool,
    /// How its rows were masked last.
    planned: Mutex<Option<Planned>>,
}

/// A plan for the rows of a statement, and all that it was made from.
#[derive(Debug)]
struct Planned {
    inspection: Arc<Inspection>,
    masks: Masks,
    formats: Vec<i16>,
    minute: i64,
    plan: Arc<RowPlan>,
}

impl Statement {
    pub(super) fn new(text: Arc<[u8]>, declared: Vec<u32>, strict: bool) -> Self {
        Self { text, declared, described: OnceLock::new(), strict, planned: Mutex::new(None) }
    }

    /// The plan for the rows of one execution: the last one's, when nothing has changed since.
    pub(super) fn plan(
        &self,
        running: &Running,
        masks: &Masks,
        minute: i64,
        make: impl FnOnce() -> Arc<RowPlan>,
    ) -> Arc<RowPlan> {
        let mut planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*planned
            && known.minute == minute
            && Arc::ptr_eq(&known.inspection, &running.inspection)
            && known.masks.is(masks)
            && known.formats == running.formats
        {
            return Arc::clone(&known.plan);
        }
        let plan = make();
        *planned = Some(Planned {
            inspection: Arc::clone(&running.inspection),
            masks: masks.clone(),
            formats: running.formats.clone(),
            minute,
            plan: Arc::clone(&plan),
        });
        plan
    }
}

/// What the target said of a statement.
#[derive(Debug)]
pub(super) struct Described {
    /// Types of its parameters.
    pub(super) parameters: Vec<u32>,
    /// Columns of its result; none when it returns no rows.
    pub(super) fields: Vec<FieldDescription>,
    /// The message that said so.
    pub(super) raw: Vec<u8>,
}

/// What masking is decided by: the versions in force when the operation was admitted.
#[derive(Clone, Debug)]
pub(super) struct Masks {
    pub(super) policy: Arc<Policy>,
    pub(super) labels: Arc<Labels>,
    pub(super) catalog: Arc<Catalog>,
    /// When the catalog was looked at, in changes of the database.
    pub(super) since: u64,
}

impl Masks {
    /// Whether these are the same versions.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.policy, &other.policy)
            && Arc::ptr_eq(&self.labels, &other.labels)
            && Arc::ptr_eq(&self.catalog, &other.catalog)
    }
}

/// An operation that was forwarded.
#[derive(Debug)]
pub(super) struct Running {
    /// What it may do.
    pub(super) grant: Grant,
    /// What it is.
    pub(super) inspection: Arc<Inspection>,
    /// Its text.
    pub(super) text: Arc<[u8]>,
    /// What its results are masked by.
    pub(super) masks: Masks,
    /// The statement it runs, when it was bound.
    pub(super) statement: Option<Arc<Statement>>,
    /// Result formats, as Bind gave them.
    pub(super) formats: Vec<i16>,
    /// Whether the target's own error text may hold protected values.
    pub(super) strict: bool,
    progress: Mutex<Progress>,
}

/// How far it has come. Only `relay` looks.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Which statement of the text answers now.
    pub(super) index: usize,
    /// How rows of the present result are masked.
    pub(super) rows_plan: Option<Arc<RowPlan>>,
    /// How the data of the present COPY is masked.
    pub(super) copy_plan: Option<CopyPlan>,
    /// When the first message of it was taken up.
    pub(super) started: Option<Instant>,
    pub(super) rows: u64,
    pub(super) bytes: u64,
    pub(super) masked: u64,
    /// How many values were withheld because they could not be read surely, since the caller was told.
    pub(super) unread: u64,
    /// SQLSTATE of the error that ended it.
    pub(super) error: Option<String>,
    /// A limit was reached: rows are swallowed, and this takes the place of how it ends.
    pub(super) cut: Option<Refusal>,
}

impl Running {
    pub(super) fn new(
        grant: Grant,
        inspection: Arc<Inspection>,
        text: Arc<[u8]>,
        masks: Masks,
        strict: bool,
    ) -> Self {
        Self {
            grant,
            inspection,
            text,
            masks,
            statement: None,
            formats: Vec::new(),
            strict,
            progress: Mutex::new(Progress::default()),
        }
    }

    pub(super) fn bound(mut self, statement: Arc<Statement>, formats: Vec<i16>) -> Self {
        self.statement = Some(statement);
        self.formats = formats;
        self
    }

    /// Whether it may change how texts are read from then on.
    pub(super) fn changes_settings(&self) -> bool {
        let mut effects = self.inspection.statements.iter().flat_map(|statement| &statement.effects);
        effects.any(|effect| matches!(effect, StateEffect::SettingsDirty))
    }

    pub(super) fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
