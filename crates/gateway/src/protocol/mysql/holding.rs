//! A waiting caller, in MySQL's words: progress reports where the client asked for them (MariaDB's), silence
//! otherwise; KILL QUERY from another connection of the same caller, disconnect.

use std::time::Duration;

use sallyport_wire::mysql::capability;
use sallyport_wire::mysql::reply::put_progress;
use tokio::sync::watch;

use super::sides::{Caller, read_some};
use crate::approvals::{self, GaveUp, Notice};
use crate::session::Session;

/// While a caller waits, so much of what it sends is kept; more would be memory without bound.
const READ_AHEAD: usize = 64 << 10;
/// A caller that does not read its reports must not keep the gate from deciding.
const PATIENCE: Duration = Duration::from_secs(2);

/// The caller of a held operation.
pub(super) struct Holding<'a> {
    session: &'a Session,
    caller: &'a mut Caller,
    withdrawals: watch::Receiver<u64>,
    broken: bool,
}

impl<'a> Holding<'a> {
    pub(super) fn new(
        session: &'a Session,
        caller: &'a mut Caller,
        withdrawals: &watch::Sender<u64>,
    ) -> Self {
        let mut withdrawals = withdrawals.subscribe();
        withdrawals.mark_unchanged();
        Self { session, caller, withdrawals, broken: false }
    }
}

impl approvals::Caller for Holding<'_> {
    async fn tell(&mut self, notice: Notice) {
        if self.caller.capabilities & capability::MARIADB_PROGRESS == 0 || self.broken {
            return;
        }
        let text = format!("{} [{}]", notice.message, notice.detail);
        self.caller.put_with(|out| put_progress(out, 1, 1, text.as_bytes()));
        let sent = tokio::time::timeout(PATIENCE, self.caller.send(self.session)).await;
        if !matches!(sent, Ok(Ok(()))) {
            // A report that was cut off: whatever followed would not be understood.
            self.broken = true;
        }
    }

    async fn gave_up(&mut self) -> GaveUp {
        if self.broken {
            return GaveUp::Left;
        }
        loop {
            let may_read = self.caller.buffer.len() < READ_AHEAD;
            tokio::select! {
                changed = self.withdrawals.changed() => {
                    return if changed.is_ok() { GaveUp::Cancelled } else { GaveUp::Left };
                }
                read = read_some(&mut self.caller.from, &mut self.caller.buffer), if may_read => {
                    if read.is_err() {
                        return GaveUp::Left;
                    }
                }
            }
        }
    }
}
