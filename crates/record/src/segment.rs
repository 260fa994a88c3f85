//! One file of the log, and how much of it is known to be durable.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use sallyport_core::Timestamp;

use crate::medium::Medium;

/// A segment that is being written, or was until a moment ago.
#[derive(Debug)]
pub(crate) struct Segment {
    /// The file.
    pub(crate) medium: Box<dyn Medium>,
    /// Bytes from the start that are on stable storage.
    synced: AtomicU64,
    /// Whether a sync failed: nothing more of it is ever called durable.
    failed: AtomicBool,
}

impl Segment {
    pub(crate) fn new(medium: Box<dyn Medium>) -> Self {
        Self { medium, synced: AtomicU64::new(0), failed: AtomicBool::new(false) }
    }

    pub(crate) fn synced(&self) -> u64 {
        self.synced.load(Ordering::Acquire)
    }

    pub(crate) fn failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    pub(crate) fn set_synced(&self, end: u64) {
        // Two threads may sync the same segment: the later end stands.
        self.synced.fetch_max(end, Ordering::AcqRel);
    }

    pub(crate) fn set_failed(&self) {
        self.failed.store(true, Ordering::Release);
    }
}

/// `20261124T233500Z-000000000001.slr`: the time is for people, the number is the order.
pub(crate) fn file_name(created: Timestamp, number: u64) -> String {
    let plain: String = created.to_string().chars().take(19).filter(|c| !matches!(c, '-' | ':')).collect();
    format!("{plain}Z-{number:012}.slr")
}

/// Extensions of a segment's file: as it is written, and packed.
pub(crate) const RAW: &str = "slr";
pub(crate) const PACKED: &str = "slz";

/// The number in a segment's file name.
pub(crate) fn number_of(name: &str) -> Option<u64> {
    let (stem, extension) = name.rsplit_once('.')?;
    if ![RAW, PACKED].contains(&extension) {
        return None;
    }
    stem.rsplit_once('-')?.1.parse().ok()
}

/// The folder of segments.
pub(crate) fn folder(directory: &Path) -> PathBuf {
    directory.join("segments")
}

/// The segments of a log, in order. No folder is an empty log.
pub(crate) fn list(directory: &Path) -> std::io::Result<Vec<(u64, PathBuf)>> {
    let entries = match std::fs::read_dir(folder(directory)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if let Some(number) = path.file_name().and_then(|name| name.to_str()).and_then(number_of) {
            found.push((number, path));
        }
    }
    found.sort();
    // A stop between packing a segment and removing what it was made of leaves both: the same one twice.
    found.dedup_by(|second, first| {
        second.0 == first.0 && second.1.with_extension("") == first.1.with_extension("")
    });
    Ok(found)
}

/// A path's last part, for reports.
pub(crate) fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
