//! The caller's half: takes its messages in order; what may pass, passes with its permit.

use std::sync::Arc;

use bytes::BytesMut;
use sallyport_core::{
    Binding, Blame, Decision, Effect, Group, ObjectName, Operation, OperationKind, Parameter, Refusal,
    RefusalCode, Verb,
};
use sallyport_inspect::pg::{Catalog, Inspection, StateEffect, Statement as Inspected, StatementKind};
use sallyport_wire::pg::backend::TransactionStatus;
use sallyport_wire::pg::frontend::{self, FrontendMessage};
use sallyport_wire::pg::{Frame, FrameDecoder};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;

use super::canceller::Canceller;
use super::control::Control;
use super::definitions::UNREADABLE;
use super::expected::{Answer, Expected};
use super::fault::Fault;
use super::handshake::read_some;
use super::holding::{Held, Holding, Wire};
use super::inspecting::inspect;
use super::judgements::{Judgement, Judgements};
use super::parameters;
use super::reason::stated_reason;
use super::refusal::{Severity, put_refusal_as, sqlstate};
use super::results::with_reveals;
use super::running::{Masks, Running};
use super::state::State;
use crate::gate::{self, Asked, Permit};
use crate::session::Session;
use crate::upstream::Upstream;
use crate::wording;

/// The reading half of the caller's socket.
pub(super) type FromCaller = Box<dyn AsyncRead + Send + Sync + Unpin>;
/// The writing half of the target's socket.
pub(super) type ToTarget = Box<dyn AsyncWrite + Send + Sync + Unpin>;

/// The caller's half of a conversation.
pub(super) struct Admit {
    pub(super) session: Arc<Session>,
    pub(super) state: Arc<State>,
    pub(super) upstream: Upstream<ToTarget>,
    pub(super) from: FromCaller,
    pub(super) buffer: BytesMut,
    pub(super) decoder: FrameDecoder,
    /// What goes to the caller out of turn: notices while it waits.
    pub(super) asides: mpsc::Sender<Answer>,
    /// What may be under way against what was forwarded last.
    pub(super) canceller: Canceller,
    /// Messages of the extended protocol have been forwarded since the last Sync.
    pub(super) unsynced: bool,
    /// When the catalog at hand was looked at, in changes of the database.
    pub(super) since: u64,
    /// What was decided before.
    pub(super) judgements: Judgements,
    /// After a refusal in a pipeline: everything up to the next Sync is dropped, as the target would.
    pub(super) discarding: bool,
}

/// What came of an operation.
pub(super) enum Admission {
    /// It may pass.
    Passed(Permit, Operation),
    /// It may not.
    Refused(Refusal),
    /// Its pipeline has failed while it waited: the target would skip it, and so do we.
    Skipped,
}

/// A text about to be decided.
pub(super) struct Candidate<'a> {
    pub(super) kind: OperationKind,
    pub(super) text: Arc<[u8]>,
    pub(super) parameters: Arc<[Parameter]>,
    /// The parameters' types, so far as the caller named them.
    pub(super) types: &'a [u32],
    pub(super) inspection: Arc<Inspection>,
    pub(super) catalog: &'a Arc<Catalog>,
}

impl Admit {
    /// Runs until the conversation ends.
    pub(super) async fn run(&mut self) -> Fault {
        loop {
            let frame = match self.next_frame().await {
                Ok(frame) => frame,
                Err(fault) => return fault,
            };
            if let Err(fault) = self.take(&frame).await {
                return fault;
            }
        }
    }

    /// The caller's next message. What waits for the target is sent on before waiting.
    async fn next_frame(&mut self) -> Result<Frame, Fault> {
        loop {
            if let Some(frame) = self.decoder.decode(&mut self.buffer).map_err(Fault::CallerWire)? {
                if self.upstream.is_full() {
                    self.flush().await?;
                }
                return Ok(frame);
            }
            self.flush().await?;
            read_some(&mut self.from, &mut self.buffer).await?;
        }
    }

    /// Sends on what waits for the target.
    pub(super) async fn flush(&mut self) -> Result<(), Fault> {
        self.upstream.flush().await.map_err(|_| Fault::TargetAway)
    }

    /// Notes what the target will answer. When as much is outstanding as may be this waits for answers,
    /// and then the target must have what it is to answer, and send what it has answered.
    pub(super) async fn expect(&mut self, expected: Expected) -> Result<(), Fault> {
        // Noted before anything is sent on, so that no answer comes unasked.
        self.state.expect(expected);
        if self.state.is_full() {
            if self.unsynced {
                self.upstream.forward_control(&Control::Flush);
            }
            self.flush().await?;
            self.state.room().await;
        }
        Ok(())
    }

