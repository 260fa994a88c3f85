//! `sallyport labels scan | check`: what asks for a label, and which labels no longer fit.
//!
//! Both read the targets themselves, from the machine that has the configuration and the credentials, with
//! the gateway's own role. What they print are names and counts, never values.

mod edit;
mod propose;

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Subcommand;
use sallyport_core::{ColumnRef, LabelSource as _, Target};
use sallyport_gateway::credentials::Credentials;
use sallyport_gateway::survey::{Surveyed, SurveyedColumn, survey};
use sallyport_mask::Labels;
use serde::Serialize;

use self::edit::Edited;
use self::propose::{Evidence, Rules};
use super::Bench;
use crate::config::{self, Config};
use crate::failure::Failure;
use crate::{environment, wiring, words};

/// Where labels are written when the configuration names no file.
const DEFAULT_FILE: &str = "labels.toml";

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Propose labels for a target's columns, with the evidence and a diff to commit.
    #[command(after_help = "Example: sallyport labels scan shop-prod --write")]
    Scan {
        /// The target's name.
        target: String,
        /// One database; all of the target's when left out.
        #[arg(long)]
        database: Option<String>,
        /// Rows read of each relation; 0 goes by names and types alone.
        #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(0..=10_000))]
        sample: u32,
        /// Write the proposed labels into the label file.
        #[arg(long)]
        write: bool,
    },
    /// Say which labelled columns are gone, which patterns match nothing, and which columns look
    /// sensitive and have no label. Exit code 1 when there is any.
    #[command(after_help = "Example: sallyport labels check shop-prod")]
    Check {
        /// The target's name; all targets when left out.
        target: Option<String>,
        /// Rows read of each relation; 0 goes by names and types alone.
        #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=10_000))]
        sample: u32,
    },
}

pub(crate) async fn run(verb: &Verb, bench: &mut Bench) -> Result<(), Failure> {
    let config = config::load(&bench.file)?;
    match verb {
        Verb::Scan { target, database, sample, write } => {
            scan(bench, &config, target, database.as_deref(), *sample, *write).await
        }
        Verb::Check { target, sample } => check(bench, &config, target.as_deref(), *sample).await,
    }
}

/// A column that asks for a label.
#[derive(Debug, Serialize)]
struct Proposal {
    target: String,
    database: String,
    column: String,
    label: String,
    pattern: String,
    evidence: Evidence,
}

/// A pattern of the label file that no column has.
#[derive(Debug, Serialize)]
struct Stale {
    label: String,
    pattern: String,
    problem: &'static str,
}

/// A database of a target, looked at.
struct Looked<'a> {
    target: &'a Target,
    database: String,
    surveyed: Surveyed,
}

async fn look<'a>(
    config: &Config,
    target: &'a Target,
    database: Option<&str>,
    sample: u32,
) -> Result<Vec<Looked<'a>>, Failure> {
    let mut databases = vec![target.database.clone()];
    databases.extend(target.databases.iter().filter(|it| **it != target.database).cloned());
    if let Some(one) = database {
        databases.retain(|known| known == one);
        if databases.is_empty() {
            return Err(Failure::usage(format!("{} has no database {one}", target.name))
                .hint("name the target's `database`, or one of its `databases`"));
        }
    }
    // Of the others' credentials nothing is asked.
    let mine: Vec<Target> = config.targets.iter().filter(|it| it.name == target.name).cloned().collect();
    let credentials = Credentials::load(&mine, &environment::variable)
        .map_err(|error| Failure::usage(error.to_string()))?;
    let mut looked = Vec::new();
    for database in databases {
        let rows = usize::try_from(sample).unwrap_or(usize::MAX);
        let surveyed = survey(target, &database, &credentials, rows).await.map_err(|error| {
            Failure::failed(format!("{}/{database} could not be read: {error}", target.name))
                .hint("sallyport targets test says whether the gateway reaches it")
        })?;
        looked.push(Looked { target, database, surveyed });
    }
    Ok(looked)
}

fn reference<'a>(looked: &'a Looked<'_>, column: &'a SurveyedColumn) -> ColumnRef<'a> {
    ColumnRef {
        target: &looked.target.name,
        database: &looked.database,
        schema: &column.schema,
        relation: &column.relation,
        column: &column.column,
    }
}

