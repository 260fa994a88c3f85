//! What is never granted by accident: unknown, reveal, connect; failure, time, and the cache.

use super::*;

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
