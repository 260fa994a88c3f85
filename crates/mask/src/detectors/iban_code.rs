//! `IBAN_CODE`: right length for its country, right remainder modulo 97 (ISO 13616, ISO 7064).

use super::{Detector, Found, Kind, Needs, Reading, scan};
use crate::features::ACCOUNT;

/// Countries and the length of their numbers (SWIFT's IBAN registry).
const LENGTHS: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HN", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
    (b"YE", 30),
];

const KIND: Kind = Kind {
    id: "iban",
    entity: "IBAN_CODE",
    description: "An international bank account number: length of its country, right check digits; with or without spaces.",
};

/// The detector.
#[derive(Debug)]
pub(super) struct IbanCode;

impl Detector for IbanCode {
    fn kinds(&self) -> Vec<&'static Kind> {
        vec![&KIND]
    }

    fn needs(&self) -> Needs {
        Needs::all(ACCOUNT)
    }

    fn find(&self, reading: &Reading<'_>, found: &mut Vec<Found>) {
        let bytes = reading.bytes();
        let mut from = 0;
        for token in &reading.parts.tokens {
            let start = token.span.start;
            if start < from || token.digits < 2 || scan::before(bytes, start) >= 0x80 {
                continue;
            }
            if let Some(end) = number_end(bytes, start) {
                found.push(Found::new(&KIND, start..end, 1.0));
                from = end;
            }
        }
    }
}

/// The end of the account number that starts there.
fn number_end(bytes: &[u8], start: usize) -> Option<usize> {
    if !scan::at(bytes, start + 2).is_ascii_digit() || !scan::at(bytes, start + 3).is_ascii_digit() {
        return None;
    }
    let country =
        [scan::at(bytes, start).to_ascii_uppercase(), scan::at(bytes, start + 1).to_ascii_uppercase()];
    let length = LENGTHS.iter().find(|(code, _)| **code == country)?.1;
    let compact = scan::Compact::<34>::read(bytes, start, |byte| matches!(byte, b' ' | b'-' | b'.' | b'/'));
    let (number, end) = compact.first(length, bytes)?;
    (remainder(number) == 1).then_some(end)
}

/// The number modulo 97, its first four characters moved to the end and letters written as numbers.
fn remainder(number: &[u8]) -> u32 {
    number.iter().skip(4).chain(number.iter().take(4)).fold(0, |rest, byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        b'A'..=b'Z' => (rest * 100 + u32::from(byte - b'A') + 10) % 97,
        _ => rest,
    })
}
