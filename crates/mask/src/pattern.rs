//! Which columns a line of `labels.toml` names: `target/database/schema.relation.column`.
//!
//! Each part may hold `*` (any run of characters). A part without quotes matches in any case: a label on
//! `email` also covers a column created as `"Email"`, since a label that misses is worse than one that
//! covers too much. A part in double quotes is literal (`*` too) and matches exactly, `""` standing for a
//! quote, as in SQL.

use sallyport_core::ColumnRef;

/// One part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// Quoted: exactly this.
    Exact(String),
    /// Folded to lower case; `*` stands for any run.
    Glob(String),
}

impl Part {
    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Exact(text) => text == name,
            Self::Glob(glob) if glob == "*" => true,
            Self::Glob(glob) => matches_glob(glob.as_bytes(), name.to_lowercase().as_bytes()),
        }
    }
}

/// Matches with one point of return, so that no pattern takes more than `glob * name` steps.
fn matches_glob(glob: &[u8], name: &[u8]) -> bool {
    let (mut at_glob, mut at_name) = (0usize, 0usize);
    let mut retry: Option<(usize, usize)> = None;
    while at_name < name.len() {
        match glob.get(at_glob) {
            Some(b'*') => {
                retry = Some((at_glob + 1, at_name));
                at_glob += 1;
            }
            Some(byte) if name.get(at_name) == Some(byte) => {
                at_glob += 1;
                at_name += 1;
            }
            _ => match retry {
                Some((after_star, taken)) => {
                    retry = Some((after_star, taken + 1));
                    at_glob = after_star;
                    at_name = taken + 1;
                }
                None => return false,
            },
        }
    }
    glob.iter().skip(at_glob).all(|byte| *byte == b'*')
}

/// A pattern over columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ColumnPattern {
    target: Part,
    database: Part,
    schema: Part,
    relation: Part,
    column: Part,
}

impl ColumnPattern {
    /// Reads `target/database/schema.relation.column`; nothing when it is not of that form.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let [target, database, schema, relation, column] =
            <[(Part, char); 5]>::try_from(split(text)?).ok()?;
        let separators = [target.1, database.1, schema.1, relation.1, column.1];
        (separators == ['/', '/', '.', '.', '\0']).then_some(Self {
            target: target.0,
            database: database.0,
            schema: schema.0,
            relation: relation.0,
            column: column.0,
        })
    }

    /// Whether the pattern can name a column of that database of that target.
    pub(crate) fn names_database(&self, target: &str, database: &str) -> bool {
        self.target.matches(target) && self.database.matches(database)
    }

    /// Whether the pattern can name a column of that relation.
    pub(crate) fn names_relation(&self, column: &ColumnRef<'_>) -> bool {
        self.target.matches(column.target)
            && self.database.matches(column.database)
            && self.schema.matches(column.schema)
            && self.relation.matches(column.relation)
    }

    /// Whether, within its relation, the pattern names that column.
    pub(crate) fn names_column(&self, column: &str) -> bool {
        self.column.matches(column)
    }
}

/// The parts, each with the separator behind it (`\0` behind the last).
///
/// Target names hold dots (`db.internal`), so a dot separates only once two slashes have passed.
fn split(text: &str) -> Option<Vec<(Part, char)>> {
    let mut parts = Vec::with_capacity(5);
    let mut slashes = 0;
    let mut chars = text.chars().peekable();
    loop {
        let mut part = String::new();
        let quoted = chars.peek() == Some(&'"');
        let mut separator = '\0';
        if quoted {
            chars.next();
            loop {
                match chars.next()? {
                    '"' if chars.peek() == Some(&'"') => {
                        chars.next();
                        part.push('"');
                    }
                    '"' => break,
                    c => part.push(c),
                }
            }
            match chars.next() {
                None => {}
                Some(c @ ('/' | '.')) => separator = c,
                Some(_) => return None,
            }
        } else {
            for c in chars.by_ref() {
                match c {
                    '/' => separator = '/',
                    '.' if slashes >= 2 => separator = '.',
                    '"' => return None,
                    c if c.is_whitespace() || c.is_control() => return None,
                    c => {
                        part.extend(c.to_lowercase());
                        continue;
                    }
                }
                break;
            }
        }
        if part.is_empty() {
            return None;
        }
        if separator == '/' {
            slashes += 1;
        }
        parts.push((if quoted { Part::Exact(part) } else { Part::Glob(part) }, separator));
        if separator == '\0' {
            return Some(parts);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(pattern: &str, relation: [&str; 4], column: &str) -> bool {
        let pattern = ColumnPattern::parse(pattern).unwrap();
        let [target, database, schema, relation] = relation;
        pattern.names_relation(&ColumnRef { target, database, schema, relation, column })
            && pattern.names_column(column)
    }

    #[test]
    fn parts_are_matched_in_their_places() {
        let users = ["shop-prod", "shop", "public", "users"];
        assert!(names("shop-prod/shop/public.users.email", users, "email"));
        assert!(names("*/*/*.*.email", users, "email"));
        assert!(names("shop-*/s*p/pub*.us*s.*mail*", users, "email"));
        assert!(!names("shop-prod/shop/public.users.email", users, "name"));
        assert!(!names("shop-dev/shop/public.users.email", users, "email"));
        assert!(!names("*/*/*.user.email", users, "email"));
    }

    #[test]
    fn unquoted_parts_match_in_any_case_and_quoted_ones_exactly() {
        let odd = ["shop", "shop", "public", "Users"];
        assert!(names("*/*/public.users.email", odd, "Email"));
        assert!(names("*/*/PUBLIC.USERS.EMAIL", odd, "email"));
        assert!(names("*/*/*.\"Users\".\"E.mail\"", odd, "E.mail"));
        assert!(!names("*/*/*.\"users\".*", odd, "email"));
        assert!(!names("*/*/*.*.\"*\"", odd, "email"));
        assert!(names("db.internal/*/*.*.email", ["db.internal", "a", "b", "c"], "email"));
    }

    #[test]
    fn other_forms_are_refused() {
        for text in
            ["", "email", "users.email", "a/b/c.d", "a/b/c.d.e.f", "a/b/c..e", "a/b/c.d.\"e", "a b/c/d.e.f"]
        {
            assert_eq!(ColumnPattern::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_hostile_glob_ends() {
        let glob = "*a".repeat(40);
        assert!(!matches_glob(glob.as_bytes(), "a".repeat(39).as_bytes()));
        assert!(matches_glob(glob.as_bytes(), "a".repeat(40).as_bytes()));
    }
}
