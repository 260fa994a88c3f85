//! The filter behind `sallyport mask`: one JSON object in, one out, a line each.
//!
//! `{"id", "text", "column"?}` becomes `{"id", "masked", "findings": [{"entity", "start", "end",
//! "detector", "confidence"}]}`; `start` and `end` count characters. `column` may be a bare name or
//! `[target/database/]schema.relation.column`; when a label covers it, the whole text is the finding, the
//! label its entity and `label` its detector. `masked` is `null` where the label's operator says so. A line
//! that does not read is answered `{"id": null, "error": "…"}` in its place.

use sallyport_core::{ColumnRef, LabelSource, ObjectName};
use serde_json::{Map, Value, json};

use crate::detect::{FieldContext, detect};
use crate::labels::Labels;
use crate::operator::Masked;
use crate::text::replace;

/// The answer to one line, without a line feed.
#[must_use]
pub fn answer(line: &str, labels: &Labels) -> String {
    match read(line) {
        Ok(question) => question.answer(labels).to_string(),
        Err(error) => json!({ "id": null, "error": error }).to_string(),
    }
}

struct Question {
    id: Value,
    text: String,
    column: Option<String>,
}

fn read(line: &str) -> Result<Question, &'static str> {
    let Ok(Value::Object(mut object)) = serde_json::from_str::<Value>(line) else {
        return Err("the line is not a JSON object");
    };
    let Some(Value::String(text)) = object.remove("text") else {
        return Err("`text` is missing or not a string");
    };
    let column = match object.remove("column") {
        None | Some(Value::Null) => None,
        Some(Value::String(column)) => Some(column),
        Some(_) => return Err("`column` is not a string"),
    };
    Ok(Question { id: object.remove("id").unwrap_or(Value::Null), text, column })
}

impl Question {
    fn answer(self, labels: &Labels) -> Value {
        let name = self.column.as_deref().map(column_name);
        let mut object = Map::new();
        object.insert("id".to_owned(), self.id.clone());
        if let Some(label) = self.label(labels) {
            let masked = match labels.operator(&label).apply(&label, &self.text, labels.hash_key()) {
                Masked::Text(text) => Value::String(text),
                Masked::Null => Value::Null,
            };
            object.insert("masked".to_owned(), masked);
            object.insert(
                "findings".to_owned(),
                json!([{ "entity": label, "start": 0, "end": self.text.chars().count(),
                         "detector": "label", "confidence": 1.0 }]),
            );
            return Value::Object(object);
        }
        let findings = detect(&self.text, &FieldContext { column: name.as_deref() });
        object.insert("masked".to_owned(), Value::String(replace(&self.text, &findings)));
        // Rounded, so that 0.85 reads as 0.85.
        let shown: Vec<Value> = findings
            .iter()
            .map(|finding| {
                json!({ "entity": finding.entity, "start": finding.start, "end": finding.end,
                        "detector": finding.detector,
                        "confidence": (f64::from(finding.confidence) * 100.0).round() / 100.0 })
            })
            .collect();
        object.insert("findings".to_owned(), Value::Array(shown));
        Value::Object(object)
    }

    /// The first label that covers the column.
    fn label(&self, labels: &Labels) -> Option<String> {
        let column = self.column.as_deref()?;
        let name = column_name(column);
        let (place, relation) = column.rsplit_once('/').unwrap_or(("", column));
        let (target, database) = place.split_once('/').unwrap_or((place, ""));
        let relation = strip_column(relation, &name);
        let relation = ObjectName::parse(relation);
        let reference = ColumnRef {
            target,
            database,
            schema: relation.schema.as_deref().unwrap_or(""),
            relation: &relation.name,
            column: &name,
        };
        labels.labels_of(reference).into_iter().next()
    }
}

/// The last part of a column's name, unquoted.
fn column_name(column: &str) -> String {
    let bytes = column.as_bytes();
    if bytes.last() == Some(&b'"')
        && let Some(start) = column.get(..column.len() - 1).and_then(|text| text.rfind('"'))
    {
        return column.get(start + 1..column.len() - 1).unwrap_or(column).to_owned();
    }
    column.rsplit(['.', '/']).next().unwrap_or(column).to_owned()
}

fn strip_column<'a>(relation: &'a str, name: &str) -> &'a str {
    let quoted = relation.ends_with('"');
    let length = name.len() + if quoted { 2 } else { 0 };
    relation.get(..relation.len().saturating_sub(length)).unwrap_or("").trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(line: &str) -> Value {
        let labels = Labels::parse(
            "[[label]]\nname='pii.email'\ncolumns=['*/*/*.*.email', 'shop/*/public.users.mail']\n\
             [[label]]\nname='gone'\ncolumns=['*/*/*.*.gone']\noperator='null'",
        )
        .unwrap();
        serde_json::from_str(&answer(line, &labels)).unwrap()
    }

    #[test]
    fn findings_count_characters() {
        let answer = ask(r#"{"id":"1","text":"Zoë: zoe@example.com"}"#);
        assert_eq!(answer["id"], "1");
        assert_eq!(answer["masked"], "Zoë: ‹EMAIL_ADDRESS›");
        assert_eq!(answer["findings"][0]["entity"], "EMAIL_ADDRESS");
        assert_eq!(answer["findings"][0]["start"], 5);
        assert_eq!(answer["findings"][0]["end"], 20);
    }

    #[test]
    fn a_text_without_findings_comes_back() {
        let answer = ask(r#"{"id":7,"text":"all quiet","column":"note"}"#);
        assert_eq!(answer, json!({ "id": 7, "masked": "all quiet", "findings": [] }));
    }

    #[test]
    fn a_labelled_column_is_masked_whatever_it_holds() {
        for column in [
            "email",
            "public.users.email",
            "shop/shop/public.users.\\\"email\\\"",
            "shop/d/public.users.mail",
        ] {
            let answer = ask(&format!(r#"{{"id":"1","text":"not an address","column":"{column}"}}"#));
            assert_eq!(answer["masked"], "‹pii.email›", "{column}");
            assert_eq!(answer["findings"][0]["detector"], "label");
            assert_eq!(answer["findings"][0]["end"], 14);
        }
        assert_eq!(ask(r#"{"text":"x","column":"mail"}"#)["masked"], "x");
        assert_eq!(ask(r#"{"text":"x","column":"gone"}"#)["masked"], Value::Null);
    }

    #[test]
    fn a_line_that_does_not_read_is_answered_in_its_place() {
        for line in [
            "",
            "nonsense",
            "[]",
            "{}",
            r#"{"id":"1"}"#,
            r#"{"id":"1","text":5}"#,
            r#"{"text":"x","column":1}"#,
        ] {
            let answer = ask(line);
            assert_eq!(answer["id"], Value::Null, "{line}");
            assert!(answer["error"].is_string(), "{line}");
        }
    }
}
