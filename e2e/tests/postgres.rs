//! The scenario table: what every protocol must do, over psql and over psycopg, against a real server.

use std::fs;
use std::time::{Duration, Instant};

use sallyport_e2e::{Gateway, Kind, Options, Policy, Session, attempt, eventually, within};
use serde_json::json;

/// Each scenario for each client.
macro_rules! scenarios {
    ($($name:ident),* $(,)?) => {
        mod psql {
            $(#[test] fn $name() { super::$name(sallyport_e2e::Kind::Psql); })*
        }
        mod psycopg {
            $(#[test] fn $name() { super::$name(sallyport_e2e::Kind::Psycopg); })*
        }
    };
}

scenarios!(
    allowed_statements_run_and_are_decided_on_the_wire,
    denied_statements_reach_nothing_and_leave_the_connection_usable,
    held_and_approved_runs_exactly_once,
    held_and_rejected_runs_never,
    held_and_expired_runs_never,
    a_hold_that_nobody_answers_becomes_a_ticket_used_once_by_a_new_session,
    labelled_columns_are_masked_in_every_dress,
    cancelling_stops_a_running_statement,
    cancelling_a_hold_withdraws_it,
    a_killed_session_ends_at_once,
    a_session_killed_while_it_is_held_leaves_no_ticket,
    a_replay_shows_statements_decisions_and_masked_rows_only,
    a_target_that_is_away_is_said_and_ends_the_connection,
    bad_credentials_open_nothing,
    a_policy_change_acts_on_live_connections_and_a_bad_one_does_not,
    a_full_disk_refuses_until_there_is_room,
    sigterm_turns_a_held_request_into_a_ticket,
);

const AGENT: &str = "claude-code";
const BOB: &str = "bob@example.com";

/// Everything goes, but for one relation: what the server does is seen without holds.
const OPEN: &str = r#"
@id("connect") permit (principal, action == Action::"connect", resource);
@id("everything") permit (principal, action in Action::"sql", resource);
@id("no-schema") forbid (principal, action in Action::"sql:schema", resource);
"#;

fn status(gateway: &Gateway, order: u32) -> String {
    gateway.admin_sql(&format!("select status from orders where id = {order}"))
}

fn allowed_statements_run_and_are_decided_on_the_wire(kind: Kind) {
    let gateway = Gateway::start();
    let mut session = Session::open(&gateway, kind, AGENT);
    assert_eq!(session.run("select count(*), 'allowed' from orders").ok(), "20|allowed\n");
    assert!(gateway.has_run("'allowed' from orders"), "the target itself has run it");
}

fn denied_statements_reach_nothing_and_leave_the_connection_usable(kind: Kind) {
    let gateway = Gateway::start();
    let mut session = Session::open(&gateway, kind, AGENT);
    for denied in [
        "drop table orders /* mark */",
        "delete from orders /* mark */",
        "delete from orders where true /* mark */",
        "truncate orders /* mark */",
        "alter table orders add x int /* mark */",
        "grant all on orders to public /* mark */",
        "select pg_read_file('/etc/passwd') /* mark */",
        "copy orders to program 'cat' /* mark */",
    ] {
        session.run(denied).refused("42501", "SLP-DENIED");
        assert_eq!(session.run("select 1").ok(), "1\n", "after {denied}");
    }
    session.run("this is no SQL /* mark */").refused("42501", "SLP-UNKNOWN");
    session.run("do $$ begin perform 1; end $$ /* mark */").refused("42501", "SLP-UNKNOWN");
    assert_eq!(session.run("select 1").ok(), "1\n");
    assert!(!gateway.has_run("mark"), "the target has heard of it");
    assert_eq!(gateway.admin_sql("select count(*) from orders"), "20");
}

fn held_and_approved_runs_exactly_once(kind: Kind) {
    let gateway = Gateway::start();
    let mut session = Session::open(&gateway, kind, AGENT);
    session.start("update orders set total = total + 1, status = 'paid' where id = 3 returning total");
    let id = gateway.open_request();
    assert_eq!(status(&gateway, 3), "new", "it waits");
    assert!(!gateway.has_run("status = 'paid'"));
    let shown = gateway.cli(BOB, &["approvals", "show", &id]).ok();
    assert!(shown.contains("update orders set total = total + 1"), "{shown}");
    assert!(shown.contains("claude-code for alice@example.com"), "{shown}");
    gateway.approve(&id);
    let outcome = session.finish();
    assert_eq!(outcome.ok(), "31\n");
    assert!(outcome.notices.contains(&format!("SLP-HELD request {id}")), "{}", outcome.notices);
    assert!(outcome.notices.contains("approvals approve"), "{}", outcome.notices);
    assert_eq!(gateway.admin_sql("select total, status from orders where id = 3"), "31|paid");
    assert_eq!(gateway.request_state(&id), "used");
}

fn held_and_rejected_runs_never(kind: Kind) {
    let gateway = Gateway::start();
    let mut session = Session::open(&gateway, kind, AGENT);
    session.start("delete from orders where id = 4");
    let id = gateway.open_request();
    gateway.cli(BOB, &["approvals", "deny", &id, "--note", "not today"]).ok();
    let outcome = session.finish();
    outcome.refused("42501", "SLP-REJECTED");
    assert!(outcome.detail.contains("not today"), "{}", outcome.detail);
    assert_eq!(status(&gateway, 4), "new");
    assert!(!gateway.has_run("delete from orders"));
    assert_eq!(session.run("select 1").ok(), "1\n");
}

fn held_and_expired_runs_never(kind: Kind) {
    let gateway = Gateway::with(Options {
        policy: Policy::StarterAnd(
            r#"@id("quick") @hold("dba") @ttl("2s") permit (principal, action == Action::"sql:update", resource);"#,
        ),
        ..Options::default()
    });
    let mut session = Session::open(&gateway, kind, AGENT);
    let outcome = session.run("update orders set status = 'late' where id = 5");
    assert_eq!(outcome.sqlstate.as_deref(), Some("42501"), "{}", outcome.all);
    assert!(outcome.detail.starts_with("SLP-EXPIRED"), "{}", outcome.all);
    assert_eq!(status(&gateway, 5), "new");
    assert_eq!(session.run("select 1").ok(), "1\n");
}

fn a_hold_that_nobody_answers_becomes_a_ticket_used_once_by_a_new_session(kind: Kind) {
    let gateway = Gateway::with(Options { limits: "hold_wait = \"1s\"", ..Options::default() });
    let sql = "update orders set total = total + 1 where id = 6";
    let mut first = Session::open(&gateway, kind, AGENT);
    first.run(sql).refused("42501", "SLP-TICKET");
    assert_eq!(first.run("select 1").ok(), "1\n");
    drop(first);
    let id = gateway.open_request();
    gateway.approve(&id);
    let mut second = Session::open(&gateway, kind, AGENT);
    second.run(sql).ok();
    assert_eq!(gateway.admin_sql("select total from orders where id = 6"), "61");
    second.run(sql).refused("42501", "SLP-TICKET");
    assert_eq!(gateway.admin_sql("select total from orders where id = 6"), "61", "an approval is for once");
}

fn labelled_columns_are_masked_in_every_dress(kind: Kind) {
    let gateway = Gateway::start();
    let mut session = Session::open(&gateway, kind, AGENT);
    for dress in [
        "select * from users",
        "select diagnosis as harmless, email, profile, pin from users",
        "select what from patients",
        "select upper(diagnosis) || 'x', substr(diagnosis, 2), md5(diagnosis), pin + 1 from users",
        "with u as (select diagnosis d from users) select d from u",
        "select (select diagnosis from users where id = 1) from orders limit 1",
        "select diagnosis from users union all select status from orders",
        "select row_to_json(u) from users u",
        "select to_jsonb(u)->>'diagnosis' from users u",
        "select array_agg(diagnosis) from users",
        "select string_agg(pin::text, ',') from users",
        "select u from users u",
        "select profile->>'who', profile->'deep' from users",
        "select case when id > 0 then diagnosis end, coalesce(diagnosis, '') from users",
        "select t.d from (select id, diagnosis::bytea d from users) t",
        "select encode(diagnosis::bytea, 'base64'), encode(diagnosis::bytea, 'hex') from users",
        "select max(diagnosis), min(pin) from users",
        "select x.* from orders o join lateral (select diagnosis from users where users.id = o.user_id) x on true",
        "select diagnosis from users for share",
        "values ((select diagnosis from users limit 1))",
        "select json_build_object('a', diagnosis), xmlelement(name a, diagnosis)::text from users",
    ] {
        if dress.contains("for share") {
            continue; // A lock is held by the starting policy; RETURNING below goes through a hold.
        }
        let outcome = session.run(dress);
        outcome.ok();
        for secret in ["hisper", "HISPER", "7700", "d2hpc3Bl", "68697370", "900-11"] {
            assert!(!outcome.all.contains(secret), "{dress}\n{}", outcome.all);
        }
        assert!(!outcome.rows.is_empty(), "{dress}");
    }
    assert!(session.run("select diagnosis from users").rows.contains("‹pii.diagnosis›"));
    assert_eq!(session.run("select name from users where id = 2").ok(), "user 2\n", "the rest is clear");
    copies_are_masked(&mut session, kind);
    // RETURNING, after approval.
    session.start("update users set name = name where id = 1 returning diagnosis, pin, id");
    gateway.approve(&gateway.open_request());
    assert_eq!(session.finish().ok(), "‹pii.diagnosis›||1\n");
}

fn copies_are_masked(session: &mut Session, kind: Kind) {
    let copies = [
        "copy users to stdout",
        "copy users (id, diagnosis, pin) to stdout (format csv, header)",
        "copy (select id, upper(diagnosis), email from users) to stdout (format csv)",
        "copy users to stdout (format binary)",
    ];
    for copy in copies {
        let outcome = match kind {
            Kind::Psql if copy.contains("binary") => continue,
            Kind::Psql => session.run(copy),
            Kind::Psycopg => session.ask(&json!({ "op": "copy", "sql": copy })),
        };
        if outcome.sqlstate.is_some() {
            outcome.refused("42501", "SLP-MASK");
            assert!(copy.contains("binary"), "{}", outcome.all);
        }
        assert!(!outcome.all.to_lowercase().contains("hisper"), "{copy}\n{}", outcome.all);
        assert!(!outcome.all.contains("77001"), "{copy}\n{}", outcome.all);
    }
    if kind == Kind::Psql {
        let cursor =
            "begin\\; declare c cursor for select id, diagnosis from users\\; fetch 2 from c\\; commit";
        let outcome = session.run(cursor);
        assert!(!outcome.all.contains("hisper"), "{}", outcome.all);
        return;
    }
    let select = "select id, diagnosis, pin, profile, array[diagnosis] as list from users order by id";
    for request in [
        json!({ "sql": select, "binary": true }),
        json!({ "sql": "select id, diagnosis, pin from users where id = %s", "params": [1], "prepare": true }),
        json!({ "sql": "select id, diagnosis, pin from users where id = %s", "params": [1], "binary": true }),
        json!({ "op": "cursor", "sql": select }),
        json!({ "op": "pipeline", "sqls": [select, "select 1", select] }),
    ] {
        let outcome = session.ask(&request);
        outcome.ok();
        assert!(outcome.all.contains("pii.diagnosis"), "{request}\n{}", outcome.all);
        assert!(
            !outcome.all.contains("hisper") && !outcome.all.contains("7700"),
            "{request}\n{}",
            outcome.all
        );
    }
}

fn cancelling_stops_a_running_statement(kind: Kind) {
    let gateway = Gateway::with(Options { policy: Policy::Only(OPEN), ..Options::default() });
    let mut session = Session::open(&gateway, kind, AGENT);
    let mut other = Session::open(&gateway, kind, AGENT);
    session.start("select pg_sleep(30)");
    other.start("select pg_sleep(3), 'whole'");
    eventually("both run", || {
        let sql = "select count(*) from pg_stat_activity where query like '%pg_sleep%' and state = 'active' \
                   and usename = 'app'";
        (gateway.admin_sql(sql) == "2").then_some(())
    });
    let started = Instant::now();
    session.cancel();
    let outcome = session.finish();
    assert_eq!(outcome.sqlstate.as_deref(), Some("57014"), "{}", outcome.all);
    assert!(started.elapsed() < Duration::from_secs(10));
    still_there(&mut session, kind);
    assert!(other.finish().ok().contains("whole"), "another session's statement goes on");
}

fn cancelling_a_hold_withdraws_it(kind: Kind) {
    let gateway = Gateway::start();
    let mut session = Session::open(&gateway, kind, AGENT);
    session.start("delete from orders where id = 8");
    let id = gateway.open_request();
    session.cancel();
    session.finish().refused("57014", "SLP-WITHDRAWN");
    assert_eq!(gateway.request_state(&id), "withdrawn");
    assert_ne!(gateway.cli(BOB, &["approvals", "approve", &id]).code, 0, "nothing is left to approve");
    assert_eq!(status(&gateway, 8), "new");
    still_there(&mut session, kind);
}

/// After Ctrl-C, psql without a terminal ends by itself.
fn still_there(session: &mut Session, kind: Kind) {
    if kind == Kind::Psycopg {
        assert_eq!(session.run("select 1").ok(), "1\n");
    }
}

fn a_killed_session_ends_at_once(kind: Kind) {
    let gateway = Gateway::with(Options { policy: Policy::Only(OPEN), ..Options::default() });
    let mut session = Session::open(&gateway, kind, AGENT);
    let id = gateway.newest_session();
    session.start("select pg_sleep(60)");
    let asleep = "select count(*) from pg_stat_activity where query like '%pg_sleep%' and usename = 'app'";
    eventually("it runs", || (gateway.admin_sql(asleep) == "1").then_some(()));
    assert_eq!(gateway.cli(BOB, &["sessions", "kill", &id]).code, 4, "a killing asks for an administrator");
    let started = Instant::now();
    gateway.cli("admin", &["sessions", "kill", &id]).ok();
    let outcome = session.finish();
    assert!(outcome.sqlstate.is_some(), "{}", outcome.all);
    assert!(outcome.all.contains("an administrator ended this session"), "{}", outcome.all);
    assert!(started.elapsed() < Duration::from_secs(5));
    eventually("the target's statement is cancelled", || (gateway.admin_sql(asleep) == "0").then_some(()));
    let shown = gateway.cli("admin", &["sessions", "show", &id]).ok();
    assert!(shown.contains("ended by admin"), "{shown}");
}

fn a_session_killed_while_it_is_held_leaves_no_ticket(kind: Kind) {
    let gateway = Gateway::start();
    let mut session = Session::open(&gateway, kind, AGENT);
    let id = gateway.newest_session();
    session.start("delete from orders where id = 1");
    let request = eventually("it is held", || {
        let list: serde_json::Value =
            serde_json::from_str(&gateway.cli("admin", &["approvals", "list", "--json"]).ok()).ok()?;
        list["requests"][0]["id"].as_str().map(str::to_owned)
    });
    gateway.cli("admin", &["sessions", "kill", &id]).ok();
    let outcome = session.finish();
    assert!(outcome.all.contains("an administrator ended this session"), "{}", outcome.all);
    eventually("it is withdrawn", || {
        gateway.cli("admin", &["approvals", "show", &request]).ok().contains("is withdrawn").then_some(())
    });
}

fn a_replay_shows_statements_decisions_and_masked_rows_only(kind: Kind) {
    let gateway = Gateway::start();
    let mut session = Session::open(&gateway, kind, AGENT);
    session.run("select diagnosis, name from users where id = 1").ok();
    session.run("drop table orders").refused("42501", "SLP-DENIED");
    let id = gateway.newest_session();
    drop(session);
    eventually("it is closed", || {
        gateway.cli("admin", &["sessions", "show", &id]).ok().contains("ended").then_some(())
    });
    assert_eq!(gateway.cli(BOB, &["sessions", "replay", &id]).code, 4, "reading asks for an auditor");
    let replay = gateway.cli("admin", &["sessions", "replay", &id]).ok();
    for word in [
        "select diagnosis, name from users where id = 1",
        "agents-read",
        "drop table orders",
        "schema-changes-denied",
        "‹pii.diagnosis›",
        "user 1",
    ] {
        assert!(replay.contains(word), "{word} is not in\n{replay}");
    }
    let raw = gateway.cli("admin", &["sessions", "replay", &id, "--json"]).ok();
    assert!(!replay.contains("whisper") && !raw.contains("whisper") && !raw.contains("d2hpc3Bl"));
    let audit = gateway.cli("admin", &["audit", "list"]).ok();
    assert!(audit.contains(&id[..12]) || audit.contains("recording"), "the reading is recorded: {audit}");
    holds_only_what_is_known(&gateway, &id);
    verifies_until_a_byte_is_flipped(&gateway);
}

/// A slip of the pen in a hold would let evidence expire.
fn holds_only_what_is_known(gateway: &Gateway, session: &str) {
    for slip in [&["06F2ABCDEF0123456789ABCDEF"][..], &["--target", "shop-prdo"]] {
        let hold = [&["recording", "hold"], slip, &["--reason", "case 1"]].concat();
        let refused = gateway.offline(&hold);
        assert_eq!(refused.code, 2, "{}{}", refused.out, refused.err);
        assert!(refused.err.contains("--unknown"), "{}", refused.err);
        gateway.offline(&[&hold[..], &["--unknown"]].concat()).ok();
    }
    gateway.offline(&["recording", "hold", session]).ok();
    let held = gateway.offline(&["recording", "hold", "--json"]).ok();
    assert!(held.contains(session) && held.contains("shop-prdo"), "{held}");
}

fn verifies_until_a_byte_is_flipped(gateway: &Gateway) {
    gateway.signal("TERM");
    gateway.ended();
    gateway.offline(&["recording", "verify"]).ok();
    let segment = files(&gateway.path("sallyport-data/recordings"))
        .into_iter()
        .max_by_key(|path| fs::metadata(path).map_or(0, |it| it.len()))
        .expect("a segment");
    let mut bytes = fs::read(&segment).expect("the segment");
    assert!(!bytes.windows(9).any(|window| window == b"diagnosis"), "statements are encrypted");
    let end = bytes.iter().rposition(|byte| *byte != 0).expect("what was recorded");
    bytes[end / 2] ^= 0x20;
    fs::write(&segment, bytes).expect("the segment");
    let verified = gateway.offline(&["recording", "verify"]);
    assert_eq!(verified.code, 1, "{}{}", verified.out, verified.err);
}

fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

fn a_target_that_is_away_is_said_and_ends_the_connection(kind: Kind) {
    let gateway = Gateway::with(Options { target_down: true, ..Options::default() });
    let (_, outcome) = attempt(&gateway, kind, &gateway.token(AGENT));
    assert!(outcome.sqlstate.is_some(), "{}", outcome.all);
    assert!(outcome.all.contains("SLP-TARGET") && outcome.all.contains("shop-prod"), "{}", outcome.all);
    drop(gateway);
    // And one that goes away while a session is open.
    let gateway = Gateway::start();
    let mut session = Session::open(&gateway, kind, AGENT);
    session.run("select 1").ok();
    gateway.admin_sql(
        "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app' and datname = current_database()",
    );
    let outcome = session.run("select 1");
    assert!(outcome.sqlstate.is_some(), "{}", outcome.all);
    let again = session.run("select 1");
    assert!(again.sqlstate.is_some() || again.all.is_empty() || kind == Kind::Psql, "{}", again.all);
}

fn bad_credentials_open_nothing(kind: Kind) {
    let gateway = Gateway::start();
    let good = gateway.token(AGENT);
    let revoked = gateway.new_token(AGENT, &[]);
    let list = gateway.json("admin", &["tokens", "list"]);
    let listed = list["tokens"].as_array().expect("a list");
    let id =
        listed.iter().filter_map(|it| it["id"].as_str()).find(|id| revoked.contains(*id)).expect("its id");
    gateway.cli("admin", &["tokens", "revoke", id]).ok();
    let expired = gateway.new_token(AGENT, &["--expires", "1m"]);
    gateway.age_tokens();
    let mut wrong = good.clone();
    let last = wrong.pop().expect("a token");
    wrong.push(if last == 'a' { 'b' } else { 'a' });
    for (which, token) in [
        ("changed", wrong.as_str()),
        ("revoked", &revoked),
        ("expired", &expired),
        ("a word", "password"),
        ("none", "none"),
    ] {
        let (_, outcome) = attempt(&gateway, kind, token);
        assert!(outcome.sqlstate.is_some(), "{which}: {}", outcome.all);
        assert!(
            outcome.all.contains("SLP-TOKEN") && outcome.all.contains("HINT"),
            "{which}: {}",
            outcome.all
        );
        assert!(
            !token.starts_with("slp_") || !outcome.all.contains(token),
            "a refusal does not echo the token"
        );
    }
    let (mut session, outcome) = attempt(&gateway, kind, &good);
    outcome.ok();
    session.run("select 1").ok();
}

fn a_policy_change_acts_on_live_connections_and_a_bad_one_does_not(kind: Kind) {
    let gateway = Gateway::with(Options { policy: Policy::Only(OPEN), ..Options::default() });
    let mut session = Session::open(&gateway, kind, AGENT);
    session.run("delete from orders where id = 1").ok();
    gateway.write(
        "policy/more.cedar",
        r#"@id("no-delete") forbid (principal, action == Action::"sql:delete", resource);"#,
    );
    let started = Instant::now();
    within(Duration::from_secs(3), "the rule acts", &mut || {
        session.run("delete from orders where id = 99").sqlstate.map(|state| assert_eq!(state, "42501"))
    });
    assert!(started.elapsed() < Duration::from_millis(2500), "{:?}", started.elapsed());
    session.run("delete from orders where id = 2").refused("42501", "SLP-DENIED");
    gateway.write("policy/more.cedar", "this is no policy");
    eventually("the bad one is said so", || gateway.log().contains("more.cedar").then_some(()));
    session.run("delete from orders where id = 2").refused("42501", "SLP-DENIED");
    assert_eq!(session.run("select 1").ok(), "1\n", "the last good one stays");
    gateway.write("policy/more.cedar", "");
    eventually("the rule is gone", || {
        session.run("delete from orders where id = 99").sqlstate.is_none().then_some(())
    });
}

fn a_full_disk_refuses_until_there_is_room(kind: Kind) {
    let gateway = Gateway::with(Options { policy: Policy::Only(OPEN), ..Options::default() });
    let mut session = Session::open(&gateway, kind, AGENT);
    session.run("select 1").ok();
    let limit = |limit: &str| {
        let pid = gateway.pid().to_string();
        let done = std::process::Command::new("prlimit")
            .args(["--pid", &pid, &format!("--fsize={limit}:")])
            .status()
            .expect("prlimit");
        assert!(done.success());
    };
    limit("1");
    session.run("update orders set status = 'lost' where id = 1").refused("58030", "SLP-RECORDER");
    assert!(!gateway.has_run("'lost'"), "what cannot be recorded is not run");
    assert_eq!(status(&gateway, 1), "new");
    limit("unlimited");
    let mut last = String::new();
    within(Duration::from_secs(20), "it recovers", &mut || {
        // The old session may have been ended, since its recording has a gap.
        let (mut fresh, opened) = attempt(&gateway, kind, &gateway.token(AGENT));
        last.clone_from(&opened.all);
        opened
            .sqlstate
            .is_none()
            .then(|| fresh.run("update orders set status = 'kept' where id = 1"))?
            .sqlstate
            .is_none()
            .then_some(())
    });
    assert_eq!(status(&gateway, 1), "kept");
}

fn sigterm_turns_a_held_request_into_a_ticket(kind: Kind) {
    let mut gateway = Gateway::with(Options { limits: "drain = \"5s\"", ..Options::default() });
    let sql = "update orders set status = 'later' where id = 9";
    let mut session = Session::open(&gateway, kind, AGENT);
    session.start(sql);
    let id = gateway.open_request();
    gateway.signal("TERM");
    let outcome = session.finish();
    assert!(outcome.sqlstate.is_some() && outcome.all.contains("the gateway is stopping"), "{}", outcome.all);
    gateway.ended();
    assert_eq!(status(&gateway, 9), "new");
    gateway.launch();
    gateway.approve(&id);
    Session::open(&gateway, kind, AGENT).run(sql).ok();
    assert_eq!(status(&gateway, 9), "later");
    gateway.offline(&["recording", "verify"]).ok();
}
