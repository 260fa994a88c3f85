//! MySQL and MariaDB.
//!
//! ```text
//! serve -> handshake (TLS, token, target) -> start (dial, read the session, record) -> conversation
//!            talk: caller -> operation -> gate -> target -> answer -> masking -> tape -> caller
//! ```
//!
//! The protocol answers one command before it takes the next, so one loop carries a conversation: [`talk`]
//! takes a command, [`operation`] decides it, [`answer`] relays what the target says. While the target works
//! both sockets are heard, so that a caller that leaves is noticed and a held one can give up.

mod answer;
mod bulk;
mod callers;
mod catalog;
mod control;
mod conversation;
mod deciding;
mod fault;
mod handshake;
mod holding;
mod kill;
mod masking;
mod named;
mod operation;
mod parameters;
mod prepared;
mod reading;
mod refusal;
mod results;
mod running;
mod server;
mod sides;
mod start;
mod survey;
mod talk;
mod unsure;
mod upstream;

use std::net::SocketAddr;
use std::sync::Arc;

use sallyport_inspect::credentials::Dialect;
use sallyport_inspect::mysql::Cache;
use tokio::net::TcpStream;

use crate::gate::Recorded;
use crate::house::House;

pub(crate) use start::test_target;
pub(crate) use survey::survey;

/// What MySQL sessions share: the targets' catalogs and versions, who has which connection number, and what
/// was inspected before.
#[derive(Debug)]
pub(crate) struct Shared {
    catalogs: catalog::Catalogs,
    versions: server::Versions,
    callers: Arc<callers::Callers>,
    inspected: Cache,
}

/// Inspections that are kept, and about how much memory they may take.
const INSPECTED: usize = 10_000;
const INSPECTED_BYTES: usize = 64 << 20;

impl Default for Shared {
    fn default() -> Self {
        Self {
            catalogs: catalog::Catalogs::default(),
            versions: server::Versions::default(),
            callers: Arc::default(),
            inspected: Cache::new(INSPECTED, INSPECTED_BYTES),
        }
    }
}

/// Serves one connection to its end; `own` is the target whose listener it came by.
pub(crate) async fn serve(house: Arc<House>, socket: TcpStream, peer: SocketAddr, own: Option<Arc<str>>) {
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%peer, %error, "nodelay");
    }
    let deadline = house.settings.handshake;
    // Apart from the conversation: what the start needs is given back with it.
    let start = Box::pin(start::start(&house, socket, peer, own.as_deref()));
    match tokio::time::timeout(deadline, start).await {
        Ok(Ok(conversation)) => Box::pin(conversation.run()).await,
        Ok(Err(fault)) => tracing::debug!(%peer, %fault, "handshake ended"),
        Err(_) => tracing::info!(%peer, "handshake took too long"),
    }
}

/// A text as it is kept.
fn recorded(text: &[u8]) -> Recorded<'_> {
    Recorded::of(text, Dialect::MySql)
}
