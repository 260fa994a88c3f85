//! Answers already given, by everything they depend on. Bounded.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

/// How many answers are kept. When full, all are forgotten: simple, and a refill is cheap.
const CAPACITY: usize = 4096;

/// SHA-256 of all that an answer depends on, so that no two questions share an answer.
pub(crate) type Key = [u8; 32];

/// Feeds what `Hash` writes (which marks the ends of strings and lists) into SHA-256.
#[derive(Clone, Debug, Default)]
struct Feed(Sha256);

impl Hasher for Feed {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Not used: the key is the whole digest.
    fn finish(&self) -> u64 {
        0
    }
}

/// The key of a value.
pub(crate) fn key(of: &impl Hash) -> Key {
    let mut feed = Feed::default();
    of.hash(&mut feed);
    feed.0.finalize().into()
}

/// A bounded map from questions to answers.
#[derive(Debug)]
pub(crate) struct Cache<V>(Mutex<HashMap<Key, V>>);

impl<V: Clone> Cache<V> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(HashMap::new()))
    }

    pub(crate) fn get(&self, key: &Key) -> Option<V> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    pub(crate) fn put(&self, key: Key, value: V) {
        let mut map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if map.len() >= CAPACITY {
            map.clear();
        }
        map.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_is_bounded() {
        let cache = Cache::new();
        for n in 0..CAPACITY * 2 + 1 {
            cache.put(key(&n), n);
        }
        assert!(cache.0.lock().unwrap().len() <= CAPACITY);
        assert_eq!(cache.get(&key(&(CAPACITY * 2))), Some(CAPACITY * 2));
    }

    #[test]
    fn keys_do_not_run_together() {
        assert_ne!(key(&("ab", "c")), key(&("a", "bc")));
        assert_ne!(key(&vec!["a", "b"]), key(&vec!["ab"]));
    }
}
