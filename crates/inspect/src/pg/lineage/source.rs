//! What stands in FROM: relations, WITH queries, views, sub-queries, joins.
//!
//! Follows `parse_clause.c`, `transformFromClauseItem`: an entry sees the ones to its left only when
//! it is LATERAL (functions always are), a join merges the columns of USING and NATURAL first, an
//! alias on a join hides what it joins.

use std::rc::Rc;

use pg_query::protobuf::{Alias, JoinExpr, RangeSubselect, RangeVar};
use pg_query::{Node, NodeEnum};

use super::super::catalog::RelationKind;
use super::super::names::{self, Meaning};
use super::flow::{Column, Flow};
use super::query;
use super::reader::Reader;
use super::scope::{CteState, Entry, Item, Scope, Shape};

/// An entry's visible names, and the entry itself as a join sees it.
pub(super) type Source<'c> = (Vec<Entry<'c>>, Rc<Item<'c>>);

impl<'c> Reader<'c> {
    /// The entries of a FROM clause. `around` is the level itself, still without entries.
    pub(super) fn from(&self, nodes: &[Node], around: &Scope<'_, 'c>) -> Vec<Entry<'c>> {
        let mut visible = Vec::with_capacity(nodes.len());
        for node in nodes {
            let (entries, _) = self.source(node, around, &mut visible);
            visible.extend(entries);
        }
        visible
    }

    /// One FROM item; `visible` is what LATERAL sees, and comes back as it was.
    fn source(&self, node: &Node, around: &Scope<'_, 'c>, visible: &mut Vec<Entry<'c>>) -> Source<'c> {
        let Some(_step) = self.step() else {
            return alone(Item::new(None, Shape::Shapeless(Flow::Unsettled)));
        };
        let lateral = Scope { entries: visible, ..*around };
        match &node.node {
            Some(NodeEnum::RangeVar(relation)) => alone(self.relation(relation, around)),
            Some(NodeEnum::RangeSubselect(query)) => {
                alone(self.sub_query(query, if query.lateral { &lateral } else { around }))
            }
            Some(NodeEnum::RangeFunction(function)) => alone(self.range_function(function, &lateral)),
            Some(NodeEnum::RangeTableFunc(table)) => alone(self.xml_table(table, &lateral)),
            Some(NodeEnum::JsonTable(table)) => alone(self.json_table(table, &lateral)),
            Some(NodeEnum::RangeTableSample(sample)) => match sample.relation.as_deref() {
                Some(relation) => {
                    self.decide(self.each(&sample.args, &lateral));
                    self.source(relation, around, visible)
                }
                None => alone(Item::new(None, Shape::Shapeless(Flow::Unsettled))),
            },
            Some(NodeEnum::JoinExpr(join)) => self.join(join, around, visible),
            _ => alone(Item::new(None, Shape::Shapeless(Flow::Unsettled))),
        }
    }

    /// A name in FROM: a WITH query, or a relation.
    fn relation(&self, range: &RangeVar, around: &Scope<'_, 'c>) -> Item<'c> {
        if range.schemaname.is_empty()
            && range.catalogname.is_empty()
            && let Some(cte) = around.cte(&range.relname)
        {
            let shape = match &cte.state {
                CteState::Columns(columns) => Shape::Listed(Rc::clone(columns)),
                CteState::Unsettled => Shape::Shapeless(Flow::Unsettled),
                CteState::Pending(with) => {
                    self.blocked.borrow_mut().push(*with);
                    Shape::Shapeless(Flow::Unsettled)
                }
            };
            return named(Item::new(Some(range.relname.as_str().into()), shape), range.alias.as_ref());
        }
        self.table(range)
    }

    /// A relation that no WITH query can hide: the target of a write, COPY, or any other by now.
    pub(super) fn table(&self, range: &RangeVar) -> Item<'c> {
        let (shape, schemas) = match names::relation(&range.schemaname, &range.relname, &self.context()) {
            Meaning::Known(relation) => {
                let is_view = matches!(relation.kind, RelationKind::View | RelationKind::MaterializedView)
                    && !matches!(&*relation.schema, "pg_catalog" | "information_schema");
                let shape = if is_view { Shape::Listed(self.view(relation)) } else { Shape::Table(relation) };
                (shape, Some(Rc::from([relation.schema.clone()])))
            }
            Meaning::Possible(schemas) => {
                let schemas: Rc<[String]> = schemas.into();
                let name = range.relname.as_str().into();
                (Shape::Named { schemas: Rc::clone(&schemas), name }, Some(schemas))
            }
            Meaning::Unlisted => (Shape::Shapeless(Flow::Unsettled), None),
        };
        let mut item = Item::new(Some(range.relname.as_str().into()), shape);
        item.schemas = schemas;
        named(item, range.alias.as_ref())
    }

    fn sub_query(&self, query: &RangeSubselect, scope: &Scope<'_, 'c>) -> Item<'c> {
        let columns = query
            .subquery
            .as_deref()
            .and_then(|node| node.node.as_ref())
            .and_then(|node| self.query(node, Some(scope)));
        let shape =
            columns.map_or(Shape::Shapeless(Flow::Unsettled), |columns| Shape::Listed(columns.into()));
        named(Item::new(None, shape), query.alias.as_ref())
    }

    fn join(&self, join: &JoinExpr, around: &Scope<'_, 'c>, visible: &mut Vec<Entry<'c>>) -> Source<'c> {
        let (Some(left), Some(right)) = (join.larg.as_deref(), join.rarg.as_deref()) else {
            return alone(Item::new(None, Shape::Shapeless(Flow::Unsettled)));
        };
        let before = visible.len();
        let (mut entries, left) = self.source(left, around, visible);
        visible.extend(entries.iter().cloned());
        let (right_entries, right) = self.source(right, around, visible);
        visible.truncate(before);
        entries.extend(right_entries);
        if let Some(condition) = join.quals.as_deref() {
            let scope = Scope { entries: &entries, ..*around };
            self.decide(self.expression(condition, &scope));
        }
        let (shape, merged) = joined(join, &left, &right);
        self.decide(match &merged {
            Shape::Listed(columns) => Flow::all(columns.iter().map(|column| column.flow.clone())),
            _ => Flow::Unsettled,
        });
        let item = named(Item::new(None, shape), join.alias.as_ref());
        if join.alias.is_some() {
            entries.clear();
        } else {
            for entry in &mut entries {
                entry.by_columns = false;
            }
            if let Some(alias) = &join.join_using_alias {
                let item = Item::new(Some(alias.aliasname.as_str().into()), merged);
                entries.push(Entry { by_columns: false, ..Entry::new(Rc::new(item)) });
            }
        }
        let item = Rc::new(item);
        entries.push(Entry { by_name: join.alias.is_some(), ..Entry::new(Rc::clone(&item)) });
        (entries, item)
    }
}

