//! What the target answers to an operation: results one after the other, errors, what it asks for, and how the
//! operation ended ("Text Resultset", "COM_FIELD_LIST").

use sallyport_core::{Blame, Event, Refusal, RefusalCode};
use sallyport_wire::mysql::column::Column;
use sallyport_wire::mysql::reply::{Done, Failure, PROGRESS, column_count, is_end, status, tag};
use sallyport_wire::mysql::{Packet, capability as cap};

use super::control::Control;
use super::fault::Fault;
use super::masking::{RowPlan, masked_failure};
use super::refusal::{failure, recorded};
use super::results::end_of;
use super::running::Running;
use super::talk::Talk;
use crate::wording;

impl Talk {
    /// Everything that an operation brings, up to its end.
    pub(super) async fn results(&mut self, running: &mut Running, binary: bool) -> Result<(), Fault> {
        self.results_of(running, binary).await.map(|_| ())
    }

    /// The same; gives how rows are masked when the target opened a cursor.
    pub(super) async fn results_of(
        &mut self,
        running: &mut Running,
        binary: bool,
    ) -> Result<Option<RowPlan>, Fault> {
        let mut index = 0;
        loop {
            let packet = self.reply(Some(running)).await?;
            let more = match packet.tag() {
                _ if packet.payload().is_empty() => return Err(Fault::Unasked),
                tag::OK => {
                    let mut done = Done::parse(packet.payload()).map_err(Fault::TargetWire)?;
                    if self.taint.hides_numbers(&running.basis) {
                        done.insert_id = 0;
                    }
                    self.take_status(done.status);
                    self.taint.ended(running, Some(done.warnings));
                    running.rows = running.rows.max(done.affected);
                    let more = done.has_more();
                    match running.cut.take() {
                        Some(refusal) => self.ended_short(running, &refusal),
                        None if !running.muted => self.caller.put_done(&done),
                        None => {}
                    }
                    more
                }
                tag::ERR => {
                    if self.failed(&packet, running)? {
                        continue;
                    }
                    false
                }
                tag::LOCAL_INFILE => {
                    self.no_local_file(&packet, running).await?;
                    false
                }
                _ => {
                    let count = column_count(packet.payload()).map_err(Fault::TargetWire)?;
                    let (plan, done) = self.result_set(running, &packet, count, index, binary).await?;
                    match done {
                        Some(done) if done.status & status::CURSOR != 0 => return Ok(Some(plan)),
                        Some(done) => done.has_more(),
                        None => false,
                    }
                }
            };
            if !more {
                return Ok(None);
            }
            index += 1;
        }
    }

    /// One result: its columns, then its rows. Gives nothing when it ended in an error.
    async fn result_set(
        &mut self,
        running: &mut Running,
        first: &Packet,
        count: usize,
        index: usize,
        binary: bool,
    ) -> Result<(RowPlan, Option<Done>), Fault> {
        let mut columns = Vec::with_capacity(count.min(4096));
        if !running.muted {
            self.caller.put(first.payload());
        }
        for _ in 0..count {
            let packet = self.reply(Some(running)).await?;
            columns.push(Column::parse(packet.payload()).map_err(Fault::TargetWire)?);
            if !running.muted {
                self.caller.put(packet.payload());
            }
        }
        let plan = running.basis.plan(&running.inspection, index, &columns, &self.taint);
        if self.target.capabilities & cap::DEPRECATE_EOF == 0 {
            let packet = self.reply(Some(running)).await?;
            let done = end_of(packet.payload()).map_err(Fault::TargetWire)?;
            self.take_status(done.status);
            if done.status & status::CURSOR != 0 {
                let capabilities = self.caller.capabilities;
                self.caller.put_with(|out| done.put_end(out, capabilities));
                return Ok((plan, Some(done)));
            }
        }
        if self.caller.capabilities & cap::DEPRECATE_EOF == 0 && !running.muted {
            self.put_eof();
        }
        let done = self.rows(running, &plan, binary).await?;
        Ok((plan, done))
    }

