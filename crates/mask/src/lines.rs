//! The filter behind `sallyport mask`: one JSON object in, one out, a line each.
//!
//! `{"id", "text", "column"?}` becomes `{"id", "masked", "findings": [{"entity", "start", "end",
//! "detector", "confidence"}]}`; `start` and `end` count characters. `column` may be a bare name or
//! `[target/database/]schema.relation.column`; when a label covers it, the whole text is the finding, the
//! label its entity and `label` its detector. `masked` is `null` where the label's operator says so. A line
//! that does not read is answered `{"id": null, "error": "…"}` in its place.

use std::borrow::Cow;
use std::fmt::{self, Write};

use sallyport_core::{ColumnRef, LabelSource, ObjectName};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::json;
use serde_json::value::RawValue;

use crate::context::FieldContext;
use crate::detect::detect;
use crate::labels::Labels;
use crate::operator::Masked;
use crate::text::replace;

/// The answer to one line, without a line feed.
#[must_use]
pub fn answer(line: &str, labels: &Labels) -> String {
    match read(line) {
        Ok(question) => question.answer(labels),
        Err(error) => json!({ "id": null, "error": error }).to_string(),
    }
}

/// A line, read without copying what need not be.
#[derive(Default)]
struct Question<'a> {
    /// As it was written.
    id: Option<&'a RawValue>,
    text: Option<Field<'a>>,
    column: Option<Field<'a>>,
}

/// A field that should be a string.
enum Field<'a> {
    Text(Cow<'a, str>),
    Null,
    Other,
}

impl<'de: 'a, 'a> Deserialize<'de> for Question<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Question<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            /// Of a key that is there twice the last counts.
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut question = Question::default();
                while let Some(Key(key)) = map.next_key()? {
                    match key.as_ref() {
                        "id" => question.id = Some(map.next_value()?),
                        "text" => question.text = Some(map.next_value()?),
                        "column" => question.column = Some(map.next_value()?),
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(question)
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

struct Key<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Key<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Field<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        Ok(match raw.as_bytes().first() {
            Some(b'"') => match serde_json::from_str::<Key<'de>>(raw) {
                Ok(Key(text)) => Field::Text(text),
                Err(error) => return Err(serde::de::Error::custom(error)),
            },
            Some(b'n') => Field::Null,
            _ => Field::Other,
        })
    }
}

fn read(line: &str) -> Result<Question<'_>, &'static str> {
    let question: Question<'_> = serde_json::from_str(line).map_err(|_| "the line is not a JSON object")?;
    if !matches!(question.text, Some(Field::Text(_))) {
        return Err("`text` is missing or not a string");
    }
    match question.column {
        Some(Field::Other) => Err("`column` is not a string"),
        _ => Ok(question),
    }
}

impl Question<'_> {
    fn text(&self) -> &str {
        match &self.text {
            Some(Field::Text(text)) => text,
            _ => "",
        }
    }

    fn column(&self) -> Option<&str> {
        match &self.column {
            Some(Field::Text(column)) => Some(column),
            _ => None,
        }
    }

    fn answer(&self, labels: &Labels) -> String {
        let text = self.text();
        let mut out = String::with_capacity(text.len() + 64);
        let id = self.id.map_or("null", RawValue::get);
        if let Some(label) = self.label(labels) {
            let findings = json!([{ "entity": label, "start": 0, "end": text.chars().count(),
                                    "detector": "label", "confidence": 1.0 }]);
            let masked = match labels.operator(&label).apply(&label, text, labels.hash_key()) {
                Masked::Text(text) => json!(text),
                Masked::Null => json!(null),
            };
            return format!("{{\"findings\":{findings},\"id\":{id},\"masked\":{masked}}}");
        }
        let findings = match self.column() {
            Some(column) => detect(text, &FieldContext { column: Some(&column_name(column)) }),
            None => detect(text, &FieldContext::default()),
        };
        out.push_str("{\"findings\":[");
        for (index, finding) in findings.iter().enumerate() {
            out.push_str(if index > 0 { ",{\"confidence\":" } else { "{\"confidence\":" });
            confidence(finding.confidence, &mut out);
            out.push_str(",\"detector\":\"");
            out.push_str(finding.detector);
            out.push_str("\",\"end\":");
            decimal(finding.end, &mut out);
            out.push_str(",\"entity\":\"");
            out.push_str(finding.entity);
            out.push_str("\",\"start\":");
            decimal(finding.start, &mut out);
            out.push('}');
        }
        out.push_str("],\"id\":");
        out.push_str(id);
        out.push_str(",\"masked\":");
        if findings.is_empty() {
            quote(text, &mut out);
        } else {
            quote(&replace(text, &findings), &mut out);
        }
        out.push('}');
        out
    }

    /// The first label that covers the column.
    fn label(&self, labels: &Labels) -> Option<String> {
        let column = self.column()?;
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

/// Appends a number from 0 to 1 with two places, so that 0.85 reads as 0.85.
fn confidence(number: f32, out: &mut String) {
    let hundredths =
        (1..=100_u8).find(|hundredths| f32::from(*hundredths) + 0.5 > number * 100.0).unwrap_or(100);
    match hundredths {
        100 => out.push_str("1.0"),
        part => {
            out.push_str("0.");
            out.push(char::from(b'0' + part / 10));
            out.push(char::from(b'0' + part % 10));
        }
    }
}

/// Appends a whole number.
fn decimal(mut number: usize, out: &mut String) {
    let mut digits = [0_u8; 20];
    let mut first = digits.len();
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or(0);
        first -= 1;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend(digits.iter().skip(first).map(|digit| char::from(*digit)));
}

/// Appends the text as a JSON string.
fn quote(text: &str, out: &mut String) {
    out.push('"');
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.push_str(text.get(from..at).unwrap_or(""));
        from = at + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            other => {
                let written = write!(out, "\\u{other:04x}");
                debug_assert!(written.is_ok());
            }
        }
    }
    out.push_str(text.get(from..).unwrap_or(""));
    out.push('"');
}

/// The last part of a column's name, unquoted.
fn column_name(column: &str) -> Cow<'_, str> {
    if !column.contains(['.', '/', '"']) {
        return Cow::Borrowed(column);
    }
    Cow::Owned(last_part(column))
}

fn last_part(column: &str) -> String {
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
    use serde_json::Value;

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
    fn numbers_are_written_as_they_are() {
        let written = |number: f32| {
            let mut out = String::new();
            confidence(number, &mut out);
            out
        };
        assert_eq!([0.85, 0.9, 1.0, 0.6].map(written), ["0.85", "0.90", "1.0", "0.60"]);
        for number in [0, 7, 10, 1234567890] {
            let mut out = String::new();
            decimal(number, &mut out);
            assert_eq!(out, number.to_string());
        }
    }

    #[test]
    fn answers_are_json_whatever_the_text() {
        let every: String = (0..0x300).filter_map(char::from_u32).collect();
        let line = json!({ "id": every, "text": format!("{every} a@b.com {every}") }).to_string();
        let answer = ask(&line);
        assert_eq!(answer["id"], json!(every));
        assert_eq!(answer["masked"], json!(format!("{every} ‹EMAIL_ADDRESS› {every}")));
        assert_eq!(ask(r#"{"id":12345678901234567890123,"text":"x"}"#)["masked"], "x");
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
