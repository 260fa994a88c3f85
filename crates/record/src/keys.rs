//! The recording's signing key, in a file that only its owner may read.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{
    DecodePrivateKey as _, DecodePublicKey as _, EncodePrivateKey as _, EncodePublicKey as _,
};
use ed25519_dalek::{SigningKey, VerifyingKey};
use zeroize::Zeroizing;

use crate::error::RecordError;
use crate::medium::make_directory;

/// The private key, PKCS #8 in PEM (RFC 8410).
const PRIVATE: &str = "recording.key";
/// The public key, SubjectPublicKeyInfo in PEM, to be handed to whoever verifies.
const PUBLIC: &str = "recording.pub.pem";

/// The same, as those who verify checkpoints write it (c2sp.org/signed-note).
const VKEY: &str = "recording.vkey";

/// Reads `recording.key` from a folder, or makes it, with `recording.pub.pem` and `recording.vkey` beside it.
///
/// # Errors
/// A key that others can read, that is not an Ed25519 key, or a disk that fails.
pub fn load_or_create_key(dir: &Path) -> Result<SigningKey, RecordError> {
    make_directory(dir)?;
    let path = dir.join(PRIVATE);
    let key = match std::fs::metadata(&path) {
        Ok(found) if found.permissions().mode() & 0o077 != 0 => {
            return Err(RecordError::Key(format!("{PRIVATE} can be read by others; make it 0600")));
        }
        Ok(_) => {
            let text = Zeroizing::new(std::fs::read_to_string(&path)?);
            SigningKey::from_pkcs8_pem(&text)
                .map_err(|_| RecordError::Key(format!("{PRIVATE} is not an Ed25519 key in PEM")))?
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => create(dir, &path)?,
        Err(error) => return Err(error.into()),
    };
    let public = key
        .verifying_key()
        .to_public_key_pem(LineEnding::LF)
        .map_err(|_| RecordError::Key("the public key could not be encoded".into()))?;
    let beside = dir.join(PUBLIC);
    if std::fs::read_to_string(&beside).ok().as_deref() != Some(public.as_str()) {
        std::fs::write(&beside, public)?;
    }
    let vkey = format!("{}\n", crate::note::NoteKey::of_log(key.verifying_key()));
    let beside = dir.join(VKEY);
    if std::fs::read_to_string(&beside).ok().as_deref() != Some(vkey.as_str()) {
        std::fs::write(&beside, vkey)?;
    }
    Ok(key)
}

fn create(dir: &Path, path: &Path) -> Result<SigningKey, RecordError> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(seed.as_mut_slice()).map_err(|_| RecordError::Key("there is no randomness".into()))?;
    let key = SigningKey::from_bytes(&seed);
    let text = key
        .to_pkcs8_pem(LineEnding::LF)
        .map_err(|_| RecordError::Key("the key could not be encoded".into()))?;
    // Under another name until it is whole: a half-written key would keep the gateway from starting.
    let unfinished = dir.join("recording.key.tmp");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&unfinished, path)?;
    std::fs::File::open(dir)?.sync_all()?;
    Ok(key)
}

/// Reads a public key, as `recording.pub.pem` or `recording.vkey` is.
///
/// # Errors
/// A file that is neither.
pub fn load_public_key(path: &Path) -> Result<VerifyingKey, RecordError> {
    let text = std::fs::read_to_string(path)?;
    if let Some(key) = crate::note::NoteKey::parse(&text) {
        return Ok(*key.key());
    }
    VerifyingKey::from_public_key_pem(&text).map_err(|_| {
        RecordError::Key("this is not an Ed25519 public key in PEM, nor a verifier's key".into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_for_its_owner_alone_and_others_reading_it_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let keys = dir.path().join("keys");
        let key = load_or_create_key(&keys).unwrap();
        let again = load_or_create_key(&keys).unwrap();
        assert_eq!(key.to_bytes(), again.to_bytes());
        assert_eq!(load_public_key(&keys.join(PUBLIC)).unwrap(), key.verifying_key());
        let path = keys.join(PRIVATE);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(load_or_create_key(&keys), Err(RecordError::Key(_))));
    }
}
