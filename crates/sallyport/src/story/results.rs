//! Results, decoded from the recorded messages: what the caller got, after masking.
//!
//! Rows are gathered until their result ends or there are enough for a table, so that columns can be set
//! out side by side; so much is in memory and no more.

use bytes::BytesMut;
use sallyport_core::visible;
use sallyport_wire::pg::backend::{self, FieldDescription, tag};
use sallyport_wire::pg::{Frame, FrameDecoder};

use super::teller::{Room, cell};
use super::{Table, What};
use crate::words;

/// The largest recorded message that is decoded; larger ones are named by size.
const MESSAGE_LIMIT: usize = 64 << 20;
/// Rows that are gathered before they are set out.
const GATHERED: usize = 200;

/// The reply to one operation after another.
#[derive(Debug)]
pub(super) struct Results {
    room: Room,
    /// Whether the bytes are messages that this can decode.
    known: bool,
    /// Bytes of a message that is not whole yet.
    held: BytesMut,
    columns: Vec<FieldDescription>,
    table: Table,
    /// Rows of the present result so far, and of the operation that were not shown.
    seen: u64,
    hidden: u64,
    /// Bytes in a protocol that is not decoded.
    undecoded: u64,
}

impl Results {
    pub(super) fn new(room: Room) -> Self {
        Self {
            room,
            known: true,
            held: BytesMut::new(),
            columns: Vec::new(),
            table: Table { first: true, ..Table::default() },
            seen: 0,
            hidden: 0,
            undecoded: 0,
        }
    }

    pub(super) fn set_protocol(&mut self, protocol: &str) {
        self.known = protocol == "postgres";
    }

    /// Rows of the operation that were not shown.
    pub(super) fn hidden(&self) -> u64 {
        self.hidden
    }

    /// From here on it is another operation's reply.
    pub(super) fn begin(&mut self, operation: u64) {
        self.held.clear();
        self.columns.clear();
        self.table = Table { operation, first: true, ..Table::default() };
        (self.seen, self.hidden, self.undecoded) = (0, 0, 0);
    }

    /// What is still gathered.
    pub(super) fn end(&mut self) -> Vec<What> {
        let mut told: Vec<What> = self.set_out().into_iter().collect();
        if self.undecoded > 0 {
            let bytes = words::counted(std::mem::take(&mut self.undecoded), "byte", "bytes");
            told.push(What::Unreadable(format!("{bytes} of a reply that is not decoded here")));
        }
        told
    }

    /// Decodes the messages of a chunk; one that is cut goes on in the next chunk.
    pub(super) fn bytes(&mut self, payload: &[u8]) -> Vec<What> {
        if !self.known {
            self.undecoded += u64::try_from(payload.len()).unwrap_or(0);
            return Vec::new();
        }
        let mut told = Vec::new();
        self.held.extend_from_slice(payload);
        let decoder = FrameDecoder::new(MESSAGE_LIMIT);
        loop {
            match decoder.decode(&mut self.held) {
                Ok(Some(frame)) => self.message(&frame, &mut told),
                Ok(None) => return told,
                Err(_) => {
                    let left = u64::try_from(self.held.len()).unwrap_or(u64::MAX);
                    self.held.clear();
                    told.extend(self.set_out());
                    let bytes = words::counted(left, "byte", "bytes");
                    told.push(What::Unreadable(format!("{bytes} that cannot be decoded")));
                    return told;
                }
            }
        }
    }

    fn message(&mut self, frame: &Frame, told: &mut Vec<What>) {
        match frame.tag() {
            tag::ROW_DESCRIPTION => {
                told.extend(self.set_out());
                self.columns = backend::row_description(frame).unwrap_or_default();
                self.table.columns = self
                    .columns
                    .iter()
                    .map(|column| crate::output::cut(&visible::bytes(&column.name), self.room.cell))
                    .collect();
                self.table.first = true;
                self.seen = 0;
            }
            tag::DATA_ROW => {
                if !self.is_shown() {
                    return;
                }
                let Ok(values) = backend::data_row(frame) else {
                    told.extend(self.set_out());
                    told.push(What::Unreadable("a row that cannot be decoded".to_owned()));
                    return;
                };
                let row = values
                    .iter()
                    .enumerate()
                    .map(|(index, value)| {
                        let binary = self.columns.get(index).is_some_and(|column| column.format == 1);
                        value.map(|value| cell(value, binary, self.room.cell))
                    })
                    .collect();
                told.extend(self.gather(row));
            }
            tag::COPY_DATA => {
                if !self.is_shown() {
                    return;
                }
                let body = frame.body();
                let line = cell(body.strip_suffix(b"\n").unwrap_or(body), false, self.room.cell);
                told.extend(self.gather(vec![Some(line)]));
            }
            tag::COMMAND_COMPLETE => {
                told.extend(self.set_out());
                let word = backend::command_complete(frame).unwrap_or_default();
                told.push(What::Tag(visible::bytes(word)));
                self.columns.clear();
                self.table.columns.clear();
                self.table.first = true;
                self.seen = 0;
            }
            tag::ERROR_RESPONSE | tag::NOTICE_RESPONSE => {
                told.extend(self.set_out());
                let fields = backend::error_fields(frame).unwrap_or_default();
                let field = |wanted: u8| {
                    fields
                        .iter()
                        .find(|(code, _)| *code == wanted)
                        .map_or_else(String::new, |(_, value)| visible::bytes(value))
                };
                let severity =
                    if frame.tag() == tag::NOTICE_RESPONSE { "NOTICE".to_owned() } else { field(b'S') };
                told.push(What::Said { severity, code: field(b'C'), message: field(b'M') });
            }
            _ => {}
        }
    }

    /// Counts a row; whether it is one to be shown.
    fn is_shown(&mut self) -> bool {
        self.seen = self.seen.saturating_add(1);
        let shown = self.seen <= self.room.rows;
        if !shown {
            self.hidden = self.hidden.saturating_add(1);
        }
        shown
    }

    fn gather(&mut self, row: Vec<Option<String>>) -> Option<What> {
        self.table.rows.push(row);
        (self.table.rows.len() >= GATHERED).then(|| self.set_out()).flatten()
    }

    fn set_out(&mut self) -> Option<What> {
        // A result without rows still has columns to show.
        if self.table.rows.is_empty() && (self.table.columns.is_empty() || !self.table.first) {
            return None;
        }
        let next = Table {
            operation: self.table.operation,
            columns: self.table.columns.clone(),
            rows: Vec::new(),
            first: false,
        };
        Some(What::Table(std::mem::replace(&mut self.table, next)))
    }
}
