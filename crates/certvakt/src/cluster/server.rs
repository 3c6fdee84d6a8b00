//! The server of a cluster: creates, starts and stops it.

use std::fs::Permissions;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use certvakt_rules::key::hex_digest;
use nix::unistd::{Gid, Uid, User, geteuid};

use super::error::ClusterError;
use super::programs::{self, Programs};

/// The superuser of the cluster, which only its creation uses.
const SUPERUSER: &str = "certvakt_superuser";
/// The database. Its owner may only create roles, as on a hosted platform.
const DATABASE: &str = "certvakt";
const OWNER: &str = "certvakt_owner";
/// The maximum length of the socket's folder. Every system allows socket paths of 103 bytes; this leaves room
/// for the name.
const LONGEST_SOCKET_FOLDER: usize = 80;

/// A cluster's server, running or not.
#[derive(Debug, Clone)]
pub(super) struct Server {
    programs: Programs,
    /// The folder of the authentication files, which the server's user cannot write.
    access: PathBuf,
    identities: PathBuf,
    data: PathBuf,
    sockets: PathBuf,
    address: String,
}

impl Server {
    /// Returns the server of the cluster in a folder, and creates the cluster if there is none.
    pub(super) fn in_folder(folder: &Path) -> Result<Self, ClusterError> {
        let data = folder.join("postgres");
        let made_by = std::fs::read_to_string(data.join("PG_VERSION")).ok();
        let programs = programs::find(&data, made_by.as_deref().map(str::trim))?;
        let sockets = socket_folder(&data);
        let address = format!(
            "postgres://{OWNER}@localhost/{DATABASE}?host={}",
            sockets.display().to_string().replace('/', "%2F")
        );
        let (access, identities) = (folder.join("pg_hba.conf"), folder.join("pg_ident.conf"));
        let server = Self { programs, access, identities, data, sockets, address };
        if made_by.is_none() {
            server.make()?;
        }
        Ok(server)
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Creates the cluster in a temporary folder, and moves it to its place when it is complete, so that an
    /// interruption leaves no incomplete cluster.
    fn make(&self) -> Result<(), ClusterError> {
        let making = self.data.with_extension("making");
        if making.exists() {
            std::fs::remove_dir_all(&making).map_err(|cause| ClusterError::folder(&making, &cause))?;
        }
        private_folder(&making, self.programs.user)?;
        let mut initdb = self.programs.command("initdb", &making);
        initdb.arg("-D").arg(&making).args(["-U", SUPERUSER, "-E", "UTF8", "--locale=C", "--data-checksums"]);
        // The cluster's own file rejects everybody, because the server starts with our file.
        initdb.args(["-A", "reject"]);
        run(initdb, None)?;
        let mut single = self.programs.command("postgres", &making);
        single.arg("--single").arg("-D").arg(&making).arg("postgres");
        run(
            single,
            Some(&format!(
                "create role {OWNER} login createrole;\ncreate database {DATABASE} owner {OWNER};\n"
            )),
        )?;
        std::fs::rename(&making, &self.data).map_err(|cause| ClusterError::folder(&self.data, &cause))
    }

    /// Starts the server unless it is running.
    pub(super) fn ensure_running(&self) -> Result<(), ClusterError> {
        let mut status = self.pg_ctl("status");
        if status.output().is_ok_and(|output| output.status.success()) {
            return Ok(());
        }
        self.say_who_may_sign_in()?;
        private_folder(&self.sockets, self.programs.user)?;
        let log = self.data.join("server.log");
        // Twenty for `serve`, eight for each concurrent command (docs/runbook.md), and those reserved for
        // superusers.
        let mut start = self.pg_ctl("start");
        start.args(["--wait", "--silent", "--timeout=60"]).arg("--log").arg(&log).arg("--options").arg(format!(
            "-c listen_addresses='' -c unix_socket_directories='{}' -c unix_socket_permissions=0700 -c max_connections=50 -c hba_file={} -c ident_file={}",
            self.sockets.display(),
            quoted(&self.access),
            quoted(&self.identities),
        ));
        run(start, None).map_err(|error| {
            let _ = std::fs::remove_dir(&self.sockets);
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            let last = said.lines().rev().find(|line| line.contains("FATAL") || line.contains("ERROR"));
            match last {
                Some(line) => ClusterError::Server(format!("{line}; see {}", log.display())),
                None => error,
            }
        })
    }

    /// Stops the server, and waits until it has stopped.
    pub(super) fn stop(&self) -> Result<(), ClusterError> {
        let mut stop = self.pg_ctl("stop");
        stop.args(["--wait", "--silent", "--mode=fast", "--timeout=60"]);
        run(stop, None)?;
        let _ = std::fs::remove_dir(&self.sockets);
        Ok(())
    }

    /// Writes the authentication files: only the user of this process may connect, and only as the owner of
    /// the database. The permissions of the socket's folder exclude other users, but other programs may run
    /// as the server's user.
    fn say_who_may_sign_in(&self) -> Result<(), ClusterError> {
        let user = geteuid();
        let name = User::from_uid(user).ok().flatten().map(|user| user.name).ok_or_else(|| {
            ClusterError::Server(format!(
                "the user {user} has no name on this machine: add it to the user database"
            ))
        })?;
        let name = name.replace('"', "\"\"");
        for (path, text) in [
            (&self.access, format!("local {DATABASE} {OWNER} peer map={DATABASE}\nlocal all all reject\n")),
            (&self.identities, format!("{DATABASE} \"{name}\" {OWNER}\n")),
        ] {
            std::fs::write(path, text)
                // The server's user must be able to read it, regardless of our umask.
                .and_then(|()| std::fs::set_permissions(path, Permissions::from_mode(0o644)))
                .map_err(|cause| ClusterError::folder(path, &cause))?;
        }
        Ok(())
    }

    fn pg_ctl(&self, action: &str) -> Command {
        let mut command = self.programs.command("pg_ctl", &self.data);
        command.arg(action).arg("-D").arg(&self.data);
        command
    }
}

/// Quotes a path for the shell of `pg_ctl`.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "'\\''"))
}

