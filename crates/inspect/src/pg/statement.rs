//! What [`inspect`](super::inspect) takes and gives.

use std::collections::BTreeMap;
use std::sync::Arc;

use pg_query::NodeEnum;
use sallyport_core::Facts;

use super::catalog::Catalog;
use super::lineage::Lineage;

/// What decides the reading of a text.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The effective search path, `$user` already replaced, without the implicit `pg_temp` and
    /// `pg_catalog` unless the setting names them.
    pub search_path: &'a [String],
    /// `standard_conforming_strings` is on.
    pub standard_conforming_strings: bool,
    /// The connection's `client_encoding`, as the server spells it (`UTF8`).
    pub client_encoding: &'a str,
    /// The target's catalog, when there is one.
    pub catalog: Option<&'a Catalog>,
    /// SQL-level prepared statements and cursors of this session, by name.
    pub remembered: &'a Remembered,
}

/// What a line of input may know beside the context.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Given<'a> {
    /// The server's major version.
    pub(super) server: Option<u32>,
    /// What `$1`, `$2`, … are bound to, as texts.
    pub(super) params: &'a [Option<String>],
}

/// What a session remembers of statements prepared (PREPARE) and cursors declared (DECLARE) before.
#[derive(Clone, Debug, Default)]
pub struct Remembered {
    /// By statement name.
    pub prepared: BTreeMap<String, Arc<Prepared>>,
    /// By cursor name.
    pub cursors: BTreeMap<String, Arc<Prepared>>,
}

impl Remembered {
    /// Most statements and cursors that are remembered.
    const NAMES: usize = 4096;
    /// About how much they may take together, bytes.
    const BYTES: usize = 32 << 20;

    /// Whether there is room for one more, of that size. What is not remembered is unknown when it is run.
    #[must_use]
    pub fn takes(&self, bytes: usize) -> bool {
        let all = || self.prepared.values().chain(self.cursors.values());
        let held: usize = all().map(|one| one.bytes).sum();
        all().count() < Self::NAMES && held.saturating_add(bytes) <= Self::BYTES
    }
}

impl Prepared {
    /// The same, when nobody can say what its result is made of.
    #[must_use]
    pub fn unsettled(&self) -> Self {
        Self { lineage: Lineage::Unsettled, ..self.clone() }
    }
}

/// The facts and lineage of a text that runs later by name.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// What running it would do.
    pub facts: Facts,
    /// What its result is made of.
    pub lineage: Lineage,
    /// About what it takes to keep, bytes.
    pub bytes: usize,
    /// What is prepared, to be read again where names have come to mean something else.
    pub(super) query: Arc<NodeEnum>,
    /// What names meant when it was read.
    pub(super) meaning: Meaning,
}

/// What decides which objects the names of a text are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Meaning {
    /// The search path; nothing when it is not known.
    pub(super) path: Option<Vec<String>>,
    /// The catalog's version; nothing without a catalog, or when it no longer holds.
    pub(super) catalog: Option<u64>,
    /// Temporary relations made by the same text before.
    pub(super) temporary: Vec<String>,
}

/// What [`inspect`](super::inspect) found.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// What the whole text would do.
    pub facts: Facts,
    /// Each statement, in order. Empty when the text could not be parsed, or holds none.
    pub statements: Vec<Statement>,
}

/// One statement of the text.
#[derive(Clone, Debug)]
pub struct Statement {
    /// What the gateway has to know of it.
    pub kind: StatementKind,
    /// What its result is made of. `Columns(vec![])` when it returns no rows.
    pub lineage: Lineage,
    /// What it changes about the reading of later statements, in order.
    pub effects: Vec<StateEffect>,
    /// Whether it calls a function, operator or cast that is not classed as harmless; its errors and
    /// notices may then say anything.
    pub unclassed_code: bool,
}

/// What the gateway has to know of a statement, beyond its facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatementKind {
    /// BEGIN, START TRANSACTION.
    Begin,
    /// COMMIT, END; also PREPARE TRANSACTION.
    Commit,
    /// ROLLBACK, ABORT.
    Rollback,
    /// ROLLBACK TO SAVEPOINT.
    RollbackTo,
    /// SAVEPOINT, RELEASE.
    Savepoint,
    /// COPY … TO STDOUT. Lineage holds one entry per copied column.
    CopyOut(CopyOptions),
    /// COPY … FROM STDIN.
    CopyIn,
    /// EXPLAIN, in any form.
    Explain,
    /// SET `sallyport.reason` TO a constant: what the caller says of why. The gateway keeps it; it is
    /// not forwarded.
    StatesReason(String),
    /// Anything else.
    Other,
}

/// How the data of a COPY is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyOptions {
    /// Text, CSV or binary.
    pub format: CopyFormat,
    /// One byte between fields.
    pub delimiter: u8,
    /// How NULL is written.
    pub null: String,
    /// CSV's quote.
    pub quote: u8,
    /// CSV's escape.
    pub escape: u8,
    /// Whether a first line holds the columns' names.
    pub header: bool,
}

/// The formats of COPY.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyFormat {
    /// The default.
    Text,
    /// Comma-separated values.
    Csv,
    /// PostgreSQL's binary form.
    Binary,
}

/// What a statement changes about the reading of those after it, when it succeeds.
#[derive(Clone, Debug)]
pub enum StateEffect {
    /// `search_path`, role or session authorization, `standard_conforming_strings`, `client_encoding` may
    /// differ afterwards (SET of one of these, RESET of one or ALL, DISCARD ALL, an unclassed call, CALL, DO).
    SettingsDirty,
    /// PREPARE name AS …
    Prepares(String, Arc<Prepared>),
    /// DEALLOCATE name, or all.
    Deallocates(Option<String>),
    /// DECLARE name CURSOR FOR …
    Declares(String, Arc<Prepared>),
    /// CLOSE name, or all.
    Closes(Option<String>),
    /// Definitions changed: the catalog must be read again.
    CatalogDirty,
}

#[cfg(test)]
mod tests {
    use super::super::inspect;
    use super::*;

    #[test]
    fn a_stated_reason_is_told_apart_from_other_settings() {
        let remembered = Remembered::default();
        let context = Context {
            search_path: &[],
            standard_conforming_strings: true,
            client_encoding: "UTF8",
            catalog: None,
            remembered: &remembered,
        };
        let kind =
            |text: &str| inspect(text.as_bytes(), &context).statements.first().map(|it| it.kind.clone());
        let stated = Some(StatementKind::StatesReason("ticket 42".to_owned()));
        assert_eq!(kind("SET sallyport.reason = 'ticket 42'"), stated);
        assert_eq!(kind("set local SALLYPORT.reason to 'ticket 42'"), stated);
        assert_eq!(kind("SET application_name = 'ticket 42'"), Some(StatementKind::Other));
        assert_eq!(kind("RESET sallyport.reason"), Some(StatementKind::Other));
    }
}
