//! Results, decoded from the recorded messages: what the caller got, after masking.
//!
//! Messages are cut from the bytes by the session's protocol; PostgreSQL's are told here, MySQL's in
//! [`super::mysql`].

use bytes::BytesMut;
use sallyport_core::{OperationKind, visible};
use sallyport_wire::pg::backend::{self, FieldDescription, tag};
use sallyport_wire::pg::{Frame, FrameDecoder};

use super::What;
use super::gathered::Gathered;
use super::mysql;
use super::teller::{Room, cell};
use crate::words;

/// The largest recorded message that is decoded; larger ones are named by size.
pub(super) const MESSAGE_LIMIT: usize = 64 << 20;

/// How the bytes are to be read.
#[derive(Debug)]
enum Speech {
    Postgres {
        columns: Vec<FieldDescription>,
    },
    Mysql(Box<mysql::Replies>),
    /// A protocol that is not decoded, and the bytes of it.
    Other(u64),
}

/// The reply to one operation after another.
#[derive(Debug)]
pub(super) struct Results {
    speech: Speech,
    /// Bytes of a message that is not whole yet.
    held: BytesMut,
    gathered: Gathered,
}

impl Results {
    pub(super) fn new(room: Room) -> Self {
        Self {
            speech: Speech::Postgres { columns: Vec::new() },
            held: BytesMut::new(),
            gathered: Gathered::new(room),
        }
    }

    pub(super) fn set_protocol(&mut self, protocol: &str) {
        self.speech = match protocol {
            "postgres" => Speech::Postgres { columns: Vec::new() },
            "mysql" => Speech::Mysql(Box::default()),
            _ => Speech::Other(0),
        };
    }

    /// An operation was decided. In some protocols its kind says what its reply looks like.
    pub(super) fn asked(&mut self, operation: u64, kind: OperationKind) {
        if let Speech::Mysql(replies) = &mut self.speech {
            replies.asked(operation, kind);
        }
    }

    /// Whether an error's text is that of a refusal.
    pub(super) fn says(&self, message: &str, refusal: &str) -> bool {
        match self.speech {
            // It stands between code and hint.
            Speech::Mysql(_) => message.contains(refusal),
            _ => message == refusal,
        }
    }

    /// Rows of the operation that were not shown.
    pub(super) fn hidden(&self) -> u64 {
        self.gathered.hidden()
    }

    /// From here on it is another operation's reply.
    pub(super) fn begin(&mut self, operation: u64) {
        self.held.clear();
        self.gathered.begin(operation);
        match &mut self.speech {
            Speech::Postgres { columns } => columns.clear(),
            Speech::Mysql(replies) => {
                replies.begin(operation);
                self.gathered.columns(replies.columns());
            }
            Speech::Other(bytes) => *bytes = 0,
        }
    }

    /// What is still gathered.
    pub(super) fn end(&mut self) -> Vec<What> {
        let mut told: Vec<What> = self.gathered.set_out().into_iter().collect();
        if let Speech::Other(bytes) = &mut self.speech
            && *bytes > 0
        {
            let bytes = words::counted(std::mem::take(bytes), "byte", "bytes");
            told.push(What::Unreadable(format!("{bytes} of a reply that is not decoded here")));
        }
        told
    }

    /// Decodes the messages of a chunk; one that is cut goes on in the next chunk.
    pub(super) fn bytes(&mut self, payload: &[u8]) -> Vec<What> {
        let mut told = Vec::new();
        let Self { speech, held, gathered } = self;
        let read = match speech {
            Speech::Other(bytes) => {
                *bytes += u64::try_from(payload.len()).unwrap_or(0);
                return told;
            }
            Speech::Postgres { columns } => {
                held.extend_from_slice(payload);
                postgres(held, columns, gathered, &mut told)
            }
            Speech::Mysql(replies) => {
                held.extend_from_slice(payload);
                replies.read(held, gathered, &mut told)
            }
        };
        if read.is_none() {
            let left = u64::try_from(held.len()).unwrap_or(u64::MAX);
            held.clear();
            told.extend(gathered.set_out());
            let bytes = words::counted(left, "byte", "bytes");
            told.push(What::Unreadable(format!("{bytes} that cannot be decoded")));
        }
        told
    }
}

/// Takes the whole messages off; nothing when what follows is none.
fn postgres(
    held: &mut BytesMut,
    columns: &mut Vec<FieldDescription>,
    gathered: &mut Gathered,
    told: &mut Vec<What>,
) -> Option<()> {
    let decoder = FrameDecoder::new(MESSAGE_LIMIT);
    while let Some(frame) = decoder.decode(held).ok()? {
        message(&frame, columns, gathered, told);
    }
    Some(())
}

fn message(
    frame: &Frame,
    columns: &mut Vec<FieldDescription>,
    gathered: &mut Gathered,
    told: &mut Vec<What>,
) {
    match frame.tag() {
        tag::ROW_DESCRIPTION => {
            told.extend(gathered.set_out());
            *columns = backend::row_description(frame).unwrap_or_default();
            gathered.columns(columns.iter().map(|column| &*column.name));
        }
        tag::DATA_ROW => {
            if !gathered.is_shown() {
                return;
            }
            let Ok(values) = backend::data_row(frame) else {
                told.extend(gathered.set_out());
                told.push(What::Unreadable("a row that cannot be decoded".to_owned()));
                return;
            };
            let row = values
                .iter()
                .enumerate()
                .map(|(index, value)| {
                    let binary = columns.get(index).is_some_and(|column| column.format == 1);
                    value.map(|value| cell(value, binary, gathered.cell()))
                })
                .collect();
            told.extend(gathered.row(row));
        }
        tag::COPY_DATA => {
            if !gathered.is_shown() {
                return;
            }
            let body = frame.body();
            let line = cell(body.strip_suffix(b"\n").unwrap_or(body), false, gathered.cell());
            told.extend(gathered.row(vec![Some(line)]));
        }
        tag::COMMAND_COMPLETE => {
            told.extend(gathered.set_out());
            let word = backend::command_complete(frame).unwrap_or_default();
            told.push(What::Tag(visible::bytes(word)));
            columns.clear();
            gathered.columns([]);
        }
        tag::ERROR_RESPONSE | tag::NOTICE_RESPONSE => {
            told.extend(gathered.set_out());
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
