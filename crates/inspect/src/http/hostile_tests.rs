//! What must hold for any request: no panic, no long time, and facts that spelling does not change.

use std::fmt::Write as _;
use std::time::Duration;

use proptest::prelude::*;
use sallyport_core::{Facts, UnknownCode};

use super::*;
use crate::stopwatch::Stopwatch;

type Fields<'f> = &'f [(&'f [u8], &'f [u8])];

const JSON: Fields<'_> = &[(b"Content-Type", b"application/json")];
const FORM: Fields<'_> = &[(b"Content-Type", b"application/x-www-form-urlencoded")];

fn facts_of(method: &[u8], target: &[u8], headers: Fields<'_>, body: &[u8]) -> Facts {
    let request = Request {
        method,
        scheme: None,
        authority: None,
        target,
        headers,
        body: Body::Whole(body),
        version: Version::Http11,
    };
    inspect(&request, &Apis::default())
}

/// A build without optimisation is some twenty times slower, and tests run side by side.
const AT_MOST: Duration = Duration::from_millis(if cfg!(debug_assertions) { 10_000 } else { 100 });

fn quickly(name: &str, target: &str, headers: Fields<'_>, body: &str) -> Facts {
    facts_of(b"POST", target.as_bytes(), headers, b"");
    let start = Stopwatch::start();
    let facts = facts_of(b"POST", target.as_bytes(), headers, body.as_bytes());
    assert!(start.elapsed() < AT_MOST, "{name}: {:?}", start.elapsed());
    facts
}

fn fill(piece: &str) -> String {
    piece.repeat((1 << 20) / piece.len())
}

fn code(facts: &Facts) -> Option<UnknownCode> {
    facts.unknown.as_ref().map(|unknown| unknown.code)
}

#[test]
fn a_mebibyte_of_anything_is_answered_in_time() {
    let graphql = |text: &str| format!("{{\"query\":{}}}", serde_json::Value::from(text));
    let mut members = String::from("{");
    for at in 0..60_000 {
        write!(members, "\"member{at}\":{at},").unwrap();
    }
    members.push_str("\"z\":0}");
    let mut fragments = String::from("{...f0}");
    for at in 0..2_000 {
        write!(fragments, "fragment f{at} on Q{{...f{} a}}", (at + 1) % 2_000).unwrap();
    }
    let mut operations = String::from("fragment F on Q{");
    for at in 0..50_000 {
        write!(operations, "f{at} ").unwrap();
    }
    operations.push('}');
    for at in 0..30_000 {
        write!(operations, "query Q{at}{{...F}}").unwrap();
    }
    let mut requests = String::from("{\"requests\":[");
    for at in 0..20_000 {
        write!(requests, "{{\"method\":\"GET\",\"url\":\"/u/{at}\"}},").unwrap();
    }
    requests.push_str("{\"method\":\"GET\",\"url\":\"/me\"}]}");
    let graph = "https://graph.microsoft.com/v1.0/$batch";
    let endpoint = "https://h.example/graphql";
    let plain = "https://h.example/x";
    let multipart: Fields<'_> = &[(b"Content-Type", b"multipart/mixed; boundary=b")];
    let cases: Vec<(&str, &str, Fields<'_>, String)> = vec![
        ("brackets", plain, JSON, fill("[")),
        ("braces", plain, JSON, fill("{\"a\":")),
        ("members", plain, JSON, members),
        ("quotes", plain, JSON, fill("\"")),
        ("escapes", plain, JSON, format!("\"{}\"", fill("\\u0041"))),
        ("values", plain, JSON, fill("{} ")),
        ("lines", plain, JSON, fill("{}\n")),
        ("form", plain, FORM, fill("a=b&")),
        ("semicolons", plain, FORM, fill("a;")),
        ("percents", plain, FORM, fill("%")),
        ("plus", plain, FORM, fill("+")),
        ("overrides", plain, FORM, fill("_method=A&")),
        ("boundaries", plain, multipart, fill("--b\r\n")),
        ("dashes", plain, multipart, fill("--")),
        ("parts", graph, multipart, fill("--b\r\n\r\nGET /x HTTP/1.1\r\n\r\n")),
        ("requests", graph, JSON, requests),
        ("graphql brackets", endpoint, JSON, graphql(&fill("{"))),
        ("graphql fields", endpoint, JSON, graphql(&format!("{{{}}}", fill("a ")))),
        ("graphql strings", endpoint, JSON, graphql(&format!("{{a(x:{})}}", fill("\"\"")))),
        ("graphql comments", endpoint, JSON, graphql(&fill("#\n"))),
        ("graphql fragments", endpoint, JSON, graphql(&fragments)),
        ("graphql operations", endpoint, JSON, graphql(&operations)),
        ("graphql lists", endpoint, JSON, graphql(&format!("{{a(x:{})}}", "[".repeat(100_000)))),
        ("graphql short", endpoint, JSON, graphql(&format!("{{{}}}", "a(x:1) ".repeat(18_000)))),
        ("graphql selections", endpoint, JSON, graphql(&format!("{}{}", "{a".repeat(60), "}".repeat(60)))),
        ("graphql batch", endpoint, JSON, format!("[{}{{}}]", fill("{\"query\":\"{a}\"},"))),
        ("text", endpoint, JSON, fill("query ")),
        ("aws", "https://iam.amazonaws.com/", FORM, fill("Action=A&")),
        (
            "template",
            "https://management.azure.com/subscriptions/s/providers/Microsoft.Resources/deployments/d",
            JSON,
            format!(
                "{{\"properties\":{{\"template\":{{\"resources\":[{}{{}}]}}}}}}",
                fill("{\"type\":\"a\"},")
            ),
        ),
        (
            "bindings",
            "https://x.googleapis.com/v1/p:setIamPolicy",
            JSON,
            format!("{{\"bindings\":[{}{{}}]}}", fill("{\"members\":[\"a\"]},")),
        ),
    ];
    for (name, target, headers, body) in &cases {
        quickly(name, target, headers, body);
    }
}

