//! Which pseudonyms were handed out lately, so that one that comes back is known for what it is.
//!
//! Nothing in a pseudonym tells it from a value, and the gateway keeps neither: only keyed fingerprints of 64
//! bits, in two generations of bounded size. When the younger is full the elder is forgotten. Short
//! pseudonyms are not kept: they would meet honest values.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, PoisonError};

/// Fingerprints in a generation: about 5 MB.
const GENERATION: usize = 1 << 18;

/// Letters and digits that a pseudonym has at least; with fewer it is met by chance.
const LEAST: usize = 8;

/// The pseudonyms of one gateway.
#[derive(Debug, Default)]
pub(crate) struct HandedOut {
    key: RandomState,
    generations: Mutex<Generations>,
}

#[derive(Debug, Default)]
struct Generations {
    younger: HashSet<u64>,
    elder: HashSet<u64>,
}

impl HandedOut {
    /// Notes a pseudonym.
    pub(super) fn note(&self, pseudonym: &str) {
        if !is_long_enough(pseudonym) {
            return;
        }
        let print = self.key.hash_one(pseudonym);
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        if generations.younger.len() >= GENERATION {
            generations.elder = std::mem::take(&mut generations.younger);
        }
        generations.younger.insert(print);
    }

    /// Whether none is known.
    pub(super) fn is_empty(&self) -> bool {
        let generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        generations.younger.is_empty()
    }

    /// Whether a text is one that was handed out.
    pub(super) fn holds(&self, text: &str) -> bool {
        if !is_long_enough(text) {
            return false;
        }
        let print = self.key.hash_one(text);
        let generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        generations.younger.contains(&print) || generations.elder.contains(&print)
    }
}

fn is_long_enough(text: &str) -> bool {
    text.chars().filter(|it| it.is_alphanumeric()).take(LEAST).count() == LEAST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pseudonym_is_known_again_and_a_short_one_is_not_kept() {
        let handed = HandedOut::default();
        handed.note("qwerty@zxcv.invalid");
        handed.note("1234567");
        assert!(handed.holds("qwerty@zxcv.invalid"));
        assert!(!handed.holds("1234567") && !handed.holds("qwerty@zxcv.com"));
    }

    #[test]
    fn the_oldest_are_forgotten_and_the_latest_kept() {
        let handed = HandedOut::default();
        for number in 0..(GENERATION * 5 / 2) {
            handed.note(&format!("{number:012}"));
        }
        let generations = handed.generations.lock().unwrap();
        assert!(generations.younger.len() + generations.elder.len() <= 2 * GENERATION);
        drop(generations);
        assert!(
            handed.holds(&format!("{:012}", GENERATION * 5 / 2 - 1))
                && handed.holds(&format!("{GENERATION:012}"))
        );
        assert!(!handed.holds("000000000000"));
    }
}
