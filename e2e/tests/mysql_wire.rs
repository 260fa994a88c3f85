//! Attacks on MySQL's wire: what no driver sends, by a client of our own.

use std::time::Duration;

use sallyport_e2e::mysql_raw::{CLAIMS, MysqlRaw, framed};
use sallyport_e2e::{MysqlGateway, Options, Policy};

const AGENT: &str = "claude-code";

const OPEN: &str = r#"
@id("connect") permit (principal, action == Action::"connect", resource);
@id("everything") permit (principal, action in Action::"sql", resource);
@id("no-schema") forbid (principal, action in Action::"sql:schema", resource);
@id("no-admin") forbid (principal, action in Action::"sql:admin", resource);
"#;

fn gateway(limits: &'static str) -> MysqlGateway {
    MysqlGateway::with(
        Options { policy: Policy::Only(OPEN), tls: false, limits, ..Options::default() },
        "app",
    )
}

#[test]
fn attack_17_a_command_is_the_same_however_its_bytes_come() {
    let gateway = gateway("");
    let mut raw = MysqlRaw::open(&gateway, AGENT);
    for byte in framed(0, b"\x03SELECT 1") {
        raw.bytes(&[byte]);
        std::thread::sleep(Duration::from_millis(3));
    }
    assert_eq!(raw.error_number(), Some(0));
    // Several at once: each is answered, those behind a refusal too.
    let many = [
        framed(0, b"\x03SELECT 1"),
        framed(0, b"\x03DROP TABLE orders"),
        framed(0, b"\x03SELECT 2"),
        framed(0, b"\x0e"),
    ];
    raw.bytes(&many.concat());
    let answers: Vec<_> = (0..4).map(|_| raw.error_number()).collect();
    assert_eq!(answers, [Some(0), Some(1227), Some(0), Some(0)]);
    assert!(raw.lives());
}

#[test]
fn attack_17_what_is_not_carried_is_refused_and_the_session_goes_on() {
    let gateway = gateway("");
    let mut raw = MysqlRaw::open(&gateway, AGENT);
    let carried = [0x01, 0x02, 0x03, 0x04, 0x09, 0x0c, 0x0e, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1f];
    for number in (0..=255).filter(|number| !carried.contains(number)) {
        let payload =
            [&[number], &b"root\0\x14aaaaaaaaaaaaaaaaaaaashop\0mysql_native_password\0"[..]].concat();
        assert_eq!(raw.ask(&payload), Some(1235), "command {number:#x}");
    }
    assert!(raw.lives(), "it is still the same session");
    let seen = gateway.json("admin", &["sessions", "list"]);
    assert_eq!(seen["sessions"][0]["principal"], AGENT);
    // Inside a statement, too: it is neither another user's nor replicated.
    for denied in [
        "BINLOG 'AAAA'",
        "CHANGE MASTER TO master_host = 'x'",
        "SHUTDOWN",
        "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE notes",
    ] {
        let number = raw.ask(&[b"\x03", denied.as_bytes()].concat());
        assert!(matches!(number, Some(1227 | 1235)), "{denied}: {number:?}");
    }
    assert!(raw.lives());
}

#[test]
fn attack_17_packets_out_of_order_end_the_connection() {
    let gateway = gateway("");
    for sequence in [1, 5, 255] {
        let mut raw = MysqlRaw::open(&gateway, AGENT);
        raw.bytes(&framed(sequence, b"\x03SELECT 1"));
        assert_eq!(raw.error_number(), Some(1053), "number {sequence}");
        assert!(!raw.lives());
    }
    let mut raw = MysqlRaw::open(&gateway, AGENT);
    raw.bytes(&framed(0, b""));
    assert_eq!(raw.error_number(), Some(1053), "a packet without a command");
    // A handshake out of order is not answered.
    let mut raw = MysqlRaw::greeted(&gateway);
    raw.bytes(&framed(7, &MysqlRaw::response(CLAIMS)));
    assert_eq!(raw.receive(), None);
}

#[test]
fn attack_17_what_was_not_offered_is_not_switched_on() {
    let gateway = gateway("");
    let token = gateway.token(AGENT);
    // Compression, local files, zstd, query attributes, session tracking, a changed password's sandbox.
    for claim in [
        1 << 5,
        1 << 7,
        1 << 26,
        1 << 27,
        1 << 23,
        1 << 22,
        1 << 25,
        1 << 28,
        !((1 << 11) | (1 << 20) | (1 << 21)),
    ] {
        let Ok(mut raw) = MysqlRaw::signed_in(&gateway, CLAIMS | claim, &token) else { continue };
        assert!(raw.lives(), "claim {claim:#x}: it speaks as before");
        let local = raw.ask(b"\x03LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE notes");
        assert!(matches!(local, Some(1227 | 1235)), "claim {claim:#x}: {local:?}");
    }
    // TLS that nobody offered.
    let mut raw = MysqlRaw::greeted(&gateway);
    raw.send(&[&(CLAIMS | (1 << 11)).to_le_bytes()[..], &[0; 28]].concat());
    assert_eq!(raw.receive(), None);
}

