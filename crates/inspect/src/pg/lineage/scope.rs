//! Which names a text can see at one place, and what they stand for.
//!
//! A [`Scope`] is one query level, as PostgreSQL's `ParseState` is: the WITH queries and FROM entries
//! of that level, and the level around it. Names are looked up as `parse_relation.c` does: innermost
//! level first, an entry may be visible by relation name, by its columns, or both. Where our knowledge
//! of a level is not complete (no catalog, a function of unknown shape), the answer is unsettled
//! unless no other reading is possible.

use std::rc::Rc;

use super::super::catalog::{CatalogRelation, RelationKind};
use super::BaseColumn;
use super::flow::{Base, Column, Flow};

/// The columns of one entry.
#[derive(Clone, Debug)]
pub(super) enum Shape<'c> {
    /// A base relation of the catalog.
    Table(&'c CatalogRelation),
    /// Columns that are all known.
    Listed(Rc<[Column<'c>]>),
    /// A relation without a catalog: any column may exist, in one of these schemas.
    Named { schemas: Rc<[String]>, name: Rc<str> },
    /// Joined entries without merged columns: the columns of each, in order.
    Joined(Rc<[Rc<Item<'c>>]>),
    /// Columns of unknown names and number, each made of this.
    Shapeless(Flow<'c>),
}

/// Something that stands in FROM.
#[derive(Clone, Debug)]
pub(super) struct Item<'c> {
    /// The name it is referred to by; nothing for a join or a sub-query without alias.
    pub(super) name: Option<Rc<str>>,
    /// The relation as written, when no alias hides it: `schema.relation.column` may refer to it.
    pub(super) schemas: Option<Rc<[String]>>,
    /// Its columns.
    pub(super) shape: Shape<'c>,
    /// New names of the first columns.
    pub(super) renamed: Rc<[Rc<str>]>,
    /// What a write put into the columns, on top of what they hold: by column name, and into any.
    pub(super) written: Option<Rc<Written<'c>>>,
}

/// What a statement writes into its target's columns.
#[derive(Debug)]
pub(super) struct Written<'c> {
    /// By the column's own name.
    pub(super) columns: Vec<Column<'c>>,
    /// Into columns that the text does not settle.
    pub(super) any: Flow<'c>,
}

/// What a look-up found.
#[derive(Clone, Debug)]
pub(super) enum Found<'c> {
    /// Surely not there.
    No,
    /// There, and this is it.
    Yes(Flow<'c>),
    /// It may be there; if so, this is it.
    Maybe(Flow<'c>),
}

const SYSTEM_COLUMNS: [&str; 6] = ["ctid", "xmin", "cmin", "xmax", "cmax", "tableoid"];

impl<'c> Item<'c> {
    /// An entry of that shape and name.
    pub(super) fn new(name: Option<Rc<str>>, shape: Shape<'c>) -> Self {
        Self { name, schemas: None, shape, renamed: Rc::from([]), written: None }
    }

    /// The column of that name.
    pub(super) fn find(&self, name: &str) -> Found<'c> {
        match (self.find_own(name), &self.shape) {
            // Only a relation itself has system columns: a join of relations does not.
            (Found::No, Shape::Table(relation))
                if SYSTEM_COLUMNS.contains(&name) && relation.kind != RelationKind::View =>
            {
                Found::Yes(Flow::constant())
            }
            (found, _) => found,
        }
    }

    fn find_own(&self, name: &str) -> Found<'c> {
        if !self.renamed.is_empty() {
            return self.find_renamed(name);
        }
        match &self.shape {
            Shape::Table(relation) => {
                relation.columns.iter().position(|column| column.name == name).map_or(Found::No, |at| {
                    Found::Yes(self.overlaid(name, Flow::Exact(Base::Known(relation, at))))
                })
            }
            Shape::Listed(columns) => match one(columns.iter().filter(|column| &*column.name == name)) {
                Found::Yes(flow) => Found::Yes(self.overlaid(name, flow)),
                found => found,
            },
            Shape::Named { schemas, name: relation } => {
                if SYSTEM_COLUMNS.contains(&name) {
                    return Found::Maybe(Flow::Unsettled);
                }
                Found::Maybe(self.overlaid(name, named(schemas, relation, name)))
            }
            Shape::Joined(items) => merge(items.iter().map(|item| item.find_own(name))),
            Shape::Shapeless(flow) => Found::Maybe(self.overlaid(name, flow.clone())),
        }
    }

    fn find_renamed(&self, name: &str) -> Found<'c> {
        match self.columns() {
            Some(columns) => one(columns.iter().filter(|column| &*column.name == name)),
            None => Found::Maybe(match &self.shape {
                Shape::Shapeless(flow) => flow.clone(),
                _ => Flow::Unsettled,
            }),
        }
    }

    /// All its columns in order, when they are known.
    pub(super) fn columns(&self) -> Option<Vec<Column<'c>>> {
        let mut columns: Vec<Column<'c>> = match &self.shape {
            Shape::Table(relation) => relation
                .columns
                .iter()
                .enumerate()
                .map(|(at, column)| {
                    let flow = self.overlaid(&column.name, Flow::Exact(Base::Known(relation, at)));
                    Column::new(&column.name, flow)
                })
                .collect(),
            Shape::Listed(columns) => columns
                .iter()
                .map(|column| Column {
                    name: Rc::clone(&column.name),
                    flow: self.overlaid(&column.name, column.flow.clone()),
                })
                .collect(),
            Shape::Joined(items) => {
                let mut all = Vec::new();
                for item in items.iter() {
                    all.extend(item.columns()?);
                }
                all
            }
            Shape::Named { .. } | Shape::Shapeless(_) => return None,
        };
        for (column, name) in columns.iter_mut().zip(self.renamed.iter()) {
            column.name = Rc::clone(name);
        }
        Some(columns)
    }

    /// The whole row as one value.
    pub(super) fn row(&self) -> Flow<'c> {
        match (&self.shape, self.columns()) {
            (_, Some(columns)) => Flow::all(columns.into_iter().map(|column| column.flow)),
            (Shape::Shapeless(flow), None) => flow.clone().made(),
            _ => Flow::Unsettled,
        }
    }

    /// A written column holds what was written into it too.
    fn overlaid(&self, name: &str, flow: Flow<'c>) -> Flow<'c> {
        let Some(written) = &self.written else { return flow };
        written
            .columns
            .iter()
            .filter(|column| &*column.name == name)
            .map(|column| &column.flow)
            .chain([&written.any])
            .fold(flow, |flow, put| match (&flow, put) {
                (Flow::Exact(base), Flow::Made(puts)) if puts.iter().all(|put| put == base) => flow,
                (Flow::Exact(base), Flow::Exact(put)) if base == put => flow,
                _ => flow.and(put.clone()),
            })
    }
}

