//! What each statement would do, read off what was parsed.
//!
//! A [`Reader`] walks the statements of one text in order. It gathers actions (merged per object), the
//! first gap it meets, and what each statement changes about the reading of the next ones (the current
//! database, prepared statements, `sql_mode`). Statements of `sqlparser` go to `statement`, `query`, `write`,
//! `table` or `set`, those of our own rules to `own`; expressions to `expression`, which hands calls to `call`.

mod accounts;
mod call;
mod condition;
mod deciding;
mod expression;
mod found;
mod from;
mod look;
mod output;
mod own;
mod query;
mod result;
mod scope;
mod set;
mod statement;
mod system;
mod table;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use sallyport_core::{Action, ObjectName, UnknownCode, Verb};
use sqlparser::ast;

pub use self::deciding::Deciding;
pub(super) use self::found::Found;
use self::scope::{Scope, Source};
use self::write::Writing;
use super::context::{Context, Flavour, SqlMode};
use super::inspection::{ResultColumns, ResultItem, StateEffect, Statement, StatementKind};
use super::names::{self, Naming};
use super::reading::{self, Parsed};

/// How deep expressions, sub-selects and texts within texts may nest.
const DEPTH_LIMIT: usize = 400;

/// How many texts within a text are read.
const NESTED_LIMIT: usize = 64;
/// How long they may be together, bytes: what is prepared once may be executed often.
const NESTED_BYTES: usize = 128 << 10;

/// How many pairs of a column and a table that may hold it are looked at in one text: their number grows with
/// the square of its length.
const MATCHING_LIMIT: usize = 400_000;

/// Whether an expression's columns are read, or decide which rows count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Read,
    Filter,
}

/// Walks the statements of one text.
pub(super) struct Reader {
    naming: Naming,
    flavour: Flavour,
    /// Nothing once the text sets it.
    sql_mode: Option<SqlMode>,
    lower_case_table_names: u8,
    found: Found,
    scopes: Vec<Scope>,
    /// The sources of the query that was read last: an INSERT from it may name them once more.
    closed: Vec<Source>,
    depth: usize,
    /// How many more texts within the text may be read: each may hold several more.
    nested_left: usize,
    nested_bytes_left: usize,
    /// How many more pairs of a column and a table may be looked at.
    matching_left: usize,
    /// The column being assigned, whose own reading stays where it is.
    assigning: Option<String>,
    /// Names of output columns that HAVING may use, and those that it used.
    outputs: Option<(BTreeSet<String>, BTreeSet<String>)>,
    /// What the statement writes, while the tables that it joins are opened.
    writing: Option<Writing>,
    /// Planned but not run: functions with an effect are reported as plain calls.
    planning: bool,
    unclassed: bool,
    effects: Vec<StateEffect>,
    /// The next select list is the one of the statement's result.
    at_result: bool,
    result: ResultColumns,
    /// What the present item of it depends on, beside what is found.
    item: ResultItem,
    /// What this very text prepared, by name.
    prepared: BTreeMap<String, Found>,
    /// How many conditions the present sub-select stands in.
    in_condition: u32,
    deciding: Deciding,
}

impl Reader {
    pub(super) fn new(context: &Context<'_>) -> Self {
        let lower = context.lower_case_table_names != 0;
        let mut naming = Naming { database: None, lower };
        naming.database = context.database.filter(|name| !name.is_empty()).map(|name| naming.folded(name));
        Self {
            naming,
            flavour: context.flavour,
            sql_mode: context.sql_mode,
            lower_case_table_names: context.lower_case_table_names,
            found: Found::default(),
            scopes: Vec::new(),
            closed: Vec::new(),
            depth: 0,
            nested_left: NESTED_LIMIT,
            nested_bytes_left: NESTED_BYTES,
            matching_left: MATCHING_LIMIT,
            assigning: None,
            outputs: None,
            writing: None,
            planning: false,
            unclassed: false,
            effects: Vec::new(),
            at_result: false,
            result: ResultColumns::default(),
            item: ResultItem::default(),
            prepared: BTreeMap::new(),
            in_condition: 0,
            deciding: Deciding::default(),
        }
    }

    /// Everything found in all statements so far.
    pub(super) fn into_found(self) -> (Found, Deciding) {
        (self.found, self.deciding)
    }

    /// Reads one statement of the text, which stands at `range`.
    pub(super) fn piece(&mut self, parsed: &Parsed, range: Range<usize>) -> Statement {
        self.unclassed = false;
        self.effects.clear();
        self.at_result = false;
        self.result = ResultColumns::default();
        let before = std::mem::take(&mut self.found);
        let kind = self.parsed(parsed);
        let mut effects = std::mem::take(&mut self.effects);
        let own = std::mem::replace(&mut self.found, before);
        if own.defines() {
            effects.push(StateEffect::CatalogDirty);
        }
        self.found.absorb(own);
        let mut result = std::mem::take(&mut self.result);
        // What EXPLAIN gives is not what the statement that it explains would give.
        if !matches!(parsed, Parsed::Sql(_)) || kind != StatementKind::Other {
            result = ResultColumns { items: None, derived: true };
        }
        Statement { range, kind, effects, unclassed_code: self.unclassed, result }
    }

