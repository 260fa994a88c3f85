//! `sallyport recording`: check a recording and prove what is in it, offline, with the public key alone; and
//! make its search index anew.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Subcommand;
use sallyport_core::SessionId;
use sallyport_record::read::{Content, Recordings};
use sallyport_record::retention::{self, Held};
use sallyport_record::verify::{Progress, Trust, verify};
use sallyport_record::{Checkpoint, KeyFiles, NoteKey, Wrapping, load_public_key, proof};

use super::{Bench, reindex};
use crate::config::{self, EncryptionEntry};
use crate::failure::Failure;
use crate::key_service;

/// A proof or a checkpoint is never larger.
const MOST_BYTES: u64 = 1 << 20;

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Check that a recording is what was recorded: chains, signatures, nothing missing.
    #[command(
        after_help = "Example: sallyport recording verify sallyport-data/recordings --key recording.pub.pem \\\n         \
                      --checkpoint noted-in-june"
    )]
    Verify {
        /// The recording's folder; the configuration's when left out.
        folder: Option<PathBuf>,
        /// The public key, in PEM or as a verifier's key; the configuration's when left out.
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
        /// A checkpoint noted earlier: whether everything it covers is still there, and the same.
        #[arg(long, value_name = "FILE")]
        checkpoint: Vec<PathBuf>,
        /// Folder of wrapping keys: then what is encrypted is decrypted too, and what is packed is compared.
        #[arg(long, value_name = "DIR")]
        keys: Option<PathBuf>,
        /// The same by the configuration's keys: its files, and its key service. Files are used unasked when no
        /// folder is named.
        #[arg(long, conflicts_with = "keys")]
        own_keys: bool,
        /// A witness that must have signed a checkpoint: its key, `name+12345678+base64`.
        #[arg(long, value_name = "KEY")]
        witness: Vec<String>,
    },
    /// Prove that a session is in the log, or that the log only grew since a checkpoint.
    #[command(
        after_help = "Example: sallyport recording prove 06F2ABCDEF0123456789ABCDEF > session.tlog-proof"
    )]
    Prove {
        /// The session.
        #[arg(required_unless_present = "since", conflicts_with = "since")]
        session: Option<String>,
        /// A checkpoint noted earlier.
        #[arg(long, value_name = "FILE")]
        since: Option<PathBuf>,
        /// The recording's folder; the configuration's when left out.
        #[arg(long, value_name = "DIR")]
        folder: Option<PathBuf>,
        /// The public key; the configuration's when left out.
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
    },
    /// Check a proof, with the public key and without the recording.
    #[command(
        after_help = "Example: sallyport recording check-proof session.tlog-proof --key recording.pub.pem"
    )]
    CheckProof {
        /// The proof.
        proof: PathBuf,
        /// The checkpoint that a proof with --since began at.
        #[arg(long, value_name = "FILE")]
        since: Option<PathBuf>,
        /// The public key; the configuration's when left out.
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
    },
    /// Keep a session, or all of a target's, whatever their age, until released. Without either: what is held.
    #[command(
        after_help = "Example: sallyport recording hold 06F2ABCDEF0123456789ABCDEF --reason 'case 4711'"
    )]
    Hold {
        /// The session.
        #[arg(conflicts_with = "target")]
        session: Option<String>,
        /// The target.
        #[arg(long)]
        target: Option<String>,
        /// Why.
        #[arg(long, default_value = "")]
        reason: String,
        /// Even of what is not known here: a target that is no longer configured, a session yet to come.
        #[arg(long)]
        unknown: bool,
    },
    /// End a hold.
    #[command(after_help = "Example: sallyport recording release --target shop-prod")]
    Release {
        /// The session.
        #[arg(conflicts_with = "target", required_unless_present = "target")]
        session: Option<String>,
        /// The target.
        #[arg(long)]
        target: Option<String>,
    },
    /// Copies in a sink: what is there, what is not and why; send; fetch.
    #[command(subcommand)]
    Sink(super::sink::Verb),
    /// Make a new key that wraps the keys of segments from the next segment on. Older keys stay, to read by.
    #[command(after_help = "Example: sallyport recording rotate-key")]
    RotateKey,
    /// Make the search index anew from the recordings alone. A running gateway does it by itself when asked.
    #[command(after_help = "Example: sallyport recording reindex")]
    Reindex,
}

