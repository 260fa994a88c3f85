//! Names of what an action touches.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A name as the target resolved it. Shown as `schema.name`, a part that is not a plain lower-case
/// identifier in double quotes, so that the text reads back to the same parts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectName {
    /// Schema, where the text or the catalog settles it.
    pub schema: Option<String>,
    /// The name itself: relation, function, setting, path…
    pub name: String,
}

impl ObjectName {
    /// A name in a schema.
    #[must_use]
    pub fn in_schema(schema: &str, name: &str) -> Self {
        Self { schema: Some(schema.to_owned()), name: name.to_owned() }
    }

    /// A name without a schema.
    #[must_use]
    pub fn bare(name: &str) -> Self {
        Self { schema: None, name: name.to_owned() }
    }

    /// Reads the shown form back. Text that is not of that form is taken as one bare name.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut parts: Vec<String> = vec![String::new()];
        let mut chars = text.chars().peekable();
        let mut quoted = false;
        while let Some(c) = chars.next() {
            match c {
                '"' if quoted && chars.peek() == Some(&'"') => {
                    chars.next();
                    if let Some(part) = parts.last_mut() {
                        part.push('"');
                    }
                }
                '"' => quoted = !quoted,
                '.' if !quoted => parts.push(String::new()),
                c => {
                    if let Some(part) = parts.last_mut() {
                        part.push(c);
                    }
                }
            }
        }
        match <[String; 2]>::try_from(parts) {
            Ok([schema, name]) => Self { schema: Some(schema), name },
            Err(parts) if parts.len() == 1 => Self { schema: None, name: parts.concat() },
            Err(_) => Self::bare(text),
        }
    }
}

fn is_plain(part: &str) -> bool {
    part.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b == b'_')
        && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'$')
}

fn write_part(f: &mut fmt::Formatter<'_>, part: &str) -> fmt::Result {
    if is_plain(part) { f.write_str(part) } else { write!(f, "\"{}\"", part.replace('"', "\"\"")) }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write_part(f, schema)?;
            f.write_str(".")?;
        }
        write_part(f, &self.name)
    }
}

impl Serialize for ObjectName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ObjectName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self::parse(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_names_read_back() {
        for name in [
            ObjectName::in_schema("public", "users"),
            ObjectName::in_schema("public", "public.users"),
            ObjectName::in_schema("Odd\"", "a.b"),
            ObjectName::bare("Strange"),
            ObjectName::bare("search_path"),
        ] {
            assert_eq!(ObjectName::parse(&name.to_string()), name, "{name}");
        }
        assert_eq!(ObjectName::in_schema("public", "public.users").to_string(), "public.\"public.users\"");
    }
}
