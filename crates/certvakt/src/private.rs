//! Files that hold ids, names or notices: nobody but their owner reads them, whatever the umask says.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use tempfile::NamedTempFile;

/// Opens a file, and makes it for its owner alone if there is none. One that is there keeps the permissions that its
/// owner gave it.
pub(crate) fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    options.create(true).mode(0o600).open(path)
}

/// A file beside a path, for its owner alone, under a name that nobody can guess and take first: once it is whole, it is
/// moved there.
pub(crate) fn beside(path: &Path) -> io::Result<NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))
}
