//! MariaDB's `parsec` ("Authentication Plugin - PARSEC"), towards the target.
//!
//! The server gives 32 random bytes; an empty answer asks for its extended salt: `P`, the factor of the
//! iterations, 18 bytes. PBKDF2 over HMAC-SHA-512 makes the seed of an Ed25519 key of the password; its signature
//! is over the server's random bytes and as many of ours, which go with it.

use std::num::NonZeroU32;
use std::sync::Arc;

use aws_lc_rs::pbkdf2;
use ed25519_dalek::{Signer as _, SigningKey};
use sallyport_core::Secret;
use zeroize::Zeroizing;

use crate::credentials::{SigningSeed, TargetCredential};
use crate::dialling::{DialError, DialErrorKind};

/// The letter of PBKDF2, with which an extended salt begins.
pub(super) const PBKDF2: u8 = b'P';
/// Random bytes of either side.
const SCRAMBLE: usize = 32;
const SALT: usize = 18;
/// 2^(10 + factor) iterations. Servers go by 0 to 15; this is a million, as much as SCRAM may ask for.
const GREATEST_FACTOR: u8 = 10;

/// The extended salt of a server.
#[derive(Debug)]
struct ExtendedSalt<'a> {
    iterations: NonZeroU32,
    salt: &'a [u8],
}

impl<'a> ExtendedSalt<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self, DialError> {
        let malformed = || DialError::protocol("parsec: an extended salt of another form");
        let (&[PBKDF2, factor], salt) = bytes.split_first_chunk::<2>().ok_or_else(malformed)? else {
            return Err(malformed());
        };
        if salt.len() != SALT {
            return Err(malformed());
        }
        if factor > GREATEST_FACTOR {
            return Err(DialError::untrusted("parsec: more iterations than are carried"));
        }
        let iterations = NonZeroU32::new(1024_u32 << factor).ok_or_else(malformed)?;
        Ok(Self { iterations, salt })
    }
}

/// The answer to an extended salt, and the seed that was derived on the way: to be kept once the server has taken
/// it.
pub(super) async fn answer(
    credential: &Arc<TargetCredential>,
    scramble: &[u8],
    extended: &[u8],
) -> Result<(Vec<u8>, Arc<SigningSeed>), DialError> {
    if scramble.len() != SCRAMBLE {
        return Err(DialError::protocol("parsec with a scramble of another length"));
    }
    let seed = match credential.seed(extended) {
        Some(seed) => seed,
        None => {
            ExtendedSalt::parse(extended)?;
            let (holder, extended) = (Arc::clone(credential), extended.to_vec());
            // As long as it takes: sessions on this worker must not wait for it.
            let derived = tokio::task::spawn_blocking(move || {
                let password = holder.password().map(|secret| secret.expose().as_str()).unwrap_or_default();
                let seed = derive(password, &ExtendedSalt::parse(&extended)?);
                Ok::<_, DialError>(SigningSeed { extended, seed })
            });
            let stopped = |_| DialError::new(DialErrorKind::Gateway, "deriving a parsec key was stopped");
            Arc::new(derived.await.map_err(stopped)??)
        }
    };
    let mut ours = [0; SCRAMBLE];
    getrandom::fill(&mut ours)
        .map_err(|_| DialError::new(DialErrorKind::Gateway, "no randomness for parsec"))?;
    Ok((signed(seed.seed.expose(), scramble, &ours), seed))
}

fn derive(password: &str, salt: &ExtendedSalt<'_>) -> Secret<[u8; 32]> {
    let mut seed = Zeroizing::new([0; 32]);
    pbkdf2::derive(
        pbkdf2::PBKDF2_HMAC_SHA512,
        salt.iterations,
        salt.salt,
        password.as_bytes(),
        seed.as_mut_slice(),
    );
    Secret::new(*seed)
}

/// Our random bytes, and the signature over the server's and ours.
fn signed(seed: &[u8; 32], scramble: &[u8], ours: &[u8]) -> Vec<u8> {
    let key = SigningKey::from_bytes(seed);
    [ours, &key.sign(&[scramble, ours].concat()).to_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// What MariaDB 12's documentation shows for `MyPassword123!`:
    /// `P0:lhXyNv1cIxpB8EnTxR7ON7S7:1l3rWRW1/jw45yrvYXB8eh02wzk7lcJcz4CMcWw2b+8`.
    #[test]
    fn a_password_has_the_public_key_that_the_server_stores() {
        let salt = STANDARD.decode("lhXyNv1cIxpB8EnTxR7ON7S7").unwrap();
        let public = |password: &str, factor: u8| {
            let extended = [&[PBKDF2, factor], &salt[..]].concat();
            let seed = derive(password, &ExtendedSalt::parse(&extended).unwrap());
            STANDARD.encode(SigningKey::from_bytes(seed.expose()).verifying_key().to_bytes())
        };
        assert_eq!(public("MyPassword123!", 0), "1l3rWRW1/jw45yrvYXB8eh02wzk7lcJcz4CMcWw2b+8=");
        // By Python's hashlib and cryptography.
        assert_eq!(public("hunter2", 3), "CHukYpmPBH5/FEmIp54cudSiVcuqV0XF7ZexlRDjjDc=");
        assert_eq!(public("", 0), "iI3nFeDasGbnnHQSkc0dYG14h1DwvCCjjrZOBZxo7/0=");
        let extended = [&[PBKDF2, 0], &salt[..]].concat();
        let seed = derive("hunter2", &ExtendedSalt::parse(&extended).unwrap());
        let (server, ours): (Vec<u8>, Vec<u8>) = ((0..32).collect(), (32..64).collect());
        let answer = signed(seed.expose(), &server, &ours);
        assert_eq!(answer.len(), 96);
        assert_eq!(answer[..32], ours);
        assert_eq!(
            hex(&answer[32..]),
            "b8eb6391077d15623072a1c46ae8d691f9f147d3b200c1dc8c04a69623c5bd06\
             73304713d5ff1f98340131a8ceb205a8f60aa7be3f343f7acf405bec608c1e0a"
        );
    }

    #[test]
    fn attack_12_a_server_cannot_ask_for_more_iterations_than_are_carried_or_another_derivation() {
        let extended = |letter: u8, factor: u8, salt: usize| [vec![letter, factor], vec![7; salt]].concat();
        for factor in 0..=GREATEST_FACTOR {
            let read = extended(PBKDF2, factor, SALT);
            assert_eq!(ExtendedSalt::parse(&read).unwrap().iterations.get(), 1024 << factor);
        }
        for factor in [GREATEST_FACTOR + 1, 15, 31, 32, 255] {
            assert!(ExtendedSalt::parse(&extended(PBKDF2, factor, SALT)).is_err(), "factor {factor}");
        }
        for broken in [
            extended(b'A', 0, SALT),
            extended(PBKDF2, 0, SALT - 1),
            extended(PBKDF2, 0, SALT + 1),
            extended(PBKDF2, 0, 0),
            vec![PBKDF2],
            Vec::new(),
        ] {
            assert!(ExtendedSalt::parse(&broken).is_err(), "{broken:?}");
        }
    }
}
