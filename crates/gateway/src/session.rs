//! One authenticated conversation of one principal with one target.
//!
//! A session knows who, what and where; it numbers operations, asks policy, and owns the tape that
//! everything is recorded on. It knows no protocol: `protocol::<p>` drives it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use sallyport_core::{
    Decision, Event, Facts, Principal, Refusal, RequestId, SessionId, Target, Timestamp, TokenId,
};
use sallyport_mask::Labels;
use sallyport_policy::{Policy, Question};
use sallyport_record::Tape;
use sallyport_store::SessionRow;

use crate::house::House;
use crate::registry::Registered;
use crate::wording;

/// One session.
pub(crate) struct Session {
    pub(crate) id: SessionId,
    pub(crate) principal: Arc<Principal>,
    pub(crate) target: Arc<Target>,
    pub(crate) database: String,
    pub(crate) tape: Tape,
    pub(crate) house: Arc<House>,
    pub(crate) registered: Registered,
    operations: AtomicU64,
    reason: Mutex<Option<String>>,
    held: Mutex<Option<RequestId>>,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("id", &self.id)
            .field("target", &self.target.name)
            .finish_non_exhaustive()
    }
}

/// What a session is opened with, once the target has been reached.
pub(crate) struct Opening {
    pub(crate) principal: Arc<Principal>,
    pub(crate) authenticated_by: String,
    pub(crate) token: Option<TokenId>,
    pub(crate) target: Arc<Target>,
    pub(crate) database: String,
    pub(crate) client: String,
    pub(crate) client_says: BTreeMap<String, String>,
    pub(crate) server_version: String,
    pub(crate) id: SessionId,
    pub(crate) registered: Registered,
}

/// The longest reason a caller can give, characters.
const REASON_CHARACTERS: usize = 500;

/// Who does it, and where: what refusals name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Who<'a> {
    pub(crate) principal: &'a Principal,
    pub(crate) target: &'a Target,
}

impl Session {
    /// Opens a session: its first entry is durable before this returns.
    ///
    /// # Errors
    /// When it cannot be recorded or indexed.
    pub(crate) async fn open(house: Arc<House>, opening: Opening) -> Result<Self, Refusal> {
        let tape = house.recorder.begin_for(opening.id.clone(), &opening.target.name);
        let policy_version = house.policy.get().version().to_owned();
        let event = Event::SessionOpened {
            principal: (*opening.principal).clone(),
            authenticated_by: opening.authenticated_by.clone(),
            target: opening.target.name.clone(),
            protocol: opening.target.protocol.clone(),
            database: opening.database.clone(),
            client: opening.client.clone(),
            client_says: opening.client_says,
            server_version: opening.server_version,
            gateway_version: env!("CARGO_PKG_VERSION").to_owned(),
            policy_version,
        };
        tape.append_and_wait(&event, &[], sallyport_record::Need::Written)
            .await
            .map_err(|error| wording::recorder(&error))?;
        let row = SessionRow {
            id: opening.id.clone(),
            principal: opening.principal.name.clone(),
            kind: opening.principal.kind,
            on_behalf_of: opening.principal.on_behalf_of.clone(),
            target: opening.target.name.clone(),
            database: opening.database.clone(),
            client: opening.client,
            method: opening.authenticated_by,
            token: opening.token,
            started: house.clock.now(),
            ended: None,
            operations: 0,
            reason: None,
        };
        house.store.session_opened(&row).await.map_err(|error| wording::store(&error))?;
        tracing::info!(session = %opening.id, principal = %opening.principal.name, target = %opening.target.name, "session opened");
        Ok(Self {
            id: opening.id,
            principal: opening.principal,
            target: opening.target,
            database: opening.database,
            tape,
            house,
            registered: opening.registered,
            operations: AtomicU64::new(0),
            reason: Mutex::new(None),
            held: Mutex::new(None),
        })
    }

    /// The next operation's number, from 1.
    pub(crate) fn next_operation(&self) -> u64 {
        self.operations.fetch_add(1, Ordering::Relaxed).saturating_add(1)
    }

    /// How many operations it has had.
    pub(crate) fn operations(&self) -> u64 {
        self.operations.load(Ordering::Relaxed)
    }

    /// The present policy.
    pub(crate) fn policy(&self) -> Arc<Policy> {
        self.house.policy.get()
    }

    /// The present labels.
    pub(crate) fn labels(&self) -> Arc<Labels> {
        self.house.labels.get()
    }

    /// Who does it, and where.
    pub(crate) fn who(&self) -> Who<'_> {
        Who { principal: &self.principal, target: &self.target }
    }

    /// Asks the present policy about an operation's facts.
    pub(crate) fn decide(&self, facts: &Facts, in_transaction: bool) -> Decision {
        self.house.decide(self.who(), &self.database, facts, in_transaction)
    }

    /// The same, by versions that the caller has in hand.
    pub(crate) fn decide_by(
        &self,
        policy: &Policy,
        labels: &Labels,
        facts: &Facts,
        in_transaction: bool,
        now: Timestamp,
    ) -> Decision {
        policy.decide(&Question {
            principal: &self.principal,
            target: &self.target,
            database: &self.database,
            facts,
            labels,
            in_transaction,
            now,
        })
    }

    /// The request that the caller waits for, while it does.
    pub(crate) fn set_held(&self, request: Option<RequestId>) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = request;
    }

    /// Whether the caller waits for a request.
    pub(crate) fn is_held(&self) -> bool {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Why the caller says it does what it does. Untrusted.
    pub(crate) fn reason(&self) -> Option<String> {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes the caller's reason, cut to what an approver can read.
    pub(crate) fn set_reason(&self, reason: &str) {
        let cut: String = reason.chars().take(REASON_CHARACTERS).collect();
        *self.reason.lock().unwrap_or_else(PoisonError::into_inner) = (!cut.trim().is_empty()).then_some(cut);
    }

    /// Seals the recording and closes the index entry.
    pub(crate) async fn close(&self, reason: &str) {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(request) = held {
            let store = &self.house.store;
            // Who ends a session does not want to see its statement pass later, by an answer to its ticket.
            let settled = if self.registered.handle().is_killed() {
                store.withdraw(&request).await
            } else {
                store.caller_left(&request).await
            };
            if let Err(error) = settled {
                tracing::error!(session = %self.id, %error, "a held request could not be settled");
            }
        }
        let operations = self.operations.load(Ordering::Relaxed);
        let event = Event::SessionClosed { reason: reason.to_owned(), operations };
        if let Err(error) = self.tape.seal(&event).await {
            tracing::error!(session = %self.id, %error, "the recording could not be sealed");
        }
        let now = self.house.clock.now();
        if let Err(error) = self.house.store.session_closed(&self.id, now, operations, reason).await {
            tracing::error!(session = %self.id, %error, "the session index could not be closed");
        }
        tracing::info!(session = %self.id, reason, operations, "session closed");
    }
}
