//! What each authentication plugin sends, from the password and what the server said.
//!
//! `mysql_native_password`, `caching_sha2_password` and `sha256_password` ("Authentication Methods"), and
//! MariaDB's `client_ed25519` and `parsec`. A password goes out as it is under TLS alone, whose certificate was
//! checked.

use aws_lc_rs::digest::{Digest, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA512, digest};
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PublicEncryptingKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::VerifyingKey;
use ed25519_dalek::hazmat::{ExpandedSecretKey, raw_sign};
use zeroize::{Zeroize as _, Zeroizing};

use crate::dialling::DialError;

/// A way to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plugin {
    /// `mysql_native_password`
    Native,
    /// `caching_sha2_password`
    CachingSha2,
    /// `sha256_password`
    Sha256,
    /// `client_ed25519` of MariaDB.
    Ed25519,
    /// `parsec` of MariaDB, which [`super::parsec`] goes on with.
    Parsec,
    /// `mysql_clear_password`
    Clear,
}

impl Plugin {
    /// By the name that servers use.
    pub(super) fn named(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"mysql_native_password" => Self::Native,
            b"caching_sha2_password" => Self::CachingSha2,
            b"sha256_password" => Self::Sha256,
            b"client_ed25519" => Self::Ed25519,
            b"parsec" => Self::Parsec,
            b"mysql_clear_password" => Self::Clear,
            _ => return None,
        })
    }

    /// Its name.
    pub(super) fn name(self) -> &'static [u8] {
        match self {
            Self::Native => b"mysql_native_password",
            Self::CachingSha2 => b"caching_sha2_password",
            Self::Sha256 => b"sha256_password",
            Self::Ed25519 => b"client_ed25519",
            Self::Parsec => b"parsec",
            Self::Clear => b"mysql_clear_password",
        }
    }

    /// What is sent first, for the data that the server gave.
    pub(super) fn first(
        self,
        password: &str,
        data: &[u8],
        tls: bool,
    ) -> Result<Zeroizing<Vec<u8>>, DialError> {
        let answer = match self {
            Self::Native | Self::CachingSha2 | Self::Ed25519 if password.is_empty() => Vec::new(),
            Self::Native => native(password, data),
            Self::CachingSha2 => caching_sha2(password, data),
            Self::Ed25519 => ed25519(password, data)?,
            // Asks for the extended salt.
            Self::Parsec => Vec::new(),
            Self::Sha256 if tls => return Ok(clear(password)),
            // Asks for the server's key.
            Self::Sha256 => vec![1],
            Self::Clear if tls => return Ok(clear(password)),
            Self::Clear => {
                return Err(DialError::untrusted(
                    "the target asks for the password in the clear, without TLS",
                ));
            }
        };
        Ok(Zeroizing::new(answer))
    }
}

/// The password and a NUL.
pub(super) fn clear(password: &str) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(password.len() + 1));
    bytes.extend_from_slice(password.as_bytes());
    bytes.push(0);
    bytes
}

fn xor(mut one: Vec<u8>, other: &[u8]) -> Vec<u8> {
    for (byte, with) in one.iter_mut().zip(other) {
        *byte ^= with;
    }
    one
}

fn joined(first: &[u8], second: &Digest) -> Vec<u8> {
    [first, second.as_ref()].concat()
}

