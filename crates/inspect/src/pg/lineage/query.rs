//! The columns of a query: WITH, set operations, VALUES, SELECT lists.
//!
//! Follows `parse_cte.c`, `analyze.c` and `parse_target.c` in which names a level can see and in how
//! many columns come out under which names. Conditions, grouping and ordering choose rows, they do not make
//! values: `decides` keeps them apart.

use std::rc::Rc;

use pg_query::protobuf::{CommonTableExpr, ResTarget, SelectStmt, SetOperation, WithClause};
use pg_query::{Node, NodeEnum};

use super::flow::{Column, Flow};
use super::reader::{COLUMNS, Reader};
use super::scope::{Cte, CteState, Entry, Scope};

/// The columns of a query; nothing when even their number cannot be settled.
pub(super) type Columns<'c> = Option<Vec<Column<'c>>>;

impl<'c> Reader<'c> {
    /// The columns of any statement that may stand where a query stands.
    pub(super) fn query(&self, node: &NodeEnum, parent: Option<&Scope<'_, 'c>>) -> Columns<'c> {
        match node {
            NodeEnum::SelectStmt(select) => self.select(select, parent),
            NodeEnum::InsertStmt(insert) => self.insert(insert, parent),
            NodeEnum::UpdateStmt(update) => self.update(update, parent),
            NodeEnum::DeleteStmt(delete) => self.delete(delete, parent),
            NodeEnum::MergeStmt(merge) => self.merge(merge, parent),
            _ => None,
        }
    }

    /// The columns of a SELECT, VALUES or set operation.
    pub(super) fn select(&self, select: &SelectStmt, parent: Option<&Scope<'_, 'c>>) -> Columns<'c> {
        let columns = self.selected(select, parent);
        if columns.is_none() {
            // Its conditions may not have been read.
            self.decide(Flow::Unsettled);
        }
        columns
    }

    fn selected(&self, select: &SelectStmt, parent: Option<&Scope<'_, 'c>>) -> Columns<'c> {
        let _step = self.step()?;
        let ctes = self.with(select.with_clause.as_ref(), parent);
        let around = Scope { parent, ctes: &ctes, entries: &[] };
        if select.op() != SetOperation::SetopNone {
            let (left, right) = (select.larg.as_deref()?, select.rarg.as_deref()?);
            let left = self.select(left, Some(&around))?;
            let right = self.select(right, Some(&around));
            let columns = either(left, right);
            self.chosen(select, &columns, &around);
            return Some(columns);
        }
        if !select.values_lists.is_empty() {
            let columns = self.values(&select.values_lists, &around)?;
            self.chosen(select, &columns, &around);
            return Some(columns);
        }
        let entries = self.from(&select.from_clause, &around);
        let scope = Scope { entries: &entries, ..around };
        let columns = self.targets(&select.target_list, &scope)?;
        self.chosen(select, &columns, &scope);
        Some(columns)
    }

    fn values(&self, rows: &[Node], scope: &Scope<'_, 'c>) -> Columns<'c> {
        let mut columns: Vec<Column<'c>> = Vec::new();
        for (number, row) in rows.iter().enumerate() {
            let Some(NodeEnum::List(row)) = &row.node else { return None };
            for (at, item) in row.items.iter().enumerate() {
                let flow = self.expression(item, scope).made();
                if number == 0 {
                    columns.push(Column::new(&format!("column{}", at.saturating_add(1)), flow));
                } else if let Some(column) = columns.get_mut(at) {
                    column.flow = std::mem::replace(&mut column.flow, Flow::Unsettled).and(flow);
                }
            }
        }
        Some(columns)
    }

    /// The columns of a target or RETURNING list.
    pub(super) fn targets(&self, targets: &[Node], scope: &Scope<'_, 'c>) -> Columns<'c> {
        let mut columns = Vec::with_capacity(targets.len());
        for target in targets {
            let Some(NodeEnum::ResTarget(target)) = &target.node else { return None };
            self.target(target, scope, &mut columns)?;
            if columns.len() > COLUMNS {
                return None;
            }
        }
        Some(columns)
    }

    fn target(&self, target: &ResTarget, scope: &Scope<'_, 'c>, columns: &mut Vec<Column<'c>>) -> Option<()> {
        let value = target.val.as_deref()?;
        if let Some(star) = self.star(value, scope) {
            columns.extend(star?);
            return Some(());
        }
        let flow = self.expression(value, scope);
        self.spend(flow.len());
        if self.watched.get() && !matches!(flow, Flow::Exact(_)) {
            self.decide(flow.clone());
        }
        let name: Rc<str> =
            if target.name.is_empty() { self.figure_name(value, scope) } else { target.name.as_str().into() };
        columns.push(Column { name, flow });
        Some(())
    }

    /// The columns that `*`, `t.*` or `(t).*` expands to; nothing when it is not one of these.
    fn star(&self, value: &Node, scope: &Scope<'_, 'c>) -> Option<Columns<'c>> {
        match value.node.as_ref()? {
            NodeEnum::ColumnRef(reference) => {
                let (last, qualifier) = reference.fields.split_last()?;
                matches!(last.node, Some(NodeEnum::AStar(_))).then(|| match names(qualifier).as_deref() {
                    Some([]) => self.all(scope.entries),
                    Some([table]) => scope.entry(None, table).and_then(|item| item.columns()),
                    Some([.., schema, table]) => {
                        scope.entry(Some(schema), table).and_then(|item| item.columns())
                    }
                    None => None,
                })
            }
            NodeEnum::AIndirection(indirection) => {
                let (last, before) = indirection.indirection.split_last()?;
                matches!(last.node, Some(NodeEnum::AStar(_))).then(|| {
                    let argument = indirection.arg.as_deref().filter(|_| before.is_empty())?;
                    self.whole_row(argument, scope)?.columns()
                })
            }
            _ => None,
        }
        .inspect(|columns| {
            self.spend(columns.as_ref().map_or(0, Vec::len));
        })
    }

    fn all(&self, entries: &[Entry<'c>]) -> Columns<'c> {
        let mut columns = Vec::new();
        for entry in entries.iter().filter(|entry| entry.by_columns) {
            columns.extend(entry.item.columns()?);
            if columns.len() > COLUMNS {
                return None;
            }
        }
        Some(columns)
    }

    /// The WITH queries of a clause.
    pub(super) fn with(&self, clause: Option<&WithClause>, parent: Option<&Scope<'_, 'c>>) -> Vec<Cte<'c>> {
        let Some(clause) = clause else { return Vec::new() };
        let queries = || {
            clause.ctes.iter().filter_map(|node| match &node.node {
                Some(NodeEnum::CommonTableExpr(cte)) => Some(&**cte),
                _ => None,
            })
        };
        if clause.recursive {
            return self.with_recursive(&queries().collect::<Vec<_>>(), parent);
        }
        let mut ctes = Vec::with_capacity(clause.ctes.len());
        for cte in queries() {
            let columns = self.cte_query(cte, &Scope { parent, ctes: &ctes, entries: &[] });
            ctes.push(Cte { name: cte.ctename.as_str().into(), state: state(columns) });
        }
        ctes
    }

    fn cte_query(&self, cte: &CommonTableExpr, scope: &Scope<'_, 'c>) -> Columns<'c> {
        let node = cte.ctequery.as_deref()?.node.as_ref()?;
        Some(aliased(self.query(node, Some(scope))?, cte))
    }

    /// Under RECURSIVE every query of the clause sees every other, in any order that has no circle:
    /// those that have to wait for another are read again after it.
    fn with_recursive(&self, queries: &[&CommonTableExpr], parent: Option<&Scope<'_, 'c>>) -> Vec<Cte<'c>> {
        let number = self.number_with();
        let mut ctes: Vec<Cte<'c>> = queries
            .iter()
            .map(|cte| Cte { name: cte.ctename.as_str().into(), state: CteState::Pending(number) })
            .collect();
        let mut progress = true;
        while std::mem::take(&mut progress) && !self.exhausted() {
            for (at, cte) in queries.iter().enumerate() {
                if !ctes.get(at).is_some_and(|cte| matches!(cte.state, CteState::Pending(_))) {
                    continue;
                }
                let decided = self.decides.borrow().clone();
                let columns = self.recursive(cte, at, &mut ctes, parent);
                let waits = {
                    let mut blocked = self.blocked.borrow_mut();
                    let before = blocked.len();
                    blocked.retain(|with| *with != number);
                    blocked.len() != before
                };
                if waits {
                    // It is read again, and then over what is known by then.
                    *self.decides.borrow_mut() = decided;
                } else {
                    set(&mut ctes, at, state(columns.map(|columns| searched(columns, cte))));
                    progress = true;
                }
            }
        }
        for cte in &mut ctes {
            if matches!(cte.state, CteState::Pending(_)) {
                cte.state = CteState::Unsettled;
                self.decide(Flow::Unsettled);
            }
        }
        ctes
    }

    /// `first UNION again`: what the second half makes of the columns is fed back to it until nothing
    /// new comes.
    fn recursive(
        &self,
        cte: &CommonTableExpr,
        at: usize,
        ctes: &mut [Cte<'c>],
        parent: Option<&Scope<'_, 'c>>,
    ) -> Columns<'c> {
        let union = match cte.ctequery.as_deref()?.node.as_ref()? {
            NodeEnum::SelectStmt(select) if select.op() == SetOperation::SetopUnion => select,
            _ => return self.cte_query(cte, &Scope { parent, ctes, entries: &[] }),
        };
        let (left, right) = (union.larg.as_deref()?, union.rarg.as_deref()?);
        let pending = ctes.get(at)?.state.clone();
        let first = {
            let around = Scope { parent, ctes, entries: &[] };
            let inner = self.with(union.with_clause.as_ref(), Some(&around));
            let scope = Scope { parent: Some(&around), ctes: &inner, entries: &[] };
            aliased(self.select(left, Some(&scope))?, cte)
        };
        let mut columns = first.clone();
        loop {
            set(ctes, at, CteState::Columns(columns.as_slice().into()));
            let again = {
                let around = Scope { parent, ctes, entries: &[] };
                let inner = self.with(union.with_clause.as_ref(), Some(&around));
                let scope = Scope { parent: Some(&around), ctes: &inner, entries: &[] };
                self.select(right, Some(&scope))
            };
            let next = either(first.clone(), again);
            if next == columns || self.exhausted() {
                set(ctes, at, pending);
                return Some(next);
            }
            columns = next;
        }
    }
}

