//! Inspections kept by everything that decides them, so that a repeated text costs a look-up.
//!
//! Facts of a text depend on the text and the context alone: what a session prepared before is not looked
//! up. The oldest in use goes first when the cache is full, by count or by bytes.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use super::context::{Context, Flavour, SqlMode};
use super::inspection::{Inspection, inspect};

/// Everything that decides an inspection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    text: Vec<u8>,
    flavour: Flavour,
    sql_mode: Option<SqlMode>,
    character_set: String,
    database: Option<String>,
    lower_case_table_names: u8,
}

impl Key {
    fn bytes(&self) -> usize {
        self.text.len() + self.character_set.len() + self.database.as_ref().map_or(0, String::len)
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

/// A bounded cache of inspections, shared by the sessions of one target.
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

    /// As [`inspect`], from the cache when the same text was read in the same state.
    #[must_use]
    pub fn inspect(&self, text: &[u8], context: &Context<'_>) -> Arc<Inspection> {
        let Context { flavour, sql_mode, character_set, database, lower_case_table_names } = *context;
        let key = Key {
            text: text.to_vec(),
            flavour,
            sql_mode,
            character_set: character_set.to_owned(),
            database: database.map(str::to_owned),
            lower_case_table_names,
        };
        if let Some(known) = self.get(&key) {
            return known;
        }
        let inspection = Arc::new(inspect(text, context));
        self.put(key, Arc::clone(&inspection));
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
        let statements = inspection.statements.len() * std::mem::size_of::<super::Statement>();
        let bytes = key.bytes() * 4 + 512 + inspection.facts.actions.len() * 256 + statements;
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
mod tests {
    use super::*;

    fn context(database: &str) -> Context<'_> {
        Context {
            flavour: Flavour::Either,
            sql_mode: Some(SqlMode::DEFAULT),
            character_set: "utf8mb4",
            database: Some(database),
            lower_case_table_names: 0,
        }
    }

    #[test]
    fn what_decides_the_reading_is_part_of_the_key() {
        let cache = Cache::new(16, 1 << 20);
        let one = cache.inspect(b"SELECT * FROM users", &context("shop"));
        let other = cache.inspect(b"SELECT * FROM users", &context("hr"));
        assert_ne!(one.facts, other.facts);
        assert!(Arc::ptr_eq(&one, &cache.inspect(b"SELECT * FROM users", &context("shop"))));
        let ansi = SqlMode { ansi_quotes: true, ..SqlMode::DEFAULT };
        let quoted = b"SELECT \"a\" FROM t";
        let plain = cache.inspect(quoted, &context("shop"));
        let identifiers = cache.inspect(quoted, &Context { sql_mode: Some(ansi), ..context("shop") });
        assert_ne!(plain.facts, identifiers.facts);
        assert_eq!(cache.len(), 4);
    }

    #[test]
    fn it_stays_within_its_bounds() {
        let cache = Cache::new(8, 1 << 20);
        for number in 0..100 {
            drop(cache.inspect(format!("SELECT {number}").as_bytes(), &context("shop")));
        }
        assert_eq!(cache.len(), 8);
        let small = Cache::new(1000, 8 * 1024);
        for number in 0..100 {
            drop(small.inspect(format!("SELECT {number}").as_bytes(), &context("shop")));
        }
        assert!(small.len() < 16 && !small.is_empty());
        drop(small.inspect(format!("SELECT '{}'", "x".repeat(9000)).as_bytes(), &context("shop")));
        assert!(small.len() < 16);
    }
}
