//! Which relation a column belongs to: the sources in scope, innermost first.
//!
//! A column is never lost: where neither the text nor the catalog settles whose it is, it is reported
//! under every relation of the innermost scope that may hold it.

use std::collections::{BTreeMap, BTreeSet};

use pg_query::NodeEnum;
use pg_query::protobuf::ColumnRef;
use sallyport_core::{Action, Condition, ObjectName, Verb};

use super::{Mode, Reader, string_of};
use crate::pg::functions::{FunctionClass, extension_class};

/// Something that columns come from.
#[derive(Clone, Debug, Default)]
pub(super) struct Source {
    /// The name it goes by.
    pub(super) alias: String,
    /// The base relations it may be; none for a sub-select, function or CTE, whose own reading is
    /// reported where it is written.
    pub(super) targets: Vec<ObjectName>,
    /// What a sub-select stands on: locking it locks these.
    pub(super) below: Vec<ObjectName>,
    /// Its columns, when known.
    pub(super) columns: Option<Vec<String>>,
    /// New names for its first columns (`AS u(a, b)`).
    pub(super) renamed: Vec<String>,
    /// The actions that its columns in conditions belong to; a read one when empty.
    pub(super) filters_into: Vec<(Verb, Option<Condition>)>,
    /// The relation being written.
    pub(super) written: bool,
}

impl Source {
    fn may_have(&self, column: &str) -> Option<bool> {
        if self.renamed.iter().any(|name| name == column) {
            return Some(true);
        }
        self.columns.as_ref().map(|columns| columns.iter().any(|name| name == column))
    }

    fn stored_name(&self, column: &str) -> String {
        match self.renamed.iter().position(|name| name == column) {
            Some(at) => self
                .columns
                .as_ref()
                .and_then(|columns| columns.get(at))
                .cloned()
                .unwrap_or_else(|| "*".to_owned()),
            None => column.to_owned(),
        }
    }
}

/// A named sub-select.
#[derive(Clone, Debug)]
pub(super) struct Cte {
    pub(super) name: String,
    pub(super) columns: Option<Vec<String>>,
}

/// One level of a query.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    pub(super) sources: Vec<Source>,
    pub(super) ctes: Vec<Cte>,
    /// Columns merged by USING, with the places of the sources they come from.
    pub(super) merged: BTreeMap<String, BTreeSet<usize>>,
    /// Of a level over `pg_settings` alone: the one setting that its rows are of.
    pub(super) setting: Option<String>,
}

/// What an unqualified name means at a level.
struct Meaning {
    kind: Meant,
    /// Which sources.
    places: Vec<usize>,
}

enum Meant {
    Column,
    Row,
}

impl Scope {
    /// The sources that a name may mean a column of, or a row; nothing when it means none of this level.
    fn meant_by(&self, name: &str) -> Option<Meaning> {
        let column =
            |places: Vec<usize>| (!places.is_empty()).then_some(Meaning { kind: Meant::Column, places });
        if let Some(merged) = self.merged.get(name) {
            return Some(Meaning { kind: Meant::Column, places: merged.iter().copied().collect() });
        }
        let may = |wanted: Option<bool>| {
            let all = self.sources.iter().enumerate();
            column(all.filter(|(_, source)| source.may_have(name) == wanted).map(|(at, _)| at).collect())
        };
        if let Some(certain) = may(Some(true)) {
            return Some(certain);
        }
        if let Some(row) = self.sources.iter().position(|source| source.alias == name) {
            return Some(Meaning { kind: Meant::Row, places: vec![row] });
        }
        may(None).or_else(|| {
            let system = SYSTEM_COLUMNS.contains(&name);
            if system { column((0..self.sources.len()).collect()) } else { None }
        })
    }

    /// The relations that FOR UPDATE locks.
    pub(super) fn lockable(&self) -> Vec<ObjectName> {
        self.sources.iter().flat_map(|source| source.targets.iter().chain(&source.below)).cloned().collect()
    }
}

const SYSTEM_COLUMNS: [&str; 7] = ["ctid", "oid", "tableoid", "xmin", "xmax", "cmin", "cmax"];

