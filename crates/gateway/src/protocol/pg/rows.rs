//! Rows and COPY data on their way to the caller: masked, counted, held to their limits.

use bytes::{BufMut as _, BytesMut};
use sallyport_inspect::pg::StatementKind;
use sallyport_wire::pg::backend::tag;
use sallyport_wire::pg::{Frame, finish_frame, start_frame};

use super::fault::Fault;
use super::masking::Copied;
use super::relay::Relay;
use super::results;
use super::running::{Progress, Running};
use crate::wording;

impl Relay {
    /// One message of a result.
    pub(super) fn result(&mut self, frame: Frame, running: &Running) -> Result<(), Fault> {
        match frame.tag() {
            tag::DATA_ROW => {
                self.row(&frame, running);
                Ok(())
            }
            tag::COPY_OUT_RESPONSE => self.copy_out_begins(&frame, running),
            tag::COPY_DATA => {
                self.copy_data(&frame, running);
                Ok(())
            }
            tag::COPY_DONE => {
                self.copy_out_ends(&frame, running);
                Ok(())
            }
            tag::COPY_IN_RESPONSE => self.copy_in_begins(&frame),
            // CopyBoth belongs to replication, which is not carried.
            _ => Err(Fault::Unasked),
        }
    }

    fn row(&mut self, frame: &Frame, running: &Running) {
        let mut progress = running.progress();
        if progress.cut.is_some() {
            return;
        }
        if running.grant.limits().rows.is_some_and(|limit| progress.rows >= limit) {
            progress.cut = Some(wording::row_limit(running.grant.limits().rows.unwrap_or_default()));
            drop(progress);
            self.cancel();
            return;
        }
        let before = self.out.len();
        let Progress { rows_plan, rows, bytes, masked, unread, cut, .. } = &mut *progress;
        match rows_plan {
            Some(plan) if plan.passes_untouched() => self.out.extend_from_slice(frame.raw()),
            Some(plan) => {
                let mark = start_frame(&mut self.out, tag::DATA_ROW);
                match plan.mask_row(frame.body(), &mut self.out) {
                    Ok(outcome) if outcome.changed => {
                        finish_frame(&mut self.out, mark);
                        *masked += u64::from(outcome.masked);
                        *unread += u64::from(outcome.unread);
                    }
                    Ok(_) => {
                        self.out.truncate(before);
                        self.out.extend_from_slice(frame.raw());
                    }
                    Err(_) => *cut = Some(wording::unmaskable()),
                }
            }
            None => *cut = Some(wording::unmaskable()),
        }
        if cut.is_some() {
            self.out.truncate(before);
            drop(progress);
            self.cancel();
            return;
        }
        *rows += 1;
        *bytes += u64::try_from(self.out.len() - before).unwrap_or_default();
    }

    fn copy_out_begins(&mut self, frame: &Frame, running: &Running) -> Result<(), Fault> {
        let doubt = self.in_doubt(running);
        let mut progress = running.progress();
        let statement = running.inspection.statements.get(progress.index);
        let Some((StatementKind::CopyOut(options), statement)) =
            statement.map(|statement| (&statement.kind, statement))
        else {
            return Err(Fault::Unasked);
        };
        match results::copy_plan(&self.session, &running.masks, options, &statement.lineage) {
            Ok(plan) if !doubt => progress.copy_plan = Some(plan),
            Ok(_) | Err(_) => progress.cut = Some(wording::unmaskable()),
        }
        drop(progress);
        self.out.extend_from_slice(frame.raw());
        Ok(())
    }

    fn copy_data(&mut self, frame: &Frame, running: &Running) {
        let mut progress = running.progress();
        if progress.cut.is_some() {
            return;
        }
        let limit = running.grant.limits().rows;
        let mut data = BytesMut::new();
        let Progress { copy_plan, rows, bytes, masked, unread, cut, .. } = &mut *progress;
        let pushed = match copy_plan {
            Some(plan) => plan.push(frame.body(), &mut data),
            None => {
                *cut = Some(wording::unmaskable());
                Ok(Copied::default())
            }
        };
        match pushed {
            Ok(copied) => {
                *masked += u64::from(copied.masked);
                *unread += u64::from(copied.unread);
            }
            Err(_) => *cut = Some(wording::unmaskable()),
        }
        *rows += 1;
        if limit.is_some_and(|limit| *rows > limit) {
            *cut = Some(wording::row_limit(limit.unwrap_or_default()));
        }
        if cut.is_some() {
            drop(progress);
            self.cancel();
            return;
        }
        *bytes += u64::try_from(data.len()).unwrap_or_default();
        drop(progress);
        self.put_copy_data(&data);
    }

    fn copy_out_ends(&mut self, frame: &Frame, running: &Running) {
        let mut progress = running.progress();
        if progress.cut.is_some() {
            return;
        }
        let mut rest = BytesMut::new();
        let ended = progress.copy_plan.as_mut().map(|plan| plan.finish(&mut rest));
        match ended {
            Some(Ok(copied)) => {
                progress.masked += u64::from(copied.masked);
                progress.unread += u64::from(copied.unread);
                drop(progress);
                self.put_copy_data(&rest);
                self.out.extend_from_slice(frame.raw());
            }
            Some(Err(_)) | None => progress.cut = Some(wording::unmaskable()),
        }
    }

    fn put_copy_data(&mut self, data: &[u8]) {
        if data.is_empty() {
            return;
        }
        let mark = start_frame(&mut self.out, tag::COPY_DATA);
        self.out.put_slice(data);
        finish_frame(&mut self.out, mark);
    }

    /// The target takes data now; until it has it all, it ignores Sync and Flush.
    fn copy_in_begins(&mut self, frame: &Frame) -> Result<(), Fault> {
        let syncs_behind = {
            let mut inner = self.state.lock();
            let Some(copy) = &mut inner.copy_in else { return Err(Fault::Unasked) };
            copy.open = true;
            copy.syncs_behind
        };
        if matches!(self.current, Some(super::expected::Expected::Execute(_))) {
            self.state.drop_queued_syncs(syncs_behind);
        }
        self.out.extend_from_slice(frame.raw());
        Ok(())
    }
}
