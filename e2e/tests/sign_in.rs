//! How callers sign in: bearer tokens by SASL, listeners of one target, protocol 3.2, and what becomes of those
//! who fail. By frames of our own, and by libpq 18 where it has the same.

use std::process::Command;
use std::time::{Duration, Instant};

use sallyport_e2e::{Gateway, Message, Options, Policy, Raw, frame, python};

const AGENT: &str = "claude-code";
const OPEN: &str = r#"
@id("connect") permit (principal, action == Action::"connect", resource);
@id("everything") permit (principal, action in Action::"sql", resource);
"#;

fn options() -> Options {
    Options { policy: Policy::Only(OPEN), tls: false, ..Options::default() }
}

/// Knocks with parameters and reads the request for a credential.
fn knock(address: std::net::SocketAddr, more: &[(&str, &str)]) -> (Raw, Message) {
    let mut raw = Raw::at(address);
    raw.send(&Raw::startup(0x0003_0000, &[&[("user", "x"), ("database", "shop-prod")], more].concat()));
    let asked = raw.read().expect("a request for a credential");
    assert_eq!(asked.tag, 'R', "{asked:?}");
    (raw, asked)
}

/// `SASLInitialResponse`.
fn initial(mechanism: &str, response: &[u8]) -> Vec<u8> {
    let length = u32::try_from(response.len()).expect("short").to_be_bytes();
    frame(b'p', &[mechanism.as_bytes(), &[0], &length, response].concat())
}

fn bearer(token: &str) -> Vec<u8> {
    initial("OAUTHBEARER", format!("n,,\u{1}auth=Bearer {token}\u{1}\u{1}").as_bytes())
}

const OAUTH: &[(&str, &str)] = &[("options", "-c sallyport.sign_in=oauth")];

#[test]
fn a_bearer_token_signs_in_where_the_caller_asks_for_that() {
    let gateway = Gateway::with(options());
    let token = gateway.token(AGENT);
    let (mut raw, asked) = knock(gateway.address, OAUTH);
    assert_eq!(asked.body, b"\0\0\0\x0aOAUTHBEARER\0\0");
    raw.send(&bearer(&token));
    let answer = raw.until_ready();
    assert_eq!(answer[0].body, [0, 0, 0, 0], "AuthenticationOk at once: {answer:?}");
    assert_eq!(raw.rows("select 1"), [["1"]]);
    // Without an initial response an empty challenge asks for one.
    let (mut raw, _) = knock(gateway.address, OAUTH);
    raw.send(&frame(b'p', b"OAUTHBEARER\0\xff\xff\xff\xff"));
    let challenge = raw.read().expect("a challenge");
    assert_eq!((challenge.tag, challenge.body.as_slice()), ('R', &[0, 0, 0, 11][..]));
    raw.send(&frame(b'p', format!("n,,\u{1}auth=Bearer {token}\u{1}\u{1}").as_bytes()));
    assert_eq!(raw.until_ready().last().expect("ready").tag, 'Z');
}

#[test]
fn a_bearer_token_that_is_not_taken_gets_a_challenge_and_then_28p01() {
    let gateway = Gateway::with(options());
    let good = gateway.token(AGENT);
    for bad in [format!("{good}x"), "slp_nobody".to_owned(), "e30.e30.e30".to_owned(), String::new()] {
        let (mut raw, _) = knock(gateway.address, OAUTH);
        raw.send(&if bad.is_empty() {
            initial("OAUTHBEARER", b"n,,\x01auth=\x01\x01")
        } else {
            bearer(&bad)
        });
        let challenge = raw.read().expect("a challenge");
        assert_eq!(challenge.body[..4], [0, 0, 0, 11], "{challenge:?}");
        let words: serde_json::Value = serde_json::from_slice(&challenge.body[4..]).expect("JSON");
        assert_eq!(words["status"], "invalid_token");
        raw.send(&frame(b'p', &[1]));
        let refused = raw.read().expect("the error");
        let fields = refused.fields();
        assert_eq!((fields.sqlstate.as_str(), fields.severity.as_str()), ("28P01", "FATAL"), "{fields:?}");
        assert!(fields.detail.starts_with("SLP-TOKEN"), "{fields:?}");
        assert!(raw.read().is_none(), "and the connection ends");
    }
    assert!(!gateway.log().contains("session opened"));
}

