//! A text as detectors see it: its bytes, its groups of digits and words, and what surrounds each place.
//!
//! Made once per view of a value and shared by all detectors, so that each byte is looked at a few times
//! and not once per detector. Work is counted ([`Reading::spend`]): a text that asks for more than its length
//! allows is withheld rather than read slowly.

use std::cell::{Cell, OnceCell};
use std::ops::Range;

use crate::context::{Before, Column};
use crate::features::Features;
use crate::structure::Keys;
use crate::topics::Topic;

const LETTER: u8 = 1;
const DIGIT: u8 = 2;

/// Letters and digits of ASCII.
const CLASS: [u8; 256] = {
    let mut class = [0; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        #[expect(clippy::indexing_slicing, reason = "a byte is an index of 256; checked when it is compiled")]
        {
            class[byte as usize] = if byte.is_ascii_digit() {
                DIGIT
            } else if byte.is_ascii_alphabetic() {
                LETTER
            } else {
                0
            };
        }
        byte += 1;
    }
    class
};

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

/// Groups and tokens, kept from one text to the next so that their room is.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    pub(crate) groups: Vec<Group>,
    pub(crate) tokens: Vec<Token>,
    /// Some tokens of one size stand in a row, as those of a value taken apart do.
    pub(crate) apart: bool,
    /// The digits of the longest row of groups.
    pub(crate) longest_row: usize,
    /// The lengths of tokens, as bits; of those with letters and digits; of those of letters alone.
    lengths: u64,
    mixed: u64,
    letters: u64,
}

/// The bits of these lengths.
const fn bits(lengths: &[usize]) -> u64 {
    match lengths {
        [first, rest @ ..] => 1 << *first | bits(rest),
        [] => 0,
    }
}

impl Parts {
    /// Whether a token of letters and digits has one of these lengths.
    pub(crate) fn has_mixed(&self, lengths: &[usize]) -> bool {
        self.mixed & bits(lengths) != 0
    }

    /// Whether a token of letters alone has one of these lengths.
    pub(crate) fn has_letters(&self, lengths: &[usize]) -> bool {
        self.letters & bits(lengths) != 0
    }

    /// Whether a token has one of these lengths.
    pub(crate) fn has(&self, lengths: &[usize]) -> bool {
        self.lengths & bits(lengths) != 0
    }

    /// Reads the parts of a text.
    pub(crate) fn read(&mut self, bytes: &[u8]) {
        self.groups.clear();
        self.tokens.clear();
        self.apart = false;
        (self.lengths, self.mixed, self.letters) = (0, 0, 0);
        let mut row = 0;
        self.longest_row = 0;
        let mut in_row = 0;
        let mut at = 0;
        while let Some(first) = bytes.get(at) {
            if CLASS.get(usize::from(*first)).copied().unwrap_or(0) == 0 {
                at += 1;
                continue;
            }
            // A token, and the groups of digits in it.
            let start = at;
            let mut digits = 0;
            let mut group = None;
            let rest = bytes.get(start..).unwrap_or(&[]);
            for byte in rest {
                match CLASS.get(usize::from(*byte)).copied().unwrap_or(0) {
                    0 => break,
                    DIGIT => {
                        digits += 1;
                        group = group.or(Some(at));
                    }
                    _ => {
                        if let Some(from) = group.take() {
                            in_row = 0;
                            self.longest_row = self.longest_row.max(at - from);
                            self.groups.push(Group { span: from..at, link: None });
                        }
                    }
                }
                at += 1;
            }
            if let Some(from) = group.take() {
                let link = link(bytes, at);
                in_row += at - from;
                self.longest_row = self.longest_row.max(in_row);
                if link.is_none() {
                    in_row = 0;
                }
                self.groups.push(Group { span: from..at, link });
            }
            let size = at - start;
            row = match self.tokens.last() {
                Some(last) if size <= 5 && last.span.end + 1 == start && last.len() == size => row + 1,
                _ => 1,
            };
            let bit = 1_u64 << size.min(63);
            self.lengths |= bit;
            self.mixed |= if digits > 0 && digits < size { bit } else { 0 };
            self.letters |= if digits == 0 { bit } else { 0 };
            self.apart |= row >= if size == 1 { 3 } else { 4 };
            let before = start.checked_sub(1).and_then(|at| bytes.get(at)).copied().unwrap_or(0);
            let after = bytes.get(at).copied().unwrap_or(0);
            let glued = |byte: u8| byte == b'_' || byte >= 0x80;
            self.tokens.push(Token { span: start..at, digits, glued: glued(before) || glued(after) });
        }
    }
}

/// What joins the digits that end there to the digits after them.
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

/// A text and what is known about it.
#[derive(Debug)]
pub(crate) struct Reading<'t> {
    pub(crate) text: &'t str,
    pub(crate) features: Features,
    pub(crate) column: &'t Column,
    pub(crate) parts: &'t Parts,
    pub(crate) keys: OnceCell<Option<Keys>>,
    pub(crate) work: &'t Cell<usize>,
}

impl<'t> Reading<'t> {
    pub(crate) fn bytes(&self) -> &'t [u8] {
        self.text.as_bytes()
    }

    /// What stands before that byte: its key, or the end of the sentence.
    pub(crate) fn before(&self, at: usize) -> Before {
        let keys = self.keys.get_or_init(|| Keys::of(self.text));
        match keys.as_ref().and_then(|keys| keys.at(self.text, at)) {
            Some(key) => Before::key(key),
            None => Before::of(self.text, at),
        }
    }

    /// Whether the column's name or what stands before says that the value is of that topic.
    pub(crate) fn says(&self, at: usize, topic: Topic) -> bool {
        self.column.words.say(topic) || self.before(at).say(topic)
    }

    /// Counts a step of work that is more than looking at a byte; false when the text has used up its share.
    pub(crate) fn spend(&self) -> bool {
        let left = self.work.get();
        self.work.set(left.saturating_sub(1));
        left > 0
    }
}
