//! `MAC_ADDRESS`: six (EUI-48) or eight (EUI-64) octets.

use super::{Detector, Found, Kind, Needs, Reading, Topic, scan};
use crate::features::OCTETS;
use crate::parts::Token;

const KIND: Kind = Kind {
    id: "mac",
    entity: "MAC_ADDRESS",
    description: "A hardware address: six or eight octets with colons or dashes, or three groups of four with dots.",
};

/// The detector.
#[derive(Debug)]
pub(super) struct MacAddress;

impl Detector for MacAddress {
    fn kinds(&self) -> Vec<&'static Kind> {
        vec![&KIND]
    }

    fn needs(&self) -> Needs {
        Needs::all(OCTETS)
    }

    fn find(&self, reading: &Reading<'_>, found: &mut Vec<Found>) {
        let bytes = reading.bytes();
        let tokens = reading.parts.tokens.as_slice();
        let mut skip = 0;
        for (index, token) in tokens.iter().enumerate() {
            let size = token.len();
            if index < skip || !matches!(size, 2 | 4 | 12) || token.glued {
                continue;
            }
            let start = token.span.start;
            let separator = scan::at(bytes, token.span.end);
            if size < 12 && !matches!(separator, b':' | b'-' | b'.') {
                continue;
            }
            let (count, end, goes_on) = joined(bytes, tokens, index, separator);
            skip = index + count;
            let fits = !goes_on && matches!((size, separator, count), (2, b':' | b'-', 6 | 8) | (4, b'.', 3));
            let bare = size == 12 && count == 1 && reading.says(start, Topic::Mac);
            let before = scan::before(bytes, start);
            if (fits || bare)
                && !matches!(before, b':' | b'-' | b'.')
                && is_address(bytes.get(start..end), separator)
            {
                found.push(Found::new(&KIND, start..end, 0.9));
            }
        }
    }
}

/// How many tokens of one size the separator joins from that one on, where the last ends, and whether more follows.
fn joined(bytes: &[u8], tokens: &[Token], first: usize, separator: u8) -> (usize, usize, bool) {
    let Some(head) = tokens.get(first) else { return (1, 0, false) };
    let (mut count, mut end) = (1, head.span.end);
    for token in tokens.iter().skip(first + 1) {
        if token.span.start != end + 1 || scan::at(bytes, end) != separator || token.len() != head.len() {
            break;
        }
        count += 1;
        end = token.span.end;
    }
    // A row that goes on with parts of another size is something else.
    let goes_on =
        matches!(scan::at(bytes, end), b':' | b'-' | b'_') && scan::is_word(scan::at(bytes, end + 1));
    (count, end, goes_on)
}

fn is_address(span: Option<&[u8]>, separator: u8) -> bool {
    let Some(span) = span else { return false };
    let digits = span.iter().filter(|byte| byte.is_ascii_alphanumeric());
    let is_hex = digits.clone().all(u8::is_ascii_hexdigit);
    // All zeros or all ones name nobody; twelve decimal digits in pairs may be a date and a time.
    let nobody =
        digits.clone().all(|byte| *byte == b'0') || digits.clone().all(|byte| matches!(byte, b'f' | b'F'));
    let decimal = digits.clone().all(u8::is_ascii_digit);
    is_hex && !nobody && (!decimal || separator == b':')
}
