//! What flows into a column while a statement is being read.
//!
//! A [`Base`] is a cheap key of a base column (no text is copied until the result is written out); a
//! [`Flow`] is what one column is made of; a [`Column`] is a flow under a name.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::rc::Rc;

use super::super::catalog::CatalogRelation;
use super::BaseColumn;

/// A base column.
#[derive(Clone, Debug)]
pub(super) enum Base<'c> {
    /// Of the catalog: the relation and the position in its list of columns.
    Known(&'c CatalogRelation, usize),
    /// By name alone, when there is no catalog.
    Named(Rc<BaseColumn>),
}

impl Base<'_> {
    fn key(&self) -> (usize, usize, Option<&BaseColumn>) {
        match self {
            Self::Known(relation, at) => (std::ptr::from_ref(*relation).addr(), *at, None),
            Self::Named(base) => (0, 0, Some(base)),
        }
    }

    /// Writes the key out.
    pub(super) fn to_column(&self) -> Option<BaseColumn> {
        match self {
            Self::Known(relation, at) => relation.columns.get(*at).map(|column| BaseColumn {
                schema: relation.schema.clone(),
                relation: relation.name.clone(),
                column: column.name.clone(),
            }),
            Self::Named(base) => Some(BaseColumn::clone(base)),
        }
    }
}

impl PartialEq for Base<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Base<'_> {}

impl PartialOrd for Base<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Base<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

/// What a column is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Flow<'c> {
    /// This base column, unchanged.
    Exact(Base<'c>),
    /// Computed from these; from none when it is a constant.
    Made(BTreeSet<Base<'c>>),
    /// Nobody can say.
    Unsettled,
}

impl<'c> Flow<'c> {
    /// A constant.
    pub(super) const fn constant() -> Self {
        Self::Made(BTreeSet::new())
    }

    /// The same sources, as those of something computed.
    pub(super) fn made(self) -> Self {
        match self {
            Self::Exact(base) => Self::Made(BTreeSet::from([base])),
            other => other,
        }
    }

    /// Computed from both.
    pub(super) fn and(self, other: Self) -> Self {
        match (self.made(), other.made()) {
            (Self::Made(mut mine), Self::Made(mut theirs)) => {
                if mine.len() < theirs.len() {
                    std::mem::swap(&mut mine, &mut theirs);
                }
                mine.extend(theirs);
                Self::Made(mine)
            }
            _ => Self::Unsettled,
        }
    }

    /// One or the other, row by row: unchanged only when both are the same base column.
    pub(super) fn or(self, other: Self) -> Self {
        if self == other { self } else { self.and(other) }
    }

    /// Computed from all of them.
    pub(super) fn all(flows: impl IntoIterator<Item = Self>) -> Self {
        flows.into_iter().fold(Self::constant(), Self::and)
    }

    /// How many sources it names.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Exact(_) => 1,
            Self::Made(bases) => bases.len(),
            Self::Unsettled => 0,
        }
    }
}

/// A column of a sub-query, or of the result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column<'c> {
    /// Its name.
    pub(super) name: Rc<str>,
    /// What it is made of.
    pub(super) flow: Flow<'c>,
}

impl<'c> Column<'c> {
    /// A column of that name.
    pub(super) fn new(name: &str, flow: Flow<'c>) -> Self {
        Self { name: name.into(), flow }
    }
}
