//! Who reads what was recorded: by id, live, and by searching; and that each reading is noted.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use sallyport_core::{
    Action, Decision, Effect, Event, Facts, Language, Limits, ObjectName, OperationKind, Principal,
    PrincipalKind, SessionId, SystemClock, Timestamp, Verb,
};
use sallyport_record::{Recorder, RecorderSettings, Tape};
use sallyport_store::search::{Batch, Place, Position};
use serde_json::json;

use crate::testing::{House, LIVE, NORAS, NOW};

fn intent(text: &str) -> Event {
    Event::Intent {
        operation: 1,
        kind: OperationKind::Query,
        text_length: text.len(),
        withheld: Vec::new(),
        parameters: vec![],
        digest: sallyport_core::Digest::of(text.as_bytes()),
        facts: Facts {
            language: Language::Postgres,
            statements: 1,
            unknown: None,
            actions: vec![Action::on_object(Verb::Delete, "table", ObjectName::in_schema("public", "users"))],
        }
        .into(),
        decision: Decision {
            effect: Effect::Allow,
            rule: "writes".into(),
            rules: vec![],
            reason: None,
            hold: None,
            limits: Limits::default(),
            policy_version: "v".into(),
            reveals: Vec::new(),
        }
        .into(),
        approval: None,
        approved_by: vec![],
    }
}

fn opened(target: &str) -> Event {
    Event::SessionOpened {
        principal: Principal {
            name: "claude-code".into(),
            kind: PrincipalKind::Agent,
            on_behalf_of: Some("alice".into()),
            groups: BTreeSet::new(),
            roles: BTreeSet::new(),
        },
        authenticated_by: "token".into(),
        target: target.into(),
        protocol: "postgres".into(),
        database: "shop".into(),
        client: "127.0.0.1:1".into(),
        client_says: Default::default(),
        server_version: "15".into(),
        gateway_version: "0".into(),
        policy_version: "v".into(),
    }
}

/// Two sessions in the index, one at each target.
async fn searched() -> House {
    let house = House::new().await;
    let mut batch = Batch::default();
    for (id, target) in [("01PROD", "shop-prod"), ("01TEST", NORAS)] {
        let id = house.session_at(id, target).await;
        let place = |sequence| Place { session: &id, sequence, at: Timestamp::from_micros(NOW), segment: 1 };
        batch.take(place(0), &opened(target), b"");
        let text = b"delete from users where id = 7 -- \x1b]52;c;x\x07";
        batch.take(place(1), &intent(std::str::from_utf8(text).unwrap()), text);
    }
    let mut writer = house.index.writer().await.unwrap();
    let position = Position { segment: 1, offset: 1 };
    writer.write(&batch, position, Timestamp::from_micros(NOW)).await.unwrap();
    house.index.set_current(true);
    house
}

