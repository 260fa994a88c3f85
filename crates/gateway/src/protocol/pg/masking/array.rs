//! Arrays, element by element, in both formats.
//!
//! Of a column that no label covers only elements in which text may stand are replaced where they are; an
//! array of anything else in which something is found becomes NULL, and so does one that does not read. Of a
//! labelled column the operators that keep something of a value act on each element.

use bytes::{BufMut, BytesMut};
use sallyport_mask::FieldContext;

use super::row::{Cursor, put_value};
use super::shape::Shape;
use super::value::{self, Change};

/// Most dimensions (`MAXDIM`).
const MOST_DIMENSIONS: i32 = 6;

/// What takes the place of an array of an unlabelled column; nothing when it stays.
pub(super) fn look(element: u32, binary: bool, value: &[u8], context: &FieldContext<'_>) -> Option<Change> {
    let shape = Shape::of(element);
    match shape {
        Shape::Plain => None,
        Shape::Address => Some(Change::Null),
        Shape::Text | Shape::Json | Shape::Jsonb | Shape::Figure(_) => {
            if !binary && !context.may_hold_findings(value) {
                return None;
            }
            let each = |of: u32, element: &[u8]| value::look(Shape::of(of), binary, element, context);
            let change = map(element, binary, value, &each);
            // A figure that is somebody's withholds the array.
            match (shape, change) {
                (Shape::Figure(_), Some(Change::Bytes(_))) => Some(Change::Null),
                (_, change) => change,
            }
        }
        _ => value::holds(value, context).then_some(Change::Null),
    }
}

/// The array with each element that `each` (which is given its type) changes; nothing when none does.
pub(super) fn map(
    element: u32,
    binary: bool,
    value: &[u8],
    each: &dyn Fn(u32, &[u8]) -> Option<Change>,
) -> Option<Change> {
    if binary {
        return walk_binary(value, each).unwrap_or(Some(Change::Unread));
    }
    match walk_text(value, &|inner| each(element, inner)) {
        Some(Some(masked)) => Some(Change::Bytes(masked)),
        Some(None) => None,
        None => Some(Change::Unread),
    }
}

/// `{a,"b c",NULL,{…}}`, perhaps with bounds before it: `[1:2]={…}`. Nothing when the text is no array; else
/// the array with its changes, if there are any.
fn walk_text(value: &[u8], each: &dyn Fn(&[u8]) -> Option<Change>) -> Option<Option<Vec<u8>>> {
    let open = value.iter().position(|byte| *byte == b'{')?;
    let bounds = value.get(..open)?;
    if !bounds
        .iter()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'[' | b']' | b':' | b'-' | b'+' | b'='))
    {
        return None;
    }
    let mut out = Vec::new();
    let (mut copied, mut at, mut depth) = (0, open, 0_usize);
    while let Some(byte) = value.get(at) {
        let start = at;
        at += 1;
        let inner = match byte {
            b'{' => {
                depth += 1;
                continue;
            }
            b'}' => {
                depth = depth.checked_sub(1)?;
                continue;
            }
            b',' => continue,
            _ if depth == 0 => return None,
            b'"' => {
                let mut inner = Vec::new();
                loop {
                    match value.get(at)? {
                        b'"' => break,
                        b'\\' => {
                            inner.push(*value.get(at + 1)?);
                            at += 2;
                        }
                        byte => {
                            inner.push(*byte);
                            at += 1;
                        }
                    }
                }
                at += 1;
                inner
            }
            _ => {
                let mut inner = Vec::new();
                at = start;
                while let Some(byte) = value.get(at).filter(|byte| !matches!(byte, b',' | b'}' | b'{')) {
                    let literal = if *byte == b'\\' { value.get(at + 1)? } else { byte };
                    at += if *byte == b'\\' { 2 } else { 1 };
                    inner.push(*literal);
                }
                if inner.eq_ignore_ascii_case(b"null") {
                    continue;
                }
                inner
            }
        };
        if let Some(change) = each(&inner) {
            out.extend_from_slice(value.get(copied..start)?);
            put_element(&mut out, &change);
            copied = at;
        }
    }
    if depth != 0 {
        return None;
    }
    if copied == 0 {
        return Some(None);
    }
    out.extend_from_slice(value.get(copied..)?);
    Some(Some(out))
}

fn put_element(out: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Null | Change::Unread => out.extend_from_slice(b"NULL"),
        Change::Bytes(bytes) => {
            out.push(b'"');
            for byte in bytes {
                if matches!(byte, b'"' | b'\\') {
                    out.push(b'\\');
                }
                out.push(*byte);
            }
            out.push(b'"');
        }
    }
}

/// Dimensions, a flag for NULLs, the element's type, per dimension its size and lower bound, then elements
/// with their lengths (`array_send`).
fn walk_binary(value: &[u8], each: &dyn Fn(u32, &[u8]) -> Option<Change>) -> Option<Option<Change>> {
    let mut cursor = Cursor::new(value);
    let dimensions = cursor.i32().filter(|count| (0..=MOST_DIMENSIONS).contains(count))?;
    let flags = cursor.i32()?;
    let element = cursor.u32()?;
    let mut count: usize = usize::from(dimensions > 0);
    for _ in 0..dimensions {
        let size = usize::try_from(cursor.i32()?).ok()?;
        cursor.i32()?;
        count = count.checked_mul(size)?;
    }
    // An element takes four bytes at least, so a count beyond the bytes is a lie.
    if count > value.len() / 4 {
        return None;
    }
    let mut out = BytesMut::new();
    let (mut copied, mut has_null) = (0, false);
    for _ in 0..count {
        let start = cursor.at();
        let Some(inner) = cursor.value()? else { continue };
        if let Some(change) = each(element, inner) {
            out.extend_from_slice(value.get(copied..start)?);
            put_value(&mut out, &change).ok()?;
            copied = cursor.at();
            has_null |= !matches!(change, Change::Bytes(_));
        }
    }
    if !cursor.is_empty() {
        return None;
    }
    if copied == 0 {
        return Some(None);
    }
    out.extend_from_slice(value.get(copied..)?);
    if has_null && flags == 0 {
        let mut flagged = BytesMut::with_capacity(out.len());
        flagged.extend_from_slice(out.get(..4)?);
        flagged.put_i32(1);
        flagged.extend_from_slice(out.get(8..)?);
        out = flagged;
    }
    Some(Some(Change::Bytes(out.to_vec())))
}

#[cfg(test)]
#[path = "array_tests.rs"]
mod tests;
