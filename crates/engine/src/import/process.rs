//! Reads a register in a child process. A register is an untrusted file: if a library crashes on it or uses too much
//! memory or time, only the child ends, and nothing remains on the disk.
//!
//! The child is this program with the subcommand `read-register`. The register is its standard input. It
//! limits itself, has no access to the database, and writes frames to standard output: the format of the
//! file, each row, and [`Frame::End`] or the error. A child that ends before these has exceeded a limit or
//! crashed.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use csv::StringRecord;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use super::ImportError;
use super::error::ReadError;
use super::location::Location;
use super::source::{self, Form};
use crate::config::ImportConfig;

/// The subcommand of the child.
pub const SUBCOMMAND: &str = "read-register";
/// The base limit of processor time for reading a register, in seconds.
const SECONDS: u64 = 5;
/// The number of bytes that add another second to the limit: a tenth of what a slow machine reads in that
/// time.
const BYTES_PER_SECOND: u64 = 500_000;
/// Seconds after the limit at which the child is killed.
const SECONDS_TO_END: u64 = 1;
/// The maximum number of open files of a child: its input and output, and files of system libraries.
const OPEN_FILES: u64 = 16;
/// The maximum size of a frame, as a multiple of the longest row: each byte may be a field, whose length
/// takes four bytes.
const FRAME_PER_ROW: u64 = 8;

/// The kinds of frames that a child writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Frame {
    /// The format of the file: one byte.
    Opened,
    /// The number of bytes read so far, the line, and the fields, each with its length in front.
    Row,
    /// Empty: all rows were written.
    End,
    /// A [`ReadError`] as JSON.
    Failed,
}

impl Frame {
    const ALL: [Self; 4] = [Self::Opened, Self::Row, Self::End, Self::Failed];
}

/// The rows of a register, header first, which a child process reads.
pub struct Rows {
    file: String,
    child: Child,
    frames: BufReader<ChildStdout>,
    /// The payload of the last frame.
    payload: Vec<u8>,
    longest_frame: u64,
    form: Form,
    line: u64,
    progress: indicatif::ProgressBar,
}

impl Rows {
    /// Opens the register at a path.
    pub fn open(
        path: &Path,
        config: &ImportConfig,
        location: &Location,
        progress: &indicatif::ProgressBar,
    ) -> Result<Self, ImportError> {
        Self::of(open(path)?, &path.display().to_string(), config, location, progress)
    }

    /// Reads an open register from its beginning. Errors contain `name`.
    pub fn of(
        file: File,
        name: &str,
        config: &ImportConfig,
        location: &Location,
        progress: &indicatif::ProgressBar,
    ) -> Result<Self, ImportError> {
        let failed =
            |cause: std::io::Error| ImportError::read(name, ReadError::Unreadable(cause.to_string()));
        let bytes = file.metadata().map_err(failed)?.len();
        progress.set_length(bytes);
        let mut child = child(file, bytes, config, location).map_err(failed)?;
        let Some(output) = child.stdout.take() else {
            return Err(ImportError::read(name, ReadError::Broken));
        };
        let mut rows = Self {
            file: name.to_owned(),
            child,
            frames: BufReader::with_capacity(256 * 1024, output),
            payload: Vec::new(),
            longest_frame: config.max_row_bytes.saturating_mul(FRAME_PER_ROW).saturating_add(64 * 1024),
            form: Form::Text,
            line: 0,
            progress: progress.clone(),
        };
        match (rows.frame()?, rows.payload.first()) {
            (Frame::Opened, Some(form)) => rows.form = if *form == 0 { Form::Text } else { Form::Workbook },
            _ => return Err(rows.failed(ReadError::Broken)),
        }
        Ok(rows)
    }

    /// Reads the next non-empty row. Returns whether there was one.
    pub fn next(&mut self, record: &mut StringRecord) -> Result<bool, ImportError> {
        match self.frame()? {
            Frame::Row => match row(&self.payload, record) {
                Some((offset, line)) => {
                    self.line = line;
                    self.progress.set_position(offset);
                    Ok(true)
                }
                None => Err(self.failed(ReadError::Broken)),
            },
            Frame::End => Ok(false),
            Frame::Opened | Frame::Failed => Err(self.failed(ReadError::Broken)),
        }
    }

    /// The first line of the last row, from 1.
    pub const fn line(&self) -> u64 {
        self.line
    }

