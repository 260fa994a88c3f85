//! Rows of a result, gathered to be set out side by side.
//!
//! They are gathered until their result ends or there are enough for a table; so much is in memory and no
//! more.

use sallyport_core::visible;

use super::teller::Room;
use super::{Table, What};

/// Rows that are gathered before they are set out.
const GATHERED: usize = 200;

/// What is gathered of the present result.
#[derive(Debug)]
pub(super) struct Gathered {
    room: Room,
    table: Table,
    /// Rows of the present result so far, and of the operation that were not shown.
    seen: u64,
    hidden: u64,
}

impl Gathered {
    pub(super) fn new(room: Room) -> Self {
        Self { room, table: Table { first: true, ..Table::default() }, seen: 0, hidden: 0 }
    }

    /// From here on it is another operation's.
    pub(super) fn begin(&mut self, operation: u64) {
        self.table = Table { operation, first: true, ..Table::default() };
        (self.seen, self.hidden) = (0, 0);
    }

    /// Characters of a value.
    pub(super) fn cell(&self) -> usize {
        self.room.cell
    }

    /// Rows of the operation that were not shown.
    pub(super) fn hidden(&self) -> u64 {
        self.hidden
    }

    /// A result begins, with these columns; none where it has no names.
    pub(super) fn columns<'a>(&mut self, names: impl IntoIterator<Item = &'a [u8]>) {
        self.table.columns =
            names.into_iter().map(|name| crate::output::cut(&visible::bytes(name), self.room.cell)).collect();
        self.table.first = true;
        self.seen = 0;
    }

    /// Counts a row; whether it is one to be shown.
    pub(super) fn is_shown(&mut self) -> bool {
        self.seen = self.seen.saturating_add(1);
        let shown = self.seen <= self.room.rows;
        if !shown {
            self.hidden = self.hidden.saturating_add(1);
        }
        shown
    }

    /// Takes a row; gives the table when it is large enough.
    pub(super) fn row(&mut self, row: Vec<Option<String>>) -> Option<What> {
        self.table.rows.push(row);
        (self.table.rows.len() >= GATHERED).then(|| self.set_out()).flatten()
    }

    /// What is gathered.
    pub(super) fn set_out(&mut self) -> Option<What> {
        // A result without rows still has columns to show.
        if self.table.rows.is_empty() && (self.table.columns.is_empty() || !self.table.first) {
            return None;
        }
        let next = Table {
            operation: self.table.operation,
            columns: self.table.columns.clone(),
            rows: Vec::new(),
            first: false,
        };
        Some(What::Table(std::mem::replace(&mut self.table, next)))
    }
}
