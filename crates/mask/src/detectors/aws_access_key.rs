//! `AWS_ACCESS_KEY`: access key ids, and secret access keys beside their name.

use super::{Detector, FieldContext, Found, Needs, scan};
use crate::features::LETTER;

/// The kinds of key ids (AWS, unique identifiers of IAM).
const PREFIXES: &[&[u8]] = &[b"AKIA", b"ASIA", b"ABIA", b"ACCA"];

/// The detector.
#[derive(Debug)]
pub(super) struct AwsAccessKey;

impl Detector for AwsAccessKey {
    fn id(&self) -> &'static str {
        "aws-key"
    }

    fn entity(&self) -> &'static str {
        "AWS_ACCESS_KEY"
    }

    fn description(&self) -> &'static str {
        "An access key id of Amazon Web Services, or a secret access key beside its name."
    }

    fn needs(&self) -> Needs {
        Needs::length(20).all(LETTER)
    }

    fn find(&self, text: &str, context: &FieldContext<'_>) -> Vec<Found> {
        let bytes = text.as_bytes();
        let mut found: Vec<Found> = bytes
            .windows(4)
            .enumerate()
            .filter(|(_, part)| PREFIXES.iter().any(|prefix| prefix == part))
            .map(|(start, _)| start)
            .filter(|start| !scan::is_word(scan::before(bytes, *start)))
            .filter_map(|start| {
                let end =
                    scan::run_end(bytes, start, |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
                let whole = end - start == 20 && !scan::is_word(scan::at(bytes, end));
                whole.then(|| Found::new(start..end, 0.98))
            })
            .collect();
        let column_says = context.column.is_some_and(says_secret);
        if column_says || says_secret(text) {
            let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
            found.extend(
                scan::runs(bytes, is_part)
                    .filter(|run| run.len() == 40 && is_mixed(text.get(run.clone())))
                    .map(|run| Found::new(run, 0.9)),
            );
        }
        found
    }
}

fn says_secret(text: &str) -> bool {
    scan::contains(text, "secret")
        && (scan::contains(text, "aws")
            || scan::contains(text, "access_key")
            || scan::contains(text, "accesskey"))
}

fn is_mixed(token: Option<&str>) -> bool {
    token.is_some_and(|token| {
        token.bytes().any(|byte| byte.is_ascii_lowercase())
            && token.bytes().any(|byte| byte.is_ascii_uppercase())
            && token.bytes().any(|byte| byte.is_ascii_digit())
    })
}
