//! Against a real server: every way to sign in, every TLS mode, cancelling, and the gateway's own queries.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sallyport_core::{CredentialRef, Target, TlsIdentity, TlsMode, TlsSettings};
use tokio_rustls::rustls::ClientConfig;

use super::*;
use crate::credentials::Credentials;
use crate::testing::postgres::{Options, TestServer};
use crate::tls::client_config;

mod lying;

const PATIENCE: Duration = Duration::from_secs(10);

const ROLES: &str = "
    SET password_encryption = 'scram-sha-256';
    CREATE ROLE app LOGIN PASSWORD 'hunter2';
    CREATE ROLE unicode LOGIN PASSWORD 'p\u{fb01}n\u{e9}';
    SET password_encryption = 'md5';
    CREATE ROLE old LOGIN PASSWORD 'hunter2';
";

fn target(port: u16, user: &str, mode: TlsMode, ca: Option<PathBuf>) -> Target {
    Target {
        name: "shop".into(),
        protocol: "postgres".into(),
        host: "127.0.0.1".into(),
        port,
        database: "postgres".into(),
        databases: Vec::new(),
        user: user.into(),
        credential: CredentialRef::Env("PW".into()),
        tls: TlsSettings { mode, ca, identity: None },
        tags: BTreeMap::new(),
    }
}

fn credentials(target: &Target, password: &str) -> Credentials {
    Credentials::load(std::slice::from_ref(target), &|_| Some(password.into())).unwrap()
}

fn tls(target: &Target) -> Option<Arc<ClientConfig>> {
    client_config(&target.tls).unwrap()
}

async fn sign_in(target: &Target, password: &str) -> Result<Upstream, DialError> {
    let parameters = [("application_name".to_owned(), "sallyport".to_owned())];
    dial(target, &target.database, &credentials(target, password), tls(target), &parameters, PATIENCE).await
}

async fn kind(target: &Target, password: &str) -> DialErrorKind {
    sign_in(target, password).await.unwrap_err().kind()
}

async fn answer(client: &mut UpstreamClient, sql: &str) -> String {
    let rows = client.query(sql).await.unwrap();
    String::from_utf8(rows[0][0].clone().unwrap()).unwrap()
}

fn client(upstream: Upstream) -> UpstreamClient {
    UpstreamClient::new(upstream, QueryLimits::default())
}

#[tokio::test]
async fn plain_sign_in_by_scram_and_md5_and_never_by_cleartext() {
    let server = TestServer::start(&Options {
        sql: ROLES,
        hba: vec![
            "host all app all scram-sha-256",
            "host all unicode all scram-sha-256",
            "host all old all md5",
            "host all clear all password",
            "host all trusted all trust",
        ],
        ..Options::default()
    });
    server.sql("postgres", "CREATE ROLE clear LOGIN PASSWORD 'hunter2'; CREATE ROLE trusted LOGIN");
    let plain = |user| target(server.port, user, TlsMode::Disable, None);

    let upstream = sign_in(&plain("app"), "hunter2").await.unwrap();
    assert!(!upstream.stream.is_tls());
    assert!(upstream.pid > 0 && upstream.secret.len() == 4 && upstream.leftover.is_empty());
    assert_eq!(upstream.parameters["application_name"], "sallyport");
    assert!(upstream.parameters["server_version"].starts_with("1"));
    let printed = format!("{upstream:?}");
    assert!(!printed.contains("secret"), "{printed}");
    assert_eq!(answer(&mut client(upstream), "SELECT current_user").await, "app");

    assert!(sign_in(&plain("unicode"), "p\u{fb01}n\u{e9}").await.is_ok());
    assert!(sign_in(&plain("old"), "hunter2").await.is_ok());
    assert!(sign_in(&plain("trusted"), "unused").await.is_ok());

    let refused = sign_in(&plain("app"), "wrong").await.unwrap_err();
    assert_eq!((refused.kind(), refused.sqlstate()), (DialErrorKind::TargetRefusedUs, Some(*b"28P01")));
    assert!(!refused.to_string().contains("app") && refused.detail().contains("28P01"));
    assert_eq!(kind(&plain("old"), "wrong").await, DialErrorKind::TargetRefusedUs);
    assert_eq!(kind(&plain("clear"), "hunter2").await, DialErrorKind::Untrusted);

    let mut elsewhere = plain("app");
    elsewhere.database = "nowhere".into();
    assert_eq!(kind(&elsewhere, "hunter2").await, DialErrorKind::TargetRefusedUs);
}