    async fn take(&mut self, frame: &Frame) -> Result<(), Fault> {
        let message = frontend::parse(frame).map_err(Fault::CallerWire)?;
        if self.discarding && !matches!(message, FrontendMessage::Sync | FrontendMessage::Terminate) {
            return Ok(());
        }
        if !self.canceller.is_done() {
            // It is meant for what was forwarded before.
            self.flush().await?;
            self.canceller.done().await;
        }
        match message {
            // Apart, as what deciding takes is no part of a connection that waits.
            FrontendMessage::Query(text) => Box::pin(self.query(frame, text)).await,
            FrontendMessage::Parse { name, text, types } => {
                Box::pin(self.parse(frame, name, text, types)).await
            }
            FrontendMessage::Bind(bind) => Box::pin(self.bind(frame, &bind)).await,
            FrontendMessage::Execute { portal, .. } => self.execute(frame, portal).await,
            FrontendMessage::Describe(subject, name) => self.describe(subject, name).await,
            FrontendMessage::Close(subject, name) => self.close(subject, name).await,
            FrontendMessage::Sync => self.sync().await,
            FrontendMessage::Flush => {
                if !self.ignores_sync() {
                    self.upstream.forward_control(&Control::Flush);
                }
                Ok(())
            }
            FrontendMessage::CopyData(_) | FrontendMessage::CopyDone | FrontendMessage::CopyFail(_) => {
                self.copy_in(frame, &message).await
            }
            FrontendMessage::Terminate => Err(Fault::Goodbye),
            FrontendMessage::FunctionCall | FrontendMessage::Password(_) => {
                self.refuse_message(message.name()).await
            }
        }
    }

    /// `Query`: one operation, however many statements it holds.
    async fn query(&mut self, frame: &Frame, text: &[u8]) -> Result<(), Fault> {
        if self.skips_cycle().await? {
            return Ok(());
        }
        self.read_session().await?;
        let catalog = match self.catalog("Query").await? {
            Ok(catalog) => catalog,
            Err(refusal) => return self.refuse_query(UNREADABLE, &refusal).await,
        };
        let text: Arc<[u8]> = Arc::from(text);
        let inspection = inspect(&self.session, &self.state, &text, &[], &catalog);
        if let Some(reason) = stated_reason(&inspection) {
            return self.keep_reason(&reason).await;
        }
        let candidate = Candidate {
            kind: OperationKind::Query,
            text: Arc::clone(&text),
            parameters: Arc::from([]),
            types: &[],
            inspection: Arc::clone(&inspection),
            catalog: &catalog,
        };
        match self.admit(candidate).await? {
            Admission::Passed(permit, operation) => {
                let masks = self.masks(catalog);
                let strict = self.strict(&masks, &inspection);
                let grant =
                    self.upstream.forward(permit, &operation, frame.raw()).map_err(|_| Fault::WrongPermit)?;
                let running = Arc::new(Running::new(grant, inspection, text, masks, strict));
                self.began(&running, false);
                // Its own ready ends the cycle; should a transaction go on, its status says so.
                self.unsynced = false;
                self.expect(Expected::Query(running)).await?;
                Ok(())
            }
            Admission::Refused(refusal) => self.refuse_query(sqlstate(refusal.code), &refusal).await,
            Admission::Skipped => Ok(()),
        }
    }

