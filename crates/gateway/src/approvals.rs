//! Waiting for a human, in place.
//!
//! A held operation becomes a request in the store. The caller is told that it waits, on its own
//! connection, and stays there until an answer, its own Ctrl-C, its disconnect, or the end of
//! `hold_wait`; the last two turn the request into a ticket that the same bytes can use later. An
//! answer is used once, atomically, under the policy of the moment of use.

use std::collections::BTreeMap;
use std::future::Future;

use sallyport_core::{
    ApprovalRequest, Blame, Decision, Effect, Event, Facts, Refusal, RefusalCode, RequestId, RequestState,
    Timestamp, visible,
};
use sallyport_record::Need;

use crate::gate::Asked;
use crate::session::Session;
use crate::wording;

/// How a caller stopped waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GaveUp {
    /// It cancelled.
    Cancelled,
    /// It went away.
    Left,
}

/// A notice to a waiting caller, worded but not yet in its protocol's form.
#[derive(Clone, Debug)]
pub(crate) struct Notice {
    pub(crate) message: String,
    pub(crate) detail: String,
    pub(crate) hint: String,
}

/// The waiting caller, as its protocol can reach it.
pub(crate) trait Caller: Send {
    /// Sends a notice, at once.
    fn tell(&mut self, notice: Notice) -> impl Future<Output = ()> + Send;

    /// Waits until the caller gives up. Cancel safe.
    fn gave_up(&mut self) -> impl Future<Output = GaveUp> + Send;

    /// Whether what was asked for, now that it was approved, still is what would run: its names may have come
    /// to mean something else meanwhile. What no definition decides stays what it was.
    fn unchanged(&mut self) -> impl Future<Output = Result<(), Refusal>> + Send {
        async { Ok(()) }
    }
}

/// A hold that was answered with yes, and the decision under which it is used.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) request: ApprovalRequest,
    pub(crate) decision: Decision,
}

/// A hold that was not.
#[derive(Debug)]
pub(crate) struct Unanswered {
    pub(crate) request: Option<RequestId>,
    pub(crate) refusal: Refusal,
}

impl From<Refusal> for Unanswered {
    fn from(refusal: Refusal) -> Self {
        Self { request: None, refusal }
    }
}

/// Waits for the answer to a held operation. While it does, the session knows that it is held: should
/// it end meanwhile, the request becomes a ticket, or is withdrawn when an administrator ended it.
pub(crate) async fn wait<C: Caller>(
    session: &Session,
    asked: &Asked<'_>,
    decision: &Decision,
    caller: &mut C,
) -> Result<Answered, Unanswered> {
    let answer = wait_held(session, asked, decision, caller).await;
    session.set_held(None);
    answer
}

async fn wait_held<C: Caller>(
    session: &Session,
    asked: &Asked<'_>,
    decision: &Decision,
    caller: &mut C,
) -> Result<Answered, Unanswered> {
    let store = &session.house.store;
    let digest = &asked.operation.digest;
    let mut ticket =
        store.ticket(&session.principal.name, digest).await.map_err(|error| wording::store(&error))?;
    // What was shown is what the text did then: where definitions have changed since, it is asked anew.
    while let Some(other) = ticket.take_if(|it| !reads_alike(&it.facts, asked.facts)) {
        store.withdraw(&other.id).await.map_err(|error| wording::store(&error))?;
        ticket =
            store.ticket(&session.principal.name, digest).await.map_err(|error| wording::store(&error))?;
    }
    let (request, is_new) = match ticket {
        Some(ticket) => (ticket, false),
        None => (open(session, asked, decision).await?, true),
    };
    let id = request.id.clone();
    let unanswered = |refusal| Unanswered { request: Some(id.clone()), refusal };
    if request.state_of_request == RequestState::Approved {
        return use_answer(session, asked, request).await.map_err(unanswered);
    }
    session.set_held(Some(id.clone()));
    if !is_new {
        store.caller_returned(&id).await.map_err(|error| unanswered(wording::store(&error)))?;
    }
    let settings = &session.house.settings;
    let wait = if asked.in_transaction { settings.hold_wait_in_transaction } else { settings.hold_wait };
    let now = session.house.clock.now();
    let seconds = |duration: std::time::Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    let until = now.plus_seconds(seconds(wait)).min(request.expires);
    let public_url = settings.public_url.as_deref();
    let mut still = !is_new;
    loop {
        caller
            .tell(wording::waiting(session.who(), asked, decision, &request, until, still, public_url))
            .await;
        still = true;
        let pause = session.house.clock.now().plus_seconds(seconds(settings.hold_notice).max(1)).min(until);
        let present = tokio::select! {
            present = store.wait(&id, pause) => present.map_err(|error| unanswered(wording::store(&error)))?,
            gave_up = caller.gave_up() => {
                return Err(unanswered(give_up(session, decision, &request, gave_up).await));
            }
        };
        match present.state_of_request {
            RequestState::Approved => {
                return use_answer(session, asked, present).await.map_err(unanswered);
            }
            RequestState::Open if session.house.clock.now() < until => {}
            RequestState::Open => {
                store.caller_left(&id).await.map_err(|error| unanswered(wording::store(&error)))?;
                return Err(unanswered(wording::ticket(
                    session.who(),
                    asked.facts,
                    decision,
                    &present,
                    wait,
                    public_url,
                )));
            }
            RequestState::Denied => {
                return Err(unanswered(wording::rejected(session.who(), asked.facts, &present)));
            }
            RequestState::Expired | RequestState::Withdrawn | RequestState::Used => {
                return Err(unanswered(wording::lapsed(&present)));
            }
        }
    }
}

