//! The disk, as little of it as the log needs, behind two traits so that tests can make it fail.

use std::fmt;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, IoSlice};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::{FallocateFlags, fallocate, fdatasync, statvfs};

/// More parts than this are joined before they are written: the kernel takes 1024 at once.
const MOST_PARTS: usize = 64;

/// One segment's file.
pub(crate) trait Medium: Send + Sync + fmt::Debug {
    /// Writes the parts one after the other, from `offset`. On an error any of it may be written.
    fn write_at(&self, parts: &[&[u8]], offset: u64) -> io::Result<()>;
    /// Waits until what was written is on stable storage.
    fn sync(&self) -> io::Result<()>;
    /// Cuts the file.
    fn truncate(&self, length: u64) -> io::Result<()>;
}

/// Where segments live.
pub(crate) trait Disk: Send + Sync + fmt::Debug {
    /// Makes a file that did not exist, readable by the owner alone, with `room` bytes set aside.
    fn create(&self, path: &Path, room: u64) -> io::Result<Box<dyn Medium>>;
    /// Gives a file its name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Makes names durable.
    fn sync_directory(&self, path: &Path) -> io::Result<()>;
    /// Bytes that may still be written.
    fn free_bytes(&self, path: &Path) -> io::Result<u64>;
}

/// The real one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LocalDisk;

#[derive(Debug)]
struct LocalFile(File);

impl Medium for LocalFile {
    fn write_at(&self, parts: &[&[u8]], offset: u64) -> io::Result<()> {
        let total: usize = parts.iter().map(|part| part.len()).sum();
        if parts.len() > MOST_PARTS {
            return self.0.write_all_at(&parts.concat(), offset);
        }
        let slices: Vec<IoSlice<'_>> = parts.iter().map(|part| IoSlice::new(part)).collect();
        let written = loop {
            match rustix::io::pwritev(&self.0, &slices, offset) {
                Err(rustix::io::Errno::INTR) => {}
                other => break other?,
            }
        };
        if written < total {
            // Rare: a signal, or the disk's last bytes. The rest goes the plain way and gets the plain error.
            let joined = parts.concat();
            let rest = joined.get(written..).unwrap_or_default();
            self.0.write_all_at(rest, offset.saturating_add(u64::try_from(written).unwrap_or(0)))?;
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        fdatasync(&self.0)?;
        // A file without a name goes with the process: nothing in it is durable.
        if self.0.metadata()?.nlink() == 0 {
            return Err(io::Error::other("the segment's file was removed"));
        }
        Ok(())
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.0.set_len(length)
    }
}

impl Disk for LocalDisk {
    fn create(&self, path: &Path, room: u64) -> io::Result<Box<dyn Medium>> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        match fallocate(&file, FallocateFlags::empty(), 0, room) {
            // A file system that cannot set room aside costs speed, nothing else.
            Ok(()) | Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(Box::new(LocalFile(file)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn free_bytes(&self, path: &Path) -> io::Result<u64> {
        let found = statvfs(path)?;
        Ok(found.f_bavail.saturating_mul(found.f_frsize))
    }
}

/// Makes a directory that only its owner may enter, and its parents.
pub(crate) fn make_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}
