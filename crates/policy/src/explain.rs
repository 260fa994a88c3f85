//! Why a decision came out as it did, request by request.

use std::fmt;

use sallyport_core::{Decision, Effect};
use serde::Serialize;

use crate::judge::{Judged, Outcome};

/// One request behind a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExplainedRequest {
    /// `Action::"sql:update"`.
    pub action: String,
    /// `Relation::"shop-prod/shop/public.users"`.
    pub resource: String,
    /// What the rules say of this request alone.
    pub effect: Effect,
    /// The rules that match it, sorted; none when nothing permits it.
    pub rules: Vec<String>,
    /// Whether nothing permits it and nothing needs to: a column in the condition of a write.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub needs_no_permit: bool,
}

/// A decision and every request behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The decision on the whole operation.
    pub decision: Decision,
    /// In the order of the operation's actions; empty when policy itself failed.
    pub requests: Vec<ExplainedRequest>,
}

impl Explanation {
    pub(crate) fn new(decision: Decision, judged: &[Judged]) -> Self {
        let requests = judged
            .iter()
            .map(|one| ExplainedRequest {
                action: one.action.clone(),
                resource: one.resource.clone(),
                effect: one.outcome.effect(),
                rules: one.rules.iter().cloned().collect(),
                needs_no_permit: one.outcome == Outcome::Passed,
            })
            .collect();
        Self { decision, requests }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decision = &self.decision;
        write!(f, "{} by {}", decision.effect.as_str(), decision.rule)?;
        if let Some(hold) = &decision.hold {
            let needs: Vec<String> =
                hold.needs.iter().map(|need| format!("{} of {}", need.approvals, need.group)).collect();
            write!(f, ", {} within {} s", needs.join(" and "), hold.ttl_seconds)?;
        }
        if let Some(rows) = decision.limits.rows {
            write!(f, ", at most {rows} rows")?;
        }
        if let Some(ms) = decision.limits.timeout_ms {
            write!(f, ", at most {ms} ms")?;
        }
        writeln!(f, " (policy {})", decision.policy_version)?;
        if let Some(reason) = &decision.reason {
            writeln!(f, "  {reason}")?;
        }
        for request in &self.requests {
            let rules = match request.rules.as_slice() {
                [] if request.needs_no_permit => "needs no permit".to_owned(),
                [] => "no rule permits it".to_owned(),
                rules => rules.join(", "),
            };
            writeln!(f, "  {:5} {} {}: {rules}", request.effect.as_str(), request.action, request.resource)?;
        }
        Ok(())
    }
}
