//! `sallyport recording verify`: offline, with the public key alone.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use sallyport_record::load_public_key;
use sallyport_record::verify::verify;

use super::Bench;
use crate::config;
use crate::failure::Failure;

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Check that a recording is what was recorded: chains, signatures, nothing missing.
    #[command(
        after_help = "Example: sallyport recording verify sallyport-data/recordings --key recording.pub.pem"
    )]
    Verify {
        /// The recording's folder; the configuration's when left out.
        folder: Option<PathBuf>,
        /// The public key; the configuration's when left out.
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
    },
}

pub(crate) fn run(verb: &Verb, bench: &mut Bench) -> Result<(), Failure> {
    let Verb::Verify { folder, key } = verb;
    let (folder, key) = places(bench, folder.as_deref(), key.as_deref())?;
    if !folder.is_dir() {
        return Err(Failure::usage(format!("there is no folder {}", folder.display())));
    }
    let key = load_public_key(&key).map_err(|error| Failure::usage(format!("{}: {error}", key.display())))?;
    let watched = std::io::stderr().is_terminal();
    let report = verify(&folder, &key, |progress| {
        if watched && progress.segments < progress.of {
            // Only to show that it goes on; losing it is no failure.
            let _shown = write!(std::io::stderr(), "\r{} of {} segments", progress.segments, progress.of);
        } else if watched {
            let _shown = write!(std::io::stderr(), "\r\x1b[K");
        }
    })
    .map_err(|error| Failure::failed(format!("the recording cannot be read: {error}")))?;
    if bench.out.is_json() {
        bench.out.json(&serde_json::json!({ "ok": report.ok(), "report": report }))?;
    } else {
        for line in report.lines() {
            bench.out.line(&sallyport_core::visible::line(&line))?;
        }
    }
    if report.ok() { Ok(()) } else { Err(Failure::failed("the recording is not what was recorded")) }
}

fn places(bench: &Bench, folder: Option<&Path>, key: Option<&Path>) -> Result<(PathBuf, PathBuf), Failure> {
    let public = |keys: PathBuf| keys.join("recording.pub.pem");
    match (folder, key) {
        (Some(folder), Some(key)) => Ok((folder.to_path_buf(), key.to_path_buf())),
        // Beside `recordings` in the data folder lie the keys.
        (Some(folder), None) => {
            let beside = folder.parent().unwrap_or_else(|| Path::new("")).join("keys");
            Ok((folder.to_path_buf(), public(beside)))
        }
        (None, key) => {
            let config = config::load(&bench.file)?;
            let key = key.map_or_else(|| public(config.keys()), Path::to_path_buf);
            Ok((config.recordings(), key))
        }
    }
}