    /// Decides one operation, waits for a human where policy asks for one, and writes it ahead.
    ///
    /// A hold is decided on what is true, not on what a pipeline will probably come to: everything
    /// before it is answered first, and the decision taken again.
    pub(super) async fn admit(&mut self, mut candidate: Candidate<'_>) -> Result<Admission, Fault> {
        if self.leaves_settings_open(&candidate.inspection) {
            let inspection = &mut candidate.inspection;
            let mut ambiguous = (**inspection).clone();
            ambiguous.facts.unknown = Some(sallyport_core::Unknown {
                code: sallyport_core::UnknownCode::Ambiguous,
                detail: "the end of a transaction that changed settings, and statements after it".to_owned(),
            });
            *inspection = Arc::new(ambiguous);
        }
        let masks = self.masks(Arc::clone(candidate.catalog));
        let in_transaction = self.in_transaction();
        let Judgement { facts, decision: decided, revealing, .. } =
            self.judgements.judge(&self.session, &masks, &candidate.inspection, in_transaction);
        let mut decision = Arc::clone(&decided);
        if decision.effect == Effect::Hold && candidate.kind != OperationKind::Prepare {
            self.settle().await?;
            if self.state.lock().failed {
                return Ok(Admission::Skipped);
            }
            decision = Arc::new(self.session.decide(&facts, self.in_transaction()));
        }
        let in_transaction = self.in_transaction();
        let (bound, transaction) = {
            let inner = self.state.lock();
            // Only an approver reads the earlier statements.
            let shown = decision.effect == Effect::Hold;
            let transaction = if shown { inner.transaction() } else { Vec::new() };
            (self.judgements.bound(&inner.reading, in_transaction), transaction)
        };
        let text = Arc::clone(&candidate.text);
        let recorded = super::recorded(&text);
        let key = masks.labels.hash_key().filter(|_| recorded.withholds());
        let digest = Binding {
            principal: &self.session.principal,
            target: &self.session.target.name,
            database: &self.session.database,
            state: &bound,
            text: &candidate.text,
            parameters: &candidate.parameters,
            key: key.map(|key| key.expose().as_slice()),
        }
        .digest();
        let operation = Operation {
            number: self.session.next_operation(),
            kind: candidate.kind,
            text: candidate.text,
            parameters: candidate.parameters,
            digest,
        };
        let shown = match decision.effect {
            Effect::Hold => parameters::shown(&operation.parameters),
            Effect::Allow | Effect::Deny => Vec::new(),
        };
        let asked = Asked {
            operation: &operation,
            recorded: &recorded,
            facts: &facts,
            in_transaction,
            undone_by_end: self.is_in_open_transaction(),
            state: &bound,
            parameters: &shown,
            transaction: &transaction,
        };
        if decision.effect != Effect::Deny && candidate.kind != OperationKind::Prepare {
            decision = match revealing {
                Some(revealing) if Arc::ptr_eq(&decision, &decided) => revealing,
                _ => with_reveals(&self.session, &masks, &candidate.inspection, decision),
            };
        }
        // Preparing runs nothing: what would be held is held when it is bound.
        if candidate.kind == OperationKind::Prepare && decision.effect == Effect::Hold {
            decision = Arc::new(Decision { effect: Effect::Allow, hold: None, ..(*decision).clone() });
        }
        if let Some(refusal) = self.unsure(&decision, &operation, &candidate.inspection, candidate.catalog) {
            let refusal = gate::refuse(&self.session, &asked, decision, None, refusal).await;
            return Ok(Admission::Refused(refusal));
        }
        let mut holding = Holding::new(
            &self.session,
            &self.state,
            Wire { from: &mut self.from, buffer: &mut self.buffer, asides: &self.asides },
            Held {
                text: &operation.text,
                types: candidate.types,
                inspection: &candidate.inspection,
                catalog: candidate.catalog,
                since: &mut self.since,
            },
        );
        match gate::pass(&self.session, &asked, decision, &mut holding).await {
            Ok(permit) => Ok(Admission::Passed(permit, operation)),
            Err(refusal) => Ok(Admission::Refused(refusal)),
        }
    }

    /// What would be allowed and yet cannot be carried surely: a COPY whose data could not be masked, or
    /// whose data nobody could have seen before approving it, or a masked value that came back.
    fn unsure(
        &self,
        decision: &Decision,
        operation: &Operation,
        inspection: &Inspection,
        catalog: &Arc<Catalog>,
    ) -> Option<Refusal> {
        if decision.effect == Effect::Deny {
            return None;
        }
        let copies_in = inspection.statements.iter().any(|statement| statement.kind == StatementKind::CopyIn);
        if copies_in && decision.effect == Effect::Hold {
            return Some(
                Refusal::new(
                    RefusalCode::Denied,
                    Blame::Policy,
                    format!(
                        "a COPY whose data nobody could see cannot wait for approval (rule {})",
                        decision.rule
                    ),
                )
                .hint("send the rows as INSERT statements, which an approver can read"),
            );
        }
        let states = |statement: &Inspected| matches!(statement.kind, StatementKind::StatesReason(_));
        if inspection.statements.iter().any(states) {
            return Some(
                Refusal::new(
                    RefusalCode::Protocol,
                    Blame::Downstream,
                    "a reason is stated by a simple query of its own, or at start-up",
                )
                .hint("send SET sallyport.reason alone, without parameters"),
            );
        }
        if let Some(refusal) = self.written_back(operation, inspection) {
            return Some(refusal);
        }
        let masks = self.masks(Arc::clone(catalog));
        for statement in &inspection.statements {
            if let StatementKind::CopyOut(options) = &statement.kind
                && super::results::copy_plan(&self.session, &masks, options, &statement.lineage).is_err()
            {
                return Some(
                    Refusal::new(
                        RefusalCode::Mask,
                        Blame::Policy,
                        "the data of this COPY could not be masked surely",
                    )
                    .hint("name its columns, or use SELECT"),
                );
            }
        }
        None
    }

    /// Whether the text ends a transaction whose end changes how texts are read, and goes on after that.
    fn leaves_settings_open(&self, inspection: &Inspection) -> bool {
        let ends = |statement: &Inspected| {
            matches!(
                statement.kind,
                StatementKind::Commit | StatementKind::Rollback | StatementKind::RollbackTo
            )
        };
        let (touched, dirty) = {
            let inner = self.state.lock();
            (inner.is_touched(), inner.dirty)
        };
        (touched || dirty) && inspection.statements.iter().rev().skip(1).any(ends)
    }