    /// The format of the file.
    pub(crate) const fn form(&self) -> Form {
        self.form
    }

    /// Reads a frame. Returns an error frame of the child as an error.
    fn frame(&mut self) -> Result<Frame, ImportError> {
        let mut head = [0; 5];
        if self.frames.read_exact(&mut head).is_err() {
            return Err(self.died());
        }
        let [kind, length @ ..] = head;
        let length = u32::from_le_bytes(length);
        let Some(frame) =
            Frame::ALL.get(usize::from(kind)).copied().filter(|_| u64::from(length) <= self.longest_frame)
        else {
            return Err(self.failed(ReadError::Broken));
        };
        self.payload.resize(length as usize, 0);
        if self.frames.read_exact(&mut self.payload).is_err() {
            return Err(self.died());
        }
        match frame {
            Frame::Failed => {
                let error = serde_json::from_slice(&self.payload).unwrap_or(ReadError::Broken);
                Err(self.failed(error))
            }
            other => Ok(other),
        }
    }

    fn failed(&self, error: ReadError) -> ImportError {
        ImportError::read(&self.file, error)
    }

    fn died(&mut self) -> ImportError {
        let error = self.child.wait().map_or(ReadError::Broken, cause_of);
        self.failed(error)
    }
}

impl Drop for Rows {
    fn drop(&mut self) {
        // This fails if the child has already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Opens a register, which must be a regular file, because it is read twice and a pipe may never end.
pub fn open(path: &Path) -> Result<File, ImportError> {
    let failed = |cause: &dyn std::fmt::Display| {
        ImportError::read(&path.display().to_string(), ReadError::Unreadable(cause.to_string()))
    };
    if !std::fs::metadata(path).map_err(|cause| failed(&cause))?.is_file() {
        return Err(failed(&"it is not a regular file"));
    }
    File::open(path).map_err(|cause| failed(&cause))
}

fn cause_of(status: ExitStatus) -> ReadError {
    use nix::libc::{SIGABRT, SIGKILL, SIGSEGV, SIGXCPU};
    match status.signal() {
        Some(SIGXCPU) => ReadError::TooSlow,
        // Rust aborts when it runs out of memory, and the system can kill the process.
        Some(SIGABRT | SIGKILL | SIGSEGV) => ReadError::TooMuchMemory,
        _ => ReadError::Broken,
    }
}

/// Starts a child for a register of this size in bytes.
fn child(file: File, bytes: u64, config: &ImportConfig, location: &Location) -> std::io::Result<Child> {
    // This path is the running program, even if an upgrade has replaced its file.
    let program = if cfg!(target_os = "linux") { "/proc/self/exe".into() } else { std::env::current_exe()? };
    Command::new(program)
        .arg0("certvakt")
        .arg(SUBCOMMAND)
        .args(["--xlsx-bytes", &config.max_xlsx_bytes.to_string()])
        .args(["--row-bytes", &config.max_row_bytes.to_string()])
        .args(["--memory-bytes", &config.max_memory_bytes.to_string()])
        .args(["--cpu-seconds", &(SECONDS + bytes / BYTES_PER_SECOND).to_string()])
        .args(arguments(location))
        .env_clear()
        // The allocator would reserve a gigabyte at once.
        .env("MIMALLOC_ARENA_RESERVE", "16MiB")
        .current_dir("/")
        .stdin(Stdio::from(file))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
}

/// The arguments of a child for a location, each with its value, which may start with a hyphen.
fn arguments(location: &Location) -> impl Iterator<Item = String> {
    let columns = location.columns.iter().map(|column| format!("--column={column}"));
    columns
        .chain(location.sheet.iter().map(|sheet| format!("--sheet={sheet}")))
        .chain(location.header_row.map(|line| format!("--header-row={line}")))
        .chain(location.separator.map(|byte| format!("--separator={byte}")))
        .chain(location.encoding.map(|encoding| format!("--encoding={}", encoding.name())))
}

/// Decodes a row: returns its offset and line, and writes its fields to the record.
fn row(payload: &[u8], record: &mut StringRecord) -> Option<(u64, u64)> {
    let (offset, rest) = payload.split_first_chunk()?;
    let (line, mut rest) = rest.split_first_chunk()?;
    record.clear();
    while let Some((length, fields)) = rest.split_first_chunk() {
        let (field, after) = fields.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        record.push_field(std::str::from_utf8(field).ok()?);
        rest = after;
    }
    rest.is_empty().then(|| (u64::from_le_bytes(*offset), u64::from_le_bytes(*line)))
}

/// The limits of a child.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The largest XLSX file, in bytes.
    pub xlsx_bytes: u64,
    /// The longest row, in bytes.
    pub row_bytes: u64,
    /// Memory, in bytes.
    pub memory_bytes: u64,
    /// Processor time, in seconds.
    pub cpu_seconds: u64,
}

impl Limits {
    /// Limits this process, before it reads anything. Only writable memory counts where the system can
    /// distinguish it from the mapped program.
    fn apply(&self) -> nix::Result<()> {
        #[cfg(target_os = "linux")]
        nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)?;
        for (resource, limit) in [
            (Resource::RLIMIT_CORE, 0),
            (Resource::RLIMIT_FSIZE, 0),
            (Resource::RLIMIT_NOFILE, OPEN_FILES),
            (Resource::RLIMIT_CPU, self.cpu_seconds + SECONDS_TO_END),
            (Resource::RLIMIT_DATA, self.memory_bytes),
        ] {
            // Never raise a limit that was set from outside.
            let limited = getrlimit(resource).and_then(|(_, most)| {
                let limit = limit.min(most);
                // The system signals the exceeded limit only if it kills the process later.
                let soft = if resource == Resource::RLIMIT_CPU {
                    limit.saturating_sub(SECONDS_TO_END)
                } else {
                    limit
                };
                setrlimit(resource, soft, limit)
            });
            if cfg!(target_os = "linux") {
                limited?;
            }
        }
        Ok(())
    }
}

