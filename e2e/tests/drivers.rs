//! The scenario table over real drivers: each plays it in its own language, its own way, through the gateway.
//!
//! What a driver must come to is the same for all; what one cannot do at all stands in its row. Every type
//! comes back through the gateway as from the server itself.

use sallyport_e2e::{Driver, Gateway, Options, Policy, Program, types};
use serde_json::Value;

const AGENT: &str = "claude-code";

/// Reads and inserts pass, updates wait for a human, deletes wait for nobody, the rest is denied.
const TABLE: &str = r#"
@id("connect") permit (principal, action == Action::"connect", resource);
@id("most") permit (principal, action in Action::"sql", resource);
@id("updates-held") @hold("dba") permit (principal, action == Action::"sql:update", resource);
@id("deletes-expire") @hold("dba") @ttl("2s") permit (principal, action == Action::"sql:delete", resource);
@id("no-truncate") forbid (principal, action == Action::"sql:truncate", resource);
@id("no-schema") forbid (principal, action in Action::"sql:schema", resource);
@id("types-shown") permit (principal, action == Action::"reveal", resource == Label::"of-every-type");
"#;

/// Every scenario. A row may leave some out, and then says why.
const ALL: &[&str] = &[
    "allow",
    "deny",
    "approve",
    "expire",
    "mask",
    "error",
    "cancel",
    "transaction",
    "big",
    "copy",
    "params",
    "types",
];

/// All but some.
fn but(left_out: &[&str]) -> Vec<&'static str> {
    ALL.iter().copied().filter(|name| !left_out.contains(name)).collect()
}

/// What each scenario must come to.
#[track_caller]
fn check(name: &str, said: &Value) {
    let is = |key: &str, wanted: &str| assert_eq!(said[key], wanted, "{name}: {said}");
    let refused = |code: &str| {
        is("sqlstate", "42501");
        let detail = said["detail"].as_str().unwrap_or_default();
        assert!(detail.contains(code), "{name}: {said}");
    };
    match name {
        "allow" => is("value", "20"),
        "deny" => refused("SLP-DENIED"),
        "approve" => is("value", "paid"),
        "expire" => refused("SLP-EXPIRED"),
        "mask" => is("value", "user 2|‹pii.email›|"),
        "error" => is("sqlstate", "22012"),
        "cancel" => is("sqlstate", "57014"),
        "transaction" => {
            refused("SLP-DENIED");
            is("after", "25P02");
            is("value", "0");
        }
        "big" => is("value", "20000|200010000"),
        "copy" => is("value", "copied"),
        "params" => is("value", "55"),
        "batch" => is("value", "300|300|batch 99|42501"),
        _ => panic!("no scenario {name}"),
    }
    if matches!(name, "deny" | "expire" | "error" | "cancel") {
        is("usable", "1");
    }
}

fn play(driver: Driver, scenarios: &[&str]) {
    let gateway =
        Gateway::with(Options { policy: Policy::Only(TABLE), tls: driver.tls, ..Options::default() });
    gateway.admin_sql(&format!("set role app; {}", types()));
    let mut playing = driver.play(&gateway, AGENT, scenarios);
    let mut rows = None;
    for name in scenarios {
        if *name == "approve" {
            gateway.approve(&gateway.open_request());
        }
        let said = playing.said(name);
        if *name == "types" { rows = Some(said) } else { check(name, &said) }
    }
    playing.ended();
    if let Some(through) = rows {
        let mut directly = driver.play_directly(&gateway, &["types"]);
        same_values(&through, &directly.said("types"));
        directly.ended();
    }
}

/// Value by value, so that a difference can be read.
#[track_caller]
fn same_values(through: &Value, direct: &Value) {
    let (through, direct) = (lines(through), lines(direct));
    assert!(direct.len() >= 6, "there is something to compare");
    assert_eq!(through.len(), direct.len());
    for (number, (through, direct)) in through.iter().zip(direct).enumerate() {
        assert_eq!(*through, direct, "line {number}: the gateway on the left, the server on the right");
    }
}

