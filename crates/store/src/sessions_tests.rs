//! The session index.

use sallyport_core::Clock;

use super::*;
use crate::testing::{fixture, request};

fn row(number: u8, principal: &str, now: Timestamp) -> SessionRow {
    SessionRow {
        id: SessionId::new(now, [number; 10]),
        principal: principal.into(),
        kind: PrincipalKind::Agent,
        on_behalf_of: Some("alice@example.com".into()),
        target: "shop-prod".into(),
        database: "shop".into(),
        client: "127.0.0.1:50000".into(),
        method: "token".into(),
        token: TokenId::parse("t1"),
        started: now,
        ended: None,
        operations: 0,
        reason: None,
    }
}

#[tokio::test]
async fn sessions_open_close_and_list() {
    let (store, clock, _dir) = fixture().await;
    let first = row(1, "claude-code", clock.now());
    store.session_opened(&first).await.unwrap();
    clock.advance(1);
    let second = row(2, "Alice@example.com", clock.now());
    store.session_opened(&second).await.unwrap();
    assert_eq!(store.session(&first.id).await.unwrap(), Some(first.clone()));
    assert!(matches!(store.session_opened(&first).await, Err(StoreError::Conflict)));

    let all = store.sessions(&SessionFilter::default()).await.unwrap();
    assert_eq!(all, vec![second.clone(), first.clone()], "newest first");
    let folded = SessionFilter { principal: Some("ALICE@example.com ".into()), ..SessionFilter::default() };
    assert_eq!(store.sessions(&folded).await.unwrap(), vec![second.clone()]);
    let older = SessionFilter { before: Some(second.id.clone()), ..SessionFilter::default() };
    assert_eq!(store.sessions(&older).await.unwrap(), vec![first.clone()]);
    let elsewhere = SessionFilter { target: Some("other".into()), ..SessionFilter::default() };
    assert!(store.sessions(&elsewhere).await.unwrap().is_empty());

    assert!(store.session_closed(&first.id, clock.now(), 7, "the caller left").await.unwrap());
    assert!(!store.session_closed(&first.id, clock.now(), 9, "again").await.unwrap());
    let live = SessionFilter { live: Some(true), ..SessionFilter::default() };
    assert_eq!(store.sessions(&live).await.unwrap(), vec![second]);
    let ended = SessionFilter { live: Some(false), limit: 1, ..SessionFilter::default() };
    let ended = store.sessions(&ended).await.unwrap();
    assert_eq!((ended[0].operations, ended[0].reason.as_deref()), (7, Some("the caller left")));
}

#[tokio::test]
async fn after_a_crash_sessions_are_closed_and_their_requests_are_tickets() {
    let (store, clock, _dir) = fixture().await;
    let cut_off = row(1, "claude-code", clock.now());
    store.session_opened(&cut_off).await.unwrap();
    let held = request(1, clock.now());
    store.add_request(&held).await.unwrap();
    clock.advance(5);
    assert_eq!(store.close_orphans(clock.now()).await.unwrap(), 1);
    assert_eq!(store.close_orphans(clock.now()).await.unwrap(), 0);
    assert_eq!(store.session(&cut_off.id).await.unwrap().unwrap().ended, Some(clock.now()));
    assert!(!store.request(&held.id).await.unwrap().unwrap().caller_waits);
}