/// `SHA1(password) XOR SHA1(scramble + SHA1(SHA1(password)))`
fn native(password: &str, scramble: &[u8]) -> Vec<u8> {
    let once = digest(&SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
    let twice = digest(&SHA1_FOR_LEGACY_USE_ONLY, once.as_ref());
    let mask = digest(&SHA1_FOR_LEGACY_USE_ONLY, &joined(scramble, &twice));
    xor(once.as_ref().to_vec(), mask.as_ref())
}

/// `SHA256(password) XOR SHA256(SHA256(SHA256(password)) + scramble)`
fn caching_sha2(password: &str, scramble: &[u8]) -> Vec<u8> {
    let once = digest(&SHA256, password.as_bytes());
    let twice = digest(&SHA256, once.as_ref());
    let mask = digest(&SHA256, &[twice.as_ref(), scramble].concat());
    xor(once.as_ref().to_vec(), mask.as_ref())
}

/// An Ed25519 signature of the scramble, by the key whose seed is the password, of any length.
fn ed25519(password: &str, scramble: &[u8]) -> Result<Vec<u8>, DialError> {
    if scramble.len() != 32 {
        return Err(DialError::protocol("client_ed25519 with a scramble of another length"));
    }
    let hash = digest(&SHA512, password.as_bytes());
    let mut bytes: [u8; 64] =
        hash.as_ref().try_into().map_err(|_| DialError::protocol("SHA-512 of another length"))?;
    let secret = ExpandedSecretKey::from_bytes(&bytes);
    bytes.zeroize();
    let public = VerifyingKey::from(&secret);
    Ok(raw_sign::<sha2::Sha512>(&secret, scramble, &public).to_vec())
}

/// The password under the server's public key, for connections without TLS (loopback alone).
pub(super) fn encrypted(password: &str, scramble: &[u8], pem: &[u8]) -> Result<Vec<u8>, DialError> {
    let bad = || DialError::protocol("a public key that cannot be used");
    let text = std::str::from_utf8(pem).map_err(|_| bad())?;
    let base64: String = text.lines().map(str::trim).filter(|line| !line.starts_with("-----")).collect();
    let der = STANDARD.decode(base64.trim_end_matches('\0')).map_err(|_| bad())?;
    let key = PublicEncryptingKey::from_der(&der).map_err(|_| bad())?;
    let key = OaepPublicEncryptingKey::new(key).map_err(|_| bad())?;
    if scramble.is_empty() {
        return Err(bad());
    }
    let mask: Vec<u8> = scramble.iter().copied().cycle().take(password.len() + 1).collect();
    let plain = Zeroizing::new(xor(clear(password).to_vec(), &mask));
    let mut out = vec![0; key.ciphertext_size()];
    let written = key.encrypt(&OAEP_SHA1_MGF1SHA1, &plain, &mut out, None).map_err(|_| bad())?.len();
    out.truncate(written);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn nothing_secret_goes_out_without_tls() {
        assert!(Plugin::Clear.first("hunter2", b"", false).is_err());
        assert_eq!(Plugin::Sha256.first("hunter2", b"", false).unwrap().as_slice(), [1]);
        assert_eq!(Plugin::Clear.first("hunter2", b"", true).unwrap().as_slice(), b"hunter2\0");
    }

    /// As a server checks it: the stored hash is `SHA1(SHA1(password))`.
    #[test]
    fn a_native_answer_is_what_the_server_checks() {
        let scramble = b"abcdefghijklmnopqrst";
        let stored = digest(&SHA1_FOR_LEGACY_USE_ONLY, digest(&SHA1_FOR_LEGACY_USE_ONLY, b"pw").as_ref());
        let mask = digest(&SHA1_FOR_LEGACY_USE_ONLY, &joined(scramble, &stored));
        let once = xor(native("pw", scramble), mask.as_ref());
        assert_eq!(hex(digest(&SHA1_FOR_LEGACY_USE_ONLY, &once).as_ref()), hex(stored.as_ref()));
    }

    #[test]
    fn a_caching_sha2_answer_is_what_the_server_checks() {
        let scramble = b"abcdefghijklmnopqrst";
        let stored = digest(&SHA256, digest(&SHA256, b"pw").as_ref());
        let mask = digest(&SHA256, &[stored.as_ref(), scramble].concat());
        let once = xor(caching_sha2("pw", scramble), mask.as_ref());
        assert_eq!(hex(digest(&SHA256, &once).as_ref()), hex(stored.as_ref()));
    }
}
