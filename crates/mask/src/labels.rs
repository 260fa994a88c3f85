//! `labels.toml`: which columns carry which class of data, and how each class is masked.
//!
//! ```toml
//! [[label]]
//! name = "pii.email"
//! columns = ["shop-prod/shop/public.users.email", "*/*/*.*.email"]
//! operator = "redact"        # redact (default), partial, null, hash, constant (with `constant = "…"`),
//!                            # pseudonym (with `scope = "…"`), generalise (with `to`, `bucket`), or a list
//! ```
//!
//! Unknown keys are errors. The built-in label `catalog.values` is always there: the system catalogs that
//! hold samples of the data, texts of others' statements, or credentials. Answers are remembered per
//! relation, since planning a result asks for every column of it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, RwLock};

use sallyport_core::{ColumnRef, LabelSource, Secret};
use serde::Deserialize;
use thiserror::Error;

use crate::operator::{Coarseness, Operator};
use crate::pattern::ColumnPattern;

/// The built-in label.
const CATALOG_VALUES: &str = "catalog.values";

/// What the built-in label covers.
const CATALOG_COLUMNS: &[&str] = &[
    "*/*/*.pg_stats*.*",
    "*/*/*.pg_statistic.*",
    // Not pg_statistic_ext: that one holds definitions.
    "*/*/*.pg_statistic_ext_data.*",
    "*/*/pg_catalog.pg_stat_activity.query",
    "*/*/*.pg_stat_statements.query",
    "*/*/pg_catalog.pg_authid.*",
    "*/*/pg_catalog.pg_shadow.*",
    // Only the options: psql's \deu lists and orders the rest.
    "*/*/*.pg_user_mapping*.umoptions",
    // The same values by their other names.
    "*/*/information_schema._pg_user_mapping*.*",
    "*/*/information_schema.user_mapping_options.*",
    "*/*/pg_catalog.pg_subscription.subconninfo",
    "*/*/pg_catalog.pg_largeobject.*",
    // MySQL and MariaDB: credentials, samples of the data, texts of others' statements.
    "*/*/mysql.user.*",
    "*/*/mysql.global_priv.*",
    "*/*/mysql.servers.*",
    "*/*/mysql.password_history.*",
    "*/*/mysql.slave_master_info.*",
    "*/*/mysql.column_stats.*",
    "*/*/mysql.column_statistics.*",
    "*/*/mysql.general_log.*",
    "*/*/mysql.slow_log.*",
    "*/*/information_schema.column_statistics.*",
    "*/*/information_schema.processlist.info*",
    "*/*/information_schema.innodb_trx.trx_query",
    "*/*/information_schema.innodb_ft_index_*.*",
    "*/*/information_schema.optimizer_trace.*",
    "*/*/information_schema.query_cache_info.*",
    "*/*/performance_schema.error_log.*",
    "*/*/information_schema.innodb_locks.lock_data",
    "*/*/performance_schema.*.*sql_text*",
    "*/*/performance_schema.*.*_info",
    "*/*/performance_schema.*.*sample*",
    "*/*/performance_schema.data_locks.lock_data",
    "*/*/information_schema.user_variables.*",
    "*/*/performance_schema.user_variables_by_thread.*",
    "*/*/sys.*.*query*",
    "*/*/sys.*.*statement*",
];

/// Relations remembered before the memory is emptied.
const MOST_REMEMBERED: usize = 8192;

/// Why a `labels.toml` is not taken. For the operator who wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LabelsError {
    /// Not TOML, or a key that is not known.
    #[error("the label file does not read: {0}")]
    Syntax(String),
    /// A name that is not lower-case words joined by dots.
    #[error(
        "`{0}` is not a label name: lower-case letters, digits, `_`, `-` and dots between them, 64 at most"
    )]
    Name(String),
    /// A name that is taken.
    #[error("the label `{0}` is described twice, or built in")]
    Twice(String),
    /// A column pattern that is not of the form.
    #[error("label `{label}`: `{pattern}` is not of the form target/database/schema.relation.column")]
    Pattern {
        /// The label.
        label: String,
        /// What stands in `columns`.
        pattern: String,
    },
    /// An operator that does not exist, or without what it needs.
    #[error("label `{label}`: {problem}")]
    Operator {
        /// The label.
        label: String,
        /// What is wrong.
        problem: &'static str,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    label: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    columns: Vec<String>,
    operator: Option<Words>,
    constant: Option<String>,
    scope: Option<String>,
    to: Option<String>,
    bucket: Option<u64>,
}

