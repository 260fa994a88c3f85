//! Whether expressions are read off the same row and are the same one, or leave nothing out together.

use std::cell::Cell;
use std::fmt::Write;

use pg_query::NodeEnum;
use pg_query::protobuf::{
    AExpr, AExprKind, BoolExprType, BoolTestType, ColumnRef, Node, NullTestType, SubLinkType,
};

use super::super::{inner, string_of, strings};
use super::value::{self, Value};

/// The longest debug form that two expressions are compared by.
const SHORT: usize = 8 * 1024;

/// Arms of an OR that are compared with each other.
const ARMS: usize = 16;

fn fields(reference: &ColumnRef) -> Vec<&str> {
    reference.fields.iter().filter_map(string_of).collect()
}

/// A column that every row has a value of.
pub(super) fn is_system_column(reference: &ColumnRef) -> bool {
    matches!(
        reference.fields.last().and_then(string_of),
        Some("ctid" | "tableoid" | "xmin" | "xmax" | "cmin" | "cmax")
    )
}

/// A length or the like.
pub(super) fn is_never_negative(node: &NodeEnum) -> bool {
    match node {
        NodeEnum::FuncCall(call) => matches!(
            strings(&call.funcname).as_slice(),
            [name] if matches!(name.as_str(), "length" | "char_length" | "octet_length" | "abs" | "bit_length")
        ),
        _ => false,
    }
}

/// The expression without what leaves a value as it is: `+ 0`, `* 1`, `|| ''`, `coalesce(x)`, `(SELECT x)`.
fn peel(node: &NodeEnum) -> &NodeEnum {
    let mut node = node;
    for _ in 0..32 {
        let next = match node {
            NodeEnum::AExpr(expression) if expression.kind == AExprKind::AexprOp as i32 => {
                let operator = expression.name.last().and_then(string_of).unwrap_or_default();
                match (operator, inner(&expression.lexpr), inner(&expression.rexpr)) {
                    ("+", None, Some(right)) => Some(right),
                    ("+" | "-" | "*" | "/" | "||", Some(left), Some(right))
                        if is_neutral(operator, right) =>
                    {
                        Some(left)
                    }
                    ("+" | "*" | "||", Some(left), Some(right)) if is_neutral(operator, left) => Some(right),
                    _ => None,
                }
            }
            NodeEnum::CoalesceExpr(coalesce) => {
                let mut args = coalesce.args.iter().filter_map(|arg| arg.node.as_ref());
                let first = args.next();
                first.filter(|first| args.all(|other| same_text(first, other)))
            }
            NodeEnum::SubLink(link) if link.sub_link_type() == SubLinkType::ExprSublink => {
                match inner(&link.subselect) {
                    Some(NodeEnum::SelectStmt(select))
                        if super::is_bare(select) && select.where_clause.is_none() =>
                    {
                        value::only_target(select)
                    }
                    _ => None,
                }
            }
            NodeEnum::CollateClause(collate) => inner(&collate.arg),
            _ => None,
        };
        match next {
            Some(next) => node = next,
            None => break,
        }
    }
    node
}

fn is_neutral(operator: &str, node: &NodeEnum) -> bool {
    match (operator, value::of(node)) {
        ("+" | "-", Some(Value::Number(number))) => number == 0.0,
        ("*" | "/", Some(Value::Number(number))) => number == 1.0,
        ("||", Some(Value::Text(text))) => text.is_empty(),
        _ => false,
    }
}

