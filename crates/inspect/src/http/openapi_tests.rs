//! API documents name paths and operations.

use super::*;

fn facts_with(document: &str, method: &str, url: &str) -> Vec<String> {
    let mut apis = Apis::default();
    apis.add(document).unwrap();
    let request = Request {
        method: method.as_bytes(),
        scheme: None,
        authority: None,
        target: url.as_bytes(),
        headers: &[],
        body: Body::Whole(b""),
        version: Version::Http11,
    };
    let facts = inspect(&request, &apis);
    let unknown = facts.unknown.map(|unknown| format!("!{}", unknown.code.as_str()));
    facts.actions.iter().map(|action| format!("{action:?}")).chain(unknown).collect()
}

const YAML: &str = r#"
openapi: 3.1.0
info: {title: Users, version: "1"}
servers:
  - url: https://api.example.com/v1
  - url: https://{region}.api.example.com/v1
    variables: {region: {default: eu}}
paths:
  /users:
    get: {operationId: listUsers, responses: {}}
    post: {operationId: createUser, responses: {}}
  /users/me:
    get: {operationId: getMe, responses: {}}
  /users/{id}:
    parameters: [{name: id, in: path, required: true}]
    get: {operationId: getUser, responses: {}}
    delete: {operationId: deleteUser, responses: {}}
    patch: {responses: {}}
  /reports/{name}.{format}:
    get: {operationId: getReport, responses: {}}
  /users/{id}:activate:
    post: {operationId: activateUser, responses: {}}
  /shared:
    $ref: '#/components/pathItems/Shared'
components:
  pathItems:
    Shared:
      get: {operationId: getShared, responses: {}}
"#;

#[test]
fn a_path_gets_its_template_and_its_operation() {
    for (method, url, expected) in [
        (
            "GET",
            "https://api.example.com/v1/users?page=2",
            "get path api.example.com/v1/users operation=listUsers",
        ),
        (
            "GET",
            "https://api.example.com/v1/users/42",
            "get path api.example.com/v1/users/{id} operation=getUser",
        ),
        (
            "GET",
            "https://api.example.com/v1/users/me",
            "get path api.example.com/v1/users/me operation=getMe",
        ),
        (
            "GET",
            "https://api.example.com/v1/users/%6de",
            "get path api.example.com/v1/users/me operation=getMe",
        ),
        (
            "GET",
            "https://api.example.com/v1/users/a%2Fb",
            "get path api.example.com/v1/users/{id} operation=getUser",
        ),
        (
            "DELETE",
            "https://eu.api.example.com/v1/users/7",
            "delete path eu.api.example.com/v1/users/{id} operation=deleteUser",
        ),
        ("PATCH", "https://api.example.com/v1/users/7", "patch path api.example.com/v1/users/{id}"),
        ("PUT", "https://api.example.com/v1/users/7", "put path api.example.com/v1/users/{id}"),
        (
            "GET",
            "https://api.example.com/v1/reports/q1.csv",
            "get path api.example.com/v1/reports/{name}.{format} operation=getReport",
        ),
        (
            "POST",
            "https://api.example.com/v1/users/7:activate",
            "post path api.example.com/v1/users/{id}:activate operation=activateUser",
        ),
        (
            "GET",
            "https://api.example.com/v1/shared",
            "get path api.example.com/v1/shared operation=getShared",
        ),
        ("GET", "https://api.example.com/v1/other/7", "get path api.example.com/v1/other/7"),
        ("GET", "https://api.example.com/v2/users/7", "get path api.example.com/v2/users/7"),
        ("GET", "https://evil.example.com/v1/users/7", "get path evil.example.com/v1/users/7"),
        ("GET", "https://api.example.com/v1/users/", "get path api.example.com/v1/users/"),
    ] {
        assert_eq!(facts_with(YAML, method, url), [expected], "{method} {url}");
    }
}

#[test]
fn documents_of_version_2_and_in_json_are_read() {
    let swagger = r#"{"swagger": "2.0", "host": "API.example.com:443", "basePath": "/v1/",
        "paths": {"/users/{id}": {"get": {"operationId": "getUser"}}}}"#;
    let named = facts_with(swagger, "GET", "https://api.example.com/v1/users/1");
    assert_eq!(named, ["get path api.example.com/v1/users/{id} operation=getUser"]);
    let anywhere = r#"{"openapi": "3.0.0", "servers": [{"url": "/base"}], "paths": {"/u/{id}": {"get": {"operationId": "g"}}}}"#;
    let named = facts_with(anywhere, "GET", "https://any.example/base/u/1");
    assert_eq!(named, ["get path any.example/base/u/{id} operation=g"]);
}

#[test]
fn an_override_has_the_operation_of_its_own_method() {
    let mut apis = Apis::default();
    apis.add(YAML).unwrap();
    let request = Request {
        method: b"GET",
        scheme: None,
        authority: None,
        target: b"https://api.example.com/v1/users/7",
        headers: &[(b"X-HTTP-Method-Override", b"DELETE")],
        body: Body::Whole(b""),
        version: Version::Http11,
    };
    let actions: Vec<_> =
        inspect(&request, &apis).actions.iter().map(|action| format!("{action:?}")).collect();
    assert_eq!(
        actions,
        [
            "get path api.example.com/v1/users/{id} operation=getUser",
            "delete path api.example.com/v1/users/{id} operation=deleteUser"
        ]
    );
}

#[test]
fn templates_that_fit_alike_are_ambiguous() {
    let document = r#"{"openapi": "3.0.0", "paths": {
        "/a/{x}": {"get": {"operationId": "one"}}, "/a/{y}": {"get": {"operationId": "two"}}}}"#;
    assert!(facts_with(document, "GET", "https://h.example/a/1").contains(&"!ambiguous".to_owned()));
}

#[test]
fn what_is_no_document_is_refused() {
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\npaths: {}\n";
    let deep = format!("paths: {}{}", "[".repeat(10_000), "]".repeat(10_000));
    for text in [
        "",
        "[]",
        "{",
        "paths: {}",
        "paths: 5",
        "openapi: 3.0.0",
        r#"{"paths": {"/a": {"get": {}, "get": {}}}}"#,
        r#"{"paths": {"/a": {"$ref": "other.yaml#/a"}}}"#,
        bomb,
        &deep,
    ] {
        assert!(Apis::default().add(text).is_err(), "{}", text.get(..20.min(text.len())).unwrap());
    }
    let large = "x".repeat((32 << 20) + 1);
    assert!(matches!(Apis::default().add(&large), Err(ApiError::TooLarge)));
}
