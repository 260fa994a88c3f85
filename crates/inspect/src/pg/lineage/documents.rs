//! SQL/JSON constructors and queries, XMLTABLE and JSON_TABLE: made of the document and of every
//! expression that goes into reading it.

use pg_query::protobuf::{
    JsonAggConstructor, JsonBehavior, JsonOutput, JsonTable, JsonTableColumn, JsonTableColumnType,
    JsonValueExpr, RangeTableFunc,
};
use pg_query::{Node, NodeEnum};

use super::call::aliased_or;
use super::flow::{Column, Flow};
use super::reader::Reader;
use super::scope::{Item, Scope, Shape};
use super::source::named;

impl<'c> Reader<'c> {
    /// The SQL/JSON nodes; anything else is unsettled.
    pub(super) fn json(&self, node: &NodeEnum, scope: &Scope<'_, 'c>) -> Flow<'c> {
        match node {
            NodeEnum::JsonValueExpr(value) => self.json_value(Some(value), scope),
            NodeEnum::JsonArgument(argument) => self.json_value(argument.val.as_deref(), scope),
            NodeEnum::JsonKeyValue(pair) => {
                self.maybe(pair.key.as_deref(), scope).and(self.json_value(pair.value.as_deref(), scope))
            }
            NodeEnum::JsonParseExpr(parse) => {
                self.json_value(parse.expr.as_deref(), scope).and(self.output(parse.output.as_ref()))
            }
            NodeEnum::JsonScalarExpr(scalar) => {
                self.maybe(scalar.expr.as_deref(), scope).and(self.output(scalar.output.as_ref()))
            }
            NodeEnum::JsonSerializeExpr(serialize) => {
                self.json_value(serialize.expr.as_deref(), scope).and(self.output(serialize.output.as_ref()))
            }
            NodeEnum::JsonObjectConstructor(object) => {
                self.each(&object.exprs, scope).and(self.output(object.output.as_ref()))
            }
            NodeEnum::JsonArrayConstructor(array) => {
                self.each(&array.exprs, scope).and(self.output(array.output.as_ref()))
            }
            NodeEnum::JsonArrayQueryConstructor(array) => {
                let columns = array
                    .query
                    .as_deref()
                    .and_then(|node| node.node.as_ref())
                    .and_then(|node| self.query(node, Some(scope)));
                match columns {
                    Some(columns) => Flow::all(columns.into_iter().map(|column| column.flow))
                        .and(self.output(array.output.as_ref())),
                    None => Flow::Unsettled,
                }
            }
            NodeEnum::JsonObjectAgg(aggregate) => {
                let Some(pair) = &aggregate.arg else { return Flow::Unsettled };
                self.maybe(pair.key.as_deref(), scope)
                    .and(self.json_value(pair.value.as_deref(), scope))
                    .and(self.json_aggregate(aggregate.constructor.as_deref(), scope))
            }
            NodeEnum::JsonArrayAgg(aggregate) => self
                .json_value(aggregate.arg.as_deref(), scope)
                .and(self.json_aggregate(aggregate.constructor.as_deref(), scope)),
            NodeEnum::JsonIsPredicate(predicate) => self.maybe(predicate.expr.as_deref(), scope),
            NodeEnum::JsonFuncExpr(function) => self
                .json_value(function.context_item.as_deref(), scope)
                .and(self.maybe(function.pathspec.as_deref(), scope))
                .and(self.each(&function.passing, scope))
                .and(self.output(function.output.as_ref()))
                .and(self.behaviour(function.on_empty.as_deref(), scope))
                .and(self.behaviour(function.on_error.as_deref(), scope)),
            _ => Flow::Unsettled,
        }
    }

    fn json_value(&self, value: Option<&JsonValueExpr>, scope: &Scope<'_, 'c>) -> Flow<'c> {
        match value {
            Some(value) => self.maybe(value.raw_expr.as_deref(), scope),
            None => Flow::Unsettled,
        }
    }

    fn json_aggregate(&self, aggregate: Option<&JsonAggConstructor>, scope: &Scope<'_, 'c>) -> Flow<'c> {
        let Some(aggregate) = aggregate else { return Flow::constant() };
        aggregate
            .agg_filter
            .as_deref()
            .map_or(Flow::constant(), |filter| self.expression(filter, scope))
            .and(self.each(&aggregate.agg_order, scope))
            .and(self.output(aggregate.output.as_ref()))
    }

    fn output(&self, output: Option<&JsonOutput>) -> Flow<'c> {
        match output.and_then(|output| output.type_name.as_ref()) {
            Some(name) => self.typed(Some(name)),
            None => Flow::constant(),
        }
    }

    fn behaviour(&self, behaviour: Option<&JsonBehavior>, scope: &Scope<'_, 'c>) -> Flow<'c> {
        behaviour
            .and_then(|behaviour| behaviour.expr.as_deref())
            .map_or(Flow::constant(), |node| self.expression(node, scope).made())
    }

    fn given(&self, node: Option<&Node>, scope: &Scope<'_, 'c>) -> Flow<'c> {
        node.map_or(Flow::constant(), |node| self.expression(node, scope).made())
    }

    /// XMLTABLE.
    pub(super) fn xml_table(&self, table: &RangeTableFunc, scope: &Scope<'_, 'c>) -> Item<'c> {
        let document = self
            .maybe(table.docexpr.as_deref(), scope)
            .and(self.maybe(table.rowexpr.as_deref(), scope))
            .and(self.each(&table.namespaces, scope));
        self.decide(document.clone());
        let mut columns = Vec::with_capacity(table.columns.len());
        for column in &table.columns {
            let Some(NodeEnum::RangeTableFuncCol(column)) = &column.node else {
                return named(Item::new(None, Shape::Shapeless(Flow::Unsettled)), table.alias.as_ref());
            };
            let flow = if column.for_ordinality {
                Flow::constant()
            } else {
                document
                    .clone()
                    .and(self.given(column.colexpr.as_deref(), scope))
                    .and(self.given(column.coldefexpr.as_deref(), scope))
                    .and(self.typed(column.type_name.as_ref()))
            };
            columns.push(Column::new(&column.colname, flow));
        }
        aliased_or("xmltable", columns, table.alias.as_ref())
    }

    /// JSON_TABLE (PostgreSQL 17).
    pub(super) fn json_table(&self, table: &JsonTable, scope: &Scope<'_, 'c>) -> Item<'c> {
        let document = self
            .json_value(table.context_item.as_deref(), scope)
            .and(self.each(&table.passing, scope))
            .and(self.behaviour(table.on_error.as_deref(), scope));
        self.decide(document.clone());
        let mut columns = Vec::new();
        if self.json_columns(&table.columns, &document, scope, &mut columns).is_none() {
            return named(Item::new(None, Shape::Shapeless(Flow::Unsettled)), table.alias.as_ref());
        }
        aliased_or("json_table", columns, table.alias.as_ref())
    }

    fn json_columns(
        &self,
        nodes: &[Node],
        document: &Flow<'c>,
        scope: &Scope<'_, 'c>,
        columns: &mut Vec<Column<'c>>,
    ) -> Option<()> {
        let _step = self.step()?;
        for node in nodes {
            let Some(NodeEnum::JsonTableColumn(column)) = &node.node else { return None };
            match column.coltype() {
                JsonTableColumnType::JtcNested => {
                    self.json_columns(&column.columns, document, scope, columns)?;
                }
                JsonTableColumnType::JtcForOrdinality => {
                    columns.push(Column::new(&column.name, Flow::constant()));
                }
                _ => columns.push(Column::new(&column.name, self.json_column(column, document, scope))),
            }
        }
        Some(())
    }

    fn json_column(&self, column: &JsonTableColumn, document: &Flow<'c>, scope: &Scope<'_, 'c>) -> Flow<'c> {
        document
            .clone()
            .and(self.behaviour(column.on_empty.as_deref(), scope))
            .and(self.behaviour(column.on_error.as_deref(), scope))
            .and(self.typed(column.type_name.as_ref()))
    }
}
