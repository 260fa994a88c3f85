//! A text that may run: read, decided, held where policy asks for it, written ahead, forwarded.

use std::sync::Arc;

use bytes::{BufMut as _, BytesMut};
use sallyport_core::{Binding, Decision, Effect, Facts, Group, Operation, OperationKind, Parameter, Refusal};
use sallyport_inspect::mysql::{Inspection, StateEffect, StatementKind};
use sallyport_wire::mysql::command::number;
use sallyport_wire::mysql::reply::Done;
use sallyport_wire::mysql::{Packet, put_packet};

use super::catalog::Catalog;
use super::fault::Fault;
use super::holding::Holding;
use super::masking::Basis;
use super::running::Running;
use super::talk::Talk;
use super::unsure::never;
use super::{catalog, deciding, parameters};
use crate::decided::{Decided, Under};
use crate::gate::{self, Asked, Permit};

/// Earlier statements of a transaction that an approver is shown, and the longest of them, characters.
const SHOWN_STATEMENTS: usize = 50;
const SHOWN_CHARACTERS: usize = 2000;

/// What came of an operation.
pub(super) enum Admission {
    /// It may pass.
    Passed(Permit, Operation),
    /// It may not.
    Refused(Refusal),
}

/// A text about to be decided.
pub(super) struct Candidate {
    pub(super) kind: OperationKind,
    pub(super) text: Arc<[u8]>,
    pub(super) parameters: Arc<[Parameter]>,
    /// How many rows of parameters there are, where there may be several.
    pub(super) rows: Option<usize>,
    pub(super) inspection: Arc<Inspection>,
    /// The state that it is read in, for its digest.
    pub(super) reading: super::reading::Reading,
}

/// One packet with a command.
pub(super) fn command(number: u8, rest: &[u8]) -> BytesMut {
    let mut payload = BytesMut::with_capacity(rest.len() + 1);
    payload.put_u8(number);
    payload.put_slice(rest);
    let mut out = BytesMut::with_capacity(payload.len() + 8);
    let mut sequence = 0;
    put_packet(&mut out, &mut sequence, &payload);
    out
}

impl Talk {
    /// Reads a text in the session's present state.
    pub(super) fn inspect(&self, text: &[u8]) -> Arc<Inspection> {
        self.session.house.protocols.mysql.inspected.inspect(text, &self.reading.context())
    }

    /// `COM_QUERY`: one operation, however many statements it holds.
    pub(super) async fn query(&mut self, text: &[u8]) -> Result<(), Fault> {
        self.read_session().await?;
        if let Some(reason) = stated_reason(text) {
            self.session.set_reason(&reason);
            let done = Done { status: self.status, ..Done::default() };
            self.caller.put_done(&done);
            return Ok(());
        }
        let text: Arc<[u8]> = Arc::from(text);
        let inspection = self.inspect(&text);
        if let [statement] = inspection.statements.as_slice()
            && let StatementKind::Kill { query, connection: Some(connection) } = statement.kind
            && inspection.facts.unknown.is_none()
        {
            return self.kill(connection, query);
        }
        let message = command(number::QUERY, &text);
        let (text, inspection) = self.with_prepared(text, inspection);
        self.run_text(text, inspection, &message, Answer::Results).await
    }

    /// `COM_INIT_DB`, decided as the USE that it is. The name of the session's target stands for its database.
    pub(super) async fn init_db(&mut self, name: &[u8]) -> Result<(), Fault> {
        let target = &self.session.target;
        let asked = std::str::from_utf8(name).unwrap_or_default();
        let name = match asked.strip_prefix(target.name.as_str()) {
            Some("") => target.database.clone().into_bytes(),
            Some(rest) if rest.starts_with('/') => rest.trim_start_matches('/').as_bytes().to_vec(),
            _ => name.to_vec(),
        };
        let text = quoted("USE ", &name, "");
        let message = command(number::INIT_DB, &name);
        self.run_made(text, &message, Answer::Results).await
    }

    /// `COM_FIELD_LIST`, decided as the SHOW COLUMNS that it is.
    pub(super) async fn field_list(
        &mut self,
        packet: &Packet,
        table: &[u8],
        _wildcard: &[u8],
    ) -> Result<(), Fault> {
        let text = quoted("SHOW COLUMNS FROM ", table, "");
        let message = command(number::FIELD_LIST, packet.payload().get(1..).unwrap_or_default());
        self.run_made(text, &message, Answer::Columns).await
    }

