//! The one pass over a text: what it is made of, its groups of digits, its tokens and its long words.
//!
//! Everything that detectors ask of every text is found here, so that each byte is looked at once and not once per
//! detector. [`Parts`] are kept from one text to the next, so that nothing is allocated.

use std::ops::Range;

use crate::context::may_start;
use crate::features::{self, Features, kind_of};

/// The kinds of bytes as they stand in their table.
const DIGIT: u32 = 1;
const LOWER: u32 = 1 << 1;
const UPPER: u32 = 1 << 2;
const ALNUM: u32 = DIGIT | LOWER | UPPER;
const COLON: u32 = 1 << 4;
const DASH: u32 = 1 << 6;
const SPACE: u32 = 1 << 14;
const GLUE: u32 = 1 << 7 | 1 << 12;
const WORD: u32 = ALNUM | 1 << 9 | 1 << 10 | 1 << 6 | 1 << 7 | 1 << 8;

/// The shortest word that may encode a text.
pub(crate) const SHORTEST_WORD: usize = 12;

/// The shortest text that is more than a name, bytes.
const SHORTEST_SENTENCE: usize = 16;

/// The longest run of letters and digits that holds words.
const LONGEST_NAME: usize = 32;

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

/// What words start with, or end with, by two letters in any case.
static STARTS: [u8; 1024] = {
    let mut starts = [0; 1024];
    let mut at = 0;
    while at < BEGIN.len() {
        #[expect(clippy::indexing_slicing, reason = "five bits twice; checked when it is compiled")]
        {
            let (letters, says) = BEGIN[at];
            starts[((letters[0] & 31) as usize) << 5 | (letters[1] & 31) as usize] |= says;
        }
        at += 1;
    }
    starts
};

const SAYS_BIRTH: u8 = 1;
const SAYS_OBJECT: u8 = 2;
const SAYS_BEARER: u8 = 4;
const SAYS_GITHUB: u8 = 8;
const SAYS_STREET: u8 = 16;
const ENDS_STREET: u8 = 32;

/// Words for a day of birth (`dob`, `born`, `geboren`, `nacimiento`, `urodzenia`, …), those that mark secrets, those
/// for streets and how such words end.
const BEGIN: &[(&[u8; 2], u8)] = &[
    (b"do", SAYS_BIRTH),
    (b"da", SAYS_BIRTH),
    (b"bo", SAYS_BIRTH),
    (b"bi", SAYS_BIRTH),
    (b"bd", SAYS_BIRTH),
    (b"ge", SAYS_BIRTH),
    (b"na", SAYS_BIRTH),
    (b"ur", SAYS_BIRTH),
    (b"yo", SAYS_BIRTH),
    (b"ey", SAYS_OBJECT),
    (b"ew", SAYS_OBJECT),
    (b"be", SAYS_BEARER),
    (b"ba", SAYS_BEARER),
    (b"gh", SAYS_GITHUB),
    (b"gi", SAYS_GITHUB),
    (b"st", SAYS_STREET),
    (b"av", SAYS_STREET),
    (b"ro", SAYS_STREET),
    (b"rd", SAYS_STREET),
    (b"la", SAYS_STREET),
    (b"ln", SAYS_STREET),
    (b"dr", SAYS_STREET),
    (b"bo", SAYS_STREET),
    (b"bl", SAYS_STREET),
    (b"co", SAYS_STREET),
    (b"ct", SAYS_STREET),
    (b"sq", SAYS_STREET),
    (b"te", SAYS_STREET),
    (b"cr", SAYS_STREET),
    (b"pa", SAYS_STREET),
    (b"hi", SAYS_STREET),
    (b"hw", SAYS_STREET),
    (b"ru", SAYS_STREET),
    (b"ca", SAYS_STREET),
    (b"vi", SAYS_STREET),
    (b"pi", SAYS_STREET),
    (b"ul", SAYS_STREET),
    (b"pl", SAYS_STREET),
    (b"se", ENDS_STREET),
    (b"tr", ENDS_STREET),
    (b"eg", ENDS_STREET),
    (b"tz", ENDS_STREET),
    (b"ee", ENDS_STREET),
    (b"at", ENDS_STREET),
    (b"an", ENDS_STREET),
    (b"en", ENDS_STREET),
    (b"de", ENDS_STREET),
];

