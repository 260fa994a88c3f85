//! The data of a COPY FROM STDIN: belongs to its statement's grant, and is recorded before it goes on.

use sallyport_core::{Event, ResultDirection};
use sallyport_wire::pg::Frame;
use sallyport_wire::pg::frontend::FrontendMessage;

use super::admit::Admit;
use super::fault::Fault;
use crate::wording;

impl Admit {
    /// `CopyData`, `CopyDone`, `CopyFail`. Outside a COPY the server ignores them, and so do we.
    pub(super) async fn copy_in(
        &mut self,
        frame: &Frame,
        message: &FrontendMessage<'_>,
    ) -> Result<(), Fault> {
        let copy = self.state.lock().copy_in.clone();
        let Some(copy) = copy.filter(|copy| !copy.whole) else { return Ok(()) };
        match message {
            FrontendMessage::CopyData(data) => {
                let event =
                    Event::Data { direction: ResultDirection::ToTarget, operation: copy.grant.operation() };
                self.session.tape.append(&event, &[data]).map_err(|error| wording::recorder(&error))?;
            }
            _ => {
                let mut inner = self.state.lock();
                if let Some(copy) = &mut inner.copy_in {
                    copy.whole = true;
                }
                // Its end is awaited before the next text, which may be another COPY with data of its own.
                inner.barrier = true;
            }
        }
        self.upstream.forward_within(&copy.grant, frame.raw());
        if self.upstream.is_full() {
            self.flush().await?;
        }
        Ok(())
    }

    /// Whether the target ignores Sync and Flush now: it takes COPY data that an Execute asked for.
    pub(super) fn ignores_sync(&self) -> bool {
        self.state.lock().copy_in.as_ref().is_some_and(|copy| copy.open && copy.extended && !copy.whole)
    }
}
