//! What was found so far in a request: actions without repeats, and the first thing that was not understood.

use std::collections::BTreeSet;

use sallyport_core::{Action, Facts, Language, Unknown, UnknownCode, Verb};

/// More actions than any approval shows; a request with more is not read to its end.
const MOST: usize = 4096;

#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    actions: BTreeSet<Action>,
    unknown: Option<Unknown>,
    statements: usize,
}

impl Found {
    pub(super) fn add(&mut self, action: Action) {
        if self.actions.len() < MOST {
            self.actions.insert(action);
        } else {
            self.unknown(UnknownCode::TooLarge, "more actions than are kept");
        }
    }

    /// The first is kept.
    pub(super) fn unknown(&mut self, code: UnknownCode, detail: impl Into<String>) {
        self.unknown.get_or_insert_with(|| Unknown { code, detail: detail.into() });
    }

    pub(super) fn ambiguous(&mut self, detail: &str) {
        self.unknown(UnknownCode::Ambiguous, detail);
    }

    /// Counts operations of a batch; a request alone is one.
    pub(super) fn count(&mut self, statements: usize) {
        self.statements += statements;
    }

    /// Takes in what a part of the same request was found to do.
    pub(super) fn absorb(&mut self, part: Self) {
        self.statements += part.statements;
        self.merge(part.facts_within());
    }

    /// Takes in what another language's inspector, or a request within this one, was found to do.
    pub(super) fn merge(&mut self, facts: Facts) {
        for action in facts.actions {
            self.add(action);
        }
        if let Some(unknown) = facts.unknown {
            self.unknown(unknown.code, unknown.detail);
        }
    }

    /// Whether there is an action or a doubt that the other has not. Objects count only for requests within the
    /// request: all else is on the request's own path, which is spelled otherwise.
    pub(super) fn says_more_than(&self, other: &Self) -> bool {
        let is_request = |action: &Action| {
            use Verb::{Get, HttpDelete, OtherMethod, Patch, Post, Put};
            matches!(action.action, Get | Post | Put | Patch | HttpDelete | OtherMethod)
        };
        let has = |action: &Action| {
            other.actions.iter().any(|known| {
                known.action == action.action
                    && known.kind == action.kind
                    && (!is_request(action) || known.object == action.object)
            })
        };
        (self.unknown.is_some() && other.unknown.is_none()) || !self.actions.iter().all(has)
    }

    /// As it is, to be merged into another.
    pub(super) fn facts_within(self) -> Facts {
        Facts {
            language: Language::Http,
            statements: self.statements,
            unknown: self.unknown,
            actions: self.actions.into_iter().collect(),
        }
    }

    pub(super) fn facts(mut self) -> Facts {
        if self.actions.is_empty() && self.unknown.is_none() {
            self.actions.insert(Action::new(Verb::OtherMethod));
        }
        Facts {
            language: Language::Http,
            statements: self.statements.max(1),
            unknown: self.unknown,
            actions: self.actions.into_iter().collect(),
        }
    }
}
