//! What rules mean: composition, holds, limits, hierarchy, columns, labels. Facts are made by hand.

use std::collections::BTreeSet;

use sallyport_core::{
    Action, ColumnRef, Condition, CredentialRef, GroupNeed, Language, NoLabels, ObjectName, PrincipalKind,
    TlsMode, TlsSettings, UnknownCode, Verb,
};

use super::*;
use crate::judge::DEFAULT_DENY;

const NOON: i64 = 1_767_614_400_000_000; // 2026-01-05T12:00:00Z, a Monday

fn policy(text: &str) -> Policy {
    Policy::load(&[PolicyFile { name: "test.cedar".into(), text: text.into() }]).unwrap_or_else(|problems| {
        panic!("{}", problems.iter().map(|p| format!("{p}\n")).collect::<String>())
    })
}

fn principal(kind: PrincipalKind, groups: &[&str]) -> Principal {
    Principal {
        name: "claude-code".into(),
        kind,
        on_behalf_of: Some("alice@example.com".into()),
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        roles: BTreeSet::new(),
    }
}

fn target(tags: &[(&str, &str)]) -> Target {
    Target {
        name: "shop-prod".into(),
        protocol: "postgres".into(),
        host: "db".into(),
        port: 5432,
        database: "shop".into(),
        databases: vec![],
        user: "app".into(),
        credential: CredentialRef::None,
        tls: TlsSettings { mode: TlsMode::Disable, ca: None, identity: None },
        tags: tags.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
    }
}

/// `users.email` is `pii.email`, `users.ssn` is `pii.ssn`.
#[derive(Debug)]
struct Pii;

impl LabelSource for Pii {
    fn labels_of(&self, column: ColumnRef<'_>) -> Vec<String> {
        if (column.target, column.database, column.schema, column.relation)
            != ("shop-prod", "shop", "public", "users")
        {
            return vec![];
        }
        match column.column {
            "email" => vec!["pii.email".into()],
            "ssn" => vec!["pii.ssn".into()],
            "*" => vec!["pii.email".into(), "pii.ssn".into()],
            _ => vec![],
        }
    }
}

fn on(verb: Verb, schema: &str, table: &str, columns: &[&str], filters: &[&str]) -> Action {
    Action {
        columns: columns.iter().map(|column| (*column).to_owned()).collect(),
        filters: filters.iter().map(|column| (*column).to_owned()).collect(),
        condition: matches!(verb, Verb::Update | Verb::Delete).then_some(Condition::Some),
        ..Action::on_object(verb, "table", ObjectName::in_schema(schema, table))
    }
}

fn users(verb: Verb, columns: &[&str], filters: &[&str]) -> Action {
    on(verb, "public", "users", columns, filters)
}

fn facts(actions: Vec<Action>) -> Facts {
    Facts { language: Language::Postgres, statements: 1, unknown: None, actions }
}

fn decide_as(policy: &Policy, who: &Principal, facts: &Facts) -> Decision {
    let target = target(&[("env", "production"), ("tier", "gold")]);
    let question = Question {
        principal: who,
        target: &target,
        database: "shop",
        facts,
        labels: &Pii,
        in_transaction: false,
        now: Timestamp::from_micros(NOON),
    };
    let decision = policy.decide(&question);
    assert_eq!(decision, policy.explain(&question).decision, "what is explained is what was decided");
    assert_eq!(decision, policy.decide(&question), "a cached decision is the same");
    decision
}

fn decide(policy: &Policy, actions: Vec<Action>) -> Decision {
    decide_as(policy, &principal(PrincipalKind::Agent, &["agents"]), &facts(actions))
}

fn effect(policy: &Policy, actions: Vec<Action>) -> Effect {
    decide(policy, actions).effect
}

fn unknown(code: UnknownCode, actions: Vec<Action>) -> Facts {
    Facts { actions, ..Facts::unknown(Language::Postgres, code, "do $$ … $$") }
}

const ALL: &str = r#"@id("all") permit (principal, action, resource);"#;

#[test]
fn the_starting_policy_loads() {
    let problems = Policy::load(&Policy::starter_files()).err().unwrap_or_default();
    let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(shown.is_empty(), "{}", shown.join("\n"));
    assert_eq!(Policy::starter().version().len(), 12);
}

