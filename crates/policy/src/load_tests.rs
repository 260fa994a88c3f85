//! What is refused at load, and that the author is told where.

use super::*;
use crate::Policy;

fn file(name: &str, text: &str) -> PolicyFile {
    PolicyFile { name: name.into(), text: text.into() }
}

fn problems(text: &str) -> Vec<String> {
    match Policy::load(&[file("agents.cedar", text)]) {
        Ok(_) => vec![],
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

/// The one problem of a text must start so and hold this.
#[track_caller]
fn refused(text: &str, start: &str, part: &str) {
    let found = problems(text);
    assert!(
        found.iter().any(|problem| problem.starts_with(start) && problem.contains(part)),
        "expected {start} … {part}, got {found:#?}"
    );
}

const READS: &str = r#"@id("reads") permit (principal, action in Action::"sql:read", resource);"#;

#[test]
fn a_sound_rule_loads() {
    assert_eq!(problems(READS), Vec::<String>::new());
}

#[test]
fn a_syntax_error_is_told_with_its_place() {
    refused(
        &format!("{READS}\n\n  permit (principal, action resource);"),
        "agents.cedar:3:29:",
        "unexpected token",
    );
}

#[test]
fn an_unknown_action_type_or_attribute_is_an_error() {
    refused(
        r#"@id("a") permit (principal, action == Action::"sql:updat", resource);"#,
        "agents.cedar:1:39:",
        "sql:updat",
    );
    refused(r#"@id("a") permit (principal is Robot, action, resource);"#, "agents.cedar:1:", "Robot");
    refused(
        r#"@id("a") permit (principal, action in Action::"sql:read", resource) when { context.colums.contains("x") };"#,
        "agents.cedar:1:",
        "colums",
    );
}

#[test]
fn an_attribute_that_only_some_actions_have_must_be_asked_for() {
    let rule = |condition: &str| {
        format!(
            r#"@id("a") forbid (principal, action in Action::"sql:write", resource) when {{ {condition} }};"#
        )
    };
    refused(&rule(r#"context.condition == "none""#), "agents.cedar:1:", "condition");
    assert_eq!(
        problems(&rule(r#"context has condition && context.condition == "none""#)),
        Vec::<String>::new()
    );
}

#[test]
fn a_rule_that_can_never_match_is_an_error() {
    refused(
        r#"@id("a") permit (principal, action == Action::"connect", resource is Relation);"#,
        "agents.cedar:1:",
        "",
    );
    refused(
        r#"@id("a") permit (principal is Agent, action in Action::"sql:read", resource) when { principal is Human };"#,
        "agents.cedar:1:",
        "a:",
    );
}

#[test]
fn hidden_direction_marks_are_an_error() {
    refused(
        "@id(\"a\") permit (principal, action in Action::\"sql:read\", resource) when { principal.name == \"a\u{202e}b\" };",
        "agents.cedar:1:",
        "a:",
    );
}

#[test]
fn each_rule_needs_its_own_name() {
    refused(r#"permit (principal, action, resource);"#, "agents.cedar:1:1:", "@id");
    refused(&format!("{READS}\n{READS}"), "agents.cedar:2:1:", "exists already");
    refused(r#"@id("Upper Case") permit (principal, action, resource);"#, "agents.cedar:1:1:", "@id takes");
    refused(
        r#"@id("default-deny") permit (principal, action, resource);"#,
        "agents.cedar:1:1:",
        "gateway's own",
    );
    let two = [file("a.cedar", READS), file("b.cedar", READS)];
    assert!(Policy::load(&two).is_err(), "names are unique over all files");
}

#[test]
fn annotations_that_do_nothing_are_errors() {
    for (rule, part) in [
        (r#"@id("a") @hold("dba") forbid (principal, action, resource);"#, "@hold on a forbid"),
        (r#"@id("a") @row_limit("5") forbid (principal, action, resource);"#, "on a forbid"),
        (r#"@id("a") @timeout("5s") forbid (principal, action, resource);"#, "on a forbid"),
        (r#"@id("a") @notify("dba") permit (principal, action, resource);"#, "unknown annotation @notify"),
        (r#"@id("a") @Hold("dba") permit (principal, action, resource);"#, "unknown annotation @Hold"),
        (r#"@id("a") @approvals("2") permit (principal, action, resource);"#, "belong to a rule with @hold"),
        (r#"@id("a") @ttl("2m") permit (principal, action, resource);"#, "belong to a rule with @hold"),
        (r#"@id("a") permit (principal, action == Action::"unknown", resource);"#, "only with @hold"),
        (
            r#"@id("a") permit (principal, action in [Action::"unknown", Action::"sql:select"], resource);"#,
            "only with @hold",
        ),
        (r#"@id("a") permit (principal, action == Action::"reveal", resource);"#, "must name its label"),
        (
            r#"@id("a") permit (principal, action == Action::"reveal", resource is Label);"#,
            "must name its label",
        ),
        (
            r#"@id("a") @hold("dba") permit (principal, action == Action::"reveal", resource == Label::"x");"#,
            "cannot be held",
        ),
        (
            r#"@id("a") @hold("dba") permit (principal, action == Action::"connect", resource);"#,
            "cannot be held",
        ),
    ] {
        refused(rule, "agents.cedar:1:1:", part);
    }
}

#[test]
fn an_id_that_can_match_nothing_is_an_error() {
    for entity in [
        r#"Relation::"public.users""#,
        r#"Relation::"shop-prod/shop/users""#,
        r#"Column::"shop-prod/shop/public.users""#,
        r#"Schema::"public""#,
        r#"Database::"shop""#,
        r#"Target::"shop-prod/shop""#,
        r#"Tag::"env:production""#,
    ] {
        refused(
            &format!(r#"@id("a") forbid (principal, action, resource in {entity});"#),
            "agents.cedar:1:1:",
            "can never match",
        );
    }
}

#[test]
fn templates_are_refused() {
    refused(
        &format!("{READS} @id(\"t\") permit (principal == ?principal, action, resource);"),
        "agents.cedar:",
        "templates",
    );
}

#[test]
fn a_misnamed_file_is_refused_and_companions_are_passed_over() {
    let files = [file("a.cedar", READS), file("bans.cedar.bak", "")];
    let found = Policy::load(&files).err().unwrap_or_default();
    assert!(found.iter().any(|problem| problem.to_string().starts_with("bans.cedar.bak: not a policy file")));
    let fine = [
        file("a.cedar", READS),
        file("README.md", "x"),
        file("tests/a.toml", "x"),
        file("schema.cedarschema", "x"),
    ];
    assert!(Policy::load(&fine).is_ok());
}

#[test]
fn a_policy_without_rules_is_refused() {
    assert!(Policy::load(&[]).is_err());
    assert_eq!(problems("// nothing yet").len(), 1);
}

#[test]
fn every_problem_is_told_at_once_and_in_order() {
    let found = problems(
        "permit (principal, action, resource);\n@id(\"b\") @hold(\"x\") forbid (principal, action, resource);",
    );
    let starts: Vec<bool> = found
        .iter()
        .zip(["agents.cedar:1:1:", "agents.cedar:2:1:"])
        .map(|(problem, start)| problem.starts_with(start))
        .collect();
    assert_eq!((found.len(), starts), (2, vec![true, true]), "{found:?}");
}
