//! Prepared statements. Preparing is decided and runs nothing; each execution is the operation, with its
//! decoded parameters.
//!
//! Parts of a long parameter stay here until the execution: they go to the target under its permit. Rows of a
//! cursor belong to the execution that opened it.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::{BufMut as _, BytesMut};
use sallyport_core::{Blame, OperationKind, Parameter, Refusal, RefusalCode};
use sallyport_inspect::mysql::Inspection;
use sallyport_wire::mysql::command::{Execute, ParameterType, Value, number};
use sallyport_wire::mysql::reply::{Failure, Prepared, tag};
use sallyport_wire::mysql::{Packet, capability as cap, put_packet};

use super::control::Control;
use super::fault::Fault;
use super::masking::RowPlan;
use super::operation::{Admission, Candidate, command};
use super::parameters::kept;
use super::reading::Reading;
use super::running::Running;
use super::talk::Talk;

/// Most prepared statements of one session.
const STATEMENTS: usize = 4096;
/// Most text that they may hold together, bytes.
const STATEMENT_BYTES: usize = 32 << 20;
/// How MariaDB's clients name the statement that was prepared last.
const LAST: u32 = u32::MAX;

/// An execution, decoded.
pub(super) struct Run {
    /// The statement, by the target's number.
    pub(super) number: u32,
    pub(super) parameters: Arc<[Parameter]>,
    /// How many rows of parameters there are, where there may be several.
    pub(super) rows: Option<usize>,
    /// A cursor is asked for.
    pub(super) cursor: bool,
}

/// ER_UNKNOWN_STMT_HANDLER
const NO_STATEMENT: u16 = 1243;

/// A prepared statement.
#[derive(Debug)]
pub(super) struct Statement {
    text: Arc<[u8]>,
    inspection: Arc<Inspection>,
    /// The state that it was read in; the target keeps it with the statement, too.
    reading: Reading,
    pub(super) parameters: usize,
    /// The types of the last execution, which may leave them out the next time.
    pub(super) types: Option<Vec<ParameterType>>,
    /// Parts of parameters, by their place.
    pub(super) long: BTreeMap<u16, Vec<u8>>,
    /// More was sent in parts than is kept.
    pub(super) too_long: bool,
    pub(super) cursor: Option<Cursor>,
}

/// An open cursor.
#[derive(Debug)]
pub(super) struct Cursor {
    pub(super) running: Running,
    pub(super) plan: RowPlan,
}

impl Talk {
    /// `COM_STMT_PREPARE`
    pub(super) async fn prepare(&mut self, text: &[u8]) -> Result<(), Fault> {
        // Should this one come to nothing, the number -1 names none.
        self.last_prepared = None;
        self.read_session().await?;
        let held: usize = self.statements.values().map(|statement| statement.text.len()).sum();
        if self.statements.len() >= STATEMENTS || held.saturating_add(text.len()) > STATEMENT_BYTES {
            let refusal = Refusal::new(
                RefusalCode::Limit,
                Blame::Gateway,
                "this session has too many prepared statements",
            )
            .hint("close those that are no longer used");
            return self.refuse("COM_STMT_PREPARE", &refusal);
        }
        let text: Arc<[u8]> = Arc::from(text);
        let inspection = self.inspect(&text);
        let candidate = Candidate {
            kind: OperationKind::Prepare,
            text: Arc::clone(&text),
            parameters: Arc::from([]),
            rows: None,
            inspection: Arc::clone(&inspection),
            reading: self.reading.clone(),
        };
        let catalog = self.catalog(&inspection.facts).await?;
        let (permit, operation) = match self.admit(candidate, &catalog).await? {
            Admission::Passed(permit, operation) => (permit, operation),
            Admission::Refused(refusal) => {
                self.put_refusal(&refusal);
                return Ok(());
            }
        };
        let message = command(number::STMT_PREPARE, &text);
        let dirty = self.dirty;
        let mut running = self.forward(permit, &operation, &message, Arc::clone(&inspection), &catalog)?;
        // Nothing has run.
        self.dirty = dirty;
        self.transaction.pop();
        self.send_on().await?;
        let packet = self.reply(Some(&mut running)).await?;
        match packet.tag() {
            tag::ERR => {
                self.failed(&packet, &mut running)?;
            }
            tag::OK => {
                let prepared = Prepared::parse(packet.payload()).map_err(Fault::TargetWire)?;
                self.caller.put(packet.payload());
                for count in [prepared.parameters, prepared.columns] {
                    self.definitions(usize::from(count), &mut running).await?;
                }
                let statement = Statement {
                    text,
                    inspection,
                    reading: self.reading.clone(),
                    parameters: usize::from(prepared.parameters),
                    types: None,
                    long: BTreeMap::new(),
                    too_long: false,
                    cursor: None,
                };
                self.statements.insert(prepared.statement, statement);
                self.last_prepared = Some(prepared.statement);
            }
            _ => return Err(Fault::Unasked),
        }
        self.ended(running)
    }

