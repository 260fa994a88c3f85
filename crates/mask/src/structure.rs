//! Which key each place of a structured text belongs to: JSON, and CSV with a line of names.
//!
//! Other forms (XML, `key=value`, hstore, URLs) have the key right before the value, where
//! [`Before`](crate::context::Before) finds it. Here are those where it may stand further away: an element of
//! an array under a key, a field under a column's name. What does not read is no structure, and no harm.

use std::ops::Range;

/// The fewest and the most columns of a CSV.
const COLUMNS: Range<usize> = 2..200;

/// Values and their keys, in the order of the text.
#[derive(Debug)]
pub(crate) struct Keys {
    /// Where a value stands, and where its key.
    values: Vec<(Range<usize>, Range<usize>)>,
}

impl Keys {
    /// The keys of the text, when it has a structure that is worth it.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let values = match text.trim_start().as_bytes().first()? {
            b'{' | b'[' => json(text.as_bytes()),
            _ if text.contains('\n') => csv(text),
            _ => return None,
        };
        (!values.is_empty()).then_some(Self { values })
    }

    /// The key of the value that holds that byte.
    pub(crate) fn at<'t>(&self, text: &'t str, at: usize) -> Option<&'t str> {
        let after = self.values.partition_point(|(value, _)| value.start <= at);
        let (value, key) = self.values.get(after.checked_sub(1)?)?;
        if at < value.end { text.get(key.clone()) } else { None }
    }
}

/// Strings and numbers of a JSON text with the nearest key around them. Reads on over what is no JSON.
fn json(bytes: &[u8]) -> Vec<(Range<usize>, Range<usize>)> {
    let mut values = Vec::new();
    // Per open container: its latest key.
    let mut open: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at).copied() {
        let start = at;
        at += 1;
        match byte {
            b'{' | b'[' => {
                if open.len() >= 512 {
                    return Vec::new();
                }
                // An array's elements, and the objects in it, stand under the array's key.
                open.push(open.last().cloned().unwrap_or(0..0));
            }
            b'}' | b']' => {
                open.pop();
            }
            b'"' => {
                while let Some(byte) = bytes.get(at).copied() {
                    at += if byte == b'\\' { 2 } else { 1 };
                    if byte == b'"' {
                        break;
                    }
                }
                let inside = start + 1..at.saturating_sub(1).min(bytes.len());
                let next = bytes.iter().skip(at).find(|byte| !byte.is_ascii_whitespace());
                if next == Some(&b':') {
                    if let Some(key) = open.last_mut() {
                        *key = inside;
                    }
                } else if let Some(key) = open.last().filter(|key| !key.is_empty())
                    // A document in a string has keys of its own.
                    && !bytes.get(inside.clone()).unwrap_or(&[]).contains(&b'\\')
                {
                    values.push((inside, key.clone()));
                }
            }
            b'0'..=b'9' | b'-' => {
                while bytes
                    .get(at)
                    .is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'+' | b'-'))
                {
                    at += 1;
                }
                if let Some(key) = open.last().filter(|key| !key.is_empty()) {
                    values.push((start..at, key.clone()));
                }
            }
            _ => {}
        }
    }
    values
}

/// The fields of a CSV under the names in its first line.
fn csv(text: &str) -> Vec<(Range<usize>, Range<usize>)> {
    let (head, _) = text.split_once('\n').unwrap_or((text, ""));
    let Some(separator) = [',', ';', '\t', '|'].into_iter().max_by_key(|c| head.matches(*c).count()) else {
        return Vec::new();
    };
    let names = fields(head, 0, separator);
    let is_name = |field: &Range<usize>| {
        head.get(field.clone()).is_some_and(|name| {
            let name = name.trim().trim_matches('"');
            !name.is_empty()
                && name.len() <= 64
                && name.chars().any(char::is_alphabetic)
                && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | ' ' | '.'))
        })
    };
    if !COLUMNS.contains(&names.len()) || !names.iter().all(is_name) {
        return Vec::new();
    }
    let mut values = Vec::new();
    let mut from = head.len() + 1;
    for line in text.get(from..).unwrap_or("").split('\n') {
        let row = fields(line, from, separator);
        if row.len() == names.len() {
            values.extend(row.into_iter().zip(names.iter().cloned()));
        }
        from += line.len() + 1;
    }
    values
}

/// Where the fields of a line stand; a separator between quotes is part of its field.
fn fields(line: &str, from: usize, separator: char) -> Vec<Range<usize>> {
    let mut fields = Vec::new();
    let (mut start, mut quoted) = (0, false);
    for (at, c) in line.char_indices() {
        if c == '"' {
            quoted = !quoted;
        } else if c == separator && !quoted {
            fields.push(from + start..from + at);
            start = at + c.len_utf8();
        }
    }
    fields.push(from + start..from + line.len());
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str, value: &str) -> Option<String> {
        let keys = Keys::of(text)?;
        keys.at(text, text.find(value).unwrap()).map(str::to_owned)
    }

    #[test]
    fn a_value_in_json_has_the_nearest_key() {
        let text = r#"{"a": {"phones": ["111", {"n": 2222}, "333"]}, "b": "444", "c": "{\"d\": 5}"}"#;
        assert_eq!(key(text, "111").as_deref(), Some("phones"));
        assert_eq!(key(text, "2222").as_deref(), Some("n"));
        assert_eq!(key(text, "333").as_deref(), Some("phones"));
        assert_eq!(key(text, "444").as_deref(), Some("b"));
        assert_eq!(key(text, "5"), None);
        assert_eq!(key("[1, 2", "2"), None);
    }

    #[test]
    fn a_field_of_a_csv_has_its_columns_name() {
        let text = "name,ssn\nBob,111\n\"A, B\",222\nodd\n";
        assert_eq!(key(text, "111").as_deref(), Some("ssn"));
        assert_eq!(key(text, "222").as_deref(), Some("ssn"));
        assert_eq!(key(text, "odd"), None);
        assert_eq!(key("12,34\n56,78", "78"), None);
    }
}
