//! What all sessions share, and the gateway as the rest of the program sees it.
//!
//! [`Gateway`] is made of [`Parts`] by the binary, serves until it is drained, and takes new versions
//! of policy, labels and targets while it does: a session sees them at its next operation.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use sallyport_auth::Authenticator;
use sallyport_core::{
    Clock, Decision, Effect, Facts, Killed, Principal, SessionControl, SessionId, Target, TargetHealth,
};
use sallyport_mask::Labels;
use sallyport_policy::{Policy, Question};
use sallyport_record::{Journal, Recorder};
use sallyport_store::Store;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio_rustls::rustls::ClientConfig;

use crate::credentials::Credentials;
use crate::listener::{self, Places};
use crate::protocol::{self, Protocol};
use crate::registry::{EndReason, Registry};
use crate::session::Who;
use crate::settings::Settings;
use crate::swap::Swap;
use crate::tasks::Tasks;
use crate::tls;
use crate::turns::Turns;
use crate::workers::Workers;

/// What the binary brings.
#[derive(Debug)]
pub struct Parts {
    /// Durable state.
    pub store: Store,
    /// Where everything is recorded.
    pub recorder: Recorder,
    /// Where it is recorded that a sign-in failed; nowhere when there is none.
    pub journal: Option<Journal>,
    /// Who is calling.
    pub authenticator: Authenticator,
    /// The policy to start with.
    pub policy: Policy,
    /// The labels to start with.
    pub labels: Labels,
    /// The targets to start with.
    pub targets: Vec<Target>,
    /// Their credentials.
    pub credentials: Credentials,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// A target and the TLS configuration towards it.
#[derive(Debug)]
pub(crate) struct ReachableTarget {
    pub(crate) target: Arc<Target>,
    pub(crate) tls: Option<Arc<ClientConfig>>,
}

/// What all sessions share.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) settings: Settings,
    pub(crate) store: Store,
    pub(crate) recorder: Recorder,
    pub(crate) journal: Option<Journal>,
    pub(crate) authenticator: Authenticator,
    pub(crate) policy: Swap<Policy>,
    pub(crate) labels: Swap<Labels>,
    pub(crate) targets: Swap<BTreeMap<String, ReachableTarget>>,
    pub(crate) credentials: Swap<Credentials>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) tasks: Tasks,
    pub(crate) places: Places,
    pub(crate) turns: Turns,
    pub(crate) workers: Workers,
    pub(crate) protocols: protocol::Shared,
}

impl House {
    /// Says, and records, that a credential was not accepted.
    pub(crate) fn sign_in_failed(&self, protocol: &str, peer: SocketAddr, reason: &str) {
        tracing::warn!(%peer, reason, "a credential was not accepted");
        if let Some(journal) = &self.journal {
            journal.sign_in_failed(protocol, &peer.ip().to_string(), reason);
        }
    }

    /// Asks the present policy about an operation's facts.
    pub(crate) fn decide(
        &self,
        who: Who<'_>,
        database: &str,
        facts: &Facts,
        in_transaction: bool,
    ) -> Decision {
        self.policy.get().decide(&Question {
            principal: who.principal,
            target: who.target,
            database,
            facts,
            labels: &*self.labels.get(),
            in_transaction,
            now: self.clock.now(),
        })
    }
}

/// Why the gateway does not start, or does not take new targets.
#[derive(Debug, Error)]
pub enum GatewayError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
    /// No threads to run sessions on.
    #[error("cannot start threads for sessions: {0}")]
    Workers(io::Error),
    /// TLS towards a target cannot be set up.
    #[error("target {target}: {source}")]
    TargetTls {
        /// The target's name.
        target: String,
        /// What is wrong.
        source: tls::TlsError,
    },
}

/// The data path.
#[derive(Clone)]
pub struct Gateway {
    house: Arc<House>,
    listeners: Arc<[Listening]>,
    postgres: SocketAddr,
    mysql: Option<SocketAddr>,
}

/// One listening socket, what its callers speak, and the target that it belongs to, if it does to one.
struct Listening {
    socket: TcpListener,
    address: SocketAddr,
    protocol: Protocol,
    own: Option<Arc<str>>,
}

impl Listening {
    async fn on(
        address: SocketAddr,
        protocol: Protocol,
        own: Option<Arc<str>>,
    ) -> Result<Self, GatewayError> {
        let listen = |source| GatewayError::Listen { address, source };
        let socket = TcpListener::bind(address).await.map_err(listen)?;
        let address = socket.local_addr().map_err(listen)?;
        Ok(Self { socket, address, protocol, own })
    }
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway").field("postgres", &self.postgres).finish_non_exhaustive()
    }
}

fn reachable(targets: Vec<Target>) -> Result<BTreeMap<String, ReachableTarget>, GatewayError> {
    targets
        .into_iter()
        .map(|target| {
            let tls = tls::client_config(&target.tls)
                .map_err(|source| GatewayError::TargetTls { target: target.name.clone(), source })?;
            Ok((target.name.clone(), ReachableTarget { target: Arc::new(target), tls }))
        })
        .collect()
}

