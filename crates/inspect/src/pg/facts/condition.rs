//! How far a condition narrows: whether it depends on the row at all, as far as folding decides.

use pg_query::NodeEnum;
use pg_query::protobuf::{AExpr, AExprKind, BoolExprType, ColumnRef, Node, NullTestType, a_const};
use sallyport_core::Condition;

use super::{inner, string_of};

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

/// The condition of an update or delete.
pub(super) fn of(node: Option<&NodeEnum>) -> Condition {
    match node {
        None => Condition::None,
        Some(node) if is_constant(node) => Condition::Constant,
        Some(_) => Condition::Some,
    }
}

/// Whether the condition does not depend on the row.
pub(super) fn is_constant(node: &NodeEnum) -> bool {
    fold(node) != Fold::Row
}

fn fold(node: &NodeEnum) -> Fold {
    match node {
        NodeEnum::AConst(constant) => match &constant.val {
            Some(a_const::Val::Boolval(value)) => truth(value.boolval),
            Some(a_const::Val::Sval(value)) => match value.sval.to_ascii_lowercase().as_str() {
                "t" | "true" | "y" | "yes" | "on" | "1" => Fold::True,
                "f" | "false" | "n" | "no" | "off" | "0" => Fold::False,
                _ => Fold::Constant,
            },
            None => Fold::False,
            Some(_) => Fold::Constant,
        },
        NodeEnum::ParamRef(_) => Fold::Parameter,
        NodeEnum::TypeCast(cast) => match inner(&cast.arg) {
            Some(NodeEnum::AConst(constant)) => match &constant.val {
                // A cast decides what the literal is; only true and false keep their meaning.
                Some(a_const::Val::Ival(value)) => truth(value.ival != 0),
                _ => inner(&cast.arg).map_or(Fold::Constant, fold),
            },
            Some(node) => fold(node),
            None => Fold::Row,
        },
        NodeEnum::BoolExpr(boolean) => {
            let arms: Vec<Fold> = boolean.args.iter().filter_map(|arm| arm.node.as_ref()).map(fold).collect();
            match BoolExprType::try_from(boolean.boolop) {
                Ok(BoolExprType::NotExpr) => match arms.first() {
                    Some(Fold::True) => Fold::False,
                    Some(Fold::False) => Fold::True,
                    Some(other) => *other,
                    None => Fold::Row,
                },
                Ok(BoolExprType::OrExpr) if complementary(&boolean.args) => Fold::True,
                Ok(BoolExprType::OrExpr) => either(&arms),
                Ok(BoolExprType::AndExpr) => both(&arms),
                _ => Fold::Row,
            }
        }
        NodeEnum::AExpr(expression) => comparison(expression),
        NodeEnum::CollateClause(collate) => inner(&collate.arg).map_or(Fold::Row, fold),
        NodeEnum::BooleanTest(test) => match inner(&test.arg).map(fold) {
            Some(Fold::Row) | None => Fold::Row,
            Some(Fold::Parameter) => Fold::Parameter,
            Some(_) => Fold::Constant,
        },
        other if mentions_column(other) => Fold::Row,
        other if mentions(other, "ParamRef(") => Fold::Parameter,
        _ => Fold::Constant,
    }
}

fn truth(value: bool) -> Fold {
    if value { Fold::True } else { Fold::False }
}

/// OR: one arm that is true decides; an arm of unknown constant value may be true, so it decides too.
fn either(arms: &[Fold]) -> Fold {
    if arms.contains(&Fold::True) {
        Fold::True
    } else if arms.contains(&Fold::Constant) {
        Fold::Constant
    } else if arms.contains(&Fold::Row) {
        Fold::Row
    } else if arms.contains(&Fold::Parameter) {
        Fold::Parameter
    } else {
        Fold::False
    }
}

/// AND: one arm that is false decides.
fn both(arms: &[Fold]) -> Fold {
    if arms.contains(&Fold::False) {
        Fold::False
    } else if arms.contains(&Fold::Row) {
        Fold::Row
    } else if arms.contains(&Fold::Parameter) {
        Fold::Parameter
    } else if arms.contains(&Fold::Constant) {
        Fold::Constant
    } else {
        Fold::True
    }
}

