//! The live sessions of this process: how they are cancelled, ended and counted.
//!
//! A session registers when it opens and gets a guard; dropping the guard takes it out. Callers are
//! given cancel keys of ours, never the target's, and a key reaches only the session it was given to.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use sallyport_core::SessionId;
use tokio::sync::{Notify, watch};

/// The key a caller cancels with.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct CancelKey {
    pub(crate) pid: u32,
    pub(crate) secret: Box<[u8]>,
}

impl fmt::Debug for CancelKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CancelKey({}, [secret])", self.pid)
    }
}

/// One live session, as others may touch it.
#[derive(Debug)]
pub(crate) struct Handle {
    pub(crate) session: SessionId,
    key: CancelKey,
    /// Woken when the caller asks to cancel.
    pub(crate) cancel: Notify,
    /// Why the session is to end, once somebody wants that.
    end: watch::Sender<Option<EndReason>>,
}

/// Why a session ends other than by its caller or target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EndReason {
    /// An administrator, by name.
    Killed(String),
    /// The gateway stops.
    Draining,
    /// The principal is no longer valid.
    Revoked,
    /// Nothing happened for too long.
    Idle,
}

impl Handle {
    /// Waits until somebody wants the session to end. Cancel safe.
    pub(crate) async fn ended(&self) -> EndReason {
        let mut receiver = self.end.subscribe();
        loop {
            if let Some(reason) = receiver.borrow_and_update().clone() {
                return reason;
            }
            if receiver.changed().await.is_err() {
                return EndReason::Draining;
            }
        }
    }

    /// Whether an administrator wants it to end.
    pub(crate) fn is_killed(&self) -> bool {
        matches!(*self.end.borrow(), Some(EndReason::Killed(_)))
    }

    /// Asks the session to end; the first reason stays.
    pub(crate) fn end(&self, reason: EndReason) {
        self.end.send_if_modified(|present| {
            if present.is_none() {
                *present = Some(reason);
                return true;
            }
            false
        });
    }
}

/// All live sessions.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    live: Mutex<HashMap<u32, Arc<Handle>>>,
}

impl Registry {
    fn live(&self) -> std::sync::MutexGuard<'_, HashMap<u32, Arc<Handle>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a session under a fresh random key whose secret has so many bytes.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub(crate) fn register(
        self: &Arc<Self>,
        session: SessionId,
        secret_bytes: usize,
    ) -> Result<Registered, getrandom::Error> {
        let mut secret = vec![0_u8; secret_bytes].into_boxed_slice();
        getrandom::fill(&mut secret)?;
        let mut live = self.live();
        loop {
            let mut bytes = [0_u8; 4];
            getrandom::fill(&mut bytes)?;
            let [a, b, c, d] = bytes;
            // Drivers read the process id as a signed number, so it stays positive.
            let pid = u32::from_be_bytes([a & 0x7f, b, c, d]);
            if pid == 0 || live.contains_key(&pid) {
                continue;
            }
            let key = CancelKey { pid, secret };
            let handle =
                Arc::new(Handle { session, key, cancel: Notify::new(), end: watch::Sender::new(None) });
            live.insert(pid, Arc::clone(&handle));
            return Ok(Registered { registry: Arc::clone(self), handle });
        }
    }

    /// Wakes the session that was given this key; whether there is one. Compares the whole secret
    /// whatever its first bytes are.
    pub(crate) fn cancel(&self, pid: u32, secret: &[u8]) -> bool {
        let handle = self.live().get(&pid).cloned();
        let Some(handle) = handle else { return false };
        let same = secret.len() == handle.key.secret.len()
            && secret.iter().zip(&handle.key.secret).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0;
        if same {
            handle.cancel.notify_one();
        }
        same
    }

    /// The session of that id.
    pub(crate) fn find(&self, session: &SessionId) -> Option<Arc<Handle>> {
        self.live().values().find(|handle| handle.session == *session).cloned()
    }

    /// Every live session.
    pub(crate) fn all(&self) -> Vec<Arc<Handle>> {
        self.live().values().cloned().collect()
    }

    /// How many.
    pub(crate) fn len(&self) -> usize {
        self.live().len()
    }
}

/// A session's place in the registry; dropping it gives the place up.
#[derive(Debug)]
pub(crate) struct Registered {
    registry: Arc<Registry>,
    handle: Arc<Handle>,
}

impl Registered {
    pub(crate) fn handle(&self) -> &Arc<Handle> {
        &self.handle
    }

    pub(crate) fn key(&self) -> &CancelKey {
        &self.handle.key
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.registry.live().remove(&self.handle.key.pid);
    }
}

#[cfg(test)]
mod tests {
    use sallyport_core::Timestamp;

    use super::*;

    fn id(n: u8) -> SessionId {
        SessionId::new(Timestamp::from_micros(0), [n; 10])
    }

    #[tokio::test]
    async fn a_cancel_key_reaches_its_own_session_only() {
        let registry = Arc::new(Registry::default());
        let one = registry.register(id(1), 4).unwrap();
        let two = registry.register(id(2), 4).unwrap();
        let [a, b, c, d] = *one.key().secret else { panic!("four bytes") };
        assert!(!registry.cancel(one.key().pid, &[a, b, c, d ^ 1]), "a forged secret");
        assert!(!registry.cancel(one.key().pid, &[a, b, c]), "a short secret");
        assert!(!registry.cancel(two.key().pid ^ 1, &[a, b, c, d]), "nobody's pid");
        assert!(registry.cancel(one.key().pid, &[a, b, c, d]));
        one.handle().cancel.notified().await;
    }

    #[tokio::test]
    async fn a_session_is_ended_by_the_first_reason_and_leaves_when_dropped() {
        let registry = Arc::new(Registry::default());
        let one = registry.register(id(1), 4).unwrap();
        registry.find(&id(1)).unwrap().end(EndReason::Killed("root".into()));
        one.handle().end(EndReason::Draining);
        assert_eq!(one.handle().ended().await, EndReason::Killed("root".into()));
        drop(one);
        assert_eq!(registry.len(), 0);
        assert!(registry.find(&id(1)).is_none());
    }
}
