//! The name PostgreSQL gives a column that has no alias: `parse_target.c`, `FigureColnameInternal`.

use std::rc::Rc;

use pg_query::protobuf::{
    JsonExprOp, MinMaxOp, SelectStmt, SetOperation, SqlValueFunctionOp, SubLinkType, XmlExprOp,
};
use pg_query::{Node, NodeEnum};

use super::query;
use super::reader::Reader;
use super::scope::Scope;

/// A name, and whether it is a good one; a poor one gives way to a better of an outer node.
type Figured = Option<(Rc<str>, bool)>;

fn good(name: &str) -> Figured {
    Some((name.into(), true))
}

impl<'c> Reader<'c> {
    /// The name of a column without alias.
    pub(super) fn figure_name(&self, node: &Node, scope: &Scope<'_, 'c>) -> Rc<str> {
        self.figure(node, scope).map_or_else(|| "?column?".into(), |(name, _)| name)
    }

    fn figure(&self, node: &Node, scope: &Scope<'_, 'c>) -> Figured {
        let _step = self.step()?;
        match node.node.as_ref()? {
            NodeEnum::ColumnRef(reference) => last_name(&reference.fields),
            NodeEnum::AIndirection(indirection) => last_name(&indirection.indirection)
                .or_else(|| self.figure(indirection.arg.as_deref()?, scope)),
            NodeEnum::FuncCall(call) => last_name(&call.funcname),
            NodeEnum::AExpr(expression) => {
                (expression.kind() == pg_query::protobuf::AExprKind::AexprNullif).then(|| good("nullif"))?
            }
            NodeEnum::TypeCast(cast) => {
                let inner = self.figure(cast.arg.as_deref()?, scope);
                let is_good = inner.as_ref().is_some_and(|(_, is_good)| *is_good);
                if is_good {
                    return inner;
                }
                let own = cast.type_name.as_ref().and_then(|name| last_name(&name.names));
                own.map(|(name, _)| (name, false)).or(inner)
            }
            NodeEnum::CollateClause(collate) => self.figure(collate.arg.as_deref()?, scope),
            NodeEnum::CaseExpr(case) => {
                let inner = case.defresult.as_deref().and_then(|node| self.figure(node, scope));
                inner.filter(|(_, is_good)| *is_good).or_else(|| Some(("case".into(), false)))
            }
            NodeEnum::SubLink(link) => match link.sub_link_type() {
                SubLinkType::ExistsSublink => good("exists"),
                SubLinkType::ArraySublink => good("array"),
                SubLinkType::ExprSublink => match link.subselect.as_deref()?.node.as_ref()? {
                    NodeEnum::SelectStmt(select) => Some((self.first_name(select, scope)?, true)),
                    _ => None,
                },
                _ => None,
            },
            NodeEnum::GroupingFunc(_) => good("grouping"),
            NodeEnum::MergeSupportFunc(_) => good("merge_action"),
            NodeEnum::AArrayExpr(_) => good("array"),
            NodeEnum::RowExpr(_) => good("row"),
            NodeEnum::CoalesceExpr(_) => good("coalesce"),
            NodeEnum::MinMaxExpr(pick) => match pick.op() {
                MinMaxOp::IsGreatest => good("greatest"),
                MinMaxOp::IsLeast => good("least"),
                MinMaxOp::Undefined => None,
            },
            NodeEnum::SqlvalueFunction(function) => good(value_function(function.op())?),
            NodeEnum::XmlExpr(xml) => good(xml_function(xml.op())?),
            NodeEnum::XmlSerialize(_) => good("xmlserialize"),
            NodeEnum::JsonParseExpr(_) => good("json"),
            NodeEnum::JsonScalarExpr(_) => good("json_scalar"),
            NodeEnum::JsonSerializeExpr(_) => good("json_serialize"),
            NodeEnum::JsonObjectConstructor(_) => good("json_object"),
            NodeEnum::JsonArrayConstructor(_) | NodeEnum::JsonArrayQueryConstructor(_) => good("json_array"),
            NodeEnum::JsonObjectAgg(_) => good("json_objectagg"),
            NodeEnum::JsonArrayAgg(_) => good("json_arrayagg"),
            NodeEnum::JsonFuncExpr(function) => match function.op() {
                JsonExprOp::JsonExistsOp => good("json_exists"),
                JsonExprOp::JsonQueryOp => good("json_query"),
                JsonExprOp::JsonValueOp => good("json_value"),
                JsonExprOp::JsonTableOp | JsonExprOp::Undefined => None,
            },
            _ => None,
        }
    }

