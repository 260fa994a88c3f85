//! What a target holds, as far as whoever writes labels has to know: its columns, and what detectors find in
//! some of their values. The values are not in it.

use std::collections::{BTreeMap, BTreeSet};

use sallyport_core::Target;
use sallyport_mask::{FieldContext, detect};

use crate::credentials::Credentials;
use crate::protocol;

/// A database, looked at.
#[derive(Clone, Debug, Default)]
pub struct Surveyed {
    /// Every column of its relations, in order.
    pub columns: Vec<SurveyedColumn>,
    /// Relations whose values could not be read.
    pub unread: Vec<String>,
}

/// One column.
#[derive(Clone, Debug)]
pub struct SurveyedColumn {
    /// Schema.
    pub schema: String,
    /// Relation.
    pub relation: String,
    /// Column.
    pub column: String,
    /// Its type as the target writes it.
    pub type_name: String,
    /// The number of its type; 0 where types have none.
    pub type_oid: u32,
    /// Whether labels reach it from elsewhere: a view's columns from what it reads, a partition's from its
    /// parent.
    pub follows: bool,
    /// How many of its values were read; NULL is none.
    pub sampled: usize,
    /// In how many of them what was found.
    pub found: BTreeMap<&'static str, usize>,
}

impl SurveyedColumn {
    /// Counts what detectors find in one of its values.
    pub(crate) fn look_at(&mut self, text: &str) {
        let found = detect(text, &FieldContext::column(&self.column));
        let entities: BTreeSet<&'static str> = found.into_iter().map(|finding| finding.entity).collect();
        for entity in entities {
            *self.found.entry(entity).or_default() += 1;
        }
    }
}

/// Looks at a database of a target with the gateway's own role: its columns and, where `sample` is not 0, at
/// most so many rows of each relation.
///
/// # Errors
/// Why it could not be read, for the operator.
pub async fn survey(
    target: &Target,
    database: &str,
    credentials: &Credentials,
    sample: usize,
) -> Result<Surveyed, String> {
    protocol::survey(target, database, credentials, sample).await
}
