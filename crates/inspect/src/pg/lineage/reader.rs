//! The reader of one statement: what it may look at, and how much of it.
//!
//! Every step down costs depth and every node costs a step; when either runs out, what is left is
//! unsettled. Views are expanded once per statement.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use super::super::catalog::CatalogRelation;
use super::super::statement::Context;
use super::flow::{Base, Column, Flow};
use crate::room;

/// Nested nodes, views included, on a small stack and on a large one.
const DEPTH: usize = 160;
const LARGE_DEPTH: usize = 1600;
/// Nodes read in all, repeated readings of recursive queries included.
const STEPS: usize = 200_000;
/// PostgreSQL's own limit of columns in one target list (`MaxTupleAttributeNumber`).
pub(super) const COLUMNS: usize = 1664;
/// A view definition longer than this is not read.
const DEFINITION_BYTES: usize = 1 << 20;

/// Reads one statement.
#[derive(Debug)]
pub(super) struct Reader<'c> {
    context: Context<'c>,
    path: Cell<&'c [String]>,
    views: RefCell<HashMap<usize, Option<Rc<[Column<'c>]>>>>,
    depth: Cell<usize>,
    steps: Cell<usize>,
    withs: Cell<usize>,
    /// Inside a view's definition, whose conditions are not the caller's.
    in_view: Cell<bool>,
    /// The plan is shown with what was executed how often.
    pub(super) watched: Cell<bool>,
    /// What decides which rows there are, and in which order; nothing when nobody can say.
    pub(super) decides: RefCell<Option<BTreeSet<Base<'c>>>>,
    /// WITH clauses that a reading had to wait for.
    pub(super) blocked: RefCell<Vec<usize>>,
}

/// One step down; leaving it goes up again.
#[derive(Debug)]
pub(super) struct Step<'r>(&'r Cell<usize>);

impl Drop for Step<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

impl<'c> Reader<'c> {
    /// A reader in that context.
    pub(super) fn new(context: &Context<'c>) -> Self {
        Self {
            context: *context,
            path: Cell::new(context.search_path),
            views: RefCell::default(),
            depth: Cell::new(0),
            steps: Cell::new(0),
            withs: Cell::new(0),
            in_view: Cell::new(false),
            watched: Cell::new(false),
            decides: RefCell::new(Some(BTreeSet::new())),
            blocked: RefCell::default(),
        }
    }

    /// The context as it is here: inside a view's definition the caller's search path does not count.
    pub(super) fn context(&self) -> Context<'c> {
        Context { search_path: self.path.get(), ..self.context }
    }

    /// One step down, unless there have been too many.
    pub(super) fn step(&self) -> Option<Step<'_>> {
        self.spend(1);
        let depth = if room::is_large() { LARGE_DEPTH } else { DEPTH };
        if self.depth.get() >= depth || self.steps.get() > STEPS {
            return None;
        }
        self.depth.set(self.depth.get().saturating_add(1));
        Some(Step(&self.depth))
    }

    /// Counts work that is not a node.
    pub(super) fn spend(&self, steps: usize) {
        self.steps.set(self.steps.get().saturating_add(steps));
    }

    /// Whether there was too much to read; nothing that was found then counts.
    pub(super) fn exhausted(&self) -> bool {
        self.steps.get() > STEPS
    }

    /// Notes that the values of this choose rows, or put them in order.
    pub(super) fn decide(&self, flow: Flow<'c>) {
        if self.in_view.get() {
            return;
        }
        let mut decides = self.decides.borrow_mut();
        match flow.made() {
            Flow::Made(bases) => {
                if let Some(decides) = decides.as_mut() {
                    decides.extend(bases);
                }
            }
            _ => *decides = None,
        }
    }

    /// A number for one reading of a WITH clause.
    pub(super) fn number_with(&self) -> usize {
        self.withs.set(self.withs.get().saturating_add(1));
        self.withs.get()
    }

    /// The columns of a view, made of what its definition makes them of. A definition that cannot be
    /// read, or leads back to itself, leaves every column unsettled.
    pub(super) fn view(&self, relation: &'c CatalogRelation) -> Rc<[Column<'c>]> {
        let key = std::ptr::from_ref(relation).addr();
        let known = self.views.borrow().get(&key).cloned();
        match known {
            Some(Some(columns)) => return columns,
            Some(None) => return unsettled(relation),
            None => {}
        }
        self.views.borrow_mut().insert(key, None);
        // The definition was written out for an empty search path, so it is read with one.
        let path = self.path.replace(&[]);
        let outside = self.in_view.replace(true);
        let read = relation.definition.as_deref().and_then(|text| self.definition(text));
        self.in_view.set(outside);
        self.path.set(path);
        let columns = match read {
            Some(read) if read.len() == relation.columns.len() => relation
                .columns
                .iter()
                .zip(read)
                .map(|(column, read)| Column::new(&column.name, read.flow))
                .collect(),
            _ => unsettled(relation),
        };
        self.views.borrow_mut().insert(key, Some(Rc::clone(&columns)));
        columns
    }

    fn definition(&self, text: &str) -> Option<Vec<Column<'c>>> {
        let _step = self.step()?;
        if text.len() > DEFINITION_BYTES {
            return None;
        }
        let parsed = super::super::text::parse(text).ok()?;
        let [statement] = parsed.stmts.as_slice() else { return None };
        let node = statement.stmt.as_ref()?.node.as_ref()?;
        self.query(node, None)
    }
}

fn unsettled<'c>(relation: &CatalogRelation) -> Rc<[Column<'c>]> {
    relation.columns.iter().map(|column| Column::new(&column.name, Flow::Unsettled)).collect()
}
