//! Finds the PostgreSQL programs, and runs them as an unprivileged user.

use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::unistd::{Gid, Uid, User, geteuid};

use super::error::ClusterError;

/// The environment variable with the folder of the programs.
const VARIABLE: &str = "CERTVAKT_PG_BIN";

/// certvakt's system user.
const OWN_USER: &str = "certvakt";

/// A folder with `initdb`, `postgres` and `pg_ctl` of one major version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Programs {
    pub(super) folder: PathBuf,
    pub(super) major: String,
    /// The user that they run as, if not the current one.
    pub(super) user: Option<(Uid, Gid)>,
}

/// Finds the programs for a folder of a major version; the newest for a new folder.
pub(super) fn find(data: &Path, made_by: Option<&str>) -> Result<Programs, ClusterError> {
    let found = found(data, made_by)?;
    Ok(Programs { user: server_user(data)?, ..found })
}

fn found(data: &Path, made_by: Option<&str>) -> Result<Programs, ClusterError> {
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

/// The folders to search: the one in the environment variable, or those in `PATH` and those of Debian and
/// Homebrew, newest first.
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

/// Determines the major version of the programs in a folder, if it has all of them.
fn inspect(folder: &Path) -> Option<Programs> {
    if !["initdb", "postgres", "pg_ctl"].iter().all(|program| folder.join(program).exists()) {
        return None;
    }
    let output = Command::new(folder.join("postgres")).arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    // postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)
    let version = text.split_whitespace().nth(2)?;
    let major = version.split(['.', 'b', 'r', 'd']).next()?.to_owned();
    Some(Programs { folder: folder.to_owned(), major, user: None })
}

/// The user that the server runs as: the current one, or for root an unprivileged user, because PostgreSQL
/// refuses to run as root. An existing cluster keeps its user. A new one belongs to the user `postgres`, or
/// to certvakt's system user, which is created if there is none. Other services that run as `nobody` could
/// access a cluster of `nobody`.
fn server_user(data: &Path) -> Result<Option<(Uid, Gid)>, ClusterError> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    if let Ok(found) = std::fs::symlink_metadata(data)
        && found.uid() != 0
    {
        return Ok(Some((Uid::from_raw(found.uid()), Gid::from_raw(found.gid()))));
    }
    let named = |name| User::from_name(name).ok().flatten().filter(|user| !user.uid.is_root());
    let user = ["postgres", OWN_USER].into_iter().find_map(named).or_else(|| {
        make_user();
        named(OWN_USER)
    });
    user.map(|user| Some((user.uid, user.gid))).ok_or_else(|| {
        ClusterError::Server(format!(
            "there is no unprivileged user to run it as, and none could be created: run `useradd --system {OWN_USER}`"
        ))
    })
}

/// Creates certvakt's system user, without a login: with the commands of most distributions, or with those of
/// Alpine.
fn make_user() {
    const FORMS: [&[&str]; 2] = [
        &[
            "useradd",
            "--system",
            "--user-group",
            "--no-create-home",
            "--home-dir",
            "/nonexistent",
            "--shell",
            "/usr/sbin/nologin",
            OWN_USER,
        ],
        &["adduser", "-S", "-D", "-H", "-h", "/nonexistent", "-s", "/sbin/nologin", OWN_USER],
    ];
    for form in FORMS {
        let mut command = Command::new(form[0]);
        command.args(&form[1..]).env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        if command.output().is_ok_and(|made| made.status.success()) {
            return;
        }
    }
}

impl Programs {
    /// Creates a command that runs one of the programs as the server's user.
    pub(super) fn command(&self, program: &str, folder: &Path) -> Command {
        let mut command = Command::new(self.folder.join(program));
        // The server's user may not be allowed to enter the caller's folder. The command drops root's groups
        // with its id.
        command.current_dir(folder).env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C");
        if let Some((user, group)) = self.user {
            command.uid(user.as_raw()).gid(group.as_raw());
        }
        command
    }
}
