//! Files to rules: parse, check, validate strictly against the schema. All problems at once.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr as _;

use cedar_policy::ffi::DetailedError;
use cedar_policy::{PolicyId, PolicySet, ValidationMode, Validator};
use serde::Serialize;

use crate::rule::Rule;
use crate::schema::Vocabulary;

/// One file of a policy, its name relative to the policy's directory.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PolicyFile {
    /// Name, with `/` between folders: `agents.cedar`, `tests/agents.toml`.
    pub name: String,
    /// The whole text.
    pub text: String,
}

/// Why a policy was not taken. Shown as `agents.cedar:12:3: message`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
pub struct Problem {
    /// File name as given.
    pub file: String,
    /// Line from 1, where there is one to name.
    pub line: Option<u32>,
    /// Column from 1, in characters.
    pub column: Option<u32>,
    /// What is wrong, and what to do.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file)?;
        if let Some(line) = self.line {
            write!(f, "{line}:{}:", self.column.unwrap_or(1))?;
        }
        write!(f, " {}", self.message)
    }
}

impl Problem {
    /// A problem of a file as a whole.
    pub(crate) fn of_file(file: &str, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: None, column: None, message: message.into() }
    }

    /// A problem at a byte of a file.
    pub(crate) fn at(file: &PolicyFile, offset: usize, message: impl Into<String>) -> Self {
        let before = file.text.get(..offset).unwrap_or(&file.text);
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).saturating_add(1);
        let line = count(before.matches('\n').count());
        let column = count(before.rsplit('\n').next().unwrap_or_default().chars().count());
        Self { file: file.name.clone(), line: Some(line), column: Some(column), message: message.into() }
    }

    /// A problem that Cedar found.
    fn from_cedar(file: &PolicyFile, fallback: usize, error: DetailedError, problems: &mut Vec<Self>) {
        let offset = error.source_locations.first().map_or(fallback, |label| label.loc.start);
        let mut message = error.message.replace('\n', " ");
        if let Some(help) = &error.help {
            message.push_str(" (");
            message.push_str(&help.replace('\n', " "));
            message.push(')');
        }
        problems.push(Self::at(file, offset, message));
        for related in error.related {
            Self::from_cedar(file, fallback, related, problems);
        }
    }
}

/// The rules of all files, and Cedar's own form of them.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) set: PolicySet,
    pub(crate) rules: BTreeMap<String, Rule>,
}

/// Whether the file holds rules. Tests, schema and notes may stand beside them; any other name is
/// refused, so that a ban in a misnamed file is not silently missing.
pub(crate) fn holds_rules(file: &PolicyFile) -> Result<bool, Problem> {
    match file.name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("cedar") => Ok(true),
        Some("cedarschema" | "toml" | "md") => Ok(false),
        _ => Err(Problem::of_file(&file.name, "not a policy file: rules stand in *.cedar, tests in *.toml")),
    }
}

/// Reads and checks all files.
pub(crate) fn load(files: &[PolicyFile], vocabulary: &Vocabulary) -> Result<Loaded, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut loaded = Loaded { set: PolicySet::new(), rules: BTreeMap::new() };
    let mut places: BTreeMap<String, (&PolicyFile, usize)> = BTreeMap::new();
    for file in files {
        match holds_rules(file) {
            Ok(true) => read_file(file, vocabulary, &mut loaded, &mut places, &mut problems),
            Ok(false) => {}
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() && loaded.rules.is_empty() {
        problems.push(Problem::of_file(
            "policy",
            "there is no rule in any *.cedar file; nothing would be allowed",
        ));
    }
    validate(&loaded, vocabulary, &places, &mut problems);
    if problems.is_empty() {
        Ok(loaded)
    } else {
        problems.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
        problems.dedup();
        Err(problems)
    }
}

fn read_file<'a>(
    file: &'a PolicyFile,
    vocabulary: &Vocabulary,
    loaded: &mut Loaded,
    places: &mut BTreeMap<String, (&'a PolicyFile, usize)>,
    problems: &mut Vec<Problem>,
) {
    let set = match PolicySet::from_str(&file.text) {
        Ok(set) => set,
        Err(errors) => {
            for error in errors.iter() {
                Problem::from_cedar(file, 0, DetailedError::from(error), problems);
            }
            return;
        }
    };
    if set.templates().next().is_some() {
        problems.push(Problem::of_file(&file.name, "templates (?principal, ?resource) are not supported"));
    }
    // Cedar numbers a file's policies policy0, policy1, … in the order of the text.
    let mut policies: Vec<_> = set.policies().collect();
    policies.sort_by_key(|policy| {
        AsRef::<str>::as_ref(policy.id()).trim_start_matches("policy").parse::<u64>().unwrap_or(u64::MAX)
    });
    let mut searched = 0;
    for policy in policies {
        let text = policy.to_cedar().unwrap_or_default();
        let rest = file.text.get(searched..).unwrap_or_default();
        let start = searched + rest.find(&text).unwrap_or(0);
        searched = start + text.len().min(rest.len());
        let before = problems.len();
        let rule = match Rule::read(policy, vocabulary) {
            Ok(rule) => rule,
            Err(messages) => {
                problems.extend(messages.into_iter().map(|message| Problem::at(file, start, message)));
                continue;
            }
        };
        if let Some((other, _)) = places.get(&rule.id) {
            problems.push(Problem::at(
                file,
                start,
                format!(
                    "the rule @id(\"{}\") exists already in {}; each rule needs its own",
                    rule.id, other.name
                ),
            ));
        }
        if problems.len() == before {
            let policy = policy.new_id(PolicyId::new(&rule.id));
            if loaded.set.add(policy).is_err() {
                problems.push(Problem::at(file, start, "Cedar does not take this rule beside the others"));
            }
            places.insert(rule.id.clone(), (file, start));
            loaded.rules.insert(rule.id.clone(), rule);
        }
    }
}

/// Strict validation. A warning is an error too: a rule that can never apply, or text that reads
/// other than it looks, is not what its author meant.
fn validate(
    loaded: &Loaded,
    vocabulary: &Vocabulary,
    places: &BTreeMap<String, (&PolicyFile, usize)>,
    problems: &mut Vec<Problem>,
) {
    let result = Validator::new(vocabulary.schema.clone()).validate(&loaded.set, ValidationMode::Strict);
    let errors = result.validation_errors().map(|error| (error.policy_id(), DetailedError::from(error)));
    let warnings =
        result.validation_warnings().map(|warning| (warning.policy_id(), DetailedError::from(warning)));
    for (id, error) in errors.chain(warnings) {
        let id = id.to_string();
        match places.get(&id) {
            Some((file, start)) => {
                let mut found = Vec::new();
                Problem::from_cedar(file, *start, error, &mut found);
                for problem in &mut found {
                    problem.message = problem.message.replace(&format!("for policy `{id}`, "), "");
                    problem.message = format!("{id}: {}", problem.message);
                }
                problems.extend(found);
            }
            None => problems.push(Problem::of_file("policy", error.message)),
        }
    }
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
