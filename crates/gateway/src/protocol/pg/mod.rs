//! PostgreSQL.
//!
//! ```text
//! serve -> handshake (TLS, token, target) -> start (dial, record, ready) -> conversation
//!                                                        admit: caller -> gate -> target
//!                                                        relay: target -> mask -> tape -> caller
//! ```
//!
//! The two halves of a conversation are polled side by side on one task and meet in [`state`]: the
//! queue of expected replies, the session's settings, its statements and portals.

mod admit;
mod answers;
mod canceller;
mod catalog;
mod control;
mod conversation;
mod copy_in;
mod definitions;
mod expected;
mod extended;
mod fault;
mod handshake;
mod holding;
mod inspecting;
mod judgements;
mod masking;
mod parameters;
mod plans;
mod reading;
mod reason;
mod refusal;
mod relay;
mod results;
mod rows;
mod running;
mod sign_in;
mod start;
mod startup_settings;
mod state;
mod survey;
pub(crate) mod upstream;

use std::net::SocketAddr;
use std::sync::Arc;

use sallyport_inspect::credentials::Dialect;
use sallyport_inspect::pg::Cache;
use tokio::net::TcpStream;

use crate::gate::Recorded;
use crate::house::House;

pub(super) use masking::Marks;
pub(crate) use start::test_target;
pub(crate) use survey::survey;

/// What PostgreSQL sessions share: the targets' catalogs, what was inspected before, and the pseudonyms that
/// were handed out.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) catalogs: catalog::Catalogs,
    pub(crate) inspected: Cache,
    pub(crate) handed_out: Arc<masking::HandedOut>,
}

/// Inspections that are kept, and about how much memory they may take.
const INSPECTED: usize = 10_000;
const INSPECTED_BYTES: usize = 64 << 20;

impl Default for Shared {
    fn default() -> Self {
        Self {
            catalogs: catalog::Catalogs::default(),
            inspected: Cache::new(INSPECTED, INSPECTED_BYTES),
            handed_out: Arc::default(),
        }
    }
}

/// Serves one connection to its end.
pub(crate) async fn serve(house: Arc<House>, socket: TcpStream, peer: SocketAddr, own: Option<Arc<str>>) {
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%peer, %error, "nodelay");
    }
    let deadline = house.settings.handshake;
    // Apart from the conversation: what the start needs is given back with it.
    let start = Box::pin(start::start(&house, socket, peer, own.as_deref()));
    match tokio::time::timeout(deadline, start).await {
        Ok(Ok(Some(conversation))) => Box::pin(conversation.run()).await,
        Ok(Ok(None)) => {}
        Ok(Err(fault)) => tracing::debug!(%peer, %fault, "handshake ended"),
        Err(_) => tracing::info!(%peer, "handshake took too long"),
    }
}

/// A text as it is kept.
fn recorded(text: &[u8]) -> Recorded<'_> {
    Recorded::of(text, Dialect::Postgres)
}
