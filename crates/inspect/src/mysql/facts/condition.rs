//! How far a condition narrows: whether it depends on the row at all, as far as folding decides.
//!
//! Chains of operators lean to the left in the tree and are walked down, not recursed into, so that a long
//! condition takes no stack and every part is looked at once.

use std::cmp::Ordering;

use sallyport_core::Condition;
use sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, InTarget, Query,
    SelectItem, SetExpr, UnaryOperator, Value,
};

use super::names;

/// What folding an expression gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fold {
    True,
    False,
    /// Constant, with a value that is not worked out here.
    Constant,
    /// Depends on a parameter alone.
    Parameter,
    /// Depends on the row.
    Row,
}

/// Deeper conditions are taken to depend on the row; such a text is too deep for facts as well.
const DEPTH_LIMIT: usize = 300;

/// The condition of an update or delete.
pub(super) fn of(expression: Option<&Expr>) -> Condition {
    match expression {
        None => Condition::None,
        Some(expression) if fold(expression, 0) == Fold::Row => Condition::Some,
        Some(_) => Condition::Constant,
    }
}

fn fold(expression: &Expr, depth: usize) -> Fold {
    if depth > DEPTH_LIMIT {
        return Fold::Row;
    }
    let deeper = depth + 1;
    match expression {
        Expr::Nested(inner)
        | Expr::Collate { expr: inner, collation: _ }
        | Expr::Prefixed { prefix: _, value: inner } => fold(inner, deeper),
        Expr::Value(value) => literal(&value.value),
        Expr::Identifier(name) if names::is_variable(name) || names::is_value(name) => Fold::Constant,
        Expr::Identifier(_) => Fold::Row,
        Expr::CompoundIdentifier(parts) if parts.first().is_some_and(names::is_variable) => Fold::Constant,
        Expr::CompoundIdentifier(_) => Fold::Row,
        Expr::UnaryOp { op: UnaryOperator::Not | UnaryOperator::BangNot, expr } => match fold(expr, deeper) {
            Fold::True => Fold::False,
            Fold::False => Fold::True,
            other => other,
        },
        Expr::UnaryOp { op: UnaryOperator::Minus | UnaryOperator::Plus, expr } => fold(expr, deeper),
        Expr::UnaryOp { op: _, expr } => whole([fold(expr, deeper)]),
        Expr::BinaryOp { op: BinaryOperator::Or, .. } => {
            let arms = chain(expression, |op| *op == BinaryOperator::Or);
            if complementary(&arms) {
                return Fold::True;
            }
            either(arms.iter().map(|arm| fold(arm, deeper)))
        }
        Expr::BinaryOp { op: BinaryOperator::And, .. } => {
            let arms = chain(expression, |op| *op == BinaryOperator::And);
            both(arms.iter().map(|arm| fold(arm, deeper)))
        }
        Expr::BinaryOp { left, op, right } if is_comparison(op) && !is_compared(left) => {
            comparison(left, op, right, deeper)
        }
        Expr::BinaryOp { .. } => {
            let parts = chain(expression, |op| !matches!(op, BinaryOperator::Or | BinaryOperator::And));
            whole(parts.iter().map(|part| fold(part, deeper)))
        }
        Expr::IsNull(inner) | Expr::IsNotNull(inner) => match (inner.as_ref(), fold(inner, deeper)) {
            (_, Fold::Row) => Fold::Row,
            (Expr::Value(value), _) => {
                let is_null = matches!(value.value, Value::Null);
                truth(is_null == matches!(expression, Expr::IsNull(_)))
            }
            (_, other) => whole([other]),
        },
        Expr::IsTrue(inner)
        | Expr::IsFalse(inner)
        | Expr::IsNotTrue(inner)
        | Expr::IsNotFalse(inner)
        | Expr::IsUnknown(inner)
        | Expr::IsNotUnknown(inner) => whole([fold(inner, deeper)]),
        Expr::In { expr, target: InTarget::List(items), negated, global: _ } => {
            if items.iter().any(|item| same(expr, item)) {
                return truth(!negated);
            }
            whole(std::iter::once(expr.as_ref()).chain(items).map(|part| fold(part, deeper)))
        }
        Expr::Between { expr, negated, low, high } => {
            if same(expr, low) && same(expr, high) {
                return truth(!negated);
            }
            whole([expr, low, high].map(|part| fold(part, deeper)))
        }
        Expr::Like { negated, any: _, expr, pattern, escape_char: _ } => {
            if same(expr, pattern) || is_any(pattern) {
                return truth(!negated);
            }
            whole([expr, pattern].map(|part| fold(part, deeper)))
        }
        Expr::RLike { negated: _, expr, pattern, regexp: _ } => {
            whole([expr, pattern].map(|part| fold(part, deeper)))
        }
        Expr::Function(call) => of_call(call, deeper),
        Expr::Case { operand, conditions, else_result, case_token: _, end_token: _ } => {
            let parts = operand.iter().chain(else_result).map(AsRef::as_ref);
            let arms = conditions.iter().flat_map(|when| [&when.condition, &when.result]);
            whole(parts.chain(arms).map(|part| fold(part, deeper)))
        }
        Expr::Cast { expr, .. } | Expr::Convert { expr, .. } | Expr::Extract { expr, .. } => {
            whole([fold(expr, deeper)])
        }
        Expr::Interval(interval) => whole([fold(&interval.value, deeper)]),
        Expr::TypedString(_) => Fold::Constant,
        Expr::Tuple(items) => whole(items.iter().map(|item| fold(item, deeper))),
        Expr::Exists { subquery, negated: _ } | Expr::Subquery(subquery) => of_query(subquery, deeper),
        // What is not worked out may depend on the row.
        _ => Fold::Row,
    }
}

