//! Encryption of entries: AES-256-GCM under a data key of the segment's own, which the header carries
//! wrapped by a key that is kept elsewhere.
//!
//! A nonce is the number of the encryption under the data key, taken from a counter that nothing resets:
//! every segment, and so every start, has a new data key.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use crate::error::RecordError;

/// Bytes that encryption adds.
pub(crate) const TAG: usize = 16;
/// First bytes of the nonce of an entry's body, and of a packed segment's block.
const BODY: [u8; 4] = [0; 4];
const BLOCK: [u8; 4] = [0, 0, 0, 1];
const BLOCK_PURPOSE: &[u8] = b"sallyport pack v1";

/// The segment that is being written, as far as making an entry needs it.
#[derive(Debug)]
pub(crate) struct Sealing {
    /// Its number.
    pub(crate) segment: u64,
    /// Its data key; nothing when the recording lies in the clear.
    pub(crate) cipher: Option<Cipher>,
}

/// A segment's data key, for writing.
pub(crate) struct Cipher {
    key: LessSafeKey,
    next: AtomicU64,
}

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cipher").finish_non_exhaustive()
    }
}

fn failed() -> RecordError {
    RecordError::Key("encryption failed".into())
}

fn nonce(of: [u8; 4], number: u64) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    let parts = of.iter().copied().chain(number.to_be_bytes());
    for (slot, byte) in bytes.iter_mut().zip(parts) {
        *slot = byte;
    }
    Nonce::assume_unique_for_key(bytes)
}

fn key_of(bytes: &[u8; 32]) -> Result<LessSafeKey, RecordError> {
    Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, bytes).map_err(|_| failed())?))
}

/// A new data key.
pub(crate) fn data_key() -> Result<Zeroizing<[u8; 32]>, RecordError> {
    let mut key = Zeroizing::new([0; 32]);
    getrandom::fill(key.as_mut_slice()).map_err(|_| RecordError::Key("there is no randomness".into()))?;
    Ok(key)
}

impl Cipher {
    pub(crate) fn new(key: &[u8; 32]) -> Result<Self, RecordError> {
        Ok(Self { key: key_of(key)?, next: AtomicU64::new(1) })
    }

    /// A number that was never used under this key.
    pub(crate) fn next_nonce(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Encrypts in place and gives the tag; the envelope is bound to it.
    pub(crate) fn seal(
        &self,
        number: u64,
        envelope: &[u8],
        body: &mut [u8],
    ) -> Result<[u8; TAG], RecordError> {
        let tag = self
            .key
            .seal_in_place_separate_tag(nonce(BODY, number), Aad::from(envelope), body)
            .map_err(|_| failed())?;
        tag.as_ref().try_into().map_err(|_| failed())
    }
}

/// A segment's data key, for reading.
pub(crate) struct Opener(LessSafeKey, hmac::Key);

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opener")
    }
}

impl Opener {
    pub(crate) fn new(key: &[u8; 32]) -> Result<Self, RecordError> {
        Ok(Self(key_of(key)?, hmac::Key::new(hmac::HMAC_SHA256, key)))
    }

    /// Decrypts a body; nothing when it is not what was encrypted under this key, number and envelope.
    pub(crate) fn open(&self, number: u64, envelope: &[u8], mut body: Vec<u8>) -> Option<Vec<u8>> {
        let length = self.0.open_in_place(nonce(BODY, number), Aad::from(envelope), &mut body).ok()?.len();
        body.truncate(length);
        Some(body)
    }

    /// Encrypts a body again: the same bytes come of it as the first time.
    pub(crate) fn seal_again(
        &self,
        number: u64,
        envelope: &[u8],
        clear: &[u8],
    ) -> Result<Vec<u8>, RecordError> {
        let mut body = Vec::with_capacity(clear.len() + TAG);
        body.extend_from_slice(clear);
        self.0
            .seal_in_place_append_tag(nonce(BODY, number), Aad::from(envelope), &mut body)
            .map_err(|_| failed())?;
        Ok(body)
    }

    /// Encrypts a block of a packed segment, in place, its tag behind it.
    ///
    /// A segment is packed again when bodies are let go, so a block's number is used again for other
    /// bytes: its key is one of its own, made from the data key and what stands in it.
    pub(crate) fn seal_block(&self, group: u64, block: &mut Vec<u8>) -> Result<(), RecordError> {
        let mut salt = [0; 32];
        getrandom::fill(&mut salt).map_err(|_| RecordError::Key("there is no randomness".into()))?;
        let key = self.block_key(&salt)?;
        key.seal_in_place_append_tag(nonce(BLOCK, group), Aad::from(BLOCK_PURPOSE), block)
            .map_err(|_| failed())?;
        block.extend_from_slice(&salt);
        Ok(())
    }

    /// Decrypts a block; nothing when it is not one of this segment, at this place.
    pub(crate) fn open_block(&self, group: u64, mut block: Vec<u8>) -> Option<Vec<u8>> {
        let salt = *block.last_chunk::<32>()?;
        block.truncate(block.len() - salt.len());
        let key = self.block_key(&salt).ok()?;
        let length = key.open_in_place(nonce(BLOCK, group), Aad::from(BLOCK_PURPOSE), &mut block).ok()?.len();
        block.truncate(length);
        Some(block)
    }

    fn block_key(&self, salt: &[u8; 32]) -> Result<LessSafeKey, RecordError> {
        let key = hmac::sign(&self.1, &[BLOCK_PURPOSE, salt].concat());
        key_of(key.as_ref().try_into().map_err(|_| failed())?)
    }
}
