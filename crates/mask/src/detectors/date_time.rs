//! `DATE_TIME`: a day of birth, where the column or the text says that it is one; and a day of the years in which people
//! who live now were born, alone in a cell of which nothing says what it is.
//!
//! Presidio's name for every date. Other dates are no secret, and a result without them is of no use: a column that
//! has a name keeps its dates, unless the name is one for births.

use super::{Detector, Found, Kind, Needs, Reading, Topic, scan};
use crate::column::Column;
use crate::features::{BIRTH, DIGIT, HIGH};
use crate::parts::Parts;

/// Starts of months, by number modulo 12.
const MONTHS: &[&str] = &[
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", // English
    "ene", "fév", "mär", "avr", "mai", "juin", "juil", "ago", "set", "okt", "nov",
    "dez", // German, Spanish, French
    "gen", "fev", "mar", "abr", "mag", "giu", "lug", "aoû", "sep", "out", "nov",
    "dic", // Italian, Portuguese
    "ian", "feb", "mrt", "apr", "maj", "jun", "jul", "aug", "set", "ott", "nov", "déc",
];

const KIND: Kind = Kind {
    id: "birth-date",
    entity: "DATE_TIME",
    description: "A day of birth: a date whose column or sentence says so.",
};

/// The detector.
#[derive(Debug)]
pub(super) struct DateTime;

impl Detector for DateTime {
    fn kinds(&self) -> Vec<&'static Kind> {
        vec![&KIND]
    }

    fn needs(&self) -> Needs {
        Needs::all(DIGIT).any(BIRTH | HIGH)
    }

    fn by_column(&self, column: &Column) -> bool {
        column.is_birth
    }

    fn find(&self, reading: &Reading<'_>, found: &mut Vec<Found>) {
        let by_column = reading.column.is_birth;
        let bytes = reading.bytes();
        let mut from = 0;
        let tokens = reading.parts.tokens.as_slice();
        for (index, token) in tokens.iter().enumerate() {
            let start = token.span.start;
            // `1985`, `12`, `19850312`, `March`, `3rd`.
            let size = token.len();
            let begins = match token.digits {
                0 => (3..=10).contains(&size) && tokens.get(index + 1).is_some_and(|next| next.digits > 0),
                digits if digits == size => may_begin(bytes.get(token.span.clone()).unwrap_or(&[])),
                _ => size <= 4,
            };
            if start < from || token.glued || !begins {
                continue;
            }
            let Some(end) = date_end(reading.text, start) else { continue };
            if !reading.spend() {
                return;
            }
            if by_column || reading.before(start).say(Topic::Birth) {
                found.push(Found::new(&KIND, start..end, 0.8));
            } else if reading.blind
                && reading.text.trim().len() == end - start
                && may_be_born(reading.bytes(), reading.parts)
            {
                found.push(Found::new(&KIND, start..end, 0.5));
            }
            from = end;
        }
    }
}

/// Whether a date may begin with these digits: a day or month, a year, or all three.
fn may_begin(digits: &[u8]) -> bool {
    match digits {
        [_] => true,
        [tens, _] => *tens <= b'3',
        [b'1', b'9', _, _] | [b'2', b'0', _, _] => true,
        _ => digits.len() == 8,
    }
}

/// Whether a text of these parts could be a day of birth and nothing else.
pub(crate) fn may_be_born(bytes: &[u8], parts: &Parts) -> bool {
    (3..=4).contains(&parts.tokens.len())
        && parts.tokens.iter().any(|token| {
            token.digits == 4
                && token.len() == 4
                && bytes.get(token.span.start..).is_some_and(is_year_of_birth)
        })
}

/// Whether it starts with a year in which nearly all who are in a database were born.
pub(crate) fn is_year_of_birth(bytes: &[u8]) -> bool {
    matches!(bytes, [b'1', b'9', b'3'..=b'9', ..] | [b'2', b'0', b'0', b'0'..=b'3', ..])
}

