//! The entry: bytes in, [`Inspection`] out, never a failure.

use std::collections::BTreeSet;
use std::ops::Range;

use sallyport_core::{Facts, Language, ObjectName, UnknownCode};

use crate::room;

use super::context::{Context, Flavour};
use super::facts::{Deciding, Reader};
use super::reading;

/// The longest text that is read under one server after another, bytes.
const LONGEST_COMPARED: usize = 16 * 1024;
/// The most versions of servers that are tried for one text.
const MOST_VERSIONS: usize = 8;

/// What [`inspect`] found.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// What the whole text would do.
    pub facts: Facts,
    /// Each statement that was read, in order.
    pub statements: Vec<Statement>,
    /// What decides which rows come, beside the filters of the facts.
    pub deciding: Deciding,
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
    /// What its result is made of.
    pub result: ResultColumns,
}

/// What the columns of a statement's result are made of, as far as the text says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResultColumns {
    /// The items of its select list, in order; nothing when they could not be told.
    pub items: Option<Vec<ResultItem>>,
    /// Whether any of its sources is no table or view by its name. The names that the server then gives a
    /// result's columns may be of the caller's choosing.
    pub derived: bool,
}

/// One item of a select list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResultItem {
    /// Every column of a table or view that its value may depend on; `*` stands for all of one.
    pub reads: Vec<(ObjectName, String)>,
    /// It stands for several columns: `*`, or `t.*`.
    pub star: bool,
    /// It also depends on what `reads` does not name: a column of a derived table, or code of a user's.
    pub unsettled: bool,
    /// It reads a variable, or the last number of an insert.
    pub variables: bool,
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
    /// KILL of a connection by its number, where the text gives it.
    Kill {
        /// What the connection runs is to end, not the connection itself.
        query: bool,
        /// The connection.
        connection: Option<u32>,
    },
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
    room::with(|| settled(bytes, context)).unwrap_or_else(|| Inspection {
        facts: Facts::unknown(Language::Mysql, UnknownCode::TooLarge, "no room to read it in"),
        statements: Vec::new(),
        deciding: Deciding::default(),
    })
}

fn settled(bytes: &[u8], context: &Context<'_>) -> Inspection {
    let inspection = read(bytes, context);
    let doubtful = matches!(&inspection.facts.unknown, Some(it) if it.code == UnknownCode::Ambiguous);
    if doubtful && context.flavour == Flavour::Either {
        return agreed(bytes, context).unwrap_or(inspection);
    }
    inspection
}

/// What every server does, when the text does the same under all of them: a comment that only some execute
/// may hold what means nothing to facts (`DEFAULT ENCRYPTION`).
fn agreed(bytes: &[u8], context: &Context<'_>) -> Option<Inspection> {
    let mut flavours = vec![
        Flavour::MySql(50_700),
        Flavour::MySql(99_998),
        Flavour::MariaDb(100_300),
        Flavour::MariaDb(129_999),
    ];
    // Between the versions that the text names, servers of one kind read the same.
    for version in versions(bytes)? {
        for version in [version.saturating_sub(1), version] {
            flavours.push(Flavour::MySql(version));
            flavours.push(Flavour::MariaDb(version));
        }
    }
    let mut readings = flavours.into_iter().map(|flavour| read(bytes, &Context { flavour, ..*context }));
    let first = readings.next().filter(|first| first.facts.unknown.is_none())?;
    readings.all(|other| other.facts == first.facts).then_some(first)
}

/// The versions that comments of the text may be for; nothing when there are too many to try, or the text is
/// too long to be read so often.
fn versions(bytes: &[u8]) -> Option<BTreeSet<u32>> {
    let mut versions = BTreeSet::new();
    if bytes.len() > LONGEST_COMPARED {
        return None;
    }
    for (at, _) in bytes.iter().enumerate().filter(|(_, byte)| **byte == b'!') {
        let digits = bytes.iter().skip(at + 1).take_while(|byte| byte.is_ascii_digit()).take(6);
        let digits: Vec<u32> = digits.map(|byte| u32::from(byte - b'0')).collect();
        for length in [5, 6] {
            if let Some(digits) = digits.get(..length) {
                versions.insert(digits.iter().fold(0, |value, digit| value * 10 + digit));
            }
        }
    }
    (versions.len() <= MOST_VERSIONS).then_some(versions)
}

fn read(bytes: &[u8], context: &Context<'_>) -> Inspection {
    let reading = reading::read(bytes, context);
    let mut reader = Reader::new(context);
    let statements: Vec<Statement> =
        reading.pieces.iter().map(|piece| reader.piece(&piece.parsed, piece.range.clone())).collect();
    let (found, deciding) = reader.into_found();
    let facts = Facts {
        language: Language::Mysql,
        statements: statements.len(),
        actions: found.actions(),
        // A doubt about the reading puts every other one in the shade.
        unknown: reading.unknown.or(found.unknown),
    };
    Inspection { facts, statements, deciding }
}
