//! Other ways to write a text than base64 and hexadecimal: base32, base85 in its three alphabets, and rows of the
//! characters' numbers, decimal or binary.
//!
//! What has other characters than words have is read where it is the whole value, a string in quotes, or an element.
//!
//! Each is told by its first few characters: for nearly every other value they write something that no text has.

use std::ops::Range;

use super::is_textual;
use crate::features::{DASH, ESCAPE, Features, GREATER, OPEN, OTHER, SIGN, SPACE};
use crate::parts::{Group, Parts};
use crate::view::WIDEST_GAP;

/// The shortest texts in base32 and base85, and the fewest numbers of a row.
const SHORTEST_32: usize = 14;
const SHORTEST_85: usize = 14;
const FEWEST: usize = 9;

/// The longest text in base85 or in numbers that is tried, bytes.
const LONGEST: usize = 16 << 10;

/// Whether something in the value may be written so: a look at what it is made of.
pub(crate) fn may_be_other(features: Features) -> bool {
    may_hold_85(features) || may_hold_numbers(features)
}

fn may_hold_85(features: Features) -> bool {
    features.any(SIGN | ESCAPE | OPEN | OTHER | GREATER)
        && (!features.any(SPACE) || features.any(OTHER | GREATER))
        && (SHORTEST_85..=LONGEST).contains(&features.length)
}

fn may_hold_numbers(features: Features) -> bool {
    features.digits >= 2 * FEWEST && features.any(SPACE | OTHER | DASH) && features.length <= LONGEST
}

/// What parts of the value write, and where they stand.
pub(crate) fn others(text: &str, parts: &Parts, features: Features) -> Vec<(Range<usize>, String)> {
    let mut found = Vec::new();
    if may_hold_numbers(features) && parts.groups.len() >= FEWEST {
        found.extend(numbers(text.as_bytes(), &parts.groups));
    }
    if may_hold_85(features) {
        let mut read = |span: Range<usize>| {
            let bytes = text.get(span.clone()).and_then(from_base85);
            found.extend(bytes.and_then(|bytes| Some((span, String::from_utf8(bytes).ok()?))));
        };
        // The whole, what stands in an element, and between two quotes.
        read(0..text.len());
        if features.any(GREATER)
            && let Some(open) = memchr::memchr(b'>', text.as_bytes())
            && let Some(close) = memchr::memrchr(b'<', text.as_bytes())
        {
            read(open + 1..close);
        }
        if features.any(OTHER) {
            let mut from = 0;
            for quote in memchr::memchr_iter(b'"', text.as_bytes()).chain([text.len()]) {
                if from > 0 && quote - from >= SHORTEST_85 {
                    read(from..quote);
                }
                from = quote + 1;
            }
        }
    }
    found
}

/// The five bits that a character of base32 writes (RFC 4648), in either case.
fn quintet(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a'),
        b'2'..=b'7' => Some(byte - b'2' + 26),
        _ => None,
    }
}

/// Whether the first characters write what could be text.
pub(super) fn starts_as_base32(word: &[u8]) -> bool {
    if word.len() < SHORTEST_32 {
        return false;
    }
    let mut bits = 0_u64;
    for byte in word.iter().take(8) {
        let Some(quintet) = quintet(*byte) else { return false };
        bits = bits << 5 | u64::from(quintet);
    }
    bits.to_be_bytes().into_iter().skip(3).all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\t'))
}

pub(super) fn from_base32(text: &str) -> Option<Vec<u8>> {
    let body = text.trim_end_matches('=');
    if text.len() - body.len() > 6 || body.len() < SHORTEST_32 {
        return None;
    }
    let mut out = Vec::with_capacity(body.len() * 5 / 8 + 1);
    let (mut held, mut bits) = (0_u32, 0_u32);
    for byte in body.bytes() {
        held = held << 5 | u32::from(quintet(byte)?);
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            out.push(u8::try_from(held >> bits).ok().filter(|byte| is_textual(*byte))?);
            held &= (1 << bits) - 1;
        }
    }
    Some(out)
}

/// The alphabets of RFC 1924 and ZeroMQ; that of Adobe is in the order of ASCII.
const RFC_1924: &[u8; 85] =
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
const Z85: &[u8; 85] =
    b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
const ADOBE: [u8; 85] = {
    let mut alphabet = [0; 85];
    let mut at = 0_u8;
    while at < 85 {
        #[expect(clippy::indexing_slicing, reason = "below the array's length; checked when it is compiled")]
        {
            alphabet[at as usize] = b'!' + at;
        }
        at += 1;
    }
    alphabet
};

/// What each character of an alphabet writes; above 84, nothing.
const fn values(alphabet: &[u8; 85]) -> [u8; 256] {
    let mut values = [u8::MAX; 256];
    let mut at = 0_u8;
    while at < 85 {
        #[expect(clippy::indexing_slicing, reason = "a byte is an index of 256; checked when it is compiled")]
        {
            values[alphabet[at as usize] as usize] = at;
        }
        at += 1;
    }
    values
}

