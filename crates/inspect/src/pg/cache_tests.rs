//! The cache of inspections: what shares an entry, what never does, and its bounds.

use super::*;
use crate::pg::{Catalog, Remembered};

fn context<'a>(path: &'a [String], remembered: &'a Remembered) -> Context<'a> {
    Context {
        search_path: path,
        standard_conforming_strings: true,
        client_encoding: "UTF8",
        catalog: None,
        remembered,
    }
}

#[test]
fn the_same_text_in_the_same_state_is_read_once() {
    let (path, remembered) = (vec!["public".to_owned()], Remembered::default());
    let cache = Cache::new(8, 1 << 20);
    let first = cache.inspect(b"SELECT 1", &context(&path, &remembered));
    let second = cache.inspect(b"SELECT 1", &context(&path, &remembered));
    assert!(Arc::ptr_eq(&first, &second));
}

#[test]
fn another_search_path_or_catalog_is_another_entry() {
    let remembered = Remembered::default();
    let (public, other) = (vec!["public".to_owned()], vec!["other".to_owned()]);
    let cache = Cache::new(8, 1 << 20);
    let first = cache.inspect(b"SELECT * FROM t", &context(&public, &remembered));
    let second = cache.inspect(b"SELECT * FROM t", &context(&other, &remembered));
    assert_ne!(first.facts, second.facts);
    let catalog = Catalog::new(vec![], vec![], vec![], 7);
    let with = Context { catalog: Some(&catalog), ..context(&public, &remembered) };
    assert!(!Arc::ptr_eq(&first, &cache.inspect(b"SELECT * FROM t", &with)));
    let strings = Context { standard_conforming_strings: false, ..context(&public, &remembered) };
    assert!(!Arc::ptr_eq(&first, &cache.inspect(b"SELECT * FROM t", &strings)));
}

#[test]
fn what_a_session_remembers_is_never_shared() {
    let (path, remembered) = (vec!["public".to_owned()], Remembered::default());
    let cache = Cache::new(8, 1 << 20);
    assert_eq!(cache.inspect(b"EXECUTE q", &context(&path, &remembered)).facts.statements, 1);
    assert_eq!(cache.inspect(b"FETCH 1 FROM c", &context(&path, &remembered)).facts.statements, 1);
    assert!(cache.is_empty());
}

#[test]
fn it_stays_within_its_entries_and_bytes() {
    let (path, remembered) = (vec!["public".to_owned()], Remembered::default());
    let cache = Cache::new(4, 1 << 20);
    for n in 0..20 {
        assert_eq!(
            cache.inspect(format!("SELECT {n}").as_bytes(), &context(&path, &remembered)).facts.statements,
            1
        );
    }
    assert_eq!(cache.len(), 4);
    let small = Cache::new(100, 3000);
    for n in 0..20 {
        assert_eq!(
            small.inspect(format!("SELECT {n}").as_bytes(), &context(&path, &remembered)).facts.statements,
            1
        );
    }
    assert!(small.len() <= 4);
}
