//! One value: what stands in its place.
//!
//! [`mask`] gives `None` when the value stays as it is, so that rows without findings cost no allocation.
//! Bytes that are not UTF-8 (another `client_encoding`, or `bytea`) are read loosely; when something is
//! found in them the value becomes NULL, since a span of it cannot be replaced surely.

use sallyport_core::Secret;
use sallyport_mask::{
    FieldContext, Masked, Operator, detect, mask_json, mask_json_leaves, mask_text, may_hold_findings,
    placeholder,
};

use super::array;
use super::plan::{ColumnPlan, Treatment};
use super::shape::Shape;

/// What takes the place of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// These bytes.
    Bytes(Vec<u8>),
    /// NULL.
    Null,
}

/// What takes the place of `value` in its column; nothing when it stays.
pub(super) fn mask(column: &ColumnPlan, value: &[u8], key: Option<&Secret<Vec<u8>>>) -> Option<Change> {
    match &column.treatment {
        Treatment::Pass => None,
        Treatment::Whole(Some(text)) => Some(Change::Bytes(text.clone().into_bytes())),
        Treatment::Whole(None) => Some(Change::Null),
        Treatment::Label { label, operator } => {
            Some(labelled(column.shape, column.binary, label, operator, value, key))
        }
        Treatment::Look => look(column.shape, column.binary, value, &FieldContext::column(&column.name)),
    }
}

/// A value of a labelled column.
fn labelled(
    shape: Shape,
    binary: bool,
    label: &str,
    operator: &Operator,
    value: &[u8],
    key: Option<&Secret<Vec<u8>>>,
) -> Change {
    // What is not UTF-8 keeps nothing of itself.
    let apply = |text: Option<&str>| match text {
        Some(text) => operator.apply(label, text, key),
        None => match operator {
            Operator::Null => Masked::Null,
            Operator::Constant(text) => Masked::Text(text.clone()),
            _ => Masked::Text(placeholder(label)),
        },
    };
    let masked = match (shape, operator) {
        (_, Operator::Null) => Masked::Null,
        (Shape::Text, _) => apply(std::str::from_utf8(value).ok()),
        (Shape::Json, _) => leaves(value, apply),
        (Shape::Jsonb, _) if !binary => leaves(value, apply),
        (Shape::Jsonb, _) => match value.split_first() {
            Some((1, json)) => return versioned(leaves(json, apply)),
            _ => Masked::Null,
        },
        _ => Masked::Null,
    };
    match masked {
        Masked::Text(text) => Change::Bytes(text.into_bytes()),
        Masked::Null => Change::Null,
    }
}

fn leaves(json: &[u8], apply: impl Fn(Option<&str>) -> Masked) -> Masked {
    match std::str::from_utf8(json) {
        Ok(json) => Masked::Text(mask_json_leaves(json, |leaf| apply(Some(leaf)))),
        Err(_) => Masked::Null,
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
                    Change::Null => Change::Null,
                })
            }
            _ => Some(Change::Null),
        },
        Shape::Number if binary => number(value, context),
        Shape::Array(element) => array::look(element, binary, value, context),
        Shape::Number | Shape::Bytes | Shape::Opaque => holds(value, context).then_some(Change::Null),
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
    if !may_hold_findings(value) {
        return false;
    }
    let found = |bytes: &[u8]| {
        may_hold_findings(bytes) && !detect(&String::from_utf8_lossy(bytes), context).is_empty()
    };
    found(value)
        || value.split(|byte| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r')).any(|run| {
            run.len() < value.len() && run.len() >= 6 && (found(run) || run.get(1..).is_some_and(found))
        })
}

/// `int8` in binary; `numeric` there is in base 10 000 and withheld where its column speaks of cards.
fn number(value: &[u8], context: &FieldContext<'_>) -> Option<Change> {
    match <[u8; 8]>::try_from(value) {
        Ok(bytes) => {
            let text = i64::from_be_bytes(bytes).to_string();
            mask_text(&text, context).map(|_| Change::Null)
        }
        Err(_) => Some(Change::Null),
    }
}

#[cfg(test)]
#[path = "value_tests.rs"]
mod tests;
