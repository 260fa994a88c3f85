//! What stands in the place of a labelled value.
//!
//! An operator sees one value, as text and with its type, and gives [`Masked`]: text in its place that is of
//! the type, or NULL. None of them can fail, and none of them lets the whole value through: where one cannot
//! act on a type, the next of a list may, and after the last a text is redacted and anything else NULL.

mod calendar;
mod generalise;
mod permutation;
mod pseudonym;

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sallyport_core::Secret;
use sha2::Sha256;

pub use self::calendar::Moment;
pub use self::generalise::Coarseness;
use self::permutation::Permutation;

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
    /// A fixed text; also of another type, where it reads as one.
    Constant(String),
    /// A value of the same form, the same for the same value within a scope. Needs the key too.
    Pseudonym {
        /// What labels share it; the label itself where none is named.
        scope: Option<String>,
    },
    /// Less of the value.
    Generalise(Coarseness),
    /// The first that can act on the value's type.
    FirstOf(Vec<Self>),
}

/// What takes the place of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Masked {
    /// This text.
    Text(String),
    /// NULL.
    Null,
}

/// What a value's place can hold, as far as operators tell types apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueType {
    /// Any text.
    Text,
    /// Whole numbers of so many bits.
    Integer {
        /// 16, 32 or 64.
        bits: u8,
    },
    /// Decimal numbers of any length.
    Numeric,
    /// Binary floating point.
    Float,
    /// Days.
    Date,
    /// Moments, with or without a zone.
    Timestamp,
    /// UUIDs.
    Uuid,
    /// Hosts, perhaps with the length of their network.
    Inet,
    /// Networks.
    Cidr,
    /// Truth values.
    Bool,
    /// Anything else.
    Other,
}

/// The mark of a masked value: `‹pii.email›`.
#[must_use]
pub fn placeholder(what: &str) -> String {
    format!("‹{what}›")
}

impl Operator {
    /// What takes the place of the text `value`, which carries `label`.
    #[must_use]
    pub fn apply(&self, label: &str, value: &str, key: Option<&Secret<Vec<u8>>>) -> Masked {
        self.apply_to(ValueType::Text, label, value, key)
    }

    /// What takes the place of `value`, which is of that type, in the form that PostgreSQL writes it.
    #[must_use]
    pub fn apply_to(&self, of: ValueType, label: &str, value: &str, key: Option<&Secret<Vec<u8>>>) -> Masked {
        self.attempt(of, label, value, key).unwrap_or_else(|| match of {
            ValueType::Text => Masked::Text(placeholder(label)),
            _ => Masked::Null,
        })
    }

    /// Nothing where the operator cannot keep the type.
    fn attempt(
        &self,
        of: ValueType,
        label: &str,
        value: &str,
        key: Option<&Secret<Vec<u8>>>,
    ) -> Option<Masked> {
        let text = match self {
            Self::Null => return Some(Masked::Null),
            Self::FirstOf(operators) => {
                return operators.iter().find_map(|operator| operator.attempt(of, label, value, key));
            }
            Self::Constant(constant) => reads_as(of, constant).then(|| constant.clone())?,
            Self::Pseudonym { scope } => {
                let permutation = Permutation::new(key?.expose(), scope.as_deref().unwrap_or(label))?;
                pseudonym::pseudonym(&permutation, of, value).filter(|masked| reads_as(of, masked))?
            }
            Self::Generalise(to) => {
                generalise::generalise(*to, of, value).filter(|masked| reads_as(of, masked))?
            }
            Self::Redact | Self::Partial | Self::Hash if of != ValueType::Text => return None,
            Self::Redact => placeholder(label),
            Self::Partial => {
                let count = value.chars().count();
                if count < LEAST_FOR_PARTIAL {
                    placeholder(label)
                } else {
                    let kept: String = value.chars().skip(count.saturating_sub(KEPT)).collect();
                    format!("‹{label} …{kept}›")
                }
            }
            Self::Hash => match key.and_then(|key| digest(key, value)) {
                Some(digest) => format!("‹{label} {digest}›"),
                None => placeholder(label),
            },
        };
        Some(Masked::Text(text))
    }

