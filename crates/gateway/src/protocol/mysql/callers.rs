//! Which caller has which connection number: KILL reaches the caller's own connections and no others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::registry::Handle;

/// One caller's connection.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    /// The principal's name.
    pub(super) principal: String,
    /// How the session is cancelled or ended.
    pub(super) handle: Arc<Handle>,
}

/// All of them, by the numbers that they were greeted with.
#[derive(Debug, Default)]
pub(super) struct Callers(Mutex<HashMap<u32, Connection>>);

/// A connection's place; dropping it gives the place up.
#[derive(Debug)]
pub(super) struct Place {
    all: Arc<Callers>,
    number: u32,
}

impl Callers {
    /// Adds a connection.
    pub(super) fn enter(self: &Arc<Self>, number: u32, connection: Connection) -> Place {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(number, connection);
        Place { all: Arc::clone(self), number }
    }

    /// The connection of that number, if it is this principal's.
    pub(super) fn of(&self, number: u32, principal: &str) -> Option<Connection> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&number).filter(|connection| connection.principal == principal).cloned()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.all.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use sallyport_core::{SessionId, Timestamp};

    use super::*;
    use crate::registry::Registry;

    #[test]
    fn attack_17_a_number_reaches_its_own_principal_only() {
        let registry = Arc::new(Registry::default());
        let session = SessionId::new(Timestamp::from_micros(0), [1; 10]);
        let registered = registry.register(session, 4).unwrap();
        let callers = Arc::new(Callers::default());
        let connection = Connection { principal: "alice".into(), handle: Arc::clone(registered.handle()) };
        let place = callers.enter(7, connection);
        assert!(callers.of(7, "alice").is_some());
        assert!(callers.of(7, "mallory").is_none());
        drop(place);
        assert!(callers.of(7, "alice").is_none());
    }
}
