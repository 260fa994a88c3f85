//! `GITHUB_TOKEN`: personal, OAuth, app, server and refresh tokens, and fine-grained ones.

use super::{Detector, Found, Kind, Needs, Reading, scan};
use crate::features::{GITHUB, UNDERSCORE, WORD_40};

const PREFIXES: &[(&str, usize)] =
    &[("ghp_", 36), ("gho_", 36), ("ghu_", 36), ("ghs_", 36), ("ghr_", 36), ("github_pat_", 60)];

const KIND: Kind = Kind {
    id: "github-token",
    entity: "GITHUB_TOKEN",
    description: "A token of GitHub, classic or fine-grained.",
};

/// The detector.
#[derive(Debug)]
pub(super) struct GithubToken;

impl Detector for GithubToken {
    fn kinds(&self) -> Vec<&'static Kind> {
        vec![&KIND]
    }

    fn needs(&self) -> Needs {
        Needs::all(GITHUB | UNDERSCORE | WORD_40)
    }

    fn find(&self, reading: &Reading<'_>, found: &mut Vec<Found>) {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        for run in scan::runs(reading.bytes(), is_part).filter(|run| run.len() >= 40) {
            let Some(token) = reading.text.get(run.clone()) else { continue };
            let known = PREFIXES
                .iter()
                .any(|(prefix, least)| token.strip_prefix(prefix).is_some_and(|rest| rest.len() >= *least));
            if known {
                found.push(Found::new(&KIND, run, 0.99));
            }
        }
    }
}
