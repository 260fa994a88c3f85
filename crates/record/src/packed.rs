//! A complete segment, packed: what verification needs lies in the clear, bodies are compressed together.
//!
//! AES-GCM gives the same bytes again for the same key, number and envelope. So bodies are kept as they
//! were before encryption, compressed, encrypted by the block, and a reader with the key makes of them
//! the very bytes that stood in the segment and holds them against their hashes. Who has no key checks
//! the chains all the same, since an entry's hash is over the hash of its body. A body may be gone; then
//! its hash is what is left of it.
//!
//! Offsets are those of the segment as it was: whoever noted one finds the same entry there.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use sallyport_core::{Digest, SessionId};

use crate::cipher::{Opener, TAG};
use crate::error::RecordError;
use crate::format::{Envelope, Kind, Layout, MAX_FRAME, TRAILER, entry_hash};
use crate::header::{self, Header};
use crate::scan::{Closed, Frame, Segment, Step};

/// First bytes of a packed segment.
pub(crate) const MAGIC: &[u8; 8] = b"SALLYPAK";
const VERSION: u32 = 1;
/// A group is written once its bodies are this large.
const GROUP: usize = 1 << 20;
/// A group has at most so many entries.
const MOST_ENTRIES: usize = 4096;
/// Most bytes of a group: one body of the largest size, and its heads.
const MOST_GROUP: usize = MAX_FRAME + (16 << 20);
/// zstd's level: its default, which this is far from being slowed by.
const LEVEL: i32 = 3;

/// Where an entry's body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In the head, as it is.
    Head,
    /// In the group's block.
    Block,
    /// Nowhere any more.
    Gone,
}

#[derive(Debug)]
struct Head {
    place: Place,
    envelope: Vec<u8>,
    /// Bytes of the body in the segment.
    length: usize,
    session_link: Digest,
    hash: Digest,
    /// The body itself, or its hash.
    rest: Vec<u8>,
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(length)?;
    *rest = tail;
    Some(head)
}

fn word(rest: &mut &[u8]) -> Option<usize> {
    let (bytes, tail) = rest.split_first_chunk::<4>()?;
    *rest = tail;
    usize::try_from(u32::from_be_bytes(*bytes)).ok()
}

fn digest(rest: &mut &[u8]) -> Option<Digest> {
    let (bytes, tail) = rest.split_first_chunk::<32>()?;
    *rest = tail;
    Some(Digest::from_bytes(*bytes))
}

impl Head {
    fn read(rest: &mut &[u8]) -> Option<Self> {
        let place = match take(rest, 1)? {
            [0] => Place::Head,
            [1] => Place::Block,
            [2] => Place::Gone,
            _ => return None,
        };
        let (length, tail) = rest.split_first_chunk::<2>()?;
        *rest = tail;
        let envelope = take(rest, usize::from(u16::from_be_bytes(*length)))?.to_vec();
        let length = word(rest).filter(|length| *length <= MAX_FRAME)?;
        let (session_link, hash) = (digest(rest)?, digest(rest)?);
        let kept = if place == Place::Head { length } else { 32 };
        Some(Self { place, envelope, length, session_link, hash, rest: take(rest, kept)?.to_vec() })
    }

    fn write(&self, out: &mut Vec<u8>) -> Option<()> {
        out.push(match self.place {
            Place::Head => 0,
            Place::Block => 1,
            Place::Gone => 2,
        });
        out.extend_from_slice(&u16::try_from(self.envelope.len()).ok()?.to_be_bytes());
        out.extend_from_slice(&self.envelope);
        out.extend_from_slice(&u32::try_from(self.length).ok()?.to_be_bytes());
        out.extend_from_slice(self.session_link.as_bytes());
        out.extend_from_slice(self.hash.as_bytes());
        out.extend_from_slice(&self.rest);
        Some(())
    }

    fn frame_bytes(&self) -> u64 {
        u64::try_from(6 + self.envelope.len() + self.length + TRAILER).unwrap_or(u64::MAX)
    }
}

/// A packed segment, read entry by entry.
#[derive(Debug)]
pub(crate) struct Packed {
    file: BufReader<File>,
    /// Where the groups begin.
    groups: u64,
    /// Where the entries began in the segment.
    start: u64,
    link: Digest,
    encrypted: bool,
    opener: Option<Arc<Opener>>,
    heads: std::vec::IntoIter<Head>,
    /// Number of the present group.
    group: u64,
    block: Block,
    /// Where the next entry was in the segment.
    offset: u64,
    previous: Digest,
}

