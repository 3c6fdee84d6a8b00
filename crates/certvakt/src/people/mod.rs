//! A person's rights: to have what is stored of them, and to have it erased.

pub mod ledger;
pub mod readable;

use serde::Serialize;
use uuid::Uuid;

use crate::clock::Clock;
use crate::error::Exit;
use crate::store::people::{self, Erased};
use crate::store::{Database, RegistrarTx, StoreError};
use ledger::{Ledger, LedgerError};

/// Why somebody is not erased, or what is stored of them not shown.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// There is nobody of that id.
    #[error("unknown person: give their id, or the id in the register of one of their certifications")]
    Unknown,
    /// There are several.
    #[error("several people have a certification with that id: give the person's id")]
    Several,
    /// They were erased before.
    #[error("the person is already erased: only their id is left")]
    Erased,
    /// What the database answered cannot be read.
    #[error("the person's data cannot be read ({0})")]
    Unreadable(serde_json::Error),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl PeopleError {
    /// The stable code, as listed in `docs/errors.md`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unknown | Self::Several => "unknown-name",
            Self::Erased => "person-erased",
            Self::Unreadable(_) => "database-error",
            Self::Ledger(error) => error.code(),
            Self::Store(error) => error.code(),
        }
    }

    /// How the process ends.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Unknown | Self::Several | Self::Erased => Exit::Usage,
            Self::Unreadable(_) => Exit::Internal,
            Self::Ledger(error) => error.exit(),
            Self::Store(error) => error.exit(),
        }
    }
}

/// Erases somebody, and writes their id into the ledger: before it is made last, so that whoever is erased is in
/// the ledger, whatever crashes.
pub async fn erase(
    database: &Database,
    person: Uuid,
    ledger: &Ledger,
    clock: &Clock,
) -> Result<Vec<Erased>, PeopleError> {
    let (tx, erased) = erased_unless_undone(database, person).await?;
    ledger.add(person, clock.now())?;
    tx.commit().await?;
    Ok(erased)
}

/// What would be erased.
pub async fn would_erase(database: &Database, person: Uuid) -> Result<Vec<Erased>, PeopleError> {
    let (tx, erased) = erased_unless_undone(database, person).await?;
    tx.rollback().await?;
    Ok(erased)
}

async fn erased_unless_undone(
    database: &Database,
    person: Uuid,
) -> Result<(RegistrarTx, Vec<Erased>), PeopleError> {
    let mut tx = database.registrar().await?;
    match people::is_erased(&mut tx, person).await? {
        None => Err(PeopleError::Unknown),
        Some(true) => Err(PeopleError::Erased),
        Some(false) => {
            let erased = people::erase(&mut tx, person).await?;
            Ok((tx, erased))
        }
    }
}

/// What became of the ledger's people.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Replayed {
    /// Erased again.
    pub erased: u64,
    /// Erased already.
    pub before: u64,
    /// Not in this database.
    pub unknown: u64,
    /// Lines of the ledger that are none, from 1.
    pub unreadable_lines: Vec<u64>,
    /// Who could not be erased, and the code of why.
    pub failed: Vec<(Uuid, String)>,
}

/// Erases everybody whom the ledger names, after a restore brought them back. Who cannot be erased keeps nobody
/// else from it.
pub async fn replay(
    database: &Database,
    ledger: &Ledger,
    progress: &indicatif::ProgressBar,
) -> Result<Replayed, PeopleError> {
    let (people, unreadable_lines) = ledger.read()?;
    let mut replayed = Replayed { unreadable_lines, ..Replayed::default() };
    progress.set_length(people.len() as u64);
    for person in people {
        match erased_unless_undone(database, person).await {
            Ok((tx, _)) => {
                tx.commit().await?;
                replayed.erased += 1;
            }
            Err(PeopleError::Unknown) => replayed.unknown += 1,
            Err(PeopleError::Erased) => replayed.before += 1,
            Err(error) if error.exit() == Exit::Database => return Err(error),
            Err(error) => replayed.failed.push((person, error.code().to_owned())),
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok(replayed)
}
