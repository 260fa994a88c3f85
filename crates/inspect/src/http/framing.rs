//! Headers on which two readers of one connection disagree: what request smuggling is made of.

use sallyport_core::UnknownCode;

use super::found::Found;
use super::host::Host;
use super::method::is_token_character;
use super::request::{Body, Request, Version};

/// Fields that some servers route by in place of the host of the request.
const OTHER_HOSTS: [&str; 5] =
    ["x-original-host", "x-forwarded-host", "x-host", "x-forwarded-server", "x-http-host-override"];

/// Looks at every field, and at those that frame the body.
pub(super) fn check(request: &Request<'_>, found: &mut Found) {
    for (name, value) in request.headers {
        field(name, value, request, found);
    }
    let codings: Vec<&[u8]> = request.values("transfer-encoding").collect();
    let lengths: Vec<&[u8]> = request.values("content-length").collect();
    if !codings.is_empty() {
        let is_chunked = codings.len() == 1 && request.lists("transfer-encoding", "chunked");
        let is_alone = codings.iter().all(|value| value.eq_ignore_ascii_case(b"chunked"));
        if !is_chunked || !is_alone || request.version != Version::Http11 {
            found.ambiguous("a Transfer-Encoding that readers take differently");
        }
        if is_framed(request.body.bytes()) {
            found.ambiguous("chunks in a body that has none");
        }
        if !lengths.is_empty() {
            found.ambiguous("both Content-Length and Transfer-Encoding");
        }
    }
    if lengths.len() > 1 {
        found.ambiguous("more than one Content-Length");
    }
    for length in lengths {
        let digits = length.iter().all(u8::is_ascii_digit);
        let value = std::str::from_utf8(length).ok().and_then(|text| text.parse::<usize>().ok());
        match (digits, value, request.body) {
            (true, Some(length), Body::Whole(bytes)) if length == bytes.len() => {}
            (true, Some(_), Body::Beginning(_)) => {}
            (true, Some(_), Body::Whole(_)) => found.ambiguous("a Content-Length that is not the body's"),
            _ => found.ambiguous("a Content-Length that is no number"),
        }
    }
    connection(request, found);
}

/// Looks at the fields that some servers route by in place of the host of the request.
pub(super) fn other_hosts(request: &Request<'_>, host: Option<&Host>, found: &mut Found) {
    let host = host.map(Host::shown).unwrap_or_default();
    for name in OTHER_HOSTS {
        if request.values(name).any(|value| !value.eq_ignore_ascii_case(host.as_bytes())) {
            found.ambiguous("a header that names another host");
        }
    }
    // `Forwarded: for=…;host=…`, RFC 7239: one element for each proxy.
    for element in request
        .texts("forwarded")
        .flat_map(|value| value.split([',', ';']).map(str::to_owned).collect::<Vec<_>>())
    {
        if let Some((name, value)) = element.split_once('=')
            && name.trim().eq_ignore_ascii_case("host")
            && !value.trim().trim_matches('"').eq_ignore_ascii_case(&host)
        {
            found.ambiguous("a header that names another host");
        }
    }
}

/// Whether a body begins as a chunk does: its coding was to be removed before it came here.
fn is_framed(body: &[u8]) -> bool {
    let line = body.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let Some(line) = line.strip_suffix(b"\r") else { return false };
    let size = line.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    !size.is_empty() && size.iter().all(u8::is_ascii_hexdigit)
}

/// Scheme, authority, and path with query, of a target in absolute form; of another the path alone.
fn stated(target: &[u8]) -> (Option<&[u8]>, Option<&[u8]>, &[u8]) {
    let colon = target.windows(3).take(8).position(|window| window == b"://");
    let Some(colon) = colon else { return (None, None, target) };
    let (scheme, rest) = target.split_at_checked(colon).unwrap_or_default();
    let rest = rest.get(3..).unwrap_or_default();
    let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end).unwrap_or_default();
    (Some(scheme), Some(authority), path)
}

fn field(name: &[u8], value: &[u8], request: &Request<'_>, found: &mut Found) {
    if let Some(pseudo) = name.strip_prefix(b":") {
        let (scheme, authority, path) = stated(request.target);
        let same = match pseudo {
            b"method" => value == request.method,
            b"path" => value == request.target || value == path,
            b"scheme" => {
                let scheme = scheme.or_else(|| request.scheme.map(str::as_bytes));
                scheme.is_none_or(|scheme| scheme == value)
            }
            b"authority" => {
                let mut hosts = request.values("host").chain(request.authority).chain(authority).peekable();
                hosts.peek().is_some() && hosts.all(|host| host.eq_ignore_ascii_case(value))
            }
            b"protocol" => true,
            _ => false,
        };
        if !same {
            found.ambiguous("a pseudo-header that says something else");
        }
    } else if name.is_empty() || !name.iter().copied().all(is_token_character) {
        found.ambiguous("a header name that is no word");
    }
    if value.contains(&0) {
        found.unknown(UnknownCode::Encoding, "a NUL in a header");
    } else if value.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
        found.ambiguous("a line break in a header");
    }
}

/// `Connection` may take away a field that the next reader was meant to see.
fn connection(request: &Request<'_>, found: &mut Found) {
    for value in request.values("connection") {
        if request.version == Version::Framed {
            found.ambiguous("a Connection header where the protocol has none");
        }
        for item in value.split(|byte| *byte == b',') {
            let item = item.trim_ascii().to_ascii_lowercase();
            let usual = matches!(
                item.as_slice(),
                b"" | b"close" | b"keep-alive" | b"upgrade" | b"te" | b"http2-settings"
            );
            if !usual {
                found.ambiguous("a Connection header that takes away another");
            }
        }
    }
}
