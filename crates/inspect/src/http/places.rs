//! Other places that a request reaches than its path: what it copies from or moves to, the path that a
//! header puts in place of its own, and the connection that an upgrade turns it into.

use sallyport_core::{Action, UnknownCode, Verb};

use super::call::Call;
use super::found::Found;
use super::method;
use super::request::{Headers, Request, Version};
use super::target::{self, Target};

/// Fields with a place that is read by the server.
const SOURCES: [&str; 4] =
    ["x-amz-copy-source", "x-ms-copy-source", "x-goog-copy-source", "x-ms-rename-source"];
/// Fields with a path that some servers route by.
const REWRITES: [&str; 4] = ["x-original-url", "x-rewrite-url", "x-original-uri", "x-envoy-original-path"];

pub(super) fn read(request: &Request<'_>, target: &Target, methods: &[String], found: &mut Found) {
    for field in SOURCES {
        for value in request.values(field) {
            found_at(value, &[Verb::Get], target, found);
        }
    }
    let verbs: Vec<Verb> = methods.iter().map(|method| method::verb(method)).collect();
    for value in request.values("destination") {
        found_at(value, &verbs, target, found);
    }
    for field in REWRITES {
        for value in request.values(field) {
            found.ambiguous("a header that puts another path in place of the request's");
            found_at(value, &verbs, target, found);
        }
    }
}

/// Reports the verbs on a path or URL that stands in a header.
fn found_at(value: &[u8], verbs: &[Verb], base: &Target, found: &mut Found) {
    let host = base.host.as_ref().map(super::host::Host::shown).unwrap_or_default();
    let rooted;
    let value = if value.starts_with(b"/") || value.windows(3).any(|window| window == b"://") {
        value
    } else {
        rooted = [b"/", value].concat();
        &rooted
    };
    let headers: Headers<'_> = &[];
    let request = Request {
        method: b"GET",
        scheme: base.scheme.as_deref(),
        authority: (!value.is_empty() && !host.is_empty() && value.starts_with(b"/"))
            .then_some(host.as_bytes()),
        target: value,
        headers,
        body: super::request::Body::Whole(b""),
        version: Version::Http11,
    };
    if let Some(place) = target::read(&request, found) {
        for path in [Some(&place.paths.strict), place.paths.loose.as_ref().filter(|_| place.paths.both)] {
            let Some(path) = path else { continue };
            for verb in verbs {
                found.add(Action::on_object(*verb, "path", place.object(&path.shown)));
            }
        }
    }
}

/// Whether the request asks for another protocol on its connection.
pub(super) fn upgrades(request: &Request<'_>) -> bool {
    request.values("upgrade").next().is_some()
        || request.values("sec-websocket-key").next().is_some()
        || protocol(request).is_some()
}

/// RFC 8441: an upgrade where the protocol has no `Upgrade`.
fn protocol<'r>(request: &Request<'r>) -> Option<&'r [u8]> {
    request.headers.iter().find(|(name, _)| *name == b":protocol").map(|(_, value)| *value)
}

pub(super) fn upgrade(request: &Request<'_>, call: &Call<'_>, found: &mut Found) {
    found.add(call.action(Verb::Upgrade, "path"));
    let words = request.values("upgrade").chain(protocol(request));
    for word in words.flat_map(|value| value.split(|byte| *byte == b',')) {
        // SPDY carries the streams of a Kubernetes exec; the path says so.
        let known = [b"websocket".as_slice(), b"spdy/3.1"];
        if !known.iter().any(|known| word.trim_ascii().eq_ignore_ascii_case(known)) {
            found.unknown(UnknownCode::Unsupported, "an upgrade to a protocol that is not read");
        }
    }
}