/// The bodies of a group, as far as they were needed.
#[derive(Debug, Default)]
struct Block {
    sealed: Vec<u8>,
    raw_length: usize,
    bodies: Option<Vec<u8>>,
    at: usize,
}

impl Packed {
    /// Reads on behind the magic, and gives the segment's header.
    pub(crate) fn open(mut file: BufReader<File>) -> io::Result<Option<(Self, Vec<u8>)>> {
        let mut words = [0; 8];
        if file.read_exact(&mut words).is_err() {
            return Ok(None);
        }
        let (version, length) = (words.first_chunk::<4>(), words.last_chunk::<4>());
        let length = length.map_or(0, |bytes| u32::from_be_bytes(*bytes));
        let known = version == Some(&VERSION.to_be_bytes());
        let Some(length) = usize::try_from(length).ok().filter(|length| known && *length <= header::MOST)
        else {
            return Ok(None);
        };
        let mut bytes = vec![0; length];
        if file.read_exact(&mut bytes).is_err() {
            return Ok(None);
        }
        let encrypted = Header::decode(&bytes, None).is_ok_and(|(header, _)| header.data_key.is_some());
        let (link, start) = (Digest::of(&bytes), u64::try_from(length).unwrap_or(0));
        let this = Self {
            file,
            groups: 16 + start,
            start,
            link,
            encrypted,
            opener: None,
            heads: Vec::new().into_iter(),
            group: 0,
            block: Block::default(),
            offset: start,
            previous: link,
        };
        Ok(Some((this, bytes)))
    }

    /// Takes the segment's key, by which bodies can be read.
    pub(crate) fn unlock(&mut self, opener: Option<Arc<Opener>>) {
        self.opener = opener;
    }

    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Goes to where an entry was in the segment.
    pub(crate) fn seek(&mut self, offset: u64) -> io::Result<()> {
        if offset < self.offset {
            self.file.seek(SeekFrom::Start(self.groups))?;
            self.heads = Vec::new().into_iter();
            (self.group, self.block) = (0, Block::default());
            (self.offset, self.previous) = (self.start, self.link);
        }
        while self.offset < offset {
            if !matches!(self.step(|_| false)?, Step::Skipped | Step::Frame(_)) {
                break;
            }
        }
        Ok(())
    }

    /// Bytes behind the last group.
    pub(crate) fn remains(&mut self) -> io::Result<u64> {
        io::copy(&mut self.file, &mut io::sink())
    }