#[tokio::test]
async fn a_server_that_refuses_tls_is_refused() {
    let server = TestServer::start(&Options { sql: ROLES, ..Options::default() });
    for mode in [TlsMode::VerifyFull, TlsMode::VerifyCa] {
        let mut target = target(server.port, "app", TlsMode::Disable, None);
        assert!(sign_in(&target, "hunter2").await.is_ok());
        let authority = TestServerTls::new();
        target.tls = TlsSettings { mode, ca: Some(authority.ca.clone()), identity: None };
        assert_eq!(kind(&target, "hunter2").await, DialErrorKind::TlsFailed);
        // Settings that ask for TLS, and a caller that forgot to bring a configuration.
        let forgot = dial(&target, "postgres", &credentials(&target, "hunter2"), None, &[], PATIENCE).await;
        assert_eq!(forgot.unwrap_err().kind(), DialErrorKind::TlsFailed);
    }
}

#[tokio::test]
async fn a_certificate_is_shown_to_a_target_that_asks_for_one() {
    let server = TestServer::start(&Options {
        sql: ROLES,
        tls_names: vec!["127.0.0.1"],
        settings: vec!["ssl_ca_file = 'ca.pem'"],
        hba: vec![
            "hostssl postgres app all cert",
            "hostssl all app all scram-sha-256 clientcert=verify-full",
        ],
    });
    let shown = |certificate: &str| {
        let mut target = target(server.port, "app", TlsMode::VerifyFull, Some(server.dir.join("ca.pem")));
        target.tls.identity = Some(TlsIdentity {
            certificate: server.dir.join(certificate),
            key: server.dir.join(certificate).with_extension("key"),
        });
        target
    };
    // In the password's place, and beside it.
    assert!(sign_in(&shown("client.crt"), "unused").await.is_ok());
    let mut both = shown("client.crt");
    both.database = "template1".into();
    let credentials = credentials(&both, "hunter2");
    let tls = client_config(&both.tls).unwrap();
    assert!(dial(&both, "template1", &credentials, tls, &[], PATIENCE).await.is_ok());
    // None, and one that names somebody else.
    let mut none = shown("client.crt");
    none.tls.identity = None;
    assert_eq!(kind(&none, "unused").await, DialErrorKind::TargetRefusedUs);
    assert_eq!(kind(&shown("server.crt"), "unused").await, DialErrorKind::TargetRefusedUs);
    // A key that does not belong to it is found before anything is dialled.
    let mut mixed = shown("client.crt");
    mixed.tls.identity.as_mut().unwrap().key = server.dir.join("server.key");
    assert!(client_config(&mixed.tls).is_err());
}

/// An authority that no test server's certificate is under.
struct TestServerTls {
    ca: PathBuf,
    _dir: tempfile::TempDir,
}

impl TestServerTls {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let made = crate::tls::server_config(dir.path(), None, &[], &sallyport_core::SystemClock).unwrap();
        Self { ca: made.ca_pem_path, _dir: dir }
    }
}

#[tokio::test]
async fn tls_sign_in_checks_chain_and_name_as_configured() {
    let server = TestServer::start(&Options {
        sql: ROLES,
        tls_names: vec!["127.0.0.1"],
        hba: vec![
            "hostssl all app all scram-sha-256",
            "hostssl all old all md5",
            "hostssl all clear all password",
        ],
        ..Options::default()
    });
    server.sql("postgres", "CREATE ROLE clear LOGIN PASSWORD 'hunter2'");
    let ca = Some(server.dir.join("ca.pem"));
    let full = |user| target(server.port, user, TlsMode::VerifyFull, ca.clone());

    // The server offers SCRAM-SHA-256-PLUS under TLS, so this is with channel binding.
    let upstream = sign_in(&full("app"), "hunter2").await.unwrap();
    assert!(upstream.stream.is_tls());
    let mut own = client(upstream);
    assert_eq!(
        answer(&mut own, "SELECT ssl::text FROM pg_stat_ssl WHERE pid = pg_backend_pid()").await,
        "true"
    );
    assert!(sign_in(&full("old"), "hunter2").await.is_ok());
    // In the clear, but under TLS that was checked.
    assert!(sign_in(&full("clear"), "hunter2").await.is_ok());
    assert_eq!(kind(&full("app"), "wrong").await, DialErrorKind::TargetRefusedUs);

    // Another authority.
    let stranger = TestServerTls::new();
    for mode in [TlsMode::VerifyFull, TlsMode::VerifyCa] {
        let target = target(server.port, "app", mode, Some(stranger.ca.clone()));
        assert_eq!(kind(&target, "hunter2").await, DialErrorKind::TlsFailed);
    }

    // Another name.
    let mut misnamed = full("app");
    misnamed.host = "localhost".into();
    assert_eq!(kind(&misnamed, "hunter2").await, DialErrorKind::TlsFailed);
    misnamed.tls.mode = TlsMode::VerifyCa;
    assert!(sign_in(&misnamed, "hunter2").await.unwrap().stream.is_tls());
}

