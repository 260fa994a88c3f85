//! From the file's shape to a configuration that can act, or to everything that is wrong with it.
//!
//! Every check says what would silently go wrong without it. All problems are gathered, so that one
//! run shows them all. Looks at the file system (does the file exist, who may read it) but opens no
//! connection and reads no secret.

mod listeners;
mod outward;
mod principals;
mod targets;

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sallyport_core::visible;

use super::model::{ConfigFile, LimitsEntry};
use super::problem::{ConfigProblem, Problems, Step, locate};
use super::recording::RecordingEntry;
use super::{Config, Limits, TextDuration};

/// Checks the whole file.
///
/// # Errors
/// Every problem found.
pub(super) fn check(file: &Path, text: &str, model: ConfigFile) -> Result<Config, Problems> {
    let base = file.parent().map_or_else(PathBuf::new, Path::to_path_buf);
    let mut checker = Checker { file, text, base, problems: Vec::new(), notes: Vec::new() };
    let data_dir = checker.path(&[Step::Key("data_dir")], &model.data_dir);
    let (postgres, postgres_tls, api) = checker.listen(&model.listen);
    let mysql = checker.listen_mysql(&model.listen);
    let public_url = checker.public_url(&model.listen);
    let targets = checker.targets(&model.targets);
    let own_listeners = checker.own_listeners(&model, postgres, api);
    let principals = checker.principals(&model.principals, !model.oidc.is_empty());
    let recordings_of = checker.recordings_of(&model.principals, &targets);
    let oidc = checker.oidc(&model.oidc, &model.principals);
    let policy_dir = checker.folder(&[Step::Key("policy"), Step::Key("dir")], &model.policy.dir);
    let labels = model
        .masking
        .as_ref()
        .and_then(|masking| checker.file(&[Step::Key("masking"), Step::Key("labels")], &masking.labels));
    let limits = checker.limits(&model.limits);
    checker.recording(&model.recording, &targets);
    let witnesses = checker.witnesses(&model.recording.witnesses);
    let key_service = checker.key_service(&model.recording);
    let sink = model.recording.sink.as_ref().and_then(|entry| checker.sink(entry));
    let Checker { mut problems, notes, .. } = checker;
    problems.sort_by_key(|problem| problem.line);
    match (problems.is_empty(), data_dir, postgres, api, policy_dir) {
        (true, Some(data_dir), Some(postgres), Some(api), Some(policy_dir)) => Ok(Config {
            file: file.to_path_buf(),
            data_dir,
            postgres,
            mysql,
            postgres_tls,
            sign_in: model.listen.sign_in,
            own_listeners,
            api,
            public_url,
            targets,
            principals,
            oidc,
            policy_dir,
            labels,
            recording: model.recording,
            key_service,
            witnesses,
            digest: sallyport_core::Digest::of(text.as_bytes()),
            sink,
            recordings_of,
            search: model.search.enabled,
            limits,
            notes,
        }),
        _ => Err(Problems(problems)),
    }
}

struct Checker<'a> {
    file: &'a Path,
    text: &'a str,
    base: PathBuf,
    problems: Vec<ConfigProblem>,
    notes: Vec<String>,
}

