//! Masks what leaves for the caller: rows of both forms, errors, and what the session keeps of earlier
//! statements.
//!
//! The names that the server gives a result's columns are no proof: a derived table's alias shows as a table's
//! name. So a column's origin is what the parsed select list reads, down through views; where that is not
//! settled, the column counts as everything that the operation reads. The server's names count only where
//! nothing in the text could have made them, and then add to that. [`Basis`] is made once per operation,
//! [`RowPlan`] once per result; `value` masks one value.

mod basis;
mod charset;
mod failure;
mod plan;
mod taint;
mod value;

pub(super) use basis::Basis;
pub(super) use failure::masked_failure;
pub(super) use plan::RowPlan;
pub(super) use taint::Taint;
