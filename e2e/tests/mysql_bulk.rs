//! Many rows of parameters in one execution, MariaDB's way, by a client of our own: what no driver sends, too.

use sallyport_e2e::mysql_raw::MysqlRaw;
use sallyport_e2e::{MysqlGateway, Options, Policy};

const AGENT: &str = "claude-code";

const OPEN: &str = r#"
@id("connect") permit (principal, action == Action::"connect", resource);
@id("everything") permit (principal, action in Action::"sql", resource);
@id("no-schema") forbid (principal, action in Action::"sql:schema", resource);
"#;

fn gateway() -> MysqlGateway {
    MysqlGateway::with(Options { policy: Policy::Only(OPEN), tls: false, ..Options::default() }, "app")
}

/// The capability, as it stands among MariaDB's own.
const BULK: u32 = 1 << 2;

fn open(gateway: &MysqlGateway) -> MysqlRaw {
    let response = MysqlRaw::response_of_mariadb(BULK);
    MysqlRaw::signed_in_by(gateway, &response, &gateway.token(AGENT)).expect("it is let in")
}

/// A bulk execution: flags and what stands behind them.
fn bulk(statement: [u8; 4], flags: u8, rest: &[&[u8]]) -> Vec<u8> {
    [&[0xfa][..], &statement, &[flags, 0], &rest.concat()].concat()
}

/// The types of a number and a text.
const NUMBER_AND_TEXT: &[u8] = &[3, 0, 253, 0];

/// A row of them.
fn row(number: u32, text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).expect("a short text");
    [&[0][..], &number.to_le_bytes(), &[0, length], text.as_bytes()].concat()
}

#[test]
fn many_rows_of_parameters_are_carried_with_their_indicators() {
    let gateway = gateway();
    let mut raw = open(&gateway);
    let insert = raw.prepare("INSERT INTO notes (id, body) VALUES (?, ?)");
    let null = [&[0][..], &2_u32.to_le_bytes(), &[1]].concat();
    assert_eq!(raw.ask(&bulk(insert, 128, &[NUMBER_AND_TEXT, &row(1, "one"), &null, &[2, 3]])), Some(0));
    let kept = "SELECT GROUP_CONCAT(CONCAT(id, '=', IFNULL(body, 'null')) ORDER BY id) FROM notes";
    assert_eq!(gateway.admin_sql(kept), "1=one,2=null,3=null");
    // Without types: those of the last execution. By -1: the statement prepared last.
    assert_eq!(raw.ask(&bulk(insert, 0, &[&row(10, "ten"), &row(11, "eleven")])), Some(0));
    assert_eq!(raw.ask(&bulk([0xff; 4], 0, &[&row(12, "twelve")])), Some(0));
    assert_eq!(gateway.admin_sql("SELECT COUNT(*) FROM notes WHERE id BETWEEN 10 AND 12"), "3");
    // An error of the target's in a later row.
    assert_eq!(raw.ask(&bulk(insert, 0, &[&row(20, "x"), &row(20, "x")])), Some(1062));
    assert!(raw.lives());
    // Left as it is, where an update is told to.
    let update = raw.prepare("UPDATE notes SET body = ? WHERE id = ?");
    let rows = [&[3, 0][..], &1_u32.to_le_bytes(), &[0, 3], b"TEN", &[0], &10_u32.to_le_bytes()].concat();
    assert_eq!(raw.ask(&bulk(update, 128, &[&[253, 0, 3, 0], &rows])), Some(0));
    let both = "SELECT GROUP_CONCAT(body ORDER BY id) FROM notes WHERE id IN (1, 10)";
    assert_eq!(gateway.admin_sql(both), "one,TEN");
    // What comes back of each row is masked like any result.
    let returning = raw.prepare(
        "INSERT INTO users SELECT ?, name, ?, ssn, diagnosis, pin, profile, photo FROM users WHERE id = 1 \
         RETURNING id, diagnosis",
    );
    let rows = [row(50, "a@b.example"), row(51, "c@d.example")].concat();
    let said = raw.answer(&bulk(returning, 128, &[NUMBER_AND_TEXT, &rows]));
    assert!(!said.is_empty() && !String::from_utf8_lossy(&said).contains("whisper"), "{said:?}");
}

