//! Values that are one encoded text: base64 in either alphabet, or hexadecimal.
//!
//! A whole value is decoded, and each long word of a text ([`words`]), twice over at most: what is wrapped deeper is
//! for lineage and policy. Most identifiers and digests look encoded and are not: decoding stops at the first byte
//! that no text has.

use std::ops::Range;

/// Shortest value that is tried.
pub(crate) const SHORTEST: usize = 12;

/// The text that the value encodes, if it encodes one.
pub(crate) fn decode(value: &str) -> Option<String> {
    let value = value.trim();
    if value.len() < SHORTEST {
        return None;
    }
    let hex = value.strip_prefix("\\x").or_else(|| value.strip_prefix("0x")).unwrap_or(value);
    let bytes = from_hex(hex).or_else(|| from_base64(value))?;
    String::from_utf8(bytes).ok()
}

/// Whether the first characters decode to what could be text: for nearly every digest and identifier not.
fn may_read(word: &[u8]) -> bool {
    let hex = word.strip_prefix(b"\\x").or_else(|| word.strip_prefix(b"0x")).unwrap_or(word);
    let mut first = [0_u8; 9];
    let reads = |first: &[u8]| {
        first.iter().all(|byte| is_textual(*byte))
            && std::str::from_utf8(first).map_or_else(|error| error.error_len().is_none(), |_| true)
    };
    let mut digits = hex.iter().take(12).map(|byte| char::from(*byte).to_digit(16));
    let is_hex =
        first.iter_mut().take(6).all(|place| match (digits.next().flatten(), digits.next().flatten()) {
            (Some(high), Some(low)) => u8::try_from(high * 16 + low).map(|byte| *place = byte).is_ok(),
            _ => false,
        });
    if is_hex && first.get(..6).is_some_and(reads) {
        return true;
    }
    let mut places = first.iter_mut();
    let is_base64 = word.chunks_exact(4).take(3).all(|four| {
        let mut held = 0_u32;
        for byte in four {
            let Some(value) = sextet(*byte) else { return false };
            held = held << 6 | value;
        }
        [held >> 16, held >> 8, held].into_iter().all(|byte| {
            match (places.next(), u8::try_from(byte & 0xff)) {
                (Some(place), Ok(byte)) => {
                    *place = byte;
                    true
                }
                _ => false,
            }
        })
    });
    is_base64 && reads(&first)
}

/// The six bits that a character of either alphabet of base64 writes.
fn sextet(byte: u8) -> Option<u32> {
    Some(u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    }))
}

/// The words of a text that could encode another, and what they encode.
pub(crate) fn words(text: &str) -> impl Iterator<Item = (Range<usize>, String)> {
    let bytes = text.as_bytes();
    let is_part =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=');
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let mut start = from + bytes.iter().skip(from).position(is_part)?;
            let end = bytes
                .iter()
                .skip(start)
                .position(|byte| !is_part(byte))
                .map_or(bytes.len(), |length| start + length);
            from = end;
            // `key=…`, `\x…`
            let word = text.get(start..end)?;
            if word.len() < SHORTEST {
                continue;
            }
            let padded = word.trim_end_matches('=');
            if let Some(sign) = memchr::memrchr(b'=', padded.as_bytes()) {
                start += sign + 1;
            }
            if bytes.get(start) == Some(&b'x')
                && start.checked_sub(1).and_then(|at| bytes.get(at)) == Some(&b'\\')
            {
                start -= 1;
            }
            let word = text.get(start..end)?;
            // The backslash may be escaped itself.
            let escapes = bytes.iter().take(start).rev().take(3).take_while(|byte| **byte == b'\\').count();
            let outer = if word.starts_with('\\') { start - escapes } else { start };
            if word.len() >= SHORTEST
                && may_read(word.as_bytes())
                && let Some(decoded) = decode(word)
            {
                return Some((outer..end, decoded));
            }
        }
    })
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
            Some(high) => out.push(Some(high | digit).filter(|byte| is_textual(*byte))?),
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
        let value = sextet(byte)?;
        held = (held << 6) | value;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            let decoded = u8::try_from((held >> bits) & 0xff).ok()?;
            out.push(Some(decoded).filter(|byte| is_textual(*byte))?);
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
