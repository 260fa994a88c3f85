//! `sallyport labels`: what it proposes, writes and finds wrong, on a real server.

use sallyport_e2e::{Gateway, MysqlClient, MysqlGateway, MysqlSession, Options, eventually};
use serde_json::Value;

/// A shop with sensitive columns by name and by value, and others that look like them.
const SHOP: &str = r#"
create table people (
  id int primary key, "fullName" text, contact text, ssn bigint, note text, phone_verified boolean, parts text,
  born_on date, client_ip inet
);
insert into people select n, 'Ann Example', 'ann' || n || '@mail.example', 536904300 + n, 'x', true,
  'A-' || n, '1984-05-06', '203.0.113.7' from generate_series(1, 40) n;
create table events (id int, day date, payload jsonb) partition by range (id);
create table events_1 partition of events for values from (0) to (1000);
insert into events select n, '2024-01-01', jsonb_build_object('card', '4111111111111111') from generate_series(1, 30) n;
create view mails as select contact from people;
create table locked (email text);
grant all on people, events, events_1, mails to app;
"#;

/// The text that a unified difference makes of another, checked line by line.
fn applied(before: &str, diff: &str) -> String {
    let old: Vec<&str> = before.lines().collect();
    let (mut out, mut at) = (Vec::new(), 0);
    for line in diff.lines().skip(2) {
        if let Some(hunk) = line.strip_prefix("@@ -") {
            let (from, count) = hunk.split(' ').next().unwrap().split_once(',').unwrap();
            let from: usize = from.parse().unwrap();
            let start = if count == "0" { from } else { from - 1 };
            out.extend_from_slice(&old[at..start]);
            at = start;
            continue;
        }
        let (sign, rest) = line.split_at(1);
        if sign != "+" {
            assert_eq!(old[at], rest, "{diff}");
            at += 1;
        }
        if sign != "-" {
            out.push(rest);
        }
    }
    out.extend_from_slice(&old[at..]);
    out.iter().map(|line| format!("{line}\n")).collect()
}

fn run(gateway: &Gateway, arguments: &[&str]) -> sallyport_e2e::Ran {
    gateway.offline(arguments)
}

#[test]
fn a_scan_proposes_labels_with_their_evidence_and_writes_them() {
    let gateway = Gateway::with(Options { tls: false, ..Options::default() });
    gateway.admin_sql(SHOP);
    let scanned: Value =
        serde_json::from_str(&run(&gateway, &["labels", "scan", "shop-prod", "--json"]).ok()).expect("JSON");
    let proposed: Vec<(String, String)> = scanned["proposals"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|it| (it["column"].as_str().unwrap().to_owned(), it["label"].as_str().unwrap().to_owned()))
        .collect();
    for (column, label) in [
        ("public.people.fullName", "pii.name"),
        ("public.people.contact", "pii.email"),
        ("public.people.ssn", "pii.ssn"),
        ("public.people.client_ip", "pii.ip"),
        ("public.people.born_on", "pii.birth"),
        ("public.events.payload", "pci.card"),
        ("public.locked.email", "pii.email"),
    ] {
        assert!(proposed.contains(&(column.to_owned(), label.to_owned())), "{column}: {proposed:?}");
    }
    for column in ["id", "note", "phone_verified", "parts", "day"] {
        assert!(
            !proposed.iter().any(|(name, _)| name.ends_with(&format!(".{column}"))),
            "{column}: {proposed:?}"
        );
    }
    assert!(!proposed.iter().any(|(name, _)| name.contains("users.email")
        || name.contains("mails")
        || name.contains("events_1")));
    assert_eq!(scanned["not_sampled"], serde_json::json!(["\"public\".\"locked\""]), "no right to read it");
    let contact =
        scanned["proposals"].as_array().unwrap().iter().find(|it| it["column"] == "public.people.contact");
    assert_eq!(contact.unwrap()["evidence"]["found"]["EMAIL_ADDRESS"], 40);
    // Never a value.
    let text = run(&gateway, &["labels", "scan", "shop-prod"]).ok();
    for value in ["mail.example", "5369043", "4111", "203.0.113"] {
        assert!(!text.contains(value) && !scanned.to_string().contains(value), "{text}");
    }
    assert!(text.contains("EMAIL_ADDRESS in 40 of 40") && text.contains("+++ b/labels.toml"), "{text}");
    // What it prints applies, and what it writes is the same.
    let diff = scanned["diff"].as_str().expect("a diff");
    let before = std::fs::read_to_string(gateway.path("labels.toml")).unwrap();
    run(&gateway, &["labels", "scan", "shop-prod", "--write"]).ok();
    let written = std::fs::read_to_string(gateway.path("labels.toml")).unwrap();
    assert_eq!(applied(&before, diff), written);
    let again: Value =
        serde_json::from_str(&run(&gateway, &["labels", "scan", "shop-prod", "--json"]).ok()).expect("JSON");
    assert_eq!(again["proposals"], serde_json::json!([]));
}

