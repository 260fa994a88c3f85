//! C 15 and 16: the protocol itself.

use std::time::Duration;

use sallyport_e2e::{Gateway, Options, Policy, Raw, frame};

use crate::{AGENT, OPEN, open, plain};

fn count(gateway: &Gateway, condition: &str) -> String {
    gateway.admin_sql(&format!("select count(*) from orders where {condition}"))
}

#[test]
fn a_denied_parse_cannot_be_bound_by_its_name_later() {
    let gateway = open();
    let mut raw = Raw::open(&gateway, AGENT);
    raw.send(&[Raw::parse("bad", "delete from orders"), Raw::sync()].concat());
    assert_eq!(Raw::error(&raw.until_ready()).expect("refused").sqlstate, "42501");
    raw.send(&[Raw::bind("", "bad", &[]), Raw::execute(""), Raw::sync()].concat());
    let answer = raw.until_ready();
    assert_eq!(Raw::error(&answer).expect("unknown name").sqlstate, "26000");
    assert_eq!(Raw::tags(&answer), "EZ");
    assert_eq!(count(&gateway, "true"), "20");
    assert!(!gateway.has_run("delete from orders"));
}

#[test]
fn a_known_name_cannot_be_given_another_text() {
    let gateway = open();
    let mut raw = Raw::open(&gateway, AGENT);
    raw.send(&[Raw::parse("s", "select 1"), Raw::sync()].concat());
    assert!(Raw::error(&raw.until_ready()).is_none());
    raw.send(&[Raw::parse("s", "select 2"), Raw::sync()].concat());
    assert_eq!(Raw::error(&raw.until_ready()).expect("refused").sqlstate, "42P05");
    raw.send(&[Raw::bind("", "s", &[]), Raw::execute(""), Raw::sync()].concat());
    let answer = raw.until_ready();
    assert_eq!(answer.iter().find(|it| it.tag == 'D').expect("a row").cells(), ["1"]);
    // After a refused one, the old name still means the old text.
    raw.send(
        &[Raw::parse("", "drop table orders"), Raw::bind("", "", &[]), Raw::execute(""), Raw::sync()]
            .concat(),
    );
    assert_eq!(Raw::tags(&raw.until_ready()), "EZ");
    assert_eq!(count(&gateway, "true"), "20");
}

#[test]
fn a_name_closed_and_prepared_again_means_the_new_text() {
    let gateway = open();
    let mut raw = Raw::open(&gateway, AGENT);
    raw.send(
        &[
            Raw::parse("s", "select 1"),
            Raw::close("s"),
            Raw::parse("s", "select diagnosis from users where id = 1"),
            Raw::sync(),
        ]
        .concat(),
    );
    assert!(Raw::error(&raw.until_ready()).is_none());
    raw.send(&[Raw::bind("", "s", &[]), Raw::execute(""), Raw::sync()].concat());
    let answer = raw.until_ready();
    assert_eq!(answer.iter().find(|it| it.tag == 'D').expect("a row").cells(), ["‹pii.diagnosis›"]);
    // By SQL too.
    raw.rows("deallocate s");
    raw.send(&[Raw::parse("s", "delete from orders"), Raw::sync()].concat());
    assert_eq!(Raw::error(&raw.until_ready()).expect("refused").sqlstate, "42501");
    raw.send(&[Raw::bind("", "s", &[]), Raw::execute(""), Raw::sync()].concat());
    assert_eq!(Raw::error(&raw.until_ready()).expect("gone").sqlstate, "26000");
}

#[test]
fn a_portal_that_was_never_bound_cannot_be_executed() {
    let gateway = open();
    let mut raw = Raw::open(&gateway, AGENT);
    raw.send(&[Raw::execute("nowhere"), Raw::sync()].concat());
    assert_eq!(Raw::error(&raw.until_ready()).expect("refused").sqlstate, "34000");
    // A cursor declared by SQL is a portal of the server, but of none of ours.
    raw.rows("begin");
    raw.rows("declare c cursor for select diagnosis from users");
    raw.send(&[Raw::execute("c"), Raw::sync()].concat());
    let answer = raw.until_ready();
    assert_eq!(Raw::error(&answer).expect("refused").sqlstate, "34000");
    assert!(!format!("{answer:?}").contains("whisper"));
    assert_eq!(Raw::status(&answer), 'E');
}

