//! GROUP BY, HAVING and ORDER BY: their expressions may name columns of the output.

use std::collections::BTreeSet;

use sallyport_core::Condition;
use sqlparser::ast::{
    Expr, GroupByExpr, GroupByWithModifier, Ident, OrderBy, OrderByExpr, OrderByKind, OrderByOptions,
    OrderBySort, SelectItem, Value, ValueWithSpan,
};

use super::{Mode, Reader, condition, names};

impl Reader {
    pub(super) fn group_by(&mut self, group_by: &GroupByExpr, projection: &[SelectItem]) {
        let (expressions, modifiers) = match group_by {
            GroupByExpr::All(_) => return self.unsupported("GROUP BY ALL"),
            GroupByExpr::Expressions(expressions, modifiers) => (expressions, modifiers),
        };
        for expression in expressions {
            self.output_or(expression, projection);
            // No group can be made of an aggregate or a constant: then the name is a column's.
            if let Expr::Identifier(name) = expression
                && output(projection, &name.value.to_lowercase()).is_some_and(is_no_group)
            {
                self.expr(expression, Mode::Filter);
            }
        }
        for modifier in modifiers {
            match modifier {
                GroupByWithModifier::Rollup => {}
                GroupByWithModifier::Cube
                | GroupByWithModifier::Totals
                | GroupByWithModifier::GroupingSets(_) => self.unsupported("a modifier of GROUP BY"),
            }
        }
    }

    /// HAVING may use output columns anywhere in its condition.
    pub(super) fn having(&mut self, condition: &Expr, projection: &[SelectItem]) {
        let names = projection.iter().filter_map(item_alias).map(|name| name.value.to_lowercase()).collect();
        let outer = self.outputs.replace((names, BTreeSet::new()));
        self.expr(condition, Mode::Filter);
        let used = std::mem::replace(&mut self.outputs, outer).map(|(_, used)| used).unwrap_or_default();
        for name in used {
            if !self.spend(projection.len()) {
                return;
            }
            if let Some(expression) = output(projection, &name) {
                self.expr(expression, Mode::Filter);
            }
        }
    }

    pub(super) fn order_by(&mut self, order_by: Option<&OrderBy>, projection: &[SelectItem]) {
        for expression in self.order_items(order_by) {
            self.output_or(expression, projection);
        }
    }

    /// ORDER BY of a UNION can name output columns only: nothing new is read by a name or a place.
    pub(super) fn order_of_set(&mut self, order_by: Option<&OrderBy>) {
        let items = self.order_items(order_by);
        // Which columns of which arm they are made of is not followed.
        self.deciding.anything |= !items.is_empty();
        for expression in items {
            if !matches!(expression, Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Value(_)) {
                self.expr(expression, Mode::Filter);
            }
        }
    }

    fn order_items<'q>(&mut self, order_by: Option<&'q OrderBy>) -> Vec<&'q Expr> {
        let Some(OrderBy { kind, interpolate }) = order_by else { return Vec::new() };
        self.foreign(&[("INTERPOLATE", interpolate.is_some())]);
        match kind {
            OrderByKind::All(_) => {
                self.unsupported("ORDER BY ALL");
                Vec::new()
            }
            OrderByKind::Expressions(items) => items.iter().map(|item| self.order_item(item)).collect(),
        }
    }

    /// The expression of one item of an ORDER BY.
    pub(super) fn order_item<'q>(&mut self, item: &'q OrderByExpr) -> &'q Expr {
        let OrderByExpr { expr, options, with_fill } = item;
        let OrderByOptions { sort, nulls_first } = options;
        self.foreign(&[
            ("WITH FILL", with_fill.is_some()),
            ("USING in ORDER BY", matches!(sort, Some(OrderBySort::Using(_)))),
            ("NULLS FIRST", nulls_first.is_some()),
        ]);
        expr
    }

    /// ORDER BY and GROUP BY may name an output column by its alias or place.
    fn output_or(&mut self, expression: &Expr, projection: &[SelectItem]) {
        if !self.spend(projection.len()) {
            return;
        }
        let is_star =
            |item: &SelectItem| matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..));
        if matches!(expression, Expr::Value(_)) && projection.iter().any(is_star) {
            self.deciding.anything = true;
        }
        let named = match expression {
            Expr::Identifier(name) if !names::is_variable(name) => {
                output(projection, &name.value.to_lowercase())
            }
            Expr::Value(ValueWithSpan { value: Value::Number(number, _), span: _ }) => number
                .parse::<usize>()
                .ok()
                .and_then(|place| place.checked_sub(1))
                .and_then(|place| projection.get(place))
                .and_then(item_expression),
            _ => None,
        };
        self.expr(named.unwrap_or(expression), Mode::Filter);
    }
}

/// Whether the expression is an aggregate, or the same for every row.
fn is_no_group(expression: &Expr) -> bool {
    const AGGREGATES: [&str; 12] = [
        "avg",
        "bit_and",
        "bit_or",
        "bit_xor",
        "count",
        "group_concat",
        "json_arrayagg",
        "json_objectagg",
        "max",
        "min",
        "std",
        "sum",
    ];
    match expression {
        Expr::Function(call) => {
            let name = call.name.to_string().to_lowercase();
            AGGREGATES.contains(&name.as_str()) || condition::of(Some(expression)) == Condition::Constant
        }
        _ => condition::of(Some(expression)) == Condition::Constant,
    }
}

pub(super) fn item_alias(item: &SelectItem) -> Option<&Ident> {
    match item {
        SelectItem::ExprWithAlias { expr: _, alias } => Some(alias),
        SelectItem::UnnamedExpr(_)
        | SelectItem::ExprWithAliases { .. }
        | SelectItem::QualifiedWildcard(..)
        | SelectItem::Wildcard(_) => None,
    }
}

pub(super) fn item_expression(item: &SelectItem) -> Option<&Expr> {
    match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, alias: _ } => Some(expr),
        SelectItem::ExprWithAliases { .. } | SelectItem::QualifiedWildcard(..) | SelectItem::Wildcard(_) => {
            None
        }
    }
}

/// What an output column of that name is made of.
fn output<'q>(projection: &'q [SelectItem], name: &str) -> Option<&'q Expr> {
    projection
        .iter()
        .find(|item| item_alias(item).is_some_and(|alias| alias.value.to_lowercase() == name))
        .and_then(item_expression)
}

/// The name that the server gives a column without an alias, where it is one that can be referred to.
pub(super) fn expression_name(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Identifier(name) => Some(name.value.to_lowercase()),
        Expr::CompoundIdentifier(parts) => parts.last().map(|name| name.value.to_lowercase()),
        Expr::Nested(inner) => expression_name(inner),
        _ => None,
    }
}