static ALPHABETS: [[u8; 256]; 3] = [values(RFC_1924), values(Z85), values(&ADOBE)];

/// The first characters of a text in base85, of which each alphabet writes eight.
const START_85: usize = 10;

fn from_base85(text: &str) -> Option<Vec<u8>> {
    let start = text.strip_prefix("<~").unwrap_or(text).as_bytes();
    let values = ALPHABETS.iter().find(|values| starts_as_base85(start, values))?;
    // In a document within a document the quote behind it is escaped.
    let text = text.trim_end().trim_end_matches('\\');
    let body = text.strip_prefix("<~").and_then(|text| text.strip_suffix("~>")).unwrap_or(text).as_bytes();
    if body.len() < SHORTEST_85 || body.len() % 5 == 1 {
        return None;
    }
    let is_word =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/' | b'=');
    if body.iter().all(is_word) { None } else { base85(body, values) }
}

/// Whether the first characters write printable ones.
fn starts_as_base85(text: &[u8], values: &[u8; 256]) -> bool {
    let Some(start) = text.get(..START_85) else { return false };
    start.chunks_exact(5).all(|group| {
        let mut word = 0_u64;
        for byte in group {
            let value = values.get(usize::from(*byte)).copied().unwrap_or(u8::MAX);
            if value > 84 {
                return false;
            }
            word = word * 85 + u64::from(value);
        }
        u32::try_from(word)
            .is_ok_and(|word| word.to_be_bytes().iter().all(|byte| matches!(byte, b' '..=b'~')))
    })
}

fn base85(text: &[u8], values: &[u8; 256]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() * 4 / 5);
    for group in text.chunks(5) {
        let mut word = 0_u64;
        for at in 0..5 {
            // A shorter group is filled up with the last character.
            let value = match group.get(at) {
                Some(byte) => values.get(usize::from(*byte)).copied().filter(|value| *value < 85)?,
                None => 84,
            };
            word = word * 85 + u64::from(value);
        }
        let bytes = u32::try_from(word).ok()?.to_be_bytes();
        let bytes = bytes.get(..group.len() - 1)?;
        if !bytes.iter().all(|byte| is_textual(*byte)) {
            return None;
        }
        out.extend_from_slice(bytes);
    }
    Some(out)
}

/// `52 49 49 …`, `[97,108,105,…]`, `00110100 00110001 …`: rows of numbers that are characters.
fn numbers(bytes: &[u8], groups: &[Group]) -> Vec<(Range<usize>, String)> {
    let mut found = Vec::new();
    let mut rest = groups;
    while let Some(first) = rest.first() {
        let radix = if first.span.len() == 8 { 2 } else { 10 };
        let mut last = first.span.start;
        let written: String = rest
            .iter()
            .map_while(|group| {
                let between = bytes.get(last..group.span.start)?;
                let apart = between.len() <= WIDEST_GAP && !between.iter().any(u8::is_ascii_alphanumeric);
                let character = character(bytes.get(group.span.clone()).filter(|_| apart)?, radix)?;
                last = group.span.end;
                Some(character)
            })
            .collect();
        let count = written.len();
        if count >= FEWEST {
            found.push((first.span.start..last, written));
        }
        rest = rest.get(count.max(1)..).unwrap_or(&[]);
    }
    found
}

/// The character of that number.
fn character(digits: &[u8], radix: u32) -> Option<char> {
    let digits = std::str::from_utf8(digits).ok().filter(|digits| digits.len() <= 8)?;
    let number = u8::from_str_radix(digits, radix).ok()?;
    matches!(number, b' '..=b'~' | b'\n' | b'\t').then_some(char::from(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_in_other_bases_are_read() {
        for text in ["MFWGSY3FIBSXQYLNOBWGKLTDN5WQ====", "mfwgsy3fibsxqylnobwgkltdn5wq"] {
            assert!(starts_as_base32(text.as_bytes()));
            assert_eq!(from_base32(text).as_deref(), Some(&b"alice@example.com"[..]), "{text}");
        }
        for text in ["VQgt*Wk6+kVQp}1WiDfHZ2", "@;KXfAO'gO@;Tt\"AM.J2D#", "<~@;KXfAO'gO@;Tt\"AM.J2D#~>"] {
            assert_eq!(from_base85(text).as_deref(), Some(&b"alice@example.com"[..]), "{text}");
        }
        for text in ["01ARZ3NDEKTSV4RRFFQ69G5FAV", "ORDERCONFIRMATIONTEMPLATE", "WVWZZZ1JZXW000001"] {
            assert!(!starts_as_base32(text.as_bytes()), "{text}");
        }
        for text in ["https://example.com/?a=b", "{\"a\":1,\"b\":[2,3]}", "f(X1)+g(Y2)*h(Z3)"] {
            assert_eq!(from_base85(text), None, "{text}");
        }
    }
}
