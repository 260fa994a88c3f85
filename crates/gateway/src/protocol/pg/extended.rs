//! The extended protocol, as the caller speaks it.
//!
//! A Parse is inspected, and denied text never goes out. The Bind is the operation: text, parameters
//! and formats, decided again under the policy and state of the moment, held there, written ahead
//! there. Its grant covers the portal's Executes. A refusal takes the form of a failed message: the
//! target is made to abort, its error is replaced, and everything up to the next Sync is dropped.

use std::sync::Arc;

use bytes::BytesMut;
use sallyport_core::{Blame, Event, OperationKind, Parameter, ParameterFormat, Refusal, RefusalCode};
use sallyport_wire::pg::Frame;
use sallyport_wire::pg::frontend::{Bind, Subject};

use super::admit::{Admission, Admit, Candidate, not_carried};
use super::control::{Control, OWN_PREFIX};
use super::definitions::UNREADABLE;
use super::expected::{Answer, Expected};
use super::fault::Fault;
use super::inspecting::inspect;
use super::refusal::{Severity, put_refusal, put_refusal_as, sqlstate};
use super::running::{Running, Statement};
use super::state::{NAMES, STATEMENT_BYTES};
use crate::wording;

impl Admit {
    /// `Parse`.
    pub(super) async fn parse(
        &mut self,
        frame: &Frame,
        name: &[u8],
        text: &[u8],
        types: Vec<u32>,
    ) -> Result<(), Fault> {
        if name.starts_with(OWN_PREFIX) {
            return self.refuse_extended("42602", &reserved()).await;
        }
        self.read_session().await?;
        let (known, full) = {
            let inner = self.state.lock();
            let held: usize = inner.statements.values().map(|statement| statement.text.len()).sum();
            let full = inner.statements.len() >= NAMES || held.saturating_add(text.len()) > STATEMENT_BYTES;
            (inner.statements.contains_key(name), full)
        };
        if known && !name.is_empty() && self.is_taken(name).await? {
            // Were the target to take another text under a known name, Bind would run what was never read.
            let refusal = Refusal::new(
                RefusalCode::Protocol,
                Blame::Downstream,
                "a prepared statement of that name exists already",
            )
            .hint("close it first, or use another name");
            return self.refuse_extended("42P05", &refusal).await;
        }
        if full {
            let refusal = Refusal::new(
                RefusalCode::Limit,
                Blame::Downstream,
                "this session has too many prepared statements, or too large ones",
            )
            .hint("close some");
            return self.refuse_extended("54000", &refusal).await;
        }
        let catalog = match self.catalog("Parse").await? {
            Ok(catalog) => catalog,
            Err(refusal) => return self.refuse_extended(UNREADABLE, &refusal).await,
        };
        let text: Arc<[u8]> = Arc::from(text);
        let inspection = inspect(&self.session, &self.state, &text, &types, &catalog);
        let candidate = Candidate {
            kind: OperationKind::Prepare,
            text: Arc::clone(&text),
            parameters: Arc::from([]),
            types: &types,
            inspection: Arc::clone(&inspection),
            catalog: &catalog,
        };
        match self.admit(candidate).await? {
            Admission::Passed(permit, operation) => {
                let masks = self.masks(catalog);
                let strict = self.strict(&masks, &inspection);
                self.upstream.forward(permit, &operation, frame.raw()).map_err(|_| Fault::WrongPermit)?;
                // Execute alone gives no RowDescription, and masking needs the columns.
                self.upstream.forward_control(&Control::Describe(Subject::Statement, name));
                let statement = Arc::new(Statement::new(text, types, strict));
                self.state.lock().statements.insert(name.to_vec(), Arc::clone(&statement));
                self.unsynced = true;
                let (operation, name) = (operation.number, name.to_vec());
                self.expect(Expected::Parse { operation, name, statement, parsed: false }).await?;
                Ok(())
            }
            Admission::Refused(refusal) => self.refuse_extended(sqlstate(refusal.code), &refusal).await,
            Admission::Skipped => Ok(()),
        }
    }