    /// Definitions of parameters or columns, and what ends them.
    async fn definitions(&mut self, count: usize, running: &mut Running) -> Result<(), Fault> {
        if count == 0 {
            return Ok(());
        }
        for _ in 0..count {
            let packet = self.reply(Some(running)).await?;
            self.caller.put(packet.payload());
        }
        if self.target.capabilities & cap::DEPRECATE_EOF == 0 {
            self.reply(Some(running)).await?;
        }
        if self.caller.capabilities & cap::DEPRECATE_EOF == 0 {
            self.put_eof();
        }
        Ok(())
    }

    /// `COM_STMT_EXECUTE`
    pub(super) async fn execute(&mut self, packet: &Packet, asked: u32) -> Result<(), Fault> {
        let number = self.numbered(asked);
        let Some(statement) = self.statements.get_mut(&number) else { return self.no_statement() };
        statement.cursor = None;
        if statement.too_long {
            statement.too_long = false;
            statement.long.clear();
            let refusal = Refusal::new(
                RefusalCode::Limit,
                Blame::Gateway,
                "a parameter that was sent in parts is larger than is carried",
            )
            .hint("send less at once; nothing of it was run");
            self.target.upstream.forward_control(&Control::Reset(number));
            self.send_on().await?;
            self.reply(None).await?;
            return self.refuse("COM_STMT_EXECUTE", &refusal);
        }
        let long = &statement.long;
        let sent = |index: usize| u16::try_from(index).is_ok_and(|index| long.contains_key(&index));
        let types = statement.types.as_deref();
        let execute =
            Execute::parse(packet.payload(), statement.parameters, types, sent).map_err(Fault::CallerWire)?;
        let types = execute.types.clone().or_else(|| statement.types.clone()).unwrap_or_default();
        let parameters: Vec<Parameter> = execute
            .values
            .iter()
            .zip(&types)
            .enumerate()
            .map(|(index, (value, of))| {
                let value = match value {
                    Value::Null => None,
                    Value::Bytes(bytes) => Some(bytes.to_vec()),
                    Value::Sent => u16::try_from(index).ok().and_then(|index| long.get(&index)).cloned(),
                };
                kept(*of, value)
            })
            .collect();
        let flags = execute.flags;
        // What was sent in parts goes before the execution, under the same permit.
        let mut message = BytesMut::new();
        for (parameter, data) in &statement.long {
            let mut part = BytesMut::with_capacity(data.len() + 6);
            part.put_u32_le(number);
            part.put_u16_le(*parameter);
            part.put_slice(data);
            message.put_slice(&command(number::STMT_SEND_LONG_DATA, &part));
        }
        let mut payload = BytesMut::with_capacity(packet.payload().len() + 2 * types.len());
        execute.put(&mut payload, number, &types);
        put_packet(&mut message, &mut 0, &payload);
        statement.types = Some(types);
        statement.long.clear();
        let run = Run { number, parameters: Arc::from(parameters), rows: None, cursor: flags != 0 };
        self.run_prepared(run, &message).await
    }

