//! What each statement would do, read off the parse tree.
//!
//! A [`Reader`] walks the statements of one text in order. It gathers actions (merged per object), the
//! first gap it meets, and what each statement changes about the reading of the next ones (search
//! path, prepared statements, new definitions). Statements go to `utility`, `schema`, `alter`,
//! `privilege`, `copy` or `query`; expressions to `expression`, which hands calls to `call`.

mod alter;
mod builtin;
mod call;
mod code_types;
mod condition;
mod copy;
mod expression;
mod from;
pub(super) mod indifferent;
mod json;
mod names;
mod naming;
mod one_setting;
mod privilege;
mod query;
mod recall;
mod schema;
mod scope;
mod table;
mod utility;
mod write;

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use pg_query::NodeEnum;
use pg_query::protobuf::{Node, RawStmt};
use sallyport_core::{Action, Condition, ObjectName, Unknown, UnknownCode, Verb};

use self::scope::Scope;
use super::catalog::Catalog;
use super::lineage::{self, Decides, Lineage, Origin, OutputColumn};
use super::statement::{Context, Given, Remembered, StateEffect, Statement, StatementKind};
use crate::room;

/// How deep expressions, sub-selects, views and texts within texts may nest.
const DEPTH_LIMIT: usize = 200;
/// The same on a large stack.
const LARGE_DEPTH_LIMIT: usize = 2000;

/// How many views and texts within a text are read.
const NESTED_LIMIT: usize = 256;

/// How much may be looked for in the sources, columns and names of a text, in steps of about a hundredth of
/// a microsecond. Looking up each of many names among many others would take the square of the text.
const WORK: usize = 4_000_000;
/// What noting one column takes.
const NOTE: usize = 64;

/// What makes two actions the same one, to be merged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    verb: Verb,
    kind: Option<String>,
    object: Option<ObjectName>,
    condition: Option<Condition>,
    on: Option<ObjectName>,
    to: Vec<String>,
}

/// The columns of an action, gathered.
#[derive(Clone, Debug, Default)]
struct Used {
    columns: BTreeSet<String>,
    filters: BTreeSet<String>,
}

/// Actions found so far, merged.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    actions: BTreeMap<Key, Used>,
    pub(super) unknown: Option<Unknown>,
}

impl Found {
    /// The actions, sorted.
    pub(super) fn actions(&self) -> Vec<Action> {
        let mut actions: Vec<Action> = self
            .actions
            .iter()
            .map(|(key, used)| Action {
                kind: key.kind.clone(),
                object: key.object.clone(),
                columns: used.columns.iter().cloned().collect(),
                filters: used.filters.iter().cloned().collect(),
                condition: key.condition,
                on: key.on.clone(),
                to: key.to.clone(),
                ..Action::new(key.verb)
            })
            .collect();
        actions.sort();
        actions
    }

    fn add(&mut self, action: Action) {
        let key = Key {
            verb: action.action,
            kind: action.kind,
            object: action.object,
            condition: action.condition,
            on: action.on,
            to: action.to,
        };
        let used = self.actions.entry(key).or_default();
        used.columns.extend(action.columns);
        used.filters.extend(action.filters);
    }

    fn has(&self, verb: Verb) -> bool {
        self.actions.keys().any(|key| key.verb == verb)
    }

    fn absorb(&mut self, other: Self) {
        for action in other.actions() {
            self.add(action);
        }
        if self.unknown.is_none() {
            self.unknown = other.unknown;
        }
    }
}

/// Whether an expression's columns are read, or decide which rows count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Read,
    Filter,
}

