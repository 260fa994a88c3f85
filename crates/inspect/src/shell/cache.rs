//! Facts kept by text and shell, so that a repeated text costs a look-up.

use std::sync::Arc;

use sallyport_core::Facts;

use super::inspection::{Flavour, inspect};
use crate::memory::Memory;

/// A bounded cache of facts. A text is read by itself, so it may be shared by all sessions.
#[derive(Debug)]
pub struct Cache(Memory<(Vec<u8>, Flavour), Facts>);

impl Cache {
    /// A cache of at most so many entries, and about so many bytes.
    #[must_use]
    pub fn new(entries: usize, bytes: usize) -> Self {
        Self(Memory::new(entries, bytes))
    }

    /// As [`inspect`], from the cache when the same text was read for the same shell.
    #[must_use]
    pub fn inspect(&self, text: &[u8], flavour: Flavour) -> Arc<Facts> {
        let key = (text.to_vec(), flavour);
        if let Some(known) = self.0.get(&key) {
            return known;
        }
        let facts = Arc::new(inspect(text, flavour));
        // Each action may hold the words of its command again.
        let words = |action: &sallyport_core::Action| action.argv.iter().map(String::len).sum::<usize>();
        let bytes = text.len() * 2 + 512 + facts.actions.iter().map(|it| 320 + words(it)).sum::<usize>();
        self.0.put(key, Arc::clone(&facts), bytes);
        facts
    }

    /// How many texts are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shell_is_part_of_the_key_and_bounds_hold() {
        let cache = Cache::new(8, 1 << 20);
        let text = b"[[ a == b ]] && ls";
        let bash = cache.inspect(text, Flavour::Bash);
        assert!(Arc::ptr_eq(&bash, &cache.inspect(text, Flavour::Bash)));
        assert_ne!(bash.unknown, cache.inspect(text, Flavour::Posix).unknown);
        for number in 0..50 {
            drop(cache.inspect(format!("echo {number}").as_bytes(), Flavour::Bash));
        }
        assert_eq!(cache.len(), 8);
        let small = Cache::new(100, 4096);
        drop(small.inspect(format!("echo {}", "x".repeat(8000)).as_bytes(), Flavour::Bash));
        assert!(small.is_empty());
    }
}