#[test]
fn what_is_no_exchange_of_bearer_tokens_ends_the_connection() {
    let gateway = Gateway::with(options());
    let token = gateway.token(AGENT);
    for bytes in [
        initial("SCRAM-SHA-256", b"n,,n=,r=abc"),
        initial("OAUTHBEARER", format!("n,a=admin,\u{1}auth=Bearer {token}\u{1}\u{1}").as_bytes()),
        initial("OAUTHBEARER", format!("p=tls-exporter,,\u{1}auth=Bearer {token}\u{1}\u{1}").as_bytes()),
        initial("OAUTHBEARER", format!("n,,\u{1}auth=Bearer {token}").as_bytes()),
        initial("OAUTHBEARER", format!("n,,\u{1}auth=Basic {token}\u{1}\u{1}").as_bytes()),
        frame(b'p', &[token.as_bytes(), &[0]].concat()),
        frame(b'Q', b"select 1\0"),
        [bearer(&token), frame(b'Q', b"select 'early'\0")].concat(),
    ] {
        let (mut raw, _) = knock(gateway.address, OAUTH);
        raw.send(&bytes);
        let mut said = Vec::new();
        while let Some(message) = raw.read() {
            said.push(message);
        }
        assert!(said.iter().all(|it| it.tag == 'E'), "{said:?}");
    }
    assert!(!gateway.log().contains("session opened"));
    assert!(!gateway.has_run("early"));
}

#[test]
fn a_listener_may_ask_everybody_for_bearer_tokens_but_who_says_otherwise() {
    let gateway = Gateway::with(Options { listen: "sign_in = \"oauth\"", ..options() });
    let (_, asked) = knock(gateway.address, &[]);
    assert_eq!(asked.body[..4], [0, 0, 0, 10]);
    let (mut raw, asked) = knock(gateway.address, &[("options", "-c sallyport.sign_in=password")]);
    assert_eq!(asked.body, [0, 0, 0, 3]);
    raw.sign_in_with(&gateway.token(AGENT)).expect("it is let in");
}

/// libpq 18, as psycopg's binary package brings it, by ctypes: its hook hands over the token that its own flow
/// would fetch from a provider.
const LIBPQ_18: &str = r#"
import ctypes, glob, json, os, sys, psycopg, psycopg_binary
folder = os.path.join(os.path.dirname(os.path.dirname(psycopg_binary.__file__)), "psycopg_binary.libs")

for name in sorted(glob.glob(os.path.join(folder, "*"))):
    if "libpq" in name: pq = ctypes.CDLL(name)
assert pq.PQlibVersion() >= 180000, pq.PQlibVersion()
class Request(ctypes.Structure): pass
Request._fields_ = [("openid_configuration", ctypes.c_char_p), ("scope", ctypes.c_char_p),
    ("async_", ctypes.c_void_p), ("cleanup", ctypes.c_void_p), ("token", ctypes.c_char_p), ("user", ctypes.c_void_p)]
HOOK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(Request))
asked = []
@HOOK
def hook(kind, connection, request):
    asked.append(kind)
    if kind != 1: return 0
    request.contents.token = os.environ["TOKEN"].encode()
    return 1
pq.PQsetAuthDataHook(hook)
pq.PQconnectdb.restype = ctypes.c_void_p
pq.PQerrorMessage.restype = ctypes.c_char_p
pq.PQgetvalue.restype = ctypes.c_char_p
pq.PQexec.restype = ctypes.c_void_p
connection = ctypes.c_void_p(pq.PQconnectdb(sys.argv[1].encode()))
said = {"status": pq.PQstatus(connection), "error": pq.PQerrorMessage(connection).decode(), "asked": asked}
if said["status"] == 0:
    said["version"] = pq.PQfullProtocolVersion(connection)
    said["value"] = pq.PQgetvalue(ctypes.c_void_p(pq.PQexec(connection, b"select 'in'")), 0, 0).decode()
    key = ctypes.c_void_p(1)
pq.PQfinish(connection)
print(json.dumps(said))
"#;

fn libpq_18(gateway: &Gateway, token: &str, more: &str) -> serde_json::Value {
    let place = format!(
        "host=127.0.0.1 port={} dbname=shop-prod user=x sslmode=require {more}",
        gateway.address.port()
    );
    let ran =
        Command::new(python()).args(["-c", LIBPQ_18, &place]).env("TOKEN", token).output().expect("python");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    serde_json::from_slice(&ran.stdout).expect("JSON")
}

#[test]
fn libpq_18_signs_in_by_oauthbearer_as_it_comes() {
    let listen = "sign_in = \"oauth\"\n[[oidc]]\nissuer = \"https://issuer.example\"\naudience = \"sallyport\"\nsubjects = { \"1\" = \"alice@example.com\" }";
    let gateway = Gateway::with(Options { tls: true, listen, ..options() });
    // It asks without a token where tokens come from, and comes again with one.
    let oauth = "oauth_issuer=https://issuer.example oauth_client_id=psql";
    let said = libpq_18(&gateway, &gateway.token(AGENT), oauth);
    assert_eq!((&said["status"], &said["value"]), (&0.into(), &"in".into()), "{said}");
    assert_eq!(said["asked"], serde_json::json!([1]), "its hook was asked for a token: {said}");
    let said = libpq_18(&gateway, "slp_wrong", oauth);
    assert_ne!(said["status"], 0);
    assert!(said["error"].as_str().expect("text").contains("the token was not accepted"), "{said}");
}

