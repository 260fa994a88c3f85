//! `JWT`: a signed or encrypted token in compact form (RFC 7515, RFC 7519).

use super::{Detector, FieldContext, Found, Needs, scan};
use crate::encoded;
use crate::features::DOT;

/// The detector.
#[derive(Debug)]
pub(super) struct Jwt;

impl Detector for Jwt {
    fn id(&self) -> &'static str {
        "jwt"
    }

    fn entity(&self) -> &'static str {
        "JWT"
    }

    fn description(&self) -> &'static str {
        "A JSON web token whose header reads as one."
    }

    fn needs(&self) -> Needs {
        Needs::length(30).all(DOT)
    }

    fn find(&self, text: &str, _: &FieldContext<'_>) -> Vec<Found> {
        if !text.contains("eyJ") && !text.contains("ewog") {
            return Vec::new();
        }
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        scan::runs(text.as_bytes(), is_part)
            .filter(|run| text.get((*run).clone()).is_some_and(is_token))
            .map(|run| Found::new(run, 0.99))
            .collect()
    }
}

fn is_token(token: &str) -> bool {
    let token = token.trim_end_matches('.');
    let mut parts = token.split('.');
    let (Some(header), Some(body)) = (parts.next(), parts.next()) else { return false };
    !body.is_empty()
        && parts.count() <= 3
        && encoded::decode(header).is_some_and(|json| json.contains("\"alg\"") || json.contains("\"typ\""))
}
