//! What is lawful passes as if nobody stood between: the same frames, by hand, to the gateway and to the
//! server itself, must bring the same answers.

use sallyport_e2e::{Gateway, Message, Options, Policy, Raw, frame};

const AGENT: &str = "claude-code";
const OPEN: &str = r#"
@id("connect") permit (principal, action == Action::"connect", resource);
@id("everything") permit (principal, action in Action::"sql", resource);
"#;

fn open() -> Gateway {
    Gateway::with(Options { policy: Policy::Only(OPEN), tls: false, ..Options::default() })
}

fn query(sql: &str) -> Vec<u8> {
    frame(b'Q', &[sql.as_bytes(), &[0]].concat())
}

fn execute(portal: &str, rows: u32) -> Vec<u8> {
    frame(b'E', &[portal.as_bytes(), &[0], &rows.to_be_bytes()].concat())
}

fn describe(kind: u8, name: &str) -> Vec<u8> {
    frame(b'D', &[&[kind], name.as_bytes(), &[0]].concat())
}

fn close(kind: u8, name: &str) -> Vec<u8> {
    frame(b'C', &[&[kind], name.as_bytes(), &[0]].concat())
}

fn one(sql: &str) -> Vec<u8> {
    [Raw::parse("", sql), Raw::bind("", "", &[]), describe(b'P', ""), execute("", 0)].concat()
}

/// Sends each step to both, and compares what comes up to `ready` cycles.
#[track_caller]
fn same(gateway: &Gateway, steps: &[(Vec<u8>, usize)]) {
    let mut through = Raw::open(gateway, AGENT);
    let mut direct = Raw::direct(gateway);
    for (number, (bytes, cycles)) in steps.iter().enumerate() {
        let mut answers = [&mut direct, &mut through].map(|raw| {
            // Should one of them say nothing, this is how far it came.
            eprintln!("step {number}");
            raw.send(bytes);
            (0..*cycles).flat_map(|_| raw.until_ready()).map(comparable).collect::<Vec<_>>()
        });
        let through = std::mem::take(&mut answers[1]);
        assert_eq!(through, answers[0], "step {number}: the gateway on the left, the server on the right");
    }
}

/// An answer without what may differ: an error's place in the server's source, and a process id.
fn comparable(message: Message) -> (char, Vec<u8>) {
    match message.tag {
        'E' | 'N' => {
            let fields = message.fields();
            ('E', format!("{} {} {}", fields.severity, fields.sqlstate, fields.message).into_bytes())
        }
        tag => (tag, message.body),
    }
}

#[test]
fn simple_queries_of_every_shape() {
    let gateway = open();
    same(
        &gateway,
        &[
            (query("select 1, 'two', null, 3.5, true, array[1,2], '{\"a\": 1}'::jsonb"), 1),
            (query(""), 1),
            (query(" ; ;; -- nothing\n"), 1),
            (query("select 1; select 2, 3; select where false"), 1),
            (query("select * from orders order by id"), 1),
            (query("select id, total::text from orders where id > 15 order by id desc limit 2"), 1),
            (query("select nowhere"), 1),
            (query("select 1; select 1 / 0; select 3"), 1),
            (query("begin; select 1; commit"), 1),
            (query("begin"), 1),
            (query("select 1 / 0"), 1),
            (query("select 1"), 1),
            (query("rollback"), 1),
            (query("begin; savepoint a; select 1"), 1),
            (query("select 1 / 0"), 1),
            (query("rollback to a"), 1),
            (query("select 'goes on'"), 1),
            (query("commit"), 1),
            (query("commit"), 1),
            (query("set statement_timeout = 0"), 1),
            (query("show server_version"), 1),
            (query("set application_name = 'x'"), 1),
            (query("explain (costs off) select id from orders"), 1),
            (query("values (1), (2)"), 1),
            (query("table orders limit 1"), 1),
            (query("update orders set status = 'same' where id in (1, 2) returning id, status"), 1),
            (query("select generate_series(1, 3000), repeat('x', 100)"), 1),
        ],
    );
}

