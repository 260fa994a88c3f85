//! What happens to each column of a result, and to each row.

use bytes::BytesMut;
use sallyport_core::Secret;
use sallyport_mask::Operator;
use sallyport_wire::mysql::WireError;
use sallyport_wire::mysql::column::{Column, kind};
use sallyport_wire::mysql::row::{binary_values, put_binary_row, put_text_value, text_values};

use super::charset::{Encoding, encoding};
use super::value::{self, Change};

/// What is done to a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Treatment {
    /// Detectors look at each value.
    Look,
    /// Every value is masked.
    Label {
        /// The label; of several, the first.
        label: String,
        /// How.
        operator: Operator,
    },
}

/// What a value can be, by its column's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Text.
    Text(Encoding),
    /// JSON as MySQL's own type.
    Json,
    /// A whole number that may be a card's.
    Number,
    /// Numbers and times that hold no text of people.
    Plain,
    /// Bytes of any form.
    Bytes,
}

/// How one column is masked.
#[derive(Clone, Debug)]
pub(super) struct ColumnPlan {
    pub(super) name: String,
    pub(super) kind: u8,
    pub(super) shape: Shape,
    pub(super) treatment: Treatment,
}

/// How the rows of a result are masked.
#[derive(Debug)]
pub(in super::super) struct RowPlan {
    columns: Vec<ColumnPlan>,
    hash_key: Option<Secret<Vec<u8>>>,
    untouched: bool,
}

fn shape(column: &Column) -> Shape {
    match column.kind {
        kind::TINY
        | kind::SHORT
        | kind::LONG
        | kind::INT24
        | kind::FLOAT
        | kind::YEAR
        | kind::NULL
        | kind::TIMESTAMP
        | kind::DATE
        | kind::TIME
        | kind::DATETIME => Shape::Plain,
        kind::LONGLONG | kind::DOUBLE | kind::DECIMAL | kind::NEWDECIMAL => Shape::Number,
        kind::JSON => Shape::Json,
        kind::BIT | kind::GEOMETRY => Shape::Bytes,
        _ => match encoding(column.collation) {
            Encoding::Bytes => Shape::Bytes,
            encoding => Shape::Text(encoding),
        },
    }
}

impl RowPlan {
    pub(super) fn new(
        columns: &[Column],
        treatments: Vec<Treatment>,
        hash_key: Option<Secret<Vec<u8>>>,
    ) -> Self {
        let columns: Vec<ColumnPlan> = columns
            .iter()
            .zip(treatments)
            .map(|(column, treatment)| ColumnPlan {
                // The column's own name tells more than an alias; either may.
                name: String::from_utf8_lossy(if column.org_name.is_empty() {
                    &column.name
                } else {
                    &column.org_name
                })
                .into_owned(),
                kind: column.kind,
                shape: shape(column),
                treatment,
            })
            .collect();
        let untouched =
            columns.iter().all(|column| column.shape == Shape::Plain && column.treatment == Treatment::Look);
        Self { columns, hash_key, untouched }
    }

    /// Whether every row leaves as it came.
    pub(in super::super) fn passes_untouched(&self) -> bool {
        self.untouched
    }

    /// Masks one row: the new payload is appended to `out` when anything changes, and the count of masked
    /// values given; nothing when the row stays as it is.
    ///
    /// # Errors
    /// The row does not read, or has other columns than were described.
    pub(in super::super) fn mask_row(
        &self,
        payload: &[u8],
        binary: bool,
        out: &mut BytesMut,
    ) -> Result<Option<u32>, WireError> {
        let values = if binary {
            binary_values(payload, self.columns.iter().map(|column| column.kind))?
        } else {
            text_values(payload, self.columns.len())?
        };
        let mut masked = 0_u32;
        let changes: Vec<Option<Change>> = self
            .columns
            .iter()
            .zip(&values)
            .map(|(column, value)| {
                let change =
                    value.and_then(|value| value::mask(column, value, binary, self.hash_key.as_ref()));
                masked = masked.saturating_add(u32::from(change.is_some()));
                change
            })
            .collect();
        if masked == 0 {
            return Ok(None);
        }
        let new = values.iter().zip(&changes).map(|(value, change)| match change {
            None => *value,
            Some(Change::Null) => None,
            Some(Change::Bytes(bytes)) => Some(bytes.as_slice()),
        });
        if binary {
            let kinds = self.columns.iter().map(|column| column.kind);
            put_binary_row(out, kinds.zip(new));
        } else {
            for value in new {
                put_text_value(out, value);
            }
        }
        Ok(Some(masked))
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
