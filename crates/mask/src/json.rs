//! Masks JSON leaf by leaf, without building a tree.
//!
//! The text is walked once, left to right; everything that is not masked is copied as it stands, so that
//! the order of keys, repeated keys, white space and the digits of numbers survive. What is not JSON is
//! text. Depth and size are bounded; beyond them nothing passes.

use std::borrow::Cow;
use std::ops::Range;

use crate::context::FieldContext;
use crate::detect::MAX_TEXT_BYTES;
use crate::operator::{Masked, placeholder};
use crate::text::mask_text;

/// Deeper documents are withheld whole.
const DEEPEST: usize = 512;

/// Masks what detectors find in the strings and keys of a JSON document, and in numbers whose key says what
/// they are. Nothing when there is nothing to mask. Text that is not JSON is masked as text.
#[must_use]
pub fn mask_json(json: &str, context: &FieldContext<'_>) -> Option<String> {
    if !context.may_hold_findings(json.as_bytes()) {
        return None;
    }
    if json.len() > MAX_TEXT_BYTES {
        return Some(format!("\"{}\"", placeholder("WITHHELD")));
    }
    let column = context.column.map(str::to_owned);
    let leaf = |kind: Kind, text: &str, key: Option<&str>| {
        let key = key.or(column.as_deref());
        match kind {
            Kind::Text => mask_text(text, &FieldContext::under(key)).map(Masked::Text),
            Kind::Key => mask_text(text, &FieldContext::inner(key)).map(Masked::Text),
            Kind::Number => mask_text(text, &FieldContext::inner(key)).map(|_| Masked::Null),
            Kind::Word => None,
        }
    };
    match rewrite(json, leaf) {
        Ok(masked) => masked,
        Err(Fault::Syntax) => mask_text(json, context),
        Err(Fault::Depth) => Some(format!("\"{}\"", placeholder("WITHHELD"))),
    }
}

/// Masks every leaf of a labelled JSON document: `string` says what stands for a string; numbers and truth
/// values become null. Keys stay unless detectors find something in them. What is not JSON becomes what
/// `string` makes of it, as a JSON string.
#[must_use]
pub fn mask_json_leaves(json: &str, string: impl Fn(&str) -> Masked) -> String {
    let leaf = |kind: Kind, text: &str, _: Option<&str>| match kind {
        Kind::Text => Some(string(text)),
        Kind::Key => mask_text(text, &FieldContext::default()).map(Masked::Text),
        Kind::Number => Some(Masked::Null),
        Kind::Word => (text != "null").then_some(Masked::Null),
    };
    match rewrite(json, leaf) {
        Ok(Some(masked)) => masked,
        Ok(None) => json.to_owned(),
        Err(_) => write(&string(json)),
    }
}

/// What a leaf is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Key,
    Number,
    /// `true`, `false`, `null`.
    Word,
}

enum Fault {
    Syntax,
    Depth,
}

/// What may come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    Colon,
    CommaOrEnd,
}