    /// The name of a sub-query's first column.
    fn first_name(&self, select: &SelectStmt, scope: &Scope<'_, 'c>) -> Option<Rc<str>> {
        let _step = self.step()?;
        if select.op() != SetOperation::SetopNone && select.with_clause.is_none() {
            return self.first_name(select.larg.as_deref()?, scope);
        }
        let plain = select.with_clause.is_none() && select.from_clause.is_empty();
        match select.target_list.first().and_then(|node| node.node.as_ref()) {
            Some(NodeEnum::ResTarget(target)) if !target.name.is_empty() => Some(target.name.as_str().into()),
            Some(NodeEnum::ResTarget(target)) if plain || !may_hold_query(target.val.as_deref()?) => {
                Some(self.figure_name(target.val.as_deref()?, scope))
            }
            _ => self.select(select, Some(scope))?.into_iter().next().map(|column| column.name),
        }
    }
}

/// Whether the name of this target depends on what FROM holds.
fn may_hold_query(node: &Node) -> bool {
    match &node.node {
        Some(NodeEnum::ColumnRef(reference)) => query::names(&reference.fields).is_none(),
        Some(NodeEnum::AConst(_) | NodeEnum::FuncCall(_) | NodeEnum::AExpr(_)) => false,
        _ => true,
    }
}

/// The last name of a dotted one, stars left out.
fn last_name(nodes: &[Node]) -> Figured {
    nodes
        .iter()
        .rev()
        .find_map(|node| match &node.node {
            Some(NodeEnum::String(name)) => Some(name.sval.as_str()),
            _ => None,
        })
        .and_then(good)
}

pub(crate) fn value_function(op: SqlValueFunctionOp) -> Option<&'static str> {
    Some(match op {
        SqlValueFunctionOp::SvfopCurrentDate => "current_date",
        SqlValueFunctionOp::SvfopCurrentTime | SqlValueFunctionOp::SvfopCurrentTimeN => "current_time",
        SqlValueFunctionOp::SvfopCurrentTimestamp | SqlValueFunctionOp::SvfopCurrentTimestampN => {
            "current_timestamp"
        }
        SqlValueFunctionOp::SvfopLocaltime | SqlValueFunctionOp::SvfopLocaltimeN => "localtime",
        SqlValueFunctionOp::SvfopLocaltimestamp | SqlValueFunctionOp::SvfopLocaltimestampN => {
            "localtimestamp"
        }
        SqlValueFunctionOp::SvfopCurrentRole => "current_role",
        SqlValueFunctionOp::SvfopCurrentUser => "current_user",
        SqlValueFunctionOp::SvfopUser => "user",
        SqlValueFunctionOp::SvfopSessionUser => "session_user",
        SqlValueFunctionOp::SvfopCurrentCatalog => "current_catalog",
        SqlValueFunctionOp::SvfopCurrentSchema => "current_schema",
        SqlValueFunctionOp::SqlvalueFunctionOpUndefined => return None,
    })
}

pub(crate) fn xml_function(op: XmlExprOp) -> Option<&'static str> {
    Some(match op {
        XmlExprOp::IsXmlconcat => "xmlconcat",
        XmlExprOp::IsXmlelement => "xmlelement",
        XmlExprOp::IsXmlforest => "xmlforest",
        XmlExprOp::IsXmlparse => "xmlparse",
        XmlExprOp::IsXmlpi => "xmlpi",
        XmlExprOp::IsXmlroot => "xmlroot",
        XmlExprOp::IsXmlserialize => "xmlserialize",
        XmlExprOp::IsDocument | XmlExprOp::Undefined => return None,
    })
}