#[test]
fn extended_queries_of_every_shape() {
    let gateway = open();
    let sync = Raw::sync();
    let with = |parts: &[Vec<u8>]| [parts.concat(), Raw::sync()].concat();
    same(
        &gateway,
        &[
            (with(&[one("select id, status from orders order by id limit 3")]), 1),
            (with(&[one("select 1"), one("select 2"), one("select 3")]), 1),
            (
                [
                    with(&[one("select 1")]),
                    with(&[one("select 1 / 0"), one("select 2")]),
                    with(&[one("select 3")]),
                ]
                .concat(),
                3,
            ),
            (with(&[Raw::parse("s", "select $1::int + 1, $2::text"), describe(b'S', "s")]), 1),
            (
                with(&[
                    Raw::bind("", "s", &["1", "x"]),
                    execute("", 0),
                    Raw::bind("", "s", &["2", "y"]),
                    execute("", 0),
                ]),
                1,
            ),
            (with(&[Raw::bind("", "s", &["no number", "x"]), execute("", 0)]), 1),
            (with(&[Raw::bind("", "s", &["1"]), execute("", 0)]), 1),
            (with(&[close(b'S', "s"), describe(b'S', "")]), 1),
            (with(&[close(b'S', "never"), close(b'P', "never")]), 1),
            (with(&[Raw::parse("", "")]), 1),
            (with(&[Raw::parse("", ""), Raw::bind("", "", &[]), execute("", 0)]), 1),
            (
                with(&[
                    Raw::parse("", "update orders set status = 'same' where id = 3 returning id"),
                    describe(b'S', ""),
                    Raw::bind("", "", &[]),
                    execute("", 0),
                ]),
                1,
            ),
            (with(&[Raw::parse("", "begin"), Raw::bind("", "", &[]), execute("", 0)]), 1),
            (
                with(&[
                    Raw::parse("p", "select id from orders order by id"),
                    Raw::bind("cur", "p", &[]),
                    execute("cur", 3),
                ]),
                1,
            ),
            (with(&[execute("cur", 3), describe(b'P', "cur")]), 1),
            (with(&[one("select 'between'"), execute("cur", 0), close(b'P', "cur")]), 1),
            (with(&[one("select 1 / 0")]), 1),
            (with(&[one("select 1")]), 1),
            (with(&[one("rollback")]), 1),
            (sync.clone(), 1),
            ([sync.clone(), sync].concat(), 2),
            (with(&[one("select 1; select 2")]), 1),
            (with(&[one("set datestyle = 'ISO, DMY'"), one("select date '2026-11-25'")]), 1),
            (with(&[one("begin"), one("select 1"), one("commit"), one("select 2")]), 1),
        ],
    );
}

#[test]
fn copies_both_ways() {
    let gateway = open();
    gateway.admin_sql("create table c (a int, b text); alter table c owner to app");
    let data = |text: &str| frame(b'd', text.as_bytes());
    let done = frame(b'c', &[]);
    let fail = frame(b'f', b"enough\0");
    same(
        &gateway,
        &[
            (query("copy (select id, status from orders order by id) to stdout"), 1),
            (query("copy orders to stdout (format csv, header)"), 1),
            (query("copy (select 1) to stdout; select 2"), 1),
            ([query("copy c from stdin"), data("1\tone\n2\t"), data("two\n"), done.clone()].concat(), 1),
            (query("select * from c order by a"), 1),
            ([query("copy c from stdin"), data("3\tthree\n"), fail.clone()].concat(), 1),
            ([query("copy c from stdin"), data("no number\tx\n"), done.clone()].concat(), 1),
            ([query("copy c from stdin (format csv)"), data("4,four\n"), done.clone()].concat(), 1),
            (query("select count(*) from c"), 1),
            ([query("select 1; copy c from stdin; select 2"), data("6\tsix\n"), done.clone()].concat(), 1),
            ([query("copy c from stdin"), done.clone()].concat(), 1),
            // Several in one text, their data sent ahead; one that fails takes the rest with it.
            (
                [
                    query("copy c from stdin; select 'between'; copy c from stdin; select 'after'"),
                    data("7\tseven\n"),
                    done.clone(),
                    data("8\teight\n"),
                    done.clone(),
                ]
                .concat(),
                1,
            ),
            ([query("copy c from stdin; copy c from stdin"), data("9\tnine\n"), fail.clone()].concat(), 1),
            ([data("10\tstray\n"), done.clone(), query("select count(*) from c where a > 6")].concat(), 1),
            (
                [
                    Raw::parse("", "copy c from stdin"),
                    Raw::bind("", "", &[]),
                    execute("", 0),
                    data("5\tfive\n"),
                    done,
                    Raw::sync(),
                ]
                .concat(),
                1,
            ),
            (
                [
                    Raw::parse("", "copy (select 7) to stdout"),
                    Raw::bind("", "", &[]),
                    execute("", 0),
                    Raw::sync(),
                ]
                .concat(),
                1,
            ),
            (query("select count(*) from c"), 1),
        ],
    );
}

#[test]
fn a_query_inside_a_pipeline_is_carried_as_the_server_takes_it() {
    let gateway = open();
    gateway.admin_sql("create table c (a int); alter table c owner to app");
    let insert = || one("insert into c values (1)");
    let flush = || frame(b'H', &[]);
    same(
        &gateway,
        &[
            // As asyncpg's cursors and pg-query-stream do: Flush, and then a Query without a Sync.
            ([one("select 1"), flush(), query("select 2"), Raw::sync()].concat(), 2),
            ([insert(), query("select 2"), Raw::sync()].concat(), 2),
            ([insert(), query("select 2"), query("select 3"), insert(), query("select 1 / 0")].concat(), 3),
            (query("select 'goes on'"), 1),
            // In a pipeline that has failed it is skipped, and only the Sync is answered.
            ([one("select 1 / 0"), query("select 3"), Raw::sync()].concat(), 1),
            ([one("select 1 / 0"), flush(), query("select 3"), query("begin"), Raw::sync()].concat(), 1),
            ([one("begin"), query("select 4"), one("select 5"), query("rollback")].concat(), 2),
            (
                [
                    Raw::parse("p", "select 6"),
                    query("select 7"),
                    Raw::bind("", "p", &[]),
                    execute("", 0),
                    Raw::sync(),
                ]
                .concat(),
                2,
            ),
            (query("select 8"), 1),
        ],
    );
}

