//! The one pass over a text: what it is made of, its groups of digits, its tokens and its long words.
//!
//! Everything that detectors ask of every text is found here, so that each byte is looked at once and not once per
//! detector. [`Parts`] are kept from one text to the next, so that nothing is allocated.

use std::ops::Range;

use crate::features::{self, Features, kind_of};

mod pass;

pub(crate) use pass::{AT_WORDS, DOT_WORDS};
use pass::{Pass, Seen};

/// The kinds of bytes as they stand in their table.
const DIGIT: u32 = 1;
const LOWER: u32 = 1 << 1;
const UPPER: u32 = 1 << 2;
const ALNUM: u32 = DIGIT | LOWER | UPPER;
const AT: u32 = 1 << 3;
const COLON: u32 = 1 << 4;
const DASH: u32 = 1 << 6;
const EQUALS: u32 = 1 << 8;
const SPACE: u32 = 1 << 14;
const GLUE: u32 = 1 << 7 | 1 << 12;
const WORD: u32 = ALNUM | 1 << 9 | 1 << 10 | 1 << 6 | 1 << 7 | 1 << 8;

/// The shortest word that may encode a text.
pub(crate) const SHORTEST_WORD: usize = 12;

/// A run of digits.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// Where.
    pub(crate) span: Range<usize>,
    /// What stands between this group and the next when that joins them: one of space, `-`, `.`, `/`, `_`.
    pub(crate) link: Option<u8>,
}

/// A run of ASCII letters and digits.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    /// Where.
    pub(crate) span: Range<usize>,
    /// How many of them are digits.
    pub(crate) digits: usize,
    /// Whether something that is part of a word stands before or after it.
    pub(crate) glued: bool,
}

impl Token {
    pub(crate) fn len(&self) -> usize {
        self.span.end - self.span.start
    }

    /// Whether it has letters and digits.
    pub(crate) fn is_mixed(&self) -> bool {
        self.digits > 0 && self.digits < self.len()
    }
}

/// Groups, tokens and words, kept from one text to the next so that their room is.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    /// Groups of digits but for those between two letters.
    pub(crate) groups: Vec<Group>,
    pub(crate) tokens: Vec<Token>,
    /// Words of base64 of [`SHORTEST_WORD`] bytes and more.
    pub(crate) words: Vec<Range<usize>>,
    /// Rows of tokens of one size, as those of a value taken apart are.
    pub(crate) rows: Vec<Range<usize>>,
}

impl Parts {
    /// Reads the parts of a text.
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Features {
        self.groups.clear();
        self.tokens.clear();
        self.words.clear();
        self.rows.clear();
        let mut pass = Pass { token_end: usize::MAX / 2, ..Pass::default() };
        // Of the last sign, and of all bytes, the kind; where the word of base64 starts, and how long the longest is.
        let (mut last, mut seen) = (0, 0);
        let (mut word, mut longest) = (0_usize, 0_usize);
        let mut at = 0_usize;
        while let Some(byte) = bytes.get(at) {
            let kind = kind_of(*byte);
            if kind & ALNUM != 0 {
                at = self.token(bytes, at, last, &mut seen, &mut pass);
                last = 0;
                continue;
            }
            if kind & WORD == 0 {
                longest = longest.max(at.wrapping_sub(word));
                if at.wrapping_sub(word) >= SHORTEST_WORD {
                    self.words.push(word..at);
                }
                word = at.wrapping_add(1);
            }
            if kind & (COLON | DASH) != 0 {
                let flag = kind == DASH
                    && last == SPACE
                    && bytes
                        .get(at.wrapping_add(1))
                        .is_some_and(|next| next.is_ascii_alphabetic() || *next == b'-');
                pass.found |= if flag { features::FLAG } else { 0 };
                pass.found |= match (kind == COLON, kind == last, kind & seen != 0) {
                    (true, true, _) => features::COLON_PAIR | features::COLONS,
                    (true, false, true) => features::COLONS,
                    (false, true, _) => features::DASH_PAIR,
                    _ => 0,
                };
            }
            if kind & (AT | EQUALS) != 0 {
                let next = bytes.get(at.wrapping_add(1)).copied().unwrap_or(0);
                if kind == AT {
                    // `alice @ example`, `alice [@] example`
                    let apart = at > 0 && (last != 0 || matches!(next, b' ' | b'\n' | b'\t'));
                    pass.found |= if apart { features::SPELLED_AT } else { 0 };
                } else if is_quoted(bytes, at) {
                    pass.found |= features::QUOTED;
                }
            }
            (last, seen) = (kind, seen | kind);
            at = at.wrapping_add(1);
        }
        longest = longest.max(at.wrapping_sub(word));
        if at.wrapping_sub(word) >= SHORTEST_WORD {
            self.words.push(word..at);
        }
        pass.features(seen, longest, bytes.len())
    }

