//! Accepts connections, and nothing else: no byte is read here.
//!
//! Every connection becomes a task of its own at once, so that a silent client holds up nobody. Past
//! the limits a connection is closed unanswered: an answer would cost what the limit is there to save.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::house::House;
use crate::protocol::{self, Protocol};
use crate::turns::neighbourhood;

/// A pause after the system could not accept (out of file descriptors, mostly).
const BREATH: Duration = Duration::from_millis(50);

/// How many connections each address has.
#[derive(Debug, Default)]
struct PerAddress(Mutex<HashMap<IpAddr, usize>>);

/// A connection's place among those of its address.
struct Place {
    all: Arc<PerAddress>,
    address: IpAddr,
}

impl PerAddress {
    fn enter(self: &Arc<Self>, address: IpAddr, limit: usize) -> Option<Place> {
        let address = neighbourhood(address);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_insert(0);
        if *count >= limit {
            return None;
        }
        *count += 1;
        Some(Place { all: Arc::clone(self), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

/// The places that all listeners give out together.
#[derive(Debug)]
pub(crate) struct Places {
    all: Arc<Semaphore>,
    per_address: Arc<PerAddress>,
}

impl Places {
    /// So many connections at once.
    pub(crate) fn new(connections: usize) -> Self {
        Self { all: Arc::new(Semaphore::new(connections)), per_address: Arc::default() }
    }
}

/// Accepts until dropped; `own` is the target that the listener belongs to.
pub(crate) async fn accept(
    listener: &TcpListener,
    protocol: Protocol,
    own: Option<&Arc<str>>,
    house: &Arc<House>,
    places: &Places,
) {
    loop {
        let (socket, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot accept");
                tokio::time::sleep(BREATH).await;
                continue;
            }
        };
        let Ok(permit) = Arc::clone(&places.all).try_acquire_owned() else {
            tracing::warn!(%peer, "too many connections");
            continue;
        };
        let Some(place) = places.per_address.enter(peer.ip(), house.settings.connections_per_address) else {
            tracing::warn!(%peer, "too many connections from one address");
            continue;
        };
        let of_session = Arc::clone(house);
        let own = own.map(Arc::clone);
        let served = house.workers.serve(&house.tasks, socket, peer, move |socket, peer| async move {
            protocol::serve(of_session, protocol, socket, peer, own).await;
            drop((permit, place));
        });
        if let Err(error) = served {
            tracing::warn!(%peer, %error, "a connection could not be taken up");
        }
    }
}
