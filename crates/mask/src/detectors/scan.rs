//! Small steps over bytes that several detectors take.

use std::ops::Range;

/// The byte at `at`; NUL outside the text.
#[inline]
pub(crate) fn at(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).copied().unwrap_or(0)
}

/// The byte before `at`; NUL at the start.
#[inline]
pub(crate) fn before(bytes: &[u8], at: usize) -> u8 {
    at.checked_sub(1).map_or(0, |at| self::at(bytes, at))
}

/// Part of a word: letters, digits, and whatever is not ASCII.
#[inline]
pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80
}

/// The end of the run of bytes for which `is_part` holds.
#[inline]
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
    memchr::memmem::find_iter(text.as_bytes(), needle.as_bytes())
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

/// The sum of the digits, each times its weight.
pub(crate) fn weighted(digits: &[u8], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(digit, weight)| u32::from(*digit) * weight).sum()
}

/// The number that the first `count` digits write.
pub(crate) fn prefix(digits: &[u8], count: usize) -> u32 {
    digits.iter().take(count).fold(0, |number, digit| number * 10 + u32::from(*digit))
}

/// The number that `count` digits from `from` on write.
pub(crate) fn part(digits: &[u8], from: usize, count: usize) -> u32 {
    prefix(digits.get(from..).unwrap_or(&[]), count)
}

/// Whether month and day are some.
pub(crate) fn is_day(month: u32, day: u32) -> bool {
    (1..=12).contains(&month) && (1..=31).contains(&day)
}

/// Letters in upper case and digits from `start` on, at most `N`, over single separators between them. Gives
/// them, how many they are, and where each ends.
pub(crate) struct Compact<const N: usize> {
    characters: [u8; N],
    ends: [usize; N],
    count: usize,
}

impl<const N: usize> Compact<N> {
    /// Reads on until `N` characters are read or something else stands there.
    pub(crate) fn read(bytes: &[u8], start: usize, is_separator: impl Fn(u8) -> bool) -> Self {
        let mut compact = Self { characters: [0; N], ends: [0; N], count: 0 };
        let mut place = start;
        while let (Some(character), Some(end)) =
            (compact.characters.get_mut(compact.count), compact.ends.get_mut(compact.count))
        {
            let byte = at(bytes, place);
            if byte.is_ascii_alphanumeric() {
                *character = byte.to_ascii_uppercase();
                *end = place + 1;
                compact.count += 1;
            } else if !(compact.count > 0
                && is_separator(byte)
                && at(bytes, place + 1).is_ascii_alphanumeric())
            {
                break;
            }
            place += 1;
        }
        compact
    }

    /// The first `count` characters and where they end in the text, when there are as many and no word goes on
    /// there.
    pub(crate) fn first(&self, count: usize, bytes: &[u8]) -> Option<(&[u8], usize)> {
        let characters = self.characters.get(..count.min(self.count)).filter(|some| some.len() == count)?;
        let end = *self.ends.get(count.checked_sub(1)?)?;
        (!is_word(at(bytes, end)) && at(bytes, end) != b'_').then_some((characters, end))
    }
}

/// The digits that these characters write, as values; nothing when one is no digit.
pub(crate) fn digits<const N: usize>(characters: &[u8]) -> Option<[u8; N]> {
    let mut digits = [0; N];
    if characters.len() != N || !characters.iter().all(u8::is_ascii_digit) {
        return None;
    }
    for (digit, character) in digits.iter_mut().zip(characters) {
        *digit = character - b'0';
    }
    Some(digits)
}
