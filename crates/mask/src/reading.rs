//! A text as detectors see it: its bytes, its parts, and what surrounds each place.
//!
//! Made once per view of a value and shared by all detectors. Work is counted ([`Reading::spend`]): a text that asks for more than its length
//! allows is withheld rather than read slowly.

use std::cell::{Cell, OnceCell};

use crate::column::Column;
use crate::context::Before;
use crate::features::{Features, HIGH, TELLING};
use crate::parts::Parts;
use crate::structure::Keys;
use crate::topics::Topic;

/// A text and what is known about it.
#[derive(Debug)]
pub(crate) struct Reading<'t> {
    pub(crate) text: &'t str,
    /// It was written in another encoding within the value.
    pub(crate) decoded: bool,
    pub(crate) features: Features,
    pub(crate) column: &'t Column,
    /// The text is a cell by itself, and nothing says of what.
    pub(crate) blind: bool,
    /// It is, and its column has no name at all.
    pub(crate) unnamed: bool,
    pub(crate) parts: &'t Parts,
    pub(crate) keys: OnceCell<Option<Keys>>,
    pub(crate) work: &'t Cell<usize>,
}

impl<'t> Reading<'t> {
    pub(crate) fn bytes(&self) -> &'t [u8] {
        self.text.as_bytes()
    }

    /// What stands before that byte: its key, or the end of the sentence.
    pub(crate) fn before(&self, at: usize) -> Before {
        if at == 0 || !self.features.any(TELLING | HIGH) {
            return Before::NOTHING;
        }
        let keys = self.keys.get_or_init(|| Keys::of(self.text));
        match keys.as_ref().and_then(|keys| keys.at(self.text, at)) {
            Some(key) => Before::key(key),
            None => Before::of(self.text, at),
        }
    }

    /// Whether the column's name or what stands before says that the value is of that topic.
    pub(crate) fn says(&self, at: usize, topic: Topic) -> bool {
        self.column.words.say(topic) || self.before(at).say(topic)
    }

    /// Whether neither the column nor anything before that byte says what the value is.
    pub(crate) fn is_silent(&self, at: usize) -> bool {
        self.column.words.say_nothing() && (at == 0 || !self.features.any(TELLING | HIGH))
    }

    /// Counts a step of work that is more than looking at a byte; false when the text has used up its share.
    pub(crate) fn spend(&self) -> bool {
        let left = self.work.get();
        self.work.set(left.saturating_sub(1));
        left > 0
    }
}
