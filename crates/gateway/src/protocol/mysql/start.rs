//! From an accepted socket to a conversation: greeting, token, target, dial, first entry, OK.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use sallyport_auth::Authenticated;
use sallyport_core::{
    Blame, Effect, Principal, Refusal, RefusalCode, SessionId, Target, TargetHealth, visible,
};
use sallyport_wire::mysql::capability as cap;
use sallyport_wire::mysql::handshake::Response;
use sallyport_wire::mysql::reply::{Done, status};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::callers::Connection;
use super::conversation::Conversation;
use super::fault::Fault;
use super::handshake::{self, Credential, Knock};
use super::refusal::{NO_TARGET, TARGET_AWAY, failure};
use super::upstream::{self, Wish, dial};
use crate::dialling::DialErrorKind;
use crate::house::House;
use crate::session::{Opening, Session};
use crate::wording;

/// How long a target is given to answer a test.
const TEST_DEADLINE: Duration = Duration::from_secs(10);
/// Attributes of a client that are recorded, and how much of each.
const ATTRIBUTES: usize = 32;
const ATTRIBUTE_CHARACTERS: usize = 200;
/// The attribute in which a client may state why it does what it does.
const REASON: &str = "sallyport_reason";

/// What is passed on to the target, of what the caller negotiated.
const PASSED_ON: u64 = cap::FOUND_ROWS
    | cap::IGNORE_SPACE
    | cap::INTERACTIVE
    | cap::MULTI_STATEMENTS
    | cap::MULTI_RESULTS
    | cap::PS_MULTI_RESULTS
    | cap::MARIADB_PROGRESS
    | cap::MARIADB_BULK;

/// Starts a conversation.
///
/// # Errors
/// Whatever ended it before it began; the caller has been told.
pub(super) async fn start(
    house: &Arc<House>,
    socket: TcpStream,
    peer: SocketAddr,
    own: Option<&str>,
) -> Result<Conversation, Fault> {
    let greets = house.protocols.mysql.versions.told(house, own).await;
    let mut number = [0_u8; 4];
    getrandom::fill(&mut number).map_err(|_| wording::internal("no randomness"))?;
    // Drivers read it as a signed number, and 0 means none.
    let number = (u32::from_le_bytes(number) & 0x7fff_ffff).max(1);
    let mut knock = handshake::open(house, socket, peer, &greets, number).await?;
    match introduce(house, &mut knock, peer, own).await {
        Ok(Introduced { session, authenticated, upstream, place }) => {
            let done = Done { status: status::AUTOCOMMIT, ..Done::default() };
            let mut payload = BytesMut::new();
            done.put(&mut payload);
            if let Err(fault) = handshake::send(&mut knock.socket, &mut knock.sequence, &payload).await {
                session.close("the caller left during sign-in").await;
                return Err(fault);
            }
            let capabilities = knock.capabilities;
            Ok(Conversation { session, authenticated, socket: knock.socket, capabilities, upstream, place })
        }
        Err(Fault::Refused(refusal)) => {
            tracing::info!(%peer, code = refusal.code.as_str(), "sign-in refused");
            let number = match refusal.code {
                RefusalCode::Denied => NO_TARGET,
                RefusalCode::Target => TARGET_AWAY,
                _ => {
                    let failure = failure(&refusal);
                    (failure.code, failure.state.unwrap_or(*b"HY000"))
                }
            };
            Err(handshake::fatal(&mut knock.socket, &mut knock.sequence, number, *refusal).await)
        }
        Err(fault) => Err(fault),
    }
}

struct Introduced {
    session: Arc<Session>,
    authenticated: Authenticated,
    upstream: upstream::Upstream,
    place: super::callers::Place,
}

/// Who it is, what they want, whether they may, and the way there.
async fn introduce(
    house: &Arc<House>,
    knock: &mut Knock,
    peer: SocketAddr,
    own: Option<&str>,
) -> Result<Introduced, Fault> {
    let credential = handshake::credential(knock).await?;
    let checked = match &credential {
        Credential::Token(secret) => house.authenticator.authenticate(secret).await,
        Credential::Password { user, plugin, answer, scramble } => {
            house.authenticator.by_password(user, plugin.proof(answer, scramble)).await
        }
    };
    let authenticated = match checked {
        Ok(authenticated) => authenticated,
        Err(error) if error.is_ours() => return Err(wording::unverifiable(&error).into()),
        Err(error) => {
            house.sign_in_failed("mysql", peer, error.reason());
            tokio::time::sleep(house.turns.failed(peer.ip(), Instant::now())).await;
            return Err(bad_token().into());
        }
    };
    if let Credential::Password { plugin, .. } = credential {
        handshake::proved(knock, plugin).await?;
    }
    let principal = Arc::clone(&authenticated.principal);
    let asked = visible_text(&knock.response.database)?;
    let (target, database, tls) = choose(house, &principal, asked, own, authenticated.target.as_deref())?;
    let mut random = [0_u8; 10];
    getrandom::fill(&mut random).map_err(|_| wording::internal("no randomness"))?;
    let id = SessionId::new(house.clock.now(), random);
    // Cancelling goes by connection numbers here, so the key's secret is nobody's.
    let registered =
        house.registry.register(id.clone(), 4).map_err(|_| wording::internal("no randomness"))?;
    let wish = Wish {
        capabilities: knock.capabilities & PASSED_ON | cap::DEPRECATE_EOF,
        collation: knock.response.collation,
        database: database.clone(),
        attributes: vec![("program_name".to_owned(), format!("sallyport {} {id}", principal.name))],
    };
    let credentials = house.credentials.get();
    let upstream =
        dial(&target, &credentials, tls, &wish, house.settings.handshake).await.map_err(|error| {
            tracing::warn!(target = %target.name, detail = error.detail(), "the target could not be reached");
            error.refusal(&target)
        })?;
    house.protocols.mysql.versions.learn(&target.name, &upstream);
    let says = client_says(&knock.response);
    let connection =
        Connection { principal: principal.name.clone(), handle: Arc::clone(registered.handle()) };
    let opening = Opening {
        principal,
        authenticated_by: authenticated.method.to_owned(),
        token: authenticated.token.clone(),
        target,
        database,
        client: peer.to_string(),
        client_says: says.clone(),
        server_version: upstream.version.clone(),
        id,
        registered,
    };
    let session = Session::open(Arc::clone(house), opening).await?;
    if let Some(reason) = says.get(REASON) {
        session.set_reason(reason);
    }
    let place = house.protocols.mysql.callers.enter(knock.number, connection);
    Ok(Introduced { session: Arc::new(session), authenticated, upstream, place })
}

