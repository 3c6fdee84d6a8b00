//! The ledger of erased people: a file outside the database, for a backup knows nothing of who was erased after it
//! was taken. It holds ids, and nothing that they meant.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::Exit;
use crate::private;

/// The file.
#[derive(Debug)]
pub struct Ledger(PathBuf);

/// A line of it.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    person: Uuid,
    erased_at: DateTime<Utc>,
}

/// Why the ledger cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// None is named.
    #[error(
        "no ledger of erased people is configured, and without it a restore would bring them back: set erasure.ledger in the configuration, or use --ledger"
    )]
    Missing,
    /// It cannot be written. Nobody is erased then.
    #[error("cannot write the ledger of erased people ({0}): check the path, its permissions and the disk")]
    Unwritten(std::io::Error),
    /// It cannot be read.
    #[error("cannot read the ledger of erased people ({0}): check the path and its permissions")]
    Unread(std::io::Error),
}

impl LedgerError {
    /// The stable code, as listed in `docs/errors.md`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing => "ledger-missing",
            Self::Unwritten(_) => "ledger-unwritten",
            Self::Unread(_) => "file-unreadable",
        }
    }

    /// How the process ends.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Missing | Self::Unwritten(_) => Exit::Usage,
            Self::Unread(_) => Exit::Input,
        }
    }
}

impl Ledger {
    /// The ledger of that path; an empty one is none.
    pub fn at(path: PathBuf) -> Result<Self, LedgerError> {
        if path.as_os_str().is_empty() { Err(LedgerError::Missing) } else { Ok(Self(path)) }
    }

    /// Adds somebody, and returns once the disk has it.
    pub fn add(&self, person: Uuid, erased_at: DateTime<Utc>) -> Result<(), LedgerError> {
        self.append(&Line { person, erased_at }).map_err(LedgerError::Unwritten)
    }

    fn append(&self, line: &Line) -> std::io::Result<()> {
        let mut file = private::open(File::options().read(true).append(true), &self.0)?;
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        // What a crash left unfinished ends here, or this line would be part of it.
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
        // A new file is there after a crash only if its folder knows of it.
        let folder = self.0.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }

    /// Everybody in it, each once, and the lines that name nobody, from 1.
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
