//! What a line of `sallyport inspect --language shell` holds beside its `text`.

use sallyport_core::Facts;
use serde::Deserialize;
use serde_json::Value;

use super::inspection::{Flavour, inspect};

#[derive(Debug, Deserialize)]
struct Line {
    text: String,
    /// `bash`, as it is without, or the name of another shell.
    #[serde(default)]
    flavour: Option<String>,
}

pub(crate) fn facts(line: Value) -> Result<Facts, serde_json::Error> {
    let line: Line = serde_json::from_value(line)?;
    let flavour = match line.flavour.as_deref() {
        None => Flavour::Bash,
        Some(name) if name.starts_with("bash") => Flavour::Bash,
        Some(_) => Flavour::Posix,
    };
    Ok(inspect(line.text.as_bytes(), flavour))
}
