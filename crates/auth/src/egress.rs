//! The one place that builds an HTTP client.
//!
//! Every request that Sallyport itself makes goes to an address from the configuration, has a
//! deadline, follows no redirect (which could lead it to a loopback or metadata address), asks no
//! proxy that the environment names, and reads no more than it said it would.

use std::net::IpAddr;
use std::time::Duration;

use reqwest::{Client, RequestBuilder, Response, Url, redirect};
use thiserror::Error;

/// How long a whole request may take.
pub const DEADLINE: Duration = Duration::from_secs(5);

/// How long a request that carries a file may take, and how long nothing may come meanwhile.
const FILE_DEADLINE: Duration = Duration::from_secs(900);
const FILE_PAUSE: Duration = Duration::from_secs(120);

/// Why an address was not asked, or its answer not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EgressError {
    /// Not `https`, or plain `http` to something that is not loopback, or with user, password or fragment.
    #[error("the address must be https:// without user name; http:// is for loopback only")]
    Address,
    /// No connection, or no answer in time.
    #[error("no answer in time")]
    Unreachable,
    /// An answer other than 200, redirects among them.
    #[error("the answer's status is not 200")]
    Status,
    /// Larger than allowed.
    #[error("the answer is too large")]
    TooLarge,
    /// The client could not be built.
    #[error("the HTTP client could not be built")]
    Client,
}

/// An HTTP client with the deadlines and refusals that all of ours have.
///
/// # Errors
/// [`EgressError::Client`] when the system's certificates cannot be read.
pub fn client() -> Result<Client, EgressError> {
    build(DEADLINE, DEADLINE)
}

/// The same for requests that carry files: they may take as long as something keeps moving, up to a quarter
/// of an hour.
///
/// # Errors
/// As [`client`].
pub fn client_for_files() -> Result<Client, EgressError> {
    build(FILE_DEADLINE, FILE_PAUSE)
}

#[expect(clippy::disallowed_methods, reason = "this is the client that everything else must use")]
fn build(deadline: Duration, pause: Duration) -> Result<Client, EgressError> {
    Client::builder()
        .timeout(deadline)
        .read_timeout(pause)
        .connect_timeout(Duration::from_secs(3))
        .redirect(redirect::Policy::none())
        .no_proxy()
        .referer(false)
        .user_agent(concat!("sallyport/", env!("CARGO_PKG_VERSION")))
        .pool_max_idle_per_host(2)
        .build()
        .map_err(|_| EgressError::Client)
}

/// Reads an address from the configuration.
///
/// # Errors
/// [`EgressError::Address`] unless it is `https`, or `http` to a loopback host.
pub fn address(text: &str) -> Result<Url, EgressError> {
    let url = Url::parse(text).map_err(|_| EgressError::Address)?;
    let safe = match url.scheme() {
        "https" => true,
        "http" => is_loopback(&url),
        _ => false,
    };
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    if safe && plain { Ok(url) } else { Err(EgressError::Address) }
}

fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(|host| {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    })
}

/// Gets a body of at most `limit` bytes.
///
/// # Errors
/// On any status but 200, on a larger body, and when the deadline passes.
pub async fn get(client: &Client, url: Url, limit: usize) -> Result<Vec<u8>, EgressError> {
    // The client's own deadline covers the body too; this one covers whatever it may have missed.
    tokio::time::timeout(DEADLINE, fetch(client, url, limit)).await.unwrap_or(Err(EgressError::Unreachable))
}

async fn fetch(client: &Client, url: Url, limit: usize) -> Result<Vec<u8>, EgressError> {
    let request = client.get(url).header("accept", "application/json");
    let response = request.send().await.map_err(|_| EgressError::Unreachable)?;
    if response.status() != reqwest::StatusCode::OK {
        return Err(EgressError::Status);
    }
    body(response, limit).await
}

/// A status, and at most so much of a body as was allowed.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer").field("status", &self.status).finish_non_exhaustive()
    }
}

/// Sends a request that was made with [`client`] and takes its answer, whatever its status.
///
/// # Errors
/// On a body larger than `limit`, and when the deadline passes.
pub async fn send(request: RequestBuilder, limit: usize) -> Result<Answer, EgressError> {
    let answer = async {
        let response = request.send().await.map_err(|_| EgressError::Unreachable)?;
        let status = response.status().as_u16();
        Ok(Answer { status, body: body(response, limit).await? })
    };
    tokio::time::timeout(DEADLINE, answer).await.unwrap_or(Err(EgressError::Unreachable))
}

async fn body(mut response: Response, limit: usize) -> Result<Vec<u8>, EgressError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| EgressError::Unreachable)? {
        if body.len().saturating_add(chunk.len()) > limit {
            return Err(EgressError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(test)]
#[path = "egress_tests.rs"]
mod tests;