    /// Any statement; one that nothing is known of is a gap.
    fn parsed(&mut self, parsed: &Parsed) -> StatementKind {
        let outer = std::mem::take(&mut self.found);
        let kind = match parsed {
            Parsed::Sql(sql) => self.sql(sql),
            Parsed::Own(statement) => self.own(statement),
        };
        if self.found.is_empty() {
            self.unsupported("a statement without any effect known");
        }
        let own = std::mem::replace(&mut self.found, outer);
        self.found.absorb(own);
        kind
    }

    fn add(&mut self, action: Action) {
        self.found.add(action);
    }

    fn act(&mut self, verb: Verb, kind: &str, object: ObjectName) {
        self.add(Action::on_object(verb, kind, object));
    }

    fn act_bare(&mut self, verb: Verb, kind: &str, name: &str) {
        self.act(verb, kind, ObjectName::mysql(None, name));
    }

    fn act_kind(&mut self, verb: Verb, kind: &str) {
        self.add(Action { kind: Some(kind.to_owned()), ..Action::new(verb) });
    }

    /// A file, port, library or server by what the text gives; nothing when it is computed.
    fn act_path(&mut self, verb: Verb, kind: &str, path: Option<&str>) {
        let object = path.map(ObjectName::verbatim);
        self.add(Action { kind: Some(kind.to_owned()), object, ..Action::new(verb) });
    }

    fn gap(&mut self, code: UnknownCode, detail: impl Into<String>) {
        self.found.gap(code, detail);
    }

    fn unsupported(&mut self, what: &str) {
        self.gap(UnknownCode::Unsupported, what);
    }

    /// Syntax that `sqlparser` reads and neither server has.
    fn foreign(&mut self, parts: &[(&str, bool)]) {
        for (what, is_there) in parts {
            if *is_there {
                self.unsupported(what);
            }
        }
    }

    /// Runs `read` one level deeper, or reports that the text is too deep.
    fn deeper(&mut self, read: impl FnOnce(&mut Self)) {
        if self.depth >= DEPTH_LIMIT {
            return self.gap(UnknownCode::TooLarge, "nested too deeply");
        }
        self.depth += 1;
        read(self);
        self.depth -= 1;
    }

    /// A table or view by its name; a gap when the name is none.
    fn relation(&mut self, name: &ast::ObjectName) -> Option<ObjectName> {
        let parts = names::parts(name);
        let words: Option<Vec<&str>> =
            parts.map(|parts| parts.iter().map(|part| part.value.as_str()).collect());
        let object = words.and_then(|words| self.naming.relation(&words));
        if object.is_none() {
            self.unsupported("a name of more than two parts");
        }
        object
    }

    /// Reads on its own what runs later, and gives what was found.
    fn apart(&mut self, read: impl FnOnce(&mut Self)) -> Found {
        let outer = std::mem::take(&mut self.found);
        let scopes = std::mem::take(&mut self.scopes);
        self.deeper(read);
        self.scopes = scopes;
        std::mem::replace(&mut self.found, outer)
    }

    /// What a constant text would do that the statement runs, or prepares.
    fn nested_text(&mut self, text: &str) -> Found {
        let mut found = Found::default();
        let bytes_left = self.nested_bytes_left.checked_sub(text.len());
        let (Some(bytes_left), 1..) = (bytes_left, self.nested_left) else {
            found.gap(UnknownCode::TooLarge, "a text within a text");
            return found;
        };
        self.nested_bytes_left = bytes_left;
        self.nested_left -= 1;
        let database = self.naming.database.clone();
        let context = Context {
            flavour: self.flavour,
            sql_mode: self.sql_mode,
            character_set: "utf8mb4",
            database: database.as_deref(),
            lower_case_table_names: self.lower_case_table_names,
        };
        let reading = reading::read(text.as_bytes(), &context);
        let mut found = self.apart(|reader| {
            for piece in &reading.pieces {
                reader.parsed(&piece.parsed);
            }
            if reading.pieces.len() > 1 {
                reader.gap(UnknownCode::Unparsable, "several statements in one that is prepared");
            }
            if reading.pieces.is_empty() && reading.unknown.is_none() {
                reader.gap(UnknownCode::Unparsable, "an empty statement");
            }
        });
        if let Some(unknown) = reading.unknown {
            found.gap(unknown.code, unknown.detail);
        }
        found
    }
}
