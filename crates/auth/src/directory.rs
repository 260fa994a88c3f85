//! The configured principals, by name and by their subject at an identity provider.
//!
//! The directory is read whole from the configuration and replaced whole when that reloads. Who is not
//! in it does not exist here, whatever a token says.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use sallyport_core::{ApiRole, ApprovalRequest, Principal, PrincipalKind, Verdict, fold_name};

use crate::error::SettingsError;

/// One configured principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryEntry {
    /// The principal.
    pub principal: Principal,
    /// The provider's stable subject for it; needs `oidc_issuer`.
    pub oidc_subject: Option<String>,
    /// The provider, by its issuer.
    pub oidc_issuer: Option<String>,
}

impl From<Principal> for DirectoryEntry {
    fn from(principal: Principal) -> Self {
        Self { principal, oidc_subject: None, oidc_issuer: None }
    }
}

/// All configured principals.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    by_name: HashMap<String, Arc<Principal>>,
    /// Issuer and subject, both exact, to the folded name.
    by_subject: HashMap<(String, String), String>,
}

impl Directory {
    /// Takes the configured principals.
    ///
    /// # Errors
    /// On names that differ only in case or surrounding space, and on subjects used twice: one of the
    /// two would get the other's rights.
    pub fn new(entries: Vec<DirectoryEntry>) -> Result<Self, SettingsError> {
        let mut directory = Self::default();
        let mut subjects = Vec::new();
        for entry in entries {
            let folded = fold_name(&entry.principal.name);
            if folded.is_empty() {
                return Err(SettingsError::EmptyName);
            }
            let name = entry.principal.name.clone();
            match (entry.oidc_issuer, entry.oidc_subject) {
                (None, None) => {}
                (Some(issuer), Some(subject)) => subjects.push((issuer, subject, name.clone())),
                _ => return Err(SettingsError::IncompleteSubject(name)),
            }
            if directory.by_name.insert(folded, Arc::new(entry.principal)).is_some() {
                return Err(SettingsError::DuplicateName(name));
            }
        }
        for (issuer, subject, name) in subjects {
            directory.add_subject(&issuer, &subject, &name)?;
        }
        Ok(directory)
    }

    /// Adds a provider's subjects: subject to principal name.
    ///
    /// # Errors
    /// On a subject used twice, and on a name that is not configured.
    pub fn with_subjects(
        mut self,
        issuer: &str,
        subjects: &BTreeMap<String, String>,
    ) -> Result<Self, SettingsError> {
        for (subject, name) in subjects {
            self.add_subject(issuer, subject, name)?;
        }
        Ok(self)
    }

    fn add_subject(&mut self, issuer: &str, subject: &str, name: &str) -> Result<(), SettingsError> {
        let folded = fold_name(name);
        if issuer.is_empty() || subject.is_empty() {
            return Err(SettingsError::IncompleteSubject(name.to_owned()));
        }
        if !self.by_name.contains_key(&folded) {
            return Err(SettingsError::NoSuchPrincipal(name.to_owned()));
        }
        let key = (issuer.to_owned(), subject.to_owned());
        if self.by_subject.insert(key, folded).is_some() {
            return Err(SettingsError::DuplicateSubject(name.to_owned(), issuer.to_owned()));
        }
        Ok(())
    }

    /// The principal of this name, compared without case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Arc<Principal>> {
        self.by_name.get(&fold_name(name)).cloned()
    }

    /// The principal that this subject of this issuer is. Both are compared exactly.
    #[must_use]
    pub fn by_subject(&self, issuer: &str, subject: &str) -> Option<Arc<Principal>> {
        let name = self.by_subject.get(&(issuer.to_owned(), subject.to_owned()))?;
        self.by_name.get(name).cloned()
    }

    /// All principals, by name.
    #[must_use]
    pub fn principals(&self) -> Vec<Arc<Principal>> {
        let mut all: Vec<_> = self.by_name.values().cloned().collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// The request with those yes-answers only that would still be taken: an approval does not outlive
    /// its approver's role or group. A no stays, whoever said it. Groups of principals that sign in
    /// through a provider may come from there and cannot be asked for again; for them the role counts,
    /// and the time that the request has.
    #[must_use]
    pub fn standing(&self, request: &ApprovalRequest) -> ApprovalRequest {
        let mut request = request.clone();
        request.answers.retain_mut(|answer| {
            if answer.verdict == Verdict::Deny {
                return true;
            }
            let Some(approver) = self.get(&answer.approver) else { return false };
            if approver.kind != PrincipalKind::Human || !approver.has_role(ApiRole::Approver) {
                return false;
            }
            let folded = fold_name(&answer.approver);
            if !self.by_subject.values().any(|name| *name == folded) {
                answer.groups.retain(|group| approver.groups.contains(group));
            }
            !answer.groups.is_empty()
        });
        request
    }
}

#[cfg(test)]
#[path = "directory_tests.rs"]
mod tests;
