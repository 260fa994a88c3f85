//! Reads a segment frame by frame, trusting nothing in it and holding one frame at a time.

use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use sallyport_core::Digest;
use sha2::{Digest as _, Sha256};

use crate::format::{Envelope, HEADER, MAX_FRAME, MIN_FRAME, NO_LINK, TRAILER, VERSION, entry_hash};

/// A frame as it lies in the file.
#[derive(Debug)]
pub(crate) struct Frame {
    /// Where its length word is.
    pub(crate) offset: u64,
    /// Where the next frame is.
    pub(crate) end: u64,
    /// The envelope; nothing when it cannot be read.
    pub(crate) envelope: Option<Envelope>,
    /// The event section.
    pub(crate) event: Vec<u8>,
    /// The payload.
    pub(crate) payload: Vec<u8>,
    /// Hash of the session's entry before.
    pub(crate) session_link: Digest,
    /// Hash of the log's entry before.
    pub(crate) log_link: Digest,
    /// The hash that it says it has.
    pub(crate) hash: Digest,
    /// Whether it has it.
    pub(crate) intact: bool,
}

/// What comes next in a segment.
#[derive(Debug)]
pub(crate) enum Step {
    /// A frame, intact or not.
    Frame(Box<Frame>),
    /// A frame of no interest; only its envelope was read.
    Skipped,
    /// The end: nothing more was written from here.
    End {
        /// Where.
        offset: u64,
    },
    /// Bytes that are no frame, and so no way to find the next one.
    Unreadable {
        /// Where.
        offset: u64,
        /// In words.
        what: &'static str,
    },
}

/// A segment, from its first frame on.
#[derive(Debug)]
pub(crate) struct Segment {
    file: BufReader<File>,
    offset: u64,
    length: u64,
}