fn comparison(expression: &AExpr) -> Fold {
    let (Some(left), Some(right)) = (inner(&expression.lexpr), inner(&expression.rexpr)) else {
        return whole(expression);
    };
    let operator = expression.name.last().and_then(string_of).unwrap_or_default();
    let kind = AExprKind::try_from(expression.kind).unwrap_or(AExprKind::Undefined);
    if same(left, right) {
        return match (kind, operator) {
            (AExprKind::AexprOp, "=" | "<=" | ">=")
            | (AExprKind::AexprNotDistinct | AExprKind::AexprLike, _) => Fold::True,
            (AExprKind::AexprOp, "<>" | "<" | ">") | (AExprKind::AexprDistinct, _) => Fold::False,
            _ => whole(expression),
        };
    }
    if kind == AExprKind::AexprIn
        && let NodeEnum::List(list) = right
        && list.items.iter().filter_map(|item| item.node.as_ref()).any(|item| same(left, item))
    {
        return truth(operator == "=");
    }
    if kind == AExprKind::AexprOp
        && let (Some(left), Some(right)) = (literal(left), literal(right))
    {
        let order = match (left.parse::<f64>(), right.parse::<f64>()) {
            (Ok(left), Ok(right)) => left.partial_cmp(&right),
            _ => Some(left.cmp(&right)),
        };
        if let Some(order) = order {
            match operator {
                "=" => return truth(order.is_eq()),
                "<>" => return truth(order.is_ne()),
                "<" => return truth(order.is_lt()),
                "<=" => return truth(order.is_le()),
                ">" => return truth(order.is_gt()),
                ">=" => return truth(order.is_ge()),
                _ => {}
            }
        }
    }
    whole(expression)
}

fn whole(expression: &AExpr) -> Fold {
    let mut fold_of = Fold::Constant;
    for side in [&expression.lexpr, &expression.rexpr] {
        let Some(node) = inner(side) else { continue };
        if mentions_column(node) {
            return Fold::Row;
        }
        if mentions(node, "ParamRef(") {
            fold_of = Fold::Parameter;
        }
    }
    fold_of
}

fn literal(node: &NodeEnum) -> Option<String> {
    match node {
        NodeEnum::AConst(constant) => match constant.val.as_ref()? {
            a_const::Val::Ival(value) => Some(value.ival.to_string()),
            a_const::Val::Fval(value) => Some(value.fval.clone()),
            a_const::Val::Sval(value) => Some(value.sval.clone()),
            a_const::Val::Boolval(value) => Some(value.boolval.to_string()),
            a_const::Val::Bsval(_) => None,
        },
        _ => None,
    }
}

fn fields(reference: &ColumnRef) -> Vec<&str> {
    reference.fields.iter().filter_map(string_of).collect()
}

/// Whether two expressions are the same one, read off the same row.
fn same(left: &NodeEnum, right: &NodeEnum) -> bool {
    match (left, right) {
        (NodeEnum::ColumnRef(left), NodeEnum::ColumnRef(right)) => {
            let (left, right) = (fields(left), fields(right));
            left.last() == right.last()
                && (left.len() == right.len() && left == right || left.len() != right.len())
        }
        (NodeEnum::TypeCast(left), NodeEnum::TypeCast(right)) => {
            let name = |cast: &pg_query::protobuf::TypeCast| {
                cast.type_name.as_ref().map(|name| super::strings(&name.names)).unwrap_or_default()
            };
            name(left) == name(right) && same_boxed(&left.arg, &right.arg)
        }
        (NodeEnum::FuncCall(left), NodeEnum::FuncCall(right)) => {
            super::strings(&left.funcname) == super::strings(&right.funcname)
                && left.args.len() == right.args.len()
                && !left.args.is_empty()
                && left.args.iter().zip(&right.args).all(|(left, right)| same_nodes(left, right))
        }
        (NodeEnum::CoalesceExpr(left), NodeEnum::CoalesceExpr(right)) => {
            left.args.len() == right.args.len()
                && left.args.iter().zip(&right.args).all(|(left, right)| same_nodes(left, right))
        }
        (NodeEnum::AExpr(left), NodeEnum::AExpr(right)) => {
            left.kind == right.kind
                && super::strings(&left.name) == super::strings(&right.name)
                && same_boxed(&left.lexpr, &right.lexpr)
                && same_boxed(&left.rexpr, &right.rexpr)
        }
        (left, right) => {
            matches!((literal(left), literal(right)), (Some(left), Some(right)) if left == right)
        }
    }
}

