//! The embedded cluster: a private PostgreSQL cluster that uses the PostgreSQL programs on the machine.
//!
//! Processes share it: the first one starts it, and the last one stops it. A process that is killed leaves
//! it running for the next one.

mod error;
mod programs;
mod server;

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use server::Server;

pub use error::ClusterError;

/// A running cluster that this process uses.
#[derive(Debug)]
pub struct Cluster {
    server: Server,
    start_lock: PathBuf,
    /// A file with a shared lock while this process uses the cluster.
    users: std::sync::Mutex<Option<File>>,
}

impl Cluster {
    /// Joins the cluster in a folder. Starts it if it is not running, and creates it if there is none.
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

    /// The address of its database, with the owner's login.
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
            // No process can join while we hold the start lock; every process that uses the cluster holds
            // this one.
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

/// Returns the data folder, and creates it if there is none. It must belong to us, so that nobody else can
/// put a file into it. The server's user passes through root's folder to its own.
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

/// Opens a lock file. Only its owner can open it, because anyone who can open a file can lock it.
fn lock_file(path: &Path) -> Result<File, ClusterError> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true).mode(0o600).custom_flags(nix::libc::O_NOFOLLOW);
    let opened = options.open(path).and_then(|file| {
        file.set_permissions(Permissions::from_mode(0o600))?;
        Ok(file)
    });
    opened.map_err(|cause| ClusterError::folder(path, &cause))
}

/// The default folder of the cluster: `/var/lib/certvakt` for root, otherwise the platform's data folder.
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
