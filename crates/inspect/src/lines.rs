//! `sallyport inspect`: one JSON object in, one out, in order.
//!
//! The object holds an operation and what decides its reading; each language's `lines` module says which
//! fields it takes. A line that is no such object is answered in its place.

use sallyport_core::Facts;
use serde_json::{Value, json};

use crate::{http, mysql, pg, shell};

/// Reads lines of one language.
#[derive(Debug)]
pub enum Lines {
    /// PostgreSQL's SQL.
    Postgres,
    /// The SQL of MySQL and MariaDB.
    Mysql,
    /// POSIX shell and bash.
    Shell,
    /// HTTP requests, with the API documents that name their paths and operations.
    Http(http::Apis),
}

impl Lines {
    /// Answers one line with one line, without its end. Never fails.
    #[must_use]
    pub fn answer(&self, line: &str) -> String {
        let line = match serde_json::from_str::<Value>(line) {
            Ok(value @ Value::Object(_)) => value,
            Ok(_) => return refused("not a JSON object"),
            Err(error) => return refused(&error.to_string()),
        };
        let id = line.get("id").cloned().unwrap_or_default();
        match self.facts(line) {
            Ok(facts) => json!({ "id": id, "facts": facts }).to_string(),
            Err(error) => refused(&error.to_string()),
        }
    }

    fn facts(&self, line: Value) -> Result<Facts, serde_json::Error> {
        match self {
            Self::Postgres => pg::lines::facts(line),
            Self::Mysql => mysql::lines::facts(line),
            Self::Shell => shell::lines::facts(line),
            Self::Http(apis) => http::lines::facts(line, apis),
        }
    }
}

fn refused(error: &str) -> String {
    json!({ "id": null, "error": error }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(line: &str) -> Value {
        serde_json::from_str(&Lines::Postgres.answer(line)).unwrap()
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
            assert!(!Lines::Postgres.answer(&line).contains('\n'));
        }
    }
}
