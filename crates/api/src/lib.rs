//! REST over the gateway's state: approvals, sessions, recordings, tokens, targets, audit.
//!
//! ```text
//! listener (bounded) -> host check -> deadline -> route -> Caller (token) -> role -> store | control | recording
//! ```
//!
//! Every route but health and the API's own description begins with a [`caller::Caller`], so that a
//! handler that forgot to authenticate does not get a principal to work with. Roles come from
//! configuration and agents have none; what belongs to somebody is shown to them or is `not-found`.
//! The API does not know the data path: it meets it in [`SessionControl`] and in the store.

mod caller;
pub mod dto;
mod host;
mod input;
mod listener;
mod openapi;
mod problem;
mod readers;
mod routes;
mod state;

#[cfg(test)]
mod access_tests;
#[cfg(test)]
mod reading_tests;
#[cfg(test)]
mod routes_tests;
#[cfg(test)]
mod testing;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use tokio::net::TcpListener;

pub use openapi::openapi_json;
pub use problem::Problem;
pub use readers::Readers;
pub use state::{ApiState, Redact, Targets};

/// Largest request body, bytes.
const BODY_LIMIT: usize = 64 * 1024;

/// How long a request may take until its answer begins.
const DEADLINE: Duration = Duration::from_secs(25);

/// All routes with everything that stands before them.
pub fn router(state: ApiState) -> Router {
    let hosts = state.hosts.clone();
    Router::new()
        .merge(routes::all())
        .fallback(async || Problem::not_found("address").hint("the API is described at /openapi.json"))
        .method_not_allowed_fallback(async || {
            Problem::new(
                axum::http::StatusCode::METHOD_NOT_ALLOWED,
                "method",
                "this address does not take this method",
            )
        })
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn(deadline))
        .layer(middleware::from_fn_with_state(hosts, host::check))
        .with_state(state)
}

async fn deadline(request: Request, next: Next) -> Response {
    match tokio::time::timeout(DEADLINE, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::timeout().into_response(),
    }
}

/// Serves the API until `stop` completes, then lets running requests end.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    state: ApiState,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let stopping = state.stopping.clone();
    let stop = async move {
        stop.await;
        stopping.send_replace(true);
    };
    let service = router(state).into_make_service_with_connect_info::<Peer>();
    axum::serve(listener::Bounded::new(listener), service).with_graceful_shutdown(stop).await
}

/// Who is connected.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

impl axum::extract::connect_info::Connected<axum::serve::IncomingStream<'_, listener::Bounded>> for Peer {
    fn connect_info(stream: axum::serve::IncomingStream<'_, listener::Bounded>) -> Self {
        Self(*stream.remote_addr())
    }
}
