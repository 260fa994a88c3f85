//! SET, and statements that are prepared and run by name or from a text.

use sallyport_core::{Action, ObjectName, UnknownCode, Verb};
use sqlparser::ast::{Expr, Ident};

use super::call::text_of;
use super::{Found, Mode, Reader, names};
use crate::mysql::context::SqlMode;
use crate::mysql::inspection::{StateEffect, StatementKind};
use crate::mysql::own::{Assignment, AssignmentTarget, Scope, Source};

/// Settings that decide how later statements read.
fn decides_reading(setting: &str) -> bool {
    matches!(
        setting,
        "sql_mode"
            | "character_set_client"
            | "character_set_connection"
            | "character_set_results"
            | "collation_connection"
            | "lower_case_table_names"
            | "names"
            | "character_set"
    )
}

/// What taking over an action costs, against looking at a pair of a column and a table.
const ACTION: usize = 60;

impl Reader {
    pub(super) fn set(&mut self, assignments: &[Assignment]) {
        for Assignment { target, value } in assignments {
            if let Some(value) = value {
                self.expr(value, Mode::Read);
            }
            match target {
                AssignmentTarget::User(name) => self.set_user_variable(name),
                AssignmentTarget::System { scope: Scope::Session, name } => {
                    self.set_setting(name);
                    if name.eq_ignore_ascii_case("sql_mode") {
                        // A number is a set of bits, which nobody writes.
                        self.sql_mode = value
                            .as_ref()
                            .and_then(text_of)
                            .filter(|mode| mode.is_empty() || !mode.bytes().all(|b| b.is_ascii_digit()))
                            .map(|mode| SqlMode::named(&mode));
                    }
                }
                AssignmentTarget::System {
                    scope: Scope::Global | Scope::Persist | Scope::PersistOnly,
                    name,
                } => self.act_bare(Verb::Configure, "setting", &name.to_lowercase()),
            }
        }
        if assignments.is_empty() {
            self.unsupported("SET of nothing");
        }
    }

    pub(super) fn set_setting(&mut self, name: &str) {
        let name = name.to_lowercase();
        self.act_bare(Verb::Set, "setting", &name);
        if decides_reading(&name) {
            self.effects.push(StateEffect::ReadingDirty);
        }
    }

    pub(super) fn prepare(&mut self, name: &Ident, source: &Source) -> StatementKind {
        let key = name.value.to_lowercase();
        self.act_bare(Verb::Prepare, "statement", &key);
        self.prepared.remove(&key);
        match source {
            Source::Text(text) => {
                // It runs later, if at all: what it changes about names is not so yet.
                let (naming, sql_mode) = (self.naming.clone(), self.sql_mode);
                let effects = self.effects.len();
                let found = self.nested_text(text);
                self.effects.truncate(effects);
                (self.naming, self.sql_mode) = (naming, sql_mode);
                self.prepared.insert(key.clone(), found.clone());
                self.found.absorb(found);
            }
            Source::Expression(expression) => {
                self.expr(expression, Mode::Read);
                self.gap(UnknownCode::Dynamic, "PREPARE of a text that is built at run time");
            }
        }
        StatementKind::Prepare(key)
    }

    pub(super) fn execute(&mut self, name: &Ident, arguments: &[Expr]) -> StatementKind {
        let key = name.value.to_lowercase();
        self.act_bare(Verb::Execute, "statement", &key);
        self.exprs(arguments, Mode::Read);
        let cost = self.prepared.get(&key).map_or(0, Found::len).saturating_mul(ACTION);
        if !self.spend(cost) {
            return StatementKind::Execute(key);
        }
        match self.prepared.get(&key).cloned() {
            Some(found) => {
                if found.has(Verb::Use) {
                    self.gap(UnknownCode::Ambiguous, "EXECUTE of what changes the current database");
                }
                if found.has(Verb::Set) {
                    self.sql_mode = None;
                    self.effects.push(StateEffect::ReadingDirty);
                }
                self.unclassed |= found.has(Verb::Call) || found.has(Verb::Procedure);
                self.found.absorb(found);
            }
            None => {
                self.unclassed = true;
                self.gap(UnknownCode::Dynamic, "EXECUTE of a statement that was not seen prepared");
            }
        }
        StatementKind::Execute(key)
    }

    pub(super) fn execute_immediate(&mut self, source: &Source, arguments: &[Expr]) {
        self.add(Action::new(Verb::Execute));
        self.exprs(arguments, Mode::Read);
        match source {
            Source::Text(text) => {
                let found = self.nested_text(text);
                self.found.absorb(found);
            }
            Source::Expression(expression) => {
                self.expr(expression, Mode::Read);
                self.unclassed = true;
                self.gap(UnknownCode::Dynamic, "EXECUTE IMMEDIATE of a text that is built at run time");
            }
        }
    }

    pub(super) fn use_database(&mut self, name: &Ident) -> StatementKind {
        let database = self.naming.folded(&name.value);
        self.act(Verb::Use, "database", ObjectName::mysql(None, &database));
        self.effects.push(StateEffect::Uses(database.clone()));
        self.naming.database = Some(database.clone());
        StatementKind::Use(database)
    }

    /// An account or role as an object.
    pub(super) fn role(&mut self, verb: Verb, name: &str) {
        self.act(verb, "role", ObjectName::verbatim(name));
    }

    /// A name that stands by itself, without case.
    pub(super) fn act_named(&mut self, verb: Verb, kind: &str, name: &Ident) {
        self.act_bare(verb, kind, &name.value.to_lowercase());
    }

    /// Statements' own variables (`@a`) that a query sets.
    pub(super) fn variables(&mut self, variables: &[String]) {
        for name in variables {
            let object = names::user_variable(name);
            self.act(Verb::Set, "variable", object);
        }
    }
}
