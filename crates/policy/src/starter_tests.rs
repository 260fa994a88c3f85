//! The starting policy against its own cases, read by the inspector that reads live operations.

use sallyport_core::{Facts, NoLabels};
use sallyport_inspect::mysql;
use sallyport_inspect::pg::{Context, Remembered, inspect};

use super::*;
use crate::testing::{TestReport, run_tests};

fn facts(language: &str, text: &str, search_path: &[String]) -> Facts {
    if language == "mysql" {
        let context = mysql::Context {
            flavour: mysql::Flavour::Either,
            sql_mode: Some(mysql::SqlMode::DEFAULT),
            character_set: "utf8mb4",
            database: search_path.first().map(String::as_str),
            lower_case_table_names: 0,
        };
        return mysql::inspect(text.as_bytes(), &context).facts;
    }
    let context = Context {
        search_path,
        standard_conforming_strings: true,
        client_encoding: "UTF8",
        catalog: None,
        remembered: &Remembered::default(),
    };
    inspect(text.as_bytes(), &context).facts
}

fn run(policy: &Policy) -> TestReport {
    run_tests(policy, &Policy::starter_files(), &facts, &NoLabels)
}

#[test]
fn the_starting_policy_does_what_its_cases_say() {
    let report = run(&Policy::starter());
    assert!(report.passed(), "{report}");
    assert!(report.cases.len() >= 60, "{} cases", report.cases.len());
}

#[test]
fn every_rule_of_the_starting_policy_decides_a_case() {
    // A case that names the rule it is decided by fails when that rule is taken out.
    let cases: String =
        FILES.iter().filter(|(name, _)| name.ends_with(".toml")).map(|(_, text)| *text).collect();
    let ids: Vec<&str> =
        FILES[0].1.split("\n@id(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(ids.len() > 15, "{ids:?}");
    for id in ids {
        assert!(cases.contains(&format!("\nrule = \"{id}\"\n")), "no case is decided by {id}");
    }
}

#[test]
fn the_tests_of_a_policy_fail_when_a_rule_is_taken_out() {
    let text = FILES[0].1.replace("forbid (principal, action in Action::\"sql:escape\", resource);", "")
        .replace("@id(\"escapes-denied\")\n@reason(\"this reaches files, programs, libraries or the network of the database server\")", "");
    let policy =
        Policy::load(&[PolicyFile { name: FILES[0].0.into(), text }]).expect("loads without the rule");
    let report = run(&policy);
    assert!(!report.passed());
    let shown = report.to_string();
    assert!(shown.contains("expected escapes-denied, got default-deny"), "{shown}");
}
