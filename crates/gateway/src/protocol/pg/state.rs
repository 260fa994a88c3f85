//! What the two halves of a conversation share.
//!
//! `admit` puts what it expects at the end of a bounded queue; `relay` takes from the front as the
//! target answers. Beside the queue lies what the session has become: transaction status as last
//! reported, settings that change the reading of a text, statements and portals by name. One short
//! lock, never held across an await.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sallyport_inspect::pg::{Remembered, StateEffect};
use sallyport_wire::pg::backend::TransactionStatus;
use tokio::sync::{Notify, watch};

use super::definitions::{Changes, Changing};
use super::expected::Expected;
use super::reading::Reading;
use super::running::{Running, Statement};
use crate::upstream::Grant;

/// Most replies that may be outstanding.
const QUEUE: usize = 1024;
/// Most prepared statements, and most portals, of one session.
pub(super) const NAMES: usize = 4096;
/// Most text that a session's prepared statements may hold together, bytes.
pub(super) const STATEMENT_BYTES: usize = 32 << 20;
/// Earlier statements of a transaction that an approver is shown.
const SHOWN_STATEMENTS: usize = 50;
/// How much of each is kept until then, bytes: more than is shown, whatever the characters.
const KEPT_BYTES: usize = 16 << 10;
/// Longest of them, characters; what is cut says so.
const SHOWN_CHARACTERS: usize = 2000;

/// The lock and its bells.
#[derive(Debug)]
pub(super) struct State {
    inner: Mutex<Inner>,
    /// Rung when something was queued.
    pub(super) queued: Notify,
    /// Rung when something was answered.
    answered: Notify,
    /// Counts the caller's cancel requests that were meant for a hold.
    pub(super) withdrawals: watch::Sender<u64>,
}

/// What lies under the lock.
#[derive(Debug)]
pub(super) struct Inner {
    queue: VecDeque<Expected>,
    /// Whether `relay` works on one that it has taken.
    in_hand: bool,
    /// As last reported by the target.
    pub(super) status: TransactionStatus,
    /// An error came in a pipeline; the target skips to the next Sync.
    pub(super) failed: bool,
    /// How texts are read.
    pub(super) reading: Reading,
    /// `reading` may be out of date.
    pub(super) dirty: bool,
    /// Something that a rollback would undo has changed `reading` in this transaction.
    touched: bool,
    /// What this transaction has redefined, so far as it was sent; and whether others do.
    pub(super) changing: Changing,
    /// Definitions changed in this transaction.
    pub(super) definitions_touched: bool,
    /// Code that nobody has read ran: it may have made temporary relations.
    pub(super) code_ran: bool,
    /// Something was sent whose effect must be known before the next text is read.
    pub(super) barrier: bool,
    pub(super) statements: HashMap<Vec<u8>, Arc<Statement>>,
    pub(super) portals: HashMap<Vec<u8>, Arc<Running>>,
    pub(super) remembered: Remembered,
    /// The COPY whose data the caller may send.
    pub(super) copy_in: Option<CopyIn>,
    transaction: VecDeque<Arc<[u8]>>,
}

/// A COPY FROM STDIN under way.
#[derive(Clone, Debug)]
pub(super) struct CopyIn {
    pub(super) running: Arc<Running>,
    pub(super) grant: Grant,
    /// The target has said that it takes data.
    pub(super) open: bool,
    /// Whose data the caller has still to end, of the COPYs in the text; it may do so before the target says
    /// that it takes data.
    pub(super) left: usize,
    /// Syncs sent behind its end while the target had not said yet that it takes data.
    pub(super) syncs_behind: usize,
    /// It was started by Execute: Sync and Flush are then ignored until its end.
    pub(super) extended: bool,
    /// The end of the data so far: a mark may come in pieces.
    pub(super) tail: Vec<u8>,
}

impl CopyIn {
    /// The caller has sent all of it.
    pub(super) fn is_whole(&self) -> bool {
        self.left == 0
    }
}

