//! A human's answer to one held operation.
//!
//! A request is made when an operation is held. It is bound to the operation's digest, answered by
//! humans, used once, and expires. Who may answer is decided here and nowhere else.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::clock::Timestamp;
use crate::digest::Digest;
use crate::facts::Facts;
use crate::id::{RequestId, SessionId};
use crate::principal::{ApiRole, Principal, PrincipalKind, fold_name};

/// A group that must answer, and how many distinct humans of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GroupNeed {
    /// Group name.
    pub group: String,
    /// Distinct humans, at least 1.
    pub approvals: u32,
}

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RequestState {
    /// Nobody has settled it; the caller may still wait on its connection or have left (`caller_waits`).
    Open,
    /// Enough humans said yes; not used yet.
    Approved,
    /// One human said no.
    Denied,
    /// Its time ran out unanswered or unused.
    Expired,
    /// The caller took it back.
    Withdrawn,
    /// The approved operation ran.
    Used,
}

impl RequestState {
    /// The word used everywhere.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
            Self::Used => "used",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Open, Self::Approved, Self::Denied, Self::Expired, Self::Withdrawn, Self::Used]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It may run, once.
    Approve,
    /// It may not.
    Deny,
}

/// One human's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Principal name of the approver.
    pub approver: String,
    /// The groups the approver was in when answering, among those asked.
    pub groups: BTreeSet<String>,
    /// Yes or no.
    pub verdict: Verdict,
    /// A note for the requester and the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// A held operation, as approvers see it and as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalRequest {
    /// The request's id.
    pub id: RequestId,
    /// What the approval is bound to.
    pub digest: Digest,
    /// The session that asked.
    pub session: SessionId,
    /// The operation's number in that session.
    pub operation: u64,
    /// Who asks.
    pub principal: Principal,
    /// Target name.
    pub target: String,
    /// Database within it.
    pub database: String,
    /// The exact text, hidden characters and invalid bytes written out. Whole, never cut.
    pub text: String,
    /// The parameters as shown text, in order; nothing for NULL.
    pub parameters: Vec<Option<String>>,
    /// Session state that is part of the digest, for the approver to see.
    pub state: std::collections::BTreeMap<String, String>,
    /// What it would do.
    pub facts: Facts,
    /// The rule that holds it, and its own reason.
    pub rule: String,
    /// The rule's `@reason`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule_reason: Option<String>,
    /// What the caller said of why. Untrusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_reason: Option<String>,
    /// Earlier statements of the same open transaction, oldest first.
    pub transaction: Vec<String>,
    /// Groups that must answer.
    pub needs: Vec<GroupNeed>,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends, answered or not.
    pub expires: Timestamp,
    /// Where it stands.
    pub state_of_request: RequestState,
    /// Whether the caller still waits on its open connection; false makes the request a ticket.
    pub caller_waits: bool,
    /// Answers so far, oldest first.
    pub answers: Vec<Answer>,
    /// Policy version under which it was held.
    pub policy_version: String,
}

impl ApprovalRequest {
    /// Whether the yes-answers meet `needs`: per group enough distinct humans. One human in two
    /// groups counts for both.
    #[must_use]
    pub fn satisfies(&self, needs: &[GroupNeed]) -> bool {
        !self.answers.iter().any(|answer| answer.verdict == Verdict::Deny)
            && !needs.is_empty()
            && needs.iter().all(|need| {
                let humans: BTreeSet<String> = self
                    .answers
                    .iter()
                    .filter(|answer| {
                        answer.verdict == Verdict::Approve && answer.groups.contains(&need.group)
                    })
                    .map(|answer| fold_name(&answer.approver))
                    .collect();
                u32::try_from(humans.len()).unwrap_or(u32::MAX) >= need.approvals.max(1)
            })
    }
}

/// Why an answer was not taken. The text is for the person who tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AnswerRefused {
    /// Agents and services never answer.
    #[error("only humans answer requests; this identity is not one")]
    NotHuman,
    /// Not configured as an approver.
    #[error("this identity is not an approver; ask an administrator for the approver role")]
    NotApprover,
    /// The requester, or the human it acts for.
    #[error("nobody answers their own request, nor one of an agent that acts for them")]
    Requester,
    /// In none of the groups asked.
    #[error("this request asks for groups that this identity is not in")]
    WrongGroup,
    /// Said something already.
    #[error("this identity has answered the request already")]
    Twice,
    /// Settled or expired.
    #[error("the request is no longer open")]
    NotOpen,
}

/// Whether `approver` may answer `request` now, and for which of the asked groups.
///
/// # Errors
/// The reason why not.
pub fn may_answer(
    request: &ApprovalRequest,
    approver: &Principal,
    now: Timestamp,
) -> Result<BTreeSet<String>, AnswerRefused> {
    if approver.kind != PrincipalKind::Human {
        return Err(AnswerRefused::NotHuman);
    }
    if !approver.has_role(ApiRole::Approver) {
        return Err(AnswerRefused::NotApprover);
    }
    let asker = &request.principal;
    let person = approver.person();
    let name = fold_name(&approver.name);
    let is_requester = name == fold_name(&asker.name)
        || person == asker.person()
        || asker.person().is_some_and(|human| human == name)
        || asker.on_behalf_of.as_deref().map(fold_name).is_some_and(|human| Some(human) == person);
    if is_requester {
        return Err(AnswerRefused::Requester);
    }
    if request.state_of_request != RequestState::Open || now >= request.expires {
        return Err(AnswerRefused::NotOpen);
    }
    if request.answers.iter().any(|answer| fold_name(&answer.approver) == name) {
        return Err(AnswerRefused::Twice);
    }
    let groups: BTreeSet<String> = request
        .needs
        .iter()
        .filter(|need| approver.groups.contains(&need.group))
        .map(|need| need.group.clone())
        .collect();
    if groups.is_empty() { Err(AnswerRefused::WrongGroup) } else { Ok(groups) }
}

#[cfg(test)]
#[path = "approval_tests.rs"]
mod tests;
