//! The target's half: takes its replies in order; each belongs to the expectation at the head of the
//! queue. What the caller gets is masked, then recorded, then written.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf as _, BytesMut};
use sallyport_core::Event;
use sallyport_wire::pg::backend::{self, tag};
use sallyport_wire::pg::{Frame, FrameDecoder, WireError};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::canceller::Canceller;
use super::expected::{Answer, Expected};
use super::fault::Fault;
use super::handshake::{make_room, write};
use super::masking::{mask_notice, mask_payload, mask_setting};
use super::plans::Plans;
use super::running::Running;
use super::state::State;
use crate::session::Session;
use crate::wording;

/// The writing half of the caller's socket.
pub(super) type ToCaller = Box<dyn AsyncWrite + Send + Sync + Unpin>;
/// The reading half of the target's socket.
pub(super) type FromTarget = Box<dyn AsyncRead + Send + Sync + Unpin>;

/// So much is gathered before it is recorded and written.
const COALESCE: usize = 64 << 10;

/// The target's half of a conversation.
pub(super) struct Relay {
    pub(super) session: Arc<Session>,
    pub(super) state: Arc<State>,
    pub(super) from: FromTarget,
    pub(super) buffer: BytesMut,
    pub(super) decoder: FrameDecoder,
    pub(super) to: ToCaller,
    pub(super) out: BytesMut,
    /// How much of `out` is in the recording already.
    pub(super) recorded: usize,
    /// How the last operation ended, until that is recorded: before anything of the next one, and before the
    /// caller hears the end of it.
    pub(super) ended: Option<Event>,
    pub(super) asides: mpsc::Receiver<Answer>,
    pub(super) canceller: Canceller,
    /// How results were masked before.
    pub(super) plans: Plans,
    /// The expectation that replies belong to now.
    pub(super) current: Option<Expected>,
    /// An error came in a pipeline: expectations are dropped up to the next Sync.
    pub(super) skipping: bool,
    /// What the target said of a statement's parameters, until it says the rest.
    pub(super) parameters: Vec<u32>,
    /// A result was cut and yet had come to its end: the caller holds the pipeline for failed, and hears
    /// nothing more up to the next ready.
    pub(super) muted: bool,
    /// Bytes of an oversized row still to come, which go nowhere.
    pub(super) discard: usize,
    /// When the present operation has run too long.
    pub(super) deadline: Option<Instant>,
    /// A write to the caller is under way: nothing may be written behind it should it be dropped.
    pub(super) writing: bool,
    /// The operation whose replies are gathered in `out`.
    pub(super) operation: u64,
    /// An operation since the target was last ready may have read what is labelled, so what comes beside
    /// its result may carry it.
    pub(super) strict: bool,
}

impl Relay {
    /// Runs until the conversation ends.
    pub(super) async fn run(&mut self) -> Fault {
        loop {
            if let Err(fault) = self.step().await {
                return fault;
            }
        }
    }

    async fn step(&mut self) -> Result<(), Fault> {
        self.advance()?;
        self.send().await?;
        let deadline = self.deadline;
        make_room(&mut self.buffer, self.current.is_none());
        tokio::select! {
            read = self.from.read_buf(&mut self.buffer) => {
                if read.map_err(|_| Fault::TargetAway)? == 0 {
                    return Err(Fault::TargetAway);
                }
                self.drain().await
            }
            () = self.state.queued.notified() => Ok(()),
            Some(aside) = self.asides.recv() => self.put_answer(&aside),
            () = sleep_until(deadline), if deadline.is_some() => {
                self.deadline = None;
                self.timed_out();
                Ok(())
            }
        }
    }

