//! Tools that read the catalog before they do anything: their preambles pass, and what they then do is
//! decided like everything else.

use std::process::Command;

use sallyport_e2e::{Cluster, Gateway, python};
use serde_json::{Value, json};

const AGENT: &str = "claude-code";

#[test]
fn sqlalchemy_reflects_the_schema_and_reads_it_masked() {
    let gateway = Gateway::start();
    let parameters = gateway.parameters(&gateway.token(AGENT));
    let of = |wanted: &str| {
        parameters
            .iter()
            .find(|(name, _)| *name == wanted)
            .map(|(_, value)| value.clone())
            .expect("a parameter")
    };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/clients/reflect.py");
    let arguments = ["host", "port", "dbname", "password", "sslmode"].map(of);
    let ran = Command::new(python()).arg(script).args(arguments).output().expect("python");
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{said}{}", String::from_utf8_lossy(&ran.stderr));
    let said: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(said["tables"], json!(["orders", "users"]));
    assert_eq!(said["views"], json!(["patients"]));
    assert_eq!(said["columns"], json!(["id", "name", "email", "ssn", "diagnosis", "pin", "profile"]));
    assert_eq!((&said["key"], &said["foreign"]), (&json!(["id"]), &json!(["users"])));
    assert_eq!(said["rows"], json!([[2, "‹pii.email›"]]));
    assert_eq!(said["count"], json!(5));
    assert_eq!((&said["refused"], &said["after"]), (&json!("42501"), &json!(1)));
}

#[test]
fn psql_describes_tables_views_functions_and_roles() {
    let gateway = Gateway::start();
    let parameters = gateway.parameters(&gateway.token(AGENT));
    let connection: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    for command in [
        "\\d",
        "\\d users",
        "\\d+ users",
        "\\dt",
        "\\dv",
        "\\df",
        "\\dn",
        "\\du",
        "\\l",
        "\\di",
        "\\dT",
        "\\sf confess",
    ] {
        let ran = Command::new("psql")
            .args(["-X", "-w", "-v", "ON_ERROR_STOP=1", "-c", command])
            .arg(connection.join(" "))
            .output()
            .expect("psql");
        let said =
            format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
        assert!(ran.status.success(), "{command}: {said}");
        assert!(!said.contains("‹unsettled›") && !said.contains("SLP-"), "{command}: {said}");
    }
}

/// Every function of `pg_catalog` has a class: the list that the classes are held against is what a server of
/// that version says today.
#[test]
fn the_functions_that_are_classed_are_the_server_s() {
    let server = Cluster::shared();
    let version = server.sql("postgres", "show server_version_num");
    if !version.starts_with("15") {
        // Another version has other functions; what is not on the list is code that nobody has read.
        assert!(version.parse::<u32>().is_ok_and(|it| it >= 120_000), "{version}");
        return;
    }
    let said = server.sql("postgres", include_str!("../../crates/inspect/scripts/pg_proc.sql"));
    let said: Vec<String> = said.lines().map(|line| line.replace('|', " ")).collect();
    let listed: Vec<&str> = include_str!("../../crates/inspect/src/pg/pg_proc_15.txt").lines().collect();
    assert!(listed.len() > 2000, "the list is whole");
    let missing: Vec<&String> = said.iter().filter(|line| !listed.contains(&line.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert_eq!(said.len(), listed.len());
}
