//! Names that say that a value is a secret.

use std::sync::LazyLock;

use super::Topic;
use crate::context::Words;
use crate::topics::TOPICS;

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

/// The last two letters of every name, as bits of a small table: most other names are told by them.
static ENDS: LazyLock<[u32; 32]> = LazyLock::new(|| {
    let mut ends = [0; 32];
    let names = TOPICS.iter().filter(|(topic, _)| matches!(topic, Topic::Password | Topic::Secret));
    for name in names.flat_map(|(_, names)| names.iter()) {
        let [.., a, b] = name.as_bytes() else { continue };
        for (a, b) in [(*a, *b), (*b, b's')] {
            if let Some(end) = ends.get_mut(usize::from(a & 31)) {
                *end |= 1 << (b & 31);
            }
        }
    }
    ends
});

/// Whether these bytes can end a secret's name: a quick look before the long one.
pub(super) fn may_end(before: u8, last: u8) -> bool {
    if last.is_ascii_digit() || last >= 0x80 {
        return true;
    }
    let end = ENDS.get(usize::from(before & 31)).copied().unwrap_or(0);
    last.is_ascii_alphabetic() && end >> (last & 31) & 1 == 1
}