/// A short folder for the socket, the same for every process that uses this cluster.
fn socket_folder(data: &Path) -> PathBuf {
    let name = format!("certvakt-{}", &hex_digest(data.as_os_str().as_encoded_bytes())[..16]);
    let base = if geteuid().is_root() {
        PathBuf::from("/run")
    } else {
        std::env::var_os("XDG_RUNTIME_DIR").map_or_else(|| PathBuf::from("/tmp"), PathBuf::from)
    };
    let base = if base.is_dir() && base.as_os_str().len() + name.len() < LONGEST_SOCKET_FOLDER {
        base
    } else {
        PathBuf::from("/tmp")
    };
    base.join(name)
}

/// Creates a folder that only the server's user can enter. An existing one must have the same owner and
/// permissions.
fn private_folder(folder: &Path, user: Option<(Uid, Gid)>) -> Result<(), ClusterError> {
    let failed = |cause: std::io::Error| ClusterError::folder(folder, &cause);
    let (user, group) = match user {
        Some((user, group)) => (user.as_raw(), group.as_raw()),
        None => (geteuid().as_raw(), nix::unistd::getegid().as_raw()),
    };
    match std::fs::DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => chown(folder, Some(user), Some(group)).map_err(failed)?,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(failed(error)),
    }
    // In a world-writable folder, another user may have created it first.
    let found = std::fs::symlink_metadata(folder).map_err(failed)?;
    if !found.is_dir() || found.uid() != user || found.permissions().mode() & 0o077 != 0 {
        return Err(ClusterError::Folder {
            folder: folder.display().to_string(),
            cause: "it belongs to another user".to_owned(),
        });
    }
    Ok(())
}

/// Runs a program in a new session, so that Ctrl-C does not reach the server that it starts, and waits for
/// it.
fn run(mut command: Command, input: Option<&str>) -> Result<(), ClusterError> {
    use std::io::{Read, Seek, Write};
    use std::os::unix::process::CommandExt;
    let program = command.get_program().to_string_lossy().into_owned();
    let failed = |cause: std::io::Error| {
        ClusterError::Server(format!(
            "{program}: {cause}; the user that PostgreSQL runs as must be able to enter the data folder"
        ))
    };
    // The server that pg_ctl starts must not keep our pipes open, so the output goes to an unnamed file.
    let mut said = tempfile::tempfile().map_err(failed)?;
    let mut child = command
        .process_group(0)
        .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::null())
        .stderr(said.try_clone().map_err(failed)?)
        .spawn()
        .map_err(failed)?;
    if let (Some(input), Some(mut stdin)) = (input, child.stdin.take()) {
        stdin.write_all(input.as_bytes()).map_err(failed)?;
    }
    let status = child.wait().map_err(failed)?;
    let mut text = String::new();
    let _ = said.rewind().and_then(|()| said.read_to_string(&mut text));
    if status.success() && !text.contains("ERROR:") && !text.contains("FATAL:") {
        return Ok(());
    }
    let last = text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it printed no message");
    Err(ClusterError::Server(format!("{program} ended with {status}: {last}")))
}
