//! Enrols mentors at a partner, one or a file of them.

use std::collections::{HashMap, HashSet};
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

/// The maximum number of rows in a batch.
const BATCH: usize = 500;

/// A row of a file.
struct Row {
    line: u64,
    /// The mentor's name, the key and the consent, or what is wrong.
    fields: Result<(String, String, Option<bool>), String>,
}

/// Enrols the mentors in a file, in batches. An invalid row does not stop the others.
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
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        let row = rows.next_row()?;
        let is_last = row.is_none();
        batch.extend(row.map(|row| {
            Row {
                line: row.line,
                fields: match row.fault {
                    None => read(row.fields)
                        .map(|(mentor, key, consents)| (mentor.to_owned(), key.to_owned(), consents)),
                    Some(fault) => Err(fault),
                },
            }
        }));
        if is_last || batch.len() == BATCH {
            enrol_batch(database, to, &batch, now, &mut done).await?;
            batch.clear();
        }
        if is_last {
            return Ok(done);
        }
    }
}

/// Enrols the mentors of a batch: together, and those who need an error of their own one by one.
async fn enrol_batch(
    database: &Database,
    to: &Partner,
    rows: &[Row],
    now: DateTime<Utc>,
    done: &mut Enrolled,
) -> Result<(), PartnerError> {
    let mut tx = database.registrar().await?;
    let names: Vec<&str> = rows.iter().map(|row| row.fields.as_ref().map_or("", |(name, ..)| name)).collect();
    let mut found: HashMap<usize, Vec<Uuid>> = HashMap::new();
    for (position, person) in people::find_all(&mut tx, &names).await? {
        found.entry(usize::try_from(position).unwrap_or_default()).or_default().push(person);
    }
    let mut mentors = Vec::new();
    let mut seen = HashSet::new();
    for (row, position) in rows.iter().zip(1..) {
        if let (Ok((_, key, consents)), Some([person_id])) =
            (&row.fields, found.get(&position).map(Vec::as_slice))
            && seen.insert((*person_id, key.as_str()))
        {
            mentors.push((position, Enrolment { person_id: *person_id, key, consents: *consents, at: now }));
        }
    }
    let asked: Vec<Enrolment<'_>> = mentors.iter().map(|(_, mentor)| *mentor).collect();
    let enrolled = partner::enrol_all(&mut tx, to.organisation_id, &to.partner, &asked, now).await?;
    let mut settled: HashMap<(Uuid, String), bool> = HashMap::new();
    if let Some(enrolled) = enrolled {
        tx.commit().await?;
        settled.extend(enrolled.into_iter().map(|one| ((one.person_id, one.partner_key), one.is_new)));
    }
    let settled: HashMap<usize, bool> = mentors
        .iter()
        .filter_map(|(at, one)| Some((*at, *settled.get(&(one.person_id, one.key.to_owned()))?)))
        .collect();
    for (row, position) in rows.iter().zip(1..) {
        let outcome = match (&row.fields, settled.get(&position), found.get(&position).map(Vec::as_slice)) {
            (Err(fault), ..) => Err(StoreError::Invalid(fault.clone())),
            (_, Some(is_new), _) => Ok(*is_new),
            (Ok((_, key, consents)), None, Some([person])) => {
                one(database, to, *person, key, *consents, now).await
            }
            (_, None, None | Some([])) => Err(StoreError::Invalid(PeopleError::Unknown.to_string())),
            (_, None, Some(_)) => Err(StoreError::Invalid(PeopleError::Several.to_string())),
        };
        match outcome {
            Ok(true) => done.enrolled += 1,
            Ok(false) => done.before += 1,
            // A database failure ends the command; an error in the row is reported for the row.
            Err(error) if error.exit() != Exit::Usage => return Err(error.into()),
            Err(error) => done.refused.push((row.line, error.to_string())),
        }
    }
    Ok(())
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
