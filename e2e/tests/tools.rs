//! Tools that read the catalog before they do anything: their preambles pass, and what they then do is
//! decided like everything else.

use std::process::Command;

use sallyport_e2e::{Gateway, python};
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