#[test]
fn targets_and_headers_of_any_length_are_answered_in_time() {
    for piece in
        ["/", "/a", "/..", "/%2e%2e", "%2f", "%252f", ";", "\\", "a", "%", "?a=b&", "@", ":", "[", "."]
    {
        for prefix in ["https://h.example/", "https://h.example/api/v1/namespaces/", "/", "https://", ""] {
            for length in [2_000, 60_000, 1 << 20] {
                let target = format!("{prefix}{}", piece.repeat(length / piece.len()));
                let start = Stopwatch::start();
                let facts = facts_of(b"GET", target.as_bytes(), &[(b"Host", b"h.example")], b"");
                assert!(start.elapsed() < AT_MOST, "{prefix}{piece}: {:?}", start.elapsed());
                assert!(length < 1 << 20 || facts.unknown.is_some());
            }
        }
    }
    let value = fill("a,");
    for name in ["Connection", "Upgrade", "X-HTTP-Method-Override", "Content-Type", "Host", "Destination"] {
        let headers: Fields<'_> = &[(name.as_bytes(), value.as_bytes())];
        let start = Stopwatch::start();
        facts_of(b"GET", b"/x", headers, b"");
        assert!(start.elapsed() < AT_MOST, "{name}: {:?}", start.elapsed());
    }
    let many: Vec<(&[u8], &[u8])> = vec![(b"Host", b"h.example"); 10_000];
    let start = Stopwatch::start();
    facts_of(b"GET", b"/x", &many, b"");
    assert!(start.elapsed() < AT_MOST, "{:?}", start.elapsed());
}

#[test]
fn what_is_too_deep_or_too_large_says_so() {
    let graphql = |text: String| format!("{{\"query\":{}}}", serde_json::Value::from(text));
    let at = b"https://h.example/graphql";
    for body in [
        format!("{}{}", "[".repeat(200), "]".repeat(200)),
        graphql(format!("{}a{}", "{a".repeat(150), "}".repeat(150))),
        graphql(format!("{{a(x:{}1{})}}", "[".repeat(5000), "]".repeat(5000))),
        graphql(format!("{{{}}}", "a ".repeat(600_000))),
        format!("{{\"a\":\"{}\"}}", "x".repeat(3 << 20)),
    ] {
        let facts = facts_of(b"POST", at, JSON, body.as_bytes());
        assert_eq!(code(&facts), Some(UnknownCode::TooLarge), "{}", body.get(..40).unwrap());
    }
    let beginning = Request {
        method: b"POST",
        scheme: Some("https"),
        authority: Some(b"h.example"),
        target: b"/x",
        headers: JSON,
        body: Body::Beginning(b"{\"a\":1"),
        version: Version::Framed,
    };
    assert_eq!(code(&inspect(&beginning, &Apis::default())), Some(UnknownCode::TooLarge));
    let upload = Request { headers: &[(b"Content-Type", b"image/png")], ..beginning };
    assert_eq!(code(&inspect(&upload, &Apis::default())), None, "what an image holds does not matter");
}

#[test]
fn attack_13_a_request_of_http2_may_not_carry_headers_of_http1() {
    for (name, value) in [("Transfer-Encoding", "chunked"), ("Connection", "keep-alive")] {
        let request = Request {
            method: b"POST",
            scheme: Some("https"),
            authority: Some(b"h.example"),
            target: b"/x",
            headers: &[(name.as_bytes(), value.as_bytes())],
            body: Body::Whole(b"a"),
            version: Version::Framed,
        };
        assert_eq!(code(&inspect(&request, &Apis::default())), Some(UnknownCode::Ambiguous), "{name}");
    }
}