    /// What stands for a value that is computed from a labelled one: nothing of the value is kept there.
    #[must_use]
    pub fn whole(&self, label: &str) -> Masked {
        match self {
            Self::Null => Masked::Null,
            Self::Constant(text) => Masked::Text(text.clone()),
            Self::FirstOf(operators) => {
                operators.first().map_or(Masked::Text(placeholder(label)), |operator| operator.whole(label))
            }
            _ => Masked::Text(placeholder(label)),
        }
    }

    /// Of several labels on a column the strictest operator decides: the one that keeps least of the value.
    /// A list is as strict as its laxest member.
    #[must_use]
    pub fn strictness(&self) -> u8 {
        match self {
            Self::Null => 6,
            Self::Redact => 5,
            Self::Constant(_) => 4,
            Self::Hash => 3,
            Self::Pseudonym { .. } => 2,
            Self::Generalise(_) => 1,
            Self::Partial => 0,
            Self::FirstOf(operators) => operators.iter().map(Self::strictness).min().unwrap_or(5),
        }
    }

    /// Whether it keeps something of each value, so that the elements of an array are worth masking one by
    /// one.
    #[must_use]
    pub fn keeps_something(&self) -> bool {
        match self {
            Self::Null | Self::Redact | Self::Constant(_) => false,
            Self::Hash | Self::Pseudonym { .. } | Self::Generalise(_) | Self::Partial => true,
            Self::FirstOf(operators) => operators.iter().any(Self::keeps_something),
        }
    }

    /// Whether it can give pseudonyms, which nothing in themselves tells from values.
    #[must_use]
    pub fn gives_pseudonyms(&self) -> bool {
        match self {
            Self::Pseudonym { .. } => true,
            Self::FirstOf(operators) => operators.iter().any(Self::gives_pseudonyms),
            _ => false,
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
            Self::Pseudonym { .. } => "pseudonym",
            Self::Generalise(_) => "generalise",
            Self::FirstOf(operators) => {
                for (at, operator) in operators.iter().enumerate() {
                    write!(f, "{}{operator}", if at > 0 { ", " } else { "" })?;
                }
                return Ok(());
            }
        })
    }
}

/// Whether a text is a value of the type.
fn reads_as(of: ValueType, text: &str) -> bool {
    match of {
        ValueType::Text => true,
        ValueType::Integer { bits: 16 } => text.parse::<i16>().is_ok(),
        ValueType::Integer { bits: 32 } => text.parse::<i32>().is_ok(),
        ValueType::Integer { .. } => text.parse::<i64>().is_ok(),
        ValueType::Numeric => {
            let digits = text.strip_prefix('-').unwrap_or(text);
            let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
            let numeric = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            numeric(whole) && numeric(fraction)
        }
        ValueType::Float => text.parse::<f64>().is_ok_and(f64::is_finite),
        ValueType::Date => calendar::Moment::read(text).is_some_and(|moment| moment.clock.is_none()),
        ValueType::Timestamp => calendar::Moment::read(text).is_some_and(|moment| moment.clock.is_some()),
        ValueType::Uuid => {
            text.len() == 36
                && text.bytes().enumerate().all(|(at, byte)| match at {
                    8 | 13 | 18 | 23 => byte == b'-',
                    _ => byte.is_ascii_hexdigit(),
                })
        }
        ValueType::Inet | ValueType::Cidr => {
            let (address, length) = text.split_once('/').unwrap_or((text, "0"));
            let most = match address.parse::<std::net::IpAddr>() {
                Ok(std::net::IpAddr::V4(_)) => 32,
                Ok(std::net::IpAddr::V6(_)) => 128,
                Err(_) => return false,
            };
            length.parse::<u8>().is_ok_and(|length| length <= most)
        }
        ValueType::Bool => matches!(text, "t" | "f"),
        ValueType::Other => false,
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
#[path = "operator_tests.rs"]
mod tests;
