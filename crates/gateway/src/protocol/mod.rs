//! The protocols.
//!
//! Each is one folder that knows its wire and nothing of policy or storage. A listener belongs to one
//! protocol; PostgreSQL is the first.

pub(crate) mod pg;

use std::net::SocketAddr;
use std::sync::Arc;

use sallyport_core::{Target, TargetHealth};
use tokio::net::TcpStream;

use crate::credentials::Credentials;
use crate::house::House;
use crate::survey::Surveyed;

/// What each protocol shares among its own sessions.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) pg: pg::Shared,
}

/// Serves one accepted connection to its end; `own` is the target whose listener it came by.
pub(crate) async fn serve(house: Arc<House>, socket: TcpStream, peer: SocketAddr, own: Option<Arc<str>>) {
    pg::serve(house, socket, peer, own).await;
}

/// Signs in to a target and out again.
pub(crate) async fn test_target(house: &House, name: &str) -> Option<TargetHealth> {
    pg::test_target(house, name).await
}

/// Looks at what a database of a target holds.
pub(crate) async fn survey(
    target: &Target,
    database: &str,
    credentials: &Credentials,
    sample: usize,
) -> Result<Surveyed, String> {
    if target.protocol != "postgres" {
        return Err(format!("labels of {} are not supported yet", target.protocol));
    }
    pg::survey(target, database, credentials, sample)
        .await
        .map_err(|error| format!("{}: {}", error.public(), error.detail()))
}