    /// The next group's heads; nothing at the end.
    fn next_group(&mut self) -> io::Result<Result<bool, &'static str>> {
        let mut bytes = [0; 4];
        match self.file.read_exact(&mut bytes) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(Ok(false)),
            other => other?,
        }
        let length = usize::try_from(u32::from_be_bytes(bytes)).unwrap_or(usize::MAX);
        if length > MOST_GROUP {
            return Ok(Err("the length of a group is impossible"));
        }
        let mut group = vec![0; length];
        if let Err(error) = self.file.read_exact(&mut group) {
            let ends = error.kind() == io::ErrorKind::UnexpectedEof;
            return if ends { Ok(Err("the file ends inside a group")) } else { Err(error) };
        }
        let parse = || {
            let mut rest = group.as_slice();
            let length = word(&mut rest)?;
            let mut heads = take(&mut rest, length)?;
            let raw_length = word(&mut rest).filter(|length| *length <= MOST_GROUP)?;
            let mut found = Vec::new();
            while !heads.is_empty() {
                found.push(Head::read(&mut heads)?);
            }
            Some((found, Block { sealed: rest.to_vec(), raw_length, bodies: None, at: 0 }))
        };
        let Some((heads, block)) = parse() else { return Ok(Err("a group cannot be read")) };
        (self.heads, self.block) = (heads.into_iter(), block);
        self.group += 1;
        Ok(Ok(true))
    }

    /// The next entry, as it stood in the segment.
    pub(crate) fn step(&mut self, wanted: impl FnOnce(&Envelope) -> bool) -> io::Result<Step> {
        let offset = self.offset;
        let head = loop {
            if let Some(head) = self.heads.next() {
                break head;
            }
            match self.next_group()? {
                Ok(true) => {}
                Ok(false) => return Ok(Step::End { offset }),
                Err(what) => return Ok(Step::Unreadable { offset, what }),
            }
        };
        let end = offset.saturating_add(head.frame_bytes());
        let log_link = std::mem::replace(&mut self.previous, head.hash);
        self.offset = end;
        let envelope = Envelope::decode(Layout::V2, &head.envelope);
        let nonce = envelope.as_ref().and_then(|envelope| envelope.nonce);
        let stored = if nonce.is_some() { head.length.saturating_sub(TAG) } else { head.length };
        let at = self.block.at;
        if head.place == Place::Block {
            self.block.at = at.saturating_add(stored);
        }
        if envelope.as_ref().is_some_and(|envelope| !wanted(envelope)) {
            return Ok(Step::Skipped);
        }
        let (body, body_hash, lost) = match head.place {
            Place::Head => {
                let hash = Digest::of(&head.rest);
                (head.rest, Some(hash), None)
            }
            Place::Gone => (Vec::new(), digest(&mut head.rest.as_slice()), Some(Closed::Gone)),
            Place::Block => {
                let stated = digest(&mut head.rest.as_slice());
                match self.body(at, stored, nonce, &head.envelope) {
                    Ok(body) => {
                        let same = stated == Some(Digest::of(&body));
                        (body, stated.filter(|_| same), None)
                    }
                    Err(Closed::NoKey) => (Vec::new(), stated, Some(Closed::NoKey)),
                    Err(_) => (Vec::new(), None, Some(Closed::Unreadable)),
                }
            }
        };
        let right = body_hash
            .is_some_and(|body| entry_hash(head.session_link, log_link, body, &head.envelope) == head.hash);
        Ok(Step::Frame(Box::new(Frame {
            offset,
            end,
            intact: right && envelope.is_some(),
            envelope,
            envelope_bytes: head.envelope,
            body,
            lost,
            body_hash,
            session_link: head.session_link,
            log_link,
            hash: head.hash,
        })))
    }

    /// A body out of the group's block, as it lay in the segment.
    fn body(
        &mut self,
        at: usize,
        length: usize,
        nonce: Option<u64>,
        envelope: &[u8],
    ) -> Result<Vec<u8>, Closed> {
        if self.block.bodies.is_none() {
            let sealed = std::mem::take(&mut self.block.sealed);
            let squeezed = match (&self.opener, self.encrypted) {
                (_, false) => sealed,
                (None, true) => {
                    self.block.sealed = sealed;
                    return Err(Closed::NoKey);
                }
                (Some(opener), true) => opener.open_block(self.group, sealed).ok_or(Closed::Unreadable)?,
            };
            let bodies = zstd::bulk::decompress(&squeezed, self.block.raw_length);
            self.block.bodies = Some(bodies.map_err(|_| Closed::Unreadable)?);
        }
        let bodies = self.block.bodies.as_deref().unwrap_or_default();
        let clear = bodies.get(at..at.saturating_add(length)).ok_or(Closed::Unreadable)?;
        match (nonce, &self.opener) {
            (None, _) => Ok(clear.to_vec()),
            (Some(nonce), Some(opener)) => {
                opener.seal_again(nonce, envelope, clear).map_err(|_| Closed::Unreadable)
            }
            (Some(_), None) => Err(Closed::NoKey),
        }
    }
}

