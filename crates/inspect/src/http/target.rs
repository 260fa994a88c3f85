//! Where a request goes: host, path and query, out of its target and its `Host`.

use sallyport_core::{Action, ObjectName, UnknownCode, Verb};

use super::found::Found;
use super::host::{self, Host};
use super::path::{self, Readings};
use super::percent;
use super::request::Request;

/// Longer than any server takes a request line.
const LONGEST: usize = 64 * 1024;
/// Longer than any server takes a path.
const LONGEST_PATH: usize = 16 * 1024;

#[derive(Debug)]
pub(super) struct Target {
    pub(super) scheme: Option<String>,
    pub(super) host: Option<Host>,
    pub(super) paths: Readings,
    /// Names and values, decoded.
    pub(super) query: Vec<(String, String)>,
}

impl Target {
    /// Whether the scheme itself asks for a WebSocket.
    pub(super) fn is_websocket(&self) -> bool {
        matches!(self.scheme.as_deref(), Some("ws" | "wss"))
    }

    /// `host/path` of a reading of the path.
    pub(super) fn object(&self, path: &str) -> ObjectName {
        let host = self.host.as_ref().map(Host::shown).unwrap_or_default();
        ObjectName::verbatim(&format!("{host}{path}"))
    }
}

/// Reads the target. Nothing when it could not be made out at all; why stands in `found`.
pub(super) fn read(request: &Request<'_>, found: &mut Found) -> Option<Target> {
    let trimmed = request.target.trim_ascii();
    if trimmed.len() != request.target.len() {
        found.ambiguous("white space around the target");
    }
    if trimmed.len() > LONGEST {
        found.unknown(UnknownCode::TooLarge, "a target that is longer than servers take");
        return None;
    }
    let target = without_fragment(trimmed, found);
    if request.method == b"CONNECT" {
        tunnel(request, target, found);
        return None;
    }
    if target == b"*" {
        let host = declared_host(request, request.scheme, found);
        if host.is_none() || request.method != b"OPTIONS" {
            found.ambiguous("an asterisk without a host, or of another method than OPTIONS");
        }
        let paths = path::read(b"/*", found);
        return Some(Target { scheme: request.scheme.map(str::to_owned), host, paths, query: Vec::new() });
    }
    let (scheme, authority, rest) = split(target, found)?;
    if authority.is_some() && rest.first() == Some(&b'?') && rest.contains(&b'@') {
        found.ambiguous("an @ behind a host without a path");
    }
    let slashed;
    let rest = match rest.strip_prefix(b"\\") {
        Some(behind) => {
            found.ambiguous("a backslash behind the host");
            slashed = [b"/", behind].concat();
            &slashed
        }
        None => rest,
    };
    let scheme = scheme.or_else(|| request.scheme.map(str::to_owned));
    let declared = declared_host(request, scheme.as_deref(), found);
    let host = match authority {
        Some(authority) => {
            let host = host::read(authority, scheme.as_deref(), found)?;
            if declared.as_ref().is_some_and(|declared| *declared != host) {
                found.ambiguous("the host of the target is not that of the headers");
            }
            Some(host)
        }
        None => declared,
    };
    if host.is_none() {
        found.ambiguous("no host");
    }
    let mut halves = rest.splitn(2, |byte| *byte == b'?');
    let (path, query) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
    if path.len() > LONGEST_PATH {
        found.unknown(UnknownCode::TooLarge, "a path that is longer than servers take");
        return None;
    }
    if query.iter().any(|byte| *byte <= 32 || *byte == 127) {
        found.ambiguous("white space or a control character in the query");
    }
    Some(Target { scheme, host, paths: path::read(path, found), query: percent::pairs(query) })
}

fn without_fragment<'t>(target: &'t [u8], found: &mut Found) -> &'t [u8] {
    match target.iter().position(|byte| *byte == b'#') {
        Some(at) => {
            found.ambiguous("a fragment in the target");
            target.get(..at).unwrap_or_default()
        }
        None => target,
    }
}

type Split<'t> = (Option<String>, Option<&'t [u8]>, &'t [u8]);

/// Scheme, authority, and what follows.
fn split<'t>(target: &'t [u8], found: &mut Found) -> Option<Split<'t>> {
    if target.first() == Some(&b'/') || target.first() == Some(&b'?') {
        return Some((None, None, target));
    }
    let colon = target.windows(3).position(|window| window == b"://");
    let Some(colon) = colon else {
        found.unknown(UnknownCode::Unparsable, "a target that is neither a path nor a URL");
        return None;
    };
    let scheme = String::from_utf8_lossy(target.get(..colon).unwrap_or_default()).to_ascii_lowercase();
    if !matches!(scheme.as_str(), "http" | "https" | "ws" | "wss") {
        found.unknown(UnknownCode::Unsupported, "a scheme other than http and https");
        return None;
    }
    let rest = target.get(colon + 3..).unwrap_or_default();
    let end = rest.iter().position(|byte| b"/?\\".contains(byte)).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at_checked(end)?;
    Some((Some(scheme), Some(authority), rest))
}

/// What `Host`, `:authority` or the connection say; more than one is ambiguous when they differ.
fn declared_host(request: &Request<'_>, scheme: Option<&str>, found: &mut Found) -> Option<Host> {
    let mut hosts: Vec<Option<Host>> = Vec::new();
    let fields: Vec<&[u8]> = request.values("host").collect();
    if fields.len() > 1 {
        found.ambiguous("more than one Host");
    }
    for value in fields.into_iter().chain(request.authority) {
        if value.is_empty() {
            found.ambiguous("an empty Host");
            continue;
        }
        hosts.push(host::read(value, scheme, found));
    }
    let first = hosts.first().cloned().flatten();
    if hosts.iter().any(|host| *host != first) {
        found.ambiguous("hosts that differ");
    }
    first
}

/// CONNECT asks for a connection that nobody reads.
fn tunnel(request: &Request<'_>, target: &[u8], found: &mut Found) {
    found.unknown(UnknownCode::Unsupported, "a tunnel: what goes through it is not read");
    // Without a scheme the port stays, whichever it is.
    let text = String::from_utf8_lossy(target).to_ascii_lowercase();
    let mut doubts = Found::default();
    if host::read(target, request.scheme, &mut doubts).is_some() {
        found.add(Action::on_object(Verb::Connect, "host", ObjectName::verbatim(&text)));
    }
}
