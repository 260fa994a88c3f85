//! The targets' credentials: the one room where their values live.
//!
//! References ([`CredentialRef`]) come in with the targets; values are read from the environment
//! (through a closure, since only the binary reads it) or from owner-only files, stay in memory as
//! [`Secret`]s and are wiped when dropped. They leave by one door, [`Credentials::for_target`], which
//! the dial alone uses. A value belongs to the address, role and reference it was loaded for: a
//! target that was edited since gets nothing until the next load, so that a secret never travels to
//! another host.
//!
//! SCRAM's derived keys are kept beside the value, by salt and iteration count, and the seed of MariaDB's
//! `parsec`: connecting again costs no PBKDF2.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use sallyport_core::{CredentialRef, Secret, Target};
use thiserror::Error;
use zeroize::Zeroize;

/// A credential file larger than this is none.
const MAX_BYTES: u64 = 64 * 1024;
/// Derived keys kept per target. A server has one salt per role; more only when it is changed.
const MAX_DERIVED: usize = 4;

/// Why a credential could not be had. The text names the target and the reference, never the value.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CredentialError {
    /// `env:NAME` names a variable that is not set, empty, or not text.
    #[error("credential of `{target}`: environment variable `{name}` is not set, or is empty")]
    EnvironmentUnset {
        /// The target, or what else it is of.
        target: String,
        /// Variable name.
        name: String,
    },
    /// The file cannot be read.
    #[error("credential of `{target}`: cannot read `{path}`: {reason}")]
    Unreadable {
        /// The target, or what else it is of.
        target: String,
        /// The path as configured.
        path: String,
        /// The system's reason.
        reason: String,
    },
    /// The file is not kept well enough to be believed.
    #[error("credential of `{target}`: `{path}` {fault}")]
    BadFile {
        /// The target, or what else it is of.
        target: String,
        /// The path as configured.
        path: String,
        /// What is wrong, and what to do.
        fault: &'static str,
    },
    /// Nothing was loaded for this target as it is now.
    #[error("no credential is loaded for target `{target}` at its present address, role and reference")]
    NotLoaded {
        /// The target, or what else it is of.
        target: String,
    },
}

/// Every target's credential. `Debug` prints how many there are and nothing else.
pub struct Credentials {
    loaded: RwLock<BTreeMap<String, Arc<TargetCredential>>>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.loaded.read().unwrap_or_else(PoisonError::into_inner).len();
        f.debug_struct("Credentials").field("targets", &count).finish_non_exhaustive()
    }
}

impl Credentials {
    /// Reads every target's credential.
    ///
    /// # Errors
    /// The first one that cannot be had: a gateway that lacks one does not start.
    pub fn load(targets: &[Target], env: &dyn Fn(&str) -> Option<String>) -> Result<Self, CredentialError> {
        Ok(Self { loaded: RwLock::new(read_all(targets, env)?) })
    }

    /// Reads every credential again and swaps all of them at once. Sessions that are open keep theirs.
    ///
    /// # Errors
    /// As [`Credentials::load`]; then the earlier values stay.
    pub fn reload(
        &self,
        targets: &[Target],
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<(), CredentialError> {
        let fresh = read_all(targets, env)?;
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// The credential for exactly this target.
    ///
    /// # Errors
    /// [`CredentialError::NotLoaded`] when none was loaded, or when the target's address, role or
    /// reference is another than at loading.
    pub(crate) fn for_target(&self, target: &Target) -> Result<Arc<TargetCredential>, CredentialError> {
        self.loaded
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&target.name)
            .filter(|credential| credential.holder == Holder::of(target))
            .map(Arc::clone)
            .ok_or_else(|| CredentialError::NotLoaded { target: target.name.clone() })
    }
}

/// What a value was loaded for. Not the TLS settings: those may be renewed under a running gateway.
#[derive(PartialEq, Eq)]
struct Holder {
    host: String,
    port: u16,
    user: String,
    credential: CredentialRef,
}

impl Holder {
    fn of(target: &Target) -> Self {
        Self {
            host: target.host.clone(),
            port: target.port,
            user: target.user.clone(),
            credential: target.credential.clone(),
        }
    }
}

/// One target's value and the keys derived from it.
pub(crate) struct TargetCredential {
    holder: Holder,
    password: Option<Secret<String>>,
    derived: Mutex<Vec<Derived>>,
    seed: Mutex<Option<Arc<SigningSeed>>>,
}

struct Derived {
    salt: Vec<u8>,
    iterations: u32,
    keys: Arc<ScramKeys>,
}

/// SCRAM's keys (RFC 5802 section 3): enough to authenticate without the password.
pub(crate) struct ScramKeys {
    /// `HMAC(SaltedPassword, "Client Key")`.
    pub(crate) client: Secret<[u8; 32]>,
    /// `HMAC(SaltedPassword, "Server Key")`.
    pub(crate) server: Secret<[u8; 32]>,
}

/// The seed of `parsec`'s key: enough to authenticate without the password.
pub(crate) struct SigningSeed {
    /// The extended salt that it is for.
    pub(crate) extended: Vec<u8>,
    pub(crate) seed: Secret<[u8; 32]>,
}

impl fmt::Debug for SigningSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSeed([secret])")
    }
}

impl fmt::Debug for ScramKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScramKeys([secret])")
    }
}

impl fmt::Debug for TargetCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TargetCredential([secret])")
    }
}

