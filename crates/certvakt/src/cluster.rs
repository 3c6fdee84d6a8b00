//! The embedded cluster: a private PostgreSQL of certvakt's own.

use std::path::{Path, PathBuf};

/// A running cluster that this process uses.
#[derive(Debug)]
pub struct Cluster {
    address: String,
}

impl Cluster {
    /// Joins the cluster in a folder, or starts it; makes it if there is none.
    pub async fn open(_folder: &Path) -> Result<Self, ClusterError> {
        Err(ClusterError::Missing)
    }

    /// The address of its database, as the owner that migrates.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Leaves the cluster; the last process to leave stops it.
    pub async fn leave(&self) {}
}

/// The folder where the cluster lives when none is named: `/var/lib/certvakt` for root, else the
/// platform's.
pub fn default_folder() -> Result<PathBuf, ClusterError> {
    Err(ClusterError::Missing)
}

/// A cluster that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// No PostgreSQL programs.
    #[error(
        "PostgreSQL is not installed: install it (on Debian: `apt-get install postgresql`), or set DATABASE_URL"
    )]
    Missing,
}

impl ClusterError {
    /// The stable code, as listed in `docs/errors.md`.
    pub const fn code(&self) -> &'static str {
        "cluster"
    }
}