#[test]
fn attack_14_half_a_handshake_and_silence_are_ended() {
    let gateway = gateway("handshake = \"1s\"\nidle = \"10s\"");
    let mut silent = MysqlRaw::greeted(&gateway);
    let mut half = MysqlRaw::greeted(&gateway);
    half.bytes(&framed(1, &MysqlRaw::response(CLAIMS))[..20]);
    let mut asked = MysqlRaw::greeted(&gateway);
    asked.send(&MysqlRaw::response(CLAIMS));
    asked.receive().expect("it asks for the token");
    let mut huge = MysqlRaw::greeted(&gateway);
    huge.bytes(&[0xff, 0xff, 0xff, 1]);
    for (name, raw) in
        [("silent", &mut silent), ("half", &mut half), ("asked", &mut asked), ("huge", &mut huge)]
    {
        assert!(raw.closed_after() < Duration::from_secs(6), "{name}");
    }
    let mut idle = MysqlRaw::open(&gateway, AGENT);
    assert_eq!(idle.error_number(), Some(1053), "it is told why");
    let mut begun = MysqlRaw::open(&gateway, AGENT);
    begun.bytes(&framed(0, b"\x03SELECT 1")[..6]);
    assert!(begun.closed_after() < Duration::from_secs(19), "half a command is no life");
}

#[test]
fn attack_17_a_command_over_the_limit_ends_the_connection_before_it_is_read() {
    let gateway = gateway("message_limit_bytes = 1048576");
    gateway.admin_sql("ALTER TABLE notes MODIFY body LONGTEXT");
    let mut raw = MysqlRaw::open(&gateway, AGENT);
    raw.bytes(&[0x01, 0x00, 0x20, 0, 0x03]);
    assert_eq!(raw.error_number(), Some(1053));
    // In many packets of the greatest length, one behind the other.
    let mut raw = MysqlRaw::open(&gateway, AGENT);
    raw.bytes(&[0xff, 0xff, 0xff, 0, 0x03]);
    assert_eq!(raw.error_number(), Some(1053));
    // Parts of a parameter count together, and nothing of them is run.
    let mut raw = MysqlRaw::open(&gateway, AGENT);
    raw.command(b"\x16INSERT INTO notes (body) VALUES (?)");
    let prepared = raw.receive().expect("an answer");
    assert_eq!(prepared[0], 0, "{prepared:?}");
    raw.receive().expect("the parameter");
    let id = &prepared[1..5];
    for _ in 0..3 {
        raw.command(&[&[0x18], id, &[0, 0], &vec![b'x'; 500_000][..]].concat());
    }
    assert_eq!(raw.ask(&[&[0x17], id, &[0, 1, 0, 0, 0, 0, 1, 253, 0]].concat()), Some(1226));
    assert_eq!(gateway.admin_sql("SELECT count(*) FROM notes"), "0");
    assert!(raw.lives());
    // And what fits is one operation.
    raw.command(&[&[0x18], id, &[0, 0], &vec![b'x'; 500_000][..]].concat());
    raw.command(&[&[0x18], id, &[0, 0], &vec![b'y'; 500_000][..]].concat());
    assert_eq!(raw.ask(&[&[0x17], id, &[0, 1, 0, 0, 0, 0, 1, 253, 0]].concat()), Some(0));
    assert_eq!(gateway.admin_sql("SELECT max(length(body)) FROM notes"), "1000000");
}

#[test]
fn attack_17_prepared_statements_are_only_those_that_were_allowed() {
    let gateway = gateway("");
    let mut raw = MysqlRaw::open(&gateway, AGENT);
    assert_eq!(raw.ask(b"\x16DROP TABLE orders"), Some(1227));
    for number in [0_u32, 1, 2, u32::MAX] {
        let id = number.to_le_bytes();
        assert_eq!(raw.ask(&[&[0x17], &id[..], &[0, 1, 0, 0, 0]].concat()), Some(1243), "{number}");
        assert_eq!(raw.ask(&[&[0x1c], &id[..], &[9, 0, 0, 0]].concat()), Some(1243), "{number}");
        assert_eq!(raw.ask(&[&[0x1a], &id[..]].concat()), Some(1243), "{number}");
        // These two are never answered.
        raw.command(&[&[0x18], &id[..], &[0, 0, 1]].concat());
        raw.command(&[&[0x19], &id[..]].concat());
    }
    assert!(raw.lives());
    // Another session's number is nothing here.
    let mut other = MysqlRaw::open(&gateway, "bob@example.com");
    other.command(b"\x16SELECT 1");
    let prepared = other.receive().expect("an answer");
    let execute = [&[0x17], &prepared[1..5], &[0, 1, 0, 0, 0]].concat();
    assert_eq!(raw.ask(&execute), Some(1243));
    // Parameters that are cut short, and types that nobody knows.
    for broken in [
        &[0, 1, 0, 0, 0][..],
        &[0, 1, 0, 0, 0, 0, 1],
        &[0, 1, 0, 0, 0, 0, 1, 253, 0, 0xfe, 9, 9],
        &[0, 1, 0, 0, 0, 0, 1, 99, 0, 1],
    ] {
        let mut raw = MysqlRaw::open(&gateway, AGENT);
        raw.command(b"\x16SELECT ?");
        let prepared = raw.receive().expect("an answer");
        for _definition in 0..2 {
            raw.receive().expect("a definition");
        }
        let answer = raw.ask(&[&[0x17], &prepared[1..5], broken].concat());
        assert!(answer != Some(0), "{broken:?}");
    }
    assert!(MysqlRaw::open(&gateway, AGENT).lives(), "the gateway goes on");
}

