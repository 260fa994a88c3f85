//! The command line: `sallyport <noun> <verb>`, one file per noun.

mod approvals;
mod audit;
mod config;
mod export;
mod filters;
mod init;
mod labels;
mod policy;
mod recording;
mod reindex;
mod replay;
mod search;
mod serve;
mod sessions;
mod sink;
mod targets;
mod tokens;

use std::path::PathBuf;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::client::Api;
use crate::config::DEFAULT_FILE;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::output::Output;

/// A gateway between agents, engineers and production databases.
#[derive(Debug, Parser)]
#[command(
    name = "sallyport",
    version,
    max_term_width = 80,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Example: sallyport init && sallyport serve\n\n\
        Exit codes: 0 it went well, 1 it failed or was refused, 2 the command line or the configuration is \
        wrong, 3 the gateway is not there, 4 the token may not do this."
)]
struct Cli {
    /// The configuration file; sallyport.toml unless told. `inspect` and `mask` have none.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Print JSON, whose shape is stable. `inspect` and `mask` always do.
    #[arg(long, global = true)]
    json: bool,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a configuration, a policy to start with, and an administrator's token.
    Init(init::Init),
    /// Run the gateway until SIGTERM or Ctrl-C.
    Serve(serve::Serve),
    /// Look at the configuration.
    #[command(subcommand)]
    Config(config::Verb),
    /// The databases behind the gateway.
    #[command(subcommand)]
    Targets(targets::Verb),
    /// What goes on and went on.
    #[command(subcommand)]
    Sessions(sessions::Verb),
    /// The recording on disk.
    #[command(subcommand)]
    Recording(recording::Verb),
    /// Tokens that callers sign in with.
    #[command(subcommand, visible_alias = "token")]
    Tokens(tokens::Verb),
    /// Held operations that wait for an answer.
    #[command(subcommand)]
    Approvals(approvals::Verb),
    /// The rules.
    #[command(subcommand)]
    Policy(policy::Verb),
    /// Which columns carry which class of data.
    #[command(subcommand)]
    Labels(labels::Verb),
    /// Who did what over the API.
    #[command(subcommand)]
    Audit(audit::Verb),
    /// Say what operations would do: JSON lines in, JSON lines out.
    Inspect(filters::Inspect),
    /// Find and mask sensitive values: JSON lines in, JSON lines out.
    Mask(filters::Mask),
    /// See all of it at work, on a database that is thrown away.
    Demo(crate::demo::Demo),
    /// Print a completion script for a shell.
    #[command(
        after_help = "Example: sallyport completions bash > ~/.local/share/bash-completion/completions/sallyport"
    )]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// What every command gets.
#[derive(Debug)]
pub(crate) struct Bench {
    /// The configuration file, as named.
    pub(crate) file: PathBuf,
    /// The environment.
    pub(crate) environment: Environment,
    /// Where the result goes.
    pub(crate) out: Output,
}

impl Bench {
    /// The API's client.
    fn api(&self) -> Result<Api, Failure> {
        Api::find(&self.environment, &self.file)
    }
}

/// Reads the arguments and runs the command.
///
/// # Errors
/// How it failed. Wrong arguments end the process here, with exit code 2, as clap does.
pub(crate) fn run() -> Result<(), Failure> {
    let cli = Cli::parse();
    if cli.config.is_some() && matches!(cli.command, Command::Inspect(_) | Command::Mask(_)) {
        return Err(Failure::usage("inspect and mask read no configuration: leave --config out"));
    }
    let file = cli.config.unwrap_or_else(|| PathBuf::from(DEFAULT_FILE));
    let environment = Environment::read();
    let out = Output::standard(&environment, cli.json);
    let mut bench = Bench { file, environment, out };
    let result = dispatch(cli.command, &mut bench);
    let flushed = bench.out.flush();
    result.and(flushed)
}

fn dispatch(command: Command, bench: &mut Bench) -> Result<(), Failure> {
    match command {
        Command::Init(init) => init::run(&init, bench),
        Command::Serve(serve) => serve::run(&serve, bench),
        Command::Config(verb) => config::run(&verb, bench),
        Command::Targets(verb) => online(async { targets::run(&verb, bench).await }),
        Command::Sessions(verb) => online(async { sessions::run(&verb, bench).await }),
        Command::Recording(verb) => recording::run(&verb, bench),
        Command::Tokens(verb) => online(async { tokens::run(&verb, bench).await }),
        Command::Approvals(verb) => online(async { approvals::run(&verb, bench).await }),
        Command::Policy(verb) => policy::run(&verb, bench),
        Command::Labels(verb) => online(async { labels::run(&verb, bench).await }),
        Command::Audit(verb) => online(async { audit::run(&verb, bench).await }),
        Command::Inspect(inspect) => filters::inspect(&inspect),
        Command::Mask(mask) => filters::mask(&mask),
        Command::Demo(demo) => crate::demo::run(&demo, &bench.environment),
        Command::Completions { shell } => {
            // Into memory first: the generator panics when its reader has closed the pipe.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "sallyport", &mut script);
            bench.out.text(&String::from_utf8_lossy(&script))
        }
    }
}

/// Runs what talks to the API, on one thread.
fn online<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_shows_an_example() {
        fn look(command: &clap::Command) {
            if command.get_name() == "help" {
                return;
            }
            if command.has_subcommands() {
                command.get_subcommands().for_each(look);
            } else {
                let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(help.contains("Example: sallyport "), "{} shows no example", command.get_name());
            }
        }
        look(&Cli::command());
    }

    #[test]
    fn completions_name_the_nouns() {
        let mut script = Vec::new();
        clap_complete::generate(clap_complete::Shell::Bash, &mut Cli::command(), "sallyport", &mut script);
        let script = String::from_utf8(script).unwrap();
        for noun in ["approvals", "sessions", "recording", "tokens", "targets", "policy"] {
            assert!(script.contains(noun), "{noun}");
        }
    }
}
