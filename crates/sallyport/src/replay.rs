//! A recording as a transcript: what was asked, what was decided, what came back.
//!
//! Entries come in one by one, in order; lines go out. Results are decoded from the recorded protocol
//! messages, which are what the caller got, after masking. Everything that came from outside is made
//! visible, and stands behind a gutter where it could pass for a line of ours.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::BytesMut;
use sallyport_api::dto::{Entry, EntryContent};
use sallyport_core::{Decision, Event, ParameterFormat, ParameterShape, ResultDirection, Timestamp, visible};
use sallyport_wire::pg::backend::{self, FieldDescription, tag};
use sallyport_wire::pg::{Frame, FrameDecoder};

use crate::words;

/// The largest recorded message that is decoded; larger ones are named by size.
const MESSAGE_LIMIT: usize = 64 << 20;

/// A cell is shown up to so many characters; the recording has it whole.
const CELL: usize = 200;

/// Turns entries into lines.
#[derive(Debug)]
pub(crate) struct Transcript {
    /// Rows shown of each result.
    rows: u64,
    /// Bytes of a message that is not whole yet.
    held: BytesMut,
    columns: Vec<FieldDescription>,
    /// Rows of the present result so far.
    seen: u64,
    /// Bytes of COPY data sent by the caller so far.
    sent: u64,
    /// What the caller is about to be told of a refusal that has been shown.
    told: Option<String>,
    began: Option<Timestamp>,
}

impl Transcript {
    /// Shows at most `rows` rows of each result.
    pub(crate) fn new(rows: u64) -> Self {
        Self { rows, held: BytesMut::new(), columns: Vec::new(), seen: 0, sent: 0, told: None, began: None }
    }

    /// The lines for the next entry.
    pub(crate) fn entry(&mut self, entry: &Entry) -> Vec<String> {
        let began = *self.began.get_or_insert(entry.at);
        let at = format!("[{:>6} s]", entry.at.seconds_since(began));
        let Ok(payload) = STANDARD.decode(&entry.payload) else {
            return vec![format!("{at} an entry's bytes cannot be read")];
        };
        match &entry.entry {
            EntryContent::Event(event) => self.event(&at, entry.at, event, &payload),
            EntryContent::Note { event, reason } => {
                vec![format!("{at} note: {} ({})", visible::line(reason), visible::line(event))]
            }
            EntryContent::Seal { entries, head } => {
                vec![format!("{at} sealed: {}, head {head}", words::counted(*entries, "entry", "entries"))]
            }
            EntryContent::Unknown => vec![format!("{at} an entry of a newer version")],
        }
    }

