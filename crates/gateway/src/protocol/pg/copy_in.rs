//! The data of a COPY FROM STDIN: belongs to its statement's grant, and is recorded before it goes on. Data
//! in which a masked value comes back ends the COPY.

use bytes::BytesMut;
use sallyport_core::{Event, Refusal, ResultDirection};
use sallyport_wire::pg::Frame;
use sallyport_wire::pg::frontend::{self, FrontendMessage};

use super::admit::Admit;
use super::fault::Fault;
use super::masking::LONGEST_MARK;
use super::state::CopyIn;
use crate::wording;

impl Admit {
    /// `CopyData`, `CopyDone`, `CopyFail`. Outside a COPY the server ignores them, and so do we.
    pub(super) async fn copy_in(
        &mut self,
        frame: &Frame,
        message: &FrontendMessage<'_>,
    ) -> Result<(), Fault> {
        let copy = self.state.lock().copy_in.clone();
        let Some(copy) = copy.filter(|copy| !copy.is_whole()) else { return Ok(()) };
        match message {
            FrontendMessage::CopyData(data) => {
                if self.is_marked(&copy.tail, data) {
                    return self.end_copy_in(&copy, wording::written_back(false, true));
                }
                let event =
                    Event::Data { direction: ResultDirection::ToTarget, operation: copy.grant.operation() };
                self.session.tape.append(&event, &[data]).map_err(|error| wording::recorder(&error))?;
                if let Some(copy) = &mut self.state.lock().copy_in {
                    keep_end(&mut copy.tail, data);
                }
            }
            _ => {
                let mut inner = self.state.lock();
                if let Some(copy) = &mut inner.copy_in {
                    // One that fails takes those behind it in its text with it.
                    let fails = matches!(message, FrontendMessage::CopyFail(_));
                    copy.left = if fails { 0 } else { copy.left.saturating_sub(1) };
                    copy.tail.clear();
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

    /// Ends a COPY whose data may not pass: the target is told that it failed, and the caller why.
    fn end_copy_in(&mut self, copy: &CopyIn, refusal: Refusal) -> Result<(), Fault> {
        let event = Event::MessageRefused { message: "CopyData".to_owned(), refusal: refusal.clone() };
        self.session.tape.append(&event, &[]).map_err(|error| wording::recorder(&error))?;
        copy.running.progress().cut.get_or_insert(refusal);
        let mut fail = BytesMut::new();
        frontend::copy_fail(&mut fail, b"refused by the gateway");
        self.upstream.forward_within(&copy.grant, &fail);
        let mut inner = self.state.lock();
        if let Some(copy) = &mut inner.copy_in {
            copy.left = 0;
        }
        inner.barrier = true;
        Ok(())
    }

    /// Whether the target ignores Sync and Flush now: it takes COPY data that an Execute asked for.
    pub(super) fn ignores_sync(&self) -> bool {
        self.state.lock().copy_in.as_ref().is_some_and(|copy| copy.open && copy.extended && !copy.is_whole())
    }
}

/// Keeps as much of the end of the data as a mark that has not ended may take.
fn keep_end(tail: &mut Vec<u8>, data: &[u8]) {
    let from = data.len().saturating_sub(LONGEST_MARK);
    tail.extend_from_slice(data.get(from..).unwrap_or(data));
    let extra = tail.len().saturating_sub(LONGEST_MARK);
    tail.drain(..extra);
}
