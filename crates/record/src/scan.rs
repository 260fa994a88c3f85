//! Reads a segment frame by frame, trusting nothing in it and holding one frame at a time.

use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use sallyport_core::Digest;
use sha2::{Digest as _, Sha256};

use crate::cipher::Opener;
use crate::format::{Envelope, Layout, MAX_FRAME, NO_LINK, TRAILER, entry_hash, entry_hash_v1, split_body};
use crate::header::{HEADER_V1, measure};
use crate::packed::{self, Packed};
use crate::segment::PACKED;

/// A frame as it lies in the file.
#[derive(Debug)]
pub(crate) struct Frame {
    /// Where its length word is.
    pub(crate) offset: u64,
    /// Where the next frame is.
    pub(crate) end: u64,
    /// The envelope; nothing when it cannot be read.
    pub(crate) envelope: Option<Envelope>,
    /// The envelope's bytes.
    pub(crate) envelope_bytes: Vec<u8>,
    /// Event and payload as they lie there.
    pub(crate) body: Vec<u8>,
    /// Why the body is not there, when it is not: only a packed segment can be read without it.
    pub(crate) lost: Option<Closed>,
    /// The body's hash. Of version 1 there is none.
    pub(crate) body_hash: Option<Digest>,
    /// Hash of the session's entry before.
    pub(crate) session_link: Digest,
    /// Hash of the log's entry before.
    pub(crate) log_link: Digest,
    /// The hash that it says it has.
    pub(crate) hash: Digest,
    /// Whether it has it.
    pub(crate) intact: bool,
}

/// Why a body cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Closed {
    /// It is encrypted, and there is no key.
    NoKey,
    /// It was let go when its time was over.
    Gone,
    /// It is not what was encrypted, or has no sections.
    Unreadable,
}

impl Frame {
    /// Event and payload, decrypted where they are encrypted.
    pub(crate) fn sections(&mut self, opener: Option<&Opener>) -> Result<(Vec<u8>, Vec<u8>), Closed> {
        if let Some(lost) = self.lost {
            return Err(lost);
        }
        let body = std::mem::take(&mut self.body);
        let nonce = self.envelope.as_ref().and_then(|envelope| envelope.nonce);
        let clear = match (nonce, opener) {
            (None, _) => body,
            (Some(_), None) => return Err(Closed::NoKey),
            (Some(nonce), Some(opener)) => {
                opener.open(nonce, &self.envelope_bytes, body).ok_or(Closed::Unreadable)?
            }
        };
        split_body(clear).ok_or(Closed::Unreadable)
    }

    /// The event of an entry that is never encrypted.
    pub(crate) fn statement<T: serde::de::DeserializeOwned>(&self) -> Option<T> {
        let (word, rest) = self.body.split_first_chunk::<4>()?;
        let size = usize::try_from(u32::from_be_bytes(*word)).ok()?;
        serde_json::from_slice(rest.get(..size)?).ok()
    }
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
    layout: Layout,
    offset: u64,
    length: u64,
    /// The same in its packed form.
    packed: Option<Box<Packed>>,
}

