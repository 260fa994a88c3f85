//! PostgreSQL: facts and lineage of a text.
//!
//! [`inspect`] parses the text with PostgreSQL's own grammar and walks every node. Data flows one
//! way: text -> parse tree -> [`Facts`] (what it would do) and, per statement, [`Lineage`] (which base
//! columns each output column comes from) and [`StateEffect`]s (what it changes about the reading of
//! the statements after it).

mod cache;
mod catalog;
mod constants;
mod facts;
mod ffi;
mod functions;
mod inspection;
mod lineage;
pub(crate) mod lines;
mod names;
mod nesting;
mod shape;
mod statement;
mod text;

pub use cache::Cache;
pub use catalog::{Catalog, CatalogColumn, CatalogFunction, CatalogRelation, RelationKind};
pub use constants::{Constant, constants};
pub use inspection::inspect;
pub use lineage::{BaseColumn, Lineage, Origin, OutputColumn};
pub use statement::{
    Context, CopyFormat, CopyOptions, Inspection, Prepared, Remembered, StateEffect, Statement, StatementKind,
};

#[cfg(test)]
#[path = "cases_tests.rs"]
mod cases_tests;
#[cfg(test)]
#[path = "hostile_tests.rs"]
mod hostile_tests;
#[cfg(test)]
#[path = "property_tests.rs"]
mod property_tests;
