//! From an accepted socket to a conversation: handshake, token, target, dial, first entry, ready.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use sallyport_auth::Authenticated;
use sallyport_core::{Blame, Effect, Principal, Refusal, RefusalCode, SessionId, Target, TargetHealth};
use sallyport_inspect::pg::{Catalog, Context, Lineage, inspect};
use sallyport_wire::pg::backend::{
    TransactionStatus, put_authentication_ok, put_backend_key_data, put_parameter_status, put_ready_for_query,
};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::catalog::Reach;
use super::conversation::Conversation;
use super::fault::Fault;
use super::handshake::{self, Knock, Opened};
use super::reading::Reading;
use super::refusal::sqlstate;
use super::running::Running;
use super::sign_in;
use super::startup_settings::{self, StartupSettings};
use super::state::State;
use super::upstream::{self, dial};
use crate::downstream::Downstream;
use crate::house::House;
use crate::session::{Opening, Session, Who};
use crate::settings::SignIn;
use crate::wording;

/// How long a target is given to answer a test.
const TEST_DEADLINE: Duration = Duration::from_secs(10);

/// Starts a conversation; nothing when the caller only wanted to cancel.
///
/// # Errors
/// Whatever ended it before it began; the caller has been told.
pub(super) async fn start(
    house: &Arc<House>,
    socket: TcpStream,
    peer: SocketAddr,
    own: Option<&str>,
) -> Result<Option<Conversation>, Fault> {
    let Knock { mut socket, minor, parameters } = match handshake::open(house, socket, peer).await? {
        Opened::Session(knock) => knock,
        Opened::Cancel { socket, pid, secret } => {
            // Whoever guesses at keys waits its turn before it is heard.
            tokio::time::sleep(house.turns.wait(peer.ip(), Instant::now())).await;
            let known = house.registry.cancel(pid, &secret);
            if !known {
                house.turns.failed(peer.ip(), Instant::now());
            }
            tracing::debug!(%peer, known, "cancel request");
            handshake::goodbye(socket).await;
            return Ok(None);
        }
    };
    let caller = Caller { peer, own, minor, parameters: &parameters };
    match introduce(house, &mut socket, caller).await {
        Ok((session, authenticated, upstream)) => {
            let state = Arc::new(State::new(
                Reading::reported(&upstream.parameters),
                house.protocols.pg.catalogs.changes(&session.target.name, &session.database),
            ));
            let mut out = BytesMut::new();
            put_authentication_ok(&mut out);
            for (name, value) in &upstream.parameters {
                put_parameter_status(&mut out, name.as_bytes(), value.as_bytes());
            }
            let key = session.registered.key();
            put_backend_key_data(&mut out, key.pid, &key.secret);
            put_ready_for_query(&mut out, TransactionStatus::Idle);
            if let Err(fault) = handshake::write(&mut socket, &out).await {
                session.close("the caller left during sign-in").await;
                return Err(fault);
            }
            Ok(Some(Conversation { session, authenticated, state, socket, upstream }))
        }
        Err(Fault::Refused(refusal)) => {
            tracing::info!(%peer, code = refusal.code.as_str(), "sign-in refused");
            let state = match refusal.code {
                RefusalCode::Protocol => "0A000",
                code => sqlstate(code),
            };
            Err(handshake::fatal(&mut socket, state, *refusal).await)
        }
        Err(fault) => Err(fault),
    }
}

/// A caller that has said what it wants.
#[derive(Clone, Copy)]
struct Caller<'a> {
    peer: SocketAddr,
    /// The target whose listener it came by.
    own: Option<&'a str>,
    /// The minor version of the protocol that it speaks.
    minor: u16,
    parameters: &'a [(String, String)],
}

impl Caller<'_> {
    /// Bytes of the secret that it is given to cancel with: from protocol 3.2 on it may be long.
    fn secret_bytes(self) -> usize {
        if self.minor >= 2 { 32 } else { 4 }
    }
}