    fn event(&mut self, at: &str, when: Timestamp, event: &Event, payload: &[u8]) -> Vec<String> {
        match event {
            Event::SessionOpened { principal, target, database, client, authenticated_by, .. } => vec![
                format!("{at} session of {}", visible::line(&principal.describe())),
                format!(
                    "           target {}, database {}, from {}, by {authenticated_by}, at {}",
                    visible::line(target),
                    visible::line(database),
                    visible::line(client),
                    words::time(when)
                ),
            ],
            Event::Intent { operation, text_length, parameters, decision, approval, approved_by, .. } => {
                let mut lines = vec![format!("{at} #{operation} {}", decided(decision))];
                if let Some(request) = approval {
                    let who: Vec<String> = approved_by.iter().map(|name| visible::line(name)).collect();
                    lines.push(format!("           request {request}, approved by {}", who.join(", ")));
                }
                lines.extend(statement(payload, *text_length, parameters));
                self.begin_result();
                lines
            }
            Event::Held { operation, text_length, parameters, request, decision, .. } => {
                let mut lines = vec![format!("{at} #{operation} {}; request {request}", decided(decision))];
                lines.extend(statement(payload, *text_length, parameters));
                lines
            }
            Event::Refused { operation, text_length, parameters, decision, refusal, .. } => {
                let mut lines = vec![format!("{at} #{operation} refused, {}", decided(decision))];
                lines.extend(statement(payload, *text_length, parameters));
                let message = visible::line(&refusal.message);
                lines.push(format!("  ! {}: {message}", refusal.code.as_str()));
                self.told = Some(message);
                lines
            }
            Event::MessageRefused { message, refusal } => vec![format!(
                "{at} message {} refused: {}",
                visible::line(message),
                visible::line(&refusal.message)
            )],
            Event::Data { direction: ResultDirection::ToCaller, .. } => self.data(payload),
            Event::Data { direction: ResultDirection::ToTarget, .. } => {
                self.sent = self.sent.saturating_add(u64::try_from(payload.len()).unwrap_or(u64::MAX));
                Vec::new()
            }
            Event::Outcome { operation, rows, masked, duration_us, error, .. } => {
                self.outcome(*operation, *rows, *masked, *duration_us, error.as_deref())
            }
            Event::GatewayAsked { text, answer } => {
                let mut lines = vec![format!("{at} the gateway asked: {}", visible::line(text))];
                lines.extend(learnt(answer));
                lines
            }
            Event::Audited { principal, action, object, outcome } => vec![format!(
                "{at} {} by {}: {}, {}",
                visible::line(action),
                visible::line(principal),
                visible::line(object),
                visible::line(outcome)
            )],
            Event::CancelAsked => vec![format!("{at} the caller asked to cancel")],
            Event::SessionClosed { reason, operations } => vec![format!(
                "{at} session ended: {}; {}",
                visible::line(reason),
                words::counted(*operations, "operation", "operations")
            )],
        }
    }

    fn begin_result(&mut self) {
        self.held.clear();
        self.columns.clear();
        (self.seen, self.sent) = (0, 0);
    }

    fn outcome(
        &mut self,
        operation: u64,
        rows: u64,
        masked: u64,
        duration_us: u64,
        error: Option<&str>,
    ) -> Vec<String> {
        let mut lines = Vec::new();
        if self.seen > self.rows {
            let more = words::counted(self.seen - self.rows, "more row", "more rows");
            lines.push(format!("  … {more}"));
        }
        if self.sent > 0 {
            lines.push(format!("  > {} sent by the caller", words::counted(self.sent, "byte", "bytes")));
        }
        let rows = words::counted(rows, "row", "rows");
        let mut line = format!("  = #{operation} {rows} in {} ms", duration_us / 1000);
        if masked > 0 {
            line.push_str(&format!(", {} masked", words::counted(masked, "value", "values")));
        }
        if let Some(error) = error {
            line.push_str(&format!(", error {}", visible::line(error)));
        }
        lines.push(line);
        self.begin_result();
        lines
    }

    /// Decodes the backend messages of a chunk; one that is cut goes on in the next chunk.
    fn data(&mut self, payload: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        self.held.extend_from_slice(payload);
        let decoder = FrameDecoder::new(MESSAGE_LIMIT);
        loop {
            match decoder.decode(&mut self.held) {
                Ok(Some(frame)) => lines.extend(self.message(&frame)),
                Ok(None) => return lines,
                Err(_) => {
                    let left = u64::try_from(self.held.len()).unwrap_or(u64::MAX);
                    self.held.clear();
                    lines.push(format!(
                        "  ? {} that cannot be decoded",
                        words::counted(left, "byte", "bytes")
                    ));
                    return lines;
                }
            }
        }
    }

