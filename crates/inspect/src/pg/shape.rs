//! The shape of a text: what is left of it when the whole numbers that may stand for any other are taken out.
//!
//! Most texts that a program sends differ in their numbers alone. The cache keeps one inspection for all texts
//! of a shape, where [`facts::indifferent`](super::facts::indifferent) has shown in the parse tree of the first
//! that facts and lineage do not depend on these numbers. Taking them out has to leave no doubt about where
//! they begin and end, so a text with anything but the plainest tokens has no shape: no comment, no dollar
//! quote, no literal with a prefix or a backslash, nothing outside ASCII, no number with a point, an exponent
//! or a letter. Then the server's scanner gives the same tokens whichever digits stand in those places
//! (`scan.l`: `decinteger`, and nothing that could run on into it).

use std::collections::BTreeSet;

/// The longest text that has one, bytes.
const LONGEST: usize = 8 * 1024;
/// Most numbers that are taken out.
const MOST: usize = 512;
/// So many digits are a 32-bit number, whatever they are.
const DIGITS: usize = 9;
/// What stands in a number's place. The bytes that a shape is made of do not hold it.
const PLACE: u8 = 1;

/// A text without its numbers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// What is left, a mark in each number's place.
    pub(super) text: Vec<u8>,
    /// Where the numbers begin in the text, bytes, in order.
    pub(super) numbers: Vec<usize>,
}

impl Shape {
    /// The shape of a text that has one, and a number to take out.
    pub(super) fn of(text: &[u8]) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let mut scan = Scan { rest: text, at: 0, counts_rows: false };
        let mut shape = Self { text: Vec::with_capacity(text.len()), numbers: Vec::new() };
        while let Some((token, begins, is_number)) = scan.token()? {
            if is_number {
                shape.text.push(PLACE);
                shape.numbers.push(begins);
            } else {
                shape.text.extend_from_slice(token);
            }
        }
        (!shape.numbers.is_empty() && shape.numbers.len() <= MOST).then_some(shape)
    }

    /// Whether the numbers that begin at `indifferent`, a sign before some of them, are all that were taken out
    /// of the text.
    pub(super) fn holds_all(&self, text: &[u8], indifferent: &[usize]) -> bool {
        let behind_sign = |at: &usize| {
            let rest = text.get(*at..)?;
            let sign = usize::from(rest.first() == Some(&b'-'));
            Some(at + sign + rest.iter().skip(sign).take_while(|byte| byte.is_ascii_whitespace()).count())
        };
        let known: BTreeSet<usize> = indifferent.iter().filter_map(behind_sign).collect();
        self.numbers.iter().all(|number| known.contains(number))
    }
}

struct Scan<'t> {
    rest: &'t [u8],
    at: usize,
    /// The last word was LIMIT or OFFSET: how many rows are asked for says something about a statement.
    counts_rows: bool,
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

impl<'t> Scan<'t> {
    /// The next token, where it begins and whether it is a number to take out; `Some(None)` at the end, and
    /// nothing where the text has no shape.
    #[expect(clippy::option_option, reason = "a token, the end, and no shape are three things")]
    fn token(&mut self) -> Option<Option<(&'t [u8], usize, bool)>> {
        let Some(first) = self.rest.first().copied() else { return Some(None) };
        let next = self.rest.get(1).copied();
        let run = |is: fn(u8) -> bool| self.rest.iter().take_while(|byte| is(**byte)).count();
        let mut is_number = false;
        let length = match first {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                let length = run(is_word);
                // A literal with a prefix, or a name with a dollar in it.
                if matches!(self.rest.get(length), Some(b'\'' | b'"' | b'$')) {
                    return None;
                }
                let word = self.rest.get(..length)?;
                self.counts_rows =
                    word.eq_ignore_ascii_case(b"limit") || word.eq_ignore_ascii_case(b"offset");
                length
            }
            b'0'..=b'9' => {
                let length = run(|byte| byte.is_ascii_digit());
                if self.rest.get(length).is_some_and(|byte| is_word(*byte) || matches!(byte, b'.' | b'$')) {
                    return None;
                }
                is_number = length <= DIGITS && !self.counts_rows;
                length
            }
            b'$' => {
                let length = 1 + self.rest.iter().skip(1).take_while(|byte| byte.is_ascii_digit()).count();
                if length == 1 || self.rest.get(length).is_some_and(|byte| is_word(*byte) || *byte == b'$') {
                    return None;
                }
                length
            }
            b'\'' | b'"' => {
                let inner = self.rest.iter().skip(1).position(|byte| *byte == first)?;
                let length = inner + 2;
                let quoted = self.rest.get(..length)?;
                if !quoted.iter().all(|byte| (b' '..=b'~').contains(byte) && *byte != b'\\') {
                    return None;
                }
                length
            }
            b'-' if next == Some(b'-') => return None,
            b'&' if matches!(next, Some(b'\'' | b'"')) => return None,
            b'/' if next == Some(b'*') => return None,
            b'.' if next.is_some_and(|byte| byte.is_ascii_digit()) => return None,
            b' ' | b'\t' | b'\n' | b'\r' | b'!'..=b'/' | b':'..=b'@' | b'[' | b']' | b'^' | b'|' | b'~' => 1,
            _ => return None,
        };
        let token = self.rest.get(..length)?;
        let begins = self.at;
        self.rest = self.rest.get(length..)?;
        self.at += length;
        Some(Some((token, begins, is_number)))
    }
}

#[cfg(test)]
#[path = "shape_tests.rs"]
mod tests;