/// Runs the child: reads the register from standard input, and writes its frames. Fails if the parent closes
/// the pipe.
pub fn serve(limits: &Limits, location: &Location) -> std::io::Result<()> {
    let mut output = BufWriter::with_capacity(256 * 1024, std::io::stdout().lock());
    let done = limits
        .apply()
        .map_err(|cause| ReadError::Unreadable(format!("cannot limit the process that reads it: {cause}")))
        .and_then(|()| {
            let input = std::io::stdin().as_fd().try_clone_to_owned();
            input.map(File::from).map_err(|cause| ReadError::Unreadable(cause.to_string()))
        });
    let written = done.map(|file| rows(file, limits, location, &mut output));
    match written {
        Ok(Ok(())) => write(&mut output, Frame::End, &[])?,
        Err(error) | Ok(Err(Stopped::Read(error))) => {
            write(&mut output, Frame::Failed, &serde_json::to_vec(&error)?)?;
        }
        Ok(Err(Stopped::Write(cause))) => return Err(cause),
    }
    output.flush()
}

/// The reason why a child stopped early.
enum Stopped {
    Read(ReadError),
    /// The parent has closed the pipe.
    Write(std::io::Error),
}

impl From<ReadError> for Stopped {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

impl From<std::io::Error> for Stopped {
    fn from(cause: std::io::Error) -> Self {
        Self::Write(cause)
    }
}

fn rows(file: File, limits: &Limits, location: &Location, output: &mut impl Write) -> Result<(), Stopped> {
    let config = ImportConfig {
        max_xlsx_bytes: limits.xlsx_bytes,
        max_row_bytes: limits.row_bytes,
        ..ImportConfig::default()
    };
    let position = indicatif::ProgressBar::hidden();
    let mut rows = source::open(file, &config, location, &position)?;
    write(output, Frame::Opened, &[u8::from(rows.form() == Form::Workbook)])?;
    let (mut record, mut payload) = (StringRecord::new(), Vec::new());
    while rows.next(&mut record)? {
        payload.clear();
        payload.extend_from_slice(&position.position().to_le_bytes());
        payload.extend_from_slice(&rows.line().to_le_bytes());
        for field in &record {
            payload.extend_from_slice(&length(field.len())?.to_le_bytes());
            payload.extend_from_slice(field.as_bytes());
        }
        write(output, Frame::Row, &payload)?;
    }
    Ok(())
}

fn write(output: &mut impl Write, frame: Frame, payload: &[u8]) -> std::io::Result<()> {
    output.write_all(&[frame as u8])?;
    output.write_all(&length(payload.len())?.to_le_bytes())?;
    output.write_all(payload)
}

fn length(bytes: usize) -> std::io::Result<u32> {
    u32::try_from(bytes).map_err(std::io::Error::other)
}