fn set<'c>(ctes: &mut [Cte<'c>], at: usize, state: CteState<'c>) {
    if let Some(cte) = ctes.get_mut(at) {
        cte.state = state;
    }
}

fn state(columns: Columns<'_>) -> CteState<'_> {
    columns.map_or(CteState::Unsettled, |columns| CteState::Columns(columns.into()))
}

/// The first columns take the names that the WITH query lists.
fn aliased<'c>(mut columns: Vec<Column<'c>>, cte: &CommonTableExpr) -> Vec<Column<'c>> {
    for (column, name) in columns.iter_mut().zip(&cte.aliascolnames) {
        if let Some(NodeEnum::String(name)) = &name.node {
            column.name = name.sval.as_str().into();
        }
    }
    columns
}

/// The columns that SEARCH and CYCLE add.
fn searched<'c>(mut columns: Vec<Column<'c>>, cte: &CommonTableExpr) -> Vec<Column<'c>> {
    let picked = |columns: &[Column<'c>], list: &[Node]| {
        let list = names(list).unwrap_or_default();
        Flow::all(
            columns.iter().filter(|column| list.contains(&&*column.name)).map(|column| column.flow.clone()),
        )
    };
    let own = columns.clone();
    if let Some(search) = &cte.search_clause {
        columns.push(Column::new(&search.search_seq_column, picked(&own, &search.search_col_list)));
    }
    if let Some(cycle) = &cte.cycle_clause {
        let path = picked(&own, &cycle.cycle_col_list);
        columns.push(Column::new(&cycle.cycle_mark_column, path.clone()));
        columns.push(Column::new(&cycle.cycle_path_column, path));
    }
    columns
}

/// The rows of both, column by column, under the names of the first.
fn either<'c>(left: Vec<Column<'c>>, right: Columns<'c>) -> Vec<Column<'c>> {
    let mut right = right.filter(|right| right.len() == left.len()).map(Vec::into_iter);
    left.into_iter()
        .map(|column| {
            let other = right.as_mut().and_then(Iterator::next).map_or(Flow::Unsettled, |column| column.flow);
            Column { name: column.name, flow: column.flow.or(other) }
        })
        .collect()
}

/// A list of names, when it is nothing else.
pub(super) fn names(nodes: &[Node]) -> Option<Vec<&str>> {
    nodes
        .iter()
        .map(|node| match &node.node {
            Some(NodeEnum::String(name)) => Some(name.sval.as_str()),
            _ => None,
        })
        .collect()
}
