//! Values that are one encoded text: base64 in either alphabet, base32, or hexadecimal.
//!
//! A whole value is decoded, and each long word of a text ([`decoded`]), three times over at most: what is wrapped
//! deeper is for lineage and policy. Base85 and rows of characters' numbers are told in another way ([`others`]). Most identifiers and digests look encoded and are not: decoding stops at the first byte
//! that no text has.

use std::ops::Range;

use crate::parts::SHORTEST_WORD;

mod bases;

pub(crate) use bases::{may_be_other, others};

/// Shortest value that is tried.
const SHORTEST: usize = SHORTEST_WORD;

/// The text that the value encodes, if it encodes one.
pub(crate) fn decode(value: &str) -> Option<String> {
    let value = value.trim();
    if value.len() < SHORTEST {
        return None;
    }
    let hex = value.strip_prefix("\\x").or_else(|| value.strip_prefix("0x")).unwrap_or(value);
    let reads = |bytes: Vec<u8>| narrow(bytes).and_then(|bytes| String::from_utf8(bytes).ok());
    from_hex(hex)
        .and_then(reads)
        .or_else(|| from_base64(value).and_then(reads))
        .or_else(|| bases::from_base32(value).and_then(reads))
}

/// UTF-16 of ASCII without its empty bytes.
fn narrow(bytes: Vec<u8>) -> Option<Vec<u8>> {
    if !bytes.contains(&0) {
        return Some(bytes);
    }
    let empty = bytes.chunks_exact(2).all(|pair| pair.iter().filter(|byte| **byte == 0).count() == 1);
    empty.then(|| bytes.into_iter().filter(|byte| *byte != 0).collect())
}

/// Whether the first characters decode to what could be text: for nearly every digest and identifier not.
fn may_read(word: &[u8]) -> bool {
    let hex = word.strip_prefix(b"\\x").or_else(|| word.strip_prefix(b"0x")).unwrap_or(word);
    starts_as_hex(hex) || starts_as_base64(word) || bases::starts_as_base32(word)
}

fn starts_as_hex(word: &[u8]) -> bool {
    let mut first = [0_u8; 6];
    let mut pairs = word.chunks_exact(2);
    for place in &mut first {
        let Some([high, low]) = pairs.next() else { return false };
        let (Some(high), Some(low)) = (char::from(*high).to_digit(16), char::from(*low).to_digit(16)) else {
            return false;
        };
        *place = u8::try_from(high << 4 | low).unwrap_or(0);
        if !is_textual(*place) && *place != 0 {
            return false;
        }
    }
    reads(&first)
}

fn starts_as_base64(word: &[u8]) -> bool {
    let mut first = [0_u8; 9];
    let mut fours = word.chunks_exact(4);
    for place in first.chunks_exact_mut(3) {
        let Some([a, b, c, d]) = fours.next() else { return false };
        let (Some(a), Some(b), Some(c), Some(d)) = (sextet(*a), sextet(*b), sextet(*c), sextet(*d)) else {
            return false;
        };
        for (place, byte) in place.iter_mut().zip([a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d]) {
            *place = byte;
            if !is_textual(byte) && byte != 0 {
                return false;
            }
        }
    }
    reads(&first)
}

/// Whether the bytes, but for a cut at the end, are UTF-8.
fn reads(first: &[u8]) -> bool {
    first.is_ascii() || std::str::from_utf8(first).map_or_else(|error| error.error_len().is_none(), |_| true)
}

/// The six bits that each character of either alphabet of base64 writes; above them, none.
static SEXTETS: [u8; 256] = {
    let mut sextets = [NONE; 256];
    let mut byte = 0_u8;
    loop {
        #[expect(clippy::indexing_slicing, reason = "a byte is an index of 256; checked when it is compiled")]
        {
            sextets[byte as usize] = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'+' | b'-' => 62,
                b'/' | b'_' => 63,
                _ => NONE,
            };
        }
        match byte.checked_add(1) {
            Some(next) => byte = next,
            None => break sextets,
        }
    }
};

const NONE: u8 = u8::MAX;

/// The six bits that a character of either alphabet of base64 writes.
#[inline]
fn sextet(byte: u8) -> Option<u8> {
    SEXTETS.get(usize::from(byte)).copied().filter(|sextet| *sextet != NONE)
}

/// What a word of a text ([`Parts::words`](crate::parts::Parts)) encodes, and where the code stands.
pub(crate) fn decoded(text: &str, word: &Range<usize>) -> Option<(Range<usize>, String)> {
    let bytes = text.as_bytes();
    // `key=…`, `\x…`
    let mut start = word.start;
    let padded = text.get(word.clone())?.trim_end_matches('=');
    if let Some(sign) = memchr::memrchr(b'=', padded.as_bytes()) {
        start += sign + 1;
    }
    if bytes.get(start) == Some(&b'x') && start.checked_sub(1).and_then(|at| bytes.get(at)) == Some(&b'\\') {
        start -= 1;
    }
    let code = text.get(start..word.end)?;
    if code.len() < SHORTEST || !may_read(code.as_bytes()) {
        return None;
    }
    // The backslash may be escaped itself.
    let escapes = bytes.iter().take(start).rev().take(3).take_while(|byte| **byte == b'\\').count();
    let outer = if code.starts_with('\\') { start - escapes } else { start };
    decode(code).map(|decoded| (outer..word.end, decoded))
}

/// Whether a text could hold the byte.
fn is_textual(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~' | 0x80..)
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let mut out = Vec::new();
    let mut high: Option<u8> = None;
    for byte in text.bytes() {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'A'..=b'F' => byte - b'A' + 10,
            _ => return None,
        };
        match high.take() {
            None => high = Some(digit << 4),
            Some(high) => out.push(Some(high | digit).filter(|byte| is_textual(*byte) || *byte == 0)?),
        }
    }
    Some(out)
}

fn from_base64(text: &str) -> Option<Vec<u8>> {
    let body = text.trim_end_matches('=');
    if text.len() - body.len() > 2 || body.len() % 4 == 1 {
        return None;
    }
    let mut out = Vec::with_capacity(body.len() * 3 / 4 + 1);
    let (mut held, mut bits) = (0_u32, 0_u32);
    for byte in body.bytes() {
        held = (held << 6) | u32::from(sextet(byte)?);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            let decoded = u8::try_from((held >> bits) & 0xff).ok()?;
            out.push(Some(decoded).filter(|byte| is_textual(*byte) || *byte == 0)?);
            held &= (1 << bits) - 1;
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_text_is_read_and_other_values_are_not() {
        assert_eq!(decode("YWxpY2VAZXhhbXBsZS5jb20=").as_deref(), Some("alice@example.com"));
        assert_eq!(decode("YWxpY2VAZXhhbXBsZS5jb20").as_deref(), Some("alice@example.com"));
        assert_eq!(decode("\\x616c696365406578616d706c652e636f6d").as_deref(), Some("alice@example.com"));
        assert_eq!(decode("d41d8cd98f00b204e9800998ecf8427e"), None);
        assert_eq!(decode("8f14e45f-ceea-467f-a0e6-9b4b3d1f6c2a"), None);
        assert_eq!(decode("hello there, world"), None);
    }
}
