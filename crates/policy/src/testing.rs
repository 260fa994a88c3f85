//! Expectations on a policy, written beside it in TOML, so that a change of a rule shows what it changes.
//!
//! The facts of a case come through a closure, since this room cannot read SQL: the same inspector
//! that reads live operations is handed in.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use sallyport_core::{
    ColumnRef, CredentialRef, Effect, Facts, LabelSource, ObjectName, Principal, PrincipalKind, Target,
    Timestamp, TlsMode, TlsSettings,
};
use serde::{Deserialize, Serialize};

use crate::explain::Explanation;
use crate::load::{PolicyFile, Problem};
use crate::policy::{Policy, Question, RevealQuestion};

/// A file of expectations.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TestFile {
    /// What cases that do not say otherwise take.
    #[serde(default)]
    defaults: Setting,
    /// Labels of `schema.relation.column` on every target, in addition to those handed in.
    #[serde(default)]
    labels: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    case: Vec<Case>,
}

/// Who asks, where and when.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Setting {
    principal: Option<Caller>,
    target: Option<String>,
    database: Option<String>,
    tags: Option<BTreeMap<String, String>>,
    search_path: Option<Vec<String>>,
    language: Option<String>,
    in_transaction: Option<bool>,
    at: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Caller {
    name: String,
    kind: PrincipalKind,
    on_behalf_of: Option<String>,
    #[serde(default)]
    groups: BTreeSet<String>,
}

/// One expectation. Exactly one of `operation`, `connect` and `reveal` says what is asked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: Option<String>,
    operation: Option<String>,
    #[serde(default)]
    connect: bool,
    reveal: Option<Reveal>,
    expect: Effect,
    rule: Option<String>,
    /// Of a hold: group to approvals.
    needs: Option<BTreeMap<String, u32>>,
    principal: Option<Caller>,
    target: Option<String>,
    database: Option<String>,
    tags: Option<BTreeMap<String, String>>,
    search_path: Option<Vec<String>>,
    language: Option<String>,
    in_transaction: Option<bool>,
    at: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reveal {
    label: String,
    /// `schema.relation.column`.
    column: String,
}

/// How one case came out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CaseReport {
    /// The test file.
    pub file: String,
    /// The case's name, or its operation's first line.
    pub name: String,
    /// What was expected and is not so; empty when the case passed.
    pub failures: Vec<String>,
    /// The decision, request by request, where an operation was asked.
    pub explanation: Option<Explanation>,
}

/// How all cases came out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TestReport {
    /// Every case, in the order of files and cases.
    pub cases: Vec<CaseReport>,
    /// Test files that could not be read, and cases that ask for nothing.
    pub problems: Vec<Problem>,
}

impl TestReport {
    /// Whether there were cases, all could be read, and all came out as expected.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.problems.is_empty() && !self.cases.is_empty() && self.failed().next().is_none()
    }

    /// The cases that came out otherwise.
    pub fn failed(&self) -> impl Iterator<Item = &CaseReport> {
        self.cases.iter().filter(|case| !case.failures.is_empty())
    }
}

impl fmt::Display for TestReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.problems {
            writeln!(f, "{problem}")?;
        }
        for case in self.failed() {
            writeln!(f, "{}: {}", case.file, case.name)?;
            for failure in &case.failures {
                writeln!(f, "  {failure}")?;
            }
            for line in case
                .explanation
                .iter()
                .flat_map(|it| it.to_string().lines().map(str::to_owned).collect::<Vec<_>>())
            {
                writeln!(f, "    {line}")?;
            }
        }
        let failed = self.failed().count();
        let passed = self.cases.len().saturating_sub(failed);
        write!(f, "{passed} passed, {failed} failed")
    }
}

/// Labels of a test file on top of the given ones.
#[derive(Debug)]
struct LabelsOfFile<'a> {
    own: Vec<(String, String, String, &'a [String])>,
    rest: &'a dyn LabelSource,
}

