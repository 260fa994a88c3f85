//! What calls of functions are made of, in expressions and in FROM.
//!
//! Follows `parse_relation.c`, `addRangeTableEntryForFunction`, in how the columns of a function in
//! FROM are named. A function whose columns are not written down yields columns of unknown names, all
//! of them made of its arguments.

use std::rc::Rc;

use pg_query::protobuf::{AConst, FuncCall, RangeFunction, a_const};
use pg_query::{Node, NodeEnum};

use super::super::functions::{FunctionClass, class_of};
use super::super::names;
use super::expression::is_server_type;
use super::flow::{Base, Column, Flow};
use super::query;
use super::reader::Reader;
use super::scope::{Item, Scope, Shape};
use super::server_names::{self, Returns};
use super::source::named;

impl<'c> Reader<'c> {
    /// What a call returns.
    pub(super) fn call(&self, call: &FuncCall, scope: &Scope<'_, 'c>) -> Flow<'c> {
        let Some(name) = self.server_function(call) else { return Flow::Unsettled };
        if server_names::tells_more_than_its_arguments(name) && !is_plain_setting(name, &call.args) {
            return Flow::Unsettled;
        }
        let filter =
            call.agg_filter.as_deref().map_or(Flow::constant(), |filter| self.expression(filter, scope));
        if let Some(window) = call.over.as_deref() {
            self.window(window, scope);
        }
        if name == "count" {
            return self.counted(&call.args, scope).and(filter);
        }
        let arguments = self.each(&call.args, scope);
        // What a setting, a channel or a lock is given can be read from there.
        let carries_away = class_of(Some("pg_catalog"), name) != Some(FunctionClass::Harmless);
        if carries_away || server_names::returns_rows(name) {
            self.decide(arguments.clone());
        }
        arguments.and(filter).and(self.each(&call.agg_order, scope))
    }

    /// How many there are says nothing of what they are, as long as the caller did not choose which are
    /// NULL: `count(ssn)` is harmless, `count(nullif(ssn, '…'))` answers a question.
    fn counted(&self, arguments: &[Node], scope: &Scope<'_, 'c>) -> Flow<'c> {
        Flow::all(arguments.iter().map(|argument| {
            let is_table = |item: Rc<Item<'_>>| matches!(item.shape, Shape::Table(_));
            if self.whole_row(argument, scope).is_some_and(is_table) {
                return Flow::constant();
            }
            match self.expression(argument, scope) {
                Flow::Exact(_) => Flow::constant(),
                made => made,
            }
        }))
    }

    /// The name of the function when it is surely one of the server's, and its answer is made of its
    /// arguments.
    fn server_function<'n>(&self, call: &'n FuncCall) -> Option<&'n str> {
        let names = query::names(&call.funcname)?;
        let (schema, name) = match names.as_slice() {
            [name] if !names::may_be_user_function(name, &self.context()) => (None, *name),
            [.., schema, name] => (Some(*schema), *name),
            _ => return None,
        };
        match class_of(schema, name)? {
            FunctionClass::Harmless
            | FunctionClass::Sets
            | FunctionClass::Notifies
            | FunctionClass::Terminates => Some(name),
            FunctionClass::Calls
                if name.starts_with("pg_advisory_")
                    || name.starts_with("pg_try_advisory_")
                    || matches!(name, "nextval" | "setval" | "pg_sleep" | "setseed") =>
            {
                Some(name)
            }
            _ => None,
        }
    }

    /// `function(…) [WITH ORDINALITY]`, `ROWS FROM (…)`.
    pub(super) fn range_function(&self, range: &RangeFunction, scope: &Scope<'_, 'c>) -> Item<'c> {
        let alias = range.alias.as_ref();
        let single = range.functions.len() == 1;
        let mut columns = Vec::new();
        let mut shapeless = None;
        let mut first_name = None;
        for function in &range.functions {
            let Some(NodeEnum::List(pair)) = &function.node else { continue };
            let (Some(call), definitions) = (pair.items.first(), pair.items.get(1)) else { continue };
            let listed = match definitions.map(|node| &node.node) {
                Some(Some(NodeEnum::List(list))) => list.items.as_slice(),
                _ => &[],
            };
            let listed = if single && !range.coldeflist.is_empty() { &range.coldeflist } else { listed };
            let name = self.figure_name(call, scope);
            let own = alias.filter(|_| single).map_or(&*name, |alias| alias.aliasname.as_str());
            // How many rows there are depends on the arguments.
            self.decide(self.expression(call, scope));
            match self.function_columns(call, listed, own, scope) {
                Ok(more) => columns.extend(more),
                Err(flow) => {
                    shapeless = Some(shapeless.map_or(flow.clone(), |so_far: Flow<'c>| so_far.and(flow)))
                }
            }
            first_name.get_or_insert(name);
        }
        if range.ordinality {
            columns.push(Column::new("ordinality", Flow::constant()));
        }
        let shape = match shapeless {
            Some(flow) => Shape::Shapeless(Flow::all(columns.into_iter().map(|c| c.flow)).and(flow)),
            None => Shape::Listed(columns.into()),
        };
        named(Item::new(first_name, shape), alias)
    }

    /// The columns of one function in FROM, or what all of them are made of.
    fn function_columns(
        &self,
        node: &Node,
        listed: &[Node],
        own_name: &str,
        scope: &Scope<'_, 'c>,
    ) -> Result<Vec<Column<'c>>, Flow<'c>> {
        let flow = self.expression(node, scope).made();
        if !listed.is_empty() {
            let name = |node: &Node| match &node.node {
                Some(NodeEnum::ColumnDef(column)) => Some(Column::new(&column.colname, flow.clone())),
                _ => None,
            };
            return listed.iter().map(name).collect::<Option<_>>().ok_or(Flow::Unsettled);
        }
        let call = match &node.node {
            Some(NodeEnum::FuncCall(call)) => call,
            Some(NodeEnum::SqlvalueFunction(_)) => return Ok(vec![Column::new(own_name, flow)]),
            _ => return Err(flow),
        };
        let Some(function) = self.server_function(call) else { return Err(flow) };
        if function == "unnest" {
            let plain = call.args.iter().all(|argument| self.is_plain_array(argument, scope));
            if !plain || call.args.is_empty() {
                return Err(flow);
            }
            if let [_] = call.args.as_slice() {
                return Ok(vec![Column::new(own_name, flow)]);
            }
            // Several arrays side by side: each is a column named `unnest`.
            let column = |argument| Column::new("unnest", self.expression(argument, scope).made());
            return Ok(call.args.iter().map(column).collect());
        }
        match server_names::returns(function) {
            Returns::Scalar => Ok(vec![Column::new(own_name, flow)]),
            Returns::Columns(names) => Ok(names.iter().map(|name| Column::new(name, flow.clone())).collect()),
            Returns::Unknown => Err(flow),
        }
    }

    /// Whether the argument is surely an array of something that is not a row.
    fn is_plain_array(&self, node: &Node, scope: &Scope<'_, 'c>) -> bool {
        match &node.node {
            Some(NodeEnum::TypeCast(cast)) => cast.type_name.as_ref().is_some_and(|name| {
                !name.array_bounds.is_empty() && is_server_type(name) && !is_record(name)
            }),
            Some(NodeEnum::AArrayExpr(array)) => {
                !array.elements.is_empty()
                    && array.elements.iter().all(|element| match &element.node {
                        Some(NodeEnum::AConst(_)) => true,
                        Some(NodeEnum::TypeCast(cast)) => cast
                            .type_name
                            .as_ref()
                            .is_some_and(|name| is_server_type(name) && !is_record(name)),
                        _ => false,
                    })
            }
            Some(NodeEnum::FuncCall(call)) => self.server_function(call).is_some_and(|name| {
                matches!(name, "string_to_array" | "regexp_split_to_array" | "regexp_match")
            }),
            Some(NodeEnum::ColumnRef(_)) => match self.expression(node, scope) {
                Flow::Exact(Base::Known(relation, at)) => relation
                    .columns
                    .get(at)
                    .is_some_and(|column| server_names::is_plain_array(column.type_id)),
                _ => false,
            },
            _ => false,
        }
    }
}

fn is_record(name: &pg_query::protobuf::TypeName) -> bool {
    query::names(&name.names).is_none_or(|names| names.last() == Some(&"record"))
}

/// `current_setting` of a constant name that is none of the settings anybody may invent.
fn is_plain_setting(function: &str, arguments: &[Node]) -> bool {
    function == "current_setting"
        && match arguments.first().map(|node| &node.node) {
            Some(Some(NodeEnum::AConst(AConst { val: Some(a_const::Val::Sval(name)), .. }))) => {
                !name.sval.contains('.')
            }
            _ => false,
        }
}

/// Keeps the alias of an entry that has no name of its own.
pub(super) fn aliased_or<'c>(
    name: &str,
    columns: Vec<Column<'c>>,
    alias: Option<&pg_query::protobuf::Alias>,
) -> Item<'c> {
    named(Item::new(Some(Rc::from(name)), Shape::Listed(columns.into())), alias)
}
