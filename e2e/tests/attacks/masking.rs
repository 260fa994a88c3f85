//! D: protected values that leave another way than as a column.

use std::time::Duration;

use sallyport_e2e::{Gateway, Kind, Options, Policy, Raw, Session};

use crate::{AGENT, open, plain};

/// Whether any byte of an answer holds a protected value.
fn leaks(messages: &[sallyport_e2e::Message]) -> bool {
    messages.iter().any(|message| {
        let text = String::from_utf8_lossy(&message.body).to_lowercase();
        ["whisper", "900-11", "7700"].iter().any(|secret| text.contains(secret))
    })
}

#[test]
fn errors_of_the_target_do_not_quote_protected_values() {
    let gateway = open();
    let mut raw = Raw::open(&gateway, AGENT);
    for sql in [
        "select cast(ssn as int) from users",
        "select diagnosis::date from users",
        "select diagnosis::json from users",
        "select ('x' || diagnosis)::numeric from users",
        "select cast(what as int) from patients",
        "select 1 / (pin - 77001) from users",
        "insert into users select id, name, email, ssn, diagnosis, pin, profile from users",
        "update users set pin = diagnosis::int",
        "select chr(pin * 100000) from users",
        "select profile->>'who', (profile->>'who')::int from users",
        "select jsonb_path_query(profile, 'strict $.who.nothing') from users",
    ] {
        let answer = raw.query(sql);
        assert!(Raw::error(&answer).is_some(), "{sql}: {answer:?}");
        assert!(!leaks(&answer), "{sql}: {:?}", Raw::error(&answer));
        // And by the extended protocol.
        raw.send(&[Raw::parse("", sql), Raw::bind("", "", &[]), Raw::execute(""), Raw::sync()].concat());
        let answer = raw.until_ready();
        assert!(Raw::error(&answer).is_some(), "{sql}: {answer:?}");
        assert!(!leaks(&answer), "{sql}: {:?}", Raw::error(&answer));
    }
    // An error that holds nothing protected stays what it is.
    let error = Raw::error(&raw.query("select nowhere from orders")).expect("an error");
    assert_eq!(error.sqlstate, "42703");
    assert!(error.message.contains("nowhere"), "{error:?}");
}

#[test]
fn notices_of_code_that_nobody_has_read_do_not_pass_on_what_they_say() {
    let gateway = open();
    let mut raw = Raw::open(&gateway, AGENT);
    for sql in [
        "select confess(2)",
        "do $$ begin raise notice '%', (select diagnosis from users where id = 1); end $$",
        "do $$ begin raise exception '%', (select diagnosis from users where id = 1); end $$",
        "do $$ begin raise exception sqlstate 'P1234' using detail = (select diagnosis from users where id = 1), hint = (select ssn from users where id = 2); end $$",
    ] {
        let answer = raw.query(sql);
        assert!(!leaks(&answer), "{sql}: {answer:?}");
    }
}

