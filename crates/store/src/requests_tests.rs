//! Each guard on a request's way from open to used has a test that fails without it.

use std::time::Duration;

use sallyport_core::{AnswerRefused, Clock};

use super::*;
use crate::testing::{agent, fixture, human, needs, request};

fn other_session() -> SessionId {
    SessionId::parse("OTHER").unwrap()
}

#[tokio::test]
async fn a_request_reads_back_whole() {
    let (store, clock, _dir) = fixture().await;
    let held = request(1, clock.now());
    store.add_request(&held).await.unwrap();
    assert_eq!(store.request(&held.id).await.unwrap(), Some(held.clone()));
    assert!(matches!(store.add_request(&held).await, Err(StoreError::Conflict)));
    assert_eq!(store.request(&RequestId::parse("none").unwrap()).await.unwrap(), None);
}

#[tokio::test]
async fn a_request_that_comes_answered_is_refused() {
    let (store, clock, _dir) = fixture().await;
    let mut approved = request(1, clock.now());
    approved.state_of_request = RequestState::Approved;
    assert!(store.add_request(&approved).await.is_err());
}

#[tokio::test]
async fn a_request_too_large_to_read_is_refused() {
    let (store, clock, _dir) = fixture().await;
    let mut large = request(1, clock.now());
    large.text = "x".repeat(MAX_REQUEST);
    assert!(matches!(store.add_request(&large).await, Err(StoreError::TooLarge)));
}

#[tokio::test]
async fn enough_yeses_approve_and_one_no_denies() {
    let (store, clock, _dir) = fixture().await;
    let mut held = request(1, clock.now());
    held.needs = needs("dba", 2);
    store.add_request(&held).await.unwrap();
    let (bob, carol) = (human("bob", &["dba"]), human("carol", &["dba"]));
    let after_one = store.answer(&held.id, &bob, Verdict::Approve, Some("fine".into())).await.unwrap();
    assert_eq!(after_one.state_of_request, RequestState::Open);
    let after_two = store.answer(&held.id, &carol, Verdict::Approve, None).await.unwrap();
    assert_eq!(after_two.state_of_request, RequestState::Approved);
    assert_eq!(store.request(&held.id).await.unwrap(), Some(after_two));

    let held = request(2, clock.now());
    store.add_request(&held).await.unwrap();
    let denied = store.answer(&held.id, &bob, Verdict::Deny, None).await.unwrap();
    assert_eq!(denied.state_of_request, RequestState::Denied);
    let late = store.answer(&held.id, &carol, Verdict::Approve, None).await;
    assert!(matches!(late, Err(AnswerError::Refused(AnswerRefused::NotOpen))), "{late:?}");
}