#[test]
fn flush_brings_answers_without_a_sync() {
    let gateway = open();
    let mut raw = Raw::open(&gateway, AGENT);
    raw.send(&[Raw::parse("s", "select $1::int"), describe(b'S', "s"), frame(b'H', &[])].concat());
    let tags: String = (0..3).map(|_| raw.read().expect("an answer").tag).collect();
    assert_eq!(tags, "1tT");
    raw.send(&[Raw::bind("", "s", &["7"]), execute("", 0), frame(b'H', &[])].concat());
    let tags: String = (0..3).map(|_| raw.read().expect("an answer").tag).collect();
    assert_eq!(tags, "2DC");
    raw.send(&Raw::sync());
    assert_eq!(Raw::tags(&raw.until_ready()), "Z");
}

#[test]
fn notifications_and_notices_arrive() {
    let gateway = open();
    let mut raw = Raw::open(&gateway, AGENT);
    raw.rows("listen news");
    gateway.admin_sql("notify news, 'hello'");
    let answer = raw.query("select pg_sleep(0.2)");
    let more = raw.query("select 1");
    let told = answer.iter().chain(&more).find(|it| it.tag == 'A').expect("a notification");
    assert!(told.body.windows(5).any(|it| it == b"hello") || told.body.windows(4).any(|it| it == b"news"));
    let answer = raw.query("drop table if exists no_such_table");
    assert!(answer.iter().any(|it| it.tag == 'N'), "{answer:?}");
}

#[test]
fn a_deep_pipeline_does_not_stall() {
    let gateway = open();
    let mut raw = Raw::open(&gateway, AGENT);
    let mut writer = raw.socket.try_clone().expect("a second handle");
    let sending = std::thread::spawn(move || {
        for number in 0..3000 {
            let sql = format!("select {number}, repeat('x', 2000)");
            std::io::Write::write_all(&mut writer, &[one(&sql), Raw::sync()].concat()).expect("sent");
        }
    });
    for number in 0..3000 {
        let answer = raw.until_ready();
        let row = answer.iter().find(|it| it.tag == 'D').unwrap_or_else(|| panic!("at {number}: {answer:?}"));
        assert_eq!(row.cells()[0], number.to_string());
    }
    sending.join().expect("all sent");
}

#[test]
fn a_long_pipeline_without_a_sync_does_not_stall() {
    let gateway = open();
    let mut raw = Raw::open(&gateway, AGENT);
    raw.send(
        &[Raw::parse("s", "update orders set total = total + 1 where id = $1::int"), Raw::sync()].concat(),
    );
    assert!(Raw::error(&raw.until_ready()).is_none());
    let all: Vec<u8> =
        (0..3000).flat_map(|_| [Raw::bind("", "s", &["1"]), execute("", 0)].concat()).collect();
    raw.send(&[all, Raw::sync()].concat());
    let answer = raw.until_ready();
    assert_eq!(answer.iter().filter(|it| it.tag == 'C').count(), 3000);
    assert_eq!(gateway.admin_sql("select total from orders where id = 1"), "3010");
}

#[test]
fn two_copies_sent_without_waiting_keep_their_data_apart() {
    let gateway = open();
    gateway.admin_sql("create table c (a int); create table d (a int); alter table c owner to app; alter table d owner to app");
    let mut raw = Raw::open(&gateway, AGENT);
    let copy = |table: &str, data: &str| {
        [query(&format!("copy {table} from stdin")), frame(b'd', data.as_bytes()), frame(b'c', &[])].concat()
    };
    let behind = query("select count(*) from generate_series(1, 300000)");
    raw.send(&[behind, copy("c", "1\n"), copy("d", "2\n3\n"), query("select 'after'")].concat());
    for _ in 0..4 {
        let answer = raw.until_ready();
        assert!(Raw::error(&answer).is_none(), "{answer:?}");
    }
    assert_eq!(gateway.admin_sql("select (select sum(a) from c), (select sum(a) from d)"), "1|5");
}

#[test]
fn many_sessions_work_side_by_side() {
    let gateway = open();
    std::thread::scope(|scope| {
        for worker in 0..24 {
            let gateway = &gateway;
            scope.spawn(move || {
                let mut raw = Raw::open(gateway, AGENT);
                for step in 0..20 {
                    let sum = raw.rows(&format!("select {worker} * 100 + {step}"));
                    assert_eq!(sum, [[(worker * 100 + step).to_string()]]);
                }
            });
        }
    });
}
