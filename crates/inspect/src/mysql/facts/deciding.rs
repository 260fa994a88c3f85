//! What conditions and orders stand on beside the columns that the facts name as filters.
//!
//! `WHERE id = (SELECT salary …)` tells the salary as surely as a condition on it, and so does a condition on a
//! derived table's column that is made of it. The facts say where a column is written; these say what of it
//! decides which rows come, for whoever protects columns from being asked about.

use std::collections::BTreeSet;

use sallyport_core::ObjectName;
use sqlparser::ast::{Expr, Query, SelectItem, SetExpr, TableFactor};

use super::{Mode, Reader, names};

/// What decides, beside filters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deciding {
    /// Columns that are read within a condition.
    pub columns: BTreeSet<(ObjectName, String)>,
    /// Columns of derived tables, by the name that they have there and in what they are made of.
    pub derived: BTreeSet<String>,
    /// A column of a derived table that may be made of anything the text reads, or a place behind a `*`.
    pub anything: bool,
    /// A user variable.
    pub variables: bool,
}

impl Reader {
    /// Reads a sub-select of an expression; what one in a condition returns decides.
    pub(super) fn sub_select(&mut self, query: &Query, mode: Mode) {
        let inside = u32::from(mode == Mode::Filter);
        self.in_condition = self.in_condition.saturating_add(inside);
        self.query(query);
        self.in_condition = self.in_condition.saturating_sub(inside);
    }

    /// Whether what is read in this mode decides.
    pub(super) fn decides(&self, mode: Mode) -> bool {
        mode == Mode::Filter || self.in_condition > 0
    }

    /// A column of a derived table decides.
    pub(super) fn derived_decides(&mut self, made_of: Option<&BTreeSet<String>>, column: &str) {
        match made_of {
            Some(other) if column != "*" && !other.contains(column) => {
                self.deciding.derived.insert(column.to_owned());
            }
            _ => self.deciding.anything = true,
        }
    }

    /// The names of a derived table's columns that are not columns of tables under their own name; nothing
    /// when any of them may be.
    pub(super) fn other_names(&self, query: &Query) -> Option<BTreeSet<String>> {
        let SetExpr::Select(select) = query.body.as_ref() else { return None };
        let is_table = |factor: &TableFactor| match factor {
            TableFactor::Table { name, .. } => names::parts(name).is_some_and(|parts| {
                let is_cte = |name: &str| {
                    self.scopes
                        .iter()
                        .any(|scope| scope.ctes.iter().any(|cte| cte.name.eq_ignore_ascii_case(name)))
                };
                !matches!(parts.as_slice(), [only] if is_cte(&only.value))
            }),
            _ => false,
        };
        let all_tables = select
            .from
            .iter()
            .all(|from| is_table(&from.relation) && from.joins.iter().all(|join| is_table(&join.relation)));
        if query.with.is_some() || !all_tables {
            return None;
        }
        let mut others = BTreeSet::new();
        for item in &select.projection {
            if let SelectItem::ExprWithAlias { expr, alias } = item {
                let alias = alias.value.to_lowercase();
                let own = match expr {
                    Expr::Identifier(name) => name.value.to_lowercase() == alias,
                    Expr::CompoundIdentifier(parts) => {
                        parts.last().is_some_and(|name| name.value.to_lowercase() == alias)
                    }
                    _ => false,
                };
                if !own {
                    others.insert(alias);
                }
            }
        }
        Some(others)
    }
}