    fn message(&mut self, frame: &Frame) -> Option<String> {
        match frame.tag() {
            tag::ROW_DESCRIPTION => {
                self.columns = backend::row_description(frame).unwrap_or_default();
                let names: Vec<String> =
                    self.columns.iter().map(|column| visible::bytes(&column.name)).collect();
                Some(format!("  : {}", names.join(" | ")))
            }
            tag::DATA_ROW => {
                self.seen = self.seen.saturating_add(1);
                if self.seen > self.rows {
                    return None;
                }
                let Ok(values) = backend::data_row(frame) else {
                    return Some("  ? a row that cannot be decoded".to_owned());
                };
                let cells: Vec<String> = values
                    .iter()
                    .enumerate()
                    .map(|(index, value)| {
                        let binary = self.columns.get(index).is_some_and(|column| column.format == 1);
                        cell(*value, binary)
                    })
                    .collect();
                Some(format!("  : {}", cells.join(" | ")))
            }
            tag::COPY_DATA => {
                self.seen = self.seen.saturating_add(1);
                (self.seen <= self.rows).then(|| {
                    let body = frame.body();
                    format!("  : {}", cell(Some(body.strip_suffix(b"\n").unwrap_or(body)), false))
                })
            }
            tag::COMMAND_COMPLETE => {
                let word = backend::command_complete(frame).unwrap_or_default();
                Some(format!("  . {}", visible::bytes(word)))
            }
            tag::ERROR_RESPONSE | tag::NOTICE_RESPONSE => {
                let fields = backend::error_fields(frame).unwrap_or_default();
                let field = |wanted: u8| {
                    fields
                        .iter()
                        .find(|(code, _)| *code == wanted)
                        .map_or_else(String::new, |(_, value)| visible::bytes(value))
                };
                let message = field(b'M');
                // Only the error that follows its refusal says the same again; any other is shown.
                if frame.tag() == tag::ERROR_RESPONSE && self.told.take().is_some_and(|told| told == message)
                {
                    return None;
                }
                Some(format!("  ! {} {}: {message}", field(b'S'), field(b'C')))
            }
            _ => None,
        }
    }
}

fn cell(value: Option<&[u8]>, binary: bool) -> String {
    let shown = match value {
        None => return "NULL".to_owned(),
        Some(bytes) if binary => hex(bytes),
        Some(bytes) => visible::bytes(bytes),
    };
    crate::output::cut(&shown, CELL)
}

fn hex(bytes: &[u8]) -> String {
    let mut out = String::from("\\x");
    for byte in bytes.iter().take(CELL) {
        out.push_str(&format!("{byte:02x}"));
    }
    out
}

fn decided(decision: &Decision) -> String {
    format!("{} by {}", decision.effect.as_str(), visible::line(&decision.rule))
}

/// What the gateway learnt of the session, a line each. The server says `none` for a role that was not
/// changed, where approvals name the one that acts; so does this, and the recording keeps both.
fn learnt(answer: &BTreeMap<String, String>) -> Vec<String> {
    let value = |wanted: &str| answer.get(wanted).map(String::as_str);
    let acts = value("session_authorization").filter(|_| value("role") == Some("none"));
    answer
        .iter()
        .filter(|(name, _)| acts.is_none() || name.as_str() != "session_authorization")
        .map(|(name, value)| {
            let value = acts.filter(|_| name == "role").unwrap_or(value.as_str());
            format!("  = {} = {}", visible::line(name), visible::line(value))
        })
        .collect()
}

/// The text and parameters of an operation, from its payload: the text first, then the values in order.
fn statement(payload: &[u8], text_length: usize, parameters: &[ParameterShape]) -> Vec<String> {
    let Some((text, mut rest)) = payload.split_at_checked(text_length) else {
        return vec!["  ? the text is not whole".to_owned()];
    };
    let mut lines: Vec<String> =
        text.split(|byte| *byte == b'\n').map(|line| format!("  | {}", visible::bytes(line))).collect();
    for (number, shape) in parameters.iter().enumerate() {
        let value = match shape.length {
            None => None,
            Some(length) => {
                let Some((value, after)) = rest.split_at_checked(length) else {
                    lines.push("  ? the parameters are not whole".to_owned());
                    return lines;
                };
                rest = after;
                Some(value)
            }
        };
        lines.push(format!("  ${} = {}", number + 1, cell(value, shape.format == ParameterFormat::Binary)));
    }
    lines
}

#[cfg(test)]
#[path = "replay_tests.rs"]
mod tests;
