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
            parts.push(part(trim_line(body.get(start..begins)?)));
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
    value.split(';').skip(1).find_map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        let value = value.trim();
        // PHP takes either quote.
        let quote = value.chars().next().filter(|first| matches!(first, '"' | '\''));
        let value = quote.map_or(value, |quote| value.split(quote).nth(1).unwrap_or(value));
        key.trim().eq_ignore_ascii_case(name).then(|| value.to_owned())
    })
}

/// The line break before a delimiter belongs to the delimiter.
fn trim_line(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes.strip_suffix(b"\r").unwrap_or(bytes)
}
