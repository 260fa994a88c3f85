//! Attacks on what MySQL's protocol carries, before a real MariaDB: every way that is known to carry a protected
//! value past the masking.

use sallyport_e2e::{MysqlClient, MysqlGateway, MysqlSession, Options, Policy};

const AGENT: &str = "claude-code";

/// Rules keep nobody from anything: what is hidden here is hidden by masking alone.
const ALL: &str = r#"
@id("connect") permit (principal, action == Action::"connect", resource);
@id("everything") permit (principal, action in Action::"sql", resource);
"#;

const HIDDEN: &str = include_str!("mysql/hidden.sql");

/// What a protected value of the shop looks like, in the dresses that keep it whole.
const LEAKS: &[&str] = &[
    "whisper",
    "repsihw",
    "77686973706572",
    "rehpsihw",
    "d2hpc3Bl",
    "900-11",
    "3930302d3131",
    "11-009",
    "77001",
    "77002",
    "77003",
    "77004",
    "77005",
    "12cc9",
    "385015",
];

fn leak(text: &str) -> Option<&'static str> {
    let text = text.to_lowercase();
    let plain: String = text.chars().filter(|c| *c != '\0').collect();
    LEAKS.iter().find(|leak| plain.contains(&leak.to_lowercase())).copied()
}

/// How a statement is sent.
type Send = fn(&mut MysqlSession, &str) -> sallyport_e2e::MysqlOutcome;

/// Plays every block; gives each statement that carried something out.
fn play(client: MysqlClient, send: Send) -> Vec<String> {
    let options = Options { policy: Policy::Only(ALL), ..Options::default() };
    let mut found = Vec::new();
    let mut played = 0;
    let gateway = MysqlGateway::with(options, "app");
    for block in HIDDEN.split("\n\n").skip(1) {
        // What one block changes is not the next one's.
        gateway.renew();
        let mut session = MysqlSession::open(&gateway, client, AGENT);
        for line in block.lines().filter(|line| !line.starts_with("-- ")) {
            if let Some(sql) = line.strip_prefix('!') {
                gateway.admin_sql(&format!("\nDELIMITER //\n{sql} //\n"));
                continue;
            }
            let outcome = send(&mut session, line);
            played += 1;
            if let Some(what) = leak(&format!("{} {}", outcome.rows, outcome.message)) {
                found.push(format!("{line}\n    {what}: {} {}", outcome.rows.trim(), outcome.message));
            }
            // In some modes no text is understood; the connection is there all the same.
            let lives = session.run("SELECT 1");
            assert!(matches!(lives.code, None | Some(1227)), "{line}: {outcome:?}, then {lives:?}");
        }
    }
    assert!(played > 200, "{played}");
    found
}

#[test]
fn attack_21_nothing_hidden_comes_out_of_a_text() {
    let found = play(MysqlClient::Mysql2, |session, sql| session.op("header", &[sql]));
    assert!(found.is_empty(), "{} leaks:\n{}", found.len(), found.join("\n"));
}

#[test]
fn attack_21_nothing_hidden_comes_out_of_a_prepared_statement() {
    let found = play(MysqlClient::Mysql2, |session, sql| session.op("header-exec", &[sql]));
    assert!(found.is_empty(), "{} leaks:\n{}", found.len(), found.join("\n"));
}

#[test]
fn attack_23_a_masked_value_that_comes_back_is_refused() {
    let gateway = MysqlGateway::with(Options { policy: Policy::Only(ALL), ..Options::default() }, "app");
    let mut session = MysqlSession::open(&gateway, MysqlClient::Mysql2, AGENT);
    for sql in [
        "UPDATE users SET email = '‹pii.email›' WHERE id = 1",
        "INSERT INTO notes (body) VALUES ('see ‹pii.ssn› there')",
        "UPDATE users SET email = concat('‹pii.email›', '') WHERE id = 1",
        "SELECT id FROM users WHERE email = '‹pii.email›'",
    ] {
        session.run(sql).refused(1227, "SLP-MASK");
    }
    session
        .execute("UPDATE users SET email = ? WHERE id = ?", &["‹pii.email›", "1"])
        .refused(1227, "SLP-MASK");
    assert_eq!(gateway.admin_sql("SELECT email FROM users WHERE id = 1"), "whisper1@mail.example");
    session.run("INSERT INTO notes (body) VALUES ('‹no label of that name›')").ok();
    session.execute("UPDATE users SET email = ? WHERE id = ?", &["new@mail.example", "1"]).ok();
}
