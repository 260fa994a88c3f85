//! What was decided of a text before, in one session, kept while nothing that it depends on has changed.
//!
//! Callers send the same statements again and again. The same inspection has the same decision ([`Decisions`]),
//! reveals and strictness about errors, as long as what they depend on is the same.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use sallyport_core::{Decision, Effect, Facts};
use sallyport_inspect::pg::{Catalog, Inspection};

use super::reading::Reading;
use super::results::{strict_errors, with_reveals};
use super::running::Masks;
use crate::decided::{Decided, Decisions, Under};
use crate::session::Session;

/// Judgements kept for a session. When full all go: a refill is cheap.
const KEPT: usize = 64;

/// A decision and what it was taken on.
#[derive(Clone, Debug)]
pub(super) struct Judgement {
    pub(super) facts: Arc<Facts>,
    pub(super) decision: Arc<Decision>,
    /// The decision with what it reveals, where it is to allow: a hold is decided again.
    pub(super) revealing: Option<Arc<Decision>>,
    /// Whether the target's own errors may hold protected values.
    pub(super) strict: bool,
    /// Kept alive, so that its address stays its own.
    _inspection: Arc<Inspection>,
    catalog: Arc<Catalog>,
    under: Under,
}

/// Settings by name.
type Bound = BTreeMap<&'static str, String>;

/// The judgements of a session.
#[derive(Debug, Default)]
pub(super) struct Judgements {
    known: HashMap<(usize, bool), Judgement>,
    decisions: Decisions,
    bound: Option<(Reading, bool, Arc<Bound>)>,
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
        let under = Under::new(session, &masks.policy, &masks.labels, in_transaction);
        if let Some(known) = self.known.get(&key)
            && known.under.is(&under)
            && Arc::ptr_eq(&known.catalog, &masks.catalog)
        {
            return known.clone();
        }
        let Decided { facts, decision, .. } = self.decisions.of(session, &inspection.facts, &under);
        let revealing = (decision.effect == Effect::Allow)
            .then(|| with_reveals(session, masks, inspection, Arc::clone(&decision)));
        let judgement = Judgement {
            facts,
            decision,
            revealing,
            strict: strict_errors(session, masks, inspection),
            _inspection: Arc::clone(inspection),
            catalog: Arc::clone(&masks.catalog),
            under,
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
