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
