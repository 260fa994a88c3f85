//! Expressions: every node that may stand in one, so that nothing that reads or calls goes by unseen.

use pg_query::NodeEnum;
use pg_query::protobuf::{AExpr, AExprKind, Node, WindowDef};

use super::{Mode, Reader, inner, string_of};

impl Reader<'_> {
    pub(super) fn expr(&mut self, node: &Node, mode: Mode) {
        if let Some(node) = node.node.as_ref() {
            self.node(node, mode);
        }
    }

    pub(super) fn maybe(&mut self, node: &Option<Box<Node>>, mode: Mode) {
        if let Some(node) = inner(node) {
            self.node(node, mode);
        }
    }

    pub(super) fn all(&mut self, nodes: &[Node], mode: Mode) {
        for node in nodes {
            self.expr(node, mode);
        }
    }

    pub(super) fn node(&mut self, node: &NodeEnum, mode: Mode) {
        if self.exhausted() {
            return;
        }
        self.deeper(|reader| reader.expression(node, mode));
    }

    fn expression(&mut self, node: &NodeEnum, mode: Mode) {
        match node {
            // Values that read nothing.
            NodeEnum::AConst(_)
            | NodeEnum::ParamRef(_)
            | NodeEnum::SetToDefault(_)
            | NodeEnum::CurrentOfExpr(_)
            | NodeEnum::SqlvalueFunction(_)
            | NodeEnum::AStar(_)
            | NodeEnum::Integer(_)
            | NodeEnum::Float(_)
            | NodeEnum::Boolean(_)
            | NodeEnum::String(_)
            | NodeEnum::BitString(_)
            | NodeEnum::JsonFormat(_) => {}
            NodeEnum::MergeSupportFunc(_) => self.came_with(17, "merge_action"),
            NodeEnum::ColumnRef(reference) => self.column(reference, mode),
            NodeEnum::AExpr(expression) => self.a_expr(expression, mode),
            NodeEnum::BoolExpr(boolean) => self.all(&boolean.args, mode),
            NodeEnum::SubLink(link) => {
                self.maybe(&link.testexpr, mode);
                if link.oper_name.is_empty() && link.testexpr.is_some() {
                    self.operator_named(None, "=");
                }
                self.operator(&link.oper_name);
                if let Some(query) = inner(&link.subselect) {
                    let assigning = self.assigning.take();
                    self.query(query);
                    self.assigning = assigning;
                }
            }
            NodeEnum::FuncCall(call) => self.function(call, mode),
            NodeEnum::TypeCast(cast) => {
                self.maybe(&cast.arg, mode);
                self.cast_to(cast.type_name.as_ref());
            }
            NodeEnum::CollateClause(collate) => self.maybe(&collate.arg, mode),
            NodeEnum::CaseExpr(case) => {
                self.maybe(&case.arg, mode);
                if case.arg.is_some() {
                    self.operator_named(None, "=");
                }
                self.all(&case.args, mode);
                self.maybe(&case.defresult, mode);
            }
            NodeEnum::CaseWhen(when) => {
                self.maybe(&when.expr, mode);
                self.maybe(&when.result, mode);
            }
            NodeEnum::CoalesceExpr(coalesce) => self.all(&coalesce.args, mode),
            NodeEnum::MinMaxExpr(extreme) => self.all(&extreme.args, mode),
            NodeEnum::RowExpr(row) => self.all(&row.args, mode),
            NodeEnum::AArrayExpr(array) => self.all(&array.elements, mode),
            NodeEnum::List(list) => self.all(&list.items, mode),
            NodeEnum::NullTest(test) => self.maybe(&test.arg, mode),
            NodeEnum::BooleanTest(test) => self.maybe(&test.arg, mode),
            NodeEnum::NamedArgExpr(argument) => self.maybe(&argument.arg, mode),
            NodeEnum::GroupingFunc(grouping) => self.all(&grouping.args, mode),
            NodeEnum::GroupingSet(set) => self.all(&set.content, mode),
            NodeEnum::AIndices(indices) => {
                self.maybe(&indices.lidx, mode);
                self.maybe(&indices.uidx, mode);
            }
            NodeEnum::AIndirection(indirection) => self.indirection(indirection, mode),
            NodeEnum::MultiAssignRef(assign) => {
                // The source is repeated for every column; reading it again merges.
                self.maybe(&assign.source, mode);
            }
            NodeEnum::ResTarget(target) => {
                self.all(&target.indirection, mode);
                self.maybe(&target.val, mode);
            }
            NodeEnum::SortBy(sort) => {
                self.operator(&sort.use_op);
                self.maybe(&sort.node, mode);
            }
            NodeEnum::WindowDef(window) => self.window(window),
            NodeEnum::XmlExpr(xml) => {
                self.all(&xml.named_args, mode);
                self.all(&xml.args, mode);
            }
            NodeEnum::XmlSerialize(xml) => {
                self.maybe(&xml.expr, mode);
                self.cast_to(xml.type_name.as_ref());
            }
            NodeEnum::IndexElem(element) => {
                if !element.name.is_empty() {
                    self.column_named(&element.name, mode);
                }
                self.maybe(&element.expr, mode);
                self.operator_class(&element.opclass);
            }
            NodeEnum::SelectStmt(_) => {
                self.query(node);
            }
            other => self.json(other, mode),
        }
    }

    fn column_named(&mut self, name: &str, mode: Mode) {
        let string = NodeEnum::String(pg_query::protobuf::String { sval: name.to_owned() });
        let fields = vec![Node { node: Some(string) }];
        self.column(&pg_query::protobuf::ColumnRef { fields, location: -1 }, mode);
    }

    fn a_expr(&mut self, expression: &AExpr, mode: Mode) {
        self.maybe(&expression.lexpr, mode);
        self.maybe(&expression.rexpr, mode);
        match AExprKind::try_from(expression.kind) {
            Ok(
                AExprKind::AexprBetween
                | AExprKind::AexprNotBetween
                | AExprKind::AexprBetweenSym
                | AExprKind::AexprNotBetweenSym,
            ) => {
                for name in ["<=", ">="] {
                    self.operator_named(None, name);
                }
            }
            Ok(_) => self.operator(&expression.name),
            Err(_) => self.unsupported("a kind of operator expression"),
        }
    }

    pub(super) fn window(&mut self, window: &WindowDef) {
        self.all(&window.partition_clause, Mode::Filter);
        self.all(&window.order_clause, Mode::Filter);
        self.maybe(&window.start_offset, Mode::Filter);
        self.maybe(&window.end_offset, Mode::Filter);
    }

    fn indirection(&mut self, indirection: &pg_query::protobuf::AIndirection, mode: Mode) {
        self.maybe(&indirection.arg, mode);
        // A field of a field is one of a value of any type.
        let mut of = inner(&indirection.arg);
        for step in &indirection.indirection {
            match (string_of(step), step.node.as_ref()) {
                (Some(field), _) => self.field(of.take(), field),
                (None, Some(NodeEnum::AIndices(_) | NodeEnum::AStar(_))) => self.expr(step, mode),
                (None, Some(other)) => self.unsupported_node(other),
                (None, None) => {}
            }
        }
    }
}
