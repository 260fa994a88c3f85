//! What rules mean: composition, holds, limits, columns, unknown, reveal. Facts are made by hand.

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
        tls: TlsSettings { mode: TlsMode::Disable, ca: None },
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

fn unknown(code: UnknownCode, actions: Vec<Action>) -> Facts {
    Facts { actions, ..Facts::unknown(Language::Postgres, code, "do $$ … $$") }
}

#[test]
fn unknown_is_never_granted_by_a_wildcard() {
    let agent = principal(PrincipalKind::Agent, &["agents"]);
    let facts = unknown(UnknownCode::Dynamic, vec![]);
    let decision = decide_as(&policy(ALL), &agent, &facts);
    assert_eq!((decision.effect, decision.rule.as_str()), (Effect::Deny, DEFAULT_DENY));
}

#[test]
fn unknown_passes_only_with_a_hold_and_does_not_excuse_the_rest() {
    let agent = principal(PrincipalKind::Agent, &["agents"]);
    let policy = policy(
        r#"@id("u") @hold("dba") permit (principal, action == Action::"unknown", resource) when { context.code == "dynamic" };"#,
    );
    assert_eq!(decide_as(&policy, &agent, &unknown(UnknownCode::Dynamic, vec![])).effect, Effect::Hold);
    assert_eq!(decide_as(&policy, &agent, &unknown(UnknownCode::Unparsable, vec![])).effect, Effect::Deny);
    let with_more = unknown(UnknownCode::Dynamic, vec![users(Verb::Drop, &[], &[])]);
    assert_eq!(decide_as(&policy, &agent, &with_more).effect, Effect::Deny);
}

fn connect(policy: &Policy) -> Decision {
    let target = target(&[("env", "production")]);
    policy.may_connect(
        &principal(PrincipalKind::Agent, &["agents"]),
        &target,
        "shop",
        Timestamp::from_micros(NOON),
    )
}

