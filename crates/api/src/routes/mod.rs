//! The routes, one file per noun. Each handler says who may call it in its first line.

pub(crate) mod approvals;
pub(crate) mod audit;
pub(crate) mod follow;
pub(crate) mod health;
pub(crate) mod passwords;
mod reading;
pub(crate) mod recordings;
pub(crate) mod search;
pub(crate) mod sessions;
pub(crate) mod targets;
pub(crate) mod tokens;

use axum::Router;
use axum::routing::{delete, get, post};

use crate::state::ApiState;

/// Every route. A test holds that these are the ones that the description names.
pub(crate) fn all() -> Router<ApiState> {
    Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/openapi.json", get(crate::openapi::serve))
        .route("/v1/sessions", get(sessions::list))
        .route("/v1/sessions/{id}", get(sessions::show))
        .route("/v1/sessions/{id}/kill", post(sessions::kill))
        .route("/v1/sessions/{id}/entries", get(recordings::entries))
        .route("/v1/sessions/{id}/follow", get(follow::follow))
        .route("/v1/search", get(search::search))
        .route("/v1/targets", get(targets::list))
        .route("/v1/targets/{name}/test", post(targets::test))
        .route("/v1/targets/{name}/password", post(passwords::create))
        .route("/v1/requests", get(approvals::list))
        .route("/v1/requests/{id}", get(approvals::show))
        .route("/v1/requests/{id}/approve", post(approvals::approve))
        .route("/v1/requests/{id}/deny", post(approvals::deny))
        .route("/v1/requests/{id}/withdraw", post(approvals::withdraw))
        .route("/v1/tokens", get(tokens::list).post(tokens::create))
        .route("/v1/tokens/{id}", delete(tokens::revoke))
        .route("/v1/audit", get(audit::list))
}
