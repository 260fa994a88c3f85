//! `JWT`: a signed or encrypted token in compact form (RFC 7515, RFC 7519).

use super::{Detector, Found, Kind, Needs, Reading, scan};
use crate::encoded;
use crate::features::{DOT, OBJECT, WORD_10};

const KIND: Kind =
    Kind { id: "jwt", entity: "JWT", description: "A JSON web token whose header reads as one." };

/// The detector.
#[derive(Debug)]
pub(super) struct Jwt;

impl Detector for Jwt {
    fn kinds(&self) -> Vec<&'static Kind> {
        vec![&KIND]
    }

    fn needs(&self) -> Needs {
        Needs::all(DOT | OBJECT | WORD_10)
    }

    fn find(&self, reading: &Reading<'_>, found: &mut Vec<Found>) {
        let text = reading.text;
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let mut from = 0;
        for start in memchr::memchr_iter(b'e', text.as_bytes()) {
            if start < from
                || !matches!(scan::at(text.as_bytes(), start + 1), b'y' | b'w')
                || is_part(scan::before(text.as_bytes(), start))
            {
                continue;
            }
            let end = scan::run_end(text.as_bytes(), start, is_part);
            from = end;
            if text.get(start..end).is_some_and(is_token) {
                found.push(Found::new(&KIND, start..end, 0.99));
            }
        }
    }
}

fn is_token(token: &str) -> bool {
    let token = token.trim_end_matches('.');
    let mut parts = token.split('.');
    let (Some(header), Some(body)) = (parts.next(), parts.next()) else { return false };
    !body.is_empty()
        && parts.count() <= 3
        && encoded::decode(header).is_some_and(|json| json.contains("\"alg\"") || json.contains("\"typ\""))
}
