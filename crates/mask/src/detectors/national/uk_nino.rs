//! `UK_NINO`: a national insurance number of the United Kingdom.

use crate::detectors::{Detector, Found, Kind, Needs, Reading, Topic, scan};
use crate::features::{DIGIT, MIXED_4, MIXED_8_9, PAIR};

const KIND: Kind = Kind {
    id: "uk-nino",
    entity: "UK_NINO",
    description: "A British national insurance number: two letters that are issued, six digits, A to D.",
};

/// Pairs of letters that are never issued (HMRC, NIM39110).
const NEVER: &[&[u8]] = &[b"BG", b"GB", b"NK", b"KN", b"TN", b"NT", b"ZZ"];

/// The detector.
#[derive(Debug)]
pub(crate) struct UkNino;

impl Detector for UkNino {
    fn kinds(&self) -> Vec<&'static Kind> {
        vec![&KIND]
    }

    fn needs(&self) -> Needs {
        Needs::all(DIGIT).any(MIXED_4 | MIXED_8_9 | PAIR)
    }

    fn find(&self, reading: &Reading<'_>, found: &mut Vec<Found>) {
        let bytes = reading.bytes();
        for token in reading.parts.tokens.iter().filter(|token| matches!(token.len(), 2 | 4 | 8 | 9)) {
            let start = token.span.start;
            let begins = match token.len() {
                2 => token.digits == 0 && scan::at(bytes, start + 3).is_ascii_digit(),
                _ => {
                    scan::at(bytes, start + 1).is_ascii_alphabetic()
                        && scan::at(bytes, start + 2).is_ascii_digit()
                }
            };
            if token.glued || !begins || !scan::at(bytes, start).is_ascii_alphabetic() {
                continue;
            }
            if matches!(scan::before(bytes, start), b'-' | b'.') {
                continue;
            }
            let compact = scan::Compact::<9>::read(bytes, start, |byte| matches!(byte, b' ' | b'-' | b'.'));
            let Some((characters, end)) = compact.first(9, bytes) else { continue };
            if !is_number(characters) || scan::at(bytes, end) == b'-' {
                continue;
            }
            let upper = bytes.get(start..end).is_some_and(|span| !span.iter().any(u8::is_ascii_lowercase));
            if upper || reading.says(start, Topic::UkNino) || reading.says(start, Topic::National) {
                found.push(Found::new(&KIND, start..end, 0.8));
            }
        }
    }
}

fn is_number(characters: &[u8]) -> bool {
    let (letters, rest) = characters.split_at(2.min(characters.len()));
    let (digits, last) = rest.split_at(6.min(rest.len()));
    letters
        .iter()
        .all(|byte| byte.is_ascii_uppercase() && !matches!(byte, b'D' | b'F' | b'I' | b'Q' | b'U' | b'V'))
        && letters.last() != Some(&b'O')
        && !NEVER.contains(&letters)
        && digits.iter().all(u8::is_ascii_digit)
        && matches!(last, [b'A'..=b'D'])
}