    /// Takes every whole message that was read.
    async fn drain(&mut self) -> Result<(), Fault> {
        loop {
            if self.discard > 0 {
                let some = self.discard.min(self.buffer.len());
                self.buffer.advance(some);
                self.discard -= some;
                if self.discard > 0 {
                    return Ok(());
                }
            }
            match self.decoder.decode(&mut self.buffer) {
                Ok(Some(frame)) => self.relay(frame).await?,
                Ok(None) => return Ok(()),
                Err(WireError::TooLarge { tag: tag::DATA_ROW | tag::COPY_DATA, limit }) => {
                    self.too_large(limit)
                }
                Err(error) => return Err(Fault::TargetWire(error)),
            }
            if self.out.len() >= COALESCE {
                self.send().await?;
            }
        }
    }

    /// One message of the target.
    async fn relay(&mut self, frame: Frame) -> Result<(), Fault> {
        match frame.tag() {
            tag::PARAMETER_STATUS => {
                let (name, value) = backend::parameter_status(&frame).map_err(Fault::TargetWire)?;
                if let (Ok(name), Ok(value)) = (std::str::from_utf8(name), std::str::from_utf8(value)) {
                    self.state.lock().reading.report(name, value);
                }
                let masked = mask_setting(name, value, self.strict);
                backend::put_parameter_status(&mut self.out, name, &masked);
                return Ok(());
            }
            tag::NOTICE_RESPONSE => {
                if !matches!(self.current, Some(Expected::Reading(_))) {
                    let doubted = |running: Arc<Running>| running.strict || self.in_doubt(&running);
                    let strict = self.running().is_some_and(doubted);
                    self.put_masked_notice(&frame, strict)?;
                }
                return Ok(());
            }
            tag::NOTIFICATION_RESPONSE => {
                let (pid, channel, payload) = backend::notification(&frame).map_err(Fault::TargetWire)?;
                backend::put_notification(&mut self.out, pid, channel, &mask_payload(payload, self.strict));
                return Ok(());
            }
            _ => {}
        }
        self.advance()?;
        let before = self.out.len();
        let muted = self.muted;
        self.answer(frame).await?;
        if muted && self.muted {
            self.out.truncate(before);
        }
        Ok(())
    }

    /// Takes up the next expectation when there is none at hand, passing over the gateway's own answers
    /// and, after an error, over what the target skips.
    pub(super) fn advance(&mut self) -> Result<(), Fault> {
        while self.current.is_none() {
            let Some(next) = self.state.take() else { return Ok(()) };
            match next {
                Expected::Local(answer) => {
                    self.put_answer(&answer)?;
                    self.state.done();
                }
                next if self.skipping && !matches!(next, Expected::Sync | Expected::Query(_)) => {
                    self.skip(next);
                    self.state.done();
                }
                next => {
                    if let Expected::Parse { operation, .. } = &next {
                        self.record_ended()?;
                        self.operation = *operation;
                    }
                    if let Expected::Query(running) | Expected::Execute(running) = &next {
                        self.start(&Arc::clone(running))?;
                    }
                    self.current = Some(next);
                }
            }
        }
        Ok(())
    }

    fn start(&mut self, running: &Running) -> Result<(), Fault> {
        self.record_ended()?;
        self.operation = running.grant.operation();
        self.strict |= running.strict;
        let now = Instant::now();
        running.progress().started.get_or_insert(now);
        self.deadline = running.grant.limits().timeout_ms.map(|timeout| now + Duration::from_millis(timeout));
        Ok(())
    }

    /// An expectation that the target skips: what it would have made does not exist.
    fn skip(&mut self, expected: Expected) {
        let mut inner = self.state.lock();
        match expected {
            Expected::Parse { name, statement, .. }
                if inner.statements.get(&name).is_some_and(|present| Arc::ptr_eq(present, &statement)) =>
            {
                inner.statements.remove(&name);
            }
            Expected::Bind { portal, running }
                if inner.portals.get(&portal).is_some_and(|present| Arc::ptr_eq(present, &running)) =>
            {
                inner.portals.remove(&portal);
            }
            Expected::Close { name, statement: Some(statement) } => {
                inner.statements.entry(name).or_insert(statement);
            }
            Expected::Execute(running) => inner.copy_in_ends(&running),
            _ => {}
        }
    }

    /// The expectation at hand has been answered.
    pub(super) fn finished(&mut self) {
        self.current = None;
        self.deadline = None;
        self.state.done();
    }