#[test]
fn attack_17_many_rows_of_parameters_are_read_to_the_last_byte_or_refused() {
    let gateway = gateway();
    let mut raw = open(&gateway);
    let insert = raw.prepare("INSERT INTO notes (id, body) VALUES (?, ?)");
    // A masked value that comes back in the second row.
    let marked = [row(1, "x"), row(2, "‹pii.email›"), row(3, "y")].concat();
    assert_eq!(raw.ask(&bulk(insert, 128, &[NUMBER_AND_TEXT, &marked])), Some(1227));
    // A statement that is not there, one that was denied, one without parameters, parts of a parameter.
    assert_eq!(raw.ask(&bulk([9; 4], 128, &[NUMBER_AND_TEXT, &row(1, "x")])), Some(1243));
    let none = raw.prepare("SELECT 1");
    assert_eq!(raw.ask(b"\x16DROP TABLE orders"), Some(1227));
    let last = bulk([0xff; 4], 128, &[NUMBER_AND_TEXT, &row(1, "x")]);
    assert_eq!(raw.ask(&last), Some(1243), "not the one before");
    assert_eq!(raw.ask(&bulk(none, 128, &[&[]])), Some(1235));
    raw.command(&[&[0x18], &insert[..], &[1, 0], b"part"].concat());
    assert_eq!(raw.ask(&bulk(insert, 128, &[NUMBER_AND_TEXT, &row(1, "x")])), Some(1235));
    // What each row did was not offered.
    assert_eq!(raw.ask(&bulk(insert, 192, &[NUMBER_AND_TEXT, &row(1, "x")])), Some(1235));
    // More values than are kept.
    let one = raw.prepare("INSERT INTO notes (body) VALUES (?)");
    assert_eq!(raw.ask(&bulk(one, 128, &[&[253, 0], &vec![1; (1 << 18) + 1]])), Some(1226));
    assert!(raw.lives());
    // Who did not say that it knows it.
    let mut other = MysqlRaw::open(&gateway, AGENT);
    let insert = other.prepare("INSERT INTO notes (id, body) VALUES (?, ?)");
    assert_eq!(other.ask(&bulk(insert, 128, &[NUMBER_AND_TEXT, &row(1, "x")])), Some(1235));
    assert!(other.lives());
    assert_eq!(gateway.admin_sql("SELECT COUNT(*) FROM notes"), "0");
}

#[test]
fn attack_17_a_bulk_execution_cut_anywhere_or_with_what_nobody_knows_runs_nothing() {
    let gateway = gateway();
    let text = "INSERT INTO notes (id, body) VALUES (?, ?)";
    let insert = open(&gateway).prepare(text);
    let whole = bulk(insert, 128, &[NUMBER_AND_TEXT, &row(1, "x"), &row(2, "y")]);
    // Behind the first row it is whole again.
    let first = whole.len() - row(2, "y").len();
    let cuts = (1..whole.len()).filter(|cut| *cut != first);
    let mut broken: Vec<Vec<u8>> = cuts.map(|cut| whole[..cut].to_vec()).collect();
    for (place, byte) in [(5, 129), (5, 130), (6, 1), (7, 99), (11, 4), (11, 255), (16, 9)] {
        let mut other = whole.clone();
        other[place] = byte;
        broken.push(other);
    }
    for mut payload in broken {
        let mut raw = open(&gateway);
        for (to, from) in payload.iter_mut().skip(1).zip(raw.prepare(text)) {
            *to = from;
        }
        assert_eq!(raw.ask(&payload), Some(1053), "{payload:?}");
    }
    assert_eq!(gateway.admin_sql("SELECT COUNT(*) FROM notes"), "0");
    let mut raw = open(&gateway);
    let insert = raw.prepare(text);
    assert_eq!(raw.ask(&bulk(insert, 128, &[NUMBER_AND_TEXT, &row(1, "x"), &row(2, "y")])), Some(0));
    assert_eq!(gateway.admin_sql("SELECT COUNT(*) FROM notes"), "2");
}

/// Types that came with a refused execution are known to the client and to the gateway, and not to the target.
#[test]
fn attack_17_parameters_are_read_by_the_target_as_they_were_decided() {
    let gateway = gateway();
    let mut raw = MysqlRaw::open(&gateway, AGENT);
    let insert = raw.prepare("INSERT INTO notes (id, body) VALUES (1, ?)");
    let execute = |rest: &[&[u8]]| [&[0x17][..], &insert, &[0, 1, 0, 0, 0, 0], &rest.concat()].concat();
    let mark = "‹pii.email›".as_bytes();
    let marked = [&[1, 253, 0, u8::try_from(mark.len()).expect("a short one")], mark].concat();
    assert_eq!(raw.ask(&execute(&[&[1, 8, 0], &77_u64.to_le_bytes()])), Some(0));
    assert_eq!(gateway.admin_sql("SELECT body FROM notes; DELETE FROM notes"), "77");
    assert_eq!(raw.ask(&execute(&[&marked])), Some(1227), "the target still goes by a number");
    assert_eq!(raw.ask(&execute(&[&[0, 7], b"1234567"])), Some(0), "and was sent the type of a text");
    assert_eq!(gateway.admin_sql("SELECT body FROM notes"), "1234567");
}
