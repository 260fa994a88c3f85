//! `sallyport policy check | explain | test`: on this machine, from the files, without a gateway.

use std::path::PathBuf;

use clap::Subcommand;
use sallyport_core::{Clock as _, Effect, Facts, SystemClock, visible};
use sallyport_policy::{Policy, Question, run_tests};

use super::Bench;
use crate::config;
use crate::failure::Failure;
use crate::folder;
use crate::output::Tint;
use crate::wiring;
use crate::words;

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Check the rules; say what is wrong, by file and line.
    #[command(after_help = "Example: sallyport policy check policy")]
    Check {
        /// The folder of rules; the configuration's when left out.
        dir: Option<PathBuf>,
    },
    /// Say what would be decided on a statement, and by which rules.
    #[command(after_help = "Example: sallyport policy explain --principal claude-code --target shop-prod \
                      'delete from users'")]
    Explain {
        /// Who would ask.
        #[arg(long)]
        principal: String,
        /// Where.
        #[arg(long)]
        target: String,
        /// Which database; the target's own when left out.
        #[arg(long)]
        database: Option<String>,
        /// As if a transaction were open.
        #[arg(long)]
        in_transaction: bool,
        /// The statement.
        statement: String,
    },
    /// Hold the rules against the cases beside them (`tests/*.toml` in the folder).
    #[command(after_help = "Example: sallyport policy test policy")]
    Test {
        /// The folder of rules; the configuration's when left out.
        dir: Option<PathBuf>,
    },
}

pub(crate) fn run(verb: &Verb, bench: &mut Bench) -> Result<(), Failure> {
    match verb {
        Verb::Check { dir } => check(bench, dir.clone()),
        Verb::Test { dir } => test(bench, dir.clone()),
        Verb::Explain { principal, target, database, in_transaction, statement } => {
            explain(bench, principal, target, database.as_deref(), *in_transaction, statement)
        }
    }
}

fn folder_of(bench: &Bench, dir: Option<PathBuf>) -> Result<PathBuf, Failure> {
    match dir {
        Some(dir) if dir.is_dir() => Ok(dir),
        Some(dir) => Err(Failure::usage(format!("there is no folder {}", dir.display()))),
        None => Ok(config::load(&bench.file)?.policy_dir),
    }
}

fn check(bench: &mut Bench, dir: Option<PathBuf>) -> Result<(), Failure> {
    let dir = folder_of(bench, dir)?;
    let files = folder::read(&dir).map_err(Failure::usage)?;
    match Policy::load(&files) {
        Ok(policy) if bench.out.is_json() => {
            bench.out.json(&serde_json::json!({ "ok": true, "version": policy.version(), "problems": [] }))
        }
        Ok(policy) => bench.out.line(&format!("{} is good, version {}", dir.display(), policy.version())),
        Err(problems) => {
            if bench.out.is_json() {
                bench.out.json(&serde_json::json!({ "ok": false, "problems": problems }))?;
            }
            Err(wiring::policy_problems(&dir, &problems))
        }
    }
}

/// Facts of a text. `search_path` is PostgreSQL's; of MySQL its first name is the current database.
fn facts(language: &str, text: &str, search_path: &[String]) -> Facts {
    if language == "mysql" {
        let context = sallyport_inspect::mysql::Context {
            flavour: sallyport_inspect::mysql::Flavour::Either,
            sql_mode: Some(sallyport_inspect::mysql::SqlMode::DEFAULT),
            character_set: "utf8mb4",
            database: search_path.first().map(String::as_str),
            lower_case_table_names: 0,
        };
        return sallyport_inspect::mysql::inspect(text.as_bytes(), &context).facts;
    }
    let remembered = sallyport_inspect::pg::Remembered::default();
    let context = sallyport_inspect::pg::Context {
        search_path,
        standard_conforming_strings: true,
        client_encoding: "UTF8",
        catalog: None,
        remembered: &remembered,
    };
    sallyport_inspect::pg::inspect(text.as_bytes(), &context).facts
}

fn test(bench: &mut Bench, dir: Option<PathBuf>) -> Result<(), Failure> {
    let labels = match &dir {
        Some(_) => sallyport_mask::Labels::builtin(),
        None => wiring::load_labels(&config::load(&bench.file)?)?,
    };
    let dir = folder_of(bench, dir)?;
    let files = folder::read(&dir).map_err(Failure::usage)?;
    let policy = Policy::load(&files).map_err(|problems| wiring::policy_problems(&dir, &problems))?;
    let report = run_tests(&policy, &files, &facts, &labels);
    if bench.out.is_json() {
        bench.out.json(&report)?;
    } else {
        bench.out.line(visible::lines(&report.to_string()).trim_end())?;
    }
    if report.passed() { Ok(()) } else { Err(Failure::failed("the rules do not do what the cases say")) }
}

