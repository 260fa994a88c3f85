//! `SALLYPORT_TOKEN`: a token of this gateway.

use super::{Detector, Found, Kind, Needs, Reading, scan};
use crate::features::{LOWER, UNDERSCORE, WORD_40};

const KIND: Kind = Kind {
    id: "sallyport-token",
    entity: "SALLYPORT_TOKEN",
    description: "A token of this gateway: slp_, an id, the secret and its check sum.",
};

/// The detector.
#[derive(Debug)]
pub(super) struct SallyportToken;

impl Detector for SallyportToken {
    fn kinds(&self) -> Vec<&'static Kind> {
        vec![&KIND]
    }

    fn needs(&self) -> Needs {
        Needs::all(LOWER | UNDERSCORE | WORD_40)
    }

    fn find(&self, reading: &Reading<'_>, found: &mut Vec<Found>) {
        let (text, bytes) = (reading.text, reading.bytes());
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        let mut from = 0;
        for start in scan::each(text, "slp_") {
            if start < from || scan::is_word(scan::before(bytes, start)) {
                continue;
            }
            let end = scan::run_end(bytes, start, is_part);
            from = end;
            let Some(token) = text.get(start + 4..end) else { continue };
            if token.len() >= 36 && token.contains('_') {
                found.push(Found::new(&KIND, start..end, 0.99));
            }
        }
    }
}