fn truth(value: bool) -> Fold {
    if value { Fold::True } else { Fold::False }
}

/// A literal as a condition: a number that is not zero, a string that begins with one.
fn literal(value: &Value) -> Fold {
    match value {
        Value::Null => Fold::False,
        Value::Boolean(value) => truth(*value),
        Value::Number(text, _) => text.parse::<f64>().map_or(Fold::Constant, |number| truth(number != 0.0)),
        Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => {
            truth(leading_number(text) != 0.0)
        }
        Value::Placeholder(_) => Fold::Parameter,
        _ => Fold::Constant,
    }
}

/// The number that a string begins with, as the server converts it.
fn leading_number(text: &str) -> f64 {
    let text = text.trim_start();
    let mut points = 0;
    let end = text
        .char_indices()
        .find(|(at, c)| {
            points += usize::from(*c == '.');
            !(c.is_ascii_digit() || (*c == '.' && points == 1) || (*at == 0 && (*c == '-' || *c == '+')))
        })
        .map_or(text.len(), |(at, _)| at);
    text.get(..end).and_then(|number| number.parse().ok()).unwrap_or(0.0)
}

/// The operands of a chain of operators that lean to the left.
fn chain(expression: &Expr, fits: impl Fn(&BinaryOperator) -> bool) -> Vec<&Expr> {
    let mut parts = Vec::new();
    let mut expression = expression;
    while let Expr::BinaryOp { left, op, right } = expression
        && fits(op)
    {
        parts.push(right.as_ref());
        expression = left;
    }
    parts.push(expression);
    parts
}

/// OR: one arm that is true decides; an arm of unknown constant value may be true, so it decides too.
fn either(arms: impl Iterator<Item = Fold>) -> Fold {
    let rank = |fold: &Fold| match fold {
        Fold::False => 0,
        Fold::Parameter => 1,
        Fold::Row => 2,
        Fold::Constant => 3,
        Fold::True => 4,
    };
    arms.max_by_key(rank).unwrap_or(Fold::False)
}

/// AND: one arm that is false decides.
fn both(arms: impl Iterator<Item = Fold>) -> Fold {
    let rank = |fold: &Fold| match fold {
        Fold::True => 0,
        Fold::Constant => 1,
        Fold::Parameter => 2,
        Fold::Row => 3,
        Fold::False => 4,
    };
    arms.max_by_key(rank).unwrap_or(Fold::True)
}

/// Anything made of these parts.
fn whole(parts: impl IntoIterator<Item = Fold>) -> Fold {
    let mut fold = Fold::Constant;
    for part in parts {
        match part {
            Fold::Row => return Fold::Row,
            Fold::Parameter => fold = Fold::Parameter,
            Fold::True | Fold::False | Fold::Constant => {}
        }
    }
    fold
}

fn is_comparison(operator: &BinaryOperator) -> bool {
    matches!(
        operator,
        BinaryOperator::Eq
            | BinaryOperator::NotEq
            | BinaryOperator::Lt
            | BinaryOperator::LtEq
            | BinaryOperator::Gt
            | BinaryOperator::GtEq
            | BinaryOperator::Spaceship
    )
}