impl Segment {
    /// Opens a segment and gives its header's bytes; nothing when the file is shorter than one.
    pub(crate) fn open(path: &Path) -> io::Result<(Self, Option<[u8; HEADER]>)> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let mut this = Self { file: BufReader::with_capacity(256 << 10, file), offset: 0, length };
        let mut header = [0; HEADER];
        let whole = this.fill(&mut header)?;
        Ok((this, whole.then_some(header)))
    }

    /// Reads exactly that much, or says that the file ends before.
    fn fill(&mut self, bytes: &mut [u8]) -> io::Result<bool> {
        match self.file.read_exact(bytes) {
            Ok(()) => {
                self.offset = self.offset.saturating_add(u64::try_from(bytes.len()).unwrap_or(0));
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Where the next frame is.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Goes back to an offset, to look at it again or to go on behind it.
    pub(crate) fn seek(&mut self, offset: u64) -> io::Result<()> {
        self.length = self.file.get_ref().metadata()?.len();
        self.file.seek(SeekFrom::Start(offset))?;
        self.offset = offset;
        Ok(())
    }

    /// The next frame. `wanted` sees the envelope first; what it does not want is not read.
    pub(crate) fn step(&mut self, wanted: impl FnOnce(&Envelope) -> bool) -> io::Result<Step> {
        let offset = self.offset;
        let unreadable = |what| Ok(Step::Unreadable { offset, what });
        let left = self.length.saturating_sub(offset);
        if left == 0 {
            return Ok(Step::End { offset });
        }
        let mut word = [0; 4];
        if left < 4 || !self.fill(&mut word)? {
            return unreadable("the file ends inside a length");
        }
        let length = u32::from_be_bytes(word);
        if length == 0 {
            return Ok(Step::End { offset });
        }
        let Ok(size) = usize::try_from(length) else { return unreadable("the length is impossible") };
        if !(MIN_FRAME..=MAX_FRAME).contains(&size) {
            return unreadable("the length is impossible");
        }
        let end = offset + 4 + u64::from(length);
        if end > self.length {
            return unreadable("the file ends inside an entry");
        }
        if !self.fill(&mut word)? {
            return unreadable("the file ends inside an entry");
        }
        // A length that leads outside the frame makes the sections unreadable, not the frame.
        let room = size - MIN_FRAME;
        let envelope_size = usize::try_from(u32::from_be_bytes(word)).ok().filter(|size| *size <= room);
        let mut content = Sha256::new();
        content.update(word);
        let mut rest = size - 4;
        let mut envelope = None;
        if let Some(envelope_size) = envelope_size {
            let mut bytes = vec![0; envelope_size];
            if !self.fill(&mut bytes)? {
                return unreadable("the file ends inside an entry");
            }
            rest -= envelope_size;
            content.update(&bytes);
            envelope = serde_json::from_slice::<Envelope>(&bytes).ok().filter(|found| {
                found.v == VERSION
                    && found
                        .session
                        .as_ref()
                        .is_none_or(|id| sallyport_core::SessionId::parse(id.as_str()).is_some())
            });
        }
        if envelope.as_ref().is_some_and(|envelope| !wanted(envelope)) {
            self.file.seek_relative(i64::try_from(rest).unwrap_or(i64::MAX))?;
            self.offset = end;
            return Ok(Step::Skipped);
        }
        let mut bytes = vec![0; rest];
        if !self.fill(&mut bytes)? {
            return unreadable("the file ends inside an entry");
        }
        let trailer = bytes.split_off(rest - TRAILER);
        content.update(&bytes);
        let content = Digest::from_bytes(content.finalize().into());
        let mut links = trailer
            .chunks_exact(32)
            .map(|part| <[u8; 32]>::try_from(part).map_or(NO_LINK, Digest::from_bytes));
        let mut link = || links.next().unwrap_or(NO_LINK);
        let (session_link, log_link, hash) = (link(), link(), link());
        let sections = split_event(bytes);
        let intact =
            entry_hash(session_link, log_link, content) == hash && envelope.is_some() && sections.is_some();
        let (event, payload) = sections.unwrap_or_default();
        Ok(Step::Frame(Box::new(Frame {
            offset,
            end,
            envelope,
            event,
            payload,
            session_link,
            log_link,
            hash,
            intact,
        })))
    }

    /// SHA-256 and length of everything from an offset to the last byte that is not zero.
    pub(crate) fn remains(&mut self, offset: u64, mut keep: impl io::Write) -> io::Result<(u64, Digest)> {
        self.seek(offset)?;
        let mut hasher = Sha256::new();
        let (mut total, mut zeros) = (0_u64, 0_u64);
        let mut block = vec![0; 64 << 10];
        loop {
            let read = self.file.read(&mut block)?;
            let Some(bytes) = block.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
            let Some(last) = bytes.iter().rposition(|byte| *byte != 0) else {
                zeros += u64::try_from(read).unwrap_or(0);
                continue;
            };
            // Zeros count only once something else follows them.
            let mut owed = zeros;
            while owed > 0 {
                let size = owed.min(4096);
                let filler = [0; 4096];
                let filler = filler.get(..usize::try_from(size).unwrap_or(0)).unwrap_or_default();
                hasher.update(filler);
                keep.write_all(filler)?;
                owed -= size;
            }
            let used = bytes.get(..=last).unwrap_or_default();
            hasher.update(used);
            keep.write_all(used)?;
            total += zeros + u64::try_from(used.len()).unwrap_or(0);
            zeros = u64::try_from(read - used.len()).unwrap_or(0);
        }
        Ok((total, Digest::from_bytes(hasher.finalize().into())))
    }
}

/// Event and payload, from the bytes after the envelope.
fn split_event(mut bytes: Vec<u8>) -> Option<(Vec<u8>, Vec<u8>)> {
    let (word, _) = bytes.split_first_chunk::<4>()?;
    let size = usize::try_from(u32::from_be_bytes(*word)).ok()?;
    let end = size.checked_add(4).filter(|end| *end <= bytes.len())?;
    let payload = bytes.split_off(end);
    bytes.drain(..4);
    Some((bytes, payload))
}
