//! Sallyport's own tokens: `slp_<id>_<secret>_<checksum>`.
//!
//! The id (16 characters, public) finds the record; the secret is 43 characters of base 62, 256 bits
//! from the system's random source; the checksum is CRC-32 over all before it, eight hexadecimal
//! digits, so that a mistyped or cut token is told from a wrong one without asking the store, and a
//! secret scanner can tell a token from a look-alike. The store keeps the SHA-256 of the whole text.
//! A secret of 256 bits cannot be guessed from its digest, so a slow password hash would only make
//! connecting slow. Every character is safe in a URL and in a connection string.

use sallyport_core::{Digest, Secret, Timestamp, TokenId};
use sallyport_store::TokenRecord;

use crate::error::AuthError;

const PREFIX: &str = "slp";
const ID_CHARS: usize = 16;
const SECRET_CHARS: usize = 43;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A new token: the record to keep, and the secret to show once.
#[derive(Debug)]
pub struct IssuedToken {
    /// For the store.
    pub record: TokenRecord,
    /// For the caller, who sees it this once.
    pub secret: Secret<String>,
}

/// Makes a token for a principal. It works once its record is in the store.
///
/// # Errors
/// When the system gives no random bytes.
pub fn issue(
    principal: &str,
    expires: Option<Timestamp>,
    note: Option<String>,
    now: Timestamp,
) -> Result<IssuedToken, AuthError> {
    let mut random = [0_u8; 10];
    getrandom::fill(&mut random).map_err(|_| AuthError::Random)?;
    let id = TokenId::new(random);
    let body = Secret::new(format!("{PREFIX}_{id}_{}", random_text()?.expose()));
    let secret = Secret::new(format!("{}_{:08x}", body.expose(), crc32(body.expose().as_bytes())));
    let record = TokenRecord {
        id,
        principal: principal.to_owned(),
        hash: Digest::of(secret.expose().as_bytes()),
        created: now,
        expires,
        revoked: None,
        last_used: None,
        note,
    };
    Ok(IssuedToken { record, secret })
}

/// Whether the text claims to be a Sallyport token.
pub(crate) fn looks_like_token(text: &str) -> bool {
    text.starts_with("slp_")
}

/// Reads a token: its id, and the digest to compare with the record's. Nothing when it is malformed or
/// its checksum is wrong.
#[must_use]
pub fn parse_token(text: &str) -> Option<(TokenId, Digest)> {
    // slp _ id _ secret _ checksum; the lengths are fixed, so nothing long is ever hashed.
    if text.len() != PREFIX.len() + ID_CHARS + SECRET_CHARS + 8 + 3 || !text.is_ascii() {
        return None;
    }
    let (body, checksum) = text.rsplit_once('_')?;
    let mut parts = body.split('_');
    let (Some(PREFIX), Some(id), Some(secret), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if id.len() != ID_CHARS || secret.len() != SECRET_CHARS || !plain(id) || !plain(secret) {
        return None;
    }
    if checksum != format!("{:08x}", crc32(body.as_bytes())) {
        return None;
    }
    Some((TokenId::parse(id)?, Digest::of(text.as_bytes())))
}

/// 43 characters, each evenly one of 62: bytes that would favour the first ones are thrown away.
pub(crate) fn random_text() -> Result<Secret<String>, AuthError> {
    let mut text = String::with_capacity(SECRET_CHARS);
    while text.len() < SECRET_CHARS {
        let mut bytes = [0_u8; 64];
        getrandom::fill(&mut bytes).map_err(|_| AuthError::Random)?;
        let even =
            bytes.iter().filter(|byte| **byte < 248).filter_map(|byte| ALPHABET.get(usize::from(byte % 62)));
        text.extend(even.take(SECRET_CHARS - text.len()).map(|byte| char::from(*byte)));
        bytes.fill(0);
    }
    Ok(Secret::new(text))
}

/// CRC-32 as in IEEE 802.3 (reflected, polynomial EDB88320).
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| {
                if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 }
            },
        )
    })
}

#[cfg(test)]
#[path = "token_tests.rs"]
pub(crate) mod tests;
