//! `DE_ID_CARD`: the number of a German identity card.

use crate::detectors::{Detector, Found, Kind, Needs, Reading, Topic, scan};
use crate::features::{DIGIT, MIXED_8_9, MIXED_10};

const KIND: Kind = Kind {
    id: "de-id-card",
    entity: "DE_ID_CARD",
    description: "The number of a German identity card: nine characters and the right check digit.",
};

/// The detector.
#[derive(Debug)]
pub(crate) struct DeIdCard;

impl Detector for DeIdCard {
    fn kinds(&self) -> Vec<&'static Kind> {
        vec![&KIND]
    }

    fn needs(&self) -> Needs {
        Needs::all(DIGIT).any(MIXED_8_9 | MIXED_10)
    }

    fn find(&self, reading: &Reading<'_>, found: &mut Vec<Found>) {
        let bytes = reading.bytes();
        for token in reading.parts.tokens.iter().filter(|token| matches!(token.len(), 9 | 10)) {
            let span = token.span.clone();
            let Some(characters) = bytes.get(span.clone()).filter(|_| !token.glued && token.is_mixed())
            else {
                continue;
            };
            let joined = |byte: u8| matches!(byte, b'-' | b'.' | b'/' | b'=');
            let (body, check) = characters.split_at(9);
            if !is_number(body) || check.first().is_some_and(|check| *check != digit(body)) {
                continue;
            }
            let goes_on = joined(scan::at(bytes, span.end)) && scan::is_word(scan::at(bytes, span.end + 1));
            let stands = !joined(scan::before(bytes, span.start)) && !goes_on;
            let plain =
                stands && !check.is_empty() && token.digits < 10 && !reading.before(span.start).say_other();
            if plain || reading.says(span.start, Topic::DeIdCard) || reading.says(span.start, Topic::National)
            {
                found.push(Found::new(&KIND, span, 0.7));
            }
        }
    }
}

/// A letter of an issuing place, then letters and digits that cannot be mistaken for one another.
fn is_number(body: &[u8]) -> bool {
    let letter = |byte: &u8| matches!(byte, b'C' | b'F' | b'G' | b'H' | b'J'..=b'N' | b'P' | b'R' | b'T' | b'V'..=b'Z');
    body.first().is_some_and(letter) && body.iter().all(|byte| letter(byte) || byte.is_ascii_digit())
}

/// ICAO 9303: weights 7, 3, 1, letters from ten on.
fn digit(body: &[u8]) -> u8 {
    let sum: u32 = body
        .iter()
        .zip([7, 3, 1].into_iter().cycle())
        .map(|(byte, weight)| char::from(*byte).to_digit(36).unwrap_or(0) * weight)
        .sum();
    b'0' + u8::try_from(sum % 10).unwrap_or(0)
}
