//! What is known of a parenthesis while it is open, and how much may be open at once.

use crate::room::Depths;

/// How many operators one expression may chain: each is a level of its tree.
pub(super) const OPERATORS: usize = 1500;
/// How many joins may be open: without ON each is a level of the tree, which `sqlparser` does not count, and
/// takes some 40 KiB in a build without optimisation. The servers join 61 tables at most.
pub(super) const JOINS: Depths = Depths { small: if cfg!(debug_assertions) { 10 } else { 40 }, large: 100 };

/// What an open parenthesis belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opener {
    Other,
    /// Of tables after FROM or JOIN.
    Tables,
    /// Of `CHAR(x USING charset)`.
    Char,
    /// Of `JSON_VALUE(x, path RETURNING …)`.
    JsonValue,
    /// Of `WEIGHT_STRING(x AS …)`.
    WeightString,
    /// Of `GROUP_CONCAT(x LIMIT …)`.
    GroupConcat,
}

/// The clause that the tokens at a level stand in, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clause {
    Other,
    /// Between UPDATE and SET.
    UpdateTables,
    /// Between DELETE and FROM, or FROM and USING.
    DeleteTargets,
    GroupBy,
}

#[derive(Debug)]
pub(super) struct Level {
    pub(super) opener: Opener,
    pub(super) clause: Clause,
    pub(super) operators: usize,
    pub(super) joins: usize,
    pub(super) sets: usize,
}

impl Level {
    pub(super) fn new(opener: Opener) -> Self {
        Self { opener, clause: Clause::Other, operators: 0, joins: 0, sets: 0 }
    }
}