    /// Whether the next operation runs in a transaction that was there before it.
    pub(super) fn in_transaction(&self) -> bool {
        self.unsynced || self.state.lock().status != TransactionStatus::Idle
    }

    /// Whether the target itself has said that a transaction is open, and nothing that was sent since could end
    /// it: what may is a barrier until it is answered.
    fn is_in_open_transaction(&self) -> bool {
        let inner = self.state.lock();
        inner.status == TransactionStatus::Open && !inner.barrier
    }

    /// Notes what an operation will have changed, and remembers it for approvers of later ones.
    pub(super) fn began(&self, running: &Arc<Running>, extended: bool) {
        let mut inner = self.state.lock();
        let copies =
            running.inspection.statements.iter().filter(|it| it.kind == StatementKind::CopyIn).count();
        inner.changing.begins(&running.inspection.facts.actions);
        for action in &running.inspection.facts.actions {
            let temporary =
                |object: &ObjectName| object.schema.as_deref().is_some_and(|it| it.starts_with("pg_temp"));
            if action.action == Verb::Create && action.object.as_ref().is_some_and(temporary) {
                inner.reading.made_temporary();
            }
            inner.code_ran |= action.group == Group::Code;
        }
        inner.code_ran |= running.inspection.facts.unknown.is_some();
        for statement in &running.inspection.statements {
            for effect in &statement.effects {
                match effect {
                    StateEffect::SettingsDirty => inner.settings_may_change(),
                    StateEffect::Prepares(..)
                    | StateEffect::Deallocates(_)
                    | StateEffect::Declares(..)
                    | StateEffect::Closes(_)
                    | StateEffect::CatalogDirty => inner.barrier = true,
                }
            }
            match statement.kind {
                StatementKind::RollbackTo => inner.rolled_back_to_savepoint(),
                StatementKind::Begin | StatementKind::Commit | StatementKind::Rollback => {
                    inner.barrier = true
                }
                StatementKind::CopyIn => {
                    inner.copy_in = Some(super::state::CopyIn {
                        running: Arc::clone(running),
                        grant: running.grant.clone(),
                        open: false,
                        left: copies,
                        syncs_behind: 0,
                        extended,
                        tail: Vec::new(),
                    });
                }
                _ => {}
            }
        }
        inner.note_statement(&running.text);
    }

    /// Whether the target's own errors may hold protected values.
    pub(super) fn strict(&mut self, masks: &Masks, inspection: &Arc<Inspection>) -> bool {
        let in_transaction = self.in_transaction();
        self.judgements.judge(&self.session, masks, inspection, in_transaction).strict
    }

    /// What results are masked by from now on.
    pub(super) fn masks(&self, catalog: Arc<Catalog>) -> Masks {
        let since = self.since;
        Masks { policy: self.session.policy(), labels: self.session.labels(), catalog, since }
    }

    /// Refuses a simple Query. When nothing is outstanding and no transaction is open the answer is ours
    /// alone; else the target is made to abort, and its error replaced.
    async fn refuse_query(&mut self, state: &str, refusal: &Refusal) -> Result<(), Fault> {
        let mut out = BytesMut::new();
        put_refusal_as(&mut out, Severity::Error, state, refusal);
        let idle = !self.unsynced && {
            let inner = self.state.lock();
            !inner.is_waiting() && inner.status == TransactionStatus::Idle
        };
        if idle {
            sallyport_wire::pg::backend::put_ready_for_query(&mut out, TransactionStatus::Idle);
            self.expect(Expected::Local(self.answer(out))).await?;
            return Ok(());
        }
        self.upstream.forward_control(&Control::Abort);
        self.upstream.forward_control(&Control::Sync);
        self.unsynced = false;
        self.expect(Expected::Refused(self.answer(out))).await?;
        self.expect(Expected::Sync).await?;
        Ok(())
    }

    /// Whether the target would skip a message that is a cycle of its own, as Query is: in a pipeline that
    /// has failed it waits for the Sync.
    pub(super) async fn skips_cycle(&mut self) -> Result<bool, Fault> {
        if !self.unsynced {
            return Ok(false);
        }
        self.settle().await?;
        Ok(self.state.lock().failed)
    }
}

/// A protocol message that this gateway does not carry.
pub(super) fn not_carried(name: &str) -> Refusal {
    Refusal::new(RefusalCode::Protocol, Blame::Downstream, format!("the message {name} is not carried"))
        .detail("protocol PostgreSQL 3.0")
        .hint("use a query instead; docs/protocols/postgres.md lists what is carried")
}

/// An internal fault that refuses.
pub(super) fn broken(what: &'static str) -> Fault {
    wording::internal(what).into()
}
