//! Keyed permutations: of the numbers below a size, and of words whose places have each their own alphabet.
//!
//! A Feistel network of ten rounds with HMAC-SHA-256 as its round function (the construction of NIST SP
//! 800-38G's FF1, over a mixed radix). Being a permutation, it gives two values never the same pseudonym.
//! Sets below 2^64 are numbered, walked over two nearly equal halves, and walked again when the result lies
//! outside; of larger ones each half of the places is moved by what the other half says.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const ROUNDS: u8 = 10;

/// Walks before it is given up; each has a chance of three in four at the least.
const MOST_WALKS: u32 = 256;

/// One place of a word: which letter of its alphabet stands there, and how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) letter: u32,
    pub(super) letters: u32,
}

/// The permutations under one key and scope.
pub(super) struct Permutation {
    start: Hmac<Sha256>,
}

impl Permutation {
    /// Nothing without a usable key.
    pub(super) fn new(key: &[u8], scope: &str) -> Option<Self> {
        let mut derive = Hmac::<Sha256>::new_from_slice(key).ok()?;
        derive.update(b"sallyport pseudonym 1\0");
        derive.update(scope.as_bytes());
        Some(Self { start: Hmac::new_from_slice(&derive.finalize().into_bytes()).ok()? })
    }

    /// Where `value` goes among the numbers below `size`; `tweak` tells sets of the same size apart.
    pub(super) fn number(&self, tweak: &[u8], value: u64, size: u64) -> Option<u64> {
        if size < 2 || value >= size {
            return None;
        }
        let rows = size.isqrt().checked_add(1)?;
        let columns = size.div_ceil(rows);
        let mut value = value;
        for _ in 0..MOST_WALKS {
            let (mut row, mut column) = (value / columns, value % columns);
            for round in 0..ROUNDS {
                if round % 2 == 0 {
                    row = shifted(row, self.word(tweak, round, column), rows)?;
                } else {
                    column = shifted(column, self.word(tweak, round, row), columns)?;
                }
            }
            value = row.checked_mul(columns)?.checked_add(column)?;
            if value < size {
                return Some(value);
            }
        }
        None
    }

    /// Moves every place within its alphabet.
    pub(super) fn places(&self, tweak: &[u8], places: &mut [Place]) -> Option<()> {
        let size = places.iter().try_fold(1_u64, |size, place| size.checked_mul(u64::from(place.letters)));
        if let Some(size) = size {
            let number = places
                .iter()
                .fold(0_u64, |number, place| number * u64::from(place.letters) + u64::from(place.letter));
            let mut moved = self.number(tweak, number, size)?;
            for place in places.iter_mut().rev() {
                let letters = u64::from(place.letters);
                place.letter = u32::try_from(moved % letters).ok()?;
                moved /= letters;
            }
            return Some(());
        }
        let (left, right) = places.split_at_mut(places.len() / 2);
        for round in 0..ROUNDS {
            let (moved, says) = if round % 2 == 0 { (&mut *left, &*right) } else { (&mut *right, &*left) };
            let mut stream = Stream::new(self, tweak, round, says);
            for place in moved {
                let by = u64::from(stream.next_word()) % u64::from(place.letters);
                let letter = (u64::from(place.letter) + by) % u64::from(place.letters);
                place.letter = u32::try_from(letter).ok()?;
            }
        }
        Some(())
    }

    /// What a round makes of the other half.
    fn word(&self, tweak: &[u8], round: u8, half: u64) -> u64 {
        let mut mac = self.start.clone();
        mac.update(&[b'n', round]);
        mac.update(&half.to_be_bytes());
        mac.update(tweak);
        let bytes = mac.finalize().into_bytes();
        bytes.iter().take(8).fold(0, |word, byte| word << 8 | u64::from(*byte))
    }
}

/// `place` moved by `by` among `count`.
fn shifted(place: u64, by: u64, count: u64) -> Option<u64> {
    u64::try_from((u128::from(place) + u128::from(by)) % u128::from(count)).ok()
}

/// As many words as a half has places.
struct Stream {
    begun: Hmac<Sha256>,
    block: [u8; 32],
    counter: u32,
    at: usize,
}

impl Stream {
    fn new(permutation: &Permutation, tweak: &[u8], round: u8, says: &[Place]) -> Self {
        let mut begun = permutation.start.clone();
        begun.update(&[b'p', round]);
        begun.update(&u64::try_from(tweak.len()).unwrap_or(u64::MAX).to_be_bytes());
        begun.update(tweak);
        for place in says {
            begun.update(&place.letter.to_be_bytes());
        }
        Self { begun, block: [0; 32], counter: 0, at: 32 }
    }

    fn next_word(&mut self) -> u32 {
        if self.at >= self.block.len() {
            let mut mac = self.begun.clone();
            mac.update(&self.counter.to_be_bytes());
            self.block = mac.finalize().into_bytes().into();
            self.counter += 1;
            self.at = 0;
        }
        let word = self.block.iter().skip(self.at).take(4).fold(0, |word, byte| word << 8 | u32::from(*byte));
        self.at += 4;
        word
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn under(key: &[u8]) -> Permutation {
        Permutation::new(key, "pii.email").unwrap()
    }

    #[test]
    fn every_number_has_its_own_place_whatever_the_size() {
        for size in [2_u64, 3, 7, 10, 90, 101, 1000] {
            let permutation = under(b"key");
            let places: BTreeSet<u64> =
                (0..size).map(|value| permutation.number(b"t", value, size).unwrap()).collect();
            assert_eq!(places, (0..size).collect(), "{size}");
        }
        assert_eq!(under(b"key").number(b"t", 0, 1), None, "a set of one hides nothing");
        assert_eq!(under(b"key").number(b"t", 10, 10), None);
    }

    #[test]
    fn key_scope_and_tweak_each_change_it() {
        let all = |permutation: &Permutation, tweak: &[u8]| {
            (0..50).map(|value| permutation.number(tweak, value, 1000).unwrap()).collect::<Vec<_>>()
        };
        let first = all(&under(b"key"), b"t");
        assert_eq!(first, all(&under(b"key"), b"t"));
        assert_ne!(first, all(&under(b"other"), b"t"));
        assert_ne!(first, all(&under(b"key"), b"u"));
        assert_ne!(first, all(&Permutation::new(b"key", "pii.card").unwrap(), b"t"));
    }

    proptest! {
        #[test]
        fn words_stay_in_their_alphabets_and_apart(one in proptest::collection::vec(0_u32..26, 1..60), at in 0_usize..60) {
            let place = |letter: &u32| Place { letter: *letter, letters: 26 };
            let moved = |word: &[u32]| {
                let mut places: Vec<Place> = word.iter().map(place).collect();
                under(b"key").places(b"t", &mut places).unwrap();
                places
            };
            let mut other = one.clone();
            let at = at % other.len();
            other[at] = (other[at] + 1) % 26;
            prop_assert!(moved(&one).iter().all(|place| place.letter < 26));
            prop_assert_ne!(moved(&one), moved(&other));
        }
    }
}