#[test]
fn what_is_pipelined_behind_a_refusal_does_not_run() {
    let gateway = open();
    let mut raw = Raw::open(&gateway, AGENT);
    raw.send(
        &[
            Raw::parse("", "delete from orders"),
            Raw::bind("", "", &[]),
            Raw::execute(""),
            Raw::parse("", "insert into orders values (100, 1, 1, 'behind')"),
            Raw::bind("", "", &[]),
            Raw::execute(""),
            Raw::sync(),
            Raw::parse("", "select 'next'"),
            Raw::bind("", "", &[]),
            Raw::execute(""),
            Raw::sync(),
        ]
        .concat(),
    );
    assert_eq!(Raw::tags(&raw.until_ready()), "EZ");
    let next = raw.until_ready();
    assert_eq!(next.iter().find(|it| it.tag == 'D').expect("the next one runs").cells(), ["next"]);
    assert_eq!(count(&gateway, "status = 'behind'"), "0");
    assert!(!gateway.has_run("behind"));
}

#[test]
fn a_refusal_in_a_transaction_aborts_it_by_simple_query() {
    let gateway = open();
    let mut raw = Raw::open(&gateway, AGENT);
    raw.rows("begin");
    raw.rows("insert into orders values (101, 1, 1, 'half')");
    let refused = raw.query("delete from orders");
    assert_eq!(Raw::error(&refused).expect("refused").sqlstate, "42501");
    assert_eq!(Raw::status(&refused), 'E');
    let other = raw.query("select 1");
    assert_eq!(Raw::error(&other).expect("aborted").sqlstate, "25P02");
    let commit = raw.query("commit");
    assert!(commit.iter().any(|it| it.tag == 'C' && it.body.starts_with(b"ROLLBACK")), "{commit:?}");
    assert_eq!(Raw::status(&commit), 'I');
    assert_eq!(count(&gateway, "status = 'half'"), "0");
}

#[test]
fn a_refusal_in_a_transaction_aborts_it_by_extended_query() {
    let gateway = open();
    let mut raw = Raw::open(&gateway, AGENT);
    raw.rows("begin");
    raw.send(
        &[
            Raw::parse("", "insert into orders values (102, 1, 1, 'half')"),
            Raw::bind("", "", &[]),
            Raw::execute(""),
            Raw::sync(),
        ]
        .concat(),
    );
    assert!(Raw::error(&raw.until_ready()).is_none());
    raw.send(
        &[Raw::parse("", "delete from orders"), Raw::bind("", "", &[]), Raw::execute(""), Raw::sync()]
            .concat(),
    );
    let refused = raw.until_ready();
    assert_eq!(Raw::error(&refused).expect("refused").sqlstate, "42501");
    assert_eq!(Raw::status(&refused), 'E');
    let commit = raw.query("commit");
    assert!(commit.iter().any(|it| it.tag == 'C' && it.body.starts_with(b"ROLLBACK")), "{commit:?}");
    assert_eq!(count(&gateway, "status = 'half'"), "0");
}

#[test]
fn a_refusal_in_an_unsynced_pipeline_undoes_what_came_before_it() {
    let gateway = open();
    let mut raw = Raw::open(&gateway, AGENT);
    raw.send(
        &[
            Raw::parse("", "insert into orders values (103, 1, 1, 'implied')"),
            Raw::bind("", "", &[]),
            Raw::execute(""),
            Raw::parse("", "delete from orders"),
            Raw::bind("", "", &[]),
            Raw::execute(""),
            Raw::sync(),
        ]
        .concat(),
    );
    let answer = raw.until_ready();
    assert_eq!(Raw::error(&answer).expect("refused").sqlstate, "42501", "{answer:?}");
    assert_eq!(Raw::tags(&answer), "12CEZ");
    assert_eq!(Raw::status(&answer), 'I');
    assert_eq!(count(&gateway, "status = 'implied'"), "0");
}