    /// `COM_STATISTICS`, decided as SHOW STATUS.
    pub(super) async fn statistics(&mut self, packet: &Packet) -> Result<(), Fault> {
        let message = command(number::STATISTICS, packet.payload().get(1..).unwrap_or_default());
        self.run_made(b"SHOW STATUS".to_vec(), &message, Answer::Line).await
    }

    /// A command that has no text: decided by the statement that does the same.
    async fn run_made(&mut self, text: Vec<u8>, message: &[u8], answer: Answer) -> Result<(), Fault> {
        self.read_session().await?;
        let text: Arc<[u8]> = Arc::from(text);
        let inspection = self.inspect(&text);
        self.run_text(text, inspection, message, answer).await
    }

    async fn run_text(
        &mut self,
        text: Arc<[u8]>,
        inspection: Arc<Inspection>,
        message: &[u8],
        answer: Answer,
    ) -> Result<(), Fault> {
        let candidate = Candidate {
            kind: OperationKind::Query,
            text,
            parameters: Arc::from([]),
            rows: None,
            inspection: Arc::clone(&inspection),
            reading: self.reading.clone(),
        };
        let catalog = self.catalog(&inspection.facts).await?;
        match self.admit(candidate, &catalog).await? {
            Admission::Refused(refusal) => {
                self.put_refusal(&refusal);
                Ok(())
            }
            Admission::Passed(permit, operation) => {
                let mut running =
                    self.forward(permit, &operation, message, Arc::clone(&inspection), &catalog)?;
                self.send_on().await?;
                match answer {
                    Answer::Results => self.results(&mut running, false).await?,
                    Answer::Columns => self.columns_only(&mut running).await?,
                    Answer::Line => self.line(&mut running).await?,
                }
                if running.error.is_none() && !self.dirty {
                    self.named.ended(&inspection, &operation.text, &self.reading);
                }
                self.ended(running)
            }
        }
    }

    /// Forwards what may pass, and notes what it will have changed.
    pub(super) fn forward(
        &mut self,
        permit: Permit,
        operation: &Operation,
        message: &[u8],
        inspection: Arc<Inspection>,
        catalog: &Arc<Catalog>,
    ) -> Result<Running, Fault> {
        let basis = Basis::new(&self.session, Arc::clone(catalog), &inspection, &operation.text, &self.taint);
        let grant =
            self.target.upstream.forward(permit, operation, message).map_err(|_| Fault::WrongPermit)?;
        self.began(&inspection, &operation.text, &basis);
        Ok(Running::new(grant, inspection, basis))
    }

    /// Notes what an operation may change.
    fn began(&mut self, inspection: &Inspection, text: &[u8], basis: &Basis) {
        let facts = &inspection.facts;
        let effects = inspection.statements.iter().flat_map(|statement| &statement.effects);
        for effect in effects {
            match effect {
                StateEffect::Uses(_) | StateEffect::LeavesDatabase | StateEffect::ReadingDirty => {
                    self.dirty = true;
                }
                StateEffect::CatalogDirty => catalog::changed(&self.session),
            }
        }
        let ran_code = inspection.statements.iter().any(|statement| statement.unclassed_code)
            || facts.unknown.is_some()
            || facts.touches(Group::Code);
        self.dirty |= ran_code;
        self.named.began(inspection, text, ran_code, &self.reading);
        self.taint.began(inspection, text, basis);
        if self.transaction.len() >= SHOWN_STATEMENTS {
            self.transaction.remove(0);
        }
        let shown = sallyport_core::visible::bytes(super::recorded(text).text());
        let mut cut: String = shown.chars().take(SHOWN_CHARACTERS).collect();
        if cut.len() < shown.len() {
            cut.push_str(" … (cut)");
        }
        self.transaction.push(cut);
    }

    /// The target's catalog, recent enough to decide by; read again when the facts name what it does not hold.
    pub(super) async fn catalog(&self, facts: &Facts) -> Result<Arc<Catalog>, Fault> {
        Ok(catalog::for_facts(&self.session, &self.reading, facts).await?)
    }