fn same_nodes(left: &Node, right: &Node) -> bool {
    matches!((left.node.as_ref(), right.node.as_ref()), (Some(left), Some(right)) if same(left, right))
}

fn same_boxed(left: &Option<Box<Node>>, right: &Option<Box<Node>>) -> bool {
    matches!((inner(left), inner(right)), (Some(left), Some(right)) if same(left, right))
}

/// `x IS NULL OR x IS NOT NULL`, `x = 1 OR x <> 1`, `p OR NOT p`.
fn complementary(arms: &[Node]) -> bool {
    let arms: Vec<&NodeEnum> = arms.iter().filter_map(|arm| arm.node.as_ref()).take(16).collect();
    arms.iter().enumerate().any(|(at, left)| arms.iter().skip(at + 1).any(|right| opposite(left, right)))
}

fn opposite(left: &NodeEnum, right: &NodeEnum) -> bool {
    match (left, right) {
        (NodeEnum::NullTest(left), NodeEnum::NullTest(right)) => {
            left.nulltesttype != right.nulltesttype
                && left.nulltesttype != NullTestType::Undefined as i32
                && same_boxed(&left.arg, &right.arg)
        }
        (NodeEnum::AExpr(left), NodeEnum::AExpr(right)) => {
            let name = |expression: &AExpr| {
                expression.name.last().and_then(string_of).unwrap_or_default().to_owned()
            };
            let pair = (name(left), name(right));
            let covers = matches!(
                (pair.0.as_str(), pair.1.as_str()),
                ("=", "<>")
                    | ("<>", "=")
                    | ("<", ">=")
                    | (">=", "<")
                    | (">", "<=")
                    | ("<=", ">")
                    | ("<=", ">=")
                    | (">=", "<=")
            );
            covers && same_boxed(&left.lexpr, &right.lexpr) && same_boxed(&left.rexpr, &right.rexpr)
        }
        (NodeEnum::BoolExpr(not), other) | (other, NodeEnum::BoolExpr(not))
            if not.boolop == BoolExprType::NotExpr as i32 =>
        {
            not.args.first().and_then(|arg| arg.node.as_ref()).is_some_and(|arg| same(arg, other))
        }
        _ => false,
    }
}

fn mentions_column(node: &NodeEnum) -> bool {
    mentions(node, "ColumnRef(") || mentions(node, "CurrentOfExpr(") || mentions(node, "AStar(")
}

/// Whether the tree holds a node of that name: searched in its debug form, so that no kind of node is
/// forgotten. A literal that holds the same text reads as a mention, which errs on `some`; so literals
/// are blanked first.
fn mentions(node: &NodeEnum, name: &str) -> bool {
    struct Search<'a> {
        name: &'a str,
        tail: String,
        quoted: bool,
        escaped: bool,
        found: bool,
    }
    impl std::fmt::Write for Search<'_> {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            for c in text.chars() {
                if self.quoted {
                    if self.escaped {
                        self.escaped = false;
                    } else if c == '\\' {
                        self.escaped = true;
                    } else if c == '"' {
                        self.quoted = false;
                    }
                    continue;
                }
                if c == '"' {
                    self.quoted = true;
                    self.tail.clear();
                    continue;
                }
                if c.is_ascii_alphanumeric() || c == '(' {
                    self.tail.push(c);
                    if self.tail == self.name {
                        self.found = true;
                        return Err(std::fmt::Error);
                    }
                    if c == '(' {
                        self.tail.clear();
                    }
                } else {
                    self.tail.clear();
                }
            }
            Ok(())
        }
    }
    let mut search = Search { name, tail: String::new(), quoted: false, escaped: false, found: false };
    // Writing stops with an error as soon as the name is found.
    let written = std::fmt::Write::write_fmt(&mut search, format_args!("{node:?}"));
    search.found || written.is_err()
}
