//! C 20 and D 21: definitions that change under a caller's own hands, in a transaction that nobody else sees yet.

use sallyport_e2e::{Raw, frame};

use crate::{AGENT, schema_allowed};

fn one(sql: &str) -> Vec<u8> {
    [Raw::parse("", sql), Raw::bind("", "", &[]), Raw::describe(""), Raw::execute("")].concat()
}

#[test]
fn a_view_that_was_redefined_in_the_transaction_does_not_show_what_the_old_one_would() {
    let gateway = schema_allowed();
    let mut raw = Raw::open(&gateway, AGENT);
    assert_eq!(raw.rows("select name from patients where id = 1"), [["user 1"]], "unlabelled, and shown");
    raw.rows("begin");
    let swapped = "create or replace view patients as select id, name as what, diagnosis as name from users";
    assert!(Raw::error(&raw.query(swapped)).is_none());
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
    raw.rows(&format!("begin; {swapped}; commit"));
    assert_eq!(raw.rows("select name, what from patients where id = 1"), [["‹pii.diagnosis›", "user 1"]]);
}

#[test]
fn a_view_redefined_in_a_pipeline_shows_nothing_either() {
    let gateway = schema_allowed();
    let mut raw = Raw::open(&gateway, AGENT);
    let swapped = "create or replace view patients as select id, name as what, diagnosis as name from users";
    raw.send(&[one(swapped), one("select name from patients where id = 1"), Raw::sync()].concat());
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
    gateway.admin_sql("create table elsewhere (a int); alter table elsewhere owner to app; create view over as select * from users");
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
