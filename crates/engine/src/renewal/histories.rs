//! Checks the hash chains of histories, and writes and compares their heads.
//!
//! A chain reveals a change unless all later hashes were recomputed. In that case, the heads differ from
//! those that were stored outside the database. It proves nothing more.

use std::collections::BTreeMap;
use std::io::{BufRead, BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use certvakt_base::Exit;
use certvakt_base::clock::Clock;
use certvakt_base::private;
use certvakt_rules::key::hex_digest;
use certvakt_rules::renewal::{self as rules, Entry, Kind, Reading};
use certvakt_store::CertificationStatus;
use certvakt_store::renewal::{self, CertificationHistory, HistoryFilter};
use certvakt_store::{Database, StoreError, WorkerTx};
use chrono::NaiveDate;
use data_encoding::HEXLOWER;
use serde::Serialize;
use tokio::sync::watch;
use uuid::Uuid;

/// The number of certifications in a batch.
const BATCH: i64 = 500;

/// A fault of a history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The certification.
    pub certification_id: Uuid,
    /// The number of the entry, from 1; `None` if the fault is not about one entry.
    pub number: Option<usize>,
    /// The description.
    pub what: String,
}

/// The result of a check of histories.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// The number of certifications with a history.
    pub histories: u64,
    /// The number of entries.
    pub entries: u64,
    /// The number of entries whose text was erased.
    pub erased: u64,
    /// The number of entries of a later version, of which only the chain is checked.
    pub later: u64,
    /// The SHA-256 of all heads, in hexadecimal.
    pub digest: String,
    /// The faults.
    pub faults: Vec<Fault>,
    /// The certifications with a stored head that no longer exist. A chain cannot tell a deletion from a
    /// loss.
    pub gone: Vec<Uuid>,
}

/// The head of a history: its number of entries, and the hash of the last one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The number of entries.
    pub entries: usize,
    /// The hash, in hexadecimal.
    pub hash: String,
}

/// Reads stored heads, by certification. An invalid line is an error.
pub fn read_heads(lines: impl BufRead) -> std::io::Result<BTreeMap<Uuid, Head>> {
    let wrong = || std::io::Error::new(std::io::ErrorKind::InvalidData, "it contains no heads of histories");
    lines
        .lines()
        .map(|line| {
            let line = line?;
            let mut parts = line.split(' ');
            let (id, entries, hash) = (parts.next(), parts.next(), parts.next());
            let id = id.and_then(|id| id.parse().ok()).ok_or_else(wrong)?;
            let entries = entries.and_then(|entries| entries.parse().ok()).ok_or_else(wrong)?;
            let hash = hash.filter(|hash| hash.len() == 64).ok_or_else(wrong)?.to_owned();
            Ok((id, Head { entries, hash }))
        })
        .collect()
}

/// Checks every history, writes the heads, and compares them with stored heads.
pub async fn check(
    tx: &mut WorkerTx,
    mut kept: BTreeMap<Uuid, Head>,
    heads: &mut impl Write,
) -> Result<Checked, CheckError> {
    let mut checked = Checked::default();
    let mut digest = String::new();
    let mut after = Uuid::nil();
    loop {
        let batch = renewal::histories(tx, &HistoryFilter::default(), after, BATCH).await?;
        let Some(last) = batch.last() else { break };
        after = last.id;
        for one in &batch {
            checked.add(one, kept.remove(&one.id).as_ref());
            let hash = one.history.last().and_then(rules::entry_hash).unwrap_or_default();
            let head = format!("{} {} {hash}\n", one.id, one.history.len());
            heads.write_all(head.as_bytes()).map_err(CheckError::Unwritten)?;
            digest = hex_digest(digest + &head);
        }
    }
    checked.digest = digest;
    checked.gone = kept.into_keys().collect();
    Ok(checked)
}

/// Checks every history, and writes the heads to a file atomically.
pub async fn write(
    tx: &mut WorkerTx,
    kept: BTreeMap<Uuid, Head>,
    path: &Path,
) -> Result<Checked, CheckError> {
    let mut file = BufWriter::new(private::beside(path).map_err(CheckError::Unwritten)?);
    let checked = check(tx, kept, &mut file).await?;
    let whole = file.into_inner().map_err(|error| CheckError::Unwritten(error.into_error()))?;
    whole.as_file().sync_all().map_err(CheckError::Unwritten)?;
    whole.persist(path).map_err(|error| CheckError::Unwritten(error.error))?;
    Ok(checked)
}

/// The interval at which `serve` checks whether the day's heads are written.
const LOOK_EVERY: Duration = Duration::from_hours(1);