pub(crate) fn run(verb: &Verb, bench: &mut Bench) -> Result<(), Failure> {
    match verb {
        Verb::Verify { folder, key, checkpoint, keys, own_keys, witness } => {
            // On the gateway's own host its keys are there: then bodies are compared too.
            let own_keys = *own_keys || folder.is_none() && has_own_keys(bench)?;
            let (folder, key) = places(bench, folder.as_deref(), key.as_deref())?;
            let keys = keys_to_read_by(bench, keys.as_deref(), own_keys)?;
            check(bench, &folder, &key, checkpoint, keys, witness)
        }
        Verb::Prove { session, since, folder, key } => {
            let (folder, key) = places(bench, folder.as_deref(), key.as_deref())?;
            prove(bench, &folder, &key, session.as_deref(), since.as_deref())
        }
        Verb::CheckProof { proof, since, key } => {
            let key = match key {
                Some(key) => key.clone(),
                None => public(&config::load(&bench.file)?.keys()),
            };
            check_proof(bench, proof, since.as_deref(), &key)
        }
        Verb::Hold { session, target, reason, unknown } => match held(session.as_deref(), target.as_deref())?
        {
            Some(held) => {
                if !unknown {
                    known(bench, &held)?;
                }
                hold(bench, &held, reason)
            }
            None => list_holds(bench),
        },
        Verb::Release { session, target } => match held(session.as_deref(), target.as_deref())? {
            Some(held) => release(bench, &held),
            None => Err(Failure::usage("name a session, or a target with --target")),
        },
        Verb::Sink(verb) => super::sink::run(verb, bench),
        Verb::RotateKey => rotate_key(bench),
        Verb::Reindex => reindex::run(bench),
    }
}

/// Whether the configuration's keys are files, and some are there.
fn has_own_keys(bench: &Bench) -> Result<bool, Failure> {
    let config = config::load(&bench.file)?;
    let in_files = config.recording.encryption == EncryptionEntry::File;
    Ok(in_files && KeyFiles::in_folder(config.wrapping_keys()).ids().is_ok_and(|ids| !ids.is_empty()))
}

fn keys_to_read_by(
    bench: &Bench,
    folder: Option<&Path>,
    own: bool,
) -> Result<Option<Arc<dyn Wrapping>>, Failure> {
    match folder {
        Some(folder) if !folder.is_dir() => {
            Err(Failure::usage(format!("there is no folder {}", folder.display())))
        }
        Some(folder) => Ok(Some(Arc::new(KeyFiles::in_folder(folder)))),
        None if own => Ok(Some(Arc::new(key_service::keys(&config::load(&bench.file)?)?))),
        None => Ok(None),
    }
}

fn check(
    bench: &mut Bench,
    folder: &Path,
    key: &Path,
    checkpoints: &[PathBuf],
    keys: Option<Arc<dyn Wrapping>>,
    witnesses: &[String],
) -> Result<(), Failure> {
    if !folder.is_dir() {
        return Err(Failure::usage(format!("there is no folder {}", folder.display())));
    }
    let key = note_key(key)?;
    let mut trust = Trust::key(*key.key());
    trust.keys = keys;
    for text in witnesses {
        let witness = NoteKey::parse(text).filter(NoteKey::is_witness);
        trust.witnesses.push(
            witness.ok_or_else(|| Failure::usage("a witness's key is `name+12345678+base64`, of type 4"))?,
        );
    }
    for path in checkpoints {
        trust.noted.push((path.display().to_string(), noted(path, &key)?));
    }
    let watched = std::io::stderr().is_terminal();
    let report =
        verify(folder, &trust, |progress| show(watched, progress)).map_err(|error| unreadable(&error))?;
    if bench.out.is_json() {
        bench.out.json(&serde_json::json!({ "ok": report.ok(), "report": report }))?;
    } else {
        for line in report.lines() {
            bench.out.line(&sallyport_core::visible::line(&line))?;
        }
    }
    if report.ok() { Ok(()) } else { Err(Failure::failed("the recording is not what was recorded")) }
}

