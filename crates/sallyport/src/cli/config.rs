//! `sallyport config check | example | schema`.

use clap::Subcommand;

use super::Bench;
use crate::config;
use crate::environment;
use crate::failure::Failure;
use crate::{wiring, words};

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Check the configuration, policy, labels and credentials; say what is wrong, and on which line.
    #[command(after_help = "Example: sallyport config check --config sallyport.toml")]
    Check {
        /// Do not ask whether the credentials that the targets name are there: for a machine that has none.
        #[arg(long)]
        without_credentials: bool,
    },
    /// Print an annotated example.
    #[command(after_help = "Example: sallyport config example > sallyport.toml")]
    Example,
    /// Print the JSON schema, for editors.
    #[command(after_help = "Example: sallyport config schema > sallyport.schema.json")]
    Schema,
}

pub(crate) fn run(verb: &Verb, bench: &mut Bench) -> Result<(), Failure> {
    match verb {
        Verb::Check { without_credentials } => check(bench, !without_credentials),
        Verb::Example => bench.out.text(config::EXAMPLE),
        Verb::Schema => bench.out.json(&config::schema()),
    }
}

fn check(bench: &mut Bench, credentials: bool) -> Result<(), Failure> {
    let config = match config::load(&bench.file) {
        Ok(config) => config,
        Err(problems) => {
            if bench.out.is_json() {
                bench.out.json(&serde_json::json!({ "ok": false, "problems": problems }))?;
            }
            return Err(problems.into());
        }
    };
    let policy = wiring::load_policy(&config)?;
    wiring::load_labels(&config)?;
    wiring::directory(&config)?;
    if credentials {
        sallyport_gateway::credentials::Credentials::load(&config.targets, &environment::variable)
            .map_err(|error| Failure::usage(error.to_string()))?;
    }
    if bench.out.is_json() {
        return bench.out.json(&serde_json::json!({
            "ok": true,
            "problems": [],
            "notes": config.notes,
            "targets": config.targets.len(),
            "principals": config.principals.len(),
            "policy_version": policy.version(),
        }));
    }
    for note in &config.notes {
        bench.out.line(&format!("note: {note}"))?;
    }
    bench.out.line(&format!(
        "{} is good: {}, {}, policy {}",
        config.file.display(),
        counted(config.targets.len(), "target", "targets"),
        counted(config.principals.len(), "principal", "principals"),
        policy.version()
    ))
}

fn counted(number: usize, one: &str, many: &str) -> String {
    words::counted(u64::try_from(number).unwrap_or(u64::MAX), one, many)
}
