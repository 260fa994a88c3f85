//! `PRIVATE_KEY`: a PEM block (RFC 7468) whose label says private key.

use super::{Detector, Found, Kind, Needs, Reading, scan};
use crate::features::{DASH, DASH_PAIR, UPPER, WORD_20};

const KIND: Kind = Kind {
    id: "pem-private-key",
    entity: "PRIVATE_KEY",
    description: "A private key as PEM, OpenSSH, PuTTY or age text, even when its end is cut off.",
};

/// The detector.
#[derive(Debug)]
pub(super) struct PrivateKey;

impl Detector for PrivateKey {
    fn kinds(&self) -> Vec<&'static Kind> {
        vec![&KIND]
    }

    fn needs(&self) -> Needs {
        Needs::all(DASH | UPPER).any(DASH_PAIR | WORD_20)
    }

    fn find(&self, reading: &Reading<'_>, found: &mut Vec<Found>) {
        let text = reading.text;
        if !reading.features.any(DASH_PAIR) {
            other_forms(reading, found);
            return;
        }
        let mut from = 0;
        for start in scan::each(text, "-----BEGIN ") {
            if start < from {
                continue;
            }
            let label = text.get(start + 11..).and_then(|rest| rest.split("-----").next()).unwrap_or("");
            if label.len() > 64 || !label.contains("PRIVATE KEY") {
                continue;
            }
            // A block without an end reaches to the end of the text.
            let end = text
                .get(start + 16 + label.len()..)
                .and_then(|rest| {
                    let close = rest.find("-----END ")?;
                    let line = rest.get(close + 9..)?.find("-----")?;
                    Some(start + 16 + label.len() + close + 9 + line + 5)
                })
                .unwrap_or(text.len());
            found.push(Found::new(&KIND, start..end, 1.0));
            from = end;
        }
        other_forms(reading, found);
    }
}

/// Keys of age, PuTTY.
fn other_forms(reading: &Reading<'_>, found: &mut Vec<Found>) {
    let text = reading.text;
    if reading.features.longest >= 70 {
        for start in scan::each(text, "AGE-SECRET-KEY-1") {
            let end =
                scan::run_end(reading.bytes(), start, |byte| byte.is_ascii_alphanumeric() || byte == b'-');
            if end - start >= 70 {
                found.push(Found::new(&KIND, start..end, 1.0));
            }
        }
    }
    if text.starts_with("PuTTY-User-Key-File-") {
        found.push(Found::new(&KIND, 0..text.len(), 1.0));
    }
}