/// The document with every leaf as `leaf` says; nothing when no leaf changed.
fn rewrite(
    json: &str,
    leaf: impl Fn(Kind, &str, Option<&str>) -> Option<Masked>,
) -> Result<Option<String>, Fault> {
    let bytes = json.as_bytes();
    // Open containers: an object's latest key, or an array.
    let mut open: Vec<Option<String>> = Vec::new();
    let mut expect = Expect::Value;
    let mut out = String::new();
    let mut copied = 0;
    let mut at = 0;
    let mut done = false;
    while let Some(byte) = bytes.get(at).copied() {
        let in_object = matches!(open.last(), Some(Some(_)));
        let start = at;
        at += 1;
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => continue,
            _ if done => return Err(Fault::Syntax),
            b'{' | b'[' if matches!(expect, Expect::Value | Expect::ValueOrEnd) => {
                if open.len() >= DEEPEST {
                    return Err(Fault::Depth);
                }
                open.push((byte == b'{').then(String::new));
                expect = if byte == b'{' { Expect::KeyOrEnd } else { Expect::ValueOrEnd };
                continue;
            }
            b'}' if in_object && matches!(expect, Expect::KeyOrEnd | Expect::CommaOrEnd) => {
                open.pop();
            }
            b']' if open.last() == Some(&None)
                && matches!(expect, Expect::ValueOrEnd | Expect::CommaOrEnd) =>
            {
                open.pop();
            }
            b',' if expect == Expect::CommaOrEnd && !open.is_empty() => {
                expect = if in_object { Expect::Key } else { Expect::Value };
                continue;
            }
            b':' if expect == Expect::Colon => {
                expect = Expect::Value;
                continue;
            }
            b'"' => {
                let is_key = matches!(expect, Expect::Key | Expect::KeyOrEnd);
                if !is_key && !matches!(expect, Expect::Value | Expect::ValueOrEnd) {
                    return Err(Fault::Syntax);
                }
                at = string_end(bytes, start).ok_or(Fault::Syntax)?;
                let raw = json.get(start + 1..at - 1).ok_or(Fault::Syntax)?;
                let text = unescape(raw).ok_or(Fault::Syntax)?;
                let kind = if is_key { Kind::Key } else { Kind::Text };
                let masked = leaf(kind, &text, key_of(&open));
                replace(json, start..at, masked, &mut out, &mut copied);
                if is_key {
                    if let Some(key) = open.last_mut() {
                        *key = Some(text.into_owned());
                    }
                    expect = Expect::Colon;
                    continue;
                }
            }
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n'
                if matches!(expect, Expect::Value | Expect::ValueOrEnd) =>
            {
                while bytes
                    .get(at)
                    .is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
                {
                    at += 1;
                }
                let word = json.get(start..at).ok_or(Fault::Syntax)?;
                let kind = match word {
                    "true" | "false" | "null" => Kind::Word,
                    _ if is_number(word) => Kind::Number,
                    _ => return Err(Fault::Syntax),
                };
                replace(json, start..at, leaf(kind, word, key_of(&open)), &mut out, &mut copied);
            }
            _ => return Err(Fault::Syntax),
        }
        // A value has ended.
        expect = Expect::CommaOrEnd;
        done = open.is_empty();
    }
    if !done {
        return Err(Fault::Syntax);
    }
    if copied == 0 {
        return Ok(None);
    }
    out.push_str(json.get(copied..).unwrap_or(""));
    Ok(Some(out))
}

/// The key under which the present value stands: of the nearest object.
fn key_of(open: &[Option<String>]) -> Option<&str> {
    open.iter().rev().find_map(|key| key.as_deref()).filter(|key| !key.is_empty())
}

fn replace(json: &str, span: Range<usize>, masked: Option<Masked>, out: &mut String, copied: &mut usize) {
    if let Some(masked) = masked {
        out.push_str(json.get(*copied..span.start).unwrap_or(""));
        out.push_str(&write(&masked));
        *copied = span.end;
    }
}

/// A masked leaf as JSON.
fn write(masked: &Masked) -> String {
    match masked {
        Masked::Text(text) => serde_json::Value::from(text.as_str()).to_string(),
        Masked::Null => "null".to_owned(),
    }
}

/// The place after the closing quote of the string whose opening quote stands at `start`.
fn string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            0..=0x1f => return None,
            _ => at += 1,
        }
    }
}

fn unescape(raw: &str) -> Option<Cow<'_, str>> {
    if !raw.contains('\\') {
        return Some(Cow::Borrowed(raw));
    }
    // serde_json knows surrogates and refuses half ones. PostgreSQL's json type keeps a lone one, so what
    // is refused here is looked at as it stands rather than dropped.
    match serde_json::from_str::<String>(&format!("\"{raw}\"")) {
        Ok(text) => Some(Cow::Owned(text)),
        Err(_) => Some(Cow::Borrowed(raw)),
    }
}

