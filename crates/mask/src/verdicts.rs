//! What detectors said of cells before, so that a value that repeats from row to row is read once or twice.
//!
//! A cell is known by a keyed hash of its text and column, never by the text: nothing of a value is kept, and nobody
//! who chooses values can choose hashes. The first time a cell is met only its hash is noted, the second time what was
//! found in it, so that values that never repeat cost a look and a note. One table for each thread, of fixed size;
//! what comes later takes the place of what was there.

use std::cell::RefCell;
use std::hash::{BuildHasher, RandomState};
use std::ops::RangeInclusive;

use crate::context::FieldContext;
use crate::detect::Finding;

/// Lengths of texts that are worth it, bytes: shorter ones are read as quickly, longer ones repeat seldom.
const LENGTHS: RangeInclusive<usize> = 8..=512;

/// Places of the table, a power of two, and the most findings that are kept of a cell.
const PLACES: usize = 1 << 14;
const MOST_FINDINGS: usize = 8;

/// The bit of a hash that says that what was found in the cell is kept.
const KEPT: u64 = 1;

/// By place: the hash of the cell that was here last, and what was found in it when it was here twice.
#[derive(Debug)]
struct Table {
    keys: [u64; 3],
    cells: Vec<u64>,
    findings: Vec<Option<Box<[Finding]>>>,
}

impl Table {
    fn new() -> Self {
        let random = RandomState::new();
        let keys = [0, 1, 2].map(|number: u8| random.hash_one(number) | 1);
        Self { keys, cells: vec![0; PLACES], findings: vec![None; PLACES] }
    }

    fn hash(&self, text: &str, context: &FieldContext<'_>) -> u64 {
        let [start, key, end] = self.keys;
        let mut hash = mix(start, key, text.as_bytes());
        // A column without a name is another one than that of no name.
        if let Some(column) = context.column {
            hash = mix(hash ^ end, key, column.as_bytes());
        }
        fold(hash ^ u64::from(context.is_cell()), end)
    }
}

/// The product in 128 bits, its halves put over each other.
#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    let bytes = product.to_le_bytes();
    let (low, high) = bytes.split_at(8);
    number(low) ^ number(high)
}

#[inline]
fn number(bytes: &[u8]) -> u64 {
    let mut eight = [0; 8];
    for (place, byte) in eight.iter_mut().zip(bytes) {
        *place = *byte;
    }
    u64::from_le_bytes(eight)
}

/// Mixes bytes into a hash, eight at a time, and their number.
#[inline]
fn mix(mut hash: u64, key: u64, bytes: &[u8]) -> u64 {
    let mut eights = bytes.chunks_exact(8);
    for eight in eights.by_ref() {
        hash = fold(hash ^ number(eight), key);
    }
    fold(hash ^ number(eights.remainder()), key ^ u64::try_from(bytes.len()).unwrap_or(0) << 1)
}

thread_local! {
    static TABLE: RefCell<Table> = RefCell::new(Table::new());
}

/// What is known of a cell.
pub(crate) enum Known {
    /// Nothing; and what is found in it is not to be kept.
    Nothing,
    /// It was here before: what is found is to be kept under this.
    Before(u64),
    /// What was found in it.
    Findings(Vec<Finding>),
}

/// What is known of the text in that place.
pub(crate) fn of(text: &str, context: &FieldContext<'_>) -> Known {
    if !LENGTHS.contains(&text.len()) {
        return Known::Nothing;
    }
    TABLE.with(|table| {
        let Ok(mut table) = table.try_borrow_mut() else { return Known::Nothing };
        let hash = table.hash(text, context) & !KEPT;
        let place = place_of(hash);
        let Some(cell) = table.cells.get_mut(place) else { return Known::Nothing };
        if *cell & !KEPT != hash {
            *cell = hash;
            return Known::Nothing;
        }
        let kept = *cell & KEPT != 0;
        match table.findings.get(place).and_then(Option::as_ref).filter(|_| kept) {
            Some(findings) => Known::Findings(findings.to_vec()),
            None => Known::Before(hash),
        }
    })
}

/// Keeps what was found in a cell that was here before.
pub(crate) fn keep(hash: u64, findings: &[Finding]) {
    if findings.len() > MOST_FINDINGS {
        return;
    }
    TABLE.with(|table| {
        let Ok(mut table) = table.try_borrow_mut() else { return };
        let Table { cells, findings: kept, .. } = &mut *table;
        let place = place_of(hash);
        if let (Some(cell), Some(kept)) = (cells.get_mut(place), kept.get_mut(place))
            && *cell == hash
        {
            *kept = Some(findings.into());
            *cell |= KEPT;
        }
    });
}

fn place_of(hash: u64) -> usize {
    usize::try_from(hash >> 1).unwrap_or(0) & (PLACES - 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::detect::detect;

    #[test]
    fn a_cell_is_kept_from_its_second_time_on() {
        let text = "a cell that nobody else here reads";
        let note = FieldContext::column("note");
        assert!(matches!(of(text, &note), Known::Nothing));
        let Known::Before(cell) = of(text, &note) else { panic!("it was here") };
        keep(cell, &[]);
        assert!(matches!(of(text, &note), Known::Findings(findings) if findings.is_empty()));
        for other in [FieldContext::column("other"), FieldContext::cell(None), FieldContext::default()] {
            assert!(matches!(of(text, &other), Known::Nothing), "another place");
        }
        assert!(matches!(of("short", &note), Known::Nothing) && matches!(of("short", &note), Known::Nothing));
    }

    proptest! {
        /// In whatever columns and order a text comes, what is found in it is what was found the first time.
        #[test]
        fn what_is_kept_is_what_is_found(
            text in "[0-9]{9,11}|(19|20)[0-9]{2}-0[1-9]-1[0-9]|[a-z]{2,8}@[a-z]{2,8}\\.com|[A-Za-z0-9]{12}",
            columns in prop::collection::vec(
                prop_oneof![Just(None), Just(Some("ssn")), Just(Some("c7")), Just(Some("dob")), Just(Some("phone"))],
                1..12,
            ),
        ) {
            let mut first = std::collections::HashMap::new();
            let mut inner = std::collections::HashMap::new();
            for column in columns {
                let found = detect(&text, &FieldContext::cell(column));
                prop_assert_eq!(&found, first.entry(column).or_insert_with(|| found.clone()));
                let under = detect(&text, &FieldContext::inner(column));
                prop_assert_eq!(&under, inner.entry(column).or_insert_with(|| under.clone()));
            }
        }
    }
}