/// The end of the date that starts there.
fn date_end(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    // Up to three parts of digits or letters, and where each ends.
    let mut parts = [(0_u32, false, 0_usize, 0_usize); 3];
    let mut at = start;
    let mut count = 0;
    for part in &mut parts {
        let from = at;
        let digits = scan::run_end(bytes.get(..bytes.len().min(at + 9)).unwrap_or(bytes), at, |byte| {
            byte.is_ascii_digit()
        });
        if digits > at {
            let number = text.get(at..digits)?.parse().ok()?;
            let ordinal = ["st", "nd", "rd", "th"]
                .iter()
                .any(|end| text.get(digits..).is_some_and(|rest| rest.starts_with(end)));
            at = if ordinal { digits + 2 } else { digits };
            if text.get(at..).is_some_and(|rest| rest.starts_with(" of ")) {
                at += 3;
            }
            *part = (number, true, digits - from, at);
        } else {
            let end = scan::run_end(bytes.get(..bytes.len().min(at + 12)).unwrap_or(bytes), at, |byte| {
                byte.is_ascii_alphabetic() || byte >= 0x80
            });
            let word = text.get(at..end)?;
            let first = word.as_bytes().first()? | 0x20;
            let month = MONTHS.iter().position(|month| {
                month.as_bytes().first() == Some(&first)
                    && word.get(..month.len()).is_some_and(|start| start.eq_ignore_ascii_case(month))
            })?;
            at = end;
            *part = (u32::try_from(month % 12).ok()? + 1, false, 0, at);
        }
        count += 1;
        if count == 3 {
            break;
        }
        let separators = scan::run_end(bytes.get(..bytes.len().min(at + 4)).unwrap_or(bytes), at, |byte| {
            matches!(byte, b' ' | b'-' | b'.' | b'/' | b',')
        });
        if separators == at {
            break;
        }
        at = separators;
    }
    let [(a, a_digits, a_size, a_end), (b, b_digits, b_size, _), (c, c_digits, c_size, end)] = parts;
    if count == 1 && a_size == 8 {
        // 19850312
        let (year, month, day) = (a / 10_000, a / 100 % 100, a % 100);
        return ((1900..=2030).contains(&year) && scan::is_day(month, day)).then_some(a_end);
    }
    let year = |size: usize, year: u32| size == 2 || (size == 4 && (1900..=2030).contains(&year));
    let short = |size: usize| matches!(size, 1 | 2);
    let is_date = count == 3
        && (!scan::is_word(scan::at(bytes, end)) || time_end(bytes, end) > end)
        && match (a_digits, b_digits, c_digits) {
            (true, true, true) => {
                (a_size == 4 && year(4, a) && short(b_size) && short(c_size) && scan::is_day(b, c))
                    || (short(a_size)
                        && short(b_size)
                        && year(c_size, c)
                        && (scan::is_day(a, b) || scan::is_day(b, a)))
            }
            (true, false, true) => {
                (short(a_size) && (1..=31).contains(&a) && year(c_size, c))
                    || (year(a_size, a) && a_size == 4 && (1..=31).contains(&c))
            }
            (false, true, true) => short(b_size) && (1..=31).contains(&b) && year(c_size, c) && c_size == 4,
            _ => false,
        };
    is_date.then(|| time_end(bytes, end))
}

/// The end of the time behind a date: `T00:00:00Z`, ` 00:00`.
fn time_end(bytes: &[u8], end: usize) -> usize {
    let clock = bytes.get(end + 1..end + 6).is_some_and(|clock| {
        clock
            .iter()
            .enumerate()
            .all(|(place, byte)| if place == 2 { *byte == b':' } else { byte.is_ascii_digit() })
    });
    if !clock || !matches!(scan::at(bytes, end), b'T' | b' ') {
        return end;
    }
    let part = |byte: u8| byte.is_ascii_digit() || matches!(byte, b':' | b'.' | b'Z' | b'+');
    scan::run_end(bytes.get(..bytes.len().min(end + 36)).unwrap_or(bytes), end + 1, part)
}