/// Requests that mean something, to be spelled otherwise.
const MEANT: [(&str, &str, &str); 6] = [
    ("GET", "https://api.example.com/v1/users/42?a=1&b=2", ""),
    (
        "PUT",
        "https://management.azure.com/subscriptions/s/providers/Microsoft.Authorization/roleAssignments/a?b=1&c=2",
        "{}",
    ),
    ("POST", "https://k.example/api/v1/namespaces/n/pods/p/exec?command=id&stdout=true", ""),
    ("GET", "https://v.vault.azure.net/secrets/db?api-version=7.4&x=y", ""),
    ("POST", "https://iam.amazonaws.com/?Action=CreateUser&Version=2010-05-08", ""),
    ("POST", "https://graph.microsoft.com/v1.0/applications/a/addPassword?x=1&y=2", "{}"),
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_requests_never_panic(
        method in proptest::collection::vec(any::<u8>(), 0..8),
        target in proptest::collection::vec(any::<u8>(), 0..80),
        name in proptest::collection::vec(any::<u8>(), 0..12),
        value in proptest::collection::vec(any::<u8>(), 0..40),
        body in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        facts_of(&method, &target, &[(&name, &value), (b"Host", &value)], &body);
    }

    #[test]
    fn requests_that_are_nearly_sound_never_panic(
        method in "(GET|POST|put|M)",
        target in "(https?://|/|//)?[a-z0-9.@:\\[\\]%\\\\-]{0,20}(/[a-zA-Z0-9.%;:()$'~*-]{0,6}){0,6}(\\?[a-z=&%;+{}\\[\\]]{0,20})?",
        kind in "(application/json|multipart/mixed; boundary=b|application/graphql|application/x-www-form-urlencoded|)",
        body in "[-\\[\\]{}\"':,a-z0-9 \\n\r#.@$!()=&%]{0,120}",
    ) {
        facts_of(method.as_bytes(), target.as_bytes(), &[(b"Content-Type", kind.as_bytes())], body.as_bytes());
    }

    #[test]
    fn graphql_texts_never_panic(text in "(query|mutation|fragment F on)? ?[{}()\\[\\]:!$@\"a-z0-9.,#&|=\\\\ \\n-]{0,100}") {
        let body = format!("{{\"query\":{}}}", serde_json::Value::from(text));
        facts_of(b"POST", b"https://h.example/graphql", JSON, body.as_bytes());
    }

    #[test]
    fn encoding_unreserved_characters_changes_nothing(which in 0..MEANT.len(), bits in any::<u64>()) {
        let (method, url, body) = MEANT[which];
        let (head, query) = url.split_once('?').unwrap();
        let host = head.match_indices('/').nth(2).unwrap().0;
        let mut spelled = head.get(..host).unwrap().to_owned();
        for (at, byte) in head.bytes().skip(host).enumerate() {
            if (byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') && bits >> (at % 64) & 1 == 1 {
                write!(spelled, "%{byte:02x}").unwrap();
            } else {
                spelled.push(char::from(byte));
            }
        }
        let spelled = format!("{spelled}?{query}");
        let facts = facts_of(method.as_bytes(), url.as_bytes(), JSON, body.as_bytes());
        prop_assert!(facts.unknown.is_none());
        prop_assert_eq!(facts, facts_of(method.as_bytes(), spelled.as_bytes(), JSON, body.as_bytes()));
    }

    #[test]
    fn the_case_of_hosts_and_headers_and_the_order_of_the_query_change_nothing(
        which in 0..MEANT.len(),
        bits in any::<u64>(),
    ) {
        let (method, url, body) = MEANT[which];
        let (head, query) = url.split_once('?').unwrap();
        let (first, second) = query.split_once('&').unwrap();
        let host = head.match_indices('/').nth(2).unwrap().0;
        let flip = |text: &str| -> String {
            let flipped = |(at, c): (usize, char)| {
                if bits >> (at % 64) & 1 == 1 { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
            };
            text.chars().enumerate().map(flipped).collect()
        };
        let spelled = format!("{}{}?{second}&{first}", flip(head.get(..host).unwrap()), head.get(host..).unwrap());
        let name = flip("Content-Type");
        let facts = facts_of(method.as_bytes(), url.as_bytes(), JSON, body.as_bytes());
        let headers: Fields<'_> = &[(name.as_bytes(), b"application/json")];
        prop_assert_eq!(facts, facts_of(method.as_bytes(), spelled.as_bytes(), headers, body.as_bytes()));
    }

    #[test]
    fn dot_segments_lead_where_they_lead(
        before in proptest::collection::vec("[a-z]{1,4}", 0..4),
        detour in proptest::collection::vec("[a-z]{1,4}", 1..4),
    ) {
        let straight = format!("https://h.example/{}/end", before.join("/"));
        let back = "/..".repeat(detour.len());
        let around = format!("https://h.example/{}/{}{back}/./end", before.join("/"), detour.join("/"));
        let (straight, around) = if before.is_empty() {
            (straight.replacen("example//", "example/", 1), around.replacen("example//", "example/", 1))
        } else {
            (straight, around)
        };
        let facts = facts_of(b"GET", straight.as_bytes(), &[], b"");
        prop_assert!(facts.unknown.is_none());
        prop_assert_eq!(facts, facts_of(b"GET", around.as_bytes(), &[], b""));
    }
}
