//! A waiting caller, in PostgreSQL's words: notices, Ctrl-C, disconnect; and whether what was asked still is
//! what would run.

use std::sync::Arc;

use bytes::BytesMut;
use sallyport_core::Refusal;
use sallyport_inspect::pg::{Catalog, Inspection, Lineage};
use tokio::sync::{mpsc, watch};

use super::admit::FromCaller;
use super::expected::Answer;
use super::handshake::read_some;
use super::inspecting::inspect;
use super::refusal::put_notice;
use super::state::State;
use crate::approvals::{Caller, GaveUp, Notice};
use crate::session::Session;
use crate::wording;

/// While a caller waits, so much of what it sends is kept; more would be memory without bound.
const READ_AHEAD: usize = 64 << 10;

/// How the caller is reached.
pub(super) struct Wire<'a> {
    pub(super) from: &'a mut FromCaller,
    pub(super) buffer: &'a mut BytesMut,
    pub(super) asides: &'a mpsc::Sender<Answer>,
}

/// What waits, as it was understood when it was asked for.
pub(super) struct Held<'a> {
    pub(super) text: &'a [u8],
    pub(super) types: &'a [u32],
    pub(super) inspection: &'a Inspection,
    pub(super) catalog: &'a Arc<Catalog>,
    /// When the catalog was looked at: moved on when it still holds.
    pub(super) since: &'a mut u64,
}

/// The caller of a held operation.
pub(super) struct Holding<'a> {
    session: &'a Session,
    state: &'a State,
    wire: Wire<'a>,
    held: Held<'a>,
    withdrawals: watch::Receiver<u64>,
}

impl<'a> Holding<'a> {
    pub(super) fn new(session: &'a Session, state: &'a State, wire: Wire<'a>, held: Held<'a>) -> Self {
        let mut withdrawals = state.withdrawals.subscribe();
        withdrawals.mark_unchanged();
        Self { session, state, wire, held, withdrawals }
    }
}

impl Caller for Holding<'_> {
    async fn tell(&mut self, notice: Notice) {
        let mut out = BytesMut::new();
        put_notice(&mut out, &notice);
        let aside = Answer { operation: self.session.operations(), bytes: out.freeze() };
        // A caller that does not read its notices must not keep the gate from deciding.
        if self.wire.asides.try_send(aside).is_err() {
            tracing::debug!(session = %self.session.id, "a notice was dropped");
        }
    }

    async fn gave_up(&mut self) -> GaveUp {
        loop {
            let may_read = self.wire.buffer.len() < READ_AHEAD;
            tokio::select! {
                changed = self.withdrawals.changed() => {
                    return if changed.is_ok() { GaveUp::Cancelled } else { GaveUp::Left };
                }
                read = read_some(self.wire.from, self.wire.buffer), if may_read => {
                    if read.is_err() {
                        return GaveUp::Left;
                    }
                }
            }
        }
    }

    async fn unchanged(&mut self) -> Result<(), Refusal> {
        let (session, held) = (self.session, &mut self.held);
        let now = self.state.lock().changing.now();
        let catalog = super::start::catalog(&session.house, &session.target, &session.database).await?;
        if !Arc::ptr_eq(&catalog, held.catalog) {
            let again = inspect(session, self.state, held.text, held.types, &catalog);
            let lineage = |inspection: &Inspection| -> Vec<Lineage> {
                inspection.statements.iter().map(|statement| statement.lineage.clone()).collect()
            };
            if again.facts != held.inspection.facts || lineage(&again) != lineage(held.inspection) {
                return Err(wording::meant_another());
            }
        }
        *held.since = now;
        Ok(())
    }
}
