//! Which replies an expectation takes, message by message ("Message Flow").

use std::sync::Arc;

use sallyport_core::{Event, Refusal};
use sallyport_inspect::pg::{Lineage, Statement, StatementKind};
use sallyport_wire::pg::Frame;
use sallyport_wire::pg::backend::{self, FieldDescription, TransactionStatus, tag};
use sallyport_wire::pg::frontend::Subject;

use super::expected::{Expected, Questions};
use super::fault::Fault;
use super::refusal::{Severity, put_notice, put_refusal, sqlstate};
use super::relay::Relay;
use super::results;
use super::running::{Described, Running};
use crate::decided::minute;
use crate::wording;

impl Relay {
    /// Gives a message to the expectation at hand.
    pub(super) async fn answer(&mut self, frame: Frame) -> Result<(), Fault> {
        let tag_of = frame.tag();
        match &mut self.current {
            // A server that says goodbye (57P01) does so unasked.
            None if tag_of == tag::ERROR_RESPONSE => {
                self.put_masked_notice(&frame, true)?;
                self.send().await?;
                Err(Fault::TargetAway)
            }
            None | Some(Expected::Local(_)) => Err(Fault::Unasked),
            Some(Expected::Query(running)) => {
                let running = Arc::clone(running);
                self.query_reply(frame, &running).await
            }
            Some(Expected::Execute(running)) => {
                let running = Arc::clone(running);
                self.execute_reply(frame, &running).await
            }
            Some(Expected::Reading(_)) => self.reading_reply(&frame),
            Some(Expected::Sync) => match tag_of {
                tag::READY_FOR_QUERY => self.ready(&frame),
                // What was deferred fails when the implicit transaction commits.
                tag::ERROR_RESPONSE => self.put_masked_notice(&frame, true),
                _ => Err(Fault::Unasked),
            },
            Some(Expected::Refused(refusal)) => match tag_of {
                tag::ERROR_RESPONSE => {
                    let refusal = refusal.clone();
                    self.put_answer(&refusal)?;
                    self.failed();
                    Ok(())
                }
                _ => Err(Fault::Unasked),
            },
            Some(_) if tag_of == tag::ERROR_RESPONSE => self.failure(&frame),
            Some(Expected::Parse { .. }) => self.parse_reply(&frame),
            Some(Expected::Bind { .. }) => self.simple_reply(&frame, tag::BIND_COMPLETE),
            Some(Expected::Close { .. }) => self.simple_reply(&frame, tag::CLOSE_COMPLETE),
            Some(Expected::Describe(subject)) => {
                let more = *subject == Subject::Statement && tag_of == tag::PARAMETER_DESCRIPTION;
                if !more && !matches!(tag_of, tag::ROW_DESCRIPTION | tag::NO_DATA) {
                    return Err(Fault::Unasked);
                }
                self.out.extend_from_slice(frame.raw());
                if !more {
                    self.finished();
                }
                Ok(())
            }
        }
    }

    fn simple_reply(&mut self, frame: &Frame, wanted: u8) -> Result<(), Fault> {
        if frame.tag() != wanted {
            return Err(Fault::Unasked);
        }
        self.out.extend_from_slice(frame.raw());
        self.finished();
        Ok(())
    }

    /// An error in a pipeline, other than of an Execute.
    fn failure(&mut self, frame: &Frame) -> Result<(), Fault> {
        let strict = match &self.current {
            Some(Expected::Parse { statement, .. }) => statement.strict,
            Some(Expected::Bind { running, .. }) => running.strict,
            _ => true,
        };
        self.put_masked_notice(frame, strict)?;
        self.failed();
        Ok(())
    }

    /// `ParseComplete` goes to the caller; the answer to the gateway's own Describe does not.
    fn parse_reply(&mut self, frame: &Frame) -> Result<(), Fault> {
        let Some(Expected::Parse { statement, parsed, .. }) = &mut self.current else {
            return Err(Fault::Unasked);
        };
        match (frame.tag(), *parsed) {
            (tag::PARSE_COMPLETE, false) => {
                *parsed = true;
                self.out.extend_from_slice(frame.raw());
                Ok(())
            }
            (tag::PARAMETER_DESCRIPTION, true) => {
                let parameters = backend::parameter_description(frame).map_err(Fault::TargetWire)?;
                self.parameters = parameters;
                Ok(())
            }
            (tag::ROW_DESCRIPTION | tag::NO_DATA, true) => {
                let fields = match frame.tag() {
                    tag::ROW_DESCRIPTION => backend::row_description(frame).map_err(Fault::TargetWire)?,
                    _ => Vec::new(),
                };
                let parameters = std::mem::take(&mut self.parameters);
                let described = Described { parameters, fields, raw: frame.raw().to_vec() };
                if statement.described.set(described).is_err() {
                    return Err(Fault::Unasked);
                }
                self.finished();
                Ok(())
            }
            _ => Err(Fault::Unasked),
        }
    }

