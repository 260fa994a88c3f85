//! What the routes work with.

use std::fmt;
use std::sync::Arc;

use sallyport_auth::Authenticator;
use sallyport_core::{Clock, Principal, SessionControl, Target};
use sallyport_record::read::Recordings;
use sallyport_record::{Journal, VerifyingKey};
use sallyport_store::search::SearchIndex;
use sallyport_store::{AuditRow, Store};
use tokio::sync::{Semaphore, watch};

use crate::host::Hosts;
use crate::problem::Problem;
use crate::readers::Readers;

/// Sessions that are followed at a time.
const FOLLOWERS: usize = 32;

/// The configured targets as they are now; they reload while the gateway runs.
pub trait Targets: Send + Sync + fmt::Debug {
    /// All of them, in any order.
    fn targets(&self) -> Vec<Target>;
}

/// Masks what is sensitive in what people read.
pub trait Redact: Send + Sync + fmt::Debug {
    /// A statement with the sensitive values in its constants masked; nothing when there are none. What is no
    /// constant stays, so that nothing that would run is hidden.
    fn statement(&self, text: &str) -> Option<String>;
    /// A value masked; nothing when there is nothing to mask.
    fn value(&self, text: &str) -> Option<String>;
}

/// Where nothing can tell what is sensitive, everything is.
#[derive(Debug)]
struct Withheld;

impl Redact for Withheld {
    fn statement(&self, _: &str) -> Option<String> {
        Some("‹WITHHELD›".to_owned())
    }

    fn value(&self, _: &str) -> Option<String> {
        Some("‹WITHHELD›".to_owned())
    }
}

/// What the API is made of. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ApiState {
    pub(crate) store: Store,
    pub(crate) auth: Arc<Authenticator>,
    pub(crate) control: Arc<dyn SessionControl>,
    pub(crate) targets: Arc<dyn Targets>,
    pub(crate) redact: Arc<dyn Redact>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) recordings: Recordings,
    pub(crate) hosts: Hosts,
    pub(crate) journal: Option<Journal>,
    pub(crate) readers: Readers,
    pub(crate) search: Option<SearchIndex>,
    pub(crate) key: Option<VerifyingKey>,
    pub(crate) followers: Arc<Semaphore>,
    /// True once the API is to stop: streams without an end of their own end then.
    pub(crate) stopping: watch::Sender<bool>,
}

impl ApiState {
    /// Puts it together. `hosts` are names by which the API may
    /// be asked besides loopback's own.
    #[must_use]
    pub fn new(
        store: Store,
        auth: Arc<Authenticator>,
        control: Arc<dyn SessionControl>,
        targets: Arc<dyn Targets>,
        clock: Arc<dyn Clock>,
        recordings: Recordings,
        hosts: &[String],
    ) -> Self {
        Self {
            store,
            auth,
            control,
            targets,
            redact: Arc::new(Withheld),
            clock,
            recordings,
            hosts: Hosts::new(hosts),
            readers: Readers::default(),
            search: None,
            key: None,
            followers: Arc::new(Semaphore::new(FOLLOWERS)),
            stopping: watch::Sender::new(false),
            journal: None,
        }
    }

    /// With auditors who may not read every target's recordings.
    #[must_use]
    pub fn with_readers(self, readers: Readers) -> Self {
        Self { readers, ..self }
    }

    /// With an index to search.
    #[must_use]
    pub fn with_search(self, search: Option<SearchIndex>) -> Self {
        Self { search, ..self }
    }

    /// With the key that checks seals.
    #[must_use]
    pub fn with_key(self, key: VerifyingKey) -> Self {
        Self { key: Some(key), ..self }
    }

    /// Writes the audit into the recording, too, whose proofs it has then.
    #[must_use]
    pub fn with_journal(self, journal: Journal) -> Self {
        Self { journal: Some(journal), ..self }
    }

    /// With what masks statements for approvers. Without it they see none.
    #[must_use]
    pub fn redacting(self, redact: Arc<dyn Redact>) -> Self {
        Self { redact, ..self }
    }

    /// Notes what somebody did or tried. What cannot be noted is not done, or is said to have failed.
    pub(crate) async fn audit(
        &self,
        principal: &Principal,
        action: &str,
        object: &str,
        outcome: &str,
    ) -> Result<(), Problem> {
        if let Some(journal) = &self.journal {
            journal.note(&principal.name, action, object, outcome).await.map_err(|error| {
                tracing::error!(%error, "the audit cannot be recorded");
                Problem::recording()
            })?;
        }
        let row = AuditRow {
            at: self.clock.now(),
            principal: principal.name.clone(),
            action: action.to_owned(),
            object: object.to_owned(),
            outcome: outcome.to_owned(),
        };
        self.store.audit(&row).await.map_err(Problem::from)
    }

    /// Notes how an action ended, and hands its result on.
    pub(crate) async fn audited<T>(
        &self,
        principal: &Principal,
        action: &str,
        object: &str,
        result: Result<T, Problem>,
    ) -> Result<T, Problem> {
        let outcome = match &result {
            Ok(_) => "ok",
            Err(problem) => problem.code.as_str(),
        };
        self.audit(principal, action, object, outcome).await?;
        result
    }
}
