//! The keys that wrap data keys, and where they are kept.
//!
//! A segment's data key never touches a disk except wrapped. Who may read recordings is who can unwrap:
//! [`Wrapping`] is the seam to a file, a vault or a cloud's key service. [`KeyFiles`] is the file: a
//! folder of 32-byte keys of which the last one made wraps, and all unwrap.

use std::fmt;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sallyport_core::Digest;
use zeroize::Zeroizing;

use crate::error::RecordError;
use crate::header::WrappedKey;
use crate::medium::make_directory;

const PURPOSE: &[u8] = b"sallyport data key v1";
const ID_PURPOSE: &[u8] = b"sallyport wrapping key v1";

/// A data key, in the clear. Wiped when dropped.
pub type DataKey = Zeroizing<[u8; 32]>;

/// Wraps and unwraps data keys.
pub trait Wrapping: Send + Sync + fmt::Debug {
    /// Wraps a segment's data key.
    ///
    /// # Errors
    /// When the key cannot be used; then no segment is begun.
    fn wrap(&self, segment: u64, key: &DataKey) -> Result<WrappedKey, RecordError>;

    /// Unwraps it.
    ///
    /// # Errors
    /// When the wrapping key is not here, or the bytes were not wrapped by it for this segment.
    fn unwrap(&self, segment: u64, wrapped: &WrappedKey) -> Result<DataKey, RecordError>;

    /// Whether wrapping may take longer than a look at a disk: then it is done ahead.
    fn takes_time(&self) -> bool {
        false
    }
}

/// Wrapping keys in a folder, a file each: `000001-<id>.key`, 32 bytes, for their owner alone.
#[derive(Clone, Debug)]
pub struct KeyFiles {
    dir: PathBuf,
}

impl KeyFiles {
    /// The keys in a folder, which is read anew at every use: a key that is added is used from the next
    /// segment on.
    #[must_use]
    pub fn in_folder(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// Makes the first key unless there is one.
    ///
    /// # Errors
    /// What the disk says.
    pub fn make_first(&self) -> Result<(), RecordError> {
        if self.list()?.is_empty() { self.rotate().map(drop) } else { Ok(()) }
    }

    /// Makes a new key, which wraps from now on, and gives its id. Older keys still unwrap.
    ///
    /// # Errors
    /// What the disk says.
    pub fn rotate(&self) -> Result<String, RecordError> {
        make_directory(&self.dir)?;
        let number = self.list()?.last().map_or(0, |(number, _, _)| *number).saturating_add(1);
        let key = crate::cipher::data_key()?;
        let id = id_of(&key);
        let unfinished = self.dir.join("next.tmp");
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
        file.write_all(key.as_slice())?;
        file.sync_all()?;
        std::fs::rename(&unfinished, self.dir.join(format!("{number:06}-{id}.key")))?;
        std::fs::File::open(&self.dir)?.sync_all()?;
        Ok(id)
    }

    /// Ids of all keys, in the order in which they were made; the last one wraps.
    ///
    /// # Errors
    /// What the disk says.
    pub fn ids(&self) -> Result<Vec<String>, RecordError> {
        Ok(self.list()?.into_iter().map(|(_, id, _)| id).collect())
    }

    fn list(&self) -> Result<Vec<(u64, String, PathBuf)>, RecordError> {
        let entries = match std::fs::read_dir(&self.dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).and_then(|n| n.strip_suffix(".key"));
            if let Some((number, id)) = name.and_then(|name| name.split_once('-'))
                && let Ok(number) = number.parse()
            {
                found.push((number, id.to_owned(), path.clone()));
            }
        }
        found.sort();
        Ok(found)
    }

    fn read(id: &str, path: &Path) -> Result<DataKey, RecordError> {
        if std::fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
            return Err(RecordError::Key(format!("wrapping key {id} can be read by others; make it 0600")));
        }
        let bytes = Zeroizing::new(std::fs::read(path)?);
        let key = Zeroizing::new(
            <[u8; 32]>::try_from(bytes.as_slice())
                .map_err(|_| RecordError::Key(format!("wrapping key {id} is not 32 bytes")))?,
        );
        if id_of(&key) == id {
            Ok(key)
        } else {
            Err(RecordError::Key(format!("wrapping key {id} was altered")))
        }
    }
}

