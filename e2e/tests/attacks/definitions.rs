//! C 20 and D 21: definitions that change under a caller's own hands, in a transaction that nobody else sees yet.

use sallyport_e2e::{Gateway, Options, Policy, Raw, eventually, frame};

use crate::{AGENT, schema_allowed};

const SWAPPED: &str =
    "create or replace view patients as select id, name as what, diagnosis as name from users";

/// Sends messages that wait for a lock of another's open transaction, ends that, and gives the whole answer.
fn overtaken(gateway: &Gateway, other: &mut Raw, messages: &[u8], end: &str) -> Vec<sallyport_e2e::Message> {
    let mut raw = Raw::open(gateway, AGENT);
    raw.rows("select 1");
    raw.send(messages);
    let waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()";
    eventually("it waits for the lock", || (gateway.admin_sql(waiting) != "0").then_some(()));
    other.rows(end);
    raw.until_ready()
}

fn one(sql: &str) -> Vec<u8> {
    [Raw::parse("", sql), Raw::bind("", "", &[]), Raw::describe(""), Raw::execute("")].concat()
}

#[test]
fn a_view_that_was_redefined_in_the_transaction_does_not_show_what_the_old_one_would() {
    let gateway = schema_allowed();
    let mut raw = Raw::open(&gateway, AGENT);
    assert_eq!(raw.rows("select name from patients where id = 1"), [["user 1"]], "unlabelled, and shown");
    raw.rows("begin");
    assert!(Raw::error(&raw.query(SWAPPED)).is_none());
    for read in [
        "select name from patients where id = 1",
        "select p.name from (select * from patients) p",
        "select max(name) from patients",
        "with p as (table patients) select name from p",
        "select p.name, f.a from patients p left join fresh f on false",
    ] {
        if read.contains("fresh") {
            assert!(Raw::error(&raw.query("create table fresh (a int)")).is_none());
        }
        let said = raw.rows(read);
        assert!(!said.is_empty() && !format!("{said:?}").contains("hisper"), "{read}: {said:?}");
    }
    raw.send(&[one("select name from patients where id = 1"), Raw::sync()].concat());
    let said = format!(
        "{:?}",
        raw.until_ready().iter().filter(|it| it.tag == 'D').map(|it| it.cells()).collect::<Vec<_>>()
    );
    assert!(said.contains("unsettled") && !said.contains("hisper"), "{said}");
    let copied = raw.query("copy (select name from patients) to stdout");
    assert!(!copied.iter().any(|it| it.tag == 'd'), "a COPY that cannot be settled is refused: {copied:?}");
    raw.rows("rollback");
    assert_eq!(raw.rows("select name from patients where id = 1"), [["user 1"]], "undone, it is shown again");
    // Committed, the catalog knows.
    raw.rows(&format!("begin; {SWAPPED}; commit"));
    assert_eq!(raw.rows("select name, what from patients where id = 1"), [["‹pii.diagnosis›", "user 1"]]);
}

#[test]
fn a_view_redefined_in_a_pipeline_shows_nothing_either() {
    let gateway = schema_allowed();
    let mut raw = Raw::open(&gateway, AGENT);
    raw.send(&[one(SWAPPED), one("select name from patients where id = 1"), Raw::sync()].concat());
    let answer = raw.until_ready();
    assert!(Raw::error(&answer).is_none(), "{answer:?}");
    assert!(
        !format!("{:?}", answer.iter().map(|it| String::from_utf8_lossy(&it.body)).collect::<Vec<_>>())
            .contains("hisper")
    );
}

