//! A and F: who calls, whose things they reach, and what the recording gives away.

use std::time::{Duration, Instant};

use sallyport_e2e::{Gateway, Kind, Options, Policy, Raw, Session, attempt, within};

use crate::{AGENT, BOB, OPEN, open};

#[test]
fn a_token_revoked_while_connected_ends_the_session_at_the_next_check() {
    let gateway = Gateway::with(Options { tls: false, limits: "idle = \"10s\"", ..Options::default() });
    let token = gateway.new_token(AGENT, &[]);
    let (mut session, outcome) = attempt(&gateway, Kind::Psycopg, &token);
    outcome.ok();
    let list = gateway.json("admin", &["tokens", "list"]);
    let tokens = list["tokens"].as_array().expect("a list");
    let id = tokens.iter().filter_map(|it| it["id"].as_str()).find(|id| token.contains(*id)).expect("its id");
    gateway.cli("admin", &["tokens", "revoke", id]).ok();
    let started = Instant::now();
    within(Duration::from_secs(14), "it ends", &mut || session.run("select 1").sqlstate);
    assert!(gateway.log().contains("no longer valid"), "for this reason and not for idleness");
    assert!(started.elapsed() < Duration::from_secs(14));
}

#[test]
fn a_principal_that_is_taken_away_while_connected_loses_its_session() {
    let options = Options { tls: false, limits: "idle = \"10s\"", ..Options::default() };
    let gateway = Gateway::with(options);
    let mut session = Session::open(&gateway, Kind::Psycopg, AGENT);
    gateway.change_principals(options, |principals| {
        principals.replacen("[[principal]]\nname = \"claude-code\"\nkind = \"agent\"\non_behalf_of = \"alice@example.com\"\ngroups = [\"agents\", \"dba\"]\n", "", 1)
    });
    within(Duration::from_secs(14), "it ends", &mut || session.run("select 1").sqlstate);
    assert!(gateway.log().contains("no longer valid"));
    let (_, outcome) = attempt(&gateway, Kind::Psycopg, &gateway.token(AGENT));
    assert!(outcome.all.contains("SLP-TOKEN"), "{}", outcome.all);
}

#[test]
fn the_user_in_the_start_up_packet_is_nobody() {
    let gateway = open();
    let mut raw = Raw { socket: Raw::socket(&gateway), key: (0, Vec::new()), opening: Vec::new() };
    raw.send(&Raw::startup(0x0003_0000, &[("user", "postgres"), ("database", "shop-prod")]));
    raw.sign_in(&gateway.token(AGENT)).expect("the token decides");
    assert_eq!(raw.rows("select current_user, session_user"), [["app", "app"]]);
}

#[test]
fn databases_that_are_not_listed_cannot_be_asked_for() {
    let gateway = open();
    for database in [
        "shop-prod/postgres",
        "shop-prod/",
        "shop-prod/template1",
        "other",
        "shop-prod/../postgres",
        "SHOP-PROD",
        "",
    ] {
        let mut raw = Raw { socket: Raw::socket(&gateway), key: (0, Vec::new()), opening: Vec::new() };
        raw.send(&Raw::startup(0x0003_0000, &[("user", "x"), ("database", database)]));
        let refused = raw.sign_in(&gateway.token(AGENT));
        assert!(refused.is_err(), "{database}");
    }
}

#[test]
fn a_refusal_to_a_stranger_tells_nothing_of_targets() {
    let gateway = open();
    let said: Vec<String> = ["shop-prod", "no-such-target"]
        .iter()
        .map(|database| {
            let mut raw = Raw { socket: Raw::socket(&gateway), key: (0, Vec::new()), opening: Vec::new() };
            raw.send(&Raw::startup(0x0003_0000, &[("user", "x"), ("database", database)]));
            format!("{:?}", raw.sign_in("slp_wrong").expect_err("no token"))
        })
        .collect();
    assert_eq!(said[0], said[1], "with and without such a target");
}