    /// Whether a statement of that name is there for certain: one that is still on its way may come to nothing.
    async fn is_taken(&mut self, name: &[u8]) -> Result<bool, Fault> {
        if self.state.lock().is_waiting() {
            self.settle().await?;
        }
        Ok(self.state.lock().statements.contains_key(name))
    }

    /// `Bind`.
    pub(super) async fn bind(&mut self, frame: &Frame, bind: &Bind<'_>) -> Result<(), Fault> {
        if bind.portal.starts_with(OWN_PREFIX) || bind.statement.starts_with(OWN_PREFIX) {
            return self.refuse_extended("42602", &reserved()).await;
        }
        self.read_session().await?;
        let statement = self.state.lock().statements.get(bind.statement).cloned();
        let Some(statement) = statement else {
            let refusal = Refusal::new(
                RefusalCode::Protocol,
                Blame::Downstream,
                "there is no prepared statement of that name here",
            )
            .hint("prepare it on this connection; a statement prepared by SQL is run by EXECUTE");
            return self.refuse_extended("26000", &refusal).await;
        };
        if self.state.lock().portals.len() >= NAMES {
            let refusal = Refusal::new(
                RefusalCode::Limit,
                Blame::Downstream,
                "this transaction has too many portals open",
            )
            .hint("close some");
            return self.refuse_extended("54000", &refusal).await;
        }
        let catalog = match self.catalog("Bind").await? {
            Ok(catalog) => catalog,
            Err(refusal) => return self.refuse_extended(UNREADABLE, &refusal).await,
        };
        let inspection = inspect(&self.session, &self.state, &statement.text, &statement.declared, &catalog);
        let Some(parameters) = parameters(&statement, bind) else {
            let refusal = Refusal::new(
                RefusalCode::Protocol,
                Blame::Downstream,
                "the message Bind has format codes that fit neither its parameters nor one for all",
            );
            return self.refuse_extended("08P01", &refusal).await;
        };
        let candidate = Candidate {
            kind: OperationKind::Execute,
            text: Arc::clone(&statement.text),
            parameters,
            types: &statement.declared,
            inspection: Arc::clone(&inspection),
            catalog: &catalog,
        };
        match self.admit(candidate).await? {
            Admission::Passed(permit, operation) => {
                let masks = self.masks(catalog);
                let strict = self.strict(&masks, &inspection);
                let grant =
                    self.upstream.forward(permit, &operation, frame.raw()).map_err(|_| Fault::WrongPermit)?;
                let text = Arc::clone(&statement.text);
                let running = Arc::new(
                    Running::new(grant, inspection, text, masks, strict)
                        .bound(statement, bind.result_formats.clone()),
                );
                let portal = bind.portal.to_vec();
                self.state.lock().portals.insert(portal.clone(), Arc::clone(&running));
                self.unsynced = true;
                self.expect(Expected::Bind { portal, running }).await?;
                Ok(())
            }
            Admission::Refused(refusal) => self.refuse_extended(sqlstate(refusal.code), &refusal).await,
            Admission::Skipped => Ok(()),
        }
    }

    /// `Execute`: covered by its portal's grant.
    pub(super) async fn execute(&mut self, frame: &Frame, portal: &[u8]) -> Result<(), Fault> {
        let running = self.state.lock().portals.get(portal).cloned();
        let Some(running) = running else {
            let refusal = Refusal::new(
                RefusalCode::Protocol,
                Blame::Downstream,
                "there is no portal of that name here",
            )
            .hint("bind it on this connection; a cursor declared by SQL is read by FETCH");
            return self.refuse_extended("34000", &refusal).await;
        };
        self.began(&running, true);
        // The target keeps answers back until it is asked for them, and the time runs from when what came
        // before is answered until this is.
        let timed = running.grant.limits().timeout_ms.is_some();
        if timed {
            self.upstream.forward_control(&Control::Flush);
        }
        self.upstream.forward_within(&running.grant, frame.raw());
        if timed {
            self.upstream.forward_control(&Control::Flush);
        }
        self.unsynced = true;
        self.expect(Expected::Execute(running)).await?;
        Ok(())
    }

