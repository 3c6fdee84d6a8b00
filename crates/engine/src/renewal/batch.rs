//! Changes of many certifications, in batches of a few statements each.

use std::collections::{HashMap, HashSet};
use std::future::Future;

use certvakt_store::renewal::NewState;
use certvakt_store::renewal::batch::{self, BatchTx, Match};
use certvakt_store::{Database, RegistrarTx, StoreError};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{ChangeOutcome, ChangeRequest, RenewalError, apply, decide};

/// The maximum number of requests in a batch.
pub const BATCH: usize = 500;

/// The outcome of a request of a batch.
pub type Outcome = Result<ChangeOutcome, RenewalError>;

/// A request for a certification, named by its id or its register id.
#[derive(Debug, Clone)]
pub struct Named<'a> {
    /// The name.
    pub certification: &'a str,
    /// The request.
    pub request: ChangeRequest<'a>,
}

/// Begins the transactions of a batch.
pub trait Begin {
    /// The transactions.
    type Tx: BatchTx;
    /// The error of a transaction that cannot begin, or of the batch.
    type Error: From<StoreError>;

    /// Begins one.
    fn begin(&self) -> impl Future<Output = Result<Self::Tx, Self::Error>> + Send;
}

impl Begin for Database {
    type Tx = RegistrarTx;
    type Error = StoreError;

    async fn begin(&self) -> Result<RegistrarTx, StoreError> {
        self.registrar().await
    }
}

/// The outcome for each request of a batch, in order. A request that fails does not affect the others. Two requests for
/// one certification are applied one after the other.
pub async fn apply_all(
    database: &Database,
    named: &[Named<'_>],
    now: DateTime<Utc>,
) -> Result<Vec<Outcome>, StoreError> {
    let names: Vec<&str> = named.iter().map(|one| one.certification).collect();
    let mut outcomes: Vec<Option<Outcome>> = Vec::new();
    let mut waiting = Vec::new();
    for (at, id) in find_all(database, &names).await?.into_iter().enumerate() {
        match id {
            Ok(id) => {
                waiting.push((at, id));
                outcomes.push(None);
            }
            Err(error) => outcomes.push(Some(Err(error.into()))),
        }
    }
    while !waiting.is_empty() {
        let mut seen = HashSet::new();
        let (first, repeated): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|(_, id)| seen.insert(*id));
        let requests: Vec<(Uuid, &ChangeRequest<'_>)> =
            first.iter().map(|(at, id)| (*id, &named[*at].request)).collect();
        for ((at, _), outcome) in first.iter().zip(apply_different(database, &requests, now).await?) {
            outcomes[*at] = Some(outcome);
        }
        waiting = repeated;
    }
    Ok(outcomes.into_iter().flatten().collect())
}

/// Finds the certification with an id or a register id.
pub async fn find(database: &Database, name: &str) -> Result<Uuid, StoreError> {
    find_all(database, &[name]).await?.remove(0)
}

/// The certification that each name matches, in order.
async fn find_all(database: &Database, names: &[&str]) -> Result<Vec<Result<Uuid, StoreError>>, StoreError> {
    let mut tx = database.registrar().await?;
    let mut matches: HashMap<i64, Vec<Match>> = HashMap::new();
    for one in batch::find(&mut tx, names).await? {
        matches.entry(one.position).or_default().push(one);
    }
    tx.rollback().await?;
    Ok((1..)
        .zip(names)
        .map(|(position, name)| match matches.get(&position).map(Vec::as_slice) {
            Some([one]) => Ok(one.id),
            None | Some([]) => Err(StoreError::Unknown {
                what: "certification",
                name: (*name).to_owned(),
                hint: "give its id, or its id in the imported register".to_owned(),
            }),
            Some(several) => {
                let ids: Vec<String> = several
                    .iter()
                    .map(|one| format!("{} ({}, {})", one.id, one.organisation, one.type_name))
                    .collect();
                Err(StoreError::Invalid(format!(
                    "'{name}' matches several certifications, give the id of one: {}",
                    ids.join("; ")
                )))
            }
        })
        .collect())
}

/// Applies requests for different certifications: together or, if the database refuses one of them or another
/// transaction is in the way, one by one.
pub async fn apply_different<B: Begin>(
    database: &B,
    requests: &[(Uuid, &ChangeRequest<'_>)],
    now: DateTime<Utc>,
) -> Result<Vec<Outcome>, B::Error> {
    let mut tx = database.begin().await?;
    let (mut outcomes, mut states) = decide_all(&mut tx, requests, now).await?;
    // Two commands that change the same certifications lock them in the same order.
    states.sort_by_key(|state| state.id);
    let changed = match tx.change_all(&states).await {
        Err(StoreError::Conflict(_)) => None,
        changed => changed?,
    };
    let again: Vec<usize> = if let Some(changed) = changed {
        tx.commit().await?;
        (0..requests.len()).filter(|at| changed.contains(&requests[*at].0)).collect()
    } else {
        tx.rollback().await?;
        (0..requests.len()).filter(|at| outcomes[*at].is_ok()).collect()
    };
    for at in again {
        let (id, request) = requests[at];
        let mut tx = database.begin().await?;
        outcomes[at] = match apply(&mut tx, id, request, now).await {
            Ok(outcome) => tx.commit().await.map(|()| outcome).map_err(RenewalError::from),
            Err(error) => Err(error),
        };
    }
    Ok(outcomes)
}

/// The outcome that the rules give for each request for different certifications, in order. Changes nothing, so what only
/// the database refuses counts as a success.
pub async fn preview(
    tx: &mut impl BatchTx,
    requests: &[(Uuid, &ChangeRequest<'_>)],
    now: DateTime<Utc>,
) -> Result<Vec<Outcome>, StoreError> {
    Ok(decide_all(tx, requests, now).await?.0)
}

/// The outcome for each request by the rules, in order, and the new states of those that change.
async fn decide_all(
    tx: &mut impl BatchTx,
    requests: &[(Uuid, &ChangeRequest<'_>)],
    now: DateTime<Utc>,
) -> Result<(Vec<Outcome>, Vec<NewState>), StoreError> {
    let asked: Vec<(Uuid, Uuid)> = requests.iter().map(|(id, request)| (*id, request.entry(*id))).collect();
    let standings = tx.standings(&asked).await?;
    let mut states = Vec::new();
    let decided = requests.iter().zip(&asked).map(|((id, request), (_, entry))| {
        let standing = standings.get(id).ok_or(RenewalError::Unknown)?;
        let (outcome, state) = decide(standing, request, *entry, now)?;
        states.extend(state);
        Ok(outcome)
    });
    Ok((decided.collect(), states))
}
