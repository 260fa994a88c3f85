//! Token records.

use sallyport_core::Clock;

use super::*;
use crate::testing::fixture;

fn record(id: &str, now: Timestamp) -> TokenRecord {
    TokenRecord {
        id: TokenId::parse(id).unwrap(),
        principal: "claude-code".into(),
        hash: Digest::of(b"slp_secret"),
        created: now,
        expires: Some(now.plus_seconds(60)),
        revoked: None,
        last_used: None,
        note: Some("laptop".into()),
    }
}

#[tokio::test]
async fn a_token_reads_back_as_it_was_kept() {
    let (store, clock, _dir) = fixture().await;
    let token = record("t1", clock.now());
    store.add_token(&token).await.unwrap();
    assert_eq!(store.token(&token.id).await.unwrap(), Some(token.clone()));
    assert_eq!(store.tokens().await.unwrap(), vec![token]);
    assert_eq!(store.token(&TokenId::parse("t2").unwrap()).await.unwrap(), None);
}

#[tokio::test]
async fn a_second_token_with_the_same_id_is_refused() {
    let (store, clock, _dir) = fixture().await;
    store.add_token(&record("t1", clock.now())).await.unwrap();
    assert!(matches!(store.add_token(&record("t1", clock.now())).await, Err(StoreError::Conflict)));
}

#[tokio::test]
async fn revoking_is_once_and_keeps_its_time() {
    let (store, clock, _dir) = fixture().await;
    let token = record("t1", clock.now());
    store.add_token(&token).await.unwrap();
    let at = clock.now();
    assert!(store.revoke_token(&token.id).await.unwrap());
    clock.advance(10);
    assert!(!store.revoke_token(&token.id).await.unwrap());
    assert_eq!(store.token(&token.id).await.unwrap().unwrap().revoked, Some(at));
}

#[tokio::test]
async fn last_use_is_written_at_most_once_a_minute() {
    let (store, clock, _dir) = fixture().await;
    let token = record("t1", clock.now());
    store.add_token(&token).await.unwrap();
    let first = clock.now();
    store.touch_token(&token.id).await.unwrap();
    clock.advance(30);
    store.touch_token(&token.id).await.unwrap();
    assert_eq!(store.token(&token.id).await.unwrap().unwrap().last_used, Some(first));
    clock.advance(31);
    store.touch_token(&token.id).await.unwrap();
    assert_eq!(store.token(&token.id).await.unwrap().unwrap().last_used, Some(clock.now()));
}
