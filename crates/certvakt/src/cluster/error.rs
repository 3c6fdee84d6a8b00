//! Why the cluster cannot be used.

use std::path::Path;

/// An error of the cluster.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// There are no PostgreSQL programs.
    #[error(
        "found no PostgreSQL programs in {looked_in}: install PostgreSQL ({package}), or set DATABASE_URL to use a server"
    )]
    Missing {
        /// The places that were searched.
        looked_in: String,
        /// How to install them on this system.
        package: &'static str,
    },
    /// The folder has a different major version from all installed programs.
    #[error(
        "PostgreSQL {made_by} created the data folder {folder}, but only {found} is installed: install PostgreSQL {made_by}, or choose another folder with --data-dir"
    )]
    Version {
        /// The folder.
        folder: String,
        /// The folder's `PG_VERSION`.
        made_by: String,
        /// The installed versions.
        found: String,
    },
    /// A folder cannot be created, read or written.
    #[error(
        "{folder} cannot be used ({cause}): fix its permissions, or choose another folder with --data-dir"
    )]
    Folder {
        /// The folder or file.
        folder: String,
        /// The system's error.
        cause: String,
    },
    /// A program failed.
    #[error("PostgreSQL could not be started or stopped: {0}")]
    Server(String),
}

impl ClusterError {
    pub(super) fn folder(folder: &Path, cause: &std::io::Error) -> Self {
        Self::Folder { folder: folder.display().to_string(), cause: cause.to_string() }
    }

    /// The stable code, as listed in `docs/errors.md`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "postgresql-missing",
            Self::Version { .. } => "postgresql-version",
            Self::Folder { .. } => "data-folder",
            Self::Server(_) => "postgresql-failed",
        }
    }
}
