//! `LOCATION`: a street with its house number, as well as a few words can. Best effort.

use std::ops::Range;

use super::{Detector, Found, Kind, Needs, Reading, scan};
use crate::features::{HIGH, SHORT_NUMBER, SPACE, STREET, UPPER};
use crate::parts::Token;

/// What a street ends with in English, lower case.
const ENDS: &[&str] = &[
    "street",
    "st",
    "avenue",
    "ave",
    "road",
    "rd",
    "lane",
    "ln",
    "drive",
    "dr",
    "boulevard",
    "blvd",
    "court",
    "ct",
    "square",
    "terrace",
    "crescent",
    "parkway",
    "highway",
    "hwy",
];

/// What a street starts with elsewhere.
const STARTS: &[&str] = &[
    "rue",
    "avenue",
    "boulevard",
    "calle",
    "avenida",
    "via",
    "viale",
    "piazza",
    "rua",
    "ulica",
    "ul",
    "plaza",
];

/// What the last word of a street ends with in German and its relatives.
const TAILS: &[&str] = &[
    "straße", "strasse", "str", "gasse", "weg", "platz", "allee", "straat", "laan", "gatan", "vägen", "gade",
];

const KIND: Kind = Kind {
    id: "street",
    entity: "LOCATION",
    description: "A street and its house number, in the usual forms of a few languages.",
};

/// The detector.
#[derive(Debug)]
pub(super) struct Location;

impl Detector for Location {
    fn kinds(&self) -> Vec<&'static Kind> {
        vec![&KIND]
    }

    fn needs(&self) -> Needs {
        Needs::all(SHORT_NUMBER | SPACE | UPPER).any(STREET | HIGH)
    }

    fn find(&self, reading: &Reading<'_>, found: &mut Vec<Found>) {
        let text = reading.text;
        let bytes = reading.bytes();
        if !reading.parts.tokens.iter().any(|token| is_house_number(bytes, token)) {
            return;
        }
        let is_part = |byte: u8| scan::is_word(byte) || matches!(byte, b'.' | b'\'');
        // The last words: where each starts, and what it is.
        let mut before: [Option<(usize, &str)>; 4] = [None; 4];
        let mut from = 0;
        for run in scan::runs(bytes, is_part) {
            let Some(word) = text.get(run.clone()).filter(|word| word.len() <= 40) else {
                before = [None; 4];
                continue;
            };
            let near = before[3].is_some_and(|(start, last)| {
                text.get(start + last.len()..run.start).is_some_and(|gap| matches!(gap, " " | ", "))
            });
            if !near {
                before = [None; 4];
            }
            if run.start >= from
                && let Some(span) = street(&before, run.start, word)
            {
                from = span.end;
                // A value that is nothing but an address is left to labels.
                if span.len() < text.trim().len() {
                    found.push(Found::new(&KIND, span, 0.6));
                }
            }
            before = [before[1], before[2], before[3], Some((run.start, word))];
        }
    }
}

/// Whether the token could be the number of a house: a few characters, beside a word.
fn is_house_number(bytes: &[u8], token: &Token) -> bool {
    let Range { start, end } = token.span;
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() || byte >= 0x80;
    let before = || match start.checked_sub(2).and_then(|from| bytes.get(from..start)) {
        Some([b',', b' ']) => start.checked_sub(2).is_some_and(|at| is_word(scan::before(bytes, at))),
        Some([byte, b' ']) => is_word(*byte),
        _ => false,
    };
    let after = || match bytes.get(end..) {
        Some([b',', b' ', byte, ..] | [b' ', byte, ..] | [b'.', b' ', byte, ..]) => is_letter(*byte),
        _ => false,
    };
    scan::at(bytes, start).is_ascii_digit() && token.len() <= 5 && (before() || after())
}

/// What a word of an address ends with.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte >= 0x80 || matches!(byte, b'.' | b'\'')
}

/// The street that ends with this word.
fn street(before: &[Option<(usize, &str)>; 4], at: usize, word: &str) -> Option<Range<usize>> {
    let capital = |word: &str| match word.as_bytes().first() {
        Some(byte) if byte.is_ascii() => byte.is_ascii_uppercase(),
        _ => word.chars().next().is_some_and(char::is_uppercase),
    };
    if !capital(word) && !word.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let plain = word.trim_end_matches('.');
    let end = at + plain.len();
    let number = |word: &str| {
        (1..=5).contains(&word.len())
            && word.starts_with(|c: char| c.is_ascii_digit())
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let (_, last) = (*before.last()?)?;
    if capital(plain) && ENDS.iter().any(|end| end.eq_ignore_ascii_case(plain)) && capital(last) {
        // A number, up to three names, the ending.
        return before
            .iter()
            .rev()
            .skip(1)
            .flatten()
            .find(|(_, word)| number(word))
            .map(|(start, _)| *start..end);
    }
    if number(plain) && capital(last) {
        let lower = last.trim_end_matches('.').to_lowercase();
        if TAILS.iter().any(|tail| lower.ends_with(tail) && lower.len() > tail.len() + 2) {
            return before.last()?.map(|(start, _)| start..end);
        }
        let first = before.iter().rev().skip(1).flatten().find(|(_, word)| {
            STARTS.iter().any(|start| start.eq_ignore_ascii_case(word.trim_end_matches('.')))
        });
        return first.map(|(start, _)| *start..end);
    }
    // `12 rue de la Paix`
    let (numbered, names) = (before.iter().flatten().find(|(_, word)| number(word)), before.iter().flatten());
    let (start, _) = numbered?;
    let follows = names.clone().any(|(place, word)| {
        place > start && STARTS.iter().take(3).any(|start| start.eq_ignore_ascii_case(word))
    });
    (capital(plain) && follows && !number(plain)).then_some(*start..end)
}