/// Who it is, by the token it hands over.
async fn identify(
    house: &House,
    socket: &mut Downstream,
    caller: Caller<'_>,
) -> Result<Authenticated, Fault> {
    let bearer =
        startup_settings::sign_in(caller.parameters).unwrap_or(house.settings.sign_in) == SignIn::Bearer;
    let secret = if bearer { sign_in::bearer(socket).await? } else { Some(sign_in::password(socket).await?) };
    let reason = match &secret {
        Some(secret) => match house.authenticator.authenticate(secret).await {
            Ok(authenticated) => return Ok(authenticated),
            Err(error) if error.is_ours() => return Err(wording::unverifiable(&error).into()),
            Err(error) => error.reason(),
        },
        None => "none was shown",
    };
    house.sign_in_failed("postgres", caller.peer, reason);
    if secret.is_some() {
        tokio::time::sleep(house.turns.failed(caller.peer.ip(), Instant::now())).await;
    }
    if bearer {
        sign_in::where_tokens_come_from(socket, house).await?;
    }
    Err(bad_token().into())
}

/// Who it is, what they want, whether they may, and the way there.
async fn introduce(
    house: &Arc<House>,
    socket: &mut Downstream,
    caller: Caller<'_>,
) -> Result<(Arc<Session>, Authenticated, upstream::Upstream), Fault> {
    let authenticated = identify(house, socket, caller).await?;
    let asked = startup_settings::read(caller.parameters)?;
    let principal = Arc::clone(&authenticated.principal);
    let (target, database, tls) = choose(house, &principal, &asked, caller.own)?;
    let who = Who { principal: &principal, target: &target };
    startup_settings::check(house, who, &database, &asked.settings)?;
    let mut random = [0_u8; 10];
    getrandom::fill(&mut random).map_err(|_| wording::internal("no randomness"))?;
    let id = SessionId::new(house.clock.now(), random);
    let registered = house
        .registry
        .register(id.clone(), caller.secret_bytes())
        .map_err(|_| wording::internal("no randomness"))?;
    let mut settings = asked.settings.clone();
    settings.push(("application_name".to_owned(), format!("sallyport {} {id}", principal.name)));
    let credentials = house.credentials.get();
    let upstream = dial(&target, &database, &credentials, tls, &settings, house.settings.handshake)
        .await
        .map_err(|error| {
            tracing::warn!(target = %target.name, detail = error.detail(), "the target could not be reached");
            error.refusal(&target)
        })?;
    let opening = Opening {
        principal,
        authenticated_by: authenticated.method.to_owned(),
        token: authenticated.token.clone(),
        target,
        database,
        client: caller.peer.to_string(),
        client_says: client_says(&asked),
        server_version: upstream.parameters.get("server_version").cloned().unwrap_or_default(),
        id,
        registered,
    };
    let session = Session::open(Arc::clone(house), opening).await?;
    if let Some(reason) = &asked.reason {
        session.set_reason(reason);
    }
    Ok((Arc::new(session), authenticated, upstream))
}

fn client_says(asked: &StartupSettings) -> BTreeMap<String, String> {
    let mut says = BTreeMap::from([("user".to_owned(), asked.user.clone())]);
    if !asked.application_name.is_empty() {
        says.insert("application_name".to_owned(), asked.application_name.clone());
    }
    for (name, value) in &asked.settings {
        says.insert(name.clone(), value.clone());
    }
    says
}

fn bad_token() -> Refusal {
    Refusal::new(RefusalCode::Token, Blame::Downstream, "the token was not accepted").hint(
        "the password is a Sallyport token or an access token of a configured issuer; ask an administrator to run: sallyport tokens create",
    )
}

type Chosen = (Arc<Target>, String, Option<Arc<tokio_rustls::rustls::ClientConfig>>);

/// The target and the database that a caller names. Where a target has a listener of its own the database
/// stands for itself.
fn named<'a>(asked: &'a StartupSettings, own: Option<&'a str>) -> (&'a str, Option<&'a str>) {
    let (first, second) = match asked.asked_for.split_once('/') {
        Some((name, database)) => (name, Some(database)),
        None => (asked.asked_for.as_str(), None),
    };
    match own {
        None => (first, second),
        Some(own) if first == own => (own, second),
        Some(own) => (own, Some(&asked.asked_for)),
    }
}