impl TargetCredential {
    /// The password, if the target has one.
    pub(crate) fn password(&self) -> Option<&Secret<String>> {
        self.password.as_ref()
    }

    /// Keys derived earlier for this salt and count.
    pub(crate) fn derived(&self, salt: &[u8], iterations: u32) -> Option<Arc<ScramKeys>> {
        let derived = self.derived.lock().unwrap_or_else(PoisonError::into_inner);
        derived
            .iter()
            .find(|entry| entry.iterations == iterations && entry.salt == salt)
            .map(|entry| Arc::clone(&entry.keys))
    }

    /// Keeps keys, the newest few. Call it only once the server has proved that it knows them, so
    /// that a false server cannot push the true one's out.
    pub(crate) fn keep(&self, salt: &[u8], iterations: u32, keys: Arc<ScramKeys>) {
        let mut derived = self.derived.lock().unwrap_or_else(PoisonError::into_inner);
        if derived.iter().any(|entry| entry.iterations == iterations && entry.salt == salt) {
            return;
        }
        if derived.len() >= MAX_DERIVED {
            derived.remove(0);
        }
        derived.push(Derived { salt: salt.to_vec(), iterations, keys });
    }

    /// The seed that was derived last, if it was for this extended salt.
    pub(crate) fn seed(&self, extended: &[u8]) -> Option<Arc<SigningSeed>> {
        let seed = self.seed.lock().unwrap_or_else(PoisonError::into_inner);
        seed.as_ref().filter(|seed| seed.extended == extended).map(Arc::clone)
    }

    /// Keeps a seed that a server has taken.
    pub(crate) fn keep_seed(&self, seed: Arc<SigningSeed>) {
        *self.seed.lock().unwrap_or_else(PoisonError::into_inner) = Some(seed);
    }

    /// How many keys are kept.
    #[cfg(test)]
    pub(crate) fn derived_count(&self) -> usize {
        self.derived.lock().unwrap().len()
    }
}

fn read_all(
    targets: &[Target],
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<BTreeMap<String, Arc<TargetCredential>>, CredentialError> {
    targets
        .iter()
        .map(|target| {
            let credential = TargetCredential {
                holder: Holder::of(target),
                password: read(&target.name, &target.credential, env)?,
                derived: Mutex::new(Vec::new()),
                seed: Mutex::new(None),
            };
            Ok((target.name.clone(), Arc::new(credential)))
        })
        .collect()
}

/// Reads one credential, for what is called `whose`: a target, or another part of the configuration.
///
/// # Errors
/// When it cannot be had.
pub fn read(
    whose: &str,
    reference: &CredentialRef,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<Secret<String>>, CredentialError> {
    match reference {
        CredentialRef::None => Ok(None),
        CredentialRef::Env(name) => env(name)
            .filter(|value| !value.is_empty() && !value.contains('\0'))
            .map(|value| Some(Secret::new(value)))
            .ok_or_else(|| CredentialError::EnvironmentUnset {
                target: whose.to_owned(),
                name: name.clone(),
            }),
        CredentialRef::File(path) => read_file(whose, path).map(Some),
    }
}

/// Reads a credential file. Permissions are those of the opened file, not of the name: it cannot be
/// exchanged in between.
fn read_file(target: &str, path: &Path) -> Result<Secret<String>, CredentialError> {
    let shown = path.display().to_string();
    let unreadable = |error: std::io::Error| CredentialError::Unreadable {
        target: target.to_owned(),
        path: shown.clone(),
        reason: error.kind().to_string(),
    };
    let bad = |fault| Err(CredentialError::BadFile { target: target.to_owned(), path: shown.clone(), fault });
    // A name that is a pipe must not hold up the start: it is opened without waiting, then refused.
    let no_wait = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0);
    let file = std::fs::OpenOptions::new().read(true).custom_flags(no_wait).open(path).map_err(unreadable)?;
    let meta = file.metadata().map_err(unreadable)?;
    if !meta.is_file() {
        return bad("is not a regular file");
    }
    if meta.mode() & 0o077 != 0 {
        return bad("can be read by others; restrict it with `chmod 600`");
    }
    if meta.uid() != 0 && meta.uid() != rustix::process::geteuid().as_raw() {
        return bad("belongs to another user; it must belong to the gateway's user or to root");
    }
    let mut bytes = Vec::with_capacity(usize::try_from(meta.len().min(MAX_BYTES)).unwrap_or(0) + 1);
    let read = file.take(MAX_BYTES + 1).read_to_end(&mut bytes);
    let text = match read {
        Ok(_) => String::from_utf8(std::mem::take(&mut bytes)),
        Err(error) => {
            bytes.zeroize();
            return Err(unreadable(error));
        }
    };
    let mut text = match text {
        Ok(text) => text,
        Err(error) => {
            error.into_bytes().zeroize();
            return bad("is not UTF-8 text");
        }
    };
    // One line end is the editor's, more would be the password's own.
    let kept =
        text.strip_suffix('\n').map_or(text.len(), |line| line.strip_suffix('\r').unwrap_or(line).len());
    text.truncate(kept);
    let secret = Secret::new(text);
    let value = secret.expose();
    if value.is_empty() || value.contains('\0') {
        return bad("is empty, or holds a NUL");
    }
    if u64::try_from(value.len()).unwrap_or(u64::MAX) > MAX_BYTES {
        return bad("is larger than a credential can be");
    }
    Ok(secret)
}

#[cfg(test)]
#[path = "credentials_tests.rs"]
mod tests;
