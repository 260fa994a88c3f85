//! Who is configured.

use std::collections::BTreeSet;

use sallyport_core::{
    Answer, Digest, Facts, GroupNeed, Language, RequestId, RequestState, SessionId, Timestamp,
};

use super::*;
use crate::testing::{entries, principal};

const ISSUER: &str = "https://login.example.com";

#[test]
fn names_that_differ_only_in_case_are_one_and_refused() {
    let twice = vec![
        principal("alice", PrincipalKind::Human, &[]).into(),
        principal(" ALICE", PrincipalKind::Agent, &[]).into(),
    ];
    assert!(matches!(Directory::new(twice), Err(SettingsError::DuplicateName(_))));
    let nameless = vec![principal("  ", PrincipalKind::Human, &[]).into()];
    assert_eq!(Directory::new(nameless).unwrap_err(), SettingsError::EmptyName);
    let directory = Directory::new(entries(ISSUER)).unwrap();
    assert_eq!(directory.get("Alice@Example.com").unwrap().name, "alice@example.com");
    assert!(directory.get("bob").is_none());
    assert_eq!(directory.principals().len(), 2);
}

#[test]
fn attack_2_a_subject_counts_only_at_its_own_issuer_and_exactly() {
    let directory = Directory::new(entries(ISSUER)).unwrap();
    assert!(directory.by_subject(ISSUER, "00u1a2b3").is_some());
    assert!(directory.by_subject("https://login.example.com/", "00u1a2b3").is_none());
    assert!(directory.by_subject(ISSUER, "00U1A2B3").is_none());
    assert!(directory.by_subject(ISSUER, "alice@example.com").is_none());
}

#[test]
fn a_subject_is_one_principals_and_that_one_exists() {
    let directory = Directory::new(entries(ISSUER)).unwrap();
    let more = |subject: &str, name: &str| {
        directory.clone().with_subjects(ISSUER, &BTreeMap::from([(subject.to_owned(), name.to_owned())]))
    };
    assert!(more("second", "claude-code").unwrap().by_subject(ISSUER, "second").is_some());
    assert!(matches!(more("00u1a2b3", "claude-code"), Err(SettingsError::DuplicateSubject(..))));
    assert!(matches!(more("third", "nobody"), Err(SettingsError::NoSuchPrincipal(_))));
    assert!(matches!(more("", "claude-code"), Err(SettingsError::IncompleteSubject(_))));
    let mut half = entries(ISSUER);
    half[0].oidc_issuer = None;
    assert!(matches!(Directory::new(half), Err(SettingsError::IncompleteSubject(_))));
}

#[test]
fn attack_28_an_approval_does_not_outlive_its_approvers_role_or_group() {
    let answer = |approver: &str, verdict| Answer {
        approver: approver.into(),
        groups: BTreeSet::from(["dba".to_owned()]),
        verdict,
        note: None,
        at: Timestamp::from_micros(0),
    };
    let request = ApprovalRequest {
        id: RequestId::new([1; 5]),
        digest: Digest::of(b"x"),
        session: SessionId::new(Timestamp::from_micros(0), [0; 10]),
        operation: 1,
        principal: principal("claude-code", PrincipalKind::Agent, &[]),
        target: "shop-prod".into(),
        database: "shop".into(),
        text: "delete from t".into(),
        parameters: vec![],
        state: BTreeMap::new(),
        facts: Facts { language: Language::Postgres, statements: 1, unknown: None, actions: vec![] },
        rule: "r".into(),
        rule_reason: None,
        caller_reason: None,
        transaction: vec![],
        needs: vec![GroupNeed { group: "dba".into(), approvals: 1 }],
        created: Timestamp::from_micros(0),
        expires: Timestamp::from_micros(10),
        state_of_request: RequestState::Approved,
        caller_waits: true,
        answers: vec![answer("bob", Verdict::Approve)],
        policy_version: "v".into(),
    };
    let stands = |people: Vec<Principal>| {
        let directory = Directory::new(people.into_iter().map(Into::into).collect()).unwrap();
        directory.standing(&request).satisfies(&request.needs)
    };
    let bob = principal("bob", PrincipalKind::Human, &["dba"]);
    assert!(stands(vec![bob.clone()]));
    assert!(!stands(vec![]), "removed");
    assert!(!stands(vec![Principal { groups: BTreeSet::new(), ..bob.clone() }]), "out of the group");
    assert!(!stands(vec![Principal { roles: BTreeSet::new(), ..bob.clone() }]), "no approver any more");
    assert!(!stands(vec![Principal { kind: PrincipalKind::Service, ..bob }]), "no human any more");

    let denied = ApprovalRequest { answers: vec![answer("gone", Verdict::Deny)], ..request.clone() };
    assert_eq!(Directory::default().standing(&denied).answers.len(), 1, "a no stays");
}
