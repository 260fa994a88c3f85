//! `PHONE_NUMBER`: international numbers, North American ones as they are written, and others where the
//! column or the text says that it is a telephone.

use super::{Detector, FieldContext, Found, Needs, scan};

/// Words that say it is a telephone.
const WORDS: &[&str] = &[
    "phone",
    "telephone",
    "tel",
    "mobile",
    "cell",
    "cellphone",
    "fax",
    "msisdn",
    "handy",
    "telefon",
    "whatsapp",
    "sms",
    "call",
    "mobil",
    "phonenumber",
];

/// Calling codes of one and of two digits (ITU-T E.164, list of assigned codes); all others that start as
/// these do not have three.
const ONE_DIGIT: &[u32] = &[1, 7];
const TWO_DIGITS: &[u32] = &[
    20, 27, 30, 31, 32, 33, 34, 36, 39, 40, 41, 43, 44, 45, 46, 47, 48, 49, 51, 52, 53, 54, 55, 56, 57, 58,
    60, 61, 62, 63, 64, 65, 66, 81, 82, 84, 86, 90, 91, 92, 93, 94, 95, 98,
];
/// First two digits of the codes with three.
const THREE_DIGITS: &[u32] =
    &[21, 22, 23, 24, 25, 26, 29, 35, 37, 38, 42, 50, 59, 67, 68, 69, 80, 85, 87, 88, 96, 97, 99];

/// The detector.
#[derive(Debug)]
pub(super) struct PhoneNumber;

impl Detector for PhoneNumber {
    fn id(&self) -> &'static str {
        "phone"
    }

    fn entity(&self) -> &'static str {
        "PHONE_NUMBER"
    }

    fn description(&self) -> &'static str {
        "A telephone number: international (+, 00), North American in its usual forms, others beside a word for it."
    }

    fn needs(&self) -> Needs {
        Needs::digits(7)
    }

    fn find(&self, text: &str, context: &FieldContext<'_>) -> Vec<Found> {
        let bytes = text.as_bytes();
        let mut found = Vec::new();
        let mut from = 0;
        for run in scan::runs(bytes, is_dialled) {
            if run.start < from {
                continue;
            }
            let Some(start) = first_sign(bytes, run.clone()) else { continue };
            let mut end = run.end;
            while end > start && !scan::before(bytes, end).is_ascii_digit() {
                end -= 1;
            }
            let confidence = judge(text, start, end, context);
            if confidence > 0.0 {
                found.push(Found::new(start..end, confidence));
                from = end;
            }
        }
        found
    }
}

fn is_dialled(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'+' | b'(' | b')' | b' ' | b'-' | b'.' | b'/')
}

fn first_sign(bytes: &[u8], run: std::ops::Range<usize>) -> Option<usize> {
    let start = run.clone().find(|place| {
        scan::at(bytes, *place).is_ascii_digit() || matches!(scan::at(bytes, *place), b'+' | b'(')
    })?;
    // A plus further on starts the number: `4 x +1 415 …`.
    let plus = run.clone().rfind(|place| scan::at(bytes, *place) == b'+');
    Some(plus.unwrap_or(start))
}

/// How sure it is that the span is a telephone number; 0 when it is not.
fn judge(text: &str, start: usize, end: usize, context: &FieldContext<'_>) -> f32 {
    let bytes = text.as_bytes();
    let Some(span) = text.get(start..end) else { return 0.0 };
    // Part of a longer token: an id, a date and time, a version, a path.
    let glued = |byte: u8| scan::is_word(byte) || matches!(byte, b'_' | b'#' | b'$' | b'%' | b'@');
    let after = scan::at(bytes, end);
    let joined = matches!(scan::before(bytes, start), b'-' | b'.' | b'/')
        && scan::is_word(scan::before(bytes, start - 1));
    if joined {
        return 0.0;
    }
    if glued(scan::before(bytes, start)) || scan::is_word(after) || matches!(after, b'_' | b':' | b'%' | b'@')
    {
        return 0.0;
    }
    let digits = scan::digits_of(bytes, start..end);
    if !(7..=15).contains(&digits.len()) || has_double_separator(span) {
        return 0.0;
    }
    if span.starts_with('+') {
        return if is_international(&digits) { 0.9 } else { 0.0 };
    }
    if span.starts_with("00") && digits.len() >= 10 && is_international(digits.get(2..).unwrap_or(&[])) {
        let written = span.contains([' ', '-', '(']);
        if written || says_so(text, start, context) {
            return 0.7;
        }
    }
    if is_north_american(span) {
        return 0.75;
    }
    if says_so(text, start, context) && !looks_like_date(span) { 0.6 } else { 0.0 }
}

fn says_so(text: &str, start: usize, context: &FieldContext<'_>) -> bool {
    context.suggests(WORDS) || scan::said_before(text, start, WORDS)
}

fn has_double_separator(span: &str) -> bool {
    let open = span.matches('(').count();
    open > 1
        || open != span.matches(')').count()
        || span.as_bytes().windows(2).any(|pair| match pair {
            [a, b] => {
                !a.is_ascii_digit()
                    && !b.is_ascii_digit()
                    && !matches!((a, b), (b')', b' ' | b'-') | (b' ', b'(') | (b'+', b'('))
            }
            _ => false,
        })
}

fn is_international(digits: &[u8]) -> bool {
    let (one, two) = (scan::prefix(digits, 1), scan::prefix(digits, 2));
    match digits.len() {
        11 if one == 1 => scan::prefix(digits, 2) >= 12,
        8..=15 if one != 1 => {
            ONE_DIGIT.contains(&one) || TWO_DIGITS.contains(&two) || THREE_DIGITS.contains(&two)
        }
        _ => false,
    }
}

/// `(415) 555-0132`, `415-555-0132`, `415.555.0132`, `415 555 0132`, each perhaps with `1` before it.
fn is_north_american(span: &str) -> bool {
    let plain: String = span.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
    let form = ["1 ", "1-", "1.", ""].iter().find_map(|one| {
        let rest = span.strip_prefix(one)?;
        let form = plain.get(plain.len() - rest.len()..)?;
        matches!(
            form,
            "(999) 999-9999"
                | "(999)999-9999"
                | "(999) 999 9999"
                | "999-999-9999"
                | "999.999.9999"
                | "999 999 9999"
                | "999 999-9999"
                | "(999) 999.9999"
                | "999/999-9999"
        )
        .then_some(rest)
    });
    let Some(number) = form else { return false };
    let digits: Vec<u8> = number.bytes().filter(u8::is_ascii_digit).collect();
    // Neither the area nor the exchange starts with 0 or 1.
    scan::at(&digits, 0) >= b'2' && scan::at(&digits, 3) >= b'2'
}

/// `2026-11-24`, `24.11.2026`.
fn looks_like_date(span: &str) -> bool {
    let sizes: Vec<usize> = span.split(|c: char| !c.is_ascii_digit()).map(str::len).collect();
    matches!(sizes.as_slice(), [4, 2, 2] | [2, 2, 4] | [1, 1, 4] | [1, 2, 4] | [2, 1, 4] | [4, 2, 2, ..])
        && !span.contains(['(', '+'])
}
