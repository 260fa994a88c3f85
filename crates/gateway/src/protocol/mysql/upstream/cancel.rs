//! Cancelling what runs on a target's connection: KILL QUERY on a connection of its own, under the same account
//! and the same TLS.

use std::sync::Arc;
use std::time::Duration;

use sallyport_core::Target;
use tokio_rustls::rustls::ClientConfig;

use super::client::{Client, QueryLimits};
use super::{Wish, dial};
use crate::credentials::Credentials;
use crate::dialling::{DialError, DialErrorKind};

/// Asks `target` to stop what its connection of that number does. Success means that the request was taken, not
/// that anything was running.
///
/// # Errors
/// [`DialError`] when no connection could be made, or the target refuses.
pub(crate) async fn cancel(
    target: &Target,
    credentials: &Credentials,
    tls: Option<Arc<ClientConfig>>,
    connection: u32,
    deadline: Duration,
) -> Result<(), DialError> {
    let upstream = dial(target, credentials, tls, &Wish::own(target), deadline).await?;
    let mut client = Client::new(upstream, QueryLimits { rows: 1, bytes: 4096, deadline });
    let killed = client.query(&format!("KILL QUERY {connection}")).await;
    client.leave().await;
    match killed {
        // It has ended by itself.
        Err(error) if error.kind() == DialErrorKind::QueryFailed => {
            tracing::debug!(detail = error.detail(), "nothing to cancel");
            Ok(())
        }
        other => other.map(|_| ()),
    }
}