fn explain(
    bench: &mut Bench,
    principal: &str,
    target: &str,
    database: Option<&str>,
    in_transaction: bool,
    statement: &str,
) -> Result<(), Failure> {
    let config = config::load(&bench.file)?;
    let policy = wiring::load_policy(&config)?;
    let labels = wiring::load_labels(&config)?;
    let principal = config
        .principals
        .iter()
        .find(|known| known.name == principal)
        .ok_or_else(|| Failure::usage(format!("no principal {principal} is configured")))?;
    let target = config
        .targets
        .iter()
        .find(|known| known.name == target)
        .ok_or_else(|| Failure::usage(format!("no target {target} is configured")))?;
    let database = database.unwrap_or(&target.database);
    let path = if target.protocol == "mysql" { database } else { "public" };
    let facts = facts(&target.protocol, statement, &[path.to_owned()]);
    let explanation = policy.explain(&Question {
        principal,
        target,
        database,
        facts: &facts,
        labels: &labels,
        in_transaction,
        now: SystemClock.now(),
    });
    if bench.out.is_json() {
        return bench.out.json(&serde_json::json!({ "facts": facts, "explanation": explanation }));
    }
    let decision = &explanation.decision;
    let out = &mut bench.out;
    let word = out.tinted(decision.effect.as_str(), Tint::of(decision.effect.as_str()));
    let reason = decision.reason.as_deref().map_or_else(String::new, |reason| format!(": {reason}"));
    out.line(&visible_word(&word, &format!(" by rule {}{reason}", decision.rule)))?;
    if let Some(hold) = &decision.hold {
        let needs: Vec<String> =
            hold.needs.iter().map(|need| format!("{} of {}", need.approvals, need.group)).collect();
        let ttl = words::span(u64::from(hold.ttl_seconds));
        out.line(&visible::line(&format!("needs    a yes from {}, within {ttl}", needs.join(" and "))))?;
    }
    if let Some(rows) = decision.limits.rows {
        out.line(&format!("limit    {} rows", words::count(rows)))?;
    }
    if let Some(timeout) = decision.limits.timeout_ms {
        out.line(&format!("limit    {timeout} ms"))?;
    }
    for (number, line) in words::facts(&facts).iter().enumerate() {
        out.line(&format!("{}  {line}", if number == 0 { "would  " } else { "       " }))?;
    }
    let rows: Vec<Vec<String>> = explanation
        .requests
        .iter()
        .map(|request| {
            let effect = if request.needs_no_permit { Effect::Allow } else { request.effect };
            let rules =
                if request.rules.is_empty() { "no rule".to_owned() } else { request.rules.join(", ") };
            vec![effect.as_str().to_owned(), action(&request.action).to_owned(), rules]
        })
        .collect();
    // As a rule names it, whole: two columns of a table differ in their last letters.
    let on: Vec<String> = explanation.requests.iter().map(|request| request.resource.clone()).collect();
    out.line("")?;
    let headers = ["decision", "action", "rules"];
    out.table_with(&headers, &rows, &on, &[2], "policy itself could not be asked")?;
    out.line(&format!(
        "\nwithout the target's catalog: views and `*` are not looked into; policy {}",
        policy.version()
    ))
}

/// `sql:select`, of the name that Cedar gives it.
fn action(name: &str) -> &str {
    name.strip_prefix("Action::\"").and_then(|name| name.strip_suffix('"')).unwrap_or(name)
}

/// Our own coloured word, then text made visible.
fn visible_word(word: &str, rest: &str) -> String {
    format!("{word}{}", visible::line(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `init` writes is the first thing anybody tests; a label that is built in counts there too.
    #[test]
    fn the_starting_policy_passes_its_cases_with_the_built_in_labels() {
        let files = Policy::starter_files();
        let report = run_tests(&Policy::starter(), &files, &facts, &sallyport_mask::Labels::builtin());
        assert!(report.passed(), "{report}");
    }

    #[test]
    fn actions_are_shown_by_their_own_name() {
        assert_eq!(action("Action::\"sql:select\""), "sql:select");
        assert_eq!(action("else"), "else");
    }
}
