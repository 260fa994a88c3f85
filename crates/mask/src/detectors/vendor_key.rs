//! `API_KEY`: keys of services that mark theirs with a prefix.

use super::{Detector, FieldContext, Found, Needs, scan};
use crate::features::{DASH, DOT, LETTER, UNDERSCORE};

/// Prefix, and the least number of characters after it.
const PREFIXES: &[(&str, usize)] = &[
    ("xoxb-", 20),
    ("xoxp-", 20),
    ("xoxa-", 20),
    ("xoxr-", 20),
    ("xoxs-", 20),
    ("xapp-", 20),
    ("sk_live_", 16),
    ("sk_test_", 16),
    ("rk_live_", 16),
    ("rk_test_", 16),
    ("whsec_", 24),
    ("glpat-", 20),
    ("npm_", 36),
    ("pypi-AgE", 50),
    ("dop_v1_", 60),
    ("shpat_", 32),
    ("hvs.", 24),
    ("sk-ant-", 24),
    ("sk-proj-", 24),
    ("sk-", 40),
    ("hf_", 30),
    ("SG.", 50),
    ("ya29.", 30),
    ("AIzaSy", 33),
    ("GOCSPX-", 24),
    ("lin_api_", 30),
    ("dckr_pat_", 24),
    ("EAACEdEose0cBA", 20),
];

/// The detector.
#[derive(Debug)]
pub(super) struct VendorKey;

impl Detector for VendorKey {
    fn id(&self) -> &'static str {
        "vendor-key"
    }

    fn entity(&self) -> &'static str {
        "API_KEY"
    }

    fn description(&self) -> &'static str {
        "A key of Slack, Stripe, GitLab, npm, PyPI, OpenAI, Anthropic, Google and others, by its prefix."
    }

    fn needs(&self) -> Needs {
        Needs::digits(1).and_length(22).all(LETTER).any(DASH | DOT | UNDERSCORE | LETTER)
    }

    fn find(&self, text: &str, _: &FieldContext<'_>) -> Vec<Found> {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        scan::runs(text.as_bytes(), is_part)
            .filter(|run| run.len() >= 20)
            .filter_map(|run| {
                let token = text.get(run.clone())?;
                let trimmed = token.trim_end_matches('.');
                let known = PREFIXES.iter().any(|(prefix, least)| {
                    trimmed.strip_prefix(prefix).is_some_and(|rest| rest.len() >= *least && is_random(rest))
                });
                known.then(|| Found::new(run.start..run.start + trimmed.len(), 0.95))
            })
            .collect()
    }
}

/// Digits and letters: words alone are a name (`sk-learn-something-…`).
fn is_random(rest: &str) -> bool {
    rest.bytes().any(|byte| byte.is_ascii_digit()) && rest.bytes().any(|byte| byte.is_ascii_alphabetic())
}
