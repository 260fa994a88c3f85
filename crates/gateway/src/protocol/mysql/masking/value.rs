//! One value: what stands in its place.
//!
//! [`mask`] gives `None` when the value stays as it is. Labelled text becomes its mark, JSON is masked leaf by
//! leaf, every other type becomes NULL. Bytes that are not UTF-8 are read loosely; when something is found in
//! them the value becomes NULL, since a span of it cannot be replaced surely.

use sallyport_core::Secret;
use sallyport_mask::{
    FieldContext, Masked, Operator, detect, mask_json, mask_json_leaves, mask_text, may_hold_findings,
    placeholder,
};
use sallyport_wire::mysql::column::kind;

use super::charset::Encoding;
use super::plan::{ColumnPlan, Shape, Treatment};

/// What takes the place of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// These bytes.
    Bytes(Vec<u8>),
    /// NULL.
    Null,
}

/// What takes the place of `value` in its column; nothing when it stays.
pub(super) fn mask(
    column: &ColumnPlan,
    value: &[u8],
    binary: bool,
    key: Option<&Secret<Vec<u8>>>,
) -> Option<Change> {
    match &column.treatment {
        Treatment::Label { label, operator } => Some(labelled(column.shape, label, operator, value, key)),
        Treatment::Look => look(column, value, binary),
    }
}

fn labelled(
    shape: Shape,
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
        (Shape::Text(Encoding::Wide), _) => Masked::Null,
        (Shape::Text(encoding), _) => match apply(std::str::from_utf8(value).ok()) {
            Masked::Text(text) => Masked::Text(encoding.mark(text)),
            Masked::Null => Masked::Null,
        },
        (Shape::Json, _) => match std::str::from_utf8(value) {
            Ok(json) => Masked::Text(mask_json_leaves(json, |leaf| apply(Some(leaf)))),
            Err(_) => Masked::Null,
        },
        _ => Masked::Null,
    };
    match masked {
        Masked::Text(text) => Change::Bytes(text.into_bytes()),
        Masked::Null => Change::Null,
    }
}

/// A value that no label covers: detectors.
fn look(column: &ColumnPlan, value: &[u8], binary: bool) -> Option<Change> {
    let context = FieldContext::column(&column.name);
    match column.shape {
        Shape::Plain => None,
        Shape::Text(Encoding::Wide) => {
            holds(&Encoding::Wide.readable(value), &context).then_some(Change::Null)
        }
        Shape::Text(encoding) => in_place(value, &context, |text| {
            mask_text(text, &context).map(|masked| marked(encoding, text, masked))
        }),
        Shape::Json => in_place(value, &context, |json| mask_json(json, &context)),
        Shape::Number => number(column.kind, value, binary, &context),
        Shape::Bytes => holds(value, &context).then_some(Change::Null),
    }
}

/// Marks of ours as they read in the column's encoding.
fn marked(encoding: Encoding, text: &str, masked: String) -> String {
    if text.is_ascii() { encoding.mark(masked) } else { masked }
}

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

/// Whether anything is found in bytes of any form: as a whole, and in each run of text among bytes that no text
/// has.
fn holds(value: &[u8], context: &FieldContext<'_>) -> bool {
    if !may_hold_findings(value) {
        return false;
    }
    let found = |bytes: &[u8]| {
        may_hold_findings(bytes) && !detect(&String::from_utf8_lossy(bytes), context).is_empty()
    };
    found(value)
        || value
            .split(|byte| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r'))
            .any(|run| run.len() < value.len() && run.len() >= 6 && found(run))
}

/// A number whose column speaks of cards.
fn number(of: u8, value: &[u8], binary: bool, context: &FieldContext<'_>) -> Option<Change> {
    let text = match (of, binary) {
        (kind::LONGLONG, true) => i64::from_le_bytes(value.try_into().ok()?).to_string(),
        (kind::DOUBLE, true) => f64::from_le_bytes(value.try_into().ok()?).to_string(),
        _ => String::from_utf8_lossy(value).into_owned(),
    };
    // Most numbers are short; what a detector knows has eight digits and more.
    if text.len() < 8 {
        return None;
    }
    mask_text(&text, context).map(|_| Change::Null)
}