    /// Decides one operation, waits for a human where policy asks for one, and writes it ahead.
    pub(super) async fn admit(
        &mut self,
        candidate: Candidate,
        catalog: &Arc<Catalog>,
    ) -> Result<Admission, Fault> {
        let in_transaction = self.in_transaction();
        let under = Under::new(&self.session, &self.session.policy(), &self.session.labels(), in_transaction);
        let expanded = deciding::facts(catalog, &candidate.inspection);
        let Decided { facts, mut decision, .. } = self.decisions.of(&self.session, &expanded, &under);
        let mut bound = candidate.reading.bound(in_transaction);
        if let Some(rows) = candidate.rows {
            bound.insert("parameter_rows", rows.to_string());
        }
        let labels = self.session.labels();
        let text = Arc::clone(&candidate.text);
        let recorded = super::recorded(&text);
        let key = labels.hash_key().filter(|_| recorded.withholds());
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
        // A refusal, too, is of this one.
        self.caller.operation = operation.number;
        self.caller.rows = 0;
        // Preparing runs nothing: what would be held is held when it is executed.
        if candidate.kind == OperationKind::Prepare && decision.effect == Effect::Hold {
            decision = Arc::new(Decision { effect: Effect::Allow, hold: None, ..(*decision).clone() });
        }
        let is_held = decision.effect == Effect::Hold;
        let shown = if is_held { parameters::shown(&operation.parameters) } else { Vec::new() };
        let asked = Asked {
            operation: &operation,
            recorded: &recorded,
            facts: &facts,
            in_transaction,
            // Not every engine has transactions.
            undone_by_end: false,
            state: &bound,
            parameters: &shown,
            transaction: &self.transaction,
        };
        if decision.effect != Effect::Deny
            && let Some(refusal) = never(&candidate.inspection)
                .or_else(|| self.hidden_setting(&candidate.inspection, &operation, catalog))
                .or_else(|| self.asks_of_variables(&candidate.inspection))
                .or_else(|| self.written_back(&candidate.inspection, &operation))
        {
            let refusal = gate::refuse(&self.session, &asked, decision, None, refusal).await;
            return Ok(Admission::Refused(refusal));
        }
        let mut holding = Holding::new(&self.session, &mut self.caller, &self.shared.withdrawals);
        match gate::pass(&self.session, &asked, decision, &mut holding).await {
            Ok(permit) => Ok(Admission::Passed(permit, operation)),
            Err(refusal) => Ok(Admission::Refused(refusal)),
        }
    }
}

/// How a command is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Results, one or several.
    Results,
    /// Columns without rows.
    Columns,
    /// A line of text.
    Line,
}

/// A name in back-ticks between words. Bytes that are no text make a text that does not read, and is unknown.
fn quoted(before: &str, name: &[u8], after: &str) -> Vec<u8> {
    let mut text = before.as_bytes().to_vec();
    text.push(b'`');
    for byte in name {
        if *byte == b'`' {
            text.push(b'`');
        }
        text.push(*byte);
    }
    text.push(b'`');
    text.extend_from_slice(after.as_bytes());
    text
}

/// The reason in `SET @sallyport_reason = '…'`: kept by the gateway, never forwarded.
fn stated_reason(text: &[u8]) -> Option<String> {
    const NAME: &str = "@sallyport_reason";
    let text = std::str::from_utf8(text).ok()?.trim().trim_end_matches(';').trim_end();
    let (set, rest) = text.split_once(char::is_whitespace)?;
    let (name, value) = rest.split_once('=')?;
    let name = name.trim().trim_end_matches(':');
    if !set.eq_ignore_ascii_case("set") || !name.trim().eq_ignore_ascii_case(NAME) {
        return None;
    }
    let inner = value.trim().strip_prefix('\'')?.strip_suffix('\'')?;
    (!inner.contains(['\'', '\\'])).then(|| inner.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_told_from_any_other_assignment() {
        assert_eq!(stated_reason(b"SET @sallyport_reason = 'ticket 7';").as_deref(), Some("ticket 7"));
        assert_eq!(stated_reason(b"set @Sallyport_Reason:='x'").as_deref(), Some("x"));
        for other in [
            "SET @other = 'x'",
            "SET @sallyport_reason = 'x', sql_mode = ''",
            "SET @sallyport_reason = 'a' 'b'",
            "SET @sallyport_reason = (SELECT 1)",
            "SELECT @sallyport_reason = 'x'",
        ] {
            assert_eq!(stated_reason(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn a_name_cannot_leave_its_quotes() {
        assert_eq!(quoted("USE ", b"a`; DROP TABLE t; -- ", ""), b"USE `a``; DROP TABLE t; -- `");
    }
}
