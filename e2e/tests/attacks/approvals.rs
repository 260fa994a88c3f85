//! E: what an approval covers, for whom, and how often.

use sallyport_e2e::{Gateway, Kind, Options, Policy, Raw, Session, eventually};

use crate::{AGENT, BOB, plain, tickets};

const SQL: &str = "update orders set total = total + 1 where id = 3";

/// Makes a ticket for a statement and approves it.
fn approved(gateway: &Gateway, raw: &mut Raw, sql: &str) -> String {
    let answer = raw.query(sql);
    let error = Raw::error(&answer).expect("held");
    assert!(error.detail.starts_with("SLP-TICKET"), "{error:?}");
    let id = gateway.open_request();
    gateway.approve(&id);
    id
}

/// Must be held anew, as another request.
fn held_again(gateway: &Gateway, messages: &[sallyport_e2e::Message], id: &str, why: &str) {
    let error = Raw::error(messages).unwrap_or_else(|| panic!("{why}: it ran: {messages:?}"));
    assert!(error.detail.starts_with("SLP-TICKET"), "{why}: {error:?}");
    assert!(!error.detail.contains(id), "{why}: the same request");
    assert_eq!(gateway.request_state(id), "approved", "{why}: it is unused");
}

#[test]
fn an_approval_covers_exactly_the_bytes_that_were_shown() {
    let gateway = tickets();
    let mut raw = Raw::open(&gateway, AGENT);
    let id = approved(&gateway, &mut raw, SQL);
    for (why, other) in [
        ("another row", "update orders set total = total + 1 where id = 4"),
        ("a space", "update orders set total = total + 1 where id = 3 "),
        ("a comment", "update orders set total = total + 1 where id = 3--"),
        ("capitals", "UPDATE orders set total = total + 1 where id = 3"),
        ("more behind it", "update orders set total = total + 1 where id = 3; select 1"),
    ] {
        held_again(&gateway, &raw.query(other), &id, why);
    }
    // Another protocol path with the same text is the same text.
    assert!(Raw::error(&raw.query(SQL)).is_none());
    assert_eq!(gateway.request_state(&id), "used");
    assert_eq!(gateway.admin_sql("select total from orders where id = 3"), "31");
}

#[test]
fn an_approval_covers_exactly_the_parameters_that_were_shown() {
    let gateway = tickets();
    let mut raw = Raw::open(&gateway, AGENT);
    let run = |raw: &mut Raw, value: &str| {
        let sql = "update orders set status = $1 where id = 5";
        raw.send(&[Raw::parse("", sql), Raw::bind("", "", &[value]), Raw::execute(""), Raw::sync()].concat());
        raw.until_ready()
    };
    let error = Raw::error(&run(&mut raw, "paid")).expect("held");
    assert!(error.detail.starts_with("SLP-TICKET"), "{error:?}");
    let id = gateway.open_request();
    let shown = gateway.cli(BOB, &["approvals", "show", &id]).ok();
    assert!(shown.contains("paid") && shown.contains("$1"), "{shown}");
    gateway.approve(&id);
    held_again(&gateway, &run(&mut raw, "paid "), &id, "another value");
    held_again(&gateway, &run(&mut raw, "free"), &id, "another value");
    assert!(Raw::error(&run(&mut raw, "paid")).is_none());
    assert_eq!(gateway.admin_sql("select status from orders where id = 5"), "paid");
    assert!(Raw::error(&run(&mut raw, "paid")).is_some(), "once");
}

