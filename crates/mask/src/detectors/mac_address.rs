//! `MAC_ADDRESS`: six (EUI-48) or eight (EUI-64) octets.

use super::{Detector, FieldContext, Found, Needs, scan};
use crate::features::{COLON, DASH, DOT};

/// The detector.
#[derive(Debug)]
pub(super) struct MacAddress;

impl Detector for MacAddress {
    fn id(&self) -> &'static str {
        "mac"
    }

    fn entity(&self) -> &'static str {
        "MAC_ADDRESS"
    }

    fn description(&self) -> &'static str {
        "A hardware address: six or eight octets with colons or dashes, or three groups of four with dots."
    }

    fn needs(&self) -> Needs {
        Needs::digits(1).and_length(14).any(COLON | DASH | DOT)
    }

    fn find(&self, text: &str, _: &FieldContext<'_>) -> Vec<Found> {
        scan::runs(text.as_bytes(), |byte| scan::is_word(byte) || matches!(byte, b':' | b'-' | b'.' | b'_'))
            .filter_map(|run| {
                let token = text.get(run.clone())?;
                let trimmed = token.trim_matches(['.', ':', '-']);
                if !matches!(trimmed.len(), 14 | 17 | 23) {
                    return None;
                }
                let start = run.start + (token.len() - token.trim_start_matches(['.', ':', '-']).len());
                is_address(trimmed).then(|| Found::new(start..start + trimmed.len(), 0.9))
            })
            .collect()
    }
}

fn is_address(token: &str) -> bool {
    let form = |separator: char, size: usize, counts: &[usize]| {
        counts.contains(&token.split(separator).count())
            && token
                .split(separator)
                .all(|group| group.len() == size && group.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    let is_form = form(':', 2, &[6, 8]) || form('-', 2, &[6, 8]) || form('.', 4, &[3]);
    // All zeros or all ones name nobody; twelve decimal digits in pairs may be a date and a time.
    let says = token.bytes().filter(u8::is_ascii_hexdigit);
    let nobody =
        says.clone().all(|byte| byte == b'0') || says.clone().all(|byte| matches!(byte, b'f' | b'F'));
    let decimal = says.clone().all(|byte| byte.is_ascii_digit());
    is_form && !nobody && (!decimal || token.contains(':'))
}
