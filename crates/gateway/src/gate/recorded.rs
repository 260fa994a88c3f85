//! An operation's text as it is kept: in recordings, in requests for approval, in the search index.
//!
//! Credentials are left out of it. What runs, and what an approval is bound to, is the exact text.

use std::borrow::Cow;
use std::ops::Range;

use sallyport_core::Withheld;
use sallyport_inspect::credentials::{self, Dialect};

/// A text without its credentials.
#[derive(Debug)]
pub(crate) struct Recorded<'a> {
    text: Cow<'a, [u8]>,
    credentials: Vec<Range<usize>>,
}

impl<'a> Recorded<'a> {
    pub(crate) fn of(text: &'a [u8], dialect: Dialect) -> Self {
        let credentials = credentials::find(text, dialect);
        let text = credentials::withhold(text, &credentials).map_or(Cow::Borrowed(text), Cow::Owned);
        Self { text, credentials }
    }

    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Whether anything was left out.
    pub(crate) fn withholds(&self) -> bool {
        !self.credentials.is_empty()
    }

    /// Where what was left out stood.
    pub(crate) fn withheld(&self) -> Vec<Withheld> {
        let one = |span: &Range<usize>| Withheld { offset: span.start, length: span.len() };
        self.credentials.iter().map(one).collect()
    }
}
