//! Tokens: making, listing, revoking.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use sallyport_core::{ApiRole, TokenId, visible};

use crate::caller::Caller;
use crate::dto::{NewToken, TokenCreated, TokenList, TokenView};
use crate::input::{Body, Id};
use crate::problem::Problem;
use crate::state::ApiState;

const NOTE_CHARS: usize = 200;
const SHORTEST: u32 = 60;
/// Ten years.
const LONGEST: u32 = 315_360_000;

/// All tokens, without their secrets. Needs admin.
#[utoipa::path(get, path = "/v1/tokens", tag = "tokens",
    responses((status = 200, body = TokenList), (status = "4XX", body = Problem)))]
pub(crate) async fn list(State(state): State<ApiState>, caller: Caller) -> Result<Json<TokenList>, Problem> {
    caller.needs(&[ApiRole::Admin])?;
    let tokens = state.store.tokens().await?;
    Ok(Json(TokenList { tokens: tokens.into_iter().map(TokenView::from).collect() }))
}

/// Makes a token for a configured principal. Its text is in the answer and nowhere else. Needs admin.
#[utoipa::path(post, path = "/v1/tokens", tag = "tokens", request_body = NewToken,
    responses((status = 201, body = TokenCreated), (status = "4XX", body = Problem)))]
pub(crate) async fn create(
    State(state): State<ApiState>,
    caller: Caller,
    Body(new): Body<NewToken>,
) -> Result<(StatusCode, Json<TokenCreated>), Problem> {
    caller.needs(&[ApiRole::Admin])?;
    let principal = state.auth.directory().get(&new.principal).ok_or_else(|| {
        Problem::bad_request("no such principal is configured")
            .hint("principals stand in the gateway's configuration, under [[principal]]")
    })?;
    if let Some(note) = &new.note
        && (note.chars().count() > NOTE_CHARS || visible::has_hidden(note))
    {
        return Err(Problem::bad_request("the note must be at most 200 visible characters"));
    }
    if new.expires_in_seconds.is_some_and(|seconds| !(SHORTEST..=LONGEST).contains(&seconds)) {
        return Err(Problem::bad_request("a token lives from a minute to ten years"));
    }
    let now = state.clock.now();
    let expires = new.expires_in_seconds.map(|seconds| now.plus_seconds(i64::from(seconds)));
    let issued = sallyport_auth::issue(&principal.name, expires, new.note, now).map_err(|error| {
        tracing::error!(reason = error.reason(), "a token could not be made");
        Problem::store()
    })?;
    let id = issued.record.id.clone();
    // The audit comes before the answer: a token whose making could not be noted is never shown.
    let result = state.store.add_token(&issued.record).await.map_err(Problem::from);
    let object = format!("{id} for {}", principal.name);
    state.audited(&caller.principal, "token.create", &object, result).await?;
    let created = TokenCreated {
        id,
        principal: principal.name.clone(),
        expires,
        token: issued.secret.expose().clone(),
    };
    Ok((StatusCode::CREATED, Json(created)))
}

/// Revokes a token; sessions that it opened end within half a minute. Needs admin.
#[utoipa::path(delete, path = "/v1/tokens/{id}", tag = "tokens",
    params(("id" = String, Path, description = "the token's public half")),
    responses((status = 204, description = "it is revoked"), (status = "4XX", body = Problem)))]
pub(crate) async fn revoke(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id,
) -> Result<StatusCode, Problem> {
    caller.needs(&[ApiRole::Admin])?;
    let id = TokenId::parse(&id).ok_or_else(|| Problem::not_found("token"))?;
    let result = match state.store.revoke_token(&id).await {
        Ok(true) => Ok(StatusCode::NO_CONTENT),
        Ok(false) => Err(Problem::not_found("token that is not revoked yet")),
        Err(error) => Err(error.into()),
    };
    state.audited(&caller.principal, "token.revoke", id.as_str(), result).await
}
