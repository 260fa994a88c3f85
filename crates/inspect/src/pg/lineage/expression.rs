//! What an expression is made of.
//!
//! Every value that can be told from the result counts as a source: arguments, compared values, the
//! conditions of CASE and FILTER. Rows chosen elsewhere (WHERE, ON, GROUP BY) do not. Code that is not
//! classed may return anything, so what it feeds is unsettled.

use std::rc::Rc;

use pg_query::protobuf::{
    AConst, AExpr, AExprKind, AIndirection, ColumnRef, SubLink, SubLinkType, TypeCast, TypeName, a_const,
};
use pg_query::{Node, NodeEnum};

use super::super::names;
use super::flow::Flow;
use super::query;
use super::reader::Reader;
use super::scope::{Found, Item, Scope, Shape};
use super::server_names;

impl<'c> Reader<'c> {
    /// What the expression is made of.
    pub(super) fn expression(&self, node: &Node, scope: &Scope<'_, 'c>) -> Flow<'c> {
        let (Some(_step), Some(node)) = (self.step(), &node.node) else { return Flow::Unsettled };
        let flow = match node {
            NodeEnum::ColumnRef(reference) => self.reference(reference, scope),
            NodeEnum::AConst(_)
            | NodeEnum::ParamRef(_)
            | NodeEnum::SqlvalueFunction(_)
            | NodeEnum::SetToDefault(_)
            | NodeEnum::GroupingFunc(_)
            | NodeEnum::MergeSupportFunc(_) => Flow::constant(),
            NodeEnum::AExpr(expression) => self.operator(expression, scope),
            NodeEnum::FuncCall(call) => self.call(call, scope),
            NodeEnum::TypeCast(cast) => self.cast(cast, scope),
            NodeEnum::SubLink(link) => self.sub_link(link, scope),
            NodeEnum::AIndirection(indirection) => self.indirection(indirection, scope),
            other => self.composed(other, scope),
        };
        self.spend(flow.len() / 8);
        flow
    }

    /// Nodes that are made of their parts and of nothing else.
    fn composed(&self, node: &NodeEnum, scope: &Scope<'_, 'c>) -> Flow<'c> {
        match node {
            NodeEnum::CollateClause(collate) => self.maybe(collate.arg.as_deref(), scope),
            NodeEnum::BoolExpr(bool) => self.each(&bool.args, scope),
            NodeEnum::NullTest(test) => self.maybe(test.arg.as_deref(), scope),
            NodeEnum::BooleanTest(test) => self.maybe(test.arg.as_deref(), scope),
            NodeEnum::CoalesceExpr(coalesce) => self.each(&coalesce.args, scope),
            // Both compare: with `<` or `=` of the type's own operator class, which no path changes.
            NodeEnum::MinMaxExpr(pick) => self.each(&pick.args, scope),
            NodeEnum::RowExpr(row) => self.each(&row.args, scope),
            NodeEnum::AArrayExpr(array) => self.each(&array.elements, scope),
            NodeEnum::List(list) => self.each(&list.items, scope),
            NodeEnum::NamedArgExpr(argument) => self.maybe(argument.arg.as_deref(), scope),
            NodeEnum::ResTarget(target) => self.maybe(target.val.as_deref(), scope),
            NodeEnum::SortBy(sort) => self.maybe(sort.node.as_deref(), scope),
            NodeEnum::AIndices(indices) => {
                let bound =
                    |node: Option<&Node>| node.map_or(Flow::constant(), |n| self.expression(n, scope));
                bound(indices.lidx.as_deref()).and(bound(indices.uidx.as_deref()))
            }
            NodeEnum::CaseExpr(case) => {
                if case.arg.is_some() && names::may_be_user_operator("=", &self.context()) {
                    return Flow::Unsettled;
                }
                let given =
                    |node: Option<&Node>| node.map_or(Flow::constant(), |n| self.expression(n, scope));
                given(case.arg.as_deref())
                    .and(self.each(&case.args, scope))
                    .and(given(case.defresult.as_deref()))
            }
            NodeEnum::CaseWhen(when) => {
                self.maybe(when.expr.as_deref(), scope).and(self.maybe(when.result.as_deref(), scope))
            }
            NodeEnum::XmlExpr(xml) => self.each(&xml.named_args, scope).and(self.each(&xml.args, scope)),
            NodeEnum::XmlSerialize(xml) => {
                self.maybe(xml.expr.as_deref(), scope).and(self.typed(xml.type_name.as_ref()))
            }
            other => self.json(other, scope),
        }
    }

    /// A node that must be there.
    pub(super) fn maybe(&self, node: Option<&Node>, scope: &Scope<'_, 'c>) -> Flow<'c> {
        node.map_or(Flow::Unsettled, |node| self.expression(node, scope).made())
    }

    /// All of them.
    pub(super) fn each(&self, nodes: &[Node], scope: &Scope<'_, 'c>) -> Flow<'c> {
        Flow::all(nodes.iter().map(|node| self.expression(node, scope)))
    }

    /// `column`, `table.column`, `schema.table.column`, `table`, `table.*`.
    fn reference(&self, reference: &ColumnRef, scope: &Scope<'_, 'c>) -> Flow<'c> {
        let star = |node: Option<&Node>| matches!(node.map(|n| &n.node), Some(Some(NodeEnum::AStar(_))));
        if star(reference.fields.last()) {
            return match self.entry_of(reference, scope) {
                Some(item) => item.row(),
                None => Flow::Unsettled,
            };
        }
        let Some(names) = query::names(&reference.fields) else { return Flow::Unsettled };
        let item = match names.as_slice() {
            [name] => return scope.lone(name).0,
            [table, _] => scope.entry(None, table),
            [.., schema, table, _] => scope.entry(Some(schema), table),
            [] => None,
        };
        match (item, names.last()) {
            (Some(item), Some(name)) => self.field(item, name),
            _ => Flow::Unsettled,
        }
    }

    /// `table.*`: the entry it names.
    fn entry_of(&self, reference: &ColumnRef, scope: &Scope<'_, 'c>) -> Option<Rc<Item<'c>>> {
        let (_, qualifier) = reference.fields.split_last()?;
        match query::names(qualifier)?.as_slice() {
            [table] => scope.entry(None, table).cloned(),
            [.., schema, table] => scope.entry(Some(schema), table).cloned(),
            [] => None,
        }
    }

    /// `table.name`: a column, or else a call of a function with the whole row. The latter is left
    /// unsettled; without a catalog it has to be suspected wherever the server has such a function.
    fn field(&self, item: &Item<'c>, name: &str) -> Flow<'c> {
        match item.find(name) {
            Found::Yes(flow) => flow,
            Found::Maybe(_)
                if matches!(item.shape, Shape::Named { .. }) && server_names::takes_any_row(name) =>
            {
                Flow::Unsettled
            }
            Found::Maybe(flow) => flow,
            Found::No => Flow::Unsettled,
        }
    }

    /// The entry that an expression is the whole row of.
    pub(super) fn whole_row(&self, node: &Node, scope: &Scope<'_, 'c>) -> Option<Rc<Item<'c>>> {
        let Some(NodeEnum::ColumnRef(reference)) = &node.node else { return None };
        match query::names(&reference.fields).as_deref() {
            Some([name]) => scope.lone(name).1.cloned(),
            Some(_) => None,
            None => self.entry_of(reference, scope),
        }
    }

    /// `(row).field`, `array[1]`.
    fn indirection(&self, indirection: &AIndirection, scope: &Scope<'_, 'c>) -> Flow<'c> {
        let Some(argument) = indirection.arg.as_deref() else { return Flow::Unsettled };
        let mut rest = indirection.indirection.as_slice();
        let mut flow = None;
        if let Some(item) = self.whole_row(argument, scope)
            && let Some((first, after)) = rest.split_first()
            && let Some(NodeEnum::String(name)) = &first.node
        {
            flow = Some(self.field(&item, &name.sval));
            rest = after;
        }
        let mut flow = flow.unwrap_or_else(|| self.expression(argument, scope).made());
        for step in rest {
            flow = match &step.node {
                // A field; or, if the type has none of that name, a function of it.
                Some(NodeEnum::String(name)) if names::may_be_user_function(&name.sval, &self.context()) => {
                    Flow::Unsettled
                }
                Some(NodeEnum::String(_)) => flow.made(),
                Some(NodeEnum::AIndices(_)) => flow.and(self.expression(step, scope)),
                _ => Flow::Unsettled,
            };
        }
        flow
    }

    fn operator(&self, expression: &AExpr, scope: &Scope<'_, 'c>) -> Flow<'c> {
        let operands = || {
            let side = |node: Option<&Node>| node.map_or(Flow::constant(), |n| self.expression(n, scope));
            side(expression.lexpr.as_deref()).and(side(expression.rexpr.as_deref()))
        };
        let between = matches!(
            expression.kind(),
            AExprKind::AexprBetween
                | AExprKind::AexprNotBetween
                | AExprKind::AexprBetweenSym
                | AExprKind::AexprNotBetweenSym
        );
        let trusted = if between {
            ["<", "<=", ">", ">="].iter().all(|name| !names::may_be_user_operator(name, &self.context()))
        } else {
            self.is_server_operator(&expression.name)
        };
        if trusted { operands() } else { Flow::Unsettled }
    }

    fn is_server_operator(&self, name: &[Node]) -> bool {
        match query::names(name).as_deref() {
            Some([name]) => !names::may_be_user_operator(name, &self.context()),
            Some(["pg_catalog", _]) => true,
            _ => false,
        }
    }

    fn cast(&self, cast: &TypeCast, scope: &Scope<'_, 'c>) -> Flow<'c> {
        // A literal: its type's input function sees the constant and nothing else.
        if let Some(Some(NodeEnum::AConst(AConst { val: Some(a_const::Val::Sval(_)), .. }))) =
            cast.arg.as_deref().map(|node| &node.node)
        {
            return Flow::constant();
        }
        self.maybe(cast.arg.as_deref(), scope).and(self.typed(cast.type_name.as_ref()))
    }

    /// Nothing is added by a type of the server's own; any other may bring code with it.
    pub(super) fn typed(&self, name: Option<&TypeName>) -> Flow<'c> {
        match name {
            Some(name) if is_server_type(name) || self.is_plain_type(name) => Flow::constant(),
            _ => Flow::Unsettled,
        }
    }

    fn is_plain_type(&self, name: &TypeName) -> bool {
        let context = self.context();
        let plain = |schema, name: &str| {
            context.catalog.is_some_and(|catalog| catalog.is_plain_type(schema, name, context.search_path))
        };
        match query::names(&name.names).as_deref() {
            Some([name]) => plain(None, name),
            Some([.., schema, name]) => plain(Some(schema), name),
            _ => false,
        }
    }

    fn sub_link(&self, link: &SubLink, scope: &Scope<'_, 'c>) -> Flow<'c> {
        let columns = link
            .subselect
            .as_deref()
            .and_then(|node| node.node.as_ref())
            .and_then(|node| self.query(node, Some(scope)));
        let kind = link.sub_link_type();
        if kind == SubLinkType::ExistsSublink {
            // Whether there are rows says nothing of their values, but code that makes the rows might.
            let settled = columns.is_some_and(|columns| columns.iter().all(|c| c.flow != Flow::Unsettled));
            return if settled { Flow::constant() } else { Flow::Unsettled };
        }
        let values = match columns {
            Some(columns) => Flow::all(columns.into_iter().map(|column| column.flow)),
            None => Flow::Unsettled,
        };
        match kind {
            SubLinkType::ExprSublink | SubLinkType::ArraySublink | SubLinkType::MultiexprSublink => values,
            SubLinkType::AllSublink | SubLinkType::AnySublink | SubLinkType::RowcompareSublink => {
                let trusted = if link.oper_name.is_empty() {
                    !names::may_be_user_operator("=", &self.context())
                } else {
                    self.is_server_operator(&link.oper_name)
                };
                if trusted {
                    values.and(self.maybe(link.testexpr.as_deref(), scope))
                } else {
                    Flow::Unsettled
                }
            }
            _ => Flow::Unsettled,
        }
    }
}

/// Whether the type is one of the server's own: written `pg_catalog.x`, as the grammar writes its
/// keywords, or one of the well-known names, which `pg_catalog`'s place in the path keeps.
pub(super) fn is_server_type(name: &TypeName) -> bool {
    !name.pct_type
        && match query::names(&name.names).as_deref() {
            Some(["pg_catalog", name] | [name]) => server_names::is_type(name),
            _ => false,
        }
}