async fn noted(house: &House) -> Vec<String> {
    let (_, audit) = house.get("root", "/v1/audit").await;
    let word = |row: &serde_json::Value, key: &str| row[key].as_str().unwrap().to_owned();
    audit["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| ["principal", "action", "object", "outcome"].map(|key| word(row, key)).join(" "))
        .collect()
}

#[tokio::test]
async fn a_search_finds_neutralised_excerpts_and_is_noted() {
    let house = searched().await;
    let (status, page) =
        house.get("otto", "/v1/search?q=action:delete%20table:users%20%22from%20users%22").await;
    assert_eq!(status, StatusCode::OK, "{page}");
    assert_eq!((&page["count"], &page["current"], &page["more"]), (&json!(2), &json!(true), &json!(false)));
    let hit = &page["hits"][0];
    assert_eq!((&hit["session"], &hit["operation"]), (&json!("01TEST"), &json!(1)));
    let text = hit["excerpt"]["text"].as_str().unwrap();
    assert!(text.starts_with("delete from users where id = 7 -- \\u{1b}]52"), "{text}");
    assert_eq!(hit["excerpt"]["marks"], json!([[7, 10]]));
    let (_, page) = house.get("otto", "/v1/search?limit=1").await;
    let next = page["next"].as_u64().unwrap();
    let (_, page) = house.get("otto", &format!("/v1/search?limit=1&before={next}")).await;
    assert_eq!((&page["hits"][0]["session"], &page["next"]), (&json!("01PROD"), &json!(null)));
    let rows = noted(&house).await;
    assert!(
        rows.contains(&"otto recording.search action:delete table:users \"from users\" ok".to_owned()),
        "{rows:?}"
    );
}

#[tokio::test]
async fn a_query_that_cannot_be_read_is_said_with_its_place() {
    let house = searched().await;
    let (status, answer) = house.get("otto", "/v1/search?q=users%20tabel:x").await;
    assert_eq!((status, &answer["code"]), (StatusCode::BAD_REQUEST, &json!("bad-request")));
    assert_eq!(answer["title"], "no such field, at character 7 of the query");
    assert!(answer["hint"].as_str().unwrap().contains("`table:`"));
}

#[tokio::test]
async fn attack_9_an_auditor_of_one_target_reads_no_other_by_id_live_or_by_search() {
    let house = searched().await;
    for path in ["01PROD", "01PROD/entries", "01PROD/entries?purpose=export", "01PROD/follow"] {
        let (status, answer) = house.get("nora", &format!("/v1/sessions/{path}")).await;
        assert_eq!((status, &answer["code"]), (StatusCode::NOT_FOUND, &json!("not-found")), "{path}");
        let there_is_none =
            house.get("nora", &format!("/v1/sessions/{}", path.replace("01PROD", "01NONE"))).await;
        assert_eq!((status, answer), there_is_none, "{path}: it can be told from one that is not there");
    }
    let (_, list) = house.get("nora", "/v1/sessions").await;
    assert!(list.to_string().contains("01TEST") && !list.to_string().contains("01PROD"), "{list}");
    for query in ["", "delete", "target:shop-prod", "session:01PROD", "-target:shop-test", "since:9999d"] {
        let (_, page) = house.get("nora", &format!("/v1/search?q={query}")).await;
        let hits = page["hits"].as_array().unwrap();
        assert!(hits.iter().all(|hit| hit["target"] == NORAS), "{query}: {page}");
        assert_eq!(page["count"], json!(hits.len()), "{query}: {page}");
    }
    let request = house.held(1).await;
    let (_, answer) = house.get("nora", &format!("/v1/requests/{request}")).await;
    assert!(answer["statement"].is_null(), "the text of a request at another target: {answer}");
    assert_eq!(house.get("nora", "/v1/sessions/01TEST/entries").await.0, StatusCode::OK);
    let rows = noted(&house).await;
    assert!(rows.contains(&"nora recording.export 01PROD not-found".to_owned()), "{rows:?}");
    assert!(rows.contains(&"nora recording.follow 01PROD not-found".to_owned()), "{rows:?}");
    assert!(rows.contains(&"nora recording.read 01TEST ok".to_owned()), "{rows:?}");
}

#[tokio::test]
async fn readings_are_noted_by_what_they_were_for_and_refused_ones_too() {
    let house = House::new().await;
    house.session("01PROD").await;
    for purpose in ["read", "replay", "export"] {
        house.get("otto", &format!("/v1/sessions/01PROD/entries?purpose={purpose}")).await;
        house.get("vera", &format!("/v1/sessions/01PROD/entries?purpose={purpose}")).await;
    }
    house.get("vera", "/v1/search?q=x").await;
    let rows = noted(&house).await;
    for purpose in ["read", "replay", "export"] {
        assert!(rows.contains(&format!("otto recording.{purpose} 01PROD ok")), "{rows:?}");
        assert!(rows.contains(&format!("vera recording.{purpose} 01PROD not-permitted")), "{rows:?}");
    }
    assert!(rows.contains(&"vera recording.search x not-permitted".to_owned()), "{rows:?}");
    assert_eq!(house.get("otto", "/v1/sessions/01PROD/entries?purpose=fun").await.0, StatusCode::BAD_REQUEST);
}

/// A recorder in the house's folder, with a session under way.
async fn live(house: &House) -> (Recorder, Tape) {
    let id = house.session(LIVE).await;
    let key = sallyport_record::load_or_create_key(&house.dir.path().join("data/keys")).unwrap();
    let settings = RecorderSettings::new(house.dir.path().join("data/recordings"));
    let recorder = Recorder::open(settings, key, Arc::new(SystemClock)).unwrap();
    let tape = recorder.begin(id);
    tape.append(&opened("shop-prod"), &[]).unwrap();
    (recorder, tape)
}

async fn follow(house: &House, last: Option<u64>) -> Response<Body> {
    let mut request = Request::get(format!("/v1/sessions/{LIVE}/follow"))
        .header(header::HOST, "localhost")
        .header(header::AUTHORIZATION, format!("Bearer {}", house.token("otto")));
    if let Some(last) = last {
        request = request.header("Last-Event-ID", last.to_string());
    }
    house.send(request.body(Body::empty()).unwrap()).await
}

/// The body's text up to and with `word`.
async fn until(body: &mut Body, word: &str) -> String {
    let mut text = String::new();
    while !text.contains(word) {
        let next = std::future::poll_fn(|cx| {
            use futures_core::Stream as _;
            let mut stream = std::mem::take(body).into_data_stream();
            let polled = std::pin::Pin::new(&mut stream).poll_next(cx);
            *body = Body::from_stream(stream);
            polled
        });
        let piece = tokio::time::timeout(Duration::from_secs(20), next).await.unwrap();
        match piece {
            Some(piece) => text.push_str(std::str::from_utf8(&piece.unwrap()).unwrap()),
            None => panic!("it ended without {word}: {text}"),
        }
    }
    text
}

#[tokio::test]
async fn a_live_session_is_followed_to_its_end_and_can_be_resumed() {
    let house = House::new().await;
    let (_recorder, tape) = live(&house).await;
    let response = follow(&house, None).await;
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
    let mut body = response.into_body();
    assert!(until(&mut body, "session-opened").await.starts_with("id: 0\ndata: {"));
    tape.append(&Event::CancelAsked, &[]).unwrap();
    until(&mut body, "id: 1\n").await;
    // Nothing happens, and the line stays open.
    until(&mut body, ": waiting\n\n").await;
    let closed = Event::SessionClosed { reason: "the caller left".into(), operations: 0 };
    tape.seal(&closed).await.unwrap();
    let end = until(&mut body, "event: end").await;
    assert!(end.contains("session-closed") && end.contains("the session ended"), "{end}");
    let mut again = follow(&house, Some(1)).await.into_body();
    let rest = until(&mut again, "event: end").await;
    assert!(rest.starts_with("id: 2\n") && rest.contains("id: 3\n"), "{rest}");
    assert_eq!(noted(&house).await[0], format!("otto recording.follow {LIVE} ok"));
}

#[tokio::test]
async fn attack_7_following_ends_when_the_right_does() {
    let house = House::new().await;
    let (_recorder, _tape) = live(&house).await;
    let mut body = follow(&house, None).await.into_body();
    until(&mut body, "session-opened").await;
    house.readers.set([("otto".to_owned(), BTreeSet::from([NORAS.to_owned()]))]);
    assert!(until(&mut body, "event: end").await.contains("not yours to read any more"));
    house.readers.set([]);
    let mut body = follow(&house, None).await.into_body();
    until(&mut body, "session-opened").await;
    let id = sallyport_auth::parse_token(house.token("otto")).unwrap().0;
    house.store.revoke_token(&id).await.unwrap();
    assert!(until(&mut body, "event: end").await.contains("the token is not taken any more"));
}

#[tokio::test]
async fn a_follower_that_takes_nothing_is_let_go_with_a_word() {
    let house = House::new().await;
    let (_recorder, tape) = live(&house).await;
    let mut body = follow(&house, None).await.into_body();
    until(&mut body, "session-opened").await;
    for _ in 0..10 {
        tape.append(&Event::CancelAsked, &[]).unwrap();
    }
    tokio::time::sleep(Duration::from_millis(900)).await;
    let end = until(&mut body, "event: end").await;
    assert!(end.contains("too slow") && end.contains("\"next\":1"), "{end}");
}

#[tokio::test]
async fn followers_have_a_bound() {
    let house = House::new().await;
    let (_recorder, _tape) = live(&house).await;
    let mut all = Vec::new();
    for _ in 0..32 {
        let response = follow(&house, None).await;
        assert_eq!(response.status(), StatusCode::OK);
        all.push(response);
    }
    assert_eq!(follow(&house, None).await.status(), StatusCode::TOO_MANY_REQUESTS);
    all.pop();
    assert_eq!(follow(&house, None).await.status(), StatusCode::OK);
    let id = SessionId::parse(LIVE).unwrap();
    assert!(house.store.session(&id).await.unwrap().is_some());
}