#[test]
fn recordings_and_sessions_of_others_are_closed_to_those_without_the_role() {
    let gateway = Gateway::start();
    let mut session = Session::open(&gateway, Kind::Psql, AGENT);
    session.run("select 'recorded'").ok();
    let id = gateway.newest_session();
    for who in [AGENT, BOB, "victor@example.com", "codex"] {
        let ran = gateway.cli(who, &["sessions", "replay", &id]);
        assert_ne!(ran.code, 0, "{who}");
        assert!(!ran.out.contains("recorded"), "{who}: {}", ran.out);
        assert_ne!(gateway.cli(who, &["sessions", "kill", &id]).code, 0, "{who}");
        assert_ne!(gateway.cli(who, &["tokens", "create", "admin"]).code, 0, "{who}");
        assert_ne!(gateway.cli(who, &["audit", "list"]).code, 0, "{who}");
    }
    assert_eq!(session.run("select 1").ok(), "1\n", "it is still there");
    gateway.cli("admin", &["sessions", "replay", &id]).ok();
    let audit = gateway.cli("admin", &["audit", "list", "--json"]).ok();
    assert!(audit.contains(&id), "the reading of {id} is in the audit: {audit}");
    assert_ne!(gateway.cli("admin", &["sessions", "replay", "06H10AEYRMZ731A3FQ9YSTBD1"]).code, 0);
}

#[test]
fn what_is_replayed_on_a_terminal_cannot_drive_it() {
    let gateway = open();
    let mut raw = Raw::open(&gateway, AGENT);
    raw.rows("select E'\\x1b[2J\\u202e', 'a\x1b]0;title\x07b'");
    let id = gateway.newest_session();
    let replay = gateway.cli("admin", &["sessions", "replay", &id]).ok();
    for hidden in ['\x1b', '\x07', '\u{202e}', '\u{9b}'] {
        assert!(!replay.contains(hidden), "{hidden:?} in {replay:?}");
    }
}

#[test]
fn a_gateway_killed_in_the_middle_leaves_a_recording_that_verifies() {
    let mut gateway = Gateway::with(Options { policy: Policy::Only(OPEN), tls: false, ..Options::default() });
    let mut raw = Raw::open(&gateway, AGENT);
    raw.rows("insert into orders values (300, 1, 1, 'before the crash')");
    gateway.signal("KILL");
    gateway.ended();
    gateway.launch();
    let mut raw = Raw::open(&gateway, AGENT);
    raw.rows("select 1");
    drop(raw);
    gateway.signal("TERM");
    gateway.ended();
    let verified = gateway.offline(&["recording", "verify"]);
    assert_eq!(verified.code, 0, "{}{}", verified.out, verified.err);
}

#[test]
fn neither_tokens_nor_the_targets_password_nor_statements_are_logged() {
    let gateway = Gateway::start();
    let token = gateway.token(AGENT);
    let mut session = Session::open(&gateway, Kind::Psql, AGENT);
    session.run("select 'unlogged words', diagnosis from users").ok();
    session.run("drop table unlogged_words").refused("42501", "SLP-DENIED");
    let (_, _) = attempt(&gateway, Kind::Psql, "slp_wrong_unlogged");
    let log = gateway.log();
    for secret in [token.as_str(), "app-secret", "unlogged", "whisper"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[test]
fn refusals_at_sign_in_have_their_sqlstates() {
    let gateway = open();
    let mut raw = Raw { socket: Raw::socket(&gateway), key: (0, Vec::new()), opening: Vec::new() };
    raw.send(&Raw::startup(0x0003_0000, &[("user", "x"), ("database", "shop-prod")]));
    let error = raw.sign_in("slp_wrong").expect_err("a bad token");
    assert_eq!((error.sqlstate.as_str(), error.severity.as_str()), ("28P01", "FATAL"));
    let gateway = Gateway::with(Options { tls: false, target_down: true, ..Options::default() });
    let error = Raw::try_open(&gateway, AGENT, 0x0003_0000, &[]).expect_err("no target");
    assert_eq!((error.sqlstate.as_str(), error.severity.as_str()), ("08006", "FATAL"));
}

#[test]
fn who_may_not_connect_reaches_no_target() {
    let gateway = Gateway::with(Options {
        tls: false,
        policy: Policy::Only(r#"@id("humans") permit (principal is Human, action, resource);"#),
        ..Options::default()
    });
    let error = Raw::try_open(&gateway, AGENT, 0x0003_0000, &[]).expect_err("no agent");
    assert!(error.detail.starts_with("SLP-DENIED"), "{error:?}");
    let _human = Raw::open(&gateway, BOB);
}