/// A shop of MySQL's kind, with what else looks sensitive and what does not.
const MYSQL_SHOP: &str = r#"
CREATE TABLE people (
  id INT PRIMARY KEY, fullName TEXT, Contact VARCHAR(100), ssn BIGINT, note TEXT, phone_verified TINYINT(1),
  born_on DATE, client_ip INET6, payload JSON, raw BLOB, kind ENUM('secret-word', 'b')
);
INSERT INTO people SELECT seq, 'Ann Example', CONCAT('ann', seq, '@mail.example'), 536904300 + seq, 'x', 1,
  '1984-05-06', '2001:db8:77::7', JSON_OBJECT('card', '4111111111111111'), CONCAT('bob', seq, '@mail.example'),
  'secret-word' FROM seq_1_to_40;
CREATE VIEW mails AS SELECT Contact FROM people;
"#;

#[test]
fn a_scan_of_mysql_proposes_labels_that_hold() {
    let gateway = MysqlGateway::with(Options { tls: false, ..Options::default() }, "app");
    gateway.admin_sql(MYSQL_SHOP);
    let scan = |more: &[&str]| gateway.offline(&[&["labels", "scan", "shop-prod"], more].concat()).ok();
    let scanned: Value = serde_json::from_str(&scan(&["--json"])).expect("JSON");
    let database = &gateway.database;
    let proposed: Vec<(&str, &str)> = scanned["proposals"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|it| (it["column"].as_str().unwrap(), it["label"].as_str().unwrap()))
        .collect();
    for (column, label) in [
        ("fullname", "pii.name"),
        ("contact", "pii.email"),
        ("ssn", "pii.ssn"),
        ("client_ip", "pii.ip"),
        ("born_on", "pii.birth"),
        ("payload", "pci.card"),
        ("raw", "pii.email"),
    ] {
        let column = format!("{database}.people.{column}");
        assert!(proposed.contains(&(column.as_str(), label)), "{column}: {proposed:?}");
    }
    for name in ["id", "note", "phone_verified", "kind", "users.email", "mails.contact"] {
        assert!(
            !proposed.iter().any(|(column, _)| column.ends_with(&format!(".{name}"))),
            "{name}: {proposed:?}"
        );
    }
    let text = scan(&[]);
    for value in ["mail.example", "5369043", "4111", "2001:db8:77", "secret-word"] {
        assert!(!text.contains(value) && !scanned.to_string().contains(value), "{text}");
    }
    assert!(text.contains("EMAIL_ADDRESS in 40 of 40") && text.contains("+++ b/labels.toml"), "{text}");
    // By names alone nothing is found in values.
    let names: Value = serde_json::from_str(&scan(&["--json", "--sample", "0"])).expect("JSON");
    assert!(
        !names.to_string().contains("EMAIL_ADDRESS") && names.to_string().contains(".people.ssn"),
        "{names}"
    );
    // What it writes masks: the column is named as a session names it, whatever its letters.
    scan(&["--write"]);
    let mut session = MysqlSession::open(&gateway, MysqlClient::PyMySql, "claude-code");
    eventually("the labels are read again", || {
        let read = session.run("SELECT CONTACT, fullName FROM people WHERE id = 1");
        (read.ok() == "‹pii.email›|‹pii.name›\n").then_some(())
    });
    let again: Value = serde_json::from_str(&scan(&["--json"])).expect("JSON");
    assert_eq!(again["proposals"], serde_json::json!([]));
    assert_eq!(gateway.offline(&["labels", "check", "shop-prod"]).code, 0);
    gateway.admin_sql("ALTER TABLE people DROP COLUMN ssn; CREATE TABLE guests (email TEXT)");
    let ran = gateway.offline(&["labels", "check", "shop-prod", "--json"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.out.contains(".people.ssn") && ran.out.contains(".guests.email"), "{}", ran.out);
}

#[test]
fn a_check_finds_what_is_gone_and_what_is_new() {
    let gateway = Gateway::with(Options { tls: false, ..Options::default() });
    let ours = "[[label]]\nname = \"pii\"\ncolumns = [\"*/*/public.users.email\", \"*/*/public.users.ssn\", \
                \"*/*/public.users.diagnosis\"]\n";
    gateway.write("labels.toml", ours);
    let ran = run(&gateway, &["labels", "check"]);
    assert_eq!((ran.code, ran.out.trim()), (0, "the labels fit the targets"), "{}", ran.err);
    gateway.admin_sql("alter table users rename column ssn to social; create table guests (email text);");
    let more =
        "\n[[label]]\nname = \"pii.none\"\ncolumns = [\"*/*/*.*.nowhere_*\", \"other/x/public.t.c\"]\n";
    gateway.write("labels.toml", &format!("{ours}{more}"));
    let ran = run(&gateway, &["labels", "check", "shop-prod", "--json"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let found: Value = serde_json::from_str(&ran.out).expect("JSON");
    let stale: Vec<&str> =
        found["stale"].as_array().unwrap().iter().map(|it| it["pattern"].as_str().unwrap()).collect();
    assert_eq!(stale, ["*/*/public.users.ssn", "*/*/*.*.nowhere_*", "other/x/public.t.c"]);
    let new: Vec<&str> =
        found["unlabelled"].as_array().unwrap().iter().map(|it| it["column"].as_str().unwrap()).collect();
    assert_eq!(new, ["public.guests.email"]);
    let ran = run(&gateway, &["labels", "check", "nowhere"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
}
