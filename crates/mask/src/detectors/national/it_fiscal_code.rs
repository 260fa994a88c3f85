//! `IT_FISCAL_CODE`: the codice fiscale of a person.

use crate::detectors::{Detector, Found, Kind, Needs, Reading, scan};
use crate::features::{DIGIT, MIXED_5, MIXED_16};

const KIND: Kind = Kind {
    id: "it-fiscal-code",
    entity: "IT_FISCAL_CODE",
    description: "An Italian tax code: letters of the name, day of birth, place, and the right last letter.",
};

/// What a character on an odd place counts, by its value as a digit or letter (D.M. 12/03/1974).
const ODD: [u32; 26] =
    [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];

/// The detector.
#[derive(Debug)]
pub(crate) struct ItFiscalCode;

impl Detector for ItFiscalCode {
    fn kinds(&self) -> Vec<&'static Kind> {
        vec![&KIND]
    }

    fn needs(&self) -> Needs {
        Needs::all(DIGIT).any(MIXED_5 | MIXED_16)
    }

    fn find(&self, reading: &Reading<'_>, found: &mut Vec<Found>) {
        let bytes = reading.bytes();
        for token in reading.parts.tokens.iter().filter(|token| matches!(token.len(), 3 | 6 | 16)) {
            let start = token.span.start;
            let grouped = token.len() < 16;
            if token.glued
                || (grouped && token.digits > 0)
                || (grouped && !matches!(scan::at(bytes, token.span.end), b' ' | b'-' | b'.'))
                || !scan::at(bytes, start).is_ascii_alphabetic()
                || (token.len() == 3 && !matches!(scan::at(bytes, start + 7), b' ' | b'-' | b'.'))
            {
                continue;
            }
            let compact = scan::Compact::<16>::read(bytes, start, |byte| matches!(byte, b' ' | b'-' | b'.'));
            if let Some((code, end)) = compact.first(16, bytes)
                && is_code(code)
            {
                found.push(Found::new(&KIND, start..end, 0.95));
            }
        }
    }
}

fn is_code(code: &[u8]) -> bool {
    // Where two people would have the same code, letters stand for digits.
    let digit = |byte: &u8| {
        byte.is_ascii_digit()
            || matches!(byte, b'L' | b'M' | b'N' | b'P' | b'Q' | b'R' | b'S' | b'T' | b'U' | b'V')
    };
    let shape = code.iter().enumerate().all(|(place, byte)| match place {
        6 | 7 | 9 | 10 | 12..=14 => digit(byte),
        8 => b"ABCDEHLMPRST".contains(byte),
        _ => byte.is_ascii_uppercase(),
    });
    let Some((last, body)) = code.split_last() else { return false };
    let value =
        |byte: &u8| usize::from(if byte.is_ascii_digit() { byte - b'0' } else { byte.wrapping_sub(b'A') });
    let sum: u32 = body
        .iter()
        .enumerate()
        .map(|(place, byte)| match place % 2 {
            0 => ODD.get(value(byte)).copied().unwrap_or(0),
            _ => u32::try_from(value(byte)).unwrap_or(0),
        })
        .sum();
    shape && u32::from(last.wrapping_sub(b'A')) == sum % 26
}
