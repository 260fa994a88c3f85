//! What an operation would do, by the target's own grammar.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::object::ObjectName;
use crate::verb::{Group, Verb};

/// The language an operation was written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// PostgreSQL's SQL.
    Postgres,
    /// The SQL of MySQL and MariaDB.
    Mysql,
    /// A POSIX shell or bash.
    Shell,
    /// A request to an HTTP API.
    Http,
}

impl Language {
    /// The word used everywhere.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Mysql => "mysql",
            Self::Shell => "shell",
            Self::Http => "http",
        }
    }
}

/// Why something was not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnknownCode {
    /// The target's grammar rejects it.
    Unparsable,
    /// A node or command that the inspector has no rule for.
    Unsupported,
    /// Text built at run time.
    Dynamic,
    /// The target could read it another way than we do.
    Ambiguous,
    /// Invalid bytes, or a NUL.
    Encoding,
    /// Larger or deeper than the inspector reads.
    TooLarge,
}

impl UnknownCode {
    /// The word used everywhere.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unparsable => "unparsable",
            Self::Unsupported => "unsupported",
            Self::Dynamic => "dynamic",
            Self::Ambiguous => "ambiguous",
            Self::Encoding => "encoding",
            Self::TooLarge => "too-large",
        }
    }
}

/// What was not understood. Never harmless.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Unknown {
    /// The kind of gap.
    pub code: UnknownCode,
    /// For the recording and the operator; may quote the text, so it is not for callers.
    pub detail: String,
}

/// How far a condition narrows an update or delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Condition {
    /// There is none.
    None,
    /// There is one, and it does not depend on the row.
    Constant,
    /// There is one.
    Some,
}

impl Condition {
    /// The word used everywhere.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Constant => "constant",
            Self::Some => "some",
        }
    }
}

/// One thing the operation would do to one object.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "WrittenAction")]
pub struct Action {
    /// The action.
    pub action: Verb,
    /// Its group; always `action.group()`.
    pub group: Group,
    /// What sort of object: table, view, function, role…
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The object, resolved as the target would.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectName>,
    /// Columns read or written; `*` until a catalog expands it. Sorted, without repeats.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// Columns used in conditions, joins, ordering and grouping. Sorted, without repeats.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<String>,
    /// For update and delete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<Condition>,
    /// The table of an index, trigger, policy or rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<ObjectName>,
    /// Grantees, new owner.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<String>,
    /// Of a program that is run: its words as the program gets them, its own name first. A word that is
    /// built at run time stands as it was written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub argv: Vec<String>,
    /// What an API document or a GraphQL text calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
}

/// An action as it is written: the word of its action means something only together with its group.
#[derive(Deserialize)]
struct WrittenAction {
    action: String,
    group: Group,
    kind: Option<String>,
    object: Option<ObjectName>,
    #[serde(default)]
    columns: Vec<String>,
    #[serde(default)]
    filters: Vec<String>,
    condition: Option<Condition>,
    on: Option<ObjectName>,
    #[serde(default)]
    to: Vec<String>,
    #[serde(default)]
    argv: Vec<String>,
    operation: Option<String>,
}

impl TryFrom<WrittenAction> for Action {
    type Error = String;

    fn try_from(written: WrittenAction) -> Result<Self, String> {
        let action = Verb::parse(written.group, &written.action)
            .ok_or_else(|| format!("no such action in the group {}", written.group))?;
        Ok(Self {
            action,
            group: written.group,
            kind: written.kind,
            object: written.object,
            columns: written.columns,
            filters: written.filters,
            condition: written.condition,
            on: written.on,
            to: written.to,
            argv: written.argv,
            operation: written.operation,
        })
    }
}

impl Action {
    /// An action without an object.
    #[must_use]
    pub fn new(action: Verb) -> Self {
        Self {
            action,
            group: action.group(),
            kind: None,
            object: None,
            columns: Vec::new(),
            filters: Vec::new(),
            condition: None,
            on: None,
            to: Vec::new(),
            argv: Vec::new(),
            operation: None,
        }
    }

    /// An action on an object.
    #[must_use]
    pub fn on_object(action: Verb, kind: &str, object: ObjectName) -> Self {
        Self { kind: Some(kind.to_owned()), object: Some(object), ..Self::new(action) }
    }
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.action)?;
        if let Some(kind) = &self.kind {
            write!(f, " {kind}")?;
        }
        if let Some(object) = &self.object {
            write!(f, " {object}")?;
        }
        if !self.columns.is_empty() {
            write!(f, " ({})", self.columns.join(","))?;
        }
        if !self.filters.is_empty() {
            write!(f, " by ({})", self.filters.join(","))?;
        }
        if let Some(condition) = self.condition {
            write!(f, " where={}", condition.as_str())?;
        }
        if let Some(on) = &self.on {
            write!(f, " on {on}")?;
        }
        if !self.to.is_empty() {
            write!(f, " to {}", self.to.join(","))?;
        }
        if !self.argv.is_empty() {
            write!(f, " argv={:?}", self.argv)?;
        }
        if let Some(operation) = &self.operation {
            write!(f, " operation={operation}")?;
        }
        Ok(())
    }
}

/// Everything an operation would do.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Facts {
    /// The language it was read in.
    pub language: Language,
    /// How many statements the text holds.
    pub statements: usize,
    /// Nothing only when all of it is understood.
    pub unknown: Option<Unknown>,
    /// At least one for every statement; sorted, without repeats.
    pub actions: Vec<Action>,
}

impl Facts {
    /// Facts of a text that could not be read at all.
    #[must_use]
    pub fn unknown(language: Language, code: UnknownCode, detail: impl Into<String>) -> Self {
        Self {
            language,
            statements: 0,
            unknown: Some(Unknown { code, detail: detail.into() }),
            actions: Vec::new(),
        }
    }

    /// Whether any action belongs to the group.
    #[must_use]
    pub fn touches(&self, group: Group) -> bool {
        self.actions.iter().any(|action| action.group == group)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let listens = Action { argv: vec!["nc".into(), "-l".into()], ..Action::new(Verb::ListenOn) };
        let deletes = Action {
            operation: Some("deleteUser".into()),
            ..Action::on_object(Verb::HttpDelete, "path", ObjectName::verbatim("api.example.com/users/{id}"))
        };
        let facts = Facts {
            language: Language::Shell,
            statements: 1,
            unknown: None,
            actions: vec![listens, deletes],
        };
        let text = serde_json::to_string(&facts).unwrap();
        assert_eq!(serde_json::from_str::<Facts>(&text).unwrap(), facts);
        let mixed = r#"{"action": "fetch", "group": "read"}"#;
        assert!(serde_json::from_str::<Action>(mixed).is_err(), "a word of another group");
    }
}
