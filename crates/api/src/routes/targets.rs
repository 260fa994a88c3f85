//! Targets: which there are, and whether the gateway can sign in to them.

use axum::Json;
use axum::extract::State;
use sallyport_core::ApiRole;

use crate::caller::Caller;
use crate::dto::{TargetList, TargetTest, TargetView};
use crate::input::Id;
use crate::problem::Problem;
use crate::state::ApiState;

/// All targets. Needs viewer or admin.
#[utoipa::path(get, path = "/v1/targets", tag = "targets",
    responses((status = 200, body = TargetList), (status = "4XX", body = Problem)))]
pub(crate) async fn list(State(state): State<ApiState>, caller: Caller) -> Result<Json<TargetList>, Problem> {
    caller.needs(&[ApiRole::Viewer, ApiRole::Admin])?;
    let mut targets: Vec<TargetView> = state.targets.targets().iter().map(TargetView::from).collect();
    targets.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Json(TargetList { targets }))
}

/// Signs in to a target and out again. Needs viewer or admin.
#[utoipa::path(post, path = "/v1/targets/{name}/test", tag = "targets",
    params(("name" = String, Path, description = "target name")),
    responses((status = 200, body = TargetTest), (status = "4XX", body = Problem)))]
pub(crate) async fn test(
    State(state): State<ApiState>,
    caller: Caller,
    Id(name): Id,
) -> Result<Json<TargetTest>, Problem> {
    caller.needs(&[ApiRole::Viewer, ApiRole::Admin])?;
    // Only a configured name goes on, so that nothing of the path reaches a log or the audit.
    let known = state.targets.targets().into_iter().find(|target| target.name == name);
    let none = || Problem::not_found("target").hint("`sallyport targets list` names those there are");
    let name = known.ok_or_else(none)?.name;
    state.audit(&caller.principal, "target.test", &name, "ok").await?;
    let health = state.control.test_target(&name).await.ok_or_else(|| Problem::not_found("target"))?;
    Ok(Json(TargetTest { name, ok: health.ok, detail: health.detail, took_ms: health.took_ms }))
}
