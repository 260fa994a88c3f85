//! Inspections kept by everything that decides them, so that a repeated text costs a look-up.
//!
//! Facts of a text depend on the text and the context alone: what a session prepared before is not looked
//! up.

use std::sync::Arc;

use super::context::{Context, Flavour, SqlMode};
use super::inspection::{Inspection, inspect};
use crate::memory::Memory;

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

/// A bounded cache of inspections, shared by the sessions of one target.
#[derive(Debug)]
pub struct Cache(Memory<Key, Inspection>);

impl Cache {
    /// A cache of at most so many entries, and about so many bytes.
    #[must_use]
    pub fn new(entries: usize, bytes: usize) -> Self {
        Self(Memory::new(entries, bytes))
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
        if let Some(known) = self.0.get(&key) {
            return known;
        }
        let inspection = Arc::new(inspect(text, context));
        // Facts grow with the text; four times the text is a fair measure of both.
        let statements = inspection.statements.len() * std::mem::size_of::<super::Statement>();
        let bytes = key.bytes() * 4 + 512 + inspection.facts.actions.len() * 256 + statements;
        self.0.put(key, Arc::clone(&inspection), bytes);
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