impl Gateway {
    /// Listens. Nothing is accepted until [`Gateway::serve`].
    ///
    /// # Errors
    /// When the address is taken, or a target's TLS settings cannot be read.
    pub async fn bind(settings: Settings, parts: Parts) -> Result<Self, GatewayError> {
        let shared = Listening::on(settings.postgres, Protocol::Postgres, None).await?;
        let postgres = shared.address;
        let mut listeners = vec![shared];
        let mut mysql = None;
        if let Some(address) = settings.mysql {
            let shared = Listening::on(address, Protocol::Mysql, None).await?;
            mysql = Some(shared.address);
            listeners.push(shared);
        }
        for (name, address) in &settings.own_listeners {
            let target = parts.targets.iter().find(|target| target.name == *name);
            let protocol = target.map_or(Protocol::Postgres, Protocol::of);
            listeners.push(Listening::on(*address, protocol, Some(Arc::from(name.as_str()))).await?);
        }
        let places = Places::new(settings.connections);
        let workers = Workers::start(settings.workers).map_err(GatewayError::Workers)?;
        let house = House {
            settings,
            store: parts.store,
            recorder: parts.recorder,
            journal: parts.journal,
            authenticator: parts.authenticator,
            policy: Swap::new(parts.policy),
            labels: Swap::new(parts.labels),
            targets: Swap::new(reachable(parts.targets)?),
            credentials: Swap::new(parts.credentials),
            clock: parts.clock,
            registry: Arc::new(Registry::default()),
            tasks: Tasks::default(),
            places,
            turns: Turns::default(),
            workers,
            protocols: protocol::Shared::default(),
        };
        Ok(Self { house: Arc::new(house), listeners: listeners.into(), postgres, mysql })
    }

    /// Where PostgreSQL's callers connect.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.postgres
    }

    /// Where MySQL's callers connect, if they may.
    #[must_use]
    pub fn mysql_address(&self) -> Option<SocketAddr> {
        self.mysql
    }

    /// Where callers of one target alone connect, by the target's name.
    pub fn own_addresses(&self) -> impl Iterator<Item = (&str, SocketAddr)> {
        self.listeners.iter().filter_map(|it| Some((it.own.as_deref()?, it.address)))
    }

    /// Accepts connections until the returned future is dropped.
    pub async fn serve(&self) {
        let house = &self.house;
        let all = self.listeners.iter().map(|it| {
            Box::pin(listener::accept(&it.socket, it.protocol, it.own.as_ref(), house, &house.places))
                as Pin<Box<dyn Future<Output = ()> + Send + '_>>
        });
        Together(all.collect()).await;
    }

    /// Ends what goes on: live sessions are told to end, held operations become tickets, and after
    /// `deadline` whatever is left is dropped.
    pub async fn drain(&self, deadline: Duration) {
        for handle in self.house.registry.all() {
            handle.end(EndReason::Draining);
        }
        self.house.tasks.drain(deadline).await;
        if let Err(error) = self.house.recorder.flush().await {
            tracing::error!(%error, "the recording could not be flushed");
        }
    }

    /// Takes a new policy; it acts on each session's next operation.
    pub fn set_policy(&self, policy: Policy) {
        tracing::info!(version = policy.version(), "policy in force");
        self.house.policy.set(policy);
    }

    /// Takes new labels; they act on each session's next operation.
    pub fn set_labels(&self, labels: Labels) {
        self.house.labels.set(labels);
    }

    /// Takes new targets and their credentials; they act on each new session.
    ///
    /// # Errors
    /// When a target's TLS settings cannot be read; nothing changes then.
    pub fn set_targets(&self, targets: Vec<Target>, credentials: Credentials) -> Result<(), GatewayError> {
        let targets = reachable(targets)?;
        self.house.credentials.set(credentials);
        self.house.targets.set(targets);
        Ok(())
    }
}

/// Futures that are polled side by side; the first that ends, ends all.
struct Together<'a>(Vec<Pin<Box<dyn Future<Output = ()> + Send + 'a>>>);

impl Future for Together<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.0.iter_mut().any(|one| one.as_mut().poll(cx).is_ready()) {
            return Poll::Ready(());
        }
        Poll::Pending
    }
}

impl SessionControl for Gateway {
    fn kill(&self, session: &SessionId, by: &str) -> Killed {
        match self.house.registry.find(session) {
            Some(handle) => {
                handle.end(EndReason::Killed(by.to_owned()));
                Killed::Ending
            }
            None => Killed::NotHere,
        }
    }

    fn test_target<'a>(
        &'a self,
        target: &'a str,
    ) -> Pin<Box<dyn Future<Output = Option<TargetHealth>> + Send + 'a>> {
        Box::pin(protocol::test_target(&self.house, target))
    }

    fn may_connect(&self, principal: &Principal, target: &str) -> bool {
        let targets = self.house.targets.get();
        let Some(target) = targets.get(target).map(|it| &it.target) else { return false };
        let (policy, now) = (self.house.policy.get(), self.house.clock.now());
        policy.may_connect(principal, target, &target.database, now).effect == Effect::Allow
    }

    fn live(&self) -> usize {
        self.house.registry.len()
    }

    fn warnings(&self) -> Vec<&'static str> {
        if self.house.recorder.space_is_low() {
            vec!["the recording's disk is filling up"]
        } else {
            Vec::new()
        }
    }

    fn ready<'a>(&'a self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>> {
        Box::pin(async {
            self.house.recorder.healthy().map_err(|error| format!("recorder: {error}"))?;
            self.house.store.healthy().await.map_err(|error| format!("store: {error}"))
        })
    }
}