fn show(watched: bool, progress: Progress) {
    show_segments(watched, progress.segments, progress.of);
}

/// How far it is, on a terminal.
pub(super) fn show_segments(watched: bool, done: usize, of: usize) {
    if watched && done < of {
        // Only to show that it goes on; losing it is no failure.
        let _shown = write!(std::io::stderr(), "\r{done} of {of} segments");
    } else if watched {
        let _shown = write!(std::io::stderr(), "\r\x1b[K");
    }
}

fn prove(
    bench: &mut Bench,
    folder: &Path,
    key: &Path,
    session: Option<&str>,
    since: Option<&Path>,
) -> Result<(), Failure> {
    let key = note_key(key)?;
    let text = match (session, since) {
        (Some(session), _) => {
            let session = SessionId::parse(session)
                .ok_or_else(|| Failure::usage("a session's id is letters, digits, `-` and `_`"))?;
            proof::prove(folder, &key, &session)
        }
        (None, Some(since)) => proof::prove_since(folder, &key, &noted(since, &key)?),
        (None, None) => return Err(Failure::usage("name a session, or a checkpoint with --since")),
    };
    let text = text.map_err(|error| Failure::failed(format!("there is no proof: {error}")))?;
    if bench.out.is_json() {
        return bench.out.json(&serde_json::json!({ "proof": text }));
    }
    for line in text.lines() {
        bench.out.line(line)?;
    }
    Ok(())
}

fn check_proof(bench: &mut Bench, path: &Path, since: Option<&Path>, key: &Path) -> Result<(), Failure> {
    let key = note_key(key)?;
    let text = read(path)?;
    let wrong = |what: &str| Failure::failed(format!("{}: {what}", path.display()));
    if let Some(since) = since {
        let old = noted(since, &key)?;
        let new = proof::check_since(&text, &key, &old).map_err(wrong)?;
        if bench.out.is_json() {
            return bench.out.json(&serde_json::json!({ "ok": true, "from": old.size, "to": new.size }));
        }
        let line = format!("ok: the log of {} leaves begins with that of {}", new.size, old.size);
        return bench.out.line(&line);
    }
    let proven = proof::check(&text, &key).map_err(wrong)?;
    if bench.out.is_json() {
        return bench.out.json(&serde_json::json!({ "ok": true, "proven": proven }));
    }
    bench.out.line(&format!(
        "ok: session {} is in the log, leaf {} of {}: {} entries, head {}",
        proven.session, proven.index, proven.size, proven.entries, proven.head
    ))
}

fn held(session: Option<&str>, target: Option<&str>) -> Result<Option<Held>, Failure> {
    let bad = || Failure::usage("a session's id is letters, digits, `-` and `_`");
    match (session, target) {
        (Some(session), _) => Ok(Some(Held::Session(SessionId::parse(session).ok_or_else(bad)?))),
        (None, Some(target)) => Ok(Some(Held::Target(target.to_owned()))),
        (None, None) => Ok(None),
    }
}

/// Whether there is what is to be held: a slip of the pen in a hold would let evidence expire.
fn known(bench: &Bench, held: &Held) -> Result<(), Failure> {
    let config = config::load(&bench.file)?;
    let is_there = match held {
        Held::Target(name) => config.targets.iter().any(|target| target.name == *name),
        Held::Session(id) => {
            let found = Recordings::in_folder(config.recordings()).session(id);
            let mut entries = found.map_err(|error| unreadable(&error))?;
            match entries.next() {
                None => false,
                Some(Ok(entry)) if matches!(&entry.event, Content::Note { event, .. } if event == "expired") =>
                {
                    return Err(Failure::failed(format!("{held} has expired: what it said is gone")));
                }
                Some(_) => true,
            }
        }
    };
    if is_there {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "{held} is not known here, and nothing is held; --unknown holds it all the same"
    )))
}

fn hold(bench: &mut Bench, held: &Held, reason: &str) -> Result<(), Failure> {
    let folder = config::load(&bench.file)?.recordings();
    retention::hold(&folder, held, reason)
        .map_err(|error| Failure::failed(format!("it could not be held: {error}")))?;
    let name = held.to_string();
    if bench.out.is_json() {
        return bench.out.json(&serde_json::json!({ "held": name, "reason": reason }));
    }
    bench.out.line(&format!("{name} is kept until it is released"))
}

