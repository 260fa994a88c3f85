//! `PERSON`: names of people, as well as a list and a few words can.
//!
//! In prose: what follows a title, and a given name of the list with a capitalised word behind it. A value that is
//! nothing but a name is left to labels, as are columns of names. Best effort: a name has no check digit.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::{Detector, Found, Kind, Needs, Reading, scan};
use crate::features::{HIGH, NAMES, SPACE, UPPER};

/// Given names, lower case.
static GIVEN: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("given_names.txt").split_whitespace().collect());

/// Titles before a name.
const TITLES: &[&str] = &[
    "mr", "mrs", "ms", "miss", "dr", "prof", "herr", "frau", "hr", "fr", "mme", "mlle", "sra", "señor",
    "señora", "signor", "signora",
];

/// Capitalised words that are no surname.
const NO_SURNAME: &[&str] = &[
    "street",
    "road",
    "avenue",
    "university",
    "hospital",
    "school",
    "bank",
    "inc",
    "ltd",
    "llc",
    "gmbh",
    "corp",
    "company",
    "river",
    "county",
    "city",
    "park",
    "station",
    "airport",
    "hotel",
    "tower",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "day",
    "island",
    "the",
    "and",
    "is",
    "was",
];

const KIND: Kind = Kind {
    id: "person",
    entity: "PERSON",
    description: "A person's name in prose: behind a title, or a known given name and a surname.",
};

/// The detector.
#[derive(Debug)]
pub(super) struct Person;

impl Detector for Person {
    fn kinds(&self) -> Vec<&'static Kind> {
        vec![&KIND]
    }

    fn needs(&self) -> Needs {
        Needs::all(UPPER | SPACE).any(NAMES | HIGH)
    }

    fn find(&self, reading: &Reading<'_>, found: &mut Vec<Found>) {
        let text = reading.text;
        let mut from = 0;
        let bytes = text.as_bytes();
        let is_part = |byte: u8| byte.is_ascii_alphabetic() || byte >= 0x80 || matches!(byte, b'\'' | b'-');
        for token in &reading.parts.tokens {
            let end = token.span.end;
            if token.span.start < from
                || !(is_part(scan::at(bytes, end)) || matches!(scan::at(bytes, end), b' ' | b'.'))
            {
                continue;
            }
            let before = bytes.iter().take(token.span.start).rev().take_while(|byte| is_part(**byte)).count();
            let run = token.span.start - before..scan::run_end(bytes, end, is_part);
            from = run.end;
            // A capital behind it, over a space or a dot: nothing else is looked at.
            let gap = usize::from(scan::at(bytes, run.end) == b'.') + 1;
            let next = scan::at(bytes, run.end + gap);
            if scan::before(bytes, run.end + gap) != b' ' || !(next.is_ascii_uppercase() || next >= 0x80) {
                continue;
            }
            let Some(word) = text.get(run.clone()) else { continue };
            if word.len() > 24
                || !is_capitalised(word)
                || matches!(scan::before(bytes, run.start), b'_' | b'/' | b'.' | b'@')
            {
                continue;
            }
            let lower = word.to_lowercase();
            let title = TITLES.contains(&lower.as_str());
            if !title && !GIVEN.contains(lower.as_str()) {
                continue;
            }
            let Some(end) = surname_end(text, run.end) else { continue };
            let start = if title {
                run.end
                    + text
                        .get(run.end..)
                        .map_or(0, |rest| rest.len() - rest.trim_start_matches(['.', ' ']).len())
            } else {
                run.start
            };
            if end - start < text.trim().len() {
                found.push(Found::new(&KIND, start..end, 0.6));
            }
            from = end;
        }
    }
}

fn is_capitalised(word: &str) -> bool {
    let mut letters = word.chars();
    letters.next().is_some_and(char::is_uppercase) && letters.next().is_some_and(char::is_lowercase)
}

/// The end of the one or two capitalised words behind `at`, with an initial between.
fn surname_end(text: &str, at: usize) -> Option<usize> {
    let mut end = None;
    let mut from = at;
    for _ in 0..3 {
        let rest = text.get(from..)?;
        let gap = rest.len() - rest.trim_start_matches(['.', ' ']).len();
        if gap == 0 || gap > 2 {
            break;
        }
        let rest = rest.get(gap..)?;
        let length = rest.find(|c: char| !c.is_alphabetic() && c != '\'' && c != '-').unwrap_or(rest.len());
        let word = rest.get(..length)?;
        let initial = length == 1 && word.chars().all(char::is_uppercase) && rest.get(1..2) == Some(".");
        if !initial && (!is_surname(word) || NO_SURNAME.contains(&word.to_lowercase().as_str())) {
            break;
        }
        from += gap + length;
        if !initial {
            end = Some(from);
        }
    }
    end
}

fn is_surname(word: &str) -> bool {
    word.len() <= 32 && (is_capitalised(word) || (word.starts_with("O'") && word.len() > 3))
}
