//! What bounds an operation, a session and the gateway's memory, seen from outside: time-outs, idle sessions,
//! callers that do not read, callers that are gone.

use std::io::Read as _;
use std::time::{Duration, Instant};

use sallyport_e2e::{Gateway, Options, Policy, Raw, eventually, frame};

const AGENT: &str = "claude-code";
const POLICY: &str = r#"
@id("connect") permit (principal, action == Action::"connect", resource);
@id("reads") @timeout("1s") permit (principal, action in Action::"sql", resource) when { principal is Agent };
@id("rest") permit (principal, action in Action::"sql", resource) when { principal is Human };
"#;
/// Under no time-out.
const HUMAN: &str = "alice@example.com";

fn gateway(limits: &'static str) -> Gateway {
    Gateway::with(Options { policy: Policy::Only(POLICY), tls: false, limits, ..Options::default() })
}

fn one(sql: &str) -> Vec<u8> {
    [Raw::parse("", sql), Raw::bind("", "", &[]), Raw::execute(""), Raw::sync()].concat()
}

/// How many backends of the target run a statement that holds `mark`.
fn running(gateway: &Gateway, mark: &str) -> String {
    gateway.admin_sql(&format!(
        "select count(*) from pg_stat_activity where datname = current_database() and state <> 'idle' and pid <> pg_backend_pid() and query like '%{mark}%' and query not like '%pg_stat_activity%'"
    ))
}

#[test]
fn an_operation_that_takes_too_long_is_cancelled_and_the_session_goes_on() {
    let gateway = gateway("");
    let mut raw = Raw::open(&gateway, AGENT);
    let slow = "select pg_sleep(60), 'slow_one'";
    for (way, messages) in [("simple", frame(b'Q', format!("{slow}\0").as_bytes())), ("extended", one(slow))]
    {
        let started = Instant::now();
        raw.send(&messages);
        let error = Raw::error(&raw.until_ready()).unwrap_or_else(|| panic!("{way}: it ran to its end"));
        assert_eq!(error.sqlstate, "57014", "{way}: {error:?}");
        assert!(error.detail.starts_with("SLP-TIMEOUT"), "{way}: {error:?}");
        assert!(started.elapsed() < Duration::from_secs(15), "{way}: {:?}", started.elapsed());
        assert_eq!(running(&gateway, "slow_one"), "0", "{way}: nothing of it goes on");
        assert_eq!(raw.rows("select 1"), [["1"]], "{way}");
    }
    // In a pipeline each has its own time, though the target would keep their answers back to its end.
    let sleep = "select pg_sleep(0.4)";
    let several: Vec<u8> = (0..5)
        .flat_map(|_| [Raw::parse("", sleep), Raw::bind("", "", &[]), Raw::execute("")].concat())
        .chain(Raw::sync())
        .collect();
    raw.send(&several);
    assert!(Raw::error(&raw.until_ready()).is_none());
    raw.rows("begin");
    assert!(Raw::error(&raw.query(slow)).is_some());
    assert_eq!(Raw::status(&raw.query("select 1")), 'E', "a cancelled statement fails its transaction");
    raw.rows("rollback");
    assert_eq!(raw.rows("select 1"), [["1"]]);
}

#[test]
fn a_session_without_an_operation_is_ended_with_its_reason() {
    let gateway = gateway("idle = \"10s\"");
    let mut busy = Raw::open(&gateway, AGENT);
    let mut idle = Raw::open(&gateway, AGENT);
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(12) {
        assert_eq!(busy.rows("select 1"), [["1"]], "one that works is left alone");
        std::thread::sleep(Duration::from_millis(300));
    }
    let mut said = Vec::new();
    while let Some(message) = idle.read() {
        said.push(message);
    }
    let error = Raw::error(&said).expect("a last word");
    assert_eq!(error.severity, "FATAL");
    assert!(error.detail.starts_with("SLP-ENDED"), "{error:?}");
}

#[test]
fn a_caller_that_is_gone_leaves_nothing_running() {
    let gateway = gateway("");
    for way in ["simple", "extended"] {
        let mut raw = Raw::open(&gateway, HUMAN);
        let sql = format!("select pg_sleep(60), 'gone_{way}'");
        let messages = if way == "simple" { frame(b'Q', format!("{sql}\0").as_bytes()) } else { one(&sql) };
        raw.send(&messages);
        eventually("it runs", || (running(&gateway, &format!("gone_{way}")) == "1").then_some(()));
        drop(raw);
        eventually("it is cancelled", || (running(&gateway, &format!("gone_{way}")) == "0").then_some(()));
    }
    let open = "select count(*) from pg_stat_activity where datname = current_database() and application_name like '%alice%'";
    eventually("no session stays", || (gateway.admin_sql(open) == "0").then_some(()));
}

/// Memory of a process, bytes.
fn memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("its status");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("its memory");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).expect("a number") * 1024
}

#[test]
fn a_caller_that_does_not_read_slows_the_target_and_takes_no_memory() {
    let gateway = gateway("");
    let mut quick = Raw::open(&gateway, HUMAN);
    assert_eq!(quick.rows("select 1"), [["1"]]);
    let before = memory(gateway.pid());
    // Some 400 MB for each of three.
    let sql = b"select n, repeat('x', 4000) as slow_reader from generate_series(1, 100000) n\0";
    let mut slow: Vec<Raw> = (0..3).map(|_| Raw::open(&gateway, HUMAN)).collect();
    for raw in &mut slow {
        raw.send(&frame(b'Q', sql));
    }
    let waits = "select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'ClientWrite' and query like '%slow_reader%'";
    eventually("the target waits", || (gateway.admin_sql(waits) == "3").then_some(()));
    let grown = memory(gateway.pid()).saturating_sub(before);
    assert!(grown < 64 << 20, "{} MiB", grown >> 20);
    assert_eq!(quick.rows("select 2"), [["2"]], "nobody else waits");
    // One that reads after all gets everything.
    let mut raw = slow.pop().expect("one of them");
    let mut rows = 0;
    loop {
        let message = raw.read().expect("the rest");
        rows += u32::from(message.tag == 'D');
        if message.tag == 'Z' {
            break;
        }
    }
    assert_eq!(rows, 100_000);
    drop(slow);
    eventually("the target is let go", || (gateway.admin_sql(waits) == "0").then_some(()));
}

#[test]
fn more_connections_than_allowed_are_refused_and_room_comes_back() {
    let gateway = gateway("max_connections_per_address = 3");
    let mut held: Vec<Raw> = (0..3).map(|_| Raw::open(&gateway, HUMAN)).collect();
    let mut socket = Raw::socket(&gateway);
    socket.set_read_timeout(Some(Duration::from_secs(10))).expect("a time-out");
    let mut said = Vec::new();
    let _ended = socket.read_to_end(&mut said);
    let said = String::from_utf8_lossy(&said);
    assert!(said.is_empty() || said.contains("53300"), "{said}");
    for raw in &mut held {
        assert_eq!(raw.rows("select 1"), [["1"]]);
    }
    held.pop();
    eventually("there is room again", || {
        Raw::try_open(&gateway, HUMAN, 196_608, &[]).ok().map(|mut raw| raw.rows("select 3"))
    });
}
