//! Reading folders of small text files, and writing files that only their owner may read.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use sallyport_policy::PolicyFile;

/// Larger files are none of ours.
const FILE_LIMIT: u64 = 1 << 20;

/// Most files in a folder of rules.
const MOST_FILES: usize = 1000;

/// All files below a folder, by name with `/` between folders, sorted. Hidden files and what editors
/// leave behind are passed over.
///
/// # Errors
/// What cannot be read, in words.
pub(crate) fn read(root: &Path) -> Result<Vec<PolicyFile>, String> {
    let mut files = Vec::new();
    collect(root, "", 0, &mut files)?;
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

fn collect(folder: &Path, prefix: &str, depth: u8, files: &mut Vec<PolicyFile>) -> Result<(), String> {
    let cannot = |path: &Path, error: io::Error| format!("{}: cannot read it: {error}", path.display());
    for entry in std::fs::read_dir(folder).map_err(|error| cannot(folder, error))? {
        let entry = entry.map_err(|error| cannot(folder, error))?;
        let path = entry.path();
        let Ok(name) = entry.file_name().into_string() else {
            return Err(format!("{}: the name is not text", path.display()));
        };
        if name.starts_with('.') || name.ends_with('~') {
            continue;
        }
        let shown = format!("{prefix}{name}");
        let kind = std::fs::metadata(&path).map_err(|error| cannot(&path, error))?;
        if kind.is_dir() {
            if depth >= 4 {
                return Err(format!("{}: folders go too deep", path.display()));
            }
            collect(&path, &format!("{shown}/"), depth + 1, files)?;
            continue;
        }
        if kind.len() > FILE_LIMIT || files.len() >= MOST_FILES {
            return Err(format!("{}: too large, or too many files", path.display()));
        }
        let text = std::fs::read_to_string(&path).map_err(|error| cannot(&path, error))?;
        files.push(PolicyFile { name: shown, text });
    }
    Ok(())
}

/// Makes a folder that only its owner may enter, unless it is there.
pub(crate) fn make_private(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        made => made,
    }
}

/// Writes a new file with the mode; an existing one is an error.
pub(crate) fn write_new(path: &Path, text: &[u8], mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(text)?;
    file.sync_all()
}
