//! What policy answers.

use serde::{Deserialize, Serialize};

use crate::approval::GroupNeed;

/// The three answers. Order is strictness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// May pass.
    Allow,
    /// Waits for a human.
    Hold,
    /// Does not pass.
    Deny,
}

impl Effect {
    /// The word used everywhere.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Hold => "hold",
            Self::Deny => "deny",
        }
    }
}

/// What a hold asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldTerms {
    /// Every group that must answer, each with how many distinct humans. Sorted by group.
    pub needs: Vec<GroupNeed>,
    /// How long the request lives, from when it was made. The smallest of all matching rules.
    pub ttl_seconds: u32,
}

/// Limits that hold while the operation runs; the smallest of all matching rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Limits {
    /// After this many rows the result ends with an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// After this long the operation is cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
}

/// A labelled column whose values an operation's result shows, and the rule that says so.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reveal {
    /// The label.
    pub label: String,
    /// The column, as `schema.relation.column`; empty for what could not be settled.
    pub column: String,
    /// The rule.
    pub rule: String,
}

/// The decision on one operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Allow, hold or deny.
    pub effect: Effect,
    /// The rule that decided: `default-deny` when none matched.
    pub rule: String,
    /// Every rule that matched, sorted.
    pub rules: Vec<String>,
    /// The deciding rule's own `@reason`, written by the policy's author for callers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What the hold asks for; present exactly when the effect is hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<HoldTerms>,
    /// Limits while it runs.
    #[serde(default)]
    pub limits: Limits,
    /// The policy's content hash, first 12 hexadecimal digits.
    pub policy_version: String,
    /// Which labels the result shows in the clear, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reveals: Vec<Reveal>,
}

impl Decision {
    /// A denial that no rule of the policy made: an error on the way counts as one.
    #[must_use]
    pub fn deny(rule: &str, reason: Option<&str>, policy_version: &str) -> Self {
        Self {
            effect: Effect::Deny,
            rule: rule.to_owned(),
            rules: vec![rule.to_owned()],
            reason: reason.map(str::to_owned),
            hold: None,
            limits: Limits::default(),
            policy_version: policy_version.to_owned(),
            reveals: Vec::new(),
        }
    }
}
