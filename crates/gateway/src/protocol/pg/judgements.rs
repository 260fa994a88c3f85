//! What was decided of a text before, in one session, kept while nothing that it depends on has changed.
//!
//! Callers send the same statements again and again. The same inspection under the same policy and labels, in
//! the same minute, in a transaction or not, has the same facts, decision and strictness about errors. They
//! are shared, so that the recorder too sees that they are the same and writes them once.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use sallyport_core::{Decision, Facts, Timestamp};
use sallyport_inspect::pg::Inspection;
use sallyport_mask::Labels;
use sallyport_policy::Policy;

use super::reading::Reading;
use super::results::strict_errors;
use super::running::Masks;
use crate::session::Session;

/// Judgements kept for a session. When full all go: a refill is cheap.
const KEPT: usize = 64;

/// A decision and what it was taken on.
#[derive(Clone, Debug)]
pub(super) struct Judgement {
    pub(super) facts: Arc<Facts>,
    pub(super) decision: Arc<Decision>,
    /// Whether the target's own errors may hold protected values.
    pub(super) strict: bool,
    /// Kept alive, so that its address stays its own.
    _inspection: Arc<Inspection>,
    policy: Arc<Policy>,
    labels: Arc<Labels>,
    minute: i64,
}

/// Settings by name.
type Bound = BTreeMap<&'static str, String>;

/// The judgements of a session.
#[derive(Debug, Default)]
pub(super) struct Judgements {
    known: HashMap<(usize, bool), Judgement>,
    bound: Option<(Reading, bool, Arc<Bound>)>,
}

/// The minute that policy decides by.
pub(super) fn minute(now: Timestamp) -> i64 {
    now.micros().div_euclid(60_000_000)
}

impl Judgements {
    /// Decides a text, or says what was decided of it before.
    pub(super) fn judge(
        &mut self,
        session: &Session,
        masks: &Masks,
        inspection: &Arc<Inspection>,
        in_transaction: bool,
    ) -> Judgement {
        let key = (Arc::as_ptr(inspection).addr(), in_transaction);
        let now = session.house.clock.now();
        let minute = minute(now);
        if let Some(known) = self.known.get(&key)
            && known.minute == minute
            && Arc::ptr_eq(&known.policy, &masks.policy)
            && Arc::ptr_eq(&known.labels, &masks.labels)
        {
            return known.clone();
        }
        let decision =
            session.decide_by(&masks.policy, &masks.labels, &inspection.facts, in_transaction, now);
        let judgement = Judgement {
            facts: Arc::new(inspection.facts.clone()),
            decision: Arc::new(decision),
            strict: strict_errors(session, masks, inspection),
            _inspection: Arc::clone(inspection),
            policy: Arc::clone(&masks.policy),
            labels: Arc::clone(&masks.labels),
            minute,
        };
        if self.known.len() >= KEPT {
            self.known.clear();
        }
        self.known.insert(key, judgement.clone());
        judgement
    }

    /// The session's state that an approval is bound to.
    pub(super) fn bound(&mut self, reading: &Reading, in_transaction: bool) -> Arc<Bound> {
        match &self.bound {
            Some((known, was, bound)) if *was == in_transaction && known == reading => Arc::clone(bound),
            _ => {
                let bound = Arc::new(reading.bound(in_transaction));
                self.bound = Some((reading.clone(), in_transaction, Arc::clone(&bound)));
                bound
            }
        }
    }
}
