//! A segment's header: which segment, after what, by whose key, and how its entries are encrypted.
//!
//! Version 1 had 160 bytes and no encryption; version 2 says its own length. Pure: bytes in, values out.

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sallyport_core::{Digest, Timestamp};

/// First bytes of a segment.
pub(crate) const MAGIC: &[u8; 8] = b"SALLYREC";
/// The version that is written.
pub(crate) const VERSION: u32 = 2;
/// Bytes of a version 1 header, its signature included.
pub(crate) const HEADER_V1: usize = 160;
/// Least bytes of a version 2 header, its signature included.
const LEAST: usize = 100 + SIGNATURE;
/// Most bytes of a header.
pub(crate) const MOST: usize = 4096;
/// Bytes of the signature that ends a header.
const SIGNATURE: usize = 64;

const PURPOSE_V1: &[u8] = b"sallyport segment v1";
const PURPOSE_V2: &[u8] = b"sallyport segment v2";

/// AES-256-GCM, the only cipher.
const AES_256_GCM: u8 = 1;

/// A data key as the header carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedKey {
    /// Which key wraps it: 1 to 255 bytes of ASCII.
    pub key_id: String,
    /// The data key, wrapped.
    pub bytes: Vec<u8>,
}

/// What a segment's header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Number of the segment, from 1.
    pub(crate) number: u64,
    /// When it was begun.
    pub(crate) created: Timestamp,
    /// Hash of the last entry of the segment before.
    pub(crate) previous: Digest,
    /// The recorder's public key.
    pub(crate) key: [u8; 32],
    /// The key of its encrypted entries; nothing when there are none.
    pub(crate) data_key: Option<WrappedKey>,
}

/// Why a header is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadHeader {
    /// Not a segment, or damaged.
    Damaged,
    /// Of a version that this reader does not know.
    Version,
    /// Not signed by the key.
    Signature,
}

/// Version and length, from a header's first 16 bytes.
pub(crate) fn measure(start: &[u8; 16]) -> Result<(u32, usize), BadHeader> {
    let mut rest = start.as_slice();
    if take::<8>(&mut rest)? != *MAGIC {
        return Err(BadHeader::Damaged);
    }
    let version = u32::from_be_bytes(take(&mut rest)?);
    let length = usize::try_from(u32::from_be_bytes(take(&mut rest)?)).map_err(|_| BadHeader::Damaged)?;
    match version {
        1 if length == HEADER_V1 => Ok((1, length)),
        VERSION if (LEAST..=MOST).contains(&length) => Ok((VERSION, length)),
        1 | VERSION => Err(BadHeader::Damaged),
        _ => Err(BadHeader::Version),
    }
}

impl Header {
    /// The signed bytes of version 2, and the link that the segment's first entry carries. A key id or a
    /// wrapped key that has no room gives nothing.
    pub(crate) fn encode(&self, key: &SigningKey) -> Option<(Vec<u8>, Digest)> {
        let (id, wrapped) = self
            .data_key
            .as_ref()
            .map_or((&[][..], &[][..]), |found| (found.key_id.as_bytes(), found.bytes.as_slice()));
        let length = LEAST + id.len() + wrapped.len();
        if length > MOST {
            return None;
        }
        let mut bytes = Vec::with_capacity(length);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_be_bytes());
        bytes.extend_from_slice(&u32::try_from(length).ok()?.to_be_bytes());
        bytes.extend_from_slice(&self.number.to_be_bytes());
        bytes.extend_from_slice(&self.created.micros().to_be_bytes());
        bytes.extend_from_slice(self.previous.as_bytes());
        bytes.extend_from_slice(&self.key);
        bytes.push(if self.data_key.is_some() { AES_256_GCM } else { 0 });
        bytes.push(u8::try_from(id.len()).ok()?);
        bytes.extend_from_slice(&u16::try_from(wrapped.len()).ok()?.to_be_bytes());
        bytes.extend_from_slice(id);
        bytes.extend_from_slice(wrapped);
        let signature = key.sign(&[PURPOSE_V2, &bytes].concat());
        bytes.extend_from_slice(&signature.to_bytes());
        let link = Digest::of(&bytes);
        Some((bytes, link))
    }

    /// Reads a header and checks its signature against the key that it names, or against `key`.
    /// Gives the link that the first entry must carry.
    pub(crate) fn decode(bytes: &[u8], key: Option<&VerifyingKey>) -> Result<(Self, Digest), BadHeader> {
        let start = bytes.first_chunk::<16>().ok_or(BadHeader::Damaged)?;
        let (version, length) = measure(start)?;
        if bytes.len() != length {
            return Err(BadHeader::Damaged);
        }
        let (signed, signature) = bytes.split_at_checked(length - SIGNATURE).ok_or(BadHeader::Damaged)?;
        let mut rest = signed.get(16..).unwrap_or_default();
        let mut header = Self {
            number: u64::from_be_bytes(take(&mut rest)?),
            created: Timestamp::from_micros(i64::from_be_bytes(take(&mut rest)?)),
            previous: Digest::from_bytes(take(&mut rest)?),
            key: take(&mut rest)?,
            data_key: None,
        };
        if version > 1 {
            header.data_key = data_key(rest)?;
        }
        let named = VerifyingKey::from_bytes(&header.key).map_err(|_| BadHeader::Damaged)?;
        let signature = Signature::from_slice(signature).map_err(|_| BadHeader::Damaged)?;
        let purpose = if version == 1 { PURPOSE_V1 } else { PURPOSE_V2 };
        key.unwrap_or(&named)
            .verify_strict(&[purpose, signed].concat(), &signature)
            .map_err(|_| BadHeader::Signature)?;
        Ok((header, Digest::of(bytes)))
    }
}

fn data_key(mut rest: &[u8]) -> Result<Option<WrappedKey>, BadHeader> {
    let [cipher] = take(&mut rest)?;
    let [id_length] = take(&mut rest)?;
    let length = usize::from(u16::from_be_bytes(take(&mut rest)?));
    let (id, wrapped) = rest.split_at_checked(usize::from(id_length)).ok_or(BadHeader::Damaged)?;
    if wrapped.len() != length {
        return Err(BadHeader::Damaged);
    }
    match cipher {
        0 if rest.is_empty() => Ok(None),
        AES_256_GCM if !id.is_empty() && id.iter().all(u8::is_ascii_graphic) => Ok(Some(WrappedKey {
            key_id: id.iter().copied().map(char::from).collect(),
            bytes: wrapped.to_vec(),
        })),
        _ => Err(BadHeader::Damaged),
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], BadHeader> {
    let (head, tail) = rest.split_first_chunk::<N>().ok_or(BadHeader::Damaged)?;
    *rest = tail;
    Ok(*head)
}