#[test]
fn connecting_needs_a_plain_permit() {
    let rule = r#"@id("c") permit (principal is Agent, action == Action::"connect", resource == Target::"shop-prod")"#;
    let allowed = connect(&policy(&format!("{rule};")));
    assert_eq!((allowed.effect, allowed.rule.as_str()), (Effect::Allow, "c"));
    let other = policy(&format!(r#"{rule} when {{ context.database == Database::"shop-prod/other" }};"#));
    assert_eq!(connect(&other).rule, DEFAULT_DENY);
    let held = policy(r#"@id("h") @hold("dba") permit (principal, action, resource);"#);
    assert_eq!(connect(&held).effect, Effect::Deny, "connecting is never held");
    let banned =
        policy(&format!(r#"{rule}; @id("b") forbid (principal in Group::"agents", action, resource);"#));
    assert_eq!(connect(&banned).rule, "b");
}

fn reveals(policy: &Policy, label: &str, column: &str) -> bool {
    let target = target(&[("env", "production")]);
    policy.reveals(&RevealQuestion {
        principal: &principal(PrincipalKind::Human, &["support"]),
        target: &target,
        database: "shop",
        label,
        schema: "public",
        relation: "users",
        column,
        now: Timestamp::from_micros(NOON),
    })
}

#[test]
fn reveal_is_never_granted_by_a_wildcard() {
    assert!(!reveals(&policy(ALL), "pii.email", "email"));
    let labels_only = policy(r#"@id("l") permit (principal, action, resource == Label::"pii.email");"#);
    assert!(!reveals(&labels_only, "pii.email", "email"), "the scope must name the action");
}

#[test]
fn reveal_is_granted_by_name_and_banned_by_any_ban() {
    let rule = r#"@id("r") permit (principal in Group::"support", action == Action::"reveal", resource == Label::"pii.email")
        when { context.relation == Relation::"shop-prod/shop/public.users" && context.target in Environment::"production" };"#;
    let granting = policy(rule);
    assert!(reveals(&granting, "pii.email", "email"));
    assert!(!reveals(&granting, "pii.ssn", "ssn"));
    let family =
        policy(r#"@id("f") permit (principal, action == Action::"reveal", resource in Label::"pii");"#);
    assert!(reveals(&family, "pii.email", "email") && reveals(&family, "pii.ssn", "ssn"));
    assert!(!reveals(&family, "catalog.values", "email"));
    let banned = policy(&format!(r#"{rule} @id("b") forbid (principal, action, resource);"#));
    assert!(!reveals(&banned, "pii.email", "email"));
    let column = policy(
        r#"@id("c") permit (principal, action == Action::"reveal", resource in Label::"pii")
        when { context.column == Column::"shop-prod/shop/public.users.email" };"#,
    );
    assert!(reveals(&column, "pii.email", "email") && !reveals(&column, "pii.email", "email2"));
}

#[test]
fn a_failing_rule_denies_everything() {
    let policy = policy(&format!(
        r#"{ALL} @id("overflow") forbid (principal, action in Action::"sql", resource)
        when {{ context.statements + 9223372036854775807 > 0 }};"#
    ));
    let decision = decide(&policy, vec![users(Verb::Select, &["id"], &[])]);
    assert_eq!((decision.effect, decision.rule.as_str()), (Effect::Deny, POLICY_ERROR));
}

#[test]
fn a_failing_ban_reveals_nothing_and_opens_no_session() {
    let policy = policy(
        r#"@id("c") permit (principal, action == Action::"connect", resource);
        @id("r") permit (principal, action == Action::"reveal", resource in Label::"pii");
        @id("overflow") forbid (principal, action in [Action::"connect", Action::"reveal"], resource)
        when { context.hour + 9223372036854775807 > 0 };"#,
    );
    assert!(!reveals(&policy, "pii.email", "email"));
    assert_eq!(connect(&policy).rule, POLICY_ERROR);
}

#[test]
fn without_an_engine_everything_is_denied() {
    let closed = Policy::of(None, "none".into());
    assert_eq!(decide(&closed, vec![users(Verb::Select, &["id"], &[])]).rule, POLICY_ERROR);
    assert_eq!(connect(&closed).effect, Effect::Deny);
    assert!(!reveals(&closed, "pii.email", "email"));
}

#[test]
fn time_reaches_rules_to_the_minute() {
    let policy = policy(
        r#"@id("office") permit (principal, action, resource) when {
            context has now && context.weekday == "monday" && context.hour == 12 &&
            context.now == datetime("2026-01-05T12:00:00Z") && context.now.toTime() >= duration("9h") };"#,
    );
    let agent = principal(PrincipalKind::Agent, &[]);
    let target = target(&[]);
    let facts = facts(vec![users(Verb::Select, &[], &[])]);
    let at = |micros: i64| {
        policy
            .decide(&Question {
                principal: &agent,
                target: &target,
                database: "shop",
                facts: &facts,
                labels: &NoLabels,
                in_transaction: false,
                now: Timestamp::from_micros(micros),
            })
            .effect
    };
    assert_eq!(at(NOON), Effect::Allow);
    assert_eq!(at(NOON + 59_000_000), Effect::Allow);
    assert_eq!(at(NOON + 60_000_000), Effect::Deny, "a cached decision ends with its minute");
    assert_eq!(at(NOON - 1), Effect::Deny);
}

#[test]
fn cached_decisions_depend_on_all_that_rules_see() {
    let policy = policy(
        r#"@id("r") permit (principal in Group::"a", action, resource in Tag::"x=y")
        when { principal has on_behalf_of && principal.on_behalf_of == "alice@example.com" };
        @id("t") forbid (principal, action in Action::"sql", resource) when { context.in_transaction };
        @id("l") forbid (principal, action in Action::"sql", resource) when { !context.labels.isEmpty() };"#,
    );
    let facts = facts(vec![users(Verb::Select, &["email"], &[])]);
    let good = (principal(PrincipalKind::Agent, &["a"]), target(&[("x", "y")]));
    let nobody = Principal { on_behalf_of: None, ..good.0.clone() };
    let ungrouped = principal(PrincipalKind::Agent, &[]);
    let untagged = target(&[]);
    let ask = |who: &Principal, target: &Target, labels: &dyn LabelSource, in_transaction| {
        policy
            .decide(&Question {
                principal: who,
                target,
                database: "shop",
                facts: &facts,
                labels,
                in_transaction,
                now: Timestamp::from_micros(NOON),
            })
            .effect
    };
    for _ in 0..2 {
        assert_eq!(ask(&good.0, &good.1, &NoLabels, false), Effect::Allow);
        assert_eq!(ask(&ungrouped, &good.1, &NoLabels, false), Effect::Deny);
        assert_eq!(ask(&nobody, &good.1, &NoLabels, false), Effect::Deny);
        assert_eq!(ask(&good.0, &untagged, &NoLabels, false), Effect::Deny);
        assert_eq!(ask(&good.0, &good.1, &NoLabels, true), Effect::Deny);
        assert_eq!(ask(&good.0, &good.1, &Pii, false), Effect::Deny, "labels reload without the policy");
    }
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
    let mut actions: Vec<Action> = Verb::ALL
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

#[test]
#[ignore = "measures: cargo test --release -p sallyport-policy -- --ignored --nocapture what_a_decision_costs"]
fn what_a_decision_costs() {
    let started = std::time::Instant::now();
    let policy = Policy::load(&Policy::starter_files()).expect("loads");
    println!("load: {:?}", started.elapsed());
    let agent = principal(PrincipalKind::Agent, &["agents"]);
    let target = target(&[("env", "production")]);
    let facts = facts(vec![
        users(Verb::Select, &["email", "id", "name"], &["id"]),
        on(Verb::Select, "public", "orders", &["id", "total"], &["user_id"]),
    ]);
    let ask = |minute: i64| {
        policy.decide(&Question {
            principal: &agent,
            target: &target,
            database: "shop",
            facts: &facts,
            labels: &Pii,
            in_transaction: false,
            now: Timestamp::from_micros(NOON + minute * 60_000_000),
        })
    };
    for (name, step) in [("new", 1), ("cached", 0)] {
        let started = std::time::Instant::now();
        for n in 0..1000 {
            assert_eq!(ask(n * step).effect, Effect::Allow);
        }
        println!("{name}: {:?} each", started.elapsed() / 1000);
    }
}