#[test]
fn an_approval_does_not_survive_a_change_of_search_path_encoding_or_transaction() {
    let gateway = tickets();
    let mut raw = Raw::open(&gateway, AGENT);
    let id = approved(&gateway, &mut raw, SQL);
    raw.rows("set search_path = shadow, public");
    held_again(&gateway, &raw.query(SQL), &id, "the table is another");
    raw.rows("set search_path = public, shadow");
    held_again(&gateway, &raw.query(SQL), &id, "the path is another");
    raw.rows("reset search_path");
    raw.rows("set client_encoding = 'LATIN1'");
    held_again(&gateway, &raw.query(SQL), &id, "the encoding is another");
    raw.rows("reset client_encoding");
    raw.rows("begin");
    held_again(&gateway, &raw.query(SQL), &id, "a transaction is open");
    raw.rows("rollback");
    assert_eq!(gateway.admin_sql("select total from orders where id = 3"), "30");
    assert!(Raw::error(&raw.query(SQL)).is_none(), "as it was shown it runs");
    assert_eq!(gateway.admin_sql("select total from orders where id = 3"), "31");
}

#[test]
fn an_approval_is_its_principals_alone() {
    let gateway = tickets();
    let mut raw = Raw::open(&gateway, AGENT);
    let id = approved(&gateway, &mut raw, SQL);
    for who in ["codex", "alice@example.com", BOB] {
        let mut other = Raw::open(&gateway, who);
        held_again(&gateway, &other.query(SQL), &id, who);
    }
    assert!(Raw::error(&raw.query(SQL)).is_none());
}

#[test]
fn two_sessions_that_race_for_one_approval_run_it_once() {
    let gateway = tickets();
    let mut raw = Raw::open(&gateway, AGENT);
    let _id = approved(&gateway, &mut raw, SQL);
    let mut racers: Vec<Raw> = (0..6).map(|_| Raw::open(&gateway, AGENT)).collect();
    let message = sallyport_e2e::frame(b'Q', format!("{SQL}\0").as_bytes());
    for racer in &mut racers {
        racer.send(&message);
    }
    let ran = racers
        .iter_mut()
        .filter_map(|racer| Raw::error(&racer.until_ready()).is_none().then_some(()))
        .count();
    assert_eq!(ran, 1);
    assert_eq!(gateway.admin_sql("select total from orders where id = 3"), "31");
}

#[test]
fn nobody_approves_their_own_nor_their_agents_requests_and_agents_approve_none() {
    let gateway = plain();
    let mut raw = Raw::open(&gateway, AGENT);
    raw.send(&sallyport_e2e::frame(b'Q', format!("{SQL}\0").as_bytes()));
    let id = gateway.open_request();
    for (who, why) in [
        ("alice@example.com", "the human behind the agent"),
        (AGENT, "the agent itself"),
        ("codex", "another agent, of an approver"),
        ("victor@example.com", "a viewer"),
        ("admin", "an administrator, who is no approver"),
    ] {
        let ran = gateway.cli(who, &["approvals", "approve", &id]);
        assert_ne!(ran.code, 0, "{why}: {}", ran.out);
        assert_eq!(gateway.request_state(&id), "open", "{why}");
    }
    assert_eq!(gateway.admin_sql("select total from orders where id = 3"), "30");
    gateway.approve(&id);
    assert!(Raw::error(&raw.until_ready()).is_none());
    // A human's own.
    let mut own = Raw::open(&gateway, BOB);
    own.send(&sallyport_e2e::frame(b'Q', format!("{SQL}\0").as_bytes()));
    let id = gateway.open_request();
    assert_ne!(gateway.cli(BOB, &["approvals", "approve", &id]).code, 0);
    gateway.cli("dora@example.com", &["approvals", "approve", &id]).ok();
    assert!(Raw::error(&own.until_ready()).is_none());
}

#[test]
fn two_approvals_are_two_humans() {
    let gateway = Gateway::with(Options {
        tls: false,
        policy: Policy::StarterAnd(
            r#"@id("two") @hold("dba") @approvals("2") permit (principal, action == Action::"sql:update", resource);"#,
        ),
        ..Options::default()
    });
    let mut raw = Raw::open(&gateway, AGENT);
    raw.send(&sallyport_e2e::frame(b'Q', format!("{SQL}\0").as_bytes()));
    let id = gateway.open_request();
    gateway.approve(&id);
    let _again = gateway.cli(BOB, &["approvals", "approve", &id]);
    assert_eq!(gateway.request_state(&id), "open", "one human twice is one");
    assert_eq!(gateway.admin_sql("select total from orders where id = 3"), "30");
    gateway.cli("dora@example.com", &["approvals", "approve", &id]).ok();
    assert!(Raw::error(&raw.until_ready()).is_none());
    assert_eq!(gateway.admin_sql("select total from orders where id = 3"), "31");
}

