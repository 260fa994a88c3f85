//! What was decided in one session before, kept while nothing that it depends on has changed.
//!
//! Statements that differ in their values alone have the same facts. The same facts under the same policy and
//! labels, in the same minute, in a transaction or not, have the same decision. Facts and decision are shared, so
//! that the recorder too sees that they are the same and writes them once.

use std::collections::VecDeque;
use std::sync::Arc;

use sallyport_core::{Decision, Facts, Timestamp};
use sallyport_mask::Labels;
use sallyport_policy::Policy;

use crate::session::Session;

/// Facts that are looked through for the same ones.
const RECENT: usize = 16;

/// What a decision depends on besides the facts.
#[derive(Clone, Debug)]
pub(crate) struct Under {
    policy: Arc<Policy>,
    labels: Arc<Labels>,
    in_transaction: bool,
    now: Timestamp,
}

impl Under {
    /// Under this policy and these labels, now.
    pub(crate) fn new(
        session: &Session,
        policy: &Arc<Policy>,
        labels: &Arc<Labels>,
        in_transaction: bool,
    ) -> Self {
        let now = session.house.clock.now();
        Self { policy: Arc::clone(policy), labels: Arc::clone(labels), in_transaction, now }
    }

    /// Whether what was decided under the other would be decided under this one. Policy knows the time by the
    /// minute.
    pub(crate) fn is(&self, other: &Self) -> bool {
        minute(self.now) == minute(other.now)
            && self.in_transaction == other.in_transaction
            && Arc::ptr_eq(&self.policy, &other.policy)
            && Arc::ptr_eq(&self.labels, &other.labels)
    }
}

/// The minute that policy decides by.
pub(crate) fn minute(now: Timestamp) -> i64 {
    now.micros().div_euclid(60_000_000)
}

/// Facts and what was decided of them.
#[derive(Clone, Debug)]
pub(crate) struct Decided {
    pub(crate) facts: Arc<Facts>,
    pub(crate) decision: Arc<Decision>,
    under: Under,
}

/// A session's last decisions, the newest at the front.
#[derive(Debug, Default)]
pub(crate) struct Decisions(VecDeque<Decided>);

impl Decisions {
    /// The decision on these facts, taken now or before.
    pub(crate) fn of(&mut self, session: &Session, facts: &Facts, under: &Under) -> Decided {
        let same = |known: &&Decided| known.under.is(under) && *known.facts == *facts;
        if let Some(known) = self.0.iter().find(same) {
            return known.clone();
        }
        let Under { policy, labels, in_transaction, now } = under;
        let decision = session.decide_by(policy, labels, facts, *in_transaction, *now);
        let decided =
            Decided { facts: Arc::new(facts.clone()), decision: Arc::new(decision), under: under.clone() };
        self.0.truncate(RECENT - 1);
        self.0.push_front(decided.clone());
        decided
    }
}
