//! How long keys serve. Time is tokio's, paused; the fetches are real ones to loopback.

use std::sync::atomic::Ordering;

use serde_json::json;

use super::*;
use crate::testing::{EC, EC_NEW, Provider};

fn keys(idp: &Provider) -> Keys {
    let url = egress::address(&format!("{}/keys", idp.issuer)).unwrap();
    Keys::new(KeySource::Jwks(url), egress::client().unwrap())
}

/// Moves the clock that `Instant::elapsed` reads, and lets it run again for the sockets.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

#[tokio::test]
async fn a_new_key_is_found_once_the_interval_has_passed() {
    let idp = Provider::start();
    let keys = keys(&idp);
    keys.key(EC.kid, EC.algorithm).await.unwrap();
    idp.change(|answer| answer.keys = json!({"keys": [EC.jwk, EC_NEW.jwk]}).to_string());
    assert!(matches!(keys.key(EC_NEW.kid, EC_NEW.algorithm).await, Err(AuthError::UnknownKey)));
    pass(MIN_INTERVAL).await;
    keys.key(EC_NEW.kid, EC_NEW.algorithm).await.unwrap();
    assert_eq!(idp.asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_withdrawn_key_leaves_once_the_keys_are_fetched_again() {
    let idp = Provider::start();
    let keys = keys(&idp);
    keys.key(EC.kid, EC.algorithm).await.unwrap();
    idp.change(|answer| answer.keys = json!({"keys": [EC_NEW.jwk]}).to_string());
    pass(FRESH).await;
    assert!(matches!(keys.key(EC.kid, EC.algorithm).await, Err(AuthError::UnknownKey)));
}

#[tokio::test]
async fn keys_outlive_a_provider_that_is_away_but_not_by_more_than_an_hour() {
    let idp = Provider::start();
    let keys = keys(&idp);
    keys.key(EC.kid, EC.algorithm).await.unwrap();
    idp.change(|answer| answer.status = "503 Service Unavailable");
    pass(FRESH).await;
    keys.key(EC.kid, EC.algorithm).await.unwrap();
    pass(STALE).await;
    assert!(matches!(keys.key(EC.kid, EC.algorithm).await, Err(AuthError::Provider(_))));
}

#[tokio::test]
async fn many_who_come_at_once_cause_one_fetch() {
    let idp = Provider::start();
    let keys = Arc::new(keys(&idp));
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let keys = Arc::clone(&keys);
        callers.spawn(async move { keys.key(EC.kid, EC.algorithm).await.is_ok() });
    }
    assert!(callers.join_all().await.into_iter().all(|found| found));
    assert_eq!(idp.asked.load(Ordering::SeqCst), 1);
}
