//! Batches: requests within a request, each of which is inspected like one that came alone.
//!
//! Microsoft Graph and other OData (`$batch`, in JSON or multipart), Azure Resource Manager (`/batch`),
//! Google (`/batch`, multipart), Azure Storage (`comp=batch`), Salesforce (`/composite`), Facebook, Asana,
//! `WordPress`, and what looks the same elsewhere.

use sallyport_core::UnknownCode;

use super::call::Call;
use super::found::Found;
use super::inspection::inspect_within;
use super::json::Json;
use super::multipart;
use super::openapi::Apis;
use super::request::{Body, Request, Version};

/// More than any provider takes.
const MOST: usize = 1000;

/// One request out of a batch.
#[derive(Default)]
struct Inner {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

pub(super) fn read(call: &Call<'_>, apis: &Apis, depth: usize, found: &mut Found) {
    let last = call.path.last().to_ascii_lowercase();
    let is_google = call.host().ends_with("googleapis.com")
        && call.path.segments.first().is_some_and(|first| first == "batch");
    let is_arm = call.host().starts_with("management.") && last == "batch";
    let is = |at: usize, name: &str| {
        call.path.segments.iter().rev().nth(at).is_some_and(|segment| segment.eq_ignore_ascii_case(name))
    };
    // Storage of Azure says it in the query, Facebook in the body of a post to its root.
    let is_storage = call
        .target
        .query
        .iter()
        .any(|(name, value)| name.eq_ignore_ascii_case("comp") && value.eq_ignore_ascii_case("batch"));
    let is_facebook = call.host().starts_with("graph.")
        && call.path.segments.iter().all(|one| {
            one.is_empty()
                || one.starts_with('v') && !one.contains(|c: char| c.is_ascii_alphabetic() && c != 'v')
        });
    let is_graph = is(1, "composite") && last == "graph";
    let must = last == "$batch" || is_google || is_arm || is_storage || is_graph;
    let may = must || last.contains("batch") || last == "composite" || is(1, "batch") || is_facebook;
    if !may || !call.changes() {
        return;
    }
    let mut inner = Vec::new();
    let understood = match call.content.json() {
        Some(json) => from_json(json, &mut inner),
        None if !call.content.parts().is_empty() => {
            call.content.parts().iter().all(|part| from_part(part.head, part.bytes, &mut inner, 0))
        }
        None => {
            let stated = call.content.form().iter().find(|(name, _)| name == "batch");
            let json = stated.and_then(|(_, value)| serde_json::from_str::<Json>(value).ok());
            json.is_some_and(|json| from_json(&json, &mut inner))
        }
    };
    if !understood && must {
        found.unknown(UnknownCode::Unsupported, "a batch that is not read");
    }
    if inner.len() > MOST {
        found.unknown(UnknownCode::TooLarge, "more requests in a batch than are read");
        inner.truncate(MOST);
    }
    if must || understood {
        found.count(inner.len());
        let base = base(call, &last);
        for request in &inner {
            found.merge(inspect_inner(request, call, &base, apis, depth));
        }
    }
}

/// What the paths of a batch are relative to.
fn base(call: &Call<'_>, last: &str) -> String {
    if last != "$batch" {
        return String::new();
    }
    let shown = call.path.shown.trim_end_matches('/');
    shown.rsplit_once('/').map(|(base, _)| base.to_owned()).unwrap_or_default()
}

/// Every list that may be a batch is read: which of them the server takes is its own affair.
fn from_json(json: &Json, inner: &mut Vec<Inner>) -> bool {
    let names = ["requests", "batch", "operations", "compositeRequest", "batchRequests"];
    let mut lists: Vec<&Json> = match json {
        Json::Array(_) => vec![json],
        _ => names.iter().filter_map(|name| json.get(name)).collect(),
    };
    // Salesforce has such lists in a list, Asana wraps all that it takes.
    for name in names {
        lists.extend(json.at(&format!("/graphs/*/{name}")));
    }
    lists.extend(json.at("/data/actions"));
    let items: Vec<&Json> = lists.into_iter().flat_map(Json::items).take(MOST + 1).collect();
    !items.is_empty() && items.into_iter().all(|item| from_item(item, inner))
}

fn from_item(item: &Json, inner: &mut Vec<Inner>) -> bool {
    let methods = ["method", "httpMethod", "http_method"];
    let urls = ["url", "relativeUrl", "relative_url", "relative_path", "path", "uri"];
    let bodies = ["body", "content"];
    let one = |names: &[&str]| names.iter().map(|name| item.count(name)).sum::<usize>() <= 1;
    let method = methods.iter().find_map(|name| item.text(name));
    let url = urls.iter().find_map(|name| item.text(name));
    let (Some(method), Some(url)) = (method, url) else { return false };
    if !one(&methods) || !one(&urls) || !one(&bodies) {
        return false;
    }
    let headers = item.get("headers").map(Json::members).unwrap_or_default();
    let body = bodies.iter().find_map(|name| item.get(name));
    let mut headers: Vec<_> = headers
        .iter()
        .filter_map(|(name, value)| Some((name.clone(), value.as_text()?.to_owned())))
        .collect();
    let body = match body {
        None | Some(Json::Null) => Vec::new(),
        Some(Json::Text(text)) => text.clone().into_bytes(),
        Some(json) => {
            if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
                headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
            }
            json.written().into_bytes()
        }
    };
    inner.push(Inner { method: method.to_owned(), url: url.to_owned(), headers, body });
    true
}