    /// Everything a `Query` brings, up to its `ReadyForQuery`.
    async fn query_reply(&mut self, frame: Frame, running: &Arc<Running>) -> Result<(), Fault> {
        match frame.tag() {
            tag::READY_FOR_QUERY => {
                self.outcome(running)?;
                self.ready(&frame)
            }
            tag::ROW_DESCRIPTION => {
                self.plan_query(&frame, running).await?;
                self.out.extend_from_slice(frame.raw());
                Ok(())
            }
            tag::ERROR_RESPONSE => self.execution_failed(&frame, running),
            tag::EMPTY_QUERY_RESPONSE => {
                self.out.extend_from_slice(frame.raw());
                Ok(())
            }
            tag::COMMAND_COMPLETE => {
                self.completed(&frame, running);
                Ok(())
            }
            _ => self.result(frame, running),
        }
    }

    /// Everything an `Execute` brings, up to its end.
    async fn execute_reply(&mut self, frame: Frame, running: &Arc<Running>) -> Result<(), Fault> {
        match frame.tag() {
            tag::COMMAND_COMPLETE => {
                self.completed(&frame, running);
                self.outcome(running)?;
                self.finished();
                Ok(())
            }
            tag::PORTAL_SUSPENDED | tag::EMPTY_QUERY_RESPONSE => {
                // A result that was cut is no result in parts: its caller must not take it for whole.
                let (cut, unread) = {
                    let mut progress = running.progress();
                    (progress.cut.take(), std::mem::take(&mut progress.unread))
                };
                self.tell_of_unread(unread);
                match cut {
                    Some(refusal) => self.ended_short(running, &refusal),
                    None => self.out.extend_from_slice(frame.raw()),
                }
                self.outcome(running)?;
                self.finished();
                Ok(())
            }
            tag::ERROR_RESPONSE => {
                self.execution_failed(&frame, running)?;
                self.outcome(running)?;
                self.failed();
                Ok(())
            }
            tag::DATA_ROW if running.progress().rows_plan.is_none() => {
                let statement = running.statement.clone();
                let fields: &[FieldDescription] = statement
                    .as_ref()
                    .and_then(|statement| statement.described.get())
                    .map_or(&[], |described| &described.fields);
                self.plan_rows(running, fields).await?;
                self.result(frame, running)
            }
            _ => self.result(frame, running),
        }
    }

    /// Whether another session may have redefined, since this was admitted, what it touches.
    pub(super) fn in_doubt(&self, running: &Running) -> bool {
        let masks = &running.masks;
        self.state.lock().changing.doubts(masks.since, &running.inspection, &masks.catalog)
    }

    /// Plans the masking of a result that a simple query brings: as before, when it is the same in all that
    /// decides it.
    async fn plan_query(&mut self, frame: &Frame, running: &Arc<Running>) -> Result<(), Fault> {
        let index = running.progress().index;
        let minute = minute(self.session.house.clock.now());
        let doubt = self.in_doubt(running);
        if !doubt && let Some(plan) = self.plans.of(running, index, minute, frame.raw()) {
            running.progress().rows_plan = Some(plan);
            return Ok(());
        }
        let fields = backend::row_description(frame).map_err(Fault::TargetWire)?;
        self.plan_rows(running, &fields).await?;
        if !doubt
            && !results::has_stranger(&running.masks, &fields)
            && let Some(plan) = &running.progress().rows_plan
        {
            self.plans.keep(running, index, minute, frame.raw(), plan);
        }
        Ok(())
    }

