//! Identifiers: short, sortable where it helps, safe to paste anywhere.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// Crockford's base 32: no I, L, O or U, so that an id can be read aloud.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

fn base32(bytes: &[u8], chars: usize) -> String {
    let mut text = String::with_capacity(chars);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for byte in bytes {
        bits = (bits << 8) | u32::from(*byte);
        held += 8;
        while held >= 5 && text.len() < chars {
            held -= 5;
            let index = usize::try_from((bits >> held) & 31).unwrap_or(0);
            text.push(char::from(ALPHABET.get(index).copied().unwrap_or(b'0')));
        }
        bits &= (1 << held) - 1;
    }
    text
}

fn is_plain(text: &str, max: usize) -> bool {
    !text.is_empty()
        && text.len() <= max
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $max:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes text that came from outside; nothing unless it is letters, digits, `-` and `_`.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                is_plain(text, $max).then(|| Self(text.to_owned()))
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id!(
    /// One session. Starts with the time, so that ids sort as sessions began. Not a credential.
    SessionId, 64
);
text_id!(
    /// One request for approval: eight characters that a person can read to another (`7F3K-Q2WM`).
    RequestId, 64
);
text_id!(
    /// The public half of a Sallyport token.
    TokenId, 64
);

impl SessionId {
    /// Makes an id from the time and ten random bytes (the layout of a ULID).
    #[must_use]
    pub fn new(now: Timestamp, random: [u8; 10]) -> Self {
        let millis = now.micros().div_euclid(1000).to_be_bytes();
        let mut bytes = [0_u8; 16];
        for (slot, byte) in bytes.iter_mut().zip(millis.iter().skip(2).chain(random.iter())) {
            *slot = *byte;
        }
        Self(base32(&bytes, 26))
    }
}

impl RequestId {
    /// Makes an id from five random bytes.
    #[must_use]
    pub fn new(random: [u8; 5]) -> Self {
        let mut text = base32(&random, 8);
        text.insert(4, '-');
        Self(text)
    }
}

impl TokenId {
    /// Makes an id from ten random bytes.
    #[must_use]
    pub fn new(random: [u8; 10]) -> Self {
        Self(base32(&random, 16).to_ascii_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_ids_sort_by_time() {
        let early = SessionId::new(Timestamp::from_micros(1_000_000), [255; 10]);
        let late = SessionId::new(Timestamp::from_micros(2_000_000), [0; 10]);
        assert!(early < late, "{early} {late}");
        assert_eq!(early.as_str().len(), 25, "128 bits are 25 whole characters");
    }

    #[test]
    fn ids_from_outside_are_plain() {
        assert!(RequestId::parse("7F3K-Q2WM").is_some());
        assert!(RequestId::parse("../../etc").is_none());
        assert!(SessionId::parse("").is_none());
    }

    #[test]
    fn request_ids_read_well() {
        assert_eq!(RequestId::new([0, 0, 0, 0, 1]).as_str(), "0000-0001");
    }
}