impl Segment {
    /// Opens a segment and gives its header's bytes; nothing when the file is shorter than one.
    pub(crate) fn open(path: &Path) -> io::Result<(Self, Option<Vec<u8>>)> {
        let file = match File::open(path) {
            // Packed since it was listed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                File::open(path.with_extension(PACKED)).map_err(|_| error)?
            }
            other => other?,
        };
        let length = file.metadata()?.len();
        let file = BufReader::with_capacity(256 << 10, file);
        let mut this = Self { file, layout: Layout::V1, offset: 0, length, packed: None };
        let mut start = [0; 16];
        if !this.fill(&mut start)? {
            return Ok((this, None));
        }
        if start.starts_with(packed::MAGIC) {
            let mut file = BufReader::with_capacity(256 << 10, this.file.get_ref().try_clone()?);
            file.seek(SeekFrom::Start(8))?;
            this.layout = Layout::V2;
            let Some((packed, header)) = Packed::open(file)? else { return Ok((this, None)) };
            this.packed = Some(Box::new(packed));
            return Ok((this, Some(header)));
        }
        // A beginning that is none is read like version 1, and found to be none by whoever decodes it.
        let (version, length) = measure(&start).unwrap_or((1, HEADER_V1));
        if version > 1 {
            this.layout = Layout::V2;
        }
        let mut header = vec![0; length];
        let (head, rest) = header.split_at_mut(start.len());
        head.copy_from_slice(&start);
        let whole = this.fill(rest)?;
        Ok((this, whole.then_some(header)))
    }

    /// Whether it is of the format's first version, which has no tree.
    pub(crate) fn is_version_1(&self) -> bool {
        self.layout == Layout::V1
    }

    /// Whether it is packed, and so complete.
    pub(crate) fn is_packed(&self) -> bool {
        self.packed.is_some()
    }

    /// Takes the segment's key: a packed one cannot give bodies without it.
    pub(crate) fn unlock(&mut self, opener: Option<Arc<Opener>>) {
        if let Some(packed) = &mut self.packed {
            packed.unlock(opener);
        }
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
        self.packed.as_ref().map_or(self.offset, |packed| packed.offset())
    }

    /// Goes back to an offset, to look at it again or to go on behind it.
    pub(crate) fn seek(&mut self, offset: u64) -> io::Result<()> {
        if let Some(packed) = &mut self.packed {
            return packed.seek(offset);
        }
        self.length = self.file.get_ref().metadata()?.len();
        self.file.seek(SeekFrom::Start(offset))?;
        self.offset = offset;
        Ok(())
    }

    /// The next frame. `wanted` sees the envelope first; what it does not want is not read.
    pub(crate) fn step(&mut self, wanted: impl FnOnce(&Envelope) -> bool) -> io::Result<Step> {
        if let Some(packed) = &mut self.packed {
            return packed.step(wanted);
        }
        let offset = self.offset;
        let unreadable = |what| Ok(Step::Unreadable { offset, what });
        let left = self.length.saturating_sub(offset);
        if left == 0 {
            return Ok(Step::End { offset });
        }
        let mut word = [0; 4];
        if left < 4 || !self.fill(&mut word)? {
            // The room that was set aside behind the end is given back when a segment is complete.
            if self.file.get_ref().metadata()?.len() <= offset {
                return Ok(Step::End { offset });
            }
            // Of that room less than a length may be left, empty.
            self.file.seek(SeekFrom::Start(offset))?;
            let mut rest = Vec::new();
            (&mut self.file).take(4).read_to_end(&mut rest)?;
            self.file.seek(SeekFrom::Start(offset))?;
            if rest.len() < 4 && rest.iter().all(|byte| *byte == 0) {
                return Ok(Step::End { offset });
            }
            return unreadable("the file ends inside a length");
        }
        let length = u32::from_be_bytes(word);
        if length == 0 {
            return Ok(Step::End { offset });
        }
        let Ok(size) = usize::try_from(length) else { return unreadable("the length is impossible") };
        if !(self.layout.least()..=MAX_FRAME).contains(&size) {
            return unreadable("the length is impossible");
        }
        let end = offset + 4 + u64::from(length);
        if end > self.length {
            return unreadable("the file ends inside an entry");
        }
        let mut word = [0; 4];
        let word_length = self.layout.word();
        if !self.fill(word.get_mut(4 - word_length..).unwrap_or_default())? {
            return unreadable("the file ends inside an entry");
        }
        // A length that leads outside the frame makes the sections unreadable, not the frame.
        let room = size - word_length - TRAILER;
        let envelope_size = usize::try_from(u32::from_be_bytes(word)).ok().filter(|size| *size <= room);
        let mut envelope_bytes = vec![0; envelope_size.unwrap_or(0)];
        if !self.fill(&mut envelope_bytes)? {
            return unreadable("the file ends inside an entry");
        }
        let envelope = envelope_size.and_then(|_| Envelope::decode(self.layout, &envelope_bytes));
        let rest = size - word_length - envelope_bytes.len();
        if envelope.as_ref().is_some_and(|envelope| !wanted(envelope)) {
            self.file.seek_relative(i64::try_from(rest).unwrap_or(i64::MAX))?;
            self.offset = end;
            return Ok(Step::Skipped);
        }
        let mut body = vec![0; rest];
        if !self.fill(&mut body)? {
            return unreadable("the file ends inside an entry");
        }
        let trailer = body.split_off(rest - TRAILER);
        let mut links = trailer
            .chunks_exact(32)
            .map(|part| <[u8; 32]>::try_from(part).map_or(NO_LINK, Digest::from_bytes));
        let mut link = || links.next().unwrap_or(NO_LINK);
        let (session_link, log_link, hash) = (link(), link(), link());
        let mut body_hash = None;
        let made = match self.layout {
            Layout::V1 => {
                let mut content = Sha256::new();
                content.update(word);
                content.update(&envelope_bytes);
                content.update(&body);
                entry_hash_v1(session_link, log_link, Digest::from_bytes(content.finalize().into()))
            }
            Layout::V2 => {
                let hash = Digest::of(&body);
                body_hash = Some(hash);
                entry_hash(session_link, log_link, hash, &envelope_bytes)
            }
        };
        let encrypted = envelope.as_ref().is_some_and(|envelope| envelope.nonce.is_some());
        let whole = encrypted || is_split(&body);
        let intact = made == hash && envelope.is_some() && whole;
        Ok(Step::Frame(Box::new(Frame {
            offset,
            end,
            envelope,
            envelope_bytes,
            body,
            lost: None,
            body_hash,
            session_link,
            log_link,
            hash,
            intact,
        })))
    }

    /// SHA-256 and length of everything from an offset to the last byte that is not zero.
    pub(crate) fn remains(&mut self, offset: u64, mut keep: impl io::Write) -> io::Result<(u64, Digest)> {
        if let Some(packed) = &mut self.packed {
            return Ok((packed.remains()?, NO_LINK));
        }
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

/// Whether a body in the clear has its two sections.
fn is_split(body: &[u8]) -> bool {
    body.split_first_chunk::<4>().is_some_and(|(word, rest)| {
        usize::try_from(u32::from_be_bytes(*word)).is_ok_and(|size| size <= rest.len())
    })
}