fn id_of(key: &DataKey) -> String {
    let digest = Digest::of(&Zeroizing::new([ID_PURPOSE, key.as_slice()].concat()));
    digest.to_string().chars().take(16).collect()
}

fn cipher(key: &DataKey) -> Result<LessSafeKey, RecordError> {
    let key = UnboundKey::new(&AES_256_GCM, key.as_slice());
    Ok(LessSafeKey::new(key.map_err(|_| RecordError::Key("the wrapping key cannot be used".into()))?))
}

fn bound_to(segment: u64) -> Vec<u8> {
    [PURPOSE, &segment.to_be_bytes()].concat()
}

impl Wrapping for KeyFiles {
    fn wrap(&self, segment: u64, key: &DataKey) -> Result<WrappedKey, RecordError> {
        let keys = self.list()?;
        let (_, id, path) = keys.last().ok_or_else(|| RecordError::Key("there is no wrapping key".into()))?;
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(|_| RecordError::Key("there is no randomness".into()))?;
        let mut bytes = key.to_vec();
        let tag = cipher(&Self::read(id, path)?)?
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(bound_to(segment)),
                &mut bytes,
            )
            .map_err(|_| RecordError::Key("the data key could not be wrapped".into()))?;
        Ok(WrappedKey { key_id: id.clone(), bytes: [&nonce, bytes.as_slice(), tag.as_ref()].concat() })
    }

    fn unwrap(&self, segment: u64, wrapped: &WrappedKey) -> Result<DataKey, RecordError> {
        let keys = self.list()?;
        let (_, id, path) = keys.iter().find(|(_, id, _)| *id == wrapped.key_id).ok_or_else(|| {
            RecordError::Key("the key that the recording is encrypted with is not here".into())
        })?;
        let altered = || RecordError::Key(format!("a data key was not wrapped by {id} for this segment"));
        let (nonce, sealed) = wrapped.bytes.split_first_chunk::<NONCE_LEN>().ok_or_else(altered)?;
        let mut sealed = Zeroizing::new(sealed.to_vec());
        let plain = cipher(&Self::read(id, path)?)?
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(bound_to(segment)), &mut sealed)
            .map_err(|_| altered())?;
        Ok(Zeroizing::new(<[u8; 32]>::try_from(&*plain).map_err(|_| altered())?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_key_unwraps_for_its_segment_alone_and_by_every_key_that_was_ever_used() {
        let dir = tempfile::tempdir().unwrap();
        let keys = KeyFiles::in_folder(dir.path().join("wrapping"));
        assert!(matches!(keys.wrap(1, &Zeroizing::new([1; 32])), Err(RecordError::Key(_))));
        keys.make_first().unwrap();
        keys.make_first().unwrap();
        let first = keys.wrap(1, &Zeroizing::new([1; 32])).unwrap();
        let id = keys.rotate().unwrap();
        let second = keys.wrap(2, &Zeroizing::new([2; 32])).unwrap();
        assert_eq!((keys.ids().unwrap().len(), &second.key_id), (2, &id));
        assert_ne!(first.key_id, second.key_id);
        assert_eq!(*keys.unwrap(1, &first).unwrap(), [1; 32]);
        assert_eq!(*keys.unwrap(2, &second).unwrap(), [2; 32]);
        assert!(keys.unwrap(2, &first).is_err(), "another segment's");
        let mut altered = second.clone();
        altered.bytes[20] ^= 1;
        assert!(keys.unwrap(2, &altered).is_err());
        let path = keys.list().unwrap().pop().unwrap().2;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(keys.wrap(3, &Zeroizing::new([3; 32])), Err(RecordError::Key(_))));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&path, [9; 32]).unwrap();
        assert!(
            matches!(keys.wrap(3, &Zeroizing::new([3; 32])), Err(RecordError::Key(_))),
            "not its id's key"
        );
    }
}
