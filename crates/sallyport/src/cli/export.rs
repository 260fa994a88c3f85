//! `sallyport sessions export`: a recording as a file.

use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use sallyport_api::dto::EntryLine;

use super::replay::Reading;
use crate::client::Api;
use crate::export::{self, Format};
use crate::failure::Failure;
use crate::output::Output;
use crate::words;

/// What to export.
#[derive(Debug, clap::Args)]
pub(crate) struct Export {
    /// The session's id.
    id: String,
    /// The form.
    #[arg(long, value_enum, default_value = "json")]
    format: Format,
    /// Into this file, which only its owner can read; to standard output when left out.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace the file when it is there.
    #[arg(long)]
    force: bool,
}

pub(super) async fn export(export: &Export, api: &Api, out: &mut Output) -> Result<(), Failure> {
    let Some(path) = &export.output else {
        return write(export, api, out).await.map(|_| ());
    };
    if path.exists() && !export.force {
        return Err(
            Failure::usage(format!("{} is there already", path.display())).hint("--force replaces it")
        );
    }
    // Under another name until it is whole: half an export must not pass for one.
    let partial = with_suffix(path, ".partial");
    let cannot = |error: io::Error| Failure::failed(format!("{}: {error}", path.display()));
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&partial)
        .map_err(cannot)?;
    let mut file = BufWriter::new(file);
    let written = write(export, api, &mut file).await;
    let entries = match written.and_then(|entries| file.flush().map_err(cannot).map(|()| entries)) {
        Ok(entries) => entries,
        Err(failure) => {
            drop(file);
            // What is left of it is of no use; the failure is what counts.
            let _removed = fs::remove_file(&partial);
            return Err(failure);
        }
    };
    drop(file);
    fs::rename(&partial, path).map_err(cannot)?;
    let counted = words::counted(entries, "entry", "entries");
    if out.is_json() {
        return out.json(&serde_json::json!({ "file": path, "entries": entries }));
    }
    out.line(&format!("{counted} in {}", path.display()))
}

async fn write(export: &Export, api: &Api, to: &mut dyn Write) -> Result<u64, Failure> {
    let closed = |error: io::Error| match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::failed(""),
        _ => Failure::failed(format!("cannot write the export: {error}")),
    };
    let mut reading = Reading::open(api, &export.id, "export").await?;
    let mut form = export::begin(export.format, &export.id);
    let mut entries = 0;
    while let Some(line) = reading.next().await? {
        if let EntryLine::Entry(entry) = line {
            entries += 1;
            form.entry(&entry, to).map_err(closed)?;
        }
    }
    form.end(reading.verified(), to).map_err(closed)?;
    Ok(entries)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
