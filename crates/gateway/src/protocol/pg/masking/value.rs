//! One value: what stands in its place.
//!
//! [`mask`] gives `None` when the value stays as it is, so that rows without findings cost no allocation.
//! Bytes that are not UTF-8 (another `client_encoding`, or `bytea`) are read loosely; when something is
//! found in them the value becomes NULL, since a span of it cannot be replaced surely.

use sallyport_mask::{
    FieldContext, Masked, Operator, detect, mask_json, mask_json_leaves, mask_text, placeholder,
};

use super::plan::{ColumnPlan, Means, Treatment};
use super::shape::{Shape, element_of};
use super::{array, typed};

/// What takes the place of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// These bytes.
    Bytes(Vec<u8>),
    /// NULL.
    Null,
    /// NULL, since the value could not be read surely.
    Unread,
}

impl Change {
    /// Whether it stands for a value that could not be read: NULL, or detectors' own mark of it.
    pub(super) fn is_unread(&self) -> bool {
        match self {
            Self::Unread => true,
            Self::Null => false,
            Self::Bytes(bytes) => holds_mark(bytes, WITHHELD.as_bytes()),
        }
    }
}

/// The mark of what detectors could not read.
const WITHHELD: &str = "‹WITHHELD›";

fn holds_mark(bytes: &[u8], mark: &[u8]) -> bool {
    bytes.windows(mark.len()).any(|window| window == mark)
}

/// What takes the place of `value` in its column; nothing when it stays.
pub(super) fn mask(column: &ColumnPlan, value: &[u8], means: &Means) -> Option<Change> {
    match &column.treatment {
        Treatment::Pass => None,
        Treatment::Whole(Some(text)) => Some(Change::Bytes(fitted(column, text.clone()).into_bytes())),
        Treatment::Whole(None) => Some(Change::Null),
        Treatment::Label { label, operator } => {
            let by = Label { label, operator, means };
            Some(by.apply(column, value))
        }
        Treatment::Look => look(column.shape, column.binary, value, &FieldContext::column(&column.name)),
    }
}

/// A text that takes a value's place, no longer than the column takes; a mark that is cut is still closed.
fn fitted(column: &ColumnPlan, text: String) -> String {
    let Some(longest) = column.longest.filter(|longest| text.chars().count() > *longest) else { return text };
    match text.strip_suffix('›') {
        Some(mark) if longest > 1 => mark.chars().take(longest - 1).chain(['›']).collect(),
        _ => text.chars().take(longest).collect(),
    }
}

/// How the values of a labelled column are masked.
struct Label<'a> {
    label: &'a str,
    operator: &'a Operator,
    means: &'a Means,
}

impl Label<'_> {
    fn apply(&self, column: &ColumnPlan, value: &[u8]) -> Change {
        if *self.operator == Operator::Null {
            return Change::Null;
        }
        let masked = match column.shape {
            Shape::Text => match self.text(std::str::from_utf8(value).ok()) {
                Masked::Text(text) => Masked::Text(fitted(column, text)),
                Masked::Null => Masked::Null,
            },
            Shape::Json => self.leaves(value),
            Shape::Jsonb if !column.binary => self.leaves(value),
            Shape::Jsonb => match value.split_first() {
                Some((1, json)) => return versioned(self.leaves(json)),
                _ => return Change::Unread,
            },
            _ => return self.typed(column, value),
        };
        match masked {
            Masked::Text(text) => Change::Bytes(text.into_bytes()),
            Masked::Null => Change::Null,
        }
    }

    /// A text, or what is not UTF-8 and keeps nothing of itself.
    fn text(&self, text: Option<&str>) -> Masked {
        match text {
            Some(text) => {
                let masked = self.operator.apply(self.label, text, self.means.key.as_ref());
                self.note(&masked);
                masked
            }
            None => match self.operator {
                Operator::Null => Masked::Null,
                Operator::Constant(text) => Masked::Text(text.clone()),
                _ => Masked::Text(placeholder(self.label)),
            },
        }
    }

    fn leaves(&self, json: &[u8]) -> Masked {
        match std::str::from_utf8(json) {
            Ok(json) => Masked::Text(mask_json_leaves(json, |leaf| self.text(Some(leaf)))),
            Err(_) => Masked::Null,
        }
    }

    /// A value of any other type: by the operator where it can keep the type, element by element in an array
    /// where it keeps something of each; else NULL.
    fn typed(&self, column: &ColumnPlan, value: &[u8]) -> Change {
        let Some(element) = element_of(column.type_oid) else {
            return self.one(column.type_oid, column.binary, value);
        };
        if !self.operator.keeps_something() {
            return Change::Null;
        }
        let each = |of: u32, value: &[u8]| Some(self.element(of, column.binary, value));
        // An array without elements has nothing to mask.
        array::map(element, column.binary, value, &each).unwrap_or_else(|| Change::Bytes(value.to_vec()))
    }

    fn element(&self, of: u32, binary: bool, value: &[u8]) -> Change {
        if Shape::of(of) != Shape::Text {
            return self.one(of, binary, value);
        }
        match self.text(std::str::from_utf8(value).ok()) {
            Masked::Text(text) => Change::Bytes(text.into_bytes()),
            Masked::Null => Change::Null,
        }
    }

    fn one(&self, type_oid: u32, binary: bool, value: &[u8]) -> Change {
        let masked = || {
            let text = if binary {
                typed::to_text(type_oid, value)?
            } else {
                std::str::from_utf8(value).ok()?.to_owned()
            };
            let of = typed::value_type(type_oid);
            match self.operator.apply_to(of, self.label, &text, self.means.key.as_ref()) {
                Masked::Text(text) => {
                    let bytes =
                        if binary { typed::to_binary(type_oid, &text)? } else { text.clone().into_bytes() };
                    self.note(&Masked::Text(text));
                    Some(bytes)
                }
                Masked::Null => None,
            }
        };
        masked().map_or(Change::Null, Change::Bytes)
    }

    /// Notes a pseudonym, so that it is known when it comes back. Marks say themselves what they are.
    fn note(&self, masked: &Masked) {
        if let Masked::Text(text) = masked
            && self.operator.gives_pseudonyms()
            && !text.starts_with('‹')
        {
            self.means.handed_out.note(text);
        }
    }
}

