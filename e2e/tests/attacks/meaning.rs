//! C 18 to 20: meaning that is not in the verb, and names that change what they mean.

use sallyport_e2e::{Gateway, Options, Policy, Raw};

use crate::{AGENT, open, plain};

#[test]
fn nothing_that_changes_rows_passes_as_a_read() {
    let gateway = plain();
    let mut raw = Raw::open(&gateway, AGENT);
    for sql in [
        "with gone as (delete from orders where true returning 1) select * from gone",
        "explain analyze delete from orders",
        "explain (analyze true, verbose) delete from orders where 1 = 1",
        "do $$ begin delete from orders; end $$",
        "select query_to_xml('delete from orders returning 1', true, true, '')",
        "select table_to_xml('users', true, true, '')",
        "select database_to_xml(true, true, '')",
        "select lo_import('/etc/passwd')",
        "select lo_from_bytea(0, 'x')",
        "select pg_terminate_backend(1)",
        "select pg_cancel_backend(1)",
        "select setval('orders_id_seq', 1)",
        "select pg_sleep(0)",
        "select confess(1)",
        "select pg_advisory_lock(1)",
        "select pg_reload_conf()",
        "select pg_ls_dir('.')",
        "select pg_read_binary_file('/etc/passwd')",
        "select * into stolen from users",
        "create table stolen as select * from users",
        "create temp table stolen as select * from users",
        "copy users to program 'cat'",
        "copy users to '/tmp/users'",
        "copy users from '/tmp/users'",
        "copy (delete from orders returning *) to stdout",
        "call something()",
        "notify x, 'payload'",
        "listen x",
        "load 'x'",
        "alter system set log_statement = 'none'",
        "set role clerk",
        "set session authorization app",
        "select set_config('role', 'clerk', false)",
        "reset role; select 1",
        "alter role app superuser",
        "prepare p as delete from orders; execute p",
        "declare c cursor for select confess(1)",
        "refresh materialized view x",
        "vacuum orders",
        "lock table orders in access exclusive mode",
        "comment on table orders is 'x'",
        "security label on table orders is 'x'",
        "create function f() returns int language sql as 'select 1'",
        "/*!50000 drop table orders */ delete from orders",
        "select 1; /* /* nested */ */ delete from orders",
        "delete from orders where id = id",
        "delete from orders where id is not null or true",
        "update orders set status = 'x' where 1 < 2",
        "set standard_conforming_strings = off",
        "set row_security = off",
        "set transform_null_equals = on",
    ] {
        let answer = raw.query(sql);
        let error = Raw::error(&answer).unwrap_or_else(|| panic!("{sql}: {answer:?}"));
        assert_eq!(error.sqlstate, "42501", "{sql}: {error:?}");
        assert!(error.detail.starts_with("SLP-"), "{sql}: {error:?}");
        assert_eq!(Raw::status(&answer), 'I', "{sql}");
    }
    assert_eq!(gateway.admin_sql("select count(*) from orders"), "20");
    assert!(!gateway.has_run("delete from orders"));
    assert_eq!(gateway.admin_sql("select count(*) from pg_class where relname = 'stolen'"), "0");
}