/// A part that holds a request, or a change set that holds parts.
fn from_part(head: &[u8], bytes: &[u8], inner: &mut Vec<Inner>, depth: usize) -> bool {
    let kind = multipart::field(head, "content-type").unwrap_or_default();
    if kind.to_ascii_lowercase().starts_with("multipart/") && depth == 0 {
        let boundary = multipart::parameter(&kind, "boundary").unwrap_or_default();
        let parts = multipart::read(bytes, &boundary);
        return parts.is_some_and(|parts| {
            parts.iter().all(|part| from_part(part.head, part.bytes, inner, depth + 1))
        });
    }
    if inner.len() > MOST {
        return true;
    }
    let bytes = bytes.trim_ascii_start();
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let text = String::from_utf8_lossy(line);
    let mut words = text.split_ascii_whitespace();
    let (Some(method), Some(url)) = (words.next(), words.next()) else { return false };
    let version = words.next();
    let is_request =
        version.map_or(kind.contains("application/http"), |version| version.starts_with("HTTP/"));
    if !is_request || words.next().is_some() {
        return false;
    }
    let rest = bytes.get(line.len()..).unwrap_or_default();
    let raw = multipart::split_head(rest.strip_prefix(b"\n").unwrap_or(rest));
    inner.push(Inner {
        method: method.to_owned(),
        url: url.to_owned(),
        headers: multipart::lines(raw.head).collect(),
        body: raw.bytes.trim_ascii_end().to_vec(),
    });
    true
}

fn inspect_inner(
    inner: &Inner,
    call: &Call<'_>,
    base: &str,
    apis: &Apis,
    depth: usize,
) -> sallyport_core::Facts {
    let before_query = inner.url.split(['?', '#']).next().unwrap_or_default();
    let is_absolute = !inner.url.starts_with('/') && before_query.contains("://");
    let url = if is_absolute {
        inner.url.clone()
    } else {
        let relative = inner.url.trim_start_matches('/');
        // Some write the version into each path, some do not.
        let stated = !base.is_empty() && format!("/{relative}").starts_with(&format!("{base}/"));
        if stated { format!("/{relative}") } else { format!("{base}/{relative}") }
    };
    let host = call.target.host.as_ref().map(super::host::Host::shown);
    let headers: Vec<(&[u8], &[u8])> = inner
        .headers
        .iter()
        .filter(|(name, _)| {
            !name.eq_ignore_ascii_case("content-length") && !name.eq_ignore_ascii_case("host")
        })
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
        .collect();
    let request = Request {
        method: inner.method.as_bytes(),
        scheme: call.target.scheme.as_deref(),
        authority: host.as_deref().filter(|_| !is_absolute).map(str::as_bytes),
        target: url.as_bytes(),
        headers: &headers,
        body: Body::Whole(&inner.body),
        version: Version::Http11,
    };
    inspect_within(&request, apis, depth + 1)
}
