//! Why the caller says it does what it does: `SET sallyport.reason`, kept here and never forwarded.

use bytes::BytesMut;
use sallyport_inspect::pg::{Inspection, Statement, StatementKind};
use sallyport_wire::pg::backend::{put_command_complete, put_ready_for_query};

use super::admit::Admit;
use super::expected::Expected;
use super::fault::Fault;

impl Admit {
    /// `SET sallyport.reason`: kept, never forwarded.
    pub(super) async fn keep_reason(&mut self, reason: &str) -> Result<(), Fault> {
        self.settle().await?;
        self.session.set_reason(reason);
        let status = self.state.lock().status;
        let mut out = BytesMut::new();
        put_command_complete(&mut out, b"SET");
        if self.unsynced {
            self.expect(Expected::Local(self.answer(out))).await?;
            return self.sync().await;
        }
        put_ready_for_query(&mut out, status);
        self.expect(Expected::Local(self.answer(out))).await?;
        Ok(())
    }
}

/// The reason that a text states, when it does just that.
pub(super) fn stated_reason(inspection: &Inspection) -> Option<String> {
    match inspection.statements.as_slice() {
        [Statement { kind: StatementKind::StatesReason(reason), .. }] => Some(reason.clone()),
        _ => None,
    }
}