fn is_number(word: &str) -> bool {
    word.bytes().any(|byte| byte.is_ascii_digit())
        && word.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn masked(json: &str) -> Option<String> {
        mask_json(json, &FieldContext::default())
    }

    #[test]
    fn only_leaves_with_findings_change() {
        assert_eq!(
            masked(r#"{"b": 1.50, "a": {"to": ["x", "a\u0040b.com"]}, "b": 1e400}"#).as_deref(),
            Some(r#"{"b": 1.50, "a": {"to": ["x", "‹EMAIL_ADDRESS›"]}, "b": 1e400}"#)
        );
        assert_eq!(masked(r#"{"a": "b:c", "d": [1, null, true]}"#), None);
        assert_eq!(masked(r#"{"a@b.com": 1}"#).as_deref(), Some(r#"{"‹EMAIL_ADDRESS›": 1}"#));
        assert_eq!(masked(r#""a@b.com""#).as_deref(), Some(r#""‹EMAIL_ADDRESS›""#));
    }

    #[test]
    fn the_nearest_key_gives_context() {
        assert_eq!(
            masked(r#"{"phones": ["5550132477"], "orders": ["5550132477"]}"#).as_deref(),
            Some(r#"{"phones": ["‹PHONE_NUMBER›"], "orders": ["5550132477"]}"#)
        );
    }

    #[test]
    fn numbers_that_are_findings_become_null() {
        assert_eq!(masked(r#"{"card": 4111111111111111}"#).as_deref(), Some(r#"{"card": null}"#));
    }

    #[test]
    fn what_is_not_json_is_text() {
        assert_eq!(masked("{a@b.com").as_deref(), Some("{‹EMAIL_ADDRESS›"));
        assert_eq!(masked(r#"{"a":1} a@b.com"#).as_deref(), Some(r#"{"a":1} ‹EMAIL_ADDRESS›"#));
    }

    #[test]
    fn every_leaf_of_a_labelled_document_is_masked() {
        let leaves = |json: &str| mask_json_leaves(json, |_| Masked::Text("‹l›".to_owned()));
        assert_eq!(
            leaves(r#"{"a": ["x", 1, true, null], "b": {"c": ""}}"#),
            r#"{"a": ["‹l›", null, null, null], "b": {"c": "‹l›"}}"#
        );
        assert_eq!(leaves("17"), "null");
        assert_eq!(leaves("not json"), "\"‹l›\"");
        assert_eq!(leaves("{}"), "{}");
    }

    #[test]
    fn a_document_deeper_than_we_read_is_withheld() {
        let deep = format!("{}\"a@b.com\"{}", "[".repeat(600), "]".repeat(600));
        assert_eq!(masked(&deep).as_deref(), Some("\"‹WITHHELD›\""));
        assert_eq!(mask_json_leaves(&deep, |_| Masked::Text("‹l›".to_owned())), "\"‹l›\"");
    }

    proptest! {
        #[test]
        fn labelled_documents_stay_documents_and_keep_no_leaf(leaf in "[a-z]{5,9}", key in "[a-z]{1,4}", number in 10_000_000u32..) {
            let json = serde_json::json!({ &key: [leaf, { "n": number, "t": true }] }).to_string();
            let masked = mask_json_leaves(&json, |_| Masked::Text("‹l›".to_owned()));
            prop_assert!(serde_json::from_str::<serde_json::Value>(&masked).is_ok());
            prop_assert!(!masked.contains(&leaf) && !masked.contains(&number.to_string()));
        }

        #[test]
        fn any_text_is_walked_without_fault(text in "[\\[\\]{}\",:\\\\a-z0-9@. u-]{0,60}") {
            let walked = mask_json(&text, &FieldContext::default());
            if let (Ok(_), Some(walked)) = (serde_json::from_str::<serde_json::Value>(&text), walked) {
                prop_assert!(serde_json::from_str::<serde_json::Value>(&walked).is_ok(), "{walked}");
            }
            prop_assert!(!mask_json_leaves(&text, |_| Masked::Null).is_empty());
        }
    }
}
