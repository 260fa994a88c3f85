//! Short-lived passwords for clients of MySQL's protocol that cannot hand over a token.
//!
//! A password is random and lives for an hour at most. Kept is what each plugin verifies by; neither gives the
//! password away, and one of 190 bits cannot be guessed from its digest. The user name is its public half.
//!
//! ```text
//! mysql_native_password    client: SHA1(p) xor SHA1(scramble, SHA1(SHA1(p)))              kept: SHA1(SHA1(p))
//! caching_sha2_password    client: SHA256(p) xor SHA256(SHA256(SHA256(p)), scramble)      kept: SHA256(SHA256(p))
//! ```

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use sallyport_core::{Digest, Secret, Timestamp, TokenId};
use sallyport_store::PasswordRecord;

use crate::error::AuthError;
use crate::token::random_text;

/// How a user name of a password begins.
pub const PASSWORD_USER: &str = "slp-";
/// The longest that a password lives, seconds.
pub const LONGEST_PASSWORD: u32 = 3600;
/// Characters of a password. Some clients take no more than 32 bytes.
const CHARACTERS: usize = 32;

/// A new password: the record to keep, and the secret to show once.
#[derive(Debug)]
pub struct IssuedPassword {
    /// For the store.
    pub record: PasswordRecord,
    /// For the caller, who sees it this once.
    pub secret: Secret<String>,
}

/// What a client proves with that it knows its password.
#[derive(Clone, Copy, Debug)]
pub enum Proof<'a> {
    /// Of `mysql_native_password`.
    Native {
        /// The client's answer.
        answer: &'a [u8],
        /// What it was greeted with.
        scramble: &'a [u8],
    },
    /// Of `caching_sha2_password`.
    CachingSha2 {
        /// The client's answer.
        answer: &'a [u8],
        /// What it was greeted with.
        scramble: &'a [u8],
    },
}

/// Makes a password for a principal and one target. It works once its record is in the store.
///
/// # Errors
/// When the system gives no random bytes.
pub fn issue_password(
    principal: &str,
    target: &str,
    token: Option<TokenId>,
    expires: Timestamp,
    now: Timestamp,
) -> Result<IssuedPassword, AuthError> {
    let mut random = [0_u8; 10];
    getrandom::fill(&mut random).map_err(|_| AuthError::Random)?;
    let username = format!("{PASSWORD_USER}{}", TokenId::new(random));
    let mut text = random_text()?.expose().clone();
    text.truncate(CHARACTERS);
    let secret = Secret::new(text);
    let (native, sha2) = verifiers(secret.expose().as_bytes());
    let record = PasswordRecord {
        username,
        principal: principal.to_owned(),
        target: target.to_owned(),
        native,
        sha2,
        token,
        created: now,
        expires: expires.min(now.plus_seconds(i64::from(LONGEST_PASSWORD))),
    };
    Ok(IssuedPassword { record, secret })
}

fn verifiers(password: &[u8]) -> (String, Digest) {
    let native = sha1(&[&sha1(&[password])]);
    let sha2 = Digest::of(Digest::of(password).as_bytes());
    (hex(&native), sha2)
}

impl Proof<'_> {
    /// Whether it proves the password of a record.
    pub(crate) fn proves(&self, record: &PasswordRecord) -> bool {
        match *self {
            Self::Native { answer, scramble } => {
                let Some(kept) = unhex(&record.native) else { return false };
                let Some(inner) = unmasked(answer, &sha1(&[scramble, &kept])) else { return false };
                same(&sha1(&[&inner]), &kept)
            }
            Self::CachingSha2 { answer, scramble } => {
                let kept = record.sha2.as_bytes();
                let mask = digest(&SHA256, &[kept.as_slice(), scramble].concat());
                let Some(inner) = unmasked(answer, mask.as_ref()) else { return false };
                same(digest(&SHA256, &inner).as_ref(), kept)
            }
        }
    }
}

/// What an answer hides behind a mask of the same length.
fn unmasked(answer: &[u8], mask: &[u8]) -> Option<Vec<u8>> {
    (answer.len() == mask.len()).then(|| answer.iter().zip(mask).map(|(a, b)| a ^ b).collect())
}

fn same(a: &[u8], b: &[u8]) -> bool {
    verify_slices_are_equal(a, b).is_ok()
}

fn sha1(parts: &[&[u8]]) -> Vec<u8> {
    digest(&SHA1_FOR_LEGACY_USE_ONLY, &parts.concat()).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits.filter(|digits| digits.len() == 40)?;
    Some(digits.chunks(2).map(|pair| pair.iter().fold(0, |byte: u8, digit| (byte << 4) | digit)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_micros(1_800_000_000_000_000)
    }

    /// What a client answers, as MySQL's protocol document has it.
    fn native(password: &[u8], scramble: &[u8]) -> Vec<u8> {
        let inner = sha1(&[password]);
        let mask = sha1(&[scramble, &sha1(&[&inner])]);
        unmasked(&inner, &mask).unwrap()
    }

    fn caching(password: &[u8], scramble: &[u8]) -> Vec<u8> {
        let inner = Digest::of(password);
        let mask = Digest::of(&[Digest::of(inner.as_bytes()).as_bytes().as_slice(), scramble].concat());
        unmasked(inner.as_bytes(), mask.as_bytes()).unwrap()
    }

    #[test]
    fn each_plugin_proves_its_own_password_and_no_other() {
        let made = issue_password("bot", "shop", None, now().plus_seconds(60), now()).unwrap();
        let password = made.secret.expose().as_bytes();
        let (scramble, other) = (b"aaaaaaaaaaaaaaaaaaaa", b"baaaaaaaaaaaaaaaaaaa");
        let (good, fast) = (native(password, scramble), caching(password, scramble));
        assert!(Proof::Native { answer: &good, scramble }.proves(&made.record));
        assert!(Proof::CachingSha2 { answer: &fast, scramble }.proves(&made.record));
        // An answer to another greeting is worth nothing, nor is what is kept, nor nothing at all.
        assert!(!Proof::Native { answer: &good, scramble: other }.proves(&made.record));
        assert!(!Proof::CachingSha2 { answer: &fast, scramble: other }.proves(&made.record));
        let kept = unhex(&made.record.native).unwrap();
        let zeros = [0; 32];
        for answer in [&kept[..], made.record.sha2.as_bytes(), b"", &zeros[..20], &zeros, &good[1..]] {
            assert!(!Proof::Native { answer, scramble }.proves(&made.record));
            assert!(!Proof::CachingSha2 { answer, scramble }.proves(&made.record));
        }
        assert!(!Proof::Native { answer: &native(b"x", scramble), scramble }.proves(&made.record));
    }

    #[test]
    fn the_arithmetic_is_the_servers() {
        // SELECT PASSWORD('x') of a MariaDB server, without its asterisk.
        assert_eq!(verifiers(b"x").0, "b69027d44f6e5edc07f1aead1477967b16f28227");
    }

    #[test]
    fn attack_6_a_password_lives_an_hour_at_most() {
        let made = issue_password("bot", "shop", None, now().plus_seconds(1 << 30), now()).unwrap();
        assert_eq!(made.record.expires, now().plus_seconds(3600));
        assert_eq!(made.secret.expose().len(), CHARACTERS);
        assert!(made.record.username.starts_with(PASSWORD_USER) && made.record.username.len() <= 32);
    }
}
