//! Whose recordings an auditor may read.
//!
//! The role lets somebody read recordings; the configuration may narrow it to some targets. It is asked
//! for every reading, so that a reload counts at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};

use sallyport_core::{ApiRole, Principal, fold_name};

/// The targets that readers are narrowed to, by principal. Cheap to clone; all clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Readers(Arc<RwLock<BTreeMap<String, BTreeSet<String>>>>);

impl Readers {
    /// Takes the configured targets, by principal name. Who is not named may read every target's.
    pub fn set(&self, narrowed: impl IntoIterator<Item = (String, BTreeSet<String>)>) {
        let folded = narrowed.into_iter().map(|(name, targets)| (fold_name(&name), targets)).collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = folded;
    }

    /// The targets that a principal is narrowed to; nothing when it is not.
    pub(crate) fn targets_of(&self, principal: &Principal) -> Option<BTreeSet<String>> {
        let name = fold_name(&principal.name);
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&name).cloned()
    }

    /// Whether a principal may read what was recorded at a target.
    pub(crate) fn may_read(&self, principal: &Principal, target: &str) -> bool {
        principal.has_role(ApiRole::Auditor)
            && self.targets_of(principal).is_none_or(|targets| targets.contains(target))
    }

    /// The targets whose sessions a principal sees in lists; nothing when all. Who sees sessions by
    /// another role than auditor sees all of them.
    pub(crate) fn sessions_of(&self, principal: &Principal) -> Option<BTreeSet<String>> {
        let sees_all = principal.has_role(ApiRole::Viewer) || principal.has_role(ApiRole::Admin);
        if sees_all { None } else { self.targets_of(principal) }
    }
}
