//! `AWS_ACCESS_KEY`: access key ids, and secret access keys beside their name or by their shape.

use super::{Detector, Found, Kind, Needs, Reading, Topic, entropy, scan};
use crate::features::{UPPER, WORD_20};

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
        Needs::all(UPPER | WORD_20)
    }

    fn find(&self, reading: &Reading<'_>, found: &mut Vec<Found>) {
        let bytes = reading.bytes();
        for token in reading.parts.tokens.iter().filter(|token| token.len() == 20 && !token.glued) {
            let characters = bytes.get(token.span.clone()).unwrap_or(&[]);
            if PREFIXES.iter().any(|prefix| characters.starts_with(prefix))
                && characters.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
            {
                found.push(Found::new(&KIND, token.span.clone(), 0.98));
            }
        }
        for word in reading.parts.words.iter().filter(|word| word.len() >= 40) {
            let here = bytes.get(word.clone()).unwrap_or(&[]);
            let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
            for run in scan::runs(here, is_part).filter(|run| run.len() == 40) {
                found.extend(secret(reading, word.start + run.start));
            }
        }
    }
}

/// The secret key that the forty characters from `start` on are. `+` and `/` are of its alphabet.
fn secret(reading: &Reading<'_>, start: usize) -> Option<Found> {
    let bytes = reading.bytes();
    let end = start + 40;
    let key = bytes.get(start..end)?;
    let joined = |byte: u8| matches!(byte, b'_' | b'-' | b'.');
    if joined(scan::before(bytes, start)) || joined(scan::at(bytes, end)) || scan::at(bytes, end) == b'=' {
        return None;
    }
    let signs = key.iter().any(|byte| matches!(byte, b'+' | b'/'));
    let named = || reading.column.words.say(Topic::Aws) || reading.before(start).words().say(Topic::Aws);
    let is_secret = entropy::is_mixed(key) && !entropy::reads_as_words(key) && (signs || named());
    is_secret.then(|| Found::new(&KIND, start..end, 0.9))
}
