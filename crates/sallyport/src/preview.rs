//! Statements as an approver reads them: the sensitive values in their constants masked.
//!
//! Only what is surely a value is masked: a constant between simple quotes, not long, without a semicolon.
//! Code may stand in dollar quotes or in a long string, and what would run is never hidden from whoever says
//! yes to it.

use sallyport_api::Redact;
use sallyport_inspect::pg::{Constant, constants};
use sallyport_mask::{FieldContext, detect, mask_text};

/// Longer constants are shown as they are, bytes.
const LONGEST: usize = 512;

/// Masks by the detectors.
#[derive(Debug)]
pub(crate) struct Preview;

impl Redact for Preview {
    fn statement(&self, text: &str) -> Option<String> {
        // What does not scan is not data alone.
        let constants = constants(text)?;
        let mut out = String::with_capacity(text.len());
        let mut copied = 0;
        for constant in &constants {
            let Some(masked) = one(text, constant) else { continue };
            out.push_str(text.get(copied..constant.range.start)?);
            out.push_str(&masked);
            copied = constant.range.end;
        }
        out.push_str(text.get(copied..)?);
        (copied > 0).then_some(out)
    }

    fn value(&self, text: &str) -> Option<String> {
        mask_text(text, &FieldContext::default())
    }
}

fn one(text: &str, constant: &Constant) -> Option<String> {
    let raw = text.get(constant.range.clone())?;
    if raw.starts_with('$') || raw.len() > LONGEST || constant.value.contains(';') {
        return None;
    }
    let column = before(text.get(..constant.range.start)?);
    let context = column.map_or_else(FieldContext::default, FieldContext::column);
    if !raw.ends_with('\'') {
        // A number that is somebody's.
        let findings = detect(raw, &context);
        return findings.first().map(|finding| format!("'‹{}›'", finding.entity));
    }
    mask_text(&constant.value, &context).map(|masked| format!("'{}'", masked.replace('\'', "''")))
}

/// The name before a comparison or an assignment: `ssn` of `u.ssn = `.
fn before(text: &str) -> Option<&str> {
    let text = text.trim_end().trim_end_matches(['=', '<', '>', '~', '!', '*']).trim_end();
    let text = text.strip_suffix('"').unwrap_or(text);
    let start = text.rfind(|it: char| !it.is_alphanumeric() && it != '_').map_or(0, |at| at + 1);
    text.get(start..).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sensitive_constants_are_masked_and_what_would_run_is_not() {
        for (text, masked) in [
            (
                "update users set email = 'alice@example.com' where id = 7",
                "update users set email = '‹EMAIL_ADDRESS›' where id = 7",
            ),
            (
                "insert into t values ('it''s bob@example.org', 1)",
                "insert into t values ('it''s ‹EMAIL_ADDRESS›', 1)",
            ),
            ("update t set ssn = 536904399", "update t set ssn = '‹US_SSN›'"),
            ("update t set \"password\" = 'hunter'", "update t set \"password\" = '‹PASSWORD›'"),
            ("select 1 where a = E'x\\x40example.com'", "select 1 where a = '‹EMAIL_ADDRESS›'"),
        ] {
            assert_eq!(Preview.statement(text).as_deref(), Some(masked));
        }
        for text in [
            "delete from users where id = 7",
            "select 'plain'",
            "do $$ begin perform f('alice@example.com'); end $$",
            "do 'begin delete from t where m = ''alice@example.com''; end'",
            "select 1 -- alice@example.com",
            "/* -----BEGIN PRIVATE KEY----- */ drop table users /* -----END PRIVATE KEY----- */",
            "select \"alice@example.com\" from t",
            "select 'open alice@example.com",
        ] {
            assert_eq!(Preview.statement(text), None, "{text}");
        }
        assert_eq!(Preview.value("to alice@example.com").as_deref(), Some("to ‹EMAIL_ADDRESS›"));
    }
}