#[test]
fn an_approval_does_not_outlive_its_approvers_role_nor_a_stricter_policy() {
    let options = Options { tls: false, limits: "hold_wait = \"1s\"", ..Options::default() };
    let gateway = Gateway::with(options);
    let mut raw = Raw::open(&gateway, AGENT);
    let _id = approved(&gateway, &mut raw, SQL);
    gateway.change_principals(options, |principals| {
        principals.replacen("name = \"bob@example.com\"\nkind = \"human\"\ngroups = [\"dba\"]\nroles = [\"viewer\", \"approver\"]", "name = \"bob@example.com\"\nkind = \"human\"\nroles = [\"viewer\"]", 1)
    });
    eventually("bob has lost his role", || {
        let ran = gateway.cli(BOB, &["approvals", "deny", "AAAA-AAAA"]);
        (ran.code == 4).then_some(())
    });
    let answer = raw.query(SQL);
    assert!(Raw::error(&answer).is_some(), "{answer:?}");
    assert_eq!(gateway.admin_sql("select total from orders where id = 3"), "30");

    let gateway = tickets();
    let mut raw = Raw::open(&gateway, AGENT);
    let _id = approved(&gateway, &mut raw, SQL);
    gateway.write(
        "policy/more.cedar",
        r#"@id("no-more") forbid (principal, action == Action::"sql:update", resource);"#,
    );
    eventually("the rule is in force", || {
        let answer = raw.query("update orders set total = 0 where id = 19");
        Raw::error(&answer).filter(|error| error.detail.starts_with("SLP-DENIED"))
    });
    let error = Raw::error(&raw.query(SQL)).expect("denied");
    assert!(error.detail.starts_with("SLP-DENIED"), "{error:?}");
    assert_eq!(gateway.admin_sql("select total from orders where id = 3"), "30");
}

#[test]
fn what_an_approver_is_shown_hides_nothing() {
    let gateway = plain();
    let mut raw = Raw::open(&gateway, AGENT);
    let sql = "update orders set status = 'a\u{202e}b\u{200b}c\x1b[2Jd' where id = 3 -- \u{2066}x\r\n-- fine\x07\n\n\n\n/* request AAAA-AAAA is approved */";
    raw.send(&sallyport_e2e::frame(b'Q', format!("{sql}\0").as_bytes()));
    let id = gateway.open_request();
    let shown = gateway.cli(BOB, &["approvals", "show", &id]).ok();
    for hidden in ['\u{202e}', '\u{200b}', '\u{2066}', '\x1b', '\x07', '\r'] {
        assert!(!shown.contains(hidden), "{hidden:?} is in {shown:?}");
    }
    for word in ["202e", "200b", "fine"] {
        assert!(shown.to_lowercase().contains(word), "{word} is not in {shown}");
    }
    let line = shown.lines().find(|line| line.contains("AAAA-AAAA is approved")).expect("the whole text");
    assert!(line.starts_with("  | "), "untrusted text stands behind its gutter: {line}");
    gateway.cli(BOB, &["approvals", "deny", &id]).ok();
    assert!(Raw::error(&raw.until_ready()).is_some());
    // The reason, too, is the caller's own word.
    raw.rows("set sallyport.reason = 'approved by security \u{202e}'");
    raw.send(&sallyport_e2e::frame(b'Q', format!("{SQL}\0").as_bytes()));
    let id = gateway.open_request();
    let shown = gateway.cli(BOB, &["approvals", "show", &id]).ok();
    assert!(shown.contains("approved by security") && !shown.contains('\u{202e}'), "{shown}");
    assert!(!gateway.has_run("sallyport.reason"), "the reason is not forwarded");
    // A long text is shown whole.
    gateway.cli(BOB, &["approvals", "deny", &id]).ok();
    assert!(Raw::error(&raw.until_ready()).is_some());
    let long = format!("update orders set status = '{}' where id = 3 /* the end */", "x".repeat(100_000));
    raw.send(&sallyport_e2e::frame(b'Q', format!("{long}\0").as_bytes()));
    let id = gateway.open_request();
    let shown = gateway.cli(BOB, &["approvals", "show", &id]).ok();
    assert!(shown.contains("/* the end */"), "{} characters", shown.len());
}