#[test]
fn a_query_refused_in_an_unsynced_pipeline_undoes_what_came_before_it() {
    let gateway = open();
    let mut raw = Raw::open(&gateway, AGENT);
    let insert = Raw::parse("", "insert into orders values (107, 1, 1, 'implied')");
    let piped = [insert, Raw::bind("", "", &[]), Raw::execute("")].concat();
    raw.send(&[piped, frame(b'Q', b"delete from orders\0")].concat());
    let answer = raw.until_ready();
    assert_eq!(Raw::error(&answer).expect("refused").sqlstate, "42501", "{answer:?}");
    assert_eq!((Raw::tags(&answer).as_str(), Raw::status(&answer)), ("12CEZ", 'I'));
    assert_eq!(count(&gateway, "status = 'implied'"), "0");
    // Of a pipeline that has failed the server hears the Sync alone.
    raw.send(&[Raw::execute("nowhere"), frame(b'Q', b"delete from orders\0"), Raw::sync()].concat());
    assert_eq!(Raw::tags(&raw.until_ready()), "EZ");
    assert_eq!(raw.rows("select 1"), [["1"]]);
}

#[test]
fn one_denied_statement_of_a_text_refuses_all_of_it() {
    let gateway = open();
    let mut raw = Raw::open(&gateway, AGENT);
    let answer = raw.query("insert into orders values (104, 1, 1, 'first'); delete from orders; select 1");
    assert_eq!(Raw::tags(&answer), "EZ");
    let answer = raw.query("insert into orders values (104, 1, 1, 'first'); commit; drop table orders");
    assert_eq!(Raw::tags(&answer), "EZ");
    assert_eq!(count(&gateway, "status = 'first'"), "0");
    assert!(!gateway.has_run("'first'"));
}

#[test]
fn function_call_is_refused_by_name_and_the_connection_goes_on() {
    let gateway = open();
    let mut raw = Raw::open(&gateway, AGENT);
    // lo_creat by its number, one argument.
    let body = [&957_u32.to_be_bytes()[..], &[0, 0, 0, 1, 0, 0, 0, 2], b"-1", &[0, 0]].concat();
    raw.send(&frame(b'F', &body));
    let answer = raw.until_ready();
    let error = Raw::error(&answer).expect("refused");
    assert_eq!(error.sqlstate, "0A000");
    assert!(error.message.contains("FunctionCall"), "{error:?}");
    assert_eq!(raw.rows("select 1"), [["1"]]);
    assert_eq!(gateway.admin_sql("select count(*) from pg_largeobject_metadata"), "0");
}

#[test]
fn a_replication_connection_is_refused() {
    let gateway = open();
    for mode in ["true", "database", "on", "1", "yes"] {
        let refused = Raw::try_open(&gateway, AGENT, 0x0003_0000, &[("replication", mode)]);
        assert_eq!(refused.expect_err(mode).sqlstate, "0A000", "{mode}");
    }
}

#[test]
fn settings_at_start_up_that_change_the_role_are_refused() {
    let gateway = open();
    for options in [
        "-c role=clerk",
        "-crole=clerk",
        "--role=clerk",
        "-c session_authorization=app",
        "-c Role=clerk",
        "-c row_security=off -c role=clerk",
        "-c search_path=shadow -c role=clerk",
    ] {
        let refused = Raw::try_open(&gateway, AGENT, 0x0003_0000, &[("options", options)]);
        assert_eq!(refused.expect_err(options).sqlstate, "0A000", "{options}");
    }
    for (name, value) in
        [("role", "clerk"), ("session_preload_libraries", "x"), ("local_preload_libraries", "x")]
    {
        let refused = Raw::try_open(&gateway, AGENT, 0x0003_0000, &[(name, value)]);
        assert_eq!(refused.expect_err(name).sqlstate, "0A000", "{name}");
    }
}

#[test]
fn a_search_path_at_start_up_is_known_to_the_decision() {
    let gateway = open();
    gateway.admin_sql("create table shadow.users (diagnosis text); create schema other; create table other.users (note text); grant usage on schema other to app; grant select on other.users to app");
    let raw = Raw::try_open(&gateway, AGENT, 0x0003_0000, &[("options", "-c search_path=other,public")]);
    let mut raw = raw.expect("a listed setting");
    assert!(raw.rows("select note from users").is_empty(), "the target reads other.users");
    assert_eq!(raw.rows("select diagnosis from public.users where id = 1"), [["‹pii.diagnosis›"]]);
}

