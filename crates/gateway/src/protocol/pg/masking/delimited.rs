//! The two textual forms of COPY: where a row ends, what its fields are, how a field is written.
//!
//! As PostgreSQL writes them (`COPY`, "File Formats"): in text, line ends, tabs and backslashes inside
//! values are escaped, so a bare line feed ends a row; in CSV a line feed may stand inside quotes.

use sallyport_inspect::pg::{CopyFormat, CopyOptions};

use super::MaskFault;

/// How fields and rows are told apart.
#[derive(Clone, Debug)]
pub(super) struct Delimited {
    csv: bool,
    delimiter: u8,
    null: Vec<u8>,
    quote: u8,
    escape: u8,
}

/// Where the search for a row's end stands, so that a row in many pieces is searched once.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Search {
    at: usize,
    in_quotes: bool,
    after_escape: bool,
}

/// One field of a row.
#[derive(Debug)]
pub(super) struct FieldText {
    /// Where it stands in the row, quotes included.
    pub(super) start: usize,
    /// Its end.
    pub(super) end: usize,
    /// Its value; nothing for NULL.
    pub(super) value: Option<Vec<u8>>,
}

impl Delimited {
    pub(super) fn new(options: &CopyOptions) -> Self {
        Self {
            csv: options.format == CopyFormat::Csv,
            delimiter: options.delimiter,
            null: options.null.clone().into_bytes(),
            quote: options.quote,
            escape: options.escape,
        }
    }

    /// The end of the first row, its line feed included; nothing when more bytes are needed, and `search`
    /// then says where to go on.
    pub(super) fn row_end(&self, bytes: &[u8], search: &mut Search) -> Option<usize> {
        for (at, byte) in bytes.iter().enumerate().skip(search.at) {
            if std::mem::take(&mut search.after_escape) && (*byte == self.quote || *byte == self.escape) {
                continue;
            }
            if self.csv && search.in_quotes && self.escape != self.quote && *byte == self.escape {
                search.after_escape = true;
            } else if self.csv && *byte == self.quote {
                search.in_quotes = !search.in_quotes;
            } else if *byte == b'\n' && !search.in_quotes {
                *search = Search::default();
                return Some(at + 1);
            }
        }
        search.at = bytes.len();
        None
    }

    /// The fields of a row without its line feed.
    pub(super) fn fields(&self, row: &[u8]) -> Result<Vec<FieldText>, MaskFault> {
        let mut fields = Vec::new();
        let mut at = 0;
        loop {
            let field = if self.csv { self.csv_field(row, at)? } else { self.text_field(row, at)? };
            at = field.end + 1;
            let last = field.end >= row.len();
            fields.push(field);
            if last {
                return Ok(fields);
            }
        }
    }

    fn text_field(&self, row: &[u8], start: usize) -> Result<FieldText, MaskFault> {
        let mut value = Vec::new();
        let mut at = start;
        while let Some(byte) = row.get(at).filter(|byte| **byte != self.delimiter) {
            at += 1;
            if *byte != b'\\' {
                value.push(*byte);
                continue;
            }
            let escaped = *row.get(at).ok_or(MaskFault::Malformed)?;
            at += 1;
            value.push(match escaped {
                b'b' => 0x08,
                b'f' => 0x0c,
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'v' => 0x0b,
                other => other,
            });
        }
        let is_null = row.get(start..at) == Some(self.null.as_slice());
        Ok(FieldText { start, end: at, value: (!is_null).then_some(value) })
    }

    fn csv_field(&self, row: &[u8], start: usize) -> Result<FieldText, MaskFault> {
        let mut value = Vec::new();
        let (mut at, mut in_quotes, mut quoted) = (start, false, false);
        while let Some(byte) = row.get(at) {
            let next = row.get(at + 1);
            if in_quotes
                && *byte == self.escape
                && next.is_some_and(|next| *next == self.quote || *next == self.escape)
            {
                value.extend(next);
                at += 2;
                continue;
            }
            if *byte == self.quote {
                in_quotes = !in_quotes;
                quoted = true;
            } else if *byte == self.delimiter && !in_quotes {
                break;
            } else {
                value.push(*byte);
            }
            at += 1;
        }
        if in_quotes {
            return Err(MaskFault::Malformed);
        }
        let is_null = !quoted && value == self.null;
        Ok(FieldText { start, end: at, value: (!is_null).then_some(value) })
    }

    /// Writes a value as a field.
    pub(super) fn put(&self, value: Option<&[u8]>, out: &mut bytes::BytesMut) {
        let Some(value) = value else {
            out.extend_from_slice(&self.null);
            return;
        };
        if self.csv {
            // Quoted always: no value is then mistaken for NULL or split.
            out.extend_from_slice(&[self.quote]);
            for byte in value {
                if *byte == self.quote || *byte == self.escape {
                    out.extend_from_slice(&[self.escape]);
                }
                out.extend_from_slice(&[*byte]);
            }
            out.extend_from_slice(&[self.quote]);
            return;
        }
        for byte in value {
            match byte {
                0x08 => out.extend_from_slice(b"\\b"),
                0x0c => out.extend_from_slice(b"\\f"),
                b'\n' => out.extend_from_slice(b"\\n"),
                b'\r' => out.extend_from_slice(b"\\r"),
                b'\t' => out.extend_from_slice(b"\\t"),
                0x0b => out.extend_from_slice(b"\\v"),
                b'\\' => out.extend_from_slice(b"\\\\"),
                byte if *byte == self.delimiter => out.extend_from_slice(&[b'\\', *byte]),
                byte => out.extend_from_slice(&[*byte]),
            }
        }
    }
}
