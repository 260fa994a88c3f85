//! D 23: masked values that come back, and what of a labelled value could leave beside a result.

use sallyport_e2e::{Gateway, Kind, Message, Options, Policy, Raw, Session, frame};

use crate::{AGENT, OPEN, open};

const LABELS: &str = r#"
[[label]]
name = "pii.email"
columns = ["*/*/public.users.email"]
operator = ["pseudonym", "null"]
[[label]]
name = "pii.ssn"
columns = ["*/*/public.users.ssn"]
operator = "partial"
[[label]]
name = "pii.diagnosis"
columns = ["*/*/public.users.diagnosis"]
[[label]]
name = "pii.pin"
columns = ["*/*/public.users.pin"]
operator = ["generalise", "null"]
"#;

fn pseudonyms() -> Gateway {
    let gateway = Gateway::with(Options { tls: false, policy: Policy::Only(OPEN), ..Options::default() });
    gateway.write("labels.toml", LABELS);
    sallyport_e2e::within(std::time::Duration::from_secs(5), "the labels act", &mut || {
        let rows = Raw::open(&gateway, AGENT).rows("select email from users where id = 1");
        rows[0][0].ends_with(".invalid").then_some(())
    });
    gateway
}

#[track_caller]
fn refused(sql: &str, answer: &[Message]) {
    let error = Raw::error(answer).unwrap_or_else(|| panic!("{sql} was not refused: {}", Raw::tags(answer)));
    assert_eq!(error.sqlstate, "42501", "{sql}: {error:?}");
    assert!(error.detail.starts_with("SLP-MASK"), "{sql}: {error:?}");
}

#[test]
fn attack_23_nobody_overwrites_a_value_with_its_mark() {
    let gateway = pseudonyms();
    let mut raw = Raw::open(&gateway, AGENT);
    let row = &raw.rows("select email, ssn, diagnosis, pin from users where id = 1")[0];
    let (email, ssn, diagnosis) = (row[0].clone(), row[1].clone(), row[2].clone());
    assert_eq!((diagnosis.as_str(), row[3].as_str()), ("‹pii.diagnosis›", "70000"));
    assert!(ssn.starts_with("‹pii.ssn …"), "{ssn}");
    for value in [&email, &ssn, &diagnosis] {
        for sql in [
            format!("update users set email = '{value}' where id = 1"),
            format!("insert into orders values (1000, 1, 1, '{value}')"),
            format!("with x as (select $q${value}$q$ as v) update users set email = v from x where id = 1"),
            format!("select 1 from users where id = 1 and name = '{value}'"),
            format!("select upper('{value}')"),
            format!("prepare p as update users set email = '{value}' where id = 1"),
        ] {
            refused(&sql, &raw.query(&sql));
            raw.send(&[Raw::parse("", &sql), Raw::sync()].concat());
            refused(&sql, &raw.until_ready());
        }
        let sql = "update users set email = $1 where id = 1";
        raw.send(&[Raw::parse("", sql), Raw::bind("", "", &[value]), Raw::execute(""), Raw::sync()].concat());
        refused(sql, &raw.until_ready());
    }
    let kept = gateway.admin_sql("select email from users where id = 1");
    assert_eq!(kept.trim(), "whisper1@mail.example");
    // What is none of these goes on as ever.
    assert!(Raw::error(&raw.query("update users set name = 'il dit ‹bonjour›' where id = 1")).is_none());
}

#[test]
fn attack_23_a_mark_in_the_data_of_a_copy_ends_it_wherever_messages_are_cut() {
    let gateway = pseudonyms();
    let data = "2000\t1\t1\tplain\n2001\t1\t1\t‹pii.diagnosis›\n".as_bytes();
    for cut in [data.len(), 20, 28, 30, 35] {
        let mut raw = Raw::open(&gateway, AGENT);
        raw.send(&frame(b'Q', b"copy orders from stdin\0"));
        let (one, two) = data.split_at(cut);
        for piece in [one, two].into_iter().filter(|it| !it.is_empty()) {
            raw.send(&frame(b'd', piece));
        }
        raw.send(&frame(b'c', b""));
        refused("copy", &raw.until_ready());
        assert_eq!(raw.rows("select count(*) from orders where id >= 2000"), [["0"]], "cut at {cut}");
    }
    let mut raw = Raw::open(&gateway, AGENT);
    raw.send(&frame(b'Q', b"copy orders from stdin\0"));
    raw.send(&[frame(b'd', b"2000\t1\t1\tplain\n"), frame(b'c', b"")].concat());
    assert!(Raw::error(&raw.until_ready()).is_none());
    assert_eq!(raw.rows("select count(*) from orders where id >= 2000"), [["1"]]);
}

