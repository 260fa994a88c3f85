//! `PRIVATE_KEY`: a PEM block (RFC 7468) whose label says private key.

use super::{Detector, FieldContext, Found, Needs, scan};
use crate::features::DASH;

/// The detector.
#[derive(Debug)]
pub(super) struct PrivateKey;

impl Detector for PrivateKey {
    fn id(&self) -> &'static str {
        "pem-private-key"
    }

    fn entity(&self) -> &'static str {
        "PRIVATE_KEY"
    }

    fn description(&self) -> &'static str {
        "A private key as PEM or OpenSSH text, even when its end is cut off."
    }

    fn needs(&self) -> Needs {
        Needs::length(27).all(DASH)
    }

    fn find(&self, text: &str, _: &FieldContext<'_>) -> Vec<Found> {
        let mut found = Vec::new();
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
            found.push(Found::new(start..end, 1.0));
            from = end;
        }
        found
    }
}
