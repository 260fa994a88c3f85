//! `GITHUB_TOKEN`: personal, OAuth, app, server and refresh tokens, and fine-grained ones.

use super::{Detector, FieldContext, Found, Needs, scan};
use crate::features::UNDERSCORE;

const CLASSIC: &[&str] = &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"];

/// The detector.
#[derive(Debug)]
pub(super) struct GithubToken;

impl Detector for GithubToken {
    fn id(&self) -> &'static str {
        "github-token"
    }

    fn entity(&self) -> &'static str {
        "GITHUB_TOKEN"
    }

    fn description(&self) -> &'static str {
        "A token of GitHub, classic or fine-grained."
    }

    fn needs(&self) -> Needs {
        Needs::length(40).all(UNDERSCORE)
    }

    fn find(&self, text: &str, _: &FieldContext<'_>) -> Vec<Found> {
        let bytes = text.as_bytes();
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let token = |start: usize, prefix: &str, least: usize| {
            if is_part(scan::before(bytes, start)) {
                return None;
            }
            let end = scan::run_end(bytes, start, is_part);
            (end - start >= prefix.len() + least).then(|| Found::new(start..end, 0.99))
        };
        CLASSIC
            .iter()
            .flat_map(|prefix| scan::each(text, prefix).filter_map(|start| token(start, prefix, 36)))
            .chain(scan::each(text, "github_pat_").filter_map(|start| token(start, "github_pat_", 60)))
            .collect()
    }
}
