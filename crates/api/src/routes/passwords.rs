//! Short-lived passwords, for clients that cannot hand over a token.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use sallyport_auth::LONGEST_PASSWORD;

use crate::caller::Caller;
use crate::dto::{NewPassword, PasswordCreated};
use crate::input::{Body, Id};
use crate::problem::Problem;
use crate::state::ApiState;

const SHORTEST: u32 = 60;

/// Makes a password for the caller itself and one target. It is in the answer and nowhere else. Needs nothing but
/// that the caller may connect there.
#[utoipa::path(post, path = "/v1/targets/{name}/password", tag = "targets", request_body = NewPassword,
    params(("name" = String, Path, description = "target name")),
    responses((status = 201, body = PasswordCreated), (status = "4XX", body = Problem)))]
pub(crate) async fn create(
    State(state): State<ApiState>,
    caller: Caller,
    Id(name): Id,
    Body(new): Body<NewPassword>,
) -> Result<(StatusCode, Json<PasswordCreated>), Problem> {
    // A target that does not exist and one that the caller may not reach are told apart by nobody.
    if !state.control.may_connect(&caller.principal, &name) {
        return Err(Problem::not_found("target that you may connect to"));
    }
    let targets = state.targets.targets();
    if !targets.iter().any(|target| target.name == name && target.protocol == "mysql") {
        return Err(Problem::bad_request("passwords are for targets of MySQL's protocol")
            .hint("clients of other protocols hand over the token in the password's place"));
    }
    let seconds = new.expires_in_seconds.unwrap_or(LONGEST_PASSWORD);
    if !(SHORTEST..=LONGEST_PASSWORD).contains(&seconds) {
        return Err(Problem::bad_request("a password lives from a minute to an hour"));
    }
    let now = state.clock.now();
    let wanted = now.plus_seconds(i64::from(seconds));
    // It does not outlive what the caller called with.
    let expires = caller.expires.map_or(wanted, |ends| ends.min(wanted));
    let who = &caller.principal;
    let issued = sallyport_auth::issue_password(&who.name, &name, caller.token.clone(), expires, now)
        .map_err(|error| {
            tracing::error!(reason = error.reason(), "a password could not be made");
            Problem::store()
        })?;
    let record = &issued.record;
    let result = state.store.add_password(record).await.map_err(Problem::from);
    let object = format!("{} at {name}", record.username);
    state.audited(who, "password.create", &object, result).await?;
    let created = PasswordCreated {
        username: record.username.clone(),
        password: issued.secret.expose().clone(),
        target: name,
        expires: record.expires,
    };
    Ok((StatusCode::CREATED, Json(created)))
}
