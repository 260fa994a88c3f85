//! Who did what over the API.

use axum::Json;
use axum::extract::State;
use sallyport_core::ApiRole;
use serde::Deserialize;

use crate::caller::Caller;
use crate::dto::AuditList;
use crate::input::Search;
use crate::problem::Problem;
use crate::state::ApiState;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuditQuery {
    /// At most so many, 1 to 1000; 100 unless told.
    limit: Option<u32>,
}

/// The newest entries. Needs admin.
#[utoipa::path(get, path = "/v1/audit", tag = "audit", params(AuditQuery),
    responses((status = 200, body = AuditList), (status = "4XX", body = Problem)))]
pub(crate) async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    Search(query): Search<AuditQuery>,
) -> Result<Json<AuditList>, Problem> {
    caller.needs(&[ApiRole::Admin])?;
    let rows = state.store.audits(query.limit.unwrap_or(100).clamp(1, 1000)).await?;
    Ok(Json(AuditList { entries: rows.into_iter().map(Into::into).collect() }))
}
