//! `sallyport inspect`: one JSON object in, one out, in order.
//!
//! The input holds `text` and may hold what decides its reading (`search_path`, `client_encoding`,
//! `standard_conforming_strings`). A line that is no such object is answered in its place.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::pg::{Context, Remembered, inspect};

/// One line of input; what else it holds is for other languages.
#[derive(Debug, Deserialize)]
struct Line {
    #[serde(default)]
    id: Value,
    text: String,
    #[serde(default)]
    search_path: Option<Vec<String>>,
    #[serde(default)]
    client_encoding: Option<String>,
    #[serde(default)]
    standard_conforming_strings: Option<bool>,
}

/// Answers one line with one line, without its end. Never fails.
#[must_use]
pub fn answer(line: &str) -> String {
    let line: Line = match serde_json::from_str::<Value>(line) {
        Ok(value @ Value::Object(_)) => match serde_json::from_value(value) {
            Ok(line) => line,
            Err(error) => return refused(&error.to_string()),
        },
        Ok(_) => return refused("not a JSON object"),
        Err(error) => return refused(&error.to_string()),
    };
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
    let inspection = inspect(line.text.as_bytes(), &context);
    json!({ "id": line.id, "facts": inspection.facts }).to_string()
}

fn refused(error: &str) -> String {
    json!({ "id": null, "error": error }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(line: &str) -> Value {
        serde_json::from_str(&answer(line)).unwrap()
    }

    #[test]
    fn a_line_is_answered_in_the_documented_form() {
        let answer = value(r#"{"id": "7", "text": "SELECT email FROM staff", "search_path": ["hr"]}"#);
        assert_eq!(
            answer,
            json!({"id": "7", "facts": {"language": "postgres", "statements": 1, "unknown": null, "actions": [
                {"action": "select", "group": "read", "kind": "table", "object": "hr.staff", "columns": ["email"]}
            ]}})
        );
    }

    #[test]
    fn a_malformed_line_is_answered_in_its_place() {
        for line in
            ["", "[]", "nonsense", r#"{"id": 1}"#, r#"{"text": 5}"#, "null", "{\"text\": \"SELECT 1\""]
        {
            let answer = value(line);
            assert!(answer["id"].is_null() && answer["error"].is_string(), "{line}");
        }
    }

    #[test]
    fn an_answer_is_always_one_line() {
        for text in ["SELECT 'a\nb'", "syntax\nerror", "\u{0}", "SELECT \"x\ny\" FROM \"t\n\""] {
            let line = json!({"id": 1, "text": text}).to_string();
            assert!(!answer(&line).contains('\n'));
        }
    }
}
