//! What a line of `sallyport inspect --language http` holds.

use sallyport_core::{Facts, Language, UnknownCode};
use serde::Deserialize;
use serde_json::Value;

use super::Apis;

#[derive(Debug, Deserialize)]
struct Line {
    method: String,
}

pub(crate) fn facts(line: Value, _apis: &Apis) -> Result<Facts, serde_json::Error> {
    let line: Line = serde_json::from_value(line)?;
    Ok(Facts::unknown(Language::Http, UnknownCode::Unsupported, line.method))
}