impl Checker<'_> {
    /// What is said of a target's recording has to be said of a target that is there, and once.
    fn recording(&mut self, entry: &RecordingEntry, targets: &[sallyport_core::Target]) {
        for (index, own) in entry.targets.iter().enumerate() {
            let at = [Step::Key("recording"), Step::Key("target"), Step::At(index), Step::Key("name")];
            if !targets.iter().any(|target| target.name == own.name) {
                self.problem(&at, "there is no target of this name");
            }
            if entry.targets.iter().take(index).any(|other| other.name == own.name) {
                self.problem(&at, "this target's recording is described twice");
            }
        }
    }

    fn problem(&mut self, at: &[Step<'_>], message: impl Into<String>) {
        self.problem_with(at, message, None);
    }

    fn problem_with(&mut self, at: &[Step<'_>], message: impl Into<String>, hint: Option<&str>) {
        let setting: Vec<String> = at
            .iter()
            .map(|step| match step {
                Step::Key(key) => visible::line(key),
                Step::At(index) => (index + 1).to_string(),
            })
            .collect();
        self.problems.push(ConfigProblem {
            file: self.file.to_path_buf(),
            line: locate(self.text, at),
            setting: setting.join("."),
            message: message.into(),
            hint: hint.map(str::to_owned),
        });
    }

    // ---- paths

    fn path(&mut self, at: &[Step<'_>], text: &str) -> Option<PathBuf> {
        if text.trim().is_empty() {
            self.problem(at, "a path is empty");
            return None;
        }
        Some(self.base.join(text))
    }

    fn folder(&mut self, at: &[Step<'_>], text: &str) -> Option<PathBuf> {
        let path = self.path(at, text)?;
        if path.is_dir() {
            Some(path)
        } else {
            self.problem(at, format!("there is no folder {}", path.display()));
            None
        }
    }

    fn file(&mut self, at: &[Step<'_>], text: &str) -> Option<PathBuf> {
        let path = self.path(at, text)?;
        if path.is_file() {
            Some(path)
        } else {
            self.problem(at, format!("there is no file {}", path.display()));
            None
        }
    }

    /// A file with a secret in it; the permission bits `closed` must not be set.
    fn secret_file(&mut self, at: &[Step<'_>], text: &str, closed: u32) -> Option<PathBuf> {
        let path = self.file(at, text)?;
        let mode = std::fs::metadata(&path).map_or(0, |metadata| metadata.permissions().mode());
        if mode & closed != 0 {
            self.problem_with(
                at,
                format!("others may read {} (mode {:03o})", path.display(), mode & 0o777),
                Some("it holds a secret: chmod 600"),
            );
            return None;
        }
        Some(path)
    }

    // ---- limits

    fn limits(&mut self, entry: &LimitsEntry) -> Limits {
        let seconds = TextDuration::seconds;
        for (key, value, least, most) in [
            ("handshake", entry.handshake, seconds(1), seconds(300)),
            ("hold_wait", entry.hold_wait, seconds(0), seconds(3600)),
            ("hold_wait_in_transaction", entry.hold_wait_in_transaction, seconds(0), seconds(600)),
            ("idle", entry.idle, seconds(10), seconds(86_400 * 7)),
            ("drain", entry.drain, seconds(0), seconds(3600)),
        ] {
            if value < least || value > most {
                self.problem(&[Step::Key("limits"), Step::Key(key)], format!("must be {least} to {most}"));
            }
        }
        for (key, value, least, most) in [
            ("max_connections", entry.max_connections, 1, 100_000),
            ("max_connections_per_address", entry.max_connections_per_address, 1, 100_000),
            ("message_limit_bytes", entry.message_limit_bytes, 64 * 1024, 1024 * 1024 * 1024),
            ("row_limit_bytes", entry.row_limit_bytes, 64 * 1024, 1024 * 1024 * 1024),
        ] {
            if value < least || value > most {
                self.problem(&[Step::Key("limits"), Step::Key(key)], format!("must be {least} to {most}"));
            }
        }
        let plain = |duration: TextDuration| -> Duration { duration.0 };
        Limits {
            handshake: plain(entry.handshake),
            max_connections: entry.max_connections,
            max_connections_per_address: entry.max_connections_per_address,
            idle: plain(entry.idle),
            message_limit_bytes: entry.message_limit_bytes,
            hold_wait: plain(entry.hold_wait),
            hold_wait_in_transaction: plain(entry.hold_wait_in_transaction),
            row_limit_bytes: entry.row_limit_bytes,
            drain: plain(entry.drain),
        }
    }
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
