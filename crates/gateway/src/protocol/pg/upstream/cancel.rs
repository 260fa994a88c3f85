//! Cancelling what runs on a target's connection ("Canceling Requests in Progress").
//!
//! The request travels on a connection of its own, under the same TLS as the one it is about. The
//! server never answers it: it closes the connection whether or not the key was right.

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use sallyport_core::Target;
use sallyport_wire::pg::startup;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::rustls::ClientConfig;

use super::dial::open;
use super::error::{DialError, DialErrorKind, wipe};
use crate::dialling::within;

/// Asks `target` to stop what the backend `pid` does. Success means that the request was taken, not
/// that anything was running.
///
/// # Errors
/// [`DialError`] when no connection could be made, or when the backend gave no key at start-up.
pub(crate) async fn cancel(
    target: &Target,
    tls: Option<Arc<ClientConfig>>,
    pid: u32,
    secret: &[u8],
    deadline: Duration,
) -> Result<(), DialError> {
    if secret.is_empty() {
        return Err(DialError::new(DialErrorKind::Protocol, "the target gave no key to cancel with"));
    }
    within(deadline, async {
        let mut stream = open(target, tls).await?;
        let mut request = BytesMut::with_capacity(16 + secret.len());
        startup::encode_cancel(&mut request, pid, secret);
        let sent = async {
            stream.write_all(&request).await?;
            stream.flush().await
        }
        .await;
        wipe(request);
        sent.map_err(|error| DialError::io("sending a CancelRequest", &error))?;
        // The server closes once it has passed the signal on; only then is a repeat ordered after it.
        let mut end = [0_u8; 1];
        match stream.read(&mut end).await {
            Ok(0) | Err(_) => Ok(()),
            Ok(_) => Err(DialError::protocol("an answer to a CancelRequest")),
        }
    })
    .await
}
