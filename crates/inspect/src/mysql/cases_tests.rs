//! Texts with the facts that they must have, as data (`cases/*.txt`): `[context] text ==> facts ~~ reason`.
//!
//! Facts are written as `verb kind object (columns) by (filters) where=… on … to …`, `table` left out, between
//! bars, in any order. `␊`, `␍`, `␉` and `⟦bf27⟧` stand for a new line, a carriage return, a tabulator and bytes.

use std::collections::BTreeSet;

use sallyport_core::{Action, Facts};

use super::*;

fn shown(action: &Action) -> String {
    format!("{action:?}").replacen(&format!("{} table ", action.action), &format!("{} ", action.action), 1)
}

/// The lines of a file that are cases.
fn lines(file: &str) -> impl Iterator<Item = &str> {
    file.lines().filter(|line| !line.is_empty() && !line.starts_with("# "))
}

fn bytes_of(text: &str) -> Vec<u8> {
    let text = text.replace('␊', "\n").replace('␍', "\r").replace('␉', "\t").replace('␀', "\0");
    let mut bytes = Vec::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once('⟦') {
        bytes.extend_from_slice(before.as_bytes());
        let (digits, after) = after.split_once('⟧').unwrap();
        for pair in digits.as_bytes().chunks(2) {
            bytes.push(u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap());
        }
        rest = after;
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

/// Reads `[database=hr,mode=ANSI_QUOTES+PIPES_AS_CONCAT,charset=gbk,lower=1,flavour=mariadb] text`.
fn facts_of(text: &str) -> Facts {
    let (mut options, mut text) = ("", text);
    if let Some((found, rest)) = text.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        (options, text) = (found, rest);
    }
    let mut context = Context {
        flavour: Flavour::Either,
        sql_mode: Some(SqlMode::DEFAULT),
        character_set: "utf8mb4",
        database: Some("shop"),
        lower_case_table_names: 0,
    };
    for option in options.split(',').filter(|option| !option.is_empty()) {
        match option.split_once('=').unwrap() {
            ("database", "none") => context.database = None,
            ("database", name) => context.database = Some(name),
            ("mode", "unknown") => context.sql_mode = None,
            ("mode", mode) => context.sql_mode = Some(SqlMode::named(&mode.replace('+', ","))),
            ("charset", name) => context.character_set = name,
            ("lower", number) => context.lower_case_table_names = number.parse().unwrap(),
            ("flavour", "mariadb") => context.flavour = Flavour::MariaDb(101_100),
            ("flavour", "mysql") => context.flavour = Flavour::MySql(80_400),
            (other, _) => panic!("no such option: {other}"),
        }
    }
    inspect(&bytes_of(text), &context).facts
}

fn written(facts: &Facts) -> BTreeSet<String> {
    let mut all: BTreeSet<String> = facts.actions.iter().map(shown).collect();
    all.extend(facts.unknown.iter().map(|unknown| format!("unknown {}", unknown.code.as_str())));
    all
}

/// Holds each case of a file; gives how many there are.
fn hold(file: &str, reasons: bool) -> usize {
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in lines(file) {
        count += 1;
        let (text, rest) = line.split_once(" ==> ").expect(line);
        let (expected, reason) = rest.split_once(" ~~ ").unwrap_or((rest, ""));
        assert!(!reasons || !reason.is_empty(), "without a reason: {line}");
        let expected: BTreeSet<String> = expected.split(" | ").map(|fact| fact.trim().to_owned()).collect();
        let facts = facts_of(text);
        let found = written(&facts);
        if found != expected {
            let missing: Vec<_> = expected.difference(&found).collect();
            let extra: Vec<_> = found.difference(&expected).collect();
            let why = facts.unknown.map(|unknown| unknown.detail).unwrap_or_default();
            wrong.push(format!("{text}\n    missing {missing:?}\n    extra   {extra:?} {why}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    count
}

#[test]
fn everyday_texts_have_their_facts() {
    assert!(hold(include_str!("cases/everyday.txt"), false) > 350);
}

#[test]
fn hostile_texts_have_their_facts() {
    assert!(hold(include_str!("cases/hostile.txt"), true) > 250);
}
