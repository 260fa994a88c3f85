//! Which columns carry which class of data.

use std::fmt;

/// One column of one relation of one database of one target.
#[derive(Clone, Copy, Debug)]
pub struct ColumnRef<'a> {
    /// Target name.
    pub target: &'a str,
    /// Database name.
    pub database: &'a str,
    /// Schema name.
    pub schema: &'a str,
    /// Relation name.
    pub relation: &'a str,
    /// Column name; `*` asks for every label any column of the relation carries.
    pub column: &'a str,
}

/// Where labels come from. Masking and policy ask the same source.
pub trait LabelSource: Send + Sync + fmt::Debug {
    /// The labels of a column (`pii.email`), or of all columns of the relation for `*`.
    fn labels_of(&self, column: ColumnRef<'_>) -> Vec<String>;
}

/// No column carries a label.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoLabels;

impl LabelSource for NoLabels {
    fn labels_of(&self, _: ColumnRef<'_>) -> Vec<String> {
        Vec::new()
    }
}
