//! What holds for every input that anybody could send: one function a target.
//!
//! ```text
//! harness (libFuzzer) -.
//!                       >- a target here -> the crate that reads such input, and what must hold of it
//! tests over corpus/  -'
//! ```
//!
//! `cargo xtask fuzz TARGET` runs one by libFuzzer; the test suite plays every file of `corpus/` through its
//! target, so that what a run once found is never found again.
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a target says what is wrong by panicking"
)]

use bytes::BytesMut;
use sallyport_core::Facts;
use sallyport_inspect::http::Apis;
use sallyport_inspect::lines::Lines;
use sallyport_wire::mysql::{self as mysql_wire, PacketDecoder};
use sallyport_wire::pg::{self, FrameDecoder};
use serde_json::{Value, json};

/// A target: it panics when something does not hold.
pub type Target = fn(&[u8]);

/// Every target by the name that `cargo xtask fuzz` and `corpus/` know it by.
pub const TARGETS: &[(&str, Target)] = &[
    ("postgres", postgres),
    ("mysql", mysql),
    ("shell", shell),
    ("http", http),
    ("frames", frames),
    ("mysql-frames", mysql_frames),
    ("mask", mask),
];

/// PostgreSQL's SQL, as bytes and as a line of `sallyport inspect`.
pub fn postgres(data: &[u8]) {
    let remembered = pg_remembered();
    let path = ["public".to_owned()];
    for standard_conforming_strings in [true, false] {
        let context = sallyport_inspect::pg::Context {
            search_path: &path,
            standard_conforming_strings,
            client_encoding: "UTF8",
            catalog: None,
            remembered: &remembered,
        };
        hold(&sallyport_inspect::pg::inspect(data, &context).facts);
    }
    line(&Lines::Postgres, &json!({"text": String::from_utf8_lossy(data)}));
}

fn pg_remembered() -> sallyport_inspect::pg::Remembered {
    sallyport_inspect::pg::Remembered::default()
}

/// The SQL of MySQL and MariaDB; the first byte chooses what decides the reading.
pub fn mysql(data: &[u8]) {
    let Some((choice, text)) = data.split_first() else { return };
    let flavour = ["mariadb-10.11", "mysql-8.4", "mysql-5.7", "mariadb-11.4"].get(usize::from(choice & 3));
    let mode = ["", "ANSI_QUOTES", "NO_BACKSLASH_ESCAPES", "ANSI,PIPES_AS_CONCAT"]
        .get(usize::from((choice >> 2) & 3));
    let set = ["utf8mb4", "gbk", "sjis", "latin1"].get(usize::from((choice >> 4) & 3));
    let text = String::from_utf8_lossy(text);
    line(
        &Lines::Mysql,
        &json!({"text": text, "database": "shop", "flavour": flavour, "sql_mode": mode, "client_encoding": set}),
    );
}

/// Shell text.
pub fn shell(data: &[u8]) {
    line(&Lines::Shell, &json!({"text": String::from_utf8_lossy(data)}));
}

/// An HTTP request: method, target, header lines, an empty line, the body.
pub fn http(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
    let mut lines = head.split('\n');
    let (method, url) = lines.next().unwrap_or("").split_once(' ').unwrap_or(("GET", "/"));
    let mut headers = serde_json::Map::new();
    for header in lines {
        let (name, value) = header.split_once(':').unwrap_or((header, ""));
        headers.insert(name.to_owned(), json!(value.trim_start()));
    }
    line(
        &Lines::Http(Apis::default()),
        &json!({"method": method, "url": url, "headers": headers, "body": body}),
    );
}

fn line(lines: &Lines, input: &Value) {
    let mut input = input.clone();
    if let Some(fields) = input.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
        fields.insert("id".to_owned(), json!("7"));
    }
    let answer = lines.answer(&input.to_string());
    assert!(!answer.contains('\n'), "one line is answered with one");
    let answer: Value = serde_json::from_str(&answer).expect("an answer is JSON");
    assert_eq!(answer.get("id"), Some(&json!("7")), "a line with all its fields is read: {answer}");
    let facts: Facts =
        serde_json::from_value(answer.get("facts").cloned().unwrap_or_default()).expect("facts read back");
    hold(&facts);
}

/// What holds of all facts.
fn hold(facts: &Facts) {
    let answered = facts.statements == 0 || facts.unknown.is_some() || !facts.actions.is_empty();
    assert!(answered, "understood, and yet it does nothing");
    for action in &facts.actions {
        assert_eq!(action.group, action.action.group(), "{action:?}");
    }
    let mut sorted = facts.actions.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!(sorted.len(), facts.actions.len(), "no action stands there twice");
}

