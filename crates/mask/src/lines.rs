//! The filter behind `sallyport mask`: one JSON object in, one out, a line each.
//!
//! `{"id", "text", "column"?}` becomes `{"id", "masked", "findings": [{"entity", "start", "end",
//! "detector", "confidence"}]}`; `start` and `end` count characters. `column` may be a bare name or
//! `[target/database/]schema.relation.column`; when a label covers it, the whole text is the finding, the
//! label its entity and `label` its detector. `masked` is `null` where the label's operator says so. A line
//! that does not read is answered `{"id": …, "error": "…"}` in its place, with its `id` where that reads and `null`
//! where it does not.
//!
//! A line is read by [`Question`], its text shown to the detectors, and the answer written in one go: what is not
//! masked is copied in slices.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use sallyport_core::{ColumnRef, LabelSource, ObjectName};
use serde_json::json;

use crate::context::FieldContext;
use crate::detect::{Finding, detect};
use crate::labels::Labels;
use crate::operator::Masked;
use crate::question::Question;
use crate::written::{confidence, decimal, escape, quote};

/// The answer to one line, without a line feed.
#[must_use]
pub fn answer(line: &str, labels: &Labels) -> String {
    Filter::new(labels).answer(line)
}

/// Columns remembered by a filter.
const MOST_COLUMNS: usize = 1024;

/// A filter over many lines: what it knows about columns is found once.
#[derive(Debug)]
pub struct Filter<'l> {
    labels: &'l Labels,
    columns: RefCell<HashMap<String, Rc<Column>>>,
}

/// What is known about a column.
#[derive(Debug)]
struct Column {
    name: String,
    /// The first label that covers it.
    label: Option<String>,
}

impl<'l> Filter<'l> {
    /// A filter with these labels.
    #[must_use]
    pub fn new(labels: &'l Labels) -> Self {
        Self { labels, columns: RefCell::default() }
    }

    /// The answer to one line, without a line feed.
    #[must_use]
    pub fn answer(&self, line: &str) -> String {
        let question = match Question::read(line) {
            Ok(question) => question,
            Err(wrong) => {
                let id = wrong.id.unwrap_or("null");
                return format!("{{\"error\":{},\"id\":{id}}}", json!(wrong.why));
            }
        };
        let id = question.id.unwrap_or("null");
        let Some(column) = &question.column else { return found(id, &question.text, None) };
        let column = self.column(column);
        match &column.label {
            Some(label) => self.labelled(id, &question.text, label),
            None => found(id, &question.text, Some(&column.name)),
        }
    }

    fn column(&self, column: &str) -> Rc<Column> {
        let mut columns = self.columns.borrow_mut();
        if let Some(known) = columns.get(column) {
            return Rc::clone(known);
        }
        if columns.len() >= MOST_COLUMNS {
            columns.clear();
        }
        let name = column_name(column).into_owned();
        let known = Rc::new(Column { label: self.label(column, &name), name });
        columns.insert(column.to_owned(), Rc::clone(&known));
        known
    }

    /// The first label that covers the column.
    fn label(&self, column: &str, name: &str) -> Option<String> {
        let (place, relation) = column.rsplit_once('/').unwrap_or(("", column));
        let (target, database) = place.split_once('/').unwrap_or((place, ""));
        let relation = ObjectName::parse(strip_column(relation, name));
        let reference = ColumnRef {
            target,
            database,
            schema: relation.schema.as_deref().unwrap_or(""),
            relation: &relation.name,
            column: name,
        };
        self.labels.labels_of(reference).into_iter().next()
    }

    /// The answer for a text that a label covers.
    fn labelled(&self, id: &str, text: &str, label: &str) -> String {
        let findings = json!([{ "entity": label, "start": 0, "end": text.chars().count(),
                                "detector": "label", "confidence": 1.0 }]);
        let masked = match self.labels.operator(label).apply(label, text, self.labels.hash_key()) {
            Masked::Text(text) => json!(text),
            Masked::Null => json!(null),
        };
        format!("{{\"findings\":{findings},\"id\":{id},\"masked\":{masked}}}")
    }
}

/// Bytes of an answer beyond its id, text and findings; bytes that a finding takes at most, but for odd ones.
const FRAME: usize = 40;
const PER_FINDING: usize = 160;

/// The answer for a text that detectors read.
fn found(id: &str, text: &str, column: Option<&str>) -> String {
    let findings = detect(text, &FieldContext::cell(column));
    let mut out =
        String::with_capacity(FRAME + id.len() + text.len() + text.len() / 8 + findings.len() * PER_FINDING);
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
    masked(text, &findings, &mut out);
    out.push('}');
    out
}

/// Appends the text as a JSON string, each finding replaced by its mark.
fn masked(text: &str, findings: &[Finding], out: &mut String) {
    if findings.is_empty() {
        quote(text, out);
        return;
    }
    out.push('"');
    let mut at = 0;
    for finding in findings {
        escape(text.get(at..finding.bytes.start).unwrap_or(""), out);
        out.push('‹');
        out.push_str(finding.entity);
        out.push('›');
        at = finding.bytes.end;
    }
    escape(text.get(at..).unwrap_or(""), out);
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
#[path = "lines_tests.rs"]
mod tests;
