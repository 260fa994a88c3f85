//! Who asks, and whether it may.
//!
//! A [`Caller`] is made from the request's bearer token and from nothing else: no cookie, no header of a
//! proxy, no query string (attack class 4 and 5). A handler that needs a principal takes one as an
//! argument, and gets none without a token that holds.

use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use sallyport_core::{ApiRole, Principal, PrincipalKind, Secret, Timestamp, TokenId};

use crate::Peer;
use crate::problem::Problem;
use crate::state::ApiState;

/// Longer than any token of ours or of a provider.
const MAX_TOKEN: usize = 16 * 1024;

/// The authenticated caller of this request.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) principal: Arc<Principal>,
    /// The token's public half, when it is one of ours.
    pub(crate) token: Option<TokenId>,
    /// When what it called with ends by itself.
    pub(crate) expires: Option<Timestamp>,
}

impl Caller {
    /// Whether any of the roles is held. Agents hold none.
    pub(crate) fn has_any(&self, roles: &[ApiRole]) -> bool {
        roles.iter().any(|role| self.principal.has_role(*role))
    }

    /// Refuses unless one of the roles is held.
    pub(crate) fn needs(&self, roles: &[ApiRole]) -> Result<(), Problem> {
        if self.has_any(roles) {
            Ok(())
        } else {
            Err(Problem::not_permitted(self.principal.kind == PrincipalKind::Agent, roles))
        }
    }
}

impl FromRequestParts<ApiState> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        let token = bearer(&parts.headers)?;
        match state.auth.authenticate(&token).await {
            Ok(who) => Ok(Self { principal: who.principal, token: who.token, expires: who.expires }),
            Err(error) => {
                let peer = parts.extensions.get::<ConnectInfo<Peer>>().map(|peer| peer.0.0);
                tracing::warn!(reason = error.reason(), ?peer, "an API token was not taken");
                if let Some(journal) = &state.journal {
                    let from =
                        peer.map_or_else(|| "an unknown address".to_owned(), |peer| peer.ip().to_string());
                    journal.sign_in_failed("api", &from, error.reason());
                }
                if error.is_ours() { Err(Problem::store()) } else { Err(Problem::bad_token()) }
            }
        }
    }
}

/// The one bearer token of the request (RFC 6750 section 2.1).
pub(crate) fn bearer(headers: &HeaderMap) -> Result<Secret<String>, Problem> {
    let mut headers = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(header), None) = (headers.next(), headers.next()) else { return Err(Problem::no_token()) };
    let text = header.to_str().map_err(|_| Problem::bad_token())?;
    let (scheme, token) = text.split_once(' ').ok_or_else(Problem::no_token)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Problem::no_token());
    }
    let token = token.trim();
    if token.is_empty() || token.len() > MAX_TOKEN {
        return Err(Problem::bad_token());
    }
    Ok(Secret::new(token.to_owned()))
}
