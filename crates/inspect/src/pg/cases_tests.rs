//! Statements with the facts that they must have, as data (`cases/*.json`).

use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Case {
    sql: String,
    #[serde(default)]
    unknown: Option<sallyport_core::UnknownCode>,
    actions: Vec<String>,
}

fn facts_of(sql: &str) -> (Option<sallyport_core::UnknownCode>, Vec<String>) {
    let (path, remembered) = (vec!["public".to_owned()], Remembered::default());
    let context = Context {
        search_path: &path,
        standard_conforming_strings: true,
        client_encoding: "UTF8",
        catalog: None,
        remembered: &remembered,
    };
    let facts = inspect(sql.as_bytes(), &context).facts;
    let actions = facts.actions.iter().map(|action| format!("{action:?}")).collect();
    (facts.unknown.map(|unknown| unknown.code), actions)
}

fn hold(cases: &str) -> Vec<Case> {
    let cases: Vec<Case> = serde_json::from_str(cases).unwrap();
    let mut wrong = Vec::new();
    for case in &cases {
        let (unknown, actions) = facts_of(&case.sql);
        if unknown != case.unknown || actions != case.actions {
            wrong.push(format!(
                "{}\n  expected {:?} {:?}\n  found    {unknown:?} {actions:?}",
                case.sql, case.unknown, case.actions
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    cases
}

#[test]
fn queries_writes_and_attacks_have_their_facts() {
    assert!(hold(include_str!("cases/statements.json")).len() > 100);
}

#[test]
fn definitions_and_rarer_statements_have_their_facts() {
    assert!(hold(include_str!("cases/definitions.json")).len() > 150);
}

#[test]
fn tools_read_the_catalog_and_nothing_else() {
    for case in hold(include_str!("cases/tools.json")) {
        assert_eq!(case.unknown, None, "{}", case.sql);
        for action in &case.actions {
            let read = ["select", "show", "set setting"].iter().any(|word| action.starts_with(word));
            assert!(read, "{action}: {}", case.sql);
        }
    }
}

/// A line of `everyday.txt` or `hostile.txt`.
struct Line<'t> {
    sql: String,
    /// In any order.
    actions: Vec<String>,
    unknown: Option<&'t str>,
}

/// `SQL => action; action !code`; ~ stands for the schema public, ⏎ for a line's end, ␍ for CR, ␠ for a
/// zero-width space, ␀ for NUL, ⇤ for a byte-order mark.
fn line(text: &str) -> Line<'_> {
    let (sql, facts) = text.rsplit_once(" => ").unwrap_or_else(|| panic!("{text}"));
    let (facts, unknown) = match facts.rsplit_once('!') {
        Some((facts, code)) if code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-') => {
            (facts, Some(code))
        }
        _ => (facts, None),
    };
    let actions = facts.split("; ").map(|action| action.trim().replace('~', "public."));
    let mut actions: Vec<String> = actions.filter(|action| !action.is_empty()).collect();
    actions.sort();
    let marks = [('⏎', "\n"), ('␍', "\r"), ('␠', "\u{200b}"), ('␀', "\0"), ('⇤', "\u{feff}")];
    let sql = marks.iter().fold(sql.to_owned(), |sql, (mark, meant)| sql.replace(*mark, meant));
    Line { sql, actions, unknown }
}

fn lines(text: &str) -> Vec<Line<'_>> {
    text.lines().filter(|text| !text.starts_with('#') && !text.is_empty()).map(line).collect()
}

#[test]
fn everyday_statements_have_exactly_their_facts() {
    let cases = lines(include_str!("cases/everyday.txt"));
    let mut wrong = Vec::new();
    for case in &cases {
        let (unknown, mut actions) = facts_of(&case.sql);
        actions.sort();
        if actions != case.actions || unknown.map(|code| code.as_str()) != case.unknown {
            wrong.push(format!(
                "{}\n  expected {:?} {:?}\n  found    {unknown:?} {actions:?}",
                case.sql, case.unknown, case.actions
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    assert!(cases.len() > 250);
}

#[test]
fn hostile_texts_hide_nothing() {
    let text = include_str!("cases/hostile.txt");
    let (mut wrong, mut count) = (Vec::new(), 0);
    for text in text.lines().filter(|text| !text.starts_with('#')) {
        let (case, reason) = text.rsplit_once(" ## ").unwrap_or_else(|| panic!("no reason: {text}"));
        let case = line(case);
        let (unknown, actions) = facts_of(&case.sql);
        let missing: Vec<_> = case.actions.iter().filter(|action| !actions.contains(action)).collect();
        if !missing.is_empty() || unknown.map(|code| code.as_str()) != case.unknown {
            wrong.push(format!(
                "{} ({reason})\n  missing {missing:?} {:?}\n  found   {unknown:?} {actions:?}",
                case.sql, case.unknown
            ));
        }
        count += 1;
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count > 300);
}
