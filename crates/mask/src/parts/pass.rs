//! What the pass over a text has seen so far, token by token, and what that tells of the text.

use std::ops::Range;

use crate::context::may_start;
use crate::features::{self, Features};
use crate::view::WIDEST_GAP;

/// The kinds of bytes as they stand in their table.
const LOWER: u32 = 1 << 1;
const UPPER: u32 = 1 << 2;
const AT: u32 = 1 << 3;
const DIGIT: u32 = 1;

/// The shortest text that is more than a name, bytes.
const SHORTEST_SENTENCE: usize = 16;

/// The longest run of letters and digits that holds words.
const LONGEST_NAME: usize = 32;

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
const SAYS_SIGN: u8 = 64;

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
    (b"at", SAYS_SIGN),
    (b"ar", SAYS_SIGN),
    (b"do", SAYS_SIGN),
    (b"pu", SAYS_SIGN),
    (b"po", SAYS_SIGN),
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

/// What people write for the signs of an address, beside `at`.
pub(crate) const AT_WORDS: &[&str] = &["arroba"];
pub(crate) const DOT_WORDS: &[&str] = &["dot", "punto", "ponto", "punkt", "point"];

/// The bits of these lengths.
const fn bits(lengths: &[usize]) -> u64 {
    match lengths {
        [first, rest @ ..] => 1 << *first | bits(rest),
        [] => 0,
    }
}

/// What the pass has seen so far.
#[derive(Default)]
pub(super) struct Pass {
    /// What of all that is told beyond single bytes is there.
    pub(super) found: u64,
    pub(super) says: u8,
    pub(super) digits: usize,
    /// The digits of the row of groups, and of the longest; the numbers with dots between.
    pub(super) row: usize,
    pub(super) longest_row: usize,
    pub(super) dotted: usize,
    pub(super) link: Option<u8>,
    /// Tokens of one size in a row, where it starts, the separator between them, and where the last ended and its size.
    pub(super) equal: usize,
    pub(super) equal_from: usize,
    pub(super) separator: u8,
    pub(super) token_end: usize,
    pub(super) token_size: usize,
    /// The bytes before that token.
    pub(super) gap: usize,
    /// The last token was digits.
    pub(super) number: bool,
    /// The last token was two letters.
    pub(super) pair: bool,
    /// `at` and `dot` stand somewhere, or what other languages have for them.
    pub(super) at_word: bool,
    pub(super) dot_word: bool,
    /// The lengths of tokens, as bits: of all, and of those of letters and digits.
    pub(super) lengths: u64,
    pub(super) mixed: u64,
    pub(super) capitals: bool,
}

/// A token as its bytes were seen.
pub(super) struct Seen {
    pub(super) span: Range<usize>,
    /// The byte before it.
    pub(super) separator: u8,
    pub(super) digits: usize,
    /// Where its last letter ends; its start when it has none.
    pub(super) letters: usize,
    /// A capital stands behind a small letter.
    pub(super) camel: bool,
}

impl Pass {
    #[inline]
    pub(super) fn token(&mut self, bytes: &[u8], token: &Seen, rows: &mut Vec<Range<usize>>) {
        let span = &token.span;
        let size = span.end.wrapping_sub(span.start);
        let follows = span.start == self.token_end.wrapping_add(1);
        let first = bytes.get(span.start).copied().unwrap_or(0);
        if follows && self.pair && first.is_ascii_digit() {
            self.found |= features::PAIR;
        }
        let gap = span.start.wrapping_sub(self.token_end);
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
        } else if (2..=WIDEST_GAP).contains(&gap) && self.token_size == size && matches!(size, 1 | 4) {
            // `"4", "1", …`, `4111, 1111, …`
            if self.equal < 2 || self.gap == gap {
                self.equal = self.equal.wrapping_add(1);
            } else {
                self.equal = 2;
                self.equal_from = self.token_end.wrapping_sub(size);
            }
            if self.equal > 3 {
                self.found |= features::APART;
                match rows.last_mut() {
                    Some(row) if row.start == self.equal_from => row.end = span.end,
                    _ => rows.push(self.equal_from..span.end),
                }
            }
        } else {
            self.equal = 1;
            self.equal_from = span.start;
        }
        let numbers = self.number && token.digits > 0;
        self.gap = gap;
        (self.separator, self.token_end, self.token_size) = (token.separator, span.end, size);
        self.pair = size == 2 && token.digits == 0;
        let bit = 1_u64 << size.min(63);
        self.lengths |= bit;
        self.number = token.digits == size;
        if self.number {
            let unusual = numbers && (gap > 1 || !matches!(token.separator, b' ' | b'-' | b'.' | b':'));
            self.found |= if unusual && gap <= WIDEST_GAP { features::UNUSUAL } else { 0 };
        } else {
            let exponent = numbers && token.separator == b'.' && token.digits > 10;
            self.found |= if exponent { features::UNUSUAL } else { 0 };
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
            let says = if size > 1 { STARTS.get(pair).copied().unwrap_or(0) } else { u8::from(alone) };
            if says & SAYS_SIGN != 0 && size <= 6 {
                self.spelled(bytes, token);
            }
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

    /// Words for the signs of an address.
    #[cold]
    fn spelled(&mut self, bytes: &[u8], token: &Seen) {
        let word = bytes.get(token.span.clone()).unwrap_or(&[]);
        let is = |words: &[&str]| words.iter().any(|one| word.eq_ignore_ascii_case(one.as_bytes()));
        if word.eq_ignore_ascii_case(b"at") {
            let spelled = word.get(1) == Some(&b'T') || matches!(token.separator, b'[' | b'(' | b'{' | b'<');
            self.found |= if spelled { features::SPELLED_AT } else { 0 };
            self.at_word = true;
        }
        self.dot_word |= is(DOT_WORDS);
        self.at_word |= is(AT_WORDS);
    }

    pub(super) fn features(&self, seen: u32, longest: usize, length: usize) -> Features {
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
            | bit(self.dot_word && (self.at_word || seen & AT != 0), features::SPELLED_AT)
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
