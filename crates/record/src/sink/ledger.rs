//! What was sent of a log to a sink, a line each, beside the log. It only saves asking: when it is lost,
//! everything is sent again and found to be there.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use sallyport_core::Digest;

use crate::medium::make_directory;

#[derive(Debug)]
pub(super) struct Ledger {
    file: PathBuf,
    sent: BTreeSet<String>,
    pub(super) bytes: u64,
    /// The largest checkpoint that was sent.
    pub(super) checkpoint: Option<u64>,
}

fn first_line(sink: &str) -> String {
    format!("sent to {sink}")
}

impl Ledger {
    /// The ledger of a log and a sink. One that was of another sink begins anew.
    pub(super) fn open(folder: &Path, log: &str, sink: &str) -> io::Result<Self> {
        make_directory(folder)?;
        let file = folder.join(format!("sent-{log}"));
        let mut this = Self { file, sent: BTreeSet::new(), bytes: 0, checkpoint: None };
        let text = match std::fs::read(&this.file) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let mut lines = text.lines();
        if lines.next() == Some(first_line(sink).as_str()) {
            for line in lines {
                this.take(line);
            }
        } else {
            let mut file = this.write(true)?;
            writeln!(file, "{}", first_line(sink))?;
            file.sync_all()?;
        }
        Ok(this)
    }

    /// A line that was torn by a stop says nothing.
    fn take(&mut self, line: &str) {
        let mut words = line.split(' ');
        let (Some(name), Some(bytes), Some(hash)) = (words.next(), words.next(), words.next()) else {
            return;
        };
        let (Ok(bytes), 64) = (bytes.parse::<u64>(), hash.len()) else { return };
        self.count(name, bytes);
    }

    fn count(&mut self, name: &str, bytes: u64) {
        if let Some(size) = name.strip_prefix("checkpoints/") {
            self.checkpoint = self.checkpoint.max(size.parse().ok());
        } else if self.sent.insert(name.to_owned()) {
            self.bytes = self.bytes.saturating_add(bytes);
        }
    }

    fn write(&self, anew: bool) -> io::Result<File> {
        OpenOptions::new().write(true).create(true).append(!anew).truncate(anew).mode(0o600).open(&self.file)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.sent.contains(name)
    }

    pub(super) fn count_sent(&self) -> u64 {
        u64::try_from(self.sent.len()).unwrap_or(u64::MAX)
    }

    /// Notes that something is in the sink. A full disk costs asking again, nothing else.
    pub(super) fn note(&mut self, name: &str, bytes: &[u8]) {
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let line = || {
            let mut file = self.write(false)?;
            // A line that was torn before is ended.
            writeln!(file, "{name} {size} {}", Digest::of(bytes))?;
            file.sync_all()
        };
        if let Err(error) = line() {
            tracing::warn!(%error, "what was sent to the recording's sink could not be noted");
        }
        self.count(name, size);
    }
}
