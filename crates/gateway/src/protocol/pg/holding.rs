//! A waiting caller, in PostgreSQL's words: notices, Ctrl-C, disconnect.

use bytes::{Bytes, BytesMut};
use tokio::sync::{mpsc, watch};

use super::admit::FromCaller;
use super::handshake::read_some;
use super::refusal::put_notice;
use super::state::State;
use crate::approvals::{Caller, GaveUp, Notice};
use crate::session::Session;

/// While a caller waits, so much of what it sends is kept; more would be memory without bound.
const READ_AHEAD: usize = 64 << 10;

/// The caller of a held operation.
pub(super) struct Holding<'a> {
    session: &'a Session,
    from: &'a mut FromCaller,
    buffer: &'a mut BytesMut,
    asides: &'a mpsc::Sender<Bytes>,
    withdrawals: watch::Receiver<u64>,
}

impl<'a> Holding<'a> {
    pub(super) fn new(
        session: &'a Session,
        state: &State,
        from: &'a mut FromCaller,
        buffer: &'a mut BytesMut,
        asides: &'a mpsc::Sender<Bytes>,
    ) -> Self {
        let mut withdrawals = state.withdrawals.subscribe();
        withdrawals.mark_unchanged();
        Self { session, from, buffer, asides, withdrawals }
    }
}

impl Caller for Holding<'_> {
    async fn tell(&mut self, notice: Notice) {
        let mut out = BytesMut::new();
        put_notice(&mut out, &notice);
        // A caller that does not read its notices must not keep the gate from deciding.
        if self.asides.try_send(out.freeze()).is_err() {
            tracing::debug!(session = %self.session.id, "a notice was dropped");
        }
    }

    async fn gave_up(&mut self) -> GaveUp {
        loop {
            let may_read = self.buffer.len() < READ_AHEAD;
            tokio::select! {
                changed = self.withdrawals.changed() => {
                    return if changed.is_ok() { GaveUp::Cancelled } else { GaveUp::Left };
                }
                read = read_some(self.from, self.buffer), if may_read => {
                    if read.is_err() {
                        return GaveUp::Left;
                    }
                }
            }
        }
    }
}
