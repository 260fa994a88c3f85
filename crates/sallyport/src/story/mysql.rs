//! Recorded replies of MySQL's protocol: columns, rows of both forms, ends and errors.
//!
//! The recording holds packets as the caller got them. Where a result stands is told by what came before, so
//! [`Replies`] hears of each operation. Whether the caller's client ends columns with an EOF is told by the
//! first packet behind them: that one is shorter than any other. An operation with an open cursor goes on
//! later, behind others; its columns are kept so long.

use std::collections::BTreeMap;

use bytes::BytesMut;
use sallyport_core::{OperationKind, visible};
use sallyport_wire::mysql::column::{Column, Width, width};
use sallyport_wire::mysql::reply::{Done, Failure, PROGRESS, column_count, is_end, status, tag};
use sallyport_wire::mysql::row::{binary_values, text_values};
use sallyport_wire::mysql::{PacketDecoder, capability};

use super::What;
use super::gathered::Gathered;
use super::results::MESSAGE_LIMIT;
use super::teller::cell;
use crate::words;

/// An EOF of the classic form is this long.
const CLASSIC: usize = 5;
/// Operations that may have more to come.
const OPEN: usize = 1024;

/// What the next packet is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// No operation is under way: what comes says nothing.
    #[default]
    Idle,
    /// The beginning of a result, or all of it.
    Begin,
    /// So many columns are still to come.
    Columns(usize),
    /// The first packet behind the columns.
    Behind,
    /// Rows, or their end.
    Rows,
}

/// How far the reply to one operation has come.
#[derive(Clone, Debug, Default)]
struct Reply {
    stage: Stage,
    binary: bool,
    /// The rows go on when the caller fetches them.
    cursor: bool,
    columns: Vec<Column>,
}

/// Turns the packets of replies into what they say.
#[derive(Debug, Default)]
pub(super) struct Replies {
    operation: u64,
    reply: Reply,
    /// The others that may go on.
    others: BTreeMap<u64, Reply>,
}

impl Replies {
    /// An operation of that kind was decided.
    pub(super) fn asked(&mut self, operation: u64, kind: OperationKind) {
        let stage = if kind == OperationKind::Prepare { Stage::Idle } else { Stage::Begin };
        let reply = Reply { stage, binary: kind == OperationKind::Execute, ..Reply::default() };
        if operation == self.operation {
            self.reply = reply;
            return;
        }
        if self.others.len() >= OPEN {
            self.others.pop_first();
        }
        self.others.insert(operation, reply);
    }

    /// What comes belongs to that operation.
    pub(super) fn begin(&mut self, operation: u64) {
        if operation == self.operation {
            self.reply = Reply::default();
            return;
        }
        let next = self.others.remove(&operation).unwrap_or_default();
        let last = std::mem::replace(&mut self.reply, next);
        if last.cursor && self.others.len() < OPEN {
            self.others.insert(self.operation, last);
        }
        self.operation = operation;
    }

    /// The names of the columns of a result that goes on.
    pub(super) fn columns(&self) -> impl Iterator<Item = &[u8]> {
        self.reply.columns.iter().map(|column| &*column.name)
    }

    /// Takes the whole packets off; nothing when what follows is none.
    pub(super) fn read(
        &mut self,
        held: &mut BytesMut,
        gathered: &mut Gathered,
        told: &mut Vec<What>,
    ) -> Option<()> {
        let decoder = PacketDecoder::new(MESSAGE_LIMIT);
        while let Some(packet) = decoder.decode(held).ok()? {
            self.reply.packet(packet.payload(), gathered, told);
        }
        Some(())
    }
}

