//! Percent-encoding, and the names and values of queries and forms.

/// The value of `%XX` at the start of `bytes`.
pub(super) fn octet(bytes: &[u8]) -> Option<u8> {
    match bytes {
        [b'%', high, low, ..] => {
            let high = char::from(*high).to_digit(16)?;
            let low = char::from(*low).to_digit(16)?;
            u8::try_from(high * 16 + low).ok()
        }
        _ => None,
    }
}

/// Decodes every valid `%XX` once.
pub(super) fn decode(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        match octet(rest) {
            Some(value) => {
                out.push(value);
                rest = rest.get(3..).unwrap_or_default();
            }
            None => {
                out.push(*first);
                rest = after;
            }
        }
    }
    out
}

/// Decodes once, as text; what is no UTF-8 is replaced.
pub(super) fn decode_text(text: &[u8]) -> String {
    match String::from_utf8(decode(text)) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    }
}

pub(super) fn push_encoded(out: &mut String, byte: u8) {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    out.push('%');
    for nibble in [byte >> 4, byte & 15] {
        out.push(DIGITS.get(usize::from(nibble)).copied().unwrap_or('0'));
    }
}

pub(super) fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// What may stand in a path segment as it is.
pub(super) fn is_path_character(byte: u8) -> bool {
    is_unreserved(byte) || b"!$&'()*+,;=:@".contains(&byte)
}

/// Names and values of a query or a form, in order, decoded. Some servers take `;` for `&`: where there is
/// one, what they read stands after the rest.
pub(super) fn pairs(text: &[u8]) -> Vec<(String, String)> {
    let mut pairs: Vec<_> = text.split(|byte| *byte == b'&').filter_map(pair).collect();
    if text.contains(&b';') {
        let also = text
            .split(|byte| *byte == b'&')
            .flat_map(|piece| piece.split(|byte| *byte == b';').skip(1))
            .filter_map(pair);
        pairs.extend(also);
    }
    pairs
}

fn pair(piece: &[u8]) -> Option<(String, String)> {
    if piece.is_empty() {
        return None;
    }
    let mut halves = piece.splitn(2, |byte| *byte == b'=');
    let name = halves.next().unwrap_or_default();
    let value = halves.next().unwrap_or_default();
    Some((decode_plus(name), decode_plus(value)))
}

fn decode_plus(text: &[u8]) -> String {
    let spaced: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    decode_text(&spaced)
}