    /// Reads the token that starts there, behind a sign of that kind; gives its end.
    #[inline]
    fn token(&mut self, bytes: &[u8], start: usize, before: u32, seen: &mut u32, pass: &mut Pass) -> usize {
        let rest = bytes.get(start..).unwrap_or(&[]);
        let (mut kinds, mut digits, mut size, mut after) = (0, 0_u32, rest.len(), 0);
        for (at, byte) in rest.iter().enumerate() {
            let kind = kind_of(*byte);
            if kind & ALNUM == 0 {
                (size, after) = (at, kind);
                break;
            }
            kinds |= kind;
            digits = digits.wrapping_add(kind & DIGIT);
        }
        *seen |= kinds;
        let digits = usize::try_from(digits).unwrap_or(usize::MAX);
        let word = rest.get(..size).unwrap_or(&[]);
        let letters = match digits {
            0 => size,
            _ if digits == size => 0,
            _ => word.iter().rposition(|byte| !byte.is_ascii_digit()).map_or(0, |last| last.wrapping_add(1)),
        };
        let camel =
            kinds == LOWER | UPPER && word.windows(2).any(|two| matches!(two, [b'a'..=b'z', b'A'..=b'Z']));
        let end = start.wrapping_add(size);
        let token = Seen {
            span: start..end,
            separator: start.checked_sub(1).and_then(|at| bytes.get(at)).copied().unwrap_or(0),
            digits,
            letters: start.wrapping_add(letters),
            camel,
        };
        pass.token(bytes, &token, &mut self.rows);
        if digits > 0 {
            pass.digits = pass.digits.wrapping_add(digits);
            self.numbers(bytes, &token, pass);
        } else {
            pass.link = None;
        }
        self.tokens.push(Token { span: token.span, digits, glued: (before | after) & GLUE != 0 });
        end
    }

    /// The groups of digits at both ends of a token.
    #[inline]
    fn numbers(&mut self, bytes: &[u8], token: &Seen, pass: &mut Pass) {
        let Seen { span, letters, .. } = token;
        let linked = pass.link.take();
        let whole = *letters == span.start;
        let starts = whole || bytes.get(span.start).is_some_and(u8::is_ascii_digit);
        if starts && span.end.wrapping_sub(span.start) <= 5 {
            pass.found |= features::SHORT_NUMBER;
        }
        if starts && !whole {
            let size = bytes
                .get(span.clone())
                .and_then(|token| token.iter().position(|byte| !byte.is_ascii_digit()))
                .unwrap_or(0);
            let row = if linked.is_some() { pass.row.wrapping_add(size) } else { size };
            pass.longest_row = pass.longest_row.max(row);
            self.groups.push(Group { span: span.start..span.start.wrapping_add(size), link: None });
        }
        if *letters < span.end {
            let size = span.end.wrapping_sub(*letters);
            pass.row = if whole && linked.is_some() { pass.row.wrapping_add(size) } else { size };
            pass.dotted = match (whole, linked) {
                (true, Some(b'.')) => pass.dotted.wrapping_add(1),
                (true, _) => 1,
                (false, _) => 0,
            };
            pass.longest_row = pass.longest_row.max(pass.row);
            if pass.dotted >= 4 {
                pass.found |= features::DOTTED;
            }
            let link = link(bytes, span.end);
            self.groups.push(Group { span: *letters..span.end, link });
            pass.link = link;
        }
    }
}

/// Whether the sign there starts what only quoted-printable text has: `=40`, `=2E`, two such escapes, a soft break.
#[inline]
fn is_quoted(bytes: &[u8], at: usize) -> bool {
    match bytes.get(at.wrapping_add(1)..) {
        Some([b'4', b'0', ..] | [b'2', b'E', ..]) => {
            bytes.get(at.wrapping_add(3)).is_some_and(|next| next.is_ascii_alphanumeric() || *next == b'=')
        }
        Some([b'2'..=b'7', b'0'..=b'9' | b'A'..=b'F', b'=', b'2'..=b'7', ..]) => true,
        // A line of `key=` without a value is none.
        Some([b'\n', next, ..] | [b'\r', b'\n', next, ..]) => {
            next.is_ascii_alphanumeric()
                && at.checked_sub(1).and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_alphanumeric)
        }
        _ => false,
    }
}

/// What joins the digits that end there to the digits after them.
#[inline]
fn link(bytes: &[u8], end: usize) -> Option<u8> {
    let byte = |at: usize| bytes.get(at).copied().unwrap_or(0);
    let joins = |byte: u8| matches!(byte, b' ' | b'-' | b'.' | b'/' | b'_');
    let first = byte(end);
    if !joins(first) {
        return None;
    }
    if byte(end + 1).is_ascii_digit() {
        return Some(first);
    }
    // ` - `, two spaces.
    let second = byte(end + 1);
    match first {
        b' ' if second == b' ' && byte(end + 2).is_ascii_digit() => Some(b' '),
        b' ' if joins(second) && byte(end + 2) == b' ' && byte(end + 3).is_ascii_digit() => Some(second),
        _ => None,
    }
}

#[cfg(test)]
#[path = "parts_tests.rs"]
mod tests;