impl LabelSource for LabelsOfFile<'_> {
    fn labels_of(&self, column: ColumnRef<'_>) -> Vec<String> {
        let own = self.own.iter().filter(|(schema, relation, name, _)| {
            schema == column.schema
                && relation == column.relation
                && (column.column == "*" || name == column.column)
        });
        let mut labels = self.rest.labels_of(column);
        labels.extend(own.flat_map(|(.., labels)| labels.iter().cloned()));
        labels
    }
}

/// `schema.relation.column`, each plain or in double quotes.
fn column_path(text: &str) -> Option<(String, String, String)> {
    let mut quoted = false;
    let dot = text.char_indices().filter(|(_, c)| {
        quoted ^= *c == '"';
        *c == '.' && !quoted
    });
    let (at, _) = dot.last()?;
    let relation = ObjectName::parse(text.get(..at)?);
    let column = ObjectName::parse(text.get(at.checked_add(1)?..)?);
    Some((relation.schema?, relation.name, column.name))
}

/// Holds the policy against the cases of some TOML files; any other file is passed over.
///
/// `inspect` reads an operation: language, text, search path.
pub fn run_tests(
    policy: &Policy,
    tests: &[PolicyFile],
    inspect: &dyn Fn(&str, &str, &[String]) -> Facts,
    labels: &dyn LabelSource,
) -> TestReport {
    let mut report = TestReport::default();
    for file in tests.iter().filter(|file| file.name.ends_with(".toml")) {
        match toml::from_str::<TestFile>(&file.text) {
            Ok(cases) => run_file(policy, file, &cases, inspect, labels, &mut report),
            Err(error) => {
                let at = error.span().map_or(0, |span| span.start);
                report.problems.push(Problem::at(file, at, error.message().replace('\n', " ")));
            }
        }
    }
    report
}

fn run_file(
    policy: &Policy,
    file: &PolicyFile,
    cases: &TestFile,
    inspect: &dyn Fn(&str, &str, &[String]) -> Facts,
    labels: &dyn LabelSource,
    report: &mut TestReport,
) {
    let mut own = Vec::new();
    for (path, labels) in &cases.labels {
        match column_path(path) {
            Some((schema, relation, column)) => own.push((schema, relation, column, labels.as_slice())),
            None => report.problems.push(Problem::of_file(
                &file.name,
                format!("[labels]: {path:?} is not schema.relation.column"),
            )),
        }
    }
    let labels = LabelsOfFile { own, rest: labels };
    for case in &cases.case {
        let scene = match Scene::of(case, &cases.defaults) {
            Ok(scene) => scene,
            Err(message) => {
                report.problems.push(Problem::of_file(&file.name, format!("{}: {message}", name_of(case))));
                continue;
            }
        };
        report.cases.push(scene.run(policy, file, case, inspect, &labels));
    }
}

fn name_of(case: &Case) -> String {
    let first_line = |text: &String| text.trim().lines().next().unwrap_or_default().to_owned();
    case.name
        .clone()
        .or_else(|| case.operation.as_ref().map(first_line))
        .or_else(|| {
            case.reveal.as_ref().map(|reveal| format!("reveal {} of {}", reveal.label, reveal.column))
        })
        .unwrap_or_else(|| "connect".to_owned())
}

/// A case with its defaults filled in.
#[derive(Debug)]
struct Scene {
    principal: Principal,
    target: Target,
    database: String,
    search_path: Vec<String>,
    language: String,
    in_transaction: bool,
    now: Timestamp,
}