/// Once a day, checks every history, logs the digest of the heads and any faults, and writes the heads to a
/// folder if one is configured; until shutdown.
pub async fn record_heads(
    database: &Database,
    clock: &Clock,
    folder: &Path,
    mut ending: watch::Receiver<bool>,
) {
    let mut looks = tokio::time::interval(LOOK_EVERY);
    let mut done_on = None;
    loop {
        tokio::select! {
            _ = ending.wait_for(|ending| *ending) => return,
            _ = looks.tick() => {}
        }
        let today = clock.now().date_naive();
        if done_on == Some(today) {
            continue;
        }
        match daily(database, today, folder).await {
            Ok(()) => done_on = Some(today),
            Err(error) => tracing::error!(code = error.code(), "could not check the histories: {error}"),
        }
    }
}

async fn daily(database: &Database, today: NaiveDate, folder: &Path) -> Result<(), CheckError> {
    let mut tx = database.worker().await?;
    let checked = if folder.as_os_str().is_empty() {
        check(&mut tx, BTreeMap::new(), &mut std::io::sink()).await?
    } else {
        let path = folder.join(format!("heads-{today}"));
        if path.exists() {
            return Ok(());
        }
        write(&mut tx, BTreeMap::new(), &path).await?
    };
    for (organisation, number) in renewal::long_histories(&mut tx).await? {
        tracing::warn!(organisation, number, "some certifications have long histories");
    }
    tx.rollback().await?;
    let Checked { histories, entries, digest, faults, .. } = checked;
    tracing::info!(histories, entries, digest, "the heads of all histories");
    if !faults.is_empty() {
        tracing::error!(
            faults = faults.len(),
            "some histories are inconsistent: run `certvakt verify --history`"
        );
    }
    Ok(())
}

/// An error of a check of histories.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The heads cannot be written.
    #[error("cannot write the heads of the histories ({0}): check the path, its permissions and the disk")]
    Unwritten(std::io::Error),
}

impl CheckError {
    /// The stable code, as listed in `docs/errors.md`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Unwritten(_) => "heads-not-writable",
        }
    }

    /// The exit status.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Store(error) => error.exit(),
            Self::Unwritten(_) => Exit::Usage,
        }
    }
}

impl Checked {
    fn add(&mut self, one: &CertificationHistory, kept: Option<&Head>) {
        self.histories += 1;
        self.entries += one.history.len() as u64;
        let mut wrong = |number: Option<usize>, what: String| {
            self.faults.push(Fault { certification_id: one.id, number, what });
        };
        for fault in rules::check(&one.history) {
            wrong(Some(fault.number), fault.what);
        }
        if let Some(Head { entries, hash }) = kept {
            let now =
                entries.checked_sub(1).and_then(|place| one.history.get(place)).and_then(rules::entry_hash);
            if now.as_ref() != Some(hash) {
                wrong(
                    Some(*entries),
                    "does not have the hash in the file of heads: the history was rewritten".to_owned(),
                );
            }
        }
        // The date of the last entry, and the status of the last entry that changes it. An unreadable entry
        // makes both unknown.
        let (mut expires_at, mut is_stopped) = (None, None);
        for (number, written) in (1..).zip(one.history.iter()) {
            (expires_at, is_stopped) = match rules::read(written) {
                Ok(Reading::Known(entry)) => {
                    self.check_words(one, number, &entry);
                    let says = match entry.kind {
                        Kind::Renewed | Kind::Corrected | Kind::Undone => is_stopped,
                        Kind::Suspended | Kind::Withdrawn => Some(true),
                        Kind::Reinstated => Some(false),
                    };
                    (Some(entry.expires_after), says)
                }
                Ok(Reading::Later(_)) => {
                    self.later += 1;
                    (None, None)
                }
                Err(_) => (None, None),
            };
        }
        let mut wrong = |what: &str| {
            self.faults.push(Fault { certification_id: one.id, number: None, what: what.to_owned() });
        };
        if expires_at.is_some_and(|expires_at| expires_at != one.expires_at) {
            wrong("the date differs from the last entry of its history");
        }
        if is_stopped.is_some_and(|is_stopped| is_stopped != (one.status == CertificationStatus::Suspended)) {
            wrong("the status differs from the last entry of its history");
        }
    }

    fn check_words(&mut self, one: &CertificationHistory, number: usize, entry: &Entry) {
        match (&entry.words, one.words.get(&entry.id)) {
            (None, _) => {}
            (Some(_), None) => self.erased += 1,
            (Some(digest), Some(words)) => {
                let salt = HEXLOWER.decode(words.salt.as_bytes()).unwrap_or_default();
                let now = rules::words_digest(&salt, words.evidence.as_deref(), words.note.as_deref());
                if now.as_ref() != Some(digest) {
                    let what = "has a different text from when it was written".to_owned();
                    self.faults.push(Fault { certification_id: one.id, number: Some(number), what });
                }
            }
        }
    }
}