/// Whether two expressions are the same one, read off the same row.
pub(super) fn same(left: &NodeEnum, right: &NodeEnum) -> bool {
    let (left, right) = (peel(left), peel(right));
    match (left, right) {
        // One of two relations' columns can be written short only when the other relation has none of
        // that name.
        (NodeEnum::ColumnRef(left), NodeEnum::ColumnRef(right)) => {
            let (left, right) = (fields(left), fields(right));
            left.last() == right.last() && (left.len() != right.len() || left == right)
        }
        (NodeEnum::TypeCast(left), NodeEnum::TypeCast(right)) => {
            let name = |cast: &pg_query::protobuf::TypeCast| {
                cast.type_name.as_ref().map(|name| strings(&name.names)).unwrap_or_default()
            };
            name(left) == name(right) && same_boxed(&left.arg, &right.arg)
        }
        // Without arguments it may be another value each time.
        (NodeEnum::FuncCall(left), NodeEnum::FuncCall(right)) => {
            strings(&left.funcname) == strings(&right.funcname)
                && !left.args.is_empty()
                && all_same(&left.args, &right.args)
        }
        (NodeEnum::CoalesceExpr(left), NodeEnum::CoalesceExpr(right)) => all_same(&left.args, &right.args),
        (NodeEnum::AExpr(left), NodeEnum::AExpr(right)) => {
            left.kind == right.kind
                && strings(&left.name) == strings(&right.name)
                && same_boxed(&left.lexpr, &right.lexpr)
                && same_boxed(&left.rexpr, &right.rexpr)
        }
        (NodeEnum::SubLink(_), _) | (_, NodeEnum::SubLink(_)) => false,
        _ => same_text(left, right),
    }
}

fn all_same(left: &[Node], right: &[Node]) -> bool {
    left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same_nodes(left, right))
}

fn same_nodes(left: &Node, right: &Node) -> bool {
    matches!((left.node.as_ref(), right.node.as_ref()), (Some(left), Some(right)) if same(left, right))
}

fn same_boxed(left: &Option<Box<Node>>, right: &Option<Box<Node>>) -> bool {
    match (inner(left), inner(right)) {
        (Some(left), Some(right)) => same(left, right),
        (None, None) => true,
        _ => false,
    }
}

/// Whether two trees are the same but for where they stand in the text.
fn same_text(left: &NodeEnum, right: &NodeEnum) -> bool {
    std::mem::discriminant(left) == std::mem::discriminant(right)
        && matches!((shown(left), shown(right)), (Some(left), Some(right)) if left == right)
}

/// The debug form without places, when it is short.
fn shown(node: &NodeEnum) -> Option<String> {
    struct Short(String);
    impl Write for Short {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            self.0.push_str(text);
            if self.0.len() > SHORT { Err(std::fmt::Error) } else { Ok(()) }
        }
    }
    let mut short = Short(String::new());
    write!(short, "{node:?}").ok()?;
    let mut pieces = short.0.split("location: ");
    let mut text = pieces.next()?.to_owned();
    for piece in pieces {
        text.push_str(piece.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-'));
    }
    Some(text)
}

/// Whether two arms of an OR leave nothing out: `x IS NULL OR x IS NOT NULL`, `x < 5 OR x >= 3`, `p OR NOT p`.
pub(super) fn covers(arms: &[Node]) -> bool {
    let arms: Vec<&NodeEnum> = arms.iter().filter_map(|arm| arm.node.as_ref()).take(ARMS).collect();
    arms.iter().enumerate().any(|(at, left)| arms.iter().skip(at + 1).any(|right| opposite(left, right)))
}

fn opposite(left: &NodeEnum, right: &NodeEnum) -> bool {
    match (left, right) {
        (NodeEnum::NullTest(left), NodeEnum::NullTest(right)) => {
            left.nulltesttype != right.nulltesttype
                && left.nulltesttype != NullTestType::Undefined as i32
                && same_boxed(&left.arg, &right.arg)
        }
        (NodeEnum::BooleanTest(left), NodeEnum::BooleanTest(right)) => {
            use BoolTestType::{IsFalse, IsNotFalse, IsNotTrue, IsNotUnknown, IsTrue, IsUnknown};
            matches!(
                (left.booltesttype(), right.booltesttype()),
                (IsTrue, IsNotTrue)
                    | (IsNotTrue, IsTrue | IsNotFalse)
                    | (IsFalse, IsNotFalse)
                    | (IsNotFalse, IsFalse | IsNotTrue)
                    | (IsUnknown, IsNotUnknown)
                    | (IsNotUnknown, IsUnknown)
            ) && same_boxed(&left.arg, &right.arg)
        }
        (NodeEnum::AExpr(left), NodeEnum::AExpr(right)) => opposite_comparisons(left, right),
        (NodeEnum::BoolExpr(not), other) | (other, NodeEnum::BoolExpr(not))
            if not.boolop == BoolExprType::NotExpr as i32 =>
        {
            not.args.first().and_then(|arg| arg.node.as_ref()).is_some_and(|arg| same(arg, other))
        }
        _ => false,
    }
}

