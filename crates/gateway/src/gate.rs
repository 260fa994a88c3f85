//! The one place where facts, policy, approvals and the recording meet.
//!
//! [`pass`] takes an operation with its decision and answers with a [`Permit`] or a [`Refusal`]. A
//! permit is made in one function, `write_ahead`, out of the recorder's receipt for the recorded
//! intent: no receipt, no permit; no permit, no way through [`crate::upstream::Upstream::forward`].

mod recorded;

use std::sync::Arc;

use sallyport_core::{
    Action, ApprovalRequest, Decision, Digest, Effect, Event, Facts, Group, Limits, Operation,
    ParameterShape, Refusal, Verb, Verdict,
};
use sallyport_record::{Need, Receipt};

use crate::approvals::{self, Caller};
use crate::session::Session;
use crate::wording;

pub(crate) use recorded::Recorded;

/// The right to forward one operation, once.
///
/// Not `Clone`; made only here, out of a [`Receipt`]; spent by [`crate::upstream::Upstream::forward`].
#[derive(Debug)]
pub struct Permit {
    operation: u64,
    digest: Digest,
    limits: Limits,
    receipt: Receipt,
}

impl Permit {
    /// Spends the permit: what it was made for, and the limits that hold meanwhile.
    pub(crate) fn spend(self) -> (u64, Digest, Limits) {
        drop(self.receipt);
        (self.operation, self.digest, self.limits)
    }
}

/// An operation, and everything the gate has to know of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) operation: &'a Operation,
    /// Its text as it is kept.
    pub(crate) recorded: &'a Recorded<'a>,
    pub(crate) facts: &'a Arc<Facts>,
    pub(crate) in_transaction: bool,
    /// Whether rows that it changes are as they were should this connection end now: the target itself has said
    /// that a transaction is open, and nothing under way ends it.
    pub(crate) undone_by_end: bool,
    /// Session state that is part of the digest, for approvers to see.
    pub(crate) state: &'a std::collections::BTreeMap<&'static str, String>,
    /// The parameters as an approver reads them.
    pub(crate) parameters: &'a [Option<String>],
    /// Earlier statements of the open transaction, oldest first.
    pub(crate) transaction: &'a [String],
}

impl Asked<'_> {
    /// An entry's payload: the exact text but for credentials, then the parameters' exact values.
    pub(crate) fn payload(&self) -> Vec<&[u8]> {
        let mut payload: Vec<&[u8]> = vec![self.recorded.text()];
        payload.extend(self.operation.parameters.iter().filter_map(|parameter| parameter.value.as_deref()));
        payload
    }

    /// How the payload is cut.
    pub(crate) fn shapes(&self) -> Vec<ParameterShape> {
        self.operation
            .parameters
            .iter()
            .map(|parameter| ParameterShape {
                type_id: parameter.type_id,
                format: parameter.format,
                length: parameter.value.as_ref().map(Vec::len),
            })
            .collect()
    }
}

/// Lets an operation pass, or says why not. Denials are recorded; holds wait here, on the caller's
/// open connection; what passes is recorded before the permit exists.
///
/// # Errors
/// The refusal, ready to be worded by the protocol.
pub(crate) async fn pass<C: Caller>(
    session: &Session,
    asked: &Asked<'_>,
    decision: Arc<Decision>,
    caller: &mut C,
) -> Result<Permit, Refusal> {
    match decision.effect {
        Effect::Allow => write_ahead(session, asked, decision, None).await,
        Effect::Deny => {
            let refusal = wording::denied(session.who(), asked.facts, &decision);
            Err(refuse(session, asked, decision, None, refusal).await)
        }
        // Apart: few operations wait, and what waiting needs is no part of every session.
        Effect::Hold => match Box::pin(approvals::wait(session, asked, &decision, caller)).await {
            Ok(answered) => {
                if let Err(refusal) = caller.unchanged().await {
                    let request = Some(answered.request.id);
                    return Err(refuse(session, asked, decision, request, refusal).await);
                }
                let decision = Decision { reveals: decision.reveals.clone(), ..answered.decision };
                write_ahead(session, asked, Arc::new(decision), Some(&answered.request)).await
            }
            Err(unanswered) => {
                let request = unanswered.request;
                Err(refuse(session, asked, decision, request, unanswered.refusal).await)
            }
        },
    }
}

/// Refuses an operation for a reason that is no rule's: a message out of place, a result that could not
/// be masked. Recorded like every refusal.
pub(crate) async fn refuse(
    session: &Session,
    asked: &Asked<'_>,
    decision: Arc<Decision>,
    request: Option<sallyport_core::RequestId>,
    refusal: Refusal,
) -> Refusal {
    let event = Event::Refused {
        operation: asked.operation.number,
        kind: asked.operation.kind,
        text_length: asked.recorded.text().len(),
        withheld: asked.recorded.withheld(),
        parameters: asked.shapes(),
        digest: asked.operation.digest,
        facts: Arc::clone(asked.facts),
        decision,
        request,
        refusal: refusal.clone(),
    };
    match session.tape.append_and_wait(&event, &asked.payload(), Need::Written).await {
        Ok(_) => refusal,
        Err(error) => wording::recorder(&error),
    }
}

