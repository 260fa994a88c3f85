//! Numbers that neither facts nor lineage depend on, told by where they stand in the parse tree.
//!
//! A list of what is known to be so, in one statement that reads or writes rows: a whole number that a column
//! is compared with, in a condition that is one comparison or several joined by AND; a number that INSERT puts
//! in a row; one that UPDATE sets a column to, or adds to one. Everything else may decide: a place in ORDER BY,
//! a number beside OR (`a = 1 OR a <> 1` leaves nothing out), an argument, a length, a count of rows.

use pg_query::NodeEnum;
use pg_query::protobuf::{
    AExpr, AExprKind, BoolExprType, InsertStmt, Node, ParseResult, SelectStmt, SetOperation, a_const,
};

use super::{inner, string_of};

/// Where these numbers stand in the text, bytes: at the sign of those that have one.
pub(in crate::pg) fn numbers(parsed: &ParseResult) -> Vec<usize> {
    let mut found = Vec::new();
    let [only] = parsed.stmts.as_slice() else { return found };
    match only.stmt.as_ref().and_then(|node| node.node.as_ref()) {
        Some(NodeEnum::SelectStmt(select)) if select.op == SetOperation::SetopNone as i32 => {
            condition(inner(&select.where_clause), &mut found);
        }
        Some(NodeEnum::InsertStmt(insert)) => rows(insert, &mut found),
        Some(NodeEnum::UpdateStmt(update)) => {
            for target in &update.target_list {
                if let Some(NodeEnum::ResTarget(target)) = &target.node {
                    assigned(inner(&target.val), &mut found);
                }
            }
            condition(inner(&update.where_clause), &mut found);
        }
        Some(NodeEnum::DeleteStmt(delete)) => condition(inner(&delete.where_clause), &mut found),
        _ => {}
    }
    found
}

fn rows(insert: &InsertStmt, found: &mut Vec<usize>) {
    let Some(NodeEnum::SelectStmt(select)) = inner(&insert.select_stmt) else { return };
    let SelectStmt { values_lists, .. } = select.as_ref();
    for row in values_lists {
        if let Some(NodeEnum::List(row)) = &row.node {
            row.items.iter().for_each(|item| number(item.node.as_ref(), found));
        }
    }
}

/// A number, or a column and a number put together.
fn assigned(value: Option<&NodeEnum>, found: &mut Vec<usize>) {
    match value {
        Some(NodeEnum::AExpr(expression)) if operator(expression).is_some_and(|it| "+-".contains(it)) => {
            if let Some(NodeEnum::ColumnRef(_)) = inner(&expression.lexpr) {
                number(inner(&expression.rexpr), found);
            }
        }
        other => number(other, found),
    }
}

fn condition(node: Option<&NodeEnum>, found: &mut Vec<usize>) {
    match node {
        Some(NodeEnum::BoolExpr(boolean)) if boolean.boolop == BoolExprType::AndExpr as i32 => {
            boolean.args.iter().for_each(|arm| condition(arm.node.as_ref(), found));
        }
        Some(NodeEnum::AExpr(expression)) => comparison(expression, found),
        _ => {}
    }
}

fn comparison(expression: &AExpr, found: &mut Vec<usize>) {
    let Some(NodeEnum::ColumnRef(_)) = inner(&expression.lexpr) else { return };
    let right = inner(&expression.rexpr);
    match AExprKind::try_from(expression.kind) {
        Ok(AExprKind::AexprOp)
            if operator(expression).is_some_and(|it| matches!(it, "=" | "<>" | "<" | ">" | "<=" | ">=")) =>
        {
            number(right, found);
        }
        Ok(AExprKind::AexprIn | AExprKind::AexprBetween) => {
            if let Some(NodeEnum::List(list)) = right {
                list.items.iter().for_each(|item: &Node| number(item.node.as_ref(), found));
            }
        }
        _ => {}
    }
}

/// The operator of an expression, where no schema is named.
fn operator(expression: &AExpr) -> Option<&str> {
    let [only] = expression.name.as_slice() else { return None };
    (expression.kind == AExprKind::AexprOp as i32).then(|| string_of(only)).flatten()
}

fn number(node: Option<&NodeEnum>, found: &mut Vec<usize>) {
    if let Some(NodeEnum::AConst(constant)) = node
        && let Some(a_const::Val::Ival(_)) = constant.val
        && let Ok(at) = usize::try_from(constant.location)
    {
        found.push(at);
    }
}