/// Frames of PostgreSQL's protocol: however the bytes arrive, the same frames come out, and every reader
/// of a frame's body takes any body.
pub fn frames(data: &[u8]) {
    let decoder = FrameDecoder::new(1 << 16);
    let read = |chunks: &[&[u8]]| {
        let mut buffer = BytesMut::new();
        let mut found = Vec::new();
        for chunk in chunks {
            buffer.extend_from_slice(chunk);
            loop {
                match decoder.decode(&mut buffer) {
                    Ok(Some(frame)) => found.push(frame),
                    Ok(None) => break,
                    Err(_) => return found,
                }
            }
        }
        found
    };
    let whole = read(&[data]);
    let (first, second) = data.split_at(data.len() / 2);
    let parts = read(&[first, second]);
    assert_eq!(whole.len(), parts.len(), "frames do not depend on how the bytes arrive");
    for (one, other) in whole.iter().zip(&parts) {
        assert_eq!(one.raw(), other.raw());
    }
    for frame in &whole {
        // Errors are answers too: what is asked for is that there is no panic.
        let answers = [
            pg::frontend::parse(frame).is_ok(),
            pg::backend::row_description(frame).is_ok(),
            pg::backend::parameter_description(frame).is_ok(),
            pg::backend::data_row(frame).is_ok(),
            pg::backend::error_fields(frame).is_ok(),
            pg::backend::parameter_status(frame).is_ok(),
            pg::backend::notification(frame).is_ok(),
            pg::backend::ready_for_query(frame).is_ok(),
            pg::backend::command_complete(frame).is_ok(),
        ];
        std::hint::black_box(answers);
    }
}

/// Packets of MySQL's protocol: however the bytes arrive, the same payloads come out, and every reader of a
/// payload takes any.
pub fn mysql_frames(data: &[u8]) {
    let decoder = PacketDecoder::new(1 << 16);
    let read = |chunks: &[&[u8]]| {
        let mut buffer = BytesMut::new();
        let mut found = Vec::new();
        for chunk in chunks {
            buffer.extend_from_slice(chunk);
            while let Ok(Some(packet)) = decoder.decode(&mut buffer) {
                found.push(packet);
            }
        }
        found
    };
    let whole = read(&[data]);
    let (first, second) = data.split_at(data.len() / 2);
    assert_eq!(whole, read(&[first, second]), "payloads do not depend on how the bytes arrive");
    for packet in &whole {
        let payload = packet.payload();
        let columns = usize::from(packet.tag() & 15);
        let kinds = vec![packet.last; columns];
        let parameters = columns;
        let answers = [
            mysql_wire::handshake::Greeting::parse(payload).is_ok(),
            mysql_wire::handshake::client_first(payload).is_ok(),
            mysql_wire::handshake::AuthSwitch::parse(payload).is_ok(),
            mysql_wire::command::Command::parse(payload).is_ok(),
            mysql_wire::command::Execute::parse(payload, parameters, None, |index| index == 1).is_ok(),
            bulk(payload, parameters),
            mysql_wire::column::Column::parse(payload).is_ok(),
            mysql_wire::reply::Done::parse(payload).is_ok(),
            mysql_wire::reply::Done::parse_eof(payload).is_ok(),
            mysql_wire::reply::Failure::parse(payload).is_ok(),
            mysql_wire::reply::Prepared::parse(payload).is_ok(),
            mysql_wire::reply::column_count(payload).is_ok(),
            mysql_wire::row::text_values(payload, columns).is_ok(),
            mysql_wire::row::binary_values(payload, kinds.into_iter()).is_ok(),
        ];
        std::hint::black_box(answers);
    }
}

/// Many rows of parameters: what is sent on is read as what came.
fn bulk(payload: &[u8], parameters: usize) -> bool {
    let Ok(read) = mysql_wire::bulk::Bulk::parse(payload, parameters, None, 1 << 10) else { return false };
    assert_eq!(read.values.len() % parameters, 0, "rows are whole");
    let types = read.types.clone().expect("they were given, since none were known");
    let mut sent = BytesMut::new();
    read.put(&mut sent, 7, &types);
    let again = mysql_wire::bulk::Bulk::parse(&sent, parameters, None, 1 << 10).expect("it reads back");
    assert_eq!((&again.values, again.unit_results), (&read.values, read.unit_results));
    true
}

/// Text under the detectors: spans lie within the text, and what is masked no longer stands there.
pub fn mask(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let labels = sallyport_mask::Labels::builtin();
    let answer = sallyport_mask::lines::answer(&json!({"id": "7", "text": text}).to_string(), &labels);
    let answer: Value = serde_json::from_str(&answer).expect("an answer is JSON");
    let length = u64::try_from(text.chars().count()).expect("a length");
    for finding in answer.get("findings").and_then(Value::as_array).expect("findings") {
        let at = |name: &str| finding.get(name).and_then(Value::as_u64).expect("a place");
        assert!(at("start") < at("end") && at("end") <= length, "{finding}");
    }
}
