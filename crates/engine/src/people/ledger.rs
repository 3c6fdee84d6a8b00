//! The ledger of erased people: a file outside the database, because a backup contains people who were erased
//! after it was taken. It contains only ids.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use certvakt_base::Exit;
use certvakt_base::private;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The file.
#[derive(Debug)]
pub struct Ledger(PathBuf);

/// A line of the ledger.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    person: Uuid,
    erased_at: DateTime<Utc>,
}

/// An error of the ledger.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// No ledger is configured.
    #[error(
        "no ledger of erased people is configured, and without it a restore would bring them back: set erasure.ledger in the configuration, or use --ledger"
    )]
    Missing,
    /// The ledger cannot be written, so nobody is erased.
    #[error("cannot write the ledger of erased people ({0}): check the path, its permissions and the disk")]
    Unwritten(std::io::Error),
    /// The ledger cannot be read.
    #[error("cannot read the ledger of erased people ({0}): check the path and its permissions")]
    Unread(std::io::Error),
}

impl LedgerError {
    /// The stable code, as listed in `docs/errors.md`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing => "ledger-missing",
            Self::Unwritten(_) => "ledger-not-writable",
            Self::Unread(_) => "file-unreadable",
        }
    }

    /// The exit status.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Missing | Self::Unwritten(_) => Exit::Usage,
            Self::Unread(_) => Exit::Input,
        }
    }
}

impl Ledger {
    /// The ledger at a path; an empty path is an error.
    pub fn at(path: PathBuf) -> Result<Self, LedgerError> {
        if path.as_os_str().is_empty() { Err(LedgerError::Missing) } else { Ok(Self(path)) }
    }

    /// Adds a person, and returns once the disk has the line.
    pub fn add(&self, person: Uuid, erased_at: DateTime<Utc>) -> Result<(), LedgerError> {
        self.append(&Line { person, erased_at }).map_err(LedgerError::Unwritten)
    }

    fn append(&self, line: &Line) -> std::io::Result<()> {
        let mut file = private::open(File::options().read(true).append(true), &self.0)?;
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        // End a line that a crash left incomplete, or this one would become part of it.
        if file.seek(SeekFrom::End(0))? > 0 {
            let mut last = [0];
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
            if last != *b"\n" {
                text.insert(0, b'\n');
            }
        }
        file.write_all(&text)?;
        file.sync_all()?;
        // A new file survives a crash only if its folder is synced too.
        let folder = self.0.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }

    /// Reads the ids, without duplicates, and the numbers of invalid lines, from 1.
    pub fn read(&self) -> Result<(BTreeSet<Uuid>, Vec<u64>), LedgerError> {
        let file = File::open(&self.0).map_err(LedgerError::Unread)?;
        let (mut people, mut unreadable) = (BTreeSet::new(), Vec::new());
        for (number, line) in (1..).zip(BufReader::new(file).lines()) {
            match line.map(|line| serde_json::from_str::<Line>(&line)) {
                Ok(Ok(line)) => {
                    people.insert(line.person);
                }
                Ok(Err(_)) => unreadable.push(number),
                Err(error) if error.kind() == ErrorKind::InvalidData => unreadable.push(number),
                Err(error) => return Err(LedgerError::Unread(error)),
            }
        }
        Ok((people, unreadable))
    }
}
