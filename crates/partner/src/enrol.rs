//! Enrols mentors at a partner, one or a file of them.

use std::path::Path;

use certvakt_base::Exit;
use certvakt_engine::config::ImportConfig;
use certvakt_engine::import::sheet::Sheet;
use certvakt_engine::people::PeopleError;
use certvakt_store::partner::{self, Enrolment, Partner};
use certvakt_store::people;
use certvakt_store::{Database, StoreError};
use chrono::{DateTime, Utc};
use indicatif::ProgressBar;
use serde::Serialize;
use uuid::Uuid;

use crate::PartnerError;

/// The columns of a file; the first is required.
const COLUMNS: [&str; 3] = ["mentor", "key", "consents"];

/// The result of a file.
#[derive(Debug, Default, Serialize)]
pub struct Enrolled {
    /// The number of enrolled mentors.
    pub enrolled: u64,
    /// The number of mentors who were already enrolled.
    pub before: u64,
    /// The rejected rows: the line and the reason.
    pub refused: Vec<(u64, String)>,
}

/// Enrols a mentor with the portal's key for them. Returns false if the mentor is already enrolled.
pub async fn one(
    database: &Database,
    to: &Partner,
    person_id: Uuid,
    key: &str,
    consents: Option<bool>,
    at: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let mut tx = database.registrar().await?;
    let mentor = Enrolment { person_id, key, consents, at };
    let is_new = partner::enrol(&mut tx, to.organisation_id, &to.partner, &mentor).await?;
    tx.commit().await?;
    Ok(is_new)
}

/// Enrols the mentors in a file. Each row has its own transaction, so that an invalid row does not stop the
/// others.
pub async fn all(
    database: &Database,
    to: &Partner,
    file: &Path,
    config: &ImportConfig,
    now: DateTime<Utc>,
    bar: &ProgressBar,
) -> Result<Enrolled, PartnerError> {
    let mut rows = Sheet::open(file, COLUMNS, config, bar)?;
    let mut done = Enrolled::default();
    while let Some(row) = rows.next_row()? {
        let line = row.line;
        let read = match row.fault {
            None => read(row.fields),
            Some(fault) => Err(fault),
        };
        let enrolled = match read {
            Ok((mentor, key, consents)) => by_name(database, to, mentor, key, consents, now).await,
            Err(reason) => Err(StoreError::Invalid(reason)),
        };
        match enrolled {
            Ok(true) => done.enrolled += 1,
            Ok(false) => done.before += 1,
            // A database failure ends the command; an error in the row is reported for the row.
            Err(error) if error.exit() != Exit::Usage => return Err(error.into()),
            Err(error) => done.refused.push((line, error.to_string())),
        }
    }
    Ok(done)
}

type Fields<'a> = (&'a str, &'a str, Option<bool>);

fn read(fields: [Option<&str>; 3]) -> Result<Fields<'_>, String> {
    let [mentor, key, consents] = fields;
    let consents = match consents.map(str::to_lowercase).as_deref() {
        None => None,
        Some("yes" | "ja" | "true" | "1") => Some(true),
        Some("no" | "nei" | "false" | "0") => Some(false),
        Some(other) => return Err(format!("consents is '{other}': write yes or no")),
    };
    Ok((mentor.ok_or("the mentor is missing")?, key.ok_or("the key is missing")?, consents))
}

async fn by_name(
    database: &Database,
    to: &Partner,
    mentor: &str,
    key: &str,
    consents: Option<bool>,
    at: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let mut tx = database.registrar().await?;
    let person_id = match people::find(&mut tx, mentor).await?[..] {
        [id] => id,
        [] => return Err(StoreError::Invalid(PeopleError::Unknown.to_string())),
        _ => return Err(StoreError::Invalid(PeopleError::Several.to_string())),
    };
    tx.rollback().await?;
    one(database, to, person_id, key, consents, at).await
}
