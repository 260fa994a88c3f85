//! The names of output columns, as `parse_target.c` gives them (`FigureColnameInternal`), from the text alone.

use pg_query::NodeEnum;
use pg_query::protobuf::{AExprKind, JsonExprOp, MinMaxOp, Node, SelectStmt, SubLinkType};

use super::{inner, string_of};
use crate::pg::lineage::{value_function, xml_function};

/// What a column without an alias is called.
enum Figured {
    /// A name that nothing takes the place of.
    Good(String),
    /// A name that gives way to a better one of the node inside.
    Poor(String),
    /// None of its own.
    Nameless,
    /// It depends on what the text does not say.
    Unknown,
}

/// The name that an output column gets; none for `*`, and where the text does not settle it.
pub(super) fn target_name(target: &Node) -> Option<String> {
    let Some(NodeEnum::ResTarget(column)) = target.node.as_ref() else { return None };
    if !column.name.is_empty() {
        return Some(column.name.clone());
    }
    match figure(inner(&column.val)?) {
        Figured::Good(name) | Figured::Poor(name) => Some(name),
        Figured::Nameless => Some("?column?".to_owned()),
        Figured::Unknown => None,
    }
}

fn good(name: &str) -> Figured {
    Figured::Good(name.to_owned())
}

fn figure(node: &NodeEnum) -> Figured {
    match node {
        NodeEnum::ColumnRef(reference) => match reference.fields.last().and_then(string_of) {
            Some(name) => good(name),
            None => Figured::Unknown,
        },
        NodeEnum::AIndirection(indirection) => {
            if indirection.indirection.iter().any(|step| matches!(step.node, Some(NodeEnum::AStar(_)))) {
                return Figured::Unknown;
            }
            match indirection.indirection.iter().rev().find_map(string_of) {
                Some(name) => good(name),
                None => inner(&indirection.arg).map_or(Figured::Nameless, figure),
            }
        }
        NodeEnum::FuncCall(call) => call.funcname.last().and_then(string_of).map_or(Figured::Nameless, good),
        NodeEnum::AExpr(expression) if expression.kind == AExprKind::AexprNullif as i32 => good("nullif"),
        NodeEnum::TypeCast(cast) => match inner(&cast.arg).map_or(Figured::Nameless, figure) {
            Figured::Nameless | Figured::Poor(_) => {
                let own = cast.type_name.as_ref().and_then(|name| name.names.last()).and_then(string_of);
                own.map_or(Figured::Nameless, |name| Figured::Poor(name.to_owned()))
            }
            better => better,
        },
        NodeEnum::CollateClause(collate) => inner(&collate.arg).map_or(Figured::Nameless, figure),
        NodeEnum::CaseExpr(case) => match inner(&case.defresult).map_or(Figured::Nameless, figure) {
            Figured::Nameless | Figured::Poor(_) => Figured::Poor("case".to_owned()),
            better => better,
        },
        NodeEnum::SubLink(link) => match SubLinkType::try_from(link.sub_link_type) {
            Ok(SubLinkType::ExistsSublink) => good("exists"),
            Ok(SubLinkType::ArraySublink) => good("array"),
            Ok(SubLinkType::ExprSublink) => match inner(&link.subselect) {
                Some(NodeEnum::SelectStmt(select)) => first_name(select),
                _ => Figured::Unknown,
            },
            _ => Figured::Nameless,
        },
        NodeEnum::GroupingFunc(_) => good("grouping"),
        NodeEnum::MergeSupportFunc(_) => good("merge_action"),
        NodeEnum::AArrayExpr(_) => good("array"),
        NodeEnum::RowExpr(_) => good("row"),
        NodeEnum::CoalesceExpr(_) => good("coalesce"),
        NodeEnum::MinMaxExpr(pick) if pick.op == MinMaxOp::IsLeast as i32 => good("least"),
        NodeEnum::MinMaxExpr(_) => good("greatest"),
        NodeEnum::SqlvalueFunction(function) => value_function(function.op()).map_or(Figured::Unknown, good),
        NodeEnum::XmlExpr(xml) => xml_function(xml.op()).map_or(Figured::Nameless, good),
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
            JsonExprOp::JsonTableOp | JsonExprOp::Undefined => Figured::Unknown,
        },
        _ => Figured::Nameless,
    }
}

/// The name of a sub-query's first column.
fn first_name(select: &SelectStmt) -> Figured {
    let mut select = select;
    while let Some(left) = select.larg.as_deref() {
        select = left;
    }
    if !select.values_lists.is_empty() {
        return good("column1");
    }
    match select.target_list.first() {
        Some(target) => target_name(target).map_or(Figured::Unknown, Figured::Good),
        None => Figured::Unknown,
    }
}
