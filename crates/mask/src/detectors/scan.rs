//! Small steps over bytes that several detectors take.

use std::ops::Range;

/// The byte at `at`; NUL outside the text.
pub(crate) fn at(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).copied().unwrap_or(0)
}

/// The byte before `at`; NUL at the start.
pub(crate) fn before(bytes: &[u8], at: usize) -> u8 {
    at.checked_sub(1).map_or(0, |at| self::at(bytes, at))
}

/// Part of a word: letters, digits, and whatever is not ASCII.
pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80
}

/// The end of the run of bytes for which `is_part` holds.
pub(crate) fn run_end(bytes: &[u8], from: usize, is_part: impl Fn(u8) -> bool) -> usize {
    bytes.iter().skip(from).position(|byte| !is_part(*byte)).map_or(bytes.len(), |length| from + length)
}

/// Every maximal run of bytes for which `is_part` holds.
pub(crate) fn runs(bytes: &[u8], is_part: impl Fn(u8) -> bool + Copy) -> impl Iterator<Item = Range<usize>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + bytes.iter().skip(from).position(|byte| is_part(*byte))?;
        from = run_end(bytes, start, is_part);
        Some(start..from)
    })
}

/// Where `needle` starts, everywhere, without overlaps.
pub(crate) fn each<'a>(text: &'a str, needle: &'a str) -> impl Iterator<Item = usize> + 'a {
    text.match_indices(needle).map(|(start, _)| start)
}

/// Whether the digits (as values) satisfy the Luhn sum (ISO/IEC 7812-1, annex B).
pub(crate) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(*digit);
            match digit * 2 {
                _ if place % 2 == 0 => digit,
                double if double > 9 => double - 9,
                double => double,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// A run of digits.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// Where.
    pub(crate) span: Range<usize>,
    /// The single byte between this group and the next, when only one stands there and digits follow.
    pub(crate) separator: Option<u8>,
}

/// Every group of digits, with what joins it to the next.
pub(crate) fn digit_groups(bytes: &[u8]) -> Vec<Group> {
    runs(bytes, |byte| byte.is_ascii_digit())
        .map(|span| {
            let separator = Some(at(bytes, span.end)).filter(|_| at(bytes, span.end + 1).is_ascii_digit());
            Group { span, separator }
        })
        .collect()
}

/// The digits of a span as values.
pub(crate) fn digits_of(bytes: &[u8], span: Range<usize>) -> Vec<u8> {
    bytes
        .get(span)
        .unwrap_or(&[])
        .iter()
        .filter(|byte| byte.is_ascii_digit())
        .map(|byte| byte - b'0')
        .collect()
}

/// The number that the first `count` digits write.
pub(crate) fn prefix(digits: &[u8], count: usize) -> u32 {
    digits.iter().take(count).fold(0, |number, digit| number * 10 + u32::from(*digit))
}

/// Whether one of the lower-case words stands in the 32 bytes before `at`, in any case.
pub(crate) fn said_before(text: &str, at: usize, words: &[&str]) -> bool {
    let mut from = at.saturating_sub(32);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let near = text.get(from..at).unwrap_or("").to_lowercase();
    near.split(|c: char| !c.is_alphanumeric()).any(|word| words.contains(&word))
}

/// Whether the text holds the lower-case ASCII word, in any case.
pub(crate) fn contains(text: &str, word: &str) -> bool {
    let first = word.as_bytes().first().copied().unwrap_or(0);
    text.as_bytes()
        .windows(word.len().max(1))
        .any(|part| at(part, 0) | 0x20 == first && part.eq_ignore_ascii_case(word.as_bytes()))
}