/// The bits of these lengths.
const fn bits(lengths: &[usize]) -> u64 {
    match lengths {
        [first, rest @ ..] => 1 << *first | bits(rest),
        [] => 0,
    }
}

/// What the pass has seen so far.
#[derive(Default)]
struct Pass {
    /// What of all that is told beyond single bytes is there.
    found: u64,
    says: u8,
    digits: usize,
    /// The digits of the row of groups, and of the longest; the numbers with dots between.
    row: usize,
    longest_row: usize,
    dotted: usize,
    link: Option<u8>,
    /// Tokens of one size in a row, where it starts, the separator between them, and where the last ended and its size.
    equal: usize,
    equal_from: usize,
    separator: u8,
    token_end: usize,
    token_size: usize,
    /// The last token was two letters.
    pair: bool,
    /// The lengths of tokens, as bits: of all, and of those of letters and digits.
    lengths: u64,
    mixed: u64,
    capitals: bool,
}

/// A token as its bytes were seen.
struct Seen {
    span: Range<usize>,
    /// The byte before it.
    separator: u8,
    digits: usize,
    /// Where its last letter ends; its start when it has none.
    letters: usize,
    /// A capital stands behind a small letter.
    camel: bool,
}

impl Pass {
    #[inline]
    fn token(&mut self, bytes: &[u8], token: &Seen, rows: &mut Vec<Range<usize>>) {
        let span = &token.span;
        let size = span.end.wrapping_sub(span.start);
        let follows = span.start == self.token_end.wrapping_add(1);
        let first = bytes.get(span.start).copied().unwrap_or(0);
        if follows && self.pair && first.is_ascii_digit() {
            self.found |= features::PAIR;
        }
        if follows && self.token_size == size && size <= 5 {
            // Single characters stand between signs too (`a l @ b`), so that their separators may differ.
            if size == 1 || token.separator == self.separator || self.equal < 2 {
                self.equal = self.equal.wrapping_add(1);
            } else {
                self.equal = 2;
                self.equal_from = self.token_end.wrapping_sub(size);
            }
            if self.equal >= 3 {
                self.found |= if matches!(size, 2 | 4) { features::OCTETS } else { 0 };
                if size == 1 || self.equal > 3 {
                    self.found |= features::APART;
                    match rows.last_mut() {
                        Some(row) if row.start == self.equal_from => row.end = span.end,
                        _ => rows.push(self.equal_from..span.end),
                    }
                }
            }
        } else {
            self.equal = 1;
            self.equal_from = span.start;
        }
        (self.separator, self.token_end, self.token_size) = (token.separator, span.end, size);
        self.pair = size == 2 && token.digits == 0;
        let bit = 1_u64 << size.min(63);
        self.lengths |= bit;
        if token.digits != size {
            self.letters(bytes, token, first, size);
        }
    }

