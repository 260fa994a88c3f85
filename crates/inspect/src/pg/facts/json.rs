//! The SQL/JSON expressions, whose nodes hold expressions in many places.

use pg_query::NodeEnum;
use pg_query::protobuf::{
    JsonAggConstructor, JsonArgument, JsonBehavior, JsonExprOp, JsonKeyValue, JsonOutput, JsonTable,
    JsonTableColumn, JsonValueExpr,
};

use sallyport_core::ObjectName;

use super::{Mode, Reader, inner};

impl Reader<'_> {
    /// Any SQL/JSON node; what is none has no rule.
    pub(super) fn json(&mut self, node: &NodeEnum, mode: Mode) {
        match node {
            NodeEnum::JsonValueExpr(value) => self.json_value(Some(value), mode),
            NodeEnum::JsonIsPredicate(predicate) => self.maybe(&predicate.expr, mode),
            NodeEnum::JsonBehavior(behavior) => self.json_behavior(Some(behavior), mode),
            NodeEnum::JsonArgument(argument) => self.json_argument(argument, mode),
            NodeEnum::JsonKeyValue(pair) => self.json_pair(Some(pair), mode),
            NodeEnum::JsonTable(table) => {
                self.json_table(table);
            }
            NodeEnum::JsonFuncExpr(call) => {
                self.came_with(17, json_function(call.op()));
                self.json_value(call.context_item.as_deref(), mode);
                self.maybe(&call.pathspec, mode);
                self.all(&call.passing, mode);
                self.json_output(call.output.as_ref());
                self.json_behavior(call.on_empty.as_deref(), mode);
                self.json_behavior(call.on_error.as_deref(), mode);
            }
            NodeEnum::JsonParseExpr(parse) => {
                self.came_with(17, "json");
                self.json_value(parse.expr.as_deref(), mode);
                self.json_output(parse.output.as_ref());
            }
            NodeEnum::JsonScalarExpr(scalar) => {
                self.came_with(17, "json_scalar");
                self.maybe(&scalar.expr, mode);
                self.json_output(scalar.output.as_ref());
            }
            NodeEnum::JsonSerializeExpr(serialize) => {
                self.came_with(17, "json_serialize");
                self.json_value(serialize.expr.as_deref(), mode);
                self.json_output(serialize.output.as_ref());
            }
            NodeEnum::JsonObjectConstructor(object) => {
                self.came_with(16, "json_object");
                self.all(&object.exprs, mode);
                self.json_output(object.output.as_ref());
            }
            NodeEnum::JsonArrayConstructor(array) => {
                self.came_with(16, "json_array");
                self.all(&array.exprs, mode);
                self.json_output(array.output.as_ref());
            }
            NodeEnum::JsonArrayQueryConstructor(array) => {
                if let Some(query) = inner(&array.query) {
                    self.query(query);
                }
                self.json_output(array.output.as_ref());
            }
            NodeEnum::JsonObjectAgg(aggregate) => {
                self.came_with(16, "json_objectagg");
                self.json_pair(aggregate.arg.as_deref(), mode);
                self.json_aggregate(aggregate.constructor.as_deref());
            }
            NodeEnum::JsonArrayAgg(aggregate) => {
                self.came_with(16, "json_arrayagg");
                self.json_value(aggregate.arg.as_deref(), mode);
                self.json_aggregate(aggregate.constructor.as_deref());
            }
            other => self.unsupported_node(other),
        }
    }

    /// A word of the grammar that an earlier server reads as a function of a user's.
    pub(super) fn came_with(&mut self, version: u32, function: &str) {
        if self.given.server.is_some_and(|server| server < version) {
            self.call(ObjectName::bare(function));
        }
    }

    fn json_value(&mut self, value: Option<&JsonValueExpr>, mode: Mode) {
        if let Some(value) = value {
            self.maybe(&value.raw_expr, mode);
            self.maybe(&value.formatted_expr, mode);
        }
    }

    fn json_behavior(&mut self, behavior: Option<&JsonBehavior>, mode: Mode) {
        if let Some(behavior) = behavior {
            self.maybe(&behavior.expr, mode);
        }
    }

    fn json_argument(&mut self, argument: &JsonArgument, mode: Mode) {
        self.json_value(argument.val.as_deref(), mode);
    }

    fn json_pair(&mut self, pair: Option<&JsonKeyValue>, mode: Mode) {
        if let Some(pair) = pair {
            self.maybe(&pair.key, mode);
            self.json_value(pair.value.as_deref(), mode);
        }
    }

    fn json_output(&mut self, output: Option<&JsonOutput>) {
        if let Some(output) = output {
            self.cast_to(output.type_name.as_ref());
        }
    }

    fn json_aggregate(&mut self, constructor: Option<&JsonAggConstructor>) {
        let Some(constructor) = constructor else { return };
        self.json_output(constructor.output.as_ref());
        self.maybe(&constructor.agg_filter, Mode::Filter);
        self.all(&constructor.agg_order, Mode::Filter);
        if let Some(window) = constructor.over.as_deref() {
            self.window(window);
        }
    }

    /// JSON_TABLE; gives its columns' names.
    pub(super) fn json_table(&mut self, table: &JsonTable) -> Vec<String> {
        self.json_value(table.context_item.as_deref(), Mode::Read);
        self.all(&table.passing, Mode::Read);
        self.json_behavior(table.on_error.as_deref(), Mode::Read);
        let mut names = Vec::new();
        self.json_columns(&table.columns, &mut names);
        names
    }

    fn json_columns(&mut self, columns: &[pg_query::Node], names: &mut Vec<String>) {
        for column in columns {
            match column.node.as_ref() {
                Some(NodeEnum::JsonTableColumn(column)) => {
                    self.deeper(|reader| reader.json_column(column, names));
                }
                Some(other) => self.unsupported_node(other),
                None => {}
            }
        }
    }

    fn json_column(&mut self, column: &JsonTableColumn, names: &mut Vec<String>) {
        names.push(column.name.clone());
        self.cast_to(column.type_name.as_ref());
        self.json_behavior(column.on_empty.as_deref(), Mode::Read);
        self.json_behavior(column.on_error.as_deref(), Mode::Read);
        self.json_columns(&column.columns, names);
    }
}

fn json_function(op: JsonExprOp) -> &'static str {
    match op {
        JsonExprOp::JsonExistsOp => "json_exists",
        JsonExprOp::JsonValueOp => "json_value",
        JsonExprOp::JsonQueryOp | JsonExprOp::JsonTableOp | JsonExprOp::Undefined => "json_query",
    }
}
