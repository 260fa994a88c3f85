//! Requests for approval, as those who answer them see them.

use std::collections::{BTreeMap, BTreeSet};

use sallyport_core::{
    Action, Answer, ApprovalRequest, Facts, Group, PrincipalKind, RequestId, RequestState, SessionId,
    Timestamp, Verdict, fold_name,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::state::Redact;

/// A request in a list: who wants to do something where, without the text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RequestSummary {
    /// Its id.
    #[schema(value_type = String)]
    pub id: RequestId,
    /// `open`, `approved`, `denied`, `expired`, `withdrawn` or `used`.
    #[schema(value_type = String)]
    pub state: RequestState,
    /// Principal name of who asks.
    pub principal: String,
    /// `human`, `service` or `agent`.
    #[schema(value_type = String)]
    pub kind: PrincipalKind,
    /// The human behind it.
    pub on_behalf_of: Option<String>,
    /// Target name.
    pub target: String,
    /// Database within it.
    pub database: String,
    /// What it would do, as `update public.users`, in our own words.
    pub actions: Vec<String>,
    /// The rule that holds it.
    pub rule: String,
    /// What must be answered, and what was.
    pub needs: Vec<NeedView>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    pub expires: Timestamp,
    /// Whether the caller still waits on its connection; false makes it a ticket.
    pub caller_waits: bool,
}

/// A group that must answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NeedView {
    /// Group name.
    pub group: String,
    /// Distinct humans asked for.
    pub approvals: u32,
    /// Distinct humans who said yes so far.
    pub given: u32,
}

/// The exact thing that would run. For approvers, auditors, and who asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Statement {
    /// The whole text, hidden characters and invalid bytes written out. Untrusted.
    pub text: String,
    /// The parameters as shown text, in order; null for NULL. Untrusted.
    pub parameters: Vec<Option<String>>,
    /// Earlier statements of the same transaction, oldest first. Untrusted.
    pub transaction: Vec<String>,
    /// What the caller says of why. Untrusted.
    pub caller_reason: Option<String>,
    /// Sensitive values in it are masked: the reader is no auditor and did not ask for it. What is approved is
    /// bound to the exact bytes all the same.
    #[serde(default)]
    pub masked: bool,
}

/// One human's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AnswerView {
    /// Who.
    pub approver: String,
    /// For which groups.
    pub groups: BTreeSet<String>,
    /// `approve` or `deny`.
    #[schema(value_type = String)]
    pub verdict: Verdict,
    /// For the requester and the record.
    pub note: Option<String>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
}

/// A request in full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RequestDetail {
    /// What the list shows.
    #[serde(flatten)]
    pub summary: RequestSummary,
    /// What would run; nothing for those who may only know that it waits.
    pub statement: Option<Statement>,
    /// What it would do; see the facts.
    #[schema(value_type = Object)]
    pub facts: Facts,
    /// Session state the approval is bound to.
    pub state_of_session: BTreeMap<String, String>,
    /// The rule's own reason.
    pub rule_reason: Option<String>,
    /// The session that asked.
    #[schema(value_type = String)]
    pub session: SessionId,
    /// Its number there.
    pub operation: u64,
    /// What the approval is bound to, SHA-256, hexadecimal.
    pub digest: String,
    /// Policy version under which it was held.
    pub policy_version: String,
    /// Answers so far, oldest first.
    pub answers: Vec<AnswerView>,
}

/// Requests, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RequestList {
    /// The requests.
    pub requests: Vec<RequestSummary>,
}

/// What an approver adds to an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerNote {
    /// For the requester and the record, up to 2000 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl From<&ApprovalRequest> for RequestSummary {
    fn from(request: &ApprovalRequest) -> Self {
        Self {
            id: request.id.clone(),
            state: request.state_of_request,
            principal: request.principal.name.clone(),
            kind: request.principal.kind,
            on_behalf_of: request.principal.on_behalf_of.clone(),
            target: request.target.clone(),
            database: request.database.clone(),
            actions: actions(&request.facts),
            rule: request.rule.clone(),
            needs: needs(request),
            created: request.created,
            expires: request.expires,
            caller_waits: request.caller_waits,
        }
    }
}