/// `(a = b) = c`: the outer one compares a truth value, and is not worked out.
fn is_compared(left: &Expr) -> bool {
    matches!(left, Expr::BinaryOp { op, .. } if is_comparison(op))
}

fn comparison(left: &Expr, operator: &BinaryOperator, right: &Expr, depth: usize) -> Fold {
    if same(left, right) {
        return truth(matches!(
            operator,
            BinaryOperator::Eq | BinaryOperator::LtEq | BinaryOperator::GtEq | BinaryOperator::Spaceship
        ));
    }
    if let Some(order) = order(left, right) {
        match operator {
            BinaryOperator::Eq | BinaryOperator::Spaceship => return truth(order.is_eq()),
            BinaryOperator::NotEq => return truth(order.is_ne()),
            BinaryOperator::Lt => return truth(order.is_lt()),
            BinaryOperator::LtEq => return truth(order.is_le()),
            BinaryOperator::Gt => return truth(order.is_gt()),
            BinaryOperator::GtEq => return truth(order.is_ge()),
            _ => {}
        }
    }
    whole([fold(left, depth), fold(right, depth)])
}

/// How the server orders two literals: as strings when both are, else as numbers. Nothing where a collation,
/// or the rounding of a number, may decide.
fn order(left: &Expr, right: &Expr) -> Option<Ordering> {
    match (literal_of(left)?, literal_of(right)?) {
        (Literal::Text(left), Literal::Text(right)) => {
            let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            (left.bytes().all(plain) && right.bytes().all(plain)).then(|| left.cmp(right))
        }
        (left, right) => left.number()?.partial_cmp(&right.number()?),
    }
}

enum Literal<'a> {
    Text(&'a str),
    Number(f64),
}

impl Literal<'_> {
    /// Its value where the server's arithmetic has the same.
    fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) if text.len() > MOST_DIGITS || text.contains(['e', 'E']) => None,
            Self::Text(text) => Some(leading_number(text)),
        }
    }
}

/// A number of more may be rounded.
const MOST_DIGITS: usize = 15;

fn literal_of(expression: &Expr) -> Option<Literal<'_>> {
    match bare(expression) {
        Expr::Value(value) => match &value.value {
            Value::Number(text, _) if text.len() <= MOST_DIGITS => {
                text.parse().ok().filter(|number: &f64| number.is_finite()).map(Literal::Number)
            }
            Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => Some(Literal::Text(text)),
            Value::Boolean(value) => Some(Literal::Number(f64::from(u8::from(*value)))),
            _ => None,
        },
        _ => None,
    }
}

fn constant(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Nested(inner) => constant(inner),
        Expr::Value(value) => match &value.value {
            Value::Number(text, _) | Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => {
                Some(text.clone())
            }
            Value::Boolean(value) => Some(u8::from(*value).to_string()),
            _ => None,
        },
        _ => None,
    }
}

/// A pattern that everything matches.
fn is_any(pattern: &Expr) -> bool {
    constant(pattern).is_some_and(|text| !text.is_empty() && text.bytes().all(|byte| byte == b'%'))
}

fn of_call(call: &Function, depth: usize) -> Fold {
    match &call.args {
        FunctionArguments::None => Fold::Constant,
        FunctionArguments::Subquery(query) => of_query(query, depth),
        FunctionArguments::List(list) => whole(list.args.iter().map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expression)) => fold(expression, depth),
            _ => Fold::Row,
        })),
    }
}

/// A sub-query that mentions no column gives the same for every row.
fn of_query(query: &Query, depth: usize) -> Fold {
    let SetExpr::Select(select) = query.body.as_ref() else { return Fold::Row };
    if query.with.is_some() || select.having.is_some() {
        return Fold::Row;
    }
    let plain = select.from.iter().all(|table| table.joins.is_empty());
    if !plain {
        return Fold::Row;
    }
    let outputs = select.projection.iter().map(|item| match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, alias: _ } => fold(expr, depth),
        _ => Fold::Row,
    });
    let condition = select.selection.iter().map(|condition| fold(condition, depth));
    whole(outputs.chain(condition))
}

