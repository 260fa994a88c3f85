//! A recording as a file to take away: everything, a table, a terminal cast, or a page to read.
//!
//! Entries come in one by one, in order, and bytes go out. What a form cannot hold of a long recording it
//! says; `json` has everything.

mod cast;
mod csv;
mod json;
mod page;
mod page_parts;

use std::io::{self, Write};

use sallyport_api::dto::{Entry, Verified};

/// The forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Every entry, exact bytes, hashes and links.
    Json,
    /// A row for every operation, for spreadsheets.
    Csv,
    /// The replay for a terminal player (asciicast version 2).
    Asciicast,
    /// One page that needs nothing else, to read and to print.
    Html,
}

/// One form being written.
pub(crate) trait Export {
    /// Takes the next entry.
    ///
    /// # Errors
    /// What the file says.
    fn entry(&mut self, entry: &Entry, out: &mut dyn Write) -> io::Result<()>;

    /// All of it has come; `verified` is what the reading checked.
    ///
    /// # Errors
    /// What the file says.
    fn end(&mut self, verified: Option<&Verified>, out: &mut dyn Write) -> io::Result<()>;
}

/// Begins to write a session in a form.
pub(crate) fn begin(format: Format, session: &str) -> Box<dyn Export> {
    match format {
        Format::Json => Box::new(json::Json::new(session)),
        Format::Csv => Box::new(csv::Csv::new(session)),
        Format::Asciicast => Box::new(cast::Cast::new(session)),
        Format::Html => Box::new(page::Page::new(session)),
    }
}

#[cfg(test)]
#[path = "export_tests.rs"]
mod tests;