    /// Plans the masking of a result, before any row of it leaves. A column of a relation that the
    /// snapshot does not hold makes the catalog be read again first.
    async fn plan_rows(&mut self, running: &Arc<Running>, fields: &[FieldDescription]) -> Result<(), Fault> {
        let index = running.progress().index;
        let now = self.session.house.clock.now();
        let doubt = self.in_doubt(running);
        let strange = results::has_stranger(&running.masks, fields);
        if let Some(statement) = &running.statement
            && !strange
            && !doubt
        {
            let (session, plans, minute) = (&self.session, &mut self.plans, minute(now));
            let raw = statement.described.get().map_or(&[][..], |described| &described.raw);
            let plan = statement.plan(running, &running.masks, minute, || {
                plans.of(running, index, minute, raw).unwrap_or_else(|| {
                    let lineage = results::lineage(running, index);
                    let plan = results::row_plan(session, running, &running.masks, &lineage, fields);
                    let plan = Arc::new(plan);
                    plans.keep(running, index, minute, raw, &plan);
                    plan
                })
            });
            running.progress().rows_plan = Some(plan);
            return Ok(());
        }
        let mut masks = running.masks.clone();
        let mut lineage = results::lineage(running, index);
        if doubt || (strange && self.state.lock().changing.is_under_way()) {
            // Of another's making, or a stranger of this transaction's: nobody can read of it yet.
            lineage = Lineage::Unsettled;
        } else if strange {
            let (house, target, database) =
                (&self.session.house, &self.session.target, &self.session.database);
            super::start::catalog_changed(house, target, database);
            match Box::pin(super::start::catalog(house, target, database)).await {
                Ok(catalog) => {
                    lineage =
                        super::start::lineage_again(&self.session, &self.state, running, index, &catalog);
                    masks = results::with_catalog(&masks, catalog);
                }
                // A definition is locked, mostly: what cannot be traced is masked whole.
                Err(_) => lineage = Lineage::Unsettled,
            }
        }
        let plan = results::row_plan(&self.session, running, &masks, &lineage, fields);
        running.progress().rows_plan = Some(Arc::new(plan));
        Ok(())
    }

    /// A statement succeeded; when its result was cut, the caller hears that it failed, and nothing more.
    fn completed(&mut self, frame: &Frame, running: &Running) {
        let (effects, copied_in, commits, cut, unread) = {
            let mut progress = running.progress();
            let index = progress.index;
            progress.index += 1;
            progress.rows_plan = None;
            progress.copy_plan = None;
            let statement = running.inspection.statements.get(index);
            let effects = statement.map(|statement| statement.effects.clone()).unwrap_or_default();
            // The last COPY of the text: those before it leave the way open for the next one's data.
            let is_copy = |it: &Statement| it.kind == StatementKind::CopyIn;
            let behind = running.inspection.statements.get(progress.index..).unwrap_or_default();
            let copied_in = statement.is_some_and(is_copy) && !behind.iter().any(is_copy);
            let commits = statement.is_some_and(|it| it.kind == StatementKind::Commit);
            (effects, copied_in, commits, progress.cut.take(), std::mem::take(&mut progress.unread))
        };
        self.tell_of_unread(unread);
        let doubt = self.in_doubt(running);
        {
            let mut inner = self.state.lock();
            inner.apply(&effects, doubt);
            if copied_in {
                inner.copy_in_ends(running);
            }
        }
        // What a transaction has changed is seen by others, and by the gateway, once it is committed: when it
        // is ready again, or here, when another transaction follows at once.
        if commits && self.state.lock().definitions_touched {
            super::start::catalog_changed(&self.session.house, &self.session.target, &self.session.database);
        }
        match cut {
            Some(refusal) => self.ended_short(running, &refusal),
            None => {
                if let Ok(text) = backend::command_complete(frame) {
                    let changed = rows_changed(text);
                    let mut progress = running.progress();
                    progress.rows = progress.rows.max(changed);
                }
                self.out.extend_from_slice(frame.raw());
            }
        }
    }

    /// Says once per result that values were withheld because they could not be read.
    fn tell_of_unread(&mut self, unread: u64) {
        if unread > 0 {
            put_notice(&mut self.out, &wording::unread(unread));
        }
    }

    /// The target was done before it heard that its result had been cut: the caller hears of the cut, and
    /// nothing more.
    fn ended_short(&mut self, running: &Running, refusal: &Refusal) {
        put_refusal(&mut self.out, Severity::Error, refusal);
        running.progress().error = Some(sqlstate(refusal.code).to_owned());
        self.muted = true;
    }