    /// Runs a prepared statement with decoded parameters.
    pub(super) async fn run_prepared(&mut self, run: Run, message: &[u8]) -> Result<(), Fault> {
        let Some(statement) = self.statements.get(&run.number) else { return self.no_statement() };
        let inspection = Arc::clone(&statement.inspection);
        let candidate = Candidate {
            kind: OperationKind::Execute,
            text: Arc::clone(&statement.text),
            parameters: run.parameters,
            rows: run.rows,
            inspection: Arc::clone(&inspection),
            reading: statement.reading.clone(),
        };
        let catalog = self.catalog(&inspection.facts).await?;
        match self.admit(candidate, &catalog).await? {
            Admission::Refused(refusal) => {
                self.put_refusal(&refusal);
                Ok(())
            }
            Admission::Passed(permit, operation) => {
                let mut running = self.forward(permit, &operation, message, inspection, &catalog)?;
                self.send_on().await?;
                let cursor = self.results_of(&mut running, true).await?;
                match (cursor, self.statements.get_mut(&run.number)) {
                    (Some(plan), Some(statement)) if run.cursor => {
                        statement.cursor = Some(Cursor { running, plan });
                        Ok(())
                    }
                    _ => self.ended(running),
                }
            }
        }
    }

    /// `COM_STMT_SEND_LONG_DATA`, which is never answered.
    pub(super) fn long_data(&mut self, number: u32, parameter: u16, data: &[u8]) {
        let limit = self.session.house.settings.message_bytes;
        let held: usize =
            self.statements.values().flat_map(|statement| statement.long.values()).map(Vec::len).sum();
        let number = self.numbered(number);
        let Some(statement) = self.statements.get_mut(&number) else { return };
        if usize::from(parameter) >= statement.parameters || held.saturating_add(data.len()) > limit {
            statement.too_long = true;
            statement.long.clear();
            return;
        }
        statement.long.entry(parameter).or_default().extend_from_slice(data);
    }

    /// `COM_STMT_FETCH`: rows of the execution that opened the cursor.
    pub(super) async fn fetch(&mut self, packet: &Packet, asked: u32, _rows: u32) -> Result<(), Fault> {
        let Some(mut cursor) = self.statements.get_mut(&asked).and_then(|statement| statement.cursor.take())
        else {
            return self.no_statement();
        };
        let message = command(number::STMT_FETCH, packet.payload().get(1..).unwrap_or_default());
        self.caller.operation = cursor.running.grant.operation();
        self.caller.rows = cursor.running.rows;
        self.target.upstream.forward_within(&cursor.running.grant, &message);
        self.send_on().await?;
        let ended = self.rows(&mut cursor.running, &cursor.plan, true).await?;
        let goes_on =
            ended.is_some_and(|done| done.status & sallyport_wire::mysql::reply::status::LAST_ROW == 0);
        match self.statements.get_mut(&asked) {
            Some(statement) if goes_on && cursor.running.error.is_none() => {
                statement.cursor = Some(cursor);
                Ok(())
            }
            _ => self.ended(cursor.running),
        }
    }

    /// `COM_STMT_CLOSE`, which is never answered.
    pub(super) fn close_statement(&mut self, number: u32) {
        let number = self.numbered(number);
        if self.statements.remove(&number).is_some() {
            self.target.upstream.forward_control(&Control::Close(number));
        }
    }

    /// `COM_STMT_RESET`
    pub(super) async fn reset_statement(&mut self, number: u32) -> Result<(), Fault> {
        let Some(statement) = self.statements.get_mut(&number) else { return self.no_statement() };
        statement.long.clear();
        statement.too_long = false;
        statement.cursor = None;
        self.control(Control::Reset(number)).await
    }

    /// The number that a client means.
    pub(super) fn numbered(&self, asked: u32) -> u32 {
        if asked == LAST { self.last_prepared.unwrap_or(LAST) } else { asked }
    }

    pub(super) fn no_statement(&mut self) -> Result<(), Fault> {
        let failure = Failure {
            code: NO_STATEMENT,
            state: Some(*b"HY000"),
            message: b"there is no prepared statement of that number, or it has no open cursor".to_vec(),
        };
        self.caller.put_failure(&failure);
        Ok(())
    }
}
