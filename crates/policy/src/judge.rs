//! Cedar's answers composed to one decision: any ban denies, silence denies, holds add up, the
//! strictest limit wins.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{Authorizer, Decision as CedarDecision, PolicySet, Request};
use sallyport_core::{Decision, Effect, GroupNeed, HoldTerms, Limits};

use crate::ask::{Ask, AskError, Asks, Silence};
use crate::rule::Rule;
use crate::schema::Vocabulary;

/// The rule's name in a decision when no rule permits.
pub const DEFAULT_DENY: &str = "default-deny";
/// The rule's name in a decision when policy itself failed.
pub const POLICY_ERROR: &str = "policy-error";

/// What the rules say of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A forbid matches.
    Forbidden,
    /// No permit counts, and that denies.
    Unmatched,
    /// No permit counts, and none is needed.
    Passed,
    /// A holding permit matches.
    Held,
    /// Plain permits match.
    Permitted,
}

impl Outcome {
    pub(crate) fn effect(self) -> Effect {
        match self {
            Self::Forbidden | Self::Unmatched => Effect::Deny,
            Self::Held => Effect::Hold,
            Self::Passed | Self::Permitted => Effect::Allow,
        }
    }
}

/// One request with the rules that match it, sorted.
#[derive(Clone, Debug)]
pub(crate) struct Judged {
    pub(crate) action: String,
    pub(crate) resource: String,
    pub(crate) silence: Silence,
    pub(crate) outcome: Outcome,
    pub(crate) rules: BTreeSet<String>,
}

/// What is asked and the rules to ask.
#[derive(Debug)]
pub(crate) struct Court<'a> {
    pub(crate) vocabulary: &'a Vocabulary,
    pub(crate) authorizer: &'a Authorizer,
    pub(crate) set: &'a PolicySet,
    pub(crate) rules: &'a BTreeMap<String, Rule>,
}

impl Court<'_> {
    /// Puts every request to Cedar.
    pub(crate) fn judge(&self, asks: &Asks<'_>) -> Result<Vec<Judged>, AskError> {
        asks.asks.iter().map(|ask| self.judge_one(asks, ask)).collect()
    }

    fn judge_one(&self, asks: &Asks<'_>, ask: &Ask) -> Result<Judged, AskError> {
        let entities = asks.entities.with(self.vocabulary.action_chain(&ask.action))?;
        let request = Request::new(
            asks.principal.clone(),
            ask.action.clone(),
            ask.resource.clone(),
            ask.context.clone(),
            Some(&self.vocabulary.schema),
        )
        .map_err(|_| AskError::Request)?;
        let response = self.authorizer.is_authorized(&request, self.set, &entities);
        // Cedar skips a rule that fails, so a failing ban would be no ban.
        if response.diagnostics().errors().next().is_some() {
            return Err(AskError::Evaluation);
        }
        let mut rules: BTreeSet<String> = response.diagnostics().reason().map(ToString::to_string).collect();
        let mut outcome = match response.decision() {
            CedarDecision::Deny if !rules.is_empty() => Outcome::Forbidden,
            CedarDecision::Deny => self.unmatched(ask),
            CedarDecision::Allow => {
                if ask.action == self.vocabulary.unknown || ask.action == self.vocabulary.connect {
                    let holds = ask.action == self.vocabulary.unknown;
                    rules.retain(|rule| self.rule(rule).is_some_and(|rule| rule.hold.is_some() == holds));
                }
                if ask.action == self.vocabulary.reveal {
                    rules.retain(|rule| self.rule(rule).is_some_and(|rule| rule.grants_reveal));
                }
                if rules.is_empty() {
                    self.unmatched(ask)
                } else if rules.iter().any(|rule| self.rule(rule).is_none_or(|rule| rule.hold.is_some())) {
                    Outcome::Held
                } else {
                    Outcome::Permitted
                }
            }
        };
        if ask.silence == Silence::Passes && outcome == Outcome::Permitted {
            // Nothing was needed, so nothing here decides or limits.
            outcome = Outcome::Passed;
            rules.clear();
        }
        Ok(Judged {
            action: ask.action.to_string(),
            resource: ask.resource.to_string(),
            silence: ask.silence,
            outcome,
            rules,
        })
    }

    fn unmatched(&self, ask: &Ask) -> Outcome {
        match ask.silence {
            Silence::Denies => Outcome::Unmatched,
            Silence::Passes => Outcome::Passed,
        }
    }

    fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.get(id)
    }

    /// The strictest of all answers. No answers at all is a denial.
    pub(crate) fn compose(&self, judged: &[Judged], version: &str) -> Decision {
        let with = |outcome: Outcome| judged.iter().filter(move |one| one.outcome == outcome);
        let forbids: BTreeSet<&String> = with(Outcome::Forbidden).flat_map(|one| &one.rules).collect();
        let mut rules: BTreeSet<String> = judged.iter().flat_map(|one| one.rules.iter().cloned()).collect();
        let unmatched = judged.is_empty() || with(Outcome::Unmatched).next().is_some();
        if !forbids.is_empty() || unmatched {
            let rule = forbids.first().map_or(DEFAULT_DENY, |rule| rule.as_str());
            rules.insert(rule.to_owned());
            return Decision {
                rule: rule.to_owned(),
                rules: rules.into_iter().collect(),
                reason: self.rule(rule).and_then(|rule| rule.reason.clone()),
                ..Decision::deny(rule, None, version)
            };
        }
        let matched: Vec<&Rule> = rules.iter().filter_map(|rule| self.rule(rule)).collect();
        let hold = hold_terms(&matched);
        let deciding = match &hold {
            Some(_) => matched.iter().find(|rule| rule.hold.is_some()),
            None => matched.first(),
        };
        // A rule that only saw a write's condition bans or holds, and does not limit the write.
        let limiting: BTreeSet<&String> =
            judged.iter().filter(|one| one.silence == Silence::Denies).flat_map(|one| &one.rules).collect();
        let limiting = || matched.iter().filter(|rule| limiting.contains(&rule.id));
        Decision {
            effect: if hold.is_some() { Effect::Hold } else { Effect::Allow },
            rule: deciding.map_or_else(|| POLICY_ERROR.to_owned(), |rule| rule.id.clone()),
            reason: deciding.and_then(|rule| rule.reason.clone()),
            limits: Limits {
                rows: limiting().filter_map(|rule| rule.rows).min(),
                timeout_ms: limiting().filter_map(|rule| rule.timeout_ms).min(),
            },
            hold,
            policy_version: version.to_owned(),
            rules: rules.into_iter().collect(),
            reveals: Vec::new(),
        }
    }
}

/// Every group of every holding rule, per group the most approvals; the shortest life.
fn hold_terms(matched: &[&Rule]) -> Option<HoldTerms> {
    let holds = || matched.iter().filter_map(|rule| rule.hold.as_ref());
    let ttl_seconds = holds().map(|hold| hold.ttl_seconds).min()?;
    let mut needs: BTreeMap<&String, u32> = BTreeMap::new();
    for hold in holds() {
        for group in &hold.groups {
            let need = needs.entry(group).or_default();
            *need = (*need).max(hold.approvals);
        }
    }
    let needs =
        needs.into_iter().map(|(group, approvals)| GroupNeed { group: group.clone(), approvals }).collect();
    Some(HoldTerms { needs, ttl_seconds })
}
