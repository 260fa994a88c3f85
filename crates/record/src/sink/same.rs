//! Whether two copies of a segment are the same log: entry for entry the same hashes. Bodies that were let
//! go, and compression, make files differ and not what they say.

use std::io;
use std::path::Path;

use sallyport_core::Digest;

use crate::scan::{Segment, Step};

/// A segment's hashes, one after the other; ends at what is not intact.
struct Hashes(Segment);

impl Hashes {
    fn next(&mut self) -> io::Result<Option<Digest>> {
        loop {
            match self.0.step(|_| true)? {
                Step::Frame(frame) => return Ok(frame.intact.then_some(frame.hash)),
                Step::Skipped => {}
                Step::End { .. } | Step::Unreadable { .. } => return Ok(None),
            }
        }
    }
}

/// Whether both have the same header and the same entries.
pub(super) fn same_log(one: &Path, other: &Path) -> io::Result<bool> {
    let (first, header) = Segment::open(one)?;
    let (second, other_header) = Segment::open(other)?;
    if header.is_none() || header != other_header {
        return Ok(false);
    }
    let (mut first, mut second) = (Hashes(first), Hashes(second));
    let mut entries = 0_u64;
    loop {
        match (first.next()?, second.next()?) {
            (None, None) => return Ok(entries > 0),
            (one, other) if one == other => entries += 1,
            _ => return Ok(false),
        }
    }
}
