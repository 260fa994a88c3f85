//! What the session itself may hold of protected values: user variables, temporary tables, the last messages.
//!
//! A statement that reads labelled columns and sets a variable leaves them in it; the target does not say what
//! a variable was made of. So from then on every variable counts as labelled.

use std::collections::BTreeSet;

use sallyport_core::{Group, ObjectName, Verb};
use sallyport_inspect::mysql::Inspection;

use super::super::running::Running;
use super::Basis;
use super::basis::has_word;

/// What of the session's own counts as labelled.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Taint {
    /// Labels that may stand in a user variable.
    pub(super) variables: BTreeSet<String>,
    /// Tables that were made for this session alone, and may hide others of their names.
    pub(super) temporary: BTreeSet<ObjectName>,
    /// The messages that SHOW WARNINGS gives are those of an operation whose errors are withheld.
    pub(super) messages: bool,
}

impl Taint {
    /// Whether a user variable of the session may hold what is masked.
    pub(in super::super) fn is_in_variables(&self) -> bool {
        !self.variables.is_empty()
    }

    /// The session was put back: it has no variables and temporary tables any more.
    pub(in super::super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Notes what an operation leaves in the session.
    pub(in super::super) fn began(&mut self, inspection: &Inspection, text: &[u8], basis: &Basis) {
        let facts = &inspection.facts;
        let sets = facts.actions.iter().any(|action| {
            action.action == Verb::Set
                && action.object.as_ref().is_some_and(|object| object.name.starts_with('@'))
        });
        let runs_code = facts.unknown.is_some() || facts.touches(Group::Code);
        // The last number of an insert is a variable, too.
        let numbers = facts.touches(Group::Write) || has_word(text, b"last_insert_id");
        if sets || runs_code || numbers {
            self.variables.extend(basis.touched().iter().cloned());
        }
        // GET DIAGNOSTICS puts messages into variables.
        if self.messages && (sets || has_word(text, b"diagnostics")) {
            self.variables.insert(super::basis::UNSETTLED.to_owned());
        }
        let temporary = has_word(text, b"temporary");
        if temporary || runs_code {
            let created = facts.actions.iter().filter(|action| action.action == Verb::Create);
            self.temporary.extend(created.filter_map(|action| action.object.clone()));
        }
    }

    /// Whether a setting or number of the session could give away what is in `text`: it would be made of what
    /// the caller may not see.
    pub(in super::super) fn reaches(&self, text: &[u8], basis: &Basis) -> bool {
        !basis.touched().is_empty() || (!self.variables.is_empty() && text.contains(&b'@'))
    }

    /// Whether numbers that the target counts may be values that the caller may not see.
    pub(in super::super) fn hides_numbers(&self, basis: &Basis) -> bool {
        !basis.touched().is_empty() || !self.variables.is_empty()
    }

    /// An operation ended, with so many warnings; nothing when in an error. Its messages take the place of
    /// those before it, if it left any.
    pub(in super::super) fn ended(&mut self, running: &Running, warnings: Option<u16>) {
        if running.basis.is_strict() {
            self.messages = true;
        } else if warnings.is_none_or(|warnings| warnings > 0) && !running.basis.shows() {
            self.messages = false;
        }
    }
}