#[test]
fn every_action_must_be_permitted() {
    let policy = policy(r#"@id("reads") permit (principal, action in Action::"sql:read", resource);"#);
    let read = || users(Verb::Select, &["id"], &[]);
    assert_eq!(effect(&policy, vec![read()]), Effect::Allow);
    let both = decide(&policy, vec![read(), users(Verb::Delete, &[], &["id"])]);
    assert_eq!((both.effect, both.rule.as_str()), (Effect::Deny, DEFAULT_DENY));
    assert_eq!(both.rules, ["default-deny", "reads"]);
}

#[test]
fn an_operation_without_actions_is_denied() {
    let decision = decide(&policy(ALL), vec![]);
    assert_eq!((decision.effect, decision.rule.as_str()), (Effect::Deny, DEFAULT_DENY));
}

#[test]
fn any_ban_denies_and_the_first_by_name_is_reported() {
    let policy = policy(&format!(
        r#"{ALL}
        @id("z-ban") @reason("no deletes") forbid (principal, action == Action::"sql:delete", resource);
        @id("a-ban") @reason("not users") forbid (principal, action, resource in Relation::"shop-prod/shop/public.users");"#
    ));
    let decision = decide(&policy, vec![users(Verb::Delete, &[], &["id"])]);
    assert_eq!((decision.effect, decision.rule.as_str()), (Effect::Deny, "a-ban"));
    assert_eq!(decision.reason.as_deref(), Some("not users"));
    assert!(decision.hold.is_none());
    assert_eq!(effect(&policy, vec![on(Verb::Select, "public", "orders", &["id"], &[])]), Effect::Allow);
}

#[test]
fn a_ban_wins_over_silence_elsewhere() {
    let policy = policy(r#"@id("ban") forbid (principal, action == Action::"sql:drop", resource);"#);
    let decision = decide(&policy, vec![users(Verb::Select, &["id"], &[]), users(Verb::Drop, &[], &[])]);
    assert_eq!(decision.rule, "ban");
}

#[test]
fn holds_add_up_and_the_strictest_terms_win() {
    let policy = policy(
        r#"@id("h1") @hold("dba") @approvals("2") @ttl("1h") @row_limit("100") @reason("first")
           permit (principal, action in Action::"sql:write", resource);
           @id("h2") @hold("dba, security") @ttl("10m") @timeout("30s")
           permit (principal, action == Action::"sql:delete", resource);
           @id("r") @row_limit("50") @timeout("1m") permit (principal, action in Action::"sql:read", resource);"#,
    );
    let decision = decide(
        &policy,
        vec![users(Verb::Delete, &[], &["id"]), on(Verb::Select, "public", "orders", &["id"], &[])],
    );
    assert_eq!((decision.effect, decision.rule.as_str()), (Effect::Hold, "h1"));
    assert_eq!(decision.reason.as_deref(), Some("first"));
    let hold = decision.hold.expect("a hold has terms");
    assert_eq!(hold.ttl_seconds, 600);
    let need = |group: &str, approvals| GroupNeed { group: group.into(), approvals };
    assert_eq!(hold.needs, [need("dba", 2), need("security", 1)]);
    assert_eq!((decision.limits.rows, decision.limits.timeout_ms), (Some(50), Some(30_000)));
    assert_eq!(decision.rules, ["h1", "h2", "r"]);
}

#[test]
fn a_plain_permit_never_lifts_a_hold_and_unless_does() {
    let held = r#"@id("held") @hold("dba") permit (principal, action == Action::"sql:delete", resource)"#;
    let with_plain = policy(&format!("{ALL} {held};"));
    let decision = decide(&with_plain, vec![users(Verb::Delete, &[], &["id"])]);
    assert_eq!(
        (decision.effect, decision.rule.as_str()),
        (Effect::Hold, "held"),
        "not the plain one, though first"
    );
    let exempt = policy(&format!(r#"{ALL} {held} unless {{ principal in Group::"agents" }};"#));
    assert_eq!(effect(&exempt, vec![users(Verb::Delete, &[], &["id"])]), Effect::Allow);
}

#[test]
fn a_hold_without_a_ttl_lives_fifteen_minutes() {
    let policy = policy(r#"@id("h") @hold("dba") permit (principal, action, resource);"#);
    let hold = decide(&policy, vec![users(Verb::Delete, &[], &["id"])]).hold.expect("held");
    assert_eq!(hold.ttl_seconds, 900);
}

#[test]
fn limits_come_from_plain_permits_too() {
    let policy = policy(r#"@id("r") @row_limit("7") permit (principal, action, resource);"#);
    let decision = decide(&policy, vec![users(Verb::Select, &["id"], &[])]);
    assert_eq!((decision.effect, decision.limits.rows, decision.hold), (Effect::Allow, Some(7), None));
}

#[test]
fn rules_reach_down_the_hierarchy() {
    for resource in [
        r#"in Environment::"production""#,
        r#"in Tag::"tier=gold""#,
        r#"in Target::"shop-prod""#,
        r#"in Database::"shop-prod/shop""#,
        r#"in Schema::"shop-prod/shop/public""#,
        r#"in Relation::"shop-prod/shop/public.users""#,
    ] {
        let policy = policy(&format!(r#"@id("r") permit (principal, action, resource {resource});"#));
        assert_eq!(effect(&policy, vec![users(Verb::Select, &["id"], &[])]), Effect::Allow, "{resource}");
        let elsewhere = Action {
            object: Some(ObjectName::in_schema("Public", "users\" x")),
            ..users(Verb::Select, &[], &[])
        };
        let wide = !resource.contains("Schema") && !resource.contains("Relation");
        assert_eq!(effect(&policy, vec![elsewhere]) == Effect::Allow, wide, "{resource}");
    }
    for resource in
        [r#"in Environment::"development""#, r#"in Tag::"tier=silver""#, r#"in Database::"shop-prod/other""#]
    {
        let policy = policy(&format!(r#"@id("r") permit (principal, action, resource {resource});"#));
        assert_eq!(effect(&policy, vec![users(Verb::Select, &["id"], &[])]), Effect::Deny, "{resource}");
    }
}

#[test]
fn an_index_or_trigger_is_in_its_table() {
    let policy = policy(&format!(
        r#"{ALL} @id("ban") forbid (principal, action, resource in Relation::"shop-prod/shop/public.users");"#
    ));
    let trigger = |table: &str| Action {
        on: Some(ObjectName::in_schema("public", table)),
        ..Action::on_object(Verb::Drop, "trigger", ObjectName::bare("audit"))
    };
    assert_eq!(effect(&policy, vec![trigger("users")]), Effect::Deny);
    assert_eq!(effect(&policy, vec![trigger("orders")]), Effect::Allow);
}

#[test]
fn each_named_column_is_asked() {
    let policy = policy(&format!(
        r#"{ALL} @id("no-ssn") forbid (principal, action in Action::"sql", resource == Column::"shop-prod/shop/public.users.ssn");"#
    ));
    assert_eq!(effect(&policy, vec![users(Verb::Select, &["email", "id"], &[])]), Effect::Allow);
    assert_eq!(effect(&policy, vec![users(Verb::Select, &["id", "ssn"], &[])]), Effect::Deny);
    assert_eq!(effect(&policy, vec![users(Verb::Update, &["ssn"], &["id"])]), Effect::Deny);
    assert_eq!(effect(&policy, vec![users(Verb::CopyOut, &["ssn"], &[])]), Effect::Deny);
}

#[test]
fn a_column_in_a_condition_is_read() {
    let ban = policy(&format!(
        r#"{ALL} @id("no-ssn") forbid (principal, action == Action::"sql:select", resource == Column::"shop-prod/shop/public.users.ssn");"#
    ));
    assert_eq!(effect(&ban, vec![users(Verb::Select, &["id"], &["ssn"])]), Effect::Deny);
    assert_eq!(
        effect(&ban, vec![users(Verb::Delete, &[], &["ssn"])]),
        Effect::Deny,
        "a write's condition reads too"
    );
    assert_eq!(effect(&ban, vec![users(Verb::Delete, &[], &["id"])]), Effect::Allow);
}

#[test]
fn a_write_needs_no_permit_to_read_its_condition_but_holds_count() {
    let writes = r#"@id("w") permit (principal, action in Action::"sql:write", resource);"#;
    assert_eq!(effect(&policy(writes), vec![users(Verb::Update, &["email"], &["id"])]), Effect::Allow);
    let held = policy(&format!(
        r#"{writes} @id("a-read") @row_limit("1") permit (principal, action == Action::"sql:select", resource);
        @id("h") @hold("privacy") permit (principal, action == Action::"sql:select", resource is Column)
        when {{ resource.labels.contains("pii") }};"#
    ));
    let plain = decide(&held, vec![users(Verb::Update, &["email"], &["id"])]);
    assert_eq!((plain.effect, plain.rule.as_str(), plain.limits.rows), (Effect::Allow, "w", None));
    assert_eq!(decide(&held, vec![users(Verb::Update, &["id"], &["email"])]).rule, "h");
}

#[test]
fn an_unexpanded_star_is_asked_as_a_column_of_its_own() {
    let by_relation = policy(r#"@id("r") permit (principal, action, resource is Relation);"#);
    assert_eq!(effect(&by_relation, vec![users(Verb::Select, &["*"], &[])]), Effect::Deny);
    assert_eq!(effect(&by_relation, vec![users(Verb::Select, &["id"], &[])]), Effect::Deny);
    assert_eq!(
        effect(&by_relation, vec![users(Verb::Select, &[], &[])]),
        Effect::Allow,
        "count(*) names no column"
    );
}

#[test]
fn an_unexpanded_star_is_ambiguous_where_rules_see_columns() {
    let star = || vec![users(Verb::Select, &["*"], &[])];
    assert_eq!(effect(&policy(ALL), star()), Effect::Allow);
    for rule in [
        r#"forbid (principal, action, resource == Column::"shop-prod/shop/public.users.ssn");"#,
        r#"forbid (principal, action in Action::"sql", resource is Column) when { resource.name == "ssn" };"#,
        r#"forbid (principal, action in Action::"sql", resource) when { context.columns.contains("ssn") };"#,
        r#"forbid (principal, action in Action::"sql", resource) when { context.filters.contains("ssn") };"#,
    ] {
        let policy = policy(&format!(r#"{ALL} @id("ban") {rule}"#));
        assert_eq!(effect(&policy, star()), Effect::Deny, "{rule}");
        assert_eq!(effect(&policy, vec![users(Verb::Select, &["id"], &[])]), Effect::Allow, "{rule}");
    }
}

#[test]
fn labels_of_columns_and_of_conditions_are_told_apart() {
    let policy = policy(&format!(
        r#"{ALL}
        @id("out") forbid (principal, action == Action::"sql:copy-out", resource) when {{ context.labels.contains("pii.ssn") }};
        @id("by") forbid (principal, action == Action::"sql:select", resource) when {{ context.filter_labels.contains("pii") }};"#
    ));
    assert_eq!(effect(&policy, vec![users(Verb::CopyOut, &["id"], &[])]), Effect::Allow);
    assert_eq!(
        effect(&policy, vec![users(Verb::CopyOut, &["*"], &[])]),
        Effect::Deny,
        "* has the labels of all columns"
    );
    assert_eq!(effect(&policy, vec![users(Verb::Select, &["email"], &["id"])]), Effect::Allow);
    assert_eq!(
        decide(&policy, vec![users(Verb::Select, &["id"], &["email"])]).rule,
        "by",
        "parents of a label are in the set"
    );
}

#[test]
fn the_condition_of_a_write_is_seen_and_a_missing_one_is_none() {
    let policy = policy(&format!(
        r#"{ALL} @id("ban") forbid (principal, action in [Action::"sql:update", Action::"sql:delete"], resource)
        when {{ context.condition == "none" }};"#
    ));
    let with = |condition| vec![Action { condition, ..users(Verb::Delete, &[], &[]) }];
    assert_eq!(effect(&policy, with(Some(Condition::None))), Effect::Deny);
    assert_eq!(effect(&policy, with(None)), Effect::Deny);
    assert_eq!(effect(&policy, with(Some(Condition::Constant))), Effect::Allow);
    assert_eq!(effect(&policy, with(Some(Condition::Some))), Effect::Allow);
}

#[test]
fn a_relation_without_a_schema_is_ambiguous() {
    let actions =
        vec![Action { object: Some(ObjectName::bare("users")), ..users(Verb::Select, &["id"], &[]) }];
    assert_eq!(effect(&policy(ALL), actions.clone()), Effect::Deny);
    let held = policy(&format!(
        r#"{ALL} @id("u") @hold("dba") permit (principal, action == Action::"unknown", resource);"#
    ));
    assert_eq!(effect(&held, actions), Effect::Hold);
}

#[test]
fn the_version_is_of_the_rules_alone_and_of_all_of_them() {
    let file = |name: &str, text: &str| PolicyFile { name: name.into(), text: text.into() };
    let (a, b) = (
        file("a.cedar", ALL),
        file("b.cedar", r#"@id("b") forbid (principal, action == Action::"sql:drop", resource);"#),
    );
    let version = |files: &[PolicyFile]| Policy::load(files).expect("loads").version().to_owned();
    let both = version(&[a.clone(), b.clone()]);
    assert_eq!(both, version(&[b.clone(), a.clone(), file("tests/x.toml", "")]));
    assert_ne!(both, version(std::slice::from_ref(&a)));
    assert_eq!(both.len(), 12);
    assert_eq!(decide(&policy(ALL), vec![]).policy_version.len(), 12);
}

#[test]
fn every_kind_of_entity_and_request_fits_the_schema() {
    let engine = Policy::load(&Policy::starter_files()).expect("loads").engine.expect("an engine");
    let agent = principal(PrincipalKind::Agent, &["agents"]);
    let target = target(&[("env", "production")]);
    let spoken: Vec<Verb> =
        Verb::ALL.iter().copied().filter(|verb| crate::schema::is_spoken(*verb)).collect();
    let mut actions: Vec<Action> = spoken
        .iter()
        .flat_map(|verb| {
            let object =
                |kind: &str, name| Action { to: vec!["r".into()], ..Action::on_object(*verb, kind, name) };
            let kinds = [
                "table",
                "view",
                "sequence",
                "index",
                "function",
                "role",
                "setting",
                "schema",
                "database",
                "extension",
            ];
            let mut all: Vec<Action> = kinds
                .iter()
                .flat_map(|kind| {
                    [object(kind, ObjectName::in_schema("s", "n")), object(kind, ObjectName::bare("n"))]
                })
                .collect();
            all.push(Action::new(*verb));
            all.push(users(*verb, &["email", "*", "Odd.\"x"], &["ssn", "*"]));
            all
        })
        .collect();
    for action in &mut actions {
        action.on = Some(ObjectName::in_schema("s", "t"));
    }
    let question = Question {
        principal: &agent,
        target: &target,
        database: "a/\"b",
        facts: &unknown(UnknownCode::Ambiguous, actions),
        labels: &Pii,
        in_transaction: true,
        now: Timestamp::from_micros(NOON),
    };
    let asks = asks(&question, &Labels::look_up(&question), &engine.vocabulary, true).expect("asks");
    let entities: Vec<_> = asks.entities.with(&[]).expect("entities").iter().cloned().collect();
    cedar_policy::Entities::from_entities(entities, Some(&engine.vocabulary.schema))
        .expect("entities fit the schema");
    engine.court().judge(&asks).expect("requests fit the schema");
}

#[test]
fn names_that_hold_dividers_do_not_collide() {
    let policy = policy(&format!(
        r#"{ALL} @id("ban") forbid (principal, action, resource in Relation::"shop-prod/shop/public.users");"#
    ));
    for (schema, table) in
        [("public.users", "x"), ("x", "public.users"), ("shop/public", "users"), ("PUBLIC", "users")]
    {
        assert_eq!(
            effect(&policy, vec![on(Verb::Select, schema, table, &["id"], &[])]),
            Effect::Allow,
            "{schema} {table}"
        );
    }
    assert_eq!(effect(&policy, vec![users(Verb::Select, &["Odd.name"], &[])]), Effect::Deny);
}

#[test]
fn an_explanation_names_each_request_and_its_rules() {
    let policy =
        policy(r#"@id("w") @hold("dba") permit (principal, action in Action::"sql:write", resource);"#);
    let agent = principal(PrincipalKind::Agent, &[]);
    let target = target(&[]);
    let facts = facts(vec![users(Verb::Update, &["email"], &["id"]), Action::new(Verb::Begin)]);
    let explanation = policy.explain(&Question {
        principal: &agent,
        target: &target,
        database: "shop",
        facts: &facts,
        labels: &NoLabels,
        in_transaction: false,
        now: Timestamp::from_micros(NOON),
    });
    let text = explanation.to_string();
    for part in [
        "deny by default-deny",
        r#"hold  Action::"sql:update" Relation::"shop-prod/shop/public.users": w"#,
        r#"hold  Action::"sql:update" Column::"shop-prod/shop/public.users.email": w"#,
        r#"allow Action::"sql:select" Column::"shop-prod/shop/public.users.id": needs no permit"#,
        r#"deny  Action::"sql:begin" Database::"shop-prod/shop": no rule permits it"#,
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    let json = serde_json::to_value(&explanation).expect("serialises");
    assert_eq!(json["requests"][0]["rules"][0], "w");
}

#[path = "policy_grants_tests.rs"]
mod grants;

#[test]
fn a_mysql_relation_is_in_its_own_database_whichever_is_the_session_s() {
    let policy = policy(r#"@id("hr") permit (principal, action, resource in Database::"shop-prod/hr");"#);
    let read = |schema: &str| {
        let action = on(Verb::Select, schema, "users", &["id"], &[]);
        Facts { language: Language::Mysql, ..facts(vec![action]) }
    };
    let agent = principal(PrincipalKind::Agent, &["agents"]);
    assert_eq!(decide_as(&policy, &agent, &read("hr")).effect, Effect::Allow);
    assert_eq!(decide_as(&policy, &agent, &read("shop")).effect, Effect::Deny);
    let postgres = decide_as(&policy, &agent, &facts(read("hr").actions));
    assert_eq!(postgres.effect, Effect::Deny, "there a schema is no database");
}