#[test]
fn a_shadowing_schema_does_not_lend_its_harmlessness_to_a_labelled_table() {
    let gateway = open();
    gateway.admin_sql("create table shadow.users (id int, diagnosis text); grant all on shadow.users to app; alter table shadow.users owner to app; alter schema shadow owner to app; insert into shadow.users values (1, 'harmless')");
    let mut raw = Raw::open(&gateway, AGENT);
    assert_eq!(raw.rows("select diagnosis from users where id = 1"), [["‹pii.diagnosis›"]]);
    raw.rows("set search_path = shadow, public");
    assert_eq!(raw.rows("select diagnosis from users where id = 1"), [["harmless"]]);
    raw.rows("set search_path = public, shadow");
    assert_eq!(raw.rows("select diagnosis from users where id = 1"), [["‹pii.diagnosis›"]]);
    // Rolled back, the path is what it was, and no answer may come from what it was in between.
    raw.rows("begin");
    raw.rows("set search_path = shadow");
    assert_eq!(raw.rows("select diagnosis from users where id = 1"), [["harmless"]]);
    raw.rows("rollback");
    assert_eq!(raw.rows("select diagnosis from users where id = 1"), [["‹pii.diagnosis›"]]);
    // The same to a savepoint.
    raw.rows("begin");
    raw.rows("savepoint s");
    raw.rows("set search_path = shadow");
    raw.rows("rollback to s");
    assert_eq!(raw.rows("select diagnosis from users where id = 1"), [["‹pii.diagnosis›"]]);
    raw.rows("commit");
    // SET LOCAL ends with its transaction.
    raw.rows("begin");
    raw.rows("set local search_path = shadow");
    raw.rows("commit");
    assert_eq!(raw.rows("select diagnosis from users where id = 1"), [["‹pii.diagnosis›"]]);
    raw.rows("reset search_path");
    assert_eq!(raw.rows("select diagnosis from users where id = 1"), [["‹pii.diagnosis›"]]);
}

#[test]
fn a_schema_that_the_role_may_not_use_does_not_hide_the_labelled_table() {
    let gateway = open();
    // The server passes over it, since the role has no USAGE; whoever reads the setting would not.
    gateway.admin_sql("create schema closed; create table closed.users (id int, diagnosis text)");
    let mut raw = Raw::open(&gateway, AGENT);
    raw.rows("set search_path = closed, public");
    assert!(raw.rows("select diagnosis from users where id = 1")[0][0].starts_with('‹'));
    // Granted in the middle of the session, it is another table from then on.
    gateway.admin_sql("grant usage on schema closed to app; grant select on closed.users to app");
    assert!(raw.rows("select diagnosis from users").is_empty());
    gateway.admin_sql("revoke usage on schema closed from app");
    for _ in 0..3 {
        let answer = raw.query("select diagnosis from users where id = 1");
        for row in answer.iter().filter(|it| it.tag == 'D') {
            assert!(!row.cells().join("").contains("whisper"), "{answer:?}");
        }
    }
}

#[test]
fn a_function_that_changes_the_search_path_does_not_change_what_is_masked() {
    let gateway = open();
    gateway.admin_sql("create table shadow.patients2 (x int)");
    let mut raw = Raw::open(&gateway, AGENT);
    // In the path named first the labelled table is not; the function brings it in unseen.
    raw.rows("set search_path = shadow");
    let _masked = raw.query("select public.sideways('public')");
    assert_eq!(raw.rows("select diagnosis from users where id = 1"), [["‹pii.diagnosis›"]]);
    // One text: the function and the read together.
    raw.rows("set search_path = shadow");
    let answer = raw.query("select public.sideways('public'); select diagnosis from users");
    assert!(!format!("{answer:?}").contains("119, 104, 105, 115, 112, 101, 114"), "{answer:?}");
    // A pipeline: read behind the call, before it has answered.
    raw.rows("set search_path = shadow");
    let one = |sql: &str| [Raw::parse("", sql), Raw::bind("", "", &[]), Raw::execute("")].concat();
    raw.send(
        &[one("select public.sideways('public')"), one("select diagnosis from users"), Raw::sync()].concat(),
    );
    let answer = raw.until_ready();
    for row in answer.iter().filter(|it| it.tag == 'D') {
        assert!(!row.cells().join("").contains("whisper"), "{answer:?}");
    }
}

#[test]
fn a_statement_prepared_before_the_path_changed_is_read_as_it_will_run() {
    let gateway = open();
    gateway.admin_sql("create table shadow.users (id int, diagnosis text); alter table shadow.users owner to app; alter schema shadow owner to app; insert into shadow.users values (1, 'harmless')");
    let mut raw = Raw::open(&gateway, AGENT);
    raw.rows("set search_path = shadow");
    raw.send(&[Raw::parse("s", "select diagnosis from users where id = 1"), Raw::sync()].concat());
    assert!(Raw::error(&raw.until_ready()).is_none());
    raw.rows("set search_path = public");
    raw.send(&[Raw::bind("", "s", &[]), Raw::execute(""), Raw::sync()].concat());
    let answer = raw.until_ready();
    for row in answer.iter().filter(|it| it.tag == 'D') {
        assert!(!row.cells().join("").contains("whisper"), "{answer:?}");
    }
    // And by SQL.
    raw.rows("set search_path = shadow");
    raw.rows("prepare q as select diagnosis from users where id = 1");
    raw.rows("set search_path = public");
    let answer = raw.query("execute q");
    for row in answer.iter().filter(|it| it.tag == 'D') {
        assert!(!row.cells().join("").contains("whisper"), "{answer:?}");
    }
}

