//! `CREDIT_CARD` and `US_SSN` in groups that nobody writes them in but to get them through: over lines, tabs, pluses,
//! underscores, quotes and commas (`41111111+11111111`, `3782\n822463\n10005`, `4,111,111,111,111,111`); and cards as
//! floating-point numbers (`4.111111111111111e15`).
//!
//! The usual separators are [`Numbers`](super::number::Numbers)'. Here the row must be a whole one, with the same between
//! its groups, in the sizes that cards have; an SSN, which has no check digit, must be all of the value besides.

use std::ops::Range;

use super::credit_card::{self, is_common};
use super::national::us_ssn::US_SSN;
use super::{Detector, Found, Kind, Needs, Reading, Topic, scan};
use crate::features::{SEVEN, UNUSUAL};
use crate::parts::Group;
use crate::view::WIDEST_GAP;

/// The most digits of a card.
const MOST: usize = 19;

/// The fewest digits behind the point of a card: fewer are a number that was rounded.
const LEAST_FRACTION: usize = 10;

/// The detector.
#[derive(Debug)]
pub(super) struct Apart;

impl Detector for Apart {
    /// Those of [`Numbers`](super::number::Numbers).
    fn kinds(&self) -> Vec<&'static Kind> {
        Vec::new()
    }

    fn needs(&self) -> Needs {
        Needs::all(SEVEN | UNUSUAL)
    }

    fn find(&self, reading: &Reading<'_>, found: &mut Vec<Found>) {
        let bytes = reading.bytes();
        let groups = reading.parts.groups.as_slice();
        let mut rest = groups;
        while let [first, others @ ..] = rest {
            let length = 1 + row(bytes, first, others);
            let (row, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            if row.len() > 1 {
                found.extend(card(bytes, row));
                found.extend(social_security(reading, row));
            }
            if let Some(last) = row.last() {
                found.extend(scientific(bytes, last));
            }
            rest = after;
        }
    }
}

/// What stands between two groups, when that can be a separator.
fn gap<'b>(bytes: &'b [u8], left: &Group, right: &Group) -> Option<&'b [u8]> {
    let gap = bytes.get(left.span.end..right.span.start)?;
    let parts = |byte: &u8| byte.is_ascii() && !byte.is_ascii_alphanumeric();
    ((1..=WIDEST_GAP).contains(&gap.len()) && gap.iter().all(parts)).then_some(gap)
}

/// How many of the groups go on as the first two do.
fn row(bytes: &[u8], first: &Group, others: &[Group]) -> usize {
    let Some(own) = others.first().and_then(|second| gap(bytes, first, second)) else { return 0 };
    let pairs = others.iter().zip(others.iter().skip(1));
    1 + pairs.take_while(|(left, right)| gap(bytes, left, right) == Some(own)).count()
}

/// The digits of the groups, as values.
fn digits<'d>(bytes: &[u8], groups: &[Group], digits: &'d mut [u8; MOST]) -> Option<&'d [u8]> {
    let mut count = 0;
    for group in groups {
        for byte in bytes.get(group.span.clone())? {
            *digits.get_mut(count)? = byte.wrapping_sub(b'0');
            count += 1;
        }
    }
    digits.get(..count)
}

/// Where the row stands, when nothing of a word or a longer number touches it.
fn whole(bytes: &[u8], groups: &[Group]) -> Option<Range<usize>> {
    let span = groups.first()?.span.start..groups.last()?.span.end;
    let touches = |byte: u8| scan::is_word(byte) || matches!(byte, b'$' | b'%' | b'@');
    let goes_on = matches!(scan::at(bytes, span.end), b'.' | b'-')
        && scan::is_word(scan::at(bytes, span.end + 1))
        || scan::before(bytes, span.start) == b'-';
    (!touches(scan::before(bytes, span.start)) && !touches(scan::at(bytes, span.end)) && !goes_on)
        .then_some(span)
}

fn card(bytes: &[u8], groups: &[Group]) -> Option<Found> {
    let size = |at: usize| groups.get(at).map_or(0, |group| group.span.len());
    let sizes = [size(0), size(1), size(2), size(3)];
    let thousands = groups.len() > 4
        && (1..=3).contains(&size(0))
        && groups.iter().skip(1).all(|group| group.span.len() == 3);
    let usual = match groups.len() {
        2 => matches!(sizes, [8, 8, ..] | [4, 12, ..] | [6, 10, ..]),
        3 => matches!(sizes, [4, 6, 4 | 5, ..]),
        4 => sizes == [4, 4, 4, 4],
        _ => thousands,
    };
    let mut room = [0; MOST];
    if !usual || !is_common(digits(bytes, groups, &mut room)?) {
        return None;
    }
    whole(bytes, groups).map(|span| Found::new(&credit_card::KIND, span, 0.75))
}

fn social_security(reading: &Reading<'_>, groups: &[Group]) -> Option<Found> {
    let [area, group, serial] = groups else { return None };
    if (area.span.len(), group.span.len(), serial.span.len()) != (3, 2, 4) {
        return None;
    }
    let bytes = reading.bytes();
    let span = whole(bytes, groups)?;
    let between = gap(bytes, area, group)?;
    // All of the value, of a string in quotes, or of an element.
    let sides = (scan::before(bytes, span.start), scan::at(bytes, span.end));
    let alone = (reading.text.trim().len() == span.len() || matches!(sides, (b'"', b'"') | (b'>', b'<')))
        && matches!(between, b"\n" | b"\r\n" | b"\t" | b"+" | b"_" | b"/" | b"\\" | b"|" | b"~" | b"*");
    let mut room = [0; MOST];
    let told = |span: &Range<usize>| reading.says(span.start, Topic::UsSsn);
    ((US_SSN.valid)(digits(bytes, groups, &mut room)?) && (alone || told(&span)))
        .then(|| Found::new(&US_SSN.kind, span, 0.6))
}

/// `4.111111111111111e15`: that group is what stands behind the point.
fn scientific(bytes: &[u8], fraction: &Group) -> Option<Found> {
    let span = &fraction.span;
    if span.len() < LEAST_FRACTION || !matches!(scan::at(bytes, span.end), b'e' | b'E') {
        return None;
    }
    let start = span.start.checked_sub(2)?;
    let (first, point) = (scan::at(bytes, start), scan::at(bytes, start + 1));
    let beyond = scan::before(bytes, start);
    if point != b'.' || !first.is_ascii_digit() || scan::is_word(beyond) || matches!(beyond, b'.' | b'-') {
        return None;
    }
    let from = span.end + 1 + usize::from(scan::at(bytes, span.end + 1) == b'+');
    let end = scan::run_end(bytes.get(..bytes.len().min(from + 3))?, from, |byte| byte.is_ascii_digit());
    let exponent: usize = std::str::from_utf8(bytes.get(from..end)?).ok()?.parse().ok()?;
    if exponent < span.len() || exponent >= MOST || scan::is_word(scan::at(bytes, end)) {
        return None;
    }
    let mut room = [0; MOST];
    let written = std::iter::once(&first).chain(bytes.get(span.clone())?);
    for (digit, byte) in room.iter_mut().zip(written) {
        *digit = byte.wrapping_sub(b'0');
    }
    is_common(room.get(..=exponent)?).then(|| Found::new(&credit_card::KIND, start..end, 0.75))
}
