//! Actions found so far, merged: one line an object, its columns gathered.

use std::collections::{BTreeMap, BTreeSet};

use sallyport_core::{Action, Condition, ObjectName, Unknown, UnknownCode, Verb};

/// The most actions of one text: the servers join 61 tables, and what holds thousands of statements is data.
const MOST_ACTIONS: usize = 2048;

/// What makes two actions the same one, to be merged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    verb: Verb,
    kind: Option<String>,
    object: Option<ObjectName>,
    condition: Option<Condition>,
    on: Option<ObjectName>,
    to: Vec<String>,
}

/// The columns of an action, gathered.
#[derive(Clone, Debug, Default)]
struct Used {
    columns: BTreeSet<String>,
    filters: BTreeSet<String>,
}

/// Actions found so far, and the first gap.
#[derive(Clone, Debug, Default)]
pub(in crate::mysql) struct Found {
    actions: BTreeMap<Key, Used>,
    pub(in crate::mysql) unknown: Option<Unknown>,
}

impl Found {
    /// The actions, sorted.
    pub(in crate::mysql) fn actions(&self) -> Vec<Action> {
        let mut actions: Vec<Action> = self
            .actions
            .iter()
            .map(|(key, used)| Action {
                kind: key.kind.clone(),
                object: key.object.clone(),
                columns: used.columns.iter().cloned().collect(),
                filters: used.filters.iter().cloned().collect(),
                condition: key.condition,
                on: key.on.clone(),
                to: key.to.clone(),
                ..Action::new(key.verb)
            })
            .collect();
        actions.sort();
        actions
    }

    pub(super) fn add(&mut self, action: Action) {
        let key = Key {
            verb: action.action,
            kind: action.kind,
            object: action.object,
            condition: action.condition,
            on: action.on,
            to: action.to,
        };
        if self.actions.len() >= MOST_ACTIONS && !self.actions.contains_key(&key) {
            return self.gap(UnknownCode::TooLarge, "too many things done");
        }
        let used = self.actions.entry(key).or_default();
        used.columns.extend(action.columns);
        used.filters.extend(action.filters);
    }

    pub(super) fn has(&self, verb: Verb) -> bool {
        self.actions.keys().any(|key| key.verb == verb)
    }

    /// Whether any action changes definitions.
    pub(super) fn defines(&self) -> bool {
        self.actions.keys().any(|key| key.verb.group() == sallyport_core::Group::Schema)
    }

    pub(super) fn len(&self) -> usize {
        self.actions.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.actions.is_empty()
    }

    pub(super) fn gap(&mut self, code: UnknownCode, detail: impl Into<String>) {
        if self.unknown.is_none() {
            self.unknown = Some(Unknown { code, detail: detail.into() });
        }
    }

    pub(super) fn absorb(&mut self, other: Self) {
        for (key, used) in other.actions {
            if self.actions.len() >= MOST_ACTIONS && !self.actions.contains_key(&key) {
                self.gap(UnknownCode::TooLarge, "too many things done");
                break;
            }
            let into = self.actions.entry(key).or_default();
            into.columns.extend(used.columns);
            into.filters.extend(used.filters);
        }
        if self.unknown.is_none() {
            self.unknown = other.unknown;
        }
    }
}
