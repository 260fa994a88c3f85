//! Who may do what: every route, every role, and the ways round them.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::json;

use crate::testing::{House, LIVE, people};

/// Every route but health and the description, with a path that exists.
fn routes(request: &str) -> Vec<(&'static str, String, &'static [&'static str])> {
    // Method, path, and who of `people` is let through by role.
    vec![
        ("GET", "/v1/sessions".into(), &["alice", "vera", "otto", "nora", "root", "robot"]),
        ("GET", format!("/v1/sessions/{LIVE}"), &["alice", "vera", "otto", "nora", "root", "robot"]),
        ("GET", format!("/v1/sessions/{LIVE}/entries"), &["otto", "nora"]),
        ("GET", format!("/v1/sessions/{LIVE}/follow"), &["otto", "nora"]),
        ("GET", "/v1/search?q=users".into(), &["otto", "nora"]),
        ("POST", format!("/v1/sessions/{LIVE}/kill"), &["root"]),
        ("GET", "/v1/targets".into(), &["alice", "vera", "root", "robot"]),
        ("POST", "/v1/targets/shop-prod/test".into(), &["alice", "vera", "root", "robot"]),
        (
            "POST",
            "/v1/targets/shop-prod/password".into(),
            &[
                "alice",
                "bob",
                "carol",
                "vera",
                "otto",
                "nora",
                "plain",
                "root",
                "claude-code",
                "other-agent",
                "robot",
            ],
        ),
        ("GET", "/v1/requests".into(), &["alice", "bob", "carol", "vera", "otto", "nora", "root", "robot"]),
        ("POST", format!("/v1/requests/{request}/approve"), &["bob"]),
        ("POST", format!("/v1/requests/{request}/deny"), &["bob"]),
        ("GET", "/v1/tokens".into(), &["root"]),
        ("DELETE", "/v1/tokens/aaaaaaaaaaaaaaaa".into(), &["root"]),
        ("GET", "/v1/audit".into(), &["root"]),
    ]
}

#[tokio::test]
async fn each_route_lets_its_roles_through_and_no_other() {
    let house = House::new().await;
    house.session(LIVE).await;
    let request = house.held(1).await;
    for (method, path, allowed) in routes(request.as_str()) {
        for person in people() {
            let name = person.name.as_str();
            if path.starts_with("/v1/requests/") && allowed.contains(&name) {
                continue; // it would settle the request; another test does it
            }
            if path.ends_with("/follow") && name == "otto" {
                continue; // it would go on for as long as the session does; another test does it
            }
            let body = (method == "POST").then(|| json!({}));
            let (status, answer) = house.ask(Some(name), method, &path, body).await;
            let forbidden = status == StatusCode::FORBIDDEN;
            assert_eq!(forbidden, !allowed.contains(&name), "{name} {method} {path}: {status} {answer}");
        }
    }
    let (status, _) = house.ask(Some("bob"), "POST", "/v1/tokens", Some(json!({ "principal": "bob" }))).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn nothing_is_answered_without_a_token_that_holds() {
    let house = House::new().await;
    house.session(LIVE).await;
    let request = house.held(1).await;
    let mut all = routes(request.as_str());
    all.push(("GET", format!("/v1/requests/{request}"), &[]));
    all.push(("POST", format!("/v1/requests/{request}/withdraw"), &[]));
    all.push(("POST", "/v1/tokens".into(), &[]));
    let good = house.token("root").to_owned();
    let id = sallyport_auth::parse_token(&good).unwrap().0;
    house.store.revoke_token(&id).await.unwrap();
    for (method, path, _) in all {
        let body = Some(json!({}));
        let (status, answer) = house.ask(None, method, &path, body.clone()).await;
        assert_eq!((status, &answer["code"]), (StatusCode::UNAUTHORIZED, &json!("no-token")), "{path}");
        let (status, answer) = house.ask(Some("root"), method, &path, body).await;
        assert_eq!((status, &answer["code"]), (StatusCode::UNAUTHORIZED, &json!("bad-token")), "{path}");
    }
}

#[tokio::test]
async fn a_token_counts_only_in_one_authorization_header() {
    let house = House::new().await;
    let token = house.token("vera").to_owned();
    let cases: Vec<(StatusCode, Vec<(&str, String)>)> = vec![
        (StatusCode::OK, vec![("authorization", format!("bearer {token}"))]),
        (StatusCode::UNAUTHORIZED, vec![("authorization", token.clone())]),
        (StatusCode::UNAUTHORIZED, vec![("authorization", format!("Basic {token}"))]),
        (StatusCode::UNAUTHORIZED, vec![("cookie", format!("token={token}"))]),
        (StatusCode::UNAUTHORIZED, vec![("x-forwarded-user", "vera".into())]),
        (
            StatusCode::UNAUTHORIZED,
            vec![("authorization", format!("Bearer {token}")), ("authorization", "Bearer x".into())],
        ),
    ];
    for (wanted, headers) in cases {
        let mut request = Request::get("/v1/sessions").header(header::HOST, "localhost");
        for (name, value) in &headers {
            request = request.header(*name, value);
        }
        let response = house.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), wanted, "{headers:?}");
    }
    let response = house
        .send(
            Request::get(format!("/v1/sessions?access_token={token}"))
                .header(header::HOST, "localhost")
                .body(Body::empty())
                .unwrap(),
        )
        .await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_foreign_host_is_refused_before_anything_else() {
    let house = House::new().await;
    let token = house.token("root").to_owned();
    for (hosts, wanted) in [
        (vec!["evil.example:6480"], StatusCode::MISDIRECTED_REQUEST),
        (vec![], StatusCode::MISDIRECTED_REQUEST),
        (vec!["localhost", "evil.example"], StatusCode::MISDIRECTED_REQUEST),
        (vec!["gw.example.com"], StatusCode::OK),
        (vec!["[::1]:6480"], StatusCode::OK),
    ] {
        for path in ["/v1/audit", "/healthz", "/openapi.json"] {
            let mut request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {token}"));
            for host in &hosts {
                request = request.header(header::HOST, *host);
            }
            let response = house.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(response.status(), wanted, "{hosts:?} {path}");
        }
    }
}

#[tokio::test]
async fn an_agent_cannot_approve_whatever_the_configuration_says() {
    let house = House::new().await;
    let request = house.held(1).await;
    for verb in ["approve", "deny"] {
        let (status, answer) = house.post("claude-code", &format!("/v1/requests/{request}/{verb}")).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        assert_eq!(answer["title"], "agents have no API roles");
    }
    assert_eq!(house.get("bob", &format!("/v1/requests/{request}")).await.1["state"], "open");
}

#[tokio::test]
async fn nobody_approves_what_was_asked_for_them() {
    let house = House::new().await;
    let request = house.held(1).await;
    let (status, answer) = house.post("alice", &format!("/v1/requests/{request}/approve")).await;
    assert_eq!((status, &answer["code"]), (StatusCode::FORBIDDEN, &json!("requester")));
    let (status, answer) = house.post("carol", &format!("/v1/requests/{request}/approve")).await;
    assert_eq!((status, &answer["code"]), (StatusCode::FORBIDDEN, &json!("wrong-group")));
    let (status, answer) = house.post("robot", &format!("/v1/requests/{request}/approve")).await;
    assert_eq!((status, &answer["code"]), (StatusCode::FORBIDDEN, &json!("not-human")));
}

#[tokio::test]
async fn a_dba_approves_once_and_it_is_noted() {
    let house = House::new().await;
    let request = house.held(1).await;
    let path = format!("/v1/requests/{request}/approve");
    let (status, answer) = house.ask(Some("bob"), "POST", &path, Some(json!({ "note": "fine" }))).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(answer["state"], "approved");
    assert_eq!(answer["answers"][0]["approver"], "bob");
    assert_eq!(answer["answers"][0]["note"], "fine");
    let (status, answer) = house.post("bob", &path).await;
    assert_eq!((status, &answer["code"]), (StatusCode::CONFLICT, &json!("not-open")));
    let audit = house.get("root", "/v1/audit").await.1;
    let rows: Vec<String> = audit["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| format!("{} {} {}", row["principal"], row["action"], row["outcome"]).replace('"', ""))
        .collect();
    assert!(rows.contains(&"bob request.approve ok".to_owned()), "{rows:?}");
    assert!(rows.contains(&"bob request.approve not-open".to_owned()), "{rows:?}");
}

#[tokio::test]
async fn a_refused_approval_is_noted_too() {
    let house = House::new().await;
    let request = house.held(1).await;
    house.post("claude-code", &format!("/v1/requests/{request}/approve")).await;
    let audit = house.get("root", "/v1/audit").await.1;
    assert_eq!(audit["entries"][0]["principal"], "claude-code");
    assert_eq!(audit["entries"][0]["outcome"], "not-permitted");
}

#[tokio::test]
async fn a_request_is_shown_to_its_own_and_not_to_another_agent() {
    let house = House::new().await;
    let request = house.held(1).await;
    let path = format!("/v1/requests/{request}");
    let (status, answer) = house.get("claude-code", &path).await;
    assert_eq!((status, &answer["statement"]["parameters"][0]), (StatusCode::OK, &json!("secret-42")));
    for stranger in ["other-agent", "plain"] {
        let (status, answer) = house.get(stranger, &path).await;
        assert_eq!((status, &answer["code"]), (StatusCode::NOT_FOUND, &json!("not-found")), "{stranger}");
        let (status, _) = house.post(stranger, &format!("{path}/withdraw")).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{stranger}");
    }
    // Neither can it be told from one that is not there.
    let there = house.get("plain", &path).await;
    assert_eq!(there, house.get("plain", "/v1/requests/ZZZZ-ZZZZ").await);
    assert_eq!(there, house.get("plain", "/v1/requests/%2e%2e").await);
}

#[tokio::test]
async fn attack_24_an_approver_sees_what_would_run_without_its_sensitive_values() {
    let house = House::new().await;
    let request = house.held(1).await;
    let path = format!("/v1/requests/{request}");
    let (_, answer) = house.get("bob", &path).await;
    let statement = &answer["statement"];
    assert_eq!((&statement["parameters"][0], &statement["masked"]), (&json!("‹SECRET›"), &json!(true)));
    assert_eq!(statement["text"], "delete from users where id = $1");
    let (_, whole) = house.get("claude-code", &path).await;
    assert_eq!(whole["statement"]["masked"], json!(false), "who asked knows it");
    assert_eq!(answer["digest"], whole["digest"], "the approval is bound to the exact bytes");
}

#[tokio::test]
async fn a_viewer_sees_that_something_waits_but_not_its_text() {
    let house = House::new().await;
    let request = house.held(1).await;
    let path = format!("/v1/requests/{request}");
    let (status, answer) = house.get("vera", &path).await;
    assert_eq!(status, StatusCode::OK);
    assert!(answer["statement"].is_null());
    for text in [answer.to_string(), house.get("vera", "/v1/requests").await.1.to_string()] {
        assert!(!text.contains("secret-42") && !text.contains("where id"), "{text}");
        assert!(text.contains("delete public.users"), "{text}");
    }
    let (_, answer) = house.get("bob", &path).await;
    assert_eq!(answer["statement"]["text"], "delete from users where id = $1");
    assert_eq!(answer["statement"]["transaction"][0], "begin");
}

#[tokio::test]
async fn who_asked_takes_it_back() {
    let house = House::new().await;
    for (seed, name) in [(1, "claude-code"), (2, "alice")] {
        let request = house.held(seed).await;
        let path = format!("/v1/requests/{request}/withdraw");
        let (status, answer) = house.post(name, &path).await;
        assert_eq!((status, &answer["state"]), (StatusCode::OK, &json!("withdrawn")), "{name}");
        let (status, answer) = house.post(name, &path).await;
        assert_eq!((status, &answer["code"]), (StatusCode::CONFLICT, &json!("not-open")));
    }
    let request = house.held(3).await;
    let (status, _) = house.post("bob", &format!("/v1/requests/{request}/withdraw")).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "an approver denies; it does not withdraw");
}