#[tokio::test]
async fn attack_27_nobody_answers_their_own_request() {
    let (store, clock, _dir) = fixture().await;
    let held = request(1, clock.now());
    store.add_request(&held).await.unwrap();
    let mine = store.answer(&held.id, &human("Alice@Example.com", &["dba"]), Verdict::Approve, None).await;
    assert!(matches!(mine, Err(AnswerError::Refused(AnswerRefused::Requester))), "{mine:?}");
    let robot = store.answer(&held.id, &agent("other"), Verdict::Approve, None).await;
    assert!(matches!(robot, Err(AnswerError::Refused(AnswerRefused::NotHuman))), "{robot:?}");
    assert!(store.request(&held.id).await.unwrap().unwrap().answers.is_empty());
    let bob = human("bob", &["dba"]);
    let nothing = store.answer(&RequestId::parse("none").unwrap(), &bob, Verdict::Deny, None).await;
    assert!(matches!(nothing, Err(AnswerError::NotFound)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_human_answering_many_times_at_once_counts_once() {
    let (store, clock, _dir) = fixture().await;
    let mut held = request(1, clock.now());
    held.needs = needs("dba", 2);
    store.add_request(&held).await.unwrap();
    let mut answers = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (store, id) = (store.clone(), held.id.clone());
        answers
            .spawn(async move { store.answer(&id, &human("bob", &["dba"]), Verdict::Approve, None).await });
    }
    let taken = answers.join_all().await.into_iter().filter(Result::is_ok).count();
    assert_eq!(taken, 1);
    assert_eq!(store.request(&held.id).await.unwrap().unwrap().state_of_request, RequestState::Open);
}

/// A request that bob has approved.
async fn approved(store: &Store, number: u8, clock: &crate::testing::StillClock) -> ApprovalRequest {
    let held = request(number, clock.now());
    store.add_request(&held).await.unwrap();
    store.answer(&held.id, &human("bob", &["dba"]), Verdict::Approve, None).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn attack_6_of_fifty_redemptions_at_once_one_wins() {
    let (store, clock, _dir) = fixture().await;
    let ticket = approved(&store, 1, &clock).await;
    let mut uses = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (store, ticket) = (store.clone(), ticket.clone());
        uses.spawn(async move {
            store.use_request(&ticket.id, &ticket.digest, &ticket.session, &needs("dba", 1)).await.unwrap()
        });
    }
    let won: Vec<_> = uses.join_all().await.into_iter().flatten().collect();
    assert_eq!(won.len(), 1);
    assert_eq!(won[0].state_of_request, RequestState::Used);
    let kept = store.request(&ticket.id).await.unwrap().unwrap();
    assert_eq!(kept.state_of_request, RequestState::Used);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn attack_6_two_processes_on_one_file_cannot_both_redeem() {
    let (store, clock, dir) = fixture().await;
    let other = Store::open(&dir.path().join("store.db"), clock.clone()).await.unwrap();
    for number in 1..=10 {
        let ticket = approved(&store, number, &clock).await;
        let mut uses = tokio::task::JoinSet::new();
        for store in [store.clone(), other.clone(), store.clone(), other.clone()] {
            let ticket = ticket.clone();
            uses.spawn(async move {
                store
                    .use_request(&ticket.id, &ticket.digest, &ticket.session, &needs("dba", 1))
                    .await
                    .unwrap()
            });
        }
        assert_eq!(uses.join_all().await.into_iter().flatten().count(), 1);
    }
}

#[tokio::test]
async fn attack_25_an_approval_is_not_for_another_operation() {
    let (store, clock, _dir) = fixture().await;
    let ticket = approved(&store, 1, &clock).await;
    let other = Digest::of(b"delete from t");
    let used = store.use_request(&ticket.id, &other, &ticket.session, &needs("dba", 1)).await.unwrap();
    assert_eq!(used, None);
}

#[tokio::test]
async fn attack_25_an_approval_given_in_place_is_not_for_another_session_until_the_caller_leaves() {
    let (store, clock, _dir) = fixture().await;
    let ticket = approved(&store, 1, &clock).await;
    let elsewhere = other_session();
    let mut used = store.use_request(&ticket.id, &ticket.digest, &elsewhere, &needs("dba", 1)).await.unwrap();
    assert_eq!(used, None);
    assert!(store.caller_left(&ticket.id).await.unwrap());
    used = store.use_request(&ticket.id, &ticket.digest, &elsewhere, &needs("dba", 1)).await.unwrap();
    assert!(used.is_some());
    assert!(!store.caller_left(&ticket.id).await.unwrap(), "a used request is no ticket");
}

#[tokio::test]
async fn a_caller_that_comes_back_to_its_ticket_is_seen_to_wait_and_the_ticket_stays_one() {
    let (store, clock, _dir) = fixture().await;
    let held = request(1, clock.now());
    store.add_request(&held).await.unwrap();
    assert!(!store.caller_returned(&held.id).await.unwrap(), "its caller has not left");
    store.caller_left(&held.id).await.unwrap();
    let waits = || async { store.request(&held.id).await.unwrap().unwrap().caller_waits };
    assert!(!waits().await);
    for _ in 0..2 {
        assert!(store.caller_returned(&held.id).await.unwrap());
    }
    assert!(waits().await);
    store.caller_left(&held.id).await.unwrap();
    assert!(waits().await, "the other one still does");
    store.caller_left(&held.id).await.unwrap();
    assert!(!waits().await);
    store.caller_returned(&held.id).await.unwrap();
    store.close_orphans(clock.now()).await.unwrap();
    assert!(!waits().await, "nobody waits after a start");
    // Come back or not, any session of the principal uses it, and finds it.
    store.caller_returned(&held.id).await.unwrap();
    store.answer(&held.id, &human("bob@example.com", &["dba"]), Verdict::Approve, None).await.unwrap();
    assert!(store.ticket("claude-code", &held.digest).await.unwrap().is_some());
    let elsewhere = other_session();
    let used = store.use_request(&held.id, &held.digest, &elsewhere, &needs("dba", 1)).await.unwrap();
    assert!(used.is_some());
}

#[tokio::test]
async fn attack_28_an_approval_must_meet_the_present_needs() {
    let (store, clock, _dir) = fixture().await;
    let ticket = approved(&store, 1, &clock).await;
    for now_needed in [needs("security", 1), needs("dba", 2), vec![]] {
        let used = store.use_request(&ticket.id, &ticket.digest, &ticket.session, &now_needed).await.unwrap();
        assert_eq!(used, None, "{now_needed:?}");
    }
    let used =
        store.use_request(&ticket.id, &ticket.digest, &ticket.session, &needs("dba", 1)).await.unwrap();
    assert!(used.is_some(), "failed attempts spend nothing");
}

#[tokio::test]
async fn an_unapproved_denied_or_withdrawn_request_is_not_used() {
    let (store, clock, _dir) = fixture().await;
    let (open, denied, withdrawn) =
        (request(1, clock.now()), request(2, clock.now()), request(3, clock.now()));
    for held in [&open, &denied, &withdrawn] {
        store.add_request(held).await.unwrap();
    }
    store.answer(&denied.id, &human("bob", &["dba"]), Verdict::Deny, None).await.unwrap();
    store.answer(&withdrawn.id, &human("bob", &["dba"]), Verdict::Approve, None).await.unwrap();
    assert!(store.withdraw(&withdrawn.id).await.unwrap(), "an approved one can be taken back too");
    assert!(!store.withdraw(&withdrawn.id).await.unwrap());
    for held in [&open, &denied, &withdrawn] {
        let used = store.use_request(&held.id, &held.digest, &held.session, &needs("dba", 1)).await.unwrap();
        assert_eq!(used, None);
    }
    let late = store.answer(&withdrawn.id, &human("bob", &["dba"]), Verdict::Approve, None).await;
    assert!(matches!(late, Err(AnswerError::Refused(AnswerRefused::NotOpen))));
}

#[tokio::test]
async fn attack_27_time_out_denies() {
    let (store, clock, _dir) = fixture().await;
    let ticket = approved(&store, 1, &clock).await;
    let open = request(2, clock.now());
    store.add_request(&open).await.unwrap();
    clock.advance(600);
    let used =
        store.use_request(&ticket.id, &ticket.digest, &ticket.session, &needs("dba", 1)).await.unwrap();
    assert_eq!(used, None);
    let late = store.answer(&open.id, &human("bob", &["dba"]), Verdict::Approve, None).await;
    assert!(matches!(late, Err(AnswerError::Refused(AnswerRefused::NotOpen))), "{late:?}");
    assert!(!store.withdraw(&open.id).await.unwrap());
    assert_eq!(store.request(&open.id).await.unwrap().unwrap().state_of_request, RequestState::Expired);
}

#[tokio::test]
async fn expired_requests_are_listed_and_written_down_as_expired() {
    let (store, clock, _dir) = fixture().await;
    store.add_request(&request(1, clock.now())).await.unwrap();
    clock.advance(1);
    store.add_request(&request(2, clock.now())).await.unwrap();
    let open = RequestFilter { states: vec![RequestState::Open, RequestState::Approved], limit: 10 };
    let listed = store.requests(&open).await.unwrap();
    assert_eq!(listed.iter().map(|request| request.id.as_str()).collect::<Vec<_>>().len(), 2);
    assert!(listed[0].created > listed[1].created, "newest first");
    clock.advance(599);
    assert_eq!(store.requests(&open).await.unwrap().len(), 1);
    let expired = RequestFilter { states: vec![RequestState::Expired], limit: 10 };
    assert_eq!(store.requests(&expired).await.unwrap().len(), 1);
    assert_eq!(store.requests(&RequestFilter::default()).await.unwrap().len(), 2);
    assert_eq!(store.requests(&RequestFilter { states: vec![], limit: 1 }).await.unwrap().len(), 1);
    let words: Vec<String> = sqlx::query_scalar("SELECT state FROM requests ORDER BY created")
        .fetch_all(&store.read)
        .await
        .unwrap();
    assert_eq!(words, ["expired", "open"]);
}

#[tokio::test]
async fn attack_9_a_ticket_is_its_principals_alone() {
    let (store, clock, _dir) = fixture().await;
    let held = request(1, clock.now());
    store.add_request(&held).await.unwrap();
    assert_eq!(store.ticket("claude-code", &held.digest).await.unwrap(), None, "its caller still waits");
    store.caller_left(&held.id).await.unwrap();
    let found = store.ticket("Claude-Code", &held.digest).await.unwrap().unwrap();
    assert_eq!(found.id, held.id);
    assert_eq!(store.ticket("other-agent", &held.digest).await.unwrap(), None);
    assert_eq!(store.ticket("claude-code", &Digest::of(b"other")).await.unwrap(), None);
    clock.advance(600);
    assert_eq!(store.ticket("claude-code", &held.digest).await.unwrap(), None, "its time has run out");
}

#[tokio::test]
async fn an_approved_ticket_comes_before_a_newer_open_one() {
    let (store, clock, _dir) = fixture().await;
    let old = approved(&store, 1, &clock).await;
    store.caller_left(&old.id).await.unwrap();
    clock.advance(1);
    let new = request(2, clock.now());
    store.add_request(&new).await.unwrap();
    store.caller_left(&new.id).await.unwrap();
    assert_eq!(store.ticket("claude-code", &new.digest).await.unwrap().unwrap().id, old.id);
    store.use_request(&old.id, &old.digest, &other_session(), &needs("dba", 1)).await.unwrap().unwrap();
    assert_eq!(store.ticket("claude-code", &new.digest).await.unwrap().unwrap().id, new.id);
}

#[tokio::test]
async fn attack_37_a_flood_of_requests_is_refused_before_it_reaches_an_approver() {
    let (store, clock, _dir) = fixture().await;
    for number in 0..20 {
        store.add_request(&request(number, clock.now())).await.unwrap();
    }
    let mut more = request(200, clock.now());
    more.principal.name = "CLAUDE-code".into();
    assert!(matches!(store.add_request(&more).await, Err(StoreError::TooMany)));
    assert_eq!(store.open_tickets_of("claude-code").await.unwrap(), MAX_OPEN_REQUESTS);
    let mut other = request(201, clock.now());
    other.principal.name = "other".into();
    store.add_request(&other).await.unwrap();
    clock.advance(600);
    assert_eq!(store.open_tickets_of("claude-code").await.unwrap(), 0);
    store.add_request(&request(202, clock.now())).await.unwrap();
}

#[tokio::test]
async fn a_row_whose_columns_were_edited_is_refused() {
    let (store, clock, _dir) = fixture().await;
    let ticket = approved(&store, 1, &clock).await;
    let other = Digest::of(b"drop table t");
    let mut tx = store.begin().await.unwrap();
    sqlx::query("UPDATE requests SET digest = $1").bind(other.to_string()).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    let used = store.use_request(&ticket.id, &other, &ticket.session, &needs("dba", 1)).await;
    assert!(matches!(used, Err(StoreError::Corrupt(_))), "{used:?}");
}

#[tokio::test]
async fn waiting_ends_as_soon_as_the_answer_is_there() {
    let (store, clock, _dir) = fixture().await;
    let held = request(1, clock.now());
    store.add_request(&held).await.unwrap();
    let started = std::time::Instant::now();
    let (settled, ()) = tokio::join!(store.wait(&held.id, held.expires), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        store.answer(&held.id, &human("bob", &["dba"]), Verdict::Deny, None).await.unwrap();
    });
    assert_eq!(settled.unwrap().state_of_request, RequestState::Denied);
    assert!(started.elapsed() < Duration::from_millis(600), "woken, not polled: {:?}", started.elapsed());
}

#[tokio::test]
async fn waiting_notices_an_answer_given_through_another_process() {
    let (store, clock, dir) = fixture().await;
    let other = Store::open(&dir.path().join("store.db"), clock.clone()).await.unwrap();
    let held = request(1, clock.now());
    store.add_request(&held).await.unwrap();
    let wait = tokio::time::timeout(Duration::from_secs(4), store.wait(&held.id, held.expires));
    let (settled, ()) = tokio::join!(wait, async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        other.answer(&held.id, &human("bob", &["dba"]), Verdict::Approve, None).await.unwrap();
    });
    assert_eq!(settled.unwrap().unwrap().state_of_request, RequestState::Approved);
}

#[tokio::test]
async fn waiting_ends_when_its_time_has_come() {
    let (store, clock, _dir) = fixture().await;
    let held = request(1, clock.now());
    store.add_request(&held).await.unwrap();
    let at_once = store.wait(&held.id, clock.now()).await.unwrap();
    assert_eq!(at_once.state_of_request, RequestState::Open);
    let (expired, ()) = tokio::join!(store.wait(&held.id, held.expires.plus_seconds(60)), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        clock.advance(600);
    });
    assert_eq!(expired.unwrap().state_of_request, RequestState::Expired);
    let nothing = store.wait(&RequestId::parse("none").unwrap(), held.expires).await;
    assert!(matches!(nothing, Err(StoreError::NotFound)));
}
