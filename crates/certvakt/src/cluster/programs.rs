//! Finding the PostgreSQL programs, and running them as somebody who is not root.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::unistd::{Gid, Uid, User, geteuid};

use super::ClusterError;

/// The variable that names the folder of the programs.
const VARIABLE: &str = "CERTVAKT_PG_BIN";

/// A folder with `initdb`, `postgres` and `pg_ctl` of one major version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Programs {
    pub(super) folder: PathBuf,
    pub(super) major: String,
}

/// The programs for a folder made by a major version; the newest, if it is yet to be made.
pub(super) fn find(data: &Path, made_by: Option<&str>) -> Result<Programs, ClusterError> {
    let candidates = candidates();
    let mut found: Vec<Programs> = candidates.iter().filter_map(|folder| inspect(folder)).collect();
    if found.is_empty() {
        let looked_in =
            candidates.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(", ");
        return Err(ClusterError::Missing {
            looked_in: if looked_in.is_empty() { "the usual folders".to_owned() } else { looked_in },
            package: if cfg!(target_os = "macos") {
                "`brew install postgresql@17`"
            } else {
                "on Debian: `apt-get install postgresql`"
            },
        });
    }
    match made_by {
        None => Ok(found.swap_remove(0)),
        Some(made_by) => match found.iter().position(|programs| programs.major == made_by) {
            Some(at) => Ok(found.swap_remove(at)),
            None => Err(ClusterError::Version {
                folder: data.display().to_string(),
                made_by: made_by.to_owned(),
                found: found.iter().map(|programs| programs.major.as_str()).collect::<Vec<_>>().join(", "),
            }),
        },
    }
}

/// Where programs may be: the folder that was named, or those on the path and of Debian and Homebrew,
/// the newest first.
fn candidates() -> Vec<PathBuf> {
    if let Some(named) = std::env::var_os(VARIABLE) {
        return vec![PathBuf::from(named)];
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> =
        std::env::split_paths(&path).filter(|folder| folder.join("initdb").exists()).collect();
    let mut installed = Vec::new();
    for (parent, bin) in
        [("/usr/lib/postgresql", "bin"), ("/opt/homebrew/opt", "bin"), ("/usr/local/opt", "bin")]
    {
        let Ok(entries) = std::fs::read_dir(parent) else { continue };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if let Ok(major) = name.trim_start_matches("postgresql@").parse::<u32>() {
                installed.push((major, entry.path().join(bin)));
            }
        }
    }
    installed.sort_by_key(|(major, _)| std::cmp::Reverse(*major));
    folders.extend(installed.into_iter().map(|(_, folder)| folder));
    folders
}

/// The major version of the programs in a folder, if they are all there.
fn inspect(folder: &Path) -> Option<Programs> {
    if !["initdb", "postgres", "pg_ctl"].iter().all(|program| folder.join(program).exists()) {
        return None;
    }
    let output = Command::new(folder.join("postgres")).arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    // postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)
    let version = text.split_whitespace().nth(2)?;
    let major = version.split(['.', 'b', 'r', 'd']).next()?.to_owned();
    Some(Programs { folder: folder.to_owned(), major })
}

/// Whom the server runs as: ourselves, or for root an unprivileged user, because PostgreSQL refuses
/// to run as root.
pub(super) fn server_user() -> Result<Option<(Uid, Gid)>, ClusterError> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    for name in ["postgres", "nobody"] {
        if let Ok(Some(user)) = User::from_name(name) {
            return Ok(Some((user.uid, user.gid)));
        }
    }
    Err(ClusterError::Server("there is neither a user postgres nor nobody to run it as: make one".to_owned()))
}

impl Programs {
    /// A command of one of the programs, as the server's user.
    pub(super) fn command(&self, program: &str, folder: &Path) -> Result<Command, ClusterError> {
        let mut command = Command::new(self.folder.join(program));
        // The caller's folder may be closed to the server's user. Root's groups are dropped with its id.
        command.current_dir(folder).env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C");
        if let Some((user, group)) = server_user()? {
            command.uid(user.as_raw()).gid(group.as_raw());
        }
        Ok(command)
    }
}