/// A name that the caller gave.
fn visible_text(bytes: &[u8]) -> Result<&str, Fault> {
    std::str::from_utf8(bytes).map_err(|_| not_here().into())
}

fn client_says(response: &Response) -> BTreeMap<String, String> {
    let cut = |bytes: &[u8]| visible::bytes(bytes).chars().take(ATTRIBUTE_CHARACTERS).collect::<String>();
    let mut says = BTreeMap::from([("user".to_owned(), cut(&response.user))]);
    for (name, value) in response.attributes.iter().take(ATTRIBUTES) {
        says.insert(cut(name), cut(value));
    }
    says
}

fn bad_token() -> Refusal {
    Refusal::new(RefusalCode::Token, Blame::Downstream, "the token was not accepted").hint(
        "the password is a Sallyport token or an access token of a configured issuer; ask an administrator to run: sallyport tokens create",
    )
}

fn not_here() -> Refusal {
    Refusal::new(
        RefusalCode::Denied,
        Blame::Policy,
        "there is no target of that name, or this identity may not connect to it",
    )
    .hint("name the target as the database: TARGET, or TARGET/DATABASE; sallyport targets list shows them")
}

type Chosen = (Arc<Target>, String, Option<Arc<tokio_rustls::rustls::ClientConfig>>);

/// The target that the database field names, if this principal may connect to it. On a target's own listener,
/// and where there is one target of this protocol, it need not be named. A target that does not exist and one
/// that may not be reached are told apart by nobody.
fn choose(
    house: &House,
    principal: &Principal,
    asked: &str,
    own: Option<&str>,
    only: Option<&str>,
) -> Result<Chosen, Refusal> {
    let (name, database) = match asked.split_once('/') {
        Some((name, database)) => (name, Some(database)),
        None => (asked, None),
    };
    let targets = house.targets.get();
    let is_ours = |it: &&crate::house::ReachableTarget| it.target.protocol == super::super::MYSQL;
    let named = targets.get(name).filter(is_ours).filter(|it| own.is_none_or(|own| it.target.name == own));
    let (reachable, database) = match named {
        Some(reachable) => (reachable, database),
        None => {
            let here = |it: &&crate::house::ReachableTarget| own.is_none_or(|own| it.target.name == own);
            let mut ours = targets.values().filter(is_ours).filter(here);
            let only = ours.next().filter(|_| ours.next().is_none()).ok_or_else(not_here)?;
            (only, (!asked.is_empty()).then_some(asked))
        }
    };
    let target = &reachable.target;
    // A short-lived password is for one target.
    if only.is_some_and(|only| only != target.name) {
        return Err(not_here());
    }
    let database = match database {
        Some(database) if database == target.database || target.databases.iter().any(|it| it == database) => {
            database.to_owned()
        }
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

/// Signs in to a target and out again; nothing when there is none of that name.
pub(crate) async fn test_target(house: &House, name: &str) -> Option<TargetHealth> {
    let targets = house.targets.get();
    let reachable = targets.get(name)?;
    let started = Instant::now();
    let credentials = house.credentials.get();
    let target = &reachable.target;
    let dialled = dial(target, &credentials, reachable.tls.clone(), &Wish::own(target), TEST_DEADLINE).await;
    let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Some(match dialled {
        Ok(upstream) => {
            house.protocols.mysql.versions.learn(name, &upstream);
            let tls = if upstream.stream.is_tls() { "TLS" } else { "plain text" };
            let detail = format!("{} over {tls}", visible::line(&upstream.version));
            upstream.leave().await;
            TargetHealth { ok: true, detail, took_ms }
        }
        Err(error) => {
            tracing::warn!(target = name, detail = error.detail(), "target test failed");
            let detail = match error.kind() {
                DialErrorKind::QueryFailed => "the target did not answer".to_owned(),
                _ => error.public().to_owned(),
            };
            TargetHealth { ok: false, detail, took_ms }
        }
    })
}