/// Columns without a label that ask for one.
fn proposals(looked: &[Looked<'_>], labels: &Labels, rules: &Rules) -> Vec<Proposal> {
    let mut proposals = Vec::new();
    for database in looked {
        for column in database.surveyed.columns.iter().filter(|column| !column.follows) {
            if !labels.labels_of(reference(database, column)).is_empty() {
                continue;
            }
            let Some((label, evidence)) = rules.propose(column) else { continue };
            let name = format!("{}.{}.{}", column.schema, column.relation, column.column);
            proposals.push(Proposal {
                target: database.target.name.clone(),
                database: database.database.clone(),
                pattern: pattern(database, column),
                column: name,
                label,
                evidence,
            });
        }
    }
    proposals
}

/// The pattern of exactly this column.
fn pattern(database: &Looked<'_>, column: &SurveyedColumn) -> String {
    let [target, base, schema, relation, name] =
        [&database.target.name, &database.database, &column.schema, &column.relation, &column.column]
            .map(|part| written(part));
    format!("{target}/{base}/{schema}.{relation}.{name}")
}

/// A part as a pattern writes it: in quotes unless it is plain.
fn written(part: &str) -> String {
    let plain = !part.is_empty()
        && part.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || matches!(it, b'_' | b'-'));
    if plain { part.to_owned() } else { format!("\"{}\"", part.replace('"', "\"\"")) }
}

fn evidence(evidence: &Evidence) -> String {
    let mut says = Vec::new();
    if let Some(name) = &evidence.name {
        says.push(format!("name says {name}"));
    }
    for (entity, count) in &evidence.found {
        says.push(format!("{entity} in {count} of {}", evidence.sampled));
    }
    format!("{}; {}", evidence.type_name, says.join(", "))
}

async fn scan(
    bench: &mut Bench,
    config: &Config,
    target: &str,
    database: Option<&str>,
    sample: u32,
    write: bool,
) -> Result<(), Failure> {
    let labels = wiring::load_labels(config)?;
    let looked = look(config, named(config, target)?, database, sample).await?;
    let proposals = proposals(&looked, &labels, &Rules::own()?);
    let mut patterns: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for proposal in &proposals {
        patterns.entry(proposal.label.clone()).or_default().push(proposal.pattern.clone());
    }
    let path = config.labels.clone().unwrap_or_else(|| beside(config));
    let before = match std::fs::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(Failure::failed(format!("{}: {error}", path.display()))),
    };
    let edited = Edited::with(before.as_deref().unwrap_or(""), &patterns);
    let text = edited.text();
    held(&text, &looked, &proposals).map_err(|problem| {
        Failure::failed(format!("the proposals do not go into {}: {problem}", path.display()))
            .hint("its entries are laid out in a way that is not foreseen; add the columns by hand")
    })?;
    let name = path.file_name().map_or_else(|| DEFAULT_FILE.into(), |name| name.to_string_lossy());
    let diff = if proposals.is_empty() { String::new() } else { edited.diff(&name, before.is_some()) };
    if write && !proposals.is_empty() {
        std::fs::write(&path, &text)?;
    }
    let unread: Vec<&String> = looked.iter().flat_map(|it| &it.surveyed.unread).collect();
    if bench.out.is_json() {
        return bench.out.json(&serde_json::json!({
            "target": target,
            "proposals": proposals,
            "not_sampled": unread,
            "diff": diff,
            "written": write && !proposals.is_empty(),
        }));
    }
    show(bench, &proposals, "every column that looks sensitive has a label")?;
    for relation in unread {
        bench.out.line(&sallyport_core::visible::line(&format!("not sampled: {relation}")))?;
    }
    if proposals.is_empty() {
        return Ok(());
    }
    if write {
        bench.out.line(&format!("\nwritten to {}", path.display()))?;
    } else {
        bench.out.line("")?;
        bench.out.text(&sallyport_core::visible::lines(&diff))?;
    }
    if config.labels.is_none() {
        bench
            .out
            .line(&format!("\nthe configuration names no label file yet: [masking] labels = \"{name}\""))?;
    }
    Ok(())
}