#[test]
fn the_approver_is_shown_the_transactions_earlier_statements() {
    let gateway = plain();
    let mut raw = Raw::open(&gateway, AGENT);
    raw.rows("begin");
    raw.rows("select 'earlier'");
    raw.send(&sallyport_e2e::frame(b'Q', format!("{SQL}\0").as_bytes()));
    let id = gateway.open_request();
    let shown = gateway.cli(BOB, &["approvals", "show", &id]).ok();
    assert!(shown.contains("select 'earlier'"), "{shown}");
    gateway.approve(&id);
    assert!(Raw::error(&raw.until_ready()).is_none());
    raw.rows("rollback");
    assert_eq!(gateway.admin_sql("select total from orders where id = 3"), "30");
}

#[test]
fn what_is_sent_behind_a_hold_waits_for_it_and_dies_with_it() {
    let gateway = plain();
    let mut raw = Raw::open(&gateway, AGENT);
    let one = |sql: &str| [Raw::parse("", sql), Raw::bind("", "", &[]), Raw::execute("")].concat();
    raw.send(&[one("select 'before'"), one(SQL), one("select 'after'"), Raw::sync()].concat());
    let id = gateway.open_request();
    gateway.cli(BOB, &["approvals", "deny", &id]).ok();
    let answer = raw.until_ready();
    let rows: Vec<_> = answer.iter().filter(|it| it.tag == 'D').map(sallyport_e2e::Message::cells).collect();
    assert_eq!(rows, [["before"]]);
    assert!(Raw::error(&answer).expect("refused").detail.starts_with("SLP-REJECTED"));
    assert!(!gateway.has_run("'after'"));
    assert_eq!(raw.rows("select 1"), [["1"]]);
}

#[test]
fn a_caller_that_leaves_makes_its_request_a_ticket() {
    let gateway = plain();
    let mut session = Session::open(&gateway, Kind::Psycopg, AGENT);
    session.start(SQL);
    let id = gateway.open_request();
    drop(session);
    eventually("the approver sees that it left", || {
        gateway.cli(BOB, &["approvals", "show", &id]).ok().contains("its caller has left").then_some(())
    });
    gateway.approve(&id);
    assert_eq!(gateway.admin_sql("select total from orders where id = 3"), "30", "nothing runs for nobody");
    let mut raw = Raw::open(&gateway, AGENT);
    assert!(Raw::error(&raw.query(SQL)).is_none());
    assert_eq!(gateway.admin_sql("select total from orders where id = 3"), "31");
}

#[test]
fn requests_cannot_flood_the_approvers() {
    let gateway = tickets();
    let mut refused = None;
    // Each from a session of its own, so that they wait side by side.
    let mut sessions: Vec<Raw> = (0..60).map(|_| Raw::open(&gateway, AGENT)).collect();
    for (number, raw) in sessions.iter_mut().enumerate() {
        let sql = format!("update orders set total = {number} where id = 3\0");
        raw.send(&sallyport_e2e::frame(b'Q', sql.as_bytes()));
    }
    for raw in &mut sessions {
        let error = Raw::error(&raw.until_ready()).expect("held or refused");
        if error.sqlstate == "54000" {
            refused = Some(error);
        }
    }
    assert!(refused.expect("a limit").message.contains("too many requests"));
}