/// Walks the statements of one text.
pub(super) struct Reader<'a> {
    catalog: Option<&'a Catalog>,
    /// The catalog still describes what the next statement will see.
    catalog_current: bool,
    /// The effective search path; `None` when the text sets it to something not constant.
    path: Option<Vec<String>>,
    /// The last path that was known.
    last_path: Vec<String>,
    /// What the present statement makes of the path, for the ones after it.
    next_path: Option<Option<Vec<String>>>,
    /// The text changed the path, so that the end of a transaction may change it back.
    path_changed: bool,
    standard_conforming_strings: bool,
    client_encoding: &'a str,
    given: Given<'a>,
    /// Temporary relations that the text makes, and whether they surely still stand.
    temporary: BTreeMap<String, bool>,
    remembered: Cow<'a, Remembered>,
    /// The schema being made, which takes the objects made within its statement.
    new_schema: Option<String>,
    /// Functions and operators that this very text creates.
    created_code: BTreeSet<String>,
    found: Found,
    scopes: Vec<Scope>,
    /// The relations that the last query read stands on: locking it locks them.
    stands_on: Vec<ObjectName>,
    depth: usize,
    /// What is left of the work.
    work: Cell<usize>,
    /// How many more views and texts within the text may be read: each may hold several more.
    nested_left: usize,
    /// Views being read, so that none is read within itself.
    views: Vec<ObjectName>,
    /// The columns being assigned, whose own reading stays where it is.
    assigning: Option<String>,
    /// Planned but not run: functions with an effect are reported as plain calls.
    planning: bool,
    /// Run under EXPLAIN ANALYZE.
    watched: bool,
    unclassed: bool,
    of_types: code_types::OfTypes,
    /// A text within the statement was read, which the server reads as it runs.
    ran_text: bool,
    effects: Vec<StateEffect>,
    consulted_memory: bool,
    /// How long the present statement is, bytes.
    extent: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(context: &Context<'a>, given: Given<'a>) -> Self {
        Self {
            catalog: context.catalog,
            catalog_current: true,
            path: Some(context.search_path.to_vec()),
            last_path: context.search_path.to_vec(),
            next_path: None,
            path_changed: false,
            standard_conforming_strings: context.standard_conforming_strings,
            client_encoding: context.client_encoding,
            given,
            temporary: BTreeMap::new(),
            remembered: Cow::Borrowed(context.remembered),
            new_schema: None,
            created_code: BTreeSet::new(),
            found: Found::default(),
            scopes: Vec::new(),
            stands_on: Vec::new(),
            depth: 0,
            work: Cell::new(WORK),
            nested_left: NESTED_LIMIT,
            views: Vec::new(),
            assigning: None,
            planning: false,
            watched: false,
            unclassed: false,
            of_types: code_types::OfTypes::default(),
            ran_text: false,
            effects: Vec::new(),
            consulted_memory: false,
            extent: 0,
        }
    }

    /// Everything found in all statements so far.
    pub(super) fn found(&self) -> &Found {
        &self.found
    }

    /// Whether a prepared statement or cursor of the session was looked up.
    pub(super) fn consulted_memory(&self) -> bool {
        self.consulted_memory
    }

    /// Reads one statement of the text.
    pub(super) fn statement(&mut self, raw: &RawStmt, text_len: usize) -> Statement {
        let start = usize::try_from(raw.stmt_location).unwrap_or(0).min(text_len);
        let end = match usize::try_from(raw.stmt_len) {
            Ok(0) | Err(_) => text_len,
            Ok(len) => start.saturating_add(len).min(text_len),
        };
        self.extent = end.saturating_sub(start);
        self.unclassed = false;
        self.of_types = code_types::OfTypes::default();
        self.ran_text = false;
        self.effects.clear();
        let before = std::mem::take(&mut self.found);
        let node = raw.stmt.as_ref().and_then(|stmt| stmt.node.as_ref());
        let (kind, lineage) = match node {
            Some(node) => {
                let lineage = self.lineage_of(node);
                (self.top(node), lineage)
            }
            None => {
                self.unsupported("an empty statement");
                (StatementKind::Other, Lineage::Unsettled)
            }
        };
        self.exhausted();
        let mut effects = std::mem::take(&mut self.effects);
        let changed = self.next_path.is_some()
            || effects.iter().any(|effect| matches!(effect, StateEffect::SettingsDirty));
        if self.ran_text && changed {
            self.gap(UnknownCode::Ambiguous, "a text that runs in a statement that changes how it reads");
        }
        if self.unclassed {
            effects.push(StateEffect::SettingsDirty);
            // Code that nobody has read may have set the path.
            self.next_path = Some(None);
        }
        let ends =
            matches!(kind, StatementKind::Commit | StatementKind::Rollback | StatementKind::RollbackTo);
        if ends && self.path_changed {
            self.next_path = Some(None);
        }
        if ends {
            self.doubt_temporary();
        }
        if let Some(path) = self.next_path.take() {
            if let Some(path) = &path {
                self.last_path.clone_from(path);
            }
            self.path = path;
            self.path_changed = true;
        }
        let own = std::mem::replace(&mut self.found, before);
        if own
            .actions
            .keys()
            .any(|key| key.verb.group() == sallyport_core::Group::Schema && key.verb != Verb::Comment)
        {
            effects.push(StateEffect::CatalogDirty);
            self.catalog_current = false;
        }
        if effects.iter().any(|effect| matches!(effect, StateEffect::SettingsDirty)) {
            let mut seen = false;
            effects.retain(|effect| {
                !matches!(effect, StateEffect::SettingsDirty) || !std::mem::replace(&mut seen, true)
            });
        }
        self.found.absorb(own);
        let lineage = self.unless_code_ran(lineage);
        Statement { kind, lineage, effects, unclassed_code: self.unclassed }
    }

    /// A statement at the top of the text, or run by one that is.
    fn top(&mut self, node: &NodeEnum) -> StatementKind {
        let before = self.found.actions.len();
        let kind = self.any_statement(node);
        if self.found.actions.len() == before && self.found.unknown.is_none() && before == 0 {
            self.unsupported("a statement without any effect known");
        }
        kind
    }

    /// A query as a statement of its own: something is selected even when no relation is read.
    fn query_statement(&mut self, node: &NodeEnum) {
        let outer = std::mem::take(&mut self.found);
        self.query(node);
        let selects = matches!(node, NodeEnum::SelectStmt(_));
        if selects && !self.found.has(Verb::Select) {
            self.add(Action::new(Verb::Select));
        }
        // What a view's own definition chooses is not the caller's doing.
        if self.views.is_empty() {
            self.decided(node);
        }
        let own = std::mem::replace(&mut self.found, outer);
        self.found.absorb(own);
    }

    fn lineage_of(&mut self, node: &NodeEnum) -> Lineage {
        match node {
            NodeEnum::ExplainStmt(_) => Lineage::Columns(vec![OutputColumn {
                name: Some("QUERY PLAN".to_owned()),
                origin: Origin::Expression(BTreeSet::new()),
            }]),
            NodeEnum::ExecuteStmt(execute) => {
                self.by_name(&execute.name).map_or(Lineage::Unsettled, |prepared| prepared.lineage.clone())
            }
            NodeEnum::FetchStmt(fetch) if fetch.ismove => Lineage::Columns(Vec::new()),
            NodeEnum::FetchStmt(fetch) => self
                .remembered
                .cursors
                .get(&fetch.portalname)
                .map_or(Lineage::Unsettled, |cursor| cursor.lineage.clone()),
            node => self.settle(node),
        }
    }

    /// With a catalog: the base columns that conditions of sub-queries' and views' columns come down to.
    fn decided(&mut self, query: &NodeEnum) {
        if self.catalog.is_none() {
            return;
        }
        let decides = match self.context_now() {
            Some(context) => lineage::decides(query, self.watched, &context),
            None => Decides::Anything,
        };
        match decides {
            Decides::Columns(columns) => {
                for base in columns {
                    let object = ObjectName::in_schema(&base.schema, &base.relation);
                    let kind = self.relation_kind(&object);
                    let filters = vec![base.column];
                    self.add(Action { filters, ..Action::on_object(Verb::Select, kind, object) });
                }
            }
            Decides::Anything => {
                for (key, used) in &mut self.found.actions {
                    if key.verb == Verb::Select {
                        used.filters.extend(used.columns.iter().cloned());
                    }
                }
            }
        }
    }

    /// The lineage of a query, under the present search path.
    fn settle(&self, node: &NodeEnum) -> Lineage {
        self.context_now().map_or(Lineage::Unsettled, |context| lineage::settle(node, &context))
    }

    /// What decides the reading at this place of the text; nothing when the path or the catalog no
    /// longer hold.
    fn context_now(&self) -> Option<Context<'_>> {
        self.path.as_ref().filter(|_| self.catalog_current).map(|path| Context {
            search_path: path,
            standard_conforming_strings: self.standard_conforming_strings,
            client_encoding: self.client_encoding,
            catalog: self.catalog,
            remembered: &self.remembered,
        })
    }

    fn add(&mut self, action: Action) {
        self.found.add(action);
    }

    fn act(&mut self, verb: Verb, kind: &str, object: ObjectName) {
        self.add(Action::on_object(verb, kind, object));
    }

    fn act_bare(&mut self, verb: Verb, kind: &str, name: &str) {
        self.act(verb, kind, ObjectName::bare(name));
    }

    fn gap(&mut self, code: UnknownCode, detail: impl Into<String>) {
        if self.found.unknown.is_none() {
            self.found.unknown = Some(Unknown { code, detail: detail.into() });
        }
    }

    fn unsupported(&mut self, what: &str) {
        self.gap(UnknownCode::Unsupported, what);
    }

    /// Names a node that no rule handles.
    fn unsupported_node(&mut self, node: &NodeEnum) {
        let shown = format!("{node:?}");
        let name = shown.split(['(', ' ', '{']).next().unwrap_or_default().to_owned();
        self.gap(UnknownCode::Unsupported, name);
    }

    /// Runs `read` one level deeper, or reports that the text is too deep.
    fn deeper(&mut self, read: impl FnOnce(&mut Self)) {
        let limit = if room::is_large() { LARGE_DEPTH_LIMIT } else { DEPTH_LIMIT };
        if self.depth >= limit {
            self.gap(UnknownCode::TooLarge, "nested too deeply");
            return;
        }
        self.depth += 1;
        read(self);
        self.depth -= 1;
    }

    /// Takes some of the work; false when none is left.
    fn spend(&self, steps: usize) -> bool {
        self.work.set(self.work.get().saturating_sub(steps));
        self.work.get() > 0
    }

    /// Whether the work is used up, which is a gap.
    fn exhausted(&mut self) -> bool {
        let exhausted = self.work.get() == 0;
        if exhausted {
            self.gap(UnknownCode::TooLarge, "too many names to look up");
        }
        exhausted
    }

    fn settings_dirty(&mut self) {
        self.effects.push(StateEffect::SettingsDirty);
    }

    /// Reads a constant text that the statement would run, under a fresh scope.
    fn nested_text(&mut self, text: &str) {
        if text.len() > 64 * 1024 || self.nested_left == 0 {
            return self.gap(UnknownCode::TooLarge, "a text within a text");
        }
        self.nested_left -= 1;
        self.ran_text |= self.views.is_empty();
        match super::text::parse(text) {
            Ok(parsed) => self.deeper(|reader| {
                let scopes = std::mem::take(&mut reader.scopes);
                let params = std::mem::take(&mut reader.given.params);
                for raw in &parsed.stmts {
                    if let Some(node) = raw.stmt.as_ref().and_then(|stmt| stmt.node.as_ref()) {
                        reader.any_statement(node);
                    }
                }
                reader.scopes = scopes;
                reader.given.params = params;
            }),
            Err(unknown) => self.gap(unknown.code, unknown.detail),
        }
    }
}

/// The strings of a list of String nodes.
fn strings(nodes: &[Node]) -> Vec<String> {
    nodes.iter().filter_map(|node| string_of(node).map(str::to_owned)).collect()
}

/// The text of a String node.
fn string_of(node: &Node) -> Option<&str> {
    match node.node.as_ref() {
        Some(NodeEnum::String(string)) => Some(&string.sval),
        _ => None,
    }
}

/// The node inside, where there is one.
fn inner(node: &Option<Box<Node>>) -> Option<&NodeEnum> {
    node.as_ref().and_then(|node| node.node.as_ref())
}

#[cfg(test)]
#[path = "grammar_tests.rs"]
mod grammar_tests;
