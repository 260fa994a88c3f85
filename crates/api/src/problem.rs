//! What a client reads when something is refused: RFC 9457 problem details with a stable code.
//!
//! Text in here is ours: no library's error and nothing a client sent goes into it.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use sallyport_core::{AnswerRefused, ApiRole};
use sallyport_store::{AnswerError, StoreError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A refusal or failure (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// HTTP status.
    pub status: u16,
    /// Stable code, the same in every version.
    pub code: String,
    /// What was refused and why, one lower-case sentence.
    pub title: String,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Problem {
    /// A problem with its status, code and title.
    #[must_use]
    pub fn new(status: StatusCode, code: &str, title: impl Into<String>) -> Self {
        Self { status: status.as_u16(), code: code.to_owned(), title: title.into(), hint: None }
    }

    /// With what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn no_token() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "no-token", "this needs a token")
            .hint("send `Authorization: Bearer slp_…`")
    }

    /// One answer for every way a token can be wrong, so that none of them can be told apart.
    pub(crate) fn bad_token() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "bad-token", "the token was not taken")
            .hint("it may be mistyped, expired or revoked; an administrator can make a new one")
    }

    pub(crate) fn not_permitted(agent: bool, roles: &[ApiRole]) -> Self {
        let words: Vec<&str> = roles.iter().map(|role| role_word(*role)).collect();
        let title = if agent {
            "agents have no API roles".to_owned()
        } else {
            format!("this needs the role {}", words.join(" or "))
        };
        Self::new(StatusCode::FORBIDDEN, "not-permitted", title)
            .hint("roles stand in the gateway's configuration, under [[principal]]")
    }

    /// For who may see that a session was, and not what was said in it.
    pub(crate) fn not_this_target() -> Self {
        Self::new(StatusCode::FORBIDDEN, "not-permitted", "recordings of this target are not yours to read")
            .hint("the configuration says whose they are: recordings_of, under [[principal]]")
    }

    pub(crate) fn no_search() -> Self {
        Self::new(StatusCode::NOT_FOUND, "no-search", "this gateway keeps no search index")
            .hint("the configuration turns it on: [search] enabled = true")
    }

    pub(crate) fn too_many(what: &str) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many", format!("too many {what} at once"))
            .hint("try again when another one has ended")
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", format!("no such {what}"))
    }

    pub(crate) fn bad_request(title: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", title)
    }

    pub(crate) fn store() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "store", "the store did not answer")
            .hint("nothing was done, or it is not known; look before trying again")
    }

    pub(crate) fn recording() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "recording", "the recording cannot be read")
            .hint("`sallyport recording verify` says what is wrong with it")
    }

    pub(crate) fn timeout() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "timeout", "this took too long and was given up")
    }

    pub(crate) fn wrong_host() -> Self {
        Self::new(StatusCode::MISDIRECTED_REQUEST, "wrong-host", "this host name is not served here")
            .hint("ask for localhost, 127.0.0.1 or [::1], or set listen.public_url")
    }
}

pub(crate) fn role_word(role: ApiRole) -> &'static str {
    match role {
        ApiRole::Viewer => "viewer",
        ApiRole::Approver => "approver",
        ApiRole::Auditor => "auditor",
        ApiRole::Admin => "admin",
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::not_found("object"),
            error => {
                tracing::error!(%error, "the store refused");
                Self::store()
            }
        }
    }
}

impl From<AnswerError> for Problem {
    fn from(error: AnswerError) -> Self {
        match error {
            AnswerError::NotFound => Self::not_found("request"),
            AnswerError::Store(error) => error.into(),
            AnswerError::Refused(refused) => {
                let (status, code) = match refused {
                    AnswerRefused::NotHuman => (StatusCode::FORBIDDEN, "not-human"),
                    AnswerRefused::NotApprover => (StatusCode::FORBIDDEN, "not-permitted"),
                    AnswerRefused::Requester => (StatusCode::FORBIDDEN, "requester"),
                    AnswerRefused::WrongGroup => (StatusCode::FORBIDDEN, "wrong-group"),
                    AnswerRefused::Twice => (StatusCode::CONFLICT, "already-answered"),
                    AnswerRefused::NotOpen => (StatusCode::CONFLICT, "not-open"),
                };
                Self::new(status, code, refused.to_string())
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self)).into_response();
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
        }
        response
    }
}
