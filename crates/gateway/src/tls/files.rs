//! Reading and writing certificates and keys.
//!
//! What is secret is written to a new file with mode 0600 and put in place by renaming, so that no
//! reader ever sees half a key or a key with loose permissions.

use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

use super::TlsError;

/// A bundle of every public authority is some 250 KiB.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Who besides the owner may touch a key file.
#[derive(Clone, Copy)]
pub(super) enum Keeping {
    /// Nobody: a file of the gateway's own.
    OwnerOnly,
    /// A group may read it, as distributions do with `ssl-cert`.
    GroupMayRead,
}

pub(super) fn file_error(action: &'static str, path: &Path, error: &std::io::Error) -> TlsError {
    TlsError::File { action, path: path.display().to_string(), reason: error.kind().to_string() }
}

pub(super) fn content_error(path: &Path, fault: impl Into<String>) -> TlsError {
    TlsError::Content { path: path.display().to_string(), fault: fault.into() }
}

/// Every certificate of a PEM file; at least one.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let bytes = read(path, None)?;
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<_, _>>()
        .map_err(|_| content_error(path, "is not well-formed PEM"))?;
    if certificates.is_empty() {
        return Err(content_error(path, "holds no certificate"));
    }
    Ok(certificates)
}

/// The text of a key file that is kept well enough.
pub(super) fn key_text(path: &Path, keeping: Keeping) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    read(path, Some(keeping))
}

/// The private key of a PEM file that is kept well enough.
pub(super) fn key(path: &Path, keeping: Keeping) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(&key_text(path, keeping)?)
        .map_err(|_| content_error(path, "holds no private key in PEM"))
}

fn read(path: &Path, keeping: Option<Keeping>) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    let file = std::fs::File::open(path).map_err(|error| file_error("read", path, &error))?;
    let meta = file.metadata().map_err(|error| file_error("read", path, &error))?;
    if meta.len() > MAX_BYTES {
        return Err(content_error(path, "is too large"));
    }
    let loose = match keeping {
        None => 0,
        Some(Keeping::OwnerOnly) => 0o077,
        Some(Keeping::GroupMayRead) => 0o037,
    };
    if meta.mode() & loose != 0 {
        return Err(content_error(path, "can be read by others; restrict it with `chmod 600`"));
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(meta.len()).unwrap_or(0) + 1));
    file.take(MAX_BYTES).read_to_end(&mut bytes).map_err(|error| file_error("read", path, &error))?;
    Ok(bytes)
}

/// Makes a directory that only its owner may enter, unless it is there.
pub(super) fn make_directory(path: &Path) -> Result<(), TlsError> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| file_error("create", path, &error))
}

/// Writes a file whole or not at all.
pub(super) fn write(path: &Path, content: &[u8], mode: u32) -> Result<(), TlsError> {
    let failed = |error: std::io::Error| file_error("write", path, &error);
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    // A left-over of an interrupted run would keep its own mode; start from nothing.
    match std::fs::remove_file(&fresh) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&fresh).map_err(failed)?;
    file.write_all(content).and_then(|()| file.sync_all()).map_err(failed)?;
    std::fs::rename(&fresh, path).map_err(failed)
}
