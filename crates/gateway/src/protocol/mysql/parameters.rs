//! Parameters of an execution: as an operation keeps them, and as an approver reads them.

use sallyport_core::{Parameter, ParameterFormat, visible};
use sallyport_wire::mysql::bulk::Given;
use sallyport_wire::mysql::column::kind;
use sallyport_wire::mysql::command::ParameterType;

/// Set in a type's number when the value has no sign.
const UNSIGNED: u32 = 0x100;
/// Set when the column's default stands in the value's place.
const DEFAULT: u32 = 0x200;
/// Set when the column is left out.
const IGNORE: u32 = 0x400;

/// A parameter as the digest binds it and the recording keeps it.
pub(super) fn kept(of: ParameterType, value: Option<Vec<u8>>) -> Parameter {
    let sign = if of.unsigned { UNSIGNED } else { 0 };
    let format = if is_text(of.kind) { ParameterFormat::Text } else { ParameterFormat::Binary };
    Parameter { type_id: u32::from(of.kind) | sign, format, value }
}

/// The same of one among many rows.
pub(super) fn given(of: ParameterType, value: Given<'_>) -> Parameter {
    let (value, instead) = match value {
        Given::Bytes(bytes) => (Some(bytes.to_vec()), 0),
        Given::Null => (None, 0),
        Given::Default => (None, DEFAULT),
        Given::Ignore => (None, IGNORE),
    };
    let mut parameter = kept(of, value);
    parameter.type_id |= instead;
    parameter
}

fn is_text(of: u8) -> bool {
    matches!(
        of,
        kind::DECIMAL
            | kind::NEWDECIMAL
            | kind::VARCHAR
            | kind::VAR_STRING
            | kind::STRING
            | kind::ENUM
            | kind::SET
            | kind::JSON
    )
}

/// Each parameter as text; nothing for NULL.
pub(super) fn shown(parameters: &[Parameter]) -> Vec<Option<String>> {
    let shown = |parameter: &Parameter| match &parameter.value {
        Some(value) => Some(one(parameter, value)),
        None if parameter.type_id & DEFAULT != 0 => Some("(the column's default)".to_owned()),
        None if parameter.type_id & IGNORE != 0 => Some("(left out)".to_owned()),
        None => None,
    };
    parameters.iter().map(shown).collect()
}

fn one(parameter: &Parameter, value: &[u8]) -> String {
    if parameter.format == ParameterFormat::Text {
        return visible::bytes(value);
    }
    let unsigned = parameter.type_id & UNSIGNED != 0;
    let of = u8::try_from(parameter.type_id & 0xff).unwrap_or(kind::NULL);
    binary(of, unsigned, value).unwrap_or_else(|| {
        let digits: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("0x{digits}")
    })
}

/// A number or time, as the server would write it; bytes that are text as text.
fn binary(of: u8, unsigned: bool, value: &[u8]) -> Option<String> {
    Some(match (of, unsigned) {
        (kind::TINY, true) => u8::from_le_bytes(value.try_into().ok()?).to_string(),
        (kind::TINY, false) => i8::from_le_bytes(value.try_into().ok()?).to_string(),
        (kind::SHORT | kind::YEAR, true) => u16::from_le_bytes(value.try_into().ok()?).to_string(),
        (kind::SHORT | kind::YEAR, false) => i16::from_le_bytes(value.try_into().ok()?).to_string(),
        (kind::LONG | kind::INT24, true) => u32::from_le_bytes(value.try_into().ok()?).to_string(),
        (kind::LONG | kind::INT24, false) => i32::from_le_bytes(value.try_into().ok()?).to_string(),
        (kind::LONGLONG, true) => u64::from_le_bytes(value.try_into().ok()?).to_string(),
        (kind::LONGLONG, false) => i64::from_le_bytes(value.try_into().ok()?).to_string(),
        (kind::FLOAT, _) => f32::from_le_bytes(value.try_into().ok()?).to_string(),
        (kind::DOUBLE, _) => f64::from_le_bytes(value.try_into().ok()?).to_string(),
        (kind::DATE | kind::DATETIME | kind::TIMESTAMP, _) => date(value)?,
        (kind::TIME, _) => time(value)?,
        (kind::TINY_BLOB..=kind::BLOB, _) => visible::text(std::str::from_utf8(value).ok()?.as_bytes()),
        _ => return None,
    })
}

fn micros(bytes: &[u8]) -> Option<u32> {
    bytes.try_into().ok().map(u32::from_le_bytes)
}

fn date(value: &[u8]) -> Option<String> {
    let (day, rest) = match value.split_first_chunk::<4>() {
        None => return value.is_empty().then(|| "0000-00-00".to_owned()),
        Some((&[low, high, month, day], rest)) => {
            (format!("{:04}-{month:02}-{day:02}", u16::from_le_bytes([low, high])), rest)
        }
    };
    Some(match *rest {
        [] => day,
        [hour, minute, second] => format!("{day} {hour:02}:{minute:02}:{second:02}"),
        [hour, minute, second, ref part @ ..] => {
            format!("{day} {hour:02}:{minute:02}:{second:02}.{:06}", micros(part)?)
        }
        _ => return None,
    })
}

fn time(value: &[u8]) -> Option<String> {
    let (negative, days, clock) = match *value {
        [] => return Some("00:00:00".to_owned()),
        [negative, a, b, c, d, ref clock @ ..] => (negative, u32::from_le_bytes([a, b, c, d]), clock),
        _ => return None,
    };
    let sign = if negative == 1 { "-" } else { "" };
    match *clock {
        [hour, minute, second] => Some(format!("{sign}{days}d {hour:02}:{minute:02}:{second:02}")),
        [hour, minute, second, ref part @ ..] => {
            Some(format!("{sign}{days}d {hour:02}:{minute:02}:{second:02}.{:06}", micros(part)?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_approver_reads_values_not_bytes() {
        let of = |kind, unsigned| ParameterType { kind, unsigned };
        let parameters = [
            kept(of(kind::LONG, false), Some((-5_i32).to_le_bytes().to_vec())),
            kept(of(kind::LONGLONG, true), Some(u64::MAX.to_le_bytes().to_vec())),
            kept(of(kind::VAR_STRING, false), Some("a\u{202e}b".into())),
            kept(of(kind::BLOB, false), Some(vec![0xff, 0])),
            kept(of(kind::DATETIME, false), Some(vec![0xe4, 7, 2, 29, 23, 5, 9])),
            kept(of(kind::TIME, false), Some(vec![1, 1, 0, 0, 0, 2, 3, 4])),
            kept(of(kind::NULL, false), None),
            given(of(kind::LONG, true), Given::Bytes(&[7, 0, 0, 0])),
            given(of(kind::LONG, true), Given::Null),
            given(of(kind::LONG, true), Given::Default),
            given(of(kind::LONG, true), Given::Ignore),
        ];
        assert_eq!(
            shown(&parameters),
            [
                Some("-5".into()),
                Some("18446744073709551615".into()),
                Some("a\\u{202e}b".into()),
                Some("0xff00".into()),
                Some("2020-02-29 23:05:09".into()),
                Some("-1d 02:03:04".into()),
                None,
                Some("7".into()),
                None,
                Some("(the column's default)".into()),
                Some("(left out)".into()),
            ]
        );
        // An approval is for what was left to the server, too: all four are other parameters.
        let rest: std::collections::HashSet<_> = parameters.iter().skip(6).collect();
        assert_eq!(rest.len(), 5);
    }
}