/// One operator, or several of which the first that fits is taken.
#[derive(Deserialize)]
#[serde(untagged)]
enum Words {
    One(String),
    Several(Vec<String>),
}

/// One pattern of one label.
#[derive(Clone, Debug)]
struct Rule {
    pattern: ColumnPattern,
    label: Arc<str>,
    /// The pattern as it is written; empty for what is built in.
    text: Arc<str>,
}

/// The labels of one installation.
#[derive(Debug)]
pub struct Labels {
    operators: BTreeMap<String, Operator>,
    rules: Vec<Rule>,
    hash_key: Option<Secret<Vec<u8>>>,
    /// Per relation, the rules that can name a column of it.
    remembered: RwLock<HashMap<String, Arc<[Rule]>>>,
}

impl Labels {
    /// Reads `labels.toml`. The built-in labels are added.
    ///
    /// # Errors
    /// What is wrong with the file, and where.
    pub fn parse(toml: &str) -> Result<Self, LabelsError> {
        let file: File =
            toml::from_str(toml).map_err(|error| LabelsError::Syntax(error.to_string().trim().to_owned()))?;
        let mut labels = Self::builtin();
        for entry in file.label {
            labels.add(entry)?;
        }
        Ok(labels)
    }

    /// Only what is built in: `catalog.values`.
    #[must_use]
    pub fn builtin() -> Self {
        let label: Arc<str> = Arc::from(CATALOG_VALUES);
        let rules = CATALOG_COLUMNS
            .iter()
            .filter_map(|text| ColumnPattern::parse(text))
            .map(|pattern| Rule { pattern, label: Arc::clone(&label), text: Arc::from("") })
            .collect();
        Self {
            operators: BTreeMap::from([(CATALOG_VALUES.to_owned(), Operator::Redact)]),
            rules,
            hash_key: None,
            remembered: RwLock::default(),
        }
    }

    /// With the key of the `hash` operator. Without one, `hash` redacts.
    #[must_use]
    pub fn with_hash_key(mut self, key: Secret<Vec<u8>>) -> Self {
        self.hash_key = Some(key);
        self
    }

    fn add(&mut self, entry: Entry) -> Result<(), LabelsError> {
        let operator = read_operator(&entry);
        let Entry { name, columns, .. } = entry;
        if !is_name(&name) {
            return Err(LabelsError::Name(name));
        }
        if self.operators.contains_key(&name) {
            return Err(LabelsError::Twice(name));
        }
        let operator = operator.map_err(|problem| LabelsError::Operator { label: name.clone(), problem })?;
        let label: Arc<str> = Arc::from(name.as_str());
        for text in columns {
            let Some(pattern) = ColumnPattern::parse(&text) else {
                return Err(LabelsError::Pattern { label: name, pattern: text });
            };
            self.rules.push(Rule { pattern, label: Arc::clone(&label), text: Arc::from(text) });
        }
        self.operators.insert(name, operator);
        Ok(())
    }

    /// How values of that label are masked. A label that nobody described redacts.
    #[must_use]
    pub fn operator(&self, label: &str) -> Operator {
        self.operators.get(label).cloned().unwrap_or_default()
    }

    /// The key of the `hash` operator.
    #[must_use]
    pub fn hash_key(&self) -> Option<&Secret<Vec<u8>>> {
        self.hash_key.as_ref()
    }

    /// Every label's name, sorted.
    pub fn known(&self) -> impl Iterator<Item = &str> {
        self.operators.keys().map(String::as_str)
    }

    /// Every pattern of the file, by its number, with its label.
    pub fn patterns(&self) -> impl Iterator<Item = (usize, &str, &str)> {
        let rules = self.rules.iter().enumerate().filter(|(_, rule)| !rule.text.is_empty());
        rules.map(|(number, rule)| (number, &*rule.label, &*rule.text))
    }

    /// Whether the pattern of that number could name a column of that database of that target.
    #[must_use]
    pub fn reaches(&self, number: usize, target: &str, database: &str) -> bool {
        self.rules.get(number).is_some_and(|rule| rule.pattern.names_database(target, database))
    }

