//! Sessions: live and past, without what was said in them.

use axum::Json;
use axum::extract::State;
use sallyport_core::{ApiRole, Killed, SessionId};
use sallyport_store::SessionFilter;
use serde::Deserialize;

use super::reading;
use crate::caller::Caller;
use crate::dto::{KillResult, SessionList, SessionView};
use crate::input::{Id, Search};
use crate::problem::Problem;
use crate::state::ApiState;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct SessionQuery {
    /// Only of this principal.
    principal: Option<String>,
    /// Only to this target.
    target: Option<String>,
    /// Only living (`true`) or ended (`false`) ones.
    live: Option<bool>,
    /// Only those that began before this session: the next page.
    before: Option<String>,
    /// At most so many, 1 to 500; 50 unless told.
    limit: Option<u32>,
}

/// Sessions, newest first. Needs viewer, auditor or admin.
#[utoipa::path(get, path = "/v1/sessions", tag = "sessions", params(SessionQuery),
    responses((status = 200, body = SessionList), (status = "4XX", body = Problem)))]
pub(crate) async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    Search(query): Search<SessionQuery>,
) -> Result<Json<SessionList>, Problem> {
    caller.needs(&[ApiRole::Viewer, ApiRole::Auditor, ApiRole::Admin])?;
    let before = match query.before.as_deref().map(SessionId::parse) {
        Some(None) => return Err(Problem::bad_request("`before` is not a session's id")),
        before => before.flatten(),
    };
    let limit = query.limit.unwrap_or(50).clamp(1, 500);
    let targets = state.readers.sessions_of(&caller.principal);
    // One more than asked for tells whether there is a next page.
    let mut rows = state
        .store
        .sessions(&SessionFilter {
            principal: query.principal,
            target: query.target,
            targets,
            live: query.live,
            before,
            limit: limit + 1,
        })
        .await?;
    let asked = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > asked;
    rows.truncate(asked);
    let next = rows.last().filter(|_| more).map(|row| row.id.to_string());
    Ok(Json(SessionList { sessions: rows.into_iter().map(SessionView::from).collect(), next }))
}

/// One session. Needs viewer, auditor or admin.
#[utoipa::path(get, path = "/v1/sessions/{id}", tag = "sessions",
    params(("id" = String, Path, description = "session id")),
    responses((status = 200, body = SessionView), (status = "4XX", body = Problem)))]
pub(crate) async fn show(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id,
) -> Result<Json<SessionView>, Problem> {
    caller.needs(&[ApiRole::Viewer, ApiRole::Auditor, ApiRole::Admin])?;
    Ok(Json(reading::seen(&state, &caller, &id).await?.into()))
}

/// Ends a live session. Needs admin.
#[utoipa::path(post, path = "/v1/sessions/{id}/kill", tag = "sessions",
    params(("id" = String, Path, description = "session id")),
    responses((status = 200, body = KillResult), (status = "4XX", body = Problem)))]
pub(crate) async fn kill(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id,
) -> Result<Json<KillResult>, Problem> {
    caller.needs(&[ApiRole::Admin])?;
    let id = SessionId::parse(&id).ok_or_else(|| Problem::not_found("session"))?;
    let killed = match state.control.kill(&id, &caller.principal.name) {
        Killed::Ending => Ok(Json(KillResult { ending: true })),
        Killed::NotHere => Err(Problem::not_found("live session")),
    };
    state.audited(&caller.principal, "session.kill", id.as_str(), killed).await
}
