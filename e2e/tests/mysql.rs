//! The scenario table on MySQL's protocol: what every protocol must do, over the clients that people use, before
//! a real MariaDB.

use sallyport_e2e::{MysqlClient, MysqlGateway, MysqlSession, Options, Policy, eventually};

/// Each scenario for each client.
macro_rules! scenarios {
    ($($name:ident),* $(,)?) => {
        mod mariadb { $(#[test] fn $name() { super::$name(sallyport_e2e::MysqlClient::Mariadb); })* }
        mod pymysql { $(#[test] fn $name() { super::$name(sallyport_e2e::MysqlClient::PyMySql); })* }
        mod connector_python { $(#[test] fn $name() { super::$name(sallyport_e2e::MysqlClient::ConnectorPython); })* }
        mod sqlalchemy { $(#[test] fn $name() { super::$name(sallyport_e2e::MysqlClient::SqlAlchemy); })* }
        mod mysql2 { $(#[test] fn $name() { super::$name(sallyport_e2e::MysqlClient::Mysql2); })* }
        mod connector_j { $(#[test] fn $name() { super::$name(sallyport_e2e::MysqlClient::ConnectorJ); })* }
        mod sqlx { $(#[test] fn $name() { super::$name(sallyport_e2e::MysqlClient::Sqlx); })* }
        mod mysql_async { $(#[test] fn $name() { super::$name(sallyport_e2e::MysqlClient::MysqlAsync); })* }
    };
}

scenarios!(
    allowed_denied_and_masked_on_one_connection,
    held_and_approved_runs_exactly_once,
    held_and_expired_runs_never,
    bad_credentials_and_an_absent_target_open_nothing,
    a_killed_session_ends_and_its_replay_shows_masked_rows_only,
);

const AGENT: &str = "claude-code";
const BOB: &str = "bob@example.com";

/// Everything but definitions goes: what the server does is seen without holds.
const OPEN: &str = r#"
@id("connect") permit (principal, action == Action::"connect", resource);
@id("everything") permit (principal, action in Action::"sql", resource);
@id("no-schema") forbid (principal, action in Action::"sql:schema", resource);
@id("unknown") @hold("dba") permit (principal, action == Action::"unknown", resource);
"#;

fn starter() -> MysqlGateway {
    MysqlGateway::with(Options::default(), "app")
}

/// The same for a client that may speak no TLS.
fn starter_for(client: MysqlClient) -> MysqlGateway {
    MysqlGateway::with(Options { tls: client.speaks_tls(), ..Options::default() }, "app")
}

fn open_gateway() -> MysqlGateway {
    MysqlGateway::with(Options { policy: Policy::Only(OPEN), ..Options::default() }, "modern")
}

fn status(gateway: &MysqlGateway, order: u32) -> String {
    gateway.admin_sql(&format!("SELECT status FROM orders WHERE id = {order}"))
}

fn allowed_denied_and_masked_on_one_connection(client: MysqlClient) {
    let gateway = starter_for(client);
    let mut session = MysqlSession::open(&gateway, client, AGENT);
    assert_eq!(session.run("SELECT count(*), 'allowed' FROM orders").ok(), "20|allowed\n");
    let mark = format!("mark-{}", gateway.database);
    for denied in [
        "DROP TABLE orders",
        "DELETE FROM orders",
        "DELETE FROM orders WHERE true",
        "TRUNCATE orders",
        "GRANT ALL ON *.* TO x",
        "SELECT load_file('/etc/passwd')",
        "SELECT * FROM users INTO OUTFILE '/tmp/x'",
        "SET GLOBAL general_log = 0",
        "SELECT sleep(9)",
        "SELECT 1 /*!50000 , sleep(9) */",
    ] {
        session.run(&format!("{denied} /* {mark} */")).refused(1227, "SLP-DENIED");
        assert_eq!(session.run("SELECT 1").ok(), "1\n", "after {denied}");
    }
    session.run(&format!("this is no SQL /* {mark} */")).refused(1227, "SLP-UNKNOWN");
    assert!(!gateway.has_run(&mark), "the target has heard of it");
    let masked = session.run("SELECT id, name, email, upper(ssn), photo, pin FROM users WHERE id = 2");
    let row = masked.ok();
    assert!(row.starts_with("2|user 2|‹pii.email›|‹pii.ssn›|"), "{row}");
    assert!(row.ends_with("|NULL\n") && !row.contains("whisper") && !row.contains("7700"), "{row}");
    for hidden in [
        "SELECT * FROM users",
        "SELECT name FROM (SELECT email AS name FROM users) notes",
        "WITH orders AS (SELECT ssn AS status FROM users) SELECT status FROM orders",
        "SELECT what FROM patients",
        "SELECT * FROM loudest",
        "SELECT status FROM orders UNION SELECT email FROM users",
        "SELECT group_concat(email SEPARATOR '-') FROM users",
        "SELECT json_object('x', u.diagnosis) FROM users u",
        "SELECT hex(photo) FROM users",
        "SELECT (SELECT max(email) FROM users) FROM orders LIMIT 1",
        "SELECT substr(email, 1, 7) FROM users",
        "SELECT id, id, id, id, id, id, id, id, id, email FROM users PROCEDURE ANALYSE()",
    ] {
        let outcome = session.run(hidden);
        let rows = outcome.ok();
        assert!(!rows.to_lowercase().contains("whisper") && !rows.contains("9000"), "{hidden}: {rows}");
        assert!(!rows.contains("77686973706572") && !rows.contains("900-11"), "{hidden}: {rows}");
    }
}

fn held_and_approved_runs_exactly_once(client: MysqlClient) {
    let gateway = starter_for(client);
    let mut session = MysqlSession::open(&gateway, client, AGENT);
    session.start("UPDATE orders SET total = total + 1, status = 'paid' WHERE id = 3");
    let id = gateway.open_request();
    assert_eq!(status(&gateway, 3), "new", "it waits");
    let shown = gateway.cli(BOB, &["approvals", "show", &id]).ok();
    assert!(shown.contains("UPDATE orders SET total = total + 1"), "{shown}");
    gateway.approve(&id);
    session.finish().ok();
    assert_eq!(gateway.admin_sql("SELECT total, status FROM orders WHERE id = 3"), "31.00\tpaid");
    assert_eq!(gateway.request_state(&id), "used");
    assert_eq!(session.run("SELECT 1").ok(), "1\n");
}

fn held_and_expired_runs_never(client: MysqlClient) {
    let gateway = MysqlGateway::with(
        Options {
            tls: client.speaks_tls(),
            policy: Policy::StarterAnd(
                r#"@id("quick") @hold("dba") @ttl("2s") permit (principal, action == Action::"sql:update", resource);"#,
            ),
            ..Options::default()
        },
        "app",
    );
    let mut session = MysqlSession::open(&gateway, client, AGENT);
    session.run("UPDATE orders SET status = 'late' WHERE id = 5").refused(1227, "SLP-EXPIRED");
    assert_eq!(status(&gateway, 5), "new");
    assert_eq!(session.run("SELECT 1").ok(), "1\n");
}

fn bad_credentials_and_an_absent_target_open_nothing(client: MysqlClient) {
    let gateway = starter_for(client);
    for (password, database) in [("slp_wrong", "shop-prod"), ("", "shop-prod")] {
        let (_, outcome) = MysqlSession::attempt_at(&gateway, client, password, database);
        assert!(outcome.code.is_some(), "{outcome:?}");
    }
    let token = gateway.token(AGENT);
    for database in ["nowhere", "shop-prod/mysql", "postgres-prod"] {
        let (_, outcome) = MysqlSession::attempt_at(&gateway, client, &token, database);
        assert!(outcome.code.is_some(), "{database}: {outcome:?}");
    }
    let tls = client.speaks_tls();
    let down = MysqlGateway::with(Options { target_down: true, tls, ..Options::default() }, "app");
    let (_, outcome) = MysqlSession::attempt(&down, client, &down.token(AGENT));
    assert!(outcome.code.is_some(), "{outcome:?}");
}

fn a_killed_session_ends_and_its_replay_shows_masked_rows_only(client: MysqlClient) {
    let gateway = starter_for(client);
    let mut session = MysqlSession::open(&gateway, client, AGENT);
    session.run("SELECT id, email FROM users WHERE id = 1").ok();
    session.run("DROP TABLE orders").refused(1227, "SLP-DENIED");
    let id = gateway.newest_session();
    gateway.cli("admin", &["sessions", "kill", &id]).ok();
    eventually("the session is over", || {
        let shown = gateway.json("admin", &["sessions", "list"]);
        let mine = shown["sessions"].as_array()?.iter().find(|one| one["id"] == id.as_str())?.clone();
        (!mine["ended"].is_null()).then_some(())
    });
    assert!(session.run("SELECT 1").code.is_some(), "its connection is gone");
    let replay = gateway.cli("admin", &["sessions", "replay", &id]).ok();
    assert!(replay.contains("SELECT id, email FROM users WHERE id = 1"), "{replay}");
    assert!(replay.contains("‹pii.email›") && !replay.contains("whisper"), "{replay}");
    assert!(replay.contains("SLP-DENIED") && replay.contains("id | email"), "{replay}");
}

/// Clients with server-side prepared statements.
const PREPARING: [MysqlClient; 5] = [
    MysqlClient::ConnectorPython,
    MysqlClient::Mysql2,
    MysqlClient::ConnectorJ,
    MysqlClient::Sqlx,
    MysqlClient::MysqlAsync,
];

#[test]
fn prepared_statements_are_decided_masked_and_shown_with_their_parameters() {
    for client in PREPARING {
        let gateway = starter_for(client);
        let mut session = MysqlSession::open(&gateway, client, AGENT);
        let rows = session.execute(
            "SELECT id, name, email, profile, total FROM users JOIN orders USING (id) WHERE id = ?",
            &["2"],
        );
        let row = rows.ok();
        assert!(row.starts_with("2|user 2|‹pii.email›|") && !row.contains("whisper"), "{client:?}: {row}");
        assert!(row.contains("20"), "{client:?}: {row}");
        session.execute("DROP TABLE orders", &[]).refused(1227, "SLP-DENIED");
        session.start_op("exec", &["UPDATE orders SET status = ? WHERE id = ?", "paid", "4"]);
        let id = gateway.open_request();
        let shown = gateway.cli(BOB, &["approvals", "show", &id]).ok();
        assert!(shown.contains("paid") && shown.contains("UPDATE orders SET status = ?"), "{shown}");
        assert_eq!(status(&gateway, 4), "new", "{client:?}");
        gateway.approve(&id);
        session.finish().ok();
        assert_eq!(status(&gateway, 4), "paid", "{client:?}");
        assert_eq!(session.execute("SELECT count(*) FROM orders WHERE status = ?", &["new"]).ok(), "19\n");
    }
}

#[test]
fn a_statement_that_is_prepared_in_sql_is_followed_from_text_to_text() {
    let gateway = MysqlGateway::with(Options { limits: "hold_wait = \"1s\"", ..Options::default() }, "app");
    let mut session = MysqlSession::open(&gateway, MysqlClient::PyMySql, AGENT);
    session.run("EXECUTE p").refused(1227, "SLP-UNKNOWN");
    session.run("PREPARE p FROM 'SELECT COUNT(*) FROM orders WHERE id > ?'").ok();
    session.run("SET @least = 5").ok();
    assert_eq!(session.run("EXECUTE p USING @least").ok(), "15\n");
    assert_eq!(session.run("execute P using @least;").ok(), "15\n");
    session.run("PREPARE hidden FROM 'SELECT id, email FROM users'").ok();
    let hidden = session.run("EXECUTE hidden");
    assert!(hidden.ok().contains("‹pii.email›") && !hidden.ok().contains("whisper"), "{hidden:?}");
    // What is held is shown, and approved, with what it stands for.
    let prepare = "PREPARE u FROM 'UPDATE orders SET status = ''paid'' WHERE id = 7'";
    session.run(prepare).refused(1227, "SLP-TICKET");
    gateway.approve(&gateway.open_request());
    session.run(prepare).ok();
    session.run("EXECUTE u").refused(1227, "SLP-TICKET");
    let id = gateway.open_request();
    let shown = gateway.cli(BOB, &["approvals", "show", &id]).ok();
    assert!(shown.contains("''paid''") && shown.contains("EXECUTE u"), "{shown}");
    gateway.approve(&id);
    session.run("EXECUTE u").ok();
    assert_eq!((status(&gateway, 7), status(&gateway, 8)), ("paid".into(), "new".into()));
    session.run("PREPARE d FROM 'DROP TABLE orders'").refused(1227, "SLP-DENIED");
    // Under another mode, from a variable, behind DEALLOCATE and a reset it is unknown.
    session.run("SET sql_mode = 'ANSI_QUOTES'").ok();
    session.run("EXECUTE p USING @least").refused(1227, "SLP-UNKNOWN");
    session.run("SET sql_mode = DEFAULT").ok();
    assert_eq!(session.run("EXECUTE p USING @least").ok(), "15\n");
    session.run("DEALLOCATE PREPARE hidden").ok();
    session.run("EXECUTE hidden").refused(1227, "SLP-UNKNOWN");
    session.run("PREPARE p FROM 'SELECT 1'").ok();
    session.run("PREPARE p FROM 'SELECT nothing FROM nowhere'");
    session.run("EXECUTE p").refused(1227, "SLP-UNKNOWN");
}

#[test]
fn an_approval_is_for_its_parameters_alone() {
    let gateway = MysqlGateway::with(Options { limits: "hold_wait = \"1s\"", ..Options::default() }, "app");
    let mut session = MysqlSession::open(&gateway, MysqlClient::Mysql2, AGENT);
    let sql = "UPDATE orders SET status = ? WHERE id = ?";
    session.execute(sql, &["paid", "6"]).refused(1227, "SLP-TICKET");
    gateway.approve(&gateway.open_request());
    session.execute(sql, &["paid", "7"]).refused(1227, "SLP-TICKET");
    session.execute(sql, &["paid", "6"]).ok();
    assert_eq!((status(&gateway, 6), status(&gateway, 7)), ("paid".into(), "new".into()));
}

/// Connector/J sends a batch as one bulk execution.
#[test]
fn a_batch_is_one_operation_with_all_its_rows() {
    let gateway = open_gateway();
    let mut session = MysqlSession::open(&gateway, MysqlClient::ConnectorJ, AGENT);
    let sql = "INSERT INTO notes (id, body) VALUES (?, ?)";
    let rows: Vec<String> = (1..=300).flat_map(|id| [id.to_string(), format!("note {id} 'é'")]).collect();
    let words: Vec<&str> = [sql, "2"].into_iter().chain(rows.iter().map(String::as_str)).collect();
    assert_eq!(session.op("batch", &words).ok(), "300\n");
    let kept = "SELECT COUNT(*), MIN(id), MAX(id), COUNT(DISTINCT body) FROM notes";
    assert_eq!(gateway.admin_sql(kept), "300\t1\t300\t300");
    let seventh = "SELECT HEX(CONVERT(body USING utf8mb4)) FROM notes WHERE id = 7";
    assert_eq!(gateway.admin_sql(seventh), "6E6F746520372027C3A927");
    session.op("batch", &[sql, "2", "400", "\\N", "401", "x"]).ok();
    assert_eq!(gateway.admin_sql("SELECT id FROM notes WHERE body IS NULL"), "400");
    // A masked value that comes back in any row: none is written.
    let marked = [sql, "2", "500", "x", "501", "see ‹pii.email›", "502", "y"];
    session.op("batch", &marked).refused(1227, "SLP-MASK");
    assert_eq!(gateway.admin_sql("SELECT COUNT(*) FROM notes WHERE id >= 500"), "0");
    assert_eq!(session.run("SELECT 1").ok(), "1\n");
    // Each row can be read afterwards, of what ran and of what did not.
    let id = gateway.newest_session();
    let replay = gateway.cli("admin", &["sessions", "replay", &id]).ok();
    for word in ["note 7 ", "note 299 ", "501"] {
        assert!(replay.contains(word), "{word}: {replay}");
    }
}

#[test]
fn a_batch_that_waits_is_shown_with_every_row_and_approved_as_it_is() {
    let gateway = MysqlGateway::with(Options { limits: "hold_wait = \"2s\"", ..Options::default() }, "app");
    let mut session = MysqlSession::open(&gateway, MysqlClient::ConnectorJ, AGENT);
    let sql = "UPDATE orders SET status = ? WHERE id = ?";
    let batch = [sql, "2", "paid", "11", "sent", "12"];
    session.op("batch", &batch).refused(1227, "SLP-TICKET");
    let id = gateway.open_request();
    let shown = gateway.cli(BOB, &["approvals", "show", &id]).ok();
    for word in ["paid", "sent", "11", "12", "parameter_rows", sql] {
        assert!(shown.contains(word), "{word}: {shown}");
    }
    gateway.approve(&id);
    // Another row, one more, one less: not what was approved.
    for other in [
        &[sql, "2", "paid", "11", "sent", "13"][..],
        &[sql, "2", "paid", "11", "sent", "12", "sent", "13"],
        &[sql, "2", "sent", "12", "paid", "11"],
    ] {
        session.op("batch", other).refused(1227, "SLP-TICKET");
    }
    assert_eq!((status(&gateway, 11), status(&gateway, 12)), ("new".into(), "new".into()));
    session.op("batch", &batch).ok();
    assert_eq!((status(&gateway, 11), status(&gateway, 12)), ("paid".into(), "sent".into()));
    session.op("batch", &batch).refused(1227, "SLP-TICKET");
}

#[test]
fn what_is_larger_than_an_approver_is_shown_is_a_limit() {
    let gateway = starter();
    let mut session = MysqlSession::open(&gateway, MysqlClient::ConnectorJ, AGENT);
    let large = "x".repeat(2 << 20);
    let outcome = session.execute("UPDATE notes SET body = ? WHERE id = ?", &[&large, "1"]);
    outcome.refused(1226, "SLP-LIMIT");
    assert!(outcome.message.contains("1024 KiB"), "{outcome:?}");
    assert_eq!(session.run("SELECT 1").ok(), "1\n");
}

#[test]
fn results_come_several_at_a_time() {
    let gateway = open_gateway();
    let mut session = MysqlSession::open(&gateway, MysqlClient::Mariadb, AGENT);
    assert_eq!(session.run("SELECT 1; SELECT 2").ok(), "1\n2\n");
    let mut node = MysqlSession::open(&gateway, MysqlClient::Mysql2, AGENT);
    assert!(node.run("SELECT 1; SELECT status FROM orders WHERE id = 1").code.is_none());
    // A procedure of unknown body waits for a human, and then gives all it has; what it gives is withheld.
    let mut python = MysqlSession::open(&gateway, MysqlClient::PyMySql, AGENT);
    python.start_op("call", &["two_results"]);
    gateway.approve(&gateway.open_request());
    assert_eq!(python.finish().ok(), "NULL\nNULL\nNULL\n");
    assert_eq!(python.run("SELECT 1").ok(), "1\n");
}

#[test]
fn cursors_fetch_in_parts_and_are_masked() {
    let gateway = starter();
    let mut session = MysqlSession::open(&gateway, MysqlClient::ConnectorJ, AGENT);
    let outcome = session.op("cursor", &["SELECT id, email FROM users ORDER BY id"]);
    let rows: String = (1..=5).map(|id| format!("{id}|‹pii.email›\n")).collect();
    assert_eq!(outcome.ok(), rows);
    assert_eq!(session.run("SELECT 1").ok(), "1\n");
}

#[test]
fn a_large_packet_goes_both_ways() {
    let starter = starter();
    starter.admin_sql("SET GLOBAL max_allowed_packet = 67108864");
    let mut session = MysqlSession::open(&starter, MysqlClient::PyMySql, AGENT);
    let outcome = session.run(&format!("SELECT length('{}')", "x".repeat(17 << 20)));
    // The inspector reads texts of up to a megabyte; longer ones are unknown, never let through unread.
    outcome.refused(1227, "SLP-UNKNOWN");
    assert_eq!(session.run("SELECT 1").ok(), "1\n");
    let gateway = open_gateway();
    let mut session = MysqlSession::open(&gateway, MysqlClient::PyMySql, AGENT);
    session.run("SELECT repeat('x', 17000000)").refused(1226, "SLP-LIMIT");
    assert_eq!(session.run("SELECT 1").ok(), "1\n");
}

#[test]
fn attack_17_kill_reaches_the_caller_s_own_connections_only() {
    let gateway = open_gateway();
    let mut mine = MysqlSession::open(&gateway, MysqlClient::PyMySql, AGENT);
    let number = mine.op("id", &[]).ok().trim().to_owned();
    let mut other = MysqlSession::open(&gateway, MysqlClient::PyMySql, BOB);
    assert_eq!(other.op("kill", &[&number]).code, Some(1094));
    assert_eq!(other.run(&format!("KILL QUERY {number}")).code, Some(1094));
    // The target's own numbers reach nobody.
    let upstream = mine.run("SELECT CONNECTION_ID()").ok().trim().to_owned();
    assert_eq!(other.run(&format!("KILL {upstream}")).code, Some(1094));
    other.run(&format!("SELECT 1; KILL {upstream}")).refused(1227, "SLP-DENIED");
    other.execute(&format!("KILL {upstream}"), &[]);
    assert_eq!(mine.run("SELECT 1").ok(), "1\n", "it lives");
    // The caller's own: what runs is cancelled, and the connection stays.
    let mut second = MysqlSession::open(&gateway, MysqlClient::PyMySql, AGENT);
    let started = std::time::Instant::now();
    mine.start("SELECT sleep(20)");
    std::thread::sleep(std::time::Duration::from_millis(1500));
    second.run(&format!("KILL QUERY {number}")).ok();
    mine.finish();
    assert!(started.elapsed() < std::time::Duration::from_secs(12));
    assert_eq!(mine.run("SELECT 1").ok(), "1\n");
    second.op("kill", &[&number]).ok();
    assert!(mine.run("SELECT 1").code.is_some());
}

#[test]
fn cancelling_a_hold_withdraws_it() {
    let gateway = starter();
    let mut session = MysqlSession::open(&gateway, MysqlClient::PyMySql, AGENT);
    let number = session.op("id", &[]).ok().trim().to_owned();
    session.start("UPDATE orders SET status = 'x' WHERE id = 8");
    let id = gateway.open_request();
    let mut second = MysqlSession::open(&gateway, MysqlClient::PyMySql, AGENT);
    second.run(&format!("KILL QUERY {number}")).ok();
    session.finish().refused(1317, "SLP-WITHDRAWN");
    assert_eq!(gateway.request_state(&id), "withdrawn");
    assert_eq!(status(&gateway, 8), "new");
}

#[test]
fn attack_18_a_text_is_read_as_the_session_s_settings_have_it() {
    let gateway = starter();
    for client in [MysqlClient::PyMySql, MysqlClient::Mariadb] {
        let mut session = MysqlSession::open(&gateway, client, AGENT);
        session.run("SET sql_mode = 'ANSI_QUOTES'").ok();
        // Now an identifier: it names the labelled column.
        let outcome = session.run("SELECT \"email\" FROM users WHERE id = 1");
        assert_eq!(outcome.ok(), "‹pii.email›\n");
        session.run("SET sql_mode = 'NO_BACKSLASH_ESCAPES'").ok();
        session.run("SELECT '\\'; DROP TABLE orders; -- '").refused(1227, "SLP-");
        session.run("SET sql_mode = ''").ok();
        session.run("SET NAMES gbk").ok();
        assert!(session.run("SELECT 1").code.is_none());
        session.run("SET NAMES utf8mb4").ok();
    }
    assert_eq!(gateway.admin_sql("SELECT COUNT(*) FROM orders"), "20");
}

#[test]
fn a_protected_value_does_not_leave_by_a_variable_or_a_message() {
    let gateway = open_gateway();
    let mut session = MysqlSession::open(&gateway, MysqlClient::PyMySql, AGENT);
    session.run("SELECT email INTO @stolen FROM users WHERE id = 1").ok();
    for sql in ["SELECT @stolen", "SELECT upper(@stolen), 1", "SELECT concat(@stolen, '')"] {
        let outcome = session.run(sql);
        assert!(!outcome.ok().to_lowercase().contains("whisper"), "{sql}: {outcome:?}");
    }
    let outcome = session.run("INSERT INTO users SELECT 9, name, email, ssn, diagnosis, pin, profile, photo FROM users WHERE id = 1");
    assert_eq!(outcome.code, Some(1062));
    assert!(!outcome.message.contains("whisper"), "{outcome:?}");
    let warnings = session.run("SHOW WARNINGS");
    assert!(!warnings.ok().contains("whisper"), "{warnings:?}");
    let cast = session.run("SELECT CAST(email AS SIGNED) FROM users WHERE id = 1");
    assert!(!cast.ok().contains("whisper"));
    let warnings = session.run("SHOW WARNINGS");
    assert!(!warnings.ok().contains("whisper"), "{warnings:?}");
}

#[test]
fn a_database_is_named_at_sign_in_and_changed_by_use() {
    let gateway = open_gateway();
    let mut session = MysqlSession::open(&gateway, MysqlClient::Mariadb, AGENT);
    assert_eq!(session.run("SELECT database()").ok(), format!("{}\n", gateway.database));
    session.run("USE information_schema").ok();
    assert_eq!(session.run("SELECT database()").ok(), "information_schema\n");
    let hidden = format!("SELECT email FROM {}.users WHERE id = 1", gateway.database);
    assert_eq!(session.run(&hidden).ok(), "‹pii.email›\n", "whatever database is the current one");
}

#[test]
fn a_replacement_is_held_and_a_ticket_used_once_by_a_new_session() {
    let gateway = MysqlGateway::with(Options { limits: "hold_wait = \"1s\"", ..Options::default() }, "app");
    let sql = "UPDATE orders SET total = total + 1 WHERE id = 6";
    let mut first = MysqlSession::open(&gateway, MysqlClient::Mariadb, AGENT);
    first.run(sql).refused(1227, "SLP-TICKET");
    drop(first);
    gateway.approve(&gateway.open_request());
    let mut second = MysqlSession::open(&gateway, MysqlClient::Mariadb, AGENT);
    second.run(sql).ok();
    assert_eq!(gateway.admin_sql("SELECT total FROM orders WHERE id = 6"), "61.00");
    second.run(sql).refused(1227, "SLP-TICKET");
}

/// Makes a password and gives its user name and itself.
fn password(gateway: &MysqlGateway, who: &str, words: &[&str]) -> (String, String) {
    let made = gateway.json(who, &[&["token", "password"], words].concat());
    (made["username"].as_str().expect("a user").to_owned(), made["password"].as_str().expect("it").to_owned())
}

#[test]
fn a_short_lived_password_signs_in_where_a_token_cannot() {
    let (gateway, plain) = (starter(), starter_for(MysqlClient::Sqlx));
    let password_at = |gateway| password(gateway, AGENT, &["shop-prod", "--expires", "10m"]);
    let ((user, secret), (plain_user, plain_secret)) = (password_at(&gateway), password_at(&plain));
    for client in [
        MysqlClient::Mariadb,
        MysqlClient::PyMySql,
        MysqlClient::ConnectorPython,
        MysqlClient::SqlAlchemy,
        MysqlClient::Mysql2,
        MysqlClient::ConnectorJ,
        MysqlClient::Sqlx,
        MysqlClient::MysqlAsync,
    ] {
        let (gateway, user, secret) = if client.speaks_tls() {
            (&gateway, &user, &secret)
        } else {
            (&plain, &plain_user, &plain_secret)
        };
        let (mut session, outcome) =
            MysqlSession::attempt_as(gateway, client, Some(user), secret, "shop-prod");
        outcome.ok();
        assert_eq!(session.run("SELECT email FROM users WHERE id = 1").ok(), "‹pii.email›\n", "{client:?}");
        session.run("DROP TABLE orders").refused(1227, "SLP-DENIED");
        // Another's password, or none, opens nothing.
        for wrong in ["", "x", &secret[1..]] {
            let (_, outcome) = MysqlSession::attempt_as(gateway, client, Some(user), wrong, "shop-prod");
            assert!(outcome.code.is_some(), "{client:?}: {wrong}");
        }
        let stranger = "slp-aaaaaaaaaaaaaaaa";
        let (_, outcome) = MysqlSession::attempt_as(gateway, client, Some(stranger), secret, "shop-prod");
        assert!(outcome.code.is_some(), "{client:?}");
    }
    // By the other plugin at once, and by one that the gateway asks it to leave for that.
    for plugin in ["caching_sha2_password", "sha256_password"] {
        let python = MysqlClient::ConnectorPython;
        let user = format!("{user}:{plugin}");
        let (mut session, outcome) =
            MysqlSession::attempt_as(&gateway, python, Some(&user), &secret, "shop-prod");
        outcome.ok();
        assert_eq!(session.run("SELECT 1").ok(), "1\n", "{plugin}");
        let (_, outcome) = MysqlSession::attempt_as(&gateway, python, Some(&user), "wrong", "shop-prod");
        assert_eq!(outcome.code, Some(1045), "{plugin}: {outcome:?}");
    }
    let id = gateway.newest_session();
    let shown = gateway.cli("admin", &["sessions", "replay", &id]).ok();
    assert!(shown.contains(AGENT) && shown.contains("by password"), "{shown}");
    assert!(!gateway.log().contains(&secret) && !shown.contains(&secret));
}

#[test]
fn attack_6_a_short_lived_password_is_for_its_target_and_ends_with_its_token() {
    let gateway = starter();
    let refused = |words: &[&str]| {
        let ran = gateway.cli(AGENT, &[&["token", "password"], words].concat());
        assert_ne!(ran.code, 0, "{ran:?}");
    };
    refused(&["nowhere"]);
    refused(&["postgres-prod"]);
    refused(&["shop-prod", "--expires", "2h"]);
    refused(&["shop-prod", "--expires", "1s"]);
    let (user, secret) = password(&gateway, AGENT, &["shop-prod"]);
    // The one other thing that could be named: nothing else is reached by it.
    for database in ["postgres-prod", "shop-prod/mysql"] {
        let (_, outcome) =
            MysqlSession::attempt_as(&gateway, MysqlClient::PyMySql, Some(&user), &secret, database);
        assert!(outcome.code.is_some(), "{database}");
    }
    let (mut session, outcome) =
        MysqlSession::attempt_as(&gateway, MysqlClient::PyMySql, Some(&user), &secret, "shop-prod");
    outcome.ok();
    assert_eq!(session.run("SELECT 1").ok(), "1\n");
    let list = gateway.json("admin", &["tokens", "list"]);
    let tokens = list["tokens"].as_array().expect("tokens");
    for token in tokens.iter().filter(|token| token["principal"] == AGENT) {
        gateway.cli("admin", &["tokens", "revoke", token["id"].as_str().expect("an id")]).ok();
    }
    let (_, outcome) =
        MysqlSession::attempt_as(&gateway, MysqlClient::PyMySql, Some(&user), &secret, "shop-prod");
    assert_eq!(outcome.code, Some(1045), "{outcome:?}");
}
