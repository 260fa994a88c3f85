//! Whether the process lives, and whether it can serve.

use axum::extract::State;
use axum::http::StatusCode;

use crate::problem::Problem;
use crate::state::ApiState;

/// The process answers.
#[utoipa::path(get, path = "/healthz", tag = "health", security(()),
    responses((status = 200, description = "it lives", body = String)))]
pub(crate) async fn healthz() -> &'static str {
    "ok\n"
}

/// New sessions can be served: the recorder writes and the store answers.
#[utoipa::path(get, path = "/readyz", tag = "health", security(()),
    responses((status = 200, description = "it serves", body = String),
              (status = 503, description = "it does not, and why", body = Problem)))]
pub(crate) async fn readyz(State(state): State<ApiState>) -> Result<String, Problem> {
    state.control.ready().await.map_err(|why| {
        // Why goes to the log: this address asks for no token, and the text may name paths.
        tracing::warn!(why, "not ready");
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not-ready", "new sessions cannot be served now")
            .hint("the gateway's log says why")
    })?;
    // The first line stays as it is, for whoever compares it.
    let warnings = state.control.warnings();
    Ok(["ready"].into_iter().chain(warnings).map(|line| format!("{line}\n")).collect())
}