fn release(bench: &mut Bench, held: &Held) -> Result<(), Failure> {
    let folder = config::load(&bench.file)?.recordings();
    let was = retention::release(&folder, held)
        .map_err(|error| Failure::failed(format!("it could not be released: {error}")))?;
    let name = held.to_string();
    if !was {
        return Err(Failure::failed(format!("{name} was not held")));
    }
    if bench.out.is_json() {
        return bench.out.json(&serde_json::json!({ "released": name }));
    }
    bench.out.line(&format!("{name} is no longer held"))
}

fn list_holds(bench: &mut Bench) -> Result<(), Failure> {
    let folder = config::load(&bench.file)?.recordings();
    let found = retention::holds(&folder).map_err(|error| unreadable(&error))?;
    if bench.out.is_json() {
        let holds: Vec<_> = found
            .iter()
            .map(|(held, reason)| serde_json::json!({ "held": held.to_string(), "reason": reason }))
            .collect();
        return bench.out.json(&serde_json::json!({ "holds": holds }));
    }
    for (held, reason) in &found {
        bench.out.line(&sallyport_core::visible::line(&format!("{held}  {reason}")))?;
    }
    if found.is_empty() { bench.out.line("nothing is held") } else { Ok(()) }
}

fn rotate_key(bench: &mut Bench) -> Result<(), Failure> {
    let config = config::load(&bench.file)?;
    if config.recording.encryption == EncryptionEntry::Service {
        return Err(Failure::usage("the key service under [recording.key] rotates its keys itself"));
    }
    let folder = config.wrapping_keys();
    let keys = KeyFiles::in_folder(&folder);
    let failed = |error: sallyport_record::RecordError| {
        Failure::failed(format!("the key could not be made in {}: {error}", folder.display()))
    };
    let id = keys.rotate().map_err(failed)?;
    let kept = keys.ids().map_err(failed)?.len().saturating_sub(1);
    if bench.out.is_json() {
        return bench.out.json(&serde_json::json!({ "key": id, "older": kept }));
    }
    bench.out.line(&format!("made key {id}; it wraps from the next segment on"))?;
    bench
        .out
        .line(&format!("{kept} older in {}: keep them for as long as what they encrypt", folder.display()))
}

fn unreadable(error: &sallyport_record::RecordError) -> Failure {
    Failure::failed(format!("the recording cannot be read: {error}"))
}

fn note_key(path: &Path) -> Result<NoteKey, Failure> {
    let key =
        load_public_key(path).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
    Ok(NoteKey::of_log(key))
}

fn noted(path: &Path, key: &NoteKey) -> Result<Checkpoint, Failure> {
    Checkpoint::read(&read(path)?, key).map_err(|what| Failure::failed(format!("{}: {what}", path.display())))
}

fn read(path: &Path) -> Result<String, Failure> {
    use std::io::Read as _;
    let failed = |error: &dyn std::fmt::Display| Failure::usage(format!("{}: {error}", path.display()));
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|error| failed(&error))?;
    file.take(MOST_BYTES).read_to_string(&mut text).map_err(|error| failed(&error))?;
    Ok(text)
}

fn public(keys: &Path) -> PathBuf {
    keys.join("recording.pub.pem")
}

fn places(bench: &Bench, folder: Option<&Path>, key: Option<&Path>) -> Result<(PathBuf, PathBuf), Failure> {
    match (folder, key) {
        (Some(folder), Some(key)) => Ok((folder.to_path_buf(), key.to_path_buf())),
        // Beside `recordings` in the data folder lie the keys.
        (Some(folder), None) => {
            let beside = folder.parent().unwrap_or_else(|| Path::new("")).join("keys");
            Ok((folder.to_path_buf(), public(&beside)))
        }
        (None, key) => {
            let config = config::load(&bench.file)?;
            let key = key.map_or_else(|| public(&config.keys()), Path::to_path_buf);
            Ok((config.recordings(), key))
        }
    }
}
