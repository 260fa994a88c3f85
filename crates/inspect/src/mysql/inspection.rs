//! The entry: bytes in, [`Inspection`] out, never a failure.

use std::ops::Range;

use sallyport_core::{Facts, Language};

use super::context::Context;
use super::facts::Reader;
use super::reading;

/// What [`inspect`] found.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// What the whole text would do.
    pub facts: Facts,
    /// Each statement that was read, in order.
    pub statements: Vec<Statement>,
}

/// One statement of the text.
#[derive(Clone, Debug)]
pub struct Statement {
    /// Where it stands in the decoded text, bytes.
    pub range: Range<usize>,
    /// What the gateway has to know of it.
    pub kind: StatementKind,
    /// What it changes about the reading of later statements, in order.
    pub effects: Vec<StateEffect>,
    /// Whether it runs code that nobody has read.
    pub unclassed_code: bool,
}

/// What the gateway has to know of a statement, beyond its facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatementKind {
    /// BEGIN, START TRANSACTION.
    Begin,
    /// COMMIT.
    Commit,
    /// ROLLBACK.
    Rollback,
    /// ROLLBACK TO SAVEPOINT.
    RollbackTo,
    /// SAVEPOINT, RELEASE.
    Savepoint,
    /// USE of a database.
    Use(String),
    /// SET, in any form.
    Set,
    /// PREPARE of a statement of that name.
    Prepare(String),
    /// EXECUTE of one.
    Execute(String),
    /// DEALLOCATE PREPARE of one.
    Deallocate(String),
    /// EXPLAIN, in any form.
    Explain,
    /// LOAD DATA LOCAL: the server will ask the client for a file.
    LocalFile,
    /// Anything else.
    Other,
}

/// What a statement changes about the reading of those after it, when it succeeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateEffect {
    /// Another database is the current one.
    Uses(String),
    /// The current database is gone.
    LeavesDatabase,
    /// `sql_mode` or the client's character set may differ afterwards.
    ReadingDirty,
    /// Definitions changed.
    CatalogDirty,
}

/// Reads what a text would do. Never fails: what cannot be read is `unknown` in the facts.
#[must_use]
pub fn inspect(bytes: &[u8], context: &Context<'_>) -> Inspection {
    let reading = reading::read(bytes, context);
    let mut reader = Reader::new(context);
    let statements: Vec<Statement> = reading
        .pieces
        .iter()
        .map(|piece| {
            let (kind, effects, unclassed_code) = reader.piece(&piece.parsed);
            Statement { range: piece.range.clone(), kind, effects, unclassed_code }
        })
        .collect();
    let found = reader.into_found();
    let facts = Facts {
        language: Language::Mysql,
        statements: statements.len(),
        actions: found.actions(),
        // A doubt about the reading puts every other one in the shade.
        unknown: reading.unknown.or(found.unknown),
    };
    Inspection { facts, statements }
}
