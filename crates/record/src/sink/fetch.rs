//! Brings a log back from a sink into a folder that can be verified, read and exported like the original.

use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use serde::Serialize;

use super::store::{Sink, SinkError};
use super::{CHECKPOINTS, KEY, SEGMENTS, TORN, WITNESSED};
use crate::checkpoint;
use crate::error::RecordError;
use crate::medium::make_directory;
use crate::segment::{self, PACKED};
use crate::verify;
use crate::witness;

/// What was brought back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Fetched {
    /// Segments.
    pub segments: u64,
    /// Of them and of what else there is, bytes.
    pub bytes: u64,
    /// Leaves of the tree that the segments make.
    pub leaves: u64,
    /// Leaves of the checkpoint that was put beside them: the last one that they reach.
    pub checkpoint: Option<u64>,
    /// Leaves of the last checkpoint in the sink, when the segments end before it: what is between was not
    /// sent yet when they were fetched, or is gone.
    pub ahead: Option<u64>,
}

/// The logs in a sink, by the names that their keys have.
///
/// # Errors
/// When the sink cannot be asked.
pub async fn logs(sink: &Sink) -> Result<Vec<String>, SinkError> {
    sink.folders().await
}

/// Fetches a log into a folder, which is made. What is there already is not fetched again.
///
/// # Errors
/// When the sink cannot be asked, or the disk does not take it. What was fetched stays.
pub async fn fetch(
    sink: &Sink,
    log: &str,
    into: &Path,
    mut on_progress: impl FnMut(usize, usize),
) -> Result<Fetched, SinkError> {
    let mut fetched = Fetched::default();
    make_directory(&into.join(SEGMENTS))?;
    let mut segments = sink.list(log, SEGMENTS, None).await?;
    // A segment that was sent as it was written, before it was packed, is there twice.
    let packed: Vec<String> = segments.iter().filter_map(|(name, _)| stem(name, PACKED)).collect();
    segments.retain(|(name, _)| {
        segment::number_of(name).is_some()
            && stem(name, segment::RAW).is_none_or(|stem| !packed.contains(&stem))
    });
    if segments.is_empty() {
        return Err(SinkError::Missing);
    }
    let of = segments.len();
    for (done, (name, bytes)) in segments.into_iter().enumerate() {
        bring(sink, log, &format!("{SEGMENTS}/{name}"), into).await?;
        fetched.segments += 1;
        fetched.bytes += bytes;
        on_progress(done + 1, of);
    }
    let torn = sink.list(log, TORN, None).await?;
    if !torn.is_empty() {
        make_directory(&into.join(TORN))?;
    }
    for (name, bytes) in torn {
        bring(sink, log, &format!("{TORN}/{name}"), into).await?;
        fetched.bytes += bytes;
    }
    match bring(sink, log, KEY, into).await {
        Ok(()) | Err(SinkError::Missing) => {}
        Err(error) => return Err(error),
    }
    verify::leaves(into, |_| fetched.leaves += 1).map_err(|error| match error {
        RecordError::Io(error) => error.into(),
        _ => SinkError::Disk(io::ErrorKind::InvalidData),
    })?;
    let checkpoints = sink.list(log, CHECKPOINTS, None).await?;
    let size = |name: &str| name.parse::<u64>().ok();
    let reached =
        checkpoints.iter().rev().find(|(name, _)| size(name).is_some_and(|size| size <= fetched.leaves));
    if let Some((name, _)) = reached {
        let bytes = sink.get(log, &format!("{CHECKPOINTS}/{name}")).await?;
        write(&into.join(checkpoint::FILE), &bytes)?;
        fetched.checkpoint = size(name);
    }
    let witnessed = sink.list(log, WITNESSED, None).await?;
    if let Some((name, _)) =
        witnessed.iter().rev().find(|(name, _)| size(name).is_some_and(|size| size <= fetched.leaves))
    {
        let bytes = sink.get(log, &format!("{WITNESSED}/{name}")).await?;
        write(&into.join(witness::FILE), &bytes)?;
    }
    if let Some((name, _)) = checkpoints.last()
        && size(name).is_some_and(|size| size > fetched.leaves)
    {
        let bytes = sink.get(log, &format!("{CHECKPOINTS}/{name}")).await?;
        write(&into.join("checkpoint-ahead"), &bytes)?;
        fetched.ahead = size(name);
    }
    Ok(fetched)
}

fn stem(name: &str, extension: &str) -> Option<String> {
    name.strip_suffix(extension).and_then(|name| name.strip_suffix('.')).map(str::to_owned)
}

async fn bring(sink: &Sink, log: &str, name: &str, into: &Path) -> Result<(), SinkError> {
    let path = into.join(name);
    // The last part alone comes from the sink, and an object's name has no slash in it.
    if path.exists() {
        return Ok(());
    }
    let bytes = sink.get(log, name).await?;
    Ok(write(&path, &bytes)?)
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension("fetching");
    let mut file =
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&unfinished, path)
}