/// Records the intent, waits until it is as durable as the target asks, and makes the permit.
async fn write_ahead(
    session: &Session,
    asked: &Asked<'_>,
    decision: Arc<Decision>,
    approval: Option<&ApprovalRequest>,
) -> Result<Permit, Refusal> {
    let limits = decision.limits;
    let event = Event::Intent {
        operation: asked.operation.number,
        kind: asked.operation.kind,
        text_length: asked.recorded.text().len(),
        withheld: asked.recorded.withheld(),
        parameters: asked.shapes(),
        digest: asked.operation.digest,
        facts: Arc::clone(asked.facts),
        decision,
        approval: approval.map(|request| request.id.clone()),
        approved_by: approval.map(approvers).unwrap_or_default(),
    };
    let need = need(asked.facts, asked.undone_by_end, approval.is_some());
    match session.tape.append_and_wait(&event, &asked.payload(), need).await {
        Ok(receipt) => {
            Ok(Permit { operation: asked.operation.number, digest: asked.operation.digest, limits, receipt })
        }
        Err(error) => Err(wording::recorder(&error)),
    }
}

fn approvers(request: &ApprovalRequest) -> Vec<String> {
    request
        .answers
        .iter()
        .filter(|answer| answer.verdict == Verdict::Approve)
        .map(|answer| answer.approver.clone())
        .collect()
}

/// What `auto` durability waits for: whatever changes something, ends a transaction, was approved, runs
/// code, or is not understood waits for the disk; reads wait for the write. So do changes of rows in an open
/// transaction, for they are nothing until it is committed, and COMMIT waits for the disk with all before it.
fn need(facts: &Facts, undone_by_end: bool, approved: bool) -> Need {
    // A sequence does not go back.
    let of_rows = |action: &Action| {
        matches!(action.action, Verb::Insert | Verb::Update | Verb::Delete)
            && action.kind.as_deref() != Some("sequence")
    };
    let changes = |group: Group| match group {
        Group::Read => false,
        Group::Session => facts.actions.iter().any(|action| action.action == Verb::Commit),
        Group::Write | Group::Schema | Group::Privilege | Group::Code | Group::Escape | Group::Admin => true,
        Group::Process | Group::File | Group::Net | Group::Http | Group::Tool => true,
    };
    let only_rows =
        undone_by_end && facts.actions.iter().all(|action| action.group == Group::Read || of_rows(action));
    let waits = approved
        || facts.unknown.is_some()
        || !only_rows && facts.actions.iter().any(|action| changes(action.group));
    if waits { Need::Synced } else { Need::Written }
}

#[cfg(test)]
mod tests {
    use sallyport_core::{Unknown, UnknownCode};

    use super::*;

    #[test]
    fn what_waits_for_the_disk() {
        let facts = |verbs: &[Verb]| Facts {
            language: sallyport_core::Language::Postgres,
            statements: 1,
            unknown: None,
            actions: verbs.iter().map(|verb| Action::new(*verb)).collect(),
        };
        let waits = |facts: &Facts, open, approved| need(facts, open, approved) == Need::Synced;
        for rows in [Verb::Insert, Verb::Update, Verb::Delete] {
            let facts = facts(&[Verb::Select, rows]);
            assert!(waits(&facts, false, false), "{rows:?} by itself is committed at once");
            assert!(!waits(&facts, true, false), "{rows:?} in an open transaction is nothing yet");
            assert!(waits(&facts, true, true), "what was approved waits");
            let unknown = Unknown { code: UnknownCode::Dynamic, detail: String::new() };
            assert!(waits(&Facts { unknown: Some(unknown), ..facts.clone() }, true, false));
            let mut sequence = facts;
            sequence.actions.iter_mut().for_each(|action| action.kind = Some("sequence".to_owned()));
            assert!(waits(&sequence, true, false), "a sequence does not go back");
        }
        // What ends the transaction, what the target would not undo, and what comes behind an end.
        for more in [
            Verb::Commit,
            Verb::Rollback,
            Verb::TwoPhase,
            Verb::Create,
            Verb::Grant,
            Verb::Call,
            Verb::Program,
            Verb::Truncate,
            Verb::CopyIn,
            Verb::Lock,
            Verb::Maintain,
        ] {
            assert!(waits(&facts(&[Verb::Update, more]), true, false), "{more:?}");
        }
        for (verb, expected) in [(Verb::Select, false), (Verb::Begin, false), (Verb::Commit, true)] {
            assert_eq!(waits(&facts(&[verb]), true, false), expected, "{verb:?}");
        }
    }
}
