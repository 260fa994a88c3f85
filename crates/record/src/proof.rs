//! Proofs from a recording, checked without it: that a session is in the log, and that a log is what it
//! was when somebody noted a checkpoint, with more behind it.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sallyport_core::{Digest, SessionId};
use serde::Serialize;

use crate::checkpoint::{self, Checkpoint};
use crate::error::RecordError;
use crate::note::NoteKey;
use crate::tree;
use crate::verify::leaves;

const INCLUSION: &str = "c2sp.org/tlog-proof@v1";
/// Most bytes of a proof that is read.
const MOST: usize = 128 << 10;

/// A sealed session that is in a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Proven {
    /// The session.
    pub session: SessionId,
    /// Entries that its seal covers.
    pub entries: u64,
    /// Hash of the last of them.
    pub head: Digest,
    /// Place in the log.
    pub index: u64,
    /// Leaves of the checkpoint that it is proven by.
    pub size: u64,
}

fn damaged(what: &str) -> RecordError {
    RecordError::Damaged(what.to_owned())
}

pub(crate) fn hash_lines(hashes: &[Digest]) -> String {
    hashes.iter().map(|hash| format!("{}\n", STANDARD.encode(hash.as_bytes()))).collect()
}

fn read_hashes<'a>(lines: impl Iterator<Item = &'a str>) -> Option<Vec<Digest>> {
    let hashes: Option<Vec<Digest>> =
        lines.map(|line| Some(Digest::from_bytes(STANDARD.decode(line).ok()?.try_into().ok()?))).collect();
    hashes.filter(|hashes| hashes.len() < tree::MOST_HASHES)
}

/// The log's last checkpoint, and the hashes of the leaves that it covers.
fn covered(
    dir: &Path,
    key: &NoteKey,
    mut leaf: impl FnMut(u64, &str),
) -> Result<(Checkpoint, Vec<Digest>), RecordError> {
    let text =
        checkpoint::stored(dir)?.ok_or_else(|| damaged("there is no checkpoint beside the segments"))?;
    let found = Checkpoint::read(&text, key).map_err(damaged)?;
    let mut hashes = Vec::new();
    leaves(dir, |text| {
        leaf(u64::try_from(hashes.len()).unwrap_or(u64::MAX), text);
        hashes.push(tree::leaf_hash(text.as_bytes()));
    })?;
    let size = usize::try_from(found.size).map_err(|_| damaged("the checkpoint is too large"))?;
    if hashes.len() < size {
        return Err(damaged("the log ends before its checkpoint"));
    }
    hashes.truncate(size);
    if tree::root(&hashes) != found.root {
        return Err(damaged("the log is not the one that its checkpoint was made of"));
    }
    Ok((found, hashes))
}

/// Proves that a sealed session is in the log, by the last checkpoint (c2sp.org/tlog-proof).
///
/// # Errors
/// When the session has no seal, when no checkpoint covers it yet, and what the disk says.
pub fn prove(dir: &Path, key: &NoteKey, session: &SessionId) -> Result<String, RecordError> {
    let begin = format!("session {session} ");
    let mut at = None;
    let (checkpoint, hashes) = covered(dir, key, |index, text| {
        if text.starts_with(&begin) {
            at = Some((index, text.to_owned()));
        }
    })?;
    let (index, leaf) = at
        .filter(|(index, _)| *index < checkpoint.size)
        .ok_or_else(|| damaged("no checkpoint covers a seal of this session yet"))?;
    let path = usize::try_from(index)
        .ok()
        .and_then(|index| tree::inclusion(&hashes, index))
        .ok_or_else(|| damaged("the session is not in the tree"))?;
    let (extra, lines) = (STANDARD.encode(leaf), hash_lines(&path));
    Ok(format!("{INCLUSION}\nextra {extra}\nindex {index}\n{lines}\n{}", checkpoint.note))
}

/// Checks such a proof, by the log's key alone.
///
/// # Errors
/// In words, what is wrong with it.
pub fn check(proof: &str, key: &NoteKey) -> Result<Proven, &'static str> {
    const NONE: &str = "this is not a proof of a session";
    if proof.len() > MOST {
        return Err(NONE);
    }
    let (head, note) = proof.split_once("\n\n").ok_or(NONE)?;
    let checkpoint = Checkpoint::read(note, key)?;
    let mut lines = head.lines();
    if lines.next() != Some(INCLUSION) {
        return Err(NONE);
    }
    let extra = lines.next().and_then(|line| line.strip_prefix("extra ")).ok_or(NONE)?;
    let leaf = STANDARD.decode(extra).ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or(NONE)?;
    let index = lines.next().and_then(|line| line.strip_prefix("index ")).ok_or(NONE)?;
    let index = index.parse().map_err(|_| NONE)?;
    let path = read_hashes(lines).ok_or(NONE)?;
    let hash = tree::leaf_hash(leaf.as_bytes());
    if !tree::includes(hash, index, checkpoint.size, checkpoint.root, &path) {
        return Err("the session is not in the tree of the checkpoint");
    }
    let mut words = leaf.split(' ');
    if words.next() != Some("session") {
        return Err(NONE);
    }
    let session = words.next().and_then(SessionId::parse).ok_or(NONE)?;
    let entries = words.next().and_then(|entries| entries.parse().ok()).ok_or(NONE)?;
    let head = words.next().and_then(Digest::parse).ok_or(NONE)?;
    Ok(Proven { session, entries, head, index, size: checkpoint.size })
}

/// Proves that the log is what it was at an earlier checkpoint, with more behind it. The text is what a
/// witness is asked with (c2sp.org/tlog-witness).
///
/// # Errors
/// When it is not, and what the disk says.
pub fn prove_since(dir: &Path, key: &NoteKey, old: &Checkpoint) -> Result<String, RecordError> {
    let (now, hashes) = covered(dir, key, |_, _| {})?;
    let size = usize::try_from(old.size).unwrap_or(usize::MAX);
    let begin = hashes.get(..size).ok_or_else(|| damaged("the log ends before the earlier checkpoint"))?;
    if tree::root(begin) != old.root {
        return Err(damaged("the log is not the one that the earlier checkpoint was made of"));
    }
    let path = tree::consistency(&hashes, size).unwrap_or_default();
    Ok(format!("old {}\n{}\n{}", old.size, hash_lines(&path), now.note))
}

/// Checks such a proof against the earlier checkpoint; gives the later one.
///
/// # Errors
/// In words, what is wrong with it.
pub fn check_since(proof: &str, key: &NoteKey, old: &Checkpoint) -> Result<Checkpoint, &'static str> {
    const NONE: &str = "this is not a proof since a checkpoint";
    if proof.len() > MOST {
        return Err(NONE);
    }
    let (head, note) = proof.split_once("\n\n").ok_or(NONE)?;
    let now = Checkpoint::read(note, key)?;
    let mut lines = head.lines();
    let size = lines.next().and_then(|line| line.strip_prefix("old ")).ok_or(NONE)?;
    let path = read_hashes(lines).ok_or(NONE)?;
    if size.parse() != Ok(old.size) {
        return Err("the proof begins at another checkpoint");
    }
    if tree::consistent((old.size, old.root), (now.size, now.root), &path) {
        Ok(now)
    } else {
        Err("the log is not the one that the earlier checkpoint was made of")
    }
}

#[cfg(test)]
#[path = "proof_tests.rs"]
mod tests;
