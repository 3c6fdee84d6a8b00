//! A person's rights to their data: export and erasure.

pub mod ending;
pub mod ledger;
pub mod readable;

use certvakt_base::Exit;
use certvakt_base::clock::Clock;
use certvakt_store::people::{self, Erased};
use certvakt_store::{Database, RegistrarTx, StoreError};
use serde::Serialize;
use uuid::Uuid;

use ledger::{Ledger, LedgerError};

/// An error of an export or an erasure.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// There is no person with the id.
    #[error("unknown person: give their id, or the id in the register of one of their certifications")]
    Unknown,
    /// Several people match the id.
    #[error("several people have a certification with that id: give the person's id")]
    Several,
    /// The person is already erased.
    #[error("the person is already erased: only their id is left")]
    Erased,
    /// The database's JSON cannot be parsed.
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

    /// The exit status.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Unknown | Self::Several | Self::Erased => Exit::Usage,
            Self::Unreadable(_) => Exit::Internal,
            Self::Ledger(error) => error.exit(),
            Self::Store(error) => error.exit(),
        }
    }
}

/// Erases a person, and writes their id to the ledger before the commit, so that the ledger contains every
/// erased person even after a crash.
pub async fn erase(
    database: &Database,
    person: Uuid,
    ledger: &Ledger,
    clock: &Clock,
) -> Result<Vec<Erased>, PeopleError> {
    let tx = database.registrar().await?;
    let (tx, erased) = erased_unless_undone(tx, person, "command").await?;
    ledger.add(person, clock.now())?;
    tx.commit().await?;
    Ok(erased)
}

/// Erases a person as [`erase`] does, for an administrator of the only organisation that knows them, whose claims the
/// transaction carries. Returns `None` if the caller may not.
pub async fn erase_for(
    mut tx: RegistrarTx,
    person: Uuid,
    organisation: Uuid,
    ledger: &Ledger,
    clock: &Clock,
) -> Result<Option<Vec<Erased>>, PeopleError> {
    // The locks come first: a transaction that ends the caller's role in an organisation of the person waits for the commit.
    people::is_erased(&mut tx, person).await?;
    if !people::may_erase(&mut tx, person, organisation).await? {
        tx.rollback().await?;
        return Ok(None);
    }
    let (tx, erased) = erased_unless_undone(tx, person, "api").await?;
    ledger.add(person, clock.now())?;
    tx.commit().await?;
    Ok(Some(erased))
}

/// The numbers of rows that an erasure would affect.
pub async fn would_erase(database: &Database, person: Uuid) -> Result<Vec<Erased>, PeopleError> {
    let tx = database.registrar().await?;
    let (tx, erased) = erased_unless_undone(tx, person, "command").await?;
    tx.rollback().await?;
    Ok(erased)
}

async fn erased_unless_undone(
    mut tx: RegistrarTx,
    person: Uuid,
    source: &'static str,
) -> Result<(RegistrarTx, Vec<Erased>), PeopleError> {
    match people::is_erased(&mut tx, person).await? {
        None => Err(PeopleError::Unknown),
        Some(true) => Err(PeopleError::Erased),
        Some(false) => {
            let erased = people::erase(&mut tx, person, source).await?;
            Ok((tx, erased))
        }
    }
}

/// The result of a replay of the ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Replayed {
    /// The number of people who were erased again.
    pub erased: u64,
    /// The number of people who were already erased.
    pub before: u64,
    /// The number of people who are not in this database.
    pub unknown: u64,
    /// The numbers of invalid lines in the ledger, from 1.
    pub unreadable_lines: Vec<u64>,
    /// The people who could not be erased, with the code of the error.
    pub failed: Vec<(Uuid, String)>,
}

/// Erases every person in the ledger again, after a restore. A failure for one person does not stop the
/// others.
pub async fn replay(
    database: &Database,
    ledger: &Ledger,
    progress: &indicatif::ProgressBar,
) -> Result<Replayed, PeopleError> {
    let (people, unreadable_lines) = ledger.read()?;
    let mut replayed = Replayed { unreadable_lines, ..Replayed::default() };
    progress.set_length(people.len() as u64);
    for person in people {
        let tx = database.registrar().await?;
        match erased_unless_undone(tx, person, "command").await {
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