/// The target that the database field names, if this principal may connect to it. A target that does
/// not exist and one that may not be reached are told apart by nobody.
fn choose(
    house: &House,
    principal: &Principal,
    asked: &StartupSettings,
    own: Option<&str>,
) -> Result<Chosen, Refusal> {
    let not_here = || {
        match own {
        Some(_) => Refusal::new(
            RefusalCode::Denied,
            Blame::Policy,
            "there is no database of that name at this address, or this identity may not connect to it",
        )
        .hint("name a database of the one target that listens here, or leave it out"),
        None => Refusal::new(
            RefusalCode::Denied,
            Blame::Policy,
            "there is no target of that name, or this identity may not connect to it",
        )
        .hint("name the target as the database: dbname=TARGET, or TARGET/DATABASE; sallyport targets list shows them"),
    }
    };
    let (name, database) = named(asked, own);
    let targets = house.targets.get();
    let reachable = targets.get(name).filter(|it| it.target.protocol == "postgres").ok_or_else(not_here)?;
    let target = &reachable.target;
    let database = match database {
        Some(database) if database == target.database || target.databases.iter().any(|it| it == database) => {
            database.to_owned()
        }
        // A client that names no database sends the user's name in its place.
        Some(database) if own.is_some() && database == asked.user => target.database.clone(),
        Some(_) => return Err(not_here()),
        None => target.database.clone(),
    };
    let decision = house.policy.get().may_connect(principal, target, &database, house.clock.now());
    if decision.effect != Effect::Allow {
        tracing::warn!(principal = %principal.name, target = %target.name, rule = %decision.rule, "connect denied");
        return Err(not_here());
    }
    Ok((Arc::clone(target), database, reachable.tls.clone()))
}

fn reach(house: &House, target: &Arc<Target>) -> Reach {
    let tls = house.targets.get().get(&target.name).and_then(|reachable| reachable.tls.clone());
    Reach {
        target: Arc::clone(target),
        tls,
        credentials: house.credentials.get(),
        tasks: house.tasks.clone(),
    }
}

/// The target's catalog as it is now.
///
/// # Errors
/// When it cannot be read: what cannot be traced is not run.
pub(super) async fn catalog(
    house: &House,
    target: &Arc<Target>,
    database: &str,
) -> Result<Arc<Catalog>, Refusal> {
    house.protocols.pg.catalogs.current(&reach(house, target), database).await.map_err(|error| {
        tracing::warn!(target = %target.name, detail = error.detail(), "the catalog could not be read");
        error.refusal(target)
    })
}

/// Definitions changed: the catalog is read again before its next use.
pub(super) fn catalog_changed(house: &House, target: &Target, database: &str) {
    house.protocols.pg.catalogs.mark_dirty(&target.name, database);
}

/// The lineage of a running text's statement, by a fresh catalog.
pub(super) fn lineage_again(
    session: &Session,
    state: &State,
    running: &Running,
    index: usize,
    catalog: &Catalog,
) -> Lineage {
    let inner = state.lock();
    if inner.changing.is_under_way() {
        return Lineage::Unsettled;
    }
    let context = Context {
        search_path: &inner.reading.schemas,
        standard_conforming_strings: inner.reading.standard_conforming_strings,
        client_encoding: &inner.reading.client_encoding,
        catalog: Some(catalog),
        remembered: &inner.remembered,
    };
    tracing::debug!(session = %session.id, "a result names a relation that the catalog did not hold");
    inspect(&running.text, &context)
        .statements
        .get(index)
        .map_or(Lineage::Unsettled, |statement| statement.lineage.clone())
}

/// Signs in to a target and out again; nothing when there is none of that name.
pub(crate) async fn test_target(house: &House, name: &str) -> Option<TargetHealth> {
    let targets = house.targets.get();
    let reachable = targets.get(name)?;
    let started = Instant::now();
    let credentials = house.credentials.get();
    let target = &reachable.target;
    let dialled =
        dial(target, &target.database, &credentials, reachable.tls.clone(), &[], TEST_DEADLINE).await;
    let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Some(match dialled {
        Ok(upstream) => {
            let version = upstream.parameters.get("server_version").map_or("unknown version", String::as_str);
            let tls = if upstream.stream.is_tls() { "TLS" } else { "plain text" };
            TargetHealth {
                ok: true,
                detail: format!("PostgreSQL {} over {tls}", sallyport_core::visible::line(version)),
                took_ms,
            }
        }
        Err(error) => {
            tracing::warn!(target = name, detail = error.detail(), "target test failed");
            TargetHealth { ok: false, detail: error.public().to_owned(), took_ms }
        }
    })
}
