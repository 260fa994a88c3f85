//! Towards a target, whatever its protocol: TCP with limits, TLS with the certificate checked, and why
//! neither could be had.

mod error;
mod stream;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use rustix::net::sockopt;
use sallyport_core::Target;
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

pub(crate) use error::{DialError, DialErrorKind, wipe};
pub(crate) use stream::UpstreamStream;

/// Longest wait for one of a host's addresses.
const PER_ADDRESS: Duration = Duration::from_secs(4);

/// One deadline over everything.
pub(crate) async fn within<T>(
    deadline: Duration,
    work: impl Future<Output = Result<T, DialError>>,
) -> Result<T, DialError> {
    tokio::time::timeout(deadline, work)
        .await
        .unwrap_or_else(|_| Err(DialError::away("the target did not answer in time")))
}

/// The first of the host's addresses that answers. One that swallows packets must not use up the time
/// of those behind it.
pub(crate) async fn connect(target: &Target) -> Result<TcpStream, DialError> {
    let addresses = lookup_host((target.host.as_str(), target.port))
        .await
        .map_err(|error| DialError::io("looking up the target's address", &error))?;
    let mut last = DialError::away("the target's name has no address");
    for address in addresses {
        match tokio::time::timeout(PER_ADDRESS, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                tune(&stream).map_err(|error| DialError::io("setting socket options", &error))?;
                return Ok(stream);
            }
            Ok(Err(error)) => last = DialError::io(&format!("connecting to {address}"), &error),
            Err(_) => last = DialError::away(format!("connecting to {address}: no answer")),
        }
    }
    Err(last)
}

/// Small messages go out at once, and a target that vanished is noticed within two minutes, even while
/// nothing is asked of it: the system's own two hours would keep sessions and their locks for as long.
fn tune(stream: &TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, Duration::from_secs(60))?;
    sockopt::set_tcp_keepintvl(stream, Duration::from_secs(10))?;
    sockopt::set_tcp_keepcnt(stream, 6)?;
    Ok(())
}

/// TLS over a connection on which nothing secret has been said.
pub(crate) async fn secure(
    stream: TcpStream,
    host: &str,
    config: Arc<ClientConfig>,
) -> Result<UpstreamStream, DialError> {
    let name = ServerName::try_from(host.to_owned()).map_err(|_| {
        DialError::new(DialErrorKind::TlsFailed, "the target's host cannot be a name in a certificate")
    })?;
    let stream = TlsConnector::from(config)
        .connect(name, stream)
        .await
        .map_err(|error| DialError::new(DialErrorKind::TlsFailed, format!("TLS: {error}")))?;
    Ok(UpstreamStream::Tls(Box::new(stream)))
}