/// Whether two expressions are the same one, read off the same row.
fn same(left: &Expr, right: &Expr) -> bool {
    match (left, right) {
        (Expr::Nested(left), right) => same(left, right),
        (left, Expr::Nested(right)) => same(left, right),
        (Expr::UnaryOp { op: UnaryOperator::Plus, expr }, other)
        | (other, Expr::UnaryOp { op: UnaryOperator::Plus, expr }) => same(expr, other),
        (
            Expr::Identifier(_) | Expr::CompoundIdentifier(_),
            Expr::Identifier(_) | Expr::CompoundIdentifier(_),
        ) => {
            let (left, right) = (parts(left), parts(right));
            left.iter()
                .rev()
                .zip(right.iter().rev())
                .all(|(left, right)| left.value.to_lowercase() == right.value.to_lowercase())
                && !left.is_empty()
                && !right.is_empty()
        }
        (Expr::Value(_), Expr::Value(_)) => {
            matches!((constant(left), constant(right)), (Some(left), Some(right)) if left == right)
        }
        (Expr::BinaryOp { left: a, op, right: b }, Expr::BinaryOp { left: c, op: other, right: d }) => {
            op == other && same(b, d) && !matches!(a.as_ref(), Expr::BinaryOp { .. }) && same(a, c)
        }
        (Expr::Function(left), Expr::Function(right)) => {
            left.name.to_string().eq_ignore_ascii_case(&right.name.to_string())
                && same_arguments(&left.args, &right.args)
        }
        (left, right) => {
            matches!((left, right), (Expr::Cast { expr: a, data_type: x, .. }, Expr::Cast { expr: b, data_type: y, .. })
                if x == y && same(a, b))
        }
    }
}

fn same_arguments(left: &FunctionArguments, right: &FunctionArguments) -> bool {
    let (FunctionArguments::List(left), FunctionArguments::List(right)) = (left, right) else { return false };
    !left.args.is_empty()
        && left.args.len() == right.args.len()
        && left.args.iter().zip(&right.args).all(|pair| {
            matches!(pair, (
                FunctionArg::Unnamed(FunctionArgExpr::Expr(left)),
                FunctionArg::Unnamed(FunctionArgExpr::Expr(right)),
            ) if same(left, right))
        })
}

fn parts(expression: &Expr) -> Vec<&Ident> {
    match expression {
        Expr::Identifier(name) => vec![name],
        Expr::CompoundIdentifier(parts) => parts.iter().collect(),
        _ => Vec::new(),
    }
}

/// `x IS NULL OR x IS NOT NULL`, `x = 1 OR x <> 1`, `p OR NOT p`.
fn complementary(arms: &[&Expr]) -> bool {
    let arms: Vec<&Expr> = arms.iter().take(16).map(|arm| bare(arm)).collect();
    arms.iter().enumerate().any(|(at, left)| arms.iter().skip(at + 1).any(|right| opposite(left, right)))
}

fn bare(expression: &Expr) -> &Expr {
    let mut expression = expression;
    while let Expr::Nested(inner) = expression {
        expression = inner;
    }
    expression
}

fn opposite(left: &Expr, right: &Expr) -> bool {
    match (left, right) {
        (Expr::IsNull(a), Expr::IsNotNull(b)) | (Expr::IsNotNull(a), Expr::IsNull(b)) => same(a, b),
        (Expr::BinaryOp { left: a, op, right: b }, Expr::BinaryOp { left: c, op: other, right: d }) => {
            use BinaryOperator::{Eq, Gt, GtEq, Lt, LtEq, NotEq};
            let covers = matches!(
                (op, other),
                (Eq, NotEq) | (NotEq, Eq) | (Lt | LtEq, GtEq) | (GtEq | Gt, LtEq) | (GtEq, Lt) | (LtEq, Gt)
            );
            covers && same(a, c) && same(b, d)
        }
        (Expr::UnaryOp { op: UnaryOperator::Not | UnaryOperator::BangNot, expr }, other)
        | (other, Expr::UnaryOp { op: UnaryOperator::Not | UnaryOperator::BangNot, expr }) => {
            same(expr, other) || same_comparison(bare(expr), other)
        }
        _ => false,
    }
}

fn same_comparison(left: &Expr, right: &Expr) -> bool {
    matches!((left, right), (
        Expr::BinaryOp { left: a, op, right: b },
        Expr::BinaryOp { left: c, op: other, right: d },
    ) if op == other && same(a, c) && same(b, d))
}