    /// An error ended the expectation at hand, and the pipeline with it.
    pub(super) fn failed(&mut self) {
        if let Some(current) = self.current.take() {
            self.skip(current);
        }
        self.skipping = true;
        self.state.lock().failed = true;
        self.deadline = None;
        self.state.done();
    }

    /// The operation at hand, if replies belong to one.
    pub(super) fn running(&self) -> Option<Arc<Running>> {
        match &self.current {
            Some(Expected::Query(running) | Expected::Execute(running) | Expected::Bind { running, .. }) => {
                Some(Arc::clone(running))
            }
            _ => None,
        }
    }

    /// Writes an error or notice of the target, masked.
    pub(super) fn put_masked_notice(&mut self, frame: &Frame, strict: bool) -> Result<(), Fault> {
        let fields = backend::error_fields(frame).map_err(Fault::TargetWire)?;
        backend::put_error_fields(&mut self.out, frame.tag(), &mask_notice(&fields, strict));
        Ok(())
    }

    /// Records what was gathered, then writes it. Not cancel safe; `writing` says when.
    pub(super) async fn send(&mut self) -> Result<(), Fault> {
        self.record_gathered()?;
        if self.out.is_empty() {
            return Ok(());
        }
        self.writing = true;
        write(&mut self.to, &self.out).await?;
        self.writing = false;
        self.out.clear();
        self.recorded = 0;
        if self.current.is_none() || self.out.capacity() > 4 * COALESCE {
            self.out = BytesMut::new();
        }
        Ok(())
    }

    /// Records what was gathered and is not recorded yet, and how the operation ended if it did.
    pub(super) fn record_gathered(&mut self) -> Result<(), Fault> {
        let fresh = self.out.get(self.recorded..).unwrap_or_default();
        let tape = &self.session.tape;
        let written = match &self.ended {
            Some(event @ Event::Outcome { operation, rows, .. }) if !fresh.is_empty() => {
                tape.ends(*operation, *rows, fresh, event)
            }
            Some(event) => tape.append(event, &[]).map(drop),
            None if fresh.is_empty() => Ok(()),
            None => {
                // How many rows came counts only where not all of them are recorded.
                let counted = if tape.keeps_all() { None } else { self.running() };
                let rows = counted.map_or(0, |running| running.progress().rows);
                tape.result(self.operation, rows, fresh)
            }
        };
        written.map_err(|error| wording::recorder(&error))?;
        self.ended = None;
        self.recorded = self.out.len();
        Ok(())
    }

    /// Puts an answer of the gateway's own to what the caller gets.
    pub(super) fn put_answer(&mut self, answer: &Answer) -> Result<(), Fault> {
        if self.operation != answer.operation {
            self.record_gathered()?;
            self.operation = answer.operation;
        }
        self.out.extend_from_slice(&answer.bytes);
        Ok(())
    }

    /// Records how the last operation ended, if that is still to be done.
    pub(super) fn record_ended(&mut self) -> Result<(), Fault> {
        if self.ended.is_some() { self.record_gathered() } else { Ok(()) }
    }

    /// Cancels what runs on the target, without waiting for it.
    pub(super) fn cancel(&self) {
        self.canceller.cancel(&self.session);
    }

    fn timed_out(&mut self) {
        let Some(running) = self.running() else { return };
        let limit = running.grant.limits().timeout_ms.unwrap_or_default();
        running.progress().cut.get_or_insert_with(|| wording::timed_out(limit));
        self.cancel();
    }

    /// A row or chunk over the limit: the result ends here, and its bytes go nowhere.
    fn too_large(&mut self, limit: usize) {
        let mut header = self.buffer.clone();
        header.advance(1);
        self.discard = usize::try_from(header.get_i32()).unwrap_or(usize::MAX).saturating_add(1);
        if let Some(running) = self.running() {
            running.progress().cut.get_or_insert_with(|| wording::row_too_large(limit));
        }
        self.cancel();
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
