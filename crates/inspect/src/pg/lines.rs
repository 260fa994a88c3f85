//! What a line of `sallyport inspect --language postgres` holds beside its `text`.

use sallyport_core::Facts;
use serde::Deserialize;
use serde_json::Value;

use super::{Context, Remembered, inspect};

/// One line of input; what else it holds is for other languages.
#[derive(Debug, Deserialize)]
struct Line {
    text: String,
    #[serde(default)]
    search_path: Option<Vec<String>>,
    #[serde(default)]
    client_encoding: Option<String>,
    #[serde(default)]
    standard_conforming_strings: Option<bool>,
}

pub(crate) fn facts(line: Value) -> Result<Facts, serde_json::Error> {
    let line: Line = serde_json::from_value(line)?;
    let mut path = line.search_path.unwrap_or_else(|| vec!["public".to_owned()]);
    // Whose schema it would be is not known here, and such schemas are rare.
    path.retain(|schema| schema != "$user");
    let remembered = Remembered::default();
    let context = Context {
        search_path: &path,
        standard_conforming_strings: line.standard_conforming_strings.unwrap_or(true),
        client_encoding: line.client_encoding.as_deref().unwrap_or("UTF8"),
        catalog: None,
        remembered: &remembered,
    };
    Ok(inspect(line.text.as_bytes(), &context).facts)
}