#[test]
fn definitions_and_reads_of_them_in_one_pipeline_leave_the_session_open() {
    let gateway = schema_allowed();
    let mut raw = Raw::open(&gateway, AGENT);
    raw.send(
        &[
            one("create table fresh (a int)"),
            one("insert into fresh values (1)"),
            one("select a from fresh"),
            Raw::sync(),
        ]
        .concat(),
    );
    assert!(Raw::error(&raw.until_ready()).is_none());
    assert_eq!(raw.rows("select a from fresh"), [["1"]]);
    // The altered table is locked, and the views over it cannot be read meanwhile.
    raw.send(
        &[one("alter table users add note text"), one("select id from users where id = 1"), Raw::sync()]
            .concat(),
    );
    let answer = raw.until_ready();
    assert!(Raw::error(&answer).is_none(), "{answer:?}");
    assert_eq!(raw.rows("select name, note from users where id = 1"), [["user 1", ""]]);
}

#[test]
fn an_open_change_of_definitions_does_not_end_the_sessions_of_others() {
    let gateway = schema_allowed();
    let (mut one, mut other) = (Raw::open(&gateway, AGENT), Raw::open(&gateway, AGENT));
    assert_eq!(other.rows("select count(*) from orders"), [["20"]]);
    one.rows("begin");
    assert!(Raw::error(&one.query("alter table users add remark text")).is_none());
    let mut third = Raw::open(&gateway, AGENT);
    for raw in [&mut other, &mut third] {
        assert_eq!(raw.rows("select count(*) from orders"), [["20"]]);
    }
    // Nobody can read the catalog now: what needs it is refused, and runs once the lock is gone.
    gateway.admin_sql("create table elsewhere (a int); alter table elsewhere owner to app");
    let refused = third.query("select * from elsewhere");
    if let Some(error) = Raw::error(&refused) {
        assert_eq!(error.sqlstate, "55000", "{error:?}");
        assert!(error.detail.starts_with("SLP-TARGET"), "{error:?}");
    }
    one.rows("commit");
    assert!(third.rows("select a from elsewhere").is_empty());
    third.send(&frame(b'Q', b"select remark from users where id = 1\0"));
    assert!(Raw::error(&third.until_ready()).is_none());
}

#[test]
fn what_another_redefines_under_a_waiting_query_is_masked_as_unsettled() {
    let gateway = schema_allowed();
    let restored = "create or replace view patients as select id, diagnosis as what, name from users";
    let sql = "select name from patients where id = 1";
    let simple = |sql: &str| frame(b'Q', format!("{sql}\0").as_bytes());
    let mut other = Raw::open(&gateway, AGENT);
    for (why, messages) in [
        ("a query", simple(sql)),
        ("a prepared statement", [one(sql), Raw::sync()].concat()),
        ("an expression", simple("select upper(name) from patients where id = 1")),
        ("a COPY", simple("copy (select name from patients where id = 1) to stdout")),
        ("an error", simple("select name::int from patients where id = 1")),
        ("a cursor", simple("begin; declare c cursor for select name from patients; fetch 1 from c; commit")),
    ] {
        other.rows("begin");
        assert!(Raw::error(&other.query(SWAPPED)).is_none(), "{why}");
        let answer = overtaken(&gateway, &mut other, &messages, "commit");
        let said = shown(&answer);
        assert!(!said.contains("hisper"), "{why}: {said}");
        // What is known again is masked by what it is.
        let mut raw = Raw::open(&gateway, AGENT);
        assert_eq!(raw.rows(sql), [["‹pii.diagnosis›"]], "{why}");
        assert!(Raw::error(&other.query(restored)).is_none());
        assert_eq!(raw.rows(sql), [["user 1"]], "{why}");
    }
}

/// Everything that the caller got.
fn shown(messages: &[sallyport_e2e::Message]) -> String {
    let bodies: Vec<_> = messages.iter().map(|it| String::from_utf8_lossy(&it.body)).collect();
    format!("{bodies:?}")
}