impl Scene {
    fn of(case: &Case, defaults: &Setting) -> Result<Self, String> {
        let asked = [case.operation.is_some(), case.connect, case.reveal.is_some()];
        if asked.into_iter().filter(|asked| *asked).count() != 1 {
            return Err("a case has exactly one of operation, connect and reveal".to_owned());
        }
        let caller = case.principal.as_ref().or(defaults.principal.as_ref());
        let caller = caller.ok_or("there is no principal, neither in the case nor in [defaults]")?;
        let database = case.database.as_ref().or(defaults.database.as_ref()).map_or("app", String::as_str);
        let at = case.at.as_ref().or(defaults.at.as_ref()).map_or("2026-01-05T12:00:00Z", String::as_str);
        Ok(Self {
            principal: Principal {
                name: caller.name.clone(),
                kind: caller.kind,
                on_behalf_of: caller.on_behalf_of.clone(),
                groups: caller.groups.clone(),
                roles: BTreeSet::new(),
            },
            target: Target {
                name: case
                    .target
                    .clone()
                    .or_else(|| defaults.target.clone())
                    .unwrap_or_else(|| "target".to_owned()),
                protocol: "postgres".to_owned(),
                host: String::new(),
                port: 0,
                database: database.to_owned(),
                databases: Vec::new(),
                user: String::new(),
                credential: CredentialRef::None,
                tls: TlsSettings { mode: TlsMode::VerifyFull, ca: None, identity: None },
                tags: case.tags.clone().or_else(|| defaults.tags.clone()).unwrap_or_default(),
            },
            database: database.to_owned(),
            search_path: case
                .search_path
                .clone()
                .or_else(|| defaults.search_path.clone())
                .unwrap_or_else(|| vec!["public".to_owned()]),
            language: case
                .language
                .clone()
                .or_else(|| defaults.language.clone())
                .unwrap_or_else(|| "postgres".to_owned()),
            in_transaction: case.in_transaction.or(defaults.in_transaction).unwrap_or(false),
            now: Timestamp::parse(at)
                .ok_or_else(|| format!("at = {at:?} is not a time like 2026-01-05T12:00:00Z"))?,
        })
    }

    fn run(
        &self,
        policy: &Policy,
        file: &PolicyFile,
        case: &Case,
        inspect: &dyn Fn(&str, &str, &[String]) -> Facts,
        labels: &dyn LabelSource,
    ) -> CaseReport {
        let mut report = CaseReport {
            file: file.name.clone(),
            name: name_of(case),
            failures: Vec::new(),
            explanation: None,
        };
        if let Some(reveal) = &case.reveal {
            match self.reveal(policy, reveal) {
                Some(effect) => {
                    expect(&mut report.failures, "the answer", case.expect.as_str(), effect.as_str())
                }
                None => report.failures.push(format!("{:?} is not schema.relation.column", reveal.column)),
            }
            return report;
        }
        let decision = match &case.operation {
            Some(text) => {
                let facts = inspect(&self.language, text, &self.search_path);
                let explanation = policy.explain(&Question {
                    principal: &self.principal,
                    target: &self.target,
                    database: &self.database,
                    facts: &facts,
                    labels,
                    in_transaction: self.in_transaction,
                    now: self.now,
                });
                report.explanation.insert(explanation).decision.clone()
            }
            None => policy.may_connect(&self.principal, &self.target, &self.database, self.now),
        };
        expect(&mut report.failures, "the decision", case.expect.as_str(), decision.effect.as_str());
        if let Some(rule) = &case.rule {
            expect(&mut report.failures, "the rule", rule, &decision.rule);
        }
        if let Some(needs) = &case.needs {
            let got: BTreeMap<String, u32> = decision
                .hold
                .into_iter()
                .flat_map(|hold| hold.needs)
                .map(|need| (need.group, need.approvals))
                .collect();
            expect(&mut report.failures, "what the hold needs", &format!("{needs:?}"), &format!("{got:?}"));
        }
        report
    }

    fn reveal(&self, policy: &Policy, reveal: &Reveal) -> Option<Effect> {
        let (schema, relation, column) = column_path(&reveal.column)?;
        let revealed = policy.reveals(&RevealQuestion {
            principal: &self.principal,
            target: &self.target,
            database: &self.database,
            label: &reveal.label,
            schema: &schema,
            relation: &relation,
            column: &column,
            now: self.now,
        });
        Some(if revealed { Effect::Allow } else { Effect::Deny })
    }
}

fn expect(failures: &mut Vec<String>, what: &str, expected: &str, got: &str) {
    if expected != got {
        failures.push(format!("{what}: expected {expected}, got {got}"));
    }
}