impl State {
    pub(super) fn new(reading: Reading, changes: Arc<Changes>) -> Self {
        Self {
            inner: Mutex::new(Inner {
                queue: VecDeque::new(),
                in_hand: false,
                status: TransactionStatus::Idle,
                failed: false,
                reading,
                dirty: true,
                touched: false,
                changing: Changing::new(changes),
                definitions_touched: false,
                code_ran: false,
                barrier: false,
                statements: HashMap::new(),
                portals: HashMap::new(),
                remembered: Remembered::default(),
                copy_in: None,
                transaction: VecDeque::new(),
            }),
            queued: Notify::new(),
            answered: Notify::new(),
            withdrawals: watch::Sender::new(0),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an expectation at the end.
    pub(super) fn expect(&self, expected: Expected) {
        self.lock().queue.push_back(expected);
        self.queued.notify_one();
    }

    /// Whether as much is outstanding as may be.
    pub(super) fn is_full(&self) -> bool {
        self.lock().queue.len() >= QUEUE
    }

    /// Waits until less is outstanding than may be. Cancel safe.
    pub(super) async fn room(&self) {
        loop {
            let room = self.answered.notified();
            if !self.is_full() {
                return;
            }
            room.await;
        }
    }

    /// Takes the expectation at the front, to be given back with [`State::done`].
    pub(super) fn take(&self) -> Option<Expected> {
        let mut inner = self.lock();
        let next = inner.queue.pop_front();
        inner.in_hand = next.is_some();
        next
    }

    /// The one that was taken has been answered.
    pub(super) fn done(&self) {
        self.lock().in_hand = false;
        self.answered.notify_one();
    }

    /// Takes out the queued Syncs but for the last ones: the target ignores them while it takes COPY data.
    pub(super) fn drop_queued_syncs(&self, keep: usize) {
        let queue = &mut self.lock().queue;
        let mut syncs = queue.iter().filter(|expected| matches!(expected, Expected::Sync)).count();
        queue.retain(|expected| {
            let drop = matches!(expected, Expected::Sync) && syncs > keep;
            syncs -= usize::from(matches!(expected, Expected::Sync));
            !drop
        });
    }

    /// Waits until every expectation has been answered. Cancel safe.
    pub(super) async fn answered(&self) {
        loop {
            let bell = self.answered.notified();
            if !self.lock().is_waiting() {
                return;
            }
            bell.await;
        }
    }
}

impl Inner {
    /// Whether any reply is outstanding.
    pub(super) fn is_waiting(&self) -> bool {
        self.in_hand || !self.queue.is_empty()
    }

    /// The target reported its status at the end of a cycle.
    ///
    /// What a later cycle of a pipeline has sent already is not over with this one: it is still queued.
    pub(super) fn ready(&mut self, status: TransactionStatus) {
        self.failed = false;
        self.status = status;
        let mut bound: HashMap<&[u8], &Arc<Running>> = HashMap::new();
        let mut under_way = Vec::new();
        for expected in &self.queue {
            match expected {
                Expected::Bind { portal, running } => {
                    bound.insert(portal, running);
                }
                Expected::Execute(running) | Expected::Query(running) => under_way.push(running),
                _ => {}
            }
        }
        let copy = self.copy_in.as_ref().map(|copy| copy.grant.operation());
        if !under_way.iter().any(|running| Some(running.grant.operation()) == copy) {
            self.copy_in = None;
        }
        if status == TransactionStatus::Idle {
            if under_way.is_empty() {
                self.changing.ends();
            }
            if self.touched {
                self.dirty = true;
                self.touched = under_way.iter().any(|running| running.changes_settings());
            }
            self.portals.retain(|name, portal| {
                bound.get(name.as_slice()).is_some_and(|running| Arc::ptr_eq(running, portal))
            });
            let over = self.transaction.len().saturating_sub(under_way.len());
            self.transaction.drain(..over);
        }
    }

    /// An operation has ended; if it was the COPY whose data the caller may send, it may no more.
    pub(super) fn copy_in_ends(&mut self, running: &Running) {
        self.copy_in.take_if(|copy| copy.grant.operation() == running.grant.operation());
    }

    /// Settings may be different from now on; in a transaction, different again at its end.
    pub(super) fn settings_may_change(&mut self) {
        self.dirty = true;
        self.touched = true;
        self.barrier = true;
    }

    /// A savepoint was rolled back: what the transaction changed may be undone.
    pub(super) fn rolled_back_to_savepoint(&mut self) {
        if self.touched {
            self.dirty = true;
            self.barrier = true;
        }
    }

    /// Whether a rollback would change how texts are read.
    pub(super) fn is_touched(&self) -> bool {
        self.touched
    }

    /// Remembers a statement for approvers of later ones in the same transaction.
    pub(super) fn note_statement(&mut self, text: &Arc<[u8]>) {
        if self.transaction.len() >= SHOWN_STATEMENTS {
            self.transaction.pop_front();
        }
        let recorded = super::recorded(text);
        // What an approver is not shown need not be kept.
        self.transaction.push_back(match recorded.text().get(..KEPT_BYTES) {
            Some(shown) => Arc::from(shown),
            None if recorded.withheld().is_empty() => Arc::clone(text),
            None => Arc::from(recorded.text()),
        });
    }

    /// Earlier statements of the open transaction.
    pub(super) fn transaction(&self) -> Vec<String> {
        let shown = |text: &Arc<[u8]>| {
            let shown = sallyport_core::visible::text(text);
            let mut cut: String = shown.chars().take(SHOWN_CHARACTERS).collect();
            if cut.len() < shown.len() {
                cut.push_str(" … (cut)");
            }
            cut
        };
        self.transaction.iter().map(shown).collect()
    }

    /// What a statement changed, now that it has succeeded. In doubt, nobody can say what a cursor shows.
    pub(super) fn apply(&mut self, effects: &[StateEffect], doubt: bool) {
        for effect in effects {
            match effect {
                StateEffect::Prepares(name, prepared) => {
                    if self.remembered.takes(prepared.bytes) {
                        self.remembered.prepared.insert(name.clone(), Arc::clone(prepared));
                    }
                }
                StateEffect::Deallocates(Some(name)) => {
                    self.remembered.prepared.remove(name);
                    self.statements.remove(name.as_bytes());
                }
                StateEffect::Deallocates(None) => {
                    self.remembered.prepared.clear();
                    self.statements.clear();
                }
                StateEffect::Declares(name, prepared) => {
                    let kept = if doubt { Arc::new(prepared.unsettled()) } else { Arc::clone(prepared) };
                    if self.remembered.takes(kept.bytes) {
                        self.remembered.cursors.insert(name.clone(), kept);
                    }
                }
                StateEffect::Closes(Some(name)) => {
                    self.remembered.cursors.remove(name);
                }
                StateEffect::Closes(None) => self.remembered.cursors.clear(),
                StateEffect::CatalogDirty => self.definitions_touched = true,
                StateEffect::SettingsDirty => {}
            }
        }
    }
}
