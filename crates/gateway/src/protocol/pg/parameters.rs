//! Parameters as an approver reads them.

use sallyport_core::{Parameter, ParameterFormat, visible};

/// Each parameter as text; nothing for NULL.
pub(super) fn shown(parameters: &[Parameter]) -> Vec<Option<String>> {
    parameters.iter().map(|parameter| parameter.value.as_deref().map(|value| one(parameter, value))).collect()
}

fn one(parameter: &Parameter, value: &[u8]) -> String {
    if parameter.format == ParameterFormat::Text {
        return visible::text(value);
    }
    binary(parameter.type_id, value).unwrap_or_else(|| {
        let digits: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("\\x{digits} (binary, type {})", parameter.type_id)
    })
}

/// The binary forms that drivers send most, by type: `bool`, `int2`, `int4`, `int8`, `oid`, `float4`,
/// `float8`, `text`, `varchar`, `bpchar`, `name`, `uuid`, `json`, `jsonb`.
fn binary(type_id: u32, value: &[u8]) -> Option<String> {
    Some(match type_id {
        16 => (*value.first()? != 0).to_string(),
        21 => i16::from_be_bytes(value.try_into().ok()?).to_string(),
        23 => i32::from_be_bytes(value.try_into().ok()?).to_string(),
        20 => i64::from_be_bytes(value.try_into().ok()?).to_string(),
        26 => u32::from_be_bytes(value.try_into().ok()?).to_string(),
        700 => f32::from_be_bytes(value.try_into().ok()?).to_string(),
        701 => f64::from_be_bytes(value.try_into().ok()?).to_string(),
        19 | 25 | 114 | 1042 | 1043 => visible::text(value),
        3802 => visible::text(value.strip_prefix(&[1])?),
        2950 => {
            let bytes: [u8; 16] = value.try_into().ok()?;
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            let part = |from, to| hex.get(from..to).unwrap_or_default();
            format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_approver_reads_values_not_bytes() {
        let parameter =
            |type_id, format, value: &[u8]| Parameter { type_id, format, value: Some(value.to_vec()) };
        let shown = shown(&[
            parameter(23, ParameterFormat::Binary, &42_i32.to_be_bytes()),
            parameter(25, ParameterFormat::Text, "a\u{202e}b".as_bytes()),
            parameter(99, ParameterFormat::Binary, &[0xff]),
            Parameter { type_id: 25, format: ParameterFormat::Text, value: None },
        ]);
        assert_eq!(
            shown,
            [Some("42".into()), Some("a\\u{202e}b".into()), Some("\\xff (binary, type 99)".into()), None]
        );
    }
}
