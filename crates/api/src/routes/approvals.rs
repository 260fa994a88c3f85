//! Requests for approval: who may see them, and who may answer.
//!
//! Whether an answer counts is decided by `core::may_answer` inside the store's transaction; the checks
//! here come before it and are no replacement. A request that the caller may not see is `not-found`,
//! so that ids cannot be tried out.

use axum::Json;
use axum::extract::State;
use sallyport_core::{
    ApiRole, ApprovalRequest, Principal, PrincipalKind, RequestId, RequestState, Verdict, fold_name,
};
use sallyport_store::RequestFilter;
use serde::Deserialize;

use crate::caller::Caller;
use crate::dto::{AnswerNote, Reading, RequestDetail, RequestList, RequestSummary};
use crate::input::{Body, Id, Search};
use crate::problem::Problem;
use crate::state::ApiState;

const READERS: &[ApiRole] = &[ApiRole::Viewer, ApiRole::Approver, ApiRole::Auditor, ApiRole::Admin];
const NOTE_BYTES: usize = 2000;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequestQuery {
    /// Only in this state: `open`, `approved`, `denied`, `expired`, `withdrawn` or `used`.
    state: Option<String>,
    /// At most so many, 1 to 200; 50 unless told.
    limit: Option<u32>,
}

/// Requests, newest first, without their text. Needs viewer, approver, auditor or admin.
#[utoipa::path(get, path = "/v1/requests", tag = "requests", params(RequestQuery),
    responses((status = 200, body = RequestList), (status = "4XX", body = Problem)))]
pub(crate) async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    Search(query): Search<RequestQuery>,
) -> Result<Json<RequestList>, Problem> {
    caller.needs(READERS)?;
    let states = match query.state.as_deref().map(RequestState::parse) {
        Some(None) => return Err(Problem::bad_request("`state` is not one that a request can be in")),
        state => state.flatten().into_iter().collect(),
    };
    let filter = RequestFilter { states, limit: query.limit.unwrap_or(50).clamp(1, 200) };
    let requests = state.store.requests(&filter).await?;
    Ok(Json(RequestList { requests: requests.iter().map(RequestSummary::from).collect() }))
}

/// One request in full. For readers, and for who asked; the statement only for approvers, auditors and
/// who asked.
#[utoipa::path(get, path = "/v1/requests/{id}", tag = "requests",
    params(("id" = String, Path, description = "request id")),
    responses((status = 200, body = RequestDetail), (status = "4XX", body = Problem)))]
pub(crate) async fn show(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id,
) -> Result<Json<RequestDetail>, Problem> {
    let request = find(&state, &id).await?;
    let own = is_requester(&request, &caller.principal);
    if !own && !caller.has_any(READERS) {
        return Err(Problem::not_found("request"));
    }
    Ok(Json(RequestDetail::new(&request, reading(&state, &request, &caller))))
}

/// Who asked knows what it asked for, and auditors read everything; approvers see what would run without the
/// sensitive values in it, everybody else nothing of it.
fn reading<'a>(state: &'a ApiState, request: &ApprovalRequest, caller: &Caller) -> Reading<'a> {
    if is_requester(request, &caller.principal) || state.readers.may_read(&caller.principal, &request.target)
    {
        Reading::Whole
    } else if caller.has_any(&[ApiRole::Approver]) {
        Reading::Masked(&*state.redact)
    } else {
        Reading::Without
    }
}

/// Says yes. Needs approver, and a group that is asked; never for one's own request.
#[utoipa::path(post, path = "/v1/requests/{id}/approve", tag = "requests", request_body = AnswerNote,
    params(("id" = String, Path, description = "request id")),
    responses((status = 200, body = RequestDetail), (status = "4XX", body = Problem)))]
pub(crate) async fn approve(
    state: State<ApiState>,
    caller: Caller,
    id: Id,
    body: Body<AnswerNote>,
) -> Result<Json<RequestDetail>, Problem> {
    answer(state, caller, id, body, Verdict::Approve, "request.approve").await
}

/// Says no. Needs approver, and a group that is asked; never for one's own request.
#[utoipa::path(post, path = "/v1/requests/{id}/deny", tag = "requests", request_body = AnswerNote,
    params(("id" = String, Path, description = "request id")),
    responses((status = 200, body = RequestDetail), (status = "4XX", body = Problem)))]
pub(crate) async fn deny(
    state: State<ApiState>,
    caller: Caller,
    id: Id,
    body: Body<AnswerNote>,
) -> Result<Json<RequestDetail>, Problem> {
    answer(state, caller, id, body, Verdict::Deny, "request.deny").await
}

async fn answer(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id,
    Body(body): Body<AnswerNote>,
    verdict: Verdict,
    action: &str,
) -> Result<Json<RequestDetail>, Problem> {
    let Some(id) = RequestId::parse(&id) else { return Err(Problem::not_found("request")) };
    let note = body.note.filter(|note| !note.trim().is_empty());
    if note.as_ref().is_some_and(|note| note.len() > NOTE_BYTES) {
        return Err(Problem::bad_request("the note is longer than 2000 bytes"));
    }
    let result = match caller.needs(&[ApiRole::Approver]) {
        Ok(()) => state.store.answer(&id, &caller.principal, verdict, note).await.map_err(Problem::from),
        Err(problem) => Err(problem),
    };
    let request = state.audited(&caller.principal, action, id.as_str(), result).await?;
    Ok(Json(RequestDetail::new(&request, reading(&state, &request, &caller))))
}

/// Takes a request back. For who asked, and the human it was asked for.
#[utoipa::path(post, path = "/v1/requests/{id}/withdraw", tag = "requests",
    params(("id" = String, Path, description = "request id")),
    responses((status = 200, body = RequestDetail), (status = "4XX", body = Problem)))]
pub(crate) async fn withdraw(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id,
) -> Result<Json<RequestDetail>, Problem> {
    let request = find(&state, &id).await?;
    if !is_requester(&request, &caller.principal) {
        return Err(Problem::not_found("request"));
    }
    let result = match state.store.withdraw(&request.id).await {
        Ok(true) => Ok(()),
        Ok(false) => {
            Err(Problem::from(sallyport_store::AnswerError::from(sallyport_core::AnswerRefused::NotOpen)))
        }
        Err(error) => Err(error.into()),
    };
    state.audited(&caller.principal, "request.withdraw", request.id.as_str(), result).await?;
    let request = find(&state, request.id.as_str()).await?;
    Ok(Json(RequestDetail::new(&request, Reading::Whole)))
}

async fn find(state: &ApiState, id: &str) -> Result<ApprovalRequest, Problem> {
    let id = RequestId::parse(id).ok_or_else(|| Problem::not_found("request"))?;
    state.store.request(&id).await?.ok_or_else(|| Problem::not_found("request"))
}

/// Whether the request is this caller's own: by the same principal, or asked for this very human. Another
/// agent of the same human is another caller.
fn is_requester(request: &ApprovalRequest, caller: &Principal) -> bool {
    let asker = &request.principal;
    let same = asker.kind == caller.kind && asker.name == caller.name;
    let behind = caller.kind == PrincipalKind::Human
        && asker.on_behalf_of.as_deref().is_some_and(|human| fold_name(human) == fold_name(&caller.name));
    same || behind
}
