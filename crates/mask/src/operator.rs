//! What stands in the place of a labelled value.
//!
//! An operator sees one value as text and gives [`Masked`]: text in its place, or NULL. None of them
//! can fail, and none of them lets the whole value through.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sallyport_core::Secret;
use sha2::Sha256;

/// How many characters `partial` keeps, and how many a value must have so that they say little.
const KEPT: usize = 4;
const LEAST_FOR_PARTIAL: usize = 8;

/// How a labelled value is masked.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Operator {
    /// `‹label›`. The default.
    #[default]
    Redact,
    /// `‹label …1234›`: the last four characters stay, of values with at least eight.
    Partial,
    /// NULL.
    Null,
    /// `‹label 0123456789abcdef›`: the start of HMAC-SHA-256 of the value, so that equal values stay
    /// equal. Without a key (see [`Labels::with_hash_key`](crate::Labels::with_hash_key)) it redacts.
    Hash,
    /// A fixed text.
    Constant(String),
}

/// What takes the place of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Masked {
    /// This text.
    Text(String),
    /// NULL.
    Null,
}

/// The mark of a masked value: `‹pii.email›`.
#[must_use]
pub fn placeholder(what: &str) -> String {
    format!("‹{what}›")
}

impl Operator {
    /// What takes the place of `value`, which carries `label`.
    #[must_use]
    pub fn apply(&self, label: &str, value: &str, key: Option<&Secret<Vec<u8>>>) -> Masked {
        match self {
            Self::Redact => Masked::Text(placeholder(label)),
            Self::Null => Masked::Null,
            Self::Constant(text) => Masked::Text(text.clone()),
            Self::Partial => {
                let count = value.chars().count();
                if count < LEAST_FOR_PARTIAL {
                    return Masked::Text(placeholder(label));
                }
                let kept: String = value.chars().skip(count.saturating_sub(KEPT)).collect();
                Masked::Text(format!("‹{label} …{kept}›"))
            }
            Self::Hash => Masked::Text(match key.and_then(|key| digest(key, value)) {
                Some(digest) => format!("‹{label} {digest}›"),
                None => placeholder(label),
            }),
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Redact => "redact",
            Self::Partial => "partial",
            Self::Null => "null",
            Self::Hash => "hash",
            Self::Constant(_) => "constant",
        })
    }
}

fn digest(key: &Secret<Vec<u8>>, value: &str) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose()).ok()?;
    mac.update(value.as_bytes());
    let bytes = mac.finalize().into_bytes();
    Some(bytes.iter().take(8).fold(String::with_capacity(16), |mut hex, byte| {
        hex.push_str(&format!("{byte:02x}"));
        hex
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(operator: &Operator, value: &str, key: Option<&Secret<Vec<u8>>>) -> String {
        match operator.apply("pii.card", value, key) {
            Masked::Text(text) => text,
            Masked::Null => "NULL".to_owned(),
        }
    }

    #[test]
    fn each_operator_has_its_form() {
        assert_eq!(text(&Operator::Redact, "4111111111111111", None), "‹pii.card›");
        assert_eq!(text(&Operator::Partial, "4111111111111234", None), "‹pii.card …1234›");
        assert_eq!(text(&Operator::Null, "x", None), "NULL");
        assert_eq!(text(&Operator::Constant("n/a".into()), "x", None), "n/a");
    }

    #[test]
    fn partial_of_a_short_value_keeps_nothing() {
        assert_eq!(text(&Operator::Partial, "1234", None), "‹pii.card›");
        assert_eq!(text(&Operator::Partial, "1234567", None), "‹pii.card›");
    }

    #[test]
    fn hash_without_a_key_redacts_and_with_one_depends_on_it() {
        let (one, two) = (Secret::new(b"one".to_vec()), Secret::new(b"two".to_vec()));
        assert_eq!(text(&Operator::Hash, "alice", None), "‹pii.card›");
        let first = text(&Operator::Hash, "alice", Some(&one));
        assert_eq!(first, text(&Operator::Hash, "alice", Some(&one)));
        assert_ne!(first, text(&Operator::Hash, "bob", Some(&one)));
        assert_ne!(first, text(&Operator::Hash, "alice", Some(&two)));
        assert!(!first.contains("alice"));
    }
}