    /// The target's error, or what stands in its place when it was we who cancelled.
    fn execution_failed(&mut self, frame: &Frame, running: &Running) -> Result<(), Fault> {
        self.state.lock().copy_in_ends(running);
        let cut = running.progress().cut.take();
        match cut {
            Some(refusal) => {
                put_refusal(&mut self.out, Severity::Error, &refusal);
                running.progress().error = Some(sqlstate(refusal.code).to_owned());
            }
            None => {
                let fields = backend::error_fields(frame).map_err(Fault::TargetWire)?;
                let state = fields.iter().find(|(code, _)| *code == b'C').map(|(_, text)| text.as_slice());
                running.progress().error =
                    state.map(|state| sallyport_core::visible::bytes(state.get(..5).unwrap_or_default()));
                let strict = running.strict || self.in_doubt(running);
                self.put_masked_notice(frame, strict)?;
            }
        }
        Ok(())
    }

    /// Notes how an operation ended. It is recorded with the last of what the caller gets of it, in one write.
    fn outcome(&mut self, running: &Running) -> Result<(), Fault> {
        let event = {
            let mut progress = running.progress();
            let since = progress.started.take().map(|started| started.elapsed().as_micros());
            Event::Outcome {
                operation: running.grant.operation(),
                rows: progress.rows,
                bytes: progress.bytes,
                masked: progress.masked,
                duration_us: since.and_then(|micros| u64::try_from(micros).ok()).unwrap_or_default(),
                error: progress.error.clone(),
            }
        };
        self.record_ended()?;
        self.ended = Some(event);
        Ok(())
    }

    /// `ReadyForQuery` ends a cycle.
    fn ready(&mut self, frame: &Frame) -> Result<(), Fault> {
        let status = backend::ready_for_query(frame).map_err(Fault::TargetWire)?;
        self.back_in_step(status);
        self.out.extend_from_slice(frame.raw());
        self.finished();
        Ok(())
    }

    fn back_in_step(&mut self, status: TransactionStatus) {
        self.skipping = false;
        self.muted = false;
        self.strict = false;
        let definitions_touched = {
            let mut inner = self.state.lock();
            inner.ready(status);
            status == TransactionStatus::Idle && std::mem::take(&mut inner.definitions_touched)
        };
        if definitions_touched {
            super::start::catalog_changed(&self.session.house, &self.session.target, &self.session.database);
        }
    }

    /// The replies to the gateway's own questions, none of which the caller sees.
    fn reading_reply(&mut self, frame: &Frame) -> Result<(), Fault> {
        let Some(Expected::Reading(questions)) = &mut self.current else { return Err(Fault::Unasked) };
        let Questions { settings, answers, synced, closed, to } = questions;
        match frame.tag() {
            tag::PARSE_COMPLETE | tag::BIND_COMPLETE | tag::COMMAND_COMPLETE => {}
            tag::DATA_ROW => {
                let row = backend::data_row(frame).map_err(Fault::TargetWire)?;
                let value = row.first().copied().flatten().unwrap_or_default();
                answers.push(String::from_utf8_lossy(value).into_owned());
            }
            tag::CLOSE_COMPLETE => {
                *closed += 1;
                let all = usize::from(*closed) == 2 * settings.len();
                if all && !*synced {
                    give(to, answers);
                    self.finished();
                }
            }
            tag::READY_FOR_QUERY if *synced => {
                let status = backend::ready_for_query(frame).map_err(Fault::TargetWire)?;
                give(to, answers);
                self.back_in_step(status);
                self.finished();
            }
            // The caller's pipeline fails with it; the error itself is none of its affair.
            tag::ERROR_RESPONSE if *synced => *to = None,
            tag::ERROR_RESPONSE => {
                self.put_masked_notice(frame, true)?;
                self.failed();
            }
            _ => return Err(Fault::Unasked),
        }
        Ok(())
    }
}

fn give(to: &mut Option<tokio::sync::oneshot::Sender<Vec<String>>>, answers: &mut Vec<String>) {
    if let Some(to) = to.take()
        && to.send(std::mem::take(answers)).is_err()
    {
        tracing::debug!("nobody waits for the settings any more");
    }
}

/// The row count at the end of a `CommandComplete` tag.
fn rows_changed(tag: &[u8]) -> u64 {
    std::str::from_utf8(tag)
        .ok()
        .and_then(|tag| tag.rsplit(' ').next())
        .and_then(|count| count.parse().ok())
        .unwrap_or_default()
}
