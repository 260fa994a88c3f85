//! The loop of a conversation: one command after the other, as the server itself takes them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sallyport_core::{Blame, Event, Refusal, RefusalCode};
use sallyport_inspect::mysql::Flavour;
use sallyport_wire::mysql::command::Command;
use sallyport_wire::mysql::reply::{Done, Failure, column_count, end, is_end, status, tag};
use sallyport_wire::mysql::row::text_values;
use sallyport_wire::mysql::{Packet, capability as cap};

use super::control::Control;
use super::conversation::{Canceller, Shared};
use super::fault::Fault;
use super::masking::Taint;
use super::named::Named;
use super::prepared::Statement;
use super::reading::{Reading, unread};
use super::refusal::failure;
use super::running::Running;
use super::sides::{Caller, Taken, TargetSide, read_some, read_target};
use crate::decided::Decisions;
use crate::session::Session;
use crate::wording;

/// While the target works, so much of what the caller sends is kept; more would be memory without bound.
const READ_AHEAD: usize = 64 << 10;
/// A cancel of our own is waited for so long.
const CANCELLED: Duration = Duration::from_secs(12);

/// A conversation's two sides and what the session has become.
pub(super) struct Talk {
    pub(super) session: Arc<Session>,
    pub(super) shared: Arc<Shared>,
    pub(super) caller: Caller,
    pub(super) target: TargetSide,
    pub(super) canceller: Canceller,
    /// How texts are read.
    pub(super) reading: Reading,
    /// `reading` may be out of date.
    pub(super) dirty: bool,
    /// As last reported by the target.
    pub(super) status: u16,
    /// Prepared statements, by the target's number.
    pub(super) statements: BTreeMap<u32, Statement>,
    /// The one prepared last, which MariaDB's clients may name by -1.
    pub(super) last_prepared: Option<u32>,
    /// Statements that were prepared in SQL.
    pub(super) named: Named,
    /// What of the session's own may hold protected values.
    pub(super) taint: Taint,
    /// Earlier statements of the open transaction, for approvers.
    pub(super) transaction: Vec<String>,
    /// What was decided before.
    pub(super) decisions: Decisions,
}

impl Talk {
    pub(super) fn new(
        session: Arc<Session>,
        shared: Arc<Shared>,
        caller: Caller,
        target: TargetSide,
        canceller: Canceller,
        flavour: Flavour,
    ) -> Self {
        Self {
            session,
            shared,
            caller,
            target,
            canceller,
            reading: Reading::new(flavour),
            dirty: true,
            status: status::AUTOCOMMIT,
            statements: BTreeMap::new(),
            last_prepared: None,
            named: Named::default(),
            taint: Taint::default(),
            transaction: Vec::new(),
            decisions: Decisions::default(),
        }
    }

    /// Runs until the conversation ends.
    pub(super) async fn run(&mut self) -> Fault {
        loop {
            if let Err(fault) = self.step().await {
                return fault;
            }
        }
    }

    async fn step(&mut self) -> Result<(), Fault> {
        self.caller.send(&self.session).await?;
        self.shared.busy.store(false, Ordering::Relaxed);
        let packet = self.next_command().await?;
        // A command begins a numbering; anything else is a peer that is out of step.
        if packet.first != 0 {
            return Err(Fault::CallerWire(sallyport_wire::mysql::WireError::Order));
        }
        self.caller.sequence = packet.last.wrapping_add(1);
        self.cancels_done().await;
        let command = Command::parse(packet.payload()).map_err(Fault::CallerWire)?;
        // Apart: what deciding takes is no part of a connection that waits.
        Box::pin(self.take(&packet, command)).await
    }

    /// The caller's next command. A target that speaks or leaves meanwhile does so unasked.
    async fn next_command(&mut self) -> Result<Packet, Fault> {
        loop {
            let caller = &mut self.caller;
            if let Some(packet) = caller.decoder.decode(&mut caller.buffer).map_err(Fault::CallerWire)? {
                return Ok(packet);
            }
            tokio::select! {
                read = read_some(&mut caller.from, &mut caller.buffer) => read?,
                // A server that shuts down or waited too long says so and closes.
                read = read_target(&mut self.target.from, &mut self.target.buffer) => {
                    read?;
                    return Err(Fault::TargetAway);
                }
            }
        }
    }