#[test]
fn a_newer_minor_version_is_negotiated_down() {
    let gateway = open();
    for (asked, spoken, key) in [(0x0003_0000_u32, 0_u8, 4), (0x0003_0002, 2, 32), (0x0003_270f, 2, 32)] {
        let mut raw = Raw::try_open(&gateway, AGENT, asked, &[("_pq_.x", "1")]).expect("it is let in");
        let told = raw.opening.iter().find(|it| it.tag == 'v').expect("NegotiateProtocolVersion");
        assert_eq!(told.body[..4], [0, 3, 0, spoken], "{asked:#x}");
        assert!(told.body.windows(6).any(|it| it == b"_pq_.x"));
        assert_eq!(raw.key.1.len(), key, "{asked:#x}");
        assert_eq!(raw.rows("select 1"), [["1"]]);
    }
    let raw = Raw::try_open(&gateway, AGENT, 0x0003_0002, &[]).expect("3.2 is spoken");
    assert!(raw.opening.iter().all(|it| it.tag != 'v'), "there is nothing to negotiate");
    let refused = Raw::try_open(&gateway, AGENT, 0x0002_0000, &[]).expect_err("version 2");
    assert!(refused.sqlstate == "0A000" || refused.message.contains("closed"), "{refused:?}");
}

#[test]
fn a_forged_cancel_request_cancels_nothing() {
    let gateway = open();
    let mut raw = Raw::open(&gateway, AGENT);
    let mut other = Raw::open(&gateway, AGENT);
    let backend: u32 = gateway
        .admin_sql(
            "select pid from pg_stat_activity where usename = 'app' and datname = current_database() limit 1",
        )
        .parse()
        .expect("a process");
    assert_ne!(raw.key.0, backend, "the key is the gateway's, not the target's");
    raw.send(&frame(b'Q', b"select pg_sleep(2), 'whole'\0"));
    std::thread::sleep(Duration::from_millis(300));
    let (pid, secret) = raw.key.clone();
    let mut wrong = secret.clone();
    wrong[3] ^= 1;
    for (pid, secret) in [
        (pid, wrong),
        (pid, vec![0; 4]),
        (pid, vec![]),
        (pid ^ 1, secret),
        (other.key.0, raw.key.1.clone()),
        (backend, vec![0; 4]),
    ] {
        if secret.len() == 4 {
            Raw::cancel(&gateway, pid, &secret);
        }
    }
    let (pid, secret) = other.key.clone();
    Raw::cancel(&gateway, pid, &secret);
    let answer = raw.until_ready();
    assert!(Raw::error(&answer).is_none(), "{answer:?}");
    assert_eq!(other.rows("select 1"), [["1"]]);
    // The true one does.
    raw.send(&frame(b'Q', b"select pg_sleep(20)\0"));
    std::thread::sleep(Duration::from_millis(500));
    Raw::cancel(&gateway, raw.key.0, &raw.key.1.clone());
    assert_eq!(Raw::error(&raw.until_ready()).expect("cancelled").sqlstate, "57014");
}

#[test]
fn copy_data_outside_a_copy_goes_nowhere() {
    let gateway = open();
    let mut raw = Raw::open(&gateway, AGENT);
    raw.send(&[frame(b'd', b"105\t1\t1\tstray\n"), frame(b'c', &[]), frame(b'f', b"no\0")].concat());
    assert_eq!(raw.rows("select 1"), [["1"]]);
    // Nor does data behind a refused COPY.
    raw.send(
        &[
            frame(b'Q', b"copy orders from program 'true'; delete from orders\0"),
            frame(b'd', b"105\t1\t1\tstray\n"),
            frame(b'c', &[]),
        ]
        .concat(),
    );
    assert_eq!(Raw::tags(&raw.until_ready()), "EZ");
    assert_eq!(raw.rows("select 1"), [["1"]]);
    assert_eq!(count(&gateway, "status = 'stray'"), "0");
}

#[test]
fn an_allowed_copy_in_still_works() {
    let gateway = open();
    let mut raw = Raw::open(&gateway, AGENT);
    raw.send(&frame(b'Q', b"copy orders from stdin\0"));
    assert_eq!(raw.read().expect("CopyInResponse").tag, 'G');
    raw.send(&[frame(b'd', b"106\t1\t1\tcopied\n"), frame(b'c', &[])].concat());
    assert_eq!(Raw::tags(&raw.until_ready()), "CZ");
    assert_eq!(count(&gateway, "status = 'copied'"), "1");
}

