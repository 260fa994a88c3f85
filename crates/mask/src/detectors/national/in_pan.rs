//! `IN_PAN`: the permanent account number of an Indian taxpayer.

use crate::detectors::{Detector, Found, Kind, Needs, Reading, Topic, scan};
use crate::features::MIXED_10;

const KIND: Kind = Kind {
    id: "in-pan",
    entity: "IN_PAN",
    description: "An Indian taxpayer's account number: five letters, the fourth of a kind of holder, four digits, a letter.",
};

/// The detector.
#[derive(Debug)]
pub(crate) struct InPan;

impl Detector for InPan {
    fn kinds(&self) -> Vec<&'static Kind> {
        vec![&KIND]
    }

    fn needs(&self) -> Needs {
        Needs::all(MIXED_10)
    }

    fn find(&self, reading: &Reading<'_>, found: &mut Vec<Found>) {
        let bytes = reading.bytes();
        for token in reading.parts.tokens.iter().filter(|token| token.len() == 10 && token.digits == 4) {
            let span = token.span.clone();
            let joined = |byte: u8| matches!(byte, b'-' | b'.');
            let Some(characters) = bytes.get(span.clone()).filter(|_| !token.glued) else { continue };
            if !is_number(characters)
                || joined(scan::before(bytes, span.start))
                || (joined(scan::at(bytes, span.end)) && scan::is_word(scan::at(bytes, span.end + 1)))
            {
                continue;
            }
            let upper = !characters.iter().any(u8::is_ascii_lowercase);
            if upper || reading.says(span.start, Topic::InPan) || reading.says(span.start, Topic::National) {
                found.push(Found::new(&KIND, span, 0.8));
            }
        }
    }
}

fn is_number(characters: &[u8]) -> bool {
    characters.iter().enumerate().all(|(place, byte)| match place {
        5..=8 => byte.is_ascii_digit(),
        // A person, a company, a trust, …
        3 => b"ABCEFGHJLPT".contains(&byte.to_ascii_uppercase()),
        _ => byte.is_ascii_alphabetic(),
    })
}
