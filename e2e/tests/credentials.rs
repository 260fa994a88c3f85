//! A credential in a statement runs as it was typed, and is kept nowhere.

use std::path::Path;

use sallyport_e2e::{Gateway, MysqlClient, MysqlGateway, MysqlSession, Options, Policy, Raw, eventually};

const SECRET: &str = "hunter2-in-a-statement";
/// Everything waits for a human; with encryption off, so that looking into files tells.
const POLICY: &str = r#"
@id("connect") @reason("everybody may")
permit (principal, action == Action::"connect", resource);
@id("all") @reason("somebody looks") @hold("dba")
permit (principal, action in Action::"sql", resource);
"#;

/// That no file of a folder holds the secret.
fn nowhere(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            nowhere(&path);
        } else {
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes.windows(SECRET.len()).any(|there| there == SECRET.as_bytes());
            assert!(!found, "{} holds it", path.display());
        }
    }
}

#[test]
fn attack_30_a_password_in_a_statement_is_in_no_recording_request_index_store_or_log() {
    let options = Options {
        policy: Policy::Only(POLICY),
        tls: false,
        limits: "hold_wait = \"1s\"\nhold_wait_in_transaction = \"1s\"\n[recording]\nencryption = \"off\"",
        ..Options::default()
    };
    let gateway = Gateway::with(options);
    let role = format!("typed_{}", gateway.database);
    let create = format!("create role {role} login password '{SECRET}'");
    let mut raw = Raw::open(&gateway, "claude-code");
    let refused = Raw::error(&raw.query(&create)).expect("a ticket");
    assert!(refused.detail.starts_with("SLP-TICKET"), "{refused:?}");
    let id = gateway.open_request();
    let shown = gateway.cli("bob@example.com", &["approvals", "show", &id]).ok();
    assert!(shown.contains(&format!("create role {role}")) && shown.contains('‹'), "{shown}");
    assert!(!shown.contains(SECRET), "{shown}");
    gateway.approve(&id);
    // The approval is for the exact bytes: another password is another statement.
    let other = Raw::error(&raw.query(&create.replace("hunter2", "hunter3"))).expect("another ticket");
    assert!(!other.detail.contains(&id), "{other:?}");
    // It runs as it was typed: the server answers, and this user of it may not.
    let refused = Raw::error(&raw.query(&create)).expect("an error of the server's");
    assert!(!refused.detail.contains("SLP-"), "{refused:?}");
    assert!(gateway.has_run(SECRET), "the server has seen the exact text");
    // What was only understood to be none, and what stands in a transaction's view.
    let _refused = raw.query(&format!("create rolle x password '{SECRET}"));
    let session = gateway.newest_session();
    drop(raw);
    eventually("the session is closed and indexed", || {
        let found = gateway.cli("admin", &["sessions", "search", "credential", "--json"]);
        found.out.contains(&session).then_some(())
    });
    let text = gateway.cli("admin", &["sessions", "export", &session, "--format", "json"]).ok();
    assert!(text.contains("password '‹credential›'") && text.contains("withheld"), "{text}");
    nowhere(&gateway.path("."));
}

#[test]
fn attack_30_nor_is_one_that_mysql_is_told() {
    let options = Options { limits: "[recording]\nencryption = \"off\"", ..Options::default() };
    let gateway = MysqlGateway::with(options, "app");
    let mut session = MysqlSession::open(&gateway, MysqlClient::Mysql2, "claude-code");
    for text in [
        format!("create user typed identified by '{SECRET}'"),
        format!(
            "alter user current_user() identified with caching_sha2_password by \"{SECRET}\" retain current password"
        ),
        format!("set password = '{SECRET}'"),
        format!("create usr typed identified by '{SECRET}"),
    ] {
        assert!(session.run(&text).code.is_some(), "{text}");
    }
    drop(session);
    let id = eventually("the session is closed", || {
        let list = gateway.json("admin", &["sessions", "list"]);
        Some(list["sessions"][0]["id"].as_str()?.to_owned())
    });
    let text = gateway.cli("admin", &["sessions", "export", &id, "--format", "json"]).ok();
    assert_eq!(text.matches("identified by '‹credential›").count(), 2, "{text}");
    assert!(text.contains("set password = '‹credential›'"), "{text}");
    nowhere(&gateway.path("."));
}
