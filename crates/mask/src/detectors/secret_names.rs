//! Names that say that a value is a secret.

use super::Topic;
use crate::context::Words;

/// What a name says of the value under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    Password,
    Secret,
}

/// What a name says: its last words decide.
pub(super) fn read(words: &Words) -> Option<Name> {
    if words.is_empty() || words.end_with(Topic::NoSecret) {
        return None;
    }
    if words.end_with(Topic::Password) {
        return Some(Name::Password);
    }
    words.end_with(Topic::Secret).then_some(Name::Secret)
}

/// Whether a column of that name holds secrets.
pub(crate) fn is_secret_name(words: &Words) -> bool {
    read(words).is_some()
}

/// Whether a byte can end a secret's name: a quick look before the long one.
pub(super) fn may_end(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80
}
