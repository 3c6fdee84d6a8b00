//! Files that hold ids, names or notices: only their owner can read them, under any umask.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use tempfile::NamedTempFile;

/// Opens a file. Creates a missing one with access for its owner only; an existing one keeps its permissions.
pub fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    options.create(true).mode(0o600).open(path)
}

/// A temporary file in the folder of a path, with access for its owner only and a name that nobody can guess. The
/// caller moves it to the path once it is complete.
pub fn beside(path: &Path) -> io::Result<NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))
}