#[test]
fn a_prepared_statement_shows_nothing_of_a_view_that_was_replaced_since() {
    let gateway = schema_allowed();
    let (mut raw, mut other) = (Raw::open(&gateway, AGENT), Raw::open(&gateway, AGENT));
    raw.rows("prepare p as select name from patients where id = 1");
    assert_eq!(raw.rows("execute p"), [["user 1"]]);
    assert!(Raw::error(&other.query(SWAPPED)).is_none());
    for _ in 0..2 {
        let said = shown(&raw.query("execute p"));
        assert!(!said.contains("hisper"), "{said}");
    }
    // Nor of another schema's table, once the path leads there.
    raw.rows(
        "create schema theirs; create table theirs.names as select 1 as id, diagnosis as name from users",
    );
    raw.rows("create table names as select id, name from users; prepare q as select name from names");
    raw.rows("set search_path = theirs, public");
    let facts = raw.query("execute q");
    assert!(Raw::error(&facts).is_none() && !shown(&facts).contains("hisper"), "{}", shown(&facts));
}

#[test]
fn what_was_approved_is_asked_anew_once_it_would_do_something_else() {
    let gateway = Gateway::with(Options {
        tls: false,
        limits: "hold_wait = \"1s\"\nhold_wait_in_transaction = \"1s\"",
        policy: Policy::Only(
            r#"
@id("connect") permit (principal, action == Action::"connect", resource);
@id("updates") @hold("dba") permit (principal, action == Action::"sql:update", resource);
@id("rest") permit (principal, action in Action::"sql", resource) unless { action == Action::"sql:update" };
"#,
        ),
        ..Options::default()
    });
    let (mut raw, mut other) = (Raw::open(&gateway, AGENT), Raw::open(&gateway, AGENT));
    let sql = "update counted set total = total + 1 where id = 3";
    other.rows("create view counted as select id, total from orders");
    let held = |raw: &mut Raw| {
        let error = Raw::error(&raw.query(sql)).expect("held");
        assert!(error.detail.starts_with("SLP-TICKET"), "{error:?}");
        gateway.open_request()
    };
    let first = held(&mut raw);
    gateway.approve(&first);
    other.rows("create or replace view counted as select id, total from shadow.orders");
    let second = held(&mut raw);
    assert_ne!(first, second, "it is another table's rows now");
    assert_eq!(gateway.request_state(&first), "withdrawn");
    gateway.approve(&second);
    assert!(Raw::error(&raw.query(sql)).is_none());
    assert_eq!(gateway.request_state(&second), "used");
    assert_eq!(gateway.admin_sql("select total from orders where id = 3"), "30");
}

#[test]
fn what_waits_and_would_do_something_else_by_now_is_not_run() {
    let gateway = Gateway::with(Options {
        tls: false,
        policy: Policy::Only(
            r#"
@id("connect") permit (principal, action == Action::"connect", resource);
@id("updates") @hold("dba") permit (principal, action == Action::"sql:update", resource);
@id("rest") permit (principal, action in Action::"sql", resource) unless { action == Action::"sql:update" };
"#,
        ),
        ..Options::default()
    });
    let (mut raw, mut other) = (Raw::open(&gateway, AGENT), Raw::open(&gateway, AGENT));
    other.rows("create view counted as select id, total from orders");
    let sql = b"update counted set total = total + 1 where id = 3\0";
    raw.send(&frame(b'Q', sql));
    let id = gateway.open_request();
    // Something else that changes does not matter.
    other.rows("create table elsewhere (a int)");
    gateway.approve(&id);
    assert!(Raw::error(&raw.until_ready()).is_none());
    assert_eq!(gateway.admin_sql("select total from orders where id = 3"), "31");
    raw.send(&frame(b'Q', sql));
    let id = gateway.open_request();
    other.rows("create or replace view counted as select id, total from shadow.orders");
    gateway.approve(&id);
    let error = Raw::error(&raw.until_ready()).expect("refused");
    assert!(error.detail.starts_with("SLP-EXPIRED"), "{error:?}");
    assert_eq!(raw.rows("select 1"), [["1"]], "the connection is usable");
}