#[test]
fn a_temporary_table_cannot_take_a_labelled_tables_place_or_carry_its_values_out() {
    let gateway = Gateway::with(Options {
        tls: false,
        policy: Policy::Only(
            r#"
@id("connect") permit (principal, action == Action::"connect", resource);
@id("everything") permit (principal, action in Action::"sql", resource);
"#,
        ),
        ..Options::default()
    });
    let mut raw = Raw::open(&gateway, AGENT);
    raw.rows("create temp table stolen as select id, diagnosis as harmless, pin as number from users");
    let answer = raw.query("select * from stolen");
    for row in answer.iter().filter(|it| it.tag == 'D') {
        let row = row.cells().join("|");
        assert!(!row.contains("whisper") && !row.contains("7700"), "{row}");
    }
    raw.rows("create temp table users (id int, diagnosis text)");
    let answer = raw.query("select diagnosis from users");
    assert!(Raw::error(&answer).is_some() || !format!("{answer:?}").contains("whisper"));
    assert!(raw.rows("select diagnosis from public.users where id = 1")[0][0].starts_with('‹'));
    raw.rows("drop table pg_temp.users");
    assert!(raw.rows("select diagnosis from users where id = 1")[0][0].starts_with('‹'));
    // A lasting copy, too, is not clear before the catalog knows it.
    raw.rows("create view mirror as select diagnosis as d from users");
    assert!(raw.rows("select d from mirror limit 1")[0][0].starts_with('‹'));
}

#[test]
fn statements_prepared_by_sql_are_decided_and_masked_as_what_they_run() {
    let gateway = open();
    let mut raw = Raw::open(&gateway, AGENT);
    raw.rows("prepare p (int) as select diagnosis from users where id = $1");
    assert_eq!(raw.rows("execute p(1)"), [["‹pii.diagnosis›"]]);
    assert_eq!(raw.rows("deallocate p"), Vec::<Vec<String>>::new());
    raw.rows("prepare p (int) as select $1 + 1");
    assert_eq!(raw.rows("execute p(1)"), [["2"]]);
    raw.rows("deallocate all");
    raw.rows("prepare p (int) as select pin from users where id = $1");
    assert_eq!(raw.rows("execute p(1)"), [[""]]);
    let answer = raw.query("prepare d as delete from orders");
    assert_eq!(Raw::error(&answer).expect("refused").sqlstate, "42501");
    let answer = raw.query("execute d");
    assert!(Raw::error(&answer).is_some());
    let answer = raw.query("deallocate p; prepare p as select diagnosis from users; execute p");
    for row in answer.iter().filter(|it| it.tag == 'D') {
        assert!(!row.cells().join("").contains("whisper"), "{answer:?}");
    }
    // Prepared by the protocol, run by SQL.
    raw.send(&[Raw::parse("mixed", "select diagnosis from users"), Raw::sync()].concat());
    assert!(Raw::error(&raw.until_ready()).is_none());
    let answer = raw.query("execute mixed");
    for row in answer.iter().filter(|it| it.tag == 'D') {
        assert!(!row.cells().join("").contains("whisper"), "{answer:?}");
    }
}

