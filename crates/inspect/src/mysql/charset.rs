//! From the bytes that a client sends to the text that the server lexes.
//!
//! The server goes through multi-byte characters by its own tables before anything else is looked at, so a
//! byte that looks like a quote or a backslash may be half of a character. Characters are told apart here by
//! the same ranges as there (`strings/ctype-*.c`); what the server takes for malformed, or what has no
//! character in Unicode, is not read on.

use std::borrow::Cow;

use encoding_rs::{BIG5, EUC_JP, EUC_KR, Encoding, GB18030, GBK, SHIFT_JIS};

/// Text that was decoded.
#[derive(Debug)]
pub(super) struct Decoded<'a> {
    pub(super) text: Cow<'a, str>,
    /// Whether the character set is one of Unicode.
    pub(super) unicode: bool,
}

/// How long the character at the start of the bytes is, by a server's table; nothing when it is malformed.
type Length = fn(&[u8]) -> Option<usize>;

/// Decodes by a `character_set_client`. An error is the reason.
pub(super) fn decode<'a>(bytes: &'a [u8], character_set: &str) -> Result<Decoded<'a>, String> {
    let name = character_set.to_ascii_lowercase();
    if bytes.contains(&0) {
        return Err("an embedded NUL".to_owned());
    }
    let unicode = |text| Decoded { text: Cow::Borrowed(text), unicode: true };
    if bytes.is_ascii() && !matches!(name.as_str(), "ucs2" | "utf16" | "utf16le" | "utf32") {
        // All of the others are ASCII below 0x80, outside characters of several bytes.
        return known(&name)
            .then(|| std::str::from_utf8(bytes).map(unicode))
            .and_then(Result::ok)
            .ok_or_else(|| unknown(&name));
    }
    match name.as_str() {
        "utf8mb4" => std::str::from_utf8(bytes).map(unicode).map_err(|error| error.to_string()),
        "utf8" | "utf8mb3" => {
            let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
            if text.chars().any(|char| char.len_utf8() == 4) {
                return Err("a character that utf8mb3 does not have".to_owned());
            }
            Ok(unicode(text))
        }
        "gbk" => several(bytes, GBK, |bytes| pair(bytes, 0x81..=0xFE, &[0x40..=0x7E, 0x80..=0xFE])),
        "gb2312" => several(bytes, GBK, |bytes| pair(bytes, 0xA1..=0xF7, &[0xA1..=0xFE])),
        "gb18030" => several(bytes, GB18030, gb18030),
        "big5" => several(bytes, BIG5, |bytes| pair(bytes, 0xA1..=0xF9, &[0x40..=0x7E, 0xA1..=0xFE])),
        "sjis" | "cp932" => several(bytes, SHIFT_JIS, sjis),
        "ujis" | "eucjpms" => several(bytes, EUC_JP, eucjp),
        "euckr" => {
            several(bytes, EUC_KR, |bytes| pair(bytes, 0x81..=0xFE, &[0x41..=0x5A, 0x61..=0x7A, 0x81..=0xFE]))
        }
        other => match single(other) {
            Some(encoding) => {
                let text = encoding.decode_without_bom_handling(bytes).0;
                Ok(Decoded { text, unicode: false })
            }
            None if other == "ascii" => Err("a byte that is not ASCII".to_owned()),
            None => Err(unknown(other)),
        },
    }
}

fn unknown(name: &str) -> String {
    format!("the character set {name}")
}

fn known(name: &str) -> bool {
    matches!(
        name,
        "ascii"
            | "utf8mb4"
            | "utf8"
            | "utf8mb3"
            | "gbk"
            | "gb2312"
            | "gb18030"
            | "big5"
            | "sjis"
            | "cp932"
            | "ujis"
            | "eucjpms"
            | "euckr"
    ) || single(name).is_some()
}

/// The character sets of one byte. What stands outside strings and is no letter is doubtful (the lexer's
/// `unicode`), so it is enough that the letters agree.
fn single(name: &str) -> Option<&'static Encoding> {
    Some(match name {
        "latin1" | "binary" => encoding_rs::WINDOWS_1252,
        "latin2" => encoding_rs::ISO_8859_2,
        "latin5" => encoding_rs::WINDOWS_1254,
        "latin7" => encoding_rs::ISO_8859_13,
        "greek" => encoding_rs::ISO_8859_7,
        "hebrew" => encoding_rs::ISO_8859_8,
        "cp1250" => encoding_rs::WINDOWS_1250,
        "cp1251" => encoding_rs::WINDOWS_1251,
        "cp1256" => encoding_rs::WINDOWS_1256,
        "cp1257" => encoding_rs::WINDOWS_1257,
        "cp866" => encoding_rs::IBM866,
        "koi8r" => encoding_rs::KOI8_R,
        "koi8u" => encoding_rs::KOI8_U,
        "tis620" => encoding_rs::WINDOWS_874,
        "macroman" => encoding_rs::MACINTOSH,
        _ => return None,
    })
}

fn several<'a>(bytes: &'a [u8], encoding: &'static Encoding, length: Length) -> Result<Decoded<'a>, String> {
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(&first) = rest.first() {
        let taken = if first < 0x80 { Some(1) } else { length(rest) };
        let (Some(character), Some(after)) =
            (taken.and_then(|taken| rest.get(..taken)), taken.and_then(|taken| rest.get(taken..)))
        else {
            return Err(format!("a malformed character at byte {}", bytes.len() - rest.len()));
        };
        if first < 0x80 {
            text.push(char::from(first));
        } else {
            let decoded = encoding.decode_without_bom_handling_and_without_replacement(character);
            let Some(decoded) = decoded.filter(|decoded| !decoded.is_ascii()) else {
                return Err(format!("an unassigned character at byte {}", bytes.len() - rest.len()));
            };
            text.push_str(&decoded);
        }
        rest = after;
    }
    Ok(Decoded { text: Cow::Owned(text), unicode: false })
}

type Range = std::ops::RangeInclusive<u8>;

fn pair(bytes: &[u8], first: Range, second: &[Range]) -> Option<usize> {
    let (head, tail) = (bytes.first()?, bytes.get(1)?);
    (first.contains(head) && second.iter().any(|range| range.contains(tail))).then_some(2)
}

fn sjis(bytes: &[u8]) -> Option<usize> {
    let tails = [0x40..=0x7E, 0x80..=0xFC];
    match bytes.first()? {
        0xA1..=0xDF => Some(1),
        0x81..=0x9F => pair(bytes, 0x81..=0x9F, &tails),
        _ => pair(bytes, 0xE0..=0xFC, &tails),
    }
}

fn eucjp(bytes: &[u8]) -> Option<usize> {
    match bytes.first()? {
        0x8E => pair(bytes, 0x8E..=0x8E, &[0xA1..=0xDF]),
        0x8F => pair(bytes.get(1..)?, 0xA1..=0xFE, &[0xA1..=0xFE]).map(|_| 3),
        _ => pair(bytes, 0xA1..=0xFE, &[0xA1..=0xFE]),
    }
}

fn gb18030(bytes: &[u8]) -> Option<usize> {
    if let Some(two) = pair(bytes, 0x81..=0xFE, &[0x40..=0x7E, 0x80..=0xFE]) {
        return Some(two);
    }
    pair(bytes, 0x81..=0xFE, &[0x30..=0x39])?;
    pair(bytes.get(2..)?, 0x81..=0xFE, &[0x30..=0x39]).map(|_| 4)
}
