//! Attacks on what MySQL's protocol carries, before a real MariaDB: every way that is known to carry a protected
//! value past the masking.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use sallyport_e2e::mysql_raw::{MysqlRaw, framed};
use sallyport_e2e::{MariaDb, MysqlClient, MysqlGateway, MysqlSession, Options, Policy};

const AGENT: &str = "claude-code";

/// Rules keep nobody from anything: what is hidden here is hidden by masking alone.
const ALL: &str = r#"
@id("connect") permit (principal, action == Action::"connect", resource);
@id("everything") permit (principal, action in Action::"sql", resource);
"#;

const NO_SCHEMA: &str = r#"
@id("connect") permit (principal, action == Action::"connect", resource);
@id("everything") permit (principal, action in Action::"sql", resource);
@id("no-schema") forbid (principal, action in Action::"sql:schema", resource);
"#;

const HIDDEN: &str = include_str!("mysql/hidden.sql");

/// What a protected value of the shop looks like, in the dresses that keep it whole.
const LEAKS: &[&str] = &[
    "whisper",
    "repsihw",
    "77686973706572",
    "rehpsihw",
    "d2hpc3Bl",
    "900-11",
    "3930302d3131",
    "11-009",
    "77001",
    "77002",
    "77003",
    "77004",
    "77005",
    "12cc9",
    "385015",
];

fn leak(text: &str) -> Option<&'static str> {
    let text = text.to_lowercase();
    let plain: String = text.chars().filter(|c| *c != '\0').collect();
    LEAKS.iter().find(|leak| plain.contains(&leak.to_lowercase())).copied()
}

/// How a statement is sent.
type Send = fn(&mut MysqlSession, &str) -> sallyport_e2e::MysqlOutcome;

/// Plays every block; gives each statement that carried something out.
fn play(client: MysqlClient, send: Send) -> Vec<String> {
    let options = Options { policy: Policy::Only(ALL), ..Options::default() };
    let mut found = Vec::new();
    let mut played = 0;
    let gateway = MysqlGateway::with(options, "app");
    for block in HIDDEN.split("\n\n").skip(1) {
        // What one block changes is not the next one's.
        gateway.renew();
        let mut session = MysqlSession::open(&gateway, client, AGENT);
        for line in block.lines().filter(|line| !line.starts_with("-- ")) {
            if let Some(sql) = line.strip_prefix('!') {
                gateway.admin_sql(&format!("\nDELIMITER //\n{sql} //\n"));
                continue;
            }
            let outcome = send(&mut session, line);
            played += 1;
            if let Some(what) = leak(&format!("{} {}", outcome.rows, outcome.message)) {
                found.push(format!("{line}\n    {what}: {} {}", outcome.rows.trim(), outcome.message));
            }
            // In some modes no text is understood; the connection is there all the same.
            let lives = session.run("SELECT 1");
            assert!(matches!(lives.code, None | Some(1227)), "{line}: {outcome:?}, then {lives:?}");
        }
    }
    assert!(played > 200, "{played}");
    found
}

#[test]
fn attack_21_nothing_hidden_comes_out_of_a_text() {
    let found = play(MysqlClient::Mysql2, |session, sql| session.op("header", &[sql]));
    assert!(found.is_empty(), "{} leaks:\n{}", found.len(), found.join("\n"));
}

#[test]
fn attack_21_nothing_hidden_comes_out_of_a_prepared_statement() {
    let found = play(MysqlClient::Mysql2, |session, sql| session.op("header-exec", &[sql]));
    assert!(found.is_empty(), "{} leaks:\n{}", found.len(), found.join("\n"));
}

#[test]
fn attack_21_how_many_warnings_a_masked_value_made_is_not_told() {
    let options = Options { policy: Policy::Only(ALL), ..Options::default() };
    let gateway = MysqlGateway::with(options, "app");
    let mut session = MysqlSession::open(&gateway, MysqlClient::PyMySql, AGENT);
    // As many as the number of the value's first letter, or of the orders that there are.
    let asks =
        "SELECT if(id <= ord((SELECT email FROM users WHERE id = 1)), cast('x' AS int), 0) FROM orders";
    for tells in
        ["SELECT @@warning_count", "SELECT @@session.warning_count + 0 AS n", "SHOW COUNT(*) WARNINGS"]
    {
        session.run(asks);
        let told = session.run(tells);
        assert!(!told.rows.contains(|c: char| c.is_ascii_digit() && c != '0'), "{tells}: {}", told.rows);
    }
    session.run("SELECT cast('x' AS int)");
    let own = session.run("SELECT @@warning_count");
    assert!(own.rows.contains('1'), "those of what is not masked are: {}", own.rows);
}

