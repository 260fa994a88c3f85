//! Methods: the one on the wire, and those that a header, a query or a form puts in its place.

use sallyport_core::Verb;

use super::content::Content;
use super::found::Found;
use super::request::Request;
use super::target::Target;

/// Header fields that frameworks take the method from.
const FIELDS: [&str; 10] = [
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
    "x-method",
    "x-original-method",
    "x-rewrite-method",
    "x-override-method",
    "x-forwarded-method",
    "x-real-method",
    "http-method-override",
];
/// Names in queries and forms that frameworks take the method from.
const NAMES: [&str; 6] =
    ["_method", "_httpmethod", "$httpmethod", "x-http-method-override", "x-http-method", "x-method-override"];

/// The method on the wire first, then what is put in its place. Upper case, without repeats.
pub(super) fn effective(
    request: &Request<'_>,
    target: &Target,
    content: &Content<'_>,
    found: &mut Found,
) -> Vec<String> {
    let wire = String::from_utf8_lossy(request.method).into_owned();
    if !is_token(&wire) {
        found.unknown(sallyport_core::UnknownCode::Unparsable, "a method that is no word");
    }
    let method = wire.to_ascii_uppercase();
    if method != wire {
        found.ambiguous("a method in lower case: some servers fold it");
    }
    let mut methods = vec![method];
    let fields = FIELDS.iter().flat_map(|field| request.texts(field));
    // Of Facebook's interfaces the plain name does.
    let is_facebook = target.host.as_ref().is_some_and(|host| {
        ["facebook.com", "instagram.com", "whatsapp.com"].iter().any(|name| host.name.ends_with(name))
    });
    let named = target.query.iter().chain(content.form());
    let named = named.filter(|(name, _)| is_override(name) || (is_facebook && name == "method"));
    let stated = content.json().and_then(|json| json.text("_method")).map(str::to_owned);
    let parts = content.parts().iter().filter(|part| is_override(&part.name));
    let overrides = fields
        .chain(named.map(|(_, value)| value.clone()))
        .chain(stated)
        .chain(parts.map(|part| String::from_utf8_lossy(part.bytes).into_owned()));
    let overrides: Vec<String> = overrides.collect();
    // A field that came twice may have been joined.
    for value in overrides.iter().flat_map(|value| value.split(',')) {
        let method = value.trim().to_ascii_uppercase();
        if method.is_empty() {
            continue;
        }
        if !is_token(&method) {
            found.ambiguous("a method override that is no word");
        }
        if !methods.contains(&method) && methods.len() < 8 {
            methods.push(method);
        }
    }
    methods
}

fn is_override(name: &str) -> bool {
    NAMES.iter().any(|known| name.eq_ignore_ascii_case(known))
}

fn is_token(method: &str) -> bool {
    !method.is_empty() && method.bytes().all(is_token_character)
}

/// RFC 9110, section 5.6.2.
pub(super) fn is_token_character(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// The action of a method.
pub(super) fn verb(method: &str) -> Verb {
    match method {
        "GET" => Verb::Get,
        "POST" => Verb::Post,
        "PUT" => Verb::Put,
        "PATCH" => Verb::Patch,
        "DELETE" => Verb::HttpDelete,
        _ => Verb::OtherMethod,
    }
}

/// Whether a method by itself changes nothing.
pub(super) fn is_safe(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "OPTIONS")
}