impl Reply {
    fn packet(&mut self, payload: &[u8], gathered: &mut Gathered, told: &mut Vec<What>) {
        let first = payload.first().copied().unwrap_or_default();
        if first == tag::ERR {
            let Ok(failure) = Failure::parse(payload) else {
                return told.push(What::Unreadable("an error that cannot be decoded".to_owned()));
            };
            if failure.code == PROGRESS {
                return;
            }
            (self.stage, self.cursor) = (Stage::Idle, false);
            told.extend(gathered.set_out());
            let state = failure.state.map(|state| visible::bytes(&state)).unwrap_or_default();
            told.push(What::Said {
                severity: "ERROR".to_owned(),
                code: format!("{} {state}", failure.code).trim_end().to_owned(),
                message: visible::bytes(&failure.message),
            });
            return;
        }
        match self.stage {
            Stage::Idle => {}
            Stage::Begin if first == tag::OK => match Done::parse(payload) {
                Ok(done) => {
                    let changed = words::counted(done.affected, "row changed", "rows changed");
                    told.push(What::Tag(format!("OK, {changed}")));
                    self.ended(&done);
                }
                Err(_) => told.push(What::Unreadable("an end that cannot be decoded".to_owned())),
            },
            Stage::Begin => match column_count(payload) {
                Ok(count) => {
                    self.stage = Stage::Columns(count);
                    self.columns.clear();
                }
                Err(_) => {
                    self.stage = Stage::Idle;
                    told.push(What::Unreadable("a result that cannot be decoded".to_owned()));
                }
            },
            Stage::Columns(left) => {
                let Ok(column) = Column::parse(payload) else {
                    self.stage = Stage::Idle;
                    return told.push(What::Unreadable("a column that cannot be decoded".to_owned()));
                };
                self.columns.push(column);
                self.stage = if left > 1 { Stage::Columns(left - 1) } else { Stage::Behind };
                if left <= 1 {
                    told.extend(gathered.set_out());
                    gathered.columns(self.columns.iter().map(|column| &*column.name));
                }
            }
            Stage::Behind if first == tag::EOF && payload.len() == CLASSIC => {
                self.stage = Stage::Rows;
                self.cursor = Done::parse_eof(payload).is_ok_and(|done| done.status & status::CURSOR != 0);
            }
            Stage::Behind | Stage::Rows => self.row(payload, gathered, told),
        }
    }

    fn row(&mut self, payload: &[u8], gathered: &mut Gathered, told: &mut Vec<What>) {
        self.stage = Stage::Rows;
        if is_end(payload, capability::DEPRECATE_EOF) && (payload.len() == CLASSIC || !self.is_row(payload)) {
            let classic = payload.len() == CLASSIC;
            let done = if classic { Done::parse_eof(payload) } else { Done::parse(payload) };
            match done {
                Ok(done) => {
                    told.extend(gathered.set_out());
                    gathered.columns([]);
                    self.ended(&done);
                }
                Err(_) => told.push(What::Unreadable("an end that cannot be decoded".to_owned())),
            }
            return;
        }
        if !gathered.is_shown() {
            return;
        }
        let values = if self.binary {
            binary_values(payload, self.columns.iter().map(|column| column.kind))
        } else {
            text_values(payload, self.columns.len())
        };
        let Ok(values) = values else {
            told.extend(gathered.set_out());
            return told.push(What::Unreadable("a row that cannot be decoded".to_owned()));
        };
        let is_text = |column: &Column| !self.binary || width(column.kind) == Some(Width::Long);
        let row = values
            .iter()
            .zip(&self.columns)
            .map(|(value, column)| value.map(|value| cell(value, !is_text(column), gathered.cell())))
            .collect();
        told.extend(gathered.row(row));
    }

    /// Whether a packet that begins as an end does is a row of text all the same.
    fn is_row(&self, payload: &[u8]) -> bool {
        !self.binary && text_values(payload, self.columns.len()).is_ok()
    }

    fn ended(&mut self, done: &Done) {
        self.cursor = done.status & status::CURSOR != 0 && done.status & status::LAST_ROW == 0;
        self.stage = match (done.has_more(), self.cursor) {
            (true, _) => Stage::Begin,
            (false, true) => Stage::Rows,
            (false, false) => Stage::Idle,
        };
    }
}

#[cfg(test)]
#[path = "mysql_tests.rs"]
mod tests;
