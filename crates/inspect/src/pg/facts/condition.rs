//! How far a condition narrows: whether it depends on the row at all, as far as folding decides.
//!
//! [`fold`](Folder::fold) works out the truth of an expression in SQL's three values, by what `value` gives for constants
//! and `same` for expressions that are read off the same row. It errs on neither side on purpose: what it
//! does not decide depends on the row when a column is mentioned, and is constant when none is.

mod same;
mod value;

use std::cell::Cell;

use pg_query::NodeEnum;
use pg_query::protobuf::{
    AExpr, AExprKind, BoolExprType, BoolTestType, Node, NullTestType, SelectStmt, SubLinkType, a_const,
};
use sallyport_core::Condition;

use self::value::Value;
use super::{inner, string_of};

/// How much of a tree may be searched for columns, bytes of its debug form; a tree is searched again at
/// each level where folding does not decide.
const BUDGET: usize = 8 * 1024 * 1024;

/// How many items of a list are compared with what is looked for in it, by their form.
const SAME_ITEMS: usize = 64;

/// What folding an expression gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fold {
    True,
    False,
    Null,
    /// Constant, with a value that is not worked out here.
    Constant,
    /// Depends on a parameter alone.
    Parameter,
    /// Depends on the row.
    Row,
}

/// The condition of an update or delete; nothing when there was too much to search.
pub(super) fn of(node: Option<&NodeEnum>) -> Option<Condition> {
    match node {
        None => Some(Condition::None),
        Some(node) => is_constant(node).map(|constant| match constant {
            true => Condition::Constant,
            false => Condition::Some,
        }),
    }
}

/// Whether the condition does not depend on the row; nothing when there was too much to search.
pub(super) fn is_constant(node: &NodeEnum) -> Option<bool> {
    let folder = Folder { budget: Cell::new(BUDGET) };
    let constant = folder.fold(node) != Fold::Row;
    (folder.budget.get() > 0).then_some(constant)
}

struct Folder {
    budget: Cell<usize>,
}

fn truth(value: bool) -> Fold {
    if value { Fold::True } else { Fold::False }
}

/// NULL is not true.
fn known(value: Option<bool>) -> Fold {
    value.map_or(Fold::Null, truth)
}

fn not(fold: Fold) -> Fold {
    match fold {
        Fold::True => Fold::False,
        Fold::False => Fold::True,
        other => other,
    }
}

/// OR: one arm that is true decides; an arm of unknown constant value may be true, so it decides too.
fn either(arms: &[Fold]) -> Fold {
    [Fold::True, Fold::Constant, Fold::Row, Fold::Parameter, Fold::Null]
        .into_iter()
        .find(|fold| arms.contains(fold))
        .unwrap_or(Fold::False)
}

/// AND: one arm that is false decides.
fn both(arms: &[Fold]) -> Fold {
    [Fold::False, Fold::Row, Fold::Parameter, Fold::Constant, Fold::Null]
        .into_iter()
        .find(|fold| arms.contains(fold))
        .unwrap_or(Fold::True)
}