    /// Waits until no cancel is under way that could hit what comes next.
    async fn cancels_done(&self) {
        let mut count = self.shared.cancelling.subscribe();
        if *count.borrow() == 0 {
            return;
        }
        let done = tokio::time::timeout(CANCELLED, count.wait_for(|count| *count == 0)).await;
        if done.is_err() {
            tracing::warn!(session = %self.session.id, "a cancel is still under way");
        }
    }

    async fn take(&mut self, packet: &Packet, command: Command<'_>) -> Result<(), Fault> {
        match command {
            Command::Quit => Err(Fault::Goodbye),
            Command::Query(text) => self.query(text).await,
            Command::InitDb(name) => self.init_db(name).await,
            Command::FieldList { table, wildcard } => self.field_list(packet, table, wildcard).await,
            Command::Statistics => self.statistics(packet).await,
            Command::Prepare(text) => self.prepare(text).await,
            Command::Execute { statement } => self.execute(packet, statement).await,
            Command::BulkExecute { statement } => self.execute_bulk(packet, statement).await,
            Command::SendLongData { statement, parameter, data } => {
                self.long_data(statement, parameter, data);
                Ok(())
            }
            Command::Fetch { statement, rows } => self.fetch(packet, statement, rows).await,
            Command::Close(statement) => {
                self.close_statement(statement);
                Ok(())
            }
            Command::Reset(statement) => self.reset_statement(statement).await,
            Command::Ping => self.control(Control::Ping).await,
            Command::SetOption(option) => self.control(Control::SetOption(option)).await,
            Command::ResetConnection => {
                self.statements.clear();
                self.last_prepared = None;
                self.transaction.clear();
                self.dirty = true;
                self.taint.forget();
                self.named.forget();
                self.control(Control::ResetConnection).await
            }
            Command::ProcessKill(number) => self.kill(number, false),
            Command::Other(number) => self.refuse_message(name_of(number)),
        }
    }

    /// A message that carries no operation, and is answered with OK, an end or an error.
    pub(super) async fn control(&mut self, control: Control) -> Result<(), Fault> {
        self.target.upstream.forward_control(&control);
        self.send_on().await?;
        let packet = self.reply(None).await?;
        match packet.tag() {
            tag::ERR => {
                let said = Failure::parse(packet.payload()).map_err(Fault::TargetWire)?;
                self.put_target_failure(&said, false);
            }
            tag::OK => {
                let done = Done::parse(packet.payload()).map_err(Fault::TargetWire)?;
                self.status = done.status;
                self.caller.put_done(&done);
            }
            // SET_OPTION is answered with an EOF.
            tag::EOF if is_end(packet.payload(), 0) => {
                let done = end(packet.payload(), 0).map_err(Fault::TargetWire)?;
                let capabilities = self.caller.capabilities;
                self.caller.put_with(|out| done.put_end(out, capabilities));
            }
            tag::EOF => {
                let done = Done::parse(packet.payload()).map_err(Fault::TargetWire)?;
                let capabilities = self.caller.capabilities;
                self.caller.put_with(|out| done.put_end(out, capabilities));
            }
            _ => return Err(Fault::Unasked),
        }
        Ok(())
    }

    /// Sends on what waits for the target, which works from now on.
    pub(super) async fn send_on(&mut self) -> Result<(), Fault> {
        self.shared.busy.store(true, Ordering::Relaxed);
        self.target.flush().await
    }

    /// The target's next packet. What was gathered for the caller is sent before waiting; a caller that leaves
    /// ends the conversation; an operation that runs too long is cancelled.
    pub(super) async fn reply(&mut self, mut running: Option<&mut Running>) -> Result<Packet, Fault> {
        loop {
            match self.target.take()? {
                Taken::Packet(packet) => return Ok(packet),
                Taken::TooLarge(limit) => {
                    let Some(running) = running.as_deref_mut() else { return Err(Fault::Unasked) };
                    self.cut(running, wording::row_too_large(limit));
                    continue;
                }
                Taken::Nothing => {}
            }
            self.caller.send(&self.session).await?;
            let deadline = running.as_deref().and_then(|running| running.deadline);
            let may_read = self.caller.buffer.len() < READ_AHEAD;
            tokio::select! {
                read = read_target(&mut self.target.from, &mut self.target.buffer) => read?,
                read = read_some(&mut self.caller.from, &mut self.caller.buffer), if may_read => read?,
                () = sleep_until(deadline), if deadline.is_some() => {
                    if let Some(running) = running.as_deref_mut() {
                        running.deadline = None;
                        let limit = running.grant.limits().timeout_ms.unwrap_or_default();
                        self.cut(running, wording::timed_out(limit));
                    }
                }
            }
        }
    }

