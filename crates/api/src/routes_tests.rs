//! What the routes answer, and how they refuse what they cannot take.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use sallyport_core::{Clock as _, Event, SessionId, SystemClock};
use sallyport_record::read::Content;
use sallyport_record::{Recorder, RecorderSettings};
use serde_json::json;

use crate::dto::{EntryContent, EntryLine};
use crate::testing::{House, LIVE};

#[tokio::test]
async fn the_description_names_exactly_the_routes_there_are() {
    let house = House::new().await;
    let description: serde_json::Value = serde_json::from_str(&crate::openapi_json()).unwrap();
    let paths = description["paths"].as_object().unwrap();
    let mut seen = 0;
    for (path, methods) in paths {
        for method in methods.as_object().unwrap().keys() {
            let real = path.replace("{id}", "x").replace("{name}", "x");
            let (status, _) = house.ask(None, &method.to_uppercase(), &real, Some(json!({}))).await;
            let wanted = if path.starts_with("/v1/") { StatusCode::UNAUTHORIZED } else { StatusCode::OK };
            assert_eq!(status, wanted, "{method} {path}");
            seen += 1;
        }
    }
    assert_eq!(seen, 20);
}

#[tokio::test]
async fn health_needs_no_token_and_readiness_hides_why() {
    let house = House::new().await;
    assert_eq!(house.ask(None, "GET", "/healthz", None).await.0, StatusCode::OK);
    assert_eq!(house.ask(None, "GET", "/readyz", None).await.0, StatusCode::OK);
    *house.control.broken.lock().unwrap() = Some("/secret/path is full".into());
    let (status, answer) = house.ask(None, "GET", "/readyz", None).await;
    assert_eq!((status, &answer["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("not-ready")));
    assert!(!answer.to_string().contains("secret"), "{answer}");
    assert_eq!(house.ask(None, "GET", "/healthz", None).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_token_is_shown_once_and_works_until_revoked() {
    let house = House::new().await;
    let body = json!({ "principal": "vera", "expires_in_seconds": 3600, "note": "laptop" });
    let (status, made) = house.ask(Some("root"), "POST", "/v1/tokens", Some(body)).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let token = made["token"].as_str().unwrap().to_owned();
    let use_it = || {
        Request::get("/v1/sessions")
            .header(header::HOST, "localhost")
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .body(Body::empty())
            .unwrap()
    };
    assert_eq!(house.send(use_it()).await.status(), StatusCode::OK);
    let (_, list) = house.get("root", "/v1/tokens").await;
    let entry = list["tokens"].as_array().unwrap().iter().find(|entry| entry["id"] == made["id"]).unwrap();
    assert_eq!(entry["note"], "laptop");
    assert!(!list.to_string().contains(&token), "a list must not hold tokens");
    assert!(!list.to_string().contains("hash"), "nor their digests");
    let path = format!("/v1/tokens/{}", made["id"].as_str().unwrap());
    assert_eq!(house.ask(Some("root"), "DELETE", &path, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(house.send(use_it()).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(house.ask(Some("root"), "DELETE", &path, None).await.0, StatusCode::NOT_FOUND);
    let (_, audit) = house.get("root", "/v1/audit").await;
    assert!(audit.to_string().contains("token.create") && audit.to_string().contains("token.revoke"));
    assert!(!audit.to_string().contains(&token));
}

#[tokio::test]
async fn tokens_that_make_no_sense_are_refused() {
    let house = House::new().await;
    for body in [
        json!({ "principal": "zoe" }),
        json!({ "principal": "vera", "expires_in_seconds": 1 }),
        json!({ "principal": "vera", "note": "x".repeat(201) }),
        json!({ "principal": "vera", "note": "a\u{202e}b" }),
        json!({ "principal": "vera", "roles": ["admin"] }),
        json!({}),
    ] {
        let (status, answer) = house.ask(Some("root"), "POST", "/v1/tokens", Some(body.clone())).await;
        assert_eq!((status, &answer["code"]), (StatusCode::BAD_REQUEST, &json!("bad-request")), "{body}");
    }
}

#[tokio::test]
async fn a_session_is_killed_by_name_and_noted() {
    let house = House::new().await;
    house.session(LIVE).await;
    let (status, answer) = house.post("root", &format!("/v1/sessions/{LIVE}/kill")).await;
    assert_eq!((status, &answer["ending"]), (StatusCode::OK, &json!(true)));
    assert_eq!(*house.control.killed.lock().unwrap(), [(LIVE.to_owned(), "root".to_owned())]);
    let (status, _) = house.post("root", "/v1/sessions/01GONE/kill").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn sessions_come_in_pages() {
    let house = House::new().await;
    for id in ["01A", "01B", "01C"] {
        house.session(id).await;
    }
    let (_, first) = house.get("vera", "/v1/sessions?limit=2").await;
    assert_eq!(first["sessions"].as_array().unwrap().len(), 2);
    assert_eq!(first["sessions"][0]["id"], "01C");
    let next = first["next"].as_str().unwrap();
    let (_, second) = house.get("vera", &format!("/v1/sessions?limit=2&before={next}")).await;
    assert_eq!(second["sessions"][0]["id"], "01A");
    assert!(second["next"].is_null());
    assert_eq!(house.get("vera", "/v1/sessions?live=false").await.1["sessions"], json!([]));
    assert_eq!(house.get("vera", "/v1/sessions?before=a/b").await.0, StatusCode::BAD_REQUEST);
    assert_eq!(house.get("vera", "/v1/sessions?colour=red").await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn targets_do_not_say_where_credentials_are() {
    let house = House::new().await;
    let (_, list) = house.get("vera", "/v1/targets").await;
    assert_eq!(list["targets"][0]["address"], "db.internal:5432");
    assert!(!list.to_string().contains("SHOP_PASSWORD") && !list.to_string().contains("app"), "{list}");
    let (status, answer) = house.post("vera", "/v1/targets/shop-prod/test").await;
    assert_eq!((status, &answer["ok"]), (StatusCode::OK, &json!(true)));
    let (status, answer) = house.post("vera", "/v1/targets/other/test").await;
    assert_eq!((status, &answer["code"]), (StatusCode::NOT_FOUND, &json!("not-found")));
}

#[tokio::test]
async fn bodies_are_json_small_and_known() {
    let house = House::new().await;
    let request = house.held(1).await;
    let path = format!("/v1/requests/{request}/approve");
    let send = |kind: Option<&str>, body: String| {
        let mut request = Request::post(&path)
            .header(header::HOST, "localhost")
            .header(header::AUTHORIZATION, format!("Bearer {}", house.token("bob")));
        if let Some(kind) = kind {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        house.send(request.body(Body::from(body)).unwrap())
    };
    let json = Some("application/json");
    assert_eq!(send(None, "{}".into()).await.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(send(Some("text/plain"), "{}".into()).await.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(send(json, "{".into()).await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(send(json, "{\"verdict\":1}".into()).await.status(), StatusCode::BAD_REQUEST);
    let long = format!("{{\"note\":\"{}\"}}", "x".repeat(2001));
    assert_eq!(send(json, long).await.status(), StatusCode::BAD_REQUEST);
    let huge = format!("{{\"note\":\"{}\"}}", "x".repeat(70_000));
    let response = send(json, huge).await;
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
    let (_, after) = house.get("bob", &format!("/v1/requests/{request}")).await;
    assert_eq!(after["state"], "open");
}

#[tokio::test]
async fn unknown_addresses_and_methods_are_problems() {
    let house = House::new().await;
    let (status, answer) = house.get("root", "/v1/nothing").await;
    assert_eq!((status, &answer["code"]), (StatusCode::NOT_FOUND, &json!("not-found")));
    let (status, answer) = house.post("root", "/v1/sessions").await;
    assert_eq!((status, &answer["code"]), (StatusCode::METHOD_NOT_ALLOWED, &json!("method")));
}

async fn record(house: &House, id: &SessionId, payload: &[u8]) {
    let key = sallyport_record::load_or_create_key(&house.dir.path().join("data/keys")).unwrap();
    // Not packed: what is looked for in the files lies there as it was written.
    let folder = house.dir.path().join("data/recordings");
    let settings = RecorderSettings { pack: false, ..RecorderSettings::new(folder) };
    let recorder = Recorder::open(settings, key, std::sync::Arc::new(SystemClock)).unwrap();
    let tape = recorder.begin(id.clone());
    for _ in 0..3 {
        tape.append(&Event::CancelAsked, &[payload]).unwrap();
    }
    let closed = Event::SessionClosed { reason: "the caller left".into(), operations: 0 };
    tape.seal(&closed).await.unwrap();
}

#[tokio::test]
async fn a_recording_is_streamed_whole_and_its_reading_is_noted_first() {
    let house = House::new().await;
    let id = house.session(LIVE).await;
    let payload = vec![7_u8; 100_000];
    record(&house, &id, &payload).await;
    let request = Request::get(format!("/v1/sessions/{id}/entries"))
        .header(header::HOST, "localhost")
        .header(header::AUTHORIZATION, format!("Bearer {}", house.token("otto")))
        .body(Body::empty())
        .unwrap();
    let response = house.send(request).await;
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/x-ndjson");
    let (_, audit) = house.get("root", "/v1/audit").await;
    assert_eq!(audit["entries"][0]["action"], "recording.read", "noted before the body is read");
    assert_eq!(audit["entries"][0]["principal"], "otto");
    let bytes = axum::body::to_bytes(response.into_body(), 10 << 20).await.unwrap();
    let lines: Vec<EntryLine> = bytes
        .split(|b| *b == b'\n')
        .filter(|l| !l.is_empty())
        .map(|l| serde_json::from_slice(l).unwrap())
        .collect();
    let entries: Vec<_> = lines
        .iter()
        .filter_map(|line| match line {
            EntryLine::Entry(entry) => Some(entry),
            EntryLine::Verified { verified } => {
                assert_eq!((verified.entries, verified.sealed, verified.signature), (5, true, Some(true)));
                None
            }
            EntryLine::Broken { problem } => panic!("{problem:?}"),
        })
        .collect();
    assert_eq!(entries.len(), 5, "three events, the closing one, the seal");
    assert_eq!(entries.iter().map(|entry| entry.sequence).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    for (entry, before) in entries.iter().skip(1).zip(&entries) {
        assert_eq!(entry.session_link, before.hash);
    }
    assert!(matches!(entries[4].entry, EntryContent::Seal { entries: 4, .. }), "{:?}", entries[4]);
    use base64::Engine as _;
    let read = base64::engine::general_purpose::STANDARD.decode(&entries[0].payload).unwrap();
    assert_eq!(read, payload);
    assert!(entries[0].at <= SystemClock.now());
}

#[tokio::test]
async fn the_audit_stands_in_the_recording_too_and_what_cannot_be_recorded_is_not_done() {
    let house = House::new().await;
    let dir = tempfile::tempdir().unwrap();
    let key = sallyport_record::load_or_create_key(&dir.path().join("keys")).unwrap();
    let settings = RecorderSettings::new(dir.path().join("log"));
    let recorder = Recorder::open(settings, key, std::sync::Arc::new(SystemClock)).unwrap();
    let id = SessionId::parse("01JOURNAL").unwrap();
    let journal = sallyport_record::Journal::on(recorder.begin(id.clone()));
    let state = house.state.clone().with_journal(journal.clone());
    let root = house.principal("root");
    state.audit(&root, "token.create", "t1", "ok").await.unwrap();
    let read = || sallyport_record::read::Recordings::in_folder(dir.path().join("log")).session(&id).unwrap();
    let entry = read().next().unwrap().unwrap();
    let Content::Event(event) = entry.event else { panic!("{entry:?}") };
    let (principal, action) = ("root".to_owned(), "token.create".to_owned());
    let (object, outcome) = ("t1".to_owned(), "ok".to_owned());
    assert_eq!(*event, Event::Audited { principal, action, object, outcome });
    journal.seal(&Event::SessionClosed { reason: "x".into(), operations: 0 }).await.unwrap();
    assert!(state.audit(&root, "token.create", "t2", "ok").await.is_err());
    let (_, audit) = house.get("root", "/v1/audit").await;
    assert_eq!(audit["entries"].as_array().unwrap().len(), 1, "what was not recorded is not in the index");
}

#[tokio::test]
async fn a_damaged_recording_ends_with_a_problem_and_not_in_silence() {
    let house = House::new().await;
    let id = house.session(LIVE).await;
    record(&house, &id, &[9_u8; 5000]).await;
    // A second start gives the log another segment, so that the damage is not at its end.
    record(&house, &SessionId::parse("01OTHER").unwrap(), b"x").await;
    let folder = house.dir.path().join("data/recordings/segments");
    let (path, mut bytes, at) = std::fs::read_dir(&folder)
        .unwrap()
        .find_map(|file| {
            let path = file.unwrap().path();
            let bytes = std::fs::read(&path).ok()?;
            let at = bytes.windows(100).position(|window| window == [9_u8; 100])?;
            Some((path, bytes, at))
        })
        .unwrap();
    bytes[at] = 8;
    std::fs::write(path, bytes).unwrap();
    let request = Request::get(format!("/v1/sessions/{id}/entries"))
        .header(header::HOST, "localhost")
        .header(header::AUTHORIZATION, format!("Bearer {}", house.token("otto")))
        .body(Body::empty())
        .unwrap();
    let response = house.send(request).await;
    let bytes = axum::body::to_bytes(response.into_body(), 10 << 20).await.unwrap();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    assert!(text.trim_end().lines().last().unwrap().contains("\"problem\""), "{text}");
}

#[tokio::test]
async fn a_password_is_made_for_its_caller_and_a_target_that_it_may_reach() {
    let house = House::new().await;
    let (status, _) =
        house.ask(Some("plain"), "POST", "/v1/targets/elsewhere/password", Some(json!({}))).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    // The target of this house speaks PostgreSQL, whose clients hand over the token.
    let (status, answer) =
        house.ask(Some("plain"), "POST", "/v1/targets/shop-prod/password", Some(json!({}))).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{answer}");
}