/// Whether a label file takes, and gives every proposed column its label.
fn held(text: &str, looked: &[Looked<'_>], proposals: &[Proposal]) -> Result<(), String> {
    let labels = Labels::parse(text).map_err(|error| error.to_string())?;
    for proposal in proposals {
        let database = looked.iter().find(|it| it.database == proposal.database);
        let column = database.and_then(|database| {
            let column =
                database.surveyed.columns.iter().find(|it| pattern(database, it) == proposal.pattern)?;
            Some(labels.labels_of(reference(database, column)))
        });
        if !column.is_some_and(|labels| labels.contains(&proposal.label)) {
            return Err(format!("{} would not carry {}", proposal.column, proposal.label));
        }
    }
    Ok(())
}

fn beside(config: &Config) -> PathBuf {
    config.file.parent().map_or_else(|| PathBuf::from(DEFAULT_FILE), |folder| folder.join(DEFAULT_FILE))
}

fn named<'a>(config: &'a Config, name: &str) -> Result<&'a Target, Failure> {
    config
        .targets
        .iter()
        .find(|known| known.name == name)
        .ok_or_else(|| Failure::usage(format!("no target {name} is configured")))
}

fn show(bench: &mut Bench, proposals: &[Proposal], none: &str) -> Result<(), Failure> {
    let rows: Vec<Vec<String>> = proposals
        .iter()
        .map(|it| vec![it.label.clone(), format!("{}/{} {}", it.target, it.database, it.column)])
        .collect();
    let below: Vec<String> = proposals.iter().map(|it| evidence(&it.evidence)).collect();
    bench.out.table_with(&["label", "column"], &rows, &below, &[1], none)
}

async fn check(bench: &mut Bench, config: &Config, target: Option<&str>, sample: u32) -> Result<(), Failure> {
    let labels = wiring::load_labels(config)?;
    let targets: Vec<&Target> = match target {
        Some(name) => vec![named(config, name)?],
        None => config.targets.iter().collect(),
    };
    let mut looked = Vec::new();
    for target in targets {
        looked.extend(look(config, target, None, sample).await?);
    }
    let stale = stale(&labels, &looked, config);
    let proposals = proposals(&looked, &labels, &Rules::own()?);
    let count = stale.len() + proposals.len();
    if bench.out.is_json() {
        bench.out.json(&serde_json::json!({ "ok": count == 0, "stale": stale, "unlabelled": proposals }))?;
    } else {
        for it in &stale {
            let line = format!("{}  {}: {}", it.label, it.pattern, it.problem);
            bench.out.line(&sallyport_core::visible::line(&line))?;
        }
        if !proposals.is_empty() {
            if !stale.is_empty() {
                bench.out.line("")?;
            }
            show(bench, &proposals, "")?;
        }
        if count == 0 {
            bench.out.line("the labels fit the targets")?;
        }
    }
    if count == 0 {
        return Ok(());
    }
    let [stale, new] = [stale.len(), proposals.len()].map(|count| u64::try_from(count).unwrap_or(u64::MAX));
    Err(Failure::failed(format!(
        "{} without a column, {} without a label",
        words::counted(stale, "pattern", "patterns"),
        words::counted(new, "column that looks sensitive", "columns that look sensitive")
    ))
    .hint("sallyport labels scan TARGET proposes labels"))
}

/// Patterns that name no column. One that may speak of a database that was not looked at is not judged.
fn stale(labels: &Labels, looked: &[Looked<'_>], config: &Config) -> Vec<Stale> {
    let mut stale = Vec::new();
    for (number, label, text) in labels.patterns() {
        let elsewhere = config.targets.iter().any(|target| {
            let databases = std::iter::once(&target.database).chain(&target.databases);
            databases.into_iter().any(|database| {
                labels.reaches(number, &target.name, database)
                    && !looked.iter().any(|it| it.target.name == target.name && it.database == *database)
            })
        });
        let mut columns = looked.iter().flat_map(|database| {
            database.surveyed.columns.iter().map(move |column| reference(database, column))
        });
        if elsewhere || columns.any(|column| labels.names(number, &column)) {
            continue;
        }
        let problem =
            if text.contains('*') { "matches no column" } else { "this column does not exist any more" };
        stale.push(Stale { label: label.to_owned(), pattern: text.to_owned(), problem });
    }
    stale
}
