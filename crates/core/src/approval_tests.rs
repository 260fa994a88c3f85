//! Who may answer: each refusal has a case that fails when its check is removed.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::facts::Language;

fn principal(name: &str, kind: PrincipalKind, for_whom: Option<&str>) -> Principal {
    Principal {
        name: name.into(),
        kind,
        on_behalf_of: for_whom.map(Into::into),
        groups: BTreeSet::from(["dba".to_owned()]),
        roles: BTreeSet::from([ApiRole::Approver]),
    }
}

fn request() -> ApprovalRequest {
    ApprovalRequest {
        id: RequestId::new([1; 5]),
        digest: Digest::of(b"x"),
        session: SessionId::new(Timestamp::from_micros(0), [0; 10]),
        operation: 1,
        principal: principal("claude-code", PrincipalKind::Agent, Some("alice@example.com")),
        target: "shop-prod".into(),
        database: "shop".into(),
        text: "delete from t where id = 1".into(),
        parameters: vec![],
        state: BTreeMap::new(),
        facts: Facts { language: Language::Postgres, statements: 1, unknown: None, actions: vec![] },
        rule: "writes-need-a-human".into(),
        rule_reason: None,
        caller_reason: None,
        transaction: vec![],
        needs: vec![GroupNeed { group: "dba".into(), approvals: 2 }],
        created: Timestamp::from_micros(0),
        expires: Timestamp::from_micros(10),
        state_of_request: RequestState::Open,
        caller_waits: true,
        answers: vec![],
        policy_version: "v".into(),
    }
}

fn answer(approver: &str, verdict: Verdict) -> Answer {
    Answer {
        approver: approver.into(),
        groups: BTreeSet::from(["dba".to_owned()]),
        verdict,
        note: None,
        at: Timestamp::from_micros(1),
    }
}

const NOW: i64 = 1;

fn ask(request: &ApprovalRequest, approver: &Principal) -> Result<BTreeSet<String>, AnswerRefused> {
    may_answer(request, approver, Timestamp::from_micros(NOW))
}

#[test]
fn a_human_of_the_group_may_answer() {
    let bob = principal("bob@example.com", PrincipalKind::Human, None);
    assert_eq!(ask(&request(), &bob), Ok(BTreeSet::from(["dba".to_owned()])));
}

#[test]
fn agents_and_services_never_answer() {
    for kind in [PrincipalKind::Agent, PrincipalKind::Service] {
        assert_eq!(ask(&request(), &principal("helper", kind, None)), Err(AnswerRefused::NotHuman));
    }
}

#[test]
fn the_human_behind_the_agent_never_answers() {
    for name in ["alice@example.com", "Alice@Example.com ", "ALICE@EXAMPLE.COM"] {
        let alice = principal(name, PrincipalKind::Human, None);
        assert_eq!(ask(&request(), &alice), Err(AnswerRefused::Requester), "{name}");
    }
    let second_identity = principal("alice-admin", PrincipalKind::Human, Some("alice@example.com"));
    assert_eq!(ask(&request(), &second_identity), Err(AnswerRefused::Requester));
}

#[test]
fn the_requester_never_answers() {
    let mut own = request();
    own.principal = principal("carol", PrincipalKind::Human, None);
    assert_eq!(ask(&own, &principal("carol", PrincipalKind::Human, None)), Err(AnswerRefused::Requester));
    let mut nobody_behind = request();
    nobody_behind.principal = principal("bot", PrincipalKind::Agent, None);
    assert!(ask(&nobody_behind, &principal("carol", PrincipalKind::Human, None)).is_ok());
}

#[test]
fn role_group_state_and_time_are_checked() {
    let mut plain = principal("bob", PrincipalKind::Human, None);
    plain.roles.clear();
    assert_eq!(ask(&request(), &plain), Err(AnswerRefused::NotApprover));
    let mut stranger = principal("bob", PrincipalKind::Human, None);
    stranger.groups = BTreeSet::from(["sre".to_owned()]);
    assert_eq!(ask(&request(), &stranger), Err(AnswerRefused::WrongGroup));
    let bob = principal("bob", PrincipalKind::Human, None);
    let mut settled = request();
    settled.state_of_request = RequestState::Denied;
    assert_eq!(ask(&settled, &bob), Err(AnswerRefused::NotOpen));
    assert_eq!(may_answer(&request(), &bob, Timestamp::from_micros(10)), Err(AnswerRefused::NotOpen));
    let mut said = request();
    said.answers.push(answer("BOB", Verdict::Approve));
    assert_eq!(ask(&said, &bob), Err(AnswerRefused::Twice));
}

#[test]
fn distinct_humans_are_counted_per_group() {
    let mut both = request();
    let needs = both.needs.clone();
    both.answers = vec![answer("bob", Verdict::Approve), answer("Bob", Verdict::Approve)];
    assert!(!both.satisfies(&needs), "one human twice is one human");
    both.answers.push(answer("carol", Verdict::Approve));
    assert!(both.satisfies(&needs));
    let stricter = [needs.concat_with("security")].concat();
    assert!(!both.satisfies(&stricter), "a group nobody answered for");
    both.answers.push(answer("dan", Verdict::Deny));
    assert!(!both.satisfies(&needs), "one no is a no");
    assert!(!request().satisfies(&[]), "no need is never met by nobody");
}

trait ConcatWith {
    fn concat_with(&self, group: &str) -> Vec<GroupNeed>;
}

impl ConcatWith for Vec<GroupNeed> {
    fn concat_with(&self, group: &str) -> Vec<GroupNeed> {
        let mut all = self.clone();
        all.push(GroupNeed { group: group.into(), approvals: 1 });
        all
    }
}
