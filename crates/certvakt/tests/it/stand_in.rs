//! The stand-in for FCM and a mail server as processes, and a configuration that points at them.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use serde_json::Value;

/// Starts a process that prints its address in a line of JSON, and ends when its standard input closes.
pub fn listen(command: &mut Command) -> ((Child, ChildStdin), Value) {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let input = child.stdin.take().unwrap();
    ((child, input), serde_json::from_str(&line).unwrap())
}

/// The program of the stand-in for FCM, in the directory of the binary under test.
pub fn fcm_stand_in() -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_certvakt")).with_file_name("fcm-stand-in");
    assert!(program.exists(), "the stand-in is not built: run `cargo build --bins` first");
    program
}

/// A running stand-in, which ends when this value is dropped.
pub struct StandIn {
    _process: (Child, ChildStdin),
    pub address: String,
    pub folder: tempfile::TempDir,
}

impl StandIn {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(fcm_stand_in());
        let (process, listening) =
            listen(command.arg("--folder").arg(folder.path()).arg("--until-stdin-closes"));
        Self { _process: process, address: listening["address"].as_str().unwrap().to_owned(), folder }
    }

    pub fn service_account(&self) -> PathBuf {
        self.folder.path().join("service-account.json")
    }

    /// Writes a configuration file with these channels and additional settings.
    pub fn config(&self, channels: &str, more: &str) -> PathBuf {
        write_config(
            self.folder.path(),
            &format!(
                "[delivery]\nchannels = {channels}\nlease_seconds = 20\ntimeout_seconds = 2\npoll_seconds = 1\n\
                 [fcm]\nendpoint = \"{}\"\nservice_account_file = \"{}\"\n{more}",
                self.address,
                self.service_account().display()
            ),
        )
    }

    /// Responds to the held requests (`held-…`).
    pub fn let_go(&self) {
        std::fs::write(self.folder.path().join("answer"), "").unwrap();
    }

    /// The accepted messages, in order.
    pub fn messages(&self) -> Vec<Value> {
        lines(&self.folder.path().join("messages.jsonl"))
    }
}

/// A running mail server, which ends when this value is dropped.
pub struct MailServer {
    _process: (Child, ChildStdin),
    pub port: u16,
    folder: tempfile::TempDir,
}

impl MailServer {
    /// Starts it; with `user:password`, it accepts only these credentials.
    pub fn start(credentials: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Debian's own interpreter has the package.
        let mut command = Command::new("/usr/bin/python3");
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../stand-ins/smtp.py"));
        let (process, listening) = listen(command.arg(folder.path()).args(credentials));
        let port = u16::try_from(listening["port"].as_u64().unwrap()).unwrap();
        Self { _process: process, port, folder }
    }

    /// `[email]` for this server, with additional settings.
    pub fn config(&self, more: &str) -> PathBuf {
        write_config(
            self.folder.path(),
            &format!(
                "[delivery]\nchannels = [\"email\"]\nlease_seconds = 20\ntimeout_seconds = 5\n\
                 [email]\nserver = \"smtp://127.0.0.1:{}\"\nfrom = \"Varsel <varsel@example.org>\"\n{more}",
                self.port
            ),
        )
    }

    /// A file in its folder.
    pub fn file(&self, name: &str, contents: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, contents).unwrap();
        path
    }

    /// Sets the reply for a phase (`connect`, `ehlo`, `auth`, `mail`, `rcpt`, `data`, `end`).
    pub fn answer(&self, phase: &str, reply: &str) {
        let replies = self.file("replies.new", &serde_json::json!({ phase: reply }).to_string());
        std::fs::rename(&replies, replies.with_file_name("replies.json")).unwrap();
    }

    /// Resets all replies.
    pub fn recover(&self) {
        std::fs::remove_file(self.folder.path().join("replies.json")).unwrap();
    }

    /// The accepted e-mails, in order.
    pub fn mails(&self) -> Vec<Value> {
        lines(&self.folder.path().join("mails.jsonl"))
    }
}

/// Makes a command trust the certificate authority next to its configuration, if there is one.
pub fn trust(command: &mut Command, config: &Path) {
    let authority = config.with_file_name("ca.pem");
    if authority.exists() {
        command.env("SSL_CERT_FILE", authority);
    }
}

/// Writes a configuration file.
pub fn write_config(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("certvakt.toml");
    std::fs::write(&path, text).unwrap();
    path
}

/// The complete lines of a file of JSON; empty if it does not exist.
pub fn lines(path: &Path) -> Vec<Value> {
    std::fs::read_to_string(path)
        .unwrap_or_default()
        .split_inclusive('\n')
        .filter(|line| line.ends_with('\n'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}