#[test]
fn attack_18_texts_that_two_would_read_differently_are_not_let_through() {
    let gateway = gateway("");
    let mut raw = MysqlRaw::open(&gateway, AGENT);
    for (number, text) in [
        &b"SELECT 1\0; DROP TABLE orders"[..],
        b"SELECT '\xbf\\'; DROP TABLE orders; -- '",
        b"/*!99999 SELECT 1 */ DROP TABLE orders",
        b"/*!50000 DROP TABLE */ orders",
        b"SELECT 1 /*! ; DROP TABLE orders */",
        b"SELECT 1 -- \r; DROP TABLE orders",
        b"SELECT 1 --\x01\n; DROP TABLE orders",
        b"SELECT 1 # x\n; DROP TABLE orders",
        b"\xef\xbb\xbfDROP TABLE orders",
        b"SELECT 1 /* /* */ ; DROP TABLE orders -- */",
        b"DELIMITER //\nDROP TABLE orders//",
        b"SET NAMES gbk; SELECT '\xbf\\'; DROP TABLE orders; -- '",
        b"SET sql_mode = 'NO_BACKSLASH_ESCAPES'; SELECT '\\'; DROP TABLE orders; -- '",
        b"SET sql_mode = ANSI_QUOTES; SELECT \"a\\\"; DROP TABLE orders; -- \"",
        b"SET @a = 'DROP TABLE orders'; PREPARE p FROM @a; EXECUTE p",
        b"EXECUTE IMMEDIATE 'DROP TABLE orders'",
        b"EXECUTE IMMEDIATE CONCAT('DROP ', 'TABLE orders')",
        b"BEGIN NOT ATOMIC DROP TABLE orders; END",
        b"IF 1 THEN DROP TABLE orders; END IF",
        b"ANALYZE FORMAT=JSON DROP TABLE orders",
        b"SET STATEMENT max_statement_time = 1 FOR DROP TABLE orders",
        b"CREATE OR REPLACE TABLE orders (a INT)",
        b"RENAME TABLE orders TO gone",
        b"FLUSH TABLES orders FOR EXPORT; DROP TABLE orders",
        b"XA START 'a'; DROP TABLE orders",
    ]
    .into_iter()
    .enumerate()
    {
        let mark = format!("mark-{number}-{}-", gateway.database);
        let text = [b"\x03", text, b" /* ", mark.as_bytes(), b" */"].concat();
        let answer = raw.ask(&text);
        let refused = answer == Some(1227);
        assert!(!refused || !gateway.has_run(&mark), "{}", String::from_utf8_lossy(&text));
        assert_eq!(
            gateway.admin_sql("SELECT COUNT(*) FROM orders"),
            "20",
            "{}",
            String::from_utf8_lossy(&text)
        );
        if !raw.lives() {
            raw = MysqlRaw::open(&gateway, AGENT);
        }
    }
}

#[test]
fn the_openid_client_s_plugin_carries_a_credential() {
    const PLUGIN: &str = "authentication_openid_connect_client";
    let gateway = gateway("");
    let framed_token =
        |token: &str| [&[1, u8::try_from(token.len()).expect("a short one")], token.as_bytes()].concat();
    let good = framed_token(&gateway.token(AGENT));
    // With the response, and behind an AuthSwitchRequest.
    let mut raw = MysqlRaw::greeted(&gateway);
    raw.send(&MysqlRaw::response_by(PLUGIN, &good));
    assert_eq!(raw.receive().expect("an answer").first(), Some(&0));
    assert!(raw.lives());
    let mut raw = MysqlRaw::greeted(&gateway);
    raw.send(&MysqlRaw::response_by(PLUGIN, b""));
    let switch = raw.receive().expect("an answer");
    assert!(switch.starts_with(&[b"\xfe", PLUGIN.as_bytes(), b"\0"].concat()), "{switch:?}");
    raw.send(&good);
    assert_eq!(raw.receive().expect("an answer").first(), Some(&0));
    assert!(raw.lives());
    // A token that is not good, and data that is none.
    let mut raw = MysqlRaw::greeted(&gateway);
    raw.send(&MysqlRaw::response_by(PLUGIN, &framed_token("eyJhbGciOiJub25lIn0.eyJpc3MiOiJ4In0.")));
    assert_eq!(raw.error_number(), Some(1045));
    let mut raw = MysqlRaw::greeted(&gateway);
    raw.send(&MysqlRaw::response_by(PLUGIN, b"\x01\xf0short"));
    assert_eq!(raw.receive(), None);
}
