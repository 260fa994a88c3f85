//! Names of what an action touches.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How a target writes a name that is not a plain lower-case identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Quoting {
    /// `"Odd name"`: standard SQL, PostgreSQL.
    Double,
    /// `` `Odd name` ``: MySQL and MariaDB.
    Backtick,
    /// As it is: paths, programs, hosts. Such a name has no schema.
    Verbatim,
}

/// A name as the target resolved it. Shown as `schema.name`, a part that is not a plain lower-case
/// identifier quoted the target's way, so that the text reads back to the same parts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectName {
    /// Schema (PostgreSQL) or database (MySQL), where the text or the catalog settles it.
    pub schema: Option<String>,
    /// The name itself: relation, function, setting, path…
    pub name: String,
    /// How it is shown.
    pub quoting: Quoting,
}

impl ObjectName {
    /// A name in a schema, PostgreSQL's way.
    #[must_use]
    pub fn in_schema(schema: &str, name: &str) -> Self {
        Self { schema: Some(schema.to_owned()), name: name.to_owned(), quoting: Quoting::Double }
    }

    /// A name without a schema, PostgreSQL's way.
    #[must_use]
    pub fn bare(name: &str) -> Self {
        Self { schema: None, name: name.to_owned(), quoting: Quoting::Double }
    }

    /// A name MySQL's way, in a database where that is known.
    #[must_use]
    pub fn mysql(database: Option<&str>, name: &str) -> Self {
        Self { schema: database.map(str::to_owned), name: name.to_owned(), quoting: Quoting::Backtick }
    }

    /// A path, program or host, shown as it is.
    #[must_use]
    pub fn verbatim(text: &str) -> Self {
        Self { schema: None, name: text.to_owned(), quoting: Quoting::Verbatim }
    }

    /// Reads the shown form back. What is neither SQL's form is taken verbatim, so the same text is shown
    /// again in every case.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        for quoting in [Quoting::Double, Quoting::Backtick] {
            if let Some(name) = Self::parse_quoted(text, quoting)
                && name.to_string() == text
            {
                return name;
            }
        }
        Self::verbatim(text)
    }

    fn parse_quoted(text: &str, quoting: Quoting) -> Option<Self> {
        let mark = quoting.mark()?;
        let mut parts: Vec<String> = vec![String::new()];
        let mut chars = text.chars().peekable();
        let mut quoted = false;
        while let Some(c) = chars.next() {
            match c {
                c if c == mark && quoted && chars.peek() == Some(&mark) => {
                    chars.next();
                    parts.last_mut()?.push(mark);
                }
                c if c == mark => quoted = !quoted,
                '.' if !quoted => parts.push(String::new()),
                c => parts.last_mut()?.push(c),
            }
        }
        match <[String; 2]>::try_from(parts) {
            Ok([schema, name]) => Some(Self { schema: Some(schema), name, quoting }),
            Err(parts) if parts.len() == 1 => Some(Self { schema: None, name: parts.concat(), quoting }),
            Err(_) => None,
        }
    }
}

impl Quoting {
    fn mark(self) -> Option<char> {
        match self {
            Self::Double => Some('"'),
            Self::Backtick => Some('`'),
            Self::Verbatim => None,
        }
    }
}

fn is_plain(part: &str) -> bool {
    part.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b == b'_')
        && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'$')
}

fn write_part(f: &mut fmt::Formatter<'_>, part: &str, quoting: Quoting) -> fmt::Result {
    match quoting.mark() {
        Some(mark) if !is_plain(part) => {
            write!(f, "{mark}{}{mark}", part.replace(mark, &format!("{mark}{mark}")))
        }
        _ => f.write_str(part),
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write_part(f, schema, self.quoting)?;
            f.write_str(".")?;
        }
        write_part(f, &self.name, self.quoting)
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
    fn shown_text_reads_back_to_the_same_text() {
        for text in ["a.b", "\"a", "a``", "", ".", "a.b.c", "\"A\".`B`", "Users", "x y", "`a`.\"b\""] {
            assert_eq!(ObjectName::parse(text).to_string(), text);
        }
    }

    #[test]
    fn shown_names_read_back() {
        for name in [
            ObjectName::in_schema("public", "users"),
            ObjectName::in_schema("public", "public.users"),
            ObjectName::in_schema("Odd\"", "a.b"),
            ObjectName::bare("Strange"),
            ObjectName::bare("search_path"),
            ObjectName::mysql(Some("shop"), "odd name"),
            ObjectName::mysql(None, "a`.b"),
            ObjectName::verbatim("/etc/passwd"),
            ObjectName::verbatim("../a.b.c"),
            ObjectName::verbatim("api.example.com/v1/users"),
        ] {
            assert_eq!(ObjectName::parse(&name.to_string()), name, "{name}");
        }
        assert_eq!(ObjectName::mysql(Some("shop"), "odd name").to_string(), "shop.`odd name`");
        assert_eq!(ObjectName::in_schema("public", "public.users").to_string(), "public.\"public.users\"");
    }
}