#[test]
fn attack_21_a_variable_that_holds_a_masked_value_is_no_condition() {
    let options = Options { policy: Policy::Only(ALL), ..Options::default() };
    let gateway = MysqlGateway::with(options, "app");
    let mut session = MysqlSession::open(&gateway, MysqlClient::PyMySql, AGENT);
    let asks = "SELECT id FROM orders WHERE id = ord(@a)";
    session.run("SET @a = 'x'");
    session.run(asks).ok();
    session.run("SELECT email INTO @a FROM users WHERE id = 1");
    session.run(asks).refused(1227, "SLP-MASK");
}

#[test]
fn attack_23_a_masked_value_that_comes_back_is_refused() {
    let gateway = MysqlGateway::with(Options { policy: Policy::Only(ALL), ..Options::default() }, "app");
    let mut session = MysqlSession::open(&gateway, MysqlClient::Mysql2, AGENT);
    for sql in [
        "UPDATE users SET email = '‹pii.email›' WHERE id = 1",
        "INSERT INTO notes (body) VALUES ('see ‹pii.ssn› there')",
        "UPDATE users SET email = concat('‹pii.email›', '') WHERE id = 1",
        "SELECT id FROM users WHERE email = '‹pii.email›'",
    ] {
        session.run(sql).refused(1227, "SLP-MASK");
    }
    session
        .execute("UPDATE users SET email = ? WHERE id = ?", &["‹pii.email›", "1"])
        .refused(1227, "SLP-MASK");
    assert_eq!(gateway.admin_sql("SELECT email FROM users WHERE id = 1"), "whisper1@mail.example");
    session.run("INSERT INTO notes (body) VALUES ('‹no label of that name›')").ok();
    session.execute("UPDATE users SET email = ? WHERE id = ?", &["new@mail.example", "1"]).ok();
}

/// What the server in the middle answers to a text with `@@turn` in it, packet by packet, and what it was then told.
type Answers = fn() -> Vec<Vec<u8>>;

/// A server that turns: everything goes to the real one and back, but for texts with `@@turn`, which it answers by
/// itself; what the gateway sends behind that is told to the test.
fn turning(answers: Answers) -> (u16, Receiver<(u8, Vec<u8>)>) {
    let real = MariaDb::shared().port;
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let (told, heard) = channel();
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let server = TcpStream::connect(("127.0.0.1", real)).expect("the server");
            let (mut back, mut to) =
                (server.try_clone().expect("a socket"), client.try_clone().expect("a socket"));
            std::thread::spawn(move || drop(std::io::copy(&mut back, &mut to)));
            let told = told.clone();
            std::thread::spawn(move || turn(client, server, answers, &told));
        }
    });
    (port, heard)
}

fn packet(socket: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let mut header = [0; 4];
    socket.read_exact(&mut header).ok()?;
    let mut payload =
        vec![0; usize::from(header[0]) | usize::from(header[1]) << 8 | usize::from(header[2]) << 16];
    socket.read_exact(&mut payload).ok()?;
    Some((header[3], payload))
}

fn turn(mut client: TcpStream, mut server: TcpStream, answers: Answers, told: &Sender<(u8, Vec<u8>)>) {
    while let Some((sequence, payload)) = packet(&mut client) {
        let turns =
            matches!(payload.first(), Some(0x03 | 0x16)) && payload.windows(6).any(|part| part == b"@@turn");
        if !turns {
            if server.write_all(&framed(sequence, &payload)).is_err() {
                return;
            }
            continue;
        }
        for (number, answer) in (1_u8..).zip(answers()) {
            if client.write_all(&framed(number, &answer)).is_err() {
                return;
            }
            // It asks for a file: what comes is what it is given.
            if answer.first() == Some(&0xfb) {
                client.set_read_timeout(Some(Duration::from_secs(3))).expect("a time-out");
                match packet(&mut client) {
                    Some(given) => drop(told.send(given)),
                    None => return drop(client.shutdown(Shutdown::Both)),
                }
                client.set_read_timeout(None).expect("no time-out");
                let done = framed(number + 2, &[0, 0, 0, 2, 0, 0, 0]);
                if client.write_all(&done).is_err() {
                    return;
                }
            }
        }
    }
}

const FILE: &[u8] = b"\xfb/etc/passwd";

/// A column of text, as servers describe one.
fn column() -> Vec<u8> {
    b"\x03def\x00\x00\x00\x01x\x00\x0c\x2d\x00\xff\x00\x00\x00\xfd\x00\x00\x00\x00\x00".to_vec()
}