/// How much of a statement a reader is shown.
#[derive(Clone, Copy, Debug)]
pub enum Reading<'a> {
    /// Nothing.
    Without,
    /// Everything, sensitive values masked.
    Masked(&'a dyn Redact),
    /// Everything.
    Whole,
}

impl Statement {
    fn whole(request: &ApprovalRequest) -> Self {
        Self {
            text: request.text.clone(),
            parameters: request.parameters.clone(),
            transaction: request.transaction.clone(),
            caller_reason: request.caller_reason.clone(),
            masked: false,
        }
    }

    /// With its sensitive values masked. Where it runs code, or is not understood, a value may be code, and
    /// then an approver has to see it.
    fn masked(mut self, facts: &Facts, redact: &dyn Redact) -> Self {
        let runs = |action: &Action| matches!(action.group, Group::Code | Group::Escape);
        if facts.unknown.is_some() || facts.actions.iter().any(runs) {
            return self;
        }
        let mut any = false;
        let mut put = |text: &mut String, masked: Option<String>| {
            if let Some(masked) = masked {
                *text = masked;
                any = true;
            }
        };
        for text in std::iter::once(&mut self.text).chain(&mut self.transaction) {
            let masked = redact.statement(text);
            put(text, masked);
        }
        for text in self.parameters.iter_mut().flatten().chain(&mut self.caller_reason) {
            let masked = redact.value(text);
            put(text, masked);
        }
        self.masked = any;
        self
    }
}

impl RequestDetail {
    /// The request for one reader.
    #[must_use]
    pub fn new(request: &ApprovalRequest, reading: Reading<'_>) -> Self {
        let with_statement = !matches!(reading, Reading::Without);
        let mut facts = request.facts.clone();
        let mut state_of_session = request.state.clone();
        if !with_statement {
            // The detail of a gap may quote the text, and settings may carry values of the caller's.
            if let Some(unknown) = &mut facts.unknown {
                unknown.detail.clear();
            }
            state_of_session.clear();
        }
        Self {
            summary: request.into(),
            statement: match reading {
                Reading::Without => None,
                Reading::Whole => Some(Statement::whole(request)),
                Reading::Masked(redact) => Some(Statement::whole(request).masked(&request.facts, redact)),
            },
            facts,
            state_of_session,
            rule_reason: request.rule_reason.clone(),
            session: request.session.clone(),
            operation: request.operation,
            digest: request.digest.to_string(),
            policy_version: request.policy_version.clone(),
            answers: request.answers.iter().map(AnswerView::from).collect(),
        }
    }
}

impl From<&Answer> for AnswerView {
    fn from(answer: &Answer) -> Self {
        Self {
            approver: answer.approver.clone(),
            groups: answer.groups.clone(),
            verdict: answer.verdict,
            note: answer.note.clone(),
            at: answer.at,
        }
    }
}

fn actions(facts: &Facts) -> Vec<String> {
    let mut words: Vec<String> = facts
        .actions
        .iter()
        .map(|action| match &action.object {
            Some(object) => format!("{} {object}", action.action),
            None => action.action.to_string(),
        })
        .collect();
    words.dedup();
    if facts.unknown.is_some() {
        words.push("not understood".to_owned());
    }
    words
}

fn needs(request: &ApprovalRequest) -> Vec<NeedView> {
    request
        .needs
        .iter()
        .map(|need| {
            let given: BTreeSet<String> = request
                .answers
                .iter()
                .filter(|answer| answer.verdict == Verdict::Approve && answer.groups.contains(&need.group))
                .map(|answer| fold_name(&answer.approver))
                .collect();
            NeedView {
                group: need.group.clone(),
                approvals: need.approvals,
                given: u32::try_from(given.len()).unwrap_or(u32::MAX),
            }
        })
        .collect()
}
