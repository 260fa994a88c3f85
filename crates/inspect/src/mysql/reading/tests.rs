//! Reading against hand-written expectations.

use super::*;
use crate::mysql::Flavour;

fn context() -> Context<'static> {
    Context {
        flavour: Flavour::Either,
        sql_mode: Some(SqlMode::DEFAULT),
        character_set: "utf8mb4",
        database: None,
        lower_case_table_names: 0,
    }
}

#[test]
fn everyday_statements_are_read() {
    let mut failed = Vec::new();
    for text in include_str!("everyday.sql").lines().filter(|line| !line.starts_with("-- ")) {
        let reading = read(text.as_bytes(), &context());
        if reading.unknown.is_some() || reading.pieces.len() != 1 {
            failed.push(format!("{text}\n    {:?}", reading.unknown));
        }
    }
    assert!(failed.is_empty(), "{} failed:\n{}", failed.len(), failed.join("\n"));
}
