//! Inspections kept by everything that decides them, so that a repeated text costs a look-up.
//!
//! An inspection that looked up a prepared statement or cursor of its session is never kept. The oldest
//! in use goes first when the cache is full, by count or by bytes.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use super::inspection::read;
use super::statement::{Context, Given, Inspection};

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

#[derive(Debug)]
struct Entry {
    inspection: Arc<Inspection>,
    bytes: usize,
    used: u64,
}

#[derive(Debug, Default)]
struct Inner {
    entries: HashMap<Arc<Key>, Entry>,
    by_use: BTreeMap<u64, Arc<Key>>,
    bytes: usize,
    clock: u64,
}

/// A bounded cache of inspections, shared by the sessions of one database of one target.
#[derive(Debug)]
pub struct Cache {
    inner: Mutex<Inner>,
    entries: usize,
    bytes: usize,
}

impl Cache {
    /// A cache of at most so many entries, and about so many bytes.
    #[must_use]
    pub fn new(entries: usize, bytes: usize) -> Self {
        Self { inner: Mutex::new(Inner::default()), entries, bytes }
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
        if let Some(known) = self.get(&key) {
            return known;
        }
        let (inspection, consulted) = read(text, context, Given::default());
        let inspection = Arc::new(inspection);
        if !consulted {
            self.put(key, Arc::clone(&inspection));
        }
        inspection
    }

    /// How many inspections are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().entries.len()
    }

    /// Whether none is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    // A panic while the lock is held leaves at worst a stale order of use.
    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, key: &Key) -> Option<Arc<Inspection>> {
        let mut inner = self.lock();
        inner.clock += 1;
        let now = inner.clock;
        let (shared, _) = inner.entries.get_key_value(key)?;
        let shared = Arc::clone(shared);
        let entry = inner.entries.get_mut(key)?;
        let before = std::mem::replace(&mut entry.used, now);
        let found = Arc::clone(&entry.inspection);
        inner.by_use.remove(&before);
        inner.by_use.insert(now, shared);
        Some(found)
    }

    fn put(&self, key: Key, inspection: Arc<Inspection>) {
        // Facts grow with the text; four times the text is a fair measure of both.
        let bytes = key.bytes() * 4 + 512 + inspection.facts.actions.len() * 256;
        if bytes > self.bytes || self.entries == 0 {
            return;
        }
        let mut inner = self.lock();
        while inner.entries.len() >= self.entries || inner.bytes + bytes > self.bytes {
            let Some((_, oldest)) = inner.by_use.pop_first() else { break };
            if let Some(gone) = inner.entries.remove(&oldest) {
                inner.bytes = inner.bytes.saturating_sub(gone.bytes);
            }
        }
        inner.clock += 1;
        let used = inner.clock;
        let key = Arc::new(key);
        if let Some(before) = inner.entries.insert(Arc::clone(&key), Entry { inspection, bytes, used }) {
            inner.by_use.remove(&before.used);
            inner.bytes = inner.bytes.saturating_sub(before.bytes);
        }
        inner.by_use.insert(used, key);
        inner.bytes += bytes;
    }
}

#[cfg(test)]
#[path = "cache_tests.rs"]
mod tests;