#[tokio::test]
async fn an_earlier_connections_keys_are_used_again() {
    let server = TestServer::start(&Options { sql: ROLES, ..Options::default() });
    let target = target(server.port, "app", TlsMode::Disable, None);
    let credentials = credentials(&target, "hunter2");
    let held = credentials.for_target(&target).unwrap();
    let connect = || dial(&target, "postgres", &credentials, None, &[], PATIENCE);
    connect().await.unwrap();
    assert_eq!(held.derived_count(), 1);
    connect().await.unwrap();
    assert_eq!(held.derived_count(), 1);
    // Keys of a refused password are not kept: the server never proved that it knows them.
    let wrong = self::credentials(&target, "wrong");
    assert!(dial(&target, "postgres", &wrong, None, &[], PATIENCE).await.is_err());
    assert_eq!(wrong.for_target(&target).unwrap().derived_count(), 0);
}

#[tokio::test]
async fn a_cancel_request_stops_what_runs_and_a_wrong_key_does_not() {
    let server =
        TestServer::start(&Options { sql: ROLES, tls_names: vec!["127.0.0.1"], ..Options::default() });
    for (mode, ca) in [(TlsMode::Disable, None), (TlsMode::VerifyFull, Some(server.dir.join("ca.pem")))] {
        let target = target(server.port, "app", mode, ca);
        let upstream = sign_in(&target, "hunter2").await.unwrap();
        let (pid, secret) = (upstream.pid, upstream.secret.clone());
        let mut client = client(upstream);
        let started = Instant::now();
        let (slept, ()) = tokio::join!(client.query("SELECT pg_sleep(8)"), async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let wrong: Vec<u8> = secret.iter().map(|byte| !byte).collect();
            cancel(&target, tls(&target), pid, &wrong, PATIENCE).await.unwrap();
            tokio::time::sleep(Duration::from_millis(300)).await;
            assert!(started.elapsed() < Duration::from_secs(4));
            cancel(&target, tls(&target), pid, &secret, PATIENCE).await.unwrap();
        });
        let stopped = started.elapsed();
        assert!(stopped > Duration::from_millis(550) && stopped < Duration::from_secs(4), "{stopped:?}");
        assert_eq!(slept.unwrap_err().sqlstate(), Some(*b"57014"));
        assert_eq!(answer(&mut client, "SELECT 1").await, "1");
    }
}

#[tokio::test]
async fn a_failed_query_leaves_the_client_usable_and_a_limit_breaks_it() {
    let server = TestServer::start(&Options { sql: ROLES, ..Options::default() });
    let target = target(server.port, "app", TlsMode::Disable, None);
    let limits = QueryLimits { rows: 5, bytes: 4096, deadline: Duration::from_secs(5) };
    let fresh = || async { UpstreamClient::new(sign_in(&target, "hunter2").await.unwrap(), limits) };

    let mut client = fresh().await;
    let failed = client.query("SELECT 1/0").await.unwrap_err();
    assert_eq!((failed.kind(), failed.sqlstate()), (DialErrorKind::QueryFailed, Some(*b"22012")));
    assert_eq!(client.query("SELECT NULL, 'x'").await.unwrap(), [vec![None, Some(b"x".to_vec())]]);
    assert!(client.query("").await.unwrap().is_empty());

    for greedy in ["SELECT generate_series(1, 100)", "SELECT repeat('x', 5000)"] {
        let mut client = fresh().await;
        assert!(client.query(greedy).await.is_err(), "{greedy}");
        assert!(client.is_broken());
        assert_eq!(client.query("SELECT 1").await.unwrap_err().kind(), DialErrorKind::TargetAway);
    }
}

#[tokio::test]
async fn start_up_parameters_cannot_take_over_what_the_gateway_sets() {
    let server = TestServer::start(&Options { sql: ROLES, ..Options::default() });
    let target = target(server.port, "app", TlsMode::Disable, None);
    let credentials = credentials(&target, "hunter2");
    for name in ["user", "database", "replication", "Replication", "_pq_.x", "", "a\0b"] {
        let parameters = [(name.to_owned(), "postgres".to_owned())];
        let refused = dial(&target, "postgres", &credentials, None, &parameters, PATIENCE).await;
        assert_eq!(refused.unwrap_err().kind(), DialErrorKind::Gateway, "{name}");
    }
}

#[tokio::test]
async fn a_target_that_is_away_is_said_to_be_away() {
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let target = target(unused, "app", TlsMode::Disable, None);
    assert_eq!(kind(&target, "hunter2").await, DialErrorKind::TargetAway);
}