#[test]
fn cursors_are_masked_as_what_they_read() {
    let gateway = open();
    let mut raw = Raw::open(&gateway, AGENT);
    raw.rows("begin");
    raw.rows("declare c scroll cursor for select diagnosis, pin, id from users order by id");
    assert_eq!(raw.rows("fetch 1 from c"), [["‹pii.diagnosis›", "", "1"]]);
    assert_eq!(raw.rows("fetch last from c"), [["‹pii.diagnosis›", "", "5"]]);
    raw.rows("close c");
    raw.rows("declare c cursor for select 'clear', 1, 2");
    assert_eq!(raw.rows("fetch all from c"), [["clear", "1", "2"]]);
    raw.rows("rollback");
    raw.rows("begin");
    raw.rows("declare h cursor with hold for select diagnosis from users");
    raw.rows("commit");
    assert_eq!(raw.rows("fetch 1 from h"), [["‹pii.diagnosis›"]]);
}

#[test]
fn a_text_that_ends_its_transaction_and_goes_on_is_not_read_under_the_old_settings() {
    let gateway = open();
    gateway.admin_sql("create table shadow.users (id int, diagnosis text); alter table shadow.users owner to app; alter schema shadow owner to app");
    let mut raw = Raw::open(&gateway, AGENT);
    raw.rows("begin");
    raw.rows("set local search_path = shadow");
    let answer = raw.query("commit; select diagnosis from users");
    for row in answer.iter().filter(|it| it.tag == 'D') {
        assert!(!row.cells().join("").contains("whisper"), "{answer:?}");
    }
    let _ended = raw.query("rollback");
    let answer = raw.query("set search_path = shadow; rollback; select diagnosis from users");
    for row in answer.iter().filter(|it| it.tag == 'D') {
        assert!(!row.cells().join("").contains("whisper"), "{answer:?}");
    }
}

#[test]
fn encodings_and_string_settings_do_not_open_a_literal() {
    let gateway = open();
    let mut raw = Raw::open(&gateway, AGENT);
    for encoding in ["GBK", "SJIS", "BIG5", "GB18030"] {
        let answer = raw.query(&format!("set client_encoding = '{encoding}'"));
        if Raw::error(&answer).is_none() {
            // 0xbf 0x27 is one character to the server there and a quote to whoever reads bytes.
            let mut sql = b"select '\xbf\x27; delete from orders --'\0".to_vec();
            raw.send(&frame_of(&mut sql));
            let answer = raw.until_ready();
            assert!(Raw::error(&answer).is_some(), "{encoding}: {answer:?}");
            let _back = raw.query("set client_encoding = 'UTF8'");
        }
    }
    assert_eq!(gateway.admin_sql("select count(*) from orders"), "20");
    let answer = raw.query("set standard_conforming_strings = off");
    if Raw::error(&answer).is_none() {
        let answer = raw.query(r"select 'a\'; delete from orders; select '");
        assert!(
            Raw::error(&answer).is_some() || gateway.admin_sql("select count(*) from orders") == "20",
            "{answer:?}"
        );
        let answer = raw.query(r"select '\'', diagnosis from users");
        assert!(
            !format!(
                "{:?}",
                answer
                    .iter()
                    .filter(|it| it.tag == 'D')
                    .map(sallyport_e2e::Message::cells)
                    .collect::<Vec<_>>()
            )
            .contains("whisper")
        );
    }
    assert_eq!(gateway.admin_sql("select count(*) from orders"), "20");
}

fn frame_of(sql: &mut [u8]) -> Vec<u8> {
    sallyport_e2e::frame(b'Q', sql)
}

#[test]
fn a_setting_made_in_a_later_cycle_of_a_pipeline_is_undone_with_that_cycle() {
    let gateway = open();
    gateway.admin_sql("create table shadow.users (id int, diagnosis text); alter table shadow.users owner to app; alter schema shadow owner to app; insert into shadow.users values (1, 'harmless')");
    let mut raw = Raw::open(&gateway, AGENT);
    let one = |sql: &str| [Raw::parse("", sql), Raw::bind("", "", &[]), Raw::execute("")].concat();
    // The first cycle's end arrives when the second has set the path already; the second then fails, and
    // the path is what it was.
    let slow = one("select count(*) from generate_series(1, 2000000)");
    raw.send(
        &[
            slow,
            Raw::sync(),
            one("set search_path = shadow"),
            one("select 1 / (id - id) from public.orders"),
            Raw::sync(),
        ]
        .concat(),
    );
    assert!(Raw::error(&raw.until_ready()).is_none());
    assert_eq!(Raw::error(&raw.until_ready()).expect("the cycle fails").sqlstate, "22012");
    let answer = raw.query("select upper(diagnosis), (select max(diagnosis) from users) from users");
    let rows: Vec<_> = answer.iter().filter(|it| it.tag == 'D').map(sallyport_e2e::Message::cells).collect();
    assert_eq!(rows.len(), 5, "the target reads public.users: {answer:?}");
    assert!(!format!("{rows:?}").to_lowercase().contains("whisper"), "{rows:?}");
}

