//! Rows of results: text ("Text Resultset Row") and binary ("Binary Protocol Resultset Row"), value by
//! value, and how either is written.

use bytes::{BufMut as _, BytesMut};

use super::column::{Width, binary_value, width};
use super::error::WireError;
use super::reader::{Reader, put_lenenc_bytes};

/// In a binary row, the bits of the first two columns are unused.
const BITMAP_OFFSET: usize = 2;

/// The values of a text row, one for each of `columns`.
///
/// # Errors
/// Malformed, or with other columns.
pub fn text_values(payload: &[u8], columns: usize) -> Result<Vec<Option<&[u8]>>, WireError> {
    let mut reader = Reader::new("row", payload);
    // A value takes a byte at least, so the count is bounded by what is there.
    let mut values = Vec::with_capacity(columns.min(payload.len()));
    for _ in 0..columns {
        values.push(reader.text_value()?);
    }
    reader.finish()?;
    Ok(values)
}

/// The values of a binary row of columns of these types.
///
/// # Errors
/// Malformed, or with other columns.
pub fn binary_values(
    payload: &[u8],
    kinds: impl ExactSizeIterator<Item = u8>,
) -> Result<Vec<Option<&[u8]>>, WireError> {
    let mut reader = Reader::new("binary row", payload);
    if reader.u8()? != 0 {
        return Err(reader.malformed());
    }
    let bitmap = reader.take((kinds.len() + BITMAP_OFFSET).div_ceil(8))?;
    let mut values = Vec::with_capacity(kinds.len().min(payload.len() * 8));
    for (index, kind) in kinds.enumerate() {
        let bit = index + BITMAP_OFFSET;
        let is_null = bitmap.get(bit / 8).is_some_and(|byte| byte & (1 << (bit % 8)) != 0);
        values.push(if is_null { None } else { Some(binary_value(&mut reader, kind)?) });
    }
    reader.finish()?;
    Ok(values)
}

/// Appends one value of a text row.
pub fn put_text_value(out: &mut BytesMut, value: Option<&[u8]>) {
    match value {
        None => out.put_u8(0xfb),
        Some(bytes) => put_lenenc_bytes(out, bytes),
    }
}

/// Appends a binary row of columns of these types. The values are as [`binary_values`] gives them; what does
/// not fit its type becomes NULL.
pub fn put_binary_row<'a>(out: &mut BytesMut, values: impl ExactSizeIterator<Item = (u8, Option<&'a [u8]>)>) {
    out.put_u8(0);
    let mark = out.len();
    out.put_bytes(0, (values.len() + BITMAP_OFFSET).div_ceil(8));
    for (index, (kind, value)) in values.enumerate() {
        let bit = index + BITMAP_OFFSET;
        let put = match (value, width(kind)) {
            (Some(bytes), Some(Width::Fixed(length))) if bytes.len() == length => {
                out.put_slice(bytes);
                true
            }
            (Some(bytes), Some(Width::Short)) if bytes.len() <= 12 => {
                out.put_u8(u8::try_from(bytes.len()).unwrap_or(0));
                out.put_slice(bytes);
                true
            }
            (Some(bytes), Some(Width::Long)) => {
                put_lenenc_bytes(out, bytes);
                true
            }
            _ => false,
        };
        if !put && let Some(byte) = out.get_mut(mark + bit / 8) {
            *byte |= 1 << (bit % 8);
        }
    }
}
