//! Queries that can be read, and those that cannot with the place where not.

use super::*;

fn now() -> Timestamp {
    Timestamp::from_micros(1_800_000_000_000_000)
}

fn parse(text: &str) -> Query {
    Query::parse(text, now()).unwrap_or_else(|bad| panic!("{text}: {bad}"))
}

fn value(text: &str, prefix: bool) -> Value {
    Value { text: text.to_owned(), prefix }
}

fn field(field: Field, values: Vec<Value>) -> Term {
    Term { negated: false, what: What::Field(field, values) }
}

#[test]
fn the_example_of_the_manual_reads() {
    let query = parse(
        "table:public.users action:delete principal:claude-code decision:hold since:7d \"free text\" -error:42501",
    );
    assert_eq!(
        query.terms,
        [
            field(Field::Table, vec![value("public.users", false)]),
            field(Field::Action, vec![value("delete", false)]),
            field(Field::Principal, vec![value("claude-code", false)]),
            field(Field::Decision, vec![value("hold", false)]),
            Term { negated: false, what: What::Words(value("free text", false)) },
            Term { negated: true, what: What::Field(Field::Error, vec![value("42501", false)]) },
        ]
    );
    assert_eq!((query.since, query.until), (Some(now().plus_seconds(-604_800)), None));
}

#[test]
fn lists_beginnings_quotes_and_times_read() {
    let query = parse("action:delete,truncate table:public.*,\"Odd, name\"* -\"say \"\"hi\"\"\" us* a::text");
    assert_eq!(
        query.terms,
        [
            field(Field::Action, vec![value("delete", false), value("truncate", false)]),
            field(Field::Table, vec![value("public.", true), value("Odd, name", true)]),
            Term { negated: true, what: What::Words(value("say \"hi\"", false)) },
            Term { negated: false, what: What::Words(value("us", true)) },
            Term { negated: false, what: What::Words(value("a::text", false)) },
        ]
    );
    assert_eq!(parse("").terms, []);
    let query = parse("since:2026-11-24 until:2026-11-24T10:00:00Z");
    assert_eq!(query.since, Timestamp::parse("2026-11-24T00:00:00Z"));
    assert_eq!(query.until, Timestamp::parse("2026-11-24T10:00:00Z"));
    assert_eq!(parse("OBJECT:t").terms, [field(Field::Table, vec![value("t", false)])]);
}

#[test]
fn what_cannot_be_read_is_said_with_its_place() {
    for (text, at, length, what) in [
        ("users tabel:x", 6, 5, "no such field"),
        ("users action:deleet", 13, 6, "no such word in this field"),
        ("decision:hold,maybe", 14, 5, "no such word in this field"),
        ("äö \"open", 3, 1, "a quote that is not closed"),
        ("a -", 2, 1, "`-` without a term behind it"),
        ("rule: x", 5, 1, "a field without a value"),
        ("since:yesterday", 6, 9, "not a time"),
        ("-since:7d", 0, 1, "a time cannot be turned round"),
        ("since:7d since:8d", 9, 5, "the same bound twice"),
        ("a =", 2, 1, "nothing that is a word"),
        ("x*", 0, 2, "too short a beginning for `*`"),
        ("a\u{1b}", 1, 1, "a control character"),
        ("since:1d until:2d", 0, 1, "`since` is not before `until`"),
    ] {
        let bad = Query::parse(text, now()).unwrap_err();
        assert_eq!((bad.at, bad.length, bad.what.as_str()), (at, length, what), "{text}");
    }
    let long = "x".repeat(1001);
    assert!(Query::parse(&long, now()).is_err());
    assert!(Query::parse(&"a ".repeat(25), now()).is_err());
    assert!(Query::parse(&format!("table:{}", "a,".repeat(25)), now()).is_err());
}

#[test]
fn a_field_that_is_nearly_one_is_guessed() {
    for (text, hint) in [("tabel:x", "`table:`"), ("principl:x", "`principal:`"), ("acton:x", "`action:`")] {
        let bad = Query::parse(text, now()).unwrap_err();
        assert!(bad.hint.as_deref().unwrap().contains(hint), "{bad:?}");
    }
    let far = Query::parse("colour:x", now()).unwrap_err();
    assert!(far.hint.unwrap().starts_with("fields are table, object, "));
}