#[test]
fn a_view_that_is_replaced_is_read_anew_by_every_session() {
    let gateway = Gateway::with(Options {
        tls: false,
        policy: Policy::Only(
            r#"
@id("connect") permit (principal, action == Action::"connect", resource);
@id("everything") permit (principal, action in Action::"sql", resource);
"#,
        ),
        ..Options::default()
    });
    let mut maker = Raw::open(&gateway, AGENT);
    let mut reader = Raw::open(&gateway, AGENT);
    maker.rows("create view v as select id, name as x from users");
    assert_eq!(reader.rows("select upper(x) from v where id = 1"), [["USER 1"]]);
    let masked = |raw: &mut Raw, sql: &str| {
        let answer = raw.query(sql);
        let rows: Vec<_> =
            answer.iter().filter(|it| it.tag == 'D').map(sallyport_e2e::Message::cells).collect();
        assert!(!format!("{rows:?}").to_lowercase().contains("whisper"), "{sql}: {rows:?}");
    };
    maker.rows("begin");
    maker.rows("create or replace view v as select id, diagnosis as x from users");
    masked(&mut maker, "select upper(x) from v");
    // It waits for the transaction, and shows what that made.
    reader.send(&sallyport_e2e::frame(b'Q', b"select upper(x) from v\0"));
    maker.rows("commit");
    let answer = format!(
        "{:?}",
        reader.until_ready().iter().map(|it| String::from_utf8_lossy(&it.body)).collect::<Vec<_>>()
    );
    assert!(!answer.to_lowercase().contains("whisper"), "{answer}");
    masked(&mut reader, "select upper(x) from v");
    // In one text.
    masked(
        &mut maker,
        "create or replace view w as select name as x from users; create or replace view w as select diagnosis as x from users; select upper(x) from w",
    );
    masked(&mut reader, "select upper(x) from w");
    // In one pipeline.
    let one = |sql: &str| [Raw::parse("", sql), Raw::bind("", "", &[]), Raw::execute("")].concat();
    maker.rows("create view y as select id, name as x from users");
    maker.send(
        &[
            one("create or replace view y as select id, diagnosis as x from users"),
            one("select upper(x) from y"),
            Raw::sync(),
        ]
        .concat(),
    );
    let answer = maker.until_ready();
    assert!(
        !format!(
            "{:?}",
            answer.iter().filter(|it| it.tag == 'D').map(sallyport_e2e::Message::cells).collect::<Vec<_>>()
        )
        .contains("WHISPER")
    );
}

#[test]
fn a_prepared_statement_is_decided_again_when_it_is_bound() {
    let gateway = open();
    let mut raw = Raw::open(&gateway, AGENT);
    raw.send(&[Raw::parse("s", "update orders set status = 'old rules' where id = 1"), Raw::sync()].concat());
    assert!(Raw::error(&raw.until_ready()).is_none());
    gateway.write(
        "policy/more.cedar",
        r#"@id("no-update") forbid (principal, action == Action::"sql:update", resource);"#,
    );
    sallyport_e2e::eventually("the rule is in force", || {
        raw.send(&[Raw::bind("", "s", &[]), Raw::sync()].concat());
        Raw::error(&raw.until_ready()).map(|error| assert_eq!(error.sqlstate, "42501"))
    });
    raw.send(&[Raw::bind("", "s", &[]), Raw::execute(""), Raw::sync()].concat());
    assert_eq!(Raw::error(&raw.until_ready()).expect("denied").sqlstate, "42501");
    assert_eq!(gateway.admin_sql("select status from orders where id = 1"), "new");
}
