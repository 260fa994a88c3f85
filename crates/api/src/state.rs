//! What the routes work with.

use std::fmt;
use std::sync::Arc;

use sallyport_auth::Authenticator;
use sallyport_core::{Clock, Principal, SessionControl, Target};
use sallyport_record::read::Recordings;
use sallyport_store::{AuditRow, Store};

use crate::host::Hosts;
use crate::problem::Problem;

/// The configured targets as they are now; they reload while the gateway runs.
pub trait Targets: Send + Sync + fmt::Debug {
    /// All of them, in any order.
    fn targets(&self) -> Vec<Target>;
}

/// What the API is made of. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ApiState {
    pub(crate) store: Store,
    pub(crate) auth: Arc<Authenticator>,
    pub(crate) control: Arc<dyn SessionControl>,
    pub(crate) targets: Arc<dyn Targets>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) recordings: Recordings,
    pub(crate) hosts: Hosts,
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
        Self { store, auth, control, targets, clock, recordings, hosts: Hosts::new(hosts) }
    }

    /// Notes what somebody did or tried. What cannot be noted is not done, or is said to have failed.
    pub(crate) async fn audit(
        &self,
        principal: &Principal,
        action: &str,
        object: &str,
        outcome: &str,
    ) -> Result<(), Problem> {
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
