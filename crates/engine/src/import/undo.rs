//! The undo of an import.

use certvakt_base::Exit;
use certvakt_store::undo::{self, Undone};
use certvakt_store::{Database, StoreError};
use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

/// Why an import is not undone.
#[derive(Debug, thiserror::Error)]
pub enum UndoError {
    /// There is no such import.
    #[error("there is no import {0}: `certvakt import list --organisation SLUG` shows them")]
    Unknown(i64),
    /// It was undone before; contains the day.
    #[error("import {0} was undone on {1}")]
    UndoneBefore(i64, NaiveDate),
    /// The values before it were deleted; contains the day of the import.
    #[error("import {0} of {1} is more than 30 days old: import a correct register instead")]
    TooOld(i64, NaiveDate),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl UndoError {
    /// The stable code, as listed in `docs/errors.md`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unknown(_) => "import-unknown",
            Self::UndoneBefore(..) => "import-undone",
            Self::TooOld(..) => "import-too-old",
            Self::Store(error) => error.code(),
        }
    }

    /// The exit status.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Store(error) => error.exit(),
            _ => Exit::Usage,
        }
    }
}

/// Undoes an import, in one transaction. `actor` is the person who requested it, if it was not an operator.
pub async fn undo(
    database: &Database,
    id: i64,
    actor: Option<Uuid>,
    dry_run: bool,
) -> Result<Undone, UndoError> {
    let mut tx = database.registrar().await?;
    let import = undo::find(&mut tx, id).await?.ok_or(UndoError::Unknown(id))?;
    let day = |at: DateTime<Utc>| at.with_timezone(&import.zone.0).date_naive();
    if let Some(at) = import.undone_at {
        return Err(UndoError::UndoneBefore(id, day(at)));
    }
    if import.is_too_old {
        return Err(UndoError::TooOld(id, day(import.finished_at)));
    }
    let undone = undo::undo(&mut tx, &import, actor).await?;
    if dry_run {
        tx.rollback().await?;
    } else {
        tx.commit().await?;
    }
    Ok(undone)
}
