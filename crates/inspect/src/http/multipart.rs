//! Bodies of several parts: forms with files, and batches.
//!
//! RFC 2046, section 5.1. Lines may end with LF alone, as some readers take them.

/// One part.
#[derive(Clone, Copy, Debug)]
pub(super) struct Raw<'b> {
    pub(super) head: &'b [u8],
    pub(super) bytes: &'b [u8],
}

/// One part with its name in a form.
#[derive(Clone, Debug)]
pub(super) struct Part<'b> {
    /// Empty where it has none.
    pub(super) name: String,
    pub(super) head: &'b [u8],
    pub(super) bytes: &'b [u8],
}

/// The parts, or nothing when the body does not hold to its boundary.
pub(super) fn read<'b>(body: &'b [u8], boundary: &str) -> Option<Vec<Part<'b>>> {
    if boundary.is_empty() || boundary.len() > 200 {
        return None;
    }
    let mut parts = Vec::new();
    let mut start = None;
    let mut at = 0;
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let begins = at;
        at += line.len();
        let Some(after) = line.strip_prefix(b"--").and_then(|rest| rest.strip_prefix(boundary.as_bytes()))
        else {
            continue;
        };
        let rest = after.trim_ascii();
        if !rest.is_empty() && rest != b"--" {
            continue;
        }
        if let Some(start) = start {
            let part = part(trim_line(body.get(start..begins)?));
            if is_odd(part.head) {
                return None;
            }
            parts.push(part);
        }
        if rest == b"--" {
            return Some(parts);
        }
        start = Some(at);
    }
    None
}

fn part(bytes: &[u8]) -> Part<'_> {
    let Raw { head, bytes } = split_head(bytes);
    let disposition = field(head, "content-disposition").unwrap_or_default();
    Part { name: parameter(&disposition, "name").unwrap_or_default(), head, bytes }
}

/// Header lines and what follows the empty line.
pub(super) fn split_head(bytes: &[u8]) -> Raw<'_> {
    let mut at = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let begins = at;
        at += line.len();
        if line.trim_ascii().is_empty() {
            let head = bytes.get(..begins).unwrap_or_default();
            return Raw { head, bytes: bytes.get(at..).unwrap_or_default() };
        }
    }
    Raw { head: bytes, bytes: &[] }
}

/// A field of header lines.
pub(super) fn field(head: &[u8], name: &str) -> Option<String> {
    lines(head).find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// Every field of header lines.
pub(super) fn lines(head: &[u8]) -> impl Iterator<Item = (String, String)> {
    head.split(|byte| *byte == b'\n').filter_map(|line| {
        let line = String::from_utf8_lossy(line);
        let (name, value) = line.split_once(':')?;
        Some((name.trim().to_owned(), value.trim().to_owned()))
    })
}

/// A parameter of a field's value: `name="a"; filename=b`.
pub(super) fn parameter(value: &str, name: &str) -> Option<String> {
    let found = parameters(value).into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value)
}

/// All of them. A semicolon within quotes divides nothing; PHP takes either quote.
fn parameters(value: &str) -> Vec<(String, String)> {
    let mut pieces = vec![String::new()];
    let (mut quote, mut escaped) = (None, false);
    for c in value.chars() {
        let piece = pieces.last_mut();
        match (quote, c) {
            (None, ';') => pieces.push(String::new()),
            (Some(open), _) if c == open && !escaped => quote = None,
            (None, '"' | '\'') if piece.as_ref().is_some_and(|piece| piece.ends_with('=')) => quote = Some(c),
            (Some(_), '\\') if !escaped => {
                escaped = true;
                continue;
            }
            (Some(_), _) => {
                if let Some(piece) = piece {
                    if escaped && !matches!(c, '"' | '\'' | '\\') {
                        piece.push('\\');
                    }
                    piece.push(c);
                }
            }
            (None, _) => {
                if let Some(piece) = piece
                    && !(c.is_whitespace() && (piece.is_empty() || piece.ends_with('=')))
                {
                    piece.push(c);
                }
            }
        }
        escaped = false;
    }
    let pairs = pieces.iter().skip(1).filter_map(|piece| piece.split_once('='));
    pairs.map(|(key, value)| (key.trim().to_owned(), value.trim_end().to_owned())).collect()
}

/// Whether readers of forms could take the head otherwise: a name that comes twice or is encoded, a field on
/// two lines, a content that is coded.
fn is_odd(head: &[u8]) -> bool {
    let disposition = field(head, "content-disposition").unwrap_or_default();
    if !disposition.to_ascii_lowercase().starts_with("form-data") {
        return false;
    }
    let parameters = parameters(&disposition);
    let count = |name: &str| parameters.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name)).count();
    let is_folded = head.split(|byte| *byte == b'\n').any(|line| matches!(line.first(), Some(b' ' | b'\t')));
    let coding = field(head, "content-transfer-encoding").unwrap_or_default().to_ascii_lowercase();
    count("name") > 1
        || count("name*") > 0
        || is_folded
        || !matches!(coding.as_str(), "" | "binary" | "8bit" | "7bit")
}

/// The line break before a delimiter belongs to the delimiter.
fn trim_line(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes.strip_suffix(b"\r").unwrap_or(bytes)
}