    /// Whether the pattern of that number names the column.
    #[must_use]
    pub fn names(&self, number: usize, column: &ColumnRef<'_>) -> bool {
        self.rules.get(number).is_some_and(|rule| {
            rule.pattern.names_relation(column) && rule.pattern.names_column(column.column)
        })
    }

    /// The rules that can name a column of the relation.
    fn rules_of(&self, column: &ColumnRef<'_>) -> Arc<[Rule]> {
        // NUL stands in no name, so the key cannot be read two ways.
        let key = [column.target, column.database, column.schema, column.relation].join("\0");
        if let Ok(remembered) = self.remembered.read()
            && let Some(rules) = remembered.get(&key)
        {
            return Arc::clone(rules);
        }
        let rules: Arc<[Rule]> =
            self.rules.iter().filter(|rule| rule.pattern.names_relation(column)).cloned().collect();
        if let Ok(mut remembered) = self.remembered.write() {
            if remembered.len() >= MOST_REMEMBERED {
                remembered.clear();
            }
            remembered.insert(key, Arc::clone(&rules));
        }
        rules
    }
}

impl LabelSource for Labels {
    fn labels_of(&self, column: ColumnRef<'_>) -> Vec<String> {
        let rules = self.rules_of(&column);
        let mut labels: Vec<String> = Vec::new();
        for rule in rules.iter() {
            let named = column.column == "*" || rule.pattern.names_column(column.column);
            if named && !labels.iter().any(|label| **label == *rule.label) {
                labels.push(rule.label.to_string());
            }
        }
        labels.sort_unstable();
        labels
    }
}

fn is_name(name: &str) -> bool {
    name.len() <= 64
        && name.split('.').all(|word| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-')
        })
}

/// The operators, as the message about an unknown one names them.
const UNKNOWN_OPERATOR: &str =
    "the operators are redact, partial, null, hash, constant, pseudonym and generalise";

fn read_operator(entry: &Entry) -> Result<Operator, &'static str> {
    let words: Vec<&str> = match &entry.operator {
        None => vec!["redact"],
        Some(Words::One(word)) => vec![word],
        Some(Words::Several(words)) => words.iter().map(String::as_str).collect(),
    };
    let mut operators = Vec::new();
    for (at, word) in words.iter().enumerate() {
        if words.iter().take(at).any(|before| before == word) {
            return Err("an operator stands in the list twice");
        }
        operators.push(one_operator(word, entry)?);
    }
    for (given, word, problem) in [
        (entry.constant.is_some(), "constant", "the key `constant` belongs to the operator `constant`"),
        (entry.scope.is_some(), "pseudonym", "the key `scope` belongs to the operator `pseudonym`"),
        (entry.to.is_some(), "generalise", "the key `to` belongs to the operator `generalise`"),
        (entry.bucket.is_some(), "generalise", "the key `bucket` belongs to the operator `generalise`"),
    ] {
        if given && !words.contains(&word) {
            return Err(problem);
        }
    }
    match operators.len() {
        0 => Err("the list of operators is empty"),
        1 => operators.pop().ok_or("the list of operators is empty"),
        _ => Ok(Operator::FirstOf(operators)),
    }
}

fn one_operator(word: &str, entry: &Entry) -> Result<Operator, &'static str> {
    Ok(match word {
        "redact" => Operator::Redact,
        "partial" => Operator::Partial,
        "null" => Operator::Null,
        "hash" => Operator::Hash,
        "constant" => match &entry.constant {
            Some(text) => Operator::Constant(text.clone()),
            None => return Err("the operator `constant` needs the key `constant`"),
        },
        "pseudonym" => match &entry.scope {
            Some(scope) if !is_name(scope) => return Err("a scope is written as a label's name is"),
            scope => Operator::Pseudonym { scope: scope.clone() },
        },
        "generalise" => {
            let month = match entry.to.as_deref() {
                None | Some("year") => false,
                Some("month") => true,
                Some(_) => return Err("days are generalised to `year` or `month`"),
            };
            if entry.bucket == Some(0) {
                return Err("a bucket holds at least one");
            }
            Operator::Generalise(Coarseness { month, bucket: entry.bucket })
        }
        _ => return Err(UNKNOWN_OPERATOR),
    })
}

#[cfg(test)]
#[path = "labels_tests.rs"]
mod tests;
