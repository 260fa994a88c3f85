//! Inspections kept by everything that decides them, so that a repeated text costs a look-up; one that differs
//! from another in numbers that decide nothing ([`Shape`]) too.
//!
//! An inspection that looked up a prepared statement or cursor of its session is never kept. The oldest
//! in use goes first when the cache is full, by count or by bytes.

use std::sync::Arc;

use super::inspection::read;
use super::shape::Shape;
use super::statement::{Context, Given, Inspection};
use crate::memory::Memory;

/// Everything that decides an inspection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    /// As it is, or a shape's.
    text: Vec<u8>,
    is_shape: bool,
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
        let shape = Shape::of(text);
        let key = |text: &[u8], is_shape| Key {
            text: text.to_vec(),
            is_shape,
            search_path: context.search_path.to_vec(),
            standard_conforming_strings: context.standard_conforming_strings,
            client_encoding: context.client_encoding.to_owned(),
            catalog: context.catalog.map(|catalog| catalog.version),
        };
        let of_shape = shape.as_ref().map(|shape| key(&shape.text, true));
        if let Some(known) = of_shape.as_ref().and_then(|key| self.0.get(key)) {
            return known;
        }
        let exact = key(text, false);
        if let Some(known) = self.0.get(&exact) {
            return known;
        }
        let read = read(text, context, Given::default(), shape.as_ref());
        let inspection = Arc::new(read.inspection);
        if !read.consulted {
            let key = of_shape.filter(|_| read.of_shape).unwrap_or(exact);
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
