//! Witnesses (c2sp.org/tlog-witness): others who sign the log's checkpoints after they have seen that it
//! only grew.
//!
//! A thread asks each of them with every new checkpoint, some seconds apart, and keeps the last one that
//! was signed beside the plain one. Recording never waits for a witness. One that has seen more than there
//! is here says that the log was cut back, and that is told as the error that it is.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sallyport_core::Digest;

use crate::checkpoint::{self, Checkpoint};
use crate::log::Log;
use crate::note::{self, NoteKey};
use crate::proof::hash_lines;
use crate::tree::{self, leaf_hash};
use crate::verify::leaves;

/// Where the last checkpoint that a witness signed lies.
pub(crate) const FILE: &str = "checkpoint.witnessed";
/// How often witnesses are asked, while the log grows.
const EVERY: Duration = if cfg!(test) { Duration::from_millis(50) } else { Duration::from_secs(10) };
/// How long one that did not sign is left alone.
const PAUSE: Duration = if cfg!(test) { Duration::from_millis(100) } else { Duration::from_secs(60) };

/// A witness, by its key and its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// What its signatures are checked with.
    pub key: NoteKey,
    /// Where it is; `add-checkpoint` is asked for below it.
    pub url: String,
}

/// A status and a body, once they are there; nothing when nobody answers.
pub type Answered = Pin<Box<dyn Future<Output = Option<(u16, Vec<u8>)>> + Send>>;

/// Posts a text to an address. Who makes this decides about deadlines and how much is read.
#[derive(Clone)]
pub struct Post(pub Arc<dyn Fn(String, String) -> Answered + Send + Sync>);

impl fmt::Debug for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Post")
    }
}

/// Who is asked, and how.
#[derive(Clone, Debug)]
pub struct Witnesses {
    /// Who.
    pub all: Vec<Witness>,
    /// How.
    pub post: Post,
}

/// The checkpoint that witnesses signed, as it lies beside the segments; nothing when there is none.
pub(crate) fn stored(dir: &Path) -> io::Result<Option<String>> {
    checkpoint::read_note(&dir.join(FILE))
}

/// How one stands.
#[derive(Debug, Default)]
struct Standing {
    /// Leaves of the last checkpoint that it signed, as far as is known here.
    seen: u64,
    /// Until when it is left alone.
    until: Option<Instant>,
    /// What was wrong, so that it is told once.
    told: Option<String>,
}

/// What came of asking.
enum Said {
    /// A signature line that holds.
    Signed(String),
    /// It has seen a checkpoint of so many leaves.
    Seen(u64),
    /// In words.
    Not(String),
}

struct Desk<'a> {
    log: &'a Log,
    key: NoteKey,
    witnesses: &'a Witnesses,
    leaves: Vec<Digest>,
    standing: BTreeMap<String, Standing>,
}

/// The thread's life: there is none without a witness.
pub(crate) fn run(log: &Log) {
    let Some(witnesses) = &log.witnesses else { return };
    let key = NoteKey::of_log(log.key.verifying_key());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let mut desk = Desk { log, key, witnesses, leaves: Vec::new(), standing: BTreeMap::new() };
    let runtime = match (runtime, desk.begin()) {
        (Ok(runtime), Ok(())) => runtime,
        (Err(error), _) | (_, Err(error)) => {
            tracing::error!(%error, "witnesses cannot be asked");
            return;
        }
    };
    loop {
        let Ok(ask) = log.checkpoint_ask.lock() else { return };
        let waited = log.checkpoint_bell.wait_timeout_while(ask, EVERY, |stop| !*stop);
        let last = waited.is_ok_and(|(ask, _)| *ask);
        if last {
            return;
        }
        if let Err(error) = runtime.block_on(desk.round()) {
            tracing::warn!(%error, "witnesses could not be asked");
        }
    }
}

