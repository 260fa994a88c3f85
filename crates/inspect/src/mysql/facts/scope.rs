//! Which table a column belongs to: the sources in scope, innermost first.
//!
//! A column is never lost: where the text does not settle whose it is, it is reported under every table of
//! the innermost scope that may hold it.

use std::collections::{BTreeMap, BTreeSet};

use sallyport_core::{Action, Condition, ObjectName, UnknownCode, Verb};
use sqlparser::ast::Ident;

use super::{Mode, Reader, names};

/// Something that columns come from.
#[derive(Clone, Debug, Default)]
pub(super) struct Source {
    /// The name it goes by.
    pub(super) alias: String,
    /// The base table that it is; none for a derived table or CTE, whose own reading is reported where it
    /// is written.
    pub(super) target: Option<ObjectName>,
    /// Its columns, when known.
    pub(super) columns: Option<Vec<String>>,
    /// Of a derived table: its columns that are not some table's under their own name, when known.
    pub(super) others: Option<BTreeSet<String>>,
    /// The actions that its columns in conditions belong to; a read one when empty.
    pub(super) filters_into: Vec<(Verb, Option<Condition>)>,
    /// The table being written.
    pub(super) written: bool,
}

impl Source {
    fn may_have(&self, column: &str) -> Option<bool> {
        self.columns.as_ref().map(|columns| columns.iter().any(|name| name == column))
    }
}

/// A named sub-select.
#[derive(Clone, Debug)]
pub(super) struct Cte {
    pub(super) name: String,
    pub(super) columns: Option<Vec<String>>,
    /// As [`Source::others`].
    pub(super) others: Option<BTreeSet<String>>,
}

/// One level of a query.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    pub(super) sources: Vec<Source>,
    pub(super) ctes: Vec<Cte>,
    /// Columns merged by USING, with the places of the sources they come from.
    pub(super) merged: BTreeMap<String, BTreeSet<usize>>,
}

