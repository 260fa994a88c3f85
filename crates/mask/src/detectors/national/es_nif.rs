//! `ES_NIF` and `ES_NIE`: the numbers of Spaniards and of foreigners in Spain.

use crate::detectors::{Detector, Found, Kind, Needs, Reading, scan};
use crate::features::{LETTERS_1, MIXED_4, MIXED_8_9, SEVEN};

const NIF: Kind = Kind {
    id: "es-nif",
    entity: "ES_NIF",
    description: "The number of a Spanish identity card: eight digits and the right letter.",
};

const NIE: Kind = Kind {
    id: "es-nie",
    entity: "ES_NIE",
    description: "The number of a foreigner in Spain: X, Y or Z, seven digits and the right letter.",
};

/// The letter of each remainder modulo 23.
const LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";

/// The detector.
#[derive(Debug)]
pub(crate) struct EsNif;

impl Detector for EsNif {
    fn kinds(&self) -> Vec<&'static Kind> {
        vec![&NIF, &NIE]
    }

    fn needs(&self) -> Needs {
        Needs::all(SEVEN).any(MIXED_4 | MIXED_8_9 | LETTERS_1)
    }

    fn find(&self, reading: &Reading<'_>, found: &mut Vec<Found>) {
        let bytes = reading.bytes();
        let mut from = 0;
        for token in &reading.parts.tokens {
            let start = token.span.start;
            let begins = match scan::at(bytes, start) {
                b'0'..=b'9' => matches!(token.len(), 9 | 8 | 2),
                first => matches!(first & 0x5f, b'X'..=b'Z') && matches!(token.len(), 1 | 8 | 9),
            };
            if start < from || token.glued || !begins {
                continue;
            }
            let beyond = start.checked_sub(1).map_or(0, |at| scan::before(bytes, at));
            if matches!(scan::before(bytes, start), b'-' | b'.' | b'/' | b'+') && scan::is_word(beyond) {
                continue;
            }
            let compact = scan::Compact::<9>::read(bytes, start, |byte| matches!(byte, b'-' | b'.' | b' '));
            let Some((characters, end)) = compact.first(9, bytes) else { continue };
            let Some((kind, is_right)) = check(characters) else { continue };
            let goes_on =
                matches!(scan::at(bytes, end), b'-' | b'.') && scan::is_word(scan::at(bytes, end + 1));
            if is_right && !goes_on {
                from = end;
                found.push(Found::new(kind, start..end, 0.8));
            }
        }
    }
}

/// What it is by its shape, and whether its letter is right.
fn check(characters: &[u8]) -> Option<(&'static Kind, bool)> {
    let (letter, body) = characters.split_last()?;
    let (kind, first) = match body.first()? {
        first @ b'X'..=b'Z' => (&NIE, first - b'X'),
        first @ b'0'..=b'9' => (&NIF, first - b'0'),
        _ => return None,
    };
    let rest = scan::digits::<7>(body.get(1..)?)?;
    let number = u32::from(first) * 10_000_000 + scan::prefix(&rest, 7);
    let right = LETTERS.get(usize::try_from(number % 23).ok()?);
    // Eight zeros stand for nothing.
    letter.is_ascii_uppercase().then_some((kind, right == Some(letter) && number > 9))
}
