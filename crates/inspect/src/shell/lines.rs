//! What a line of `sallyport inspect --language shell` holds beside its `text`.

use sallyport_core::{Facts, Language, UnknownCode};
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
struct Line {
    text: String,
}

pub(crate) fn facts(line: Value) -> Result<Facts, serde_json::Error> {
    let line: Line = serde_json::from_value(line)?;
    Ok(Facts::unknown(Language::Shell, UnknownCode::Unsupported, line.text))
}
