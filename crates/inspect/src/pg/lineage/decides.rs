//! What chooses the rows of a query, and what puts them in order.
//!
//! A value that decides whether a row comes is told by its coming: `WHERE ssn LIKE '1%'`. The facts name
//! such columns where they stand; here they are followed through sub-queries, WITH queries and views down
//! to the base columns, as `SELECT … FROM (SELECT ssn AS x …) WHERE x LIKE '1%'` asks the same.

use std::collections::BTreeSet;

use pg_query::protobuf::{SelectStmt, SetOperation, WindowDef, a_const};
use pg_query::{Node, NodeEnum};

use super::super::statement::Context;
use super::BaseColumn;
use super::flow::{Base, Column, Flow};
use super::query;
use super::reader::Reader;
use super::scope::{Found, Scope};

/// The base columns that decide which rows a query gives, and in which order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decides {
    /// These.
    Columns(BTreeSet<BaseColumn>),
    /// Any that is read may.
    Anything,
}

/// What decides the rows of a query, its sub-queries included. `watched`: under EXPLAIN ANALYZE, which
/// tells how often each part ran, so that CASE in a select list chooses something too.
pub(crate) fn decides(query: &NodeEnum, watched: bool, context: &Context<'_>) -> Decides {
    let reader = Reader::new(context);
    reader.watched.set(watched);
    let settled = reader.query(query, None).is_some();
    let decides = reader.decides.borrow();
    decides
        .as_ref()
        .filter(|_| settled && !reader.exhausted())
        .and_then(|bases| bases.iter().map(Base::to_column).collect::<Option<_>>())
        .map_or(Decides::Anything, Decides::Columns)
}

impl<'c> Reader<'c> {
    /// Notes all that chooses or orders the rows of this level.
    pub(super) fn chosen(&self, select: &SelectStmt, columns: &[Column<'c>], scope: &Scope<'_, 'c>) {
        for node in [&select.where_clause, &select.having_clause, &select.limit_count, &select.limit_offset] {
            if let Some(node) = node.as_deref() {
                self.decide(self.expression(node, scope));
            }
        }
        let merges = select.op() != SetOperation::SetopNone
            && !(select.all && select.op() == SetOperation::SetopUnion);
        let distinct = select.distinct_clause.iter().any(|node| node.node.is_none());
        if merges || distinct {
            // Equal rows become one. A column that comes unchanged has nothing to be compared with but
            // itself; anything else may be a question.
            for column in columns.iter().filter(|column| !matches!(column.flow, Flow::Exact(_))) {
                self.decide(column.flow.clone());
            }
        }
        for node in select.distinct_clause.iter().filter(|node| node.node.is_some()) {
            self.decide(self.output_or(node, columns, true, scope));
        }
        for node in &select.group_clause {
            self.grouping(node, columns, scope);
        }
        for node in &select.sort_clause {
            if let Some(NodeEnum::SortBy(sort)) = &node.node
                && let Some(node) = sort.node.as_deref()
            {
                self.decide(self.output_or(node, columns, true, scope));
            }
        }
        for window in &select.window_clause {
            if let Some(NodeEnum::WindowDef(window)) = &window.node {
                self.window(window, scope);
            }
        }
    }

    /// PARTITION BY, ORDER BY and the bounds of a window.
    pub(super) fn window(&self, window: &WindowDef, scope: &Scope<'_, 'c>) {
        let bounds = [window.start_offset.as_deref(), window.end_offset.as_deref()];
        let lists = window.partition_clause.iter().chain(&window.order_clause);
        for node in lists.chain(bounds.into_iter().flatten()) {
            self.decide(self.expression(node, scope));
        }
    }

    fn grouping(&self, node: &Node, columns: &[Column<'c>], scope: &Scope<'_, 'c>) {
        let Some(_step) = self.step() else { return self.decide(Flow::Unsettled) };
        let inner = match &node.node {
            Some(NodeEnum::GroupingSet(set)) => &set.content,
            Some(NodeEnum::RowExpr(row)) => &row.args,
            _ => return self.decide(self.output_or(node, columns, false, scope)),
        };
        for node in inner {
            self.grouping(node, columns, scope);
        }
    }

    /// ORDER BY, GROUP BY and DISTINCT ON may name an output column by its name or place.
    fn output_or(
        &self,
        node: &Node,
        columns: &[Column<'c>],
        output_first: bool,
        scope: &Scope<'_, 'c>,
    ) -> Flow<'c> {
        match &node.node {
            Some(NodeEnum::ColumnRef(reference)) => {
                if let Some([name]) = query::names(&reference.fields).as_deref()
                    && let Some(column) = columns.iter().find(|column| &*column.name == *name)
                {
                    let mut entries = scope.entries.iter().filter(|entry| entry.by_columns);
                    if output_first || entries.all(|entry| matches!(entry.item.find(name), Found::No)) {
                        return column.flow.clone();
                    }
                }
            }
            Some(NodeEnum::AConst(constant)) => {
                let Some(a_const::Val::Ival(place)) = &constant.val else { return Flow::constant() };
                let place = usize::try_from(place.ival).ok().and_then(|place| place.checked_sub(1));
                let column = place.and_then(|place| columns.get(place));
                return column.map_or(Flow::Unsettled, |column| column.flow.clone());
            }
            _ => {}
        }
        self.expression(node, scope)
    }
}
