//! Arrays that no label covers, element by element, in both formats.
//!
//! Only elements in which text may stand are replaced where they are; an array of anything else in which
//! something is found becomes NULL, and so does one that does not read. (Arrays of labelled columns are
//! always NULL; they do not come here.)

use bytes::{BufMut, BytesMut};
use sallyport_mask::FieldContext;

use super::row::{Cursor, put_value};
use super::shape::Shape;
use super::value::{self, Change};

/// Most dimensions (`MAXDIM`).
const MOST_DIMENSIONS: i32 = 6;

/// What takes the place of an array; nothing when it stays.
pub(super) fn look(element: u32, binary: bool, value: &[u8], context: &FieldContext<'_>) -> Option<Change> {
    match Shape::of(element) {
        Shape::Plain => None,
        Shape::Address => Some(Change::Null),
        Shape::Number if !binary => {
            // Its elements are split off as text; one that is found withholds the array.
            text(Shape::Text, value, context).map(|_| Change::Null)
        }
        Shape::Text | Shape::Json | Shape::Jsonb | Shape::Number if binary => binary_array(value, context),
        shape @ (Shape::Text | Shape::Json | Shape::Jsonb) => text(shape, value, context),
        _ => value::holds(value, context).then_some(Change::Null),
    }
}

/// `{a,"b c",NULL,{…}}`, perhaps with bounds before it: `[1:2]={…}`.
fn text(element: Shape, value: &[u8], context: &FieldContext<'_>) -> Option<Change> {
    if !context.may_hold_findings(value) {
        return None;
    }
    match walk_text(element, value, context) {
        Some(Some(masked)) => Some(Change::Bytes(masked)),
        Some(None) => None,
        None => Some(Change::Null),
    }
}

/// Nothing when the text is no array; else the array with its findings replaced, if there are any.
fn walk_text(element: Shape, value: &[u8], context: &FieldContext<'_>) -> Option<Option<Vec<u8>>> {
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
        if let Some(change) = value::look(element, false, &inner, context) {
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
        Change::Null => out.extend_from_slice(b"NULL"),
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
fn binary_array(value: &[u8], context: &FieldContext<'_>) -> Option<Change> {
    match walk_binary(value, context) {
        Some(change) => change,
        None => Some(Change::Null),
    }
}

fn walk_binary(value: &[u8], context: &FieldContext<'_>) -> Option<Option<Change>> {
    let mut cursor = Cursor::new(value);
    let dimensions = cursor.i32().filter(|count| (0..=MOST_DIMENSIONS).contains(count))?;
    let flags = cursor.i32()?;
    let element = Shape::of(cursor.u32()?);
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
        if let Some(change) = value::look(element, true, inner, context) {
            out.extend_from_slice(value.get(copied..start)?);
            put_value(&mut out, &change).ok()?;
            copied = cursor.at();
            has_null |= change == Change::Null;
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
