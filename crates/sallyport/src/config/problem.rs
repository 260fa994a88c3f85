//! What is wrong with a configuration, and on which line.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;
use toml::de::{DeTable, DeValue};

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ConfigProblem {
    /// The file.
    pub(crate) file: PathBuf,
    /// The line, from 1, where it could be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<usize>,
    /// The setting, as `target.shop-prod.address`; empty when it is the file as a whole.
    pub(crate) setting: String,
    /// What is wrong, one lower-case sentence.
    pub(crate) message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<String>,
}

impl ConfigProblem {
    /// A problem of the file as a whole.
    pub(crate) fn new(file: &Path, message: impl Into<String>) -> Self {
        Self {
            file: file.to_path_buf(),
            line: None,
            setting: String::new(),
            message: message.into(),
            hint: None,
        }
    }

    /// With what to do.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A problem of TOML itself or of the file's shape.
    pub(crate) fn from_toml(file: &Path, text: &str, error: &toml::de::Error) -> Self {
        let line = error.span().map(|span| line_of(text, span.start));
        Self { line, ..Self::new(file, error.message().trim().replace('\n', "; ")) }
    }
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        f.write_str(": ")?;
        if !self.setting.is_empty() {
            write!(f, "{}: ", self.setting)?;
        }
        f.write_str(&self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, "\n  {hint}")?;
        }
        Ok(())
    }
}

/// Every problem of one configuration; never empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Problems(pub(crate) Vec<ConfigProblem>);

impl Problems {
    /// A single problem.
    pub(crate) fn one(problem: ConfigProblem) -> Self {
        Self(vec![problem])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, problem) in self.0.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// One step into the file: a key, or a place in an array.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step<'a> {
    /// A table's key.
    Key(&'a str),
    /// An array's element.
    At(usize),
}

/// The line on which the setting stands: the deepest step that is there, so that a missing setting is
/// shown at its table.
pub(crate) fn locate(text: &str, path: &[Step<'_>]) -> Option<usize> {
    let root = DeTable::parse(text).ok()?;
    let (Step::Key(first), rest) = path.split_first()? else { return None };
    let (key, value) = root.get_ref().get_key_value(*first)?;
    let mut value = value;
    let mut start = key.span().start;
    for step in rest {
        let next = match (step, value.get_ref()) {
            (Step::Key(key), DeValue::Table(table)) => {
                table.get_key_value(*key).map(|(key, value)| (key.span().start, value))
            }
            (Step::At(index), DeValue::Array(array)) => {
                array.get(*index).map(|value| (value.span().start, value))
            }
            _ => None,
        };
        let Some((at, next)) = next else { break };
        (start, value) = (at, next);
    }
    Some(line_of(text, start))
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_found_on_their_line() {
        let text = "a = 1\n[[target]]\nname = 'x'\n[[target]]\nname = 'y'\ntls = { mode = 'z' }\n";
        let target = |index, key| locate(text, &[Step::Key("target"), Step::At(index), Step::Key(key)]);
        assert_eq!(target(1, "name"), Some(5));
        assert_eq!(target(1, "absent"), Some(4), "a missing key is shown at its table");
        assert_eq!(
            locate(text, &[Step::Key("target"), Step::At(1), Step::Key("tls"), Step::Key("mode")]),
            Some(6)
        );
        assert_eq!(locate(text, &[Step::Key("nothing")]), None);
    }
}
