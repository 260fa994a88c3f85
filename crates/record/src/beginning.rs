//! How a segment begins: its header and its roster, written before it has a name.

use std::collections::HashMap;
use std::path::Path;

use ed25519_dalek::SigningKey;
use sallyport_core::{Digest, SessionId, Timestamp};

use crate::cipher::{Cipher, Sealing};
use crate::error::RecordError;
use crate::format::{Draft, Kind, Label, NO_LINK};
use crate::header::Header;
use crate::log::{Chain, UNFINISHED};
use crate::medium::{Disk, Medium};
use crate::next_key::Ready;
use crate::segment;
use crate::statements::{OpenSession, Roster};
use crate::tree::Tree;

/// What a new segment is made of.
pub(crate) struct Beginning<'a> {
    pub(crate) directory: &'a Path,
    pub(crate) disk: &'a dyn Disk,
    pub(crate) room: u64,
    pub(crate) key: &'a SigningKey,
    /// What its entries are encrypted with; nothing: they lie in the clear.
    pub(crate) data_key: Option<&'a Ready>,
    pub(crate) number: u64,
    pub(crate) created: Timestamp,
    pub(crate) previous: Digest,
}

#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) medium: Box<dyn Medium>,
    pub(crate) end: u64,
    pub(crate) head: Digest,
    pub(crate) sealing: Sealing,
}

/// Makes a segment with its header and its roster. It gets its name only when both are written.
pub(crate) fn begin_segment(
    new: &Beginning<'_>,
    open: &HashMap<SessionId, Chain>,
    tree: &Tree,
) -> Result<Begun, RecordError> {
    let mut open: Vec<OpenSession> = open
        .iter()
        .map(|(id, chain)| OpenSession {
            session: id.clone(),
            entries: chain.entries,
            head: chain.head,
            opened: chain.opened.micros(),
        })
        .collect();
    open.sort_by(|a, b| a.session.cmp(&b.session));
    let (cipher, data_key) = match new.data_key {
        None => (None, None),
        Some(ready) => (Some(Cipher::new(&ready.key)?), Some(ready.wrapped.clone())),
    };
    let header = Header {
        number: new.number,
        created: new.created,
        previous: new.previous,
        key: new.key.verifying_key().to_bytes(),
        data_key,
    };
    let (header, link) =
        header.encode(new.key).ok_or_else(|| RecordError::Key("the wrapped key is too large".into()))?;
    let roster = Roster { event: "roster".into(), open, tree: tree.clone() };
    let label = Label { kind: Kind::Roster, session: None, sequence: 0, time: new.created };
    let draft = Draft::new(label, &roster, &[], None)?;
    let (trailer, head) = draft.trailer(NO_LINK, link);
    let folder = segment::folder(new.directory);
    let unfinished = folder.join(UNFINISHED);
    let end = u64::try_from(header.len()).unwrap_or(0) + draft.frame_bytes();
    let write = || {
        let medium = new.disk.create(&unfinished, new.room)?;
        medium.write_at(&[&header, draft.bytes(), &trailer], 0)?;
        new.disk.rename(&unfinished, &folder.join(segment::file_name(new.created, new.number)))?;
        Ok(medium)
    };
    match write() {
        Ok(medium) => Ok(Begun { medium, end, head, sealing: Sealing { segment: new.number, cipher } }),
        Err(error) => {
            // Left behind it would hold space that is short, and stand in the next attempt's way.
            if let Err(left) = std::fs::remove_file(&unfinished)
                && left.kind() != std::io::ErrorKind::NotFound
            {
                tracing::warn!(error = %left, "an unfinished segment could not be removed");
            }
            Err(RecordError::of_write(error))
        }
    }
}
