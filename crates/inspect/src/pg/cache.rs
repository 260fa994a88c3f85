//! Inspections kept by everything that decides them, so that a repeated text costs a look-up.
//!
//! An inspection that looked up a prepared statement or cursor of its session is never kept. The oldest
//! in use goes first when the cache is full, by count or by bytes.

use std::sync::Arc;

use super::inspection::read;
use super::statement::{Context, Given, Inspection};
use crate::memory::Memory;

/// Everything that decides an inspection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    text: Vec<u8>,
    search_path: Vec<String>,
    standard_conforming_strings: bool,
    client_encoding: String,
    /// `None` without a catalog.
    catalog: Option<u64>,
}

impl Key {
    fn bytes(&self) -> usize {
        self.text.len() + self.search_path.iter().map(String::len).sum::<usize>()
    }
}

/// A bounded cache of inspections, shared by the sessions of one database of one target.
#[derive(Debug)]
pub struct Cache(Memory<Key, Inspection>);

impl Cache {
    /// A cache of at most so many entries, and about so many bytes.
    #[must_use]
    pub fn new(entries: usize, bytes: usize) -> Self {
        Self(Memory::new(entries, bytes))
    }

    /// As [`inspect`](super::inspect), from the cache when the same text was read in the same state.
    #[must_use]
    pub fn inspect(&self, text: &[u8], context: &Context<'_>) -> Arc<Inspection> {
        let key = Key {
            text: text.to_vec(),
            search_path: context.search_path.to_vec(),
            standard_conforming_strings: context.standard_conforming_strings,
            client_encoding: context.client_encoding.to_owned(),
            catalog: context.catalog.map(|catalog| catalog.version),
        };
        if let Some(known) = self.0.get(&key) {
            return known;
        }
        let (inspection, consulted) = read(text, context, Given::default());
        let inspection = Arc::new(inspection);
        if !consulted {
            // Facts grow with the text; four times the text is a fair measure of both.
            let bytes = key.bytes() * 4 + 512 + inspection.facts.actions.len() * 256;
            self.0.put(key, Arc::clone(&inspection), bytes);
        }
        inspection
    }

    /// How many inspections are kept.
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
#[path = "cache_tests.rs"]
mod tests;