    /// `Describe`.
    pub(super) async fn describe(&mut self, subject: Subject, name: &[u8]) -> Result<(), Fault> {
        if name.starts_with(OWN_PREFIX) {
            return self.refuse_extended("42602", &reserved()).await;
        }
        self.upstream.forward_control(&Control::Describe(subject, name));
        self.unsynced = true;
        self.expect(Expected::Describe(subject)).await?;
        Ok(())
    }

    /// `Close`.
    pub(super) async fn close(&mut self, subject: Subject, name: &[u8]) -> Result<(), Fault> {
        if name.starts_with(OWN_PREFIX) {
            return self.refuse_extended("42602", &reserved()).await;
        }
        let statement = {
            let mut inner = self.state.lock();
            match subject {
                Subject::Statement => inner.statements.remove(name),
                Subject::Portal => {
                    inner.portals.remove(name);
                    None
                }
            }
        };
        self.upstream.forward_control(&Control::Close(subject, name));
        self.unsynced = true;
        self.expect(Expected::Close { name: name.to_vec(), statement }).await?;
        Ok(())
    }

    /// `Sync`.
    pub(super) async fn sync(&mut self) -> Result<(), Fault> {
        if self.ignores_sync() {
            return Ok(());
        }
        if let Some(copy) = self.state.lock().copy_in.as_mut().filter(|copy| copy.is_whole() && !copy.open) {
            copy.syncs_behind += 1;
        }
        self.discarding = false;
        self.unsynced = false;
        self.upstream.forward_control(&Control::Sync);
        self.expect(Expected::Sync).await?;
        Ok(())
    }

    /// An answer of our own to the operation that was numbered last.
    pub(super) fn answer(&self, bytes: BytesMut) -> Answer {
        Answer { operation: self.session.operations(), bytes: bytes.freeze() }
    }

    /// Refuses the present message of a pipeline under an SQLSTATE.
    pub(super) async fn refuse_extended(&mut self, state: &str, refusal: &Refusal) -> Result<(), Fault> {
        let mut out = BytesMut::new();
        put_refusal_as(&mut out, Severity::Error, state, refusal);
        self.upstream.forward_control(&Control::Abort);
        self.unsynced = true;
        self.discarding = true;
        self.expect(Expected::Refused(self.answer(out))).await?;
        Ok(())
    }

    /// Refuses a message that this gateway does not carry, by name, and goes on.
    pub(super) async fn refuse_message(&mut self, name: &'static str) -> Result<(), Fault> {
        if self.skips_cycle().await? {
            return Ok(());
        }
        let refusal = not_carried(name);
        let event = Event::MessageRefused { message: name.to_owned(), refusal: refusal.clone() };
        self.session.tape.append(&event, &[]).map_err(|error| wording::recorder(&error))?;
        // FunctionCall ends its own cycle, as Query does: error, then ready.
        let mut out = BytesMut::new();
        put_refusal(&mut out, Severity::Error, &refusal);
        self.upstream.forward_control(&Control::Abort);
        self.upstream.forward_control(&Control::Sync);
        self.unsynced = false;
        self.expect(Expected::Refused(self.answer(out))).await?;
        self.expect(Expected::Sync).await?;
        Ok(())
    }
}

fn reserved() -> Refusal {
    Refusal::new(
        RefusalCode::Protocol,
        Blame::Downstream,
        "names that begin with sallyport: are the gateway's own",
    )
    .hint("use another name")
}

/// The parameters of a Bind with their types, as far as they are known; nothing when the format codes
/// do not fit them.
fn parameters(statement: &Statement, bind: &Bind<'_>) -> Option<Arc<[Parameter]>> {
    let count = bind.values.len();
    if !(bind.formats.len() <= 1 || bind.formats.len() == count) {
        return None;
    }
    let types = statement.described.get().map_or(&statement.declared, |described| &described.parameters);
    bind.values
        .iter()
        .enumerate()
        .map(|(index, value)| {
            let format = match bind.formats.as_slice() {
                [] => 0,
                [one] => *one,
                each => *each.get(index)?,
            };
            let format = match format {
                0 => ParameterFormat::Text,
                1 => ParameterFormat::Binary,
                _ => return None,
            };
            let type_id = types.get(index).copied().unwrap_or(0);
            Some(Parameter { type_id, format, value: value.map(<[u8]>::to_vec) })
        })
        .collect()
}