impl Folder {
    fn fold(&self, node: &NodeEnum) -> Fold {
        match node {
            NodeEnum::AConst(constant) => match &constant.val {
                Some(a_const::Val::Boolval(value)) => truth(value.boolval),
                Some(a_const::Val::Sval(value)) => value::as_bool(&value.sval).map_or(Fold::Constant, truth),
                None => Fold::Null,
                Some(_) => Fold::Constant,
            },
            NodeEnum::ParamRef(_) => Fold::Parameter,
            NodeEnum::TypeCast(cast) => match inner(&cast.arg) {
                Some(NodeEnum::AConst(constant)) => match &constant.val {
                    // A cast decides what the literal is; only true and false keep their meaning.
                    Some(a_const::Val::Ival(value)) => truth(value.ival != 0),
                    _ => inner(&cast.arg).map_or(Fold::Constant, |arg| self.fold(arg)),
                },
                Some(node) => self.fold(node),
                None => Fold::Row,
            },
            NodeEnum::BoolExpr(boolean) => {
                let arms: Vec<Fold> = boolean
                    .args
                    .iter()
                    .filter_map(|arm| arm.node.as_ref())
                    .map(|arm| self.fold(arm))
                    .collect();
                match BoolExprType::try_from(boolean.boolop) {
                    Ok(BoolExprType::NotExpr) => arms.first().map_or(Fold::Row, |arm| not(*arm)),
                    Ok(BoolExprType::OrExpr) if same::covers(&boolean.args) => Fold::True,
                    Ok(BoolExprType::OrExpr) => either(&arms),
                    Ok(BoolExprType::AndExpr) => both(&arms),
                    _ => Fold::Row,
                }
            }
            NodeEnum::AExpr(expression) => self.comparison(expression),
            NodeEnum::CollateClause(collate) => inner(&collate.arg).map_or(Fold::Row, |arg| self.fold(arg)),
            NodeEnum::BooleanTest(test) => self.boolean_test(test.booltesttype(), inner(&test.arg), node),
            NodeEnum::NullTest(test) => {
                let null = match inner(&test.arg) {
                    Some(NodeEnum::ColumnRef(reference)) if same::is_system_column(reference) => Some(false),
                    Some(arg) => match (value::of(arg), self.fold_if_boolean(arg)) {
                        (Some(value), _) => Some(value == Value::Null),
                        (None, Some(Fold::True | Fold::False)) => Some(false),
                        (None, Some(Fold::Null)) => Some(true),
                        _ => None,
                    },
                    None => None,
                };
                match null {
                    Some(null) => truth(null == (test.nulltesttype() == NullTestType::IsNull)),
                    None => self.depends(node),
                }
            }
            NodeEnum::CoalesceExpr(coalesce) => {
                for arg in coalesce.args.iter().filter_map(|arg| arg.node.as_ref()) {
                    match self.fold(arg) {
                        Fold::Null => {}
                        Fold::Row | Fold::Constant | Fold::Parameter => return self.depends(node),
                        decided => return decided,
                    }
                }
                Fold::Null
            }
            NodeEnum::CaseExpr(case) if case.arg.is_none() => {
                for when in &case.args {
                    let Some(NodeEnum::CaseWhen(when)) = when.node.as_ref() else { return Fold::Row };
                    match inner(&when.expr).map(|condition| self.fold(condition)) {
                        Some(Fold::False | Fold::Null) => {}
                        Some(Fold::True) => {
                            return inner(&when.result).map_or(Fold::Row, |result| self.fold(result));
                        }
                        _ => return self.depends(node),
                    }
                }
                inner(&case.defresult).map_or(Fold::Null, |result| self.fold(result))
            }
            NodeEnum::SubLink(link) => self.sub_select(link, node),
            NodeEnum::FuncCall(_) => match value::of(node) {
                Some(Value::Text(text)) => value::as_bool(&text).map_or(Fold::Constant, truth),
                _ => self.depends(node),
            },
            other => self.depends(other),
        }
    }

    /// Of an expression that is a condition by its form.
    fn fold_if_boolean(&self, node: &NodeEnum) -> Option<Fold> {
        let boolean = matches!(
            node,
            NodeEnum::BoolExpr(_) | NodeEnum::NullTest(_) | NodeEnum::BooleanTest(_) | NodeEnum::AExpr(_)
        );
        boolean.then(|| self.fold(node))
    }

    fn boolean_test(&self, test: BoolTestType, arg: Option<&NodeEnum>, whole: &NodeEnum) -> Fold {
        let value = match arg.map(|arg| self.fold(arg)) {
            Some(Fold::True) => Some(true),
            Some(Fold::False) => Some(false),
            Some(Fold::Null) => None,
            _ => return self.depends(whole),
        };
        truth(match test {
            BoolTestType::IsTrue => value == Some(true),
            BoolTestType::IsNotTrue => value != Some(true),
            BoolTestType::IsFalse => value == Some(false),
            BoolTestType::IsNotFalse => value != Some(false),
            BoolTestType::IsUnknown => value.is_none(),
            BoolTestType::IsNotUnknown => value.is_some(),
            BoolTestType::Undefined => return Fold::Row,
        })
    }

    fn sub_select(&self, link: &pg_query::protobuf::SubLink, whole: &NodeEnum) -> Fold {
        let Some(NodeEnum::SelectStmt(select)) = inner(&link.subselect) else { return Fold::Row };
        match link.sub_link_type() {
            SubLinkType::ExistsSublink if is_bare(select) => {
                match inner(&select.where_clause).map_or(Fold::True, |condition| self.fold(condition)) {
                    Fold::Null => Fold::False,
                    decided => decided,
                }
            }
            SubLinkType::ExprSublink if is_bare(select) && select.where_clause.is_none() => {
                match value::only_target(select) {
                    Some(target) => self.fold(target),
                    None => self.depends(whole),
                }
            }
            SubLinkType::AnySublink
                if is_bare(select) && select.where_clause.is_none() && link.oper_name.is_empty() =>
            {
                match (inner(&link.testexpr), value::only_target(select)) {
                    (Some(left), Some(right)) => self.compared("=", left, right, whole),
                    _ => self.depends(whole),
                }
            }
            _ => self.depends(whole),
        }
    }

