//! Signed notes (c2sp.org/signed-note) and the keys that verify them.
//!
//! A note is text, a blank line, and signature lines. [`NoteKey`] is a verifier's key with the name that
//! it signs by, for the log itself or for a witness.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sallyport_core::Digest;

/// A plain Ed25519 signature over the note's text.
const ED25519: u8 = 1;
/// A witness's, over the text and the time (c2sp.org/tlog-cosignature).
const COSIGNATURE: u8 = 4;
/// Most bytes of a note that is read: more than a checkpoint with its signatures can have.
pub(crate) const MOST: usize = 64 << 10;
/// What a signature line begins with.
const DASH: &str = "\u{2014} ";

/// A public key that signs notes, with its name. Written as in c2sp.org/signed-note:
/// `name+12345678+base64`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteKey {
    name: String,
    kind: u8,
    key: VerifyingKey,
}

impl NoteKey {
    /// The key of a log, by the name that its recorder gives it.
    #[must_use]
    pub fn of_log(key: VerifyingKey) -> Self {
        Self { name: origin(&key), kind: ED25519, key }
    }

    /// Reads a key as it is written down; nothing when it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().splitn(3, '+');
        let (name, id, encoded) = (parts.next()?, parts.next()?, parts.next()?);
        let bytes = STANDARD.decode(encoded).ok()?;
        let (kind, key) = bytes.split_first()?;
        let key = VerifyingKey::from_bytes(key.try_into().ok()?).ok()?;
        let found = Self { name: name.to_owned(), kind: *kind, key };
        let known = matches!(*kind, ED25519 | COSIGNATURE) && is_name(name);
        (known && crate::statements::hex(&found.id()) == id).then_some(found)
    }

    /// The key itself.
    #[must_use]
    pub fn key(&self) -> &VerifyingKey {
        &self.key
    }

    /// The name that it signs by: of a log, its origin.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn id(&self) -> [u8; 4] {
        let input = [self.name.as_bytes(), b"\n", &[self.kind], self.key.as_bytes()].concat();
        Digest::of(&input).as_bytes().first_chunk().copied().unwrap_or_default()
    }

    /// Whether it is a witness's.
    #[must_use]
    pub fn is_witness(&self) -> bool {
        self.kind == COSIGNATURE
    }

    fn verifies(&self, text: &str, signature: &[u8]) -> bool {
        match self.kind {
            ED25519 => Signature::from_slice(signature)
                .is_ok_and(|signature| self.key.verify_strict(text.as_bytes(), &signature).is_ok()),
            _ => signature.split_first_chunk::<8>().is_some_and(|(time, signature)| {
                let time = u64::from_be_bytes(*time);
                let message = format!("cosignature/v1\ntime {time}\n{text}");
                Signature::from_slice(signature)
                    .is_ok_and(|signature| self.key.verify_strict(message.as_bytes(), &signature).is_ok())
            }),
        }
    }
}

impl std::fmt::Display for NoteKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let key = [&[self.kind], self.key.as_bytes().as_slice()].concat();
        write!(f, "{}+{}+{}", self.name, crate::statements::hex(&self.id()), STANDARD.encode(key))
    }
}

/// The name of the log that a key signs.
pub(crate) fn origin(key: &VerifyingKey) -> String {
    let digest = Digest::of(key.as_bytes()).to_string();
    format!("sallyport/recording/{}", digest.chars().take(16).collect::<String>())
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains('+') && !name.chars().any(char::is_whitespace)
}

/// A signature line of the log's own.
pub(crate) fn sign(text: &str, key: &SigningKey) -> String {
    let named = NoteKey::of_log(key.verifying_key());
    let signature = key.sign(text.as_bytes()).to_bytes();
    let bytes = [named.id().as_slice(), &signature].concat();
    format!("{DASH}{} {}\n", named.name, STANDARD.encode(bytes))
}

/// Text and signature lines of a note; nothing when it is not one.
pub(crate) fn split(note: &str) -> Option<(&str, &str)> {
    if note.len() > MOST || note.chars().any(|c| c < ' ' && c != '\n') {
        return None;
    }
    let at = note.rfind("\n\n")?;
    let (text, rest) = note.split_at_checked(at + 1)?;
    let lines = rest.strip_prefix('\n')?;
    let signed = !lines.is_empty() && lines.ends_with('\n') && lines.lines().all(|l| l.starts_with(DASH));
    signed.then_some((text, lines))
}

/// Whether a note has a signature by a key, and every signature that claims to be that key's holds.
pub(crate) fn signed_by(text: &str, lines: &str, key: &NoteKey) -> bool {
    let mut found = false;
    for line in lines.lines() {
        let Some((name, encoded)) = line.strip_prefix(DASH).and_then(|line| line.split_once(' ')) else {
            return false;
        };
        let Ok(bytes) = STANDARD.decode(encoded) else { return false };
        let Some((id, signature)) = bytes.split_first_chunk::<4>() else { return false };
        if name != key.name || *id != key.id() {
            continue;
        }
        if !key.verifies(text, signature) {
            return false;
        }
        found = true;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the signed-note specification's reference implementation (Go's sumdb/note).
    const NOTE: &str = "If you think cryptography is the answer to your problem,\n\
        then you don't know what your problem is.\n\n\
        \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    const KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

    #[test]
    fn a_note_of_another_implementation_verifies() {
        let key = NoteKey::parse(KEY).unwrap();
        assert_eq!(key.to_string(), KEY);
        let (text, lines) = split(NOTE).unwrap();
        assert!(signed_by(text, lines, &key));
        assert!(!signed_by(&text.replace("your", "my"), lines, &key));
        let own = NoteKey::of_log(SigningKey::from_bytes(&[1; 32]).verifying_key());
        assert!(!signed_by(text, lines, &own), "not this key's");
        assert_eq!(NoteKey::parse(&KEY.replace("c74f", "c74e")), None);
    }

    #[test]
    fn what_is_signed_verifies_and_what_is_no_note_is_none() {
        let key = SigningKey::from_bytes(&[1; 32]);
        let note = format!("a\nb\n\n{}", sign("a\nb\n", &key));
        let (text, lines) = split(&note).unwrap();
        let named = NoteKey::of_log(key.verifying_key());
        assert!(signed_by(text, lines, &named));
        assert_eq!(NoteKey::parse(&named.to_string()), Some(named));
        for bad in ["", "a\n", "a\n\n", "a\n\nb\n", &note.replace('a', "\r"), note.trim_end()] {
            assert_eq!(split(bad), None, "{bad:?}");
        }
    }
}