#[test]
fn libpq_18_speaks_protocol_3_2_and_cancels_by_its_long_key() {
    let gateway = Gateway::with(Options { tls: true, ..options() });
    let token = gateway.token(AGENT);
    let password = format!("password={token}");
    let strictly = format!("{password} min_protocol_version=3.2 max_protocol_version=latest");
    let said = libpq_18(&gateway, "", &strictly);
    assert_eq!((&said["status"], &said["version"]), (&0.into(), &30_002.into()), "{said}");
    assert_eq!(libpq_18(&gateway, "", &format!("{password} max_protocol_version=3.0"))["version"], 30_000);
    let cancels = r#"
import psycopg, sys, threading, time
connection = psycopg.connect(sys.argv[1], autocommit=True)
threading.Timer(0.5, connection.cancel_safe).start()
started = time.monotonic()
try:
    connection.execute("select pg_sleep(20)")
except psycopg.errors.QueryCanceled:
    print("cancelled", time.monotonic() - started < 10, connection.execute("select 1").fetchone()[0])
"#;
    let place = format!(
        "host=127.0.0.1 port={} dbname=shop-prod user=x sslmode=require {strictly}",
        gateway.address.port()
    );
    let ran = Command::new(python()).args(["-c", cancels, &place]).output().expect("python");
    assert_eq!(
        String::from_utf8_lossy(&ran.stdout),
        "cancelled True 1\n",
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    // Directly inside TLS, with the protocol's name.
    let direct = libpq_18(&gateway, "", &format!("{password} sslnegotiation=direct"));
    assert_eq!(direct["value"], "in", "{direct}");
}

#[test]
fn a_short_key_of_a_long_one_cancels_nothing() {
    let gateway = Gateway::with(options());
    let mut raw = Raw::try_open(&gateway, AGENT, 0x0003_0002, &[]).expect("3.2 is spoken");
    let (pid, secret) = raw.key.clone();
    assert_eq!(secret.len(), 32);
    raw.send(&frame(b'Q', b"select pg_sleep(1.5), 'whole'\0"));
    std::thread::sleep(Duration::from_millis(400));
    let mut wrong = secret.clone();
    wrong[31] ^= 1;
    for forged in [&secret[..4], &secret[..31], &wrong, &[&secret[..], &[0]].concat(), &[0; 4]] {
        Raw::cancel(&gateway, pid, forged);
    }
    assert!(Raw::error(&raw.until_ready()).is_none());
    raw.send(&frame(b'Q', b"select pg_sleep(20)\0"));
    std::thread::sleep(Duration::from_millis(400));
    Raw::cancel(&gateway, pid, &secret);
    assert_eq!(Raw::error(&raw.until_ready()).expect("cancelled").sqlstate, "57014");
}

#[test]
fn a_target_may_have_a_listener_of_its_own() {
    let gateway = Gateway::with(Options {
        target: "listen = \"127.0.0.1:0\"\ndatabases = [\"postgres\"]",
        ..options()
    });
    let own = gateway.own_address("shop-prod");
    assert_ne!(own, gateway.address);
    let open = |database: Option<&str>| {
        let mut raw = Raw::at(own);
        let database = database.map(|name| ("database", name));
        raw.send(&Raw::startup(0x0003_0000, &[&[("user", "someone")], database.as_slice()].concat()));
        raw.sign_in(&gateway.token(AGENT)).map(|()| raw.rows("select current_database()")[0][0].clone())
    };
    let there = gateway.database.as_str();
    for (asked, given) in [
        (None, there),
        (Some("someone"), there),
        (Some(there), there),
        (Some("shop-prod"), there),
        (Some("postgres"), "postgres"),
        (Some("shop-prod/postgres"), "postgres"),
    ] {
        assert_eq!(open(asked).expect("it is let in"), given, "{asked:?}");
    }
    for other in
        ["template1", "other-target", "other-target/postgres", "shop-prod/template1", "postgres/shop-prod"]
    {
        assert_eq!(open(Some(other)).expect_err(other).sqlstate, "42501", "{other}");
    }
    assert!(Raw::try_open(&gateway, AGENT, 0x0003_0000, &[]).is_ok(), "and the shared one goes on");
}

#[test]
fn who_fails_again_and_again_is_answered_later_and_others_are_not() {
    let gateway = Gateway::with(options());
    let token = gateway.token(AGENT);
    let fail = || {
        let started = Instant::now();
        let (mut raw, _) = knock(gateway.address, &[]);
        let refused = raw.sign_in_with("slp_wrong").expect_err("no token");
        assert_eq!(refused.sqlstate, "28P01");
        started.elapsed()
    };
    let quick: Vec<Duration> = (0..8).map(|_| fail()).collect();
    assert!(quick.iter().all(|took| *took < Duration::from_millis(900)), "{quick:?}");
    let slow: Vec<Duration> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..8).map(|_| scope.spawn(fail)).collect();
        all.into_iter().map(|it| it.join().expect("an answer")).collect()
    });
    assert!(slow.iter().any(|took| *took > Duration::from_secs(2)), "{slow:?}");
    let started = Instant::now();
    let (mut raw, _) = knock(gateway.address, &[]);
    raw.sign_in_with(&token).expect("a good token is let in as ever");
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
}
