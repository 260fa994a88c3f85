//! Who calls.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// What sort of caller a principal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PrincipalKind {
    /// A person.
    Human,
    /// A program that acts for itself.
    Service,
    /// An AI agent; usually on behalf of a human.
    Agent,
}

impl PrincipalKind {
    /// The word used everywhere.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Service => "service",
            Self::Agent => "agent",
        }
    }
}

/// What a principal may do over the API. Comes from configuration, never from policy; agents get none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ApiRole {
    /// Sees sessions, targets and requests; no payloads.
    Viewer,
    /// Answers requests for the groups it is in.
    Approver,
    /// Reads recordings.
    Auditor,
    /// Makes tokens, ends sessions.
    Admin,
}

/// An authenticated caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// Unique name, as configured or as the identity provider's stable subject maps to it.
    pub name: String,
    /// Human, service or agent.
    pub kind: PrincipalKind,
    /// The human an agent or service acts for, by that human's principal name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<String>,
    /// Groups, for policy and for approvals.
    #[serde(default)]
    pub groups: BTreeSet<String>,
    /// What it may do over the API.
    #[serde(default)]
    pub roles: BTreeSet<ApiRole>,
}

impl Principal {
    /// The human behind this principal, folded for comparison: itself when human.
    #[must_use]
    pub fn person(&self) -> Option<String> {
        match self.kind {
            PrincipalKind::Human => Some(self.on_behalf_of.as_deref().unwrap_or(&self.name)),
            PrincipalKind::Service | PrincipalKind::Agent => self.on_behalf_of.as_deref(),
        }
        .map(fold_name)
    }

    /// `claude-code for alice@example.com`, or just the name.
    #[must_use]
    pub fn describe(&self) -> String {
        match &self.on_behalf_of {
            Some(human) => format!("{} for {human}", self.name),
            None => self.name.clone(),
        }
    }

    /// Whether the API role is held. Agents hold none, whatever the configuration says.
    #[must_use]
    pub fn has_role(&self, role: ApiRole) -> bool {
        self.kind != PrincipalKind::Agent && self.roles.contains(&role)
    }
}

/// Names are compared without case and surrounding space, so that `Alice@…` is not a second person.
#[must_use]
pub fn fold_name(name: &str) -> String {
    name.trim().to_lowercase()
}
