//! What a line of `sallyport inspect --language http` holds.
//!
//! `method` and `url`; `headers` as an object (a value is a text or a list of texts) or as a list of pairs;
//! `body` as text or as the JSON that is sent, or `body_base64`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sallyport_core::Facts;
use serde::Deserialize;
use serde::de::Error;
use serde_json::Value;

use super::{Apis, Body, Request, Version, inspect};

#[derive(Debug, Deserialize)]
struct Line {
    method: String,
    url: String,
    #[serde(default)]
    headers: Value,
    #[serde(default)]
    body: Value,
    body_base64: Option<String>,
    version: Option<String>,
}

pub(crate) fn facts(line: Value, apis: &Apis) -> Result<Facts, serde_json::Error> {
    let line: Line = serde_json::from_value(line)?;
    let mut headers = headers(&line.headers)?;
    let body = match (line.body, line.body_base64) {
        (Value::Null, None) => Vec::new(),
        (Value::Null, Some(encoded)) => {
            STANDARD.decode(encoded).map_err(|error| Error::custom(format!("body_base64: {error}")))?
        }
        (_, Some(_)) => return Err(Error::custom("both body and body_base64")),
        (Value::String(text), None) => text.into_bytes(),
        (value, None) => {
            // Its length is that of another spelling.
            headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-length"));
            value.to_string().into_bytes()
        }
    };
    let version = match line.version.as_deref() {
        None | Some("1.1" | "HTTP/1.1") => Version::Http11,
        Some("1.0" | "HTTP/1.0") => Version::Http10,
        Some("2" | "HTTP/2" | "HTTP/2.0" | "3" | "HTTP/3") => Version::Framed,
        Some(_) => return Err(Error::custom("no such version")),
    };
    let headers: Vec<(&[u8], &[u8])> =
        headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
    let request = Request {
        method: line.method.as_bytes(),
        scheme: None,
        authority: None,
        target: line.url.as_bytes(),
        headers: &headers,
        body: Body::Whole(&body),
        version,
    };
    Ok(inspect(&request, apis))
}

fn headers(value: &Value) -> Result<Vec<(String, String)>, serde_json::Error> {
    let mut headers = Vec::new();
    match value {
        Value::Null => {}
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::Array(values) => {
                        for value in values {
                            headers.push((name.clone(), text(value)?));
                        }
                    }
                    value => headers.push((name.clone(), text(value)?)),
                }
            }
        }
        Value::Array(pairs) => {
            for pair in pairs {
                match pair.as_array().map(Vec::as_slice) {
                    Some([name, value]) => headers.push((text(name)?, text(value)?)),
                    _ => return Err(Error::custom("headers: a pair is a list of a name and a value")),
                }
            }
        }
        _ => return Err(Error::custom("headers: neither an object nor a list of pairs")),
    }
    Ok(headers)
}

fn text(value: &Value) -> Result<String, serde_json::Error> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(Error::custom("headers: a value that is no text")),
    }
}
