//! Database errors, as messages for people.

use std::borrow::Cow;

use certvakt_base::Exit;
use sqlx::error::DatabaseError;

use crate::zone::UnknownZone;

/// An error of the database. No variant contains an address or a row.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// `DATABASE_URL` is not the address of a PostgreSQL server.
    #[error("DATABASE_URL is not a valid address: write it like postgres://user@host:5432/database")]
    BadAddress,
    /// There is no connection, or it was lost.
    #[error(
        "the database cannot be reached or closed the connection ({0}): check that the server is running and try again; nothing was changed halfway"
    )]
    Unreachable(String),
    /// A statement, or its wait for a lock, exceeded the time limit.
    #[error(
        "the database timed out ({0}): another process may hold a lock; try again, nothing was changed halfway"
    )]
    TimedOut(String),
    /// Another transaction deleted or changed the same rows.
    #[error("another process changed or deleted the same rows ({0}): try again, nothing was changed halfway")]
    Conflict(String),
    /// The server's disk is full.
    #[error("the database's disk is full ({0}): free some space and try again, nothing was changed halfway")]
    Full(String),
    /// The schema is older than this binary expects.
    #[error("the database's schema is older than this version of certvakt ({0}): run `certvakt migrate`")]
    Schema(String),
    /// The schema has other migrations than this binary.
    #[error(
        "another version of certvakt created the database's schema ({0}): if that is a later release, use it; if it was never released, run `certvakt migrate` on a new database, because certvakt cannot upgrade its schema"
    )]
    ForeignSchema(String),
    /// The migrations cannot be applied.
    #[error("could not apply the migrations: {0}")]
    Migration(String),
    /// The server refused the connection, or the login lacks a privilege.
    #[error("the database refused access ({said}): {hint}")]
    Refused {
        /// The server's message.
        said: String,
        /// What to do.
        hint: &'static str,
    },
    /// A name on the command line is unknown.
    #[error("there is no {what} '{name}': {hint}")]
    Unknown {
        /// The kind of object.
        what: &'static str,
        /// The name, as given.
        name: String,
        /// What to do, with the nearest names.
        hint: String,
    },
    /// The name already exists.
    #[error("the {what} '{name}' already exists: choose another name")]
    Exists {
        /// The kind of object.
        what: &'static str,
        /// The name, as given.
        name: String,
    },
    /// A value that the schema rejects.
    #[error("{0}")]
    Invalid(String),
    /// An organisation's time zone is unknown to this binary, which has the IANA database of its release.
    #[error(
        "this version does not know an organisation's time zone '{0}': install a newer release of certvakt, or correct the organisation's time zone"
    )]
    UnknownZone(String),
    /// `CERTVAKT_NOW` is set, but the database is not a rehearsal.
    #[error(
        "CERTVAKT_NOW is set, but this database is not marked as a rehearsal: unset it, or mark an empty database with `certvakt migrate --rehearsal`"
    )]
    NoRehearsal,
    /// Any other database error.
    #[error("the database returned an unexpected error ({0}): please report it with the log")]
    Other(String),
}

impl StoreError {
    /// The stable code, as listed in `docs/errors.md`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BadAddress => "database-address",
            Self::Unreachable(_) => "database-unreachable",
            Self::TimedOut(_) => "database-timeout",
            Self::Conflict(_) => "database-conflict",
            Self::Full(_) => "database-full",
            Self::Schema(_) => "database-schema",
            Self::ForeignSchema(_) => "database-schema-foreign",
            Self::Migration(_) => "migration",
            Self::Refused { .. } => "database-refused",
            Self::Unknown { .. } => "unknown-name",
            Self::Exists { .. } => "name-taken",
            Self::Invalid(_) => "invalid-value",
            Self::UnknownZone(_) => "time-zone-unknown",
            Self::NoRehearsal => "not-a-rehearsal",
            Self::Other(_) => "database-error",
        }
    }

    /// The exit status.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::BadAddress
            | Self::Unknown { .. }
            | Self::Exists { .. }
            | Self::Invalid(_)
            | Self::UnknownZone(_)
            | Self::NoRehearsal => Exit::Usage,
            Self::Other(_) => Exit::Internal,
            _ => Exit::Database,
        }
    }
}

/// The code of an error that the server returned.
pub(crate) fn code_of(error: &sqlx::Error) -> Option<Cow<'_, str>> {
    error.as_database_error().and_then(DatabaseError::code)
}

/// Gives the violation of a constraint its meaning, by the constraint's name, which a function of the schema may also
/// raise. Any other error, and a violation without a meaning, stays an error of the database.
pub(crate) fn on_constraint<T>(
    result: Result<T, sqlx::Error>,
    meaning: impl FnOnce(&str) -> Option<Result<T, StoreError>>,
) -> Result<T, StoreError> {
    result.or_else(|error| {
        let name = error.as_database_error().and_then(|refused| refused.constraint());
        name.and_then(meaning).unwrap_or_else(|| Err(error.into()))
    })
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Io(cause) => Self::Unreachable(cause.to_string()),
            sqlx::Error::Tls(_) => {
                Self::Unreachable("could not establish the encrypted connection".to_owned())
            }
            sqlx::Error::PoolTimedOut => Self::Unreachable("no connection in 10 seconds".to_owned()),
            sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
                Self::Unreachable("the connection was closed".to_owned())
            }
            sqlx::Error::Database(cause) => {
                // Use only the code and PostgreSQL's primary message, because the detail can contain a row.
                let state = cause.code().unwrap_or_default();
                let text = format!("{state}: {}", cause.message());
                match &*state {
                    // Class 08: connection exception; 53300: too many connections; 57P0x: shutdown.
                    "53300" | "57P01" | "57P02" | "57P03" => Self::Unreachable(text),
                    state if state.starts_with("08") => Self::Unreachable(text),
                    // Lock not available, query cancelled (statement_timeout).
                    "55P03" | "57014" => Self::TimedOut(text),
                    // Serialization failure, deadlock detected, foreign key violation.
                    "40001" | "40P01" | "23503" => Self::Conflict(text),
                    "53100" => Self::Full(text),
                    // A check with `certvakt.forbidden_characters`.
                    "23514" if cause.constraint().is_some_and(|name| name.ends_with("_plain")) => Self::Invalid(
                        "a text contains control characters or characters that change the writing direction: remove them"
                            .to_owned(),
                    ),
                    // Invalid authorisation, invalid password.
                    "28000" | "28P01" => {
                        Self::Refused { said: text, hint: "check user and password in DATABASE_URL" }
                    }
                    "3D000" => Self::Refused {
                        said: text,
                        hint: "create the database, or check its name in DATABASE_URL",
                    },
                    // Insufficient privilege.
                    "42501" => Self::Refused {
                        said: text,
                        hint: "the login must be a member of certvakt_worker, certvakt_registrar, certvakt_auth and authenticated, see the runbook on roles",
                    },
                    // Undefined table, column, function or schema, or a role that does not exist.
                    "42P01" | "42703" | "42883" | "3F000" | "22023" => Self::Schema(text),
                    _ => Self::Other(text),
                }
            }
            sqlx::Error::ColumnDecode { source, .. } | sqlx::Error::Decode(source) => {
                match source.downcast_ref::<UnknownZone>() {
                    Some(UnknownZone(name)) => Self::UnknownZone(name.clone()),
                    None => Self::Other("a value of an unexpected type".to_owned()),
                }
            }
            other => Self::Other(other.to_string()),
        }
    }
}