    /// What a token with letters tells.
    #[inline]
    fn letters(&mut self, bytes: &[u8], token: &Seen, first: u8, size: usize) {
        let span = &token.span;
        if token.digits > 0 {
            self.mixed |= 1_u64 << size.min(63);
            self.found |= if size <= LONGEST_NAME { features::TELLING } else { 0 };
            if let Some([a, b, c, d]) = bytes.get(span.start..span.end.min(span.start.wrapping_add(4)))
                && a.is_ascii_alphabetic()
                && b.is_ascii_alphabetic()
                && c.is_ascii_digit()
                && d.is_ascii_digit()
            {
                self.found |= features::ACCOUNT;
            }
        } else {
            self.found |= if token.camel { features::TELLING } else { 0 };
            self.says |= if token.camel { SAYS_BIRTH } else { 0 };
            self.found |= if size == 1 { features::LETTERS_1 } else { 0 };
        }
        if size >= 8
            && bytes.get(span.end.wrapping_sub(1)).is_some_and(|last| last | 0x20 == b'd')
            && let Some(end) = bytes.get(span.end.wrapping_sub(4)..span.end)
            && (end.eq_ignore_ascii_case(b"word") || end.eq_ignore_ascii_case(b"fied"))
        {
            self.found |= features::TOLD;
        }
        if first.is_ascii_alphabetic() {
            let second = bytes.get(span.start.wrapping_add(1)).copied().unwrap_or(0);
            let pair = usize::from(first & 31) << 5 | usize::from(second & 31);
            // `d. o. b.`; what goes on beyond ASCII.
            let alone = size == 1 && (second >= 0x80 || first | 0x20 == b'd');
            if size == 2
                && first | 0x20 == b'a'
                && second | 0x20 == b't'
                && matches!(token.separator, b'[' | b'(')
            {
                self.found |= features::SPELLED_AT;
            }
            let says = if size > 1 { STARTS.get(pair).copied().unwrap_or(0) } else { u8::from(alone) };
            // `dob1` is a word, and a long row of letters and digits none.
            let goes_on = bytes.get(span.end).is_some_and(|byte| *byte >= 0x80);
            let is_word =
                if token.digits > 0 { size <= 8 } else { goes_on || may_start(first, second, size) };
            self.found |= if is_word { features::TELLING } else { 0 };
            self.says |= if is_word { says } else { says & !SAYS_BIRTH };
            if first.is_ascii_uppercase() {
                self.found |= if self.capitals && token.separator == b' ' { features::NAMES } else { 0 };
                self.capitals = true;
                let end = bytes.get(span.end.wrapping_sub(2)..span.end).unwrap_or(&[]);
                if let [a, b] = end
                    && STARTS
                        .get(usize::from(a & 31) << 5 | usize::from(b & 31))
                        .is_some_and(|end| end & ENDS_STREET != 0)
                {
                    self.says |= SAYS_STREET;
                }
            }
        }
    }

    fn features(&self, seen: u32, longest: usize, length: usize) -> Features {
        let bit = |is: bool, bit: u64| u64::from(is) * bit;
        let (any, mixed) = (self.lengths, self.mixed);
        let dated = self.found & features::SHORT_NUMBER != 0 || self.longest_row >= 7;
        let mut bits = u64::from(seen)
            | self.found
            | bit(seen & (LOWER | UPPER) != 0, features::LETTER)
            | bit(self.digits >= 7, features::SEVEN)
            | bit(self.longest_row >= 7, features::ROW)
            | bit(self.says & SAYS_BIRTH != 0 && dated, features::BIRTH)
            | bit(self.says & SAYS_OBJECT != 0, features::OBJECT)
            | bit(self.says & SAYS_BEARER != 0, features::BEARER)
            | bit(self.says & SAYS_GITHUB != 0, features::GITHUB)
            | bit(self.says & SAYS_STREET != 0, features::STREET)
            | bit(longest >= 10, features::WORD_10)
            | bit(longest >= 12, features::WORD_12)
            | bit(longest >= 16, features::WORD_16)
            | bit(longest >= 20, features::WORD_20)
            | bit(longest >= 40, features::WORD_40)
            | bit(mixed & bits(&[4]) != 0, features::MIXED_4)
            | bit(mixed & bits(&[5]) != 0, features::MIXED_5)
            | bit(mixed & bits(&[8, 9]) != 0, features::MIXED_8_9)
            | bit(mixed & bits(&[10]) != 0, features::MIXED_10)
            | bit(mixed & bits(&[16]) != 0, features::MIXED_16)
            | bit(any & bits(&[12]) != 0, features::OCTETS)
            | bit(any >> 26 != 0, features::TOKEN_26);
        let lone = (8..=64).contains(&length)
            && bits & features::NOT_LONE == 0
            && seen & (LOWER | DIGIT) == LOWER | DIGIT
            && bits & (features::UPPER | features::SIGN | features::AT | features::ESCAPE) != 0;
        bits |= bit(lone, features::LONE);
        if length < SHORTEST_SENTENCE {
            bits &= !features::NAMES;
        }
        Features { bits, digits: self.digits, length, longest }
    }
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
        let (mut kinds, mut digits, mut size, mut after) = (0, 0_u32, 0_usize, 0);
        for byte in rest {
            let kind = kind_of(*byte);
            if kind & ALNUM == 0 {
                after = kind;
                break;
            }
            size = size.wrapping_add(1);
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