#[test]
fn attack_17_a_server_that_asks_for_a_local_file_gets_none_wherever_it_asks() {
    let cases: [(&str, Answers, bool); 5] = [
        ("at once", || vec![FILE.to_vec()], true),
        (
            "behind a result",
            || {
                let end = b"\xfe\x00\x00\x0a\x00\x00\x00".to_vec();
                vec![vec![1], column(), b"\x01a".to_vec(), end, FILE.to_vec()]
            },
            true,
        ),
        ("behind an OK", || vec![b"\x00\x00\x00\x0a\x00\x00\x00".to_vec(), FILE.to_vec()], true),
        ("among rows", || vec![vec![1], column(), b"\x01a".to_vec(), FILE.to_vec()], false),
        ("in a column's place", || vec![vec![1], FILE.to_vec()], false),
    ];
    for (name, answers, goes_on) in cases {
        let (port, heard) = turning(answers);
        let options = Options { policy: Policy::Only(ALL), tls: false, ..Options::default() };
        let gateway = MysqlGateway::behind(options, "app", port);
        let mut raw = MysqlRaw::open(&gateway, AGENT);
        assert!(raw.lives(), "{name}");
        raw.command(b"\x03SELECT 'x' /* @@turn */; SELECT 1");
        let mut last = Vec::new();
        while let Some(packet) = raw.receive() {
            assert!(!packet.starts_with(FILE) || name == "among rows", "{name}: the client was asked");
            let over = packet.first() == Some(&0xff);
            last = packet;
            if over {
                break;
            }
        }
        assert_eq!(last.first(), Some(&0xff), "{name}: {last:?}");
        let said = String::from_utf8_lossy(&last);
        match heard.recv_timeout(Duration::from_secs(5)) {
            Ok((_, given)) => assert!(given.is_empty(), "{name}: it was given {given:?}"),
            Err(_) => assert!(!goes_on, "{name}: it was left waiting"),
        }
        if goes_on {
            assert!(said.contains("SLP-PROTOCOL") && said.contains("local file"), "{name}: {said}");
            assert!(raw.lives(), "{name}: the connection goes on");
        }
        let mut prepared = MysqlRaw::open(&gateway, AGENT);
        let answer = prepared.ask(b"\x16SELECT ? /* @@turn */");
        assert!(answer.is_none_or(|number| number != 0), "{name}: {answer:?}");
    }
}

/// Character sets in which a backslash may be the second byte of a character. The text ends where such a client's
/// server ends it, not where a reader of bytes would.
#[test]
fn attack_18_a_backslash_inside_a_character_eats_no_quote() {
    let options = Options { policy: Policy::Only(NO_SCHEMA), tls: false, ..Options::default() };
    let gateway = MysqlGateway::with(options, "app");
    // Collation, name, a byte behind which `\\` is no escape.
    for (collation, name, lead) in
        [(28_u8, "gbk", 0xbf_u8), (1, "big5", 0xa5), (13, "sjis", 0x83), (95, "cp932", 0x83)]
    {
        let hidden = |before: &str, rest: &str| {
            [b"\x03", before.as_bytes(), b"SELECT '", &[lead, b'\\'], b"'; ", rest.as_bytes()].concat()
        };
        let open_in = |collation| {
            let response = MysqlRaw::response_in(collation);
            MysqlRaw::signed_in_by(&gateway, &response, &gateway.token(AGENT)).expect("it is let in")
        };
        let mut raw = open_in(collation);
        let drops = "DROP TABLE orders; -- '";
        assert_eq!(raw.ask(&hidden("", drops)), Some(1227), "{name} at sign-in");
        assert_eq!(raw.ask(&hidden("", "")), Some(0), "{name}: a character like any other");
        assert_eq!(raw.ask(&[b"\x16", &hidden("", drops)[1..]].concat()), Some(1227), "{name}, prepared");
        let said = raw.answer(b"\x03SELECT email, ssn FROM users");
        let said = String::from_utf8_lossy(&said);
        assert!(!said.contains("whisper") && said.contains("<pii.email>"), "{name}: {said}");
        // What is masked and what comes back are told in this set, too.
        let mark =
            [b"\x03SELECT id FROM users WHERE email = '<pii.email>", &[lead, b'\\'][..], b"'"].concat();
        assert!(raw.ask(&mark).is_some(), "{name}");
        for way in [
            format!("SET NAMES {name}"),
            format!("SET character_set_client = {name}"),
            format!("SET CHARACTER SET {name}"),
            format!("SET SESSION character_set_client = '{name}', @x = 1"),
            format!("SET STATEMENT character_set_client = {name} FOR SELECT 1"),
            format!("SET @@session.character_set_client = {name}"),
        ] {
            // In one text, which the server has read to its end in the old set; and in the next.
            let mut raw = open_in(45);
            let one = raw.ask(&hidden(&format!("{way}; "), drops));
            assert!(one.is_some(), "{name}, {way}: {one:?}");
            let mut raw = open_in(45);
            raw.ask(&[b"\x03", way.as_bytes()].concat());
            let next = raw.ask(&hidden("", drops));
            assert!(next.is_some(), "{name}, {way}: {next:?}");
            // Back again: a backslash is an escape.
            raw.ask(b"\x03SET NAMES utf8mb4");
            let back = raw.ask(b"\x03SELECT 'a\\'; DROP TABLE orders; -- '");
            assert!(matches!(back, Some(0 | 1227)), "{name}, {way}: {back:?}");
        }
        assert_eq!(gateway.admin_sql("SELECT COUNT(*) FROM orders"), "20", "{name}");
    }
}
