//! The file and its modes, and the deadline.

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::testing::{clock, fixture};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn the_store_and_its_side_files_are_private() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data").join("store.db");
    let store = Store::open(&path, clock()).await.unwrap();
    store.healthy().await.unwrap();
    assert_eq!(mode(&dir.path().join("data")), 0o700);
    for file in fs::read_dir(dir.path().join("data")).unwrap() {
        let file = file.unwrap().path();
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[tokio::test]
async fn a_store_that_others_could_read_is_made_private() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.db");
    fs::write(&path, b"").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    Store::open(&path, clock()).await.unwrap();
    assert_eq!(mode(&path), 0o600);
}

#[tokio::test]
async fn a_folder_that_others_may_write_to_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("shared");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    let refused = Store::open(&folder.join("store.db"), clock()).await;
    assert!(matches!(refused, Err(StoreError::NotPrivate { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_link_in_place_of_the_store_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("elsewhere"), b"").unwrap();
    std::os::unix::fs::symlink(dir.path().join("elsewhere"), dir.path().join("store.db")).unwrap();
    let refused = Store::open(&dir.path().join("store.db"), clock()).await;
    assert!(matches!(refused, Err(StoreError::NotPrivate { .. })), "{refused:?}");
}

#[tokio::test]
async fn what_was_written_is_there_after_opening_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.db");
    let first = Store::open(&path, clock()).await.unwrap();
    first.save_policy("v1", &[]).await.unwrap();
    first.close().await;
    let second = Store::open(&path, clock()).await.unwrap();
    assert_eq!(second.policy_versions().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_stuck_store_refuses_within_its_deadline() {
    let (store, _clock, _dir) = fixture().await;
    let stuck = store.begin().await.unwrap();
    let started = std::time::Instant::now();
    let (refused, health) = tokio::join!(store.save_policy("v1", &[]), store.healthy());
    assert!(refused.is_err(), "{refused:?}");
    assert!(health.is_err(), "a store that takes no writes is not healthy");
    assert!(started.elapsed() < DEADLINE + Duration::from_secs(2));
    drop(stuck);
    store.save_policy("v1", &[]).await.unwrap();
}

#[tokio::test]
async fn the_readers_cannot_write() {
    let (store, _clock, _dir) = fixture().await;
    assert!(sqlx::query("DELETE FROM tokens").execute(&store.read).await.is_err());
}

#[tokio::test]
async fn a_call_that_is_dropped_midway_leaves_the_store_usable() {
    let (store, _clock, _dir) = fixture().await;
    for version in 0..20 {
        let version = format!("v{version}");
        let call = store.save_policy(&version, &[]);
        let _dropped = tokio::time::timeout(Duration::from_micros(200), call).await;
    }
    store.save_policy("last", &[]).await.unwrap();
    store.healthy().await.unwrap();
}

#[tokio::test]
async fn a_transaction_that_sqlite_ended_by_itself_does_not_block_the_store() {
    let (store, _clock, _dir) = fixture().await;
    let mut begun = store.begin().await.unwrap();
    // As a full disk does: the transaction is over, and nobody told the library.
    sqlx::query("ROLLBACK").execute(&mut *begun).await.unwrap();
    assert!(begun.commit().await.is_err());
    store.healthy().await.unwrap();
}
