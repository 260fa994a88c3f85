//! What it costs to read a request: everyday ones, and the largest that are read.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use sallyport_inspect::http::{Apis, Body, Request, Version, inspect};

type Fields = &'static [(&'static [u8], &'static [u8])];

const JSON: Fields = &[(b"Content-Type", b"application/json"), (b"User-Agent", b"agent/1.0")];
const FORM: Fields = &[(b"Content-Type", b"application/x-www-form-urlencoded")];

fn request<'r>(method: &'r str, url: &'r str, headers: Fields, body: &'r [u8]) -> Request<'r> {
    Request {
        method: method.as_bytes(),
        scheme: None,
        authority: None,
        target: url.as_bytes(),
        headers,
        body: Body::Whole(body),
        version: Version::Http11,
    }
}

const EVERYDAY: &[(&str, &str, &str, Fields, &[u8])] = &[
    ("get", "GET", "https://api.example.com/v1/users/42?expand=team", JSON, b""),
    ("post json", "POST", "https://api.example.com/v1/users", JSON, br#"{"name":"Ada","team":{"id":7}}"#),
    ("kubernetes", "GET", "https://k8s.example:6443/api/v1/namespaces/prod/pods?limit=500", JSON, b""),
    (
        "role assignment",
        "PUT",
        "https://management.azure.com/subscriptions/s/providers/Microsoft.Authorization/roleAssignments/a",
        JSON,
        br#"{"properties":{"principalId":"p"}}"#,
    ),
    ("aws", "POST", "https://iam.amazonaws.com/", FORM, b"Action=ListUsers&Version=2010-05-08"),
    (
        "graphql",
        "POST",
        "https://api.github.com/graphql",
        JSON,
        br#"{"query":"query($n:Int!){ repository(owner:\"o\",name:\"r\"){ issues(first:$n){ nodes { title } } } }"}"#,
    ),
];

fn everyday(criterion: &mut Criterion) {
    let apis = Apis::default();
    let mut group = criterion.benchmark_group("http");
    for (name, method, url, headers, body) in EVERYDAY {
        let request = request(method, url, headers, body);
        group.bench_function(*name, |bencher| bencher.iter(|| inspect(black_box(&request), &apis)));
    }
    group.finish();
}

fn large(criterion: &mut Criterion) {
    let apis = Apis::default();
    let mebibyte = 1 << 20;
    let fill = |piece: &str| piece.repeat(mebibyte / piece.len());
    let bodies = [
        ("1 MiB of members", JSON, format!("{{{}\"z\":1}}", fill("\"abcdefgh\":[{}],"))),
        ("1 MiB of brackets", JSON, fill("[")),
        ("1 MiB of form", FORM, fill("a=%41&")),
        ("1 MiB of GraphQL", JSON, format!("{{\"query\":\"{{{}a}}\"}}", fill("a(x:1) "))),
        ("128 KiB of GraphQL", JSON, format!("{{\"query\":\"{{{}a}}\"}}", "a(x:1) ".repeat(18_000))),
    ];
    let mut group = criterion.benchmark_group("http large");
    group.sample_size(10);
    for (name, headers, body) in &bodies {
        let request = request("POST", "https://api.example.com/graphql", headers, body.as_bytes());
        group.bench_function(*name, |bencher| bencher.iter(|| inspect(black_box(&request), &apis)));
    }
    group.finish();
}

criterion_group!(benches, everyday, large);
criterion_main!(benches);
