//! Enrols mentors at a partner, one or a file of them.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use certvakt_base::Exit;
use certvakt_engine::config::ImportConfig;
use certvakt_engine::import::sheet::Sheet;
use certvakt_engine::people::PeopleError;
use certvakt_store::caller::listings::GivenConsent;
use certvakt_store::partner::{self, Enrolment, Partner};
use certvakt_store::people;
use certvakt_store::{Database, RegistrarTx, StoreError};
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

/// Enrols a mentor, with how they gave the consent that it records. Returns false if the mentor is already enrolled.
pub async fn one(
    database: &Database,
    to: &Partner,
    mentor: &Enrolment<'_>,
    given: Option<&GivenConsent<'_>>,
) -> Result<bool, PartnerError> {
    let mut tx = database.registrar().await?;
    explain(&mut tx, &[*mentor], given).await?;
    let is_new = partner::enrol(&mut tx, to.organisation_id, &to.partner, mentor).await?;
    tx.commit().await?;
    Ok(is_new)
}

/// Says how the mentors gave their consents, if any of them consents.
async fn explain(
    tx: &mut RegistrarTx,
    mentors: &[Enrolment<'_>],
    given: Option<&GivenConsent<'_>>,
) -> Result<(), PartnerError> {
    if mentors.iter().any(|one| one.consents == Some(true)) {
        partner::explain_consents(tx, given.ok_or(PartnerError::ConsentUnexplained)?).await?;
    }
    Ok(())
}

/// The maximum number of rows in a batch.
const BATCH: usize = 500;

/// A row of a file.
struct Row {
    line: u64,
    /// The mentor's name, the key and the consent, or what is wrong.
    fields: Result<(String, String, Option<bool>), String>,
}

/// Enrols the mentors in a file, in batches, with how those who consent gave their consent. An invalid row does not stop
/// the others.
pub async fn all(
    database: &Database,
    to: &Partner,
    (file, config): (&Path, &ImportConfig),
    given: Option<&GivenConsent<'_>>,
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
            enrol_batch(database, to, &batch, given, now, &mut done).await?;
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
    given: Option<&GivenConsent<'_>>,
    now: DateTime<Utc>,
    done: &mut Enrolled,
) -> Result<(), PartnerError> {
    let mut tx = database.registrar().await?;
    let mut outcomes: Vec<Option<Result<bool, PartnerError>>> = Vec::new();
    let (mut at, mut mentors, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
    for (position, (row, person)) in rows.iter().zip(find_people(&mut tx, rows).await?).enumerate() {
        outcomes.push(match (&row.fields, person) {
            (Err(fault), _) => Some(Err(StoreError::Invalid(fault.clone()).into())),
            (_, Err(error)) => Some(Err(StoreError::Invalid(error.to_string()).into())),
            (Ok((_, _, Some(true))), _) if given.is_none() => Some(Err(PartnerError::ConsentUnexplained)),
            (Ok((_, key, consents)), Ok(person_id)) => {
                at.push(position);
                mentors.push(Enrolment { person_id, key, consents: *consents, at: now });
                None
            }
        });
    }
    // A repeated row waits for the first one.
    let (first, repeated): (Vec<_>, Vec<_>) =
        at.into_iter().zip(mentors).partition(|(_, one)| seen.insert((one.person_id, one.key)));
    let asked: Vec<Enrolment<'_>> = first.iter().map(|(_, mentor)| *mentor).collect();
    explain(&mut tx, &asked, given).await?;
    if let Some(enrolled) = partner::enrol_all(&mut tx, to.organisation_id, &to.partner, &asked, now).await? {
        tx.commit().await?;
        for (number, is_new) in enrolled {
            outcomes[first[number].0] = Some(Ok(is_new));
        }
    } else {
        tx.rollback().await?;
    }
    for (position, mentor) in first.into_iter().chain(repeated) {
        if outcomes[position].is_none() {
            outcomes[position] = Some(one(database, to, &mentor, given).await);
        }
    }
    for (row, outcome) in rows.iter().zip(outcomes.into_iter().flatten()) {
        match outcome {
            Ok(true) => done.enrolled += 1,
            Ok(false) => done.before += 1,
            // A database failure ends the command; an error in the row is reported for the row.
            Err(error) if error.exit() != Exit::Usage => return Err(error),
            Err(error) => done.refused.push((row.line, error.to_string())),
        }
    }
    Ok(())
}

/// The person whom each row names, in order.
async fn find_people(
    tx: &mut RegistrarTx,
    rows: &[Row],
) -> Result<Vec<Result<Uuid, PeopleError>>, StoreError> {
    let names: Vec<&str> = rows.iter().map(|row| row.fields.as_ref().map_or("", |(name, ..)| name)).collect();
    let mut found: HashMap<i64, Vec<Uuid>> = HashMap::new();
    for (position, person) in people::find_all(tx, &names).await? {
        found.entry(position).or_default().push(person);
    }
    let person = |position: i64| match found.get(&position).map(Vec::as_slice) {
        Some([person]) => Ok(*person),
        None | Some([]) => Err(PeopleError::Unknown),
        Some(_) => Err(PeopleError::Several),
    };
    Ok((1..).zip(rows).map(|(position, _)| person(position)).collect())
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
