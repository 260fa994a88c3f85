//! A real store in a temporary folder, a clock that stands still, and the people of the examples.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use sallyport_core::{
    ApiRole, ApprovalRequest, Clock, Digest, Facts, GroupNeed, Language, Principal, PrincipalKind, RequestId,
    RequestState, SessionId, Timestamp,
};

use crate::Store;

/// A clock that moves only when told.
#[derive(Debug)]
pub(crate) struct StillClock(AtomicI64);

impl StillClock {
    pub(crate) fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

pub(crate) fn clock() -> Arc<StillClock> {
    Arc::new(StillClock(AtomicI64::new(1_800_000_000_000_000)))
}

pub(crate) async fn fixture() -> (Store, Arc<StillClock>, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let clock = clock();
    let store = Store::open(&dir.path().join("store.db"), clock.clone()).await.unwrap();
    (store, clock, dir)
}

pub(crate) fn human(name: &str, groups: &[&str]) -> Principal {
    Principal {
        name: name.into(),
        kind: PrincipalKind::Human,
        on_behalf_of: None,
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        roles: BTreeSet::from([ApiRole::Approver]),
    }
}

pub(crate) fn agent(name: &str) -> Principal {
    Principal {
        name: name.into(),
        kind: PrincipalKind::Agent,
        on_behalf_of: Some("alice@example.com".into()),
        groups: BTreeSet::from(["agents".to_owned()]),
        roles: BTreeSet::new(),
    }
}

pub(crate) fn needs(group: &str, approvals: u32) -> Vec<GroupNeed> {
    vec![GroupNeed { group: group.into(), approvals }]
}

/// An open request of `claude-code` that one `dba` must answer within ten minutes.
pub(crate) fn request(number: u8, now: Timestamp) -> ApprovalRequest {
    ApprovalRequest {
        id: RequestId::new([number; 5]),
        digest: Digest::of(b"delete from t where id = 1"),
        session: SessionId::new(now, [1; 10]),
        operation: 3,
        principal: agent("claude-code"),
        target: "shop-prod".into(),
        database: "shop".into(),
        text: "delete from t where id = 1".into(),
        parameters: vec![Some("1".into()), None],
        state: BTreeMap::new(),
        facts: Facts { language: Language::Postgres, statements: 1, unknown: None, actions: vec![] },
        rule: "writes-need-a-human".into(),
        rule_reason: None,
        caller_reason: Some("clean up".into()),
        transaction: vec![],
        needs: needs("dba", 1),
        created: now,
        expires: now.plus_seconds(600),
        state_of_request: RequestState::Open,
        caller_waits: true,
        answers: vec![],
        policy_version: "v".into(),
    }
}
