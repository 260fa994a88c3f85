//! Lines of `sallyport inspect --language http`, in their documented form.

use serde_json::{Value, json};

use crate::http::Apis;
use crate::lines::Lines;

fn answer(line: &Value) -> Value {
    serde_json::from_str(&Lines::Http(Apis::default()).answer(&line.to_string())).unwrap()
}

#[test]
fn a_request_is_answered_in_the_documented_form() {
    let line = json!({"id": "7", "method": "DELETE", "url": "https://api.example.com/v1/users/42",
        "headers": {"Accept": "*/*"}, "body": null});
    assert_eq!(
        answer(&line),
        json!({"id": "7", "facts": {"language": "http", "statements": 1, "unknown": null, "actions": [
            {"action": "delete", "group": "http", "kind": "path", "object": "api.example.com/v1/users/42"}
        ]}})
    );
}

#[test]
fn headers_and_bodies_are_taken_in_every_form() {
    let graphql = "{\"query\":\"mutation { b }\"}";
    let url = "https://h.example/graphql";
    let mutation = json!("mutation");
    for line in [
        json!({"method": "POST", "url": url, "body": graphql}),
        json!({"method": "POST", "url": url, "body": {"query": "mutation { b }"}}),
        json!({"method": "POST", "url": url, "body_base64": "eyJxdWVyeSI6Im11dGF0aW9uIHsgYiB9In0="}),
        json!({"method": "POST", "url": "/graphql", "headers": {"Host": "h.example"}, "body": graphql}),
        json!({"method": "POST", "url": "/graphql", "headers": {"Host": ["h.example"]}, "body": graphql}),
        json!({"method": "POST", "url": "/graphql", "headers": [["Host", "h.example"]], "body": graphql}),
        json!({"method": "POST", "url": url, "headers": {"Content-Length": 26}, "body": graphql}),
        json!({"method": "POST", "url": url, "version": "1.0", "body": graphql}),
    ] {
        let facts = &answer(&line)["facts"];
        assert!(facts["unknown"].is_null(), "{line}: {facts}");
        assert_eq!(facts["actions"][1]["action"], mutation, "{line}: {facts}");
    }
}

#[test]
fn a_line_of_another_shape_is_answered_in_its_place() {
    let url = "https://h.example/";
    for line in [
        json!({"id": 1, "url": url}),
        json!({"id": 1, "method": "GET"}),
        json!({"id": 1, "method": 5, "url": url}),
        json!({"id": 1, "method": "GET", "url": url, "headers": 5}),
        json!({"id": 1, "method": "GET", "url": url, "headers": {"a": {}}}),
        json!({"id": 1, "method": "GET", "url": url, "headers": [["a"]]}),
        json!({"id": 1, "method": "GET", "url": url, "body_base64": "%"}),
        json!({"id": 1, "method": "GET", "url": url, "body": "a", "body_base64": "YQ=="}),
        json!({"id": 1, "method": "GET", "url": url, "version": "9"}),
    ] {
        let answer = answer(&line);
        assert!(answer["id"].is_null() && answer["error"].is_string(), "{line}: {answer}");
    }
}
