//! The embedded cluster: a private PostgreSQL of certvakt's own, from the programs on the machine.
//!
//! Processes share it: whoever comes first starts it, the last to leave stops it. A process that is
//! killed leaves it running for the next one.

mod programs;
mod server;

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use server::Server;

/// A running cluster that this process uses.
#[derive(Debug)]
pub struct Cluster {
    server: Server,
    start_lock: PathBuf,
    /// Locked shared while this process uses the cluster.
    users: std::sync::Mutex<Option<File>>,
}

impl Cluster {
    /// Joins the cluster in a folder, or starts it; makes it if there is none.
    pub async fn open(folder: &Path) -> Result<Self, ClusterError> {
        let folder = folder.to_owned();
        blocking(move || Self::open_blocking(&folder)).await
    }

    fn open_blocking(folder: &Path) -> Result<Self, ClusterError> {
        let folder = own_folder(folder)?;
        let start_lock = folder.join("start.lock");
        let starting = lock_file(&start_lock)?;
        starting.lock().map_err(|cause| ClusterError::folder(&start_lock, &cause))?;
        let users_path = folder.join("users.lock");
        let users = lock_file(&users_path)?;
        users.lock_shared().map_err(|cause| ClusterError::folder(&users_path, &cause))?;
        let server = Server::in_folder(&folder)?;
        server.ensure_running()?;
        Ok(Self { server, start_lock, users: std::sync::Mutex::new(Some(users)) })
    }

    /// The address of its database, as the owner that migrates.
    pub fn address(&self) -> &str {
        self.server.address()
    }

    /// Leaves the cluster; the last process to leave stops it.
    pub async fn leave(&self) {
        let users = self.users.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        let (Some(users), server, start_lock) = (users, self.server.clone(), self.start_lock.clone()) else {
            return;
        };
        let left = blocking(move || {
            let starting = lock_file(&start_lock)?;
            starting.lock().map_err(|cause| ClusterError::folder(&start_lock, &cause))?;
            let _ = users.unlock();
            // Nobody can come in while we hold the start lock; whoever is in holds this one.
            if users.try_lock().is_ok() { server.stop() } else { Ok(()) }
        })
        .await;
        if let Err(error) = left {
            tracing::warn!("could not stop the cluster cleanly: {error}");
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ClusterError> + Send + 'static,
) -> Result<T, ClusterError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(ClusterError::Server(error.to_string())))
}

/// The data folder, made if there is none: ours, so that nobody else puts a file into it. The server's user goes through
/// root's to its own.
fn own_folder(folder: &Path) -> Result<PathBuf, ClusterError> {
    let failed = |cause: std::io::Error| ClusterError::folder(folder, &cause);
    let user = nix::unistd::geteuid();
    let mode = if user.is_root() { 0o711 } else { 0o700 };
    DirBuilder::new().recursive(true).mode(mode).create(folder).map_err(failed)?;
    let folder = folder.canonicalize().map_err(failed)?;
    let found = folder.metadata().map_err(failed)?;
    if found.uid() != user.as_raw() {
        return Err(ClusterError::Folder {
            folder: folder.display().to_string(),
            cause: "it belongs to another user".to_owned(),
        });
    }
    let mode = found.permissions().mode();
    if mode & 0o022 != 0 {
        std::fs::set_permissions(&folder, Permissions::from_mode(mode & !0o022)).map_err(failed)?;
    }
    Ok(folder)
}

/// A file that is locked. Only its owner opens it: who can open a file can lock it.
fn lock_file(path: &Path) -> Result<File, ClusterError> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true).mode(0o600).custom_flags(nix::libc::O_NOFOLLOW);
    let opened = options.open(path).and_then(|file| {
        file.set_permissions(Permissions::from_mode(0o600))?;
        Ok(file)
    });
    opened.map_err(|cause| ClusterError::folder(path, &cause))
}

/// The folder where the cluster lives when none is named: `/var/lib/certvakt` for root, else the
/// platform's.
pub fn default_folder() -> Result<PathBuf, ClusterError> {
    if nix::unistd::geteuid().is_root() {
        return Ok(PathBuf::from("/var/lib/certvakt"));
    }
    etcetera::choose_base_strategy().map(|folders| folders.data_dir().join("certvakt")).map_err(|_| {
        ClusterError::Folder {
            folder: "~".to_owned(),
            cause: "there is no home folder; choose a folder with --data-dir".to_owned(),
        }
    })
}

/// A cluster that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// No PostgreSQL programs.
    #[error(
        "found no PostgreSQL programs in {looked_in}: install PostgreSQL ({package}), or set DATABASE_URL to use a server"
    )]
    Missing {
        /// Where they were looked for.
        looked_in: String,
        /// How to install them here.
        package: &'static str,
    },
    /// The folder is of another major version than any programs here.
    #[error(
        "PostgreSQL {made_by} created the data folder {folder}, but only {found} is installed: install PostgreSQL {made_by}, or choose another folder with --data-dir"
    )]
    Version {
        /// The folder.
        folder: String,
        /// Its `PG_VERSION`.
        made_by: String,
        /// The versions found.
        found: String,
    },
    /// A folder cannot be made, read or written.
    #[error(
        "{folder} cannot be used ({cause}): fix its permissions, or choose another folder with --data-dir"
    )]
    Folder {
        /// The folder or file.
        folder: String,
        /// What the system says.
        cause: String,
    },
    /// A program failed.
    #[error("PostgreSQL could not be started or stopped: {0}")]
    Server(String),
}

impl ClusterError {
    fn folder(folder: &Path, cause: &std::io::Error) -> Self {
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
