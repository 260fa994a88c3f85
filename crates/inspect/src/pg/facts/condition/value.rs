//! The values of constant expressions, as far as they can be known without the server.

use std::cmp::Ordering;

use pg_query::NodeEnum;
use pg_query::protobuf::{AExprKind, SelectStmt, a_const};

use super::super::names::type_name;
use super::super::{inner, string_of, strings};
use super::same;

/// How deep constants may nest.
const DEPTH: usize = 32;

/// A constant.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
}

/// What the server's boolean type makes of a text.
pub(super) fn as_bool(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "t" | "tr" | "tru" | "true" | "y" | "ye" | "yes" | "on" | "1" => Some(true),
        "f" | "fa" | "fal" | "fals" | "false" | "n" | "no" | "of" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// The value of an expression, when it is a constant that is surely known.
pub(super) fn of(node: &NodeEnum) -> Option<Value> {
    value(node, DEPTH)
}

fn value(node: &NodeEnum, depth: usize) -> Option<Value> {
    let depth = depth.checked_sub(1)?;
    match node {
        NodeEnum::AConst(constant) => Some(match &constant.val {
            None => Value::Null,
            Some(a_const::Val::Boolval(value)) => Value::Bool(value.boolval),
            Some(a_const::Val::Ival(value)) => Value::Number(f64::from(value.ival)),
            Some(a_const::Val::Fval(value)) => Value::Number(value.fval.replace('_', "").parse().ok()?),
            Some(a_const::Val::Sval(value)) => Value::Text(value.sval.clone()),
            Some(a_const::Val::Bsval(_)) => return None,
        }),
        NodeEnum::TypeCast(cast) => {
            let written = cast.type_name.as_ref()?;
            let value = value(inner(&cast.arg)?, depth)?;
            if !written.typmods.is_empty() || !written.array_bounds.is_empty() {
                return None;
            }
            match (type_name(written).name.as_str(), value) {
                (_, Value::Null) => Some(Value::Null),
                ("text" | "varchar", Value::Text(text)) => Some(Value::Text(text)),
                ("bool", Value::Text(text)) => as_bool(&text).map(Value::Bool),
                ("bool", Value::Number(number)) => Some(Value::Bool(number != 0.0)),
                ("bool", Value::Bool(value)) => Some(Value::Bool(value)),
                ("int2" | "int4" | "int8" | "numeric" | "float4" | "float8", Value::Text(text)) => {
                    text.trim().parse().ok().map(Value::Number)
                }
                ("int2" | "int4" | "int8", Value::Number(number)) if number.fract() == 0.0 => {
                    Some(Value::Number(number))
                }
                ("numeric" | "float8", Value::Number(number)) => Some(Value::Number(number)),
                _ => None,
            }
        }
        NodeEnum::CollateClause(collate) => value(inner(&collate.arg)?, depth),
        NodeEnum::AExpr(expression)
            if expression.kind == AExprKind::AexprOp as i32 && expression.name.len() == 1 =>
        {
            let operator = expression.name.first().and_then(string_of)?;
            let right = inner(&expression.rexpr)?;
            let Some(left) = inner(&expression.lexpr) else {
                let Value::Number(number) = value(right, depth)? else { return None };
                return (operator == "-").then_some(Value::Number(-number));
            };
            if operator == "-" && same::same(left, right) {
                return Some(Value::Number(0.0));
            }
            let (left, right) = (value(left, depth), value(right, depth));
            if operator == "*" && (is_zero(left.as_ref()) || is_zero(right.as_ref())) {
                return Some(Value::Number(0.0));
            }
            match (operator, left?, right?) {
                (_, Value::Null, _) | (_, _, Value::Null) => Some(Value::Null),
                ("+", Value::Number(left), Value::Number(right)) => exact(left + right),
                ("-", Value::Number(left), Value::Number(right)) => exact(left - right),
                ("*", Value::Number(left), Value::Number(right)) => exact(left * right),
                ("%", Value::Number(left), Value::Number(right)) if right != 0.0 => exact(left % right),
                ("||", Value::Text(left), Value::Text(right)) => Some(Value::Text(left + &right)),
                _ => None,
            }
        }
        NodeEnum::CoalesceExpr(coalesce) => {
            for arg in coalesce.args.iter().filter_map(|arg| arg.node.as_ref()) {
                match value(arg, depth)? {
                    Value::Null => {}
                    other => return Some(other),
                }
            }
            Some(Value::Null)
        }
        NodeEnum::FuncCall(call) if call.args.len() == 1 => {
            let name = strings(&call.funcname);
            let name = match name.as_slice() {
                [name] => name.as_str(),
                [schema, name] if schema == "pg_catalog" => name.as_str(),
                _ => return None,
            };
            let Value::Text(text) = value(call.args.first()?.node.as_ref()?, depth)? else { return None };
            match name {
                "lower" => Some(Value::Text(text.to_lowercase())),
                "upper" => Some(Value::Text(text.to_uppercase())),
                "length" | "char_length" | "character_length" => {
                    u32::try_from(text.chars().count()).ok().map(|count| Value::Number(f64::from(count)))
                }
                _ => None,
            }
        }
        NodeEnum::SubLink(link) => match inner(&link.subselect)? {
            NodeEnum::SelectStmt(select)
                if link.sub_link_type() == pg_query::protobuf::SubLinkType::ExprSublink
                    && super::is_bare(select)
                    && select.where_clause.is_none() =>
            {
                value(only_target(select)?, depth)
            }
            _ => None,
        },
        _ => None,
    }
}

fn is_zero(value: Option<&Value>) -> bool {
    matches!(value, Some(Value::Number(number)) if *number == 0.0)
}

/// A number that a double holds exactly.
fn exact(number: f64) -> Option<Value> {
    (number.abs() < 9_007_199_254_740_992.0).then_some(Value::Number(number))
}

/// The only column of a SELECT.
pub(super) fn only_target(select: &SelectStmt) -> Option<&NodeEnum> {
    let [target] = select.target_list.as_slice() else { return None };
    match target.node.as_ref()? {
        NodeEnum::ResTarget(column) => inner(&column.val),
        _ => None,
    }
}

/// What a comparison gives, when that is known: true, false, or NULL.
pub(super) fn compare(operator: &str, left: &NodeEnum, right: &NodeEnum) -> Option<Option<bool>> {
    let ordering = match (of(left), of(right)) {
        (Some(left), Some(right)) => match order(&left, &right, operator) {
            Some(Some(ordering)) => ordering,
            Some(None) => return matches!(operator, "=" | "<>" | "<" | "<=" | ">" | ">=").then_some(None),
            None => return None,
        },
        (None, Some(Value::Number(number))) if same::is_never_negative(left) => {
            return match (operator, number) {
                (">=", number) if number <= 0.0 => Some(Some(true)),
                (">" | "<>", number) if number < 0.0 => Some(Some(true)),
                ("<", number) if number <= 0.0 => Some(Some(false)),
                _ => None,
            };
        }
        _ if same::same(left, right) => Ordering::Equal,
        _ => return None,
    };
    Some(Some(match operator {
        "=" => ordering.is_eq(),
        "<>" => ordering.is_ne(),
        "<" => ordering.is_lt(),
        "<=" => ordering.is_le(),
        ">" => ordering.is_gt(),
        ">=" => ordering.is_ge(),
        _ => return None,
    }))
}

/// How two values stand to each other; `Some(None)` when one is NULL.
#[expect(clippy::option_option, reason = "not known, NULL, and known are three things")]
fn order(left: &Value, right: &Value, operator: &str) -> Option<Option<Ordering>> {
    match (left, right) {
        (Value::Null, _) | (_, Value::Null) => Some(None),
        (Value::Number(left), Value::Number(right)) => left.partial_cmp(right).map(Some),
        (Value::Bool(left), Value::Bool(right)) => Some(Some(left.cmp(right))),
        // The order of texts depends on the collation, whether they are equal does not.
        (Value::Text(left), Value::Text(right)) => {
            (left == right || matches!(operator, "=" | "<>")).then(|| Some(left.cmp(right)))
        }
        // A literal takes the type of what it is compared with.
        (Value::Text(text), Value::Number(number)) => {
            text.trim().parse::<f64>().ok()?.partial_cmp(number).map(Some)
        }
        (Value::Number(number), Value::Text(text)) => {
            number.partial_cmp(&text.trim().parse::<f64>().ok()?).map(Some)
        }
        (Value::Text(text), Value::Bool(value)) => Some(Some(as_bool(text)?.cmp(value))),
        (Value::Bool(value), Value::Text(text)) => Some(Some(value.cmp(&as_bool(text)?))),
        _ => None,
    }
}

/// Whether a pattern takes every text: `LIKE '%'`, `~ '.*'`.
pub(super) fn is_all_pattern(operator: &str, pattern: &NodeEnum) -> bool {
    let text = match pattern {
        // SIMILAR TO and ESCAPE wrap their pattern.
        NodeEnum::FuncCall(call) => match call.args.first().and_then(|arg| arg.node.as_ref()) {
            Some(first)
                if call.funcname.last().and_then(string_of).is_some_and(|n| n.starts_with("similar")) =>
            {
                of(first)
            }
            _ => None,
        },
        other => of(other),
    };
    let Some(Value::Text(text)) = text else { return false };
    match operator {
        "~~" | "!~~" | "~~*" | "!~~*" => !text.is_empty() && text.bytes().all(|byte| byte == b'%'),
        "~" | "~*" => {
            let similar = matches!(pattern, NodeEnum::FuncCall(_));
            if similar {
                !text.is_empty() && text.bytes().all(|byte| byte == b'%')
            } else {
                matches!(text.as_str(), "" | "^" | "$" | ".*" | "^.*" | ".*$" | "^.*$")
            }
        }
        _ => false,
    }
}