/// Packs a segment into another file. Bodies of sessions that `gone` names are left out.
///
/// # Errors
/// When anything in it is not intact: then it stays as it is, for whoever examines it.
pub(crate) fn pack(
    from: &Path,
    to: &Path,
    opener: Option<&Arc<Opener>>,
    gone: &dyn Fn(&SessionId) -> bool,
) -> Result<(), RecordError> {
    let damaged = |what: &str| RecordError::Damaged(what.to_owned());
    let (mut segment, header) = Segment::open(from)?;
    let header = header.ok_or_else(|| damaged("the segment has no header"))?;
    let (decoded, link) = Header::decode(&header, None).map_err(|_| damaged("the header is damaged"))?;
    if segment.is_version_1() {
        return Err(damaged("segments of version 1 are not packed"));
    }
    segment.unlock(opener.cloned());
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(to)?;
    let mut out = Writer {
        file: BufWriter::new(file),
        opener: opener.filter(|_| decoded.data_key.is_some()).cloned(),
        heads: Vec::new(),
        entries: 0,
        bodies: Vec::new(),
        group: 0,
    };
    let length = u32::try_from(header.len()).unwrap_or(0).to_be_bytes();
    for part in [MAGIC.as_slice(), &VERSION.to_be_bytes(), &length, &header] {
        out.file.write_all(part)?;
    }
    let mut head = link;
    loop {
        let frame = match segment.step(|_| true)? {
            Step::Frame(frame) if frame.intact && frame.log_link == head => *frame,
            Step::End { .. } => break,
            _ => return Err(damaged("the segment is not intact")),
        };
        head = frame.hash;
        out.entry(frame, gone)?;
    }
    out.flush()?;
    out.file.flush()?;
    out.file.get_ref().sync_all()?;
    drop(out);
    // Read back before anything is taken away.
    let (mut copy, _) = Segment::open(to)?;
    copy.unlock(opener.cloned());
    let mut last = link;
    while let Step::Frame(frame) = copy.step(|_| true)? {
        let readable = frame.lost.is_none() || frame.lost == Some(Closed::Gone);
        if !frame.intact || frame.log_link != last || !readable {
            return Err(damaged("the packed segment does not read back"));
        }
        last = frame.hash;
    }
    if last == head { Ok(()) } else { Err(damaged("the packed segment does not read back")) }
}

struct Writer {
    file: BufWriter<File>,
    opener: Option<Arc<Opener>>,
    heads: Vec<u8>,
    entries: usize,
    bodies: Vec<u8>,
    group: u64,
}

impl Writer {
    fn entry(&mut self, frame: Frame, gone: &dyn Fn(&SessionId) -> bool) -> Result<(), RecordError> {
        let Some(envelope) = frame.envelope else { return Err(RecordError::Stopped) };
        let length = usize::try_from(frame.end - frame.offset).unwrap_or(0);
        let length = length.saturating_sub(6 + frame.envelope_bytes.len() + TRAILER);
        let let_go = envelope.kind == Kind::Event && envelope.session.as_ref().is_some_and(gone);
        let (place, rest) = match (frame.lost, let_go) {
            (Some(Closed::Gone), _) => {
                let body = frame.body_hash.ok_or(RecordError::Stopped)?;
                (Place::Gone, body.as_bytes().to_vec())
            }
            (Some(_), _) => {
                return Err(RecordError::Key(
                    "a body cannot be read, so the segment cannot be packed".into(),
                ));
            }
            (None, true) => (Place::Gone, Digest::of(&frame.body).as_bytes().to_vec()),
            (None, false) if envelope.kind == Kind::Event => {
                let hash = Digest::of(&frame.body).as_bytes().to_vec();
                let clear = match (envelope.nonce, &self.opener) {
                    (None, _) => frame.body,
                    (Some(nonce), Some(opener)) => opener
                        .open(nonce, &frame.envelope_bytes, frame.body)
                        .ok_or_else(|| RecordError::Damaged("an entry cannot be decrypted".into()))?,
                    (Some(_), None) => return Err(RecordError::Key("there is no key to pack by".into())),
                };
                self.bodies.extend_from_slice(&clear);
                (Place::Block, hash)
            }
            (None, false) => (Place::Head, frame.body),
        };
        let (session_link, hash, envelope) = (frame.session_link, frame.hash, frame.envelope_bytes);
        let head = Head { place, envelope, length, session_link, hash, rest };
        head.write(&mut self.heads).ok_or(RecordError::TooLarge)?;
        self.entries += 1;
        if self.bodies.len() >= GROUP || self.entries >= MOST_ENTRIES || self.heads.len() >= GROUP {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), RecordError> {
        if self.entries == 0 {
            return Ok(());
        }
        self.group += 1;
        let mut block = zstd::bulk::compress(&self.bodies, LEVEL)?;
        if let Some(opener) = &self.opener {
            opener.seal_block(self.group, &mut block)?;
        }
        let size = |length: usize| u32::try_from(length).map_err(|_| RecordError::TooLarge);
        let length = size(8 + self.heads.len() + block.len())?;
        self.file.write_all(&length.to_be_bytes())?;
        self.file.write_all(&size(self.heads.len())?.to_be_bytes())?;
        self.file.write_all(&self.heads)?;
        self.file.write_all(&size(self.bodies.len())?.to_be_bytes())?;
        self.file.write_all(&block)?;
        self.heads.clear();
        self.bodies.clear();
        self.entries = 0;
        Ok(())
    }
}

#[cfg(test)]
#[path = "packed_tests.rs"]
mod tests;