    fn comparison(&self, expression: &AExpr) -> Fold {
        let whole = || self.sides(expression);
        let (Some(left), Some(right)) = (inner(&expression.lexpr), inner(&expression.rexpr)) else {
            return whole();
        };
        let operator = expression.name.last().and_then(string_of).unwrap_or_default();
        if expression.name.len() != 1 {
            // An operator of a schema that the text names may mean anything.
            return whole();
        }
        match AExprKind::try_from(expression.kind) {
            Ok(AExprKind::AexprOp) => match value::compare(operator, left, right) {
                Some(value) => known(value),
                None if value::is_all_pattern(operator, right) => Fold::True,
                None => whole(),
            },
            Ok(AExprKind::AexprDistinct | AExprKind::AexprNotDistinct) => {
                let distinct = expression.kind() == AExprKind::AexprDistinct;
                match (value::of(left), value::of(right)) {
                    (Some(left), Some(right)) => truth((left != right) == distinct),
                    _ if same::same(left, right) => truth(!distinct),
                    _ => whole(),
                }
            }
            Ok(AExprKind::AexprIn | AExprKind::AexprOpAny) => {
                let items = match right {
                    NodeEnum::List(list) => &list.items,
                    NodeEnum::AArrayExpr(array) => &array.elements,
                    _ => return whole(),
                };
                self.member(operator, left, items).unwrap_or_else(whole)
            }
            Ok(AExprKind::AexprLike | AExprKind::AexprIlike | AExprKind::AexprSimilar) => {
                let negated = operator.starts_with('!');
                if value::is_all_pattern(operator, right) || same::same(left, right) {
                    return truth(!negated);
                }
                match (value::of(left), value::of(right)) {
                    (Some(Value::Text(left)), Some(Value::Text(right)))
                        if !right.contains(['%', '_', '\\']) =>
                    {
                        if expression.kind() == AExprKind::AexprLike {
                            truth((left == right) != negated)
                        } else {
                            Fold::Constant
                        }
                    }
                    _ => whole(),
                }
            }
            Ok(
                kind @ (AExprKind::AexprBetween
                | AExprKind::AexprNotBetween
                | AExprKind::AexprBetweenSym
                | AExprKind::AexprNotBetweenSym),
            ) => {
                let NodeEnum::List(bounds) = right else { return whole() };
                let [low, high] = bounds.items.as_slice() else { return whole() };
                let (Some(low), Some(high)) = (low.node.as_ref(), high.node.as_ref()) else { return whole() };
                let arms = [value::compare(">=", left, low), value::compare("<=", left, high)];
                let [Some(above), Some(below)] = arms else { return whole() };
                let within = both(&[known(above), known(below)]);
                match kind {
                    AExprKind::AexprBetween => within,
                    AExprKind::AexprNotBetween => not(within),
                    _ => whole(),
                }
            }
            _ => whole(),
        }
    }

    fn compared(&self, operator: &str, left: &NodeEnum, right: &NodeEnum, whole: &NodeEnum) -> Fold {
        value::compare(operator, left, right).map_or_else(|| self.depends(whole), known)
    }

    /// Whether the left side is one of the items; nothing when that is not decided.
    fn member(&self, operator: &str, left: &NodeEnum, items: &[Node]) -> Option<Fold> {
        let negated = match operator {
            "=" => false,
            "<>" => true,
            _ => return None,
        };
        let mut arms = Vec::new();
        let mut open = false;
        let most = if value::of(left).is_some() { usize::MAX } else { SAME_ITEMS };
        for item in items.iter().take(most).filter_map(|item| item.node.as_ref()) {
            match value::compare("=", left, item) {
                Some(Some(true)) => return Some(truth(!negated)),
                Some(other) => arms.push(known(other)),
                None => open = true,
            }
        }
        if open || items.len() > most {
            return None;
        }
        let found = either(&arms);
        Some(if negated { not(found) } else { found })
    }

    /// What both sides of an operator depend on.
    fn sides(&self, expression: &AExpr) -> Fold {
        let mut depends = Fold::Constant;
        for side in [&expression.lexpr, &expression.rexpr].into_iter().filter_map(|side| inner(side)) {
            match self.depends(side) {
                Fold::Row => return Fold::Row,
                Fold::Parameter => depends = Fold::Parameter,
                _ => {}
            }
        }
        depends
    }

    /// What an expression depends on, by what it mentions.
    fn depends(&self, node: &NodeEnum) -> Fold {
        let mentions = |names: &[&str]| same::mentions(node, names, &self.budget);
        if mentions(&["ColumnRef(", "CurrentOfExpr(", "AStar("]) {
            Fold::Row
        } else if mentions(&["ParamRef("]) {
            Fold::Parameter
        } else {
            Fold::Constant
        }
    }
}

/// A SELECT of one row, whatever the database holds.
fn is_bare(select: &SelectStmt) -> bool {
    select.from_clause.is_empty()
        && select.larg.is_none()
        && select.values_lists.is_empty()
        && select.group_clause.is_empty()
        && select.having_clause.is_none()
        && select.limit_count.is_none()
        && select.limit_offset.is_none()
}

#[cfg(test)]
#[path = "condition/condition_tests.rs"]
mod tests;