fn lines(said: &Value) -> Vec<&Value> {
    said["values"].as_array().unwrap_or_else(|| panic!("{said}")).iter().collect()
}

fn python(script: &'static str, environment: &'static [(&'static str, &'static str)]) -> Driver {
    Driver { program: Program::Python(script), environment, tls: true }
}

fn node(script: &'static str, environment: &'static [(&'static str, &'static str)]) -> Driver {
    Driver { program: Program::Node(script), environment, tls: true }
}

#[test]
fn psql() {
    play(python("psql/main.py", &[]), ALL);
}

#[test]
fn psycopg() {
    play(python("psycopg/main.py", &[("MODE", "sync")]), ALL);
}

#[test]
fn psycopg_async() {
    play(python("psycopg/main.py", &[("MODE", "async")]), ALL);
}

#[test]
fn psycopg_pipeline() {
    // In a pipeline COPY is not to be had, and a statement that fails takes its pipeline with it.
    play(python("psycopg/main.py", &[("MODE", "pipeline")]), ALL);
}

#[test]
fn psycopg_binary() {
    play(python("psycopg/main.py", &[("MODE", "binary")]), ALL);
}

#[test]
fn asyncpg() {
    play(python("asyncpg/main.py", &[]), ALL);
}

#[test]
fn sqlalchemy() {
    // Its types are psycopg's.
    play(python("sqlalchemy/main.py", &[]), &but(&["types"]));
}

#[test]
fn node_postgres() {
    play(node("pg.js", &[("MODE", "plain")]), ALL);
}

#[test]
fn node_postgres_prepared() {
    play(node("pg.js", &[("MODE", "prepared")]), &but(&["types"]));
}

#[test]
fn node_postgres_cursor() {
    play(node("pg.js", &[("MODE", "cursor")]), &but(&["types"]));
}

#[test]
fn node_postgres_stream() {
    play(node("pg.js", &[("MODE", "stream")]), &but(&["types"]));
}

#[test]
fn prisma() {
    // It has no cancel, no COPY, and no types beyond those of node-postgres. Its errors lose the DETAIL.
    let driver = node("prisma.js", &[]);
    let gateway = Gateway::with(Options { policy: Policy::Only(TABLE), ..Options::default() });
    let scenarios = ["allow", "deny", "approve", "expire", "mask", "error", "transaction", "big", "params"];
    let mut playing = driver.play(&gateway, AGENT, &scenarios);
    for name in scenarios {
        if name == "approve" {
            gateway.approve(&gateway.open_request());
        }
        let said = playing.said(name);
        match name {
            "params" => assert_eq!(said["value"], "5|10|3", "{said}"),
            _ => check(name, &said),
        }
    }
    playing.ended();
}

/// The JDBC driver under some options of its URL.
fn jdbc(options: &'static [(&'static str, &'static str)]) {
    let driver = Driver { program: Program::Java, environment: options, tls: true };
    play(driver, &[ALL, &["batch"]].concat());
}

#[test]
fn jdbc_by_default() {
    jdbc(&[]);
}

#[test]
fn jdbc_prepares_at_once() {
    jdbc(&[("URL_OPTIONS", "prepareThreshold=1&binaryTransfer=true")]);
}

#[test]
fn jdbc_never_prepares() {
    jdbc(&[("URL_OPTIONS", "prepareThreshold=0")]);
}

#[test]
fn jdbc_in_simple_queries() {
    jdbc(&[("URL_OPTIONS", "preferQueryMode=simple")]);
}

#[test]
fn jdbc_extended_for_prepared() {
    jdbc(&[("URL_OPTIONS", "preferQueryMode=extendedForPrepared&reWriteBatchedInserts=true")]);
}

#[test]
fn jdbc_caches_everything_and_saves_points() {
    jdbc(&[("URL_OPTIONS", "preferQueryMode=extendedCacheEverything")]);
}

#[test]
fn tokio_postgres() {
    let program = Program::Built(env!("CARGO_BIN_EXE_tokio-postgres-client"));
    play(Driver { program, environment: &[], tls: true }, ALL);
}
