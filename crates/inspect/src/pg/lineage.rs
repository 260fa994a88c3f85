//! Where each output column comes from.
//!
//! [`settle`] reads a statement's tree as PostgreSQL's analyser would, over the catalog: names are
//! resolved level by level (`scope`), FROM becomes entries (`source`, `call`, `documents`), target
//! lists become columns (`query`, `writes`), expressions become the set of base columns that feed them
//! (`expression`). One rule stands over all: whatever is not surely known is `Unsettled`, and that
//! counts as labelled. A source that is missing from an answer would be a leak.

mod call;
mod decides;
mod documents;
mod expression;
mod flow;
mod naming;
mod query;
mod reader;
mod scope;
mod server_names;
mod source;
mod writes;

use std::collections::BTreeSet;

use pg_query::NodeEnum;
use pg_query::protobuf::CopyStmt;

pub(crate) use self::decides::{Decides, decides};
use self::flow::{Column, Flow};
pub(crate) use self::naming::{value_function, xml_function};
use self::reader::Reader;
use super::statement::Context;

/// Sources written out in one answer; more are not worth telling apart.
const SOURCES: usize = 50_000;

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

/// Settles which base columns each output column of `statement` comes from. `Columns(vec![])` when it
/// returns no rows.
pub(crate) fn settle(statement: &NodeEnum, context: &Context<'_>) -> Lineage {
    match statement {
        NodeEnum::SelectStmt(select) if select.into_clause.is_some() => Lineage::Columns(Vec::new()),
        NodeEnum::SelectStmt(_)
        | NodeEnum::InsertStmt(_)
        | NodeEnum::UpdateStmt(_)
        | NodeEnum::DeleteStmt(_)
        | NodeEnum::MergeStmt(_) => {
            let reader = Reader::new(context);
            let columns = reader.query(statement, None);
            written_out(&reader, columns)
        }
        NodeEnum::CopyStmt(copy) => copied(copy, context),
        // What runs by name is recalled by who walks the text.
        NodeEnum::ExecuteStmt(_) | NodeEnum::FetchStmt(_) => Lineage::Unsettled,
        NodeEnum::ExplainStmt(_) => constants(&["QUERY PLAN"]),
        NodeEnum::VariableShowStmt(show) => match show.name.as_str() {
            "all" => constants(&["name", "setting", "description"]),
            // Anybody may keep a value in a setting of a name of their own.
            name if name.contains('.') => Lineage::Columns(vec![OutputColumn {
                name: Some(name.to_owned()),
                origin: Origin::Unsettled,
            }]),
            _ => Lineage::Columns(vec![OutputColumn {
                name: None,
                origin: Origin::Expression(BTreeSet::new()),
            }]),
        },
        // A procedure's OUT parameters come back as a row.
        NodeEnum::CallStmt(_) => Lineage::Unsettled,
        _ => Lineage::Columns(Vec::new()),
    }
}

fn constants(names: &[&str]) -> Lineage {
    let column = |name: &&str| OutputColumn {
        name: Some((*name).to_owned()),
        origin: Origin::Expression(BTreeSet::new()),
    };
    Lineage::Columns(names.iter().map(column).collect())
}

/// COPY … TO: one entry per column, in the order listed, else in the table's.
fn copied(copy: &CopyStmt, context: &Context<'_>) -> Lineage {
    if copy.is_from {
        return Lineage::Columns(Vec::new());
    }
    let reader = Reader::new(context);
    let columns = match (&copy.relation, copy.query.as_deref().and_then(|node| node.node.as_ref())) {
        (None, Some(query)) => reader.query(query, None),
        (Some(relation), None) => {
            let item = reader.table(relation);
            if copy.attlist.is_empty() {
                item.columns()
            } else {
                query::names(&copy.attlist).map(|names| {
                    let column = |name: &str| match item.find(name) {
                        scope::Found::Yes(flow) | scope::Found::Maybe(flow) => Column::new(name, flow),
                        scope::Found::No => Column::new(name, Flow::Unsettled),
                    };
                    names.into_iter().map(column).collect()
                })
            }
        }
        _ => None,
    };
    written_out(&reader, columns)
}

/// The answer, unless there was too much to read or to write.
fn written_out(reader: &Reader<'_>, columns: query::Columns<'_>) -> Lineage {
    let Some(columns) = columns.filter(|_| !reader.exhausted()) else { return Lineage::Unsettled };
    if columns.iter().map(|column| column.flow.len()).sum::<usize>() > SOURCES {
        return Lineage::Unsettled;
    }
    Lineage::Columns(
        columns
            .into_iter()
            .map(|column| OutputColumn {
                name: Some(column.name.to_string()),
                origin: match column.flow {
                    Flow::Exact(base) => base.to_column().map_or(Origin::Unsettled, Origin::Column),
                    Flow::Made(bases) => bases
                        .iter()
                        .map(flow::Base::to_column)
                        .collect::<Option<_>>()
                        .map_or(Origin::Unsettled, Origin::Expression),
                    Flow::Unsettled => Origin::Unsettled,
                },
            })
            .collect(),
    )
}

#[cfg(test)]
#[path = "lineage/shop_tests.rs"]
mod shop;

#[cfg(test)]
#[path = "lineage/cases_tests.rs"]
mod cases;

#[cfg(test)]
#[path = "lineage/decides_tests.rs"]
mod decides_tests;

#[cfg(test)]
#[path = "lineage/random_tests.rs"]
mod random;
