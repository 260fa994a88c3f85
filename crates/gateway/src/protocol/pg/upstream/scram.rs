//! SCRAM-SHA-256, the client's side (RFC 5802, RFC 7677), with `tls-server-end-point` channel binding
//! (RFC 5929) where the server offers it.
//!
//! Pure but for the nonce: texts in, texts out. [`Scram::first`] → server's first message →
//! [`Scram::challenge`] says which keys are needed → [`Challenge::answer`] → server's final message →
//! [`Awaited::verify`]. The steps are types: the server's signature cannot be left unchecked, since
//! nothing but [`Awaited::verify`] gives a [`Proven`], and the sign-in ends with one.

use aws_lc_rs::{constant_time, digest, hmac, pbkdf2};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sallyport_core::Secret;
use zeroize::Zeroizing;

use super::error::DialError;
use crate::credentials::ScramKeys;
use crate::tls::x509::{self, SignatureHash};

/// More than any sane server asks (4096 is PostgreSQL's default); some 0.3 s of one core. A false
/// server must not be able to keep the gateway busy.
const MAX_ITERATIONS: u32 = 1_000_000;
const MAX_SALT: usize = 1024;
const MAX_NONCE: usize = 1024;

/// Name without channel binding.
pub(super) const SCRAM_SHA_256: &str = "SCRAM-SHA-256";
/// Name with channel binding.
pub(super) const SCRAM_SHA_256_PLUS: &str = "SCRAM-SHA-256-PLUS";

/// How the exchange is tied to the TLS connection under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Binding {
    /// No TLS, or a certificate whose hash is not defined: `n`.
    Unsupported,
    /// We could, the server offered none: `y`. A server that did offer it refuses this, so somebody in
    /// between who took the offer out is found.
    NotOffered,
    /// The hash of the server's certificate: `p=tls-server-end-point`.
    EndPoint(Vec<u8>),
}

impl Binding {
    /// Chooses, from the certificate shown and what the server offers.
    pub(super) fn choose(certificate: Option<&[u8]>, plus_offered: bool) -> Self {
        match certificate.and_then(end_point) {
            None => Self::Unsupported,
            Some(hash) if plus_offered => Self::EndPoint(hash),
            Some(_) => Self::NotOffered,
        }
    }

    /// The mechanism to ask for.
    pub(super) fn mechanism(&self) -> &'static str {
        match self {
            Self::EndPoint(_) => SCRAM_SHA_256_PLUS,
            Self::Unsupported | Self::NotOffered => SCRAM_SHA_256,
        }
    }

    fn header(&self) -> &'static str {
        match self {
            Self::Unsupported => "n,,",
            Self::NotOffered => "y,,",
            Self::EndPoint(_) => "p=tls-server-end-point,,",
        }
    }

    /// The value of `c=`.
    fn echo(&self) -> String {
        let mut bytes = self.header().as_bytes().to_vec();
        if let Self::EndPoint(hash) = self {
            bytes.extend_from_slice(hash);
        }
        BASE64.encode(bytes)
    }
}

/// RFC 5929 section 4.1.
fn end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    let algorithm = match x509::signature_hash(certificate)? {
        SignatureHash::Sha256 => &digest::SHA256,
        SignatureHash::Sha384 => &digest::SHA384,
        SignatureHash::Sha512 => &digest::SHA512,
    };
    Some(digest::digest(algorithm, certificate).as_ref().to_vec())
}

/// The first step: our nonce is chosen.
#[derive(Debug)]
pub(super) struct Scram {
    binding: Binding,
    nonce: String,
}

impl Scram {
    pub(super) fn new(binding: Binding) -> Result<Self, DialError> {
        let mut random = [0_u8; 18];
        getrandom::fill(&mut random).map_err(|_| {
            DialError::new(super::error::DialErrorKind::Gateway, "the system gives no random bytes")
        })?;
        Ok(Self { binding, nonce: BASE64.encode(random) })
    }

    /// `client-first-message`. The user is the one of the start-up message; PostgreSQL ignores `n=`.
    pub(super) fn first(&self) -> String {
        format!("{}n=,r={}", self.binding.header(), self.nonce)
    }

