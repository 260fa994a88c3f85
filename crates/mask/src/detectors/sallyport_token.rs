//! `SALLYPORT_TOKEN`: a token of this gateway.

use super::{Detector, FieldContext, Found, Needs, scan};
use crate::features::UNDERSCORE;

/// The detector.
#[derive(Debug)]
pub(super) struct SallyportToken;

impl Detector for SallyportToken {
    fn id(&self) -> &'static str {
        "sallyport-token"
    }

    fn entity(&self) -> &'static str {
        "SALLYPORT_TOKEN"
    }

    fn description(&self) -> &'static str {
        "A token of this gateway: slp_, an id, the secret and its check sum."
    }

    fn needs(&self) -> Needs {
        Needs::length(40).all(UNDERSCORE)
    }

    fn find(&self, text: &str, _: &FieldContext<'_>) -> Vec<Found> {
        let bytes = text.as_bytes();
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        let mut from = 0;
        scan::each(text, "slp_")
            .filter_map(|start| {
                if start < from || scan::is_word(scan::before(bytes, start)) {
                    return None;
                }
                let end = scan::run_end(bytes, start, is_part);
                from = end;
                let token = text.get(start + 4..end)?;
                (token.len() >= 36 && token.contains('_')).then(|| Found::new(start..end, 0.99))
            })
            .collect()
    }
}