impl Desk<'_> {
    /// Reads the leaves that were there before this start, and what was signed.
    fn begin(&mut self) -> io::Result<()> {
        let before = self.log.leaves_before;
        let hashes = &mut self.leaves;
        leaves(&self.log.directory, |text| hashes.push(leaf_hash(text.as_bytes())))
            .map_err(|error| io::Error::other(error.to_string()))?;
        hashes.truncate(usize::try_from(before).unwrap_or(usize::MAX));
        let signed = stored(&self.log.directory)?.and_then(|note| Checkpoint::read(&note, &self.key).ok());
        for witness in &self.witnesses.all {
            let seen = signed.as_ref().filter(|signed| signed.witnessed_by(&witness.key));
            let standing = Standing { seen: seen.map_or(0, |signed| signed.size), ..Standing::default() };
            self.standing.insert(witness.key.to_string(), standing);
        }
        Ok(())
    }

    async fn round(&mut self) -> io::Result<()> {
        // Read before the leaves are taken: whatever it covers is among them.
        let Some(text) = checkpoint::stored(&self.log.directory)? else { return Ok(()) };
        let Ok(now) = Checkpoint::read(&text, &self.key) else { return Ok(()) };
        self.leaves.append(&mut self.log.take_leaves());
        let Some(covered) = usize::try_from(now.size).ok().and_then(|size| self.leaves.get(..size)) else {
            return Ok(());
        };
        if tree::root(covered) != now.root {
            return Err(io::Error::other("the checkpoint is not of this log"));
        }
        let mut lines = String::new();
        for witness in &self.witnesses.all {
            let standing = self.standing.entry(witness.key.to_string()).or_default();
            let waits = standing.until.is_some_and(|until| until > Instant::now());
            if standing.seen >= now.size || waits {
                continue;
            }
            let mut said = ask(&self.witnesses.post, witness, &now, covered, standing.seen).await;
            if let Said::Seen(size) = said {
                said = if size > now.size {
                    Said::Not(format!(
                        "it has seen {size} leaves and the log here has {}: something was removed here",
                        now.size
                    ))
                } else {
                    ask(&self.witnesses.post, witness, &now, covered, size).await
                };
            }
            match said {
                Said::Signed(line) => {
                    lines.push_str(&line);
                    *standing = Standing { seen: now.size, until: None, told: None };
                }
                Said::Seen(_) => standing.until = Some(Instant::now() + PAUSE),
                Said::Not(what) => {
                    standing.until = Some(Instant::now() + PAUSE);
                    if standing.told.as_ref() != Some(&what) {
                        tracing::error!(
                            witness = witness.key.name(),
                            what,
                            "a witness did not sign the recording's checkpoint"
                        );
                        standing.told = Some(what);
                    }
                }
            }
        }
        if !lines.is_empty() {
            store(&self.log.directory, &format!("{}{lines}", now.note))?;
        }
        Ok(())
    }
}

async fn ask(post: &Post, witness: &Witness, now: &Checkpoint, leaves: &[Digest], old: u64) -> Said {
    let proof = usize::try_from(old).ok().and_then(|old| tree::consistency(leaves, old)).unwrap_or_default();
    let body = format!("old {old}\n{}\n{}", hash_lines(&proof), now.note);
    let url = format!("{}/add-checkpoint", witness.url.trim_end_matches('/'));
    let Some((status, body)) = (post.0)(url, body).await else {
        return Said::Not("it does not answer".into());
    };
    let text = String::from_utf8_lossy(&body);
    match status {
        200 => {
            let own = note::split(&now.note).and_then(|(signed, _)| {
                text.lines().find(|line| note::signed_by(signed, line, &witness.key)).map(str::to_owned)
            });
            own.map_or_else(
                || Said::Not("its signature does not hold".into()),
                |line| Said::Signed(format!("{line}\n")),
            )
        }
        409 => match text.trim().parse() {
            Ok(size) => Said::Seen(size),
            Err(_) => Said::Not("it answers with status 409".into()),
        },
        status => Said::Not(format!("it answers with status {status}")),
    }
}

fn store(dir: &Path, note: &str) -> io::Result<()> {
    let unfinished = dir.join("witnessed.tmp");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(note.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&unfinished, dir.join(FILE))?;
    std::fs::File::open(dir)?.sync_all()
}

#[cfg(test)]
#[path = "witness_tests.rs"]
mod tests;