#[test]
fn unknown_and_misplaced_messages_end_the_connection() {
    let gateway = open();
    for bytes in [
        frame(b'?', b"x"),
        frame(b'W', &[]),
        frame(b'p', b"again\0"),
        frame(b'Q', b"no end"),
        frame(b'P', b"s"),
        [&[b'Q'][..], &3_u32.to_be_bytes()].concat(),
        [&[b'Q'][..], &0x7fff_ffff_u32.to_be_bytes()].concat(),
        [&[b'Q'][..], &0xffff_ffff_u32.to_be_bytes()].concat(),
    ] {
        let mut raw = Raw::open(&gateway, AGENT);
        raw.send(&bytes);
        let mut messages = Vec::new();
        while let Some(message) = raw.read() {
            let ready = message.tag == 'Z';
            messages.push(message);
            if ready {
                break;
            }
        }
        let error = Raw::error(&messages).unwrap_or_else(|| panic!("{bytes:?}: {messages:?}"));
        assert!(
            ["08P01", "0A000", "54000", "08006"].contains(&error.sqlstate.as_str()),
            "{bytes:?}: {error:?}"
        );
        if messages.last().is_some_and(|it| it.tag == 'Z') {
            assert_eq!(bytes[0], b'p', "only a message that the protocol has may leave it open");
            assert_eq!(raw.rows("select 1"), [["1"]]);
        }
    }
}

#[test]
fn a_message_larger_than_the_limit_is_not_taken() {
    let gateway = Gateway::with(Options {
        policy: Policy::Only(OPEN),
        tls: false,
        limits: "message_limit_bytes = 65536\nrow_limit_bytes = 65536",
        ..Options::default()
    });
    let mut raw = Raw::open(&gateway, AGENT);
    raw.send(&frame(b'Q', format!("select '{}'\0", "x".repeat(70_000)).as_bytes()));
    let messages = raw.until_ready();
    assert!(Raw::error(&messages).is_some(), "{messages:?}");
    let mut raw = Raw::open(&gateway, AGENT);
    let messages = raw.query("select 'first' union all select repeat('x', 70000)");
    assert_eq!(Raw::error(&messages).expect("too large").sqlstate, "54000");
    assert_eq!(raw.rows("select 1"), [["1"]]);
}

#[test]
fn names_of_the_gateways_own_cannot_be_used() {
    let gateway = open();
    let mut raw = Raw::open(&gateway, AGENT);
    for message in [
        Raw::parse("sallyport:x", "select 1"),
        Raw::bind("sallyport:x", "", &[]),
        Raw::bind("", "sallyport:x", &[]),
        Raw::describe("sallyport:x"),
        Raw::close("sallyport:x"),
    ] {
        raw.send(&[message, Raw::sync()].concat());
        assert_eq!(Raw::error(&raw.until_ready()).expect("refused").sqlstate, "42602");
    }
    assert_eq!(raw.rows("select 1"), [["1"]]);
}

/// What the caller gets stands in the recording at the operation that it answers, the gateway's own answers too.
#[test]
fn attack_30_an_answer_is_recorded_at_its_own_operation() {
    let gateway = plain();
    let mut raw = Raw::open(&gateway, AGENT);
    raw.query("select 1");
    assert!(Raw::error(&raw.query("truncate orders")).is_some());
    raw.send(&[Raw::parse("", "drop table orders"), Raw::sync()].concat());
    assert!(Raw::error(&raw.until_ready()).is_some());
    raw.send(&[Raw::parse("s", "select 2"), Raw::sync()].concat());
    raw.until_ready();
    raw.query("select 3");
    let id = gateway.newest_session();
    drop(raw);
    let replay = gateway.cli("admin", &["sessions", "replay", &id, "--json"]).ok();
    let mut answered = Vec::new();
    for line in replay.lines() {
        let entry: serde_json::Value = serde_json::from_str(line).expect("an entry");
        let event = &entry["entry"]["content"];
        if event["event"] == "data" {
            answered.push(event["operation"].as_u64().expect("its operation"));
        }
    }
    assert_eq!(answered, [1, 2, 3, 4, 5], "{replay}");
}