    /// Ends an operation's result here, and cancels what is left of it.
    pub(super) fn cut(&self, running: &mut Running, refusal: Refusal) {
        if running.cut.is_none() && !running.muted {
            running.cut = Some(refusal);
            self.canceller.cancel();
        }
    }

    /// Makes sure that the next text is read as the target would read it.
    pub(super) async fn read_session(&mut self) -> Result<(), Fault> {
        if !self.dirty {
            return Ok(());
        }
        self.target.upstream.forward_control(&Control::Ask);
        self.send_on().await?;
        let first = self.reply(None).await?;
        if matches!(first.tag(), tag::OK | tag::ERR) {
            return Err(unread().into());
        }
        let columns = column_count(first.payload()).map_err(Fault::TargetWire)?;
        let ends = usize::from(self.target.capabilities & cap::DEPRECATE_EOF == 0);
        for _ in 0..columns + ends {
            self.reply(None).await?;
        }
        let mut rows: Vec<Vec<Option<Vec<u8>>>> = Vec::new();
        loop {
            let packet = self.reply(None).await?;
            let payload = packet.payload();
            if packet.tag() == tag::ERR || rows.len() > 1 {
                return Err(unread().into());
            }
            if is_end(payload, self.target.capabilities) {
                self.status = end(payload, self.target.capabilities).map_err(Fault::TargetWire)?.status;
                break;
            }
            let row = text_values(payload, columns).map_err(Fault::TargetWire)?;
            rows.push(row.into_iter().map(|value| value.map(<[u8]>::to_vec)).collect());
        }
        let row = rows.first().map(Vec::as_slice).unwrap_or_default();
        self.reading.answered(row).ok_or_else(unread)?;
        self.dirty = false;
        self.session.tape.append(&self.reading.event(), &[]).map_err(|error| wording::recorder(&error))?;
        Ok(())
    }

    /// Takes the flags of an answer.
    pub(super) fn take_status(&mut self, flags: u16) {
        self.status = flags;
        self.dirty |= self.reading.contradicts(flags) || flags & status::DATABASE_DROPPED != 0;
        if flags & status::IN_TRANSACTION == 0 {
            self.transaction.clear();
        }
    }

    /// Whether a transaction is open.
    pub(super) fn in_transaction(&self) -> bool {
        self.status & status::IN_TRANSACTION != 0
    }

    /// Gathers a refusal for the caller; the connection goes on.
    pub(super) fn put_refusal(&mut self, refusal: &Refusal) {
        self.caller.put_failure(&failure(refusal));
    }

    /// A command that is not carried: refused and recorded; the connection goes on.
    pub(super) fn refuse_message(&mut self, name: &str) -> Result<(), Fault> {
        let refusal = Refusal::new(
            RefusalCode::Protocol,
            Blame::Downstream,
            format!("the command {name} is not carried"),
        )
        .hint("use a statement instead; docs/protocols/mysql.md lists what is carried");
        self.refuse(name, &refusal)
    }

    /// Refuses a message that is no operation.
    pub(super) fn refuse(&mut self, name: &str, refusal: &Refusal) -> Result<(), Fault> {
        let event = Event::MessageRefused { message: name.to_owned(), refusal: refusal.clone() };
        self.session.tape.append(&event, &[]).map_err(|error| wording::recorder(&error))?;
        self.put_refusal(refusal);
        Ok(())
    }
}

/// The names of commands that are not carried ("Command Phase").
fn name_of(number: u8) -> &'static str {
    match number {
        0x05 => "COM_CREATE_DB",
        0x06 => "COM_DROP_DB",
        0x07 => "COM_REFRESH",
        0x08 => "COM_SHUTDOWN",
        0x0a => "COM_PROCESS_INFO",
        0x0d => "COM_DEBUG",
        0x11 => "COM_CHANGE_USER",
        0x12 => "COM_BINLOG_DUMP",
        0x13 => "COM_TABLE_DUMP",
        0x15 => "COM_REGISTER_SLAVE",
        0x1e => "COM_BINLOG_DUMP_GTID",
        0x20 => "COM_CLONE",
        0xfe => "COM_MULTI",
        _ => "of an unknown number",
    }
}

async fn sleep_until(deadline: Option<tokio::time::Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