#[test]
fn pseudonyms_join_and_stay_the_same_over_sessions_and_formats() {
    let gateway = pseudonyms();
    let first = Raw::open(&gateway, AGENT).rows("select id, email from users order by id");
    let again = Raw::open(&gateway, AGENT).rows("select id, email from users order by id");
    assert_eq!(first, again);
    let mut emails: Vec<&String> = first.iter().map(|row| &row[1]).collect();
    emails.sort();
    emails.dedup();
    assert_eq!(emails.len(), 5, "no two people share one");
    assert!(emails.iter().all(|it| it.contains('@') && it.ends_with(".invalid")), "{emails:?}");
    let mut psycopg = Session::open(&gateway, Kind::Psycopg, AGENT);
    let out = psycopg.run("select email from users where id = 1");
    assert!(out.ok().contains(&first[0][1]), "{}", out.ok());
}

#[test]
fn attack_21_what_comes_beside_a_result_carries_nothing_of_it() {
    let gateway = open();
    let mut raw = Raw::open(&gateway, AGENT);
    raw.query("listen c");
    for sql in [
        "select set_config('application_name', diagnosis, false) from users where id = 1",
        "select set_config('timezone', diagnosis, false) from users where id = 1",
        "select set_config('timezone', 'Europe/' || diagnosis, false) from users where id = 1",
        "select pg_notify('c', diagnosis) from users",
        "do $$ begin perform set_config('application_name', diagnosis, false) from users where id = 2; end $$",
        "do $$ begin perform pg_notify('c', diagnosis) from users; end $$",
    ] {
        for extended in [false, true] {
            let answer = if extended {
                raw.send(
                    &[Raw::parse("", sql), Raw::bind("", "", &[]), Raw::execute(""), Raw::sync()].concat(),
                );
                raw.until_ready()
            } else {
                raw.query(sql)
            };
            for message in &answer {
                let text = String::from_utf8_lossy(&message.body).to_lowercase();
                assert!(!text.contains("whisper"), "{sql}: {} {text}", message.tag);
            }
        }
    }
    // The caller's own words stay its own.
    let answer = raw.query("set application_name = 'mine'; set timezone = 'Europe/Berlin'");
    let said: String = answer.iter().map(|it| String::from_utf8_lossy(&it.body).into_owned()).collect();
    assert!(said.contains("mine") && said.contains("Europe/Berlin"), "{said:?}");
}

#[test]
fn a_column_that_is_secret_by_name_and_numbers_that_are_somebody_s_leave_no_way() {
    let gateway = open();
    gateway.admin_sql(
        "create table keys (id int, password text, ssn bigint, card_number numeric, born date, date_of_birth date);
         insert into keys values (1, 'hunter', 536904399, 4111111111111111, '2001-02-03', '1984-05-06');
         grant all on keys to app; alter table keys owner to app;",
    );
    let mut raw = Raw::open(&gateway, AGENT);
    assert_eq!(
        raw.rows("select id, password, ssn, card_number, date_of_birth from keys"),
        [["1", "‹PASSWORD›", "", "", ""]]
    );
    for sql in
        ["copy keys to stdout", "copy keys to stdout csv", "copy (select password, ssn from keys) to stdout"]
    {
        let answer = raw.query(sql);
        assert!(Raw::error(&answer).is_none(), "{sql}: {:?}", Raw::error(&answer));
        let said: String = answer.iter().map(|it| String::from_utf8_lossy(&it.body).into_owned()).collect();
        for secret in ["hunter", "536904399", "4111111111111111", "1984-05-06"] {
            assert!(!said.contains(secret), "{sql}: {said}");
        }
    }
}

#[test]
fn attack_22_what_cannot_be_read_is_withheld_and_said_once() {
    let gateway = open();
    gateway.admin_sql(
        "create table long (id int, t text); insert into long select n, repeat('x ', 600000) from generate_series(1, 3) n;
         grant all on long to app; alter table long owner to app;",
    );
    let mut raw = Raw::open(&gateway, AGENT);
    for extended in [false, true] {
        let sql = "select id, t from long";
        let answer = if extended {
            raw.send(&[Raw::parse("", sql), Raw::bind("", "", &[]), Raw::execute(""), Raw::sync()].concat());
            raw.until_ready()
        } else {
            raw.query(sql)
        };
        let rows: Vec<Vec<String>> = answer.iter().filter(|it| it.tag == 'D').map(Message::cells).collect();
        assert!(rows.len() == 3 && rows.iter().all(|row| row[1] == "‹WITHHELD›"), "{}", rows.len());
        let notices: Vec<_> = answer.iter().filter(|it| it.tag == 'N').map(Message::fields).collect();
        assert_eq!(notices.len(), 1, "{notices:?}");
        assert!(notices[0].message.starts_with("3 values"), "{notices:?}");
    }
}