impl Reader<'_> {
    /// Opens a scope, reads, and closes it.
    pub(super) fn scoped<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        self.scopes.push(Scope::default());
        let result = read(self);
        self.scopes.pop();
        result
    }

    pub(super) fn add_source(&mut self, source: Source) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.sources.push(source);
        }
    }

    pub(super) fn find_cte(&self, name: &str) -> Option<Cte> {
        if !self.spend(self.scopes.iter().map(|scope| scope.ctes.len() + 1).sum()) {
            return None;
        }
        self.scopes
            .iter()
            .rev()
            .find_map(|scope| scope.ctes.iter().rev().find(|cte| cte.name == name))
            .cloned()
    }

    /// Notes one column of a source.
    fn note(&mut self, source: &Source, column: &str, mode: Mode) {
        if !self.of_types.is_given_out() {
            for target in &source.targets {
                self.may_run_code(target, &source.stored_name(column));
            }
        }
        if source.written && mode == Mode::Read && self.assigning.as_deref() == Some(column) {
            return;
        }
        if !self.spend(super::NOTE * (source.targets.len() + 1)) {
            self.exhausted();
            return;
        }
        let into: Vec<(Verb, Option<Condition>)> = if mode == Mode::Filter && !source.filters_into.is_empty()
        {
            source.filters_into.clone()
        } else {
            vec![(Verb::Select, None)]
        };
        for target in &source.targets {
            let stored = source.stored_name(column);
            for (verb, condition) in &into {
                let kind = self.relation_kind(target);
                let mut action = Action::on_object(*verb, kind, target.clone());
                action.condition = *condition;
                let used = if mode == Mode::Filter { &mut action.filters } else { &mut action.columns };
                if stored == "*" && mode == Mode::Read {
                    match self.relation_columns(target) {
                        Some(columns) => used.extend(columns),
                        None => used.push("*".to_owned()),
                    }
                } else {
                    used.push(stored.clone());
                }
                self.add(action);
            }
        }
    }

    /// Notes the columns that a reference may mean.
    pub(super) fn column(&mut self, reference: &ColumnRef, mode: Mode) {
        let star =
            matches!(reference.fields.last().and_then(|field| field.node.as_ref()), Some(NodeEnum::AStar(_)));
        let names: Vec<&str> = reference.fields.iter().filter_map(string_of).collect();
        match (names.as_slice(), star) {
            ([], true) => {
                let all = |scope: &Scope| (0..scope.sources.len()).collect();
                let places: Vec<usize> = self.scopes.last().map(all).unwrap_or_default();
                self.note_at(self.scopes.len().saturating_sub(1), &places, "*", mode);
            }
            ([.., qualifier], true) => self.qualified(&names, qualifier, "*", mode),
            ([column], false) => self.unqualified(column, mode),
            ([.., qualifier, column], false) => {
                let qualifiers = names.get(..names.len().saturating_sub(1)).unwrap_or_default();
                self.qualified(qualifiers, qualifier, column, mode);
            }
            ([], false) => self.unsupported("a column reference without a name"),
        }
    }

    fn qualified(&mut self, qualifiers: &[&str], qualifier: &str, column: &str, mode: Mode) {
        let schema = match qualifiers {
            [.., schema, _] => Some(*schema),
            _ => None,
        };
        if !self.spend(self.scopes.iter().map(|scope| scope.sources.len() + 1).sum()) {
            self.exhausted();
            return;
        }
        let found = self.scopes.iter().rev().find_map(|scope| {
            scope.sources.iter().find(|source| match schema {
                None => source.alias == qualifier,
                Some(schema) => source
                    .targets
                    .iter()
                    .any(|target| target.name == qualifier && target.schema.as_deref() == Some(schema)),
            })
        });
        let Some(source) = found.cloned() else {
            // A composite column `a.b`, or attribute notation over something we did not see.
            self.attribute(None, column);
            return self.used(|reader| reader.unqualified(qualifier, mode));
        };
        if source.targets.is_empty() {
            return self.attribute(Some(&source), column);
        }
        if column != "*" && source.may_have(column) == Some(false) && !SYSTEM_COLUMNS.contains(&column) {
            // Attribute notation: `u.f` calls f(u).
            self.used(|reader| reader.note(&source, "*", mode));
            return self.call_named(&[column.to_owned()], &[]);
        }
        self.note(&source, column, mode);
    }

    /// `x.f` over something that is no base relation: a column, or a function of a scalar `x`.
    fn attribute(&mut self, source: Option<&Source>, name: &str) {
        if name == "*" || source.is_some_and(|source| source.may_have(name) == Some(true)) {
            return;
        }
        if source.is_some_and(|source| source.may_have(name) == Some(false)) {
            // Its columns are known, and this is none of them.
            return self.call_named(&[name.to_owned()], &[]);
        }
        let effect = self.class_of(None, name).is_some_and(|class| class != FunctionClass::Harmless)
            || extension_class(name).is_some();
        let users = self.is_user_function(name);
        if effect || users {
            self.call_named(&[name.to_owned()], &[]);
        }
    }

    fn unqualified(&mut self, column: &str, mode: Mode) {
        for at in (0..self.scopes.len()).rev() {
            let Some(scope) = self.scopes.get(at) else { continue };
            let steps: usize = scope.sources.iter().map(|s| 1 + s.columns.as_ref().map_or(0, Vec::len)).sum();
            if !self.spend(steps) {
                self.exhausted();
                return;
            }
            if let Some(places) = scope.meant_by(column) {
                // The whole row goes by its relation's name.
                let row = matches!(places.kind, Meant::Row);
                return self.note_at(at, &places.places, if row { "*" } else { column }, mode);
            }
        }
    }

    /// Notes a column of some sources of a level.
    fn note_at(&mut self, level: usize, places: &[usize], column: &str, mode: Mode) {
        for place in places {
            if self.work.get() == 0 {
                self.exhausted();
                return;
            }
            let source = self.scopes.get(level).and_then(|scope| scope.sources.get(*place));
            if let Some(source) = source.cloned() {
                self.note(&source, column, mode);
            }
        }
    }

    /// Columns named in USING or by a NATURAL join, on every source from `from` on.
    pub(super) fn merge(&mut self, column: &str, from: usize) {
        let Some(scope) = self.scopes.last() else { return };
        if !self.spend(super::NOTE * (scope.sources.len().saturating_sub(from) + 1)) {
            self.exhausted();
            return;
        }
        let sources: Vec<(usize, Source)> =
            scope.sources.iter().enumerate().skip(from).map(|(at, source)| (at, source.clone())).collect();
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