fn named<'c>(schemas: &[String], relation: &str, column: &str) -> Flow<'c> {
    let base = |schema: &String| {
        Base::Named(Rc::new(BaseColumn {
            schema: schema.clone(),
            relation: relation.to_owned(),
            column: column.to_owned(),
        }))
    };
    match schemas {
        [] => Flow::Unsettled,
        [schema] => Flow::Exact(base(schema)),
        schemas => Flow::Made(schemas.iter().map(base).collect()),
    }
}

/// Exactly one column may bear a name; PostgreSQL refuses two, so any answer would do: the safe one.
fn one<'a, 'c: 'a>(mut columns: impl Iterator<Item = &'a Column<'c>>) -> Found<'c> {
    match (columns.next(), columns.next()) {
        (None, _) => Found::No,
        (Some(column), None) => Found::Yes(column.flow.clone()),
        (Some(_), Some(_)) => Found::Yes(Flow::Unsettled),
    }
}

/// The same name looked for in several places of one level.
fn merge<'c>(all: impl Iterator<Item = Found<'c>>) -> Found<'c> {
    all.fold(Found::No, |so_far, next| match (so_far, next) {
        (found, Found::No) | (Found::No, found) => found,
        (Found::Yes(_), Found::Yes(_)) => Found::Yes(Flow::Unsettled),
        (Found::Yes(flow), Found::Maybe(_)) | (Found::Maybe(_), Found::Yes(flow)) => Found::Yes(flow),
        (Found::Maybe(_), Found::Maybe(_)) => Found::Maybe(Flow::Unsettled),
    })
}