    /// An end of the classic form, with the flags as they were last said.
    pub(super) fn put_eof(&mut self) {
        let done = Done { status: self.status & !status::MORE_RESULTS, ..Done::default() };
        self.caller.put_with(|out| done.put_eof(out));
    }

    /// The target's error, or what stands in its place when it was we who cancelled. Whether it was only a
    /// progress report.
    pub(super) fn failed(&mut self, packet: &Packet, running: &mut Running) -> Result<bool, Fault> {
        let said = Failure::parse(packet.payload()).map_err(Fault::TargetWire)?;
        if said.code == PROGRESS {
            // Asked for by the caller alone; it names a stage of the server's.
            if self.caller.capabilities & cap::MARIADB_PROGRESS != 0 && !running.muted {
                self.caller.put(packet.payload());
            }
            return Ok(true);
        }
        self.taint.ended(running, None);
        match running.cut.take() {
            Some(refusal) => self.ended_short(running, &refusal),
            None if running.muted => {}
            None => {
                running.error = Some(said.code.to_string());
                let strict = running.basis.is_strict();
                self.put_target_failure(&said, strict);
                running.muted = true;
            }
        }
        Ok(false)
    }

    /// An error of the target's, its text masked.
    pub(super) fn put_target_failure(&mut self, said: &Failure, strict: bool) {
        self.caller.put_failure(&masked_failure(said, strict));
    }

    /// The caller hears that the operation was ended, and nothing more of it.
    pub(super) fn ended_short(&mut self, running: &mut Running, refusal: &Refusal) {
        self.caller.put_failure(&failure(refusal));
        running.error = Some(recorded(refusal.code));
        running.muted = true;
    }

    /// The target wants a file of the caller's. It gets none, and the caller is not asked.
    async fn no_local_file(&mut self, packet: &Packet, running: &mut Running) -> Result<(), Fault> {
        self.target.upstream.forward_control(&Control::NoFile(packet.last.wrapping_add(1)));
        self.send_on().await?;
        self.reply(Some(running)).await?;
        let refusal = Refusal::new(
            RefusalCode::Protocol,
            Blame::Upstream,
            "the target asked for a local file of this client and was given none",
        )
        .hint("send the rows as INSERT statements");
        let event = Event::MessageRefused { message: "LOCAL INFILE".to_owned(), refusal: refusal.clone() };
        self.session.tape.append(&event, &[]).map_err(|error| wording::recorder(&error))?;
        running.cut = None;
        self.ended_short(running, &refusal);
        Ok(())
    }

    /// Columns without rows, as COM_FIELD_LIST gives them.
    pub(super) async fn columns_only(&mut self, running: &mut Running) -> Result<(), Fault> {
        loop {
            let packet = self.reply(Some(running)).await?;
            if packet.tag() == tag::ERR {
                self.failed(&packet, running)?;
                return Ok(());
            }
            if is_end(packet.payload(), 0) || is_end(packet.payload(), self.target.capabilities) {
                let done = end_of(packet.payload()).map_err(Fault::TargetWire)?;
                self.take_status(done.status);
                let capabilities = self.caller.capabilities;
                self.caller.put_with(|out| done.put_end(out, capabilities));
                return Ok(());
            }
            self.caller.put(packet.payload());
        }
    }

    /// A line of text.
    pub(super) async fn line(&mut self, running: &mut Running) -> Result<(), Fault> {
        let packet = self.reply(Some(running)).await?;
        if packet.tag() == tag::ERR {
            self.failed(&packet, running)?;
            return Ok(());
        }
        self.caller.put(packet.payload());
        Ok(())
    }

    /// Records how an operation ended.
    pub(super) fn ended(&mut self, running: Running) -> Result<(), Fault> {
        let event = Event::Outcome {
            operation: running.grant.operation(),
            rows: running.rows,
            bytes: running.bytes,
            masked: running.masked,
            duration_us: running.took(),
            error: running.error,
        };
        self.caller.rows = running.rows;
        self.caller.record_end(&self.session, &event)
    }
}
