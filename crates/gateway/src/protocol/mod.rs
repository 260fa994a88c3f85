//! The protocols.
//!
//! Each is one folder that knows its wire and nothing of policy or storage. A listener belongs to one
//! protocol, and a target speaks the one that its configuration names.

mod fault;
pub(crate) mod mysql;
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
    pub(crate) mysql: mysql::Shared,
}

/// The name in `protocol` of targets that speak MySQL's.
pub(crate) const MYSQL: &str = "mysql";

/// What a listener's callers speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// PostgreSQL's.
    Postgres,
    /// MySQL's and MariaDB's.
    Mysql,
}

impl Protocol {
    /// What a target speaks.
    pub(crate) fn of(target: &Target) -> Self {
        if target.protocol == MYSQL { Self::Mysql } else { Self::Postgres }
    }
}

/// Serves one accepted connection to its end; `own` is the target whose listener it came by.
pub(crate) async fn serve(
    house: Arc<House>,
    protocol: Protocol,
    socket: TcpStream,
    peer: SocketAddr,
    own: Option<Arc<str>>,
) {
    // Apart: a connection takes the room of its own protocol, not of the largest.
    match protocol {
        Protocol::Postgres => Box::pin(pg::serve(house, socket, peer, own)).await,
        Protocol::Mysql => Box::pin(mysql::serve(house, socket, peer, own)).await,
    }
}

/// Signs in to a target and out again.
pub(crate) async fn test_target(house: &House, name: &str) -> Option<TargetHealth> {
    let protocol = Protocol::of(&house.targets.get().get(name)?.target);
    match protocol {
        Protocol::Postgres => pg::test_target(house, name).await,
        Protocol::Mysql => mysql::test_target(house, name).await,
    }
}

/// Looks at what a database of a target holds.
pub(crate) async fn survey(
    target: &Target,
    database: &str,
    credentials: &Credentials,
    sample: usize,
) -> Result<Surveyed, String> {
    let said = |public: &str, detail: &str| format!("{public}: {detail}");
    match Protocol::of(target) {
        Protocol::Postgres => pg::survey(target, database, credentials, sample)
            .await
            .map_err(|error| said(error.public(), error.detail())),
        Protocol::Mysql => mysql::survey(target, database, credentials, sample)
            .await
            .map_err(|error| said(error.public(), error.detail())),
    }
}