/// The columns of a join, and those merged by USING or NATURAL alone.
fn joined<'c>(join: &JoinExpr, left: &Rc<Item<'c>>, right: &Rc<Item<'c>>) -> (Shape<'c>, Shape<'c>) {
    let plain = || Shape::Joined(Rc::from([Rc::clone(left), Rc::clone(right)]));
    if !join.is_natural && join.using_clause.is_empty() {
        return (plain(), Shape::Listed(Rc::from([])));
    }
    let unknown = || (Shape::Shapeless(Flow::Unsettled), Shape::Shapeless(Flow::Unsettled));
    let (Some(left), Some(right)) = (left.columns(), right.columns()) else { return unknown() };
    let names: Vec<Rc<str>> = if join.is_natural {
        let has = |column: &&Column<'c>| right.iter().any(|other| other.name == column.name);
        left.iter().filter(has).map(|column| Rc::clone(&column.name)).collect()
    } else {
        match query::names(&join.using_clause) {
            Some(names) => names.into_iter().map(Rc::from).collect(),
            None => return unknown(),
        }
    };
    let mut merged = Vec::with_capacity(left.len().saturating_add(right.len()));
    for name in &names {
        let of = |columns: &[Column<'c>]| {
            columns.iter().find(|column| column.name == *name).map(|column| column.flow.clone())
        };
        let (Some(left), Some(right)) = (of(&left), of(&right)) else { return unknown() };
        // The values are equal, so either may be shown: both count.
        merged.push(Column { name: Rc::clone(name), flow: left.or(right) });
    }
    let using = Shape::Listed(merged.as_slice().into());
    merged.extend(left.into_iter().chain(right).filter(|column| !names.contains(&column.name)));
    (Shape::Listed(merged.into()), using)
}

/// An entry that stands alone.
fn alone<'c>(item: Item<'c>) -> Source<'c> {
    let item = Rc::new(item);
    let entry = Entry { by_name: item.name.is_some(), ..Entry::new(Rc::clone(&item)) };
    (vec![entry], item)
}

/// The entry under its alias.
pub(super) fn named<'c>(mut item: Item<'c>, alias: Option<&Alias>) -> Item<'c> {
    let Some(alias) = alias else { return item };
    item.name = Some(alias.aliasname.as_str().into());
    item.schemas = None;
    match query::names(&alias.colnames) {
        Some(names) => item.renamed = names.into_iter().map(Rc::from).collect(),
        None => item.shape = Shape::Shapeless(Flow::Unsettled),
    }
    item
}