/// An entry of a level, and how it can be seen there.
#[derive(Clone, Debug)]
pub(super) struct Entry<'c> {
    /// What it is.
    pub(super) item: Rc<Item<'c>>,
    /// `name.column` and the whole row can refer to it.
    pub(super) by_name: bool,
    /// Its columns can be named alone, and `*` expands it.
    pub(super) by_columns: bool,
}

impl<'c> Entry<'c> {
    /// An entry that can be seen both ways.
    pub(super) fn new(item: Rc<Item<'c>>) -> Self {
        Self { item, by_name: true, by_columns: true }
    }
}

/// A WITH query.
#[derive(Clone, Debug)]
pub(super) struct Cte<'c> {
    /// Its name.
    pub(super) name: Rc<str>,
    /// Its columns.
    pub(super) state: CteState<'c>,
}

/// What is known of a WITH query.
#[derive(Clone, Debug)]
pub(super) enum CteState<'c> {
    /// Not read yet; the number of its WITH clause.
    Pending(usize),
    /// These columns.
    Columns(Rc<[Column<'c>]>),
    /// Nobody can say.
    Unsettled,
}

/// One query level.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope<'s, 'c> {
    /// The level around it.
    pub(super) parent: Option<&'s Scope<'s, 'c>>,
    /// Its WITH queries, later ones hide earlier ones of the same name.
    pub(super) ctes: &'s [Cte<'c>],
    /// Its FROM entries.
    pub(super) entries: &'s [Entry<'c>],
}

impl<'s, 'c> Scope<'s, 'c> {
    /// The level itself, then those around it.
    fn levels(&'s self) -> impl Iterator<Item = &'s Self> {
        std::iter::successors(Some(self), |scope| scope.parent)
    }

    /// The WITH query of that name.
    pub(super) fn cte(&'s self, name: &str) -> Option<&'s Cte<'c>> {
        self.levels().find_map(|scope| scope.ctes.iter().rev().find(|cte| &*cte.name == name))
    }

    /// The entry that a relation name refers to.
    pub(super) fn entry(&'s self, schema: Option<&str>, name: &str) -> Option<&'s Rc<Item<'c>>> {
        self.levels()
            .find_map(|scope| {
                scope.entries.iter().find(|entry| entry.by_name && is_called(&entry.item, schema, name))
            })
            .map(|entry| &entry.item)
    }

    /// A name that stands alone: a column of the innermost level that has it, else a whole row.
    /// The second value is the entry when it is a whole row.
    pub(super) fn lone(&'s self, name: &str) -> (Flow<'c>, Option<&'s Rc<Item<'c>>>) {
        let mut perhaps: Option<Flow<'c>> = None;
        for scope in self.levels() {
            let entries = scope.entries.iter().filter(|entry| entry.by_columns);
            match merge(entries.map(|entry| entry.item.find(name))) {
                Found::No => {}
                Found::Yes(flow) => return (perhaps.map_or(flow, |_| Flow::Unsettled), None),
                Found::Maybe(flow) => {
                    perhaps = Some(if perhaps.is_some() { Flow::Unsettled } else { flow });
                }
            }
        }
        match (perhaps, self.entry(None, name)) {
            (None, Some(item)) => (item.row(), Some(item)),
            (None, None) => (Flow::Unsettled, None),
            (Some(flow), None) => (flow, None),
            // Both readings of a function's alias are the same.
            (Some(flow), Some(item)) => {
                (if item.row() == flow.clone().made() { flow.made() } else { Flow::Unsettled }, None)
            }
        }
    }
}

fn is_called(item: &Item<'_>, schema: Option<&str>, name: &str) -> bool {
    item.name.as_deref() == Some(name)
        && schema.is_none_or(|schema| {
            item.schemas.as_ref().is_some_and(|schemas| schemas.iter().any(|own| own == schema))
        })
}