/// `jsonb` in binary: its version byte, then text.
fn versioned(masked: Masked) -> Change {
    match masked {
        Masked::Text(text) => {
            let mut bytes = Vec::with_capacity(text.len() + 1);
            bytes.push(1);
            bytes.extend_from_slice(text.as_bytes());
            Change::Bytes(bytes)
        }
        Masked::Null => Change::Null,
    }
}

/// A value that no label covers: detectors.
pub(super) fn look(shape: Shape, binary: bool, value: &[u8], context: &FieldContext<'_>) -> Option<Change> {
    match shape {
        Shape::Plain => None,
        // An address as such: it is what the detector would find, whatever its format.
        Shape::Address => Some(Change::Null),
        Shape::Text => in_place(value, context, |text| mask_text(text, context)),
        Shape::Json => in_place(value, context, |json| mask_json(json, context)),
        Shape::Jsonb if !binary => in_place(value, context, |json| mask_json(json, context)),
        Shape::Jsonb => match value.split_first() {
            Some((1, json)) => {
                in_place(json, context, |json| mask_json(json, context)).map(|change| match change {
                    Change::Bytes(bytes) => Change::Bytes([&[1], bytes.as_slice()].concat()),
                    other => other,
                })
            }
            _ => Some(Change::Unread),
        },
        Shape::Figure(type_oid) => figure(type_oid, binary, value, context),
        Shape::Array(element) => array::look(element, binary, value, context),
        Shape::Bytes | Shape::Opaque => holds(value, context).then_some(Change::Null),
    }
}

/// A value that is text: what is found in it is replaced where it stands.
fn in_place(
    value: &[u8],
    context: &FieldContext<'_>,
    mask: impl Fn(&str) -> Option<String>,
) -> Option<Change> {
    if !context.may_hold_findings(value) {
        return None;
    }
    match std::str::from_utf8(value) {
        Ok(text) => mask(text).map(|masked| Change::Bytes(masked.into_bytes())),
        Err(_) => mask(&String::from_utf8_lossy(value)).map(|_| Change::Null),
    }
}

/// Whether anything is found in bytes of any form: as a whole, and in each run of text among bytes that no
/// text has (lengths and counts of binary forms). The first byte of a run may belong to a length, so the
/// run is also read without it.
pub(super) fn holds(value: &[u8], context: &FieldContext<'_>) -> bool {
    if !context.may_hold_findings(value) {
        return false;
    }
    let found = |bytes: &[u8]| {
        context.may_hold_findings(bytes) && !detect(&String::from_utf8_lossy(bytes), context).is_empty()
    };
    found(value)
        || value.split(|byte| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r')).any(|run| {
            run.len() < value.len() && run.len() >= 6 && (found(run) || run.get(1..).is_some_and(found))
        })
}

/// A number or day in a column whose name says what it could be. What does not read is withheld there.
fn figure(type_oid: u32, binary: bool, value: &[u8], context: &FieldContext<'_>) -> Option<Change> {
    if !binary {
        return holds(value, context).then_some(Change::Null);
    }
    match typed::to_text(type_oid, value) {
        Some(text) => mask_text(&text, context).map(|_| Change::Null),
        None => Some(Change::Unread),
    }
}

#[cfg(test)]
#[path = "value_tests.rs"]
mod tests;
