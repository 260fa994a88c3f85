//! Where each output column comes from.

use std::collections::BTreeSet;

use pg_query::NodeEnum;

use super::statement::Context;

/// A column of a base table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BaseColumn {
    /// Schema.
    pub schema: String,
    /// Table.
    pub relation: String,
    /// Column.
    pub column: String,
}

/// What an output column is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Exactly this base column, unchanged.
    Column(BaseColumn),
    /// Computed from these base columns; from none when it is a constant or a count.
    Expression(BTreeSet<BaseColumn>),
    /// Cannot be settled: counts as labelled.
    Unsettled,
}

/// One output column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputColumn {
    /// Its name in the result, where the text settles it.
    pub name: Option<String>,
    /// What it is made of.
    pub origin: Origin,
}

/// The output columns of one statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lineage {
    /// One entry per column of the result, in order.
    Columns(Vec<OutputColumn>),
    /// Even the number of columns cannot be settled: every column counts as labelled.
    Unsettled,
}

/// Settles which base columns each output column of `statement` comes from.
pub(crate) fn settle(_statement: &NodeEnum, _context: &Context<'_>) -> Lineage {
    Lineage::Unsettled
}