#[test]
fn protected_columns_in_conditions_are_held_and_not_an_oracle() {
    let gateway = Gateway::with(Options { tls: false, limits: "hold_wait = \"1s\"", ..Options::default() });
    let mut raw = Raw::open(&gateway, AGENT);
    for sql in [
        "select 1 from users where diagnosis = 'whisper-1'",
        "select id from users where ssn like '900%'",
        "select id from users order by pin",
        "select count(*) from users group by diagnosis",
        "select id from users u join orders o on u.pin = o.id",
        "select id from patients where what > 'w'",
        "explain select 1 from users where pin = 77001",
        "select id from users where profile @> '{}'",
        "select count(*) filter (where pin > 1) from users",
        "select distinct diagnosis from users",
        "select case when pin > 77002 then 1 else 0 end from users",
        "select pin > 77002 from users",
        "select exists (select 1 from users where pin = 77001)",
        "select id, rank() over (order by pin) from users",
    ] {
        let answer = raw.query(sql);
        match Raw::error(&answer) {
            Some(error) => {
                assert_eq!(error.sqlstate, "42501", "{sql}: {error:?}");
            }
            None => {
                // What is not held must say nothing: all rows masked alike.
                for row in answer.iter().filter(|it| it.tag == 'D') {
                    let cells = row.cells();
                    assert!(
                        cells.iter().all(|cell| cell.is_empty() || cell.starts_with('‹')),
                        "{sql}: {cells:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_catalogs_own_copies_of_values_are_closed() {
    let gateway = plain();
    let mut raw = Raw::open(&gateway, AGENT);
    for sql in [
        "select most_common_vals from pg_stats where tablename = 'users'",
        "select histogram_bounds::text from pg_stats where tablename = 'users'",
        "select * from pg_statistic",
        "select stavalues1 from pg_catalog.pg_statistic",
        "select rolpassword from pg_authid",
        "select passwd from pg_shadow",
        "select * from pg_user_mapping",
        "select data from pg_largeobject",
    ] {
        let answer = raw.query(sql);
        assert_eq!(Raw::error(&answer).unwrap_or_default().sqlstate, "42501", "{sql}: {answer:?}");
    }
    // Under a policy that forbids nothing, they are masked still.
    let gateway = open();
    let mut raw = Raw::open(&gateway, AGENT);
    let answer = raw.query("select tablename, attname, most_common_vals::text, histogram_bounds::text from pg_stats where tablename = 'users'");
    assert!(answer.iter().any(|it| it.tag == 'D'), "{answer:?}");
    assert!(!leaks(&answer), "{answer:?}");
    let answer = raw.query("select query from pg_stat_activity");
    for row in answer.iter().filter(|it| it.tag == 'D') {
        assert!(row.cells()[0].starts_with('‹') || row.cells()[0].is_empty(), "{:?}", row.cells());
    }
}

#[test]
fn copies_into_other_tables_and_what_is_made_of_them_stay_masked_in_the_statement_that_makes_them() {
    let gateway = open();
    let mut raw = Raw::open(&gateway, AGENT);
    let answer = raw
        .query("insert into orders select 200 + id, id, pin, diagnosis from users returning status, total");
    assert!(Raw::error(&answer).is_none(), "{answer:?}");
    assert!(!leaks(&answer), "{answer:?}");
    let answer = raw.query(
        "update orders set status = u.diagnosis from users u where u.id = orders.id returning orders.status",
    );
    assert!(!leaks(&answer), "{answer:?}");
    let answer = raw.query("with x as (update orders set status = u.diagnosis from users u where u.id = orders.id returning orders.*) select * from x");
    assert!(!leaks(&answer), "{answer:?}");
}

#[test]
fn binary_results_are_masked_too() {
    let gateway = open();
    let mut raw = Raw::open(&gateway, AGENT);
    let sql =
        "select diagnosis, pin, profile, array[diagnosis], row(diagnosis, pin), id from users order by id";
    // Bind with the result format binary for all.
    let mut body = vec![0, 0, 0, 0, 0, 0];
    body.extend([0, 1, 0, 1]);
    raw.send(
        &[
            Raw::parse("", sql),
            sallyport_e2e::frame(b'B', &body),
            Raw::describe(""),
            Raw::execute(""),
            Raw::sync(),
        ]
        .concat(),
    );
    let answer = raw.until_ready();
    assert_eq!(answer.iter().filter(|it| it.tag == 'D').count(), 5, "{answer:?}");
    assert!(!leaks(&answer), "{answer:?}");
    for row in answer.iter().filter(|it| it.tag == 'D') {
        assert!(
            !row.body.windows(4).any(|it| (77_001_u32..=77_005).any(|pin| it == pin.to_be_bytes())),
            "{row:?}"
        );
    }
}

#[test]
fn values_in_pieces_and_in_other_codings_are_masked() {
    let gateway = open();
    let mut raw = Raw::open(&gateway, AGENT);
    for sql in [
        "select substr(diagnosis, g, 1) from users, generate_series(1, 9) g where id = 1",
        "select ascii(substr(diagnosis, 1, 1)) from users",
        "select get_byte(diagnosis::bytea, 0) from users",
        "select length(diagnosis), reverse(diagnosis) from users",
        "select regexp_split_to_table(diagnosis, '') from users",
        "select unnest(string_to_array(diagnosis, '-')) from users",
        "select format('%s', diagnosis), quote_literal(diagnosis), concat_ws('-', diagnosis, pin) from users",
        "select translate(diagnosis, 'w', 'W'), replace(diagnosis, 'w', 'v') from users",
        "select sha256(diagnosis::bytea)::text, hashtext(diagnosis) from users",
        "select (users).diagnosis, (select u.pin from users u where u.id = users.id) from users",
        "select xmlforest(diagnosis)::text from users",
        "select jsonb_object_agg(id, diagnosis), json_agg(users) from users",
        "select hstore from (select diagnosis as hstore from users) x",
        "select lead(diagnosis) over (), first_value(pin) over () from users",
        "select * from (values (1)) v(x), lateral (select diagnosis from users limit 1) y",
        "select k, v from users, jsonb_each_text(profile) as e(k, v)",
        "select * from users tablesample bernoulli (100)",
        "table users",
    ] {
        let answer = raw.query(sql);
        if Raw::error(&answer).is_some() {
            assert!(sql.contains("nothing allowed to fail here"), "{sql}: {:?}", Raw::error(&answer));
        }
        for row in answer.iter().filter(|it| it.tag == 'D') {
            let cells = row.cells();
            for cell in &cells {
                let harmless = cell.is_empty()
                    || cell.starts_with('{') && !cell.contains("hisper")
                    || cell.starts_with('‹')
                    || cell.starts_with("user ")
                    || cell.len() == 1 && cell.chars().all(|it| it.is_ascii_digit())
                    || ["who", "deep"].contains(&cell.as_str());
                assert!(harmless, "{sql}: {cells:?}");
            }
        }
    }
}

#[test]
fn a_masked_value_cannot_be_had_through_a_rule_that_reveals_another() {
    let gateway = Gateway::with(Options {
        tls: false,
        policy: Policy::Only(
            r#"
@id("connect") permit (principal, action == Action::"connect", resource);
@id("everything") permit (principal, action, resource);
@id("no-schema") forbid (principal, action in Action::"sql:schema", resource);
@id("emails") permit (principal, action == Action::"reveal", resource == Label::"pii.email")
when { context.relation == Relation::"shop-prod/nowhere/public.users" };
@id("ssn") permit (principal, action == Action::"reveal", resource == Label::"pii.ssn");
"#,
        ),
        ..Options::default()
    });
    let mut raw = Raw::open(&gateway, AGENT);
    assert_eq!(
        raw.rows("select ssn, diagnosis, email from users where id = 1"),
        [["900-11-0001", "‹pii.diagnosis›", "‹pii.email›"]],
        "one label is revealed; a permit of everything reveals nothing"
    );
    assert!(!raw.rows("select ssn || diagnosis from users where id = 1")[0][0].contains("whisper"));
}

#[test]
fn attack_21_what_is_revealed_stands_in_the_recorded_decision() {
    let gateway = Gateway::with(Options {
        tls: false,
        policy: Policy::Only(
            r#"
@id("connect") permit (principal, action == Action::"connect", resource);
@id("everything") permit (principal, action in Action::"sql", resource);
@id("ssn-shown") permit (principal, action == Action::"reveal", resource == Label::"pii.ssn");
"#,
        ),
        ..Options::default()
    });
    let mut raw = Raw::open(&gateway, AGENT);
    assert_eq!(raw.rows("select ssn, upper(ssn), email from users where id = 1")[0][0], "900-11-0001");
    assert_eq!(raw.rows("select email from users where id = 1")[0][0], "‹pii.email›");
    drop(raw);
    let session = gateway.newest_session();
    let reveals = sallyport_e2e::within(Duration::from_secs(10), "the session is recorded", &mut || {
        let out = gateway.cli("admin", &["sessions", "replay", &session, "--json"]).ok();
        let intents: Vec<String> =
            out.lines().filter(|it| it.contains("policy_version")).map(str::to_owned).collect();
        let of_operations: Vec<String> =
            intents.into_iter().filter(|it| it.contains("text_length")).collect();
        (of_operations.len() >= 2).then_some(of_operations)
    });
    let shown = r#""reveals":[{"label":"pii.ssn","column":"public.users.ssn","rule":"ssn-shown"}]"#;
    let compact = |line: &String| line.replace(": ", ":").replace(", ", ",");
    assert!(compact(&reveals[0]).contains(shown), "{}", reveals[0]);
    assert!(!reveals[1].contains("reveals"), "{}", reveals[1]);
}

#[test]
fn labels_change_on_live_connections() {
    let gateway = open();
    let mut session = Session::open(&gateway, Kind::Psql, AGENT);
    assert_eq!(session.run("select name from users where id = 1").ok(), "user 1\n");
    let labels = std::fs::read_to_string(gateway.path("labels.toml")).expect("labels");
    gateway.write(
        "labels.toml",
        &format!("{labels}\n[[label]]\nname = \"pii.name\"\ncolumns = [\"*/*/public.users.name\"]\n"),
    );
    sallyport_e2e::within(Duration::from_secs(3), "the label acts", &mut || {
        (session.run("select name from users where id = 1").ok() == "‹pii.name›\n").then_some(())
    });
}

#[test]
fn a_row_limit_ends_the_result_with_an_error_and_never_in_silence() {
    let gateway = Gateway::with(Options {
        tls: false,
        policy: Policy::Only(
            r#"
@id("connect") permit (principal, action == Action::"connect", resource);
@id("few") @row_limit("7") permit (principal, action in Action::"sql", resource);
"#,
        ),
        ..Options::default()
    });
    let mut raw = Raw::open(&gateway, AGENT);
    let answer = raw.query("select id from orders");
    assert_eq!(answer.iter().filter(|it| it.tag == 'D').count(), 7);
    assert_eq!(Raw::error(&answer).expect("limited").sqlstate, "54000");
    assert_eq!(raw.rows("select id from orders limit 7").len(), 7);
    // The cancel that ends one result never hits the statement behind it.
    for _ in 0..60 {
        assert_eq!(Raw::error(&raw.query("select id from orders")).expect("limited").sqlstate, "54000");
        assert_eq!(raw.rows("select id from orders limit 7").len(), 7);
    }
    // In parts the limit is the same.
    let mut body = vec![0];
    body.extend(5_u32.to_be_bytes());
    let part = sallyport_e2e::frame(b'E', &body);
    raw.send(
        &[
            Raw::parse("", "select id from orders"),
            Raw::bind("", "", &[]),
            part.clone(),
            part.clone(),
            part,
            Raw::sync(),
        ]
        .concat(),
    );
    let answer = raw.until_ready();
    assert_eq!(answer.iter().filter(|it| it.tag == 'D').count(), 7, "{}", Raw::tags(&answer));
    assert_eq!(Raw::error(&answer).unwrap_or_else(|| panic!("{}", Raw::tags(&answer))).sqlstate, "54000");
}