async fn give_up(session: &Session, decision: &Decision, request: &ApprovalRequest, how: GaveUp) -> Refusal {
    let store = &session.house.store;
    let done = match how {
        GaveUp::Cancelled => store.withdraw(&request.id).await,
        GaveUp::Left => store.caller_left(&request.id).await,
    };
    match (done, how) {
        (Err(error), _) => wording::store(&error),
        (Ok(_), GaveUp::Cancelled) => wording::withdrawn(request),
        (Ok(_), GaveUp::Left) => Refusal::new(
            RefusalCode::Ticket,
            Blame::Downstream,
            format!("the caller left while it waited for approval (rule {})", decision.rule),
        ),
    }
}

/// Makes the request and records that the operation is held.
async fn open(
    session: &Session,
    asked: &Asked<'_>,
    decision: &Decision,
) -> Result<ApprovalRequest, Unanswered> {
    let Some(terms) = &decision.hold else {
        return Err(wording::internal("a hold without terms").into());
    };
    let mut random = [0_u8; 5];
    getrandom::fill(&mut random).map_err(|_| wording::internal("no randomness"))?;
    let now: Timestamp = session.house.clock.now();
    let state: BTreeMap<String, String> =
        asked.state.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let request = ApprovalRequest {
        id: RequestId::new(random),
        digest: asked.operation.digest,
        session: session.id.clone(),
        operation: asked.operation.number,
        principal: (*session.principal).clone(),
        target: session.target.name.clone(),
        database: session.database.clone(),
        text: visible::text(asked.recorded.text()),
        parameters: asked.parameters.to_vec(),
        state,
        facts: (**asked.facts).clone(),
        rule: decision.rule.clone(),
        rule_reason: decision.reason.clone(),
        caller_reason: session.reason(),
        transaction: asked.transaction.to_vec(),
        needs: terms.needs.clone(),
        created: now,
        expires: now.plus_seconds(i64::from(terms.ttl_seconds)),
        state_of_request: RequestState::Open,
        caller_waits: true,
        answers: Vec::new(),
        policy_version: decision.policy_version.clone(),
    };
    let held = Event::Held {
        operation: asked.operation.number,
        text_length: asked.recorded.text().len(),
        withheld: asked.recorded.withheld(),
        parameters: asked.shapes(),
        request: request.id.clone(),
        digest: asked.operation.digest,
        facts: std::sync::Arc::clone(asked.facts),
        decision: std::sync::Arc::new(decision.clone()),
    };
    session
        .tape
        .append_and_wait(&held, &asked.payload(), Need::Synced)
        .await
        .map_err(|error| wording::recorder(&error))?;
    session.house.store.add_request(&request).await.map_err(|error| wording::store(&error))?;
    tracing::info!(session = %session.id, request = %request.id, rule = %decision.rule, "held");
    Ok(request)
}

/// Whether two facts say the same when they are written: what was kept reads back without how the target
/// quotes its names.
fn reads_alike(kept: &Facts, present: &Facts) -> bool {
    let written = |facts| serde_json::to_value(facts).ok();
    kept == present || written(kept).is_some_and(|kept| Some(kept) == written(present))
}

/// Uses an approval: decided again under the present policy, then taken from the store, once.
async fn use_answer(
    session: &Session,
    asked: &Asked<'_>,
    request: ApprovalRequest,
) -> Result<Answered, Refusal> {
    let decision = session.decide(asked.facts, asked.in_transaction);
    let needs = match (decision.effect, &decision.hold) {
        (Effect::Deny, _) => return Err(wording::denied(session.who(), asked.facts, &decision)),
        (Effect::Hold, Some(terms)) => terms.needs.clone(),
        (Effect::Hold, None) => return Err(wording::internal("a hold without terms")),
        (Effect::Allow, _) => request.needs.clone(),
    };
    // An approval does not outlive its approver's role: answers of people who lost it are dropped.
    let standing = session.house.authenticator.directory().standing(&request);
    if !standing.satisfies(&needs) {
        return Err(wording::not_usable(&request));
    }
    let used = session
        .house
        .store
        .use_request(&request.id, &asked.operation.digest, &session.id, &needs)
        .await
        .map_err(|error| wording::store(&error))?;
    match used {
        Some(request) => Ok(Answered { request, decision }),
        None => Err(wording::not_usable(&request)),
    }
}