impl Reader {
    /// Opens a scope, reads, and closes it; its sources stay to be asked for.
    pub(super) fn scoped<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        self.scopes.push(Scope::default());
        let (outputs, writing) = (self.outputs.take(), self.writing.take());
        let result = read(self);
        (self.outputs, self.writing) = (outputs, writing);
        if let Some(scope) = self.scopes.pop() {
            self.closed = scope.sources;
        }
        result
    }

    pub(super) fn add_source(&mut self, source: Source) {
        self.result.derived |= source.target.is_none();
        if let Some(scope) = self.scopes.last_mut() {
            scope.sources.push(source);
        }
    }

    pub(super) fn sources(&self) -> &[Source] {
        self.scopes.last().map_or(&[], |scope| scope.sources.as_slice())
    }

    /// A CTE of exactly that name: which of two spellings the server takes for the same one differs.
    pub(super) fn find_cte(&mut self, name: &str) -> Option<Cte> {
        let find = |scope: &Scope| scope.ctes.iter().rev().find(|cte| cte.name == name).cloned();
        let columns = |scope: &Scope| {
            let cte = scope.ctes.iter().rev().find(|cte| cte.name == name)?;
            Some(cte.columns.as_ref().map_or(0, Vec::len))
        };
        let cost = self.scopes.iter().rev().find_map(columns)?;
        if !self.spend(cost) {
            return Some(Cte { name: name.to_owned(), columns: None, others: None });
        }
        self.scopes.iter().rev().find_map(find)
    }

    /// Notes one column of a source.
    fn note(&mut self, source: &Source, column: &str, mode: Mode) {
        if source.written && mode == Mode::Read && self.assigning.as_deref() == Some(column) {
            return;
        }
        let Some(target) = &source.target else {
            self.item.unsettled = true;
            if self.decides(mode) {
                self.derived_decides(source.others.as_ref(), column);
            }
            return;
        };
        if mode == Mode::Read && self.decides(mode) {
            self.deciding.columns.insert((target.clone(), column.to_owned()));
        }
        let read = [(Verb::Select, None)];
        let into: &[(Verb, Option<Condition>)] = if mode == Mode::Filter && !source.filters_into.is_empty() {
            &source.filters_into
        } else {
            &read
        };
        for (verb, condition) in into {
            let mut action = Action::on_object(*verb, "table", target.clone());
            action.condition = *condition;
            let used = if mode == Mode::Filter { &mut action.filters } else { &mut action.columns };
            used.push(column.to_owned());
            self.add(action);
        }
    }

    /// Whether one more column may be held against every table in scope; a gap when there were too many.
    fn affords(&mut self) -> bool {
        let tables: usize = self.scopes.iter().map(|scope| scope.sources.len()).sum();
        self.spend(tables)
    }

    /// Takes from what may be looked at; a gap when nothing is left.
    pub(super) fn spend(&mut self, cost: usize) -> bool {
        let left = self.matching_left.checked_sub(cost);
        match left {
            Some(left) => self.matching_left = left,
            None => self.gap(UnknownCode::TooLarge, "too many columns of too many tables"),
        }
        left.is_some()
    }

    /// Every column of every source of this level: `*`.
    pub(super) fn star(&mut self, mode: Mode) {
        if !self.affords() {
            return;
        }
        for source in self.sources().to_vec() {
            self.note(&source, "*", mode);
        }
    }

    /// Every column of one source: `t.*`.
    pub(super) fn star_of(&mut self, qualifier: &[&Ident], mode: Mode) {
        self.qualified(qualifier, "*", mode);
    }

    /// A column by its name, qualified or not.
    pub(super) fn column(&mut self, parts: &[&Ident], mode: Mode) {
        match parts {
            [first, ..] if names::is_variable(first) => {
                self.item.variables = true;
                self.deciding.variables |= self.decides(mode);
            }
            [only] if names::is_value(only) => {}
            [only] => self.unqualified(&only.value.to_lowercase(), mode),
            [qualifier @ .., column] => self.qualified(qualifier, &column.value.to_lowercase(), mode),
            [] => self.unsupported("a column without a name"),
        }
    }

    /// The source that a qualifier names, innermost first; by case, then whatever its case.
    pub(super) fn find_source(&self, qualifier: &[&Ident]) -> Option<Source> {
        let (database, name) = match qualifier {
            [name] => (None, name),
            [.., database, name] => (Some(self.naming.folded(&database.value)), name),
            [] => return None,
        };
        let fits = |source: &Source, exact: bool| {
            let (alias, schema) = (source.alias.as_str(), source.target.as_ref().map(|it| &it.schema));
            let by_name =
                if exact { alias == name.value } else { alias.to_lowercase() == name.value.to_lowercase() };
            by_name
                && database.as_ref().is_none_or(|database| match schema {
                    Some(Some(schema)) => schema == database,
                    // Whose database it is, is not known.
                    Some(None) => true,
                    None => false,
                })
        };
        self.scopes.iter().rev().find_map(|scope| {
            let exact = scope.sources.iter().find(|source| fits(source, true));
            exact.or_else(|| scope.sources.iter().find(|source| fits(source, false))).cloned()
        })
    }

    fn qualified(&mut self, qualifier: &[&Ident], column: &str, mode: Mode) {
        if !self.affords() {
            return;
        }
        match self.find_source(qualifier) {
            Some(source) => self.note(&source, column, mode),
            // No source goes by that name: the server refuses it, or knows of one that we did not see.
            None => {
                for at in (0..self.scopes.len()).rev() {
                    let sources = self.scopes.get(at).map(|scope| scope.sources.clone()).unwrap_or_default();
                    if !sources.is_empty() {
                        return sources.iter().for_each(|source| self.note(source, column, mode));
                    }
                }
            }
        }
    }

    fn unqualified(&mut self, column: &str, mode: Mode) {
        if let Some((names, used)) = &mut self.outputs
            && names.contains(column)
        {
            used.insert(column.to_owned());
            return;
        }
        if !self.affords() {
            return;
        }
        for at in (0..self.scopes.len()).rev() {
            let Some(scope) = self.scopes.get(at) else { continue };
            let sources = scope.sources.clone();
            if let Some(merged) = scope.merged.get(column).cloned() {
                for source in merged.iter().filter_map(|place| sources.get(*place)) {
                    self.note(source, column, mode);
                }
                return;
            }
            let certain = sources.iter().any(|source| source.may_have(column) == Some(true));
            let possible: Vec<&Source> = sources
                .iter()
                .filter(|source| source.may_have(column) == if certain { Some(true) } else { None })
                .collect();
            if possible.is_empty() {
                continue;
            }
            for source in possible {
                self.note(source, column, mode);
            }
            // A derived table's columns are certain; a base table beside it may have one of that name too,
            // but then the server calls the name ambiguous and refuses.
            return;
        }
    }

    /// Columns named in USING or by a NATURAL join, on every source from `from` on.
    pub(super) fn merge(&mut self, column: &str, from: usize) {
        if !self.affords() {
            return;
        }
        let sources: Vec<(usize, Source)> =
            self.sources().iter().enumerate().skip(from).map(|(at, source)| (at, source.clone())).collect();
        let mut places = BTreeSet::new();
        for (at, source) in &sources {
            if source.may_have(column) != Some(false) {
                places.insert(*at);
                self.note(source, column, Mode::Filter);
            }
        }
        if let Some(scope) = self.scopes.last_mut() {
            scope.merged.insert(column.to_owned(), places);
        }
    }
}
