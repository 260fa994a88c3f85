//! `AWS_ACCESS_KEY`: access key ids, and secret access keys beside their name or by their shape.

use super::{Detector, Found, Kind, Needs, Reading, Topic, entropy, scan};
use crate::features::LETTER;

/// The kinds of key ids (AWS, unique identifiers of IAM).
const PREFIXES: &[&[u8]] = &[b"AKIA", b"ASIA", b"ABIA", b"ACCA"];

const KIND: Kind = Kind {
    id: "aws-key",
    entity: "AWS_ACCESS_KEY",
    description: "An access key id of Amazon Web Services, or a secret access key.",
};

/// The detector.
#[derive(Debug)]
pub(super) struct AwsAccessKey;

impl Detector for AwsAccessKey {
    fn kinds(&self) -> Vec<&'static Kind> {
        vec![&KIND]
    }

    fn needs(&self) -> Needs {
        Needs::length(20).all(LETTER)
    }

    fn find(&self, reading: &Reading<'_>, found: &mut Vec<Found>) {
        if reading.features.longest() < 20 {
            return;
        }
        let bytes = reading.bytes();
        let mut from = 0;
        for token in &reading.parts.tokens {
            let Some(characters) = bytes.get(token.span.clone()) else { continue };
            if token.len() == 20
                && !token.glued
                && PREFIXES.iter().any(|prefix| characters.starts_with(prefix))
                && characters.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
            {
                found.push(Found::new(&KIND, token.span.clone(), 0.98));
            }
            if reading.features.longest() < 40 {
                continue;
            }
            // A secret key has forty characters, of which `+` and `/` part the tokens.
            if token.span.start < from {
                continue;
            }
            let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
            let start = if matches!(scan::before(bytes, token.span.start), b'+' | b'/') {
                token.span.start - 1
            } else {
                token.span.start
            };
            let reach = bytes.get(..bytes.len().min(start + 42)).unwrap_or(bytes);
            let end = scan::run_end(reach, start, is_part);
            from = end;
            let stands = end - start == 40
                && !is_part(scan::before(bytes, start))
                && !matches!(scan::at(bytes, end), b'=' | b'_' | b'-' | b'.')
                && !matches!(scan::before(bytes, start), b'_' | b'-' | b'.');
            if stands && let Some(key) = bytes.get(start..end) {
                let signs = key.iter().any(|byte| matches!(byte, b'+' | b'/'));
                let named =
                    || reading.column.words.say(Topic::Aws) || reading.before(start).words().say(Topic::Aws);
                if entropy::is_mixed(key) && (signs || named()) && !entropy::reads_as_words(key) {
                    found.push(Found::new(&KIND, start..end, 0.9));
                }
            }
        }
    }
}
