//! Masks what detectors find in a text.

use crate::context::FieldContext;
use crate::detect::{Finding, detect};

/// The text with every finding replaced by its mark; nothing when there is none.
#[must_use]
pub fn mask_text(text: &str, context: &FieldContext<'_>) -> Option<String> {
    let findings = detect(text, context);
    (!findings.is_empty()).then(|| replace(text, &findings))
}

/// The text with each span replaced. Findings are in order and do not overlap.
pub(crate) fn replace(text: &str, findings: &[Finding]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for finding in findings {
        out.push_str(text.get(at..finding.bytes.start).unwrap_or(""));
        out.push('‹');
        out.push_str(finding.entity);
        out.push('›');
        at = finding.bytes.end;
    }
    out.push_str(text.get(at..).unwrap_or(""));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_findings_are_replaced() {
        let masked = mask_text("Zoë <zoe@example.com>, card 4111 1111 1111 1111.", &FieldContext::default());
        assert_eq!(masked.as_deref(), Some("Zoë <‹EMAIL_ADDRESS›>, card ‹CREDIT_CARD›."));
        assert_eq!(mask_text("nothing to see", &FieldContext::default()), None);
    }

    #[test]
    fn masked_text_stays_as_it_is() {
        let masked = mask_text("a@b.com 4111111111111111", &FieldContext::default()).unwrap();
        assert_eq!(mask_text(&masked, &FieldContext::default()), None);
    }

    #[test]
    fn a_text_too_long_to_read_is_withheld() {
        let long = "x".repeat(crate::MAX_TEXT_BYTES + 1);
        assert_eq!(mask_text(&long, &FieldContext::default()).as_deref(), Some("‹WITHHELD›"));
    }
}