fn opposite_comparisons(left: &AExpr, right: &AExpr) -> bool {
    let name = |expression: &AExpr| expression.name.last().and_then(string_of).unwrap_or_default().to_owned();
    if !same_boxed(&left.lexpr, &right.lexpr) {
        return false;
    }
    let (first, second) = (name(left), name(right));
    let pair = (first.as_str(), second.as_str());
    let equal = same_boxed(&left.rexpr, &right.rexpr);
    match (left.kind(), right.kind()) {
        (AExprKind::AexprOp, AExprKind::AexprOp) => {
            let negated = matches!(
                pair,
                ("=", "<>") | ("<>", "=") | ("~", "!~") | ("!~", "~") | ("~*", "!~*") | ("!~*", "~*")
            );
            (negated && equal) || overlap(pair, left, right)
        }
        (AExprKind::AexprIn, AExprKind::AexprIn) => equal && matches!(pair, ("=", "<>") | ("<>", "=")),
        (AExprKind::AexprLike, AExprKind::AexprLike) | (AExprKind::AexprIlike, AExprKind::AexprIlike) => {
            equal && first.trim_start_matches('!') == second.trim_start_matches('!') && first != second
        }
        (AExprKind::AexprDistinct, AExprKind::AexprNotDistinct)
        | (AExprKind::AexprNotDistinct, AExprKind::AexprDistinct)
        | (AExprKind::AexprBetween, AExprKind::AexprNotBetween)
        | (AExprKind::AexprNotBetween, AExprKind::AexprBetween) => equal,
        _ => false,
    }
}

/// `x < a OR x > b` where nothing lies between.
fn overlap(pair: (&str, &str), left: &AExpr, right: &AExpr) -> bool {
    let (below, above, touches) = match pair {
        ("<", ">=") | ("<=", ">" | ">=") => (left, right, true),
        (">=", "<") | (">" | ">=", "<=") => (right, left, true),
        ("<", ">") => (left, right, false),
        (">", "<") => (right, left, false),
        _ => return false,
    };
    if same_boxed(&below.rexpr, &above.rexpr) {
        return touches;
    }
    let number = |side: &AExpr| match inner(&side.rexpr).and_then(value::of) {
        Some(Value::Number(number)) => Some(number),
        _ => None,
    };
    matches!((number(below), number(above)), (Some(below), Some(above)) if below > above)
}

/// Whether the tree holds a node of one of these names: searched in its debug form, so that no kind of node
/// is forgotten; texts are left out.
pub(super) fn mentions(node: &NodeEnum, names: &[&str], budget: &Cell<usize>) -> bool {
    struct Search<'a> {
        names: &'a [&'a str],
        budget: &'a Cell<usize>,
        tail: String,
        quoted: bool,
        escaped: bool,
        found: bool,
    }
    impl Write for Search<'_> {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            self.budget.set(self.budget.get().saturating_sub(text.len()));
            if self.budget.get() == 0 {
                return Err(std::fmt::Error);
            }
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
                match c {
                    '"' => {
                        self.quoted = true;
                        self.tail.clear();
                    }
                    '(' => {
                        self.tail.push(c);
                        if self.names.contains(&self.tail.as_str()) {
                            self.found = true;
                            return Err(std::fmt::Error);
                        }
                        self.tail.clear();
                    }
                    c if c.is_ascii_alphanumeric() => self.tail.push(c),
                    _ => self.tail.clear(),
                }
            }
            Ok(())
        }
    }
    let mut search =
        Search { names, budget, tail: String::new(), quoted: false, escaped: false, found: false };
    // Writing stops with an error as soon as a name is found.
    let written = write!(search, "{node:?}");
    search.found || written.is_err()
}