    /// Reads `server-first-message`.
    pub(super) fn challenge(self, server_first: &[u8]) -> Result<Challenge, DialError> {
        let bad = || DialError::protocol("SCRAM: a malformed first message of the server");
        let text = std::str::from_utf8(server_first).map_err(|_| bad())?;
        let mut parts = text.split(',');
        // A mandatory extension (`m=`) would stand first, and must be refused when not known.
        let nonce = parts.next().and_then(|part| part.strip_prefix("r=")).ok_or_else(bad)?;
        let salt = parts.next().and_then(|part| part.strip_prefix("s=")).ok_or_else(bad)?;
        let count = parts.next().and_then(|part| part.strip_prefix("i=")).ok_or_else(bad)?;
        let continues =
            nonce.strip_prefix(self.nonce.as_str()).is_some_and(|servers_own| !servers_own.is_empty());
        if !continues || nonce.len() > MAX_NONCE {
            return Err(DialError::untrusted("SCRAM: the server's nonce does not continue ours"));
        }
        let salt = BASE64.decode(salt).map_err(|_| bad())?;
        if salt.is_empty() || salt.len() > MAX_SALT {
            return Err(bad());
        }
        let iterations: u32 = count.parse().map_err(|_| bad())?;
        if iterations == 0 || iterations > MAX_ITERATIONS {
            return Err(DialError::untrusted("SCRAM: the server asks for an iteration count out of bounds"));
        }
        let without_proof = format!("c={},r={nonce}", self.binding.echo());
        let signed = format!("n=,r={},{text},{without_proof}", self.nonce);
        Ok(Challenge { salt, iterations, without_proof, signed })
    }
}

/// What the server asked.
#[derive(Debug)]
pub(super) struct Challenge {
    pub(super) salt: Vec<u8>,
    pub(super) iterations: u32,
    without_proof: String,
    /// `AuthMessage`.
    signed: String,
}

impl Challenge {
    /// `client-final-message`, and what to expect back.
    pub(super) fn answer(self, keys: &ScramKeys) -> (String, Awaited) {
        let stored = digest::digest(&digest::SHA256, keys.client.expose());
        let signature = mac(stored.as_ref(), self.signed.as_bytes());
        let proof: Vec<u8> =
            keys.client.expose().iter().zip(signature.as_ref()).map(|(key, byte)| key ^ byte).collect();
        let message = format!("{},p={}", self.without_proof, BASE64.encode(proof));
        let expected = mac(keys.server.expose(), self.signed.as_bytes());
        (message, Awaited { expected })
    }
}

/// The server's signature that must come.
#[derive(Debug)]
pub(super) struct Awaited {
    expected: hmac::Tag,
}

/// The server proved that it knows the keys. Made by [`Awaited::verify`] alone.
#[derive(Debug)]
pub(super) struct Proven(());

impl Awaited {
    /// Checks `server-final-message`.
    pub(super) fn verify(&self, server_final: &[u8]) -> Result<Proven, DialError> {
        let bad = || DialError::untrusted("SCRAM: the server's signature is not the one that its keys give");
        let text = std::str::from_utf8(server_final).map_err(|_| bad())?;
        let first = text.split(',').next().unwrap_or_default();
        let signature = first.strip_prefix("v=").and_then(|text| BASE64.decode(text).ok()).ok_or_else(bad)?;
        constant_time::verify_slices_are_equal(&signature, self.expected.as_ref()).map_err(|_| bad())?;
        Ok(Proven(()))
    }
}

/// Derives the keys from the password: `iterations` rounds of HMAC. Not for an async task's thread.
pub(super) fn derive(password: &str, salt: &[u8], iterations: u32) -> Result<ScramKeys, DialError> {
    let rounds = std::num::NonZeroU32::new(iterations.min(MAX_ITERATIONS))
        .ok_or_else(|| DialError::untrusted("SCRAM: no iterations"))?;
    let mut salted = Zeroizing::new([0_u8; 32]);
    pbkdf2::derive(
        pbkdf2::PBKDF2_HMAC_SHA256,
        rounds,
        salt,
        prepare(password).as_bytes(),
        salted.as_mut_slice(),
    );
    let key = |label: &[u8]| {
        let mut key = [0_u8; 32];
        key.iter_mut().zip(mac(salted.as_slice(), label).as_ref()).for_each(|(to, from)| *to = *from);
        Secret::new(key)
    };
    Ok(ScramKeys { client: key(b"Client Key"), server: key(b"Server Key") })
}

/// SASLprep (RFC 4013) as PostgreSQL does it: text that it does not allow is taken as it stands.
fn prepare(password: &str) -> Zeroizing<String> {
    if password.is_ascii() {
        return Zeroizing::new(password.to_owned());
    }
    Zeroizing::new(
        stringprep::saslprep(password).map_or_else(|_| password.to_owned(), std::borrow::Cow::into_owned),
    )
}

fn mac(key: &[u8], message: &[u8]) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message)
}

#[cfg(test)]
#[path = "scram_tests.rs"]
mod tests;
